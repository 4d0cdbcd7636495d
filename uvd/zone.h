/* SPDX-License-Identifier: Apache-2.0 */
/* Which taps a bridge forwards between, by their devices' zones. */
#ifndef UVD_ZONE_H
#define UVD_ZONE_H

#include "uvd.h"

/* Does any card that is on have a zone? 1, 0 or -errno. */
int zones_used(struct uvd *uvd);
/* Brings the rules to what the rows say now, committed or not. 0 or -errno. */
int zones_sync(struct uvd *uvd);

/* Makes them anew if they are others. 1: they were; 0; or -errno. */
int zones_guard(struct uvd *uvd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claimed block devices are kept open exclusively, so that the host mounts none of them. Between
 * uvd's end and its next start nobody holds them: a device that is found in use then is logged.
 */
#ifndef UVD_HOLD_H
#define UVD_HOLD_H

#include "uvd.h"

/* Brings what is held to what is claimed. */
void hold_sync(struct uvd *uvd);

/* Is this device held already? Then the host does not use it. */
bool hold_has(struct uvd *uvd, const char *resource);

/* Lets go of all. */
void hold_release(struct uvd *uvd);

#endif

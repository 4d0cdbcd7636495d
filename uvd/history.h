/* SPDX-License-Identifier: Apache-2.0 */
/* What rows said, and whose they were: versions that triggers write in the same commit. */
#ifndef UVD_HISTORY_H
#define UVD_HISTORY_H

#include "message.h"
#include "uvd.h"

/* Adds the versions that a query asks for: 1 if there are more, 0, or -errno. */
int history_rows(struct uvd *uvd, const struct command_query *query, uint32_t limit,
		 struct reply *reply);

#endif

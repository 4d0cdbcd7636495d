/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A standing copy of the rows that placement goes by, for there are megabytes of them: before each
 * use uvd is asked which partitions have changed, and only their rows are read anew. What the
 * module counts (time, exits) is as old in it as the partition's last change.
 */
#ifndef CMDPARTD_MIRROR_H
#define CMDPARTD_MIRROR_H

#include "rows.h"

struct mirror;

int mirror_open(struct mirror **out, struct uvdlink *link);
void mirror_close(struct mirror *m);

/*
 * Gives done all rows of PLACEMENT_ROWS, as uvd has them when this is called or later; or NULL and
 * the error, as rows_get does. They are the caller's.
 */
int mirror_get(struct mirror *m, rows_done *done, void *data);

/* Another uvd is there: what it says has changed is not what has changed since the last time. */
void mirror_forget(struct mirror *m);

#endif

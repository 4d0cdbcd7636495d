/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At start: brings the kernel, the host's network and the processes to what the rows say, whatever
 * the instance before was doing when it ended.
 */
#ifndef UVD_RECONCILE_H
#define UVD_RECONCILE_H

#include "supervisor.h"
#include "uvd.h"

/*
 * Objects without rows are destroyed, committed ones published; taps and the bridge without
 * claims are removed; the command channel is made if there is none. Hooks may be called.
 */
int reconcile_kernel(struct uvd *uvd);

/* Running partitions are adopted; those that never ran are started again; the rest released. */
int reconcile_partitions(struct uvd *uvd, struct supervisor *s);

#endif

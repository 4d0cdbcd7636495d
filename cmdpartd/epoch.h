/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest epoch that a leading opsd has shown to this host, durably: an opsd that leads no
 * longer, but does not know it yet, is refused by it, also after a restart of this host.
 */
#ifndef CMDPARTD_EPOCH_H
#define CMDPARTD_EPOCH_H

#include <limits.h>
#include <stdint.h>

#include <common/error.h>

struct epoch {
	char path[PATH_MAX];
	uint64_t highest;	/* 0: none was shown yet */
};

/* Reads directory/epoch.json; none yet is 0. */
int epoch_open(struct epoch *epoch, const char *directory, struct error *e);

/*
 * Whether a request with this epoch (0: without one) may act. A higher one is recorded before
 * this returns. 0, or -1 and *e (EXIT_CONFLICT: from a former leader).
 */
int epoch_check(struct epoch *epoch, uint64_t shown, struct error *e);

#endif

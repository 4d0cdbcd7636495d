/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one of the waiting calls spends its time: it looks again and again while that pays, gives the
 * processor away if the peer needs this very one, and then sleeps.
 */
#ifndef LIBCHANNEL_PATIENCE_H
#define LIBCHANNEL_PATIENCE_H

#include <libchannel/channel.h>

#include "ring.h"

struct patience {
	struct channel *channel;
	int wait_fd, sleep_fd;		/* sleep_fd: -1 before the first sleep */
	struct ring_control *own;
	const struct ring_control *peer;
	unsigned int fruitless, spin_after;	/* waits: between spins now, until the next */
	int64_t usual;			/* what one took, on average */

	/* Of the wait now. */
	int64_t spin_until, deadline;	/* 0: does not spin; -1: no deadline */
	int64_t began;			/* 0: it has ended */
	unsigned int turns;
	bool together;			/* the peer waited on this processor last */
};

void patience_open(struct patience *t, struct channel *c, int wait_fd);
void patience_close(struct patience *t);

void patience_start(struct patience *t, int timeout_ms);

/* True: look again. */
bool patience_spin(struct patience *t);

/* What was waited for is there. An event loop's wait may end long behind its spin. */
void patience_end(struct patience *t);

/* Sleeps until the doorbell, the end of the channel (-ECONNRESET) or the deadline (-ETIMEDOUT). */
int patience_sleep(struct patience *t);

#endif

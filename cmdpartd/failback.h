/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fail-back: a device that its first I/O partition lost goes back to it by itself, once that one
 * has stood by again for as long as the policy says (io.fail_back_s). One device at a time, from a
 * living server, by a transaction of cmdpartd's own.
 *
 * A server that loses a device again within ten minutes of such a move has to stand by for twice
 * as long the next time, an hour at most. What an operator has moved (io failover) stays until the
 * process that it was moved from is gone, or cmdpartd is started anew: this is kept in memory
 * alone, as nothing that a guest needs depends on it.
 */
#ifndef CMDPARTD_FAILBACK_H
#define CMDPARTD_FAILBACK_H

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "operation.h"
#include "rows.h"

#define FAILBACK_SERVERS	16u
#define FAILBACK_TRUST_NS	(600ull * 1000000000)	/* after which a move has been good */
#define FAILBACK_WAIT_MAX_NS	(3600ull * 1000000000)

/* A device that is, or was until lately, not served by its first server. */
struct failback_case {
	SLIST_ENTRY(failback_case) entry;
	uint8_t channel[16], preferred[16];
	uint64_t epoch;			/* when it was last looked at */
	uint64_t since;			/* its first server stands by, as far as was seen; 0: no */
	uint64_t moved;			/* back to that server; 0: not */
	int32_t pid;			/* of its first server; 0: none was seen yet */
	bool held;			/* an operator wants it so while that process lives */
	bool there;			/* in this look */
};

struct failback_server {
	uint8_t uuid[16];
	uint64_t failed;		/* when it lost what was moved back to it */
	unsigned int doublings;		/* of the time that it has to stand by */
};

struct failback {
	SLIST_HEAD(, failback_case) cases;
	struct failback_server server[FAILBACK_SERVERS];
	unsigned int servers;
	sd_event_source *timer;
	bool busy;			/* a question or a move is under way */
	uint8_t moving[16];		/* the channel */
	char partition[COMMAND_NAME_LEN], device[COMMAND_DEVICE_LEN], to[COMMAND_NAME_LEN];
};

struct service;

/* Begins to look, if the policy wants it; may be called again. */
void failback_run(struct service *service);
void failback_close(struct failback *f);

/* An operator's failover is done, decided on these rows. */
void failback_hold(struct failback *f, const struct rows *rows, const struct operation *op);

/*
 * One look at channels, at a time in ns: the one that is to be moved back now to its slot 0, or
 * NULL. wait: io.fail_back_s, in ns; *stood: for how long its first server has stood by.
 */
const struct command_row_channel *failback_look(struct failback *f, const struct rows *rows,
						uint64_t now, uint64_t wait, uint64_t *stood);
/* That one is being moved; and it was not, as somebody else was faster. */
void failback_moved(struct failback *f, const uint8_t channel[16], uint64_t now);
void failback_not_moved(struct failback *f, const uint8_t channel[16]);

#endif

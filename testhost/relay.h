/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: threads that move the command's standard streams between pipes and this machine.
 *
 * The command gets pipes, as from any shell, because it may open /dev/stdout again, truncate it
 * or ask what it is; a file of the share or a port would answer all of these strangely.
 */
#ifndef TESTHOST_RELAY_H
#define TESTHOST_RELAY_H

#include <pthread.h>

struct relay {
	pthread_t thread;
	int from, to;
};

/* Copy @from to @to until the end of @from, then close both. They are the relay's from now on. */
int relay_start(struct relay *relay, int from, int to);

/* Wait until everything that was written has arrived; all writers must have ended. */
void relay_finish(struct relay *relay);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence of a backing file: an exclusive flock on the open file description through which
 * alone this server submits. The kernel drops the old server's lock together with the last
 * request on its description, so whoever holds the lock knows that nothing older is on its way.
 *
 * The lock is tried without blocking, and again after 1, 2, 4 … 32 ms while it is not free: there
 * is no timer when nothing waits.
 */
#ifndef IOPARTD_FENCE_H
#define IOPARTD_FENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct fence {
	int fd;
	bool held;
	const char *what;		/* for the log: whose backing; must outlive the fence */
	uint64_t since, delay, waited;	/* microseconds */
	bool told;
	sd_event_source *timer;
	void (*taken)(void *argument);
	void *argument;
};

/*
 * Calls taken(argument) once the fence is held, possibly before it returns. fd stays the
 * caller's. 0 or -errno: then the file cannot be locked at all.
 */
int fence_take(struct fence *f, sd_event *event, int fd, const char *what,
	       void (*taken)(void *argument), void *argument);

/* Microseconds until it was held; 0 also if none was wanted. */
uint64_t fence_waited(const struct fence *f);

/* Stops waiting; what is held goes with the file description. */
void fence_stop(struct fence *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the old server's last request, by its lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include <common/log.h>

#include "fence.h"

#define FIRST_DELAY	1000u		/* microseconds */
#define LAST_DELAY	32000u
#define PATIENCE	1000000u	/* then the log says who is waited for */

static uint64_t now(sd_event *event)
{
	uint64_t t = 0;

	sd_event_now(event, CLOCK_MONOTONIC, &t);
	return t;
}

static int try_lock(struct fence *f)
{
	int r;

	do
		r = flock(f->fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	f->held = true;
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct fence *f = userdata;
	int rc = try_lock(f);

	(void)usec;
	if (!rc) {
		f->waited = now(sd_event_source_get_event(s)) - f->since;
		if (f->told)
			log_notice("%s: the old server's last request is over", f->what);
		f->taken(f->argument);
		return 0;
	}
	if (!f->told && now(sd_event_source_get_event(s)) - f->since > PATIENCE) {
		f->told = true;
		log_warning("%s: waits for the old server's last request (%s); the guest waits too",
			    f->what, strerror(-rc));
	}
	if (f->delay < LAST_DELAY)
		f->delay *= 2;
	sd_event_source_set_time_relative(s, f->delay);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

int fence_take(struct fence *f, sd_event *event, int fd, const char *what,
	       void (*taken)(void *argument), void *argument)
{
	int rc;

	*f = (struct fence){
		.fd = fd, .what = what, .since = now(event), .delay = FIRST_DELAY,
		.taken = taken, .argument = argument,
	};
	rc = try_lock(f);
	if (!rc) {
		taken(argument);
		return 0;
	}
	if (rc != -EWOULDBLOCK)
		return rc;
	return sd_event_add_time_relative(event, &f->timer, CLOCK_MONOTONIC, f->delay, 100,
					  on_timer, f);
}

uint64_t fence_waited(const struct fence *f)
{
	return f->waited;
}

void fence_stop(struct fence *f)
{
	f->timer = sd_event_source_disable_unref(f->timer);
}

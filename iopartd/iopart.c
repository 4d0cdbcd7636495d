/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The completion side of the event loop, for all devices together.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "iopart.h"

#define REAP_MOST	256u	/* completions a turn; other sources get theirs in between */
#define DRAIN_STEPS	20u	/* at the end, together two seconds */
#define DRAIN_MS	100u
#define LIFE_USEC	(IO_ANSWER_NS / 1000 / 5)

int iopart_init(struct iopart *io, size_t pool_bytes)
{
	int rc;

	memset(io, 0, sizeof(*io));
	rc = pool_init(&io->pool, pool_bytes);
	if (rc)
		return rc;
	io->linger.longest_ns = LINGER_LONGEST_NS;
	rc = uring_init(&io->uring, &io->pool);
	if (rc)
		pool_uninit(&io->pool);
	return rc;
}

static int on_completions(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	(void)s;
	(void)fd;
	(void)revents;
	iopart_flush(userdata);
	return 0;
}

static int on_again(sd_event_source *s, uint64_t usec, void *userdata)
{
	(void)s;
	(void)usec;
	iopart_flush(userdata);
	return 0;
}

/*
 * The pool's memory, once nothing was under way for a whole turn of the clock. true: it is, or
 * cannot be, given back, and the clock may stop.
 */
static bool give_back(struct iopart *io)
{
	if (!io->pool_used && !io->pool.touched)
		return true;
	if (io->pool.touched || !pool_idle(&io->pool) || io->uring.under_way) {
		io->pool_used = true;
		io->pool.touched = false;
		return false;
	}
	io->pool_used = false;
	if (uring_release(&io->uring))
		pool_release(&io->pool);
	return true;
}

static int on_life(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct iopart *io = userdata;
	struct device *d;
	bool any = false;

	(void)s;
	(void)usec;
	for (d = io->devices; d; d = d->next)
		any |= device_live(d);
	if (any || !give_back(io))
		iopart_watch(io);
	return 0;
}

void iopart_watch(struct iopart *io)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(io->life, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(io->life, LIFE_USEC);
	sd_event_source_set_enabled(io->life, SD_EVENT_ONESHOT);
}

int iopart_attach(struct iopart *io, sd_event *event)
{
	int rc;

	io->event = event;
	rc = sd_event_add_io(event, &io->completions, uring_fd(&io->uring), EPOLLIN, on_completions,
			     io);
	if (rc < 0)
		return rc;
	rc = sd_event_add_time(event, &io->again, CLOCK_MONOTONIC, 0, 1000, on_again, io);
	if (rc < 0)
		return rc;
	rc = sd_event_add_time(event, &io->life, CLOCK_MONOTONIC, 0, 100000, on_life, io);
	if (rc < 0)
		return rc;
	sd_event_source_set_enabled(io->life, SD_EVENT_OFF);
	sd_event_source_set_enabled(io->again, SD_EVENT_OFF);
	return linger_attach(io);
}

void iopart_uninit(struct iopart *io)
{
	unsigned int i;

	/* What is over in time need not be replayed by the next server. Nothing new begins. */
	io->ending = true;
	for (i = 0; i < DRAIN_STEPS && io->uring.under_way; i++) {
		uring_wait(&io->uring, DRAIN_MS);
		iopart_flush(io);
	}
	/* The ring first: after its end no operation points into a device or a buffer. */
	io->completions = sd_event_source_disable_unref(io->completions);
	io->again = sd_event_source_disable_unref(io->again);
	io->life = sd_event_source_disable_unref(io->life);
	linger_detach(io);
	uring_uninit(&io->uring);
	while (io->devices)
		device_free(io->devices);
	pool_uninit(&io->pool);
}

static void publish_touched(struct iopart *io)
{
	struct device *d;

	while (io->touched) {
		d = io->touched;
		io->touched = d->next_touched;
		d->touched = false;
		d->type->completed(d);
		device_answer(d);
	}
}

static void wake_starved(struct iopart *io)
{
	struct device *d;

	for (d = io->devices; d; d = d->next) {
		if (!d->starved)
			continue;
		d->starved = false;
		device_schedule(d);
	}
}

void iopart_flush(struct iopart *io)
{
	uring_submit(&io->uring);
	/* What the page cache had is over already; the guest need not wait for another turn. */
	if (uring_reap(&io->uring, REAP_MOST) || io->progress) {
		io->progress = false;
		wake_starved(io);
		uring_submit(&io->uring);	/* the rest of short operations */
	}
	publish_touched(io);
	if (!uring_pending(&io->uring))
		return;
	sd_event_source_set_time_relative(io->again, 10000);
	sd_event_source_set_enabled(io->again, SD_EVENT_ONESHOT);
}

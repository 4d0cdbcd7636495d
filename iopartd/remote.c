/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NBD by libnbd's state machine, in the event loop. Its callbacks may not call it back: what is
 * over is put on a list there, and completed when libnbd has returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>
#include <libnbd.h>

#include <common/log.h>

#include "backing.h"
#include "device.h"
#include "handover.h"
#include "remote.h"

#define ASK_USEC	3000000u	/* uvd, while there is no connection */

struct call {
	STAILQ_ENTRY(call) entry;
	struct remote *remote;
	struct operation *operation;
	enum remote_what what;
	void *buffer;
	uint32_t n;
	uint64_t offset;
	bool flag;
	int error;
};

STAILQ_HEAD(calls, call);

struct remote {
	struct device *device;
	void (*ready)(struct device *d);
	struct nbd_handle *nbd;		/* NULL: no connection */
	bool is_ready;
	uint64_t sectors;
	struct calls waiting, over;
	sd_event_source *io, *ask;
};

static int on_ask(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct remote *r = userdata;

	(void)usec;
	handover_ask_again(r->device->iopart->handover);
	sd_event_source_set_time_relative(s, ASK_USEC);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

int remote_open(struct remote **out, struct device *d, void (*ready)(struct device *d))
{
	struct remote *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	r->device = d;
	r->ready = ready;
	STAILQ_INIT(&r->waiting);
	STAILQ_INIT(&r->over);
	rc = sd_event_add_time(d->iopart->event, &r->ask, CLOCK_MONOTONIC, 0, 10000, on_ask, r);
	if (rc < 0) {
		free(r);
		return rc;
	}
	sd_event_source_set_enabled(r->ask, SD_EVENT_OFF);
	*out = r;
	return 0;
}

static void drop(struct remote *r)
{
	r->io = sd_event_source_disable_unref(r->io);
	if (r->nbd)
		nbd_close(r->nbd);
	r->nbd = NULL;
	r->is_ready = false;
}

void remote_want(struct remote *r)
{
	r->device->asks = true;
	sd_event_source_set_time_relative(r->ask, ASK_USEC);
	sd_event_source_set_enabled(r->ask, SD_EVENT_ONESHOT);
}

static void want_no_more(struct remote *r)
{
	r->device->asks = false;
	sd_event_source_set_enabled(r->ask, SD_EVENT_OFF);
}

uint64_t remote_sectors(const struct remote *r)
{
	return r->sectors;
}

/* ---- operations */

static int on_over(void *userdata, int *error)
{
	struct call *c = userdata;

	c->error = *error;
	STAILQ_INSERT_TAIL(&c->remote->over, c, entry);
	return 1;
}

static int64_t send_call(struct remote *r, struct call *c)
{
	const nbd_completion_callback done = { .callback = on_over, .user_data = c };
	struct nbd_handle *h = r->nbd;

	switch (c->what) {
	case REMOTE_READ:
		return nbd_aio_pread(h, c->buffer, c->n, c->offset, done, 0);
	case REMOTE_WRITE:
		return nbd_aio_pwrite(h, c->buffer, c->n, c->offset, done,
				      c->flag ? LIBNBD_CMD_FLAG_FUA : 0);
	case REMOTE_FLUSH:
		return nbd_aio_flush(h, done, 0);
	case REMOTE_DISCARD:
		return nbd_aio_trim(h, c->n, c->offset, done, 0);
	case REMOTE_ZERO:
		return nbd_aio_zero(h, c->n, c->offset, done,
				    c->flag ? LIBNBD_CMD_FLAG_NO_HOLE : 0);
	}
	return -1;
}

/* What the server cannot do. It is asked each time: another one may have taken its place. */
static bool can(struct remote *r, const struct call *c)
{
	switch (c->what) {
	case REMOTE_WRITE:
		return !c->flag || nbd_can_fua(r->nbd) > 0;
	case REMOTE_FLUSH:
		return nbd_can_flush(r->nbd) > 0;
	case REMOTE_DISCARD:
		return nbd_can_trim(r->nbd) > 0;
	case REMOTE_ZERO:
		return nbd_can_zero(r->nbd) > 0;
	default:
		return true;
	}
}

static void send_waiting(struct remote *r)
{
	struct call *c;

	while (r->is_ready && (c = STAILQ_FIRST(&r->waiting))) {
		if (!can(r, c)) {
			STAILQ_REMOVE_HEAD(&r->waiting, entry);
			c->error = c->what == REMOTE_FLUSH ? 0 : EOPNOTSUPP;
			STAILQ_INSERT_TAIL(&r->over, c, entry);
			continue;
		}
		STAILQ_REMOVE_HEAD(&r->waiting, entry);
		if (send_call(r, c) >= 0)
			continue;
		/* Dead, then it is sent by the next connection; or refused by libnbd itself. */
		c->error = nbd_aio_is_ready(r->nbd) || nbd_aio_is_processing(r->nbd) ?
			   nbd_get_errno() : ENOTCONN;
		STAILQ_INSERT_TAIL(&r->over, c, entry);
		break;
	}
}

static int result_of(const struct call *c)
{
	if (c->error)
		return c->error == ENOTSUP ? -EOPNOTSUPP : -c->error;
	return c->what == REMOTE_READ || c->what == REMOTE_WRITE ? (int)c->n : 0;
}

/* The guest waits while there is no connection; a device that is lost does not. */
static bool comes_again(const struct call *c)
{
	return (c->error == ENOTCONN || c->error == ESHUTDOWN) &&
	       c->remote->device->state != DEVICE_LOST;
}

static void complete(struct remote *r)
{
	struct device *d = r->device;
	bool any = !STAILQ_EMPTY(&r->over);
	struct calls again;
	struct call *c;

	STAILQ_INIT(&again);
	while ((c = STAILQ_FIRST(&r->over))) {
		STAILQ_REMOVE_HEAD(&r->over, entry);
		if (comes_again(c)) {
			STAILQ_INSERT_TAIL(&again, c, entry);
			continue;
		}
		c->operation->complete(c->operation, result_of(c));
		free(c);
	}
	STAILQ_CONCAT(&again, &r->waiting);
	STAILQ_CONCAT(&r->waiting, &again);
	if (any) {
		d->iopart->progress = true;
		iopart_flush(d->iopart);
	}
}

/* ---- the connection */

static void look(struct remote *r);

static int on_io(sd_event_source *s, int fd, uint32_t events, void *userdata)
{
	struct remote *r = userdata;
	unsigned int direction = nbd_aio_get_direction(r->nbd);

	(void)s;
	(void)fd;
	if (direction & LIBNBD_AIO_DIRECTION_READ && events & ~EPOLLOUT)
		nbd_aio_notify_read(r->nbd);
	else if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(r->nbd);
	look(r);
	return 0;
}

static void begin(struct remote *r)
{
	struct device *d = r->device;
	int64_t bytes = nbd_get_size(r->nbd);

	if (bytes < 0 || (nbd_is_read_only(r->nbd) && !d->id.readonly)) {
		device_log(d, LOG_ERR, "its NBD server does not let it be written");
		drop(r);
		remote_want(r);
		return;
	}
	r->is_ready = true;
	r->sectors = bytes / BACKING_SECTOR;
	want_no_more(r);
	device_log(d, LOG_INFO, "is connected to its NBD server");
	r->ready(d);
}

static void check_death(struct remote *r)
{
	if (!r->nbd || !(nbd_aio_is_dead(r->nbd) || nbd_aio_is_closed(r->nbd)))
		return;
	device_log(r->device, LOG_WARNING, "its NBD server is gone (%s); the guest waits",
		   nbd_get_error() ? nbd_get_error() : "no reason");
	drop(r);
	remote_want(r);
}

/* After anything that may have changed libnbd's state. */
static void look(struct remote *r)
{
	unsigned int direction;

	check_death(r);
	if (r->nbd && !r->is_ready && nbd_aio_is_ready(r->nbd))
		begin(r);
	send_waiting(r);
	/* It may have died of that: then its socket is closed already, and says nothing more. */
	check_death(r);
	if (r->nbd) {
		direction = nbd_aio_get_direction(r->nbd);
		sd_event_source_set_io_events(r->io,
			(direction & LIBNBD_AIO_DIRECTION_READ ? EPOLLIN : 0) |
			(direction & LIBNBD_AIO_DIRECTION_WRITE ? EPOLLOUT : 0));
	}
	complete(r);
}

void remote_connect(struct remote *r, int fd)
{
	struct device *d = r->device;

	if (r->nbd) {
		close(fd);
		return;
	}
	r->nbd = nbd_create();
	if (!r->nbd || nbd_set_request_structured_replies(r->nbd, false) < 0 ||
	    nbd_set_pread_initialize(r->nbd, false) < 0) {
		close(fd);
		goto fail;
	}
	/* Takes over fd, whatever comes of it. */
	if (nbd_aio_connect_socket(r->nbd, fd) < 0 ||
	    sd_event_add_io(d->iopart->event, &r->io, nbd_aio_get_fd(r->nbd), EPOLLIN, on_io,
			    r) < 0)
		goto fail;
	look(r);
	return;

fail:
	device_log(d, LOG_ERR, "cannot speak with its NBD server: %s",
		   nbd_get_error() ? nbd_get_error() : "no memory");
	drop(r);
	remote_want(r);
}

void remote_release(struct remote *r)
{
	struct call *c;

	want_no_more(r);
	/* The process's end is the end of everything that waits. */
	if (r->device->iopart->ending)
		return;
	while ((c = STAILQ_FIRST(&r->waiting))) {
		STAILQ_REMOVE_HEAD(&r->waiting, entry);
		c->error = EIO;
		STAILQ_INSERT_TAIL(&r->over, c, entry);
	}
	if (!r->device->busy)
		drop(r);
	complete(r);
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	drop(r);
	r->ask = sd_event_source_disable_unref(r->ask);
	free(r);
}

void remote_start(struct remote *r, struct operation *o, enum remote_what what, void *buffer,
		  uint32_t n, uint64_t offset, bool durable_or_keep)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c) {
		o->complete(o, -ENOMEM);
		return;
	}
	*c = (struct call){
		.remote = r, .operation = o, .what = what, .buffer = buffer, .n = n,
		.offset = offset, .flag = durable_or_keep,
	};
	STAILQ_INSERT_TAIL(&r->waiting, c, entry);
	if (r->io)
		sd_event_source_set_io_events(r->io, EPOLLIN | EPOLLOUT);
}

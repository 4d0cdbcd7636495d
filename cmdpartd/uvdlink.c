/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One list of requests without an answer, in order of arrival. Each knows under which epoch of the
 * channel's server it was sent (0: not yet); whenever the epoch changes, the list is sent again.
 * uvd may have taken a request and died before it answered, or answered and died before the
 * answer was published: both end here, and the request id makes the repetition harmless.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <libchannel/packet.h>
#include <ultravisor/handover.h>
#include <ultravisor/io.h>

#include "uvdlink.h"

#define RETRY_MS	100	/* between attempts to reach uvd, and to send into a full ring */
#define TICK_MS		250	/* how exactly a timeout is kept */
#define BATCH		64	/* answers taken before the loop runs again */

struct request {
	TAILQ_ENTRY(request) entry;
	struct message message;
	uint64_t epoch;		/* under which it was sent; 0: not since it came or uvd went */
	bool left;		/* it was sent at least once */
	uint64_t deadline_ms;
	uvdlink_done *done;
	void *data;
};
TAILQ_HEAD(requests, request);

struct uvdlink {
	sd_event *event;
	char *path;
	int fd;			/* of uvd's socket; -1 */
	sd_event_source *socket_io, *retry, *flush, *tick, *wait_io, *status_io;
	struct channel *channel;
	struct packet_ring *ring;
	uint64_t channel_id, epoch;
	bool offered;		/* the channel was handed over since the last connect */
	bool serving;
	struct requests requests;
	unsigned int count, timeout_ms;
	uvdlink_ready *ready;
	void *data;
	uint64_t reply[COMMAND_MAX_LENGTH / sizeof(uint64_t)];
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void arm(sd_event_source *source, unsigned int ms)
{
	if (sd_event_source_get_enabled(source, NULL) > 0)
		return;
	sd_event_source_set_time_relative(source, ms * 1000ull);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- requests -------------------------------------------------------------------- */

static void finish(struct uvdlink *link, struct request *q, enum exit_code code,
		   const struct command_header *reply)
{
	TAILQ_REMOVE(&link->requests, q, entry);
	link->count--;
	q->done(code, reply, q->data);
	message_free(&q->message);
	free(q);
}

static void detach(struct uvdlink *link)
{
	struct request *q;

	link->wait_io = sd_event_source_disable_unref(link->wait_io);
	link->status_io = sd_event_source_disable_unref(link->status_io);
	packet_close(link->ring);
	link->ring = NULL;
	channel_close(link->channel);
	link->channel = NULL;
	link->serving = false;
	link->epoch = 0;
	/* Epochs of another channel count anew. */
	TAILQ_FOREACH(q, &link->requests, entry)
		q->epoch = 0;
}

static void disconnect(struct uvdlink *link, const char *why)
{
	if (link->fd >= 0) {
		log_notice("uvd's socket: %s", why);
		link->socket_io = sd_event_source_disable_unref(link->socket_io);
		close(link->fd);
		link->fd = -1;
	}
	if (link->path)
		arm(link->retry, RETRY_MS);
}

/* The memory itself is gone or spoilt: only a new hand-over helps. */
static void lose(struct uvdlink *link, const char *why)
{
	log_warning("command channel lost: %s", why);
	detach(link);
	disconnect(link, "asking for the channel anew");
}

static void send_waiting(struct uvdlink *link)
{
	struct request *q;

	TAILQ_FOREACH(q, &link->requests, entry) {
		int rc;

		if (!link->ring || !link->serving)
			return;
		if (q->epoch == link->epoch)
			continue;
		rc = packet_send(link->ring, q->message.bytes, q->message.length);
		if (rc == -EAGAIN) {
			arm(link->retry, RETRY_MS);
			return;
		}
		if (rc < 0) {
			lose(link, strerror(-rc));
			return;
		}
		if (q->left)
			log_info("a request without an answer was sent to uvd again");
		q->epoch = link->epoch;
		q->left = true;
	}
}

/* One answer may end several requests: the same id asked twice, at once. */
static void dispatch(struct uvdlink *link, size_t n)
{
	struct command_header *reply = (struct command_header *)link->reply;
	struct requests done = TAILQ_HEAD_INITIALIZER(done);
	struct request *q, *next;
	const char *why;

	if (!reply_check(reply, n, &why)) {
		lose(link, why);
		return;
	}
	for (q = TAILQ_FIRST(&link->requests); q; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (!q->left || memcmp(message_header(&q->message)->request_id, reply->request_id,
				       sizeof(reply->request_id)))
			continue;
		TAILQ_REMOVE(&link->requests, q, entry);
		TAILQ_INSERT_TAIL(&done, q, entry);
	}
	/* Callbacks may send more: the link's own list is whole before the first one runs. */
	while ((q = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, q, entry);
		TAILQ_INSERT_HEAD(&link->requests, q, entry);
		finish(link, q, EXIT_OK, reply);
	}
}

static void receive(struct uvdlink *link)
{
	for (int i = 0; link->ring && i < BATCH; i++) {
		ssize_t n = packet_receive(link->ring, link->reply, sizeof(link->reply));

		if (n == -EAGAIN) {
			if (!packet_prepare_wait(link->ring))
				return;
			continue;
		}
		if (n < 0) {
			lose(link, strerror(-n));
			return;
		}
		dispatch(link, n);
	}
	/* More than a batch is there: come again after the other sources. */
	arm(link->retry, 0);
}

static void look_at_status(struct uvdlink *link)
{
	struct channel_status status;
	int rc;

	if (!link->channel)
		return;
	rc = channel_status(link->channel, &status);
	if (rc < 0) {
		lose(link, strerror(-rc));
		return;
	}
	if (status.serving && (!link->serving || status.epoch != link->epoch)) {
		log_info("uvd serves the command channel, epoch %llu",
			 (unsigned long long)status.epoch);
		link->serving = true;
		link->epoch = status.epoch;
		send_waiting(link);
		link->ready(link->data);
	} else if (!status.serving && link->serving) {
		log_notice("uvd is gone; waiting for it");
		link->serving = false;
	}
}

static int on_wait(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct uvdlink *link = data;

	(void)source, (void)fd, (void)events;
	packet_clear_wait(link->ring);
	receive(link);
	send_waiting(link);
	return 0;
}

static int on_status(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct uvdlink *link = data;

	(void)source, (void)fd;
	if (events & (EPOLLHUP | EPOLLERR)) {
		lose(link, "it was revoked");
		return 0;
	}
	look_at_status(link);
	return 0;
}

/* ---- uvd's socket ---------------------------------------------------------------- */

int uvdlink_attach(struct uvdlink *link, struct channel *channel)
{
	int rc;

	detach(link);
	link->channel = channel;
	rc = packet_open(&link->ring, channel);
	if (rc >= 0)
		rc = sd_event_add_io(link->event, &link->wait_io, packet_wait_fd(link->ring),
				     EPOLLIN, on_wait, link);
	if (rc >= 0)
		rc = sd_event_add_io(link->event, &link->status_io, channel_status_fd(channel),
				     EPOLLIN, on_status, link);
	if (rc < 0) {
		detach(link);
		return rc;
	}
	link->channel_id = channel_id(channel);
	receive(link);
	look_at_status(link);
	return 0;
}

static void take_endpoint(struct uvdlink *link, const struct handover_message *m, int fd)
{
	static const struct channel_geometry expected = {
		.type = CHANNEL_COMMAND,
		.layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE,
		.server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
	};
	struct channel *channel;
	int rc;

	if (m->channel_type != CHANNEL_COMMAND || m->slot != 0xffffffffu) {
		log_warning("uvd handed over a channel of type %u that is none of ours",
			    m->channel_type);
		close(fd);
		return;
	}
	link->offered = true;
	/* The memory outlives uvd: what we have stays attached; this descriptor is one too many. */
	if (link->channel && link->channel_id == m->channel_id) {
		close(fd);
		look_at_status(link);
		return;
	}
	detach(link);
	rc = channel_open(&channel, fd, &expected);
	if (rc < 0) {
		log_errno(LOG_ERR, rc, "command channel %llu cannot be opened",
			  (unsigned long long)m->channel_id);
		close(fd);
		disconnect(link, "asking for the channel anew");
		return;
	}
	rc = uvdlink_attach(link, channel);
	if (rc < 0)
		log_errno(LOG_ERR, rc, "command channel %llu cannot be used",
			  (unsigned long long)m->channel_id);
}

static void handle(struct uvdlink *link, struct handover_message *m, int fd)
{
	m->reason[sizeof(m->reason) - 1] = '\0';
	switch (m->what) {
	case HANDOVER_ENDPOINT:
		if (fd >= 0) {
			take_endpoint(link, m, fd);
			return;
		}
		log_warning("uvd sent an endpoint without its descriptor");
		break;
	case HANDOVER_COMPLETE:
		if (link->channel && !link->offered) {
			log_notice("uvd does not know our command channel any more");
			detach(link);
		}
		break;
	case HANDOVER_WITHDRAW:
		if (link->channel && link->channel_id == m->channel_id) {
			log_notice("uvd withdrew the command channel");
			detach(link);
		}
		break;
	case HANDOVER_REFUSED:
		disconnect(link, m->reason);
		break;
	default:
		log_warning("uvd's socket: unknown message %u", m->what);
	}
	if (fd >= 0)
		close(fd);
}

/* 1: one was read; 0: none now; -1: the connection is over. */
static int read_one(struct uvdlink *link, struct handover_message *m, int *fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n = recvmsg(link->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < got; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*fd < 0)
				*fd = one;
			else
				close(one);
		}
	}
	if (n == sizeof(*m) && m->version == HANDOVER_VERSION)
		return 1;
	if (*fd >= 0)
		close(*fd);
	return -1;
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct uvdlink *link = data;
	struct handover_message m;
	int descriptor, rc;

	(void)source, (void)fd, (void)events;
	for (int i = 0; link->fd >= 0 && i < BATCH; i++) {
		rc = read_one(link, &m, &descriptor);
		if (!rc)
			return 0;
		if (rc < 0) {
			disconnect(link, "it was closed");
			return 0;
		}
		handle(link, &m, descriptor);
	}
	return 0;
}

static void reach(struct uvdlink *link)
{
	struct handover_message hello = { .version = HANDOVER_VERSION, .what = HANDOVER_HELLO,
					  .slot = 0xffffffffu };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (link->fd >= 0 || !link->path)
		return;
	strncpy(address.sun_path, link->path, sizeof(address.sun_path) - 1);
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	link->offered = false;
	if (link->fd >= 0 && !connect(link->fd, (struct sockaddr *)&address, sizeof(address)) &&
	    send(link->fd, &hello, sizeof(hello), MSG_NOSIGNAL) == sizeof(hello) &&
	    sd_event_add_io(link->event, &link->socket_io, link->fd, EPOLLIN, on_socket,
			    link) >= 0)
		return;
	log_debug("%s: %s", link->path, strerror(errno));
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	arm(link->retry, RETRY_MS);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	struct uvdlink *link = data;

	(void)source, (void)usec;
	reach(link);
	receive(link);
	send_waiting(link);
	return 0;
}

/* Gives up on what has waited too long; it stays unknown whether uvd has done what was sent. */
static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	struct uvdlink *link = data;
	uint64_t now = now_ms();
	struct request *q;

	(void)usec;
	while ((q = TAILQ_FIRST(&link->requests)) && q->deadline_ms <= now)
		finish(link, q, q->left ? EXIT_UNKNOWN : EXIT_UNREACHABLE, NULL);
	/* A waiting request is also a reason to look: an event may have been lost with uvd. */
	if (link->count && link->channel)
		look_at_status(link);
	if (link->count) {
		sd_event_source_set_time_relative(source, TICK_MS * 1000ull);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	return 0;
}

static int on_flush(sd_event_source *source, void *data)
{
	(void)source;
	send_waiting(data);
	return 0;
}

/* ---- the link -------------------------------------------------------------------- */

int uvdlink_open(struct uvdlink **out, sd_event *event, const char *path, uvdlink_ready *ready,
		 void *data)
{
	struct uvdlink *link = calloc(1, sizeof(*link));
	int rc;

	if (!link)
		return -ENOMEM;
	TAILQ_INIT(&link->requests);
	link->event = sd_event_ref(event);
	link->fd = -1;
	link->timeout_ms = UVDLINK_TIMEOUT_MS;
	link->ready = ready;
	link->data = data;
	link->path = path ? strdup(path) : NULL;
	rc = sd_event_add_time_relative(event, &link->retry, CLOCK_MONOTONIC, 0, 1000, on_retry,
					link);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &link->tick, CLOCK_MONOTONIC, 0, 1000,
						on_tick, link);
	if (rc >= 0)
		rc = sd_event_add_defer(event, &link->flush, on_flush, link);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(link->flush, SD_EVENT_OFF);
	if (rc < 0 || (path && !link->path)) {
		uvdlink_close(link);
		return rc < 0 ? rc : -ENOMEM;
	}
	*out = link;
	return 0;
}

void uvdlink_close(struct uvdlink *link)
{
	struct request *q;

	if (!link)
		return;
	while ((q = TAILQ_FIRST(&link->requests)))
		finish(link, q, q->left ? EXIT_UNKNOWN : EXIT_UNREACHABLE, NULL);
	detach(link);
	sd_event_source_disable_unref(link->socket_io);
	sd_event_source_disable_unref(link->retry);
	sd_event_source_disable_unref(link->flush);
	sd_event_source_disable_unref(link->tick);
	if (link->fd >= 0)
		close(link->fd);
	sd_event_unref(link->event);
	free(link->path);
	free(link);
}

int uvdlink_send(struct uvdlink *link, struct message *m, uvdlink_done *done, void *data)
{
	struct request *q = calloc(1, sizeof(*q));

	if (!q || m->failed) {
		free(q);
		message_free(m);
		return m->failed ? -E2BIG : -ENOMEM;
	}
	q->message = *m;
	memset(m, 0, sizeof(*m));
	q->done = done;
	q->data = data;
	q->deadline_ms = now_ms() + link->timeout_ms;
	TAILQ_INSERT_TAIL(&link->requests, q, entry);
	link->count++;
	arm(link->tick, TICK_MS);
	/* All that one round of the loop asks leaves together. */
	sd_event_source_set_enabled(link->flush, SD_EVENT_ONESHOT);
	return 0;
}

bool uvdlink_up(const struct uvdlink *link)
{
	return link->ring && link->serving;
}

unsigned int uvdlink_pending(const struct uvdlink *link)
{
	return link->count;
}

void uvdlink_set_timeout(struct uvdlink *link, unsigned int ms)
{
	link->timeout_ms = ms;
}

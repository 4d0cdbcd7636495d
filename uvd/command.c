/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests are taken from the ring in batches that share one commit; replies go back in order. A
 * client that does not take its replies is not served on: one reply waits, then requests do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <common/log.h>
#include <libchannel/packet.h>
#include <ultravisor/io.h>

#include "batch.h"
#include "command.h"
#include "internal.h"
#include "lease.h"
#include "news.h"
#include "query.h"

#define TURN 64		/* requests taken before other sources get their turn */
#define LISTENERS 64	/* the next one is answered at once */

struct waiting {
	struct waiting *next;
	size_t n;
	uint8_t bytes[];
};

/* A question for events that have not happened yet: its header and its one record. */
struct listener {
	struct listener *next;
	struct command *command;
	sd_event_source *patience;
	uint64_t message[(sizeof(struct command_header) + sizeof(struct command_query_events)) / 8];
};

struct command {
	struct uvd *uvd;
	sd_event *event;
	struct channel *channel;
	struct packet_ring *ring;
	struct batch *batch;
	struct reply *reply;
	uint64_t *message;		/* COMMAND_MAX_LENGTH, aligned */
	struct waiting *waiting, **waiting_end;
	struct listener *listeners;
	unsigned int n_listeners;
	sd_event_source *wake, *turn, *status, *retry, *news;
};

/* A full ring is the client's: it has not taken its replies. It is looked at again soon. */
#define RETRY_US 10000

static int attach(struct command *c, struct channel *channel);

static void forget_replies(struct command *c)
{
	struct waiting *w;

	while ((w = c->waiting)) {
		c->waiting = w->next;
		free(w);
	}
	c->waiting_end = &c->waiting;
}

static void listener_free(struct listener **at)
{
	struct listener *l = *at;

	*at = l->next;
	l->command->n_listeners--;
	sd_event_source_disable_unref(l->patience);
	free(l);
}

static void detach(struct command *c)
{
	while (c->listeners)
		listener_free(&c->listeners);
	c->wake = sd_event_source_disable_unref(c->wake);
	c->status = sd_event_source_disable_unref(c->status);
	packet_close(c->ring);
	channel_close(c->channel);
	c->ring = NULL;
	c->channel = NULL;
	forget_replies(c);
}

/*
 * Its client broke the protocol, or it was revoked: this memory is of no more use. The client
 * gets a new channel, and asks again for what it has no reply to.
 */
static void renew(struct command *c, int rc)
{
	struct internal_host record = {
		.r = { .type = INTERNAL_COMMAND_CHANNEL, .length = sizeof(record) },
	};
	struct channel *channel;

	log_errno(LOG_ERR, rc, "the command channel is lost; a new one is made");
	detach(c);
	rc = transaction_own(c->uvd, "the old one was lost", &record, sizeof(record), 1);
	if (rc == 0)
		rc = command_open_channel(c->uvd, &channel);
	if (rc == 0)
		rc = attach(c, channel);
	if (rc < 0) {
		log_errno(LOG_ERR, rc, "there is no command channel");
		sd_event_exit(c->event, -rc);
	}
}

static void flush(struct command *c)
{
	struct waiting *w;
	int rc;

	while ((w = c->waiting)) {
		rc = packet_send(c->ring, w->bytes, w->n);
		if (rc == -EAGAIN) {
			sd_event_source_set_time_relative(c->retry, RETRY_US);
			sd_event_source_set_enabled(c->retry, SD_EVENT_ONESHOT);
			return;
		}
		if (rc < 0)
			log_errno(LOG_ERR, rc, "a reply is lost");
		c->waiting = w->next;
		if (!c->waiting)
			c->waiting_end = &c->waiting;
		free(w);
	}
}

/* A reply that is lost here is asked for again, by its request id. */
static void send_reply(const void *reply, size_t n, void *data)
{
	struct command *c = data;
	struct waiting *w = malloc(sizeof(*w) + n);

	if (!w) {
		log_error("out of memory for a reply");
		return;
	}
	w->next = NULL;
	w->n = n;
	memcpy(w->bytes, reply, n);
	*c->waiting_end = w;
	c->waiting_end = &w->next;
	flush(c);
}

/* ---- questions for events */

/* True: it was answered, and is none any more. */
static bool tell(struct command *c, struct listener **at, bool wait)
{
	if (!news_answer(c->uvd->news, (const void *)(*at)->message, wait, c->reply))
		return false;
	listener_free(at);
	send_reply(c->reply->bytes, c->reply->length, c);
	return true;
}

static int on_news(sd_event_source *source, void *data)
{
	struct command *c = data;
	struct listener **at = &c->listeners;

	(void)source;
	while (*at)
		if (!tell(c, at, true))
			at = &(*at)->next;
	return 0;
}

static void on_change(void *data)
{
	struct command *c = data;

	if (c->listeners)
		sd_event_source_set_enabled(c->news, SD_EVENT_ONESHOT);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *data)
{
	struct listener *l = data, **at = &l->command->listeners;

	(void)source;
	(void)usec;
	while (*at != l)
		at = &(*at)->next;
	tell(l->command, at, false);
	return 0;
}

static void listen_to(struct command *c, size_t n)
{
	const struct command_query_events *q = (const void *)message_record(c->message, 0);
	uint32_t ms = q->wait_ms < COMMAND_EVENTS_WAIT_MS ? q->wait_ms : COMMAND_EVENTS_WAIT_MS;
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		log_error("out of memory for a question");
		return;
	}
	l->command = c;
	memcpy(l->message, c->message, n);
	l->next = c->listeners;
	c->listeners = l;
	if (++c->n_listeners > LISTENERS ||
	    sd_event_add_time_relative(c->event, &l->patience, CLOCK_MONOTONIC, ms * 1000ULL, 0,
				       on_patience, l) < 0)
		ms = 0;
	tell(c, &c->listeners, ms);
}

static bool asks_for_events(const struct command *c, size_t n)
{
	struct fault f;

	return c->uvd->news && message_check(c->message, n, false, &f) == 0 &&
	       message_record(c->message, 0)->type == COMMAND_QUERY_EVENTS;
}

static void handle(struct command *c, size_t n)
{
	const struct command_header *h = (const struct command_header *)c->message;

	if (n >= sizeof(*h) && h->magic == COMMAND_MAGIC &&
	    (h->kind == COMMAND_QUERY || h->kind == COMMAND_RENEW)) {
		/* It sees what was committed, and its reply keeps its place. */
		batch_commit(c->batch, send_reply, c);
		if (asks_for_events(c, n)) {
			listen_to(c, n);
			return;
		}
		if (h->kind == COMMAND_QUERY)
			query_answer(c->uvd, c->message, n, c->reply);
		else
			lease_answer(c->uvd, c->message, n, c->reply);
		send_reply(c->reply->bytes, c->reply->length, c);
		return;
	}
	if (batch_add(c->batch, c->message, n))
		batch_commit(c->batch, send_reply, c);
}

/* Takes what is there; true: there may be more. */
static bool serve(struct command *c)
{
	unsigned int i;
	ssize_t n;

	for (i = 0; i < TURN && !c->waiting; i++) {
		n = packet_receive(c->ring, c->message, COMMAND_MAX_LENGTH);
		if (n == -EAGAIN && i) {
			/* Who has its answer now often asks on: that saves both of us a sleep. */
			batch_commit(c->batch, send_reply, c);
			if (c->waiting || !c->ring)
				break;
			n = packet_receive_soon(c->ring, c->message, COMMAND_MAX_LENGTH);
		}
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			batch_commit(c->batch, send_reply, c);
			renew(c, n);
			return false;
		}
		handle(c, n);
	}
	batch_commit(c->batch, send_reply, c);
	if (c->waiting || !c->ring)
		return false;
	return i == TURN || packet_prepare_wait(c->ring);
}

static void go_on(struct command *c)
{
	sd_event_source_set_enabled(c->turn, serve(c) ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_turn(sd_event_source *source, void *data)
{
	struct command *c = data;

	(void)source;
	if (c->ring)
		go_on(c);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	struct command *c = data;

	(void)source;
	(void)usec;
	if (!c->ring)
		return 0;
	flush(c);
	if (!c->waiting)
		go_on(c);
	return 0;
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct command *c = data;

	(void)source;
	(void)fd;
	(void)events;
	packet_clear_wait(c->ring);
	flush(c);
	go_on(c);
	return 0;
}

static int on_status(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct command *c = data;
	struct channel_status status;
	int rc;

	(void)source;
	(void)fd;
	rc = events & (EPOLLHUP | EPOLLERR) ? -ECONNRESET : channel_status(c->channel, &status);
	if (rc < 0) {
		renew(c, rc);
		return 0;
	}
	log_debug("the command partition is %s", status.peer_attached ? "attached" : "away");
	/* A new client has rung nothing yet. */
	go_on(c);
	return 0;
}

int command_open_channel(struct uvd *uvd, struct channel **out)
{
	static const struct channel_geometry expected = {
		.type = CHANNEL_COMMAND,
		.layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE,
		.server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
	};
	int64_t id;
	int fd, rc;

	rc = db_value(uvd->db, &id, "SELECT module_id FROM channel WHERE type = 1", "");
	if (rc < 0)
		return rc;
	fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_SERVER, 0);
	if (fd < 0)
		return fd;
	rc = channel_open(out, fd, &expected);
	if (rc < 0)
		close(fd);
	return rc;
}

static int attach(struct command *c, struct channel *channel)
{
	int rc;

	c->channel = channel;
	rc = packet_open(&c->ring, channel);
	if (rc >= 0)
		rc = sd_event_add_io(c->event, &c->wake, packet_wait_fd(c->ring), EPOLLIN, on_wake,
				     c);
	if (rc >= 0 && channel_status_fd(channel) >= 0)
		rc = sd_event_add_io(c->event, &c->status, channel_status_fd(channel), EPOLLIN,
				     on_status, c);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(c->turn, SD_EVENT_ONESHOT);
	if (rc < 0)
		detach(c);
	return rc < 0 ? rc : 0;
}

int command_open(struct command **out, struct uvd *uvd, sd_event *event, struct channel *channel)
{
	struct command *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (!c) {
		channel_close(channel);
		return -ENOMEM;
	}
	c->uvd = uvd;
	c->event = sd_event_ref(event);
	c->waiting_end = &c->waiting;
	c->batch = batch_create(uvd);
	c->reply = malloc(sizeof(*c->reply));
	c->message = malloc(COMMAND_MAX_LENGTH);
	if (c->batch && c->reply && c->message)
		rc = sd_event_add_defer(event, &c->turn, on_turn, c);
	if (rc >= 0)
		rc = sd_event_add_defer(event, &c->news, on_news, c);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(c->news, SD_EVENT_OFF);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &c->retry, CLOCK_MONOTONIC, RETRY_US, 0,
						on_retry, c);
	if (rc >= 0)
		rc = attach(c, channel);
	else
		channel_close(channel);
	if (rc < 0) {
		command_close(c);
		return rc;
	}
	if (uvd->news)
		news_on_change(uvd->news, on_change, c);
	*out = c;
	return 0;
}

void command_close(struct command *c)
{
	if (!c)
		return;
	c->turn = sd_event_source_disable_unref(c->turn);
	c->retry = sd_event_source_disable_unref(c->retry);
	c->news = sd_event_source_disable_unref(c->news);
	if (c->uvd->news)
		news_on_change(c->uvd->news, NULL, NULL);
	detach(c);
	batch_destroy(c->batch);
	sd_event_unref(c->event);
	free(c->reply);
	free(c->message);
	free(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* All I/O partitions that serve something are asked at once; the answer waits for the slowest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <common/uuid.h>
#include <linux/ultravisor.h>

#include "call.h"
#include "devices.h"
#include "render.h"
#include "service.h"

#define SERVERS		8u
#define ANSWER_US	2000000ull
#define OK		"OK\n"
#define PAD		5		/* before that: reports behind it are aligned to 8 */

/* One I/O partition that is asked. */
struct source {
	struct devices *devices;
	char name[COMMAND_NAME_LEN];
	int fd;
	sd_event_source *io;
	char *bytes;			/* OK and reports, as far as they have come */
	size_t got, room;
};

struct devices {
	struct call *call;
	devices_ready *ready;
	struct source source[SERVERS];	/* one that answered has its bytes */
	unsigned int sources, open;
	sd_event_source *deadline;
	const struct io_report **report;	/* of each channel's row */
};

const char *devices_server(const struct command_row_channel *c)
{
	for (uint32_t i = 0; i < c->servers && i < COMMAND_MAX_SERVERS; i++)
		if (c->slot_state[i] == ULTRAVISOR_SLOT_SERVING)
			return c->server_name[i];
	return NULL;
}

bool devices_is_device(const struct command_row_channel *c)
{
	return c->module_id && (c->type == CHANNEL_BLOCK || c->type == CHANNEL_NETWORK ||
				c->type == CHANNEL_CONSOLE);
}

const char *devices_operation(uint32_t type, unsigned int operation)
{
	static const char *const words[][IO_OPERATIONS] = {
		[CHANNEL_BLOCK] = { "read", "write", "flush", "other" },
		[CHANNEL_NETWORK] = { "receive", "transmit" },
		[CHANNEL_CONSOLE] = { "input", "output" },
	};

	return type < sizeof(words) / sizeof(words[0]) && operation < IO_OPERATIONS ?
	       words[type][operation] : NULL;
}

static const struct io_report *reports_of(const struct source *s, size_t *n)
{
	size_t head = strlen(OK);

	*n = 0;
	if (s->got < head || memcmp(s->bytes, OK, head))
		return NULL;
	*n = (s->got - head) / sizeof(struct io_report);
	return (const struct io_report *)(s->bytes + head);
}

static bool is_of(const struct io_report *r, const struct command_row_channel *c)
{
	return r->length == sizeof(*r) && r->type == c->type &&
	       r->statistics.version == IO_STATISTICS_VERSION &&
	       memchr(r->device, '\0', sizeof(r->device)) &&
	       !memcmp(r->partition, c->partition, UUID_LEN) && !strcmp(r->device, c->name);
}

static const struct io_report *find(const struct devices *d, const struct command_row_channel *c)
{
	const char *server = devices_is_device(c) ? devices_server(c) : NULL;
	const struct io_report *r;
	size_t n, i;

	for (unsigned int k = 0; server && k < d->sources; k++) {
		if (strcmp(d->source[k].name, server))
			continue;
		r = reports_of(&d->source[k], &n);
		for (i = 0; i < n; i++)
			if (is_of(&r[i], c))
				return &r[i];
	}
	return NULL;
}

const struct io_report *devices_report(const struct devices *d,
				       const struct command_row_channel *c)
{
	const struct command_row_channel *first = rows_at(d->call->rows, COMMAND_ROW_CHANNEL, 0);

	return d->report ? d->report[c - first] : NULL;
}

static void match(struct devices *d)
{
	size_t n = rows_count(d->call->rows, COMMAND_ROW_CHANNEL), i;

	d->report = calloc(n + 1, sizeof(*d->report));
	for (i = 0; d->report && i < n; i++)
		d->report[i] = find(d, rows_at(d->call->rows, COMMAND_ROW_CHANNEL, i));
}

static void done(struct devices *d)
{
	d->deadline = sd_event_source_disable_unref(d->deadline);
	match(d);
	d->ready(d->call, d);
	free(d->report);
	for (unsigned int i = 0; i < d->sources; i++)
		free(d->source[i].bytes ? d->source[i].bytes - PAD : NULL);
	free(d);
}

static void end_source(struct source *s)
{
	if (s->fd < 0)
		return;
	s->io = sd_event_source_disable_unref(s->io);
	close(s->fd);
	s->fd = -1;
	if (!--s->devices->open)
		done(s->devices);
}

static int on_bytes(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct source *s = data;
	ssize_t n;

	(void)source, (void)events;
	n = s->got < s->room ? recv(fd, s->bytes + s->got, s->room - s->got, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		s->got += n;
	else
		end_source(s);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	struct devices *d = data;
	unsigned int i, n = d->sources;

	(void)source, (void)usec;
	d->open++;
	for (i = 0; i < n; i++)
		end_source(&d->source[i]);
	if (!--d->open)
		done(d);
	return 0;
}

static int ask(struct source *s, const char *run, sd_event *event)
{
	static const char request[] = "STATISTICS\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strchr(s->name, '/') ||
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.sock", run, s->name) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(s->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1 ||
	    sd_event_add_io(event, &s->io, s->fd, EPOLLIN, on_bytes, s) < 0)
		return -EIO;
	return 0;
}

/* A place for what this I/O partition may say at the most: of what it serves. */
static void add_source(struct devices *d, const char *name)
{
	struct source *s;
	unsigned int i;

	for (i = 0; i < d->sources && strcmp(d->source[i].name, name); i++)
		;
	if (i == SERVERS)
		return;
	s = &d->source[i];
	if (i == d->sources) {
		*s = (struct source){ .devices = d, .fd = -1, .room = strlen(OK) };
		strcpy(s->name, name);
		d->sources++;
	}
	s->room += sizeof(struct io_report);
}

static void begin(struct devices *d, struct source *s)
{
	struct service *service = d->call->service;
	char *bytes = malloc(PAD + s->room);

	s->bytes = bytes ? bytes + PAD : NULL;
	if (bytes && ask(s, service->run, service->event) == 0) {
		d->open++;
		return;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void rows_ready(struct call *call)
{
	struct devices *d = call->devices;
	const char *name;

	call->devices = NULL;
	for (rows_each(call->rows, CHANNEL, channel, c)) {
		name = devices_is_device(c) ? devices_server(c) : NULL;
		if (name)
			add_source(d, name);
	}
	for (unsigned int i = 0; i < d->sources; i++)
		begin(d, &d->source[i]);
	if (!d->open)
		done(d);
	else if (sd_event_add_time_relative(call->service->event, &d->deadline, CLOCK_MONOTONIC,
					    ANSWER_US, 0, on_deadline, d) < 0)
		on_deadline(NULL, 0, d);
}

void devices_gather(struct http_request *http, void *data, devices_ready *ready)
{
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	struct devices *d;

	if (!call)
		return;
	d = calloc(1, sizeof(*d));
	if (!d) {
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
		return;
	}
	d->call = call;
	d->ready = ready;
	call->devices = d;
	call_rows(call, ROWS_PARTITION | ROWS_CHANNEL | ROWS_CONTEXT | ROWS_HOST, NULL, 0, 0,
		  rows_ready);
}

/* ---- GET /v1/devices */

static json_t *counter(const struct io_counter *c, bool latency)
{
	json_t *o = json_pack("{s:I, s:I, s:I}", "requests", (json_int_t)c->requests, "bytes",
			      (json_int_t)c->bytes, "errors", (json_int_t)c->errors), *list;

	if (!latency)
		return o;
	list = json_array();
	for (unsigned int i = 0; i < IO_LATENCY_BUCKETS; i++)
		json_array_append_new(list, json_integer(c->latency[i]));
	json_object_set_new(o, "latency_ns", json_integer(c->latency_ns));
	json_object_set_new(o, "latency", list);
	return o;
}

static json_t *render(const struct command_row_channel *c, const struct io_report *r)
{
	const struct io_statistics *s;
	const char *server = devices_server(c), *word;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:I}", "partition", c->partition_name,
			      "device", c->name, "type", render_channel_type(c->type), "server",
			      server, "epoch", (json_int_t)c->epoch), *all;

	if (!r)
		return o;
	s = &r->statistics;
	json_object_set_new(o, "failovers", json_integer(s->takeovers));
	json_object_set_new(o, "in_flight", c->type == CHANNEL_BLOCK ?
			    json_integer(r->in_flight) : json_null());
	json_object_set_new(o, "stall_ns", json_integer(s->stall_ns));
	json_object_set_new(o, "stall_max_ns", json_integer(s->stall_max_ns));
	json_object_set_new(o, "waits", json_boolean(s->waits_ns));
	all = json_object();
	for (unsigned int i = 0; i < IO_OPERATIONS; i++) {
		word = devices_operation(c->type, i);
		if (word)
			json_object_set_new(all, word, counter(&s->operation[i],
							       c->type == CHANNEL_BLOCK));
	}
	json_object_set_new(o, "operations", all);
	return o;
}

static void list(struct call *call, const struct devices *d)
{
	json_t *bounds = json_array(), *devices = json_array();
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (unsigned int i = 0; i < IO_LATENCY_BUCKETS; i++)
		json_array_append_new(bounds, i == IO_LATENCY_BUCKETS - 1 ? json_null() :
				      json_integer(1ll << (IO_LATENCY_FIRST + i)));
	for (rows_each(call->rows, CHANNEL, channel, c))
		if (devices_is_device(c))
			json_array_append_new(devices, render(c, devices_report(d, c)));
	call_reply(call, json_pack("{s:I, s:o, s:o}", "time",
		   (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec, "latency_bounds_ns", bounds,
		   "devices", devices));
}

void devices_get(struct http_request *http, void *data)
{
	devices_gather(http, data, list);
}

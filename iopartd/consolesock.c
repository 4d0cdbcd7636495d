/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers and writers of consoles. A connection says one line, then is a cursor in the log, and
 * for one of them per console also a keyboard.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>

#include "console.h"
#include "consolesock.h"
#include "statistics.h"

#define CONNECTIONS	64u
#define REPORTS		4u	/* told at a time: each is a copy of all */
#define REQUEST_BYTES	128u
#define REQUEST_SECONDS	5u
#define PART		16384u
#define PAUSE_USEC	1000000u	/* after EMFILE */

enum mode { MODE_NONE, MODE_LOG, MODE_READ, MODE_WRITE, MODE_REPORT };

struct connection {
	struct connection *next;
	struct consolesock *sock;
	int fd;
	sd_event_source *io, *deadline;
	char request[REQUEST_BYTES];
	size_t got;
	enum mode mode;
	struct device *device;		/* whose console, once the request is granted */
	uint64_t position, end;		/* in its log, or in report; MODE_LOG stops at end */
	struct io_report *report;	/* MODE_REPORT */
	bool deaf;			/* the peer has said all it will */
};

struct consolesock {
	struct iopart *iopart;
	int fd;
	uid_t allowed;
	sd_event_source *accept, *pause;
	struct connection *connections;
	unsigned int count, reports;
};

/* consolesock_changed is told a device only; there is one socket a process. */
static struct consolesock *the_socket;

static void drop(struct connection *c)
{
	struct consolesock *s = c->sock;
	struct connection **p;

	for (p = &s->connections; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	if (s->count-- == CONNECTIONS)
		sd_event_source_set_enabled(s->accept, SD_EVENT_ON);
	s->reports -= c->mode == MODE_REPORT;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->deadline);
	close(c->fd);
	free(c->report);
	free(c);
}

/* A line for the peer before the connection ends; if it has no room for that, it goes without. */
static void refuse(struct connection *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void refuse(struct connection *c, const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	/* A short or failed send changes nothing: the connection ends either way. */
	if (send(c->fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("console: a peer did not take its refusal: %s", strerror(errno));
	drop(c);
}

static bool has_writer(const struct consolesock *s, const struct device *d)
{
	const struct connection *c;

	for (c = s->connections; c; c = c->next) {
		if (c->device == d && c->mode == MODE_WRITE)
			return true;
	}
	return false;
}

/* What to wait for: output while there is some, input while it can go somewhere. */
static void update(struct connection *c)
{
	uint32_t events = 0;

	if (c->position < c->end && c->position < console_end(c->device))
		events |= EPOLLOUT;
	if (!c->deaf && (c->mode != MODE_WRITE || console_room(c->device)))
		events |= EPOLLIN;
	sd_event_source_set_io_events(c->io, events);
}

/* 0; -EAGAIN: the peer takes no more now; or an error after which the connection is gone. */
static int pump_part(struct connection *c)
{
	char bytes[PART];
	size_t n = sizeof(bytes);
	ssize_t r;

	if (c->position < console_begin(c->device)) {
		refuse(c, "\r\n[console: this reader was too slow, %llu bytes are gone]\r\n",
		       (unsigned long long)(console_begin(c->device) - c->position));
		return -EPIPE;
	}
	if (n > c->end - c->position)
		n = c->end - c->position;
	r = console_read(c->device, c->position, bytes, n);
	if (r < 0) {
		refuse(c, "\r\n[console: the log cannot be read: %s]\r\n", strerror(-r));
		return -EPIPE;
	}
	if (r == 0)
		return 0;
	r = send(c->fd, bytes, r, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (r < 0) {
		drop(c);
		return -EPIPE;
	}
	c->position += r;
	return 0;
}

/* Sends what there is, one part a turn; c may be gone on return. */
static void pump(struct connection *c)
{
	if (c->position < c->end && c->position < console_end(c->device) &&
	    pump_part(c) == -EPIPE)
		return;
	if (c->mode == MODE_LOG && c->position >= c->end)
		drop(c);
	else
		update(c);
}

/* What is typed; c may be gone on return. */
static void hear(struct connection *c)
{
	char bytes[512];
	size_t room = sizeof(bytes);
	ssize_t r;

	if (c->mode == MODE_WRITE) {
		room = console_room(c->device);
		if (!room)
			return;
		if (room > sizeof(bytes))
			room = sizeof(bytes);
	}
	r = recv(c->fd, bytes, room, MSG_DONTWAIT);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r < 0 || (r == 0 && c->mode != MODE_LOG)) {
		drop(c);
		return;
	}
	if (r == 0)
		c->deaf = true;
	else if (c->mode == MODE_WRITE)
		console_type(c->device, bytes, r);
	update(c);
}

static const char *parse(char *line, uint8_t uuid[16], enum mode *mode)
{
	static const struct {
		const char *word;
		enum mode mode;
	} modes[] = {
		{ "log", MODE_LOG }, { "attach", MODE_WRITE },
		{ "attach-rw", MODE_WRITE }, { "attach-ro", MODE_READ },
	};
	char *rest = line, *verb = strsep(&rest, " "), *id = strsep(&rest, " ");
	size_t i;

	if (strcmp(verb, "CONSOLE") || !id || !rest)
		return "expected STATISTICS, or CONSOLE, a partition's uuid, and what to do";
	if (uuid_read(uuid, id))
		return "the partition is not named by a uuid";
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(rest, modes[i].word)) {
			*mode = modes[i].mode;
			return NULL;
		}
	}
	return "what to do is not log, attach, attach-ro or attach-rw";
}

/* ---- statistics */

/* What is left of the report; c may be gone on return. */
static void send_report(struct connection *c)
{
	ssize_t r = send(c->fd, (const char *)c->report + c->position, c->end - c->position,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		r = 0;
	if (r < 0 || (c->position += r) == c->end)
		drop(c);
	else
		sd_event_source_set_io_events(c->io, EPOLLOUT);
}

/* Of all devices that are served here, as they are now. c may be gone on return. */
static void report(struct connection *c)
{
	struct consolesock *s = c->sock;
	struct device *d;
	size_t n = 0;

	if (s->reports == REPORTS) {
		refuse(c, "ERR busy others are being told; ask again\n");
		return;
	}
	for (d = s->iopart->devices; d; d = d->next)
		n += d->state == DEVICE_SERVING;
	c->report = calloc(n + 1, sizeof(*c->report));
	if (!c->report || send(c->fd, "OK\n", 3, MSG_DONTWAIT | MSG_NOSIGNAL) != 3) {
		drop(c);
		return;
	}
	c->mode = MODE_REPORT;
	s->reports++;
	n = 0;
	for (d = s->iopart->devices; d; d = d->next)
		if (d->state == DEVICE_SERVING && !statistics_report(d, &c->report[n]))
			n++;
	c->end = n * sizeof(*c->report);
	/* Its deadline stands: who takes no part of it in time gets no more. */
	send_report(c);
}

/* The request line is complete. c may be gone on return. */
static void grant(struct connection *c)
{
	enum mode mode = MODE_NONE;
	struct device *d;
	uint8_t uuid[16];
	const char *why;

	if (!strcmp(c->request, "STATISTICS")) {
		report(c);
		return;
	}
	why = parse(c->request, uuid, &mode);
	if (why) {
		refuse(c, "ERR bad-request %s\n", why);
		return;
	}
	d = console_find(c->sock->iopart, uuid);
	if (!d) {
		refuse(c, "ERR not-serving this instance does not serve that console now; "
		       "ask the other\n");
		return;
	}
	if (mode == MODE_WRITE && has_writer(c->sock, d)) {
		refuse(c, "ERR busy another client types at this console; attach-ro only reads\n");
		return;
	}
	if (send(c->fd, "OK\n", 3, MSG_DONTWAIT | MSG_NOSIGNAL) != 3) {
		drop(c);
		return;
	}
	c->deadline = sd_event_source_disable_unref(c->deadline);
	c->mode = mode;
	c->device = d;
	c->position = console_begin(d);
	c->end = mode == MODE_LOG ? console_end(d) : UINT64_MAX;
	pump(c);
}

static void hear_request(struct connection *c)
{
	char *newline;
	ssize_t r;

	r = recv(c->fd, c->request + c->got, sizeof(c->request) - c->got, MSG_DONTWAIT | MSG_PEEK);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0) {
		drop(c);
		return;
	}
	/* What follows the line is typed already: it stays in the socket. */
	newline = memchr(c->request + c->got, '\n', r);
	if (newline)
		r = newline + 1 - (c->request + c->got);
	r = recv(c->fd, c->request + c->got, r, MSG_DONTWAIT);
	if (r <= 0) {
		drop(c);
		return;
	}
	c->got += r;
	if (newline) {
		c->request[c->got - 1] = '\0';
		if (strlen(c->request) != c->got - 1)
			refuse(c, "ERR bad-request a zero byte in the request\n");
		else
			grant(c);
	} else if (c->got == sizeof(c->request)) {
		refuse(c, "ERR bad-request the request has more than %u bytes\n", REQUEST_BYTES);
	}
}

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct connection *c = userdata;

	(void)s;
	(void)fd;
	if (c->mode == MODE_NONE)
		hear_request(c);
	else if (c->mode == MODE_REPORT)
		send_report(c);
	else if (revents & (EPOLLHUP | EPOLLERR))
		drop(c);
	else if (revents & EPOLLIN)
		hear(c);
	else
		pump(c);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct connection *c = userdata;

	(void)s;
	(void)usec;
	if (c->mode == MODE_REPORT)
		drop(c);
	else
		refuse(c, "ERR bad-request no request within %u seconds\n", REQUEST_SECONDS);
	return 0;
}

static bool may_ask(const struct consolesock *s, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == s->allowed);
}

static int on_pause_over(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct consolesock *sock = userdata;

	(void)s;
	(void)usec;
	sock->pause = sd_event_source_disable_unref(sock->pause);
	sd_event_source_set_enabled(sock->accept, SD_EVENT_ON);
	return 0;
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	static const char denied[] = "ERR denied only root and the command partition may ask\n";
	struct consolesock *sock = userdata;
	struct connection *c;
	sd_event *event = sock->iopart->event;
	int peer;

	(void)revents;
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0) {
		if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
			return 0;
		/* The connection stays in the queue; to try again at once would spin. */
		log_warning("console: no descriptor for a connection; waits for a second");
		sd_event_source_set_enabled(s, SD_EVENT_OFF);
		if (sd_event_add_time_relative(event, &sock->pause, CLOCK_MONOTONIC, PAUSE_USEC, 0,
					       on_pause_over, sock) < 0)
			sd_event_source_set_enabled(s, SD_EVENT_ON);
		return 0;
	}
	if (!may_ask(sock, peer)) {
		if (send(peer, denied, sizeof(denied) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("console: a peer did not take its refusal: %s", strerror(errno));
		close(peer);
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(peer);
		return 0;
	}
	c->sock = sock;
	c->fd = peer;
	c->next = sock->connections;
	sock->connections = c;
	if (++sock->count == CONNECTIONS)
		sd_event_source_set_enabled(s, SD_EVENT_OFF);
	if (sd_event_add_io(event, &c->io, peer, EPOLLIN, on_connection, c) < 0 ||
	    sd_event_add_time_relative(event, &c->deadline, CLOCK_MONOTONIC,
				       REQUEST_SECONDS * 1000000ULL, 100000, on_deadline, c) < 0)
		drop(c);
	return 0;
}

int consolesock_listen(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	/* Anybody may connect; who may ask is decided by peer credentials. */
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, (int)CONNECTIONS) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int consolesock_start(struct consolesock **out, struct iopart *io, int fd, uid_t allowed)
{
	struct consolesock *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->iopart = io;
	s->fd = fd;
	s->allowed = allowed;
	rc = sd_event_add_io(io->event, &s->accept, fd, EPOLLIN, on_accept, s);
	if (rc < 0) {
		free(s);
		return rc;
	}
	the_socket = s;
	*out = s;
	return 0;
}

void consolesock_stop(struct consolesock *s)
{
	if (!s)
		return;
	while (s->connections)
		drop(s->connections);
	sd_event_source_disable_unref(s->accept);
	sd_event_source_disable_unref(s->pause);
	close(s->fd);
	the_socket = NULL;
	free(s);
}

void consolesock_changed(struct device *d)
{
	struct connection *c, *next;

	for (c = the_socket ? the_socket->connections : NULL; c; c = next) {
		next = c->next;
		if (c->device == d)
			update(c);
	}
}

void consolesock_lost(struct device *d)
{
	struct connection *c, *next;

	for (c = the_socket ? the_socket->connections : NULL; c; c = next) {
		next = c->next;
		if (c->device == d)
			drop(c);
	}
}

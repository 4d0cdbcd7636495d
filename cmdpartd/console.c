/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's life: rows tell which I/O partitions may serve the console; each is asked in turn
 * (CONSOLE uuid mode, see docs/io.md) until one says OK; then the client's connection is upgraded
 * and two pumps carry bytes. A full buffer stops reading on the other side, nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <linux/ultravisor.h>
#include <ultravisor/io.h>

#include "call.h"
#include "console.h"
#include "render.h"
#include "service.h"

#define BUFFER		16384
#define ANSWER_MS	5000	/* an I/O partition's, to the request line */
#define LINE		256
#define LOG_LIMIT	(4 << 20)	/* bytes; I/O partitions keep logs far smaller */

struct pump {
	int from, to;
	size_t begin, end;
	bool eof;		/* nothing more comes from there */
	char *bytes;		/* BUFFER of them, or the whole log */
};

struct session {
	LIST_ENTRY(session) entry;
	sd_event *event;
	struct call *call;		/* until it is answered */
	struct http_socket *http;
	int client, server;		/* client: libmicrohttpd's */
	sd_event_source *client_io, *server_io, *deadline;
	char mode[16];
	uint8_t uuid[UUID_LEN];
	char name[COMMAND_NAME_LEN];
	/* whom to ask, in order */
	char candidate[COMMAND_MAX_SERVERS][COMMAND_NAME_LEN];
	unsigned int candidates, asked;
	char line[LINE];		/* the answer so far */
	size_t got;
	char refusal[LINE];		/* the last ERR */
	bool off;			/* the partition does not run */
	struct pump out, in;		/* to the client; to the guest */
};

static LIST_HEAD(, session) sessions = LIST_HEAD_INITIALIZER(sessions);
static unsigned int session_count;
static bool closing;

static void end(struct session *s)
{
	LIST_REMOVE(s, entry);
	session_count--;
	sd_event_source_disable_unref(s->client_io);
	sd_event_source_disable_unref(s->server_io);
	sd_event_source_disable_unref(s->deadline);
	if (s->server >= 0)
		close(s->server);
	http_socket_close(s->http);
	free(s->out.bytes);
	free(s->in.bytes);
	free(s);
}

/* ---- pumps ----------------------------------------------------------------------- */

/* 0, or -1: this direction is over. */
static int fill(struct pump *p)
{
	ssize_t n;

	if (p->eof || p->end == BUFFER)
		return 0;
	n = recv(p->from, p->bytes + p->end, BUFFER - p->end, MSG_DONTWAIT);
	if (n > 0)
		p->end += n;
	else if (n == 0)
		p->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		return -1;
	return 0;
}

static int drain(struct pump *p)
{
	ssize_t n;

	while (p->begin < p->end) {
		n = send(p->to, p->bytes + p->begin, p->end - p->begin,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p->begin += n;
	}
	p->begin = p->end = 0;
	return 0;
}

static void watch(struct session *s)
{
	uint32_t client = 0, server = 0;

	if (s->out.begin < s->out.end)
		client |= EPOLLOUT;
	else if (!s->out.eof)
		server |= EPOLLIN;
	if (s->in.begin < s->in.end)
		server |= EPOLLOUT;
	else if (!s->in.eof)
		client |= EPOLLIN;
	/* Off rather than waiting for nothing: a hang-up is reported whatever is waited for. */
	sd_event_source_set_io_events(s->client_io, client);
	sd_event_source_set_enabled(s->client_io, client ? SD_EVENT_ON : SD_EVENT_OFF);
	if (!s->server_io)
		return;
	sd_event_source_set_io_events(s->server_io, server);
	sd_event_source_set_enabled(s->server_io, server ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_pump(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct session *s = data;

	(void)source;
	if (s->server_io && fd == s->server && s->out.begin == s->out.end && fill(&s->out) < 0)
		s->out.eof = true;
	if (fd == s->client && s->in.begin == s->in.end && fill(&s->in) < 0)
		s->in.eof = true;
	if (drain(&s->out) < 0 || drain(&s->in) < 0) {
		end(s);
		return 0;
	}
	/* A reader of a log may have shut its sending side down; one who types has hung up. */
	if ((s->out.eof && s->out.begin == s->out.end) ||
	    (s->in.eof && s->in.begin == s->in.end && strcmp(s->mode, "log")) ||
	    (events & EPOLLHUP && fd == s->client)) {
		end(s);
		return 0;
	}
	watch(s);
	return 0;
}

static void on_upgraded(struct http_socket *socket, int fd, const char *extra, size_t n, void *data)
{
	struct session *s = data;

	s->http = socket;
	s->client = fd;
	if (closing || !socket || n > BUFFER ||
	    sd_event_add_io(s->event, &s->client_io, fd, EPOLLOUT, on_pump, s) < 0 ||
	    (s->server >= 0 &&
	     sd_event_add_io(s->event, &s->server_io, s->server, 0, on_pump, s) < 0)) {
		end(s);
		return;
	}
	s->out.from = s->in.to = s->server;
	s->out.to = s->in.from = s->client;
	if (n && s->server >= 0) {
		memcpy(s->in.bytes, extra, n);
		s->in.end = n;
	}
	/* A log from the file is here already; nobody hears what is typed at it. */
	s->in.eof = s->server < 0;
	watch(s);
}

/* ---- asking ---------------------------------------------------------------------- */

static void ask_next(struct session *s);

static void accepted(struct session *s)
{
	struct call *call = s->call;

	s->deadline = sd_event_source_disable_unref(s->deadline);
	s->server_io = sd_event_source_disable_unref(s->server_io);
	s->call = NULL;
	if (http_upgrade(call->http, "ultravisor-console", on_upgraded, s) < 0)
		end(s);
	call_abandon(call);
}

/* What the guest printed in its last run, or up to now: uvd keeps it, and lets us read. */
static int read_log(struct session *s)
{
	char path[PATH_MAX], text[UUID_TEXT];
	struct stat st;
	char *bytes;
	ssize_t n;
	int fd, rc = -1;

	snprintf(path, sizeof(path), "%s/console/%s.log", s->call->service->state,
		 uuid_format(s->uuid, text));
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > LOG_LIMIT)
		goto out;
	bytes = realloc(s->out.bytes, st.st_size + 1);
	if (!bytes)
		goto out;
	s->out.bytes = bytes;
	while (s->out.end < (size_t)st.st_size &&
	       (n = read(fd, bytes + s->out.end, st.st_size - s->out.end)) > 0)
		s->out.end += n;
	s->out.eof = true;
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static void give_up(struct session *s)
{
	struct call *call = s->call;
	struct error e = ERROR_NONE;

	if (!strcmp(s->mode, "log") && !read_log(s)) {
		accepted(s);
		return;
	}
	if (!strncmp(s->refusal, "busy", 4)) {
		error_set(&e, EXIT_CONFLICT, "somebody else types at the console of %s", s->name);
		error_fix(&e, "read along: cmdpartctl console --read-only %s", s->name);
	} else if (s->off) {
		error_set(&e, EXIT_CONFLICT, "partition %s does not run", s->name);
		error_why(&e, "no I/O partition serves its console");
		error_fix(&e, "start it: cmdpartctl start %s", s->name);
	} else {
		error_set(&e, EXIT_CONFLICT, "no I/O partition serves the console of %s now",
			  s->name);
		error_why(&e, "%s", s->refusal[0] ? s->refusal : "none could be asked");
		error_fix(&e, "see whether iopartd runs (systemctl status 'iopartd@*')");
	}
	end(s);
	call_error(call, &e);
}

static void next_candidate(struct session *s, const char *why)
{
	/* A refusal for a reason outweighs one for not being in charge. */
	if (strncmp(s->refusal, "busy", 4))
		snprintf(s->refusal, sizeof(s->refusal), "%s", why);
	s->server_io = sd_event_source_disable_unref(s->server_io);
	s->deadline = sd_event_source_disable_unref(s->deadline);
	if (s->server >= 0)
		close(s->server);
	s->server = -1;
	ask_next(s);
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct session *s = data;
	ssize_t n;

	(void)source, (void)events;
	/* Byte by byte: what follows the line is the console's and must stay in the socket. */
	while ((n = recv(fd, s->line + s->got, 1, MSG_DONTWAIT)) == 1 &&
	       s->line[s->got] != '\n' && s->got < LINE - 1)
		s->got++;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	s->line[s->got] = '\0';
	if (n == 1 && !strcmp(s->line, "OK"))
		accepted(s);
	else
		next_candidate(s, !strncmp(s->line, "ERR ", 4) ? s->line + 4 :
			       n == 1 ? "it gave no proper answer" : "it hung up");
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec;
	next_candidate(data, "it did not answer in time");
	return 0;
}

static int ask(struct session *s, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[UUID_TEXT], line[128];
	int n;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.sock",
		     s->call->service->run, name) >= (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	s->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	n = snprintf(line, sizeof(line), "CONSOLE %s %s\n", uuid_format(s->uuid, text), s->mode);
	if (s->server < 0 ||
	    connect(s->server, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(s->server, line, n, MSG_NOSIGNAL) != n)
		return -errno;
	s->got = 0;
	if (sd_event_add_io(s->event, &s->server_io, s->server, EPOLLIN, on_answer, s) < 0 ||
	    sd_event_add_time_relative(s->event, &s->deadline, CLOCK_MONOTONIC,
				       ANSWER_MS * 1000ull, 0, on_deadline, s) < 0)
		return -ENOMEM;
	return 0;
}

static void ask_next(struct session *s)
{
	char why[LINE];
	int rc;

	while (s->asked < s->candidates) {
		const char *name = s->candidate[s->asked++];

		rc = ask(s, name);
		if (!rc)
			return;
		snprintf(why, sizeof(why), "%.64s: %s", name, strerror(-rc));
		if (strncmp(s->refusal, "busy", 4))
			snprintf(s->refusal, sizeof(s->refusal), "%s", why);
		s->server_io = sd_event_source_disable_unref(s->server_io);
		if (s->server >= 0)
			close(s->server);
		s->server = -1;
	}
	give_up(s);
}

static void add_candidate(struct session *s, const char *name)
{
	for (unsigned int i = 0; i < s->candidates; i++)
		if (!strcmp(s->candidate[i], name))
			return;
	if (name[0] && !strchr(name, '/') && s->candidates < COMMAND_MAX_SERVERS)
		strcpy(s->candidate[s->candidates++], name);
}

/* Who serves now first, then the others of the list: the row may be a moment old. */
static void find_candidates(struct session *s, const struct rows *rows)
{
	for (int serving = 1; serving >= 0; serving--)
		for (rows_each(rows, CHANNEL, channel, c))
			for (uint32_t i = 0; c->type == CHANNEL_CONSOLE && i < c->servers &&
			     i < COMMAND_MAX_SERVERS; i++)
				if ((c->slot_state[i] == ULTRAVISOR_SLOT_SERVING) == serving)
					add_candidate(s, c->server_name[i]);
}

static struct session *session_new(struct call *call, const char *mode)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->call = call;
	s->event = call->service->event;
	s->client = s->server = -1;
	s->out.bytes = malloc(BUFFER);
	s->in.bytes = malloc(BUFFER);
	if (!s->out.bytes || !s->in.bytes) {
		free(s->out.bytes);
		free(s->in.bytes);
		free(s);
		return NULL;
	}
	snprintf(s->mode, sizeof(s->mode), "%s", mode);
	LIST_INSERT_HEAD(&sessions, s, entry);
	session_count++;
	return s;
}

static void rows_ready(struct call *call)
{
	const char *mode = http_request_query(call->http, "mode");
	const struct command_row_partition *p;
	struct error e = ERROR_NONE;
	bool console = false;
	struct session *s;

	if (!rows_count(call->rows, COMMAND_ROW_PARTITION)) {
		error_set(&e, EXIT_NOT_FOUND, "no partition is named %s",
			  http_request_segment(call->http, 0));
		error_fix(&e, "cmdpartctl list shows those there are");
		call_error(call, &e);
		return;
	}
	p = rows_at(call->rows, COMMAND_ROW_PARTITION, 0);
	for (rows_each(call->rows, DEVICE, device, d))
		console |= d->device == DEVICE_CONSOLE;
	if (!console) {
		error_set(&e, EXIT_NOT_FOUND, "partition %s has no console", p->name);
		error_fix(&e, "add { \"type\": \"console\", \"name\": \"console\" } to the "
			  "devices of its definition");
		call_error(call, &e);
		return;
	}
	s = session_count < CONSOLE_SESSIONS ? session_new(call, mode) : NULL;
	if (!s) {
		error_set(&e, EXIT_RESOURCES, "%u consoles are open already", session_count);
		error_fix(&e, "close one");
		call_error(call, &e);
		return;
	}
	memcpy(s->uuid, p->partition, UUID_LEN);
	memcpy(s->name, p->name, sizeof(s->name));
	s->off = p->state == PARTITION_DEFINED || p->state == PARTITION_FAILED;
	find_candidates(s, call->rows);
	ask_next(s);
}

void console_get(struct http_request *http, void *data)
{
	static const char *const modes[] = { "log", "attach-ro", "attach-rw", NULL };
	const char *mode = http_request_query(http, "mode");
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;

	if (!call)
		return;
	if (mode && !strcmp(mode, "attach-rw") &&
	    access_of(&call->service->access, http) < ACCESS_OPERATOR) {
		error_set(&e, EXIT_DENIED, "observers may not type on a console");
		error_fix(&e, "read it: cmdpartctl console --read-only");
		call_error(call, &e);
		return;
	}
	for (int i = 0; mode && modes[i]; i++)
		if (!strcmp(mode, modes[i])) {
			call_rows(call, ROWS_PARTITION | ROWS_DEVICE | ROWS_CHANNEL,
				  http_request_segment(http, 0), 0, 0, rows_ready);
			return;
		}
	error_set(&e, EXIT_INVALID, "the mode is none of log, attach-ro, attach-rw");
	error_where(&e, "request: ?mode");
	call_error(call, &e);
}

void console_close_all(void)
{
	struct session *s, *next;

	closing = true;
	for (s = LIST_FIRST(&sessions); s; s = next) {
		struct call *call = s->call;
		struct error e = ERROR_NONE;

		next = LIST_NEXT(s, entry);
		/* One whose upgrade is under way ends itself when it is done. */
		if (!call && !s->http)
			continue;
		end(s);
		if (!call)
			continue;
		error_set(&e, EXIT_UNREACHABLE, "the service is being stopped");
		call_error(call, &e);
	}
}

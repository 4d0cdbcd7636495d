/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: an HTTP connection upgraded to the bytes of the guest's serial port. Interactive,
 * the terminal is raw and ^] ends it. When the daemons in between are restarted, it attaches again
 * and leaves out what was printed before.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <common/http_client.h>
#include <common/output.h>

#include "cmdpartctl.h"

#define ESCAPE		0x1d	/* ^] */
#define HEAD		8192	/* bytes of an HTTP answer's head */
#define ANSWER_MS	15000
#define AGAIN_MS	200
#define AGAIN_SECONDS	30	/* how long to try to attach again */

struct console {
	const struct options *o;
	const char *name, *mode;
	int fd;
	char head[HEAD];
	size_t got;			/* in head, beyond it: the first bytes */
	unsigned long long printed;	/* bytes of the log on the screen */
	unsigned long long skip;	/* bytes to leave out after attaching again */
};

static struct termios saved;
static bool raw;

static void restore(void)
{
	if (raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
	raw = false;
}

static void on_signal(int number)
{
	restore();
	signal(number, SIG_DFL);
	raise(number);
}

static int go_raw(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return -1;
	t = saved;
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) < 0)
		return -1;
	raw = true;
	atexit(restore);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGINT, on_signal);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t r = write(fd, bytes, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		bytes += r;
		n -= r;
	}
	return 0;
}

static int print(struct console *c, const char *bytes, size_t n)
{
	size_t leave = c->skip < n ? c->skip : n;

	c->skip -= leave;
	c->printed += n - leave;
	return write_all(STDOUT_FILENO, bytes + leave, n - leave);
}

/* ---- attaching ------------------------------------------------------------------- */

static int unreachable(const struct console *c, struct error *e)
{
	error_set(e, EXIT_UNREACHABLE, "cmdpartd cannot be reached");
	error_where(e, "%s", c->o->socket);
	error_why(e, "%s", strerror(errno));
	return error_fix(e, "see whether it runs (systemctl status cmdpartd), and that you may use "
			 "its socket (group ultravisor)");
}

static int dial(struct console *c, struct error *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *escaped = http_client_escape(c->name), request[1024];
	int n;

	n = snprintf(request, sizeof(request), "GET /v1/partitions/%s/console?mode=%s HTTP/1.1\r\n"
		     "Host: localhost\r\nConnection: Upgrade\r\n"
		     "Upgrade: ultravisor-console\r\n\r\n",
		     escaped ? escaped : "", c->mode);
	free(escaped);
	if (n >= (int)sizeof(request) || strlen(c->o->socket) >= sizeof(address.sun_path))
		return error_set(e, EXIT_INVALID, "the name or the socket's path is too long");
	strcpy(address.sun_path, c->o->socket);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write_all(c->fd, request, n) < 0)
		return unreachable(c, e);
	return 0;
}

/* Reads until the head's end; its length, or -1. */
static int read_head(struct console *c, struct error *e)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char *end;
	ssize_t r;

	for (c->got = 0; c->got < HEAD - 1; c->got += r) {
		errno = ETIMEDOUT;
		if (poll(&p, 1, ANSWER_MS) <= 0)
			return unreachable(c, e);
		errno = ECONNRESET;
		r = read(c->fd, c->head + c->got, HEAD - 1 - c->got);
		if (r <= 0)
			return unreachable(c, e);
		c->head[c->got + r] = '\0';
		end = strstr(c->head, "\r\n\r\n");
		if (end) {
			c->got += r;
			return end + 4 - c->head;
		}
	}
	return error_set(e, EXIT_FAILED, "cmdpartd's answer is no answer");
}

/* A refusal: the error object is the body, of the announced length. */
static int read_refusal(struct console *c, int head, struct error *e)
{
	const char *length = strcasestr(c->head, "\r\nContent-Length:");
	size_t n = length && length < c->head + head ? strtoul(length + 17, NULL, 10) : 0;
	char *body = n && n < HTTP_CLIENT_MAX_REPLY ? malloc(n) : NULL;
	size_t have = c->got - head;
	json_t *json = NULL;
	ssize_t r = 1;

	if (body) {
		have = have < n ? have : n;
		memcpy(body, c->head + head, have);
		for (; have < n && r > 0; have += r)
			r = read(c->fd, body + have, n - have) > 0 ? r : 0;
		json = r > 0 ? json_loadb(body, n, 0, NULL) : NULL;
	}
	if (error_from_json(e, json) < 0)
		error_set(e, EXIT_FAILED, "cmdpartd refused the console: %.64s", c->head);
	json_decref(json);
	free(body);
	return -1;
}

static int attach(struct console *c, struct error *e)
{
	int head = dial(c, e) < 0 ? -1 : read_head(c, e);

	if (head >= 0 && !strncmp(c->head, "HTTP/1.1 101", 12)) {
		c->got -= head;
		memmove(c->head, c->head + head, c->got);
		return 0;
	}
	if (head >= 0)
		read_refusal(c, head, e);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return -1;
}

/* ---- carrying -------------------------------------------------------------------- */

enum end { END_USER, END_PEER, END_OUTPUT };

/* What was typed, up to the escape. 1: the user has ended it. */
static int type(struct console *c)
{
	char bytes[512], *escape;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return 1;
	escape = raw ? memchr(bytes, ESCAPE, n) : NULL;
	if (write_all(c->fd, bytes, escape ? escape - bytes : n) < 0)
		return 0;	/* reading will tell */
	return escape != NULL;
}

static enum end carry(struct console *c, bool input)
{
	struct pollfd p[2] = { { .fd = c->fd, .events = POLLIN },
			       { .fd = input ? STDIN_FILENO : -1, .events = POLLIN } };
	char bytes[16384];
	ssize_t n;

	if (print(c, c->head, c->got) < 0)
		return END_OUTPUT;
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return END_PEER;
		if (p[0].revents) {
			n = read(c->fd, bytes, sizeof(bytes));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return END_PEER;
			if (print(c, bytes, n) < 0)
				return END_OUTPUT;
		}
		if (p[1].revents && type(c))
			return END_USER;
	}
}

/* Whether the partition still runs: then the connection's end was a daemon's, not the guest's. */
static bool is_on(const struct console *c, bool *reached)
{
	char *escaped = http_client_escape(c->name);
	struct error e = ERROR_NONE;
	const char *state;
	json_t *reply;
	bool on = true;

	*reached = call(c->o, "GET", NULL, &reply, &e, "/v1/partitions/%s",
			escaped ? escaped : "") == EXIT_OK;
	state = json_string_value(json_object_get(json_object_get(reply, "partition"), "state"));
	if (*reached && (!state || !strcmp(state, "defined") || !strcmp(state, "failed")))
		on = false;
	if (!*reached && e.code == EXIT_NOT_FOUND)
		on = false;
	error_clear(&e);
	json_decref(reply);
	free(escaped);
	return on;
}

/* After the connection was lost. 0: attached again; -1: the partition is off, or *e. */
static int attach_again(struct console *c, struct error *e)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * 1000000 };
	bool reached;

	close(c->fd);
	c->fd = -1;
	for (int i = 0; i < AGAIN_SECONDS * 1000 / AGAIN_MS; i++) {
		if (!is_on(c, &reached)) {
			error_clear(e);
			return -1;
		}
		error_clear(e);
		if (reached && !attach(c, e)) {
			c->skip = c->printed;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int interact(struct console *c)
{
	bool terminal = isatty(STDIN_FILENO) && !c->o->read_only;
	struct error e = ERROR_NONE;
	enum end end;

	if (terminal) {
		fprintf(stderr, "[console of %s; ^] ends it]\r\n", c->name);
		if (go_raw() < 0)
			terminal = false;
	}
	do {
		end = carry(c, !c->o->read_only);
	} while (end == END_PEER && !attach_again(c, &e));
	restore();
	if (c->fd >= 0)
		close(c->fd);
	if (e.code != EXIT_OK)
		return give_up(c->o, &e);
	if (terminal)
		fprintf(stderr, "\n[console of %s: %s]\n", c->name,
			end == END_USER ? "ended" : "the partition is off");
	return end == END_OUTPUT ? EXIT_FAILED : EXIT_OK;
}

int run_console(const struct options *o, int argc, char **argv)
{
	struct console c = { .o = o, .name = argv[0], .fd = -1 };
	struct error e = ERROR_NONE;
	enum end end;

	(void)argc;
	c.mode = o->log ? "log" : o->read_only ? "attach-ro" : "attach-rw";
	if (attach(&c, &e) < 0)
		return give_up(o, &e);
	if (!o->log)
		return interact(&c);
	end = carry(&c, false);
	close(c.fd);
	return end == END_OUTPUT ? EXIT_FAILED : EXIT_OK;
}

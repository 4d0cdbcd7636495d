/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast TCP is: some streams at once, one way, for some time.
 *
 *   netbench serve PORT
 *   netbench ADDRESS PORT send|receive STREAMS SECONDS
 *
 * The second prints "netbench: send|receive STREAMS: N bytes in NS ns", counted at its own end. The
 * first byte of a connection says what its other end is to do.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST	16
#define CHUNK	(128 * 1024)

static char buffer[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "netbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* One process a connection, until its other end is gone. */
static void answer(int fd)
{
	char what;

	if (read(fd, &what, 1) != 1)
		_exit(1);
	if (what == 's')
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
	else
		while (write(fd, buffer, sizeof(buffer)) > 0)
			;
	_exit(0);
}

static void serve(const struct sockaddr_in *at)
{
	int fd, one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (const struct sockaddr *)at, sizeof(*at)) < 0 || listen(s, MOST) < 0)
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		fd = accept(s, NULL, NULL);
		if (fd < 0)
			die("accept");
		if (fork() == 0)
			answer(fd);
		close(fd);
	}
}

static uint64_t run(const struct sockaddr_in *to, int send_it, int streams, uint64_t ns,
		    uint64_t *took)
{
	struct pollfd p[MOST];
	uint64_t bytes = 0, begin, end;
	ssize_t r;
	int i;

	for (i = 0; i < streams; i++) {
		p[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		p[i].events = send_it ? POLLOUT : POLLIN;
		if (connect(p[i].fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
		    write(p[i].fd, send_it ? "s" : "r", 1) != 1)
			die("connect");
	}
	begin = end = now();
	while (end - begin < ns) {
		if (poll(p, streams, 1000) < 0)
			die("poll");
		for (i = 0; i < streams; i++) {
			if (!p[i].revents)
				continue;
			r = send_it ? send(p[i].fd, buffer, CHUNK, MSG_DONTWAIT) :
				      recv(p[i].fd, buffer, CHUNK, MSG_DONTWAIT);
			if (r < 0 && errno != EAGAIN)
				die("stream");
			if (r > 0)
				bytes += r;
		}
		end = now();
	}
	for (i = 0; i < streams; i++)
		close(p[i].fd);
	*took = end - begin;
	return bytes;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	uint64_t bytes, took;
	int streams;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		a.sin_port = htons(atoi(argv[2]));
		serve(&a);
	}
	streams = argc == 6 ? atoi(argv[4]) : 0;
	if (streams < 1 || streams > MOST || inet_pton(AF_INET, argv[1], &a.sin_addr) != 1) {
		fputs("usage: netbench serve PORT | ADDRESS PORT send|receive STREAMS SECONDS\n",
		      stderr);
		return 2;
	}
	a.sin_port = htons(atoi(argv[2]));
	bytes = run(&a, !strcmp(argv[3], "send"), streams, atoi(argv[5]) * 1000000000ULL, &took);
	printf("netbench: %s %d: %llu bytes in %llu ns\n", argv[3], streams,
	       (unsigned long long)bytes, (unsigned long long)took);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firstline TEXT COMMAND…: runs COMMAND, and prints the nanoseconds from just before its exec to
 * the first line of its output that contains TEXT; then kills it with its whole process group.
 * Fails if the output ends, or two minutes pass, without that line.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 120000

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Reads lines, however they are cut, until one contains text. */
static int64_t wait_for_line(int fd, const char *text)
{
	int64_t begin = now_ns(), left;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[4096];
	size_t n = 0;
	ssize_t r;

	for (;;) {
		left = LIMIT_MS - (now_ns() - begin) / 1000000;
		if (left <= 0 || poll(&p, 1, left) <= 0)
			return -ETIMEDOUT;
		r = read(fd, line + n, sizeof(line) - 1 - n);
		if (r <= 0)
			return -EPIPE;
		n += r;
		line[n] = '\0';
		if (strstr(line, text))
			return now_ns();
		if (n > sizeof(line) / 2) {
			memmove(line, line + n - 256, 256);
			n = 256;
		}
	}
}

int main(int argc, char **argv)
{
	int out[2], status;
	int64_t begin, end;
	pid_t child;

	if (argc < 3) {
		fprintf(stderr, "usage: firstline TEXT COMMAND [ARGUMENT]...\n");
		return 2;
	}
	if (pipe(out) < 0) {
		perror("firstline: pipe");
		return 1;
	}
	begin = now_ns();
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (child < 0) {
		perror("firstline: fork");
		return 1;
	}
	setpgid(child, child);
	close(out[1]);
	end = wait_for_line(out[0], argv[1]);
	kill(-child, SIGKILL);
	waitpid(child, &status, 0);
	if (end < 0) {
		fprintf(stderr, "firstline: no line with \"%s\": %s\n", argv[1], strerror(-end));
		return 1;
	}
	printf("%lld\n", (long long)(end - begin));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* What the tests of libchannel share. */
#include "helper.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void ends_open_bare(struct ends *e, size_t size)
{
	const struct channel_geometry g = {
		.type = 1, .layout_version = 1,
		.client_size = size, .server_size = size, .private_size = 4096, .doorbells = 2,
	};

	*e = (struct ends){ 0 };
	assert_int_equal(channel_open_pair(&e->client, &e->server, &g), 0);
}

void ends_open(struct ends *e, size_t size)
{
	ends_open_bare(e, size);
	assert_int_equal(packet_open(&e->to_server, e->client), 0);
	assert_int_equal(packet_open(&e->to_client, e->server), 0);
}

void ends_close(struct ends *e)
{
	packet_close(e->to_server);
	packet_close(e->to_client);
	channel_close(e->client);
	channel_close(e->server);
}

int area_fd(const char *name)
{
	char wanted[64], path[320], target[128];
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;
	ssize_t n;

	assert_non_null(dir);
	snprintf(wanted, sizeof(wanted), "/memfd:%s (deleted)", name);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		if (!strcmp(target, wanted) && atoi(entry->d_name) > found)
			found = atoi(entry->d_name);
	}
	closedir(dir);
	assert_true(found >= 0);
	return found;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t seed_next(struct seed *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t seed_below(struct seed *s, uint64_t limit)
{
	return seed_next(s) % limit;
}

size_t pattern_make(uint8_t *to, uint64_t number, size_t length)
{
	size_t i;

	memcpy(to, &number, sizeof(number));
	for (i = sizeof(number); i < length; i++)
		to[i] = (uint8_t)(number * 31 + i * 7 + length);
	return length;
}

bool pattern_check(const uint8_t *from, size_t length, uint64_t *number)
{
	size_t i;

	if (length < sizeof(*number))
		return false;
	memcpy(number, from, sizeof(*number));
	for (i = sizeof(*number); i < length; i++) {
		if (from[i] != (uint8_t)(*number * 31 + i * 7 + length))
			return false;
	}
	return true;
}

pid_t child_start(int (*body)(void *), void *argument)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(60);
		_exit(body(argument));
	}
	return pid;
}

int child_end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

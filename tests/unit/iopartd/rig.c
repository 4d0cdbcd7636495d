/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server for unit tests.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

const uint8_t rig_partition[16] = { 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33,
				    0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55 };

bool rig_forked;

/* An assertion in a fork would go on with the next test there. */
static void must(bool true_one, const char *what)
{
	if (true_one)
		return;
	if (!rig_forked)
		fail_msg("not so: %s", what);
	fprintf(stderr, "in a forked server, not so: %s\n", what);
	_exit(70);
}

#define MUST(x) must(x, #x)

void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; i < IO_MAX_PAIRS - 1; i++)
		r->taps[i] = -1;
	MUST(iopart_init(&r->io, RIG_POOL) == 0);
	MUST(sd_event_new(&r->event) >= 0);
	MUST(iopart_attach(&r->io, r->event) == 0);
}

void rig_uninit(struct rig *r)
{
	iopart_uninit(&r->io);
	sd_event_unref(r->event);
}

void rig_serve(struct rig *r, struct guest *g, int backing, bool readonly)
{
	const struct command_settings settings = { .queues = 1 };

	rig_serve_as(r, g, backing, readonly, &settings);
}

void rig_serve_as(struct rig *r, struct guest *g, int backing, bool readonly,
		  const struct command_settings *settings)
{
	struct device_identity id = {
		.channel = 7, .channel_type = channel_geometry(g->server)->type,
		.readonly = readonly, .partition = "web1", .name = "root",
		.mac = { 0x02, 1, 2, 3, 4, 5 }, .settings = *settings,
	};

	memcpy(id.partition_uuid, rig_partition, sizeof(rig_partition));
	MUST(device_open_channel(&r->device, &r->io, &id, g->server, backing, r->taps) == 0);
}

static uint64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

void rig_until(struct rig *r, bool (*done)(void *argument), void *argument)
{
	uint64_t end = milliseconds() + 10000;

	while (!done(argument)) {
		assert_true(milliseconds() < end);
		assert_true(sd_event_run(r->event, 10000) >= 0);
	}
}

void rig_run(struct rig *r, unsigned int ms)
{
	uint64_t end = milliseconds() + ms;
	int rc;

	do {
		rc = sd_event_run(r->event, 1000);
		assert_true(rc >= 0);
	} while (rc > 0 || milliseconds() < end);
}

static bool settled(void *argument)
{
	return guest_acknowledged(argument) == guest_generation(argument);
}

void rig_settle(struct rig *r, struct guest *g)
{
	rig_until(r, settled, g);
}

int rig_open(const char *path, bool readonly)
{
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	MUST(fd >= 0);
	return fd;
}

int rig_file(char path[64], uint64_t bytes, bool direct)
{
	int fd;

	/* A memory file system takes no direct I/O on the kernels that the tests know. */
	strcpy(path, direct ? "/var/tmp/iopartd-test-XXXXXX" : "/dev/shm/iopartd-test-XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

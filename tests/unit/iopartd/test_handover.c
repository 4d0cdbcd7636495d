/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of uvd's socket: it says hello, outlives uvd, gives up what is withdrawn or was not
 * named again, and neither crashes nor leaks a descriptor over messages that make no sense.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <iopartd/handover.h>
#include <ultravisor/handover.h>

#include "guest.h"
#include "rig.h"

struct state {
	struct guest g;
	struct rig r;
	struct handover *h;
	char directory[64], path[108], disk[64];
	int listener, uvd, file;
};

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* Waits for the client to connect and say hello. */
static void greet(struct state *s)
{
	struct handover_message m = { 0 };
	int i;

	for (i = 0; i < 1000; i++) {
		s->uvd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (s->uvd >= 0)
			break;
		rig_run(&s->r, 5);
	}
	assert_true(s->uvd >= 0);
	assert_int_equal(recv(s->uvd, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(m.version, HANDOVER_VERSION);
	assert_int_equal(m.what, HANDOVER_HELLO);
}

static int setup(void **p)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	rig_init(&s->r);
	guest_init(&s->g, CHANNEL_BLOCK);
	s->file = rig_file(s->disk, 1 << 20, false);
	strcpy(s->directory, "/tmp/iopartd-test-XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	snprintf(s->path, sizeof(s->path), "%s/uvd.sock", s->directory);
	/* uvd is not there yet. */
	assert_int_equal(handover_start(&s->h, &s->r.io, s->path), 0);
	s->listener = listen_at(s->path);
	greet(s);
	*p = s;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;

	handover_stop(s->h);
	rig_uninit(&s->r);
	guest_uninit(&s->g);
	close(s->uvd);
	close(s->listener);
	close(s->file);
	unlink(s->disk);
	unlink(s->path);
	rmdir(s->directory);
	free(s);
	return 0;
}

static struct handover_message message(uint32_t what)
{
	struct handover_message m = {
		.version = HANDOVER_VERSION, .what = what, .channel_id = 99,
		.channel_type = CHANNEL_BLOCK, .partition = "web1", .device = "root",
	};

	return m;
}

static void say(struct state *s, const struct handover_message *m, size_t size, unsigned int fds)
{
	int fd[2 + IO_MAX_PAIRS] = { [0 ... 1 + IO_MAX_PAIRS] = s->file };
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { (void *)m, size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fds) {
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(c), fd, fds * sizeof(int));
	}
	assert_int_equal(sendmsg(s->uvd, &h, MSG_NOSIGNAL), size);
	rig_run(&s->r, 2);
}

static unsigned int descriptors(void)
{
	unsigned int n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static bool hung_up(struct state *s)
{
	char c;

	return recv(s->uvd, &c, 1, MSG_DONTWAIT) == 0;
}

static void it_comes_back_after_uvd_was_away(void **p)
{
	struct state *s = *p;
	int i;

	for (i = 0; i < 3; i++) {
		close(s->uvd);
		rig_run(&s->r, 10);
		greet(s);
	}
	close(s->uvd);
	close(s->listener);
	unlink(s->path);
	rig_run(&s->r, 500);
	s->listener = listen_at(s->path);
	greet(s);
}

static void endpoints_that_are_none_are_closed(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_ENDPOINT);
	unsigned int before = descriptors(), fds;

	for (fds = 0; fds <= 2; fds++)
		say(s, &m, sizeof(m), fds);
	m.channel_type = CHANNEL_COMMAND;
	say(s, &m, sizeof(m), 2);
	m.channel_type = 0xffffffff;
	say(s, &m, sizeof(m), 2);
	assert_null(s->r.io.devices);
	assert_int_equal(descriptors(), before);
	assert_false(hung_up(s));
}

static void messages_that_make_no_sense_end_the_connection(void **p)
{
	struct state *s = *p;
	unsigned int before = descriptors(), round;

	for (round = 0; round < 8; round++) {
		struct handover_message m = message(HANDOVER_ENDPOINT);
		size_t size = sizeof(m);
		unsigned int fds = 2;

		switch (round) {
		case 0:
			m.version++;
			break;
		case 1:
			size--;
			break;
		case 2:
			memset(m.partition, 'x', sizeof(m.partition));
			break;
		case 3:
			memset(m.device, 'x', sizeof(m.device));
			break;
		case 4:
			m.what = 1000;
			break;
		case 5:
			memset(m.settings.serial, 'x', sizeof(m.settings.serial));
			break;
		case 6:
			m.settings.queues = IO_MAX_QUEUES + 1;
			break;
		default:
			fds = 2 + IO_MAX_PAIRS;
		}
		say(s, &m, size, fds);
		assert_true(hung_up(s));
		close(s->uvd);
		greet(s);
		assert_int_equal(descriptors(), before);
	}
}

static void what_is_withdrawn_or_not_named_again_is_given_up(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_WITHDRAW);

	rig_serve(&s->r, &s->g, rig_open(s->disk, false), false);
	s->g.server = NULL;
	s->r.device->round = 1;
	say(s, &m, sizeof(m), 0);	/* another channel */
	assert_non_null(s->r.io.devices);
	m.what = HANDOVER_COMPLETE;
	say(s, &m, sizeof(m), 0);
	assert_non_null(s->r.io.devices);
	m.what = HANDOVER_WITHDRAW;
	m.channel_id = 7;
	say(s, &m, sizeof(m), 0);
	assert_null(s->r.io.devices);
}

static void uvd_dies_and_names_less(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_COMPLETE);

	rig_serve(&s->r, &s->g, rig_open(s->disk, false), false);
	s->g.server = NULL;
	s->r.device->round = 1;
	close(s->uvd);
	rig_run(&s->r, 10);
	assert_int_equal(s->r.device->state, DEVICE_SERVING);
	greet(s);
	rig_run(&s->r, 10);
	assert_int_equal(s->r.device->state, DEVICE_SERVING);
	say(s, &m, sizeof(m), 0);
	assert_null(s->r.io.devices);
}

static void a_device_that_is_named_again_keeps_what_it_has(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_ENDPOINT);
	struct device *d;
	unsigned int before;
	int backing;

	rig_serve(&s->r, &s->g, rig_open(s->disk, false), false);
	s->g.server = NULL;
	d = s->r.device;
	backing = d->backing;
	before = descriptors();
	m.channel_id = 7;
	say(s, &m, sizeof(m), 2);
	assert_ptr_equal(s->r.io.devices, d);
	assert_int_equal(d->backing, backing);
	assert_int_equal(descriptors(), before);
	m.what = HANDOVER_COMPLETE;
	say(s, &m, sizeof(m), 0);
	assert_ptr_equal(s->r.io.devices, d);
}

static void a_device_is_told_how_it_is_served_now(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_SETTINGS);
	struct device *d;

	rig_serve(&s->r, &s->g, rig_open(s->disk, false), false);
	s->g.server = NULL;
	d = s->r.device;
	m.settings = (struct command_settings){ .queues = 1, .operations = 7, .burst_ms = 9 };
	m.size = 4096;
	say(s, &m, sizeof(m), 0);	/* another channel */
	assert_int_equal(d->id.settings.operations, 0);
	m.channel_id = 7;
	say(s, &m, sizeof(m), 0);
	assert_int_equal(d->id.settings.operations, 7);
	assert_int_equal(d->id.size, 4096);
	/* And again with each hand-over, as it may have been away when it was said. */
	m.what = HANDOVER_ENDPOINT;
	m.settings.operations = 8;
	say(s, &m, sizeof(m), 2);
	assert_ptr_equal(s->r.io.devices, d);
	assert_int_equal(d->id.settings.operations, 8);
	assert_false(hung_up(s));
}

static void what_is_lost_and_not_withdrawn_is_asked_for_again(void **p)
{
	struct state *s = *p;
	struct handover_message m = message(HANDOVER_ENDPOINT);

	rig_serve(&s->r, &s->g, rig_open(s->disk, false), false);
	s->g.server = NULL;
	s->r.device->round = 1;
	device_lost(s->r.device, -EPROTO);
	rig_run(&s->r, 300);
	assert_int_equal(s->r.device->state, DEVICE_CLOSED);
	assert_int_equal(s->r.device->backing, -1);
	assert_false(hung_up(s));
	rig_run(&s->r, 1000);
	assert_true(hung_up(s));
	close(s->uvd);
	greet(s);
	/* What is sent in its place here is no endpoint, so that is the end of it. */
	m.channel_id = 7;
	say(s, &m, sizeof(m), 2);
	assert_null(s->r.io.devices);
	rig_run(&s->r, 1500);
	assert_false(hung_up(s));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_comes_back_after_uvd_was_away),
		TEST(endpoints_that_are_none_are_closed),
		TEST(messages_that_make_no_sense_end_the_connection),
		TEST(what_is_withdrawn_or_not_named_again_is_given_up),
		TEST(uvd_dies_and_names_less),
		TEST(what_is_lost_and_not_withdrawn_is_asked_for_again),
		TEST(a_device_that_is_named_again_keeps_what_it_has),
		TEST(a_device_is_told_how_it_is_served_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

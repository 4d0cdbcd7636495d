/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence: while an old server's file description still holds its lock, the new one submits
 * nothing and acknowledges nothing; the end of the last request is the end of the lock.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include "guest.h"
#include "rig.h"

struct state {
	struct guest g;
	struct rig r;
	char path[64];
	int file, old;
};

static int setup(void **p)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	guest_init(&s->g, CHANNEL_BLOCK);
	rig_init(&s->r);
	s->file = rig_file(s->path, 1 << 20, true);
	s->old = rig_open(s->path, false);
	assert_int_equal(flock(s->old, LOCK_EX | LOCK_NB), 0);
	*p = s;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;

	rig_uninit(&s->r);
	s->g.server = NULL;
	guest_uninit(&s->g);
	close(s->file);
	unlink(s->path);
	free(s);
	return 0;
}

static void write_something(struct state *s)
{
	uint64_t at = guest_alloc(&s->g, 16 + 512), status = guest_alloc(&s->g, 1);
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_OUT };
	struct buffer b[] = { { at, 16 + 512, false }, { status, 1, true } };

	memcpy(guest_at(&s->g, at), &h, sizeof(h));
	memset(guest_at(&s->g, at + 16), 'n', 512);
	guest_submit(&s->g, 0, b, 2, false);
	guest_kick(&s->g, 0);
}

static bool used(void *argument)
{
	struct state *s = argument;

	return guest_used_index(&s->g, 0) == 1;
}

static void nothing_is_submitted_before_the_old_lock_is_gone(void **p)
{
	struct state *s = *p;
	char byte;

	rig_serve(&s->r, &s->g, rig_open(s->path, false), false);
	guest_up(&s->g, GUEST_FEATURES, 1, 16);
	write_something(s);
	rig_run(&s->r, 200);
	assert_int_equal(s->r.device->state, DEVICE_FENCING);
	assert_int_equal(guest_acknowledged(&s->g), 0);
	assert_int_equal(guest_used_index(&s->g, 0), 0);
	assert_int_equal(pread(s->file, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);

	/* The old server's late write arrives, and with it its lock goes. */
	assert_int_equal(pwrite(s->old, "o", 1, 0), 1);
	close(s->old);
	rig_until(&s->r, used, s);
	assert_int_equal(pread(s->file, &byte, 1, 0), 1);
	assert_int_equal(byte, 'n');
}

static void another_server_cannot_have_the_lock_of_one_that_serves(void **p)
{
	struct state *s = *p;
	int other;

	close(s->old);
	rig_serve(&s->r, &s->g, rig_open(s->path, false), false);
	assert_int_equal(s->r.device->state, DEVICE_SERVING);
	other = rig_open(s->path, false);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	device_withdraw(s->r.device);
	rig_run(&s->r, 10);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
}

static void a_server_that_is_withdrawn_while_it_waits_is_gone(void **p)
{
	struct state *s = *p;

	rig_serve(&s->r, &s->g, rig_open(s->path, false), false);
	assert_int_equal(s->r.device->state, DEVICE_FENCING);
	device_withdraw(s->r.device);
	assert_null(s->r.io.devices);
	close(s->old);
	rig_run(&s->r, 50);
}

static void a_readonly_device_needs_no_fence(void **p)
{
	struct state *s = *p;

	rig_serve(&s->r, &s->g, rig_open(s->path, true), true);
	assert_int_equal(s->r.device->state, DEVICE_SERVING);
	close(s->old);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_submitted_before_the_old_lock_is_gone),
		TEST(another_server_cannot_have_the_lock_of_one_that_serves),
		TEST(a_server_that_is_withdrawn_while_it_waits_is_gone),
		TEST(a_readonly_device_needs_no_fence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

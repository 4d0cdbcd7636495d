/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a disk is served: several queues, its serial number, its limits, and a size that grows.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include <iopartd/limit.h>

#include "guest.h"
#include "rig.h"

#define DISK	(8u << 20)
#define QUEUES	4u
#define MS	1000000ull

struct state {
	struct guest g;
	struct rig r;
	char path[64];
	int file;
	uint64_t header, data, status;
	unsigned int queue;		/* that a request waits in */
};

static void serve(struct state *s, const struct command_settings *settings)
{
	memset(s, 0, sizeof(*s));
	guest_init(&s->g, CHANNEL_BLOCK);
	rig_init(&s->r);
	s->file = rig_file(s->path, DISK, false);
	rig_serve_as(&s->r, &s->g, rig_open(s->path, false), false, settings);
	s->header = guest_alloc(&s->g, 16);
	s->data = guest_alloc(&s->g, 65536);
	s->status = guest_alloc(&s->g, 1);
	guest_up(&s->g, GUEST_FEATURES | 1ULL << VIRTIO_BLK_F_FLUSH, settings->queues, 64);
	rig_settle(&s->r, &s->g);
}

static void stop(struct state *s)
{
	rig_uninit(&s->r);
	s->g.server = NULL;
	guest_uninit(&s->g);
	close(s->file);
	unlink(s->path);
}

static void submit(struct state *s, unsigned int q, uint32_t type, uint64_t sector, uint32_t n)
{
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };
	struct buffer b[] = {
		{ s->header, sizeof(h), false }, { s->data, n, type != VIRTIO_BLK_T_OUT },
		{ s->status, 1, true },
	};

	memcpy(guest_at(&s->g, s->header), &h, sizeof(h));
	guest_submit(&s->g, q, b, 3, false);
}

static bool answered(void *argument)
{
	struct state *s = argument;

	return guest_used_index(&s->g, s->queue) != s->g.queue[s->queue].seen;
}

static void wait_for(struct state *s, unsigned int q)
{
	uint32_t head, length;

	s->queue = q;
	rig_until(&s->r, answered, s);
	assert_true(guest_used(&s->g, q, &head, &length));
	assert_int_equal(*(uint8_t *)guest_at(&s->g, s->status), VIRTIO_BLK_S_OK);
}

static struct virtio_blk_config config(struct state *s)
{
	const struct io_server *v = guest_server(&s->g);
	struct virtio_blk_config c = { 0 };

	memcpy(&c, v->config, v->config_size);
	return c;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void each_queue_answers_its_own_requests(void **p)
{
	const struct command_settings settings = { .queues = QUEUES };
	struct state s;
	unsigned int q, i;

	(void)p;
	serve(&s, &settings);
	assert_int_equal(guest_server(&s.g)->queues, QUEUES);
	assert_true(guest_server(&s.g)->features & 1ULL << VIRTIO_BLK_F_MQ);
	assert_int_equal(config(&s).num_queues, QUEUES);
	/* One alone is kicked, then all at once. */
	for (q = 0; q < QUEUES; q++) {
		submit(&s, q, VIRTIO_BLK_T_IN, q, 512);
		guest_kick(&s.g, q);
		wait_for(&s, q);
		for (i = 0; i < QUEUES; i++)
			assert_int_equal(guest_used_index(&s.g, i), i <= q);
	}
	for (i = 0; i < 50; i++)
		submit(&s, i % QUEUES, VIRTIO_BLK_T_IN, i, 4096);
	for (q = 0; q < QUEUES; q++)
		guest_kick(&s.g, q);
	for (i = 0; i < 50; i++)
		wait_for(&s, i % QUEUES);
	stop(&s);
}

static void one_queue_offers_no_more(void **p)
{
	const struct command_settings settings = { .queues = 1 };
	struct state s;

	(void)p;
	serve(&s, &settings);
	assert_int_equal(guest_server(&s.g)->queues, 1);
	assert_false(guest_server(&s.g)->features & 1ULL << VIRTIO_BLK_F_MQ);
	stop(&s);
}

static void the_serial_number_is_what_was_set(void **p)
{
	const struct command_settings settings = { .queues = 1, .serial = "20-bytes-of-a-serial" };
	struct state s;

	(void)p;
	serve(&s, &settings);
	submit(&s, 0, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES);
	guest_kick(&s.g, 0);
	wait_for(&s, 0);
	assert_memory_equal(guest_at(&s.g, s.data), settings.serial, VIRTIO_BLK_ID_BYTES);
	stop(&s);
}

/* How long n requests of that size take, all submitted at once over all queues. */
static uint64_t time_of(struct state *s, unsigned int queues, unsigned int n, uint32_t bytes)
{
	uint64_t begin = now();
	unsigned int i;

	for (i = 0; i < n; i++)
		submit(s, i % queues, VIRTIO_BLK_T_IN, 0, bytes);
	for (i = 0; i < queues; i++)
		guest_kick(&s->g, i);
	for (i = 0; i < n; i++)
		wait_for(s, i % queues);
	return now() - begin;
}

static void all_queues_share_one_limit(void **p)
{
	struct command_settings settings = { .queues = 2, .operations = 100, .burst_ms = 10 };
	struct state s;

	(void)p;
	serve(&s, &settings);
	/* 21 at 100 a second: the last but one has had its 190 ms. */
	assert_true(time_of(&s, 2, 21, 512) >= 180 * MS);
	settings.operations = 0;
	settings.bytes = 1 << 20;
	device_set(s.r.device, &settings, 0);
	assert_true(time_of(&s, 2, 9, 32768) >= 240 * MS);
	/* Nothing waits, so nothing runs. */
	rig_run(&s.r, 50);
	assert_false(s.r.device->held);
	stop(&s);
}

static void a_limit_that_goes_lets_go_what_waits(void **p)
{
	struct command_settings settings = { .queues = 1, .operations = 1, .burst_ms = 10 };
	struct state s;
	unsigned int i;

	(void)p;
	serve(&s, &settings);
	for (i = 0; i < 20; i++)
		submit(&s, 0, VIRTIO_BLK_T_IN, 0, 512);
	guest_kick(&s.g, 0);
	rig_run(&s.r, 20);
	assert_true(s.r.device->held);
	assert_true(guest_used_index(&s.g, 0) <= 1);
	settings.operations = settings.burst_ms = 0;
	device_set(s.r.device, &settings, 0);
	for (i = 0; i < 20; i++)
		wait_for(&s, 0);
	stop(&s);
}

static void a_reset_is_not_kept_waiting_by_a_limit(void **p)
{
	struct command_settings settings = { .queues = 1, .bytes = 1024, .burst_ms = 1 };
	struct state s;
	unsigned int i;

	(void)p;
	serve(&s, &settings);
	for (i = 0; i < 4; i++)
		submit(&s, 0, VIRTIO_BLK_T_IN, 0, 32768);
	guest_kick(&s.g, 0);
	rig_run(&s.r, 20);
	assert_true(s.r.device->held);
	guest_down(&s.g);
	rig_settle(&s.r, &s.g);
	assert_false(s.r.device->held);
	stop(&s);
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **p)
{
	struct bucket b = { .rate = 1000, .burst = 10 * MS, .full = 0 };
	uint64_t t = 1000 * MS;
	unsigned int i, n = 0;

	(void)p;
	/* Full: ten at once, and one that is owed. */
	while (!bucket_wait(&b, t)) {
		bucket_take(&b, t, 1);
		n++;
	}
	assert_int_equal(n, 11);
	assert_int_equal(bucket_wait(&b, t), MS);
	for (i = 0; i < 100; i++) {
		t += bucket_wait(&b, t);
		bucket_take(&b, t, 1);
	}
	assert_int_equal(t, 1100 * MS);
	/* One large one is paid for by those behind it. */
	t += 1000 * MS;
	bucket_take(&b, t, 500);
	assert_int_equal(bucket_wait(&b, t), 490 * MS);
	/* No overflow, whatever is asked. */
	bucket_take(&b, t, UINT32_MAX);
	assert_true(bucket_wait(&b, t) > 4294967000 * MS);
}

static void a_disk_grows_under_its_guest_and_never_shrinks(void **p)
{
	const struct command_settings settings = { .queues = 1 };
	uint32_t generation;
	struct state s;

	(void)p;
	serve(&s, &settings);
	generation = guest_server(&s.g)->config_generation;
	assert_int_equal(ftruncate(s.file, 2 * DISK), 0);
	device_set(s.r.device, &settings, 2 * DISK);
	assert_int_equal(config(&s).capacity, 2 * DISK / 512);
	assert_int_equal(guest_server(&s.g)->config_generation, generation + 2);
	submit(&s, 0, VIRTIO_BLK_T_OUT, 2 * DISK / 512 - 1, 512);
	guest_kick(&s.g, 0);
	wait_for(&s, 0);
	assert_int_equal(ftruncate(s.file, DISK), 0);
	device_set(s.r.device, &settings, DISK);
	assert_int_equal(config(&s).capacity, 2 * DISK / 512);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_queue_answers_its_own_requests),
		cmocka_unit_test(one_queue_offers_no_more),
		cmocka_unit_test(the_serial_number_is_what_was_set),
		cmocka_unit_test(all_queues_share_one_limit),
		cmocka_unit_test(a_limit_that_goes_lets_go_what_waits),
		cmocka_unit_test(a_reset_is_not_kept_waiting_by_a_limit),
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
		cmocka_unit_test(a_disk_grows_under_its_guest_and_never_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

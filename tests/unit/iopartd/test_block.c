/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block device, served to a fake guest: every request type on the page cache and with direct
 * I/O, errors that reach the guest as errors, resets, and a driver that breaks rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include "guest.h"
#include "rig.h"

#define DISK (16u << 20)
#define FLUSH_FEATURE (1ULL << VIRTIO_BLK_F_FLUSH)

struct state {
	struct guest g;
	struct rig r;
	char path[64];
	int file;			/* another description of the backing, to look at it */
	uint64_t header, status;	/* reused by single requests */
};

static struct state *start(bool direct, bool readonly)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	guest_init(&s->g, CHANNEL_BLOCK);
	rig_init(&s->r);
	s->file = rig_file(s->path, DISK, direct);
	rig_serve(&s->r, &s->g, rig_open(s->path, readonly), readonly);
	s->header = guest_alloc(&s->g, 16);
	s->status = guest_alloc(&s->g, 1);
	return s;
}

static void stop(struct state *s)
{
	rig_uninit(&s->r);
	s->g.server = NULL;	/* the device owned it */
	guest_uninit(&s->g);
	close(s->file);
	unlink(s->path);
	free(s);
}

static int buffered(void **p)
{
	struct state *s = start(false, false);

	guest_up(&s->g, GUEST_FEATURES | FLUSH_FEATURE, 1, 128);
	rig_settle(&s->r, &s->g);
	*p = s;
	return 0;
}

static int direct(void **p)
{
	struct state *s = start(true, false);

	guest_up(&s->g, GUEST_FEATURES | FLUSH_FEATURE, 1, 128);
	rig_settle(&s->r, &s->g);
	*p = s;
	return 0;
}

static int readonly(void **p)
{
	struct state *s = start(false, true);

	guest_up(&s->g, GUEST_FEATURES | FLUSH_FEATURE, 1, 128);
	rig_settle(&s->r, &s->g);
	*p = s;
	return 0;
}

static int teardown(void **p)
{
	stop(*p);
	return 0;
}

static bool has_used(void *argument)
{
	struct state *s = argument;

	return guest_used_index(&s->g, 0) != s->g.queue[0].seen;
}

/* One request, waited for: its status byte; *length: what the used element says. */
static uint8_t request(struct state *s, uint32_t type, uint64_t sector, const struct buffer *data,
		       unsigned int n, uint32_t *length)
{
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };
	struct buffer b[40] = { { s->header, sizeof(h), false } };
	uint32_t head, used;
	uint16_t made;

	memcpy(guest_at(&s->g, s->header), &h, sizeof(h));
	*(uint8_t *)guest_at(&s->g, s->status) = 0xee;
	if (n)
		memcpy(b + 1, data, n * sizeof(*b));
	b[1 + n] = (struct buffer){ s->status, 1, true };
	made = guest_submit(&s->g, 0, b, n + 2, sector & 1);
	guest_kick(&s->g, 0);
	rig_until(&s->r, has_used, s);
	assert_true(guest_used(&s->g, 0, &head, &used));
	assert_int_equal(head, made);
	if (length)
		*length = used;
	return *(uint8_t *)guest_at(&s->g, s->status);
}

static void fill(struct state *s, uint64_t gpa, size_t n, unsigned int seed)
{
	unsigned char *p = guest_at(&s->g, gpa);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (i * 7 + seed) ^ (i >> 9);
}

static void what_is_written_is_in_the_file_and_is_read_back(void **p)
{
	struct state *s = *p;
	uint64_t w = guest_alloc(&s->g, 300000), r = guest_alloc(&s->g, 300000);
	static const uint32_t sizes[] = { 512, 4096, 65536, 65536 + 512, 262144 + 4096 };
	char *file = malloc(300000);
	uint32_t used;
	size_t i;

	assert_non_null(file);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i];
		/* Odd places and lengths of buffers: nothing says that they are aligned. */
		struct buffer out[] = { { w + 3, 100, false }, { w + 103, n - 100, false } };
		struct buffer in[] = { { r + 1, n - 7, true }, { r + 1 + n - 7, 7, true } };

		fill(s, w + 3, n, i);
		assert_int_equal(request(s, VIRTIO_BLK_T_OUT, 5 + i, out, 2, &used), 0);
		assert_int_equal(used, 1);
		assert_int_equal(pread(s->file, file, n, (5 + i) * 512), n);
		assert_memory_equal(file, guest_at(&s->g, w + 3), n);
		assert_int_equal(request(s, VIRTIO_BLK_T_IN, 5 + i, in, 2, &used), 0);
		assert_int_equal(used, n + 1);
		assert_memory_equal(guest_at(&s->g, r + 1), file, n);
	}
	free(file);
	assert_int_equal(s->r.device->busy, 0);
	assert_int_equal(s->r.io.pool.large_free, s->r.io.pool.larges);
	assert_int_equal(s->r.io.pool.small_free, s->r.io.pool.smalls);
}

static void flush_discard_zeroes_and_id_answer(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 8192);
	struct buffer data = { a, 8192, false }, id = { a, 20, true };
	struct virtio_blk_discard_write_zeroes range = { .sector = 0, .num_sectors = 8 };
	struct buffer r = { a, sizeof(range), false };
	char zero[4096] = { 0 }, file[8192];
	struct stat st;
	uint8_t status;

	memset(guest_at(&s->g, a), 'x', 8192);
	assert_int_equal(request(s, VIRTIO_BLK_T_OUT, 0, &data, 1, NULL), 0);
	assert_int_equal(request(s, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, NULL), 0);

	memcpy(guest_at(&s->g, a), &range, sizeof(range));
	assert_int_equal(request(s, VIRTIO_BLK_T_DISCARD, 0, &r, 1, NULL), 0);
	assert_int_equal(pread(s->file, file, 8192, 0), 8192);
	assert_memory_equal(file, zero, 4096);
	assert_int_equal(file[4096], 'x');

	range.sector = 8;
	memcpy(guest_at(&s->g, a), &range, sizeof(range));
	status = request(s, VIRTIO_BLK_T_WRITE_ZEROES, 0, &r, 1, NULL);
	assert_true(status == 0 || status == VIRTIO_BLK_S_UNSUPP);	/* tmpfs cannot */
	range.flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	memcpy(guest_at(&s->g, a), &range, sizeof(range));
	assert_int_equal(request(s, VIRTIO_BLK_T_WRITE_ZEROES, 0, &r, 1, NULL), 0);
	assert_int_equal(pread(s->file, file, 8192, 0), 8192);
	assert_memory_equal(file + 4096, zero, 4096);
	assert_int_equal(fstat(s->file, &st), 0);
	assert_int_equal(st.st_size, DISK);

	assert_int_equal(request(s, VIRTIO_BLK_T_GET_ID, 0, &id, 1, NULL), 0);
	assert_memory_equal(guest_at(&s->g, a), "root", 5);
}

static void what_cannot_be_done_is_an_error_of_that_request_alone(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 8192), last = DISK / 512;
	struct buffer in = { a, 4096, true }, out = { a, 4096, false }, odd = { a, 100, true };
	struct virtio_blk_discard_write_zeroes range = { .sector = last - 1, .num_sectors = 2 };
	struct buffer r = { a, sizeof(range), false }, two[] = { r, r };

	assert_int_equal(request(s, VIRTIO_BLK_T_IN, last - 7, &in, 1, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, last - 8, &in, 1, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(request(s, VIRTIO_BLK_T_OUT, last, &out, 1, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_OUT, UINT64_MAX, &out, 1, NULL),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_OUT, UINT64_MAX / 512, &out, 1, NULL),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &odd, 1, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, 77, 0, &in, 1, NULL), VIRTIO_BLK_S_UNSUPP);
	memcpy(guest_at(&s->g, a), &range, sizeof(range));
	assert_int_equal(request(s, VIRTIO_BLK_T_DISCARD, 0, &r, 1, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_DISCARD, 0, two, 2, NULL), VIRTIO_BLK_S_IOERR);
	range = (struct virtio_blk_discard_write_zeroes){ .num_sectors = 1, .flags = 1 };
	memcpy(guest_at(&s->g, a), &range, sizeof(range));
	assert_int_equal(request(s, VIRTIO_BLK_T_DISCARD, 0, &r, 1, NULL), VIRTIO_BLK_S_UNSUPP);
	/* Nothing to read or write is done at once. */
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, NULL, 0, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(guest_broken(&s->g), 0);
}

static void a_file_that_became_shorter_is_an_error_and_no_hang(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 8192);
	struct buffer in = { a, 8192, true };

	assert_int_equal(ftruncate(s->file, 4096), 0);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_IOERR);
	in.length = 4096;
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
}

static void many_requests_at_once_complete_once_each(void **p)
{
	struct state *s = *p;
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_OUT };
	uint64_t at[40], status[40], header;
	unsigned int i, round, done;
	uint32_t head, used;

	for (i = 0; i < 40; i++) {
		at[i] = guest_alloc(&s->g, 16 + 4096);
		status[i] = guest_alloc(&s->g, 1);
	}
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 40; i++) {
			header = at[i];
			h.sector = (round % 10 * 40 + i) * 8;
			memcpy(guest_at(&s->g, header), &h, sizeof(h));
			memset(guest_at(&s->g, header + 16), round + i, 4096);
			*(uint8_t *)guest_at(&s->g, status[i]) = 0xee;
			guest_submit(&s->g, 0, (struct buffer[]){ { header, 16 + 4096, false },
				     { status[i], 1, true } }, 2, false);
		}
		guest_kick(&s->g, 0);
		for (done = 0; done < 40;) {
			rig_until(&s->r, has_used, s);
			while (guest_used(&s->g, 0, &head, &used))
				done++;
		}
		for (i = 0; i < 40; i++)
			assert_int_equal(*(uint8_t *)guest_at(&s->g, status[i]), 0);
	}
	rig_run(&s->r, 5);
	assert_false(has_used(s));
	for (i = 0; i < 400; i++) {
		unsigned char b[4096], expect = 40 + i / 40 + i % 40;

		assert_int_equal(pread(s->file, b, 4096, i * 4096), 4096);
		assert_int_equal(b[0], expect);
		assert_int_equal(b[4095], expect);
	}
}

static void writes_to_a_readonly_device_are_errors(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 4096);
	struct buffer in = { a, 4096, true }, out = { a, 4096, false };

	assert_true(guest_server(&s->g)->features & 1ULL << VIRTIO_BLK_F_RO);
	assert_false(guest_server(&s->g)->features & 1ULL << VIRTIO_BLK_F_DISCARD);
	assert_int_equal(request(s, VIRTIO_BLK_T_OUT, 0, &out, 1, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(request(s, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, NULL), VIRTIO_BLK_S_OK);
}

static void the_configuration_tells_the_disk(void **p)
{
	struct state *s = *p;
	const struct io_server *v = guest_server(&s->g);
	struct virtio_blk_config c = { 0 };

	assert_int_equal(v->state, IO_SERVER_READY);
	assert_int_equal(v->queues, 1);
	assert_int_equal(v->queue_size_max, IO_MAX_QUEUE_SIZE);
	assert_int_equal(v->config_generation % 2, 0);
	assert_true(v->config_size <= IO_CONFIG_SIZE);
	memcpy(&c, v->config, v->config_size);
	assert_int_equal(c.capacity, DISK / 512);
	assert_int_equal(c.blk_size, 512);
	/* What the two bounds allow must be served: it fits the buffers, all pieces at once. */
	assert_true(c.size_max * c.seg_max <= 7u << 20);
}

/* ---- resets and broken drivers */

static bool asks(struct state *s)
{
	struct pollfd p = { .events = POLLIN };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		p.fd = channel_doorbell_fd(s->g.server, i);
		if (poll(&p, 1, 0))
			return true;
	}
	return false;
}

static bool is_answered(void *argument)
{
	return !asks(argument);
}

/* A guest of one request at a time would never be heard of again by a server that hangs now. */
static void a_kick_stands_until_its_request_is_over(void **p)
{
	struct state *s = *p;
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN };
	uint64_t data = guest_alloc(&s->g, 512);
	struct buffer b[] = {
		{ s->header, sizeof(h), false }, { data, 512, true }, { s->status, 1, true },
	};
	char bytes[512] = "slowly";
	eventfd_t count;
	int slow[2];

	rig_until(&s->r, is_answered, s);
	/* A disk that takes as long as we like. */
	assert_int_equal(pipe2(slow, O_CLOEXEC), 0);
	assert_int_equal(dup2(slow[0], s->r.device->backing), s->r.device->backing);
	memcpy(guest_at(&s->g, s->header), &h, sizeof(h));
	guest_submit(&s->g, 0, b, 3, false);
	guest_kick(&s->g, 0);
	guest_kick(&s->g, 0);
	rig_run(&s->r, 50);
	assert_int_equal(s->r.device->busy, 1);
	assert_true(asks(s));
	/* Alive, it answers both and asks itself. */
	rig_run(&s->r, 2500);
	assert_int_equal(eventfd_read(channel_doorbell_fd(s->g.server, IO_DOORBELL_QUEUE(0)),
				      &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(write(slow[1], bytes, sizeof(bytes)), sizeof(bytes));
	rig_until(&s->r, has_used, s);
	rig_until(&s->r, is_answered, s);
	assert_string_equal(guest_at(&s->g, data), "slowly");
	close(slow[0]);
	close(slow[1]);
}

static void a_reset_waits_for_what_is_under_way(void **p)
{
	struct state *s = *p;
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN };
	uint64_t a = guest_alloc(&s->g, 65536);
	struct buffer b[] = {
		{ s->header, 16, false }, { a, 65536, true }, { s->status, 1, true },
	};
	uint32_t before;
	int i;

	memcpy(guest_at(&s->g, s->header), &h, sizeof(h));
	for (i = 0; i < 10; i++)
		guest_submit(&s->g, 0, b, 3, true);
	guest_kick(&s->g, 0);
	guest_down(&s->g);
	rig_settle(&s->r, &s->g);
	assert_int_equal(s->r.device->busy, 0);
	before = guest_used_index(&s->g, 0);
	memset(guest_at(&s->g, a), 0x5a, 65536);
	rig_run(&s->r, 10);
	/* After the acknowledgement nothing of it is touched. */
	assert_int_equal(guest_used_index(&s->g, 0), before);
	for (i = 0; i < 65536; i++)
		assert_int_equal(*(char *)guest_at(&s->g, a + i), 0x5a);
	guest_up(&s->g, GUEST_FEATURES, 1, 64);
	rig_settle(&s->r, &s->g);
	b[1].length = 512;
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &b[1], 1, NULL), VIRTIO_BLK_S_OK);
}

static bool is_broken(void *argument)
{
	struct guest *g = argument;

	return guest_broken(g) == guest_generation(g);
}

static void a_driver_that_breaks_a_rule_waits_for_its_reset(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 4096);
	struct buffer in = { a, 4096, true };
	struct buffer bad[] = { { GUEST_HIGH - 8, 16, false }, { s->status, 1, true } };
	struct buffer nostatus = { s->header, 16, false };
	struct buffer noheader[] = { { a, 8, false }, { a, 1, true } };
	int round;

	for (round = 0; round < 5; round++) {
		switch (round) {
		case 0:
			guest_submit(&s->g, 0, bad, 2, false);
			break;
		case 1:
			guest_submit(&s->g, 0, &nostatus, 1, false);
			break;
		case 2:
			guest_submit(&s->g, 0, noheader, 2, true);
			break;
		case 3:
			guest_avail(&s->g, 0)->idx += 200;
			break;
		default:
			guest_avail(&s->g, 0)->ring[0] = 0xffff;
			guest_avail(&s->g, 0)->idx++;
		}
		guest_kick(&s->g, 0);
		rig_until(&s->r, is_broken, &s->g);
		assert_int_equal(guest_used_index(&s->g, 0), 0);
		guest_down(&s->g);
		rig_settle(&s->r, &s->g);
		guest_up(&s->g, GUEST_FEATURES, 1, 64);
		rig_settle(&s->r, &s->g);
		assert_false(is_broken(&s->g));
	}
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
}

static void the_same_head_twice_is_a_fault(void **p)
{
	struct state *s = *p;
	struct vring_avail *a = guest_avail(&s->g, 0);
	uint64_t at = guest_alloc(&s->g, 65536);
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_FLUSH };
	struct buffer b[] = { { s->header, 16, false }, { s->status, 1, true } };
	uint16_t head;

	(void)at;
	memcpy(guest_at(&s->g, s->header), &h, sizeof(h));
	head = guest_submit(&s->g, 0, b, 2, false);
	a->ring[1] = a->ring[2] = head;
	a->idx = 3;
	guest_kick(&s->g, 0);
	rig_until(&s->r, is_broken, &s->g);
}

static void a_setup_that_makes_no_sense_breaks_the_device(void **p)
{
	struct state *s = *p;
	struct io_client *c = channel_own(s->g.client);
	int round;

	for (round = 0; round < 6; round++) {
		guest_down(&s->g);
		rig_settle(&s->r, &s->g);
		guest_up(&s->g, GUEST_FEATURES, 1, 128);
		atomic_store(&c->generation, guest_generation(&s->g));
		switch (round) {
		case 0:
			c->features = GUEST_FEATURES | 1ULL << 60;
			break;
		case 1:
			c->features = GUEST_FEATURES & ~(1ULL << 32);
			break;
		case 2:
			c->queues = 0xffffffff;
			break;
		case 3:
			c->queue[0].size = 0x10000;
			break;
		case 4:
			c->queue[0].desc = GUEST_LOW_SIZE - 16;
			break;
		default:
			c->queue[0].device = 0x1001;
		}
		rig_until(&s->r, is_broken, &s->g);
		rig_settle(&s->r, &s->g);
	}
	guest_down(&s->g);
	rig_settle(&s->r, &s->g);
	guest_up(&s->g, GUEST_FEATURES, 1, 128);
	rig_settle(&s->r, &s->g);
	assert_false(is_broken(&s->g));
}

static void a_neighbour_of_a_broken_device_is_served(void **p)
{
	struct state *s = *p;
	struct buffer bad = { s->header, 8, false }, in = { guest_alloc(&s->g, 4096), 4096, true };
	struct guest other;
	char path[64];
	int fd = rig_file(path, DISK, false);

	guest_init(&other, CHANNEL_BLOCK);
	rig_serve(&s->r, &other, rig_open(path, false), false);
	guest_up(&other, GUEST_FEATURES, 1, 128);
	rig_settle(&s->r, &other);
	guest_submit(&other, 0, &bad, 1, false);
	guest_kick(&other, 0);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
	rig_until(&s->r, is_broken, &other);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
	device_withdraw(s->r.device);
	assert_int_equal(request(s, VIRTIO_BLK_T_IN, 0, &in, 1, NULL), VIRTIO_BLK_S_OK);
	other.server = NULL;
	guest_uninit(&other);
	close(fd);
	unlink(path);
}

static size_t resident(const struct pool *p)
{
	unsigned char page[RIG_POOL / 4096];
	size_t i, n = 0;

	assert_int_equal(mincore(p->base, p->size, page), 0);
	for (i = 0; i < p->size / 4096; i++)
		n += page[i] & 1;
	return n * 4096;
}

static bool has_given_back(void *argument)
{
	struct state *s = argument;

	return !s->r.io.pool_used && !s->r.io.pool.touched;
}

static void the_pools_memory_comes_on_demand_and_goes_back(void **p)
{
	struct state *s = *p;
	struct buffer out = { guest_alloc(&s->g, 70000), 65536 + 512, false };
	struct buffer in = { guest_alloc(&s->g, 70000), 65536 + 512, true };
	int enabled = -1;
	unsigned int i;

	assert_int_equal(resident(&s->r.io.pool), 0);
	for (i = 0; i < 2; i++) {
		fill(s, out.gpa, out.length, i);
		assert_int_equal(request(s, VIRTIO_BLK_T_OUT, 8, &out, 1, NULL), 0);
		assert_in_range(resident(&s->r.io.pool), 65536, 4 * POOL_SLAB);
		rig_until(&s->r, has_given_back, s);
		assert_int_equal(resident(&s->r.io.pool), 0);
		/* And nothing is left that would wake the daemon up. */
		assert_true(sd_event_source_get_enabled(s->r.io.life, &enabled) >= 0);
		assert_int_equal(enabled, SD_EVENT_OFF);
		assert_int_equal(request(s, VIRTIO_BLK_T_IN, 8, &in, 1, NULL), 0);
		assert_memory_equal(guest_at(&s->g, in.gpa), guest_at(&s->g, out.gpa), out.length);
	}
}

int main(void)
{
#define TEST(f, how) { #f " (" #how ")", f, how, teardown, NULL }
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_in_the_file_and_is_read_back, buffered),
		TEST(what_is_written_is_in_the_file_and_is_read_back, direct),
		TEST(flush_discard_zeroes_and_id_answer, buffered),
		TEST(flush_discard_zeroes_and_id_answer, direct),
		TEST(what_cannot_be_done_is_an_error_of_that_request_alone, buffered),
		TEST(what_cannot_be_done_is_an_error_of_that_request_alone, direct),
		TEST(a_file_that_became_shorter_is_an_error_and_no_hang, buffered),
		TEST(a_file_that_became_shorter_is_an_error_and_no_hang, direct),
		TEST(many_requests_at_once_complete_once_each, buffered),
		TEST(many_requests_at_once_complete_once_each, direct),
		TEST(the_pools_memory_comes_on_demand_and_goes_back, direct),
		TEST(writes_to_a_readonly_device_are_errors, readonly),
		TEST(the_configuration_tells_the_disk, buffered),
		TEST(a_kick_stands_until_its_request_is_over, buffered),
		TEST(a_reset_waits_for_what_is_under_way, buffered),
		TEST(a_reset_waits_for_what_is_under_way, direct),
		TEST(a_driver_that_breaks_a_rule_waits_for_its_reset, buffered),
		TEST(a_neighbour_of_a_broken_device_is_served, buffered),
		TEST(the_same_head_twice_is_a_fault, direct),
		TEST(a_setup_that_makes_no_sense_breaks_the_device, buffered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of a split virtqueue in a hostile guest's memory: what is legal is read, what is not is
 * refused with a reason, and nothing runs for ever or leaves the guest's memory.
 */
#include <errno.h>
#include <string.h>

#include <iopartd/virtqueue.h>

#include "guest.h"

#define QUEUE 16u

struct state {
	struct guest g;
	struct guest_memory memory;
	struct virtqueue q;
	struct chain chain;
};

static int setup(void **p)
{
	static struct state s;
	const struct channel_region *region;
	struct io_queue from;

	memset(&s, 0, sizeof(s));
	guest_init(&s.g, CHANNEL_BLOCK);
	guest_up(&s.g, GUEST_FEATURES, 1, QUEUE);
	assert_int_equal(channel_memory(s.g.server, &region, &s.memory.regions), 0);
	s.memory.region = region;
	from = ((struct io_client *)channel_own(s.g.client))->queue[0];
	assert_int_equal(virtqueue_setup(&s.q, &s.memory, &from, GUEST_FEATURES), 0);
	*p = &s;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;

	guest_uninit(&s->g);
	return 0;
}

static void refused(struct state *s, int rc, const char *why)
{
	assert_int_equal(rc, -EPROTO);
	assert_non_null(s->q.fault);
	if (!strstr(s->q.fault, why))
		fail_msg("fault is \"%s\", expected \"%s\"", s->q.fault, why);
}

static void a_chain_is_read_with_its_two_kinds_of_buffers(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 100);
	struct buffer b[] = { { a, 16, false }, { GUEST_HIGH, 8, false }, { a + 16, 20, true } };
	uint16_t head = guest_submit(&s->g, 0, b, 3, false);

	assert_int_equal(virtqueue_waiting(&s->q), 1);
	assert_int_equal(virtqueue_head(&s->q, 0), head);
	assert_int_equal(virtqueue_chain(&s->q, head, &s->chain), 0);
	assert_int_equal(s->chain.readable, 2);
	assert_int_equal(s->chain.writable, 1);
	assert_int_equal(s->chain.readable_bytes, 24);
	assert_int_equal(s->chain.writable_bytes, 20);
	assert_int_equal(s->chain.iov[2].iov_len, 20);
	/* Through the server's own mapping of the same memory. */
	*(char *)s->chain.iov[2].iov_base = 'x';
	assert_int_equal(*(char *)guest_at(&s->g, a + 16), 'x');
}

static void an_indirect_chain_is_the_same(void **p)
{
	struct state *s = *p;
	uint64_t a = guest_alloc(&s->g, 100);
	struct buffer b[] = { { a, 16, false }, { a + 16, 0, false }, { a + 32, 20, true } };
	uint16_t head = guest_submit(&s->g, 0, b, 3, true);

	assert_int_equal(virtqueue_chain(&s->q, head, &s->chain), 0);
	assert_int_equal(s->chain.readable, 1);		/* an empty buffer is none */
	assert_int_equal(s->chain.writable, 1);
}

static void a_loop_ends(void **p)
{
	struct state *s = *p;
	struct vring_desc *d = guest_desc(&s->g, 0);

	d[0] = (struct vring_desc){ 0x1000, 1, VRING_DESC_F_NEXT, 1 };
	d[1] = (struct vring_desc){ 0x1000, 1, VRING_DESC_F_NEXT, 0 };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "loop");
	d[1].len = d[0].len = 0;	/* also one that adds nothing */
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "loop");
}

static void a_chain_as_long_as_the_table_is_legal(void **p)
{
	struct state *s = *p;
	struct vring_desc *d = guest_desc(&s->g, 0);
	unsigned int i;

	for (i = 0; i < QUEUE; i++)
		d[i] = (struct vring_desc){
			0x1000, 1, i + 1 < QUEUE ? VRING_DESC_F_NEXT : 0, i + 1,
		};
	assert_int_equal(virtqueue_chain(&s->q, 0, &s->chain), 0);
	assert_int_equal(s->chain.readable, QUEUE);
}

static void next_and_heads_stay_in_the_table(void **p)
{
	struct state *s = *p;
	struct vring_desc *d = guest_desc(&s->g, 0);
	struct vring_avail *a = guest_avail(&s->g, 0);

	d[0] = (struct vring_desc){ 0x1000, 1, VRING_DESC_F_NEXT, QUEUE };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "leaves its descriptor table");
	d[0].next = 0xffff;
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "leaves its descriptor table");
	a->ring[0] = QUEUE;
	refused(s, virtqueue_head(&s->q, 0), "no descriptor");
}

static void the_available_index_moves_by_the_size_at_most(void **p)
{
	struct state *s = *p;
	struct vring_avail *a = guest_avail(&s->g, 0);

	a->idx = QUEUE;
	assert_int_equal(virtqueue_waiting(&s->q), QUEUE);
	a->idx = QUEUE + 1;
	refused(s, virtqueue_waiting(&s->q), "available index");
	a->idx = 0xffff;	/* backwards */
	refused(s, virtqueue_waiting(&s->q), "available index");
	s->q.taken = 0x1fff0;	/* wraps */
	a->idx = 0xfff5;
	assert_int_equal(virtqueue_waiting(&s->q), 5);
	a->idx = 0x0000;
	assert_int_equal(virtqueue_waiting(&s->q), QUEUE);
}

static void buffers_stay_in_the_memory(void **p)
{
	static const struct {
		uint64_t gpa;
		uint32_t length;
	} outside[] = {
		{ GUEST_LOW_SIZE, 1 },
		{ GUEST_LOW_SIZE - 1, 2 },
		{ GUEST_HIGH - 1, 1 },
		{ GUEST_HIGH - 1, 2 },
		{ GUEST_HIGH + GUEST_HIGH_SIZE, 1 },
		{ GUEST_HIGH + GUEST_HIGH_SIZE - 1, 0xffffffff },
		{ 0, 0xffffffff },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX, 0xffffffff },
		{ UINT64_MAX - 15, 32 },
	};
	struct state *s = *p;
	struct vring_desc *d = guest_desc(&s->g, 0);
	size_t i;

	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		d[0] = (struct vring_desc){ outside[i].gpa, outside[i].length, 0, 0 };
		refused(s, virtqueue_chain(&s->q, 0, &s->chain), "outside");
	}
	d[0] = (struct vring_desc){ GUEST_LOW_SIZE - 1, 1, 0, 0 };
	assert_int_equal(virtqueue_chain(&s->q, 0, &s->chain), 0);
	d[0] = (struct vring_desc){ GUEST_HIGH, GUEST_HIGH_SIZE, 0, 0 };
	assert_int_equal(virtqueue_chain(&s->q, 0, &s->chain), 0);
}

static void a_buffer_may_cross_adjacent_blocks(void **p)
{
	struct state *s = *p;
	struct channel_region split[2] = {
		{ 0, 0x200000, s->memory.region[0].base },
		{ 0x200000, 0x200000, (char *)s->memory.region[0].base + 0x200000 },
	};
	struct guest_memory two = { split, 2 };
	struct vring_desc *d = guest_desc(&s->g, 0);

	s->q.memory = &two;
	d[0] = (struct vring_desc){ 0x200000 - 10, 30, VRING_DESC_F_WRITE, 0 };
	assert_int_equal(virtqueue_chain(&s->q, 0, &s->chain), 0);
	assert_int_equal(s->chain.writable, 2);
	assert_int_equal(s->chain.iov[0].iov_len, 10);
	assert_int_equal(s->chain.iov[1].iov_len, 20);
	assert_int_equal(s->chain.writable_bytes, 30);
}

static void readable_after_writable_is_refused(void **p)
{
	struct state *s = *p;
	struct buffer b[] = { { 0x1000, 16, true }, { 0x2000, 8, false } };
	uint16_t head = guest_submit(&s->g, 0, b, 2, false);

	refused(s, virtqueue_chain(&s->q, head, &s->chain), "readable");
}

static void indirect_tables_are_checked(void **p)
{
	struct state *s = *p;
	struct vring_desc *d = guest_desc(&s->g, 0);
	uint64_t at = guest_alloc(&s->g, 16 * (CHAIN_MAX + 1));
	struct vring_desc *table = guest_at(&s->g, at);
	unsigned int i;

	d[0] = (struct vring_desc){ at, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1 };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "does not end");
	d[0].flags = VRING_DESC_F_INDIRECT;
	for (i = 0; i < 3; i++) {
		d[0].len = i == 0 ? 0 : i == 1 ? 17 : 16 * (CHAIN_MAX + 1);
		refused(s, virtqueue_chain(&s->q, 0, &s->chain), "impossible length");
	}
	d[0].len = 16;
	table[0] = (struct vring_desc){ at, 16, VRING_DESC_F_INDIRECT, 0 };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "within an indirect");
	table[0] = (struct vring_desc){ 0x1000, 1, VRING_DESC_F_NEXT, 0 };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "loop");
	d[0].addr = GUEST_LOW_SIZE - 8;
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "outside");
	d[0].addr = UINT64_MAX - 7;
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "outside");
	/* The queue's own table as an indirect one that points at itself. */
	d[0] = (struct vring_desc){ s->g.queue[0].desc, 16, VRING_DESC_F_INDIRECT, 0 };
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "within an indirect");
	s->q.indirect = false;
	refused(s, virtqueue_chain(&s->q, 0, &s->chain), "not negotiated");
}

static void queues_are_checked_when_they_are_set_up(void **p)
{
	struct state *s = *p;
	struct io_queue good = { .size = 16, .desc = 0x1000, .driver = 0x2000, .device = 0x3000 };
	struct io_queue q;
	struct virtqueue v;

	assert_int_equal(virtqueue_setup(&v, &s->memory, &good, 0), 0);
#define REFUSED(member, value) do { \
	q = good; \
	q.member = value; \
	assert_int_equal(virtqueue_setup(&v, &s->memory, &q, 0), -EPROTO); \
	assert_non_null(v.fault); \
} while (0)
	REFUSED(size, 3);
	REFUSED(size, 512);
	REFUSED(size, 0x80000000);
	REFUSED(desc, 0x1008);
	REFUSED(driver, 0x2001);
	REFUSED(device, 0x3002);
	REFUSED(desc, GUEST_LOW_SIZE - 16);
	REFUSED(driver, GUEST_LOW_SIZE - 16);
	REFUSED(device, GUEST_HIGH + GUEST_HIGH_SIZE - 16);
	REFUSED(desc, UINT64_MAX - 15);
	q = good;
	q.size = 0;
	assert_int_equal(virtqueue_setup(&v, &s->memory, &q, 0), 0);
	assert_int_equal(v.size, 0);
}

static void interrupts_come_at_the_index_that_the_driver_named(void **p)
{
	struct state *s = *p;
	struct vring_avail *a = guest_avail(&s->g, 0);

	a->ring[QUEUE] = 2;		/* used_event */
	virtqueue_publish(&s->q, 1);
	assert_false(virtqueue_wants_interrupt(&s->q));
	virtqueue_publish(&s->q, 2);
	assert_false(virtqueue_wants_interrupt(&s->q));
	virtqueue_publish(&s->q, 5);
	assert_true(virtqueue_wants_interrupt(&s->q));
	assert_false(virtqueue_wants_interrupt(&s->q));
	s->q.event_index = false;
	virtqueue_publish(&s->q, 6);
	assert_true(virtqueue_wants_interrupt(&s->q));
	a->flags = VRING_AVAIL_F_NO_INTERRUPT;
	virtqueue_publish(&s->q, 7);
	assert_false(virtqueue_wants_interrupt(&s->q));
}

static void listening_misses_nothing(void **p)
{
	struct state *s = *p;
	struct buffer b = { 0x1000, 16, false };

	assert_false(virtqueue_listen(&s->q, 0));
	guest_submit(&s->g, 0, &b, 1, false);
	assert_true(virtqueue_listen(&s->q, 0));
	assert_false(virtqueue_listen(&s->q, 1));
	guest_submit(&s->g, 0, &b, 1, false);
	assert_true(virtqueue_listen(&s->q, 1));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_chain_is_read_with_its_two_kinds_of_buffers),
		TEST(an_indirect_chain_is_the_same),
		TEST(a_loop_ends),
		TEST(a_chain_as_long_as_the_table_is_legal),
		TEST(next_and_heads_stay_in_the_table),
		TEST(the_available_index_moves_by_the_size_at_most),
		TEST(buffers_stay_in_the_memory),
		TEST(a_buffer_may_cross_adjacent_blocks),
		TEST(readable_after_writable_is_refused),
		TEST(indirect_tables_are_checked),
		TEST(queues_are_checked_when_they_are_set_up),
		TEST(interrupts_come_at_the_index_that_the_driver_named),
		TEST(listening_misses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A server looks for the next request while that pays, without being kicked, and then sleeps. */
#include <string.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include "guest.h"
#include "rig.h"

#define LONGEST_NS	(400 * 1000000ull)	/* far above a step's */
#define QUEUE		64u

struct state {
	struct guest g;
	struct rig r;
	char path[64];
	uint64_t header, data, status;
	uint16_t seen;
};

static int setup(void **state)
{
	static struct state s;
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN };
	int file;

	memset(&s, 0, sizeof(s));
	guest_init(&s.g, CHANNEL_BLOCK);
	rig_init(&s.r);
	s.r.io.linger.longest_ns = LONGEST_NS;
	file = rig_file(s.path, 1 << 20, false);
	close(file);
	rig_serve(&s.r, &s.g, rig_open(s.path, false), false);
	s.header = guest_alloc(&s.g, sizeof(h));
	s.data = guest_alloc(&s.g, 4096);
	s.status = guest_alloc(&s.g, 1);
	memcpy(guest_at(&s.g, s.header), &h, sizeof(h));
	guest_up(&s.g, GUEST_FEATURES, 1, QUEUE);
	rig_settle(&s.r, &s.g);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	rig_uninit(&s->r);
	s->g.server = NULL;	/* it was the device's */
	guest_uninit(&s->g);
	unlink(s->path);
	return 0;
}

static bool completed(void *argument)
{
	struct state *s = argument;
	uint32_t head, length;

	if (!guest_used(&s->g, 0, &head, &length))
		return false;
	s->seen++;
	return true;
}

/* The driver has been this slow on average, and the next request is due within twice that. */
static void used_to(struct state *s, uint64_t gap_ns)
{
	struct lingering *l = &s->r.device->lingering;

	l->gap_ns[BY_KICK] = gap_ns;
	l->gap_ns[BY_LOOK] = gap_ns / 2;
	l->requests = 100;		/* between two trials */
}

static void request(struct state *s, bool kick)
{
	const struct buffer b[] = {
		{ s->header, sizeof(struct virtio_blk_outhdr), false }, { s->data, 4096, true },
		{ s->status, 1, true },
	};

	guest_submit(&s->g, 0, b, 3, false);
	if (kick)
		guest_kick(&s->g, 0);
	rig_until(&s->r, completed, s);
}

/* What the driver looks at before it kicks (Virtio 1.2, 2.7.10). */
static bool wants_kick(struct state *s)
{
	const struct guest_queue *q = &s->g.queue[0];
	const struct vring_used *used = guest_at(&s->g, q->device);
	uint16_t event = *(const volatile uint16_t *)&used->ring[q->size];

	return vring_need_event(event, q->made + 1, q->made);
}

static bool sleeps(void *argument)
{
	const struct state *s = argument;

	return !s->r.device->lingering.on;
}

static void what_comes_soon_needs_no_kick(void **state)
{
	struct state *s = *state;
	unsigned int i;

	used_to(s, LONGEST_NS / 2);
	for (i = 0; i < 4; i++)
		request(s, true);
	for (i = 0; i < 40; i++) {
		used_to(s, LONGEST_NS / 2);
		assert_true(s->r.device->lingering.on);
		assert_false(wants_kick(s));
		/* Were this process stopped now, the module would miss an answer. */
		assert_true(s->r.device->kicked);
		request(s, false);
	}
}

static void when_nothing_comes_it_sleeps(void **state)
{
	struct state *s = *state;
	unsigned int i;

	used_to(s, LONGEST_NS / 2);
	for (i = 0; i < 4; i++)
		request(s, true);
	assert_true(s->r.device->lingering.on);
	rig_until(&s->r, sleeps, s);
	assert_true(wants_kick(s));
	assert_false(s->r.device->kicked);
	rig_run(&s->r, 5);
	assert_int_equal(sd_event_source_get_enabled(s->r.io.linger.source, NULL), SD_EVENT_OFF);
	/* The one that comes late has to kick, and is served. */
	request(s, true);
	assert_int_equal(s->seen, 5);
}

/* Kicks, then looks are tried; then what was quicker. */
static void both_ways_are_measured(void **state)
{
	struct state *s = *state;
	struct lingering *l = &s->r.device->lingering;

	l->requests = 0;
	while (l->requests < 16) {
		assert_false(linger_pays(s->r.device));
		request(s, true);
	}
	assert_in_range(l->gap_ns[BY_KICK], 1, LONGEST_NS / 2);
	used_to(s, LONGEST_NS / 2);
	l->gap_ns[BY_LOOK] = 0;
	l->requests = 16;
	assert_true(linger_pays(s->r.device));
	request(s, true);
	assert_true(l->on);
	request(s, false);
	assert_in_range(l->gap_ns[BY_LOOK], 1, LONGEST_NS / 2);
	l->requests = 32;
	assert_true(linger_pays(s->r.device));
	l->gap_ns[BY_LOOK] = l->gap_ns[BY_KICK];
	assert_false(linger_pays(s->r.device));
}

static void what_comes_late_is_not_waited_for(void **state)
{
	struct state *s = *state;
	unsigned int i;

	s->r.io.linger.longest_ns = 2000000;
	for (i = 0; i < 6; i++) {
		request(s, true);
		usleep(10000);
	}
	request(s, true);
	assert_false(linger_pays(s->r.device));
	assert_false(s->r.device->lingering.on);
	assert_true(wants_kick(s));
}

static void a_reset_ends_it(void **state)
{
	struct state *s = *state;
	unsigned int i;

	used_to(s, LONGEST_NS / 2);
	for (i = 0; i < 4; i++)
		request(s, true);
	assert_true(s->r.device->lingering.on);
	guest_down(&s->g);
	rig_settle(&s->r, &s->g);
	assert_false(s->r.device->lingering.on);
	guest_up(&s->g, GUEST_FEATURES, 1, QUEUE);
	rig_settle(&s->r, &s->g);
	s->seen = 0;
	request(s, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_soon_needs_no_kick, setup, teardown),
		cmocka_unit_test_setup_teardown(when_nothing_comes_it_sleeps, setup, teardown),
		cmocka_unit_test_setup_teardown(both_ways_are_measured, setup, teardown),
		cmocka_unit_test_setup_teardown(what_comes_late_is_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_ends_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

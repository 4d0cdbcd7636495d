/* SPDX-License-Identifier: Apache-2.0 */
/* Which device goes back to its first I/O partition, and when: time is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/ultravisor.h>

#include "../../../cmdpartd/failback.h"
#include "world.h"

#define S	1000000000ull
#define WAIT	(10 * S)

#define SERVING	ULTRAVISOR_SLOT_SERVING
#define STANDBY	ULTRAVISOR_SLOT_STANDBY
#define ABSENT	ULTRAVISOR_SLOT_ABSENT

/* Devices of guest "web", each first io-a's, then io-b's. */
struct scene {
	struct failback f;
	struct {
		uint32_t first, second;
		uint64_t epoch;
	} device[3];
	unsigned int devices;
	int pid;			/* of io-a */
};

static void set(struct scene *s, unsigned int i, uint32_t first, uint32_t second)
{
	if ((s->device[i].first == SERVING) != (first == SERVING))
		s->device[i].epoch++;
	s->device[i].first = first;
	s->device[i].second = second;
}

static void set_all(struct scene *s, uint32_t first, uint32_t second)
{
	for (unsigned int i = 0; i < s->devices; i++)
		set(s, i, first, second);
}

static struct rows *rows_of(const struct scene *s)
{
	struct rows *rows = world("cpu 0-3 node 0 core 0,1,2,3\nmemory 0 4GiB\n"
				  "domain default 1-3 4GiB\n"
				  "partition web default on 1 shared 1GiB 1 0\n");

	for (unsigned int i = 0; i < s->devices; i++) {
		struct command_row_channel c = {
			.r = { .type = COMMAND_ROW_CHANNEL, .length = sizeof(c) },
			.name = { "disk" }, .module_id = i + 1, .epoch = s->device[i].epoch,
			.servers = 2, .server_name = { "io-a", "io-b" },
			.slot_state = { s->device[i].first, s->device[i].second },
			.server_pid = { s->device[i].first == ABSENT ? 0 : s->pid, 2 },
		};

		c.channel[0] = i + 1;
		c.name[4] = '0' + i;
		world_uuid(c.partition, "web");
		world_uuid(c.server[0], "io-a");
		world_uuid(c.server[1], "io-b");
		assert_int_equal(rows_add(rows, &c.r), 0);
	}
	return rows;
}

/* The device that would be moved at this time, -1: none. */
static int look(struct scene *s, uint64_t now)
{
	const struct command_row_channel *c;
	struct rows *rows = rows_of(s);
	uint64_t stood;
	int i;

	c = failback_look(&s->f, rows, now, WAIT, &stood);
	i = c ? c->channel[0] - 1 : -1;
	rows_free(rows);
	return i;
}

/* It is moved, and the module has done it. */
static void move(struct scene *s, unsigned int i, uint64_t now)
{
	const uint8_t channel[16] = { i + 1 };

	failback_moved(&s->f, channel, now);
	set(s, i, SERVING, STANDBY);
}

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	SLIST_INIT(&s->f.cases);
	s->devices = 3;
	s->pid = 100;
	set_all(s, SERVING, STANDBY);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	failback_close(&s->f);
	free(s);
	return 0;
}

static void each_device_goes_back_once_its_server_has_stood_by(void **state)
{
	struct scene *s = *state;

	assert_int_equal(look(s, 100 * S), -1);
	assert_true(SLIST_EMPTY(&s->f.cases));
	set_all(s, ABSENT, SERVING);
	assert_int_equal(look(s, 101 * S), -1);
	assert_int_equal(look(s, 199 * S), -1);
	set_all(s, STANDBY, SERVING);
	assert_int_equal(look(s, 200 * S), -1);
	/* One comes and goes: its time begins anew. */
	set(s, 1, ABSENT, SERVING);
	assert_int_equal(look(s, 205 * S), -1);
	set(s, 1, STANDBY, SERVING);
	assert_int_equal(look(s, 206 * S), -1);
	for (unsigned int n = 0; n < 2; n++) {
		int i = look(s, 210 * S + n);

		assert_true(i == 0 || i == 2);
		move(s, i, 210 * S + n);
	}
	assert_int_equal(look(s, 211 * S), -1);
	assert_int_equal(look(s, 216 * S), 1);
	move(s, 1, 216 * S);
	assert_int_equal(look(s, 217 * S), -1);
	assert_int_equal(look(s, 216 * S + FAILBACK_TRUST_NS), -1);
	assert_true(SLIST_EMPTY(&s->f.cases));
}

static void a_server_that_fails_again_soon_stands_by_for_longer(void **state)
{
	struct scene *s = *state;
	uint64_t now = 1000 * S, wait = WAIT;

	for (unsigned int round = 0; round < 12; round++) {
		set_all(s, ABSENT, SERVING);
		assert_int_equal(look(s, now += S), -1);
		set_all(s, STANDBY, SERVING);
		assert_int_equal(look(s, now += S), -1);
		/* Three devices were lost, which was one failure. */
		if (wait > FAILBACK_WAIT_MAX_NS)
			wait = FAILBACK_WAIT_MAX_NS;
		assert_int_equal(look(s, now + wait - 1), -1);
		now += wait;
		for (unsigned int n = 0; n < 3; n++) {
			int i = look(s, now += S / 5);

			assert_in_range(i, 0, 2);
			move(s, i, now);
		}
		wait *= 2;
	}
	/* Trusted again. */
	assert_int_equal(look(s, now += FAILBACK_TRUST_NS), -1);
	assert_true(SLIST_EMPTY(&s->f.cases));
	set_all(s, STANDBY, SERVING);
	assert_int_equal(look(s, now += S), -1);
	assert_in_range(look(s, now += WAIT), 0, 2);
}

static void a_move_that_did_nothing_counts_as_a_failure(void **state)
{
	const uint8_t channel[16] = { 1 };
	struct scene *s = *state;

	s->devices = 1;
	set_all(s, STANDBY, SERVING);
	assert_int_equal(look(s, 100 * S), -1);
	assert_int_equal(look(s, 110 * S), 0);
	failback_moved(&s->f, channel, 110 * S);
	assert_int_equal(look(s, 111 * S), -1);
	assert_int_equal(look(s, 130 * S), -1);
	assert_int_equal(look(s, 131 * S), 0);
	/* Nor is it held against the server that somebody else was faster. */
	failback_moved(&s->f, channel, 131 * S);
	failback_not_moved(&s->f, channel);
	assert_int_equal(look(s, 132 * S), 0);
}

static void what_an_operator_moved_stays_until_its_server_was_gone(void **state)
{
	struct operation op = { .kind = OPERATION_FAILOVER, .name = "web", .device = "disk0" };
	struct scene *s = *state;
	struct rows *rows = rows_of(s);

	failback_hold(&s->f, rows, &op);
	rows_free(rows);
	/* Revoked, it is not handed the slot again at once. */
	set(s, 0, ABSENT, SERVING);
	set(s, 1, STANDBY, SERVING);
	assert_int_equal(look(s, 99 * S), -1);
	set(s, 0, STANDBY, SERVING);
	assert_int_equal(look(s, 100 * S), -1);
	assert_int_equal(look(s, 109 * S), 1);
	move(s, 1, 109 * S);
	assert_int_equal(look(s, 10000 * S), -1);
	/* Another process: that the first one was gone need not be seen. */
	s->pid = 101;
	assert_int_equal(look(s, 10002 * S), -1);
	assert_int_equal(look(s, 10007 * S), -1);
	s->pid = 102;
	assert_int_equal(look(s, 10008 * S), -1);
	assert_int_equal(look(s, 10017 * S), -1);
	assert_int_equal(look(s, 10018 * S), 0);
}

static void who_is_gone_or_unserved_is_left_alone(void **state)
{
	struct scene *s = *state;

	set_all(s, ABSENT, ABSENT);
	assert_int_equal(look(s, 100 * S), -1);
	set_all(s, STANDBY, SERVING);
	assert_int_equal(look(s, 101 * S), -1);
	set_all(s, ABSENT, ABSENT);
	assert_int_equal(look(s, 120 * S), -1);
	s->devices = 0;
	assert_int_equal(look(s, 121 * S), -1);
	assert_true(SLIST_EMPTY(&s->f.cases));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_device_goes_back_once_its_server_has_stood_by),
		TEST(a_server_that_fails_again_soon_stands_by_for_longer),
		TEST(a_move_that_did_nothing_counts_as_a_failure),
		TEST(what_an_operator_moved_stays_until_its_server_was_gone),
		TEST(who_is_gone_or_unserved_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

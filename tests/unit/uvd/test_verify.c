/* SPDX-License-Identifier: Apache-2.0 */
/* What verify tells of a host in line with its rows, and of one that each thing is wrong with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <uvd/process.h>
#include <uvd/query.h>
#include <uvd/reconcile.h>
#include <uvd/tap.h>

#include "fake.h"

static struct reply answer;

/* Asks for rows of this type behind number after. */
static const struct command_header *ask(struct host *h, uint32_t row, uint64_t after,
					uint32_t limit)
{
	struct command_query *c;

	message_begin(h, COMMAND_QUERY);
	c = message_add(h, COMMAND_QUERY_ROWS);
	c->row = row;
	c->after = after;
	c->limit = limit;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, &answer);
	assert_int_equal(((struct command_header *)answer.bytes)->status, COMMAND_OK);
	return (const struct command_header *)answer.bytes;
}

static unsigned int differences(struct host *h)
{
	return ask(h, COMMAND_ROW_DIFFERENCE, 0, 0)->count;
}

static const struct command_row_difference *row(unsigned int i)
{
	return (const void *)message_record(answer.bytes, i);
}

/* Exactly this one. */
static void differs(struct host *h, const char *what, const char *where, const char *missing)
{
	unsigned int n = differences(h), i;

	for (i = 0; n != 1 && i < n; i++)
		print_message("%s | %s | %s\n", row(i)->what, row(i)->where, row(i)->missing);
	assert_int_equal(n, 1);
	assert_string_equal(row(0)->what, what);
	assert_string_equal(row(0)->where, where);
	assert_string_equal(row(0)->missing, missing);
	assert_int_equal(row(0)->number, 1);
	assert_true(row(0)->fix[0]);
}

/* web1 runs, as this process. */
static int setup(void **state)
{
	struct host *h;

	host_setup(state);
	h = *state;
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	define(h, "web1");
	start(h, "web1");
	assert_int_equal(db_run(h->uvd.db, "UPDATE partition SET state = 3, pid = ?, pid_start = ?"
				" WHERE kind = 1", "ii", (int64_t)getpid(),
				(int64_t)process_start_time(getpid())), 0);
	strcpy(h->fake->process[0].scope, "web1");
	h->fake->process[0].pid = h->fake->process[1].pid = getpid();
	h->fake->processes = 2;
	return 0;
}

static struct fake_object *object(struct host *h, const char *name)
{
	uint8_t uuid[16];
	unsigned int i;

	name_uuid(uuid, name);
	for (i = 0; i < FAKE_OBJECTS; i++)
		if (h->fake->object[i].id && !memcmp(h->fake->object[i].uuid, uuid, 16))
			return &h->fake->object[i];
	fail_msg("no object of %s", name);
	return NULL;
}

static void test_a_host_in_line_has_no_difference_and_counts(void **state)
{
	static const struct {
		const char *what;
		unsigned int n;
	} expected[] = {
		{ "kernel objects", 6 }, { "running partitions", 1 }, { "vCPUs", 2 },
		{ "processors", 8 }, { "channels", 5 }, { "processes", 1 }, { "cgroups", 1 },
		{ "taps and bridges", 2 }, { "network rules", 1 }, { "disks", 1 },
	};
	struct host *h = *state;
	const struct command_header *r = ask(h, COMMAND_ROW_COMPARED, 0, 0);
	unsigned int i;

	assert_int_equal(r->count, 10);
	for (i = 0; i < r->count; i++) {
		const struct command_row_compared *c =
			(const void *)message_record(answer.bytes, i);

		assert_string_equal(c->what, expected[i].what);
		assert_int_equal(c->compared, expected[i].n);
		assert_int_equal(c->differences, 0);
	}
	assert_int_equal(differences(h), 0);
}

static void test_nothing_is_changed_by_looking(void **state)
{
	struct host *h = *state;
	struct fake before;

	strcpy(h->fake->tap[5], "uvt99");
	object(h, "web1")->stopped = true;
	before = *h->fake;
	assert_int_equal(differences(h), 2);
	before.calls = h->fake->calls;
	before.last_id = h->fake->last_id;
	assert_memory_equal(&before, h->fake, sizeof(before));
}

static void test_taps_and_the_bridge(void **state)
{
	struct host *h = *state;
	char tap[NETWORK_NAME];

	strcpy(h->fake->tap[5], "uvt99");
	differs(h, "tap uvt99", "host", "database");
	h->fake->tap[5][0] = '\0';
	h->fake->unguarded[0] = true;
	differs(h, "rules of tap uvt0 of web1", "database",
		"nftables: no rules of ours, or others");
	assert_int_equal(taps_guard(&h->uvd), 1);
	assert_int_equal(taps_guard(&h->uvd), 0);
	assert_int_equal(differences(h), 0);
	h->fake->zones_differ = true;
	assert_int_equal(differences(h), 0);	/* no card has one */
	h->fake->zones_differ = false;
	h->fake->obstacle[OBSTACLE_FORWARD] = true;
	differs(h, "tap uvt0 of web1 on uvbr0", "bridge",
		"the host's firewall: chain FORWARD drops");
	h->fake->obstacle[OBSTACLE_FORWARD] = false;
	h->fake->obstacle[OBSTACLE_MANAGED] = true;
	differs(h, "tap uvt0 of web1", "database", "NetworkManager configures it, too");
	h->fake->obstacle[OBSTACLE_MANAGED] = false;
	strcpy(tap, h->fake->tap[0]);
	h->fake->tap[0][0] = '\0';
	assert_int_equal(differences(h), 1);
	assert_string_equal(row(0)->where, "database");
	strcpy(h->fake->tap[0], tap);
	h->fake->own_bridge = false;
	differs(h, "bridge uvbr0", "database", "host");
}

static void test_objects_of_the_kernel(void **state)
{
	struct host *h = *state;
	struct fake_object *stray = &h->fake->object[FAKE_OBJECTS - 1];

	*stray = (struct fake_object) { .id = 4711, .kind = ULTRAVISOR_KIND_PARTITION,
					.published = true, .transaction = 9 };
	differs(h, "partition object 4711 of transaction 9", "kernel", "database");
	stray->id = 0;
	object(h, "web1")->published = false;
	assert_int_equal(differences(h), 1);
	assert_string_equal(row(0)->missing, "kernel: not published");
	object(h, "web1")->published = true;
	object(h, "web1")->id = 0;
	differs(h, "partition web1 (running)", "database", "kernel");
}

static void test_what_a_partition_is_set_to(void **state)
{
	struct host *h = *state;
	struct fake_object *o = object(h, "web1");

	o->stopped = true;
	differs(h, "partition web1", "database: running", "kernel: stopped");
	o->stopped = false;
	o->memory = 64 << 20;
	differs(h, "memory of web1", "database: 256MiB", "kernel: 64MiB");
	o->memory = 256 << 20;
	o->context[1].cpus[0] ^= 4;
	differs(h, "vCPU 1 of web1", "database", "kernel: set otherwise");
	o->context[1].cpus[0] ^= 4;
	h->fake->cpu[3].flags ^= ULTRAVISOR_PROCESSOR_GIVEN;
	differs(h, "processor 3", "database", "kernel: set otherwise");
}

static void test_servers_of_a_channel(void **state)
{
	struct host *h = *state;
	sqlite3_stmt *q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE name = 'root'", "");
	uint8_t uuid[16];
	unsigned int i;

	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, uuid);
	db_done(q);
	for (i = 0; memcmp(h->fake->object[i].uuid, uuid, 16); i++)
		;
	h->fake->object[i].servers[1][0]++;
	differs(h, "server 1 of channel web1/root", "database", "kernel: another server");
	h->fake->object[i].servers[1][0]--;
	h->fake->object[i].id = 0;
	differs(h, "channel web1/root", "database", "kernel");
}

static void test_processes_and_their_cgroups(void **state)
{
	struct host *h = *state;
	struct fake *f = h->fake;
	char text[64];

	/* Gone: that its end is being recorded is no difference. */
	db_run(h->uvd.db, "UPDATE partition SET pid_start = pid_start + 1 WHERE kind = 1", "");
	assert_int_equal(differences(h), 0);
	f->unwatched = true;
	snprintf(text, sizeof(text), "process %d of web1", (int)getpid());
	differs(h, text, "database", "host");
	db_run(h->uvd.db, "UPDATE partition SET pid_start = pid_start - 1 WHERE kind = 1", "");
	/* Outside of its cgroup. */
	strcpy(f->process[0].scope, "web1");
	f->process[0].pid = 1;
	differs(h, text, "host", "its cgroup");
	f->process[0].pid = getpid();
	/* One that no row names, and a cgroup of nobody, unless they are on their way. */
	f->process[2].pid = 4711;
	f->process[2].going = true;
	f->processes = 3;
	assert_int_equal(differences(h), 0);
	f->process[2].going = false;
	differs(h, "process 4711 of uvmonitor", "host", "database");
	strcpy(f->process[2].scope, "web9");
	differs(h, "cgroup ultravisor-web9.scope", "host", "database");
	f->process[2].pid = 0;
	differs(h, "cgroup ultravisor-web9.scope", "host", "database");
}

static void test_an_image_that_was_replaced(void **state)
{
	struct host *h = *state;
	char other[160];

	snprintf(other, sizeof(other), "%s.new", h->image);
	assert_int_equal(rename(h->image, other), 0);
	differs(h, h->image, "database", "not what is at its path now");
	assert_int_equal(rename(h->image2, h->image), 0);
	differs(h, h->image, "database", "not what is at its path now");
	assert_int_equal(rename(h->image, h->image2), 0);
	assert_int_equal(rename(other, h->image), 0);
	assert_int_equal(differences(h), 0);
}

static void test_many_differences_are_told_in_turns(void **state)
{
	struct host *h = *state;
	const struct command_header *r;
	unsigned int i;

	for (i = 1; i < 21; i++)
		snprintf(h->fake->tap[i], NETWORK_NAME, "uvt%u", 100 + i);
	r = ask(h, COMMAND_ROW_DIFFERENCE, 0, 15);
	assert_int_equal(r->count, 15);
	assert_int_equal(r->more, 1);
	r = ask(h, COMMAND_ROW_DIFFERENCE, row(14)->number, 15);
	assert_int_equal(r->count, 5);
	assert_int_equal(r->more, 0);
	assert_string_equal(row(4)->what, "tap uvt120");
}

static void test_the_next_start_brings_it_in_line(void **state)
{
	struct host *h = *state;

	strcpy(h->fake->tap[5], "uvt99");
	h->fake->object[FAKE_OBJECTS - 1] = (struct fake_object) {
		.id = 4711, .kind = ULTRAVISOR_KIND_PARTITION,
	};
	h->fake->cpu[3].flags ^= ULTRAVISOR_PROCESSOR_GIVEN;
	assert_int_equal(differences(h), 3);
	host_reopen(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	assert_int_equal(differences(h), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_host_in_line_has_no_difference_and_counts),
		TEST(test_nothing_is_changed_by_looking),
		TEST(test_taps_and_the_bridge),
		TEST(test_objects_of_the_kernel),
		TEST(test_what_a_partition_is_set_to),
		TEST(test_servers_of_a_channel),
		TEST(test_processes_and_their_cgroups),
		TEST(test_an_image_that_was_replaced),
		TEST(test_many_differences_are_told_in_turns),
		TEST(test_the_next_start_brings_it_in_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvd dies at each call into the kernel and the network, and at the commit; what the next instance
 * makes of it is all or nothing, and the author's repeated request gets its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <uvd/internal.h>
#include <uvd/process.h>
#include <uvd/reconcile.h>

#include "fake.h"

/* Runs the built message in a child whose nth call is its last; true: it died of that. */
static bool dies(struct host *h, unsigned int n, bool at_commit)
{
	int status;
	pid_t pid;

	h->fake->calls = 0;
	/* One process at a time has the database. */
	batch_destroy(h->batch);
	h->batch = NULL;
	db_close(h->uvd.db);
	h->uvd.db = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		host_reopen(h);
		h->fake->calls = 0;
		h->fake->crash_at = n;
		h->fake->crash_at_commit = at_commit;
		message_ask(h);
		_exit(h->reply->status == COMMAND_OK ? 0 : 98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	h->fake->crash_at = 0;
	h->fake->crash_at_commit = false;
	host_reopen(h);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 98);
	return WEXITSTATUS(status) == 99;
}

static void restart(struct host *h)
{
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	assert_in_line(h);
}

static void build_start(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
}

static void test_a_start_happens_wholly_or_not_at_all(void **state)
{
	struct host *h = *state;
	unsigned int n, nothing = 0, all = 0;
	bool died = true;

	define(h, "web1");
	for (n = 1; died; n++) {
		build_start(h);
		died = dies(h, n, false);
		restart(h);
		if (state_of(h, "web1") == PARTITION_STARTING) {
			all++;
			assert_int_equal(sql(h, "SELECT count(*) FROM claim"), 3);
			assert_int_equal(fake_objects(h->fake), 6);
		} else {
			nothing++;
			assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
			assert_int_equal(sql(h, "SELECT count(*) FROM claim"), 0);
			assert_int_equal(fake_objects(h->fake), 1);
		}
		/* The author asks again: the first answer, or now it happens. */
		assert_int_equal(message_ask(h)->status, COMMAND_OK);
		assert_int_equal(state_of(h, "web1"), PARTITION_STARTING);
		assert_in_line(h);
		message_begin(h, COMMAND_TRANSACT);
		add_verb(h, COMMAND_PARTITION_KILL, "web1");
		assert_int_equal(message_ask(h)->status, COMMAND_OK);
		assert_true(n < 200);
	}
	/* Both kinds were seen: calls before the commit, and behind it. */
	assert_true(nothing > 15);
	assert_true(all > 5);
}

static void test_a_crash_at_the_commit_itself_leaves_nothing(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	build_start(h);
	assert_true(dies(h, 0, true));
	assert_true(fake_objects(h->fake) > 1);
	restart(h);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
}

static void test_a_kill_is_finished_by_the_next_instance(void **state)
{
	struct host *h = *state;
	unsigned int n;
	bool died = true;

	define(h, "web1");
	for (n = 1; died; n++) {
		start(h, "web1");
		message_begin(h, COMMAND_TRANSACT);
		add_verb(h, COMMAND_PARTITION_KILL, "web1");
		died = dies(h, n, false);
		restart(h);
		if (state_of(h, "web1") == PARTITION_STARTING) {
			assert_int_equal(message_ask(h)->status, COMMAND_OK);
			assert_in_line(h);
		}
		assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
		assert_int_equal(fake_objects(h->fake), 1);
		assert_int_equal(fake_taps(h->fake), 0);
		assert_false(h->fake->own_bridge);
		assert_true(n < 100);
	}
	assert_true(n > 5);
}

static void test_a_claim_alone_is_finished_or_undone(void **state)
{
	struct host *h = *state;
	struct command_device_op *o;
	unsigned int n;
	bool died = true;

	define(h, "web1");
	for (n = 1; died; n++) {
		message_begin(h, COMMAND_TRANSACT);
		o = message_add(h, COMMAND_DEVICE_CLAIM);
		name_uuid(o->partition, "web1");
		strcpy(o->name, "net0");
		died = dies(h, n, false);
		restart(h);
		assert_int_equal(message_ask(h)->status, COMMAND_OK);
		assert_in_line(h);
		message_begin(h, COMMAND_TRANSACT);
		o = message_add(h, COMMAND_DEVICE_RELEASE);
		name_uuid(o->partition, "web1");
		strcpy(o->name, "net0");
		assert_int_equal(message_ask(h)->status, COMMAND_OK);
		assert_in_line(h);
		assert_true(n < 100);
	}
}

static void test_servers_are_set_by_the_next_instance(void **state)
{
	struct host *h = *state;
	struct command_channel_connect *k;
	uint8_t uuid[16];
	sqlite3_stmt *q;
	unsigned int n, i;
	bool died = true;

	define(h, "web1");
	start(h, "web1");
	q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE name = 'root'", "");
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, uuid);
	db_done(q);
	for (i = 0; memcmp(h->fake->object[i].uuid, uuid, 16); i++)
		;
	for (n = 1; died; n++) {
		bool swap = n % 2;

		message_begin(h, COMMAND_TRANSACT);
		k = message_add(h, COMMAND_CHANNEL_CONNECT);
		memcpy(k->channel, uuid, 16);
		k->servers = 2;
		memcpy(k->server[0], swap ? h->io_b : h->io_a, 16);
		memcpy(k->server[1], swap ? h->io_a : h->io_b, 16);
		died = dies(h, n, false);
		restart(h);
		assert_int_equal(message_ask(h)->status, COMMAND_OK);
		assert_memory_equal(h->fake->object[i].servers[0], k->server[0], 16);
		assert_memory_equal(h->fake->object[i].servers[1], k->server[1], 16);
		assert_true(n < 50);
	}
}

static void test_another_instance_of_the_module_ends_what_ran(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");
	/* The host restarts: no objects, no taps, ids begin anew. */
	memset(h->fake->object, 0, sizeof(h->fake->object));
	memset(h->fake->tap, 0, sizeof(h->fake->tap));
	h->fake->own_bridge = false;
	h->fake->last_id = 0;
	h->fake->instance[3]++;
	host_reopen(h);
	restart(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_int_equal(sql(h, "SELECT reason = 'the host restarted while it ran' FROM partition"
			     " WHERE name = 'web1'"), 1);
	assert_int_equal(sql(h, "SELECT count(*) FROM memory"), 0);
	assert_int_equal(sql(h, "SELECT count(*) FROM claim"), 0);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_memory_equal(h->uvd.instance, h->fake->instance, 16);
	/* Once. */
	host_reopen(h);
	{
		int64_t lines = sql(h, "SELECT count(*) FROM ledger");

		restart(h);
		assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
	}
	start(h, "web1");
}

/* ---- processes: the supervisor, whose channels this kernel cannot give */

static int settle(sd_event *event)
{
	int i;

	for (i = 0; i < 20 && sd_event_run(event, 1000) >= 0; i++)
		;
	return 0;
}

static struct supervisor *supervise(struct host *h, sd_event **event)
{
	struct supervisor *s;

	assert_true(sd_event_new(event) >= 0);
	assert_int_equal(supervisor_open(&s, &h->uvd, *event, "/bin/true"), 0);
	return s;
}

static void test_a_start_that_never_ran_is_started_again(void **state)
{
	struct host *h = *state;
	struct supervisor *s;
	sd_event *event;
	uint64_t before;

	define(h, "web1");
	start(h, "web1");
	before = sql(h, "SELECT module_id FROM partition WHERE kind = 1");
	host_reopen(h);
	restart(h);
	s = supervise(h, &event);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	assert_int_equal(h->fake->starts, 2);
	assert_int_equal(state_of(h, "web1"), PARTITION_STARTING);
	assert_true((uint64_t)sql(h, "SELECT module_id FROM partition WHERE kind = 1") > before);
	assert_in_line(h);
	/* When its kernel is not there any more, it cannot; all is released. */
	unlink(h->kernel_file);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_in_line(h);
	supervisor_close(s);
	sd_event_unref(event);
}

static void run_with(struct host *h, pid_t pid, uint64_t start_time)
{
	assert_int_equal(db_run(h->uvd.db, "UPDATE partition SET state = 3, pid = ?, pid_start = ?"
				" WHERE kind = 1", "ii", (int64_t)pid, (int64_t)start_time), 0);
}

static void test_a_process_that_is_gone_is_recorded(void **state)
{
	struct host *h = *state;
	struct supervisor *s;
	sd_event *event;
	pid_t pid;

	define(h, "web1");
	start(h, "web1");
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	run_with(h, pid, 12345);
	host_reopen(h);
	restart(h);
	s = supervise(h, &event);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	settle(event);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_in_line(h);
	supervisor_close(s);
	sd_event_unref(event);
}

static void test_a_process_of_the_same_number_is_not_adopted(void **state)
{
	struct host *h = *state;
	struct supervisor *s;
	sd_event *event;

	define(h, "web1");
	start(h, "web1");
	/* This very process, but started at another time. */
	run_with(h, getpid(), process_start_time(getpid()) + 1);
	host_reopen(h);
	s = supervise(h, &event);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	settle(event);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	supervisor_close(s);
	sd_event_unref(event);
}

static void test_a_living_process_goes_on_and_its_end_is_seen(void **state)
{
	struct host *h = *state;
	struct supervisor *s;
	sd_event *event;
	int pipe_fd[2], i;
	pid_t pid;

	define(h, "web1");
	start(h, "web1");
	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fd[0], STDIN_FILENO);
		close(pipe_fd[1]);
		execl("/bin/cat", "cat", NULL);
		_exit(1);
	}
	close(pipe_fd[0]);
	run_with(h, pid, process_start_time(pid));
	host_reopen(h);
	restart(h);
	s = supervise(h, &event);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	settle(event);
	assert_int_equal(state_of(h, "web1"), PARTITION_RUNNING);
	close(pipe_fd[1]);
	for (i = 0; i < 200 && state_of(h, "web1") == PARTITION_RUNNING; i++)
		sd_event_run(event, 50000);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_in_line(h);
	waitpid(pid, NULL, 0);
	supervisor_close(s);
	sd_event_unref(event);
}

static void test_a_pause_is_repeated(void **state)
{
	struct host *h = *state;
	struct supervisor *s;
	sd_event *event;
	unsigned int i;

	define(h, "web1");
	start(h, "web1");
	run_with(h, getpid(), process_start_time(getpid()));
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_PAUSE, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	for (i = 0; !h->fake->object[i].stopped; i++)
		assert_true(i < FAKE_OBJECTS - 1);
	h->fake->object[i].stopped = false;
	host_reopen(h);
	s = supervise(h, &event);
	assert_int_equal(reconcile_partitions(&h->uvd, s), 0);
	assert_true(h->fake->object[i].stopped);
	supervisor_close(s);
	sd_event_unref(event);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_start_happens_wholly_or_not_at_all),
		TEST(test_a_crash_at_the_commit_itself_leaves_nothing),
		TEST(test_a_kill_is_finished_by_the_next_instance),
		TEST(test_a_claim_alone_is_finished_or_undone),
		TEST(test_servers_are_set_by_the_next_instance),
		TEST(test_another_instance_of_the_module_ends_what_ran),
		TEST(test_a_start_that_never_ran_is_started_again),
		TEST(test_a_process_that_is_gone_is_recorded),
		TEST(test_a_process_of_the_same_number_is_not_adopted),
		TEST(test_a_living_process_goes_on_and_its_end_is_seen),
		TEST(test_a_pause_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

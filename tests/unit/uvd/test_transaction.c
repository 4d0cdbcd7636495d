/* SPDX-License-Identifier: Apache-2.0 */
/* All or none: messages, repeats, batches, failing commits, what is left of each; and queries. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <uvd/internal.h>
#include <uvd/query.h>

#include "expect.h"
#include "fake.h"

static void test_a_life_of_a_partition(void **state)
{
	struct host *h = *state;
	const struct command_row_partition *p;
	unsigned int i;

	define(h, "web1");
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_DEFINED);
	assert_int_equal(p->devices, 3);
	start(h, "web1");
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_STARTING);
	assert_int_equal(p->memory_assigned, 256 << 20);
	assert_int_equal(p->node, 0);
	assert_true(p->module_id != 0);
	assert_int_equal(h->fake->starts, 1);
	/* partition, monitor and three device channels, beside the command channel */
	assert_int_equal(fake_objects(h->fake), 6);
	assert_int_equal(fake_taps(h->fake), 1);
	assert_true(h->fake->own_bridge);
	for (i = 0; i < FAKE_OBJECTS; i++)
		if (h->fake->object[i].id && h->fake->object[i].kind == ULTRAVISOR_KIND_PARTITION) {
			assert_int_equal(h->fake->object[i].memory, 256 << 20);
			assert_int_equal(h->fake->object[i].contexts, 2);
		}
	assert_in_line(h);

	verb(h, COMMAND_PARTITION_STOP, "web1");
	refused(h, COMMAND_CONFLICT, "is starting");
	sql(h, "UPDATE partition SET state = 3 WHERE kind = 1");
	verb(h, COMMAND_PARTITION_PAUSE, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_PAUSED);
	verb(h, COMMAND_PARTITION_STOP, "web1");
	refused(h, COMMAND_CONFLICT, "is paused");
	verb(h, COMMAND_PARTITION_RESUME, "web1");
	accepted(h);
	verb(h, COMMAND_PARTITION_STOP, "web1");
	accepted(h);
	assert_int_equal(h->fake->stops, 1);
	assert_int_equal(state_of(h, "web1"), PARTITION_STOPPING);
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
	assert_int_equal(h->fake->ends, 1);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_false(h->fake->own_bridge);
	assert_int_equal(sql(h, "SELECT count(*) FROM memory"), 0);
	verb(h, COMMAND_PARTITION_UNDEFINE, "web1");
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM device"), 0);
}

static void test_everything_in_one_message(void **state)
{
	struct host *h = *state;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, "br7");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	refused(h, COMMAND_CONFLICT, "partition web1 is started twice in one transaction");
	message_begin(h, COMMAND_TRANSACT);
	/* The order of operations is the author's: START may come first. */
	add_verb(h, COMMAND_PARTITION_START, "web1");
	add_resources(h, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_STARTING);
	/* The host's own bridge is used as found. */
	assert_false(h->fake->own_bridge);
	assert_int_equal(sql(h, "SELECT summary ="
			     " 'start web1: 256MiB on node 0, 2 contexts, 3 devices' FROM ledger"
			     " ORDER BY \"transaction\" DESC"), 1);
}

static void test_a_plan_changes_nothing(void **state)
{
	const struct command_row_partition *p;
	struct host *h = *state;
	char *before, *after;

	define(h, "web1");
	before = rows(h);
	message_begin(h, COMMAND_PLAN);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_STARTING);
	after = rows(h);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(h->fake->starts, 0);
	assert_int_equal(h->reply->transaction, 0);
}

static void test_a_generation_that_is_not_the_rows_is_refused(void **state)
{
	struct host *h = *state;
	struct command_partition *c;
	struct command_domain *d;
	uint64_t seen;

	define(h, "web1");
	seen = generation(h);
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_PARTITION_UNDEFINE);
	name_uuid(c->partition, "web1");
	c->r.generation = seen + 1;
	refused(h, COMMAND_CONFLICT, "partition web1 has changed: generation 1 now, 2 was seen;"
		" by ");
	start(h, "web1");
	assert_int_equal(generation(h), seen + 1);	/* once, however many operations */
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_PARTITION_KILL);
	name_uuid(c->partition, "web1");
	c->r.generation = seen;
	refused(h, COMMAND_CONFLICT, "generation 2 now, 1 was seen");
	uuid_random(message_header(h)->request_id);
	c->r.generation = seen + 1;
	accepted(h);

	/* What changes nothing holds the rest to what its author saw. */
	for (unsigned int stale = 0; stale < 2; stale++) {
		message_begin(h, COMMAND_TRANSACT);
		c = message_add(h, COMMAND_PARTITION_EXPECT);
		name_uuid(c->partition, "web1");
		c->r.generation = seen + 2 - stale;
		d = message_add(h, COMMAND_DOMAIN_EXPECT);
		strcpy(d->name, "default");
		d->r.generation = 1;
		if (stale)
			refused(h, COMMAND_CONFLICT, "generation 3 now, 2 was seen");
		else
			accepted(h);
	}
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_EXPECT);
	strcpy(d->name, "default");
	d->r.generation = 2;
	refused(h, COMMAND_CONFLICT, "domain default has changed: generation 1 now, 2 was seen");
	assert_int_equal(generation(h), seen + 2);

	/* All operations of one message saw the same generation. */
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	((struct command_record *)(message_header(h) + 1))->generation = seen + 2;
	c = message_add(h, COMMAND_PARTITION_START);
	name_uuid(c->partition, "web1");
	c->r.generation = seen + 2;
	accepted(h);
}

static void test_a_repeated_request_gets_its_first_answer(void **state)
{
	struct host *h = *state;
	uint8_t first[4096];
	int64_t lines;
	size_t n;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, NULL);
	accepted(h);
	n = h->reply->length;
	memcpy(first, h->reply, n < sizeof(first) ? n : sizeof(first));
	lines = sql(h, "SELECT count(*) FROM ledger");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(h->reply->length, n);
	assert_memory_equal(h->reply, first, n < sizeof(first) ? n : sizeof(first));
	/* Also when uvd has been restarted in between. */
	host_reopen(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_memory_equal(h->reply, first, n < sizeof(first) ? n : sizeof(first));
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 1);

	/* The id is of that request alone. */
	((struct command_partition_define *)(message_header(h) + 1))->vcpus++;
	assert_int_equal(message_ask(h)->status, COMMAND_CONFLICT);
	assert_non_null(strstr(h->reply->text, "used for another request"));
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);

	/* A refusal is an answer, too. */
	verb(h, COMMAND_PARTITION_KILL, "web1");
	refused(h, COMMAND_CONFLICT, "is off");
	n = h->reply->transaction;
	assert_int_equal(message_ask(h)->status, COMMAND_CONFLICT);
	assert_int_equal(h->reply->transaction, n);
}

static void count_replies(const void *reply, size_t n, void *data)
{
	unsigned int *statuses = data;

	assert_true(n >= sizeof(struct command_header));
	statuses[statuses[15]++] = ((const struct command_header *)reply)->status;
}

/* What is refused for its form loses its records on the way, and stays the same request. */
static void test_a_repeated_request_that_is_badly_made_gets_its_first_answer(void **state)
{
	struct host *h = *state;
	struct command_header first;
	int64_t lines;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, NETWORK_OWN_BRIDGE);
	((struct command_record *)(message_header(h) + 1))->flags = 1;
	first = *message_ask(h);
	assert_int_equal(first.status, COMMAND_INVALID);
	lines = sql(h, "SELECT count(*) FROM ledger");
	assert_memory_equal(message_ask(h), &first, sizeof(first));
	host_reopen(h);
	assert_memory_equal(message_ask(h), &first, sizeof(first));
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
}

static void test_a_batch_shares_a_commit_and_each_stands_alone(void **state)
{
	struct host *h = *state;
	unsigned int statuses[16] = { 0 };

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", NULL, NULL);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	/* Twice the same, before the first is committed. */
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	uuid_random(message_header(h)->request_id);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", NULL, NULL);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	/* The kernel is touched: the batch ends with it. */
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web2");
	add_verb(h, COMMAND_PARTITION_START, "web2");
	assert_true(batch_add(h->batch, message_header(h), message_header(h)->length));
	assert_int_equal(h->fake->starts, 0);
	batch_commit(h->batch, count_replies, statuses);
	assert_int_equal(statuses[15], 5);
	assert_int_equal(statuses[0], COMMAND_OK);
	assert_int_equal(statuses[1], COMMAND_OK);
	assert_int_equal(statuses[2], COMMAND_CONFLICT);
	assert_int_equal(statuses[3], COMMAND_OK);
	assert_int_equal(statuses[4], COMMAND_OK);
	assert_int_equal(h->fake->starts, 1);
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 2);
	assert_in_line(h);
}

static int refuse_commit(void *data)
{
	(void)data;
	return 1;
}

static void test_a_commit_that_fails_undoes_all_of_it(void **state)
{
	struct host *h = *state;
	char *before, *after;
	unsigned int objects;

	define(h, "web1");
	before = rows(h);
	objects = fake_objects(h->fake);
	sqlite3_commit_hook(db_handle(h->uvd.db), refuse_commit, NULL);
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	assert_int_not_equal(message_ask(h)->status, COMMAND_OK);
	sqlite3_commit_hook(db_handle(h->uvd.db), NULL, NULL);
	after = rows(h);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(fake_objects(h->fake), objects);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(h->fake->starts, 0);
	/* The same request, when the database can be written again, is not a repetition. */
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(h->fake->starts, 1);
	assert_in_line(h);
}

static void test_a_full_disk_makes_it_read_only_until_there_is_room(void **state)
{
	struct host *h = *state;
	struct reply *reply = malloc(sizeof(*reply));
	struct command_query *q;
	char text[64];

	define(h, "web1");
	snprintf(text, sizeof(text), "PRAGMA max_page_count=%d", (int)sql(h, "PRAGMA page_count"));
	sql(h, text);
	do {
		message_begin(h, COMMAND_TRANSACT);
		add_verb(h, COMMAND_PARTITION_KILL, "web1");
		message_ask(h);
	} while (h->reply->status == COMMAND_CONFLICT);
	assert_int_equal(h->reply->status, COMMAND_READ_ONLY);
	assert_int_equal(h->reply->transaction, 0);
	/* Reads go on. */
	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PARTITION;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_OK);
	assert_int_equal(reply->count, 6);
	sql(h, "PRAGMA max_page_count=1000000");
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	accepted(h);
	assert_false(h->uvd.read_only);
	free(reply);
}

/* Every call of a start that can fail, failing: a refusal, and not a trace of it. */
static void test_every_failing_call_leaves_only_a_line(void **state)
{
	struct host *h = *state;
	unsigned int n;

	define(h, "web1");
	for (n = 1;; n++) {
		message_begin(h, COMMAND_TRANSACT);
		add_resources(h, "web1");
		add_verb(h, COMMAND_PARTITION_START, "web1");
		h->fake->calls = 0;
		h->fake->fail_at = n;
		h->fake->fail_errno = -ENOMEM;
		message_ask(h);
		h->fake->fail_at = 0;
		if (h->reply->status == COMMAND_OK)
			break;
		assert_in_range(h->reply->status, COMMAND_FAILED, COMMAND_RESOURCES);
		assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
		assert_int_equal(sql(h, "SELECT count(*) FROM claim"), 0);
		assert_int_equal(h->fake->starts, 0);
		assert_in_line(h);
		assert_true(n < 200);
	}
	/* partition, memory, contexts, four channels with their servers, bridge and tap */
	assert_in_range(n, 18, 60);
}

static void test_the_end_of_a_guest_releases_all(void **state)
{
	struct host *h = *state;
	struct internal_partition_end c = {
		.r = { .type = INTERNAL_PARTITION_END, .length = sizeof(c) },
		.state = PARTITION_FAILED,
		.reason = "triple fault",
	};

	define(h, "web1");
	start(h, "web1");
	name_uuid(c.partition, "web1");
	assert_int_equal(transaction_own(&h->uvd, "triple fault", &c, sizeof(c), 1), 0);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(sql(h, "SELECT (SELECT count(*) FROM memory) +"
			     " (SELECT count(*) FROM claim) + (SELECT count(*) FROM context_cpu)"),
			 0);
	assert_int_equal(sql(h, "SELECT who = 'uvd' AND summary = 'release web1: triple fault'"
			     " FROM ledger ORDER BY \"transaction\" DESC"), 1);
	assert_in_line(h);
	/* It can be started again. */
	start(h, "web1");
	assert_int_equal(transaction_own(&h->uvd, "", &c, sizeof(c), 1), 0);
	assert_int_equal(transaction_own(&h->uvd, "", &c, sizeof(c), 1), -ECANCELED);
}

/* The schema itself refuses what the code would have refused before. */
static void test_constraints_hold_without_the_code(void **state)
{
	static const char *const breaches[] = {
		"INSERT INTO memory SELECT uuid, 0, 2199023255552, 4096"
			" FROM partition WHERE kind = 1",
		"INSERT INTO memory VALUES ((SELECT uuid FROM partition WHERE kind = 1),"
			" 0, 1000, 4096)",
		"INSERT INTO memory VALUES (x'00112233445566778899aabbccddeeff', 0, 2097152, 4096)",
		"INSERT INTO context_cpu SELECT 0, partition, 0, 0 FROM context_cpu LIMIT 1",
		"INSERT INTO context_cpu SELECT 2, partition, 1, 1 FROM context_cpu LIMIT 1",
		"UPDATE processor SET in_pool = 0 WHERE cpu = 4",
		"UPDATE processor SET domain = NULL WHERE cpu = 2",
		"UPDATE host SET memory_pool = 0",
		"UPDATE node SET memory_pool = 0 WHERE node = 0",
		"UPDATE partition SET state = 1 WHERE name = 'web1'",
		"UPDATE partition SET domain = 'other' WHERE name = 'web1'",
		"DELETE FROM domain",
		"DELETE FROM partition WHERE name = 'web1'",
		"INSERT INTO claim SELECT partition, 'console', resource, 1, NULL, 1, 1 FROM claim"
		" WHERE name = 'root'",
		"UPDATE memory SET bytes = 2097152",
		"INSERT INTO channel_server SELECT uuid, 3, partition FROM channel WHERE type = 3",
		"INSERT INTO domain VALUES ('x', 2147483648, 1, 1)",
	};
	struct host *h = *state;
	unsigned int i;

	define(h, "web1");
	start(h, "web1");
	for (i = 0; i < sizeof(breaches) / sizeof(*breaches); i++)
		if (sqlite3_exec(db_handle(h->uvd.db), breaches[i], NULL, NULL, NULL) == SQLITE_OK)
			fail_msg("allowed: %s", breaches[i]);
}

static void test_queries_page_through_all_rows(void **state)
{
	struct host *h = *state;
	struct reply *reply = malloc(sizeof(*reply));
	struct command_query *q;
	char name[96] = "", *partition;
	unsigned int i, n = 0;

	for (i = 0; i < 30; i++) {
		char guest[16];

		snprintf(guest, sizeof(guest), "g%02u", i);
		message_begin(h, COMMAND_TRANSACT);
		add_define(h, guest, h->image, NULL);
		accepted(h);
	}
	do {
		message_begin(h, COMMAND_QUERY);
		q = message_add(h, COMMAND_QUERY_ROWS);
		q->row = COMMAND_ROW_DEVICE;
		q->limit = 7;
		strcpy(q->after_name, name);
		query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
		h->reply = (struct command_header *)reply->bytes;
		assert_int_equal(h->reply->status, COMMAND_OK);
		n += h->reply->count;
		if (h->reply->count) {
			const struct command_row_device *d = (const void *)(reply->bytes +
				reply->length - sizeof(*d));

			partition = (char *)d->partition_name;
			snprintf(name, sizeof(name), "%s/%s", partition, d->name);
		}
	} while (h->reply->more);
	assert_int_equal(n, 60);
	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PROCESSOR;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->count, 8);
	q->after = 5;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->count, 2);
	q->row = COMMAND_ROW_PARTITION;
	q->after = 0;
	strcpy(q->name, "nobody");
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_NOT_FOUND);
	q->row = 99;
	q->name[0] = '\0';
	memset(q->name, 0, sizeof(q->name));
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_INVALID);
	free(reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_life_of_a_partition),
		TEST(test_everything_in_one_message),
		TEST(test_a_plan_changes_nothing),
		TEST(test_a_generation_that_is_not_the_rows_is_refused),
		TEST(test_a_repeated_request_gets_its_first_answer),
		TEST(test_a_repeated_request_that_is_badly_made_gets_its_first_answer),
		TEST(test_a_batch_shares_a_commit_and_each_stands_alone),
		TEST(test_a_commit_that_fails_undoes_all_of_it),
		TEST(test_a_full_disk_makes_it_read_only_until_there_is_room),
		TEST(test_every_failing_call_leaves_only_a_line),
		TEST(test_the_end_of_a_guest_releases_all),
		TEST(test_constraints_hold_without_the_code),
		TEST(test_queries_page_through_all_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

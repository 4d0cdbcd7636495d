/* SPDX-License-Identifier: Apache-2.0 */
/* Which partitions have changed: what cmdpartd's copy of the rows goes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uvd/changes.h>
#include <uvd/query.h>

#include "fake.h"

static int setup(void **state)
{
	struct host *h;

	host_setup(state);
	h = *state;
	return changes_open(&h->uvd.changes, sql(h, "SELECT \"transaction\" FROM clock"));
}

static int teardown(void **state)
{
	struct host *h = *state;

	changes_close(h->uvd.changes);
	return host_teardown(state);
}

/* How many partitions; -1: all. */
static int changed(struct host *h, uint64_t after)
{
	static struct reply reply;
	const struct command_row_changed *r;
	struct command_query *q;

	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_CHANGED;
	q->after = after;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, &reply);
	memcpy(h->reply_bytes, reply.bytes, reply.length);
	h->reply = (const void *)h->reply_bytes;
	assert_int_equal(h->reply->status, COMMAND_OK);
	r = (const void *)(h->reply + 1);
	assert_int_equal(r->transaction, sql(h, "SELECT \"transaction\" FROM clock"));
	return r->all ? -1 : (int)h->reply->count - 1;
}

static bool told(struct host *h, const char *name)
{
	const struct command_row_changed *r = (const void *)(h->reply + 1);
	uint8_t uuid[16];
	uint32_t i;

	name_uuid(uuid, name);
	for (i = 1; i < h->reply->count; i++)
		if (!memcmp(r[i].partition, uuid, 16))
			return true;
	return false;
}

static void test_each_is_told_once(void **state)
{
	struct host *h = *state;
	uint64_t before = sql(h, "SELECT \"transaction\" FROM clock"), defined;

	assert_int_equal(changed(h, before), 0);
	define(h, "web1");
	defined = sql(h, "SELECT \"transaction\" FROM clock");
	define(h, "web2");
	start(h, "web1");
	assert_int_equal(changed(h, before), 2);
	assert_true(told(h, "web1") && told(h, "web2"));
	assert_int_equal(changed(h, defined), 2);
	assert_int_equal(changed(h, defined + 1), 1);
	assert_true(told(h, "web1"));
	assert_int_equal(changed(h, defined + 2), 0);
}

static void test_the_undefined_are_told(void **state)
{
	struct host *h = *state;
	uint64_t before;

	define(h, "web1");
	before = sql(h, "SELECT \"transaction\" FROM clock");
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_UNDEFINE, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(changed(h, before), 1);
	assert_true(told(h, "web1"));
}

static void test_refusals_and_plans_change_nothing(void **state)
{
	struct host *h = *state;
	uint64_t before = sql(h, "SELECT \"transaction\" FROM clock");

	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "nobody");
	assert_int_equal(message_ask(h)->status, COMMAND_NOT_FOUND);
	message_begin(h, COMMAND_PLAN);
	add_define(h, "web1", h->image, NULL);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(changed(h, before), 0);
}

static void test_what_is_not_known_is_all(void **state)
{
	struct host *h = *state;
	uint64_t before = sql(h, "SELECT \"transaction\" FROM clock");
	struct command_domain *d;

	assert_int_equal(changed(h, before - 1), -1);
	assert_int_equal(changed(h, before + 1), -1);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "other");
	d->memory = 2 << 20;
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(changed(h, before), -1);
	assert_int_equal(changed(h, before + 1), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_is_told_once),
		TEST(test_the_undefined_are_told),
		TEST(test_refusals_and_plans_change_nothing),
		TEST(test_what_is_not_known_is_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

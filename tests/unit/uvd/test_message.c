/* SPDX-License-Identifier: Apache-2.0 */
/* The form of messages: each way of being malformed is refused, with the place and the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <uvd/internal.h>
#include <uvd/message.h>

#include "fake.h"

static void expect_invalid(struct host *h, const char *words, uint32_t record)
{
	int64_t lines = sql(h, "SELECT count(*) FROM ledger");
	int64_t partitions = sql(h, "SELECT count(*) FROM partition");
	const struct command_header *r;

	if (!uuid_is_zero(message_header(h)->request_id))
		uuid_random(message_header(h)->request_id);
	r = message_ask(h);
	assert_int_equal(r->status, COMMAND_INVALID);
	assert_int_equal(r->failed, record);
	if (!strstr(r->text, words))
		fail_msg("\"%s\" does not say \"%s\"", r->text, words);
	assert_true(r->fix[0] != '\0');
	assert_int_equal(sql(h, "SELECT count(*) FROM partition"), partitions);
	/* A line, and nothing else; none when the header cannot be believed. */
	assert_in_range(sql(h, "SELECT count(*) FROM ledger") - lines, 0, 1);
}

static void test_an_unknown_type_is_refused(void **state)
{
	struct host *h = *state;
	struct command_record *r;

	message_begin(h, COMMAND_TRANSACT);
	r = message_add(h, COMMAND_PARTITION_KILL);
	r->type = 63;
	expect_invalid(h, "type 63 is not known", 0);
	assert_int_equal(sql(h, "SELECT status FROM ledger ORDER BY \"transaction\" DESC"),
			 COMMAND_INVALID);
}

static void test_rows_and_queries_are_no_operations(void **state)
{
	struct host *h = *state;

	message_begin(h, COMMAND_TRANSACT);
	message_add(h, COMMAND_ROW_HOST);
	expect_invalid(h, "type 128 is not known", 0);
	message_begin(h, COMMAND_TRANSACT);
	message_add(h, COMMAND_QUERY_ROWS);
	expect_invalid(h, "type 64 is not known", 0);
}

static void test_operations_of_uvd_itself_are_refused_from_outside(void **state)
{
	struct host *h = *state;
	uint16_t type;

	for (type = INTERNAL_FIRST; internal_record_size(type); type++) {
		struct command_header *m = message_header(h);
		struct command_record *r;

		message_begin(h, COMMAND_TRANSACT);
		r = (struct command_record *)(m + 1);
		memset(r, 0, internal_record_size(type));
		r->type = type;
		r->length = internal_record_size(type);
		m->length += r->length;
		m->count = 1;
		expect_invalid(h, "is not known", 0);
	}
	assert_true(type > INTERNAL_FIRST);
}

static void test_a_wrong_size_is_refused(void **state)
{
	struct host *h = *state;
	struct command_record *r;

	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	r = message_add(h, COMMAND_PARTITION_KILL);
	r->length -= 8;
	message_header(h)->length -= 8;
	expect_invalid(h, "has 32 bytes, the record says 24", 1);
}

static void test_half_a_message_is_refused(void **state)
{
	struct host *h = *state;
	struct command_header *m = message_header(h);
	uint32_t n, whole;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, NULL);
	whole = m->length;
	for (n = 0; n < whole; n += 13) {
		const struct command_header *r;

		/* Cut off, with and without a header that says so. */
		r = host_ask(h, m, n);
		assert_int_equal(r->status, COMMAND_INVALID);
		m->length = n;
		r = host_ask(h, m, n);
		assert_int_equal(r->status, COMMAND_INVALID);
		m->length = whole;
		uuid_random(m->request_id);
	}
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 0);
}

static void test_bytes_behind_the_last_record_are_refused(void **state)
{
	struct host *h = *state;

	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	message_header(h)->count = 1;
	expect_invalid(h, "follow the last record", COMMAND_NONE);
}

static void test_no_records_and_too_many_are_refused(void **state)
{
	struct host *h = *state;
	unsigned int i;

	message_begin(h, COMMAND_TRANSACT);
	expect_invalid(h, "0 records", COMMAND_NONE);
	message_begin(h, COMMAND_TRANSACT);
	for (i = 0; i <= COMMAND_MAX_RECORDS; i++)
		add_verb(h, COMMAND_PARTITION_KILL, "web1");
	expect_invalid(h, "1025 records", COMMAND_NONE);
}

static void test_a_bad_header_is_refused_and_not_recorded(void **state)
{
	struct host *h = *state;
	int64_t lines = sql(h, "SELECT count(*) FROM ledger");

	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	message_header(h)->magic++;
	expect_invalid(h, "magic", COMMAND_NONE);
	message_header(h)->magic--;
	message_header(h)->version = COMMAND_VERSION + 1;
	expect_invalid(h, "version 5", COMMAND_NONE);
	message_header(h)->version = COMMAND_VERSION;
	message_header(h)->kind = 9;
	expect_invalid(h, "kind 9", COMMAND_NONE);
	message_header(h)->kind = COMMAND_REPLY;
	expect_invalid(h, "kind 4", COMMAND_NONE);
	message_header(h)->kind = COMMAND_TRANSACT;
	memset(message_header(h)->who, 'x', COMMAND_NAME_LEN);
	expect_invalid(h, "not terminated", COMMAND_NONE);
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
}

static void test_a_request_without_an_id_is_refused(void **state)
{
	struct host *h = *state;

	message_begin(h, COMMAND_TRANSACT);
	memset(message_header(h)->request_id, 0, 16);
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	expect_invalid(h, "request id is all zero", COMMAND_NONE);
}

static void test_unterminated_and_dirty_strings_are_refused(void **state)
{
	struct host *h = *state;
	struct command_partition_define *d;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", NULL, NULL);
	d = (struct command_partition_define *)(message_header(h) + 1);
	memset(d->cmdline, 'x', sizeof(d->cmdline));
	expect_invalid(h, "cmdline is not a terminated", 0);
	memset(d->cmdline, 0, sizeof(d->cmdline));
	strcpy(d->cmdline, "a\nb");
	expect_invalid(h, "cmdline", 0);
	memset(d->cmdline, 0, sizeof(d->cmdline));
	d->cmdline[500] = 'x';
	expect_invalid(h, "cmdline", 0);
	memset(d->cmdline, 0, sizeof(d->cmdline));
	memset(d->kernel, 'x', sizeof(d->kernel));
	expect_invalid(h, "kernel", 0);
}

static void test_names_are_names_and_paths_are_absolute(void **state)
{
	static const char *const bad[] = {
		"", ".", "-a", "Web", "a/b", "a b", "a\x01", "../x", "ä",
	};
	struct host *h = *state;
	struct command_partition_define *d;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		message_begin(h, COMMAND_TRANSACT);
		add_define(h, "web1", NULL, NULL);
		d = (struct command_partition_define *)(message_header(h) + 1);
		memset(d->name, 0, sizeof(d->name));
		strcpy(d->name, bad[i]);
		expect_invalid(h, "name", 0);
	}
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", "disk.raw", NULL);
	expect_invalid(h, "not an absolute path", 1);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", NULL, "a/b");
	expect_invalid(h, "interface", 1);
}

static void test_flags_are_refused(void **state)
{
	struct host *h = *state;
	struct command_record *r;

	message_begin(h, COMMAND_TRANSACT);
	r = message_add(h, COMMAND_PARTITION_KILL);
	r->flags = 1;
	expect_invalid(h, "flags", 0);
}

static void test_random_bytes_are_refused(void **state)
{
	struct host *h = *state;
	struct command_header *m = message_header(h);
	unsigned int seed = 1, i, k;
	uint8_t *p = (uint8_t *)m;

	for (i = 0; i < 3000; i++) {
		message_begin(h, COMMAND_TRANSACT);
		add_define(h, "web1", h->image, "br7");
		for (k = 0; k < 1 + i % 4; k++)
			p[sizeof(*m) + rand_r(&seed) % (m->length - sizeof(*m))] =
				rand_r(&seed);
		m->kind = COMMAND_PLAN;
		message_ask(h);
		assert_in_range(h->reply->status, COMMAND_OK, COMMAND_READ_ONLY);
	}
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_unknown_type_is_refused),
		TEST(test_rows_and_queries_are_no_operations),
		TEST(test_operations_of_uvd_itself_are_refused_from_outside),
		TEST(test_a_wrong_size_is_refused),
		TEST(test_half_a_message_is_refused),
		TEST(test_bytes_behind_the_last_record_are_refused),
		TEST(test_no_records_and_too_many_are_refused),
		TEST(test_a_bad_header_is_refused_and_not_recorded),
		TEST(test_a_request_without_an_id_is_refused),
		TEST(test_unterminated_and_dirty_strings_are_refused),
		TEST(test_names_are_names_and_paths_are_absolute),
		TEST(test_flags_are_refused),
		TEST(test_random_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

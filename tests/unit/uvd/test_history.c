/* SPDX-License-Identifier: Apache-2.0 */
/* Who had what when: versions of rows, queries for them, and books of versions before. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <uvd/book.h>
#include <uvd/ledger.h>
#include <uvd/query.h>
#include <uvd/schema.h>

#include "expect.h"
#include "fake.h"

static struct reply reply;

/* Asks for history: how many versions there are; they are in reply. */
static unsigned int ask(struct host *h, const char *noun, const char *key, uint64_t at_ns)
{
	struct command_query *q;

	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_HISTORY;
	q->at_ns = at_ns;
	strncpy(q->noun, noun, sizeof(q->noun) - 1);
	strncpy(q->key, key, sizeof(q->key) - 1);
	query_answer(&h->uvd, message_header(h), message_header(h)->length, &reply);
	assert_int_equal(((struct command_header *)reply.bytes)->status, COMMAND_OK);
	return ((struct command_header *)reply.bytes)->count;
}

static const struct command_row_history *version(unsigned int i)
{
	return (const struct command_row_history *)message_record(reply.bytes, i);
}

static void test_owners_come_and_go(void **state)
{
	struct host *h = *state;
	uint64_t on, off;

	define(h, "web1");
	start(h, "web1");
	on = uvd_now();
	/* Its two vCPUs may run on each processor of the domain, whose processor it is besides. */
	assert_int_equal(ask(h, "processor", "3", on), 3);
	assert_string_equal(version(0)->owner, "");
	assert_non_null(strstr(version(0)->row, "\"domain\":\"default\""));
	assert_string_equal(version(1)->owner, "web1");
	assert_string_equal(version(1)->part, "0");
	assert_int_equal(version(1)->ended, 0);
	assert_int_equal(ask(h, "processor", "7", on), 1);
	assert_int_equal(ask(h, "memory", "0", on), 1);
	assert_string_equal(version(0)->row, "{\"bytes\":268435456,\"page_size\":4096}");
	assert_int_equal(ask(h, "", h->image, 0), 1);
	assert_string_equal(version(0)->part, "root");
	/* As a device, a channel, and its servers. */
	assert_int_equal(ask(h, "", "web1/root", on), 4);
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	off = uvd_now();
	assert_int_equal(ask(h, "memory", "0", 0), 1);
	assert_int_equal(version(0)->ended, sql(h, "SELECT \"transaction\" FROM clock"));
	assert_true(version(0)->until_ns > on && version(0)->until_ns <= off);
	assert_int_equal(ask(h, "memory", "0", off), 0);
	assert_int_equal(ask(h, "memory", "0", on), 1);
	verb(h, COMMAND_PARTITION_UNDEFINE, "web1");
	accepted(h);
	/* What is no more has its past. */
	assert_int_equal(ask(h, "partition", "web1", 0), 3);
	assert_true(ask(h, "", "web1", 0) > 10);
	assert_int_equal(ask(h, "", "web1", uvd_now()), 0);
	assert_int_equal(ask(h, "", "web2", 0), 0);
}

static void test_one_transaction_makes_one_version(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");	/* state, lease, module id, generation: four changes of a row */
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE noun = 'partition'"
			     " AND key = 'web1'"), 2);
}

static void test_rows_of_what_is_undefined_end_with_it(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	start(h, "web1");
	/* Past the operation, which releases them before. */
	assert_int_equal(ledger_note(db_handle(h->uvd.db), 0, "a test"), 0);
	sql(h, "DELETE FROM channel WHERE partition IS NOT NULL");
	sql(h, "DELETE FROM claim");
	sql(h, "DELETE FROM partition WHERE name = 'web1'");
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE owner = 'web1'"
			     " AND ended IS NULL"), 0);
	assert_int_equal(sql(h, "SELECT count(*) FROM version WHERE owner = 'web1' AND row IS NULL"
			     " GROUP BY noun, ident ORDER BY 1 DESC"), 2);
}

static void test_the_oldest_is_forgotten(void **state)
{
	struct host *h = *state;
	int64_t first, now;

	define(h, "web1");
	first = sql(h, "SELECT \"transaction\" FROM clock");
	start(h, "web1");
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	/* So much later that all of that is old, and only what has not ended is kept. */
	now = first + LEDGER_KEPT + 1000;
	now -= now % 1000;
	assert_int_equal(ledger_note(db_handle(h->uvd.db), now - 1, "much later"), 0);
	define(h, "web2");
	assert_int_equal(sql(h, "SELECT \"transaction\" FROM clock"), now);
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), 2);
	assert_int_equal(sql(h, "SELECT count(*) FROM version WHERE row IS NULL"), 0);
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE ended IS NOT NULL"), 0);
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE owner = 'web1'"), 1);
	assert_int_equal(sql(h, "SELECT row ->> 'state' FROM history WHERE owner = 'web1'"),
			 PARTITION_DEFINED);
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE noun = 'host'"), 1);
	verb(h, COMMAND_PARTITION_UNDEFINE, "web1");
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE owner = 'web1' AND"
			     " ended IS NULL"), 0);
}

static void test_a_plan_is_no_history(void **state)
{
	struct host *h = *state;
	int64_t before;

	define(h, "web1");
	before = sql(h, "SELECT count(*) + total(\"transaction\") FROM history");
	message_begin(h, COMMAND_PLAN);
	add_resources(h, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(sql(h, "SELECT count(*) + total(\"transaction\") FROM history"), before);
}

static void test_only_history_has_keys_and_times(void **state)
{
	struct host *h = *state;
	struct command_query *q;

	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PARTITION;
	q->at_ns = 1;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, &reply);
	assert_int_equal(((struct command_header *)reply.bytes)->status, COMMAND_INVALID);
}

/* ---- the ledger */

static void test_the_ledger_has_who_and_why(void **state)
{
	struct host *h = *state;
	struct command_header *m;

	define(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_STOP, "web1");
	m = message_header(h);
	m->uid = 1000;
	m->pid = 4711;
	m->epoch = 3;
	strcpy(m->who, "alice");
	strcpy(m->text, "W\xc3\xa4rme");
	refused(h, COMMAND_CONFLICT, "web1 is");
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger WHERE uid = 1000 AND pid = 4711 AND"
			     " epoch = 3 AND who = 'alice' AND reason = 'Wärme' AND"
			     " text LIKE '%web1 is%'"), 1);
}

static void test_a_reason_is_utf8(void **state)
{
	static const char *const bad[] = {
		"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"a\x80", "\xe2\x82", "\xf0\x82\x82\xac",
	};
	static const char *const good[] = { "", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
					    "\xf4\x8f\xbf\xbf" };
	struct host *h = *state;
	unsigned int i;

	message_begin(h, COMMAND_QUERY);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memset(message_header(h)->text, 0, sizeof(message_header(h)->text));
		strcpy(message_header(h)->text, bad[i]);
		assert_false(message_header_ok(message_header(h), sizeof(struct command_header)));
	}
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(message_header(h)->text, 0, sizeof(message_header(h)->text));
		strcpy(message_header(h)->text, good[i]);
		assert_true(message_header_ok(message_header(h), sizeof(struct command_header)));
	}
}

/* ---- books of earlier versions */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

/* A book of that version in a directory of its own. */
static void old_book(char *directory, int version, const char *and)
{
	char path[64], *text;
	sqlite3 *db;

	snprintf(path, sizeof(path), "tests/unit/uvd/version_%d.sql", version);
	text = read_file(path);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/uvd.db", directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, and, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(text);
}

static void remove_book(const char *directory)
{
	static const char *const names[] = { "uvd.db", "uvd.db-wal", "uvd.db-shm", "uvd.lock" };
	char path[64];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

static int64_t value(struct db *db, const char *text)
{
	int64_t n = -1;

	db_value(db, &n, text, "");
	return n;
}

/* All objects but tables, and the columns of tables: ALTER changes a table's text. */
static char *shape(struct db *db)
{
	static const char text[] =
		"SELECT type || name || sql FROM sqlite_schema WHERE type <> 'table' UNION ALL"
		" SELECT * FROM (SELECT s.name || '.' || c.name || c.type || c.\"notnull\" ||"
		" coalesce(c.dflt_value, '-') || c.pk || c.cid FROM sqlite_schema s,"
		" pragma_table_xinfo(s.name) c WHERE s.type = 'table') ORDER BY 1";
	sqlite3_stmt *q = db_query(db, text, "");
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	while (db_next(db, q) > 0)
		fprintf(f, "%s\n", sqlite3_column_text(q, 0));
	fclose(f);
	return out;
}

/* What web1 and the processors had by transaction 5, whatever version wrote it down. */
static void expect_past(struct db *db)
{
	assert_int_equal(value(db, "SELECT count(*) FROM ledger WHERE \"transaction\" <= 5"), 5);
	assert_int_equal(value(db, "SELECT count(*) FROM ledger WHERE reason = 'kernel update' AND"
			       " text = ''"), 1);
	assert_int_equal(value(db, "SELECT count(*) FROM ledger WHERE reason = '' AND"
			       " text = 'web1 is starting'"), 1);
	/* What web1 had from transaction 2 to 4, and what it has since 5. */
	assert_int_equal(value(db, "SELECT count(*) FROM history WHERE owner = 'web1' AND"
			       " \"transaction\" = 2 AND ended = 4 AND since_ns = 2000 AND"
			       " until_ns = 4000 AND (noun, key, part) IN (VALUES"
			       " ('memory', '0', ''), ('processor', '2-3', '0'),"
			       " ('device', '/srv/web1.raw', 'root'),"
			       " ('channel', 'web1/root', 'root'), ('partition', 'web1', ''))"), 5);
	assert_int_equal(value(db, "SELECT count(*) FROM history WHERE owner = 'io-a' AND"
			       " noun = 'server' AND key = 'web1/root' AND ended = 4"), 1);
	assert_int_equal(value(db, "SELECT row ->> 'bytes' FROM history WHERE noun = 'memory' AND"
			       " ended IS NULL"), 134217728);
	assert_int_equal(value(db, "SELECT count(*) FROM history WHERE noun = 'processor' AND"
			       " owner = '' AND ended IS NULL"), 4);
	/* The new triggers go on where the old ones ended. */
	assert_int_equal(ledger_note(db_handle(db), 0, "a test"), 0);
	assert_int_equal(db_run(db, "DELETE FROM memory", ""), 0);
	assert_int_equal(value(db, "SELECT count(*) FROM history WHERE noun = 'memory' AND"
			       " ended IS NULL"), 0);
}

static void migrate_book(struct host *h, int version, int64_t number)
{
	char directory[] = "/tmp/uvd-migrate-XXXXXX", *now, *then;
	struct db *db;

	old_book(directory, version, "");
	assert_int_equal(db_open(&db, directory), 0);
	now = shape(db);
	then = shape(h->uvd.db);
	assert_string_equal(now, then);
	free(now);
	free(then);
	assert_int_equal(schema_version(db_handle(db)), SCHEMA_VERSION);
	assert_int_equal(value(db, "SELECT \"transaction\" FROM clock"), number);
	if (version == 4)
		/* Processor 3 went and came under one number, at uvd's starts. */
		assert_int_equal(value(db, "SELECT since_ns FROM history WHERE ident = 'cpu 3' AND"
				       " row ->> 'present' = 1 AND ended IS NULL"), 7000);
	expect_past(db);
	db_close(db);
	assert_int_equal(db_open(&db, directory), 0);
	db_close(db);
	remove_book(directory);
}

static void test_a_book_of_version_2_is_migrated(void **state)
{
	migrate_book(*state, 2, 5);
}

static void test_a_book_of_version_4_is_migrated(void **state)
{
	/* Number 6 was given, and has no line. */
	migrate_book(*state, 4, 6);
}

static void test_a_migration_that_fails_leaves_the_book_alone(void **state)
{
	char directory[] = "/tmp/uvd-migrate-XXXXXX", path[64];
	sqlite3_stmt *q;
	sqlite3 *sqlite;
	struct db *db;

	(void)state;
	old_book(directory, 2, "PRAGMA foreign_keys=OFF;"
		 "INSERT INTO memory VALUES (x'ff000000000000000000000000000000', 0, 2097152)");
	assert_int_equal(db_open(&db, directory), -EUCLEAN);
	snprintf(path, sizeof(path), "%s/uvd.db", directory);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(schema_version(sqlite), 2);
	assert_int_equal(sqlite3_prepare_v2(sqlite, "SELECT change FROM history", -1, &q, NULL),
			 SQLITE_OK);
	sqlite3_finalize(q);
	sqlite3_close(sqlite);
	remove_book(directory);
}

/* ---- checks and backups */

static char *check(const char *path, int expected)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(book_check(f, path), expected);
	fclose(f);
	return text;
}

static void expect_book(const char *path, int expected, const char *words)
{
	char *text = check(path, expected);

	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
	free(text);
}

static void test_a_check_tells_what_is_wrong(void **state)
{
	struct host *h = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/uvd.db", h->directory);
	define(h, "web1");
	start(h, "web1");
	expect_book(path, 0, "sound; version 5, 6 partitions");	/* uvd has it open */
	sql(h, "PRAGMA foreign_keys=OFF");
	sql(h, "DELETE FROM version WHERE noun = 'memory'");
	expect_book(path, 1, "memory that history does not know");
	sql(h, "DELETE FROM partition WHERE name = 'web1'");
	expect_book(path, 1, "a reference to nothing: ");
	expect_book("/dev/null", -EPROTO, "not a resource database");
	expect_book("/nowhere/uvd.db", -EROFS, "unable to open");
}

static void test_a_backup_is_restored(void **state)
{
	char directory[] = "/tmp/uvd-restore-XXXXXX", path[64], busy[128];
	struct host *h = *state;
	FILE *to = fopen("/dev/null", "we");
	struct db *db;

	assert_non_null(to);
	old_book(directory, 2, "");
	snprintf(path, sizeof(path), "%s/uvd.db", directory);
	define(h, "web1");
	define(h, "web2");
	assert_int_equal(book_restore(to, h->directory, path), -EBUSY);
	/* Into the place of a book that has come further; the backup is of the version before. */
	sql(h, "UPDATE ledger SET \"transaction\" = 1000 WHERE \"transaction\" ="
	    " (SELECT \"transaction\" FROM clock)");
	snprintf(busy, sizeof(busy), "%s", h->directory);
	db_close(h->uvd.db);
	assert_int_equal(book_restore(to, busy, "/dev/null"), -EPROTO);
	assert_int_equal(book_restore(to, busy, path), 0);
	assert_int_equal(db_open(&h->uvd.db, busy), 0);
	db = h->uvd.db;
	assert_int_equal(value(db, "SELECT count(*) FROM partition WHERE kind = 1"), 1);
	assert_int_equal(value(db, "SELECT bytes FROM memory"), 134217728);
	assert_int_equal(value(db, "SELECT \"transaction\" FROM clock"), 1001);
	assert_int_equal(value(db, "SELECT count(*) FROM ledger"), 6);
	fclose(to);
	remove_book(directory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_owners_come_and_go),
		TEST(test_one_transaction_makes_one_version),
		TEST(test_rows_of_what_is_undefined_end_with_it),
		TEST(test_the_oldest_is_forgotten),
		TEST(test_a_plan_is_no_history),
		TEST(test_only_history_has_keys_and_times),
		TEST(test_the_ledger_has_who_and_why),
		TEST(test_a_reason_is_utf8),
		TEST(test_a_book_of_version_2_is_migrated),
		TEST(test_a_book_of_version_4_is_migrated),
		TEST(test_a_migration_that_fails_leaves_the_book_alone),
		TEST(test_a_check_tells_what_is_wrong),
		TEST(test_a_backup_is_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing that was committed is only in memory, and nothing that was not is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <uvd/gather.h>

#include <sqlite3.h>

struct pair {
	char directory[32];
	sqlite3 *gathers, *usual;	/* the same file */
};

static void run(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
}

static int64_t rows(sqlite3 *db)
{
	sqlite3_stmt *q;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &q, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

/* As the files are this moment, and a crash would leave them: opened elsewhere. */
static int64_t left(struct pair *p)
{
	char command[256], path[64];
	sqlite3 *db;
	int64_t n;

	snprintf(command, sizeof(command), "cd %s && rm -rf copy && mkdir copy && cp t.db* copy/",
		 p->directory);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/copy/t.db", p->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	n = rows(db);
	sqlite3_close(db);
	return n;
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	char path[64];

	assert_non_null(p);
	snprintf(p->directory, sizeof(p->directory), "/tmp/uvd-gather-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	snprintf(path, sizeof(path), "%s/t.db", p->directory);
	assert_int_equal(sqlite3_open_v2(path, &p->gathers,
					 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, gather_vfs()),
			 SQLITE_OK);
	run(p->gathers, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "PRAGMA wal_autocheckpoint=50; PRAGMA cache_size=10;"
	    "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
	assert_int_equal(sqlite3_open(path, &p->usual), SQLITE_OK);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;
	char command[64];

	sqlite3_close(p->usual);
	sqlite3_close(p->gathers);
	snprintf(command, sizeof(command), "rm -rf %s", p->directory);
	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static void test_each_commit_is_in_the_file(void **state)
{
	struct pair *p = *state;
	int64_t i;

	/* Through several turns of the log. */
	for (i = 1; i <= 200; i++) {
		run(p->gathers, "INSERT INTO t (v) VALUES (randomblob(3000))");
		assert_int_equal(rows(p->usual), i);
		if (i % 20 == 0)
			assert_int_equal(left(p), i);
	}
	run(p->usual, "PRAGMA integrity_check");
}

static void test_what_is_larger_than_the_cache_is_there_too(void **state)
{
	struct pair *p = *state;

	run(p->gathers, "BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 1000) INSERT INTO t SELECT i, randomblob(2000) FROM n");
	assert_int_equal(rows(p->gathers), 1000);
	assert_int_equal(rows(p->usual), 0);
	run(p->gathers, "COMMIT");
	assert_int_equal(rows(p->usual), 1000);
	assert_int_equal(left(p), 1000);
}

static void test_what_is_taken_back_is_nowhere(void **state)
{
	struct pair *p = *state;

	run(p->gathers, "INSERT INTO t VALUES (1, 'a')");
	run(p->gathers, "BEGIN; WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 500) INSERT INTO t SELECT i, randomblob(2000) FROM n; SAVEPOINT one;"
	    " DELETE FROM t; ROLLBACK TO one");
	assert_int_equal(rows(p->gathers), 500);
	run(p->gathers, "ROLLBACK");
	assert_int_equal(rows(p->gathers), 1);
	assert_int_equal(left(p), 1);
	/* Over what the rolled back one has left in the log. */
	run(p->gathers, "INSERT INTO t VALUES (2, 'b')");
	assert_int_equal(rows(p->usual), 2);
	assert_int_equal(left(p), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_commit_is_in_the_file),
		TEST(test_what_is_larger_than_the_cache_is_there_too),
		TEST(test_what_is_taken_back_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite behind a few calls: statements kept by the address of their text, arguments by a string
 * of types, errors as -errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/cpuset.h>
#include <common/log.h>

#include "db.h"
#include "gather.h"
#include "schema.h"

#define STATEMENTS	512		/* slots of the statement table, a power of two */

struct statement {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct db {
	sqlite3 *sqlite;
	int lock;
	struct statement statements[STATEMENTS];
};

int db_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:	return 0;
	case SQLITE_CONSTRAINT:	return -EDEADLK;
	case SQLITE_FULL:	return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:	return -EROFS;
	case SQLITE_NOMEM:	return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:	return -EBUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:	return -EUCLEAN;
	}
	return -EIO;
}

bool db_unwritable(int rc)
{
	return rc == -ENOSPC || rc == -EROFS || rc == -EIO || rc == -EUCLEAN;
}

const char *db_remedy(int rc)
{
	switch (rc) {
	case -ENOSPC:	return "make room on the file system of uvd.db, then repeat the request";
	case -EUCLEAN:	return "stop uvd and restore a backup: uvd --check-db, uvd --restore";
	}
	return "see to the file system of uvd.db, then repeat the request";
}

static int exec(struct db *db, const char *sql)
{
	return db_errno(sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

static int lock_directory(const char *directory)
{
	char path[PATH_MAX];
	int fd, tries;

	if (snprintf(path, sizeof(path), "%s/uvd.lock", directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EROFS)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A killed predecessor lets go only when the kernel has finished with its last fd. */
	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK || tries == 100) {
			int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;

			close(fd);
			return rc;
		}
		usleep(20 * 1000);
	}
	return fd;
}

/* cpus_have(list, cpu), for statements: is this CPU in a list as in /sys? */
static void cpus_have(sqlite3_context *context, int n, sqlite3_value **values)
{
	const char *list = (const char *)sqlite3_value_text(values[0]);
	const char *text = (const char *)sqlite3_value_text(values[1]);
	struct cpuset set, one;

	(void)n;
	sqlite3_result_int(context, list && text && cpuset_parse(&set, list) == 0 &&
			   cpuset_parse(&one, text) == 0 && cpuset_count(&one) == 1 &&
			   cpuset_has(&set, cpuset_next(&one, 0)));
}

static int prepare_file(struct db *db)
{
	/* Of a new file: a commit changes a little on each of its pages, and writes them whole. */
	int rc = exec(db, "PRAGMA page_size=2048;"
			  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			  "PRAGMA foreign_keys=ON;"
			  /*
			   * KiB; the kernel's cache has the rest. A commit that has split a page
			   * looks at all of this one.
			   */
			  "PRAGMA cache_size=-4096;"
			  /* Pages that many commits change are then moved once. */
			  "PRAGMA wal_autocheckpoint=32000; PRAGMA temp_store=MEMORY;");

	if (rc == 0)
		rc = db_errno(sqlite3_create_function(db->sqlite, "cpus_have", 2,
						      SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
						      cpus_have, NULL, NULL));
	return rc < 0 ? rc : schema_prepare(db->sqlite);
}

int db_open(struct db **out, const char *directory)
{
	char path[PATH_MAX];
	struct db *db;
	int rc;

	if (snprintf(path, sizeof(path), "%s/uvd.db", directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	db->lock = lock_directory(directory);
	if (db->lock < 0) {
		rc = db->lock;
		goto free;
	}
	/* Nobody asks how much memory it has; refused, and no matter, when it was used before. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	rc = db_errno(sqlite3_open_v2(path, &db->sqlite,
					  SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					  SQLITE_OPEN_NOMUTEX, gather_vfs()));
	if (rc < 0)
		goto close;
	/* What a trigger's program needs fits into one piece. */
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_LOOKASIDE, NULL, 4096, 200);
	sqlite3_extended_result_codes(db->sqlite, 1);
	/* Somebody may look with sqlite3(1) while we run. */
	sqlite3_busy_timeout(db->sqlite, 2000);
	rc = prepare_file(db);
	if (rc < 0)
		goto close;
	if (chmod(path, 0600) < 0 && errno != EROFS) {
		rc = -errno;
		goto close;
	}
	*out = db;
	return 0;

close:
	sqlite3_close(db->sqlite);
	close(db->lock);
free:
	free(db);
	return rc;
}

void db_close(struct db *db)
{
	unsigned int i;

	if (!db)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->statements[i].stmt);
	sqlite3_close(db->sqlite);
	close(db->lock);
	free(db);
}

static sqlite3_stmt *statement(struct db *db, const char *sql)
{
	unsigned int i = ((uintptr_t)sql >> 3) * 2654435761u % STATEMENTS, n;
	struct statement *s;

	for (n = 0; n < STATEMENTS; n++, i = (i + 1) % STATEMENTS) {
		s = &db->statements[i];
		if (s->sql == sql) {
			sqlite3_reset(s->stmt);
			return s->stmt;
		}
		if (s->sql)
			continue;
		if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt,
				       NULL) != SQLITE_OK) {
			log_error("statement \"%s\": %s", sql, sqlite3_errmsg(db->sqlite));
			return NULL;
		}
		s->sql = sql;
		return s->stmt;
	}
	log_error("more than %u statements", STATEMENTS);
	return NULL;
}

static sqlite3_stmt *bind(struct db *db, const char *sql, const char *types, va_list args)
{
	sqlite3_stmt *s = statement(db, sql);
	const void *p;
	int i, r = SQLITE_OK;

	if (!s)
		return NULL;
	for (i = 1; *types && r == SQLITE_OK; types++, i++) {
		switch (*types) {
		case 'i':
			r = sqlite3_bind_int64(s, i, va_arg(args, int64_t));
			break;
		case 't':
			r = sqlite3_bind_text(s, i, va_arg(args, const char *), -1,
					      SQLITE_TRANSIENT);
			break;
		case 'u':
			p = va_arg(args, const void *);
			r = p ? sqlite3_bind_blob(s, i, p, 16, SQLITE_TRANSIENT) :
				sqlite3_bind_null(s, i);
			break;
		case 'b':
			p = va_arg(args, const void *);
			r = sqlite3_bind_blob64(s, i, p, va_arg(args, size_t), SQLITE_TRANSIENT);
			break;
		case 'n':
			r = sqlite3_bind_null(s, i);
			break;
		default:
			r = SQLITE_MISUSE;
		}
	}
	if (r == SQLITE_OK && i - 1 == sqlite3_bind_parameter_count(s))
		return s;
	log_error("arguments of \"%s\": %s", sql, sqlite3_errstr(r));
	return NULL;
}

int db_run(struct db *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *s;
	va_list args;
	int r;

	va_start(args, types);
	s = bind(db, sql, types, args);
	va_end(args);
	if (!s)
		return -EINVAL;
	do
		r = sqlite3_step(s);
	while (r == SQLITE_ROW);
	/* Reset gives up the read lock; the message of an error survives it. */
	sqlite3_reset(s);
	return db_errno(r);
}

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *s;
	va_list args;

	va_start(args, types);
	s = bind(db, sql, types, args);
	va_end(args);
	return s;
}

int db_next(struct db *db, sqlite3_stmt *q)
{
	int r;

	if (!q)
		return -EINVAL;
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		return 1;
	sqlite3_reset(q);
	if (r != SQLITE_DONE)
		log_error("query: %s", sqlite3_errmsg(db->sqlite));
	return db_errno(r);
}

void db_done(sqlite3_stmt *q)
{
	if (q)
		sqlite3_reset(q);
}

int db_value(struct db *db, int64_t *out, const char *sql, const char *types, ...)
{
	sqlite3_stmt *q;
	va_list args;
	int rc;

	va_start(args, types);
	q = bind(db, sql, types, args);
	va_end(args);
	rc = db_next(db, q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return -ENOENT;
	rc = sqlite3_column_type(q, 0) == SQLITE_NULL ? -ENOENT : 0;
	*out = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return rc;
}

int64_t db_int(sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

void db_text(sqlite3_stmt *q, int column, char *to, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q, column);

	memset(to, 0, size);
	if (text)
		memcpy(to, text, strnlen((const char *)text, size - 1));
}

void db_uuid(sqlite3_stmt *q, int column, uint8_t to[16])
{
	const void *blob = sqlite3_column_blob(q, column);

	if (blob && sqlite3_column_bytes(q, column) == 16)
		memcpy(to, blob, 16);
	else
		memset(to, 0, 16);
}

int db_begin(struct db *db)
{
	return db_run(db, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db)
{
	return db_run(db, "COMMIT", "");
}

void db_rollback(struct db *db)
{
	/* SQLite rolls back by itself after some errors. */
	if (!sqlite3_get_autocommit(db->sqlite))
		exec(db, "ROLLBACK");
}

int db_savepoint(struct db *db)
{
	return db_run(db, "SAVEPOINT one", "");
}

int db_release(struct db *db)
{
	return db_run(db, "RELEASE one", "");
}

void db_undo(struct db *db)
{
	if (sqlite3_get_autocommit(db->sqlite))
		return;
	if (db_run(db, "ROLLBACK TO one", "") == 0)
		db_run(db, "RELEASE one", "");
}

bool db_in_transaction(struct db *db)
{
	return !sqlite3_get_autocommit(db->sqlite);
}

const char *db_error(struct db *db)
{
	return sqlite3_errmsg(db->sqlite);
}

sqlite3 *db_handle(struct db *db)
{
	return db->sqlite;
}

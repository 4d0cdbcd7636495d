/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup is restored by one transaction of SQLite's own on the database in place: whenever it is
 * cut off, the next uvd finds the old book or the new one, never an empty one.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "book.h"
#include "db.h"
#include "ledger.h"
#include "schema.h"

/* What triggers hold at each change, looked at as a whole: each selects what breaks it. */
static const struct {
	const char *what, *sql;
} rules[] = {
	{ "memory of a node beyond its pool",
	  "SELECT n.node FROM node n WHERE (SELECT coalesce(sum(bytes), 0) FROM memory m"
	  " WHERE m.node = n.node) > n.memory_pool" },
	{ "memory of a domain's partitions beyond the domain",
	  "SELECT d.name FROM domain d WHERE (SELECT coalesce(sum(bytes), 0) FROM memory m"
	  " JOIN partition p ON p.uuid = m.partition WHERE p.domain = d.name) > d.memory" },
	{ "domains beyond the pool",
	  "SELECT name FROM host WHERE (SELECT coalesce(sum(memory), 0) FROM domain) >"
	  " memory_pool" },
	{ "a processor that is dedicated and shared",
	  "SELECT cpu FROM context_cpu GROUP BY cpu HAVING sum(dedicated) > 0 AND count(*) > 1" },
	{ "a processor used outside its domain",
	  "SELECT c.cpu FROM context_cpu c JOIN partition p ON p.uuid = c.partition"
	  " JOIN processor r ON r.cpu = c.cpu WHERE r.domain IS NOT p.domain" },
	{ "a device with a writer and others",
	  "SELECT resource FROM claim GROUP BY resource HAVING sum(writes) > 0 AND count(*) > 1" },
	{ "history of a number that was not given",
	  "SELECT \"transaction\" FROM version WHERE \"transaction\" >"
	  " (SELECT coalesce(max(\"transaction\"), -1) FROM ledger)" },
	{ "memory that history does not know",
	  "SELECT hex(partition) || '/' || node FROM memory WHERE lower(hex(partition)) || '/' ||"
	  " node NOT IN (SELECT ident FROM history WHERE noun = 'memory' AND ended IS NULL)" },
	{ "memory in history that nobody has",
	  "SELECT owner FROM history WHERE noun = 'memory' AND ended IS NULL AND ident NOT IN"
	  " (SELECT lower(hex(partition)) || '/' || node FROM memory)" },
};

/* Tells each row of a query; their number, or -errno. */
static int tell(FILE *to, sqlite3 *db, const char *what, const char *sql, const char *fine)
{
	const char *text;
	sqlite3_stmt *q;
	int n = 0, r;

	r = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (r == SQLITE_OK) {
		while ((r = sqlite3_step(q)) == SQLITE_ROW) {
			text = (const char *)sqlite3_column_text(q, 0);
			if (fine && text && strcmp(text, fine) == 0)
				continue;
			fprintf(to, "%s: %s\n", what, text ? text : "?");
			n++;
		}
	}
	sqlite3_finalize(q);
	if (r == SQLITE_DONE)
		return n;
	fprintf(to, "%s: cannot be told: %s\n", what, sqlite3_errmsg(db));
	return db_errno(r);
}

static int64_t count(sqlite3 *db, const char *sql)
{
	int64_t n = 0;
	sqlite3_stmt *q;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

/* How many faults, or -errno. An older version is sound by its pages and keys alone. */
static int check(FILE *to, sqlite3 *db, int version)
{
	int faults, rc;
	size_t i;

	faults = tell(to, db, "damaged", "PRAGMA integrity_check", "ok");
	if (faults < 0)
		return faults;
	rc = tell(to, db, "a reference to nothing", "PRAGMA foreign_key_check", NULL);
	for (i = 0; rc >= 0; i++) {
		faults += rc;
		if (version != SCHEMA_VERSION || i == sizeof(rules) / sizeof(*rules))
			break;
		rc = tell(to, db, rules[i].what, rules[i].sql, NULL);
	}
	return rc < 0 ? rc : faults;
}

/* Opens a database that is there; its version, or -errno, told. */
static int open_book(FILE *to, const char *path, sqlite3 **db)
{
	int rc;

	/* For writing: what a crash left in the WAL is part of it; the first look recovers it. */
	rc = db_errno(sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE, NULL));
	if (rc == 0) {
		sqlite3_busy_timeout(*db, 10000);
		rc = schema_version(*db);
	}
	if (rc > 0 && rc <= SCHEMA_VERSION)
		return rc;
	if (rc < 0 && rc != -EPROTO)
		fprintf(to, "%s: %s\n", path, sqlite3_errmsg(*db));
	else if (rc > SCHEMA_VERSION)
		fprintf(to, "%s: of version %d; this uvd knows %d\n", path, rc, SCHEMA_VERSION);
	else
		fprintf(to, "%s: not a resource database\n", path);
	return rc < 0 ? rc : -EPROTO;
}

int book_check(FILE *to, const char *path)
{
	sqlite3 *db = NULL;
	int version, faults = 0;

	version = open_book(to, path, &db);
	if (version > 0)
		faults = check(to, db, version);
	if (version > 0 && faults == 0)
		fprintf(to, "%s: sound; version %d, %lld partitions, %lld transactions\n", path,
			version, (long long)count(db, "SELECT count(*) FROM partition"),
			(long long)count(db, "SELECT \"transaction\" FROM clock"));
	sqlite3_close(db);
	return version < 0 ? version : faults < 0 ? faults : faults > 0;
}

static int copy(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int r;

	if (!b)
		return db_errno(sqlite3_errcode(to));
	r = sqlite3_backup_step(b, -1);
	sqlite3_backup_finish(b);
	return r == SQLITE_DONE ? 0 : db_errno(r);
}

int book_restore(FILE *to, const char *state, const char *backup)
{
	sqlite3 *from = NULL, *between = NULL;
	struct db *db = NULL;
	int rc, version;

	/* The lock first, with a book: an empty one if there is none yet. */
	rc = db_open(&db, state);
	if (rc < 0) {
		fprintf(to, "%s/uvd.db: %s\n", state, rc == -EBUSY ?
			"uvd is running: systemctl stop uvd" : rc == -EUCLEAN ?
			"damaged: move it and uvd.db-wal away, then repeat this" : strerror(-rc));
		return rc;
	}
	version = open_book(to, backup, &from);
	rc = version < 0 ? version : check(to, from, version);
	if (rc > 0)
		rc = -EUCLEAN;
	if (rc < 0)
		goto out;
	/* By way of memory: the book changes once, when everything that can fail has not. */
	rc = db_errno(sqlite3_open(":memory:", &between));
	if (rc == 0)
		rc = copy(between, from);
	if (rc == 0)
		rc = schema_prepare(between);
	/* No number is given twice: leases and the module's objects have them. */
	if (rc == 0)
		rc = ledger_note(between, 1 + count(db_handle(db), "SELECT \"transaction\""
						    " FROM clock"), "restore a backup");
	/* With a WAL a file keeps the size of its pages, and the copy's may be another. */
	if (rc == 0)
		rc = db_errno(sqlite3_exec(db_handle(db), "PRAGMA journal_mode=DELETE", NULL, NULL,
					   NULL));
	if (rc == 0)
		rc = copy(db_handle(db), between);
	if (rc < 0)
		fprintf(to, "%s cannot be restored: %s\n", backup, strerror(-rc));
	else
		fprintf(to, "%s/uvd.db: as %s says; the next uvd ends what runs and is not in it\n",
			state, backup);
out:
	sqlite3_close(between);
	sqlite3_close(from);
	db_close(db);
	return rc;
}

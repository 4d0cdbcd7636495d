/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource database: SQLite in WAL mode, synchronous=FULL. A commit that returned 0 survives
 * power failure. One connection, one thread. Statements are prepared once, found again by their
 * text's address: pass string literals.
 *
 * Arguments are given by a string of types, one letter each:
 *   i  int64_t, or anything narrower cast to it        t  const char *
 *   u  const uint8_t *, a UUID of 16 bytes; NULL: null  b  const void *, size_t; NULL: null
 *   n  null (takes no argument)
 */
#ifndef UVD_DB_H
#define UVD_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

struct db;

/*
 * Opens directory/uvd.db, creates it with the schema if it is not there, migrates it if it is
 * older, and takes the directory's lock: -EBUSY when another uvd has it. -EPROTO: of a newer one.
 */
int db_open(struct db **out, const char *directory);
void db_close(struct db *db);

/* Runs a statement that returns no rows. Errors: db_error(). */
int db_run(struct db *db, const char *sql, const char *types, ...);

/*
 * Begins a query; step it with db_next: 1 a row, 0 no more, -errno. A query is reset by its next
 * use, by db_next returning 0, or by db_done; columns are valid until then.
 */
sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...);
int db_next(struct db *db, sqlite3_stmt *q);
void db_done(sqlite3_stmt *q);

/* First column of the first row: 0, -ENOENT (no row, or null), -errno. */
int db_value(struct db *db, int64_t *out, const char *sql, const char *types, ...);

/* Columns into fixed fields: text is truncated and zero-padded, blobs of another size are zero. */
int64_t db_int(sqlite3_stmt *q, int column);
void db_text(sqlite3_stmt *q, int column, char *to, size_t size);
void db_uuid(sqlite3_stmt *q, int column, uint8_t to[16]);

/*
 * Transactions. begin takes the write lock; one level of savepoint inside it lets several of
 * the house's transactions share one commit, each kept or undone alone.
 */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
int db_savepoint(struct db *db);
int db_release(struct db *db);
void db_undo(struct db *db);
/* False after an error by which SQLite ended the transaction on its own. */
bool db_in_transaction(struct db *db);

/*
 * What went wrong last, as -errno: -EDEADLK a constraint of the schema (its text by
 * db_error), -ENOSPC, -EROFS, -EIO, -ENOMEM. Text is valid until the next call.
 */
/* The error is the file's or its file system's: it cannot be written, perhaps later it can. */
bool db_unwritable(int rc);
/* What helps then. */
const char *db_remedy(int rc);
const char *db_error(struct db *db);

/* A result of SQLite as -errno, 0 if it is none. */
int db_errno(int code);

/* For tests' hooks. */
sqlite3 *db_handle(struct db *db);

#endif

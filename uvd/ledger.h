/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: one line for each transaction, refused ones too, in order of their numbers, with
 * the reply that was given. The last LEDGER_KEPT are kept, with their history.
 */
#ifndef UVD_LEDGER_H
#define UVD_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "db.h"

#define LEDGER_KEPT 100000

struct ledger_line {
	uint64_t transaction;
	const uint8_t *request_id;
	uint64_t digest;
	uint32_t status, operations, uid, pid;
	uint64_t epoch;
	const char *who, *subject, *summary, *reason, *text;
	const void *reply;
	size_t n_reply;
};

/*
 * Begins a line: what its author said, and the next number, which is set. History that is written
 * from here on is its, as long as no other line is begun. -EDEADLK: this request has one.
 */
int ledger_begin(struct db *db, struct ledger_line *line);

/* Completes it, with what came of it. */
int ledger_end(struct db *db, const struct ledger_line *line);

/*
 * Forgets the oldest, and what they ended in history, many at a time: a commit of its own, behind
 * the one that began this line.
 */
void ledger_forget(struct db *db, uint64_t transaction);

/* A line of what happens besides transactions; its number is not below least. */
int ledger_note(sqlite3 *db, uint64_t least, const char *summary);

/* "; by alice (uid 1000) in transaction 7", or "" if that is not known. */
void ledger_author(struct db *db, uint64_t transaction, char *to, size_t size);

/* The reply to a request: 1 and *reply (to be freed; NULL: none is kept), 0, or -errno. */
int ledger_find(struct db *db, const uint8_t request_id[16], uint64_t *digest, uint8_t **reply,
		size_t *n);

#endif

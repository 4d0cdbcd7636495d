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

/* The next number; history rows written from here on are its. */
int ledger_number(struct db *db, uint64_t *number);

/* Adds a line, and forgets the oldest. */
int ledger_add(struct db *db, const struct ledger_line *line);

/* "; by alice (uid 1000) in transaction 7", or "" if that is not known. */
void ledger_author(struct db *db, uint64_t transaction, char *to, size_t size);

/* The reply to a request: 1 and *reply (to be freed; NULL: none is kept), 0, or -errno. */
int ledger_find(struct db *db, const uint8_t request_id[16], uint64_t *digest, uint8_t **reply,
		size_t *n);

#endif

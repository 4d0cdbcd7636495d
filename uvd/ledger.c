/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's lines in the database; numbers come from the table clock and are never reused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ultravisor/command.h>

#include "ledger.h"
#include "uvd.h"

int ledger_number(struct db *db, uint64_t *number)
{
	int64_t n;
	int rc;

	rc = db_run(db, "UPDATE clock SET \"transaction\" = \"transaction\" + 1, time_ns = ?", "i",
		    (int64_t)uvd_now());
	if (rc == 0)
		rc = db_value(db, &n, "SELECT \"transaction\" FROM clock", "");
	if (rc == 0)
		*number = n;
	return rc;
}

int ledger_add(struct db *db, const struct ledger_line *line)
{
	int64_t oldest = (int64_t)line->transaction - LEDGER_KEPT;
	int rc;

	rc = db_run(db, "INSERT INTO ledger VALUES (?, (SELECT time_ns FROM clock), ?, ?, ?, ?, ?,"
		    " ?, ?, ?, ?, ?, ?, ?, ?)", "iuiiiittttbiit", (int64_t)line->transaction,
		    line->request_id, (int64_t)line->digest, (int64_t)line->status,
		    (int64_t)line->operations, (int64_t)line->uid, line->who, line->subject,
		    line->summary, line->text, line->reply, line->n_reply, (int64_t)line->pid,
		    (int64_t)line->epoch, line->reason);
	if (rc < 0 || oldest <= 0)
		return rc;
	rc = db_run(db, "DELETE FROM ledger WHERE \"transaction\" <= ?", "i", oldest);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM history WHERE ended <= ?", "i", oldest);
	return rc;
}

void ledger_author(struct db *db, uint64_t transaction, char *to, size_t size)
{
	char who[COMMAND_NAME_LEN], more[48] = "";
	sqlite3_stmt *q;

	to[0] = '\0';
	q = db_query(db, "SELECT who, uid, epoch FROM ledger WHERE \"transaction\" = ?", "i",
		     (int64_t)transaction);
	if (db_next(db, q) <= 0)
		return;
	db_text(q, 0, who, sizeof(who));
	if (db_int(q, 2))
		snprintf(more, sizeof(more), " (epoch %lld)", (long long)db_int(q, 2));
	else if (db_int(q, 1))
		snprintf(more, sizeof(more), " (uid %lld)", (long long)db_int(q, 1));
	snprintf(to, size, "; by %s%s in transaction %llu", who, more,
		 (unsigned long long)transaction);
	db_done(q);
}

int ledger_find(struct db *db, const uint8_t request_id[16], uint64_t *digest, uint8_t **reply,
		size_t *n)
{
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT digest, reply FROM ledger WHERE request_id = ?", "u", request_id);
	rc = db_next(db, q);
	if (rc <= 0)
		return rc;
	*digest = (uint64_t)db_int(q, 0);
	*n = sqlite3_column_bytes(q, 1);
	*reply = NULL;
	if (*n) {
		*reply = malloc(*n);
		if (*reply)
			memcpy(*reply, sqlite3_column_blob(q, 1), *n);
		else
			rc = -ENOMEM;
	}
	db_done(q);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's lines in the database. The last is never forgotten: no number is given twice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ultravisor/command.h>

#include <common/log.h>

#include "ledger.h"
#include "uvd.h"

/*
 * A reply as it is kept. Most of one is the zeros behind its texts: kept are its length, and pairs
 * of bytes as they are and of zeros behind them, each counted. A reply begins with
 * COMMAND_MAGIC; one that was kept before they were packed is as it was sent.
 */
#define PACKED	0x315a5655u	/* "UVZ1" */
#define RUN	8u		/* zeros that are worth a pair */

struct pair {
	uint32_t bytes, zeros;
};

static size_t zeros_at(const uint8_t *from, size_t n)
{
	size_t i = 0;

	while (i < n && !from[i])
		i++;
	return i;
}

/* What it takes is never more than this. */
static size_t packed_size(size_t n)
{
	return 2 * sizeof(uint32_t) + (n / RUN + 2) * sizeof(struct pair) + n;
}

static size_t pack(uint8_t *to, const uint8_t *from, size_t n)
{
	const uint32_t head[] = { PACKED, n };
	size_t at = sizeof(head), i = 0;

	memcpy(to, head, sizeof(head));
	while (i < n) {
		struct pair pair = { 0 };
		size_t begin = i, zeros;

		while (i < n) {
			zeros = from[i] ? 0 : zeros_at(from + i, n - i);
			if (zeros >= RUN || (zeros && i + zeros == n)) {
				pair.zeros = zeros;
				break;
			}
			i += zeros ? zeros : 1;
		}
		pair.bytes = i - begin;
		memcpy(to + at, &pair, sizeof(pair));
		memcpy(to + at + sizeof(pair), from + begin, pair.bytes);
		at += sizeof(pair) + pair.bytes;
		i += pair.zeros;
	}
	return at;
}

/* *to, of *n bytes: the caller's. The file may be damaged: what it says is not believed. */
static int unpack(uint8_t **to, size_t *n, const uint8_t *from, size_t packed)
{
	uint32_t head[2] = { 0 };
	struct pair pair;
	size_t at = 0;

	if (packed >= sizeof(head))
		memcpy(head, from, sizeof(head));
	*n = head[0] == PACKED ? head[1] : packed;
	if (*n > COMMAND_MAX_LENGTH)
		return -EUCLEAN;
	*to = calloc(1, *n);
	if (!*to)
		return -ENOMEM;
	if (head[0] != PACKED) {
		memcpy(*to, from, packed);
		return 0;
	}
	from += sizeof(head);
	packed -= sizeof(head);
	while (packed >= sizeof(pair)) {
		memcpy(&pair, from, sizeof(pair));
		from += sizeof(pair);
		packed -= sizeof(pair);
		if (pair.bytes > packed || pair.bytes > *n - at ||
		    pair.zeros > *n - at - pair.bytes)
			break;
		memcpy(*to + at, from, pair.bytes);
		from += pair.bytes;
		packed -= pair.bytes;
		at += pair.bytes + pair.zeros;
	}
	if (at == *n && !packed)
		return 0;
	free(*to);
	*to = NULL;
	return -EUCLEAN;
}

int ledger_begin(struct db *db, struct ledger_line *line)
{
	/* SQLite gives the number: the last one's and one. */
	int rc = db_run(db, "INSERT INTO ledger (time_ns, request_id, digest, status, operations,"
			" uid, who, subject, summary, text, pid, epoch, reason)"
			" VALUES (?, ?, ?, 0, ?, ?, ?, '', '', '', ?, ?, ?)", "iuiiitiit",
			(int64_t)uvd_now(), line->request_id, (int64_t)line->digest,
			(int64_t)line->operations, (int64_t)line->uid, line->who,
			(int64_t)line->pid, (int64_t)line->epoch, line->reason);

	if (rc == 0)
		line->transaction = sqlite3_last_insert_rowid(db_handle(db));
	return rc;
}

int ledger_end(struct db *db, const struct ledger_line *line)
{
	uint8_t *packed = line->reply ? malloc(packed_size(line->n_reply)) : NULL;
	size_t n_packed = packed ? pack(packed, line->reply, line->n_reply) : 0;
	int rc;

	if (line->reply && !packed)
		return -ENOMEM;
	rc = db_run(db, "UPDATE ledger SET status = ?, subject = ?, summary = ?, text = ?,"
		    " reply = ? WHERE \"transaction\" = ?", "itttbi", (int64_t)line->status,
		    line->subject, line->summary, line->text, packed, n_packed,
		    (int64_t)line->transaction);
	free(packed);
	return rc;
}

int ledger_note(sqlite3 *db, uint64_t least, const char *summary)
{
	char *sql = sqlite3_mprintf("INSERT INTO ledger (\"transaction\", time_ns, request_id,"
				    " digest, status, operations, uid, who, subject, summary, text)"
				    " SELECT max(%llu, coalesce(max(\"transaction\") + 1, 0)),"
				    " %llu, randomblob(16), 0, 0, 0, 0, 'uvd', '', %Q, ''"
				    " FROM ledger", (unsigned long long)least,
				    (unsigned long long)uvd_now(), summary);
	int rc = sql ? db_errno(sqlite3_exec(db, sql, NULL, NULL, NULL)) : -ENOMEM;

	sqlite3_free(sql);
	return rc;
}

#define STEP 1000	/* lines that are forgotten together */

/* Numbers of history's versions begin with their transaction's (schema.sql). */
#define VERSIONS "BETWEEN (SELECT min(\"transaction\") FROM ledger) << 20 AND (?1 + 1) << 20"

void ledger_forget(struct db *db, uint64_t transaction)
{
	static const char *const steps[] = {
		/* What lines to be forgotten ended, then their words that a row is no more. */
		"DELETE FROM version WHERE id IN (SELECT v.id FROM version n JOIN version v"
		" ON v.owner = n.owner AND v.noun = n.noun AND v.ident = n.ident"
		" AND v.\"transaction\" < n.\"transaction\" WHERE n.id " VERSIONS ")",
		"DELETE FROM version WHERE row IS NULL AND id " VERSIONS,
		"DELETE FROM ledger WHERE \"transaction\" <= ?1",
	};
	int64_t last = (int64_t)transaction - LEDGER_KEPT;
	size_t i;
	int rc;

	if (last <= 0 || transaction % STEP)
		return;
	rc = db_begin(db);
	for (i = 0; rc == 0 && i < sizeof(steps) / sizeof(*steps); i++)
		rc = db_run(db, steps[i], "i", last);
	if (rc == 0)
		rc = db_commit(db);
	if (rc == 0)
		return;
	db_rollback(db);
	log_errno(LOG_WARNING, rc, "the oldest lines of the ledger stay for now");
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
	*n = 0;
	*reply = NULL;
	if (sqlite3_column_bytes(q, 1))
		rc = unpack(reply, n, sqlite3_column_blob(q, 1), sqlite3_column_bytes(q, 1));
	db_done(q);
	return rc < 0 ? rc : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three ways to name what is asked for, each by an index: a processor by its number, which is in
 * lists of CPUs; a noun's key; a partition's name, or any other key alone.
 */
#include <string.h>

#include "history.h"

#define SELECT \
	"SELECT h.id, h.\"transaction\", since_ns, coalesce(ended, 0), coalesce(until_ns, 0)," \
	" noun, key, part, owner, coalesce(l.who, ''), row FROM history h" \
	" LEFT JOIN ledger l ON l.\"transaction\" = h.\"transaction\" WHERE h.id > ?1 AND" \
	" (?2 = 0 OR since_ns <= ?2 AND (ended IS NULL OR until_ns > ?2)) AND "

/*
 * Keys are in an index where they are not the owner's name, by which they are found otherwise.
 * Lists of CPUs are few, however many versions have them: each is looked at once.
 */
static const char by_processor[] = SELECT
	"?3 = 'processor' AND h.id IN (WITH RECURSIVE k (list) AS ("
	"SELECT min(key) FROM version WHERE noun = 'processor' AND key <> owner UNION ALL"
	" SELECT (SELECT min(key) FROM version WHERE noun = 'processor' AND key <> owner"
	" AND key > k.list) FROM k WHERE k.list IS NOT NULL)"
	" SELECT v.id FROM k JOIN version v ON v.noun = 'processor' AND v.key = k.list"
	" AND v.key <> v.owner WHERE cpus_have(k.list, ?4)) ORDER BY h.id";

static const char by_key[] = SELECT
	"h.id IN (SELECT id FROM version WHERE noun = ?3 AND key = ?4 AND key <> owner UNION ALL"
	" SELECT id FROM version WHERE owner = ?4 AND noun = ?3 AND key = ?4) ORDER BY h.id";

/* "web1/root" is a channel's key, and also this device of its partition. */
static const char by_name[] = SELECT
	"?3 = '' AND h.id IN (SELECT id FROM version WHERE owner = ?4 AND owner <> '' UNION"
	" SELECT id FROM version WHERE key = ?4 AND key <> owner AND noun IN ('processor',"
	" 'memory', 'device', 'channel', 'server', 'partition', 'domain', 'host') UNION"
	" SELECT id FROM version WHERE owner = substr(?4, 1, instr(?4, '/') - 1) AND owner <> ''"
	" AND part = substr(?4, instr(?4, '/') + 1)) ORDER BY h.id";

static const char *statement(const struct command_query *query)
{
	if (strcmp(query->noun, "processor") == 0)
		return by_processor;
	return query->noun[0] ? by_key : by_name;
}

int history_rows(struct uvd *uvd, const struct command_query *query, uint32_t limit,
		 struct reply *reply)
{
	struct command_row_history *r;
	sqlite3_stmt *q;
	uint32_t n;
	int rc = 0;

	q = db_query(uvd->db, statement(query), "iitt", (int64_t)query->after,
		     (int64_t)query->at_ns, query->noun, query->key);
	for (n = 0; (rc = db_next(uvd->db, q)) > 0; n++) {
		r = n < limit ? reply_add(reply, COMMAND_ROW_HISTORY, 0) : NULL;
		if (!r) {
			db_done(q);
			return 1;
		}
		r->id = db_int(q, 0);
		r->transaction = db_int(q, 1);
		r->since_ns = db_int(q, 2);
		r->ended = db_int(q, 3);
		r->until_ns = db_int(q, 4);
		db_text(q, 5, r->noun, sizeof(r->noun));
		db_text(q, 6, r->key, sizeof(r->key));
		db_text(q, 7, r->part, sizeof(r->part));
		db_text(q, 8, r->owner, sizeof(r->owner));
		db_text(q, 9, r->who, sizeof(r->who));
		db_text(q, 10, r->row, sizeof(r->row));
	}
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: whole multiples of 2 MiB of a node, given to a partition while it is off; small pages,
 * or huge ones that the host has reserved.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <common/size.h>

#include "inventory.h"
#include "operation.h"

/* "web1 has 4GiB, web2 has 2GiB": the largest owners that q (name, bytes) yields. */
static void owners(struct transaction *t, sqlite3_stmt *q, char *to, size_t size)
{
	char name[COMMAND_NAME_LEN], bytes[SIZE_TEXT];
	size_t n = 0;
	int shown = 0;

	*to = '\0';
	while (db_next(t->uvd->db, q) > 0) {
		if (shown == 3 || n + 90 > size) {
			snprintf(to + n, size - n, ", …");
			db_done(q);
			return;
		}
		db_text(q, 0, name, sizeof(name));
		n += snprintf(to + n, size - n, "%s%s has %s", shown ? ", " : ": ", name,
			      size_format(db_int(q, 1), bytes));
		shown++;
	}
}

static int refuse_memory(struct transaction *t, const char *where, uint64_t asked, uint64_t limit,
			 uint64_t used, sqlite3_stmt *q)
{
	char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT], who[160];

	owners(t, q, who, sizeof(who));
	return refuse(t, COMMAND_RESOURCES, "stop a partition, or ask for less",
		      "%s: %s asked, %s of %s free%s", where, size_format(asked, a),
		      size_format(limit > used ? limit - used : 0, b), size_format(limit, c), who);
}

/* limit and sum are queries of one number each; "who" is one of names and bytes. */
static int check_domain(struct transaction *t, const struct partition *p, uint64_t asked)
{
	struct db *db = t->uvd->db;
	char where[COMMAND_NAME_LEN + 24];
	int64_t limit = 0, used = 0;
	int rc;

	rc = db_value(db, &limit, "SELECT memory FROM domain WHERE name = ?", "t", p->domain);
	if (rc == 0)
		rc = db_value(db, &used, "SELECT coalesce(sum(m.bytes), 0) FROM memory m"
			      " JOIN partition p ON p.uuid = m.partition WHERE p.domain = ?", "t",
			      p->domain);
	if (rc < 0)
		return refuse_db(t, rc);
	if (asked <= (uint64_t)limit - used)
		return 0;
	snprintf(where, sizeof(where), "memory of domain %s", p->domain);
	return refuse_memory(t, where, asked, limit, used,
			     db_query(db, "SELECT p.name, sum(m.bytes) AS bytes FROM memory m"
				      " JOIN partition p ON p.uuid = m.partition"
				      " WHERE p.domain = ? GROUP BY p.uuid"
				      " ORDER BY bytes DESC", "t", p->domain));
}

static int check_node(struct transaction *t, uint32_t node, uint64_t asked)
{
	struct db *db = t->uvd->db;
	char where[40];
	int64_t limit, used;
	int rc;

	rc = db_value(db, &limit, "SELECT memory_pool FROM node WHERE node = ?", "i",
		      (int64_t)node);
	if (rc == -ENOENT)
		return refuse(t, COMMAND_NOT_FOUND, "look at the host's nodes",
			      "there is no memory node %u", node);
	if (rc == 0)
		rc = db_value(db, &used, "SELECT coalesce(sum(bytes), 0) FROM memory"
			      " WHERE node = ?", "i", (int64_t)node);
	if (rc < 0)
		return refuse_db(t, rc);
	if (asked <= (uint64_t)limit - used)
		return 0;
	snprintf(where, sizeof(where), "memory of node %u", node);
	return refuse_memory(t, where, asked, limit, used,
			     db_query(db, "SELECT p.name, m.bytes FROM memory m"
				      " JOIN partition p ON p.uuid = m.partition"
				      " WHERE m.node = ? ORDER BY m.bytes DESC", "i",
				      (int64_t)node));
}

static int check_huge(struct transaction *t, uint32_t node, uint64_t asked)
{
	uint64_t limit = inventory_huge_pages("", node) * COMMAND_HUGE_PAGE;
	struct db *db = t->uvd->db;
	char where[40];
	int64_t used;
	int rc;

	rc = db_value(db, &used, "SELECT coalesce(sum(bytes), 0) FROM memory"
		      " WHERE node = ? AND page_size > 4096", "i", (int64_t)node);
	if (rc < 0)
		return refuse_db(t, rc);
	if ((uint64_t)used <= limit && asked <= limit - used)
		return 0;
	snprintf(where, sizeof(where), "huge pages of node %u", node);
	return refuse_memory(t, where, asked, limit, used,
			     db_query(db, "SELECT p.name, m.bytes FROM memory m"
				      " JOIN partition p ON p.uuid = m.partition"
				      " WHERE m.node = ? AND m.page_size > 4096"
				      " ORDER BY m.bytes DESC", "i", (int64_t)node));
}

int memory_assign(struct transaction *t, const void *record)
{
	const struct command_memory_assign *c = record;
	const bool huge = c->page_size == COMMAND_HUGE_PAGE;
	struct partition p;
	char size[SIZE_TEXT];
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (c->bytes == 0 || c->bytes % (2 << 20) || c->bytes > (uint64_t)INT64_MAX)
		return refuse(t, COMMAND_INVALID, "give a multiple of 2 MiB",
			      "%llu bytes of memory", (unsigned long long)c->bytes);
	if (c->page_size && !huge)
		return refuse(t, COMMAND_INVALID, "give 0 or 2097152", "a page size of %u bytes",
			      c->page_size);
	if (check_domain(t, &p, c->bytes) < 0 || check_node(t, c->node, c->bytes) < 0 ||
	    (huge && check_huge(t, c->node, c->bytes) < 0))
		return -ECANCELED;
	rc = db_run(t->uvd->db, "INSERT INTO memory VALUES (?, ?, ?, ?)", "uiii", p.uuid,
		    (int64_t)c->node, (int64_t)c->bytes,
		    (int64_t)(huge ? COMMAND_HUGE_PAGE : 4096));
	if (rc < 0)
		return refuse_db(t, rc);
	if (!t->subject[0])
		snprintf(t->subject, sizeof(t->subject), "%s", p.name);
	snprintf(t->memory, sizeof(t->memory), "%s%s on node %u", size_format(c->bytes, size),
		 huge ? " in huge pages" : "", c->node);
	return partition_touch(t, p.uuid);
}

int memory_release(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "DELETE FROM memory WHERE partition = ?", "u", p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "release the memory of %s", p.name);
	return partition_touch(t, p.uuid);
}

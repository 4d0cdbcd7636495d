/* SPDX-License-Identifier: Apache-2.0 */
/* The host's row: what partitions may use of it, and which module instance the ids are of. */
#include <errno.h>
#include <string.h>

#include <common/cpuset.h>
#include <common/size.h>

#include "internal.h"
#include "inventory.h"
#include "operation.h"

static int check_removed(struct transaction *t, const struct cpuset *cpus)
{
	struct db *db = t->uvd->db;
	char domain[COMMAND_NAME_LEN];
	sqlite3_stmt *q;
	unsigned int cpu;
	int rc;

	q = db_query(db, "SELECT cpu, domain FROM processor WHERE domain IS NOT NULL", "");
	while ((rc = db_next(db, q)) > 0) {
		cpu = db_int(q, 0);
		if (cpuset_has(cpus, cpu))
			continue;
		db_text(q, 1, domain, sizeof(domain));
		db_done(q);
		return refuse(t, COMMAND_RESOURCES, "destroy that domain first",
			      "processor %u is of domain %s, it cannot leave the pool", cpu,
			      domain);
	}
	return refuse_db(t, rc);
}

static int set_processors(struct transaction *t, const struct cpuset *cpus)
{
	struct db *db = t->uvd->db;
	unsigned int cpu;
	int64_t one;
	int rc;

	if (check_removed(t, cpus) < 0)
		return -ECANCELED;
	rc = db_run(db, "UPDATE processor SET in_pool = 0 WHERE domain IS NULL", "");
	for (cpu = cpuset_next(cpus, 0); rc == 0 && cpu < CPUSET_CPUS;
	     cpu = cpuset_next(cpus, cpu + 1)) {
		if (db_value(db, &one, "SELECT 1 FROM processor WHERE cpu = ? AND present = 1", "i",
			     (int64_t)cpu) < 0)
			return refuse(t, COMMAND_RESOURCES, "leave it out",
				      "this host has no processor %u online", cpu);
		rc = db_run(db, "UPDATE processor SET in_pool = 1 WHERE cpu = ?", "i",
			    (int64_t)cpu);
	}
	return refuse_db(t, rc);
}

int host_pool(struct transaction *t, const void *record)
{
	const struct command_host_pool *c = record;
	struct db *db = t->uvd->db;
	char size[SIZE_TEXT], total[SIZE_TEXT], list[128];
	uint64_t generation, changed, memory_total;
	struct cpuset cpus;
	sqlite3_stmt *q;
	int64_t used;
	int rc;

	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	q = db_query(db, "SELECT generation, changed, memory_total FROM host", "");
	rc = db_next(db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	generation = db_int(q, 0);
	changed = db_int(q, 1);
	memory_total = db_int(q, 2);
	db_done(q);
	if (transaction_generation(t, c->r.generation, generation, changed, "the", "pool") < 0)
		return -ECANCELED;
	if (c->memory > memory_total)
		return refuse(t, COMMAND_RESOURCES, "ask for less",
			      "%s for the pool, the host has %s", size_format(c->memory, size),
			      size_human(memory_total, total));
	rc = db_value(db, &used, "SELECT coalesce(sum(memory), 0) FROM domain", "");
	if (rc < 0)
		return refuse_db(t, rc);
	if ((uint64_t)used > c->memory)
		return refuse(t, COMMAND_RESOURCES, "destroy a domain first",
			      "%s for the pool, its domains have %s", size_format(c->memory, size),
			      size_format(used, total));
	if (set_processors(t, &cpus) < 0)
		return -ECANCELED;
	rc = inventory_split_pool(db, c->memory);
	if (rc == 0)
		rc = db_run(db, "UPDATE host SET memory_pool = ?1, pool_is_default = 0,"
			    " pool_reason = 'set by the host''s policy',"
			    " generation = generation + (changed <> ?2), changed = ?2", "ii",
			    (int64_t)c->memory, (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	cpuset_format(&cpus, list, sizeof(list));
	transaction_note(t, "host", "pool: %s, processors %s", size_format(c->memory, size), list);
	return 0;
}

int host_instance(struct transaction *t, const void *record)
{
	const struct internal_host *c = record;
	struct db *db = t->uvd->db;
	int rc;

	rc = db_run(db, "DELETE FROM channel WHERE type = 1", "");
	if (rc == 0)
		rc = db_run(db, "UPDATE host SET instance = ?", "u", c->instance);
	transaction_note(t, "host", "a new instance of the module");
	return refuse_db(t, rc);
}

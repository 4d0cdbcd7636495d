/* SPDX-License-Identifier: Apache-2.0 */
/* The host's row: what partitions may use of it, and which module instance the ids are of. */
#include <errno.h>
#include <string.h>

#include <common/cpuset.h>
#include <common/log.h>
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

/* Both are idempotent. */
static int set_stopping(struct transaction *t, const struct command_host_run *c, bool stopping)
{
	struct db *db = t->uvd->db;
	uint64_t generation, changed;
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT generation, changed FROM host", "");
	rc = db_next(db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	generation = db_int(q, 0);
	changed = db_int(q, 1);
	db_done(q);
	if (transaction_generation(t, c->r.generation, generation, changed, "the", "host") < 0)
		return -ECANCELED;
	rc = db_run(db, "UPDATE host SET stopping = ?1, generation = generation + (changed <> ?2),"
		    " changed = ?2", "ii", (int64_t)stopping, (int64_t)t->number);
	transaction_note(t, "host", stopping ? "stop the host" : "start the host");
	return refuse_db(t, rc);
}

int host_stop(struct transaction *t, const void *record)
{
	return set_stopping(t, record, true);
}

int host_start(struct transaction *t, const void *record)
{
	return set_stopping(t, record, false);
}

int host_check_start(struct transaction *t, const char *name)
{
	int64_t stopping = 0;
	int rc = db_value(t->uvd->db, &stopping, "SELECT stopping FROM host", "");

	if (rc < 0)
		return refuse_db(t, rc);
	if (!stopping)
		return 0;
	return refuse(t, COMMAND_CONFLICT, "let it start partitions again: cmdpartctl host start",
		      "this host is being stopped, %s is not started", name);
}

void host_release(struct uvd *uvd)
{
	struct ultravisor_object_next next = { 0 };
	int64_t idle = 0;
	int rc = db_value(uvd->db, &idle, "SELECT stopping AND NOT EXISTS (SELECT 1 FROM partition"
			  " WHERE kind = 1 AND state BETWEEN 2 AND 5) FROM host", "");

	if (rc < 0 || !idle)
		return;
	/* The command channel; the next start finds none and makes another. */
	while (kernel_object_next(uvd->kernel, &next) == 0) {
		next.id = next.out_id;
		rc = kernel_object_destroy(uvd->kernel, next.out_id);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "object %llu stays",
				  (unsigned long long)next.out_id);
	}
	log_notice("the host was stopped: the module holds nothing any more");
}

int host_instance(struct transaction *t, const void *record)
{
	const struct internal_host *c = record;
	struct db *db = t->uvd->db;
	int rc;

	rc = db_run(db, "DELETE FROM channel WHERE type = 1", "");
	if (rc == 0)
		rc = db_run(db, "UPDATE host SET instance = ?, stopping = 0", "u", c->instance);
	transaction_note(t, "host", "a new instance of the module");
	return refuse_db(t, rc);
}

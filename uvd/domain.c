/* SPDX-License-Identifier: Apache-2.0 */
/* Domains: named shares of the host's pool that partitions are assigned to. */
#include <errno.h>
#include <string.h>

#include <common/cpuset.h>
#include <common/log.h>
#include <common/size.h>

#include "operation.h"

#define FRAME_MIN 1000000ULL
#define FRAME_MAX 1000000000ULL

static int take_cpu(struct transaction *t, const char *name, unsigned int cpu)
{
	struct db *db = t->uvd->db;
	char domain[COMMAND_NAME_LEN];
	bool in_pool;
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT in_pool, domain FROM processor WHERE cpu = ?", "i", (int64_t)cpu);
	rc = db_next(db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at the host's processors",
			      "there is no processor %u", cpu);
	in_pool = db_int(q, 0);
	db_text(q, 1, domain, sizeof(domain));
	db_done(q);
	if (!in_pool)
		return refuse(t, COMMAND_RESOURCES, "take it into the pool first",
			      "processor %u is not in the pool of this host", cpu);
	if (domain[0])
		return refuse(t, COMMAND_RESOURCES, "choose another, or destroy that domain",
			      "processor %u is of domain %s", cpu, domain);
	return refuse_db(t, db_run(db, "UPDATE processor SET domain = ? WHERE cpu = ?", "ti", name,
				   (int64_t)cpu));
}

int domain_create(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	struct db *db = t->uvd->db;
	char a[SIZE_TEXT], b[SIZE_TEXT];
	int64_t pool = 0, used = 0, one;
	struct cpuset cpus;
	unsigned int cpu;
	int rc;

	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	if (c->memory > (uint64_t)INT64_MAX)
		return refuse(t, COMMAND_INVALID, "give bytes", "a negative amount of memory");
	if ((c->frame_ns && (c->frame_ns < FRAME_MIN || c->frame_ns > FRAME_MAX)) ||
	    (c->phase_ns && c->phase_ns >= c->frame_ns))
		return refuse(t, COMMAND_INVALID, "use 1 ms to 1 s, and a phase within it; or 0",
			      "a frame of %llu ns with phase %llu ns",
			      (unsigned long long)c->frame_ns, (unsigned long long)c->phase_ns);
	rc = db_value(db, &one, "SELECT 1 FROM domain WHERE name = ?", "t", c->name);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "destroy it first, or choose another name",
			      "there is a domain %s already", c->name);
	rc = db_value(db, &pool, "SELECT memory_pool FROM host", "");
	if (rc == 0)
		rc = db_value(db, &used, "SELECT coalesce(sum(memory), 0) FROM domain", "");
	if (rc < 0)
		return refuse_db(t, rc);
	if (c->memory > (uint64_t)(pool - used))
		return refuse(t, COMMAND_RESOURCES, "ask for less, or enlarge the pool",
			      "memory for domain %s: %s asked, %s of the pool are in no domain",
			      c->name, size_format(c->memory, a), size_format(pool - used, b));
	rc = db_run(db, "INSERT INTO domain VALUES (?, ?, ?, ?, 1, ?)", "tiiii", c->name,
		    (int64_t)c->memory, (int64_t)c->frame_ns, (int64_t)c->phase_ns,
		    (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	for (cpu = cpuset_next(&cpus, 0); cpu < CPUSET_CPUS; cpu = cpuset_next(&cpus, cpu + 1))
		if (take_cpu(t, c->name, cpu) < 0)
			return -ECANCELED;
	transaction_note(t, c->name, "create domain %s: %s, %u processors", c->name,
			 size_format(c->memory, a), cpuset_count(&cpus));
	return 0;
}

/* A partition that starts in the same transaction needs its processors given before. */
int domain_create_prepare(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	int rc;

	t->processors = true;
	rc = processors_sync(t->uvd, false);
	if (rc < 0)
		return refuse(t, rc == -EBUSY ? COMMAND_CONFLICT : COMMAND_FAILED,
			      "stop what has windows or real-time budgets there",
			      "the processors of domain %s cannot be given to it: %s", c->name,
			      strerror(-rc));
	return 0;
}

/* Behind the end of what ran there. */
void domain_publish(struct transaction *t, const void *record)
{
	int rc = processors_sync(t->uvd, true);

	(void)record;
	if (rc < 0)
		log_errno(LOG_ERR, rc, "processors are not what their domains say");
}

int domain_destroy(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	struct db *db = t->uvd->db;
	char name[COMMAND_NAME_LEN];
	uint64_t generation, changed;
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT generation, changed FROM domain WHERE name = ?", "t", c->name);
	rc = db_next(db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at the domains",
			      "there is no domain %s", c->name);
	generation = db_int(q, 0);
	changed = db_int(q, 1);
	db_done(q);
	if (transaction_generation(t, c->r.generation, generation, changed, "domain", c->name) < 0)
		return -ECANCELED;
	q = db_query(db, "SELECT name FROM partition WHERE domain = ? LIMIT 1", "t", c->name);
	rc = db_next(db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc > 0) {
		db_text(q, 0, name, sizeof(name));
		db_done(q);
		return refuse(t, COMMAND_CONFLICT, "undefine its partitions first",
			      "partition %s is assigned to domain %s", name, c->name);
	}
	rc = db_run(db, "UPDATE processor SET domain = NULL WHERE domain = ?", "t", c->name);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM domain WHERE name = ?", "t", c->name);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, c->name, "destroy domain %s", c->name);
	return 0;
}

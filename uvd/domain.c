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

static int check_shape(struct transaction *t, const struct command_domain *c)
{
	if (c->memory > (uint64_t)INT64_MAX)
		return refuse(t, COMMAND_INVALID, "give bytes", "a negative amount of memory");
	if ((c->frame_ns && (c->frame_ns < FRAME_MIN || c->frame_ns > FRAME_MAX)) ||
	    (c->phase_ns && c->phase_ns >= c->frame_ns))
		return refuse(t, COMMAND_INVALID, "use 1 ms to 1 s, and a phase within it; or 0",
			      "a frame of %llu ns with phase %llu ns",
			      (unsigned long long)c->frame_ns, (unsigned long long)c->phase_ns);
	return 0;
}

/* Beside what the other domains have. */
static int check_pool(struct transaction *t, const struct command_domain *c)
{
	struct db *db = t->uvd->db;
	char a[SIZE_TEXT], b[SIZE_TEXT];
	int64_t pool = 0, used = 0;
	int rc;

	rc = db_value(db, &pool, "SELECT memory_pool FROM host", "");
	if (rc == 0)
		rc = db_value(db, &used, "SELECT coalesce(sum(memory), 0) FROM domain"
			      " WHERE name <> ?", "t", c->name);
	if (rc < 0)
		return refuse_db(t, rc);
	if (c->memory <= (uint64_t)(pool - used))
		return 0;
	return refuse(t, COMMAND_RESOURCES, "ask for less, or enlarge the pool",
		      "memory for domain %s: %s asked, %s of the pool are in no other domain",
		      c->name, size_format(c->memory, a), size_format(pool - used, b));
}

/* Those that are the domain's already stay so. */
static int take_cpus(struct transaction *t, const char *name, const struct cpuset *cpus)
{
	unsigned int cpu;
	int64_t one;

	for (cpu = cpuset_next(cpus, 0); cpu < CPUSET_CPUS; cpu = cpuset_next(cpus, cpu + 1))
		if (db_value(t->uvd->db, &one, "SELECT 1 FROM processor WHERE cpu = ?"
			     " AND domain = ?", "it", (int64_t)cpu, name) < 0 &&
		    take_cpu(t, name, cpu) < 0)
			return -ECANCELED;
	return 0;
}

int domain_create(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	struct db *db = t->uvd->db;
	char size[SIZE_TEXT];
	struct cpuset cpus;
	int64_t one;
	int rc;

	if (check_shape(t, c) < 0)
		return -ECANCELED;
	rc = db_value(db, &one, "SELECT 1 FROM domain WHERE name = ?", "t", c->name);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "destroy it first, or choose another name",
			      "there is a domain %s already", c->name);
	if (check_pool(t, c) < 0)
		return -ECANCELED;
	rc = db_run(db, "INSERT INTO domain VALUES (?, ?, ?, ?, 1, ?)", "tiiii", c->name,
		    (int64_t)c->memory, (int64_t)c->frame_ns, (int64_t)c->phase_ns,
		    (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	if (take_cpus(t, c->name, &cpus) < 0)
		return -ECANCELED;
	transaction_note(t, c->name, "create domain %s: %s, %u processors", c->name,
			 size_format(c->memory, size), cpuset_count(&cpus));
	return 0;
}

/* Finds it and compares the generation. */
static int find(struct transaction *t, const struct command_record *r, const char *name,
		struct command_domain *is)
{
	uint64_t generation, changed;
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT generation, changed, memory, frame_ns, phase_ns"
		     " FROM domain WHERE name = ?", "t", name);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at the domains",
			      "there is no domain %s", name);
	generation = db_int(q, 0);
	changed = db_int(q, 1);
	is->memory = db_int(q, 2);
	is->frame_ns = db_int(q, 3);
	is->phase_ns = db_int(q, 4);
	db_done(q);
	return transaction_generation(t, r->generation, generation, changed, "domain", name);
}

/* What runs keeps what it has: memory, processors, and the frame of its windows. */
static int check_in_use(struct transaction *t, const struct command_domain *c,
			const struct command_domain *is)
{
	struct db *db = t->uvd->db;
	char a[SIZE_TEXT], b[SIZE_TEXT], name[COMMAND_NAME_LEN];
	int64_t used = 0;
	sqlite3_stmt *q;
	int rc;

	rc = db_value(db, &used, "SELECT coalesce(sum(m.bytes), 0) FROM memory m"
		      " JOIN partition p ON p.uuid = m.partition WHERE p.domain = ?", "t", c->name);
	if (rc < 0)
		return refuse_db(t, rc);
	if (c->memory < (uint64_t)used)
		return refuse(t, COMMAND_RESOURCES, "stop a partition, or leave it more",
			      "memory for domain %s: %s asked, its partitions have %s", c->name,
			      size_format(c->memory, a), size_format(used, b));
	if (c->frame_ns == is->frame_ns && c->phase_ns == is->phase_ns)
		return 0;
	q = db_query(db, "SELECT p.name FROM context c JOIN partition p ON p.uuid = c.partition"
		     " WHERE p.domain = ? AND (c.mode = 3 OR c.realtime = 1) LIMIT 1", "t",
		     c->name);
	rc = db_next(db, q);
	if (rc <= 0)
		return refuse_db(t, rc);
	db_text(q, 0, name, sizeof(name));
	db_done(q);
	return refuse(t, COMMAND_CONFLICT, "stop it first",
		      "the frame of domain %s: partition %s has windows or a real-time budget",
		      c->name, name);
}

static int leave_cpus(struct transaction *t, const char *domain, const struct cpuset *cpus)
{
	struct db *db = t->uvd->db;
	struct cpuset leave = { { 0 } };
	char name[COMMAND_NAME_LEN];
	unsigned int cpu;
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT cpu FROM processor WHERE domain = ?", "t", domain);
	while ((rc = db_next(db, q)) > 0)
		if (!cpuset_has(cpus, db_int(q, 0)))
			cpuset_add(&leave, db_int(q, 0));
	for (cpu = cpuset_next(&leave, 0); rc == 0 && cpu < CPUSET_CPUS;
	     cpu = cpuset_next(&leave, cpu + 1)) {
		q = db_query(db, "SELECT p.name FROM context_cpu c JOIN partition p"
			     " ON p.uuid = c.partition WHERE c.cpu = ? LIMIT 1", "i",
			     (int64_t)cpu);
		rc = db_next(db, q);
		if (rc > 0) {
			db_text(q, 0, name, sizeof(name));
			db_done(q);
			return refuse(t, COMMAND_CONFLICT, "stop it first, or leave it that one",
				      "processor %u of domain %s: partition %s may run on it",
				      cpu, domain, name);
		}
		if (rc == 0)
			rc = db_run(db, "UPDATE processor SET domain = NULL WHERE cpu = ?", "i",
				    (int64_t)cpu);
	}
	return refuse_db(t, rc);
}

int domain_modify(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	struct command_domain is;
	char size[SIZE_TEXT];
	struct cpuset cpus;
	int rc;

	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	if (find(t, &c->r, c->name, &is) < 0 || check_shape(t, c) < 0 || check_pool(t, c) < 0 ||
	    check_in_use(t, c, &is) < 0 || leave_cpus(t, c->name, &cpus) < 0 ||
	    take_cpus(t, c->name, &cpus) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "UPDATE domain SET memory = ?1, frame_ns = ?2, phase_ns = ?3,"
		    " generation = generation + (changed <> ?4), changed = ?4 WHERE name = ?5",
		    "iiiit", (int64_t)c->memory, (int64_t)c->frame_ns, (int64_t)c->phase_ns,
		    (int64_t)t->number, c->name);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, c->name, "modify domain %s: %s, %u processors", c->name,
			 size_format(c->memory, size), cpuset_count(&cpus));
	return 0;
}

int domain_expect(struct transaction *t, const void *record)
{
	const struct command_domain *c = record;
	struct command_domain is;

	return find(t, &c->r, c->name, &is);
}

int domain_assign(struct transaction *t, const void *record)
{
	const struct command_domain_assign *c = record;
	struct db *db = t->uvd->db;
	struct partition p;
	int64_t one;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	rc = db_value(db, &one, "SELECT 1 FROM domain WHERE name = ?", "t", c->domain);
	if (rc == -ENOENT)
		return refuse(t, COMMAND_NOT_FOUND, "look at the domains",
			      "there is no domain %s", c->domain);
	if (rc < 0)
		return refuse_db(t, rc);
	rc = db_value(db, &one, "SELECT 1 FROM memory WHERE partition = ?1"
		      " UNION SELECT 1 FROM context WHERE partition = ?1", "u", p.uuid);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "release them first",
			      "%s has memory or processors of domain %s", p.name, p.domain);
	rc = db_run(db, "UPDATE partition SET domain = ? WHERE uuid = ?", "tu", c->domain, p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "assign %s to domain %s", p.name, c->domain);
	return partition_touch(t, p.uuid);
}

/* A partition that starts in the same transaction needs its processors given before. */
int domain_prepare(struct transaction *t, const void *record)
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
	struct command_domain is;
	sqlite3_stmt *q;
	int rc;

	if (find(t, &c->r, c->name, &is) < 0)
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

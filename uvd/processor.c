/* SPDX-License-Identifier: Apache-2.0 */
/* Processors: a vCPU's context gets one for itself, or shares some within a budget. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <common/cpuset.h>

#include "operation.h"

#define PERIOD_MIN 1000000ULL
#define PERIOD_MAX 1000000000ULL
#define BUDGET_MIN 100000ULL

int processor_check_budget(struct transaction *t, uint32_t mode, uint64_t budget_ns,
			   uint64_t period_ns)
{
	if (mode != MODE_SHARED && mode != MODE_DEDICATED)
		return refuse(t, COMMAND_INVALID, "use shared or dedicated", "unknown mode %u",
			      mode);
	if (budget_ns == 0 && period_ns == 0)
		return 0;
	if (mode == MODE_DEDICATED)
		return refuse(t, COMMAND_INVALID, "leave budget and period out",
			      "a dedicated processor has no budget");
	if (period_ns < PERIOD_MIN || period_ns > PERIOD_MAX)
		return refuse(t, COMMAND_INVALID, "use 1 ms to 1 s", "a period of %llu ns",
			      (unsigned long long)period_ns);
	if (budget_ns < BUDGET_MIN || budget_ns > period_ns)
		return refuse(t, COMMAND_INVALID, "use 0.1 ms to the period",
			      "a budget of %llu ns in %llu ns", (unsigned long long)budget_ns,
			      (unsigned long long)period_ns);
	return 0;
}

/* Whose is this CPU, in words? It is in the way of a context of p. */
static int refuse_owner(struct transaction *t, unsigned int cpu, bool dedicated)
{
	char name[COMMAND_NAME_LEN] = "another partition";
	sqlite3_stmt *q;
	bool owned = false;

	q = db_query(t->uvd->db, "SELECT p.name, c.dedicated FROM context_cpu c"
		     " JOIN partition p ON p.uuid = c.partition WHERE c.cpu = ?"
		     " ORDER BY c.dedicated DESC LIMIT 1", "i", (int64_t)cpu);
	if (db_next(t->uvd->db, q) > 0) {
		db_text(q, 0, name, sizeof(name));
		owned = db_int(q, 1);
	}
	db_done(q);
	if (owned)
		return refuse(t, COMMAND_RESOURCES, "stop it, or choose another processor",
			      "processor %u is dedicated to %s", cpu, name);
	return refuse(t, COMMAND_RESOURCES, "choose a processor that nobody shares",
		      "processor %u is shared by %s%s", cpu, name,
		      dedicated ? ", it cannot be dedicated" : "");
}

static int check_cpu(struct transaction *t, const struct partition *p, unsigned int cpu,
		     bool dedicated)
{
	struct db *db = t->uvd->db;
	char domain[COMMAND_NAME_LEN];
	sqlite3_stmt *q;
	int64_t n;
	bool present;
	int rc;

	q = db_query(db, "SELECT domain, present FROM processor WHERE cpu = ?", "i", (int64_t)cpu);
	rc = db_next(db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at the host's processors",
			      "there is no processor %u", cpu);
	db_text(q, 0, domain, sizeof(domain));
	present = db_int(q, 1);
	db_done(q);
	if (!present)
		return refuse(t, COMMAND_RESOURCES, "choose another", "processor %u is offline",
			      cpu);
	if (strcmp(domain, p->domain) != 0)
		return refuse(t, COMMAND_RESOURCES, "choose one of its domain",
			      "processor %u is %s%s, %s is of domain %s", cpu,
			      domain[0] ? "of domain " : "of no domain", domain, p->name,
			      p->domain);
	rc = db_value(db, &n, "SELECT 1 FROM context_cpu WHERE cpu = ? AND (dedicated = 1 OR ?)",
		      "ii", (int64_t)cpu, (int64_t)dedicated);
	if (rc == 0)
		return refuse_owner(t, cpu, dedicated);
	return rc == -ENOENT ? 0 : refuse_db(t, rc);
}

static int insert_context(struct transaction *t, const struct command_processor_assign *c,
			  const struct partition *p, const struct cpuset *cpus)
{
	struct db *db = t->uvd->db;
	bool dedicated = c->mode == MODE_DEDICATED;
	char list[4096];
	unsigned int cpu;
	int rc;

	cpuset_format(cpus, list, sizeof(list));
	rc = db_run(db, "INSERT INTO context VALUES (?, ?, ?, ?, ?, ?)", "uiiiit", p->uuid,
		    (int64_t)c->index, (int64_t)c->mode, (int64_t)c->budget_ns,
		    (int64_t)c->period_ns, list);
	for (cpu = cpuset_next(cpus, 0); rc == 0 && cpu < CPUSET_CPUS;
	     cpu = cpuset_next(cpus, cpu + 1)) {
		if (check_cpu(t, p, cpu, dedicated) < 0)
			return -ECANCELED;
		rc = db_run(db, "INSERT INTO context_cpu VALUES (?, ?, ?, ?)", "iuii",
			    (int64_t)cpu, p->uuid, (int64_t)c->index, (int64_t)dedicated);
	}
	if (rc < 0)
		return refuse_db(t, rc);
	t->contexts++;
	return partition_touch(t, p->uuid);
}

int processor_assign(struct transaction *t, const void *record)
{
	const struct command_processor_assign *c = record;
	struct partition p;
	struct cpuset cpus;
	unsigned int n;
	int64_t one;
	int rc;

	_Static_assert(sizeof(cpus.word) == sizeof(c->cpus), "one form of CPU sets");
	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (c->index >= p.vcpus)
		return refuse(t, COMMAND_INVALID, "count from 0", "context %u of %s, which has %u",
			      c->index, p.name, p.vcpus);
	if (processor_check_budget(t, c->mode, c->budget_ns, c->period_ns) < 0)
		return -ECANCELED;
	if (c->mode != p.mode || c->budget_ns != p.budget_ns || c->period_ns != p.period_ns)
		return refuse(t, COMMAND_INVALID, "give what the definition says",
			      "mode, budget or period of context %u is not that of %s", c->index,
			      p.name);
	n = cpuset_count(&cpus);
	if (n == 0 || (c->mode == MODE_DEDICATED && n != 1))
		return refuse(t, COMMAND_INVALID, "a dedicated context has one, a shared one some",
			      "%u processors for context %u", n, c->index);
	rc = db_value(t->uvd->db, &one, "SELECT 1 FROM context WHERE partition = ? AND idx = ?",
		      "ui", p.uuid, (int64_t)c->index);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "release them first",
			      "context %u of %s has its processors", c->index, p.name);
	return insert_context(t, c, &p, &cpus);
}

int processor_release(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "DELETE FROM context WHERE partition = ?", "u", p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "release the processors of %s", p.name);
	return partition_touch(t, p.uuid);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A partition's life: defined, started, stopped, killed, paused, resumed, ended, undefined. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <common/size.h>
#include <common/uuid.h>

#include "internal.h"
#include "launch.h"
#include "operation.h"

#define MEMORY_STEP (2ULL << 20)
#define LEASE_MIN 1000000000ULL
#define LEASE_MAX (86400 * LEASE_MIN)

const char *partition_state_name(uint32_t state)
{
	static const char *const names[] = {
		[PARTITION_DEFINED] = "off",
		[PARTITION_STARTING] = "starting",
		[PARTITION_RUNNING] = "running",
		[PARTITION_PAUSED] = "paused",
		[PARTITION_STOPPING] = "stopping",
		[PARTITION_FAILED] = "off after a failure",
	};

	return state < sizeof(names) / sizeof(*names) && names[state] ? names[state] : "unknown";
}

bool partition_is_on(uint32_t state)
{
	return state >= PARTITION_STARTING && state <= PARTITION_STOPPING;
}

int partition_find(struct transaction *t, const struct command_record *r, const uint8_t uuid[16],
		   struct partition *p)
{
	char text[UUID_TEXT];
	sqlite3_stmt *q;
	int rc;

	memset(p, 0, sizeof(*p));
	q = db_query(t->uvd->db,
		     "SELECT name, domain, kind, state, vcpus, mode, budget_ns, period_ns, memory,"
		     " module_id, generation, changed, realtime, window_ns, lease_ns"
		     " FROM partition WHERE uuid = ?", "u", uuid);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "define it first",
			      "there is no partition %s", uuid_format(uuid, text));
	memcpy(p->uuid, uuid, 16);
	db_text(q, 0, p->name, sizeof(p->name));
	db_text(q, 1, p->domain, sizeof(p->domain));
	p->kind = db_int(q, 2);
	p->state = db_int(q, 3);
	p->vcpus = db_int(q, 4);
	p->time.mode = db_int(q, 5);
	p->time.budget_ns = db_int(q, 6);
	p->time.period_ns = db_int(q, 7);
	p->time.flags = db_int(q, 12) ? PROCESSOR_REALTIME : 0;
	p->time.window_ns = db_int(q, 13);
	p->lease_ns = db_int(q, 14);
	p->memory = db_int(q, 8);
	p->module_id = db_int(q, 9);
	p->generation = db_int(q, 10);
	p->changed = db_int(q, 11);
	db_done(q);
	if (p->kind != PARTITION_GUEST)
		return refuse(t, COMMAND_DENIED, "name a guest",
			      "%s is a system partition", p->name);
	return transaction_generation(t, r->generation, p->generation, p->changed, "partition",
				      p->name);
}

int partition_find_off(struct transaction *t, const struct command_record *r,
		       const uint8_t uuid[16], struct partition *p)
{
	if (partition_find(t, r, uuid, p) < 0)
		return -ECANCELED;
	if (partition_is_on(p->state))
		return refuse(t, COMMAND_CONFLICT, "stop or kill it first",
			      "partition %s is %s", p->name, partition_state_name(p->state));
	return 0;
}

int partition_touch(struct transaction *t, const uint8_t uuid[16])
{
	return refuse_db(t, db_run(t->uvd->db,
				   "UPDATE partition SET generation = generation + (changed <> ?1),"
				   " changed = ?1 WHERE uuid = ?2", "iu", (int64_t)t->number,
				   uuid));
}

static int set_state(struct transaction *t, const struct partition *p, uint32_t state)
{
	int rc = db_run(t->uvd->db, "UPDATE partition SET state = ?1, generation = generation +"
			" (changed <> ?2), changed = ?2 WHERE uuid = ?3", "iiu", (int64_t)state,
			(int64_t)t->number, p->uuid);

	if (rc < 0)
		return refuse_db(t, rc);
	if (state != p->state && transaction_state(t, p->name, state) < 0)
		return -ECANCELED;
	return 0;
}

static int check_definition(struct transaction *t, const struct command_partition_define *d)
{
	const struct processor_time time = {
		d->mode, d->flags, d->budget_ns, d->period_ns, d->window_ns,
	};

	if (uuid_is_zero(d->partition))
		return refuse(t, COMMAND_INVALID, "make a random UUID",
			      "the UUID of %s is all zero", d->name);
	if (d->vcpus < 1 || d->vcpus > 64)
		return refuse(t, COMMAND_INVALID, "give 1 to 64", "%u vCPUs", d->vcpus);
	if (d->memory == 0 || d->memory % MEMORY_STEP || d->memory > (uint64_t)INT64_MAX)
		return refuse(t, COMMAND_INVALID, "give a multiple of 2 MiB",
			      "%llu bytes of memory", (unsigned long long)d->memory);
	if (!d->kernel[0])
		return refuse(t, COMMAND_INVALID, "name a bzImage", "%s has no kernel", d->name);
	if (d->lease_ns && (d->lease_ns < LEASE_MIN || d->lease_ns > LEASE_MAX))
		return refuse(t, COMMAND_INVALID, "use 1 s to a day, or 0 for none",
			      "a lease of %llu ns", (unsigned long long)d->lease_ns);
	return processor_check_time(t, &time);
}

int partition_define(struct transaction *t, const void *record)
{
	const struct command_partition_define *d = record;
	struct db *db = t->uvd->db;
	char size[SIZE_TEXT];
	int64_t n;
	int rc;

	if (check_definition(t, d) < 0 || launch_check_boot(t, d->kernel, d->initrd) < 0)
		return -ECANCELED;
	rc = db_value(db, &n, "SELECT 1 FROM partition WHERE name = ? OR uuid = ?", "tu", d->name,
		      d->partition);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "undefine it first, or choose another name",
			      "there is a partition %s already", d->name);
	rc = db_value(db, &n, "SELECT memory FROM domain WHERE name = ?", "t", d->domain);
	if (rc == -ENOENT)
		return refuse(t, COMMAND_NOT_FOUND, "create the domain first",
			      "there is no domain %s", d->domain);
	if (rc < 0)
		return refuse_db(t, rc);
	rc = db_run(db, "INSERT INTO partition (uuid, name, kind, domain, state, vcpus, mode,"
		    " budget_ns, period_ns, realtime, window_ns, lease_ns, memory, kernel, initrd,"
		    " cmdline, generation, changed)"
		    " VALUES (?, ?, 1, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
		    "uttiiiiiiiittti", d->partition, d->name, d->domain, (int64_t)d->vcpus,
		    (int64_t)d->mode, (int64_t)d->budget_ns, (int64_t)d->period_ns,
		    (int64_t)(d->flags & PROCESSOR_REALTIME), (int64_t)d->window_ns,
		    (int64_t)d->lease_ns, (int64_t)d->memory, d->kernel, d->initrd, d->cmdline,
		    (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, d->name, "define %s with %u vCPUs, %s", d->name, d->vcpus,
			 size_format(d->memory, size));
	return 0;
}

int partition_modify(struct transaction *t, const void *record)
{
	const struct command_partition_modify *c = record;
	const struct processor_time time = {
		c->mode, c->flags, c->budget_ns, c->period_ns, c->window_ns,
	};
	struct partition p;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0 || processor_check_time(t, &time) < 0)
		return -ECANCELED;
	/* Touched in the same statement: the history takes each change of the row down. */
	rc = db_run(t->uvd->db, "UPDATE partition SET mode = ?, realtime = ?, budget_ns = ?,"
		    " period_ns = ?, window_ns = ?, generation = generation + (changed <> ?7),"
		    " changed = ?7 WHERE uuid = ?6", "iiiiiui", (int64_t)c->mode,
		    (int64_t)(c->flags & PROCESSOR_REALTIME), (int64_t)c->budget_ns,
		    (int64_t)c->period_ns, (int64_t)c->window_ns, p.uuid, (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "modify %s", p.name);
	return 0;
}

/* No context is otherwise than its partition's definition says. */
int partition_modify_check(struct transaction *t, const void *record)
{
	const struct command_partition_modify *c = record;
	int64_t index;
	int rc;

	rc = db_value(t->uvd->db, &index, "SELECT c.idx FROM context c JOIN partition p"
		      " ON p.uuid = c.partition WHERE c.partition = ? AND NOT (c.mode = p.mode"
		      " AND c.realtime = p.realtime AND c.budget_ns = p.budget_ns"
		      " AND c.period_ns = p.period_ns AND c.window_ns = p.window_ns)", "u",
		      c->partition);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "assign each context in the same message",
			      "context %lld is not what the definition says now",
			      (long long)index);
	return rc == -ENOENT ? 0 : refuse_db(t, rc);
}

int partition_undefine(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0 || partition_release(t, &p) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "DELETE FROM partition WHERE uuid = ?", "u", p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "undefine %s", p.name);
	return 0;
}

int partition_start(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0 || host_check_start(t, p.name) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "UPDATE partition SET reason = '', reboots = 0, started_ns = ?"
		    " WHERE uuid = ?", "iu", (int64_t)uvd_now(), p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "start %s", p.name);
	return partition_touch(t, p.uuid);
}

/* Every device of the definition is claimed and has a channel with a server. */
static int check_devices(struct transaction *t, const struct partition *p)
{
	char name[COMMAND_DEVICE_LEN];
	sqlite3_stmt *q;
	int64_t n;
	int rc;

	q = db_query(t->uvd->db,
		     "SELECT d.name, k.name IS NOT NULL, c.uuid IS NOT NULL FROM device d"
		     " LEFT JOIN claim k ON k.partition = d.partition AND k.name = d.name"
		     " LEFT JOIN channel c ON c.partition = d.partition AND c.device = d.name"
		     " WHERE d.partition = ? AND NOT EXISTS (SELECT 1 FROM channel_server s"
		     " WHERE s.channel = c.uuid)", "u", p->uuid);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc > 0) {
		bool claimed = db_int(q, 1), channel = db_int(q, 2);

		db_text(q, 0, name, sizeof(name));
		db_done(q);
		return refuse(t, COMMAND_CONFLICT,
			      "claim, create and connect in the same message as the start",
			      "device %s of %s %s", name, p->name,
			      !claimed ? "is not claimed" :
			      !channel ? "has no channel" : "has no server");
	}
	rc = db_value(t->uvd->db, &n, "SELECT count(*) FROM device WHERE partition = ?", "u",
		      p->uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	if (n > LAUNCH_DEVICES)
		return refuse(t, COMMAND_INVALID, "define fewer", "%lld devices, at most %u",
			      (long long)n, LAUNCH_DEVICES);
	return 0;
}

int partition_start_check(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	char have[SIZE_TEXT], need[SIZE_TEXT], kernel[COMMAND_PATH_LEN], initrd[COMMAND_PATH_LEN];
	int64_t bytes = 0, contexts = 0;
	sqlite3_stmt *q;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	rc = db_value(t->uvd->db, &bytes, "SELECT sum(bytes) FROM memory WHERE partition = ?", "u",
		      p.uuid);
	if (rc < 0 && rc != -ENOENT)
		return refuse_db(t, rc);
	if ((uint64_t)bytes != p.memory)
		return refuse(t, COMMAND_CONFLICT, "assign all of it in the same message",
			      "%s has %s of its %s of memory", p.name, size_format(bytes, have),
			      size_format(p.memory, need));
	/* Indexes are unique: as many as vCPUs, none beyond, means each one. */
	rc = db_value(t->uvd->db, &contexts, "SELECT count(*) FROM context WHERE partition = ?",
		      "u", p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	if (contexts != p.vcpus)
		return refuse(t, COMMAND_CONFLICT, "assign one for each vCPU in the same message",
			      "%s has %lld of its %u contexts", p.name, (long long)contexts,
			      p.vcpus);
	if (check_devices(t, &p) < 0)
		return -ECANCELED;
	q = db_query(t->uvd->db, "SELECT kernel, initrd FROM partition WHERE uuid = ?", "u",
		     p.uuid);
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	db_text(q, 0, kernel, sizeof(kernel));
	db_text(q, 1, initrd, sizeof(initrd));
	db_done(q);
	if (launch_check_boot(t, kernel, initrd) < 0)
		return -ECANCELED;
	return set_state(t, &p, PARTITION_STARTING);
}

int partition_start_prepare(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;

	return launch_prepare(t, c->partition);
}

int partition_stop(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (p.state != PARTITION_RUNNING && p.state != PARTITION_STOPPING)
		return refuse(t, COMMAND_CONFLICT,
			      p.state == PARTITION_PAUSED ? "resume it first" :
			      p.state == PARTITION_STARTING ? "wait until it runs, or kill it" :
			      "there is nothing to stop",
			      "partition %s is %s", p.name, partition_state_name(p.state));
	transaction_note(t, p.name, "stop %s", p.name);
	return set_state(t, &p, PARTITION_STOPPING);
}

void partition_stop_publish(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;

	t->uvd->hooks->stop(t->uvd, c->partition);
}

int partition_kill(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (!partition_is_on(p.state))
		return refuse(t, COMMAND_CONFLICT, "there is nothing to kill",
			      "partition %s is %s", p.name, partition_state_name(p.state));
	transaction_note(t, p.name, "kill %s", p.name);
	if (partition_release(t, &p) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "UPDATE partition SET reason = 'killed' WHERE uuid = ?", "u",
		    p.uuid);
	return rc < 0 ? refuse_db(t, rc) : set_state(t, &p, PARTITION_DEFINED);
}

static int pause_or_resume(struct transaction *t, const struct command_partition *c, uint32_t state,
			   const char *verb, const char *fix)
{
	struct partition p;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (p.state != PARTITION_RUNNING && p.state != PARTITION_PAUSED)
		return refuse(t, COMMAND_CONFLICT, fix, "partition %s is %s", p.name,
			      partition_state_name(p.state));
	transaction_note(t, p.name, "%s %s", verb, p.name);
	return set_state(t, &p, state);
}

int partition_pause(struct transaction *t, const void *record)
{
	return pause_or_resume(t, record, PARTITION_PAUSED, "pause",
			       "only a running partition can be paused");
}

int partition_resume(struct transaction *t, const void *record)
{
	return pause_or_resume(t, record, PARTITION_RUNNING, "resume",
			       "only a paused partition can be resumed");
}

int partition_expect(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;
	struct partition p;

	return partition_find(t, &c->r, c->partition, &p);
}

/* Both are idempotent in the module, and repeated at the next start if we are killed here. */
static void run_or_stop(struct transaction *t, const uint8_t uuid[16],
			int (*call)(struct kernel *k, int fd))
{
	struct kernel *k = t->uvd->kernel;
	int64_t id;
	int rc, fd;

	rc = db_value(t->uvd->db, &id, "SELECT module_id FROM partition WHERE uuid = ?", "u", uuid);
	if (rc < 0)
		return;
	fd = kernel_object_open(k, id, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : call(k, fd);
	if (rc < 0)
		log_errno(LOG_ERR, rc, "partition object %lld does not pause or resume",
			  (long long)id);
	if (fd >= 0)
		close(fd);
}

void partition_pause_publish(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;

	run_or_stop(t, c->partition, kernel_partition_stop);
}

void partition_resume_publish(struct transaction *t, const void *record)
{
	const struct command_partition *c = record;

	run_or_stop(t, c->partition, kernel_partition_resume);
}

/* Puts the module's ids that a query yields on the list of what goes. */
static int list_objects(struct transaction *t, sqlite3_stmt *q)
{
	int rc;

	while ((rc = db_next(t->uvd->db, q)) > 0)
		if (transaction_gone(t, db_int(q, 0)) < 0) {
			db_done(q);
			return -ECANCELED;
		}
	return refuse_db(t, rc);
}

static int release_claims(struct transaction *t, const struct partition *p)
{
	char names[LAUNCH_DEVICES][COMMAND_DEVICE_LEN];
	unsigned int n = 0, i;
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT name FROM claim WHERE partition = ? LIMIT ?", "ui",
		     p->uuid, (int64_t)LAUNCH_DEVICES);
	while ((rc = db_next(t->uvd->db, q)) > 0)
		db_text(q, 0, names[n++], sizeof(names[0]));
	if (rc < 0)
		return refuse_db(t, rc);
	for (i = 0; i < n; i++)
		if (device_unclaim(t, p->uuid, names[i]) < 0)
			return -ECANCELED;
	return 0;
}

int partition_release(struct transaction *t, const struct partition *p)
{
	struct db *db = t->uvd->db;
	int rc;

	/* Channels before the partition that is their client. */
	if (list_objects(t, db_query(db, "SELECT module_id FROM channel WHERE partition = ?"
				     " AND module_id IS NOT NULL", "u", p->uuid)) < 0)
		return -ECANCELED;
	if (p->module_id && (transaction_gone(t, p->module_id) < 0 ||
			     transaction_ended(t, p->uuid) < 0))
		return -ECANCELED;
	rc = db_run(db, "DELETE FROM channel WHERE partition = ?", "u", p->uuid);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM context WHERE partition = ?", "u", p->uuid);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM memory WHERE partition = ?", "u", p->uuid);
	if (rc == 0)
		rc = db_run(db, "UPDATE partition SET module_id = NULL, pid = 0, pid_start = 0,"
			    " lease_epoch = 0, state = CASE WHEN state BETWEEN 2 AND 5 THEN 1"
			    " ELSE state END WHERE uuid = ?", "u", p->uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	t->channels = true;
	return release_claims(t, p);
}

int partition_end(struct transaction *t, const void *record)
{
	const struct internal_partition_end *c = record;
	struct partition p;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (!partition_is_on(p.state))
		return refuse(t, COMMAND_CONFLICT, "nothing", "%s ran no more", p.name);
	transaction_note(t, p.name, "release %s: %s", p.name, c->reason);
	if (partition_release(t, &p) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "UPDATE partition SET reboots = ?, reason = ? WHERE uuid = ?",
		    "itu", (int64_t)c->reboots, c->reason, p.uuid);
	return rc < 0 ? refuse_db(t, rc) : set_state(t, &p, c->state);
}

/* Does not raise the generation: nobody's decision about the partition becomes wrong by it. */
int partition_runs(struct transaction *t, const void *record)
{
	const struct internal_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (p.state != PARTITION_STARTING)
		return refuse(t, COMMAND_CONFLICT, "nothing", "%s is %s", p.name,
			      partition_state_name(p.state));
	transaction_note(t, p.name, "%s runs", p.name);
	rc = db_run(t->uvd->db, "UPDATE partition SET state = 3 WHERE uuid = ?", "u", p.uuid);
	return rc < 0 ? refuse_db(t, rc) : transaction_state(t, p.name, PARTITION_RUNNING);
}

/* Rows stay, what they describe is made anew; prepare does it, as for a start. */
int partition_again(struct transaction *t, const void *record)
{
	const struct internal_partition *c = record;
	struct partition p;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (p.state != PARTITION_STARTING)
		return refuse(t, COMMAND_CONFLICT, "nothing", "%s is %s", p.name,
			      partition_state_name(p.state));
	rc = db_run(t->uvd->db, "DELETE FROM channel WHERE partition = ? AND type = 2", "u",
		    p.uuid);
	if (rc == 0)
		rc = db_run(t->uvd->db, "UPDATE partition SET pid = 0, pid_start = 0"
			    " WHERE uuid = ?", "u", p.uuid);
	transaction_note(t, p.name, "start %s again", p.name);
	return refuse_db(t, rc);
}

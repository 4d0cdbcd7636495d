/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors: a vCPU's context gets one for itself, shares some within a budget, or has a window in
 * the frame of one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <common/cpuset.h>

#include "operation.h"

#define PERIOD_MIN 1000000ULL
#define PERIOD_MAX 1000000000ULL
#define BUDGET_MIN 100000ULL
#define WINDOW_MIN 100000ULL

int processor_check_time(struct transaction *t, const struct processor_time *time)
{
	bool realtime = time->flags & PROCESSOR_REALTIME;

	if (time->mode != MODE_SHARED && time->mode != MODE_DEDICATED && time->mode != MODE_WINDOW)
		return refuse(t, COMMAND_INVALID, "use shared, dedicated or window",
			      "unknown mode %u", time->mode);
	if (time->flags & ~PROCESSOR_REALTIME)
		return refuse(t, COMMAND_INVALID, "set the others to 0", "flags %#x", time->flags);
	if (time->mode != MODE_SHARED && (time->budget_ns || time->period_ns || realtime))
		return refuse(t, COMMAND_INVALID, "leave budget, period and real time out",
			      "a %s processor has no budget",
			      time->mode == MODE_WINDOW ? "windowed" : "dedicated");
	if (time->mode == MODE_WINDOW ?
	    time->window_ns < WINDOW_MIN || time->window_ns > PERIOD_MAX : time->window_ns != 0)
		return refuse(t, COMMAND_INVALID, "use 0.1 ms to 1 s in mode window, else 0",
			      "a window of %llu ns", (unsigned long long)time->window_ns);
	if (time->budget_ns == 0 && time->period_ns == 0 && !realtime)
		return 0;
	if (time->mode == MODE_WINDOW)
		return 0;
	if (time->period_ns < PERIOD_MIN || time->period_ns > PERIOD_MAX)
		return refuse(t, COMMAND_INVALID, "use 1 ms to 1 s", "a period of %llu ns",
			      (unsigned long long)time->period_ns);
	if (time->budget_ns < BUDGET_MIN || time->budget_ns > time->period_ns)
		return refuse(t, COMMAND_INVALID, "use 0.1 ms to the period",
			      "a budget of %llu ns in %llu ns", (unsigned long long)time->budget_ns,
			      (unsigned long long)time->period_ns);
	return 0;
}

int processor_read_context(sqlite3_stmt *q, struct ultravisor_context_set *set)
{
	static const uint32_t modes[] = {
		[MODE_SHARED] = ULTRAVISOR_CONTEXT_SHARED,
		[MODE_DEDICATED] = ULTRAVISOR_CONTEXT_DEDICATED,
		[MODE_WINDOW] = ULTRAVISOR_CONTEXT_WINDOW,
	};
	struct cpuset cpus;
	char list[4096];
	int rc;

	db_text(q, 7, list, sizeof(list));
	rc = cpuset_parse(&cpus, list);
	if (rc < 0)
		return rc;
	memset(set, 0, sizeof(*set));
	set->index = db_int(q, 0);
	set->mode = modes[db_int(q, 1) & 3];
	set->flags = db_int(q, 2) ? ULTRAVISOR_CONTEXT_REALTIME : 0;
	set->budget_ns = db_int(q, 3);
	set->period_ns = db_int(q, 4);
	set->window_start_ns = db_int(q, 5);
	set->window_ns = db_int(q, 6);
	_Static_assert(sizeof(set->cpus) == sizeof(cpus.word), "one form of CPU sets");
	memcpy(set->cpus, cpus.word, sizeof(set->cpus));
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

/* The windows of this CPU, in order; idx of p itself is left out. */
static sqlite3_stmt *windows_of(struct transaction *t, unsigned int cpu, const struct partition *p,
				uint32_t index)
{
	return db_query(t->uvd->db, "SELECT p.name, b.window_start_ns, b.window_ns"
			" FROM context_cpu c JOIN context b ON b.partition = c.partition"
			" AND b.idx = c.idx JOIN partition p ON p.uuid = b.partition"
			" WHERE c.cpu = ? AND b.mode = 3 AND NOT (b.partition = ? AND b.idx = ?)"
			" ORDER BY b.window_start_ns", "iui", (int64_t)cpu, p->uuid,
			(int64_t)index);
}

static int refuse_overlap(struct transaction *t, unsigned int cpu, const struct partition *p,
			  const struct command_processor_assign *c, uint64_t frame_ns)
{
	uint64_t at = 0, largest = 0, start = 0, end = 0;
	char name[COMMAND_NAME_LEN] = "";
	sqlite3_stmt *q = windows_of(t, cpu, p, c->index);

	while (db_next(t->uvd->db, q) > 0) {
		uint64_t from = db_int(q, 1), to = from + db_int(q, 2);

		if (from > at && from - at > largest)
			largest = from - at;
		at = to > at ? to : at;
		if (!name[0] && c->window_start_ns < to &&
		    from < c->window_start_ns + c->window_ns) {
			db_text(q, 0, name, sizeof(name));
			start = from;
			end = to;
		}
	}
	if (frame_ns > at && frame_ns - at > largest)
		largest = frame_ns - at;
	if (!name[0])
		return 0;
	return refuse(t, COMMAND_RESOURCES, "choose another place in the frame, or processor",
		      "processor %u: %s has the window from %llu to %llu us; the longest free time"
		      " in its frame of %llu us is %llu us", cpu, name,
		      (unsigned long long)start / 1000, (unsigned long long)end / 1000,
		      (unsigned long long)frame_ns / 1000, (unsigned long long)largest / 1000);
}

/* Windows and real-time budgets leave something of each processor, and windows do not overlap. */
static int check_admission(struct transaction *t, unsigned int cpu, const struct partition *p,
			   const struct command_processor_assign *c)
{
	uint64_t asked, used = 0, frame_ns;
	int64_t frame = 0;
	sqlite3_stmt *q;
	int rc;

	rc = db_value(t->uvd->db, &frame, "SELECT frame_ns FROM domain WHERE name = ?", "t",
		      p->domain);
	if (rc < 0)
		return refuse_db(t, rc);
	frame_ns = frame;
	if (c->mode == MODE_WINDOW && !frame_ns)
		return refuse(t, COMMAND_RESOURCES, "give the domain a frame, or use another one",
			      "the processors of domain %s have no frame, and so no windows",
			      p->domain);
	if (c->mode == MODE_WINDOW && (c->window_ns > frame_ns ||
				       c->window_start_ns > frame_ns - c->window_ns))
		return refuse(t, COMMAND_INVALID, "let it end within the frame",
			      "a window of %llu us from %llu us in a frame of %llu us",
			      (unsigned long long)c->window_ns / 1000,
			      (unsigned long long)c->window_start_ns / 1000,
			      (unsigned long long)frame_ns / 1000);
	if (c->mode == MODE_WINDOW && refuse_overlap(t, cpu, p, c, frame_ns) < 0)
		return -ECANCELED;
	asked = c->mode == MODE_WINDOW ? command_ppm(c->window_ns, frame_ns) :
		c->flags & PROCESSOR_REALTIME ? command_ppm(c->budget_ns, c->period_ns) : 0;
	if (!asked)
		return 0;
	q = db_query(t->uvd->db, "SELECT b.mode, b.budget_ns, b.period_ns, b.window_ns"
		     " FROM context_cpu c JOIN context b ON b.partition = c.partition"
		     " AND b.idx = c.idx WHERE c.cpu = ? AND (b.mode = 3 OR b.realtime = 1)"
		     " AND NOT (b.partition = ? AND b.idx = ?)", "iui", (int64_t)cpu, p->uuid,
		     (int64_t)c->index);
	while ((rc = db_next(t->uvd->db, q)) > 0)
		used += db_int(q, 0) == MODE_WINDOW ? command_ppm(db_int(q, 3), frame_ns) :
			command_ppm(db_int(q, 1), db_int(q, 2));
	if (rc < 0)
		return refuse_db(t, rc);
	if (used + asked <= PROCESSOR_REALTIME_PPM)
		return 0;
	return refuse(t, COMMAND_RESOURCES, "ask for less, or choose another processor",
		      "processor %u: %.1f %% asked, windows and real-time budgets have %.1f %% of"
		      " at most %.0f %%: %.1f %% are free", cpu, asked / 1e4, used / 1e4,
		      PROCESSOR_REALTIME_PPM / 1e4, used < PROCESSOR_REALTIME_PPM ?
		      (PROCESSOR_REALTIME_PPM - used) / 1e4 : 0.0);
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
	rc = db_run(db, "INSERT INTO context VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "uiiiiiiit",
		    p->uuid, (int64_t)c->index, (int64_t)c->mode, (int64_t)c->budget_ns,
		    (int64_t)c->period_ns, (int64_t)(c->flags & PROCESSOR_REALTIME),
		    (int64_t)c->window_start_ns, (int64_t)c->window_ns, list);
	for (cpu = cpuset_next(cpus, 0); rc == 0 && cpu < CPUSET_CPUS;
	     cpu = cpuset_next(cpus, cpu + 1)) {
		if (check_cpu(t, p, cpu, dedicated) < 0 || check_admission(t, cpu, p, c) < 0)
			return -ECANCELED;
		rc = db_run(db, "INSERT INTO context_cpu VALUES (?, ?, ?, ?)", "iuii",
			    (int64_t)cpu, p->uuid, (int64_t)c->index, (int64_t)dedicated);
	}
	if (rc < 0)
		return refuse_db(t, rc);
	t->contexts++;
	return partition_touch(t, p->uuid);
}

/* It executes, and a change of a context is a change of what executes. */
static bool is_live(uint32_t state)
{
	return state == PARTITION_RUNNING || state == PARTITION_PAUSED ||
	       state == PARTITION_STOPPING;
}

static int check_assignment(struct transaction *t, const struct command_processor_assign *c,
			    const struct partition *p, unsigned int n)
{
	const struct processor_time time = {
		c->mode, c->flags, c->budget_ns, c->period_ns, c->window_ns,
	};
	bool one = c->mode != MODE_SHARED || c->flags & PROCESSOR_REALTIME;

	if (c->index >= p->vcpus)
		return refuse(t, COMMAND_INVALID, "count from 0", "context %u of %s, which has %u",
			      c->index, p->name, p->vcpus);
	if (processor_check_time(t, &time) < 0)
		return -ECANCELED;
	if (time.mode != p->time.mode || time.flags != p->time.flags ||
	    time.budget_ns != p->time.budget_ns || time.period_ns != p->time.period_ns ||
	    time.window_ns != p->time.window_ns)
		return refuse(t, COMMAND_INVALID, "give what the definition says",
			      "mode, budget, period or window of context %u is not that of %s",
			      c->index, p->name);
	if (c->mode != MODE_WINDOW && c->window_start_ns)
		return refuse(t, COMMAND_INVALID, "set window_start_ns to 0",
			      "context %u has no window", c->index);
	if (n == 0 || (one && n != 1))
		return refuse(t, COMMAND_INVALID, "a dedicated, windowed or real-time context has"
			      " one, a shared one some", "%u processors for context %u", n,
			      c->index);
	return 0;
}

int processor_assign(struct transaction *t, const void *record)
{
	const struct command_processor_assign *c = record;
	struct partition p;
	struct cpuset cpus;
	int64_t one;
	int rc;

	_Static_assert(sizeof(cpus.word) == sizeof(c->cpus), "one form of CPU sets");
	memcpy(cpus.word, c->cpus, sizeof(cpus.word));
	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (!is_live(p.state) && partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (check_assignment(t, c, &p, cpuset_count(&cpus)) < 0)
		return -ECANCELED;
	rc = db_value(t->uvd->db, &one, "SELECT 1 FROM context WHERE partition = ? AND idx = ?",
		      "ui", p.uuid, (int64_t)c->index);
	if (rc < 0 && rc != -ENOENT)
		return refuse_db(t, rc);
	if (rc == 0 && !is_live(p.state))
		return refuse(t, COMMAND_CONFLICT, "release them first",
			      "context %u of %s has its processors", c->index, p.name);
	if (rc == 0) {
		rc = db_run(t->uvd->db, "DELETE FROM context WHERE partition = ? AND idx = ?", "ui",
			    p.uuid, (int64_t)c->index);
		if (rc < 0)
			return refuse_db(t, rc);
	}
	return insert_context(t, c, &p, &cpus);
}

/* As it is in the module, to be set again. */
static int read_kernel_context(struct kernel *k, int control, uint32_t index,
			       struct ultravisor_context_set *set)
{
	struct ultravisor_context_info info;
	int rc = kernel_context_info(k, control, index, &info);

	memset(set, 0, sizeof(*set));
	set->index = index;
	set->mode = info.out_mode;
	set->flags = info.out_flags;
	set->budget_ns = info.out_budget_ns;
	set->period_ns = info.out_period_ns;
	set->window_start_ns = info.out_window_start_ns;
	set->window_ns = info.out_window_ns;
	memcpy(set->cpus, info.out_cpus, sizeof(set->cpus));
	return rc;
}

/*
 * A running partition's context changes here, before the commit: the module has a last word on
 * it. If the transaction does not happen it becomes what it was; if we die in between, the next
 * start sets it to what its row says.
 */
int processor_assign_prepare(struct transaction *t, const void *record)
{
	const struct command_processor_assign *c = record;
	struct context_change was = { 0 };
	struct kernel *k = t->uvd->kernel;
	struct ultravisor_context_set set;
	struct partition p;
	sqlite3_stmt *q;
	int fd, rc;

	if (partition_find(t, &(struct command_record){ 0 }, c->partition, &p) < 0)
		return -ECANCELED;
	if (!is_live(p.state) || !p.module_id)
		return 0;
	q = db_query(t->uvd->db, "SELECT idx, mode, realtime, budget_ns, period_ns,"
		     " window_start_ns, window_ns, cpus FROM context WHERE partition = ?"
		     " AND idx = ?", "ui", p.uuid, (int64_t)c->index);
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	rc = processor_read_context(q, &set);
	db_done(q);
	was.partition = p.module_id;
	fd = kernel_object_open(k, p.module_id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (rc == 0)
		rc = fd < 0 ? fd : read_kernel_context(k, fd, c->index, &was.set);
	if (rc == 0 && transaction_context_was(t, &was) < 0) {
		close(fd);
		return -ECANCELED;
	}
	if (rc == 0)
		rc = kernel_context_set(k, fd, &set);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return refuse(t, rc == -EBUSY || rc == -ENXIO ? COMMAND_RESOURCES : COMMAND_FAILED,
			      "see the kernel's log", "context %u of %s: %s", c->index, p.name,
			      strerror(-rc));
	return 0;
}

int contexts_differ(struct uvd *uvd, const uint8_t partition[16], int control,
		    context_differs *differs, void *data)
{
	struct ultravisor_context_set set, is;
	sqlite3_stmt *q;
	int n = 0, rc, r;

	q = db_query(uvd->db, "SELECT idx, mode, realtime, budget_ns, period_ns, window_start_ns,"
		     " window_ns, cpus FROM context WHERE partition = ? ORDER BY idx", "u",
		     partition);
	for (; (rc = db_next(uvd->db, q)) > 0; n++) {
		r = processor_read_context(q, &set);
		if (r == 0)
			r = read_kernel_context(uvd->kernel, control, set.index, &is);
		if (r == 0 && memcmp(&set, &is, sizeof(set)))
			r = differs(uvd, control, &set, data);
		if (r < 0) {
			db_done(q);
			return r;
		}
	}
	return rc < 0 ? rc : n;
}

int processors_differ(struct uvd *uvd, bool take_back, processor_differs *differs, void *data)
{
	struct ultravisor_processor_info info;
	sqlite3_stmt *q;
	int n = 0, rc, r;

	q = db_query(uvd->db, "SELECT p.cpu, d.name IS NOT NULL, coalesce(d.frame_ns, 0),"
		     " coalesce(d.phase_ns, 0) FROM processor p LEFT JOIN domain d"
		     " ON d.name = p.domain WHERE p.present = 1", "");
	for (; (rc = db_next(uvd->db, q)) > 0; n++) {
		struct processor_should p = {
			.cpu = db_int(q, 0), .given = db_int(q, 1), .frame_ns = db_int(q, 2),
			.phase_ns = db_int(q, 3),
		};

		if (!p.given && !take_back)
			continue;
		r = kernel_processor_info(uvd->kernel, p.cpu, &info);
		if (r == 0 && (p.given != !!(info.out_flags & ULTRAVISOR_PROCESSOR_GIVEN) ||
			       p.frame_ns != info.out_frame_ns || p.phase_ns != info.out_phase_ns))
			r = differs(uvd, &p, data);
		/* Present in the rows, and gone since they were written. */
		if (r == -ENOENT)
			continue;
		if (r < 0) {
			db_done(q);
			return r;
		}
	}
	return rc < 0 ? rc : n;
}

static int set_processor(struct uvd *uvd, const struct processor_should *p, void *data)
{
	(void)data;
	return kernel_processor_set(uvd->kernel, p->cpu, p->given, p->frame_ns, p->phase_ns);
}

int processors_sync(struct uvd *uvd, bool take_back)
{
	int rc = processors_differ(uvd, take_back, set_processor, NULL);

	return rc < 0 ? rc : 0;
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row type has a statement, a function that fills the record, and a cursor: what the next
 * query continues after. SQLite serves from its cache; what only the module knows (time used,
 * who is attached) is asked of it for running partitions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <common/cpuset.h>
#include <common/uuid.h>

#include "changes.h"
#include "history.h"
#include "internal.h"
#include "inventory.h"
#include "lease.h"
#include "operation.h"
#include "query.h"
#include "settings.h"
#include "verify.h"

/* What a query selects; NULL or zero members select everything. */
struct selection {
	const uint8_t *partition;	/* this one's alone */
	const char *domain;		/* row_domain: this one alone */
	uint64_t after;
	const char *after_name;		/* partition's or domain's name */
	const char *after_part;		/* device, channel or context behind it */
};

/* SQL conditions are of these five parameters, in this order, in every statement. */
static sqlite3_stmt *select_rows(struct uvd *uvd, const char *sql, const struct selection *s)
{
	return db_query(uvd->db, sql, "uittt", s->partition, (int64_t)s->after,
			s->after_name ? s->after_name : "", s->after_part ? s->after_part : "",
			s->domain ? s->domain : "");
}

static void fill_cpus(uint64_t to[COMMAND_CPU_WORDS], const char *list)
{
	struct cpuset set;

	if (cpuset_parse(&set, list) == 0)
		memcpy(to, set.word, sizeof(set.word));
}

static void fill_cpus_of(struct uvd *uvd, uint64_t to[COMMAND_CPU_WORDS], const char *domain)
{
	struct cpuset set = { 0 };
	sqlite3_stmt *q;

	if (domain)
		q = db_query(uvd->db, "SELECT cpu FROM processor WHERE domain = ?", "t", domain);
	else
		q = db_query(uvd->db, "SELECT cpu FROM processor WHERE in_pool = 1", "");
	while (db_next(uvd->db, q) > 0)
		cpuset_add(&set, db_int(q, 0) % CPUSET_CPUS);
	memcpy(to, set.word, sizeof(set.word));
}

static uint64_t count(struct uvd *uvd, const char *sql)
{
	int64_t n = 0;

	return db_value(uvd->db, &n, sql, "") == 0 ? n : 0;
}

static void fill_host(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_host *r = record;

	db_uuid(q, 1, r->host);
	memcpy(r->instance, uvd->instance, sizeof(r->instance));
	db_text(q, 2, r->name, sizeof(r->name));
	r->memory_total = db_int(q, 3);
	r->memory_pool = db_int(q, 4);
	r->pool_is_default = db_int(q, 5);
	db_text(q, 6, r->pool_reason, sizeof(r->pool_reason));
	r->stopping = db_int(q, 7);
	r->memory_assigned = count(uvd, "SELECT coalesce(sum(bytes), 0) FROM memory");
	r->cpus_total = count(uvd, "SELECT count(*) FROM processor WHERE present = 1");
	r->cpus_pool = count(uvd, "SELECT count(*) FROM processor WHERE in_pool = 1");
	r->transactions = count(uvd, "SELECT \"transaction\" FROM clock");
	r->read_only = uvd->read_only;
	fill_cpus_of(uvd, r->cpus, NULL);
}

static void fill_processor(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_processor *r = record;
	char list[4096];

	(void)uvd;
	r->cpu = db_int(q, 1);
	r->node = db_int(q, 2);
	r->package = db_int(q, 3);
	r->core = db_int(q, 4);
	db_text(q, 5, list, sizeof(list));
	fill_cpus(r->siblings, list);
	r->in_pool = db_int(q, 6);
	db_text(q, 7, r->domain, sizeof(r->domain));
	r->contexts = db_int(q, 8);
	db_uuid(q, 9, r->owner);
	db_text(q, 10, r->owner_name, sizeof(r->owner_name));
	r->frame_ns = db_int(q, 11);
	r->phase_ns = db_int(q, 12);
	r->windows = db_int(q, 13);
	r->realtime_ppm = db_int(q, 14);
}

static void fill_memory(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_memory *r = record;

	uint64_t pages, assigned = db_int(q, 5) / COMMAND_HUGE_PAGE;

	(void)uvd;
	r->node = db_int(q, 1);
	r->total = db_int(q, 2);
	r->pool = db_int(q, 3);
	r->assigned = db_int(q, 4);
	pages = inventory_huge_pages("", r->node);
	r->huge_free = pages > assigned ? pages - assigned : 0;
}

static void fill_domain(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_domain *r = record;

	db_text(q, 1, r->name, sizeof(r->name));
	r->memory = db_int(q, 2);
	r->memory_assigned = db_int(q, 3);
	r->partitions = db_int(q, 4);
	r->frame_ns = db_int(q, 5);
	r->phase_ns = db_int(q, 6);
	fill_cpus_of(uvd, r->cpus, r->name);
}

static void fill_live(struct uvd *uvd, struct command_row_partition *r)
{
	struct ultravisor_partition_info info;
	int32_t pid = r->pid;
	uint32_t reboots = r->reboots;
	int fd;

	if (uvd->hooks->live(uvd, r->partition, &pid, &reboots)) {
		r->pid = pid;
		r->reboots = reboots;
		if (r->kind != PARTITION_GUEST)
			r->state = PARTITION_RUNNING;
	}
	if (!r->module_id)
		return;
	fd = kernel_object_open(uvd->kernel, r->module_id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return;
	if (kernel_partition_info(uvd->kernel, fd, &info) == 0) {
		r->run_ns = info.out_run_ns;
		r->exits = info.out_exits;
		r->stolen_ns = info.out_stolen_ns;
		r->lease_expired = info.out_lease_expired;
		r->lease_left_ns = lease_left(&info);
	}
	close(fd);
}

static void fill_partition(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_partition *r = record;

	db_uuid(q, 1, r->partition);
	db_text(q, 2, r->name, sizeof(r->name));
	db_text(q, 3, r->domain, sizeof(r->domain));
	r->kind = db_int(q, 4);
	r->state = db_int(q, 5);
	r->vcpus = db_int(q, 6);
	r->mode = db_int(q, 7);
	r->budget_ns = db_int(q, 8);
	r->period_ns = db_int(q, 9);
	r->memory = db_int(q, 10);
	r->memory_assigned = db_int(q, 11);
	r->node = db_int(q, 12);
	r->pid = db_int(q, 13);
	r->module_id = db_int(q, 14);
	r->started_ns = db_int(q, 15);
	r->reboots = db_int(q, 16);
	r->devices = db_int(q, 17);
	db_text(q, 18, r->kernel, sizeof(r->kernel));
	db_text(q, 19, r->initrd, sizeof(r->initrd));
	db_text(q, 20, r->cmdline, sizeof(r->cmdline));
	db_text(q, 21, r->reason, sizeof(r->reason));
	r->flags = db_int(q, 22) ? PROCESSOR_REALTIME : 0;
	r->window_ns = db_int(q, 23);
	r->lease_ns = db_int(q, 24);
	r->lease_epoch = db_int(q, 25);
	r->changed = db_int(q, 26);
	db_text(q, 27, r->changed_by, sizeof(r->changed_by));
	fill_live(uvd, r);
}

static void fill_device(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_device *r = record;

	(void)uvd;
	db_uuid(q, 1, r->partition);
	db_text(q, 2, r->partition_name, sizeof(r->partition_name));
	db_text(q, 3, r->name, sizeof(r->name));
	r->device = db_int(q, 4);
	r->flags = db_int(q, 5);
	r->claimed = db_int(q, 6);
	db_text(q, 7, r->path, sizeof(r->path));
	db_text(q, 8, r->bridge, sizeof(r->bridge));
	db_text(q, 9, r->tap, sizeof(r->tap));
	if (sqlite3_column_bytes(q, 10) == 6)
		memcpy(r->mac, sqlite3_column_blob(q, 10), 6);
	r->rank = db_int(q, 11);
	r->size = db_int(q, 12);
	settings_read(q, 13, &r->settings);
}

static void fill_channel(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_channel *r = record;
	struct ultravisor_channel_info info;
	sqlite3_stmt *servers;
	uint32_t reboots;
	int fd;

	db_uuid(q, 1, r->channel);
	db_uuid(q, 2, r->partition);
	db_text(q, 3, r->partition_name, sizeof(r->partition_name));
	db_text(q, 4, r->name, sizeof(r->name));
	r->type = db_int(q, 5);
	r->module_id = db_int(q, 6);
	servers = db_query(uvd->db, "SELECT s.slot, s.server, p.name FROM channel_server s"
			   " JOIN partition p ON p.uuid = s.server WHERE s.channel = ?", "u",
			   r->channel);
	while (db_next(uvd->db, servers) > 0) {
		unsigned int slot = db_int(servers, 0) % COMMAND_MAX_SERVERS;

		db_uuid(servers, 1, r->server[slot]);
		db_text(servers, 2, r->server_name[slot], sizeof(r->server_name[slot]));
		if (r->module_id)
			uvd->hooks->live(uvd, r->server[slot], &r->server_pid[slot], &reboots);
		r->servers++;
	}
	if (!r->module_id)
		return;
	fd = kernel_object_open(uvd->kernel, r->module_id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return;
	if (kernel_channel_info(uvd->kernel, fd, &info) == 0) {
		r->epoch = info.out_epoch;
		memcpy(r->slot_state, info.out_slots, sizeof(r->slot_state));
	}
	close(fd);
}

static void fill_context(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_context *r = record;
	struct ultravisor_context_info info;
	char list[4096];
	int64_t id;
	int fd;

	db_uuid(q, 1, r->partition);
	db_text(q, 2, r->partition_name, sizeof(r->partition_name));
	r->index = db_int(q, 3);
	r->mode = db_int(q, 4);
	r->budget_ns = db_int(q, 5);
	r->period_ns = db_int(q, 6);
	db_text(q, 7, list, sizeof(list));
	fill_cpus(r->cpus, list);
	id = db_int(q, 8);
	r->flags = db_int(q, 9) ? PROCESSOR_REALTIME : 0;
	r->window_start_ns = db_int(q, 10);
	r->window_ns = db_int(q, 11);
	if (!id)
		return;
	fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return;
	if (kernel_context_info(uvd->kernel, fd, r->index, &info) == 0) {
		_Static_assert(sizeof(r->exits) == sizeof(info.out_exits), "one list of exits");
		memcpy(r->exits, info.out_exits, sizeof(r->exits));
		r->run_ns = info.out_run_ns;
		r->stolen_ns = info.out_stolen_ns;
		r->rested_ns = info.out_rested_ns;
		r->throttled = info.out_throttled;
		r->forced = info.out_forced;
		r->windows = info.out_windows;
		r->late_max_ns = info.out_late_max_ns;
		r->overruns = info.out_overruns;
		r->overrun_max_ns = info.out_overrun_max_ns;
	}
	close(fd);
}

static void fill_ledger(struct uvd *uvd, sqlite3_stmt *q, void *record)
{
	struct command_row_ledger *r = record;

	(void)uvd;
	r->transaction = db_int(q, 1);
	r->time_ns = db_int(q, 2);
	db_uuid(q, 3, r->request_id);
	r->status = db_int(q, 4);
	r->operations = db_int(q, 5);
	r->uid = db_int(q, 6);
	db_text(q, 7, r->who, sizeof(r->who));
	db_text(q, 8, r->subject, sizeof(r->subject));
	db_text(q, 9, r->summary, sizeof(r->summary));
	db_text(q, 10, r->text, sizeof(r->text));
	r->pid = db_int(q, 11);
	r->epoch = db_int(q, 12);
	db_text(q, 13, r->reason, sizeof(r->reason));
}

/*
 * Column 0 is the row's generation. Parameters: ?1 partition's UUID, ?2 after, ?3 after_name,
 * ?4 after_part, ?5 domain; a statement that does not use one names it in UNUSED.
 */
#define UNUSED(x) " AND (" x " IS NULL OR 1)"

/*
 * Of one partition and of all they are two statements, each with an index of its own to go by: one
 * for both would read all rows to find one.
 */
#define PARTITIONS \
	"SELECT generation, uuid, name, domain, kind, state, vcpus, mode, budget_ns, period_ns," \
	" memory, (SELECT coalesce(sum(bytes), 0) FROM memory m WHERE m.partition = p.uuid)," \
	" (SELECT min(node) FROM memory m WHERE m.partition = p.uuid), pid, module_id," \
	" started_ns, reboots, (SELECT count(*) FROM device d WHERE d.partition = p.uuid)," \
	" kernel, initrd, cmdline, reason, realtime, window_ns, lease_ns, lease_epoch," \
	" changed, (SELECT who FROM ledger WHERE \"transaction\" = p.changed)" \
	" FROM partition p WHERE p.name > ?3" UNUSED("?2") UNUSED("?4") UNUSED("?5")

#define DEVICES \
	"SELECT coalesce(k.generation, 0), d.partition, p.name, d.name, d.type, d.flags," \
	" k.name IS NOT NULL, d.path, d.bridge, k.tap, d.mac, d.rank," \
	" coalesce(k.size, 0), " SETTINGS_COLUMNS " FROM partition p" \
	" CROSS JOIN device d ON p.uuid = d.partition" \
	" LEFT JOIN claim k ON k.partition = d.partition AND k.name = d.name" \
	" WHERE p.name >= ?3 AND (p.name > ?3 OR d.name > ?4)" UNUSED("?2") UNUSED("?5")

#define CHANNELS \
	"SELECT c.generation, c.uuid, c.partition, p.name, c.name, c.type, c.module_id" \
	" FROM partition p CROSS JOIN channel c ON p.uuid = c.partition" \
	" WHERE p.name >= ?3 AND (p.name > ?3 OR c.name > ?4)" UNUSED("?2") UNUSED("?5")

/* cmdpartd's is no partition's. */
#define COMMAND_CHANNEL \
	"SELECT generation, uuid, NULL, '', name, type, module_id FROM channel" \
	" WHERE partition IS NULL AND ?3 = '' AND name > ?4"

#define CONTEXTS \
	"SELECT 0, c.partition, p.name, c.idx, c.mode, c.budget_ns, c.period_ns, c.cpus," \
	" p.module_id, c.realtime, c.window_start_ns, c.window_ns" \
	" FROM partition p CROSS JOIN context c ON p.uuid = c.partition" \
	" WHERE p.name >= ?3 AND (p.name > ?3 OR printf('%02d', c.idx) > ?4)" UNUSED("?2") \
	UNUSED("?5")

#define LEDGER \
	"SELECT 0, \"transaction\", time_ns, request_id, status, operations, uid, who, subject," \
	" summary, text, pid, epoch, reason FROM ledger WHERE"

static const struct row_type {
	uint16_t row;
	void (*fill)(struct uvd *uvd, sqlite3_stmt *q, void *record);
	const char *sql;
	const char *of_partition;	/* NULL: it is the same */
} row_types[] = {
	{ COMMAND_ROW_HOST, fill_host,
	  "SELECT generation, uuid, name, memory_total, memory_pool, pool_is_default, pool_reason,"
	  " stopping"
	  " FROM host WHERE ?2 = 0" UNUSED("?1") UNUSED("?3") UNUSED("?4") UNUSED("?5"),
	  NULL },
	{ COMMAND_ROW_PROCESSOR, fill_processor,
	  "SELECT 0, r.cpu, r.node, package, core, siblings, in_pool, r.domain,"
	  " coalesce(l.shared, 0), o.uuid, o.name, coalesce(h.frame_ns, 0),"
	  " coalesce(h.phase_ns, 0), coalesce(l.windows, 0), coalesce(l.ppm, 0) FROM processor r"
	  " LEFT JOIN (SELECT c.cpu, sum(c.dedicated = 0) AS shared, sum(b.mode = 3) AS windows,"
	  " sum(CASE WHEN b.mode = 3 THEN (b.window_ns * 1000000 + d.frame_ns - 1) / d.frame_ns"
	  " WHEN b.realtime = 1 THEN (b.budget_ns * 1000000 + b.period_ns - 1) / b.period_ns"
	  " ELSE 0 END) AS ppm FROM context_cpu c"
	  " CROSS JOIN context b ON b.partition = c.partition AND b.idx = c.idx"
	  " CROSS JOIN processor p ON p.cpu = c.cpu LEFT JOIN domain d ON d.name = p.domain"
	  " GROUP BY c.cpu) l ON l.cpu = r.cpu"
	  " LEFT JOIN domain h ON h.name = r.domain"
	  " LEFT JOIN context_cpu d ON d.cpu = r.cpu AND d.dedicated = 1"
	  " LEFT JOIN partition o ON o.uuid = d.partition"
	  " WHERE r.cpu > ?2 - (?3 = 'first') AND r.present = 1 AND (?1 IS NULL OR r.cpu IN"
	  " (SELECT cpu FROM context_cpu WHERE partition = ?1))" UNUSED("?4") UNUSED("?5")
	  " ORDER BY r.cpu", NULL },
	{ COMMAND_ROW_MEMORY, fill_memory,
	  "SELECT 0, n.node, memory_total, memory_pool, coalesce(m.assigned, 0),"
	  " coalesce(m.huge, 0) FROM node n LEFT JOIN (SELECT node, sum(bytes) AS assigned,"
	  " sum(bytes * (page_size > 4096)) AS huge FROM memory GROUP BY node) m"
	  " ON m.node = n.node"
	  " WHERE n.node > ?2 - (?3 = 'first') AND (?1 IS NULL OR n.node IN"
	  " (SELECT node FROM memory WHERE partition = ?1))" UNUSED("?4") UNUSED("?5")
	  " ORDER BY n.node", NULL },
	{ COMMAND_ROW_DOMAIN, fill_domain,
	  "SELECT generation, name, memory, (SELECT coalesce(sum(bytes), 0) FROM memory m"
	  " JOIN partition p ON p.uuid = m.partition WHERE p.domain = d.name),"
	  " (SELECT count(*) FROM partition p WHERE p.domain = d.name), frame_ns, phase_ns"
	  " FROM domain d"
	  " WHERE d.name > ?3 AND (?5 = '' OR d.name = ?5) AND (?1 IS NULL OR d.name ="
	  " (SELECT domain FROM partition WHERE uuid = ?1))" UNUSED("?2") UNUSED("?4")
	  " ORDER BY d.name", NULL },
	{ COMMAND_ROW_PARTITION, fill_partition,
	  PARTITIONS UNUSED("?1") " ORDER BY p.name", PARTITIONS " AND p.uuid = ?1" },
	{ COMMAND_ROW_DEVICE, fill_device,
	  DEVICES UNUSED("?1") " ORDER BY p.name, d.name",
	  DEVICES " AND p.uuid = ?1 ORDER BY d.name" },
	{ COMMAND_ROW_CHANNEL, fill_channel,
	  COMMAND_CHANNEL " UNION ALL " CHANNELS UNUSED("?1") " ORDER BY 4, 5",
	  CHANNELS " AND p.uuid = ?1 ORDER BY c.name" },
	{ COMMAND_ROW_CONTEXT, fill_context,
	  CONTEXTS UNUSED("?1") " ORDER BY p.name, c.idx",
	  CONTEXTS " AND p.uuid = ?1 ORDER BY c.idx" },
	{ COMMAND_ROW_LEDGER, fill_ledger,
	  LEDGER " \"transaction\" > ?2 AND (?1 IS NULL OR subject ="
	  " (SELECT name FROM partition WHERE uuid = ?1))" UNUSED("?3") UNUSED("?4") UNUSED("?5")
	  " ORDER BY \"transaction\"", NULL },
};

static const struct row_type *row_type_find(uint16_t row)
{
	unsigned int i;

	for (i = 0; i < sizeof(row_types) / sizeof(*row_types); i++)
		if (row_types[i].row == row)
			return &row_types[i];
	return NULL;
}

/* Adds up to limit rows: 1 if there are more, 0, or -errno. */
static int add_rows(struct uvd *uvd, uint16_t row, const struct selection *s, uint32_t limit,
		     struct reply *reply)
{
	const struct row_type *type = row_type_find(row);
	sqlite3_stmt *q = select_rows(uvd, s->partition && type->of_partition ?
				      type->of_partition : type->sql, s);
	uint32_t n = 0;
	void *record;
	int rc;

	while ((rc = db_next(uvd->db, q)) > 0) {
		record = n < limit ? reply_add(reply, row, db_int(q, 0)) : NULL;
		if (!record) {
			db_done(q);
			return 1;
		}
		type->fill(uvd, q, record);
		n++;
	}
	return rc;
}

/* By name, or by UUID in text. */
static int find_partition(struct uvd *uvd, const char *name, uint8_t uuid[16], struct fault *f)
{
	sqlite3_stmt *q;
	int rc;

	if (uuid_read(uuid, name) == 0)
		q = db_query(uvd->db, "SELECT uuid FROM partition WHERE uuid = ?", "u", uuid);
	else
		q = db_query(uvd->db, "SELECT uuid FROM partition WHERE name = ?", "t", name);
	rc = db_next(uvd->db, q);
	if (rc > 0) {
		db_uuid(q, 0, uuid);
		db_done(q);
		return 0;
	}
	if (rc == 0)
		return fault_set(f, COMMAND_NOT_FOUND, "look at the list of partitions",
				 "there is no partition %s", name);
	return fault_set(f, COMMAND_FAILED, "see uvd's log", "the database failed: %s",
			 db_error(uvd->db));
}

/* The line of the request that has this id, if there is one. */
static int add_request(struct uvd *uvd, const char *id, struct reply *reply)
{
	struct command_row_ledger *r;
	uint8_t uuid[16];
	sqlite3_stmt *q;
	int rc;

	if (uuid_read(uuid, id) < 0)
		return 0;
	q = db_query(uvd->db, LEDGER " request_id = ?", "u", uuid);
	rc = db_next(uvd->db, q);
	if (rc <= 0)
		return rc;
	r = reply_add(reply, COMMAND_ROW_LEDGER, 0);
	if (r)
		fill_ledger(uvd, q, r);
	db_done(q);
	return 0;
}

static bool answer(struct uvd *uvd, const struct command_query *c, struct reply *reply,
		   struct fault *f)
{
	struct selection s = { .after = c->after };
	char after[sizeof(c->after_name)];
	uint8_t uuid[16];
	uint32_t limit = c->limit ? c->limit : COMMAND_MAX_RECORDS;
	char *slash;
	int rc;

	if (c->row == COMMAND_ROW_HISTORY) {
		rc = history_rows(uvd, c, limit, reply);
		goto out;
	}
	if (c->row == COMMAND_ROW_CHANGED) {
		rc = changes_rows(uvd, c, reply);
		goto out;
	}
	if (c->row == COMMAND_ROW_COMPARED || c->row == COMMAND_ROW_DIFFERENCE) {
		rc = verify_rows(uvd, c, limit, reply);
		if (rc < 0)
			fault_set(f, COMMAND_FAILED, "see the kernel's log and uvd's",
				  "the host cannot be looked at: %s", strerror(-rc));
		return rc > 0;
	}
	if (!row_type_find(c->row)) {
		fault_set(f, COMMAND_INVALID, "see docs/command.md", "there are no rows of type %u",
			  c->row);
		return false;
	}
	if (c->row == COMMAND_ROW_LEDGER && !strcmp(c->noun, "request") && !c->at_ns) {
		rc = add_request(uvd, c->key, reply);
		goto out;
	}
	if (c->noun[0] || c->key[0] || c->at_ns) {
		fault_set(f, COMMAND_INVALID, "leave noun, key and at_ns zero",
			  "only history is asked for by a key and a time");
		return false;
	}
	if (c->name[0]) {
		if (find_partition(uvd, c->name, uuid, f) < 0)
			return false;
		s.partition = uuid;
	}
	memcpy(after, c->after_name, sizeof(after));
	slash = strchr(after, '/');
	if (slash) {
		*slash = '\0';
		s.after_part = slash + 1;
	}
	s.after_name = after;
	/* CPU and node numbers begin with 0, which "after 0" would leave out: ask after nothing. */
	if (!c->after && (c->row == COMMAND_ROW_PROCESSOR || c->row == COMMAND_ROW_MEMORY))
		s.after_name = "first";
	rc = add_rows(uvd, c->row, &s, limit, reply);
out:
	if (rc < 0)
		fault_set(f, COMMAND_FAILED, "see uvd's log", "the database failed: %s",
			  db_error(uvd->db));
	return rc > 0;
}

void query_answer(struct uvd *uvd, const void *message, size_t n, struct reply *reply)
{
	struct fault f = { .record = COMMAND_NONE };
	bool more = false;

	reply_init(reply, message_header_ok(message, n) ? message : NULL);
	if (message_check(message, n, false, &f) == 0 &&
	    message_record(message, 0)->type == COMMAND_QUERY_ROWS)
		more = answer(uvd, (const struct command_query *)message_record(message, 0), reply,
			      &f);
	reply_finish(reply, &f, 0, more);
}

void query_partition(struct uvd *uvd, const uint8_t uuid[16], struct reply *reply)
{
	const struct selection s = { .partition = uuid };

	add_rows(uvd, COMMAND_ROW_PARTITION, &s, 1, reply);
}

static void add_partition(struct uvd *uvd, const uint8_t uuid[16], struct reply *reply)
{
	const struct selection s = { .partition = uuid };

	add_rows(uvd, COMMAND_ROW_PARTITION, &s, COMMAND_MAX_RECORDS, reply);
	add_rows(uvd, COMMAND_ROW_DEVICE, &s, COMMAND_MAX_RECORDS, reply);
	add_rows(uvd, COMMAND_ROW_CONTEXT, &s, COMMAND_MAX_RECORDS, reply);
	add_rows(uvd, COMMAND_ROW_CHANNEL, &s, COMMAND_MAX_RECORDS, reply);
}

/* The partition that an operation is about; every such record has it behind its head. */
const uint8_t *query_subject(struct uvd *uvd, const struct command_record *r, uint8_t uuid[16])
{
	const struct command_channel_connect *c = (const void *)r;
	sqlite3_stmt *q;

	switch (r->type) {
	case COMMAND_DOMAIN_CREATE:
	case COMMAND_DOMAIN_MODIFY:
	case COMMAND_DOMAIN_DESTROY:
	case COMMAND_DOMAIN_EXPECT:
	case COMMAND_HOST_POOL:
	case COMMAND_HOST_STOP:
	case COMMAND_HOST_START:
	case INTERNAL_HOST_INSTANCE:
	case INTERNAL_COMMAND_CHANNEL:
		return NULL;
	case COMMAND_CHANNEL_CREATE:
	case COMMAND_CHANNEL_REVOKE:
	case COMMAND_CHANNEL_DESTROY:
		return ((const struct command_channel *)r)->partition;
	case COMMAND_CHANNEL_PROMOTE:
		return ((const struct command_channel_promote *)r)->partition;
	case COMMAND_CHANNEL_CONNECT:
		q = db_query(uvd->db, "SELECT partition FROM channel WHERE uuid = ?", "u",
			     c->channel);
		if (db_next(uvd->db, q) <= 0)
			return NULL;
		db_uuid(q, 0, uuid);
		db_done(q);
		return uuid;
	}
	return r->type < COMMAND_QUERY_ROWS || r->type >= INTERNAL_FIRST ?
	       ((const struct command_partition *)r)->partition : NULL;
}

#define SUBJECTS 64	/* partitions of one message whose rows are shown */

void query_subjects(struct uvd *uvd, const struct command_header *request, struct reply *reply)
{
	uint8_t seen[SUBJECTS][16], uuid[16];
	const struct command_record *r = message_record(request, 0);
	struct selection s = { 0 };
	unsigned int n = 0, i, k;

	for (i = 0; i < request->count; i++, r = (const void *)((const uint8_t *)r + r->length)) {
		const uint8_t *p = query_subject(uvd, r, uuid);

		if (r->type == COMMAND_DOMAIN_CREATE || r->type == COMMAND_DOMAIN_MODIFY) {
			s.domain = ((const struct command_domain *)r)->name;
			add_rows(uvd, COMMAND_ROW_DOMAIN, &s, COMMAND_MAX_RECORDS, reply);
		} else if (r->type >= COMMAND_HOST_POOL && r->type <= COMMAND_HOST_START) {
			s.domain = NULL;
			add_rows(uvd, COMMAND_ROW_HOST, &s, COMMAND_MAX_RECORDS, reply);
		}
		if (!p)
			continue;
		for (k = 0; k < n && memcmp(seen[k], p, 16); k++)
			;
		if (k < n || n == SUBJECTS)
			continue;
		memcpy(seen[n++], p, 16);
		add_partition(uvd, p, reply);
	}
}

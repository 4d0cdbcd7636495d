/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crash matrix: each operation × each named instant that it passes (common/crash.h), each time
 * that it passes it. uvd dies there, and dies once more on the way of the instance after it. What
 * is left is the state before the operation or the one behind it; its author, who asks again, gets
 * one answer; kernel and network hold what the rows say.
 *
 * A seeded part of it; all of it with CRASH_MATRIX=all. SEED chooses the part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/crash.h>
#include <common/uuid.h>
#include <uvd/reconcile.h>

#include "fake.h"

#define POINTS	32
#define PART	6	/* one in so many, if not all */

/* Shared with the uvd that is forked to die. */
static struct {
	unsigned int names;
	struct {
		char name[32];
		unsigned int passed;	/* by the last run that nothing ended */
	} point[POINTS];
	char at[32];			/* dies there … */
	unsigned int left;		/* … at this pass; 0: nowhere */
} *plan;

void crash_point(const char *name)
{
	unsigned int i;

	if (!plan)
		return;
	for (i = 0; i < plan->names && strcmp(plan->point[i].name, name); i++)
		;
	assert_true(i < POINTS);
	if (i == plan->names)
		snprintf(plan->point[plan->names++].name, sizeof(plan->point[0].name), "%s", name);
	plan->point[i].passed++;
	if (plan->left && !strcmp(plan->at, name) && --plan->left == 0)
		_exit(99);
}

/* ---- the operations, and what has to be before */

static void run_sql(struct host *h, const char *sql)
{
	assert_int_equal(sqlite3_exec(db_handle(h->uvd.db), sql, NULL, NULL, NULL), SQLITE_OK);
}

static void nothing(struct host *h)
{
	(void)h;
}

static void defined(struct host *h)
{
	define(h, "web1");
}

static void resources(struct host *h)
{
	define(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void running(struct host *h)
{
	define(h, "web1");
	start(h, "web1");
	run_sql(h, "UPDATE partition SET state = 3 WHERE name = 'web1'");
}

static void one(struct host *h, uint16_t type)
{
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, type, "web1");
}

static void paused(struct host *h)
{
	running(h);
	one(h, COMMAND_PARTITION_PAUSE);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void build_define(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, "uvbr0");
}

static void build_start(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
}

#define VERB(name, type) static void name(struct host *h) { one(h, type); }
VERB(build_undefine, COMMAND_PARTITION_UNDEFINE)
VERB(build_stop, COMMAND_PARTITION_STOP)
VERB(build_kill, COMMAND_PARTITION_KILL)
VERB(build_pause, COMMAND_PARTITION_PAUSE)
VERB(build_resume, COMMAND_PARTITION_RESUME)
VERB(build_memory_release, COMMAND_MEMORY_RELEASE)
VERB(build_processor_release, COMMAND_PROCESSOR_RELEASE)
#undef VERB

static void build_memory(struct host *h)
{
	struct command_memory_assign *m;

	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_MEMORY_ASSIGN);
	name_uuid(m->partition, "web1");
	m->bytes = 256ULL << 20;
}

static struct command_processor_assign *add_cpu(struct host *h, unsigned int index)
{
	struct command_processor_assign *p = message_add(h, COMMAND_PROCESSOR_ASSIGN);

	name_uuid(p->partition, "web1");
	p->index = index;
	p->mode = MODE_SHARED;
	p->cpus[0] = 0x0c;
	return p;
}

static void build_processor(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	add_cpu(h, 0);
}

/* Of a guest that is on: each context anew. */
static void build_modify(struct host *h)
{
	struct command_partition_modify *m;

	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_PARTITION_MODIFY);
	name_uuid(m->partition, "web1");
	m->mode = MODE_SHARED;
	m->budget_ns = 10000000;
	m->period_ns = 100000000;
	for (unsigned int i = 0; i < 2; i++) {
		struct command_processor_assign *p = add_cpu(h, i);

		p->budget_ns = m->budget_ns;
		p->period_ns = m->period_ns;
	}
}

static void device(struct host *h, uint16_t type, const char *name)
{
	struct command_device_op *o;

	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, type);
	name_uuid(o->partition, "web1");
	strcpy(o->name, name);
}

static void build_claim(struct host *h)
{
	device(h, COMMAND_DEVICE_CLAIM, "net0");
}

static void claimed(struct host *h)
{
	define(h, "web1");
	build_claim(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void build_release(struct host *h)
{
	device(h, COMMAND_DEVICE_RELEASE, "net0");
}

static void tap_lost(struct host *h)
{
	running(h);
	memset(h->fake->tap, 0, sizeof(h->fake->tap));
}

static void build_reset(struct host *h)
{
	device(h, COMMAND_DEVICE_RESET, "net0");
}

static void build_channel(struct host *h)
{
	struct command_channel *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_CREATE);
	memset(c->channel, 7, sizeof(c->channel));
	name_uuid(c->partition, "web1");
	strcpy(c->name, "net0");
}

static void channel(struct host *h)
{
	claimed(h);
	build_channel(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void build_channel_destroy(struct host *h)
{
	build_channel(h);
	((struct command_record *)(message_header(h) + 1))->type = COMMAND_CHANNEL_DESTROY;
}

static void root_channel(struct host *h, uint8_t uuid[16])
{
	sqlite3_stmt *q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE name = 'root'", "");

	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, uuid);
	db_done(q);
}

static void build_connect(struct host *h)
{
	struct command_channel_connect *k;

	message_begin(h, COMMAND_TRANSACT);
	k = message_add(h, COMMAND_CHANNEL_CONNECT);
	root_channel(h, k->channel);
	k->servers = 2;
	memcpy(k->server[0], h->io_b, 16);
	memcpy(k->server[1], h->io_a, 16);
}

static void build_revoke(struct host *h)
{
	struct command_channel *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_REVOKE);
	root_channel(h, c->channel);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "root");
}

static void build_promote(struct host *h)
{
	struct command_channel_promote *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_PROMOTE);
	root_channel(h, c->channel);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "root");
	c->slot = 1;
}

static struct command_domain *domain(struct host *h, uint16_t type, const char *name,
				     uint64_t cpus, uint64_t memory)
{
	struct command_domain *d;

	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, type);
	strcpy(d->name, name);
	d->cpus[0] = cpus;
	d->memory = memory;
	if (type != COMMAND_DOMAIN_DESTROY)
		d->frame_ns = 10000000;
	return d;
}

static void build_domain(struct host *h)
{
	domain(h, COMMAND_DOMAIN_CREATE, "batch", 0xc0, 512ULL << 20);
}

static void two_domains(struct host *h)
{
	define(h, "web1");
	build_domain(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void build_domain_modify(struct host *h)
{
	domain(h, COMMAND_DOMAIN_MODIFY, "batch", 0x80, 256ULL << 20);
}

static void build_domain_destroy(struct host *h)
{
	domain(h, COMMAND_DOMAIN_DESTROY, "batch", 0, 0);
}

static void build_assign(struct host *h)
{
	struct command_domain_assign *a;

	message_begin(h, COMMAND_TRANSACT);
	a = message_add(h, COMMAND_DOMAIN_ASSIGN);
	name_uuid(a->partition, "web1");
	strcpy(a->domain, "batch");
}

static void build_pool(struct host *h)
{
	struct command_host_pool *p;

	message_begin(h, COMMAND_TRANSACT);
	p = message_add(h, COMMAND_HOST_POOL);
	p->memory = 3ULL << 30;
	p->cpus[0] = 0xfc;
}

static void build_host_stop(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	message_add(h, COMMAND_HOST_STOP);
}

static void host_stopped(struct host *h)
{
	build_host_stop(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static void build_host_start(struct host *h)
{
	message_begin(h, COMMAND_TRANSACT);
	message_add(h, COMMAND_HOST_START);
}

static const struct {
	const char *name;
	void (*before)(struct host *h);
	void (*build)(struct host *h);
} operations[] = {
	{ "define", nothing, build_define }, { "undefine", defined, build_undefine },
	{ "start", defined, build_start }, { "stop", running, build_stop },
	{ "kill", running, build_kill }, { "pause", running, build_pause },
	{ "resume", paused, build_resume }, { "modify", running, build_modify },
	{ "memory assign", defined, build_memory },
	{ "memory release", resources, build_memory_release },
	{ "processor assign", defined, build_processor },
	{ "processor release", resources, build_processor_release },
	{ "device claim", defined, build_claim }, { "device release", claimed, build_release },
	{ "device reset", tap_lost, build_reset }, { "channel create", claimed, build_channel },
	{ "channel destroy", channel, build_channel_destroy },
	{ "channel connect", running, build_connect },
	{ "channel revoke", running, build_revoke },
	{ "channel promote", running, build_promote },
	{ "domain create", nothing, build_domain },
	{ "domain modify", two_domains, build_domain_modify },
	{ "domain destroy", two_domains, build_domain_destroy },
	{ "domain assign", two_domains, build_assign }, { "host pool", nothing, build_pool },
	{ "host stop", defined, build_host_stop }, { "host start", host_stopped, build_host_start },
};
#define OPERATIONS (sizeof(operations) / sizeof(*operations))

/* ---- dying */

/* What the rows say but times, numbers of transactions, and ids that are new each time. */
static char *said(struct host *h)
{
	static const char *const queries[] = {
		"SELECT memory_pool, stopping FROM host",
		"SELECT cpu, in_pool, domain FROM processor ORDER BY 1",
		"SELECT name, memory, frame_ns, generation FROM domain ORDER BY 1",
		"SELECT name, domain, state, mode, budget_ns, period_ns, module_id NOT NULL,"
		" generation FROM partition ORDER BY 1",
		"SELECT hex(partition), node, bytes, page_size FROM memory ORDER BY 1, 2",
		"SELECT hex(partition), idx, mode, budget_ns, cpus FROM context ORDER BY 1, 2",
		"SELECT hex(partition), name, tap FROM claim ORDER BY 1, 2",
		"SELECT hex(c.partition), c.name, c.module_id NOT NULL, s.slot, p.name"
		" FROM channel c LEFT JOIN channel_server s ON s.channel = c.uuid"
		" LEFT JOIN partition p ON p.uuid = s.server ORDER BY 1, 2, 4",
	};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	sqlite3_stmt *q;

	assert_non_null(f);
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		assert_int_equal(sqlite3_prepare_v2(db_handle(h->uvd.db), queries[i], -1, &q, NULL),
				 SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW)
			for (int k = 0; k < sqlite3_column_count(q); k++)
				fprintf(f, "%s|", (const char *)sqlite3_column_text(q, k));
		sqlite3_finalize(q);
	}
	fclose(f);
	return text;
}

/* In a uvd of its own, which dies at the pass of a point, or not (0): did it? */
static bool dies(struct host *h, const char *at, unsigned int pass, void (*what)(struct host *h))
{
	int status;
	pid_t pid;

	/* One process at a time has the database. */
	batch_destroy(h->batch);
	h->batch = NULL;
	db_close(h->uvd.db);
	h->uvd.db = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		host_reopen(h);
		for (unsigned int i = 0; i < plan->names; i++)
			plan->point[i].passed = 0;
		snprintf(plan->at, sizeof(plan->at), "%s", at);
		plan->left = pass;
		what(h);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	plan->left = 0;
	host_reopen(h);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 99)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 99;
}

static void ask(struct host *h)
{
	if (message_ask(h)->status != COMMAND_OK)
		_exit(98);
}

static void reconcile(struct host *h)
{
	if (reconcile_kernel(&h->uvd) < 0)
		_exit(98);
}

/* Both hosts are the same but for the crash; and the next instance may die as well. */
static void crash(struct host *h, size_t op, const char *at, unsigned int pass,
		  const char *behind, unsigned int random)
{
	static const char *const again[] = { "reconciling", "in-line", "reconciled" };
	char *before, *found, *asked;
	int64_t lines;
	uint64_t number;

	operations[op].before(h);
	operations[op].build(h);
	before = said(h);
	lines = sql(h, "SELECT count(*) FROM ledger");
	if (!dies(h, at, pass, ask))
		fail_msg("%s: not ended at %s, pass %u", operations[op].name, at, pass);
	dies(h, again[random % 3], 1 + random / 3 % 4, reconcile);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	found = said(h);
	if (strcmp(found, before) && strcmp(found, behind))
		fail_msg("%s, ended at %s, pass %u: neither before nor behind:\n%s\n%s\n%s",
			 operations[op].name, at, pass, before, found, behind);

	if (message_ask(h)->status != COMMAND_OK)
		fail_msg("%s, ended at %s, pass %u, and asked again: %s", operations[op].name, at,
			 pass, h->reply->text);
	number = h->reply->transaction;
	asked = said(h);
	assert_string_equal(asked, behind);
	assert_int_equal(message_ask(h)->transaction, number);
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines + 1);
	assert_in_line(h);
	free(asked);
	free(found);
	free(before);
}

static void test_whatever_ends_uvd_leaves_all_or_nothing(void **state)
{
	const bool all = getenv("CRASH_MATRIX") && !strcmp(getenv("CRASH_MATRIX"), "all");
	unsigned int random = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 10) : 1;
	unsigned int crashes = 0, passes = 0, ever[POINTS] = { 0 };
	struct { char name[32]; unsigned int passed; } seen[POINTS];
	unsigned int names;
	char *behind;
	void *h;

	(void)state;
	for (size_t op = 0; op < OPERATIONS; op++) {
		host_setup(&h);
		operations[op].before(h);
		operations[op].build(h);
		assert_false(dies(h, "", 0, ask));
		names = plan->names;
		memcpy(seen, plan->point, sizeof(seen));
		behind = said(h);
		host_teardown(&h);
		for (unsigned int p = 0; p < names; p++) {
			ever[p] += seen[p].passed;
			for (unsigned int pass = 1; pass <= seen[p].passed; pass++) {
				passes++;
				random = random * 1103515245 + 12345;
				if (!all && (random >> 16) % PART)
					continue;
				host_setup(&h);
				crash(h, op, seen[p].name, pass, behind, random >> 20);
				host_teardown(&h);
				crashes++;
			}
		}
		free(behind);
	}
	for (unsigned int p = 0; p < plan->names; p++)
		if (!ever[p] && strncmp(plan->point[p].name, "reconcil", 8) &&
		    strcmp(plan->point[p].name, "in-line"))
			fail_msg("no operation passes %s", plan->point[p].name);
	assert_true(plan->names >= 17);
	printf("%u crashes of %u passes of %u points by %zu operations, each with another at the "
	       "restart\n", crashes, passes, plan->names, OPERATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_ends_uvd_leaves_all_or_nothing),
	};

	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plan == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

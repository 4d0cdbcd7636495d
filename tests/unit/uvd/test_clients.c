/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen clients at once, over few guests, processors, images and little memory: their requests
 * share batches in any order, some are asked again, and uvd ends now and then with a batch not
 * committed, or committed and not answered. Behind that the ledger is read in its order, and each
 * request in it done by a model of the rules: it must give the same answers, and at the end the
 * same rows.
 *
 * SEED and ROUNDS may be set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <uvd/news.h>
#include <uvd/reconcile.h>

#include "fake.h"

#define CLIENTS	16
#define GUESTS	8
#define CPUS	8
#define MIB	(1ULL << 20)

/* ---- the model */

enum { DISK, CONSOLE, DEVICES };
static const char *const device_names[DEVICES] = { "root", "console" };
enum { DEFAULT, BATCH, DOMAINS };
static const char *const domain_names[DOMAINS] = { "default", "batch" };

struct guest {
	bool defined, on, has_disk, readonly;
	unsigned int image, domain, mode;
	uint64_t memory, assigned;
	unsigned int cpus, context_mode;	/* of its only context; 0: it has none */
	bool claimed[DEVICES], channel[DEVICES];
	uint64_t generation;
	bool touched;				/* by the transaction that is done now */
};

struct model {
	struct guest guest[GUESTS];
	struct {
		uint64_t memory, generation;
		unsigned int cpus;
		bool touched;
	} domain[DOMAINS];
	uint64_t pool, node;			/* memory of them */
	unsigned int pool_cpus;
};

static struct guest *guest_of(struct model *m, const uint8_t uuid[16])
{
	uint8_t is[16];
	char name[8];

	for (unsigned int i = 0; i < GUESTS; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		name_uuid(is, name);
		if (!memcmp(is, uuid, 16))
			return &m->guest[i];
	}
	fail_msg("a guest that nobody named");
	return NULL;
}

static unsigned int device_of(const char *name)
{
	return strcmp(name, device_names[CONSOLE]) == 0 ? CONSOLE : DISK;
}

static unsigned int domain_of(const char *name)
{
	return strcmp(name, domain_names[BATCH]) == 0 ? BATCH : DEFAULT;
}

static bool stale(uint64_t seen, uint64_t generation, bool touched)
{
	return seen && seen != (touched ? generation - 1 : generation);
}

static uint32_t found(const struct guest *g, uint64_t seen)
{
	return !g->defined ? COMMAND_NOT_FOUND :
	       stale(seen, g->generation, g->touched) ? COMMAND_CONFLICT : COMMAND_OK;
}

static uint32_t found_off(const struct guest *g, uint64_t seen)
{
	uint32_t status = found(g, seen);

	return status ? status : g->on ? COMMAND_CONFLICT : COMMAND_OK;
}

static uint32_t touch(struct guest *g)
{
	g->generation += !g->touched;
	g->touched = true;
	return COMMAND_OK;
}

static uint64_t memory_of(const struct model *m, int domain)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < GUESTS; i++)
		if (domain < 0 || m->guest[i].domain == (unsigned int)domain)
			sum += m->guest[i].assigned;
	return sum;
}

static uint32_t give_memory(struct model *m, struct guest *g, uint64_t bytes, uint32_t node)
{
	if (bytes > m->domain[g->domain].memory - memory_of(m, g->domain))
		return COMMAND_RESOURCES;
	if (node)
		return COMMAND_NOT_FOUND;
	if (bytes > m->node - memory_of(m, -1))
		return COMMAND_RESOURCES;
	if (g->assigned)
		return COMMAND_CONFLICT;
	if (bytes > g->memory)
		return COMMAND_INVALID;
	g->assigned = bytes;
	return touch(g);
}

static uint32_t give_cpus(struct model *m, struct guest *g, unsigned int mode, unsigned int cpus)
{
	if (mode != g->mode || (mode == MODE_DEDICATED && __builtin_popcount(cpus) != 1))
		return COMMAND_INVALID;
	if (g->cpus)
		return COMMAND_CONFLICT;
	if (cpus & ~m->domain[g->domain].cpus)
		return COMMAND_RESOURCES;
	for (unsigned int i = 0; i < GUESTS; i++)
		if (m->guest[i].cpus & cpus &&
		    (mode == MODE_DEDICATED || m->guest[i].context_mode == MODE_DEDICATED))
			return COMMAND_RESOURCES;
	g->cpus = cpus;
	g->context_mode = mode;
	return touch(g);
}

static uint32_t claim(struct model *m, struct guest *g, unsigned int device)
{
	if (device == DISK && !g->has_disk)
		return COMMAND_NOT_FOUND;
	if (g->claimed[device])
		return COMMAND_CONFLICT;
	for (unsigned int i = 0; device == DISK && i < GUESTS; i++) {
		const struct guest *other = &m->guest[i];

		if (other->claimed[DISK] && other->image == g->image &&
		    !(other->readonly && g->readonly))
			return COMMAND_CONFLICT;
	}
	g->claimed[device] = true;
	return COMMAND_OK;
}

static uint32_t unclaim(struct guest *g, unsigned int device)
{
	if (device == DISK && !g->has_disk)
		return COMMAND_NOT_FOUND;
	if (!g->claimed[device] || g->channel[device])
		return COMMAND_CONFLICT;
	g->claimed[device] = false;
	return COMMAND_OK;
}

static void give_back(struct guest *g)
{
	g->assigned = 0;
	g->cpus = g->context_mode = 0;
	memset(g->claimed, 0, sizeof(g->claimed));
	memset(g->channel, 0, sizeof(g->channel));
	g->on = false;
}

static uint32_t change_domain(struct model *m, const struct command_domain *c)
{
	unsigned int d = domain_of(c->name), cpus = c->cpus[0];

	if (stale(c->r.generation, m->domain[d].generation, m->domain[d].touched))
		return COMMAND_CONFLICT;
	if (c->memory > m->pool - m->domain[!d].memory || c->memory < memory_of(m, d))
		return COMMAND_RESOURCES;
	for (unsigned int i = 0; i < GUESTS; i++)
		if (m->guest[i].cpus & m->domain[d].cpus & ~cpus)
			return COMMAND_CONFLICT;
	if (cpus & ~m->pool_cpus || cpus & m->domain[!d].cpus)
		return COMMAND_RESOURCES;
	m->domain[d].memory = c->memory;
	m->domain[d].cpus = cpus;
	m->domain[d].generation += !m->domain[d].touched;
	m->domain[d].touched = true;
	return COMMAND_OK;
}

/* Its disk comes in the record behind it. */
static uint32_t define_guest(struct guest *g, const struct command_partition_define *c)
{
	if (g->defined)
		return COMMAND_CONFLICT;
	*g = (struct guest){ .defined = true, .touched = true, .generation = 1, .mode = c->mode,
			     .domain = domain_of(c->domain), .memory = c->memory };
	return COMMAND_OK;
}

static uint32_t define_device(struct host *h, struct guest *g,
			      const struct command_device_define *c)
{
	if (c->device == DEVICE_CONSOLE)
		return COMMAND_OK;
	g->has_disk = true;
	g->readonly = c->flags & DEVICE_READONLY;
	g->image = strcmp(c->path, h->image) != 0;
	return COMMAND_OK;
}

static uint32_t assign_domain(struct guest *g, const struct command_domain_assign *c)
{
	if (g->assigned || g->cpus)
		return COMMAND_CONFLICT;
	g->domain = domain_of(c->domain);
	return touch(g);
}

static uint32_t model_apply(struct host *h, struct model *m, const struct command_record *r)
{
	const struct command_partition *c = (const void *)r;
	const struct command_memory_assign *memory = (const void *)r;
	const struct command_processor_assign *processor = (const void *)r;
	const struct command_device_op *device = (const void *)r;
	const struct command_channel *channel = (const void *)r;
	uint64_t seen = r->generation;
	struct guest *g = NULL;
	uint32_t status;

	if (r->type == COMMAND_DOMAIN_MODIFY)
		return change_domain(m, (const void *)r);
	if (r->type == COMMAND_CHANNEL_CONNECT)
		return COMMAND_OK;
	g = guest_of(m, r->type == COMMAND_CHANNEL_CREATE ? channel->partition : c->partition);
	switch (r->type) {
	case COMMAND_PARTITION_DEFINE:
		return define_guest(g, (const void *)r);
	case COMMAND_DEVICE_DEFINE:
		return define_device(h, g, (const void *)r);
	case COMMAND_PARTITION_MODIFY:
		status = found(g, seen);
		if (status)
			return status;
		g->mode = ((const struct command_partition_modify *)r)->mode;
		return touch(g);
	case COMMAND_PARTITION_KILL:
		status = found(g, seen);
		if (status || !g->on)
			return status ? status : COMMAND_CONFLICT;
		give_back(g);
		return touch(g);
	}
	/* What is left is about guests that are off. */
	status = found_off(g, seen);
	if (status)
		return status;
	switch (r->type) {
	case COMMAND_PARTITION_UNDEFINE:
		memset(g, 0, sizeof(*g));
		return COMMAND_OK;
	case COMMAND_PARTITION_START:
		return touch(g);
	case COMMAND_MEMORY_ASSIGN:
		return give_memory(m, g, memory->bytes, memory->node);
	case COMMAND_MEMORY_RELEASE:
		g->assigned = 0;
		return touch(g);
	case COMMAND_PROCESSOR_ASSIGN:
		return give_cpus(m, g, processor->mode, processor->cpus[0]);
	case COMMAND_PROCESSOR_RELEASE:
		g->cpus = g->context_mode = 0;
		return touch(g);
	case COMMAND_DEVICE_CLAIM:
		return claim(m, g, device_of(device->name));
	case COMMAND_DEVICE_RELEASE:
		return unclaim(g, device_of(device->name));
	case COMMAND_CHANNEL_CREATE:
		if (!g->claimed[device_of(channel->name)] || g->channel[device_of(channel->name)])
			return COMMAND_CONFLICT;
		g->channel[device_of(channel->name)] = true;
		return touch(g);
	case COMMAND_DOMAIN_ASSIGN:
		return assign_domain(g, (const void *)r);
	}
	fail_msg("operation %u", r->type);
	return COMMAND_FAILED;
}

/* Of the whole, when all has been applied. */
static uint32_t model_check(struct model *m, const struct command_record *r)
{
	struct guest *g;

	if (r->type != COMMAND_PARTITION_START && r->type != COMMAND_PARTITION_MODIFY)
		return COMMAND_OK;
	g = guest_of(m, ((const struct command_partition *)r)->partition);
	if (r->type == COMMAND_PARTITION_MODIFY)
		return g->cpus && g->context_mode != g->mode ? COMMAND_CONFLICT : COMMAND_OK;
	if (found(g, r->generation))
		return found(g, r->generation);
	if (g->assigned != g->memory || !g->cpus || (g->has_disk && !g->channel[DISK]) ||
	    !g->channel[CONSOLE])
		return COMMAND_CONFLICT;
	g->on = true;
	return touch(g);
}

/* Not a context of what is undefined behind it, nor a guest twice. */
static uint32_t model_prepare(struct model *m, const struct command_header *request, uint32_t i)
{
	const struct command_partition *c = (const void *)message_record(request, i), *before;

	if (c->r.type == COMMAND_PROCESSOR_ASSIGN && !guest_of(m, c->partition)->defined)
		return COMMAND_NOT_FOUND;
	while (c->r.type == COMMAND_PARTITION_START && i-- > 0) {
		before = (const void *)message_record(request, i);
		if (before->r.type == c->r.type && !memcmp(before->partition, c->partition, 16))
			return COMMAND_CONFLICT;
	}
	return COMMAND_OK;
}

/* All of it, or nothing and why. */
static uint32_t model_run(struct host *h, struct model *m, const struct command_header *request,
			  uint32_t *failed)
{
	struct model next = *m;
	uint32_t status = COMMAND_OK, i = 0;

	for (i = 0; i < GUESTS; i++)
		next.guest[i].touched = false;
	for (i = 0; i < DOMAINS; i++)
		next.domain[i].touched = false;
	*failed = 0;
	if (message_record(request, 0)->flags)
		return COMMAND_INVALID;
	for (unsigned int step = 0; step < 3 && !status; step++)
		for (i = 0; i < request->count && !status; i++) {
			const struct command_record *r = message_record(request, i);

			status = step == 0 ? model_apply(h, &next, r) :
				 step == 1 ? model_check(&next, r) :
				 model_prepare(&next, request, i);
		}
	*failed = status ? i - 1 : COMMAND_NONE;
	if (!status)
		*m = next;
	return status;
}

/* ---- what both say */

static char *said_by_model(const struct model *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	for (unsigned int i = 0; i < DOMAINS; i++)
		fprintf(f, "%s %llu %#x %llu\n", domain_names[!i],
			(unsigned long long)m->domain[!i].memory, m->domain[!i].cpus,
			(unsigned long long)m->domain[!i].generation);
	for (unsigned int i = 0; i < GUESTS; i++) {
		const struct guest *g = &m->guest[i];

		if (g->defined)
			fprintf(f, "g%u %s on %d mode %u memory %llu cpus %#x/%u claims %d%d"
				" channels %d%d generation %llu\n", i, domain_names[g->domain],
				g->on, g->mode, (unsigned long long)g->assigned,
				g->cpus, g->context_mode,
				g->claimed[DISK], g->claimed[CONSOLE], g->channel[DISK],
				g->channel[CONSOLE], (unsigned long long)g->generation);
	}
	fclose(f);
	return text;
}

static char *said_by_rows(struct host *h)
{
	static const char *const queries[] = {
		"SELECT format('%s %d 0x%x %d', name, memory, (SELECT coalesce(sum(1 << cpu), 0)"
		" FROM processor WHERE domain = d.name), generation) FROM domain d ORDER BY name",
		"SELECT format('%s %s on %d mode %d memory %d cpus %s%x/%d claims %d%d channels"
		" %d%d generation %d', name, domain, state <> 1, mode,"
		" (SELECT coalesce(sum(bytes), 0) FROM memory WHERE partition = p.uuid),"
		" CASE WHEN EXISTS (SELECT 1 FROM context WHERE partition = p.uuid)"
		"  THEN '0x' ELSE '' END,"
		" (SELECT coalesce(sum(1 << cpu), 0) FROM context_cpu WHERE partition = p.uuid),"
		" (SELECT coalesce(sum(mode), 0) FROM context WHERE partition = p.uuid),"
		" (SELECT count(*) FROM claim WHERE partition = p.uuid AND name = 'root'),"
		" (SELECT count(*) FROM claim WHERE partition = p.uuid AND name = 'console'),"
		" (SELECT count(*) FROM channel WHERE partition = p.uuid AND name = 'root'),"
		" (SELECT count(*) FROM channel WHERE partition = p.uuid AND name = 'console'),"
		" generation) FROM partition p WHERE kind = 1 ORDER BY name",
	};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	sqlite3_stmt *q;

	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		assert_int_equal(sqlite3_prepare_v2(db_handle(h->uvd.db), queries[i], -1, &q, NULL),
				 SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW)
			fprintf(f, "%s\n", (const char *)sqlite3_column_text(q, 0));
		sqlite3_finalize(q);
	}
	fclose(f);
	return text;
}

static void model_begin(struct host *h, struct model *m)
{
	memset(m, 0, sizeof(*m));
	m->pool = sql(h, "SELECT memory_pool FROM host");
	m->node = sql(h, "SELECT memory_pool FROM node WHERE node = 0");
	m->pool_cpus = sql(h, "SELECT sum(1 << cpu) FROM processor WHERE in_pool = 1");
	m->domain[DEFAULT].memory = 1024 * MIB;
	m->domain[DEFAULT].cpus = 0x3c;
	m->domain[BATCH].memory = 512 * MIB;
	m->domain[BATCH].cpus = 0xc0;
	m->domain[DEFAULT].generation = m->domain[BATCH].generation = 1;
}

/* ---- clients */

struct request {
	uint8_t id[16];
	struct command_header *message, *answer;	/* NULL: none yet */
};

static struct {
	struct request *request;
	size_t n, room;
	struct request *waits[CLIENTS];			/* for an answer, its first or again */
	unsigned int random;
	unsigned int repeats, ends, lost, mixed;
	char wrong[768];
} run;

static unsigned int draw(unsigned int below)
{
	run.random = run.random * 1103515245 + 12345;
	return (run.random >> 16) % below;
}

static void name_guest(char name[8])
{
	snprintf(name, 8, "g%u", draw(GUESTS));
}

/* What it looked at before it asked: others may change that until its turn comes. */
static uint64_t look(struct host *h, const char *table, const char *name)
{
	char query[96];
	int64_t n;

	if (draw(2))
		return 0;
	snprintf(query, sizeof(query), "SELECT generation FROM %s WHERE name = '%s'", table, name);
	n = sql(h, query);
	return n > 0 ? n : 0;
}

static void add_definition(struct host *h, const char *name)
{
	struct command_partition_define *p;
	struct command_device_define *d;
	unsigned int disk = draw(3);
	size_t at = message_header(h)->length;

	add_define(h, name, disk == 0 ? NULL : disk == 1 ? h->image : h->image2, NULL);
	p = (struct command_partition_define *)((char *)message_header(h) + at);
	p->vcpus = 1;
	p->mode = draw(2) ? MODE_SHARED : MODE_DEDICATED;
	p->memory = (1 + draw(3)) * 128 * MIB;
	memset(p->domain, 0, sizeof(p->domain));
	strcpy(p->domain, domain_names[draw(4) == 0]);
	d = (struct command_device_define *)(p + 1);
	if (disk && draw(2))
		d->flags = DEVICE_READONLY;
}

static void add_memory(struct host *h, const char *name, uint64_t bytes)
{
	struct command_memory_assign *m = message_add(h, COMMAND_MEMORY_ASSIGN);

	name_uuid(m->partition, name);
	m->bytes = bytes;
	m->node = draw(50) == 0 ? 7 : 0;
	m->r.generation = look(h, "partition", name);
}

static void add_cpus(struct host *h, const char *name, unsigned int mode)
{
	struct command_processor_assign *p = message_add(h, COMMAND_PROCESSOR_ASSIGN);

	name_uuid(p->partition, name);
	p->mode = mode;
	p->cpus[0] = mode == MODE_DEDICATED ? 1 << (2 + draw(6)) : 3 << (2 + draw(5));
	p->r.generation = look(h, "partition", name);
}

static void add_claim(struct host *h, uint16_t type, const char *name, unsigned int device)
{
	struct command_device_op *o = message_add(h, type);

	name_uuid(o->partition, name);
	strcpy(o->name, device_names[device]);
}

static void add_channel(struct host *h, const char *name, unsigned int device)
{
	struct command_channel *c = message_add(h, COMMAND_CHANNEL_CREATE);
	struct command_channel_connect *k;
	uint8_t uuid[16];

	uuid_random(uuid);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, name);
	strcpy(c->name, device_names[device]);
	k = message_add(h, COMMAND_CHANNEL_CONNECT);
	memcpy(k->channel, uuid, 16);
	k->servers = 2;
	memcpy(k->server[0], h->io_a, 16);
	memcpy(k->server[1], h->io_b, 16);
}

/* All that its definition wants, as its author knows it, or all but one thing. */
static void add_start(struct host *h, const char *name)
{
	char query[128];
	int64_t memory, mode, disk;
	unsigned int without = draw(12);

	snprintf(query, sizeof(query), "SELECT memory FROM partition WHERE name = '%s'", name);
	memory = sql(h, query);
	snprintf(query, sizeof(query), "SELECT mode FROM partition WHERE name = '%s'", name);
	mode = sql(h, query);
	snprintf(query, sizeof(query), "SELECT count(*) FROM device d JOIN partition p ON p.uuid ="
		 " d.partition WHERE p.name = '%s' AND d.type = 1", name);
	disk = sql(h, query);
	if (without != 0)
		add_memory(h, name, memory > 0 ? memory : (int64_t)(128 * MIB));
	if (without != 1)
		add_cpus(h, name, mode > 0 ? mode : MODE_SHARED);
	for (unsigned int i = disk > 0 ? DISK : CONSOLE; i < DEVICES; i++) {
		if (without == 2 + i)
			continue;
		add_claim(h, COMMAND_DEVICE_CLAIM, name, i);
		add_channel(h, name, i);
	}
	add_verb(h, COMMAND_PARTITION_START, name);
	if (draw(10) == 0)
		add_verb(h, COMMAND_PARTITION_START, name);
}

static void add_domain_change(struct host *h)
{
	struct command_domain *d = message_add(h, COMMAND_DOMAIN_MODIFY);
	unsigned int which = draw(DOMAINS), split = 3 + draw(5);

	strcpy(d->name, domain_names[which]);
	d->memory = (2 + draw(9)) * 128 * MIB;
	d->cpus[0] = which == DEFAULT ? 0xfc & ((1 << split) - 1) : 0xff & ~((1 << split) - 1);
	d->r.generation = look(h, "domain", domain_names[which]);
}

static void add_operation(struct host *h)
{
	struct command_partition_modify *m;
	struct command_domain_assign *a;
	struct command_partition *c;
	char name[8], query[96];
	unsigned int what = draw(16);

	name_guest(name);
	/* Mostly what may be: what is not there is defined, what is on is killed. */
	snprintf(query, sizeof(query), "SELECT state FROM partition WHERE name = '%s'", name);
	if (draw(3))
		what = sql(h, query) < 0 ? 0 : sql(h, query) != 1 ? 6 : what < 2 ? 2 : what;
	switch (what) {
	case 0: case 1:
		add_definition(h, name);
		return;
	case 2: case 3: case 4: case 5:
		add_start(h, name);
		return;
	case 6: case 7:
		add_verb(h, COMMAND_PARTITION_KILL, name);
		return;
	case 8:
		add_memory(h, name, (1 + draw(3)) * 128 * MIB);
		return;
	case 9:
		add_cpus(h, name, draw(2) ? MODE_SHARED : MODE_DEDICATED);
		return;
	case 10:
		add_claim(h, draw(2) ? COMMAND_DEVICE_CLAIM : COMMAND_DEVICE_RELEASE, name,
			  draw(DEVICES));
		return;
	case 11:
		add_domain_change(h);
		return;
	case 12:
		a = message_add(h, COMMAND_DOMAIN_ASSIGN);
		name_uuid(a->partition, name);
		strcpy(a->domain, domain_names[draw(DOMAINS)]);
		return;
	case 13:
		m = message_add(h, COMMAND_PARTITION_MODIFY);
		name_uuid(m->partition, name);
		m->mode = draw(2) ? MODE_SHARED : MODE_DEDICATED;
		m->r.generation = look(h, "partition", name);
		return;
	}
	c = message_add(h, draw(2) ? COMMAND_PARTITION_UNDEFINE :
			draw(2) ? COMMAND_MEMORY_RELEASE : COMMAND_PROCESSOR_RELEASE);
	name_uuid(c->partition, name);
	c->r.generation = look(h, "partition", name);
}

static struct request *compose(struct host *h, unsigned int client)
{
	unsigned int operations = 1 + draw(3) / 2 + draw(4) / 3;
	struct request *q;

	assert_true(run.n < run.room);
	message_begin(h, COMMAND_TRANSACT);
	message_header(h)->uid = 1000 + client;
	for (unsigned int i = 0; i < operations; i++)
		add_operation(h);
	/* Badly made, in its first record; such a one has its line and its one answer, too. */
	if (draw(20) == 0)
		((struct command_record *)(message_header(h) + 1))->flags = 1;
	q = &run.request[run.n++];
	memcpy(q->id, message_header(h)->request_id, 16);
	q->message = malloc(message_header(h)->length);
	assert_non_null(q->message);
	memcpy(q->message, message_header(h), message_header(h)->length);
	return q;
}

static struct request *request_of(const uint8_t id[16])
{
	for (size_t i = run.n; i-- > 0;)
		if (!memcmp(run.request[i].id, id, 16))
			return &run.request[i];
	return NULL;
}

/*
 * The first answer to a request is the only one, whoever asks again when. In the midst of a commit
 * nothing can be asserted: that would leave it.
 */
static void answered(const void *reply, size_t n, void *data)
{
	const struct command_header *answer = reply;
	struct request *q = request_of(answer->request_id);

	(void)data;
	if (!q) {
		snprintf(run.wrong, sizeof(run.wrong), "an answer that nobody waits for");
		return;
	}
	if (q->answer) {
		run.repeats++;
		if (q->answer->length != n || memcmp(q->answer, answer, n))
			snprintf(run.wrong, sizeof(run.wrong), "transaction %llu,"
				 " status %u (%s), and asked again %llu, status %u (%s)",
				 (unsigned long long)q->answer->transaction, q->answer->status,
				 q->answer->text, (unsigned long long)answer->transaction,
				 answer->status, answer->text);
	} else {
		q->answer = malloc(n);
		if (q->answer)
			memcpy(q->answer, answer, n);
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (run.waits[i] == q)
			run.waits[i] = NULL;
}

static void restart(struct host *h)
{
	host_reopen(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
}

/* Some of the clients ask, in any order; what they asked is committed in batches of any size. */
static void turn(struct host *h, bool all)
{
	unsigned int first = draw(CLIENTS), in_batch = 0;

	for (unsigned int k = 0; k < CLIENTS; k++) {
		struct request *q = run.waits[(first + 5 * k) % CLIENTS];

		if (!q || (!all && draw(3) == 0))
			continue;
		in_batch++;
		if (!batch_add(h->batch, q->message, q->message->length) && draw(6))
			continue;
		if (!all && draw(60) == 0) {
			/* Committed; the answers are lost on the way. */
			batch_commit(h->batch, NULL, NULL);
			restart(h);
			run.lost++;
		} else {
			batch_commit(h->batch, answered, h);
		}
		run.mixed += in_batch > 1;
		in_batch = 0;
	}
	if (!all && draw(40) == 0) {
		restart(h);
		run.ends++;
		return;
	}
	run.mixed += in_batch > 1;
	batch_commit(h->batch, answered, h);
}

/* ---- the ledger's order */

static void replay(struct host *h, struct model *m, uint64_t first, unsigned int count[16])
{
	uint32_t status, failed;
	size_t lines = 0;
	sqlite3_stmt *q;
	char *model;

	q = db_query(h->uvd.db, "SELECT \"transaction\", request_id, status FROM ledger"
		     " WHERE \"transaction\" > ? AND who <> 'uvd' ORDER BY \"transaction\"", "i",
		     (int64_t)first);
	while (db_next(h->uvd.db, q) > 0) {
		struct request *r;
		uint8_t id[16];

		db_uuid(q, 1, id);
		r = request_of(id);
		assert_non_null(r);
		lines++;
		assert_non_null(r->answer);
		status = model_run(h, m, r->message, &failed);
		if (status != db_int(q, 2) || status != r->answer->status ||
		    failed != r->answer->failed) {
			model = said_by_model(m);
			fail_msg("transaction %lld: status %lld, record %u, %s; the model"
				 " has status %u, record %u, for operation %u of:\n%s",
				 (long long)db_int(q, 0), (long long)db_int(q, 2),
				 r->answer->failed, r->answer->text, status, failed,
				 message_record(r->message, r->answer->failed == COMMAND_NONE ? 0 :
						r->answer->failed)->type, model);
		}
		assert_int_equal(r->answer->transaction, db_int(q, 0));
		count[status % 16]++;
	}
	/* A line each, and none besides. */
	assert_int_equal(lines, run.n);
}

static void test_sixteen_clients_are_served_in_the_ledgers_order(void **state)
{
	unsigned int rounds = getenv("ROUNDS") ? strtoul(getenv("ROUNDS"), NULL, 10) : 150;
	unsigned int seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 10) : 1;
	unsigned int count[16] = { 0 };
	struct host *h = *state;
	struct command_domain *d;
	struct model m;
	uint64_t first;
	char *rows, *model;

	run.random = seed;
	run.room = (size_t)rounds * CLIENTS;
	run.request = calloc(run.room, sizeof(*run.request));
	assert_non_null(run.request);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "batch");
	d->cpus[0] = 0xc0;
	d->memory = 512 * MIB;
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	first = h->reply->transaction;
	model_begin(h, &m);

	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int c = 0; c < CLIENTS; c++)
			if (!run.waits[c] && draw(8) == 0 && run.n)
				run.waits[c] = &run.request[draw(run.n)];
			else if (!run.waits[c])
				run.waits[c] = compose(h, c);
		turn(h, false);
		if (run.wrong[0])
			fail_msg("%s", run.wrong);
	}
	turn(h, true);
	if (run.wrong[0])
		fail_msg("%s", run.wrong);
	for (size_t i = 0; i < run.n; i++)
		assert_non_null(run.request[i].answer);

	replay(h, &m, first, count);
	rows = said_by_rows(h);
	model = said_by_model(&m);
	assert_string_equal(rows, model);
	assert_in_line(h);
	printf("seed %u: %zu requests: %u committed, %u conflicts, %u short of resources, %u not"
	       " found; %u asked again, %u batches of several, %u ends of uvd before and %u behind"
	       " a commit\n", seed, run.n, count[COMMAND_OK], count[COMMAND_CONFLICT],
	       count[COMMAND_RESOURCES], count[COMMAND_NOT_FOUND], run.repeats, run.mixed,
	       run.ends, run.lost);
	assert_true(count[COMMAND_OK] && count[COMMAND_CONFLICT] && count[COMMAND_RESOURCES] &&
		    count[COMMAND_NOT_FOUND] && run.repeats && run.mixed);
	free(rows);
	free(model);
	for (size_t i = 0; i < run.n; i++) {
		free(run.request[i].message);
		free(run.request[i].answer);
	}
	free(run.request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_sixteen_clients_are_served_in_the_ledgers_order, host_setup,
			host_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

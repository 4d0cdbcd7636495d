/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

const char *const device_names[DEVICES] = { "root", "console" };
const char *const domain_names[DOMAINS] = { "default", "batch" };

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

uint32_t model_run(struct host *h, struct model *m, const struct command_header *request,
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

char *said_by_model(const struct model *m)
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

char *said_by_rows(struct host *h)
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

void model_begin(struct host *h, struct model *m)
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

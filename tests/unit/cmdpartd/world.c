/* SPDX-License-Identifier: Apache-2.0 */
/* From a drawing to rows, as uvd would send them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/cpuset.h>
#include <common/size.h>

#include "../../../cmdpartd/placement.h"
#include "world.h"

void world_uuid(uint8_t to[16], const char *name)
{
	memset(to, 0, 16);
	snprintf((char *)to, 16, "%s", name);
	to[15] = 1;
}

static void add(struct rows *rows, void *row, uint16_t type, uint32_t length)
{
	struct command_record *r = row;

	r->type = type;
	r->length = length;
	if (rows_add(rows, r) < 0)
		abort();
}

#define ADD(rows, row, type) add(rows, &(row), type, sizeof(row))

static void bad(const char *line)
{
	fprintf(stderr, "bad line in the drawing: %s\n", line);
	abort();
}

static uint64_t bytes(const char *text)
{
	uint64_t n;

	if (size_parse(text, &n) < 0)
		bad(text);
	return n;
}

static void draw_cpus(struct rows *rows, char **word, int n)
{
	struct cpuset set = { { 0 } };
	int cores[64], count = 0, i = 0;
	char *rest, *core;

	if (n != 6 || cpuset_parse(&set, word[1]) < 0)
		bad(word[0]);
	for (core = strtok_r(word[5], ",", &rest); core && count < 64;
	     core = strtok_r(NULL, ",", &rest))
		cores[count++] = atoi(core);
	for (unsigned int cpu = cpuset_next(&set, 0); cpu < CPUSET_CPUS;
	     cpu = cpuset_next(&set, cpu + 1), i++) {
		struct command_row_processor p = { .cpu = cpu, .node = atoi(word[3]),
						   .core = cores[i] };
		unsigned int other = cpuset_next(&set, 0);

		for (int k = 0; k < count; k++, other = cpuset_next(&set, other + 1))
			if (cores[k] == cores[i])
				cpuset_add((struct cpuset *)p.siblings, other);
		ADD(rows, p, COMMAND_ROW_PROCESSOR);
	}
}

static void draw_domain(struct rows *rows, char **word, int n)
{
	struct command_row_domain d = { .memory = n == 4 ? bytes(word[3]) : 0 };

	if (n != 4 || cpuset_parse((struct cpuset *)d.cpus, word[2]) < 0)
		bad(word[0]);
	snprintf(d.name, sizeof(d.name), "%s", word[1]);
	d.frame_ns = 10000000;
	for (rows_each(rows, PROCESSOR, processor, p))
		if (cpuset_has((struct cpuset *)d.cpus, p->cpu)) {
			p->frame_ns = d.frame_ns;
			snprintf(p->domain, sizeof(p->domain), "%s", word[1]);
			p->in_pool = 1;
		}
	ADD(rows, d, COMMAND_ROW_DOMAIN);
}

static void draw_memory(struct rows *rows, char **word, int n)
{
	struct command_row_memory m = { .node = atoi(word[1]),
					.pool = n >= 3 ? bytes(word[2]) : 0,
					.huge_free = n == 4 ? bytes(word[3]) >> 21 : 0 };
	struct command_row_host h = { .memory_pool = 0 };

	if (!rows_count(rows, COMMAND_ROW_HOST))
		ADD(rows, h, COMMAND_ROW_HOST);
	((struct command_row_host *)rows_at(rows, COMMAND_ROW_HOST, 0))->memory_pool += m.pool;
	((struct command_row_host *)rows_at(rows, COMMAND_ROW_HOST, 0))->memory_total += m.pool;
	m.total = m.pool;
	ADD(rows, m, COMMAND_ROW_MEMORY);
}

static void draw_io(struct rows *rows, char **word)
{
	struct command_row_partition p = { .kind = PARTITION_IO };

	world_uuid(p.partition, word[1]);
	snprintf(p.name, sizeof(p.name), "%s", word[1]);
	p.state = !strcmp(word[2], "running") ? PARTITION_RUNNING : PARTITION_DEFINED;
	ADD(rows, p, COMMAND_ROW_PARTITION);
}

static void hold(struct rows *rows, struct command_row_partition *p, const struct cpuset *cpus,
		 uint64_t window_start)
{
	((struct command_row_host *)rows_at(rows, COMMAND_ROW_HOST, 0))->memory_assigned +=
		p->memory;
	rows_domain(rows, p->domain)->memory_assigned += p->memory;
	for (rows_each(rows, MEMORY, memory, m))
		if (m->node == p->node)
			m->assigned += p->memory;
	for (rows_each(rows, PROCESSOR, processor, c))
		if (cpuset_has(cpus, c->cpu)) {
			if (p->mode != MODE_DEDICATED) {
				c->contexts += p->vcpus;
				c->windows += p->mode == MODE_WINDOW ? p->vcpus : 0;
				c->realtime_ppm += placement_ppm(p->mode, p->flags, p->budget_ns,
								 p->period_ns, p->window_ns,
								 c->frame_ns);
			} else {
				memcpy(c->owner, p->partition, 16);
				memcpy(c->owner_name, p->name, sizeof(c->owner_name));
			}
		}
	for (uint32_t i = 0; i < p->vcpus; i++) {
		struct command_row_context c = { .index = i, .mode = p->mode,
						 .flags = p->flags,
						 .budget_ns = p->budget_ns,
						 .period_ns = p->period_ns,
						 .window_ns = p->window_ns,
						 .window_start_ns = window_start };

		memcpy(c.partition, p->partition, 16);
		memcpy(c.partition_name, p->name, sizeof(c.partition_name));
		memcpy(c.cpus, cpus, sizeof(c.cpus));
		ADD(rows, c, COMMAND_ROW_CONTEXT);
	}
	p->memory_assigned = p->memory;
}

static void draw_partition(struct rows *rows, char **word, int n)
{
	struct command_row_partition p = { .kind = PARTITION_GUEST, .state = PARTITION_DEFINED };
	struct cpuset cpus = { { 0 } };
	unsigned int budget, period, window, start = 0;
	int i = 7;

	if (n < 7)
		bad(word[0]);
	world_uuid(p.partition, word[1]);
	p.r.generation = 5;
	snprintf(p.name, sizeof(p.name), "%s", word[1]);
	snprintf(p.domain, sizeof(p.domain), "%s", word[2]);
	p.vcpus = atoi(word[4]);
	p.mode = !strncmp(word[5], "shared", 6) ? MODE_SHARED : MODE_DEDICATED;
	if (sscanf(word[5], "shared:%u/%u", &budget, &period) == 2) {
		p.budget_ns = budget * 1000000ull;
		p.period_ns = period * 1000000ull;
	}
	if (sscanf(word[5], "realtime:%u/%u", &budget, &period) == 2) {
		p.mode = MODE_SHARED;
		p.flags = PROCESSOR_REALTIME;
		p.budget_ns = budget * 1000000ull;
		p.period_ns = period * 1000000ull;
	}
	/* Its length and, of one that is on, its place: microseconds. */
	if (sscanf(word[5], "window:%u@%u", &window, &start) >= 1) {
		p.mode = MODE_WINDOW;
		p.window_ns = window * 1000ull;
	}
	p.memory = bytes(word[6]);
	snprintf(p.kernel, sizeof(p.kernel), "/k");
	if (!strcmp(word[3], "on")) {
		if (n < 9 || cpuset_parse(&cpus, word[7]) < 0)
			bad(word[1]);
		p.node = atoi(word[8]);
		p.state = PARTITION_RUNNING;
		hold(rows, &p, &cpus, start * 1000ull);
		i = 9;
	}
	for (; i < n; i++) {
		struct command_row_device d = { .device = DEVICE_CONSOLE };

		memcpy(d.partition, p.partition, 16);
		snprintf(d.name, sizeof(d.name), "%s", word[i]);
		ADD(rows, d, COMMAND_ROW_DEVICE);
		p.devices++;
	}
	ADD(rows, p, COMMAND_ROW_PARTITION);
}

struct rows *world(const char *text)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	char *copy = strdup(text), *rest, *line, *inner, *word[16];

	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		int n = 0;

		for (char *w = strtok_r(line, " ", &inner); w && n < 16;
		     w = strtok_r(NULL, " ", &inner))
			word[n++] = w;
		if (!n)
			continue;
		if (!strcmp(word[0], "cpu"))
			draw_cpus(rows, word, n);
		else if (!strcmp(word[0], "memory"))
			draw_memory(rows, word, n);
		else if (!strcmp(word[0], "domain"))
			draw_domain(rows, word, n);
		else if (!strcmp(word[0], "io"))
			draw_io(rows, word);
		else if (!strcmp(word[0], "partition"))
			draw_partition(rows, word, n);
		else
			bad(word[0]);
	}
	free(copy);
	return rows;
}

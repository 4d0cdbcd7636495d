/* SPDX-License-Identifier: Apache-2.0 */
/* One letter a processor, cores apart by blanks, one line for each domain's part of a node. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cpuset.h"
#include "host_map.h"
#include "output.h"
#include "size.h"

#define LINE_CORES	16	/* of two threads: 48 columns */
#define LINE_CPUS	32	/* where a core is one CPU: in groups of eight */
#define BAR		40	/* columns of a node's memory */

struct owner {
	const char *name;
	char letter;
	const json_t *row;
};

struct map {
	FILE *to;
	const json_t *json;
	size_t owners, cpus;
	struct owner *owner;
	struct cpu {
		unsigned int cpu;
		long long node;
		bool in_pool;
		const char *domain, *alone;	/* "": none */
		struct cpuset siblings;
		unsigned int sharers;
		const struct owner *sharer;
		bool drawn;
	} *cpu;
	bool threads;		/* some core has more than one */
};

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* None of a map is negative; sums of those that a liar gives must not overflow. */
static long long number(const json_t *object, const char *key)
{
	long long n = json_integer_value(json_object_get(object, key));

	return n > 0 ? n : 0;
}

static bool letter_taken(const struct map *m, char letter)
{
	for (size_t i = 0; i < m->owners; i++)
		if (m->owner[i].letter == letter)
			return true;
	return false;
}

/* The first letter of its name that nobody has, else of the alphabet; '?' for a 27th. */
static char choose_letter(const struct map *m, const char *name)
{
	for (const char *c = name; *c; c++)
		if (isalpha((unsigned char)*c) && !letter_taken(m, tolower((unsigned char)*c)))
			return tolower((unsigned char)*c);
	for (char c = 'a'; c <= 'z'; c++)
		if (!letter_taken(m, c))
			return c;
	return '?';
}

static const struct owner *owner_of(const struct map *m, const char *name)
{
	for (size_t i = 0; i < m->owners; i++)
		if (!strcmp(m->owner[i].name, name))
			return &m->owner[i];
	return NULL;
}

static bool holds_something(const json_t *partition)
{
	return !strcmp(text(partition, "kind"), "guest") && number(partition, "memory_assigned");
}

static void read_owners(struct map *m)
{
	const json_t *list = json_object_get(m->json, "partitions"), *row;
	size_t i;

	m->owner = calloc(json_array_size(list) + 1, sizeof(*m->owner));
	json_array_foreach(list, i, row)
		if (m->owner && holds_something(row)) {
			m->owner[m->owners] = (struct owner){ .name = text(row, "name"),
							      .row = row };
			m->owner[m->owners].letter = choose_letter(m, text(row, "name"));
			m->owners++;
		}
}

/* Contexts of one partition are neighbours in the list; each counts once on a CPU. */
static void read_sharers(const struct map *m, struct cpu *cpu)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(m->json, "contexts"), i, row) {
		const struct owner *o = owner_of(m, text(row, "partition"));
		struct cpuset cpus = { { 0 } };

		if (!o || o == cpu->sharer || !strcmp(text(row, "mode"), "dedicated") ||
		    cpuset_parse(&cpus, text(row, "cpus")) < 0 || !cpuset_has(&cpus, cpu->cpu))
			continue;
		cpu->sharer = o;
		cpu->sharers++;
	}
}

static void read_cpus(struct map *m)
{
	const json_t *list = json_object_get(m->json, "processors"), *row;
	size_t i;

	m->cpu = calloc(json_array_size(list) + 1, sizeof(*m->cpu));
	json_array_foreach(list, i, row) {
		struct cpu *cpu;

		if (!m->cpu)
			return;
		cpu = &m->cpu[m->cpus++];
		cpu->cpu = number(row, "cpu");
		cpu->node = number(row, "node");
		cpu->in_pool = json_is_true(json_object_get(row, "in_pool"));
		cpu->domain = cpu->in_pool ? text(row, "domain") : "";
		cpu->alone = text(row, "owner");
		if (cpuset_parse(&cpu->siblings, text(row, "siblings")) < 0 &&
		    cpu->cpu < CPUSET_CPUS)
			cpuset_add(&cpu->siblings, cpu->cpu);
		m->threads |= cpuset_count(&cpu->siblings) > 1;
		read_sharers(m, cpu);
	}
}

static char cell(const struct map *m, const struct cpu *cpu)
{
	const struct owner *o = cpu->alone[0] ? owner_of(m, cpu->alone) : NULL;

	if (!cpu->in_pool)
		return '-';
	if (cpu->alone[0])
		return o ? toupper((unsigned char)o->letter) : '?';
	if (cpu->sharers > 1)
		return cpu->sharers > 9 ? '+' : '0' + cpu->sharers;
	return cpu->sharers ? cpu->sharer->letter : '.';
}

static bool same_part(const struct cpu *a, const struct cpu *b)
{
	return a->node == b->node && a->in_pool == b->in_pool && !strcmp(a->domain, b->domain);
}

/* One line's cores, from this CPU's on; *drawn: what stands there. */
static void draw_cores(struct map *m, struct cpu *first, char *cells, struct cpuset *drawn)
{
	unsigned int cores = 0, limit = m->threads ? LINE_CORES : LINE_CPUS;
	struct cpu *end = m->cpu + m->cpus;
	char *at = cells;

	for (struct cpu *c = first; c < end && cores < limit; c++) {
		if (c->drawn || !same_part(c, first))
			continue;
		if (cores && (m->threads || !(cores % 8)))
			*at++ = ' ';
		cores++;
		for (struct cpu *s = c; s < end; s++) {
			if (s->drawn || !same_part(s, first) ||
			    (s != c && !cpuset_has(&c->siblings, s->cpu)))
				continue;
			s->drawn = true;
			*at++ = cell(m, s);
			if (s->cpu < CPUSET_CPUS)
				cpuset_add(drawn, s->cpu);
		}
	}
	*at = '\0';
}

static void draw_processors(struct map *m)
{
	const struct cpu *before = NULL;
	char *cells = malloc(m->cpus * 2 + 1), list[96], label[48];

	if (!cells)
		return;
	fprintf(m->to, "processors: %s\n", m->threads ? "a letter is a CPU, a group is a core" :
		"a letter is a CPU");
	fprintf(m->to, "  - the host's   . free   A given to one alone   a shared   "
		"2 shared by so many partitions\n");
	for (size_t i = 0; i < m->cpus; i++) {
		struct cpu *c = &m->cpu[i];

		while (!c->drawn) {
			struct cpuset drawn = { { 0 } };
			bool node = !before || before->node != c->node;
			bool part = node || !same_part(before, c);

			draw_cores(m, c, cells, &drawn);
			cpuset_format(&drawn, list, sizeof(list));
			label[0] = '\0';
			if (node)
				snprintf(label, sizeof(label), "node %lld", c->node);
			fprintf(m->to, "%-8s %-12.30s %-48s  CPU %s\n", label, !part ? "" :
				!c->in_pool ? "the host" : c->domain[0] ? c->domain : "no domain",
				cells, list);
			before = c;
		}
	}
	free(cells);
}

static unsigned int columns(long long bytes, long long total)
{
	unsigned int n;

	if (bytes <= 0 || total <= 0)
		return 0;
	n = bytes < total ? (double)bytes / total * BAR + 0.5 : BAR;
	return n ? n : 1;
}

/* Every part has a column at least, so that nobody who has memory is missing. */
static void draw_node(const struct map *m, const json_t *node)
{
	long long total = number(node, "total"), pool = number(node, "pool");
	char bar[BAR + 1], size[SIZE_TEXT], pools[SIZE_TEXT];
	unsigned int at = 0, end = BAR - columns(total - pool, total);

	memset(bar, '.', end);
	memset(bar + end, '-', BAR - end);
	bar[BAR] = '\0';
	for (size_t i = 0; i < m->owners; i++) {
		const json_t *row = m->owner[i].row;

		if (number(row, "node") != number(node, "node"))
			continue;
		for (unsigned int n = columns(number(row, "memory_assigned"), total);
		     n && at < end; n--)
			bar[at++] = m->owner[i].letter;
	}
	fprintf(m->to, "node %-3lld %s  %s of %s free\n", number(node, "node"), bar,
		size_human(pool > number(node, "assigned") ? pool - number(node, "assigned") : 0,
			   size), size_human(pool, pools));
}

static void draw_resources(struct map *m)
{
	const json_t *node;
	size_t i;

	draw_processors(m);
	fprintf(m->to, "memory\n");
	json_array_foreach(json_object_get(m->json, "nodes"), i, node)
		draw_node(m, node);
}

/* "CPU 2-3, node 0" of a partition. */
static void where(const struct map *m, const struct owner *o, char *to, size_t size)
{
	struct cpuset all = { { 0 } };
	char list[128];
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(m->json, "contexts"), i, row) {
		struct cpuset cpus = { { 0 } };

		if (strcmp(text(row, "partition"), o->name) ||
		    cpuset_parse(&cpus, text(row, "cpus")) < 0)
			continue;
		for (int w = 0; w < CPUSET_WORDS; w++)
			all.word[w] |= cpus.word[w];
	}
	cpuset_format(&all, list, sizeof(list));
	snprintf(to, size, "CPU %s", list);
}

static void name_servers(const struct map *m, const char *partition, const char *device, char *to,
			 size_t size)
{
	const json_t *row, *server;
	size_t i, s;

	to[0] = '\0';
	json_array_foreach(json_object_get(m->json, "channels"), i, row) {
		if (strcmp(text(row, "partition"), partition) ||
		    strcmp(text(row, "device"), device))
			continue;
		json_array_foreach(json_object_get(row, "servers"), s, server) {
			size_t n = strlen(to);

			snprintf(to + n, size - n, "%s%s %s", n ? ", " : "", text(server, "name"),
				 text(server, "state"));
		}
	}
}

static void add_line(json_t *table, const char *letter, const char *name, const char *what,
		     const char *where, const char *servers)
{
	json_array_append_new(table, json_pack("{s:s, s:s, s:s, s:s, s:s}", "letter", letter,
			      "name", name, "what", what, "where", where, "servers", servers));
}

static void add_devices(const struct map *m, const char *partition, json_t *table)
{
	const json_t *row;
	char servers[160];
	size_t i;

	json_array_foreach(json_object_get(m->json, "devices"), i, row) {
		const char *path = text(row, "path"), *bridge = text(row, "bridge");

		if (strcmp(text(row, "partition"), partition) ||
		    !json_is_true(json_object_get(row, "claimed")))
			continue;
		name_servers(m, partition, text(row, "name"), servers, sizeof(servers));
		add_line(table, "", "", text(row, "name"), *path ? path : *bridge ? bridge :
			 text(row, "type"), servers);
	}
}

/* An empty cell stays empty, instead of "-". */
static void as_it_is(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	snprintf(to, size, "%s", json_string_length(value) ? json_string_value(value) : " ");
}

static void draw_partitions(const struct map *m)
{
	static const struct output_field fields[] = {
		{ "", "letter", as_it_is, false }, { "PARTITION", "name", as_it_is, false },
		{ "HAS", "what", NULL, false }, { "WHERE", "where", NULL, false },
		{ "SERVED BY", "servers", as_it_is, false }, { NULL, NULL, NULL, false }
	};
	json_t *table = json_array();

	for (size_t i = 0; i < m->owners; i++) {
		const struct owner *o = &m->owner[i];
		char letter[2] = { o->letter, '\0' }, what[96], list[160], size[SIZE_TEXT];

		where(m, o, list, sizeof(list));
		snprintf(what, sizeof(what), "%lld vCPU%s %s", number(o->row, "vcpus"),
			 number(o->row, "vcpus") == 1 ? "" : "s", text(o->row, "mode"));
		add_line(table, letter, o->name, what, list, "");
		size_human(number(o->row, "memory_assigned"), size);
		snprintf(list, sizeof(list), "node %lld", number(o->row, "node"));
		add_line(table, "", "", size, list, "");
		add_devices(m, o->name, table);
	}
	fputc('\n', m->to);
	output_table(m->to, fields, table, "no partition has anything");
	json_decref(table);
}

static void draw(FILE *to, const json_t *json, bool partitions)
{
	struct map m = { .to = to, .json = json };

	read_owners(&m);
	read_cpus(&m);
	if (m.owner && m.cpu) {
		draw_resources(&m);
		if (partitions)
			draw_partitions(&m);
	}
	free(m.owner);
	free(m.cpu);
}

void host_map_draw(FILE *to, const json_t *map)
{
	draw(to, map, true);
}

void host_map_draw_resources(FILE *to, const json_t *map)
{
	draw(to, map, false);
}

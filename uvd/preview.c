/* SPDX-License-Identifier: Apache-2.0 */
/* Titles and columns are those of cmdpartctl/show.c. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <common/size.h>

#include "inventory.h"
#include "preview.h"

static void line(FILE *to, const char *title, const char *value)
{
	int width = fprintf(to, "%s:", title);

	fprintf(to, "%*s%s\n", 21 - width, "", value);
}

static void print_host(FILE *to, const struct inventory *inv, const struct cpuset *cpus,
		       uint64_t memory, const char *reason)
{
	char text[256] = "", size[SIZE_TEXT];

	gethostname(text, sizeof(text) - 1);
	line(to, "host", text);
	line(to, "memory", size_human(inv->memory, size));
	line(to, "for partitions", size_human(memory, size));
	snprintf(text, sizeof(text), "%u", inv->cpus);
	line(to, "CPUs", text);
	cpuset_format(cpus, text, sizeof(text));
	line(to, "CPUs for partitions", text[0] ? text : "-");
	line(to, "why these", reason);
	snprintf(text, sizeof(text), "%llu block, %llu network; none before a definition names it",
		 (unsigned long long)inv->devices, (unsigned long long)inv->interfaces);
	line(to, "devices", text);
}

static void print_processors(FILE *to, const struct inventory *inv, const struct cpuset *cpus)
{
	const struct inventory_cpu *c;
	char siblings[64];
	unsigned int cpu;
	bool pool;

	fputs(" CPU  NODE  CORE  SIBLINGS    DOMAIN   OWNER\n", to);
	for (cpu = 0; cpu < CPUSET_CPUS; cpu++) {
		c = &inv->cpu[cpu];
		if (!c->online)
			continue;
		pool = cpuset_has(cpus, cpu);
		cpuset_format(&c->siblings, siblings, sizeof(siblings));
		fprintf(to, "%4u  %4u  %4u  %-10s  %-7s  %s\n", cpu, c->node, c->core, siblings,
			pool ? "default" : "-", pool ? "free" : "the host");
	}
}

static void print_nodes(FILE *to, const struct inventory *inv, uint64_t memory)
{
	uint64_t total[INVENTORY_NODES], share[INVENTORY_NODES];
	char size[SIZE_TEXT], part[SIZE_TEXT];
	unsigned int node[INVENTORY_NODES], n = 0, i;

	for (i = 0; i < INVENTORY_NODES; i++) {
		if (!inv->node[i].present)
			continue;
		node[n] = i;
		total[n++] = inv->node[i].memory;
	}
	inventory_shares(total, n, memory, share);
	fputs("NODE      MEMORY  FOR PARTITIONS\n", to);
	for (i = 0; i < n; i++)
		fprintf(to, "%4u  %10s  %14s\n", node[i], size_human(total[i], size),
			size_human(share[i], part));
}

int preview_print(FILE *to, const char *root)
{
	struct inventory *inv = malloc(sizeof(*inv));
	struct cpuset cpus;
	char reason[256];
	uint64_t memory;
	int rc;

	if (!inv)
		return -ENOMEM;
	rc = inventory_read(inv, root);
	if (rc < 0)
		goto out;
	inventory_read_pinned(inv, root);
	inventory_default_pool(inv, &cpus, &memory, reason, sizeof(reason));
	print_host(to, inv, &cpus, memory, reason);
	fputc('\n', to);
	print_processors(to, inv, &cpus);
	fputc('\n', to);
	print_nodes(to, inv, memory);
out:
	free(inv);
	return rc;
}

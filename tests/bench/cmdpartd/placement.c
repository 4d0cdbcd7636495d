/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long placing one partition takes on a host of 256 CPUs and 8 nodes beside 1,000 partitions
 * that run: the decision alone, on rows in memory, without what reads them and asks uvd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../../cmdpartd/placement.h"
#include "../../unit/cmdpartd/world.h"

#define CPUS		256
#define NODES		8
#define PARTITIONS	1000
#define ROUNDS		1000
#define AIM_MS		10.0	/* p99 */

static struct rows *host(void)
{
	struct rows *rows;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	for (int cpu = 0; cpu < CPUS; cpu += CPUS / NODES) {
		fprintf(to, "cpu %d-%d node %d core 0", cpu, cpu + CPUS / NODES - 1,
			cpu / (CPUS / NODES));
		for (int i = 1; i < CPUS / NODES; i++)
			fprintf(to, ",%d", i / 2);
		fputc('\n', to);
	}
	for (int node = 0; node < NODES; node++)
		fprintf(to, "memory %d 512GiB\n", node);
	fprintf(to, "domain default 2-%d 4096GiB\nio a running\nio b running\n", CPUS - 1);
	for (int i = 0; i < PARTITIONS; i++)
		fprintf(to, "partition p%d default off %d %s 1GiB disk net\n", i, 1 + i % 4,
			i % 10 == 0 ? "window:1000" : i % 5 ? "shared" : "shared:25/100");
	fprintf(to, "partition shared default off 4 shared 1GiB disk net\n"
		"partition dedicated default off 4 dedicated 1GiB disk net\n"
		"partition window default off 2 window:500 1GiB disk net\n");
	fclose(to);
	rows = world(text);
	free(text);
	return rows;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double cpu_ms(void)
{
	struct timespec t;

	/* Of this thread: what else the machine does is not counted. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void measure(const struct policy *policy, const struct rows *rows, const char *name,
		    struct placement *p)
{
	static double ms[ROUNDS];
	struct placement_ask ask;

	for (int i = 0; i < ROUNDS; i++) {
		ms[i] = cpu_ms();
		placement_ask_rows(&ask, rows, rows_partition(rows, name));
		placement_decide(policy, rows, &ask, p);
		ms[i] = cpu_ms() - ms[i];
	}
	qsort(ms, ROUNDS, sizeof(ms[0]), by_value);
	printf("%-10s %-8s median %6.2f ms   p99 %6.2f ms   aim %.0f ms%s\n", name,
	       p->fits ? "placed" : "refused", ms[ROUNDS / 2], ms[ROUNDS * 99 / 100], AIM_MS,
	       ms[ROUNDS * 99 / 100] < AIM_MS ? "" : "  AIM MISSED");
}

int main(void)
{
	static const char *const names[] = { "shared", "dedicated", "window" };
	struct placement *p = malloc(sizeof(*p));
	struct rows *rows = host();
	struct placement_ask ask;
	struct policy policy;

	policy_defaults(&policy);
	policy.partitions = 2 * PARTITIONS;
	policy.vcpus_per_cpu = 64;
	/* Else shared contexts may run everywhere, and the dedicated one is refused at once. */
	cpuset_parse(&policy.dedicated, "224-255");
	policy.has_dedicated = true;
	for (size_t i = 0; p && i < rows_count(rows, COMMAND_ROW_PARTITION); i++) {
		struct command_row_partition *row = rows_at(rows, COMMAND_ROW_PARTITION, i);

		if (row->name[0] != 'p' || row->kind != PARTITION_GUEST)
			continue;
		placement_ask_rows(&ask, rows, row);
		placement_decide(&policy, rows, &ask, p);
		if (!p->fits || placement_apply(rows, &ask, p) < 0) {
			fprintf(stderr, "%s does not fit\n", row->name);
			return 1;
		}
	}
	for (size_t i = 0; p && i < sizeof(names) / sizeof(names[0]); i++)
		measure(&policy, rows, names[i], p);
	free(p);
	rows_free(rows);
	return 0;
}

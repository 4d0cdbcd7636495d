/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden drawings of what partitions get on host shapes under policies, drawn by what draws
 * cmdpartctl show --map. One file a policy in golden/; its first line is the policy. What has
 * changed on purpose is drawn anew by UPDATE=1 build/tests/unit/cmdpartd/test_golden, and reviewed
 * as a diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <common/host_map.h>
#include <common/size.h>

#include "../../../cmdpartd/placement.h"
#include "../../../cmdpartd/render.h"
#include "world.h"

#define GOLDEN "tests/unit/cmdpartd/golden"

static const struct shape {
	unsigned int cpus, nodes, threads;
} shapes[] = {
	{ 1, 1, 1 }, { 2, 1, 1 }, { 2, 1, 2 }, { 4, 1, 1 }, { 8, 1, 2 }, { 8, 2, 1 },
	{ 16, 2, 2 }, { 32, 4, 1 }, { 64, 4, 2 }, { 64, 8, 1 }, { 256, 1, 1 }, { 256, 8, 2 },
};

/* Started in this order; what is refused leaves its place to the next. */
static const char crowd[] =
	"partition web default off 2 shared 1GiB root net\n"
	"partition db default off 2 dedicated 2GiB root\n"
	"partition audio default off 1 window:2000 512MiB\n"
	"partition motor default off 1 realtime:30/100 512MiB\n"
	"partition batch default off 4 shared 1GiB root\n"
	"partition cache default off 3 dedicated 4GiB\n"
	"partition mail default off 1 shared:25/100 1GiB root\n"
	"partition odd other off 1 shared 1GiB\n"
	"partition giant default off 48 shared 20GiB\n";

/* As servers number them: the second threads of all cores behind the first ones. */
static void draw_cpus(FILE *to, const struct shape *s)
{
	unsigned int cores = s->cpus / s->threads, each = cores / s->nodes;

	for (unsigned int node = 0; node < s->nodes; node++)
		for (unsigned int first = node * each; first < (node + 1) * each; first += 32) {
			unsigned int last = first + 32 < (node + 1) * each ? first + 31 :
					    (node + 1) * each - 1;
			const char *comma = "";

			fprintf(to, "cpu %u-%u", first, last);
			if (s->threads == 2)
				fprintf(to, ",%u-%u", first + cores, last + cores);
			fprintf(to, " node %u core ", node);
			for (unsigned int t = 0; t < s->threads; t++)
				for (unsigned int c = first; c <= last; c++, comma = ",")
					fprintf(to, "%s%u", comma, c);
			fputc('\n', to);
		}
	for (unsigned int node = 0; node < s->nodes; node++)
		fprintf(to, "memory %u 8GiB 3GiB\n", node);
}

/* The core of CPU 0 is the host's, as uvd has it; a second domain has the last quarter. */
static void draw_domains(FILE *to, const struct shape *s, bool two)
{
	unsigned int cores = s->cpus / s->threads, end = cores, memory = s->nodes * 8;

	if (cores < 2)
		return;
	if (two && cores >= 4) {
		end = cores - cores / 4;
		memory -= 2;
		fprintf(to, "domain other %u-%u", end, cores - 1);
		if (s->threads == 2)
			fprintf(to, ",%u-%u", end + cores, 2 * cores - 1);
		fprintf(to, " 2GiB\n");
	}
	fprintf(to, "domain default 1-%u", end - 1);
	if (s->threads == 2)
		fprintf(to, ",%u-%u", 1 + cores, end + cores - 1);
	fprintf(to, " %uGiB\n", memory);
}

static struct rows *host(const struct shape *s, bool two)
{
	struct rows *rows;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	draw_cpus(to, s);
	draw_domains(to, s, two);
	fprintf(to, "io io-a running\nio io-b running\n%s", crowd);
	fclose(to);
	rows = world(text);
	free(text);
	return rows;
}

static const char *mode(const struct placement_ask *ask)
{
	return ask->mode == MODE_WINDOW ? "window" : ask->mode == MODE_DEDICATED ? "dedicated" :
	       ask->flags & PROCESSOR_REALTIME ? "real-time" : ask->budget_ns ? "budget" : "shared";
}

static void tell(FILE *to, const struct placement *p, const struct placement_ask *ask)
{
	struct cpuset all = { { 0 } };
	char list[256], size[SIZE_TEXT];

	fprintf(to, "  %-6s %2u %-9s %-8s ", ask->name, ask->vcpus, mode(ask),
		size_human(ask->memory, size));
	if (!p->fits) {
		const char *comma = "refused by ";

		for (unsigned int i = 0; i < p->rules; i++)
			if (!p->rule[i].fits) {
				fprintf(to, "%s%s", comma, p->rule[i].rule);
				comma = ", ";
			}
		fputc('\n', to);
		return;
	}
	for (uint32_t i = 0; i < ask->vcpus; i++)
		for (int w = 0; w < CPUSET_WORDS; w++)
			all.word[w] |= p->cpus[i].word[w];
	cpuset_format(&all, list, sizeof(list));
	fprintf(to, "node %u%s, CPU %s", p->node, p->huge_pages ? " (huge pages)" : "", list);
	for (uint32_t i = 0; i < ask->devices; i++)
		fprintf(to, "%s %s by %s then %s", i ? "," : ";", ask->device[i],
			p->servers[i].name[0], p->servers[i].name[1]);
	fputc('\n', to);
}

static void fill(FILE *to, const struct policy *policy, const struct shape *s, bool two)
{
	struct placement *p = malloc(sizeof(*p));
	struct rows *rows = host(s, two);
	struct placement_ask ask;
	json_t *map;

	assert_non_null(p);
	fprintf(to, "\n== %u CPU%s, %u node%s, %s\n", s->cpus, s->cpus == 1 ? "" : "s", s->nodes,
		s->nodes == 1 ? "" : "s", s->threads == 2 ? "two threads a core" : "no threads");
	for (size_t i = 0; i < rows_count(rows, COMMAND_ROW_PARTITION); i++) {
		struct command_row_partition *row = rows_at(rows, COMMAND_ROW_PARTITION, i);

		if (row->kind != PARTITION_GUEST)
			continue;
		placement_ask_rows(&ask, rows, row);
		placement_decide(policy, rows, &ask, p);
		tell(to, p, &ask);
		if (p->fits) {
			row->node = p->node;
			assert_int_equal(placement_apply(rows, &ask, p), 0);
		}
	}
	map = render_map(rows);
	host_map_draw_resources(to, map);
	json_decref(map);
	rows_free(rows);
	free(p);
}

static char *read_all(const char *path)
{
	FILE *from = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (from && getdelim(&text, &size, '\0', from) < 0)
		text[0] = '\0';
	if (from)
		fclose(from);
	return text;
}

static void first_difference(const char *path, const char *drawn, const char *golden)
{
	unsigned int line = 1;
	size_t i = 0, begin = 0;

	for (; drawn[i] == golden[i]; i++)
		if (drawn[i] == '\n') {
			line++;
			begin = i + 1;
		}
	fail_msg("%s:%u:\n  golden %.*s\n  drawn  %.*s\nif that is right: UPDATE=1 "
		 "build/tests/unit/cmdpartd/test_golden", path, line,
		 (int)strcspn(golden + begin, "\n"), golden + begin,
		 (int)strcspn(drawn + begin, "\n"), drawn + begin);
}

static void compare(const char *name)
{
	char path[128], *golden, *drawn = NULL;
	struct error e = ERROR_NONE;
	struct policy policy;
	json_t *json;
	size_t size;
	FILE *to;

	snprintf(path, sizeof(path), GOLDEN "/%s.txt", name);
	golden = read_all(path);
	if (!golden)
		fail_msg("%s cannot be read; run this in the repository's root", path);
	json = json_loads(golden, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(json);
	if (policy_parse(&policy, json, path, &e) < 0)
		fail_msg("%s: %s", e.where, e.message);
	json_decref(json);
	to = open_memstream(&drawn, &size);
	fprintf(to, "%.*s\n", (int)strcspn(golden, "\n"), golden);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		fill(to, &policy, &shapes[i], strstr(name, "domains"));
	fclose(to);
	if (getenv("UPDATE")) {
		to = fopen(path, "w");
		assert_non_null(to);
		fputs(drawn, to);
		fclose(to);
	} else if (strcmp(drawn, golden)) {
		first_difference(path, drawn, golden);
	}
	free(golden);
	free(drawn);
}

static void by_default(void **state)
{
	(void)state;
	compare("default");
}

static void with_cpus_kept_for_dedicated_vcpus(void **state)
{
	(void)state;
	compare("kept");
}

static void with_cores_shared_and_no_overcommit(void **state)
{
	(void)state;
	compare("shared-cores");
}

static void packed(void **state)
{
	(void)state;
	compare("pack");
}

static void with_strict_nodes(void **state)
{
	(void)state;
	compare("strict");
}

static void with_two_domains(void **state)
{
	(void)state;
	compare("domains");
}

static void in_huge_pages(void **state)
{
	(void)state;
	compare("huge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_default),
		cmocka_unit_test(with_cpus_kept_for_dedicated_vcpus),
		cmocka_unit_test(with_cores_shared_and_no_overcommit),
		cmocka_unit_test(packed),
		cmocka_unit_test(with_strict_nodes),
		cmocka_unit_test(with_two_domains),
		cmocka_unit_test(in_huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

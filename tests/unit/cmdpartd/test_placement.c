/* SPDX-License-Identifier: Apache-2.0 */
/* Placement on drawn hosts: what a partition gets, and which rule refuses what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../cmdpartd/placement.h"
#include "world.h"

/* Two nodes of four cores with two threads each; CPUs 0 and 1 stay the host's. */
#define BIG \
	"cpu 0-7 node 0 core 0,0,1,1,2,2,3,3\n" \
	"cpu 8-15 node 1 core 4,4,5,5,6,6,7,7\n" \
	"memory 0 8GiB\nmemory 1 8GiB\n" \
	"domain default 2-15 16GiB\n" \
	"io io-a running\nio io-b running\n"

/* One node, no threads. */
#define SMALL \
	"cpu 0-3 node 0 core 0,1,2,3\nmemory 0 4GiB\ndomain default 1-3 4GiB\n" \
	"io io-a running\nio io-b running\n"

#define ONE \
	"cpu 0-1 node 0 core 0,1\nmemory 0 8GiB\ndomain default 1 8GiB\n" \
	"io io-a running\nio io-b running\n"

#define LONE \
	"cpu 0-1 node 0 core 0,1\nmemory 0 4GiB\ndomain default 1 4GiB\nio io-a running\n"

static const struct {
	const char *what, *host;
	const char *expected;	/* see describe() */
} placed[] = {
	{ "one shared vCPU goes to the first idle CPU",
	  SMALL "partition p default off 1 shared 1GiB\n", "node 0: 1" },
	{ "shared vCPUs take the least loaded CPUs",
	  SMALL "partition a default on 1 shared 1GiB 1 0\n"
	  "partition p default off 2 shared 1GiB\n",
	  "node 0: 2-3 2-3" },
	{ "a budget weighs by its part of the period",
	  SMALL "partition a default on 1 shared:90/100 1GiB 1 0\n"
	  "partition b default on 1 shared:10/100 512MiB 2 0\n"
	  "partition c default on 1 shared:50/100 512MiB 3 0\n"
	  "partition p default off 1 shared 1GiB\n", "node 0: 2" },
	{ "more vCPUs than CPUs take turns",
	  SMALL "partition p default off 5 shared 1GiB\n", "node 0: 1-3 1-3 1-3 1-3 1-3" },
	{ "shared vCPUs spread over cores before they double up",
	  BIG "partition p default off 3 shared 1GiB\n", "node 0: 2,4,6 2,4,6 2,4,6" },
	{ "dedicated vCPUs fill whole cores",
	  BIG "partition p default off 4 dedicated 1GiB\n", "node 0: 2 3 4 5" },
	{ "memory decides the node when only one has room",
	  BIG "partition a default on 1 shared 7GiB 8 1\n"
	  "partition p default off 2 dedicated 4GiB\n",
	  "node 0: 2 3" },
	{ "the node that has the CPUs is taken before the one with more memory",
	  BIG "partition a default on 7 dedicated 2GiB 8-14 1\n"
	  "partition b default on 1 shared 4GiB 2 0\n"
	  "partition p default off 4 dedicated 1GiB\n",
	  "node 0: 4 5 6 7" },
	{ "a core is not shared with another's dedicated CPU",
	  BIG "partition a default on 1 dedicated 8GiB 8 1\n"
	  "partition p default off 6 dedicated 1GiB\n",
	  "node 0: 2 3 4 5 6 7" },
	{ "shared vCPUs keep off a core with a dedicated CPU",
	  "cpu 0-3 node 0 core 0,0,1,1\nmemory 0 4GiB\ndomain default 0-3 4GiB\n"
	  "partition a default on 1 dedicated 1GiB 0 0\n"
	  "partition p default off 2 shared 1GiB\n",
	  "node 0: 2-3 2-3" },
	{ "windows of several vCPUs go to several CPUs",
	  SMALL "partition p default off 2 window:2000 1GiB\n", "node 0: 1@0 2@0" },
	{ "a window goes where the frame is free",
	  ONE "partition a default on 1 window:2000@0 1GiB 1 0\n"
	  "partition b default on 1 window:2000@5000 1GiB 1 0\n"
	  "partition p default off 1 window:3000 1GiB\n", "node 0: 1@2000" },
	{ "behind the last one, if no gap is long enough",
	  ONE "partition a default on 1 window:2000@1000 1GiB 1 0\n"
	  "partition p default off 1 window:5000 1GiB\n", "node 0: 1@3000" },
	{ "two windows of one partition on one CPU follow each other",
	  ONE "partition p default off 2 window:4000 1GiB\n", "node 0: 1@0 1@4000" },
	{ "windows go to the CPU with the least real time",
	  SMALL "partition a default on 1 realtime:50/100 1GiB 1 0\n"
	  "partition b default on 1 window:2000@0 1GiB 2 0\n"
	  "partition c default on 1 window:1000@0 1GiB 3 0\n"
	  "partition p default off 1 window:1000 1GiB\n", "node 0: 3@1000" },
	{ "each vCPU in real time gets one CPU",
	  SMALL "partition p default off 2 realtime:40/100 1GiB\n", "node 0: 1 2" },
	{ "real-time budgets share a CPU up to 90 %",
	  ONE "partition a default on 1 realtime:50/100 1GiB 1 0\n"
	  "partition p default off 1 realtime:40/100 1GiB\n", "node 0: 1" },
	{ "devices get two different servers, and the first ones alternate",
	  SMALL "partition p default off 1 shared 1GiB d1 d2 d3\n",
	  "node 0: 1; d1 io-a io-b; d2 io-b io-a; d3 io-a io-b" },
	{ "a server that runs comes before one that does not",
	  "cpu 0-1 node 0 core 0,1\nmemory 0 4GiB\ndomain default 1 4GiB\nio io-a down\n"
	  "io io-b running\n"
	  "partition p default off 1 shared 1GiB d1 d2\n",
	  "node 0: 1; d1 io-b io-a; d2 io-b io-a" },
	{ "a domain's partition stays on its CPUs",
	  "cpu 0-3 node 0 core 0,1,2,3\nmemory 0 4GiB\ndomain default 1 1GiB\n"
	  "domain batch 2-3 3GiB\n"
	  "partition p batch off 1 shared 2GiB\n", "node 0: 2" },
};

static const struct {
	const char *what, *host;
	const char *rule, *why, *by;	/* of the first refusal */
	enum exit_code code;
} refused[] = {
	{ "more memory than the domain has left",
	  SMALL "partition web2 default on 1 shared 3GiB 1 0\n"
	  "partition p default off 1 shared 2GiB\n",
	  "domain-memory", "limit 4 GiB, asked 2 GiB, in use 3 GiB (web2 (3 GiB)), free 1 GiB",
	  "web2", EXIT_RESOURCES },
	{ "more memory than a node has left",
	  BIG "partition a default on 1 shared 5GiB 2 0\npartition b default on 1 shared 5GiB 8 1\n"
	  "partition p default off 1 shared 4GiB\n",
	  "node", "limit 8 GiB, asked 4 GiB, in use 5 GiB (a (5 GiB), b (5 GiB)), free 3 GiB",
	  "a (",
	  EXIT_RESOURCES },
	{ "a window that is longer than any gap",
	  ONE "partition a default on 1 window:2000@0 1GiB 1 0\n"
	  "partition b default on 1 window:2000@5000 1GiB 1 0\n"
	  "partition p default off 1 window:4000 1GiB\n", "windows", "", "free 2999 us",
	  EXIT_RESOURCES },
	{ "a window with which 90 % would be exceeded",
	  ONE "partition a default on 1 realtime:50/100 1GiB 1 0\n"
	  "partition p default off 1 window:5000 1GiB\n", "windows", "", "asked 5000 us",
	  EXIT_RESOURCES },
	{ "a real-time budget with which 90 % would be exceeded",
	  ONE "partition a default on 1 window:5000@0 1GiB 1 0\n"
	  "partition p default off 1 realtime:50/100 1GiB\n", "realtime",
	  "limit 90.0 %, asked 50.0 %, in use 50.0 %, free 40.0 %", "", EXIT_RESOURCES },
	{ "an unknown domain", SMALL "partition p batch off 1 shared 1GiB\n", "domain", "", "",
	  EXIT_NOT_FOUND },
	{ "more dedicated CPUs than are free",
	  SMALL "partition a default on 2 dedicated 1GiB 1-2 0\n"
	  "partition p default off 2 dedicated 1GiB\n",
	  "processors", "limit 1, asked 2, in use 0 (CPU 1 is dedicated to a, CPU 2 is dedicated "
	  "to a), free 1", "dedicated to a", EXIT_RESOURCES },
	{ "dedicated CPUs where shared contexts may run",
	  SMALL "partition a default on 1 shared 1GiB 1-3 0\n"
	  "partition p default off 1 dedicated 1GiB\n",
	  "processors", "", "CPU 1 has shared contexts", EXIT_RESOURCES },
	{ "shared vCPUs where all CPUs are dedicated",
	  SMALL "partition a default on 3 dedicated 1GiB 1-3 0\n"
	  "partition p default off 1 shared 1GiB\n",
	  "processors", "", "dedicated to a", EXIT_RESOURCES },
	{ "more vCPUs than CPUs may take",
	  SMALL "partition a default on 24 shared 1GiB 1-3 0\n"
	  "partition p default off 1 shared 1GiB\n",
	  "overcommit", "limit 8.00 vCPUs, asked 1.00 vCPUs, in use 8.00 vCPUs "
	  "(CPU 1: a), free 0.00 vCPUs", "", EXIT_RESOURCES },
	{ "a device without a standby", LONE "partition p default off 1 shared 1GiB d1\n",
	  "io-partitions", "", "", EXIT_RESOURCES },
	{ "a device without any server",
	  "cpu 0-1 node 0 core 0,1\nmemory 0 4GiB\ndomain default 1 4GiB\n"
	  "partition p default off 1 shared 1GiB d1\n", "io-partitions", "", "", EXIT_RESOURCES },
};

/* "node 0: 1-2 1-2; d1 io-a io-b": the CPUs of each context, then each device's servers. */
static void describe(const struct placement *p, const struct placement_ask *ask, char *to,
		     size_t size)
{
	size_t n = snprintf(to, size, "node %u:", p->node);
	char list[256];

	for (uint32_t i = 0; i < ask->vcpus; i++) {
		cpuset_format(&p->cpus[i], list, sizeof(list));
		n += snprintf(to + n, size - n, " %s", list);
		if (ask->mode == MODE_WINDOW)
			n += snprintf(to + n, size - n, "@%u",
				      (unsigned int)(p->window_start_ns[i] / 1000));
	}
	for (uint32_t i = 0; i < ask->devices; i++) {
		n += snprintf(to + n, size - n, "; %s", ask->device[i]);
		for (uint32_t s = 0; s < p->servers[i].count; s++)
			n += snprintf(to + n, size - n, " %s", p->servers[i].name[s]);
	}
}

static void decide(const struct policy *policy, const char *host, struct placement *out,
		   struct placement_ask *ask)
{
	struct rows *rows = world(host);

	placement_ask_rows(ask, rows, rows_partition(rows, "p"));
	placement_decide(policy, rows, ask, out);
	rows_free(rows);
}

static void what_fits_is_placed_as_drawn(void **state)
{
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char text[512];

	(void)state;
	policy_defaults(&policy);
	for (size_t i = 0; i < sizeof(placed) / sizeof(placed[0]); i++) {
		struct error e = ERROR_NONE;

		decide(&policy, placed[i].host, p, &ask);
		if (placement_error(p, &ask, &e) < 0)
			fail_msg("%s: %s (%s)", placed[i].what, e.message, e.why);
		describe(p, &ask, text, sizeof(text));
		if (strcmp(text, placed[i].expected))
			fail_msg("%s: \"%s\", not \"%s\"", placed[i].what, text,
				 placed[i].expected);
	}
	free(p);
}

static void what_does_not_fit_is_refused_by_its_rule(void **state)
{
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct error e = ERROR_NONE;
		char part[64];

		decide(&policy, refused[i].host, p, &ask);
		if (!placement_error(p, &ask, &e))
			fail_msg("%s: is placed", refused[i].what);
		snprintf(part, sizeof(part), "by the rule %s:", refused[i].rule);
		if (!strstr(e.message, part) || e.code != refused[i].code ||
		    (refused[i].why[0] && strcmp(e.why, refused[i].why)) ||
		    !strstr(e.why, refused[i].by))
			fail_msg("%s: \"%s\" (%s)", refused[i].what, e.message, e.why);
		assert_true(e.fix[0]);
		assert_true(json_array_size(json_object_get(e.details, "rules")) > 5);
		error_clear(&e);
	}
	free(p);
}

static void one_server_is_enough_where_the_policy_says_so(void **state)
{
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char text[512];

	(void)state;
	policy_defaults(&policy);
	policy.io_partitions = 1;
	decide(&policy, LONE "partition p default off 1 shared 1GiB d1\n", p, &ask);
	assert_true(p->fits);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 1; d1 io-a");
	free(p);
}

static void huge_pages_are_taken_where_they_are_free(void **state)
{
	static const char host[] =
		"cpu 0-3 node 0 core 0,1,2,3\ncpu 4-7 node 1 core 4,5,6,7\n"
		"memory 0 8GiB 512MiB\nmemory 1 4GiB 1GiB\ndomain default 1-7 12GiB\n";
	struct placement *p = malloc(sizeof(*p));
	char text[sizeof(host) + 64];
	struct error e = ERROR_NONE;
	struct placement_ask ask;
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	policy.page_size = COMMAND_HUGE_PAGE;
	snprintf(text, sizeof(text), "%spartition p default off 1 shared 1GiB\n", host);
	decide(&policy, text, p, &ask);
	assert_true(p->fits && p->huge_pages);
	assert_int_equal(p->node, 1);

	snprintf(text, sizeof(text), "%spartition p default off 1 shared 1536MiB\n", host);
	decide(&policy, text, p, &ask);
	assert_int_equal(placement_error(p, &ask, &e), -1);
	assert_non_null(strstr(e.message, "by the rule huge-pages:"));
	assert_string_equal(e.why, "limit 1 GiB, asked 1.50 GiB, in use 0 KiB, free 1 GiB");
	assert_non_null(strstr(e.fix, "node1/hugepages"));
	error_clear(&e);

	/* A domain of small pages takes none of them, nor needs to. */
	policy.domains = 1;
	policy.domain[0] = (struct policy_domain){ .name = "default", .page_size = 4096 };
	decide(&policy, text, p, &ask);
	assert_true(p->fits && !p->huge_pages);
	assert_int_equal(p->node, 0);
	free(p);
}

static void the_policys_limits_are_rules(void **state)
{
	static const char host[] = SMALL "partition o default off 1 shared 1GiB\n"
					 "partition p default off 2 shared 1GiB d1 d2\n";
	static const struct {
		const char *rule;
		size_t offset;
		uint64_t enough, less;
	} limits[] = {
		{ "partitions", offsetof(struct policy, partitions), 2, 1 },
		{ "vcpus", offsetof(struct policy, partition_vcpus), 2, 1 },
		{ "memory", offsetof(struct policy, partition_memory), 1ull << 30, 1ull << 29 },
		{ "devices", offsetof(struct policy, partition_devices), 2, 1 },
		{ "overcommit", offsetof(struct policy, vcpus_per_cpu), 1, 0 },
	};
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		for (int enough = 0; enough < 2; enough++) {
			struct error e = ERROR_NONE;
			struct policy policy;
			char part[64];

			policy_defaults(&policy);
			*(uint64_t *)((char *)&policy + limits[i].offset) =
				enough ? limits[i].enough : limits[i].less;
			decide(&policy, host, p, &ask);
			snprintf(part, sizeof(part), "by the rule %s:", limits[i].rule);
			if (placement_error(p, &ask, &e) != (enough ? 0 : -1) ||
			    (!enough && !strstr(e.message, part)))
				fail_msg("%s, %s: %s", limits[i].rule, enough ? "enough" : "less",
					 e.message);
			error_clear(&e);
		}
	}
	free(p);
}

static void cpus_kept_for_dedicated_contexts_are_kept(void **state)
{
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char text[256];

	(void)state;
	policy_defaults(&policy);
	policy.has_dedicated = true;
	cpuset_add(&policy.dedicated, 1);
	decide(&policy, SMALL "partition p default off 3 shared 1GiB\n", p, &ask);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 2-3 2-3 2-3");
	cpuset_remove(&policy.dedicated, 1);
	cpuset_add(&policy.dedicated, 3);
	decide(&policy, SMALL "partition p default off 1 dedicated 1GiB\n", p, &ask);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 3");
	free(p);
}

static void cores_may_be_shared_if_the_policy_says_so(void **state)
{
	static const char host[] =
		"cpu 0-3 node 0 core 0,0,1,1\nmemory 0 4GiB\ndomain default 0-3 4GiB\n"
		"partition a default on 1 dedicated 1GiB 0 0\n"
	  "partition p default off 3 dedicated 1GiB\n";
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	decide(&policy, host, p, &ask);
	assert_false(p->fits);
	policy.whole_cores = false;
	decide(&policy, host, p, &ask);
	assert_true(p->fits);
	free(p);
}

static void a_core_serves_one_domain_unless_the_policy_says_otherwise(void **state)
{
	static const char host[] =
		"cpu 0-3 node 0 core 0,0,1,1\nmemory 0 4GiB\ndomain default 0-2 2GiB\n"
		"domain batch 3 2GiB\npartition p default off 3 shared 1GiB\n";
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char text[256];

	(void)state;
	policy_defaults(&policy);
	decide(&policy, host, p, &ask);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 0-1 0-1 0-1");
	policy.domains_share_cores = true;
	decide(&policy, host, p, &ask);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 0-2 0-2 0-2");
	free(p);
}

static void a_refusal_for_want_of_memory_says_what_would_make_it_fit(void **state)
{
	static const struct {
		const char *asked, *fix;
	} cases[] = {
		{ "2GiB", "ask for 1GiB at the most, or stop small, or use another domain" },
		{ "3GiB", "ask for 1GiB at the most, or stop large, or use another domain" },
		{ "8GiB", "ask for 1GiB at the most, or use another domain" },
	};
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char host[512];

	(void)state;
	policy_defaults(&policy);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e = ERROR_NONE;

		snprintf(host, sizeof(host), SMALL "partition large default on 1 shared 2GiB 1 0\n"
			 "partition small default on 1 shared 1GiB 2 0\n"
			 "partition p default off 1 shared %s\n", cases[i].asked);
		decide(&policy, host, p, &ask);
		assert_int_equal(placement_error(p, &ask, &e), -1);
		assert_string_equal(e.fix, cases[i].fix);
		error_clear(&e);
	}
	free(p);
}

static void a_domain_has_limits_of_its_own(void **state)
{
	static const char host[] = SMALL "partition o default on 1 shared 1GiB 1-3 0\n"
				   "partition p default off 6 shared 1GiB\n";
	struct placement *p = malloc(sizeof(*p));
	struct error e = ERROR_NONE;
	struct placement_ask ask;
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	strcpy(policy.domain[0].name, "default");
	policy.domains = 1;
	policy.domain[0].partitions = 1;
	policy.domain[0].vcpus_per_cpu = 2;
	decide(&policy, host, p, &ask);
	assert_int_equal(placement_error(p, &ask, &e), -1);
	assert_non_null(strstr(e.message, "by the rule domain-partitions"));
	assert_string_equal(e.why, "limit 1, asked 1, in use 1 (o), free 0");
	error_clear(&e);
	policy.domain[0].partitions = 2;
	decide(&policy, host, p, &ask);
	assert_int_equal(placement_error(p, &ask, &e), -1);
	assert_non_null(strstr(e.message, "by the rule overcommit"));
	error_clear(&e);
	policy.domain[0].vcpus_per_cpu = 3;
	decide(&policy, host, p, &ask);
	assert_true(p->fits);
	policy.headroom = 3ull << 30;
	decide(&policy, host, p, &ask);
	assert_int_equal(placement_error(p, &ask, &e), -1);
	assert_non_null(strstr(e.message, "for the headroom"));
	error_clear(&e);
	free(p);
}

static void the_policys_pool_limits_what_the_book_allows(void **state)
{
	struct placement *p = malloc(sizeof(*p));
	struct error e = ERROR_NONE;
	struct placement_ask ask;
	struct policy policy;
	char text[256];

	(void)state;
	policy_defaults(&policy);
	policy.has_host = true;
	cpuset_parse(&policy.host_cpus, "2-3");
	policy.host_memory = 2ull << 30;
	decide(&policy, SMALL "partition p default off 3 shared 1GiB\n", p, &ask);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 2-3 2-3 2-3");
	decide(&policy, SMALL "partition p default off 3 shared 3GiB\n", p, &ask);
	assert_int_equal(placement_error(p, &ask, &e), -1);
	assert_non_null(strstr(e.message, "by the rule host-memory"));
	error_clear(&e);
	free(p);
}

static void the_next_one_is_placed_beside_the_one_before(void **state)
{
	struct rows *rows = world(SMALL "partition p default off 1 shared 1GiB d1\n"
				  "partition q default off 1 shared 1GiB d1\n"
				  "partition r default off 2 dedicated 3GiB\n");
	struct placement *p = malloc(sizeof(*p));
	struct placement_ask ask;
	struct policy policy;
	char text[256];

	(void)state;
	policy_defaults(&policy);
	placement_ask_rows(&ask, rows, rows_partition(rows, "p"));
	placement_decide(&policy, rows, &ask, p);
	assert_int_equal(placement_apply(rows, &ask, p), 0);
	placement_ask_rows(&ask, rows, rows_partition(rows, "q"));
	placement_decide(&policy, rows, &ask, p);
	describe(p, &ask, text, sizeof(text));
	assert_string_equal(text, "node 0: 2; d1 io-b io-a");
	assert_int_equal(placement_apply(rows, &ask, p), 0);
	placement_ask_rows(&ask, rows, rows_partition(rows, "r"));
	placement_decide(&policy, rows, &ask, p);
	/* Both memory and CPUs are short now, and both are said. */
	unsigned int no = 0;

	for (unsigned int i = 0; i < p->rules; i++)
		no += !p->rule[i].fits;
	assert_int_equal(no, 4);
	rows_free(rows);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_placed_as_drawn),
		cmocka_unit_test(what_does_not_fit_is_refused_by_its_rule),
		cmocka_unit_test(one_server_is_enough_where_the_policy_says_so),
		cmocka_unit_test(huge_pages_are_taken_where_they_are_free),
		cmocka_unit_test(the_policys_limits_are_rules),
		cmocka_unit_test(cpus_kept_for_dedicated_contexts_are_kept),
		cmocka_unit_test(cores_may_be_shared_if_the_policy_says_so),
		cmocka_unit_test(a_core_serves_one_domain_unless_the_policy_says_otherwise),
		cmocka_unit_test(a_refusal_for_want_of_memory_says_what_would_make_it_fit),
		cmocka_unit_test(a_domain_has_limits_of_its_own),
		cmocka_unit_test(the_policys_pool_limits_what_the_book_allows),
		cmocka_unit_test(the_next_one_is_placed_beside_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

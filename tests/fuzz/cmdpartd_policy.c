// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: cmdpartd/!(main).c tests/unit/cmdpartd/world.c common/*.c libchannel/*.c
// fuzz-packages: jansson libcurl libmicrohttpd libsystemd smartcols libcap-ng libseccomp
/*
 * A host's policy: the input is its text. One that is accepted is printed and read again, and
 * places guests on a drawn host. Found is what the sanitizers find, a refusal that does not say
 * what and where, a policy that changes by being printed, or a placement that gives a CPU or memory
 * which the domain does not have.
 */
#include "cmdpartd/placement.h"
#include "tests/fuzz/input.h"
#include "tests/unit/cmdpartd/world.h"

static const char host[] =
	"cpu 0-7 node 0 core 0,0,1,1,2,2,3,3\ncpu 8-15 node 1 core 4,4,5,5,6,6,7,7\n"
	"memory 0 8GiB 1GiB\nmemory 1 8GiB 4GiB\n"
	"domain default 2-11 12GiB\ndomain other 12-15 4GiB\n"
	"io io-a running\nio io-b running\n"
	"partition web default on 2 shared 1GiB 2-5 0 root net\n"
	"partition audio default on 1 window:2000@0 512MiB 6 0\n"
	"partition db default on 2 dedicated 2GiB 8-9 1\n";

static const char *const guests[] = {
	"partition p default off 2 shared 1GiB root\n",
	"partition p default off 3 dedicated 2GiB root net\n",
	"partition p default off 2 window:3000 1GiB\n",
	"partition p other off 1 realtime:30/100 1GiB\n",
	"partition p other off 4 shared:50/100 8GiB\n",
};

static void check(const struct placement *p, const struct rows *rows,
		  const struct placement_ask *ask)
{
	const struct command_row_domain *d = rows_domain(rows, ask->domain);

	for (uint32_t i = 0; i < ask->vcpus; i++) {
		require(cpuset_count(&p->cpus[i]));
		for (int w = 0; w < CPUSET_WORDS; w++)
			require(!(p->cpus[i].word[w] & ~d->cpus[w]));
		for (rows_each(rows, PROCESSOR, processor, c))
			require(!cpuset_has(&p->cpus[i], c->cpu) || !c->owner_name[0]);
	}
	for (rows_each(rows, MEMORY, memory, m))
		require(m->node != p->node || ask->memory <= m->pool - m->assigned);
}

static void place(const struct policy *policy)
{
	static struct rows *rows[sizeof(guests) / sizeof(*guests)];
	static struct placement p;
	struct placement_ask ask;
	char text[1024];

	for (size_t i = 0; i < sizeof(guests) / sizeof(*guests); i++) {
		struct error e = ERROR_NONE;

		if (!rows[i]) {
			snprintf(text, sizeof(text), "%s%s", host, guests[i]);
			rows[i] = world(text);
		}
		placement_ask_rows(&ask, rows[i], rows_partition(rows[i], "p"));
		placement_decide(policy, rows[i], &ask, &p);
		if (!placement_error(&p, &ask, &e)) {
			check(&p, rows[i], &ask);
		} else {
			require(e.message[0] && e.fix[0]);
			error_clear(&e);
		}
		json_decref(placement_to_json(&p, &ask));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	json_t *json = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL), *printed;
	static struct policy policy, again;
	struct error e = ERROR_NONE;

	if (!json)
		return 0;
	if (policy_parse(&policy, json, "input", &e) < 0) {
		require(e.code == EXIT_INVALID && e.message[0] && e.where[0]);
		error_clear(&e);
		json_decref(json);
		return 0;
	}
	json_decref(json);
	printed = policy_to_json(&policy);
	require(printed);
	require(!policy_parse(&again, printed, "printed", &e));
	json = policy_to_json(&again);
	require(json_equal(json, printed));
	json_decref(json);
	json_decref(printed);
	place(&policy);
	return 0;
}

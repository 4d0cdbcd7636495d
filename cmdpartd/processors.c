/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules "node", "processors" and "overcommit": whose memory, which CPUs, and whether these have
 * room for so many vCPUs.
 */
#include <stdio.h>
#include <string.h>

#include "candidate.h"

/* What a node has left for the partition. */
static uint64_t node_left(const struct command_row_memory *m, bool huge)
{
	uint64_t left = m->pool > m->assigned ? m->pool - m->assigned : 0;
	uint64_t pages = (uint64_t)m->huge_free * COMMAND_HUGE_PAGE;

	return huge && pages < left ? pages : left;
}

/* Of the node, or, if none was chosen, of the one that has most of them. */
static void huge_rule(const struct rows *rows, const struct placement_ask *ask,
		      const struct command_row_memory *node, struct placement *out)
{
	const struct command_row_memory *m = node;
	struct placement_rule *r;

	for (rows_each(rows, MEMORY, memory, other))
		if (!node && (!m || other->huge_free > m->huge_free))
			m = other;
	r = rule_add(out, "huge-pages", node, "free pages of 2 MiB that the host has reserved on "
		     "node %u%s", m ? m->node : 0, node ? "" : ", which has most of them");
	rule_bytes(r, m ? (uint64_t)m->huge_free * COMMAND_HUGE_PAGE : 0, ask->memory, 0);
	snprintf(r->fix, sizeof(r->fix), "reserve more: /sys/devices/system/node/node%u/hugepages/"
		 "hugepages-2048kB/nr_hugepages; or set page_size of the policy to \"4KiB\"",
		 m ? m->node : 0);
}

/* The node whose memory is used: with room, CPUs enough if any has, then the most free memory. */
bool node_rule(const struct policy *policy, const struct rows *rows,
	       const struct placement_ask *ask, const struct candidates *c,
	       struct placement *out)
{
	const bool huge = policy_huge_pages(policy, ask->domain);
	const struct command_row_memory *best = NULL;
	unsigned int best_cpus = 0, nodes = 0;
	uint64_t most = 0, limit = 0, used = 0;
	uint32_t freest = 0;
	struct placement_rule *r;

	for (rows_each(rows, MEMORY, memory, m)) {
		unsigned int cpus = candidates_on_node(c, m->node);
		uint64_t left = node_left(m, huge), room = node_left(m, false);

		nodes++;
		if (room >= most) {
			most = room;
			freest = m->node;
			limit = m->pool;
			used = m->assigned;
		}
		if (left < ask->memory)
			continue;
		if (cpus > ask->vcpus)
			cpus = ask->vcpus;
		if (!best || cpus > best_cpus ||
		    (cpus == best_cpus &&
		     policy->pack != (left > node_left(best, huge)) &&
		     left != node_left(best, huge))) {
			best = m;
			best_cpus = cpus;
		}
	}
	out->huge_pages = huge;
	if (!best && huge && most >= ask->memory) {
		huge_rule(rows, ask, NULL, out);
		return false;
	}
	if (!best) {
		r = rule_add(out, "node", false, "no node has all of it; this is the freest of %u",
			     nodes);
		rule_bytes(r, limit, ask->memory, used);
		rule_memory_users(rows, NULL, r->by, sizeof(r->by));
		rule_memory_fix(r, rows, NULL, freest, limit > used ? limit - used : 0,
				ask->memory, "use a host with larger nodes: one node's memory "
				"serves a partition");
		return false;
	}
	r = rule_add(out, "node", true, "node %u: %s", best->node, nodes == 1 ? "the only one" :
		     best_cpus < ask->vcpus ? "it has most of the CPUs, not all" :
		     policy->pack ? "it has the CPUs, and least free memory that is enough" :
		     "it has the CPUs, and most free memory");
	rule_bytes(r, best->pool, ask->memory, best->assigned);
	out->node = best->node;
	if (huge)
		huge_rule(rows, ask, best, out);
	return true;
}

static void dedicated_rule(const struct placement_ask *ask, const struct candidates *c,
			   const unsigned int *chosen, unsigned int got, struct placement *out)
{
	struct cpuset all = { { 0 } };
	struct placement_rule *r;
	char list[LIST];

	for (unsigned int i = 0; i < got; i++) {
		cpuset_add(&out->cpus[i], c->cpu[chosen[i]].row->cpu);
		cpuset_add(&all, c->cpu[chosen[i]].row->cpu);
	}
	cpuset_format(&all, list, sizeof(list));
	if (got == ask->vcpus)
		r = rule_add(out, "processors", true, "CPU %s: free, whole cores first", list);
	else
		r = rule_add(out, "processors", false, "domain %s has not enough CPUs to dedicate",
			     ask->domain);
	rule_counts(r, c->count, ask->vcpus, 0);
	snprintf(r->by, sizeof(r->by), "%s", c->excluded);
	snprintf(r->fix, sizeof(r->fix), "ask for fewer, use mode shared, stop a partition, or "
		 "keep CPUs by placement.dedicated of the policy");
}

static void set_share(char to[48], uint64_t share)
{
	snprintf(to, 48, "%.2f vCPUs", (double)share / FULL);
}

/* "CPU 3: web2, db": whose contexts may run there; a partition's are neighbours in the rows. */
static void cpu_users(const struct rows *rows, uint32_t cpu, char *to, size_t size)
{
	const char *last = "";
	size_t n = snprintf(to, size, "CPU %u:", cpu);

	for (rows_each(rows, CONTEXT, context, c)) {
		if (c->mode == MODE_DEDICATED || !cpuset_has(set(c->cpus), cpu) ||
		    !strcmp(c->partition_name, last) || n + strlen(c->partition_name) + 8 > size)
			continue;
		n += snprintf(to + n, size - n, "%s %s", *last ? "," : "", c->partition_name);
		last = c->partition_name;
	}
}

static void shared_rule(const struct policy *policy, const struct rows *rows,
			const struct placement_ask *ask, const struct candidates *c,
			const unsigned int *chosen, unsigned int got, struct placement *out)
{
	uint64_t share = candidate_weight(MODE_SHARED, ask->budget_ns, ask->period_ns), highest = 0;
	uint64_t limit = candidate_limit(policy, ask);
	struct cpuset all = { { 0 } };
	struct placement_rule *r;
	uint32_t fullest = 0;
	char list[LIST];

	for (unsigned int i = 0; i < got; i++) {
		cpuset_add(&all, c->cpu[chosen[i]].row->cpu);
		if (c->cpu[chosen[i]].load > highest) {
			highest = c->cpu[chosen[i]].load;
			fullest = c->cpu[chosen[i]].row->cpu;
		}
	}
	for (unsigned int i = 0; i < ask->vcpus; i++)
		out->cpus[i] = all;
	cpuset_format(&all, list, sizeof(list));
	if (!got) {
		r = rule_add(out, "processors", false, "domain %s has no CPU for shared contexts",
			     ask->domain);
		rule_counts(r, 0, ask->vcpus, 0);
		snprintf(r->by, sizeof(r->by), "%s", c->excluded);
		snprintf(r->fix, sizeof(r->fix), "stop a partition with dedicated CPUs, or use "
			 "another domain");
		return;
	}
	rule_add(out, "processors", true, "CPU %s: the %s loaded of %u for shared contexts%s",
		 list, policy->pack ? "most" : "least", c->count,
		 got < ask->vcpus ? "; several vCPUs take turns on each" : "");
	share = (share * ask->vcpus + got - 1) / got;
	r = rule_add(out, "overcommit", rule_room(limit, highest, share),
		     "a shared CPU may have %llu vCPUs; a budget counts as its part of the period",
		     (unsigned long long)limit / FULL);
	if (highest)
		cpu_users(rows, fullest, r->by, sizeof(r->by));
	set_share(r->limit, limit);
	set_share(r->asked, share);
	set_share(r->in_use, highest);
	set_share(r->free, limit > highest ? limit - highest : 0);
	snprintf(r->fix, sizeof(r->fix), "ask for fewer vCPUs or a smaller budget, stop a "
		 "partition, or raise vcpus_per_cpu of the policy");
}

void processors_rule(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, struct candidates *c,
		     struct placement *out)
{
	unsigned int chosen[DEFINITION_MAX_VCPUS], got;

	if (ask->mode == MODE_WINDOW || ask->flags & PROCESSOR_REALTIME) {
		realtime_rule(rows, ask, c, out);
		return;
	}
	got = candidates_choose(policy, c, ask, out->node, ask->vcpus, chosen);
	if (ask->mode == MODE_DEDICATED)
		dedicated_rule(ask, c, chosen, got, out);
	else
		shared_rule(policy, rows, ask, c, chosen, got, out);
}

/* On the very CPUs that it has: judged, not chosen. False: they are no candidates any more. */
bool processors_stay(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, const struct candidates *c,
		     struct placement *out)
{
	unsigned int chosen[DEFINITION_MAX_VCPUS], got = 0;

	for (unsigned int n = 0; n < c->count && got < DEFINITION_MAX_VCPUS; n++)
		if (cpuset_has(&ask->cpus[0], c->cpu[n].row->cpu))
			chosen[got++] = n;
	if (!got || got != cpuset_count(&ask->cpus[0]) || ask->mode != MODE_SHARED)
		return false;
	shared_rule(policy, rows, ask, c, chosen, got, out);
	return true;
}

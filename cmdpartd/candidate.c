/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPUs come into question for a partition, and which of them are the best. */
#include <stdio.h>
#include <string.h>

#include <common/uuid.h>

#include "candidate.h"

#define FULLEST	((1ull << 38) - 1)	/* load that pack tells apart */

uint32_t candidate_weight(uint32_t mode, uint64_t budget, uint64_t period)
{
	if (mode != MODE_SHARED || !period)
		return FULL;
	return (budget * FULL + period - 1) / period;
}

/* What each CPU has to do; frame_ns: its domain's. One pass over the contexts. */
static void count_loads(const struct rows *rows, const uint64_t *frame_ns, uint64_t *load)
{
	for (rows_each(rows, CONTEXT, context, c)) {
		unsigned int n = c->mode == MODE_SHARED ? cpuset_count(set(c->cpus)) : 1;
		uint64_t share = n ? candidate_weight(c->mode, c->budget_ns, c->period_ns) / n : 0;

		if (c->mode == MODE_DEDICATED)
			continue;
		for (unsigned int cpu = cpuset_next(set(c->cpus), 0); cpu < CPUSET_CPUS;
		     cpu = cpuset_next(set(c->cpus), cpu + 1))
			load[cpu] += c->mode == MODE_WINDOW ?
				     command_ppm(c->window_ns, frame_ns[cpu]) : share;
	}
}

static const struct command_row_processor *processor(const struct rows *rows, uint32_t cpu)
{
	for (rows_each(rows, PROCESSOR, processor, p))
		if (p->cpu == cpu)
			return p;
	return NULL;
}

/* Whether an SMT sibling is another partition's, so that this CPU would share a core with it. */
static bool core_is_taken(const struct rows *rows, const struct command_row_processor *p,
			  const struct placement_ask *ask)
{
	for (unsigned int cpu = cpuset_next(set(p->siblings), 0); cpu < CPUSET_CPUS;
	     cpu = cpuset_next(set(p->siblings), cpu + 1)) {
		const struct command_row_processor *s = cpu == p->cpu ? NULL : processor(rows, cpu);

		if (!s)
			continue;
		if (!uuid_is_zero(s->owner) && memcmp(s->owner, ask->uuid, UUID_LEN))
			return true;
		/* A dedicated CPU wants its whole core; shared contexts do not mind each other. */
		if (ask->mode == MODE_DEDICATED && s->contexts)
			return true;
	}
	return false;
}

/* The domain that has an SMT sibling of this CPU; NULL: none but its own. */
static const char *core_divided(const struct rows *rows, const struct command_row_processor *p)
{
	for (unsigned int cpu = cpuset_next(set(p->siblings), 0); cpu < CPUSET_CPUS;
	     cpu = cpuset_next(set(p->siblings), cpu + 1)) {
		const struct command_row_processor *s = cpu == p->cpu ? NULL : processor(rows, cpu);

		if (s && s->in_pool && s->domain[0] && strcmp(s->domain, p->domain))
			return s->domain;
	}
	return NULL;
}

static void exclude(struct candidates *c, uint32_t cpu, const char *why, const char *who)
{
	size_t n = strlen(c->excluded);

	if (n + strlen(why) + strlen(who) + 20 < sizeof(c->excluded))
		snprintf(c->excluded + n, sizeof(c->excluded) - n, "%sCPU %u %s%s", n ? ", " : "",
			 cpu, why, who);
}

void candidates_find(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, struct candidates *c)
{
	uint64_t frame_ns[CPUSET_CPUS] = { 0 }, load[CPUSET_CPUS] = { 0 };
	const char *other;

	for (rows_each(rows, PROCESSOR, processor, p))
		if (p->cpu < CPUSET_CPUS)
			frame_ns[p->cpu] = p->frame_ns;
	count_loads(rows, frame_ns, load);
	c->count = 0;
	c->excluded[0] = '\0';
	for (rows_each(rows, PROCESSOR, processor, p)) {
		if (!p->in_pool || strcmp(p->domain, ask->domain) || p->cpu >= CPUSET_CPUS)
			continue;
		if (policy->has_host && !cpuset_has(&policy->host_cpus, p->cpu))
			exclude(c, p->cpu, "is not in host.cpus of the policy", "");
		else if (!uuid_is_zero(p->owner))
			exclude(c, p->cpu, "is dedicated to ", p->owner_name);
		else if (ask->mode == MODE_DEDICATED && p->contexts)
			exclude(c, p->cpu, p->windows ? "has windows" : "has shared contexts", "");
		else if (ask->mode != MODE_DEDICATED && policy->has_dedicated &&
			 cpuset_has(&policy->dedicated, p->cpu))
			exclude(c, p->cpu, "is kept for dedicated contexts", "");
		else if (policy->whole_cores && core_is_taken(rows, p, ask))
			exclude(c, p->cpu, "shares its core with another partition", "");
		else if (!policy->domains_share_cores && (other = core_divided(rows, p)))
			exclude(c, p->cpu, "shares its core with domain ", other);
		else if (c->count < CPUSET_CPUS)
			c->cpu[c->count++] = (struct candidate){
				p, load[p->cpu], p->realtime_ppm, false };
	}
}

unsigned int candidates_on_node(const struct candidates *c, uint32_t node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->count; i++)
		n += c->cpu[i].row->node == node;
	return n;
}

void candidates_only_node(struct candidates *c, uint32_t node)
{
	size_t n = strlen(c->excluded);
	unsigned int kept = 0;

	for (unsigned int i = 0; i < c->count; i++)
		if (c->cpu[i].row->node == node)
			c->cpu[kept++] = c->cpu[i];
	if (kept < c->count)
		snprintf(c->excluded + n, sizeof(c->excluded) - n, "%s%u on other nodes",
			 n ? ", " : "", c->count - kept);
	c->count = kept;
}

static bool core_chosen(const struct candidates *c, const struct command_row_processor *p)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->cpu[i].chosen && cpuset_has(set(p->siblings), c->cpu[i].row->cpu))
			return true;
	return false;
}

/* Whether all siblings of a CPU are candidates still. */
static bool core_whole(const struct candidates *c, const struct command_row_processor *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->count; i++)
		n += !c->cpu[i].chosen && cpuset_has(set(p->siblings), c->cpu[i].row->cpu);
	return n == cpuset_count(set(p->siblings));
}

uint64_t candidate_limit(const struct policy *policy, const struct placement_ask *ask)
{
	const struct policy_domain *d = policy_domain(policy, ask->domain);

	return (d && d->vcpus_per_cpu ? d->vcpus_per_cpu : policy->vcpus_per_cpu) * FULL;
}

/* Lower is better; the order of the terms is the order of their weight. */
static uint64_t cost(const struct policy *policy, const struct candidates *c,
		     const struct candidate *x, const struct placement_ask *ask, uint32_t node)
{
	uint64_t v = x->row->node != node;

	if (ask->mode == MODE_DEDICATED) {
		v = v << 1 | !(policy->has_dedicated && cpuset_has(&policy->dedicated,
								   x->row->cpu));
		/* Fill a core that was begun, then begin a whole one. */
		v = v << 1 | !core_chosen(c, x->row);
		v = v << 1 | !core_whole(c, x->row);
	} else if (policy->pack) {
		/* The fullest that has room, on a core that was begun. */
		v = v << 1 | !rule_room(candidate_limit(policy, ask), x->load,
					candidate_weight(ask->mode, ask->budget_ns,
							 ask->period_ns));
		v = v << 38 | (FULLEST - (x->load < FULLEST ? x->load : FULLEST));
		v = v << 1 | !core_chosen(c, x->row);
	} else {
		v = v << 40 | x->load;
		v = v << 1 | core_chosen(c, x->row);
	}
	return v << 16 | x->row->cpu;
}

unsigned int candidates_choose(const struct policy *policy, struct candidates *c,
			       const struct placement_ask *ask, uint32_t node, unsigned int n,
			       unsigned int *chosen)
{
	unsigned int got = 0;

	while (got < n) {
		struct candidate *best = NULL;
		uint64_t least = UINT64_MAX;

		for (unsigned int i = 0; i < c->count; i++) {
			uint64_t v = c->cpu[i].chosen ? UINT64_MAX :
				     cost(policy, c, &c->cpu[i], ask, node);

			if (v < least) {
				best = &c->cpu[i];
				least = v;
			}
		}
		if (!best)
			break;
		best->chosen = true;
		chosen[got++] = best - c->cpu;
	}
	return got;
}

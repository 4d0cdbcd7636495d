/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules, in this order: quotas (partitions, vcpus, memory, devices), domain, domain-memory,
 * host-memory, node, processors (or windows, or realtime), overcommit, io-partitions. All of
 * them are judged even when one refuses, so that one answer tells all that stands in the way.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/size.h>
#include <common/uuid.h>

#include "candidate.h"
#include "placement.h"


void placement_ask_definition(struct placement_ask *ask, const struct definition *d,
			      const uint8_t uuid[16])
{
	memset(ask, 0, sizeof(*ask));
	memcpy(ask->uuid, uuid, sizeof(ask->uuid));
	strcpy(ask->name, d->name);
	strcpy(ask->domain, d->domain);
	ask->vcpus = d->vcpus;
	ask->mode = d->mode;
	ask->flags = d->realtime ? PROCESSOR_REALTIME : 0;
	ask->budget_ns = d->budget_ns;
	ask->period_ns = d->period_ns;
	ask->window_ns = d->window_ns;
	ask->memory = d->memory;
	ask->devices = d->devices;
	for (uint32_t i = 0; i < d->devices; i++)
		strcpy(ask->device[i], d->device[i].name);
}

void placement_ask_rows(struct placement_ask *ask, const struct rows *rows,
			const struct command_row_partition *p)
{
	memset(ask, 0, sizeof(*ask));
	memcpy(ask->uuid, p->partition, sizeof(ask->uuid));
	strcpy(ask->name, p->name);
	strcpy(ask->domain, p->domain);
	ask->vcpus = p->vcpus < DEFINITION_MAX_VCPUS ? p->vcpus : DEFINITION_MAX_VCPUS;
	ask->mode = p->mode;
	ask->flags = p->flags;
	ask->budget_ns = p->budget_ns;
	ask->period_ns = p->period_ns;
	ask->window_ns = p->window_ns;
	ask->memory = p->memory;
	for (rows_each(rows, DEVICE, device, d))
		if (!memcmp(d->partition, p->partition, UUID_LEN) &&
		    ask->devices < DEFINITION_MAX_DEVICES)
			strcpy(ask->device[ask->devices++], d->name);
}

void placement_ask_again(struct placement_ask *ask, const struct rows *rows)
{
	ask->again = true;
	for (rows_each(rows, CONTEXT, context, c))
		if (!memcmp(c->partition, ask->uuid, UUID_LEN) && c->index < ask->vcpus) {
			memcpy(ask->cpus[c->index].word, c->cpus, sizeof(c->cpus));
			ask->window_start_ns[c->index] = c->window_start_ns;
		}
}

/* ---- rules ----------------------------------------------------------------------- */

struct placement_rule *rule_add(struct placement *p, const char *name, bool fits,
				const char *reason, ...)
{
	struct placement_rule *rule = &p->rule[p->rules];
	va_list args;

	if (p->rules < PLACEMENT_RULES - 1)
		p->rules++;
	memset(rule, 0, sizeof(*rule));
	rule->rule = name;
	rule->fits = fits;
	rule->code = fits ? EXIT_OK : EXIT_RESOURCES;
	va_start(args, reason);
	vsnprintf(rule->reason, sizeof(rule->reason), reason, args);
	va_end(args);
	if (!fits)
		p->fits = false;
	return rule;
}

static void set_bytes(char to[48], uint64_t bytes)
{
	char text[SIZE_TEXT];

	snprintf(to, 48, "%s", size_human(bytes, text));
}

static void set_bytes_rule(struct placement_rule *rule, uint64_t limit, uint64_t asked,
			   uint64_t in_use)
{
	set_bytes(rule->limit, limit);
	set_bytes(rule->asked, asked);
	set_bytes(rule->in_use, in_use);
	set_bytes(rule->free, limit > in_use ? limit - in_use : 0);
}

static void set_counts(struct placement_rule *rule, uint64_t limit, uint64_t asked,
		       uint64_t in_use)
{
	snprintf(rule->limit, sizeof(rule->limit), "%llu", (unsigned long long)limit);
	snprintf(rule->asked, sizeof(rule->asked), "%llu", (unsigned long long)asked);
	snprintf(rule->in_use, sizeof(rule->in_use), "%llu", (unsigned long long)in_use);
	snprintf(rule->free, sizeof(rule->free), "%llu",
		 (unsigned long long)(limit > in_use ? limit - in_use : 0));
}

static bool room(uint64_t limit, uint64_t in_use, uint64_t asked)
{
	return in_use <= limit && asked <= limit - in_use;
}

/* "web2 (512 MiB), db (256 MiB), 3 more": who has memory, of a domain (NULL: of any). */
static void memory_users(const struct rows *rows, const char *domain, char *to, size_t size)
{
	uint64_t below = UINT64_MAX;
	unsigned int named = 0, more = 0;
	char text[SIZE_TEXT];
	size_t n = 0;

	to[0] = '\0';
	for (;;) {
		uint64_t best = 0;

		for (rows_each(rows, PARTITION, partition, p))
			if (p->memory_assigned < below && p->memory_assigned > best &&
			    (!domain || !strcmp(p->domain, domain)))
				best = p->memory_assigned;
		if (!best)
			break;
		below = best;
		for (rows_each(rows, PARTITION, partition, p)) {
			if (p->memory_assigned != best || (domain && strcmp(p->domain, domain)))
				continue;
			if (named == 3) {
				more++;
				continue;
			}
			n += snprintf(to + n, size - n, "%s%.30s (%s)", named++ ? ", " : "",
				      p->name, size_human(best, text));
		}
	}
	if (more)
		snprintf(to + n, size - n, ", %u more", more);
}

static void quota_rules(const struct policy *policy, const struct rows *rows,
			const struct placement_ask *ask, struct placement *out)
{
	uint64_t others = 0;
	struct placement_rule *r;
	bool fits;

	for (rows_each(rows, PARTITION, partition, p))
		others += p->kind == PARTITION_GUEST && memcmp(p->partition, ask->uuid, UUID_LEN);
	fits = room(policy->partitions, others, 1);
	r = rule_add(out, "partitions", fits, "the host may have %llu partitions",
		     (unsigned long long)policy->partitions);
	set_counts(r, policy->partitions, 1, others);
	snprintf(r->fix, sizeof(r->fix), "undefine one, or raise quotas.partitions of the policy");

	fits = ask->vcpus <= policy->partition_vcpus;
	r = rule_add(out, "vcpus", fits, "a partition may have %llu vCPUs",
		     (unsigned long long)policy->partition_vcpus);
	set_counts(r, policy->partition_vcpus, ask->vcpus, 0);
	snprintf(r->fix, sizeof(r->fix), "ask for less, or raise quotas.vcpus of the policy");

	fits = ask->memory <= policy->partition_memory;
	r = rule_add(out, "memory", fits, "the limit of one partition's memory");
	set_bytes_rule(r, policy->partition_memory, ask->memory, 0);
	snprintf(r->fix, sizeof(r->fix), "ask for less, or raise quotas.memory of the policy");

	fits = ask->devices <= policy->partition_devices;
	r = rule_add(out, "devices", fits, "a partition may have %llu devices",
		     (unsigned long long)policy->partition_devices);
	set_counts(r, policy->partition_devices, ask->devices, 0);
	snprintf(r->fix, sizeof(r->fix), "ask for less, or raise quotas.devices of the policy");
}

void placement_check_quotas(const struct policy *policy, const struct rows *rows,
			    const struct placement_ask *ask, struct placement *out)
{
	memset(out, 0, sizeof(*out));
	out->fits = true;
	quota_rules(policy, rows, ask, out);
}

static const struct command_row_domain *domain_rule(const struct rows *rows,
						    const struct placement_ask *ask,
						    struct placement *out)
{
	const struct command_row_domain *d = rows_domain(rows, ask->domain);
	struct placement_rule *r;
	char names[160] = "";

	if (d) {
		rule_add(out, "domain", true, "the definition names domain %s", ask->domain);
		return d;
	}
	for (rows_each(rows, DOMAIN, domain, o))
		if (strlen(names) + strlen(o->name) + 3 < sizeof(names))
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 names[0] ? ", " : "", o->name);
	r = rule_add(out, "domain", false, "no domain is named %s; there are: %s", ask->domain,
		     names[0] ? names : "none");
	r->code = EXIT_NOT_FOUND;
	snprintf(r->fix, sizeof(r->fix), "name one of these in the definition, or create it: "
		 "cmdpartctl domain create");
	return NULL;
}

static void memory_rules(const struct policy *policy, const struct rows *rows,
			 const struct placement_ask *ask, const struct command_row_domain *d,
			 struct placement *out)
{
	const struct command_row_host *h = rows_count(rows, COMMAND_ROW_HOST) ?
					   rows_at(rows, COMMAND_ROW_HOST, 0) : NULL;
	struct placement_rule *r;
	uint64_t limit;

	if (d) {
		r = rule_add(out, "domain-memory", room(d->memory, d->memory_assigned, ask->memory),
			     "domain %s has this much memory", d->name);
		set_bytes_rule(r, d->memory, ask->memory, d->memory_assigned);
		memory_users(rows, d->name, r->by, sizeof(r->by));
		snprintf(r->fix, sizeof(r->fix),
			 "ask for less, stop a partition of the domain, or use another domain");
	}
	if (h) {
		limit = policy->has_host && policy->host_memory < h->memory_pool ?
			policy->host_memory : h->memory_pool;
		r = rule_add(out, "host-memory", room(limit, h->memory_assigned, ask->memory),
			     "partitions may have this much of the host's memory");
		set_bytes_rule(r, limit, ask->memory, h->memory_assigned);
		memory_users(rows, NULL, r->by, sizeof(r->by));
		snprintf(r->fix, sizeof(r->fix),
			 "ask for less, stop a partition, or raise host.memory of the policy");
	}
}

/* ---- processors ------------------------------------------------------------------ */

static uint32_t weight(uint32_t mode, uint64_t budget, uint64_t period)
{
	if (mode != MODE_SHARED || !period)
		return FULL;
	return (budget * FULL + period - 1) / period;
}

static uint64_t load_of(const struct rows *rows, uint32_t cpu, uint64_t frame_ns)
{
	uint64_t load = 0;

	for (rows_each(rows, CONTEXT, context, c)) {
		unsigned int n = cpuset_count(set(c->cpus));

		if (c->mode == MODE_SHARED && n && cpuset_has(set(c->cpus), cpu))
			load += weight(c->mode, c->budget_ns, c->period_ns) / n;
		else if (c->mode == MODE_WINDOW && cpuset_has(set(c->cpus), cpu))
			load += command_ppm(c->window_ns, frame_ns);
	}
	return load;
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

static void exclude(struct candidates *c, uint32_t cpu, const char *why, const char *who)
{
	size_t n = strlen(c->excluded);

	if (n + strlen(why) + strlen(who) + 20 < sizeof(c->excluded))
		snprintf(c->excluded + n, sizeof(c->excluded) - n, "%sCPU %u %s%s", n ? ", " : "",
			 cpu, why, who);
}

static void find_candidates(const struct policy *policy, const struct rows *rows,
			    const struct placement_ask *ask, struct candidates *c)
{
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
		else
			c->cpu[c->count++] = (struct candidate){
				p, load_of(rows, p->cpu, p->frame_ns), p->realtime_ppm, false };
	}
}

static unsigned int count_on_node(const struct candidates *c, uint32_t node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->count; i++)
		n += c->cpu[i].row->node == node;
	return n;
}

/* The node whose memory is used: with room, CPUs enough if any has, then the most free memory. */
static bool node_rule(const struct rows *rows, const struct placement_ask *ask,
		      const struct candidates *c, struct placement *out)
{
	const struct command_row_memory *best = NULL;
	unsigned int best_cpus = 0, nodes = 0;
	uint64_t most = 0, limit = 0, used = 0;
	struct placement_rule *r;

	for (rows_each(rows, MEMORY, memory, m)) {
		unsigned int cpus = count_on_node(c, m->node);
		uint64_t left = m->pool > m->assigned ? m->pool - m->assigned : 0;

		nodes++;
		if (left >= most) {
			most = left;
			limit = m->pool;
			used = m->assigned;
		}
		if (left < ask->memory)
			continue;
		if (cpus > ask->vcpus)
			cpus = ask->vcpus;
		if (!best || cpus > best_cpus ||
		    (cpus == best_cpus && left > best->pool - best->assigned)) {
			best = m;
			best_cpus = cpus;
		}
	}
	if (!best) {
		r = rule_add(out, "node", false, "no node has all of it; this is the freest of %u",
			     nodes);
		set_bytes_rule(r, limit, ask->memory, used);
		memory_users(rows, NULL, r->by, sizeof(r->by));
		snprintf(r->fix, sizeof(r->fix),
			 "ask for less, or stop a partition: one node's memory serves a partition");
		return false;
	}
	r = rule_add(out, "node", true, "node %u: %s", best->node, nodes == 1 ? "the only one" :
		     best_cpus >= ask->vcpus ? "it has the CPUs, and most free memory" :
		     "most free memory; it has not all the CPUs");
	set_bytes_rule(r, best->pool, ask->memory, best->assigned);
	out->node = best->node;
	return true;
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
	} else {
		v = v << 40 | x->load;
		v = v << 1 | core_chosen(c, x->row);
	}
	return v << 16 | x->row->cpu;
}

static unsigned int choose(const struct policy *policy, struct candidates *c,
			   const struct placement_ask *ask, uint32_t node, unsigned int n,
			   unsigned int *chosen)
{
	unsigned int got = 0;

	while (got < n) {
		struct candidate *best = NULL;

		for (unsigned int i = 0; i < c->count; i++)
			if (!c->cpu[i].chosen &&
			    (!best || cost(policy, c, &c->cpu[i], ask, node) <
				      cost(policy, c, best, ask, node)))
				best = &c->cpu[i];
		if (!best)
			break;
		best->chosen = true;
		chosen[got++] = best - c->cpu;
	}
	return got;
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
	set_counts(r, c->count, ask->vcpus, 0);
	snprintf(r->by, sizeof(r->by), "%s", c->excluded);
	snprintf(r->fix, sizeof(r->fix), "ask for fewer, use mode shared, stop a partition, or "
		 "keep CPUs by placement.dedicated of the policy");
}

static void set_share(char to[48], uint64_t share)
{
	snprintf(to, 48, "%.2f vCPUs", (double)share / FULL);
}

static void shared_rule(const struct policy *policy, const struct placement_ask *ask,
			const struct candidates *c, const unsigned int *chosen, unsigned int got,
			struct placement *out)
{
	uint64_t share = weight(MODE_SHARED, ask->budget_ns, ask->period_ns), highest = 0;
	uint64_t limit = policy->vcpus_per_cpu * FULL;
	struct cpuset all = { { 0 } };
	struct placement_rule *r;
	char list[LIST];

	for (unsigned int i = 0; i < got; i++) {
		cpuset_add(&all, c->cpu[chosen[i]].row->cpu);
		if (c->cpu[chosen[i]].load > highest)
			highest = c->cpu[chosen[i]].load;
	}
	for (unsigned int i = 0; i < ask->vcpus; i++)
		out->cpus[i] = all;
	cpuset_format(&all, list, sizeof(list));
	if (!got) {
		r = rule_add(out, "processors", false, "domain %s has no CPU for shared contexts",
			     ask->domain);
		set_counts(r, 0, ask->vcpus, 0);
		snprintf(r->by, sizeof(r->by), "%s", c->excluded);
		snprintf(r->fix, sizeof(r->fix), "stop a partition with dedicated CPUs, or use "
			 "another domain");
		return;
	}
	rule_add(out, "processors", true, "CPU %s: the least loaded of %u for shared contexts%s",
		 list, c->count, got < ask->vcpus ? "; several vCPUs take turns on each" : "");
	share = (share * ask->vcpus + got - 1) / got;
	r = rule_add(out, "overcommit", room(limit, highest, share),
		     "a shared CPU may have %llu vCPUs; a budget counts as its part of the period",
		     (unsigned long long)policy->vcpus_per_cpu);
	set_share(r->limit, limit);
	set_share(r->asked, share);
	set_share(r->in_use, highest);
	set_share(r->free, limit > highest ? limit - highest : 0);
	snprintf(r->fix, sizeof(r->fix), "ask for fewer vCPUs or a smaller budget, stop a "
		 "partition, or raise placement.vcpus_per_cpu of the policy");
}

/* ---- I/O partitions -------------------------------------------------------------- */

/* The channels that a partition serves first. */
static unsigned int channels_of(const struct rows *rows, const uint8_t *uuid)
{
	unsigned int n = 0;

	for (rows_each(rows, CHANNEL, channel, c))
		n += c->servers && !memcmp(c->server[0], uuid, UUID_LEN);
	return n;
}

static void io_rule(const struct rows *rows, const struct placement_ask *ask,
		    struct placement *out)
{
	const struct command_row_partition *io[64];
	unsigned int load[64], n = 0, running = 0;
	struct placement_rule *r;

	if (!ask->devices)
		return;
	for (rows_each(rows, PARTITION, partition, p)) {
		if (p->kind != PARTITION_IO || n == 64)
			continue;
		running += p->state == PARTITION_RUNNING;
		load[n] = channels_of(rows, p->partition);
		io[n++] = p;
	}
	for (uint32_t d = 0; n && d < ask->devices; d++) {
		struct placement_servers *s = &out->servers[d];
		bool taken[64] = { false };

		while (s->count < 2 && s->count < n) {
			int best = -1;

			/* One that runs before one that does not; then who serves least. */
			for (unsigned int i = 0; i < n; i++) {
				bool runs = io[i]->state == PARTITION_RUNNING;

				if (taken[i])
					continue;
				if (best < 0 || (runs && io[best]->state != PARTITION_RUNNING) ||
				    (runs == (io[best]->state == PARTITION_RUNNING) &&
				     load[i] < load[best]))
					best = i;
			}
			taken[best] = true;
			if (!s->count)
				load[best]++;
			memcpy(s->uuid[s->count], io[best]->partition, UUID_LEN);
			strcpy(s->name[s->count++], io[best]->name);
		}
	}
	if (!n)
		r = rule_add(out, "io-partitions", false, "the host has no I/O partition");
	else
		r = rule_add(out, "io-partitions", true, "%u of %u run; each device gets %s, the "
			     "one that serves least first", running, n,
			     n > 1 ? "two" : "one, and no standby");
	snprintf(r->fix, sizeof(r->fix), "start iopartd@a and iopartd@b");
}

static void processors_rule(const struct policy *policy, const struct rows *rows,
			    const struct placement_ask *ask, struct candidates *c,
			    struct placement *out)
{
	unsigned int chosen[DEFINITION_MAX_VCPUS], got;

	if (ask->mode == MODE_WINDOW || ask->flags & PROCESSOR_REALTIME) {
		realtime_rule(rows, ask, c, out);
		return;
	}
	got = choose(policy, c, ask, out->node, ask->vcpus, chosen);
	if (ask->mode == MODE_DEDICATED)
		dedicated_rule(ask, c, chosen, got, out);
	else
		shared_rule(policy, ask, c, chosen, got, out);
}

/* On the very CPUs that it has: judged, not chosen. False: they are no candidates any more. */
static bool stay(const struct policy *policy, const struct placement_ask *ask,
		 const struct candidates *c, struct placement *out)
{
	unsigned int chosen[DEFINITION_MAX_VCPUS], got = 0;

	for (unsigned int n = 0; n < c->count && got < DEFINITION_MAX_VCPUS; n++)
		if (cpuset_has(&ask->cpus[0], c->cpu[n].row->cpu))
			chosen[got++] = n;
	if (!got || got != cpuset_count(&ask->cpus[0]) || ask->mode != MODE_SHARED)
		return false;
	shared_rule(policy, ask, c, chosen, got, out);
	return true;
}

void placement_decide(const struct policy *policy, const struct rows *rows,
		      const struct placement_ask *ask, struct placement *out)
{
	const struct command_row_domain *d;
	struct candidates *c = malloc(sizeof(*c));

	placement_check_quotas(policy, rows, ask, out);
	if (!c) {
		rule_add(out, "processors", false, "out of memory");
		return;
	}
	d = domain_rule(rows, ask, out);
	memory_rules(policy, rows, ask, d, out);
	if (d) {
		find_candidates(policy, rows, ask, c);
		node_rule(rows, ask, c, out);
		processors_rule(policy, rows, ask, c, out);
	}
	io_rule(rows, ask, out);
	free(c);
}

void placement_decide_contexts(const struct policy *policy, const struct rows *rows,
			       const struct placement_ask *ask, struct placement *out)
{
	struct candidates *c = malloc(sizeof(*c));

	memset(out, 0, sizeof(*out));
	out->fits = true;
	if (!c) {
		rule_add(out, "processors", false, "out of memory");
		return;
	}
	for (rows_each(rows, PARTITION, partition, p))
		if (!memcmp(p->partition, ask->uuid, UUID_LEN))
			out->node = p->node;
	find_candidates(policy, rows, ask, c);
	/* Ordinary shared contexts stay where they are, and dedicated ones cannot change. */
	if (ask->again && ask->mode != MODE_WINDOW && !(ask->flags & PROCESSOR_REALTIME) &&
	    stay(policy, ask, c, out)) {
		free(c);
		return;
	}
	processors_rule(policy, rows, ask, c, out);
	free(c);
}

/* ---- what comes of it ------------------------------------------------------------ */

int placement_apply_contexts(struct rows *rows, const struct placement_ask *ask,
			     const struct placement *placement)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < ask->vcpus; i++) {
		struct command_row_context c = {
			.r = { .type = COMMAND_ROW_CONTEXT, .length = sizeof(c) },
			.index = i, .mode = ask->mode, .flags = ask->flags,
			.budget_ns = ask->budget_ns, .period_ns = ask->period_ns,
			.window_ns = ask->window_ns,
			.window_start_ns = placement->window_start_ns[i],
		};

		memcpy(c.partition, ask->uuid, UUID_LEN);
		memcpy(c.partition_name, ask->name, sizeof(c.partition_name));
		memcpy(c.cpus, placement->cpus[i].word, sizeof(c.cpus));
		rc = rows_add(rows, &c.r);
		for (rows_each(rows, PROCESSOR, processor, p)) {
			if (!cpuset_has(&placement->cpus[i], p->cpu))
				continue;
			if (ask->mode != MODE_DEDICATED) {
				p->contexts++;
				p->windows += ask->mode == MODE_WINDOW;
				p->realtime_ppm += placement_ppm(ask->mode, ask->flags,
								 ask->budget_ns, ask->period_ns,
								 ask->window_ns, p->frame_ns);
				continue;
			}
			memcpy(p->owner, ask->uuid, UUID_LEN);
			memcpy(p->owner_name, ask->name, sizeof(p->owner_name));
		}
	}
	return rc;
}

int placement_apply(struct rows *rows, const struct placement_ask *ask,
		    const struct placement *placement)
{
	struct command_row_domain *d = rows_domain(rows, ask->domain);
	int rc = 0;

	if (rows_count(rows, COMMAND_ROW_HOST))
		((struct command_row_host *)rows_at(rows, COMMAND_ROW_HOST, 0))->memory_assigned +=
			ask->memory;
	if (d)
		d->memory_assigned += ask->memory;
	for (rows_each(rows, MEMORY, memory, m))
		if (m->node == placement->node)
			m->assigned += ask->memory;
	for (rows_each(rows, PARTITION, partition, p))
		if (!memcmp(p->partition, ask->uuid, UUID_LEN)) {
			p->memory_assigned = ask->memory;
			p->state = PARTITION_STARTING;
		}
	rc = placement_apply_contexts(rows, ask, placement);
	for (uint32_t i = 0; !rc && i < ask->devices; i++) {
		const struct placement_servers *s = &placement->servers[i];
		struct command_row_channel c = {
			.r = { .type = COMMAND_ROW_CHANNEL, .length = sizeof(c) },
			.servers = s->count,
		};

		memcpy(c.partition, ask->uuid, UUID_LEN);
		memcpy(c.server, s->uuid, sizeof(c.server));
		rc = rows_add(rows, &c.r);
	}
	return rc;
}

int placement_error(const struct placement *placement, const struct placement_ask *ask,
		    struct error *e)
{
	for (unsigned int i = 0; i < placement->rules; i++) {
		const struct placement_rule *r = &placement->rule[i];

		if (r->fits)
			continue;
		error_set(e, r->code, "refused by the rule %s: %s", r->rule, r->reason);
		error_where(e, "partition %s", ask->name);
		if (r->limit[0])
			error_why(e, "limit %s, asked %s, in use %s%s%s%s, free %s", r->limit,
				  r->asked, r->in_use, r->by[0] ? " (" : "", r->by,
				  r->by[0] ? ")" : "", r->free);
		error_fix(e, "%s", r->fix);
		e->details = json_pack("{s:o}", "rules", placement_rules_to_json(placement));
		return -1;
	}
	return 0;
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

json_t *placement_rules_to_json(const struct placement *placement)
{
	json_t *rules = json_array();

	for (unsigned int i = 0; i < placement->rules; i++) {
		const struct placement_rule *r = &placement->rule[i];

		json_array_append_new(rules, json_pack(
			"{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "rule", r->rule, "fits",
			r->fits, "limit", text_or_null(r->limit), "asked", text_or_null(r->asked),
			"in_use", text_or_null(r->in_use), "free", text_or_null(r->free), "by",
			text_or_null(r->by), "reason", r->reason, "fix",
			text_or_null(r->fits ? "" : r->fix)));
	}
	return rules;
}

json_t *placement_to_json(const struct placement *placement, const struct placement_ask *ask)
{
	json_t *contexts = json_array(), *channels = json_array(), *o;
	char list[4096];

	for (uint32_t i = 0; i < ask->vcpus; i++) {
		cpuset_format(&placement->cpus[i], list, sizeof(list));
		o = json_pack("{s:i, s:s, s:s}", "index", (int)i, "mode",
			      ask->mode == MODE_DEDICATED ? "dedicated" :
			      ask->mode == MODE_WINDOW ? "window" : "shared", "cpus", list);
		if (ask->mode == MODE_WINDOW)
			json_object_set_new(o, "window_start_us",
					    json_integer(placement->window_start_ns[i] / 1000));
		json_array_append_new(contexts, o);
	}
	for (uint32_t i = 0; i < ask->devices; i++) {
		json_t *servers = json_array();

		for (uint32_t s = 0; s < placement->servers[i].count; s++)
			json_array_append_new(servers, json_string(placement->servers[i].name[s]));
		json_array_append_new(channels, json_pack("{s:s, s:o}", "device", ask->device[i],
							  "servers", servers));
	}
	return json_pack("{s:s, s:i, s:I, s:o, s:o}", "domain", ask->domain, "node",
			 (int)placement->node, "memory", (json_int_t)ask->memory, "contexts",
			 contexts, "channels", channels);
}

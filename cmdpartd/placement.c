/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules, in this order: quotas (partitions, vcpus, memory, devices), domain, domain-memory,
 * host-memory, node, huge-pages, processors (or windows, or realtime), overcommit,
 * io-partitions. All of them are judged even when one refuses, so that one answer tells all that
 * stands in the way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/size.h>
#include <common/uuid.h>

#include "candidate.h"
#include "placement.h"

static void quota_rules(const struct policy *policy, const struct rows *rows,
			const struct placement_ask *ask, struct placement *out)
{
	uint64_t others = 0;
	struct placement_rule *r;
	bool fits;

	for (rows_each(rows, PARTITION, partition, p))
		others += p->kind == PARTITION_GUEST && memcmp(p->partition, ask->uuid, UUID_LEN);
	fits = rule_room(policy->partitions, others, 1);
	r = rule_add(out, "partitions", fits, "the host may have %llu partitions",
		     (unsigned long long)policy->partitions);
	rule_counts(r, policy->partitions, 1, others);
	snprintf(r->fix, sizeof(r->fix), "undefine one, or raise quotas.partitions of the policy");

	fits = ask->vcpus <= policy->partition_vcpus;
	r = rule_add(out, "vcpus", fits, "a partition may have %llu vCPUs",
		     (unsigned long long)policy->partition_vcpus);
	rule_counts(r, policy->partition_vcpus, ask->vcpus, 0);
	snprintf(r->fix, sizeof(r->fix), "ask for less, or raise quotas.vcpus of the policy");

	fits = ask->memory <= policy->partition_memory;
	r = rule_add(out, "memory", fits, "the limit of one partition's memory");
	rule_bytes(r, policy->partition_memory, ask->memory, 0);
	snprintf(r->fix, sizeof(r->fix), "ask for less, or raise quotas.memory of the policy");

	fits = ask->devices <= policy->partition_devices;
	r = rule_add(out, "devices", fits, "a partition may have %llu devices",
		     (unsigned long long)policy->partition_devices);
	rule_counts(r, policy->partition_devices, ask->devices, 0);
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

static void host_rule(const struct rows *rows, struct placement *out)
{
	const struct command_row_host *h = rows_at(rows, COMMAND_ROW_HOST, 0);
	struct placement_rule *r;

	if (!rows_count(rows, COMMAND_ROW_HOST) || !h->stopping)
		return;
	r = rule_add(out, "host", false, "the host is being stopped, nothing is started on it");
	r->code = EXIT_CONFLICT;
	snprintf(r->fix, sizeof(r->fix), "cmdpartctl host start");
}

static void domain_quota_rule(const struct policy *policy, const struct rows *rows,
			      const struct placement_ask *ask, struct placement *out)
{
	const struct policy_domain *d = policy_domain(policy, ask->domain);
	struct placement_rule *r;
	uint64_t others = 0;
	size_t n;

	if (!d || !d->partitions)
		return;
	r = rule_add(out, "domain-partitions", true, "this many partitions of domain %s may be on",
		     d->name);
	for (rows_each(rows, PARTITION, partition, p)) {
		if (p->kind != PARTITION_GUEST || p->state == PARTITION_DEFINED ||
		    p->state == PARTITION_FAILED || strcmp(p->domain, d->name) ||
		    !memcmp(p->partition, ask->uuid, UUID_LEN))
			continue;
		others++;
		n = strlen(r->by);
		snprintf(r->by + n, sizeof(r->by) - n, "%s%s", n ? ", " : "", p->name);
	}
	rule_judge(out, r, rule_room(d->partitions, others, 1));
	rule_counts(r, d->partitions, 1, others);
	snprintf(r->fix, sizeof(r->fix), "stop one of them, or raise domains[].partitions of the "
		 "policy");
}

static void memory_rules(const struct policy *policy, const struct rows *rows,
			 const struct placement_ask *ask, const struct command_row_domain *d,
			 struct placement *out)
{
	const struct command_row_host *h = rows_count(rows, COMMAND_ROW_HOST) ?
					   rows_at(rows, COMMAND_ROW_HOST, 0) : NULL;
	struct placement_rule *r;
	uint64_t limit, left;

	if (d) {
		r = rule_add(out, "domain-memory",
			     rule_room(d->memory, d->memory_assigned, ask->memory),
			     "domain %s has this much memory", d->name);
		rule_bytes(r, d->memory, ask->memory, d->memory_assigned);
		rule_memory_users(rows, d->name, r->by, sizeof(r->by));
		rule_memory_fix(r, rows, d->name, -1, d->memory > d->memory_assigned ?
				d->memory - d->memory_assigned : 0, ask->memory,
				"use another domain");
	}
	if (h) {
		limit = policy->has_host && policy->host_memory < h->memory_pool ?
			policy->host_memory : h->memory_pool;
		left = h->memory_total > policy->headroom ? h->memory_total - policy->headroom : 0;
		if (policy->headroom && left < limit)
			limit = left;
		r = rule_add(out, "host-memory", rule_room(limit, h->memory_assigned, ask->memory),
			     "partitions may have this much of the host's memory%s",
			     limit == left ? ", for the headroom of the policy" : "");
		rule_bytes(r, limit, ask->memory, h->memory_assigned);
		rule_memory_users(rows, NULL, r->by, sizeof(r->by));
		rule_memory_fix(r, rows, NULL, -1, limit > h->memory_assigned ?
				limit - h->memory_assigned : 0, ask->memory,
				"raise host.memory of the policy");
	}
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

static void io_rule(const struct policy *policy, const struct rows *rows,
		    const struct placement_ask *ask, struct placement *out)
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
	if (n < policy->io_partitions)
		r = rule_add(out, "io-partitions", false, n ? "the host has one I/O partition: a "
			     "device would have no standby" : "the host has no I/O partition");
	else
		r = rule_add(out, "io-partitions", true, "%u of %u run; each device gets %s, the "
			     "one that serves least first", running, n,
			     n > 1 ? "two" : "one, and no standby");
	snprintf(r->fix, sizeof(r->fix), "start iopartd@a and iopartd@b%s", n ?
		 ", or set placement.io_partitions of the policy to 1" : "");
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
	host_rule(rows, out);
	d = domain_rule(rows, ask, out);
	memory_rules(policy, rows, ask, d, out);
	if (d) {
		domain_quota_rule(policy, rows, ask, out);
		candidates_find(policy, rows, ask, c);
		if (node_rule(policy, rows, ask, c, out) && policy->numa_strict)
			candidates_only_node(c, out->node);
		processors_rule(policy, rows, ask, c, out);
	}
	io_rule(policy, rows, ask, out);
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
	candidates_find(policy, rows, ask, c);
	if (policy->numa_strict)
		candidates_only_node(c, out->node);
	/* Ordinary shared contexts stay where they are, and dedicated ones cannot change. */
	if (ask->again && ask->mode != MODE_WINDOW && !(ask->flags & PROCESSOR_REALTIME) &&
	    processors_stay(policy, rows, ask, c, out)) {
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
		if (m->node == placement->node) {
			m->assigned += ask->memory;
			if (placement->huge_pages)
				m->huge_free -= ask->memory / COMMAND_HUGE_PAGE;
		}
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
	return json_pack("{s:s, s:i, s:I, s:b, s:o, s:o}", "domain", ask->domain, "node",
			 (int)placement->node, "memory", (json_int_t)ask->memory, "huge_pages",
			 placement->huge_pages, "contexts", contexts, "channels", channels);
}

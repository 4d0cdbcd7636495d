/* SPDX-License-Identifier: Apache-2.0 */
/* Placement: one rule a function, in order; the first that objects names the reason. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/size.h>

#include "placement.h"

struct question {
	const struct hosts *hosts;
	const struct definition *d;
	const struct store_partition *where;
	const char *uuid;
	const struct store_domain *domain;	/* the definition's, on the host asked about */
};

bool placement_is_on(const char *state)
{
	static const char *const on[] = { "starting", "running", "paused", "stopping" };
	size_t i;

	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		if (!strcmp(state, on[i]))
			return true;
	return false;
}

const char *placement_state_words(const char *state)
{
	static const char *const words[][2] = {
		{ "defined", "is off" }, { "starting", "is starting" }, { "running", "is running" },
		{ "paused", "is paused" }, { "stopping", "is stopping" },
		{ "failed", "has failed" }, { "gone", "is unknown" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(state, words[i][0]))
			return words[i][1];
	return "is in a state that this opsd does not know";
}

static int object(struct placement_verdict *v, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int object(struct placement_verdict *v, enum exit_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(v->reason, sizeof(v->reason), format, args);
	va_end(args);
	v->code = code;
	return -1;
}

static int rule_up(const struct question *q, struct placement_verdict *v)
{
	(void)q;
	if (v->host->row.state == HOST_UP)
		return 0;
	return object(v, EXIT_UNREACHABLE, "its resource service does not answer%s%s",
		      v->host->row.why[0] ? ": " : "", v->host->row.why);
}

/*
 * One running copy: as long as another host says that it runs there, or was its place and cannot
 * be asked, no host but that one may be asked to start it.
 */
static int rule_elsewhere(const struct question *q, struct placement_verdict *v)
{
	const struct host_partition *p;
	const struct host *other;

	TAILQ_FOREACH(other, q->hosts, link) {
		if (other == v->host)
			continue;
		if (other->row.state == HOST_UP) {
			p = host_partition(other, q->uuid);
			if (p && placement_is_on(p->state))
				return object(v, EXIT_CONFLICT, "%s %s on %s", q->d->name,
					      placement_state_words(p->state), other->row.name);
		} else if (q->where && !strcmp(q->where->host, other->row.name) &&
			   (q->where->active || placement_is_on(q->where->seen))) {
			return object(v, EXIT_CONFLICT,
				      "%s was placed on %s, which is silent: it may run there",
				      q->d->name, other->row.name);
		}
	}
	return 0;
}

/* Only a partition that runs there may be asked for again. */
static int rule_configured(const struct question *q, struct placement_verdict *v)
{
	(void)q;
	if (!v->host->retired)
		return 0;
	return object(v, EXIT_CONFLICT, "it is no longer configured (opsd --host)");
}

static int rule_domain(const struct question *q, struct placement_verdict *v)
{
	if (q->domain)
		return 0;
	return object(v, EXIT_NOT_FOUND, "it has no domain %s", q->d->domain);
}

static int rule_cpus(const struct question *q, struct placement_verdict *v)
{
	if (q->d->mode != MODE_DEDICATED || q->d->vcpus <= q->domain->cpus_free)
		return 0;
	return object(v, EXIT_RESOURCES,
		      "%u dedicated processor%s asked, %u of domain %s (%s) are free", q->d->vcpus,
		      q->d->vcpus == 1 ? "" : "s", q->domain->cpus_free, q->domain->name,
		      q->domain->cpus);
}

static int rule_memory(const struct question *q, struct placement_verdict *v)
{
	char asked[SIZE_TEXT], left[SIZE_TEXT], total[SIZE_TEXT];
	uint64_t used = q->domain->memory_assigned, all = q->domain->memory;

	if (used <= all && q->d->memory <= all - used)
		return 0;
	return object(v, EXIT_RESOURCES, "%s of memory asked, %s of %s free in domain %s",
		      size_human(q->d->memory, asked),
		      size_human(used < all ? all - used : 0, left), size_human(all, total),
		      q->domain->name);
}

static const struct rule {
	const char *name;
	int (*check)(const struct question *q, struct placement_verdict *v);
	bool capacity;		/* not asked of a host that has it running: it fits there already */
} rules[] = {
	{ "up", rule_up, false },
	{ "elsewhere", rule_elsewhere, false },
	{ "configured", rule_configured, true },
	{ "domain", rule_domain, true },
	{ "cpus", rule_cpus, true },
	{ "memory", rule_memory, true },
};

static void judge(struct question *q, struct placement_verdict *v)
{
	const struct host_partition *p = host_partition(v->host, q->uuid);
	bool on = p && placement_is_on(p->state);
	char left[SIZE_TEXT];
	uint64_t room;
	size_t i;

	q->domain = host_domain(v->host, q->d->domain);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].capacity && on)
			continue;
		if (rules[i].check(q, v)) {
			v->rule = rules[i].name;
			return;
		}
	}
	v->fits = true;
	v->here_before = q->where && !strcmp(q->where->host, v->host->row.name);
	v->score = v->here_before ? PLACEMENT_HERE_BEFORE : 0;
	if (on) {
		snprintf(v->reason, sizeof(v->reason), "it %s there",
			 placement_state_words(p->state));
		return;
	}
	room = q->domain->memory - q->domain->memory_assigned - q->d->memory;
	v->score += room * 100.0 / q->domain->memory;
	snprintf(v->reason, sizeof(v->reason), "%s of domain %s would stay free%s",
		 size_human(room, left), q->domain->name,
		 v->here_before ? ", and it was here before" : "");
}

static int by_rank(const void *left, const void *right)
{
	const struct placement_verdict *a = left, *b = right;

	if (a->fits != b->fits)
		return a->fits ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return strcmp(a->host->row.name, b->host->row.name);
}

size_t placement_rank(const struct hosts *hosts, const struct definition *d,
		      const char *uuid, const struct store_partition *where,
		      struct placement_verdict out[OPS_MAX_HOSTS])
{
	struct question q = { .hosts = hosts, .d = d, .uuid = uuid, .where = where };
	const struct host *h;
	size_t n = 0;

	TAILQ_FOREACH(h, hosts, link) {
		if (n == OPS_MAX_HOSTS)
			break;
		out[n] = (struct placement_verdict){ .host = h };
		judge(&q, &out[n++]);
	}
	qsort(out, n, sizeof(*out), by_rank);
	return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules "windows" and "realtime": each context gets one CPU, and a window the first gap in that
 * CPU's frame that is long enough. Windows and real-time budgets together leave a CPU 10 %.
 */
#include <stdio.h>

#include "candidate.h"

uint64_t placement_ppm(uint32_t mode, uint32_t flags, uint64_t budget_ns, uint64_t period_ns,
		       uint64_t window_ns, uint64_t frame_ns)
{
	if (mode == MODE_WINDOW)
		return command_ppm(window_ns, frame_ns);
	return flags & PROCESSOR_REALTIME ? command_ppm(budget_ns, period_ns) : 0;
}

/* A window that is taken: of another partition's, or of a context placed before. */
static bool next_taken(const struct rows *rows, const struct placement_ask *ask,
		       const struct placement *out, uint32_t placed, uint32_t cpu, size_t *at,
		       uint64_t *start, uint64_t *end)
{
	size_t contexts = rows_count(rows, COMMAND_ROW_CONTEXT);

	for (; *at < contexts; (*at)++) {
		const struct command_row_context *c = rows_at(rows, COMMAND_ROW_CONTEXT, *at);

		if (c->mode != MODE_WINDOW || !cpuset_has(set(c->cpus), cpu))
			continue;
		*start = c->window_start_ns;
		*end = *start + c->window_ns;
		(*at)++;
		return true;
	}
	for (; *at < contexts + placed; (*at)++) {
		if (!cpuset_has(&out->cpus[*at - contexts], cpu))
			continue;
		*start = out->window_start_ns[*at - contexts];
		*end = *start + ask->window_ns;
		(*at)++;
		return true;
	}
	return false;
}

/* Where a window of this length can begin, not before from; UINT64_MAX: nowhere. */
static uint64_t find_slot(const struct rows *rows, const struct placement_ask *ask,
			  const struct placement *out, uint32_t placed,
			  const struct command_row_processor *p, uint64_t from, uint64_t length)
{
	uint64_t start, end;
	bool moved = true;

	while (moved && length <= p->frame_ns && from <= p->frame_ns - length) {
		size_t at = 0;

		moved = false;
		while (next_taken(rows, ask, out, placed, p->cpu, &at, &start, &end))
			if (start < from + length && from < end) {
				from = end;
				moved = true;
			}
	}
	return !moved && length <= p->frame_ns && from <= p->frame_ns - length ? from : UINT64_MAX;
}

/* The longest window that would still fit on this CPU. */
static uint64_t longest_slot(const struct rows *rows, const struct placement_ask *ask,
			     const struct placement *out, uint32_t placed,
			     const struct candidate *c)
{
	uint64_t left = c->realtime < PROCESSOR_REALTIME_PPM ?
			(PROCESSOR_REALTIME_PPM - c->realtime) * c->row->frame_ns / FULL : 0;
	uint64_t low = 0, high = left;

	/* Whatever is shorter than what fits, fits as well. */
	while (high - low > 1000) {
		uint64_t middle = low + (high - low) / 2;

		if (find_slot(rows, ask, out, placed, c->row, 0, middle) == UINT64_MAX)
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* The best of the candidates for context i, its window in out; NULL: none. */
static struct candidate *choose_one(const struct rows *rows, const struct placement_ask *ask,
				    struct candidates *c, struct placement *out, uint32_t i)
{
	struct candidate *best = NULL;
	uint64_t best_cost = UINT64_MAX;

	for (unsigned int n = 0; n < c->count; n++) {
		struct candidate *x = &c->cpu[n];
		bool here = ask->again && cpuset_has(&ask->cpus[i], x->row->cpu);
		uint64_t ppm = placement_ppm(ask->mode, ask->flags, ask->budget_ns, ask->period_ns,
					     ask->window_ns, x->row->frame_ns);
		uint64_t slot = 0, v;

		if (x->realtime + ppm > PROCESSOR_REALTIME_PPM)
			continue;
		/* Where it is; another CPU than its other vCPUs'; its node; least in real time. */
		v = !here;
		v = v << 1 | x->chosen;
		v = v << 1 | (x->row->node != out->node);
		v = v << 20 | x->realtime;
		v = v << 30 | (x->load < (1u << 30) ? x->load : (1u << 30) - 1);
		v = v << 10 | x->row->cpu;
		if (v >= best_cost)
			continue;
		/* Last, for it looks at all windows. */
		if (ask->mode == MODE_WINDOW) {
			slot = here ? find_slot(rows, ask, out, i, x->row,
						ask->window_start_ns[i], ask->window_ns) :
			       UINT64_MAX;
			if (slot == UINT64_MAX)
				slot = find_slot(rows, ask, out, i, x->row, 0, ask->window_ns);
			if (slot == UINT64_MAX)
				continue;
		}
		best = x;
		best_cost = v;
		out->window_start_ns[i] = slot;
	}
	return best;
}

static void set_us(char to[48], uint64_t ns)
{
	snprintf(to, 48, "%llu us", (unsigned long long)ns / 1000);
}

static void refuse_window(const struct rows *rows, const struct placement_ask *ask,
			  const struct candidates *c, struct placement *out, uint32_t placed)
{
	const struct candidate *best = NULL;
	uint64_t longest = 0;
	struct placement_rule *r;

	for (unsigned int n = 0; n < c->count; n++) {
		uint64_t slot = longest_slot(rows, ask, out, placed, &c->cpu[n]);

		if (best && slot <= longest)
			continue;
		best = &c->cpu[n];
		longest = slot;
	}
	if (best && best->row->frame_ns)
		r = rule_add(out, "windows", false, "no CPU of domain %s has room for it in its "
			     "frame of %llu us; the longest window that fits is on CPU %u",
			     ask->domain, (unsigned long long)best->row->frame_ns / 1000,
			     best->row->cpu);
	else
		r = rule_add(out, "windows", false, "domain %s has no CPU with a frame for windows",
			     ask->domain);
	set_us(r->limit, best ? best->row->frame_ns * 9 / 10 : 0);
	set_us(r->asked, ask->window_ns);
	set_us(r->free, longest);
	snprintf(r->by, sizeof(r->by), "%s", c->excluded);
	snprintf(r->fix, sizeof(r->fix), "ask for a shorter window_us, stop a partition with "
		 "windows, or use another domain");
}

static void set_percent(char to[48], uint64_t ppm)
{
	snprintf(to, 48, "%.1f %%", (double)ppm / 1e4);
}

static void refuse_realtime(const struct placement_ask *ask, const struct candidates *c,
			    struct placement *out)
{
	uint64_t least = UINT64_MAX;
	struct placement_rule *r;

	for (unsigned int n = 0; n < c->count; n++)
		if (c->cpu[n].realtime < least)
			least = c->cpu[n].realtime;
	r = rule_add(out, "realtime", false, "no CPU of domain %s has that much left for windows "
		     "and real-time budgets", ask->domain);
	set_percent(r->limit, PROCESSOR_REALTIME_PPM);
	set_percent(r->asked, command_ppm(ask->budget_ns, ask->period_ns));
	if (c->count) {
		set_percent(r->in_use, least);
		set_percent(r->free, least < PROCESSOR_REALTIME_PPM ?
			    PROCESSOR_REALTIME_PPM - least : 0);
	}
	snprintf(r->by, sizeof(r->by), "%s", c->excluded);
	snprintf(r->fix, sizeof(r->fix), "ask for a smaller budget, stop a partition in real time, "
		 "or leave \"realtime\" out");
}

void realtime_rule(const struct rows *rows, const struct placement_ask *ask,
		   struct candidates *c, struct placement *out)
{
	struct cpuset all = { { 0 } };
	struct placement_rule *r;
	struct candidate *best;
	uint64_t frame_ns = 0;
	char list[LIST];

	for (uint32_t i = 0; i < ask->vcpus; i++) {
		best = choose_one(rows, ask, c, out, i);
		if (!best && ask->mode == MODE_WINDOW) {
			refuse_window(rows, ask, c, out, i);
			return;
		}
		if (!best) {
			refuse_realtime(ask, c, out);
			return;
		}
		best->chosen = true;
		best->realtime += placement_ppm(ask->mode, ask->flags, ask->budget_ns,
						ask->period_ns, ask->window_ns,
						best->row->frame_ns);
		cpuset_add(&out->cpus[i], best->row->cpu);
		cpuset_add(&all, best->row->cpu);
		frame_ns = best->row->frame_ns;
	}
	cpuset_format(&all, list, sizeof(list));
	if (ask->mode == MODE_WINDOW) {
		r = rule_add(out, "windows", true, "CPU %s, at %llu us of each frame%s", list,
			     (unsigned long long)out->window_start_ns[0] / 1000,
			     ask->vcpus > 1 ? " (the first vCPU)" : "");
		set_us(r->limit, frame_ns);
		set_us(r->asked, ask->window_ns);
		return;
	}
	r = rule_add(out, "realtime", true, "CPU %s: one for each vCPU, the least in real time",
		     list);
	set_percent(r->limit, PROCESSOR_REALTIME_PPM);
	set_percent(r->asked, command_ppm(ask->budget_ns, ask->period_ns));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, the histogram, and how long a guest waited for a new server. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "inflight.h"
#include "statistics.h"

uint64_t statistics_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct io_statistics *statistics_of(const struct device *d)
{
	char *area = channel_private(d->channel);

	return (struct io_statistics *)(area + d->type->geometry.private_size -
					IO_STATISTICS_SIZE);
}

static unsigned int bucket(uint64_t ns)
{
	unsigned int bits = ns > 1 ? 64 - __builtin_clzll(ns - 1) : 0;

	if (bits <= IO_LATENCY_FIRST)
		return 0;
	bits -= IO_LATENCY_FIRST;
	return bits < IO_LATENCY_BUCKETS ? bits : IO_LATENCY_BUCKETS - 1;
}

void statistics_done(struct device *d, enum io_operation what, uint64_t requests, uint64_t bytes,
		     uint64_t errors, uint64_t latency_ns, uint64_t now)
{
	struct io_statistics *s = statistics_of(d);
	struct io_counter *c = &s->operation[what];

	c->requests += requests;
	c->bytes += bytes;
	c->errors += errors;
	if (latency_ns != UINT64_MAX) {
		c->latency_ns += latency_ns;
		c->latency[bucket(latency_ns)]++;
	}
	s->done_ns = now;
	if (!s->waits_ns)
		return;
	s->stall_ns = now > s->waits_ns ? now - s->waits_ns : 0;
	if (s->stall_ns > s->stall_max_ns)
		s->stall_max_ns = s->stall_ns;
	s->waits_ns = 0;
}

void statistics_forget_wait(struct device *d)
{
	statistics_of(d)->waits_ns = 0;
}

/* ---- a take-over */

/* How many requests are under way, and since when the oldest is. Guarded. */
static unsigned int under_way(const struct device *d, uint64_t *oldest)
{
	struct io_inflight *table = channel_private(d->channel);
	unsigned int q, i, n = 0;

	*oldest = UINT64_MAX;
	if (d->id.channel_type != CHANNEL_BLOCK)
		return 0;
	for (q = 0; q < IO_MAX_QUEUES; q++) {
		struct io_inflight_queue *s = IO_INFLIGHT_QUEUE(table, q);

		for (i = 0; i < IO_MAX_QUEUE_SIZE; i++) {
			const struct io_entry *e = &s->entry[i];

			if (atomic_load_explicit(&e->state, memory_order_relaxed) == IO_FREE)
				continue;
			n++;
			if (e->taken_ns < *oldest)
				*oldest = e->taken_ns;
		}
	}
	return n;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Since when the guest waits, 0: it does not. What was taken tells it; of what nobody has taken it
 * is only known that nothing has been done since done_ns, and that the module would not have let
 * a kick stay unanswered for longer than it allows.
 */
static uint64_t waits_since(struct device *d, const struct io_statistics *s, uint64_t now)
{
	uint64_t oldest, since = 0;

	if (under_way(d, &oldest))
		since = later(s->done_ns, oldest);
	else if (d->type->waits && d->type->waits(d))
		since = later(s->done_ns, now > IO_ANSWER_NS ? now - IO_ANSWER_NS : 1);
	return since < now ? since : now;
}

static int promoted(void *argument)
{
	struct device *d = argument;
	struct io_statistics *s = statistics_of(d);
	uint64_t now = statistics_now();

	if (s->version != IO_STATISTICS_VERSION) {
		memset(s, 0, sizeof(*s));
		s->version = IO_STATISTICS_VERSION;
	}
	if (s->promoted_ns) {
		s->takeovers++;
		/* It may have waited for the server before this one already. */
		if (!s->waits_ns) {
			s->stall_ns = 0;
			s->waits_ns = waits_since(d, s, now);
		}
	}
	s->promoted_ns = now;
	return 0;
}

int statistics_promoted(struct device *d)
{
	return guarded(d->channel, promoted, d);
}

/* ---- for others */

struct tell {
	struct device *d;
	struct io_report *to;
};

static int tell(void *argument)
{
	struct tell *t = argument;
	uint64_t oldest;

	t->to->statistics = *statistics_of(t->d);
	t->to->in_flight = under_way(t->d, &oldest);
	return 0;
}

int statistics_report(struct device *d, struct io_report *to)
{
	struct tell t = { .d = d, .to = to };

	memset(to, 0, sizeof(*to));
	to->length = sizeof(*to);
	to->type = d->id.channel_type;
	memcpy(to->partition, d->id.partition_uuid, sizeof(to->partition));
	snprintf(to->device, sizeof(to->device), "%s", d->id.name);
	to->now_ns = statistics_now();
	return guarded(d->channel, tell, &t);
}

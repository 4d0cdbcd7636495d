// SPDX-License-Identifier: GPL-2.0
/*
 * Budget arithmetic, free of kernel state and of loops: a caller may have run, or slept, for
 * any number of periods.
 */
#include "budget.h"

void uvr_budget_set(struct uvr_budget *b, u64 budget, u64 period, u64 now)
{
	b->budget = budget;
	b->period = period;
	b->start = now;
	b->used = 0;
}

/* Moves on by n whole periods in which nothing was used. */
static void pass(struct uvr_budget *b, u64 n)
{
	u64 debts = b->used / b->budget;	/* periods that they take up */

	b->used = n > debts ? 0 : b->used - n * b->budget;
	b->start += n * b->period;
}

static void roll(struct uvr_budget *b, u64 now)
{
	if (now >= b->start + b->period)
		pass(b, (now - b->start) / b->period);
}

void uvr_budget_charge(struct uvr_budget *b, u64 from, u64 to)
{
	u64 n;

	if (!b->period)
		return;
	roll(b, from);
	if (to >= b->start + b->period) {
		/* To the end of this period, then whole ones: each uses all and pays one budget. */
		b->used += b->start + b->period - from;
		pass(b, 1);
		n = (to - b->start) / b->period;
		b->used += n * (b->period - b->budget);
		b->start += n * b->period;
		from = b->start;
	}
	b->used += to - from;
}

u64 uvr_budget_left(struct uvr_budget *b, u64 now)
{
	if (!b->period)
		return ~0ULL;
	roll(b, now);
	return b->used < b->budget ? b->budget - b->used : 0;
}

u64 uvr_budget_wake(const struct uvr_budget *b)
{
	return b->period ? b->start + b->used / b->budget * b->period : 0;
}

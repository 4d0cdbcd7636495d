/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of "at most budget in each period". Times are nanoseconds of one monotonic
 * clock, and never go back from call to call. What was used beyond a budget is a debt, paid by
 * the periods that follow; what was not used is not saved.
 */
#ifndef _UVR_BUDGET_H
#define _UVR_BUDGET_H

#include "pure.h"

struct uvr_budget {
	u64 budget;
	u64 period;		/* 0: no limit */
	u64 start;		/* of the current period */
	u64 used;		/* in it, debts of earlier ones included */
};

void uvr_budget_set(struct uvr_budget *b, u64 budget, u64 period, u64 now);

/* Accounts that [from, to) was used. */
void uvr_budget_charge(struct uvr_budget *b, u64 from, u64 to);

/* How long may be run from now on, this period; ~0 without a limit. */
u64 uvr_budget_left(struct uvr_budget *b, u64 now);

/* The earliest time at which something is left again, if nothing is used till then. */
u64 uvr_budget_wake(const struct uvr_budget *b);

#endif /* _UVR_BUDGET_H */

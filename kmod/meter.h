/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meter of a context: how long its runner has been on a processor, for the books and
 * against its budget. It counts from uvr_meter_start to uvr_meter_stop, while the thread that
 * called them is scheduled in: time asleep in HLT costs nothing.
 *
 * Everything here belongs to the thread that runs the context, its scheduler hooks and the timer
 * on its processor; since all three are on one processor, interrupts off is all the locking
 * there is. Others may read what is marked r, with READ_ONCE, and use uvr_meter_run_ns.
 */
#ifndef _UVR_METER_H
#define _UVR_METER_H

#include <linux/hrtimer.h>
#include <linux/preempt.h>
#include <linux/seqlock.h>

#include "budget.h"

struct uvr_meter {
	struct preempt_notifier notifier;
	struct hrtimer timer;		/* fires when the budget is used up; armed while on a CPU */
	struct task_struct *task;
	struct uvr_budget budget;
	const struct cpumask *cpus;	/* where the task may be */
	u64 exhausted;			/* start of the last period that ran out */
	seqcount_t laps;		/* for readers of the next three */
	u64 since;			/* counted up to here */
	u64 run_ns;
	bool on_cpu;			/* r */
	u64 throttled;			/* r: periods that ran out */
	u64 forced;			/* r: times forced out by the timer or for its processor */
};

void uvr_meter_prepare(struct uvr_meter *meter, const struct cpumask *cpus);
void uvr_meter_start(struct uvr_meter *meter);
void uvr_meter_stop(struct uvr_meter *meter);
void uvr_meter_set(struct uvr_meter *meter, u64 budget, u64 period);

/* 0 while some budget is left, else when (on the monotonic clock) there will be. */
u64 uvr_meter_wake(struct uvr_meter *meter);

/* All the time on a processor, up to now. For anyone. */
u64 uvr_meter_run_ns(struct uvr_meter *meter);

void uvr_meter_init(void);
void uvr_meter_uninit(void);

#endif /* _UVR_METER_H */

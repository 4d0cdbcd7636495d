/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meter of a context: how long its runner has been on a processor, for the books and
 * against its budget or window. It counts from uvr_meter_start to uvr_meter_stop, while the
 * thread that called them is scheduled in: time asleep in HLT costs nothing.
 *
 * Everything here belongs to the thread that runs the context, its scheduler hooks and the timer
 * on its processor; since all three are on one processor, interrupts off is all the locking
 * there is. Others may read what is marked r, with READ_ONCE, and use uvr_meter_read.
 */
#ifndef _UVR_METER_H
#define _UVR_METER_H

#include <linux/hrtimer.h>
#include <linux/preempt.h>
#include <linux/seqlock.h>

#include "budget.h"
#include "window.h"

struct uvr_meter {
	struct preempt_notifier notifier;
	/*
	 * While on a CPU, and there is a budget or a window, armed for end or, if alarm is set,
	 * for that; while the thread waits for its alarm, too; else not.
	 */
	struct hrtimer timer;
	struct task_struct *task;
	struct uvr_budget budget;
	struct uvr_window window;
	const struct cpumask *cpus;	/* where the task may be */
	bool spent;			/* budget used up, or window closed, at the last look */
	bool resting;			/* the thread is about to sleep because it may not run */
	bool waits;			/* and sleeps until the alarm */
	int cpu;			/* of the thread, now or when it was last on one */
	u64 alarm;			/* when it may run again; 0: it may now */
	u64 due;			/* the last alarm that woke it */
	u64 end;			/* when it must leave the guest; 0: no limit */
	u64 exhausted;			/* start of the last period that ran out */
	u64 opened;			/* the latest window in which it was on its processor */
	u64 delay;			/* the scheduler's count of stolen_ns, at the last look */
	seqcount_t laps;		/* for readers of the next five */
	u64 since;			/* counted up to here */
	u64 run_ns;
	u64 rested_ns;
	u64 rest_since;			/* 0: it does not */
	bool on_cpu;			/* r, too */
	u64 stolen_ns;			/* r: it might have run, and something else did */
	u64 throttled;			/* r: periods that ran out */
	u64 forced;			/* r: times forced out by the timer or for its processor */
	u64 windows;			/* r: that it was there for */
	u64 late_max_ns;		/* r: of openings */
	u64 overruns;			/* r: ends that it has missed by more than UVR_OVERRUN_NS */
	u64 overrun_max_ns;		/* r */
};

#define UVR_OVERRUN_NS 20000

struct uvr_use {
	u64 run_ns;
	u64 rested_ns;
	u64 stolen_ns;
};

void uvr_meter_prepare(struct uvr_meter *meter, const struct cpumask *cpus);
void uvr_meter_start(struct uvr_meter *meter);
void uvr_meter_stop(struct uvr_meter *meter);

/* The thread is bound by a budget (period 0: by none) or by a window (length 0: likewise). */
void uvr_meter_set(struct uvr_meter *meter, u64 budget, u64 period,
		   const struct uvr_window *window);

/*
 * The thread has used up its budget, or its window is closed. The timer wakes it, if waits is set,
 * as soon as there is a reason to ask again.
 */
bool uvr_meter_must_wait(struct uvr_meter *meter);

/* All up to now. For anyone. */
struct uvr_use uvr_meter_read(struct uvr_meter *meter);

void uvr_meter_init(void);
void uvr_meter_uninit(void);

#endif /* _UVR_METER_H */

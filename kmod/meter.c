// SPDX-License-Identifier: GPL-2.0
/*
 * Metering by the scheduler's own hooks, the ones that KVM uses. The timer is armed when the
 * runner gets a processor and cancelled when it loses it, not at every exit.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "meter.h"

#ifndef CONFIG_PREEMPT_NOTIFIERS
#error "ultravisor needs a kernel with KVM (CONFIG_PREEMPT_NOTIFIERS)"
#endif

/* Makes the running thread leave the guest before it enters it again; see uvr_context_kick. */
static void force_out(struct uvr_meter *meter)
{
	set_tsk_thread_flag(meter->task, TIF_NOTIFY_SIGNAL);
	WRITE_ONCE(meter->forced, meter->forced + 1);
}

static void lap(struct uvr_meter *meter)
{
	u64 now = ktime_get_ns();

	uvr_budget_charge(&meter->budget, meter->since, now);
	raw_write_seqcount_begin(&meter->laps);
	meter->run_ns += now - meter->since;
	meter->since = now;
	raw_write_seqcount_end(&meter->laps);
}

u64 uvr_meter_run_ns(struct uvr_meter *meter)
{
	unsigned int seq;
	u64 run_ns;

	do {
		seq = read_seqcount_begin(&meter->laps);
		run_ns = meter->run_ns;
		if (meter->on_cpu)
			run_ns += ktime_get_ns() - meter->since;
	} while (read_seqcount_retry(&meter->laps, seq));
	return run_ns;
}

static void arm(struct uvr_meter *meter)
{
	u64 left = uvr_budget_left(&meter->budget, meter->since);

	if (left == ~0ULL)
		return;
	if (left)
		hrtimer_start(&meter->timer, ns_to_ktime(meter->since + left),
			      HRTIMER_MODE_ABS_PINNED_HARD);
	else
		force_out(meter);
}

static void begin(struct uvr_meter *meter)
{
	raw_write_seqcount_begin(&meter->laps);
	meter->since = ktime_get_ns();
	WRITE_ONCE(meter->on_cpu, true);
	raw_write_seqcount_end(&meter->laps);
	/*
	 * Pairs with the barrier in uvr_context_is_out. Either that sees the runner here, or what
	 * it did before (the kick) is seen before the guest is entered.
	 */
	smp_mb();
	arm(meter);
}

static void end(struct uvr_meter *meter)
{
	lap(meter);
	/* Cannot be running: it is pinned to this processor, and interrupts are off. */
	hrtimer_try_to_cancel(&meter->timer);
	raw_write_seqcount_begin(&meter->laps);
	WRITE_ONCE(meter->on_cpu, false);
	raw_write_seqcount_end(&meter->laps);
}

/* The period may have turned since the timer was armed: then there is more. */
static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct uvr_meter *meter = container_of(timer, struct uvr_meter, timer);
	u64 left;

	lap(meter);
	left = uvr_budget_left(&meter->budget, meter->since);
	if (left) {
		hrtimer_set_expires(timer, ns_to_ktime(meter->since + left));
		return HRTIMER_RESTART;
	}
	if (meter->exhausted != meter->budget.start) {
		meter->exhausted = meter->budget.start;
		WRITE_ONCE(meter->throttled, meter->throttled + 1);
	}
	force_out(meter);
	return HRTIMER_NORESTART;
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct uvr_meter *meter = container_of(notifier, struct uvr_meter, notifier);
	unsigned long flags;

	local_irq_save(flags);
	begin(meter);
	/* Somebody has moved the thread: the run loop moves it back. */
	if (unlikely(!cpumask_test_cpu(cpu, meter->cpus)))
		force_out(meter);
	local_irq_restore(flags);
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	end(container_of(notifier, struct uvr_meter, notifier));
}

/* Not const: the scheduler's interface takes a plain pointer. */
static struct preempt_ops hooks = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

void uvr_meter_prepare(struct uvr_meter *meter, const struct cpumask *cpus)
{
	meter->cpus = cpus;
	seqcount_init(&meter->laps);
	preempt_notifier_init(&meter->notifier, &hooks);
	hrtimer_setup(&meter->timer, expire, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
}

void uvr_meter_start(struct uvr_meter *meter)
{
	meter->task = current;
	preempt_disable();
	preempt_notifier_register(&meter->notifier);
	local_irq_disable();
	begin(meter);
	local_irq_enable();
	preempt_enable();
}

void uvr_meter_stop(struct uvr_meter *meter)
{
	preempt_disable();
	local_irq_disable();
	end(meter);
	local_irq_enable();
	preempt_notifier_unregister(&meter->notifier);
	preempt_enable();
}

void uvr_meter_set(struct uvr_meter *meter, u64 budget, u64 period)
{
	local_irq_disable();
	lap(meter);
	hrtimer_try_to_cancel(&meter->timer);
	if (meter->budget.budget != budget || meter->budget.period != period)
		uvr_budget_set(&meter->budget, budget, period, meter->since);
	arm(meter);
	local_irq_enable();
}

u64 uvr_meter_wake(struct uvr_meter *meter)
{
	u64 wake = 0;

	if (!meter->budget.period)
		return 0;
	local_irq_disable();
	lap(meter);
	if (!uvr_budget_left(&meter->budget, meter->since))
		wake = uvr_budget_wake(&meter->budget);
	local_irq_enable();
	return wake;
}

/* The hooks cost a patched branch in the scheduler; it is switched once, not with every run. */
void uvr_meter_init(void)
{
	preempt_notifier_inc();
}

void uvr_meter_uninit(void)
{
	preempt_notifier_dec();
}

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

/* A window contains the way out of its guest: the next one may begin where it ends. */
#define UVR_WAY_OUT_NS 2000

/* Makes the running thread leave the guest before it enters it again; see uvr_context_kick. */
static void force_out(struct uvr_meter *meter)
{
	set_tsk_thread_flag(meter->task, TIF_NOTIFY_SIGNAL);
	WRITE_ONCE(meter->forced, meter->forced + 1);
}

static void lap(struct uvr_meter *meter)
{
	u64 now = ktime_get_ns();

	/* Sent to sleep because nothing was left: how long that takes is not the guest's doing. */
	if (!meter->resting || !meter->spent)
		uvr_budget_charge(&meter->budget, meter->since, now);
	raw_write_seqcount_begin(&meter->laps);
	meter->run_ns += now - meter->since;
	meter->since = now;
	raw_write_seqcount_end(&meter->laps);
}

struct uvr_use uvr_meter_read(struct uvr_meter *meter)
{
	struct uvr_use use;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&meter->laps);
		use.run_ns = meter->run_ns;
		use.rested_ns = meter->rested_ns;
		if (meter->on_cpu)
			use.run_ns += ktime_get_ns() - meter->since;
		else if (meter->rest_since)
			use.rested_ns += ktime_get_ns() - meter->rest_since;
	} while (read_seqcount_retry(&meter->laps, seq));
	use.stolen_ns = READ_ONCE(meter->stolen_ns);
	return use;
}

static u64 left(struct uvr_meter *meter)
{
	return meter->window.length ? uvr_window_left(&meter->window, meter->since) :
	       uvr_budget_left(&meter->budget, meter->since);
}

/* A window that is open is noticed here, before anything runs in it. */
static void note_window(struct uvr_meter *meter)
{
	u64 opened = meter->end - meter->window.length, late;

	if (meter->opened == opened)
		return;
	meter->opened = opened;
	WRITE_ONCE(meter->windows, meter->windows + 1);
	/* If it was away then for another reason than the window, that was not late. */
	if (meter->due != opened)
		return;
	late = meter->since - opened;
	if (late > meter->late_max_ns)
		WRITE_ONCE(meter->late_max_ns, late);
}

static u64 next(struct uvr_meter *meter, u64 now)
{
	return meter->window.length ? uvr_window_next(&meter->window, now) :
	       uvr_budget_wake(&meter->budget);
}

/*
 * To the end if there is time left, else to the moment when there is again. Mostly the timer is
 * there already: expire has put it there, where that is cheap.
 */
static void arm(struct uvr_meter *meter)
{
	u64 time = left(meter), target;

	meter->spent = !time;
	if (time == ~0ULL)
		return;
	target = time ? meter->since + time : next(meter, meter->since);
	meter->alarm = time ? 0 : target;
	if (!hrtimer_is_queued(&meter->timer) || hrtimer_get_expires_ns(&meter->timer) != target)
		hrtimer_start(&meter->timer, ns_to_ktime(target), HRTIMER_MODE_ABS_PINNED_HARD);
	if (!time)
		return;
	meter->end = target;
	if (meter->window.length)
		note_window(meter);
}

/* Counted up to since, the thread is out of the guest: was it in time? */
static void close(struct uvr_meter *meter)
{
	u64 late;

	if (meter->end && meter->since > meter->end) {
		late = meter->since - meter->end;
		if (late > meter->overrun_max_ns)
			WRITE_ONCE(meter->overrun_max_ns, late);
		if (late > UVR_OVERRUN_NS)
			WRITE_ONCE(meter->overruns, meter->overruns + 1);
	}
	meter->end = 0;
}

/* The count that KVM shows its guests as stolen time, too: runnable, waiting for a processor. */
static void count_stolen(struct uvr_meter *meter)
{
	u64 delay = current->sched_info.run_delay;

	WRITE_ONCE(meter->stolen_ns, meter->stolen_ns + delay - meter->delay);
	meter->delay = delay;
}

static void begin(struct uvr_meter *meter)
{
	raw_write_seqcount_begin(&meter->laps);
	meter->since = ktime_get_ns();
	if (meter->rest_since) {
		meter->rested_ns += meter->since - meter->rest_since;
		meter->rest_since = 0;
	}
	WRITE_ONCE(meter->on_cpu, true);
	raw_write_seqcount_end(&meter->laps);
	/*
	 * Pairs with the barrier in uvr_context_is_out. Either that sees the runner here, or what
	 * it did before (the kick) is seen before the guest is entered.
	 */
	smp_mb();
	arm(meter);
}

static void disarm(struct uvr_meter *meter)
{
	/* Cannot be running: it is pinned to this processor, and interrupts are off. */
	hrtimer_try_to_cancel(&meter->timer);
	meter->alarm = 0;
}

static void end(struct uvr_meter *meter)
{
	lap(meter);
	close(meter);
	if (!meter->waits || !meter->alarm)
		disarm(meter);
	raw_write_seqcount_begin(&meter->laps);
	WRITE_ONCE(meter->on_cpu, false);
	if (meter->resting)
		meter->rest_since = meter->since;
	raw_write_seqcount_end(&meter->laps);
}

/* The thread sleeps until now. Only its timer is touched: it may be waking up elsewhere. */
static enum hrtimer_restart wake(struct uvr_meter *meter)
{
	meter->due = meter->alarm;
	meter->alarm = 0;
	wake_up_process(meter->task);
	if (!meter->window.length)
		return HRTIMER_NORESTART;
	hrtimer_set_expires(&meter->timer, ns_to_ktime(meter->due + meter->window.length));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct uvr_meter *meter = container_of(timer, struct uvr_meter, timer);
	u64 time;

	if (meter->alarm)
		return wake(meter);
	/* It was woken, and kept off its processor until the window was over. */
	if (!meter->on_cpu) {
		meter->alarm = next(meter, ktime_get_ns());
		hrtimer_set_expires(timer, ns_to_ktime(meter->alarm));
		return HRTIMER_RESTART;
	}
	lap(meter);
	time = left(meter);
	/* The period may have turned since the timer was armed: then there is more. */
	if (time) {
		meter->end = meter->since + time;
		hrtimer_set_expires(timer, ns_to_ktime(meter->end));
		return HRTIMER_RESTART;
	}
	if (meter->budget.period && meter->exhausted != meter->budget.start) {
		meter->exhausted = meter->budget.start;
		WRITE_ONCE(meter->throttled, meter->throttled + 1);
	}
	meter->spent = true;
	force_out(meter);
	meter->alarm = next(meter, meter->since);
	hrtimer_set_expires(timer, ns_to_ktime(meter->alarm));
	return HRTIMER_RESTART;
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct uvr_meter *meter = container_of(notifier, struct uvr_meter, notifier);
	unsigned long flags;

	local_irq_save(flags);
	count_stolen(meter);
	/* Only a waiting thread's timer is armed now: on the processor it slept on. */
	if (unlikely(cpu != meter->cpu)) {
		hrtimer_cancel(&meter->timer);
		meter->cpu = cpu;
	}
	begin(meter);
	/*
	 * Out of time while it was away; or somebody has moved the thread, and the run loop moves
	 * it back. In a rest there is nothing to be forced out of.
	 */
	if (unlikely(meter->spent || !cpumask_test_cpu(cpu, meter->cpus)) && !meter->resting)
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
	meter->delay = current->sched_info.run_delay;
	preempt_disable();
	meter->cpu = smp_processor_id();
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

void uvr_meter_set(struct uvr_meter *meter, u64 budget, u64 period,
		   const struct uvr_window *window)
{
	local_irq_disable();
	lap(meter);
	close(meter);
	disarm(meter);
	meter->window = *window;
	if (meter->window.length)
		meter->window.length -= UVR_WAY_OUT_NS;
	if (meter->budget.budget != budget || meter->budget.period != period)
		uvr_budget_set(&meter->budget, budget, period, meter->since);
	arm(meter);
	local_irq_enable();
}

/*
 * At every entry, hence the short way: as long as the thread is on a processor, the timer says
 * when it is over.
 */
bool uvr_meter_must_wait(struct uvr_meter *meter)
{
	if (likely(!READ_ONCE(meter->spent)))
		return false;
	local_irq_disable();
	lap(meter);
	close(meter);
	arm(meter);
	local_irq_enable();
	return meter->spent;
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

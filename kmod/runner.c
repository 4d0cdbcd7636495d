// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop runs in the monitor's thread: KVM_RUN needs a thread with a user FPU state and an
 * address space. To get a runner out of the guest, the module sets TIF_NOTIFY_SIGNAL on it, as
 * task_work does: KVM tests it before every entry and wakes from HLT for it, and it disturbs
 * nothing else.
 */
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "compat.h"
#include "context.h"
#include "exit.h"
#include "ioctl.h"
#include "partition.h"
#include "runner.h"
#include "trace.h"

/* A rest that a guest notices. */
#define LONG_REST_NS NSEC_PER_SEC

/*
 * Takes our own notification back. Whoever else has set the flag has queued a task_work, which
 * runs only on the way to userspace: the call goes there and comes back by itself, unnoticed.
 */
static int consume_kick(struct uvr_context *context)
{
	if (!test_thread_flag(TIF_NOTIFY_SIGNAL))
		return 0;
	trace_uvr_context_forced(context->partition->object.id, context->index);
	clear_thread_flag(TIF_NOTIFY_SIGNAL);
	/* Pairs with task_work_add: queue, then set the flag. */
	smp_mb__after_atomic();
	if (!task_work_pending(current))
		return 0;
	set_thread_flag(TIF_NOTIFY_SIGNAL);
	return task_sigpending(current) ? -EINTR : -ERESTARTNOINTR;
}

/*
 * Gives the thread its own priority back; what it was made nice to meanwhile is still in effect.
 * Before it sleeps for its window there is no need to: asleep it takes nothing from anybody, and
 * when it wakes it must come first at once.
 */
static void lower(struct uvr_context *context)
{
	if (likely(context->raised == UVR_PRIORITY_NONE))
		return;
	context->raised = UVR_PRIORITY_NONE;
	current->flags &= ~PF_NO_SETAFFINITY;
	sched_set_normal(current, task_nice(current));
}

/*
 * Only an ordinary thread is raised: one that has a policy of its own (which takes privilege, or
 * asks for less) keeps it. Nobody moves it while it is raised: elsewhere it would have, until it
 * is back, the priority on a processor that was not given.
 */
static void raise(struct uvr_context *context)
{
	if (current->policy != SCHED_NORMAL || current->flags & PF_NO_SETAFFINITY)
		return;
	context->raised = context->priority;
	current->flags |= PF_NO_SETAFFINITY;
	if (context->priority == UVR_PRIORITY_WINDOW)
		sched_set_fifo(current);
	else
		sched_set_fifo_low(current);
}

static void change(struct uvr_context *context)
{
	struct uvr_allotment allotment;
	u32 changes;

	raw_spin_lock_irq(&context->lock);
	changes = context->changes;
	allotment = context->allotment;
	raw_spin_unlock_irq(&context->lock);
	lower(context);
	cpumask_clear(context->cpus);
	bitmap_copy(cpumask_bits(context->cpus), (unsigned long *)allotment.cpus,
		    min_t(unsigned int, nr_cpumask_bits, ULTRAVISOR_CPU_WORDS * 64));
	uvr_meter_set(&context->meter, allotment.budget_ns, allotment.period_ns,
		      &allotment.window);
	if (allotment.mode == ULTRAVISOR_CONTEXT_WINDOW)
		context->priority = UVR_PRIORITY_WINDOW;
	else
		context->priority = allotment.realtime ? UVR_PRIORITY_BUDGET : UVR_PRIORITY_NONE;
	context->applied = changes;
}

/* Brings processor mask, meter and priority up to date with the allotment. */
static int apply(struct uvr_context *context)
{
	/* A change that is missed here is not in admit, under the lock. */
	if (unlikely(context->applied != READ_ONCE(context->changes)))
		change(context);
	if (unlikely(!cpumask_subset(current->cpus_ptr, context->cpus))) {
		lower(context);
		/* Fails only if none of them is online. */
		if (set_cpus_allowed_ptr(current, context->cpus))
			return -ENXIO;
	}
	if (unlikely(context->raised != context->priority))
		raise(context);
	return 0;
}

/* All that forbids it to run but time. The lease is the partition's, and not set here. */
static u32 holds(struct uvr_context *context)
{
	lockdep_assert_held(&context->lock);
	return context->holds |
	       (uvr_lease_is_over(&context->partition->lease) ? UVR_HOLD_LEASE : 0);
}

/* With interrupts off, so that an alarm is either over, or finds the thread ready to be woken. */
static bool must_rest(struct uvr_context *context)
{
	lockdep_assert_held(&context->lock);
	if (context->holds & UVR_HOLD_DEAD || context->changes != context->applied)
		return false;
	return holds(context) || context->meter.alarm;
}

/*
 * Killable, and no part of the load. Frozen with the rest of the host where it sleeps: nobody waits
 * for what it holds, its mutex is only ever tried.
 */
#define RESTING (TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE_UNSAFE)

/* Sleeps until the budget is refilled, the window opens, or something has changed. */
static int rest(struct uvr_context *context)
{
	struct uvr_meter *meter = &context->meter;
	DEFINE_WAIT(wait);
	bool sleep;

	prepare_to_wait(&context->rest, &wait, RESTING);
	raw_spin_lock_irq(&context->lock);
	sleep = must_rest(context);
	meter->waits = !holds(context);
	raw_spin_unlock_irq(&context->lock);
	if (sleep) {
		trace_uvr_context_rest(context->partition->object.id, context->index);
		meter->resting = true;
		schedule();
		meter->resting = false;
	}
	meter->waits = false;
	finish_wait(&context->rest, &wait);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Tells a guest that was away for so long, or its watchdogs take the time for a lock-up of its
 * own. KVM refuses where the guest has no such clock: then there is nothing to tell. Returns
 * since when it has been away and does not know.
 */
static u64 excuse(struct uvr_context *context, u64 since)
{
	/* When it was given its processor again; if it did not sleep, that may be long ago. */
	u64 now = context->meter.since;

	if (now < since + LONG_REST_NS)
		return since;
	vfs_ioctl(context->vcpu, KVM_KVMCLOCK_CTRL, 0);
	return now;
}

/* Returns 0 with the context entered, once it may run. */
static int admit(struct uvr_context *context)
{
	bool dead, enter, wait;
	u64 since = 0;
	int rc;

	for (;;) {
		rc = consume_kick(context);
		if (!rc)
			rc = apply(context);
		if (rc)
			return rc;
		wait = uvr_meter_must_wait(&context->meter);
		uvr_lease_check(&context->partition->lease);

		raw_spin_lock_irq(&context->lock);
		dead = context->holds & UVR_HOLD_DEAD;
		enter = !holds(context) && context->changes == context->applied && !wait;
		context->entered = enter;
		raw_spin_unlock_irq(&context->lock);
		if (dead)
			return -ESHUTDOWN;
		if (enter) {
			trace_uvr_context_run(context->partition->object.id, context->index);
			return 0;
		}
		/* Who must wait has just looked at the clock. */
		if (!since)
			since = wait ? context->meter.since : ktime_get_ns();
		rc = rest(context);
		if (rc)
			return rc;
		since = excuse(context, since);
	}
}

static void leave(struct uvr_context *context)
{
	bool held;

	raw_spin_lock_irq(&context->lock);
	context->entered = false;
	held = context->holds;
	raw_spin_unlock_irq(&context->lock);
	if (unlikely(held))
		wake_up(&context->partition->out);
}

static void count(struct uvr_context *context, enum ultravisor_exit kind)
{
	WRITE_ONCE(context->exits[kind], context->exits[kind] + 1);
	trace_uvr_context_exit(context->partition->object.id, context->index, kind);
}

/*
 * Lets the guest run until it needs its monitor, or KVM_RUN fails. In between the context stays
 * entered: whoever holds, kicks or changes it is heard as if it were in the guest.
 */
static long enter(struct uvr_context *context)
{
	struct uvr_exit exit;
	long r;

	do {
		r = vfs_ioctl(context->vcpu, KVM_RUN, 0);
		if (r)
			return r;
		exit = uvr_exit_classify(page_address(context->page));
		count(context, exit.kind);
	} while (exit.quiet || (exit.port >= 0 &&
				uvr_port_ring(&context->partition->ports, exit.port)));
	return 0;
}

/* What KVM_RUN's failure means to the monitor: EAGAIN if nothing, and the guest goes on. */
static long settle(struct uvr_context *context, long r)
{
	const struct kvm_run *run = page_address(context->page);

	if (r != -EINTR)
		/* EAGAIN is KVM's too: a waiting processor has got its start-up interrupt. */
		return r;
	count(context, ULTRAVISOR_EXIT_INTR);
	if (task_sigpending(current) || uvr_immediate_exit(run))
		return -EINTR;
	return -EAGAIN;
}

long uvr_runner_run(struct uvr_call *call)
{
	struct uvr_context *context = call->handle->context;
	long rc;

	/* While the vCPU lives, KVM holds the struct: no other address space has its address. */
	if (READ_ONCE(context->mm) != current->mm)
		return -EPERM;
	if (!mutex_trylock(&context->running))
		return -EBUSY;
	raw_spin_lock_irq(&context->lock);
	context->runner = current;
	raw_spin_unlock_irq(&context->lock);
	uvr_meter_start(&context->meter);

	do {
		rc = admit(context);
		if (rc)
			break;
		rc = enter(context);
		leave(context);
		rc = settle(context, rc);
	} while (rc == -EAGAIN);

	lower(context);
	uvr_meter_stop(&context->meter);
	raw_spin_lock_irq(&context->lock);
	context->runner = NULL;
	raw_spin_unlock_irq(&context->lock);
	mutex_unlock(&context->running);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A context: one vCPU under the module's control. It is made with its partition by uvd (where
 * and when it may run), plugged with a vCPU by the monitor, and run by a thread of the monitor,
 * the runner, one at a time.
 */
#ifndef _UVR_CONTEXT_H
#define _UVR_CONTEXT_H

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "meter.h"
#include "processor.h"

struct file;
struct kvm_run;
struct uvr_call;
struct uvr_partition;

/* Why a context may not run. */
#define UVR_HOLD_STOP BIT(0)
#define UVR_HOLD_DEAD BIT(1)
#define UVR_HOLD_LEASE BIT(2)	/* never in holds: the partition's lease says so */

/*
 * Of a runner: the thread's own; above it; above those that are above it. Windows go before
 * real-time budgets, which have no fixed place in time.
 */
enum uvr_priority {
	UVR_PRIORITY_NONE,
	UVR_PRIORITY_BUDGET,
	UVR_PRIORITY_WINDOW,
};

/*
 * No letter: constant. P: the partition's lock. L: lock, taken with interrupts off; anyone may
 * hold, kick and change a context. R: the runner's own, under running; r: others may read it with
 * READ_ONCE.
 *
 *	runner					whoever holds, kicks or changes
 *	------					-------------------------------
 *	consume TIF_NOTIFY_SIGNAL
 *	lock					lock
 *	  no hold, nothing changed?		  set hold, or change
 *	  entered = true			  runner && entered: set TIF_NOTIFY_SIGNAL, wake
 *	unlock					unlock
 *	KVM_RUN: tests the flag with
 *	  interrupts off before each entry
 *
 * Whichever takes the lock first, the runner sees the change or the flag.
 */
struct uvr_context {
	struct uvr_partition *partition;
	u32 index;
	struct file *vcpu;			/* P, see uvr_context_unplug for the runner */
	struct page *page;			/* P, of kvm_run */
	struct mm_struct *mm;			/* P: of the vCPU, compared only; NULL: unplugged */
	struct mutex running;			/* the runner's */
	raw_spinlock_t lock;			/* may it run; timers take it, too */
	u32 holds;				/* L: UVR_HOLD_… */
	bool entered;				/* L: in KVM_RUN */
	struct task_struct *runner;		/* L */
	u64 kicks;				/* L: times told to leave the guest */
	struct uvr_claim claim;			/* P, and the lock of the processors' book */
	struct uvr_allotment allotment;		/* P to write and L: the claim's */
	u32 changes;				/* L: of allotment */
	u32 applied;				/* R: what meter, cpus and priority know */
	enum uvr_priority priority;		/* R: that the runner shall have */
	enum uvr_priority raised;		/* R: that it was given */
	cpumask_var_t cpus;			/* R */
	struct uvr_meter meter;			/* R, r */
	u64 exits[ULTRAVISOR_EXIT_NR];		/* r */
	wait_queue_head_t rest;			/* the runner, while it may not run */
};

void uvr_context_hold(struct uvr_context *context, u32 hold);
void uvr_context_unhold(struct uvr_context *context, u32 hold);

/* The runner looks again whether it may run: kicked out of the guest (any context), or awake. */
void uvr_context_kick(struct uvr_context *context);
void uvr_context_wake(struct uvr_context *context);

/* Nothing of the guest is executing, nor will be until an unhold; or it is held no more. */
bool uvr_context_is_out(struct uvr_context *context);

/* Takes the vCPU away, once its address space has ended. Partition locked. */
void uvr_context_unplug(struct uvr_context *context);
/* Gives its processors back. Held as dead, partition locked. */
void uvr_context_retire(struct uvr_context *context);
void uvr_context_free(struct uvr_context *context);

/* Adds what the context has used so far. */
void uvr_context_add_use(struct uvr_context *context, struct uvr_use *use, u64 *exits);

long uvr_context_create(struct uvr_call *call);
long uvr_context_set(struct uvr_call *call);
long uvr_context_info(struct uvr_call *call);
long uvr_context_open(struct uvr_call *call);
long uvr_context_kvm(struct uvr_call *call);

#endif /* _UVR_CONTEXT_H */

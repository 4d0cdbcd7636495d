// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop runs in the monitor's thread: KVM_RUN needs a thread with a user FPU state and an
 * address space. To get a runner out of the guest, the module sets TIF_NOTIFY_SIGNAL on it, as
 * task_work does: KVM tests it before every entry and wakes from HLT for it, and it disturbs
 * nothing else.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "compat.h"
#include "context.h"
#include "exit.h"
#include "ioctl.h"
#include "partition.h"
#include "trace.h"
#include "vm.h"

/* A rest that a guest notices. */
#define LONG_REST_NS NSEC_PER_SEC

static void kick(struct uvr_context *context)
{
	struct task_struct *runner = context->runner;

	lockdep_assert_held(&context->lock);
	if (!context->entered)
		return;
	context->kicks++;
	/* runner is alive: it clears itself from the context, under the lock, before it leaves. */
	set_tsk_thread_flag(runner, TIF_NOTIFY_SIGNAL);
	if (!wake_up_process(runner))
		kick_process(runner);
}

void uvr_context_hold(struct uvr_context *context, u32 hold)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&context->lock, flags);
	context->holds |= hold;
	kick(context);
	raw_spin_unlock_irqrestore(&context->lock, flags);
	wake_up(&context->rest);
}

void uvr_context_kick(struct uvr_context *context)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&context->lock, flags);
	kick(context);
	raw_spin_unlock_irqrestore(&context->lock, flags);
}

void uvr_context_wake(struct uvr_context *context)
{
	wake_up(&context->rest);
}

void uvr_context_unhold(struct uvr_context *context, u32 hold)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&context->lock, flags);
	context->holds &= ~hold;
	raw_spin_unlock_irqrestore(&context->lock, flags);
	wake_up(&context->rest);
}

bool uvr_context_is_out(struct uvr_context *context)
{
	unsigned long flags;
	bool entered;

	raw_spin_lock_irqsave(&context->lock, flags);
	entered = context->entered && context->holds;
	raw_spin_unlock_irqrestore(&context->lock, flags);
	if (!entered)
		return true;
	/*
	 * Pairs with the barrier in meter.c's begin(). The kick came before; a runner that
	 * is not on a processor now will see it when it is again, before it enters the guest.
	 */
	smp_mb();
	return !READ_ONCE(context->meter.on_cpu);
}

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

long uvr_context_run(struct uvr_call *call)
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

long uvr_context_kvm(struct uvr_call *call)
{
	struct uvr_context *context = call->handle->context;
	struct ultravisor_kvm *arg = call->arg;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (READ_ONCE(context->mm) != current->mm)
		return -EPERM;
	return uvr_vm_vcpu_ioctl(context->vcpu, arg->cmd, arg->arg);
}

/* Hands the mapping over to the vCPU's own file; KVM serves its faults. */
static int context_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct uvr_handle *handle = file->private_data;
	struct uvr_context *context = handle->context;

	if (READ_ONCE(context->mm) != current->mm)
		return -EPERM;
	vma_set_file(vma, context->vcpu);
	return vfs_mmap(context->vcpu, vma);
}

static const struct file_operations context_fops = {
	.owner = THIS_MODULE,
	.release = uvr_handle_release,
	.unlocked_ioctl = uvr_ioctl,
	.mmap = context_mmap,
};

static struct uvr_context *find_context(struct uvr_partition *partition, u32 index)
{
	lockdep_assert_held(&partition->lock);
	if (index >= ULTRAVISOR_MAX_CONTEXTS)
		return NULL;
	return partition->contexts[array_index_nospec(index, ULTRAVISOR_MAX_CONTEXTS)];
}

void uvr_context_retire(struct uvr_context *context)
{
	uvr_processors_leave(&context->claim);
}

void uvr_context_free(struct uvr_context *context)
{
	if (context->vcpu) {
		put_page(context->page);
		fput(context->vcpu);
	}
	free_cpumask_var(context->cpus);
	kfree(context);
}

/* The runner reads vcpu and page without a lock, but only on the address space that has ended. */
void uvr_context_unplug(struct uvr_context *context)
{
	lockdep_assert_held(&context->partition->lock);
	WRITE_ONCE(context->mm, NULL);
	if (!context->vcpu)
		return;
	put_page(context->page);
	fput(context->vcpu);
	context->vcpu = NULL;
}

static struct uvr_context *alloc_context(struct uvr_partition *partition, u32 index)
{
	struct uvr_context *context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);

	if (!context)
		return NULL;
	if (!zalloc_cpumask_var(&context->cpus, GFP_KERNEL_ACCOUNT)) {
		kfree(context);
		return NULL;
	}
	context->partition = partition;
	context->index = index;
	context->changes = 1;	/* nothing is applied yet */
	mutex_init(&context->running);
	raw_spin_lock_init(&context->lock);
	init_waitqueue_head(&context->rest);
	uvr_meter_prepare(&context->meter, context->cpus);
	return context;
}

static int add_context(struct uvr_partition *partition, u32 index,
		       struct uvr_allotment *allotment)
{
	struct uvr_context *context;
	int rc;

	lockdep_assert_held(&partition->lock);
	if (partition->dead)
		return -ESHUTDOWN;
	if (partition->contexts[index])
		return -EEXIST;
	context = alloc_context(partition, index);
	if (!context)
		return -ENOMEM;
	rc = uvr_processors_move(&context->claim, allotment);
	if (rc) {
		uvr_context_free(context);
		return rc;
	}
	context->allotment = *allotment;
	if (partition->stopped)
		context->holds = UVR_HOLD_STOP;
	/* wait_out walks the array without the lock. */
	smp_store_release(&partition->contexts[index], context);
	partition->nr_contexts++;
	return 0;
}

long uvr_context_create(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_context_set *arg = call->arg;
	struct uvr_allotment allotment;
	int rc;

	if (arg->index >= ULTRAVISOR_MAX_CONTEXTS)
		return -EINVAL;
	rc = uvr_allotment_parse(&allotment, arg);
	if (rc)
		return rc;
	mutex_lock(&partition->lock);
	rc = add_context(partition, arg->index, &allotment);
	mutex_unlock(&partition->lock);
	return rc;
}

long uvr_context_set(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_context_set *arg = call->arg;
	struct uvr_allotment allotment;
	struct uvr_context *context;
	int rc;

	rc = uvr_allotment_parse(&allotment, arg);
	if (rc)
		return rc;
	mutex_lock(&partition->lock);
	context = find_context(partition, arg->index);
	if (partition->dead)
		rc = -ESHUTDOWN;
	else if (!context)
		rc = -ENOENT;
	else
		rc = uvr_processors_move(&context->claim, &allotment);
	if (!rc) {
		raw_spin_lock_irq(&context->lock);
		context->allotment = allotment;
		WRITE_ONCE(context->changes, context->changes + 1);
		kick(context);
		raw_spin_unlock_irq(&context->lock);
		wake_up(&context->rest);
	}
	mutex_unlock(&partition->lock);
	return rc;
}

void uvr_context_add_use(struct uvr_context *context, struct uvr_use *use, u64 *exits)
{
	struct uvr_use own = uvr_meter_read(&context->meter);
	u32 i;

	use->run_ns += own.run_ns;
	use->rested_ns += own.rested_ns;
	use->stolen_ns += own.stolen_ns;
	for (i = 0; i < ULTRAVISOR_EXIT_NR; i++)
		*exits += READ_ONCE(context->exits[i]);
}

static void tell_allotment(const struct uvr_allotment *allotment,
			   struct ultravisor_context_info *arg)
{
	arg->out_mode = allotment->mode;
	arg->out_flags = allotment->realtime ? ULTRAVISOR_CONTEXT_REALTIME : 0;
	arg->out_reserved = 0;
	arg->out_budget_ns = allotment->budget_ns;
	arg->out_period_ns = allotment->period_ns;
	arg->out_window_start_ns = allotment->window.start;
	arg->out_window_ns = allotment->window.length;
	memcpy(arg->out_cpus, allotment->cpus, sizeof(arg->out_cpus));
}

static void tell_use(struct uvr_context *context, struct ultravisor_context_info *arg)
{
	struct uvr_meter *meter = &context->meter;
	struct uvr_use use = uvr_meter_read(meter);
	u32 i;

	arg->out_run_ns = use.run_ns;
	arg->out_stolen_ns = use.stolen_ns;
	arg->out_rested_ns = use.rested_ns;
	arg->out_throttled = READ_ONCE(meter->throttled);
	arg->out_forced = READ_ONCE(meter->forced) + READ_ONCE(context->kicks);
	arg->out_windows = READ_ONCE(meter->windows);
	arg->out_late_max_ns = READ_ONCE(meter->late_max_ns);
	arg->out_overruns = READ_ONCE(meter->overruns);
	arg->out_overrun_max_ns = READ_ONCE(meter->overrun_max_ns);
	memset(arg->out_exits, 0, sizeof(arg->out_exits));
	for (i = 0; i < ULTRAVISOR_EXIT_NR; i++)
		arg->out_exits[i] = READ_ONCE(context->exits[i]);
}

long uvr_context_info(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_context_info *arg = call->arg;
	struct uvr_context *context;

	mutex_lock(&partition->lock);
	context = find_context(partition, arg->index);
	if (context) {
		tell_allotment(&context->allotment, arg);
		tell_use(context, arg);
	}
	mutex_unlock(&partition->lock);
	return context ? 0 : -ENOENT;
}

/*
 * The page of kvm_run, found where any monitor finds it: by a mapping, made for a moment on the
 * caller's address space. Another thread may tamper with that; what is taken is checked to be
 * the vCPU's, and the page outlives both.
 */
static struct page *find_run_page(struct file *vcpu)
{
	struct vm_area_struct *vma;
	struct page *page;
	unsigned long address;
	long n = -EFAULT;

	address = vm_mmap(vcpu, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (IS_ERR_VALUE(address))
		return ERR_PTR(address);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, address);
	if (vma && vma->vm_file == vcpu && linear_page_index(vma, address) == 0)
		n = uvr_get_user_page(address, FOLL_WRITE, &page);
	mmap_read_unlock(current->mm);
	vm_munmap(address, PAGE_SIZE);
	return n == 1 ? page : ERR_PTR(n < 0 ? n : -EFAULT);
}

/* Whether index can be opened, and has its vCPU; if not, the VM to make it in. */
static int look_up(struct uvr_partition *partition, u32 index, struct uvr_context **context,
		   struct file **vm)
{
	int rc;

	mutex_lock(&partition->lock);
	*vm = NULL;
	*context = find_context(partition, index);
	rc = uvr_vm_check(partition);
	if (!rc && !*context)
		rc = -ENOENT;
	if (!rc && !(*context)->vcpu)
		*vm = uvr_vm_file(partition);
	mutex_unlock(&partition->lock);
	return rc;
}

static int plug(struct uvr_context *context, struct file *vm)
{
	struct uvr_partition *partition = context->partition;
	struct file *vcpu;
	struct page *page;
	int rc;

	lockdep_assert_held(&partition->making);
	vcpu = uvr_vm_make_vcpu(partition, vm, context->index);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	page = find_run_page(vcpu);
	if (IS_ERR(page)) {
		/* KVM has no way to take a vCPU back: the next try will say EEXIST. */
		fput(vcpu);
		return PTR_ERR(page);
	}

	mutex_lock(&partition->lock);
	rc = uvr_vm_check(partition);
	if (!rc) {
		context->vcpu = vcpu;
		context->page = page;
		/* Read without the lock, but only by descriptors that are made after this. */
		WRITE_ONCE(context->mm, current->mm);
	}
	mutex_unlock(&partition->lock);
	if (rc) {
		put_page(page);
		fput(vcpu);
	}
	return rc;
}

long uvr_context_open(struct uvr_call *call)
{
	struct uvr_object *object = call->handle->object;
	struct uvr_partition *partition = uvr_partition(object);
	struct ultravisor_context_open *arg = call->arg;
	struct uvr_context *context;
	struct file *vm;
	int rc;

	if (mutex_lock_killable(&partition->making))
		return -EINTR;
	rc = look_up(partition, arg->index, &context, &vm);
	if (vm) {
		rc = plug(context, vm);
		fput(vm);
	}
	mutex_unlock(&partition->making);
	if (rc)
		return rc;
	return uvr_call_file(call, uvr_handle_file("[ultravisor-context]", &context_fops,
						   UVR_ROLE_CONTEXT, object, context),
			     &arg->out_fd);
}

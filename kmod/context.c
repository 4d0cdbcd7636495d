// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts as objects: made and changed with their partition, plugged with a vCPU, told to leave
 * the guest. What runs them is runner.c.
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

#include "compat.h"
#include "context.h"
#include "ioctl.h"
#include "partition.h"
#include "vm.h"

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

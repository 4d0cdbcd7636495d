// SPDX-License-Identifier: GPL-2.0
/*
 * KVM hands out VMs and vCPUs as descriptors of the calling process, where a second thread may
 * dup() them before the module has taken them away. So they are made on an errand: a kernel
 * thread that borrows the monitor's address space (which KVM binds the VM to) but has the
 * descriptor table of the kernel's threads. No symbol of KVM is linked: everything is an ioctl.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/kvm.h>
#include <linux/miscdevice.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "charge.h"
#include "context.h"
#include "event.h"
#include "ioctl.h"
#include "partition.h"
#include "vm.h"
#include "watch.h"

/* Constant from uvr_vm_create on. Freed by mmu_notifier_put, when no release can be running. */
struct uvr_vm {
	struct mmu_notifier notifier;
	struct uvr_partition *partition;	/* a reference */
	struct file *kvm;
	struct file *vm;
	struct pid *maker;
};

struct errand {
	int (*run)(struct errand *errand);
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	struct completion done;
	int rc;
	unsigned int fail_nth;
	struct file *kvm;
	struct file *vm;
	struct file *vcpu;
	u32 index;
};

/* On debug kernels: a caller that is to fail at its nth allocation may fail on its errand, too. */
static void swap_faults(struct errand *errand)
{
#ifdef CONFIG_FAULT_INJECTION
	swap(current->fail_nth, errand->fail_nth);
#endif
}

static int errand_thread(void *data)
{
	struct errand *errand = data;
	struct mem_cgroup *before;

	kthread_use_mm(errand->mm);
	before = uvr_charge_begin(errand->memcg);
	swap_faults(errand);
	errand->rc = errand->run(errand);
	swap_faults(errand);
	uvr_charge_end(before);
	kthread_unuse_mm(errand->mm);
	/* Not a return: the module may be gone as soon as the caller knows. */
	kthread_complete_and_exit(&errand->done, 0);
}

/* The caller is a thread of the address space, and waits: it cannot end meanwhile. */
static int run_errand(struct errand *errand)
{
	struct task_struct *task;
	int rc;

	errand->mm = current->mm;
	init_completion(&errand->done);
	task = kthread_create(errand_thread, errand, "ultravisor-vm");
	if (IS_ERR(task)) {
		rc = PTR_ERR(task);
	} else {
		swap_faults(errand);
		wake_up_process(task);
		wait_for_completion(&errand->done);
		swap_faults(errand);
		rc = errand->rc;
	}
	/* No thread is to be had, by the module or by KVM; EAGAIN says another thing here. */
	return rc == -EAGAIN ? -ENOMEM : rc;
}

/* Moves a descriptor that an ioctl has just made out of the (kernel threads') table. */
static struct file *take(long fd)
{
	struct file *file;

	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ?: ERR_PTR(-EBADF);
}

static struct file *open_kvm(void)
{
	struct file *file = filp_open("/dev/kvm", O_RDWR | O_CLOEXEC, 0);
	struct inode *inode;

	if (IS_ERR(file))
		return file;
	inode = file_inode(file);
	if (S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(MISC_MAJOR, KVM_MINOR))
		return file;
	fput(file);
	return ERR_PTR(-ENODEV);
}

static int make_vm(struct errand *errand)
{
	errand->kvm = open_kvm();
	if (IS_ERR(errand->kvm))
		return PTR_ERR(errand->kvm);
	errand->vm = take(vfs_ioctl(errand->kvm, KVM_CREATE_VM, 0));
	if (!IS_ERR(errand->vm))
		return 0;
	fput(errand->kvm);
	return PTR_ERR(errand->vm);
}

static int make_vcpu(struct errand *errand)
{
	errand->vcpu = take(vfs_ioctl(errand->vm, KVM_CREATE_VCPU, errand->index));
	return PTR_ERR_OR_ZERO(errand->vcpu);
}

struct file *uvr_vm_make_vcpu(struct uvr_partition *partition, struct file *vm, u32 index)
{
	struct errand errand = {
		.run = make_vcpu, .memcg = partition->memcg, .vm = vm, .index = index,
	};
	int rc = run_errand(&errand);

	return rc ? ERR_PTR(rc) : errand.vcpu;
}

struct file *uvr_vm_file(struct uvr_partition *partition)
{
	lockdep_assert_held(&partition->lock);
	return get_file(partition->vm->vm);
}

int uvr_vm_check(struct uvr_partition *partition)
{
	lockdep_assert_held(&partition->lock);
	if (partition->dead)
		return -ESHUTDOWN;
	if (!partition->vm)
		return -ENXIO;
	/* The notifier holds the struct: no other address space can have its address. */
	return partition->vm->notifier.mm == current->mm ? 0 : -EPERM;
}

pid_t uvr_vm_maker(struct uvr_partition *partition)
{
	lockdep_assert_held(&partition->lock);
	return partition->vm ? pid_vnr(partition->vm->maker) : 0;
}

static void free_vm(struct mmu_notifier *notifier)
{
	struct uvr_vm *vm = container_of(notifier, struct uvr_vm, notifier);

	uvr_object_put(&vm->partition->object);
	kfree(vm);
}

void uvr_vm_put(struct uvr_partition *partition)
{
	struct uvr_vm *vm = partition->vm;

	lockdep_assert_held(&partition->lock);
	if (!vm)
		return;
	partition->vm = NULL;
	fput(vm->vm);
	fput(vm->kvm);
	put_pid(vm->maker);
	mmu_notifier_put(&vm->notifier);
}

/*
 * The monitor's address space ends: no thread is on it any more, so none is in the guest, and
 * none can come back. Its vCPUs go at once, whoever still has descriptors of their contexts.
 */
static void mm_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct uvr_vm *vm = container_of(notifier, struct uvr_vm, notifier);
	struct uvr_partition *partition = vm->partition;
	u32 i;

	mutex_lock(&partition->lock);
	if (partition->vm == vm) {
		for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
			if (partition->contexts[i])
				uvr_context_unplug(partition->contexts[i]);
		uvr_vm_put(partition);
		uvr_event(ULTRAVISOR_EVENT_PARTITION_GONE, partition->object.id,
			  ULTRAVISOR_NO_SLOT, 0);
	}
	mutex_unlock(&partition->lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = mm_release,
	.free_notifier = free_vm,
};

/* Makes and watches; nothing of it is the partition's yet. */
static struct uvr_vm *build_vm(struct uvr_partition *partition)
{
	struct errand errand = { .run = make_vm, .memcg = partition->memcg };
	struct uvr_vm *vm;
	int rc;

	lockdep_assert_held(&partition->making);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	rc = run_errand(&errand);
	if (rc)
		goto err_free;
	vm->notifier.ops = &notifier_ops;
	vm->partition = partition;
	rc = uvr_watch_current(&vm->notifier);
	if (rc)
		goto err_files;
	uvr_object_get(&partition->object);
	vm->kvm = errand.kvm;
	vm->vm = errand.vm;
	vm->maker = get_pid(task_tgid(current));
	return vm;

err_files:
	fput(errand.vm);
	fput(errand.kvm);
err_free:
	kfree(vm);
	return ERR_PTR(rc);
}

static int create(struct uvr_partition *partition)
{
	struct uvr_vm *vm;
	bool dead;

	lockdep_assert_held(&partition->making);
	if (partition->vm_spent)
		return -EEXIST;
	vm = build_vm(partition);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	partition->vm_spent = true;

	mutex_lock(&partition->lock);
	partition->vm = vm;
	dead = partition->dead;
	if (dead)
		uvr_vm_put(partition);
	mutex_unlock(&partition->lock);
	return dead ? -ESHUTDOWN : 0;
}

long uvr_vm_create(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	int rc;

	if (mutex_lock_killable(&partition->making))
		return -EINTR;
	/* Looked at without the lock: whoever comes too late finds out when it is done. */
	rc = READ_ONCE(partition->dead) ? -ESHUTDOWN : create(partition);
	mutex_unlock(&partition->making);
	return rc;
}

/*
 * The white list. Nothing on it makes a descriptor, runs a vCPU or changes signal masks. What an
 * argument asks for is KVM's business: time is bounded by contexts, memory by the cgroup.
 */
static const u32 system_commands[] = {
	KVM_GET_API_VERSION, KVM_CHECK_EXTENSION, KVM_GET_SUPPORTED_CPUID, KVM_GET_VCPU_MMAP_SIZE,
};

static const u32 vm_commands[] = {
	KVM_SET_USER_MEMORY_REGION, KVM_SET_TSS_ADDR, KVM_SET_IDENTITY_MAP_ADDR,
	KVM_CREATE_IRQCHIP, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP,
	KVM_CREATE_PIT2, KVM_GET_PIT2, KVM_SET_PIT2,
	KVM_IRQ_LINE, KVM_IRQFD, KVM_IOEVENTFD, KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI,
	KVM_GET_CLOCK, KVM_SET_CLOCK, KVM_ENABLE_CAP,
};

static const u32 vcpu_commands[] = {
	KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_FPU, KVM_SET_FPU,
	KVM_GET_LAPIC, KVM_SET_LAPIC, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
	KVM_GET_MSRS, KVM_SET_MSRS, KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS, KVM_SET_XCRS,
	KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
	KVM_GET_CPUID2, KVM_SET_CPUID2, KVM_GET_TSC_KHZ, KVM_SET_TSC_KHZ,
	KVM_INTERRUPT, KVM_NMI, KVM_KVMCLOCK_CTRL, KVM_TRANSLATE,
};

static bool is_listed(const u32 *list, size_t count, u32 cmd)
{
	while (count--)
		if (list[count] == cmd)
			return true;
	return false;
}

/*
 * Capabilities change what KVM means elsewhere, so only known ones may be switched on. A monitor
 * that swaps the argument under KVM's feet harms nobody else: none makes a descriptor.
 */
static int check_cap(u64 arg)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, (void __user *)arg, sizeof(cap)))
		return -EFAULT;
	return cap.cap == KVM_CAP_SPLIT_IRQCHIP || cap.cap == KVM_CAP_X2APIC_API ? 0 : -EACCES;
}

long uvr_vm_kvm(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_kvm *arg = call->arg;
	struct mem_cgroup *before;
	struct file *file;
	bool system;
	long rc;

	if (arg->reserved)
		return -EOPNOTSUPP;
	system = is_listed(system_commands, ARRAY_SIZE(system_commands), arg->cmd);
	if (!system && !is_listed(vm_commands, ARRAY_SIZE(vm_commands), arg->cmd))
		return -EACCES;
	if (arg->cmd == KVM_ENABLE_CAP) {
		rc = check_cap(arg->arg);
		if (rc)
			return rc;
	}

	mutex_lock(&partition->lock);
	rc = uvr_vm_check(partition);
	if (!rc)
		file = get_file(system ? partition->vm->kvm : partition->vm->vm);
	mutex_unlock(&partition->lock);
	if (rc)
		return rc;
	before = uvr_charge_begin(partition->memcg);
	rc = vfs_ioctl(file, arg->cmd, arg->arg);
	uvr_charge_end(before);
	fput(file);
	return rc;
}

long uvr_vm_vcpu_ioctl(struct file *vcpu, u32 cmd, u64 arg)
{
	if (!is_listed(vcpu_commands, ARRAY_SIZE(vcpu_commands), cmd))
		return -EACCES;
	return vfs_ioctl(vcpu, cmd, arg);
}

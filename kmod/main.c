// SPDX-License-Identifier: GPL-2.0
/*
 * Ultravisor: the module that enforces what a host's resource daemon has decided. It owns
 * channel memory, grants, vCPU contexts and their time; it decides nothing and records nothing.
 *
 * Lock order, outermost first. No lock is held while user memory is copied, except by KVM.
 *
 *	uvr_context.running	one thread in CONTEXT_RUN
 *	uvr_partition.making	one VM or vCPU is being made
 *	mm->mmap_lock		taken by KVM, vm_mmap and ATTACH, and held by page faults
 *	uvr_partition.lock	memory blocks, contexts, the VM, the channels of a client
 *	uvr_channel.lock	who is attached and serves; faults hold it shared
 *	i_mmap_rwsem, page locks of the memfds
 *	table_lock, processors' lock (leaves: nothing of the module's is taken inside)
 *	uvr_channel.bells	where a ring goes (irq-safe)
 *	uvr_lease.lock		a deadline and its timer (raw: also in hard interrupts)
 *	uvr_context.lock	who runs, whether it may (likewise)
 *	wait queue, eventfd and scheduler locks of the kernel
 *
 * A monitor may keep its own mmap_lock for as long as it likes: what uvd calls takes nothing above
 * uvr_partition.lock. The scheduler's hooks in meter.c run under the run queue lock and take none
 * of these.
 */
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/ultravisor.h>

#include "area.h"
#include "compat.h"
#include "debugfs.h"
#include "event.h"
#include "ioctl.h"
#include "meter.h"
#include "object.h"

static u8 instance[ULTRAVISOR_UUID_LEN];

long uvr_info(struct uvr_call *call)
{
	struct ultravisor_info *arg = call->arg;

	arg->out_abi_version = ULTRAVISOR_ABI_VERSION;
	arg->out_reserved = 0;
	arg->out_features = 0;
	memcpy(arg->out_instance, instance, sizeof(arg->out_instance));
	return 0;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct uvr_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);

	if (!handle)
		return -ENOMEM;
	handle->role = UVR_ROLE_DEVICE;
	file->private_data = handle;
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = uvr_handle_release,
	.unlocked_ioctl = uvr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ultravisor",
	.fops = &device_fops,
	.mode = 0600,
};

static int __init uvr_init(void)
{
	int rc;

	get_random_bytes(instance, sizeof(instance));
	rc = uvr_object_init();
	if (rc)
		return rc;
	rc = uvr_event_init();
	if (rc)
		goto err_object;
	uvr_meter_init();
	rc = misc_register(&device);
	if (rc)
		goto err_meter;
	uvr_debugfs_init();
	return 0;

err_meter:
	uvr_meter_uninit();
	uvr_event_uninit();
err_object:
	uvr_object_uninit();
	return rc;
}

/* No object exists any more: each holds the module. */
static void __exit uvr_exit(void)
{
	uvr_debugfs_uninit();
	misc_deregister(&device);
	uvr_meter_uninit();
	uvr_event_uninit();
	/* The last attachments are freed by an SRCU callback of ours, which drops objects. */
	mmu_notifier_synchronize();
	uvr_object_uninit();
}

module_init(uvr_init);
module_exit(uvr_exit);

MODULE_DESCRIPTION("Partitioning hypervisor on top of KVM: the enforcing part");
MODULE_AUTHOR("The Ultravisor authors");
MODULE_LICENSE("GPL");

/* SPDX-License-Identifier: Apache-2.0 */
/* The module's pass-through of KVM ioctls, one thin call each. */
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/ultravisor.h>

#include "kvm.h"

static int call(int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int kvm_vm_create(int partition)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };

	return call(partition, ULTRAVISOR_VM_CREATE, &create);
}

int kvm_vm(int partition, unsigned int cmd, unsigned long arg)
{
	struct ultravisor_kvm kvm = { .size = sizeof(kvm), .cmd = cmd, .arg = arg };

	return call(partition, ULTRAVISOR_VM_KVM, &kvm);
}

int kvm_vm_ptr(int partition, unsigned int cmd, void *arg)
{
	return kvm_vm(partition, cmd, (unsigned long)arg);
}

int kvm_context_open(int partition, unsigned int index)
{
	struct ultravisor_context_open open = { .size = sizeof(open), .index = index };
	int rc = call(partition, ULTRAVISOR_CONTEXT_OPEN, &open);

	return rc < 0 ? rc : open.out_fd;
}

int kvm_context(int context, unsigned int cmd, void *arg)
{
	struct ultravisor_kvm kvm = {
		.size = sizeof(kvm), .cmd = cmd, .arg = (unsigned long)arg,
	};

	return call(context, ULTRAVISOR_CONTEXT_KVM, &kvm);
}

int kvm_context_run(int context)
{
	struct ultravisor_context_run run = { .size = sizeof(run) };

	return call(context, ULTRAVISOR_CONTEXT_RUN, &run);
}

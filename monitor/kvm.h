/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM, reached through the kernel module alone: no KVM descriptor is ever in this process. The
 * partition's monitor descriptor takes system and VM ioctls, a context's takes a vCPU's.
 * Commands and arguments are those of <linux/kvm.h>; results are >= 0 or -errno.
 */
#ifndef MONITOR_KVM_H
#define MONITOR_KVM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>

int kvm_vm_create(int partition);
int kvm_vm(int partition, unsigned int cmd, unsigned long arg);
int kvm_vm_ptr(int partition, unsigned int cmd, void *arg);

/* The context's descriptor; makes its vCPU at the first call. */
int kvm_context_open(int partition, unsigned int index);
int kvm_context(int context, unsigned int cmd, void *arg);

/* 0: kvm_run tells the exit; -EINTR: kicked; -ESHUTDOWN: the partition is gone. */
int kvm_context_run(int context);

#endif

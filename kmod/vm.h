/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM of a partition: KVM's, made by the module on the monitor's address space, without a
 * KVM descriptor in any process.
 */
#ifndef _UVR_VM_H
#define _UVR_VM_H

#include <linux/types.h>

struct file;
struct uvr_call;
struct uvr_partition;

/* Process id of the VM's maker in the caller's view, 0 without a VM. Partition locked. */
pid_t uvr_vm_maker(struct uvr_partition *partition);

/* A new vCPU's file. Partition making, not locked; caller on the VM's address space. */
struct file *uvr_vm_make_vcpu(struct uvr_partition *partition, struct file *vm, u32 index);

/* A reference to the VM's own file. Partition locked, VM checked. */
struct file *uvr_vm_file(struct uvr_partition *partition);

/* 0 if current is on the VM's address space; EPERM, ENXIO (no VM). Partition locked. */
int uvr_vm_check(struct uvr_partition *partition);

/* Lets go of the VM, if there is one. Partition locked. */
void uvr_vm_put(struct uvr_partition *partition);

/* Passes KVM ioctl cmd to a vCPU, if that is allowed. */
long uvr_vm_vcpu_ioctl(struct file *vcpu, u32 cmd, u64 arg);

long uvr_vm_create(struct uvr_call *call);
long uvr_vm_kvm(struct uvr_call *call);

#endif /* _UVR_VM_H */

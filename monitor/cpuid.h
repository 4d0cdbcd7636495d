/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's processors say of themselves: all that KVM can virtualize here, with the
 * topology of one socket in which every vCPU is a core of its own.
 */
#ifndef MONITOR_CPUID_H
#define MONITOR_CPUID_H

#include <stdbool.h>
#include <linux/kvm.h>

#define CPUID_MAX_ENTRIES 256

struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[CPUID_MAX_ENTRIES];
};

/* What KVM supports; once. */
int cpuid_read(int partition, struct cpuid *c);

/* Turns it into vCPU number index of count. Idempotent: index may be changed again. */
void cpuid_place(struct cpuid *c, unsigned int index, unsigned int count, bool tsc_deadline);

#endif

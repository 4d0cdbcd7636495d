/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vCPU: a context of the module, and the thread that runs it. Who owns its registers: before
 * vcpu_start and while it is parked, the main thread; else the thread (or the guest).
 */
#ifndef MONITOR_VCPU_H
#define MONITOR_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvm.h"

struct vm;
struct cpuid;
struct boot_entry;
struct vcpu_snapshot;

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int context;
	struct kvm_run *run;		/* the kernel's page; writable by this process alone */
	uint32_t run_size;
	pthread_t thread;
	struct vcpu_snapshot *fresh;	/* its state before the first instruction, for resets */
};

/* Makes the vCPU and remembers its state at power-on. cpuid is placed for it already. */
int vcpu_open(struct vcpu *v, struct vm *vm, unsigned int index, struct cpuid *cpuid,
	      uint32_t run_size);

/* State as at power-on; then, for the first vCPU, the kernel's entry. */
int vcpu_reset(struct vcpu *v);
int vcpu_enter(struct vcpu *v, const struct boot_entry *entry);

/* Starts the thread, which waits until the machine runs. */
int vcpu_start(struct vcpu *v);

/* Makes the thread leave the guest soon; nothing happens if it is not there. */
void vcpu_kick(struct vcpu *v);

#endif

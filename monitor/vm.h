/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's machine: its vCPUs and devices, and what happens to it as a whole: start, reset,
 * end.
 *
 * Threads: the main thread runs the loop; one thread runs each vCPU. Locks: devices guards ports,
 * pci and every device; life guards the request, its reason and the parking. life is taken inside
 * devices, never the other way round.
 *
 * Reset: the request makes every vCPU thread park; the main thread resets the devices, waits until
 * no server writes to the guest's memory any more, loads the kernel anew and lets the threads go.
 */
#ifndef MONITOR_VM_H
#define MONITOR_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <ultravisor/monitor.h>

#include "boot.h"
#include "cmos.h"
#include "console.h"
#include "irq.h"
#include "loop.h"
#include "memory.h"
#include "options.h"
#include "pci.h"
#include "pm.h"
#include "ports.h"
#include "serial.h"
#include "status.h"
#include "vcpu.h"
#include "virtio_pci.h"

enum vm_request {		/* a later one outweighs an earlier one */
	VM_RUN,
	VM_HOLD,		/* before the start */
	VM_RESET,
	VM_OFF,
	VM_FAIL,
};

struct vm_irqchip;

struct vm {
	const char *name;
	int partition;
	struct memory memory;
	struct boot_files files;
	unsigned int vcpus;
	struct vcpu vcpu[ULTRAVISOR_MAX_CONTEXTS];

	pthread_mutex_t devices;
	struct ports ports;		/* devices, like the rest of this group */
	struct irq irq;
	struct pci pci;
	struct pm pm;
	struct cmos cmos;
	struct console console;
	struct serial serial;
	unsigned int virtio_count;
	struct virtio_pci *virtio[OPTIONS_MAX_DEVICES];

	pthread_mutex_t life;
	pthread_cond_t go;		/* request is VM_RUN */
	pthread_cond_t all_parked;
	_Atomic int request;		/* written under life */
	unsigned int parked;		/* life */
	char reason[MONITOR_REASON_LEN];	/* life */

	/* Main thread. */
	struct loop loop;
	struct status status;
	struct vm_irqchip *fresh;	/* interrupt controllers at power-on */
	bool resetting;			/* vCPUs are parked, servers not yet quiet */
	int life_event;			/* a request, or the last vCPU has parked */
	int reset_timer;		/* looks again whether servers are quiet */
	unsigned int reset_looks;
	unsigned int reboots;
	struct loop_source source[6 + OPTIONS_MAX_DEVICES * 2];
	unsigned int sources;
};

/*
 * In this order. With a result but 0 the reason is in vm->reason, for vm_abandon. vm_start returns
 * when every vCPU's thread waits for vm_run.
 */
int vm_open(struct vm *vm, const struct options *o);
int vm_load(struct vm *vm);
int vm_start(struct vm *vm);

/* Runs the guest to its end; returns the exit code. vCPUs may be running still: end the process. */
int vm_run(struct vm *vm);

/* It came to nothing: tells log and uvd why. */
void vm_abandon(struct vm *vm);

/* From any thread. */
void vm_fail(struct vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum vm_request vm_asked(struct vm *vm);

/* For vCPU threads: sleeps until the machine runs (again). */
void vm_park(struct vm *vm);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM for unit tests: ioctl() is replaced for the whole test program by one that takes note of
 * what the monitor passes to the module for its VM, and says yes.
 */
#ifndef TESTS_MONITOR_MACHINE_H
#define TESTS_MONITOR_MACHINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/kvm.h>

#define MACHINE_MAX 64

struct machine {
	bool line[24];
	unsigned int messages;			/* KVM_SIGNAL_MSI */
	struct kvm_msi message;			/* the last one */
	unsigned int routings;			/* KVM_SET_GSI_ROUTING */
	unsigned int routes;
	struct kvm_irq_routing_entry route[MACHINE_MAX];
	int tied[MACHINE_MAX];			/* by number: eventfd, or -1 */
	unsigned int ties;
	unsigned int listeners;
	struct kvm_ioeventfd listener[MACHINE_MAX];
};

extern struct machine machine;

/* Forgets everything; a setup function. */
int machine_reset(void **state);

/* The MSI route of a number, or NULL. */
const struct kvm_irq_routing_entry *machine_route(unsigned int number);

#endif

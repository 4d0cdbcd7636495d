/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts into the guest: ISA lines, message interrupts sent by this process, and eventfds
 * that KVM turns into message interrupts by itself (irqfd), through the routing table kept here.
 * Guarded by the device lock.
 */
#ifndef MONITOR_IRQ_H
#define MONITOR_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_MAX_MSI 256

struct irq_message {
	uint64_t address;
	uint32_t data;
};

struct irq {
	int partition;
	bool dirty;		/* msi differs from what KVM has */
	uint16_t msi_count;
	struct {
		bool used;
		struct irq_message message;
	} msi[IRQ_MAX_MSI];
};

void irq_init(struct irq *irq, int partition);

/* Forgets all routes: only once every irqfd is gone. */
void irq_reset(struct irq *irq);

void irq_line(const struct irq *irq, unsigned int line, bool level);
void irq_send(const struct irq *irq, const struct irq_message *message);

/* A number for irq_route, for good. -ENOSPC. */
int irq_allocate(struct irq *irq);

/* Routes a number; KVM knows after irq_commit, which costs nothing when nothing has changed. */
void irq_route(struct irq *irq, unsigned int number, const struct irq_message *message);
int irq_commit(struct irq *irq);

/*
 * Ties an eventfd to a number, or unties it. What is signalled while it is untied stays in the
 * eventfd, and KVM delivers it when it is tied again.
 */
int irq_tie(const struct irq *irq, unsigned int number, int eventfd, bool tied);

#endif

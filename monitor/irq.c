/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's interrupt routing: PIC and I/O APIC pins as KVM's own default has them, then messages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>

#include "irq.h"
#include "kvm.h"
#include "layout.h"

#define IOAPIC_PINS	24
#define PIC_PINS	16

void irq_init(struct irq *irq, int partition)
{
	memset(irq, 0, sizeof(*irq));
	irq->partition = partition;
}

void irq_reset(struct irq *irq)
{
	unsigned int i;

	for (i = 0; i < irq->msi_count; i++)
		irq->msi[i].used = false;
	irq->dirty = true;
}

void irq_line(const struct irq *irq, unsigned int line, bool level)
{
	struct kvm_irq_level l = { .irq = line, .level = level };
	int rc = kvm_vm_ptr(irq->partition, KVM_IRQ_LINE, &l);

	if (rc < 0)
		log_errno(LOG_ERR, rc, "interrupt line %u", line);
}

void irq_send(const struct irq *irq, const struct irq_message *message)
{
	struct kvm_msi msi = {
		.address_lo = message->address,
		.address_hi = message->address >> 32,
		.data = message->data,
	};
	int rc = kvm_vm_ptr(irq->partition, KVM_SIGNAL_MSI, &msi);

	/* 0: the guest has masked that vector's APIC; as on a real bus, the message is gone. */
	if (rc < 0)
		log_errno(LOG_DEBUG, rc, "message interrupt %#llx",
			  (unsigned long long)message->address);
}

int irq_allocate(struct irq *irq)
{
	if (irq->msi_count == IRQ_MAX_MSI)
		return -ENOSPC;
	return LAYOUT_GSI_MSI + irq->msi_count++;
}

void irq_route(struct irq *irq, unsigned int number, const struct irq_message *message)
{
	typeof(&irq->msi[0]) slot = &irq->msi[number - LAYOUT_GSI_MSI];

	if (slot->used && slot->message.address == message->address &&
	    slot->message.data == message->data)
		return;
	slot->used = true;
	slot->message = *message;
	irq->dirty = true;
}

static struct kvm_irq_routing_entry *pin(struct kvm_irq_routing_entry *e, unsigned int gsi,
					 unsigned int chip, unsigned int number)
{
	*e = (struct kvm_irq_routing_entry){ .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP };
	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = number;
	return e + 1;
}

int irq_commit(struct irq *irq)
{
	struct kvm_irq_routing *table;
	struct kvm_irq_routing_entry *e;
	unsigned int i;
	int rc;

	if (!irq->dirty)
		return 0;
	table = calloc(1, sizeof(*table) +
		       (IOAPIC_PINS + PIC_PINS + irq->msi_count) * sizeof(table->entries[0]));
	if (!table)
		return -ENOMEM;
	e = table->entries;
	for (i = 0; i < PIC_PINS; i++)
		e = pin(e, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, i % 8);
	for (i = 0; i < IOAPIC_PINS; i++)
		e = pin(e, i, KVM_IRQCHIP_IOAPIC, i);
	for (i = 0; i < irq->msi_count; i++) {
		if (!irq->msi[i].used)
			continue;
		*e = (struct kvm_irq_routing_entry){
			.gsi = LAYOUT_GSI_MSI + i, .type = KVM_IRQ_ROUTING_MSI,
		};
		e->u.msi.address_lo = irq->msi[i].message.address;
		e->u.msi.address_hi = irq->msi[i].message.address >> 32;
		e->u.msi.data = irq->msi[i].message.data;
		e++;
	}
	table->nr = e - table->entries;
	rc = kvm_vm_ptr(irq->partition, KVM_SET_GSI_ROUTING, table);
	free(table);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "interrupt routing");
	irq->dirty = false;
	return 0;
}

int irq_tie(const struct irq *irq, unsigned int number, int eventfd, bool tied)
{
	struct kvm_irqfd irqfd = {
		.fd = eventfd,
		.gsi = number,
		.flags = tied ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};
	int rc = kvm_vm_ptr(irq->partition, KVM_IRQFD, &irqfd);

	return rc < 0 ? log_errno(LOG_ERR, rc, "irqfd %u", number) : 0;
}

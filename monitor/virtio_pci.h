/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device on PCI (Virtio 1.2, 4.1, modern only): the registers of it. What the device is
 * and does is its I/O channel's server's; kicks and queue interrupts pass between the guest and
 * the server by eventfds, and never come here. Guarded by the device lock.
 *
 * All registers are in an I/O port BAR, where an access costs less than in memory. MSI-X is
 * the only interrupt.
 */
#ifndef MONITOR_VIRTIO_PCI_H
#define MONITOR_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "io_link.h"
#include "irq.h"
#include "memory.h"
#include "msix.h"
#include "pci.h"

#define VIRTIO_PCI_NAME 64

struct virtio_queue {
	struct io_queue setup;		/* as the driver writes it */
	bool enabled;
	uint16_t vector;
	int kick, interrupt;		/* eventfds, bound to the channel; -1: not yet made */
	int number;			/* of the interrupt's route; < 0: none yet */
	bool tied;			/* KVM listens on interrupt */
	uint32_t port;			/* where KVM listens for kicks; 0: nowhere */
};

struct virtio_pci {
	struct pci_device pci;		/* first: pci_operations cast back */
	struct io_link link;
	struct irq *irq;
	const struct memory *memory;
	struct console *console;	/* where its owner is told what its driver does; or NULL */
	char name[VIRTIO_PCI_NAME];
	struct msix msix;
	bool has_mac;
	uint8_t mac[6];

	uint8_t status;
	bool resetting;			/* the driver has reset; the server has not yet agreed */
	uint32_t feature_select, driver_feature_select;
	uint64_t driver_features;
	uint16_t config_vector, queue_select;
	uint8_t isr, config_generation;
	bool config_pending;		/* a config interrupt waits for its mask to go */
	bool complained;		/* about this driver; one line a reset is enough */
	unsigned int complaints;	/* a guest must not fill the host's log */
	struct virtio_queue queue[IO_MAX_QUEUES];
};

/* type: CHANNEL_BLOCK or CHANNEL_NETWORK; takes over the channel. mac may be NULL. */
int virtio_pci_open(struct virtio_pci *v, uint32_t type, const char *name, struct channel *channel,
		    const uint8_t *mac, struct irq *irq, const struct memory *memory);

/* The server's area may have changed. */
void virtio_pci_wake(struct virtio_pci *v);

/* Reset of the machine: at once for the guest; quiet tells when its server has stopped. */
void virtio_pci_reset(struct virtio_pci *v);
bool virtio_pci_quiet(struct virtio_pci *v);

#endif

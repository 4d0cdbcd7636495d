/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's MSI-X table (PCI 3.0, 6.8.2) in a memory BAR: table at 0, pending bits at
 * MSIX_PENDING. Whether a message may go out is asked here; sending it is the device's.
 */
#ifndef MONITOR_MSIX_H
#define MONITOR_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "irq.h"
#include "pci.h"

#define MSIX_MAX	16
#define MSIX_BAR_SIZE	4096
#define MSIX_PENDING	2048
#define MSIX_NO_VECTOR	0xffff

struct msix {
	unsigned int count;
	unsigned int capability;	/* its place in configuration space */
	uint32_t word[MSIX_MAX][4];	/* address low, high, data, control */
	uint32_t pending;		/* kept by the device: bit n, vector n */
};

/* Adds the capability; the BAR is the caller's. */
void msix_init(struct msix *m, struct pci_device *d, unsigned int bar, unsigned int count);
void msix_reset(struct msix *m, struct pci_device *d);

uint64_t msix_read(const struct msix *m, uint32_t offset, unsigned int size);

/* Returns true if a message or a mask has changed. */
bool msix_write(struct msix *m, uint32_t offset, uint64_t value, unsigned int size);

/* Is MSI-X on, and vector one that may be sent now? Then message is what to send. */
bool msix_message(const struct msix *m, const struct pci_device *d, uint16_t vector,
		  struct irq_message *message);

#endif

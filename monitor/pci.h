/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PCI bus behind configuration mechanism #1 (PCI 3.0, 3.2.2.3.2): a host bridge in slot 0,
 * devices after it. There is no firmware: addresses are assigned here, where the guest finds
 * them; it may move them within the windows that the DSDT names. Guarded by the device lock.
 */
#ifndef MONITOR_PCI_H
#define MONITOR_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

#define PCI_SLOTS	32
#define PCI_BARS	6
#define PCI_CONFIG	256

struct pci_device;

struct pci_operations {
	/* Accesses to bar, which the guest has enabled. 1, 2 or 4 bytes (memory: 8 as well). */
	uint64_t (*read)(struct pci_device *d, unsigned int bar, uint32_t offset,
			 unsigned int size);
	void (*write)(struct pci_device *d, unsigned int bar, uint32_t offset, uint64_t value,
		      unsigned int size);
	/* The place of a BAR or its decoding, or a writable byte of a capability, has changed. */
	void (*configured)(struct pci_device *d);
	/* Configuration bytes are about to be read. NULL: they are what config says. */
	void (*config_read)(struct pci_device *d, unsigned int offset, unsigned int size);
	void (*config_written)(struct pci_device *d, unsigned int offset, unsigned int size);
};

struct pci_device {
	const struct pci_operations *ops;	/* NULL: the host bridge */
	uint8_t config[PCI_CONFIG];
	uint8_t writable[PCI_CONFIG];		/* a set bit may be changed by the guest */
	struct pci_bar {
		uint32_t size;			/* a power of two; 0: none */
		bool port;
	} bar[PCI_BARS];
	unsigned int slot;
	uint8_t capability;			/* where the last one added lies */
	uint8_t free;				/* where the next one goes */
};

struct pci {
	struct pci_device bridge;
	struct pci_device *slot[PCI_SLOTS];
	uint32_t address;
};

void pci_init(struct pci *p, struct ports *ports);

/* Takes the next slot. -ENOSPC. config, bars and capabilities are to be set up before. */
int pci_add(struct pci *p, struct pci_device *d);

void pci_device_init(struct pci_device *d, uint16_t vendor, uint16_t device,
		     uint32_t class_revision, uint16_t subsystem_vendor, uint16_t subsystem);
void pci_bar(struct pci_device *d, unsigned int bar, uint32_t size, bool port);

/* Appends a capability of length bytes (its first two are filled in); returns its offset. */
unsigned int pci_capability(struct pci_device *d, uint8_t id, const void *body,
			    unsigned int length);

/* Configuration space as at power-on; addresses are assigned again. */
void pci_reset(struct pci *p);

/* Where the guest has put a BAR, and whether the device answers there. */
bool pci_bar_base(const struct pci_device *d, unsigned int bar, uint32_t *base);

/* Memory accesses; reads of nothing are all ones. */
uint64_t pci_memory_read(struct pci *p, uint64_t address, unsigned int size);
void pci_memory_write(struct pci *p, uint64_t address, uint64_t value, unsigned int size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI bus: configuration space and the way from an address to a device. */
#include <assert.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "layout.h"
#include "pci.h"

#define ENABLE		(1U << 31)
#define BRIDGE_VENDOR	0x8086
#define BRIDGE_DEVICE	0x0d57	/* a bare host bridge, without the quirks of any chip set */
#define PORTS_PER_SLOT	0x100
#define MEMORY_PER_SLOT	0x10000

static void put16(uint8_t *to, uint16_t v)
{
	memcpy(to, &v, sizeof(v));
}

static void put32(uint8_t *to, uint32_t v)
{
	memcpy(to, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *from)
{
	uint16_t v;

	memcpy(&v, from, sizeof(v));
	return v;
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return v;
}

static unsigned int bar_offset(unsigned int bar)
{
	return PCI_BASE_ADDRESS_0 + 4 * bar;
}

void pci_device_init(struct pci_device *d, uint16_t vendor, uint16_t device,
		     uint32_t class_revision, uint16_t subsystem_vendor, uint16_t subsystem)
{
	memset(d, 0, sizeof(*d));
	put16(d->config + PCI_VENDOR_ID, vendor);
	put16(d->config + PCI_DEVICE_ID, device);
	put32(d->config + PCI_CLASS_REVISION, class_revision);
	put16(d->config + PCI_SUBSYSTEM_VENDOR_ID, subsystem_vendor);
	put16(d->config + PCI_SUBSYSTEM_ID, subsystem);
	put16(d->writable + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
	      PCI_COMMAND_INTX_DISABLE);
	d->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	d->writable[PCI_LATENCY_TIMER] = 0xff;
	d->writable[PCI_INTERRUPT_LINE] = 0xff;
	d->free = PCI_STD_HEADER_SIZEOF;
}

void pci_bar(struct pci_device *d, unsigned int bar, uint32_t size, bool port)
{
	d->bar[bar] = (struct pci_bar){ size, port };
	put32(d->writable + bar_offset(bar), ~(size - 1) & ~(port ? 3U : 15U));
}

unsigned int pci_capability(struct pci_device *d, uint8_t id, const void *body, unsigned int length)
{
	unsigned int at = d->free;

	assert(at + length <= PCI_CONFIG);
	memcpy(d->config + at, body, length);
	d->config[at] = id;
	d->config[at + 1] = 0;
	d->config[d->capability ? d->capability + 1 : PCI_CAPABILITY_LIST] = at;
	d->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	d->capability = at;
	d->free = (at + length + 3) & ~3U;
	return at;
}

/* What a firmware would do. Decoding stays off until the guest's driver turns it on. */
static void assign(struct pci_device *d)
{
	uint32_t port = LAYOUT_PCI_PORTS + d->slot * PORTS_PER_SLOT;
	uint32_t memory = LAYOUT_PCI_MEMORY + d->slot * MEMORY_PER_SLOT;
	unsigned int i;

	put16(d->config + PCI_COMMAND, 0);
	for (i = 0; i < PCI_BARS; i++) {
		struct pci_bar *b = &d->bar[i];
		uint32_t *next = b->port ? &port : &memory;

		if (!b->size)
			continue;
		*next = (*next + b->size - 1) & ~(b->size - 1);
		put32(d->config + bar_offset(i), *next | (b->port ? PCI_BASE_ADDRESS_SPACE_IO : 0));
		*next += b->size;
	}
}

int pci_add(struct pci *p, struct pci_device *d)
{
	unsigned int i;

	for (i = 1; i < PCI_SLOTS; i++) {
		if (p->slot[i])
			continue;
		p->slot[i] = d;
		d->slot = i;
		assign(d);
		return 0;
	}
	return -ENOSPC;
}

void pci_reset(struct pci *p)
{
	unsigned int i;

	p->address = 0;
	for (i = 1; i < PCI_SLOTS && p->slot[i]; i++)
		assign(p->slot[i]);
}

bool pci_bar_base(const struct pci_device *d, unsigned int bar, uint32_t *base)
{
	const struct pci_bar *b = &d->bar[bar];
	uint16_t command = get16(d->config + PCI_COMMAND);

	*base = get32(d->config + bar_offset(bar)) & ~(b->port ? 3U : 15U);
	return b->size && command & (b->port ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* The device and BAR that contain an access. */
static struct pci_device *decode(struct pci *p, uint64_t address, unsigned int size, bool port,
				 unsigned int *bar, uint32_t *offset)
{
	unsigned int i, b;
	uint32_t base;

	for (i = 1; i < PCI_SLOTS && p->slot[i]; i++) {
		for (b = 0; b < PCI_BARS; b++) {
			struct pci_device *d = p->slot[i];

			if (d->bar[b].port != port || !pci_bar_base(d, b, &base) ||
			    address < base || address - base + size > d->bar[b].size)
				continue;
			*bar = b;
			*offset = address - base;
			return d;
		}
	}
	return NULL;
}

uint64_t pci_memory_read(struct pci *p, uint64_t address, unsigned int size)
{
	unsigned int bar;
	uint32_t offset;
	struct pci_device *d = decode(p, address, size, false, &bar, &offset);

	return d ? d->ops->read(d, bar, offset, size) : ~0ULL;
}

void pci_memory_write(struct pci *p, uint64_t address, uint64_t value, unsigned int size)
{
	unsigned int bar;
	uint32_t offset;
	struct pci_device *d = decode(p, address, size, false, &bar, &offset);

	if (d)
		d->ops->write(d, bar, offset, value, size);
}

static uint32_t window_read(void *opaque, uint16_t at, unsigned int size)
{
	unsigned int bar;
	uint32_t offset;
	struct pci_device *d = decode(opaque, LAYOUT_PCI_PORTS + at, size, true, &bar, &offset);

	return d ? d->ops->read(d, bar, offset, size) : ports_nothing(size);
}

static void window_write(void *opaque, uint16_t at, uint32_t value, unsigned int size)
{
	unsigned int bar;
	uint32_t offset;
	struct pci_device *d = decode(opaque, LAYOUT_PCI_PORTS + at, size, true, &bar, &offset);

	if (d)
		d->ops->write(d, bar, offset, value, size);
}

/* The device that the address register names, and the byte of its configuration space. */
static struct pci_device *selected(const struct pci *p, uint16_t at, unsigned int size,
				   unsigned int *offset)
{
	*offset = (p->address & 0xfc) + (at & 3);
	/* Bus 0, function 0 only. */
	if (!(p->address & ENABLE) || p->address & 0x00ff0700 || *offset % 4 + size > 4)
		return NULL;
	return p->slot[p->address >> 11 & 31];
}

static uint32_t config_read(struct pci *p, uint16_t at, unsigned int size)
{
	struct pci_device *d;
	unsigned int offset;
	uint32_t v = 0;

	d = selected(p, at, size, &offset);
	if (!d)
		return ports_nothing(size);
	if (d->ops && d->ops->config_read)
		d->ops->config_read(d, offset, size);
	memcpy(&v, d->config + offset, size);
	return v;
}

static void config_write(struct pci *p, uint16_t at, uint32_t value, unsigned int size)
{
	struct pci_device *d;
	unsigned int offset, i;

	d = selected(p, at, size, &offset);
	if (!d)
		return;
	for (i = 0; i < size; i++) {
		uint8_t mask = d->writable[offset + i];

		d->config[offset + i] &= ~mask;
		d->config[offset + i] |= value >> 8 * i & mask;
	}
	if (!d->ops)
		return;
	if (d->ops->config_written)
		d->ops->config_written(d, offset, size);
	if (d->ops->configured)
		d->ops->configured(d);
}

static uint32_t mechanism_read(void *opaque, uint16_t offset, unsigned int size)
{
	struct pci *p = opaque;

	if (offset >= 4)
		return config_read(p, offset - 4, size);
	return offset == 0 && size == 4 ? p->address : ports_nothing(size);
}

static void mechanism_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct pci *p = opaque;

	if (offset >= 4)
		config_write(p, offset - 4, value, size);
	else if (offset == 0 && size == 4)
		p->address = value & (ENABLE | 0x00fffffc);
}

void pci_init(struct pci *p, struct ports *ports)
{
	memset(p, 0, sizeof(*p));
	pci_device_init(&p->bridge, BRIDGE_VENDOR, BRIDGE_DEVICE, 0x06000000, 0, 0);
	p->slot[0] = &p->bridge;
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_PCI, LAYOUT_PORT_PCI + 7, mechanism_read, mechanism_write, p });
	ports_add(ports, &(struct ports_range){
		LAYOUT_PCI_PORTS, LAYOUT_PCI_PORTS_END - 1, window_read, window_write, p });
}

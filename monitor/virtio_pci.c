/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a virtio-pci device: Virtio 1.2, 4.1.4 (structures) and 3.1.1 (initialization). */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>

#include <common/log.h>

#include "kvm.h"
#include "virtio_pci.h"

#define VENDOR		0x1af4
#define DEVICE_BASE	0x1040	/* + device type */
#define TYPE_NETWORK	1
#define TYPE_BLOCK	2
#define CLASS_NETWORK	0x020000
#define CLASS_STORAGE	0x018000

/* BAR 0, ports. */
#define REGISTERS_BAR	0
#define REGISTERS_SIZE	256
#define COMMON		0x00
#define COMMON_SIZE	0x38
#define ISR		0x40
#define DEVICE		0x80
#define NOTIFY		0xc0
#define NOTIFY_STEP	2
#define MSIX_BAR	1

#define ISR_CONFIG	2
#define COMPLAINTS	16

/*
 * What passes through from server to driver: a device type's own bits, and of the rings' bits
 * those that io.h's split rings carry. Everything else is an extension that needs this file.
 */
#define TYPE_BITS	(0xffffffULL | 0x3fffULL << 50)
#define RING_BITS	(1ULL << 28 | 1ULL << 29)	/* indirect descriptors, event index */
#define VERSION_1	(1ULL << VIRTIO_F_VERSION_1)

static struct virtio_pci *device_of(struct pci_device *d)
{
	return (struct virtio_pci *)d;
}

static void complain(struct virtio_pci *v, const char *what)
{
	const char *last = v->complaints + 1 == COMPLAINTS ? "; that is the last line about it"
							   : "";

	if (!v->complained && v->complaints < COMPLAINTS) {
		v->complaints++;
		log_warning("device %s: the guest's driver %s%s", v->name, what, last);
		if (v->console)
			console_note(v->console, "device %s: its driver %s%s", v->name, what, last);
	}
	v->complained = true;
}

static uint64_t offered(const struct virtio_pci *v)
{
	uint64_t f;

	if (!v->link.ready)
		return 0;
	f = (v->link.features & (TYPE_BITS | RING_BITS)) | VERSION_1;
	return v->has_mac ? f | 1ULL << VIRTIO_NET_F_MAC : f;
}

/* ---- interrupts */

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

/*
 * Ties each queue's eventfd to KVM while its vector may be sent, and unties it while not: what
 * the server signals meanwhile stays in the eventfd, so that nothing is lost by masking. Nothing
 * is tied before DRIVER_OK: the server signals nothing then, and drivers set vectors in many steps.
 */
static void update_queue_interrupts(struct virtio_pci *v)
{
	struct irq_message message;
	unsigned int i;

	for (i = 0; i < IO_MAX_QUEUES; i++) {
		struct virtio_queue *q = &v->queue[i];
		bool want = v->link.up && q->enabled && q->number >= 0 &&
			    msix_message(&v->msix, &v->pci, q->vector, &message);

		if (want)
			irq_route(v->irq, q->number, &message);
		else if (q->tied && !irq_tie(v->irq, q->number, q->interrupt, false))
			q->tied = false;
	}
	if (irq_commit(v->irq))
		return;
	for (i = 0; i < IO_MAX_QUEUES; i++) {
		struct virtio_queue *q = &v->queue[i];

		if (!q->tied && v->link.up && q->enabled && q->number >= 0 &&
		    msix_message(&v->msix, &v->pci, q->vector, &message))
			q->tied = !irq_tie(v->irq, q->number, q->interrupt, true);
	}
}

static void send_config_interrupt(struct virtio_pci *v)
{
	struct irq_message message;

	if (!v->config_pending || v->config_vector == VIRTIO_MSI_NO_VECTOR)
		return;
	if (!msix_message(&v->msix, &v->pci, v->config_vector, &message))
		return;
	v->config_pending = false;
	irq_send(v->irq, &message);
}

static void raise_config(struct virtio_pci *v)
{
	if (!(v->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	v->isr |= ISR_CONFIG;
	v->config_pending = true;
	send_config_interrupt(v);
}

static void update_interrupts(struct virtio_pci *v)
{
	update_queue_interrupts(v);
	send_config_interrupt(v);
}

/* The pending bits, made up when somebody looks: they are where the signals wait. */
static void update_pending(struct virtio_pci *v)
{
	unsigned int i;

	v->msix.pending = 0;
	if (v->config_pending && v->config_vector < v->msix.count)
		v->msix.pending |= 1U << v->config_vector;
	for (i = 0; i < IO_MAX_QUEUES; i++) {
		const struct virtio_queue *q = &v->queue[i];

		if (v->link.up && !q->tied && q->vector < v->msix.count && readable(q->interrupt))
			v->msix.pending |= 1U << q->vector;
	}
}

/* ---- kicks */

static void listen_for_kicks(struct virtio_pci *v, struct virtio_queue *q, uint32_t port, bool on)
{
	struct kvm_ioeventfd e = {
		.addr = port,
		.len = 2,
		.fd = q->kick,
		.flags = KVM_IOEVENTFD_FLAG_PIO | (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};
	int rc = kvm_vm_ptr(v->irq->partition, KVM_IOEVENTFD, &e);

	if (rc == -EEXIST)
		complain(v, "puts its registers where another device's are");
	else if (rc < 0)
		log_errno(LOG_ERR, rc, "device %s: ioeventfd at port %#x", v->name, port);
	q->port = on && rc >= 0 ? port : 0;
}

/* KVM listens where the guest has put the BAR, for the queues that are in use. */
static void update_kicks(struct virtio_pci *v)
{
	unsigned int i;
	uint32_t base;
	bool decodes = pci_bar_base(&v->pci, REGISTERS_BAR, &base);

	for (i = 0; i < IO_MAX_QUEUES; i++) {
		struct virtio_queue *q = &v->queue[i];
		uint32_t port = base + NOTIFY + i * NOTIFY_STEP;

		if (!decodes || !v->link.up || !q->enabled || q->kick < 0 || port > 0xfffe)
			port = 0;
		if (q->port && q->port != port)
			listen_for_kicks(v, q, q->port, false);
		if (port && !q->port)
			listen_for_kicks(v, q, port, true);
	}
}

/* A kick that KVM did not take: of a width that no driver uses. */
static void kick(struct virtio_pci *v, uint32_t offset)
{
	unsigned int i = (offset - NOTIFY) / NOTIFY_STEP;

	if (i < IO_MAX_QUEUES && v->link.up && v->queue[i].enabled)
		channel_ring(v->link.channel, IO_DOORBELL_QUEUE(i));
}

/* ---- the device's life */

static int prepare_queue(struct virtio_pci *v, unsigned int i)
{
	struct virtio_queue *q = &v->queue[i];
	uint64_t stale;
	int rc = 0;

	if (q->kick < 0) {
		q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->kick < 0)
			return -errno;
		rc = channel_bind_source(v->link.channel, IO_DOORBELL_QUEUE(i), q->kick);
	}
	if (!rc && q->interrupt < 0) {
		q->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->interrupt < 0)
			return -errno;
		rc = channel_bind_sink(v->link.channel, IO_DOORBELL_QUEUE(i), q->interrupt);
	}
	if (!rc && q->number < 0) {
		q->number = irq_allocate(v->irq);
		rc = q->number < 0 ? q->number : 0;
	}
	/* Signals for the driver before this one. */
	if (!rc && read(q->interrupt, &stale, sizeof(stale)) < 0 && errno != EAGAIN)
		rc = -errno;
	return rc;
}

static void needs_reset(struct virtio_pci *v)
{
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	raise_config(v);
}

static void driver_ok(struct virtio_pci *v)
{
	struct io_queue queues[IO_MAX_QUEUES] = { 0 };
	unsigned int i;
	int rc;

	for (i = 0; i < v->link.queues; i++) {
		if (!v->queue[i].enabled)
			continue;
		rc = prepare_queue(v, i);
		if (rc) {
			log_errno(LOG_ERR, rc, "device %s: queue %u", v->name, i);
			needs_reset(v);
			return;
		}
		queues[i] = v->queue[i].setup;
	}
	/* The server knows of no MAC address but its own: it must not see the bit that we added. */
	io_link_up(&v->link, v->driver_features & (v->link.features | VERSION_1), queues);
	update_kicks(v);
	update_interrupts(v);
}

static void clear(struct virtio_pci *v)
{
	unsigned int i;

	v->status = 0;
	v->feature_select = v->driver_feature_select = 0;
	v->driver_features = 0;
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	v->queue_select = 0;
	v->isr = 0;
	v->config_pending = v->complained = false;
	for (i = 0; i < IO_MAX_QUEUES; i++) {
		struct virtio_queue *q = &v->queue[i];

		q->setup = (struct io_queue){ .size = v->link.queue_size_max };
		q->enabled = false;
		q->vector = VIRTIO_MSI_NO_VECTOR;
	}
}

/*
 * The guest sees status 0, by which it knows that its buffers are its own again, only when the
 * server has agreed; or when there is a server at all, so that a driver that comes before it waits.
 */
static bool still_resetting(struct virtio_pci *v)
{
	if (!v->resetting)
		return false;
	io_link_refresh(&v->link);
	if (!v->link.lost && (!v->link.ready || !io_link_settled(&v->link)))
		return true;
	v->resetting = false;
	clear(v);
	return false;
}

static void reset(struct virtio_pci *v)
{
	io_link_down(&v->link);
	clear(v);
	update_kicks(v);
	update_queue_interrupts(v);
	v->resetting = true;
}

/* ---- common configuration */

static struct virtio_queue *selected(struct virtio_pci *v)
{
	return v->queue_select < v->link.queues ? &v->queue[v->queue_select] : NULL;
}

static void fill_common(struct virtio_pci *v, struct virtio_pci_common_cfg *c)
{
	const struct virtio_queue *q = selected(v);
	uint64_t features = offered(v);

	memset(c, 0, sizeof(*c));
	c->device_feature_select = v->feature_select;
	c->device_feature = v->feature_select < 2 ? features >> 32 * v->feature_select : 0;
	c->guest_feature_select = v->driver_feature_select;
	c->guest_feature = v->driver_feature_select < 2 ?
			   v->driver_features >> 32 * v->driver_feature_select : 0;
	c->msix_config = v->config_vector;
	c->num_queues = v->link.queues;
	c->device_status = v->status;
	c->config_generation = v->config_generation;
	c->queue_select = v->queue_select;
	c->queue_msix_vector = VIRTIO_MSI_NO_VECTOR;
	if (!q)
		return;
	c->queue_size = q->setup.size;
	c->queue_msix_vector = q->vector;
	c->queue_enable = q->enabled;
	c->queue_notify_off = v->queue_select;
	c->queue_desc_lo = q->setup.desc;
	c->queue_desc_hi = q->setup.desc >> 32;
	c->queue_avail_lo = q->setup.driver;
	c->queue_avail_hi = q->setup.driver >> 32;
	c->queue_used_lo = q->setup.device;
	c->queue_used_hi = q->setup.device >> 32;
}

static uint32_t read_common(struct virtio_pci *v, uint32_t offset, unsigned int size)
{
	struct virtio_pci_common_cfg c;
	uint32_t value = 0;

	if (offset + size > sizeof(c))
		return ports_nothing(size);
	/* What a driver reads while its reset goes on: any value but zero. */
	if (offset == VIRTIO_PCI_COMMON_STATUS && still_resetting(v))
		return VIRTIO_CONFIG_S_NEEDS_RESET;
	fill_common(v, &c);
	memcpy(&value, (char *)&c + offset, size);
	return value;
}

static void write_status(struct virtio_pci *v, uint8_t status)
{
	uint8_t added;

	if (status == 0) {
		reset(v);
		return;
	}
	if (still_resetting(v))
		return;
	status |= v->status;		/* bits go by reset only */
	added = status & ~v->status;
	if (added & VIRTIO_CONFIG_S_FEATURES_OK &&
	    (v->driver_features & ~offered(v) || !(v->driver_features & VERSION_1))) {
		complain(v, "accepts features that were not offered, or not VERSION_1");
		status &= ~(VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
		added = 0;
	}
	if (added & VIRTIO_CONFIG_S_DRIVER_OK && !(status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		complain(v, "sets DRIVER_OK before FEATURES_OK");
		status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
		added = 0;
	}
	v->status = status;
	if (added & VIRTIO_CONFIG_S_DRIVER_OK)
		driver_ok(v);
}

/* A queue may be enabled if its rings are aligned and within the guest's memory. */
static bool queue_sound(const struct virtio_pci *v, const struct io_queue *q)
{
	return q->size && q->desc % 16 == 0 && q->driver % 2 == 0 && q->device % 4 == 0 &&
	       memory_at(v->memory, q->desc, 16ULL * q->size) &&
	       memory_at(v->memory, q->driver, 6 + 2ULL * q->size) &&
	       memory_at(v->memory, q->device, 6 + 8ULL * q->size);
}

static void set_half(uint64_t *value, bool high, uint32_t half)
{
	*value = high ? (uint32_t)*value | (uint64_t)half << 32 :
			(*value & ~0xffffffffULL) | half;
}

static uint16_t valid_vector(const struct virtio_pci *v, uint16_t vector)
{
	return vector < v->msix.count ? vector : VIRTIO_MSI_NO_VECTOR;
}

static void write_queue(struct virtio_pci *v, uint32_t offset, uint32_t value)
{
	struct virtio_queue *q = selected(v);

	if (!q)
		return;
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX) {
		q->vector = valid_vector(v, value);
		update_queue_interrupts(v);
		return;
	}
	if (q->enabled || v->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		complain(v, "changes a queue that is in use");
		return;
	}
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (value && value <= v->link.queue_size_max && !(value & (value - 1)))
			q->setup.size = value;
		else
			complain(v, "sets a queue size that is no power of two or too large");
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value != 1)
			break;
		q->enabled = queue_sound(v, &q->setup);
		if (!q->enabled)
			complain(v, "enables a queue that is not aligned or not in memory");
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&q->setup.desc, offset == VIRTIO_PCI_COMMON_Q_DESCHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&q->setup.driver, offset == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&q->setup.device, offset == VIRTIO_PCI_COMMON_Q_USEDHI, value);
		break;
	}
}

/* A register is written at its own width, or not at all. */
static unsigned int width(uint32_t offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_STATUS:
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return 1;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_NUMQ:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return 2;
	default:
		return offset % 4 ? 0 : 4;
	}
}

static void write_common(struct virtio_pci *v, uint32_t offset, uint32_t value, unsigned int size)
{
	if (size != width(offset))
		return;
	if (offset == VIRTIO_PCI_COMMON_STATUS) {
		write_status(v, value);
		return;
	}
	if (still_resetting(v))
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		v->feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		v->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		if (v->driver_feature_select < 2 && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK))
			set_half(&v->driver_features, v->driver_feature_select, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		v->config_vector = valid_vector(v, value);
		send_config_interrupt(v);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		v->queue_select = value;
		break;
	default:
		write_queue(v, offset, value);
	}
}

/* ---- BARs */

static uint32_t read_device(const struct virtio_pci *v, uint32_t offset, unsigned int size)
{
	uint8_t config[IO_CONFIG_SIZE];
	uint32_t value = 0;

	if (offset + size > sizeof(config))
		return ports_nothing(size);
	memcpy(config, v->link.config, sizeof(config));
	if (v->has_mac)
		memcpy(config, v->mac, sizeof(v->mac));
	memcpy(&value, config + offset, size);
	return value;
}

static uint64_t bar_read(struct pci_device *d, unsigned int bar, uint32_t offset, unsigned int size)
{
	struct virtio_pci *v = device_of(d);
	uint8_t isr;

	if (bar == MSIX_BAR) {
		update_pending(v);
		return msix_read(&v->msix, offset, size);
	}
	if (offset < COMMON + COMMON_SIZE)
		return read_common(v, offset - COMMON, size);
	if (offset == ISR) {
		isr = v->isr;
		v->isr = 0;		/* read to clear */
		return isr;
	}
	if (offset >= DEVICE && offset < DEVICE + IO_CONFIG_SIZE)
		return read_device(v, offset - DEVICE, size);
	return ports_nothing(size);
}

static void bar_write(struct pci_device *d, unsigned int bar, uint32_t offset, uint64_t value,
		      unsigned int size)
{
	struct virtio_pci *v = device_of(d);

	if (bar == MSIX_BAR) {
		if (msix_write(&v->msix, offset, value, size))
			update_interrupts(v);
	} else if (offset < COMMON + COMMON_SIZE) {
		write_common(v, offset - COMMON, value, size);
	} else if (offset >= NOTIFY && offset < NOTIFY + IO_MAX_QUEUES * NOTIFY_STEP) {
		kick(v, offset);
	}
	/* Device configuration is read-only: no feature that would make it writable is offered. */
}

static void configured(struct pci_device *d)
{
	update_kicks(device_of(d));
	update_interrupts(device_of(d));
}

/* ---- the window into the BARs within configuration space (4.1.4.9) */

static struct virtio_pci_cfg_cap *window(struct pci_device *d)
{
	/* The last capability that add_capabilities adds. */
	return (struct virtio_pci_cfg_cap *)(d->config + d->capability);
}

static bool window_access(struct pci_device *d, unsigned int offset, unsigned int *bar,
			  uint32_t *at, unsigned int *size)
{
	const struct virtio_pci_cfg_cap *w = window(d);

	*bar = w->cap.bar;
	*at = w->cap.offset;
	*size = w->cap.length;
	return offset == d->capability + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data) &&
	       (*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 &&
	       *bar <= MSIX_BAR && *at < d->bar[*bar].size;
}

static void config_read(struct pci_device *d, unsigned int offset, unsigned int size)
{
	unsigned int bar, n;
	uint32_t at, value;

	(void)size;
	if (!window_access(d, offset, &bar, &at, &n))
		return;
	value = bar_read(d, bar, at, n);
	memcpy(window(d)->pci_cfg_data, &value, sizeof(value));
}

static void config_written(struct pci_device *d, unsigned int offset, unsigned int size)
{
	unsigned int bar, n;
	uint32_t at, value;

	(void)size;
	if (!window_access(d, offset, &bar, &at, &n))
		return;
	memcpy(&value, window(d)->pci_cfg_data, sizeof(value));
	bar_write(d, bar, at, value, n);
}

static const struct pci_operations operations = {
	.read = bar_read,
	.write = bar_write,
	.configured = configured,
	.config_read = config_read,
	.config_written = config_written,
};

/* ---- set-up */

static void add_capability(struct virtio_pci *v, uint8_t type, uint32_t offset, uint32_t length)
{
	struct virtio_pci_notify_cap body = {
		.cap =
			{
				.cap_len = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? sizeof(body)
									     : sizeof(body.cap),
				.cfg_type = type,
				.bar = REGISTERS_BAR,
				.offset = offset,
				.length = length,
			},
		.notify_off_multiplier = NOTIFY_STEP,
	};

	pci_capability(&v->pci, PCI_CAP_ID_VNDR, &body, body.cap.cap_len);
}

static void add_capabilities(struct virtio_pci *v)
{
	struct virtio_pci_cfg_cap access = {
		.cap = { .cap_len = sizeof(access), .cfg_type = VIRTIO_PCI_CAP_PCI_CFG },
	};
	unsigned int at;

	msix_init(&v->msix, &v->pci, MSIX_BAR, IO_MAX_QUEUES + 1);
	add_capability(v, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, COMMON_SIZE);
	add_capability(v, VIRTIO_PCI_CAP_ISR_CFG, ISR, 1);
	add_capability(v, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE, IO_CONFIG_SIZE);
	add_capability(v, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, IO_MAX_QUEUES * NOTIFY_STEP);
	at = pci_capability(&v->pci, PCI_CAP_ID_VNDR, &access, sizeof(access));
	v->pci.writable[at + offsetof(struct virtio_pci_cap, bar)] = 0xff;
	memset(v->pci.writable + at + offsetof(struct virtio_pci_cap, offset), 0xff,
	       sizeof(access) - offsetof(struct virtio_pci_cap, offset));
}

int virtio_pci_open(struct virtio_pci *v, uint32_t type, const char *name, struct channel *channel,
		    const uint8_t *mac, struct irq *irq, const struct memory *memory)
{
	bool block = type == CHANNEL_BLOCK;
	unsigned int i;
	int rc;

	memset(v, 0, sizeof(*v));
	pci_device_init(&v->pci, VENDOR, DEVICE_BASE + (block ? TYPE_BLOCK : TYPE_NETWORK),
			(block ? CLASS_STORAGE : CLASS_NETWORK) << 8 | 1, VENDOR, 0x1100);
	v->pci.ops = &operations;
	pci_bar(&v->pci, REGISTERS_BAR, REGISTERS_SIZE, true);
	pci_bar(&v->pci, MSIX_BAR, MSIX_BAR_SIZE, false);
	add_capabilities(v);
	v->irq = irq;
	v->memory = memory;
	snprintf(v->name, sizeof(v->name), "%s", name);
	if (mac) {
		v->has_mac = true;
		memcpy(v->mac, mac, sizeof(v->mac));
	}
	for (i = 0; i < IO_MAX_QUEUES; i++)
		v->queue[i].kick = v->queue[i].interrupt = v->queue[i].number = -1;
	rc = io_link_open(&v->link, channel);
	if (rc)
		return rc;
	v->resetting = true;
	clear(v);
	still_resetting(v);
	return 0;
}

void virtio_pci_wake(struct virtio_pci *v)
{
	char fault[IO_FAULT_SIZE], what[IO_FAULT_SIZE + 64];

	if (io_link_refresh(&v->link)) {
		v->config_generation++;
		raise_config(v);
	}
	if (v->link.up && v->link.broken == v->link.generation &&
	    !(v->status & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		needs_reset(v);
		io_link_fault(&v->link, fault);
		snprintf(what, sizeof(what), "is at fault, its server says: %s; it must reset it",
			 fault);
		complain(v, what);
	}
}

void virtio_pci_reset(struct virtio_pci *v)
{
	msix_reset(&v->msix, &v->pci);
	reset(v);
}

bool virtio_pci_quiet(struct virtio_pci *v)
{
	return io_link_quiet(&v->link);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio device's registers, with drivers and servers that keep to the rules, and with others. */
#include "machine.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>

#include <monitor/layout.h>
#include <monitor/virtio_pci.h>

#define MIB (1ULL << 20)
#define PORT (LAYOUT_PCI_PORTS + 0x100)
#define STATUS VIRTIO_PCI_COMMON_STATUS
#define VERSION_1 (1ULL << VIRTIO_F_VERSION_1)

static struct channel *client, *server;
static struct io_server *ours;
static const struct io_client *theirs;
static struct ports ports;
static struct pci pci;
static struct irq irq;
static struct memory memory;
static struct virtio_pci *device;

static void acknowledge(void)
{
	atomic_store(&ours->acknowledged, theirs->generation);
}

static void describe(unsigned int queues)
{
	ours->features = 1ULL << 5 | 1ULL << 9 | 1ULL << 28 | 1ULL << 34;
	ours->queues = queues;
	ours->queue_size_max = 256;
	ours->config_size = 16;
	memcpy(ours->config, "0123456789abcdef", 16);
	atomic_store(&ours->state, IO_SERVER_READY);
}

static void make(uint32_t type, const uint8_t *mac)
{
	const struct channel_geometry g = {
		.type = type, .layout_version = 1, .client_size = IO_CLIENT_SIZE,
		.server_size = IO_SERVER_SIZE, .private_size = IO_PRIVATE_SIZE,
		.doorbells = IO_DOORBELLS,
	};

	assert_int_equal(channel_open_pair(&client, &server, &g), 0);
	ours = channel_own(server);
	theirs = channel_peer(server);
	memset(&ports, 0, sizeof(ports));
	pci_init(&pci, &ports);
	irq_init(&irq, -1);
	memory = (struct memory){ .count = 1, .block = { { .length = 64 * MIB } } };
	memory.block[0].base = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	device = calloc(1, sizeof(*device));
	assert_int_equal(virtio_pci_open(device, type, "test", client, mac, &irq, &memory), 0);
	assert_int_equal(pci_add(&pci, &device->pci), 0);
	device->pci.config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
}

static int set_up(void **state)
{
	machine_reset(state);
	make(CHANNEL_BLOCK, NULL);
	return 0;
}

static int tear_down(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < IO_MAX_QUEUES; i++) {
		close(device->queue[i].kick);
		close(device->queue[i].interrupt);
	}
	munmap(memory.block[0].base, 64 * MIB);
	channel_close(client);
	channel_close(server);
	free(device);
	return 0;
}

static uint32_t get(unsigned int reg, unsigned int size)
{
	return ports_read(&ports, PORT + reg, size);
}

static void put(unsigned int reg, uint32_t v, unsigned int size)
{
	ports_write(&ports, PORT + reg, v, size);
}

static uint64_t memory_bar(void)
{
	uint32_t base;

	assert_true(pci_bar_base(&device->pci, 1, &base));
	return base;
}

static void vector(unsigned int index, uint32_t data, bool masked)
{
	uint64_t at = memory_bar() + 16 * index;

	pci_memory_write(&pci, at, 0xfee00000, 4);
	pci_memory_write(&pci, at + 4, 0, 4);
	pci_memory_write(&pci, at + 8, data, 4);
	pci_memory_write(&pci, at + 12, masked, 4);
}

static void msix_on(void)
{
	device->pci.config[device->msix.capability + 3] = PCI_MSIX_FLAGS_ENABLE >> 8;
}

static void queue(unsigned int index, uint64_t at, unsigned int size, unsigned int vec)
{
	put(VIRTIO_PCI_COMMON_Q_SELECT, index, 2);
	put(VIRTIO_PCI_COMMON_Q_SIZE, size, 2);
	put(VIRTIO_PCI_COMMON_Q_MSIX, vec, 2);
	put(VIRTIO_PCI_COMMON_Q_DESCLO, at, 4);
	put(VIRTIO_PCI_COMMON_Q_DESCHI, at >> 32, 4);
	put(VIRTIO_PCI_COMMON_Q_AVAILLO, at + 4096, 4);
	put(VIRTIO_PCI_COMMON_Q_AVAILHI, (at + 4096) >> 32, 4);
	put(VIRTIO_PCI_COMMON_Q_USEDLO, at + 8192, 4);
	put(VIRTIO_PCI_COMMON_Q_USEDHI, (at + 8192) >> 32, 4);
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

static void accept_features(uint64_t features)
{
	put(VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	put(VIRTIO_PCI_COMMON_GF, features, 4);
	put(VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	put(VIRTIO_PCI_COMMON_GF, features >> 32, 4);
	put(STATUS, 3 | VIRTIO_CONFIG_S_FEATURES_OK, 1);
}

/* As far as FEATURES_OK. */
static void negotiate(void)
{
	put(STATUS, 0, 1);
	acknowledge();
	assert_int_equal(get(STATUS, 1), 0);
	put(STATUS, 1, 1);
	put(STATUS, 3, 1);
	accept_features(VERSION_1 | 1 << 28);
	assert_int_equal(get(STATUS, 1), 11);
}

static void bring_up(void)
{
	describe(2);
	negotiate();
	msix_on();
	vector(0, 0x30, false);
	vector(1, 0x31, false);
	put(VIRTIO_PCI_COMMON_MSIX, 0, 2);
	queue(0, MIB, 128, 1);
	put(STATUS, 15, 1);
	assert_int_equal(get(STATUS, 1), 15);
}

static void it_is_a_modern_device_with_all_its_capabilities(void **state)
{
	const uint8_t *c = device->pci.config;
	unsigned int at, seen = 0, count = 0;

	(void)state;
	assert_int_equal(c[0] | c[1] << 8, 0x1af4);
	assert_int_equal(c[2] | c[3] << 8, 0x1042);
	for (at = c[PCI_CAPABILITY_LIST]; at; at = c[at + 1]) {
		assert_true(at >= 0x40 && at < 0xf0 && count++ < 10);
		if (c[at] != PCI_CAP_ID_VNDR)
			continue;
		seen |= 1U << c[at + 3];
		assert_true(c[at + 4] == 0);
	}
	assert_int_equal(seen, 1 << VIRTIO_PCI_CAP_COMMON_CFG | 1 << VIRTIO_PCI_CAP_NOTIFY_CFG |
			 1 << VIRTIO_PCI_CAP_ISR_CFG | 1 << VIRTIO_PCI_CAP_DEVICE_CFG |
			 1 << VIRTIO_PCI_CAP_PCI_CFG);
}

static void a_driver_that_comes_before_the_server_waits(void **state)
{
	(void)state;
	put(STATUS, 0, 1);
	assert_true(get(STATUS, 1) != 0);
	put(STATUS, 1, 1);
	assert_true(get(STATUS, 1) & VIRTIO_CONFIG_S_NEEDS_RESET);
	describe(1);
	assert_int_equal(get(STATUS, 1), 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 256);
}

static void only_known_features_are_offered(void **state)
{
	(void)state;
	describe(1);
	assert_int_equal(get(STATUS, 1), 0);
	put(VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_DF, 4), 1 << 5 | 1 << 9 | 1 << 28);
	put(VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_DF, 4), 1);	/* VERSION_1; not packed rings */
	put(VIRTIO_PCI_COMMON_DFSELECT, 2, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_DF, 4), 0);
	put(VIRTIO_PCI_COMMON_DFSELECT, 0xffffffff, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_DF, 4), 0);
}

static void features_that_were_not_offered_are_refused(void **state)
{
	(void)state;
	describe(1);
	assert_int_equal(get(STATUS, 1), 0);
	put(STATUS, 3, 1);
	accept_features(VERSION_1 | 1ULL << 34);
	assert_int_equal(get(STATUS, 1), 3);
	accept_features(1 << 5);
	assert_int_equal(get(STATUS, 1), 3);
	put(STATUS, 15, 1);
	assert_int_equal(get(STATUS, 1) & 12, 0);
	assert_int_equal(theirs->state, IO_CLIENT_DOWN);
	accept_features(VERSION_1);
	assert_int_equal(get(STATUS, 1), 11);
	/* Final from here on. */
	put(VIRTIO_PCI_COMMON_GF, 0, 4);
	put(STATUS, 15, 1);
	assert_int_equal(theirs->features, VERSION_1);
}

static void driver_ok_tells_the_server_all(void **state)
{
	(void)state;
	bring_up();
	assert_int_equal(theirs->state, IO_CLIENT_UP);
	assert_int_equal(theirs->generation, 1);
	assert_int_equal(theirs->features, VERSION_1 | 1 << 28);
	assert_int_equal(theirs->queues, 2);
	assert_int_equal(theirs->queue[0].size, 128);
	assert_int_equal(theirs->queue[0].desc, MIB);
	assert_int_equal(theirs->queue[0].driver, MIB + 4096);
	assert_int_equal(theirs->queue[0].device, MIB + 8192);
	assert_int_equal(theirs->queue[1].size, 0);
}

static void kicks_and_interrupts_pass_by_the_monitor(void **state)
{
	int bell;
	const struct kvm_irq_routing_entry *r;
	uint64_t one = 1, n;

	(void)state;
	bring_up();
	assert_int_equal(machine.listeners, 1);
	assert_int_equal(machine.listener[0].addr, PORT + 0xc0);
	assert_int_equal(machine.listener[0].len, 2);
	assert_int_equal(machine.listener[0].flags, KVM_IOEVENTFD_FLAG_PIO);
	r = machine_route(device->queue[0].number);
	assert_non_null(r);
	assert_int_equal(r->u.msi.data, 0x31);
	assert_int_equal(machine.tied[device->queue[0].number], device->queue[0].interrupt);
	/* The eventfds are the channel's. */
	bell = channel_doorbell_fd(server, IO_DOORBELL_QUEUE(0));
	if (read(bell, &n, sizeof(n)) < 0)
		assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(machine.listener[0].fd, &one, sizeof(one)), 8);
	assert_int_equal(read(bell, &n, sizeof(n)), 8);
	assert_int_equal(channel_ring(server, IO_DOORBELL_QUEUE(0)), 0);
	assert_int_equal(read(device->queue[0].interrupt, &n, sizeof(n)), 8);
}

static void an_odd_kick_still_rings(void **state)
{
	uint64_t n;
	int bell;

	(void)state;
	bring_up();
	bell = channel_doorbell_fd(server, IO_DOORBELL_QUEUE(0));
	if (read(bell, &n, sizeof(n)) < 0)
		assert_int_equal(errno, EAGAIN);
	put(0xc0, 0, 4);
	assert_int_equal(read(bell, &n, sizeof(n)), 8);
	put(0xc2, 1, 4);
	put(0xce, 7, 2);
}

static void a_masked_vector_loses_no_interrupt(void **state)
{
	unsigned int number;

	(void)state;
	bring_up();
	number = device->queue[0].number;
	pci_memory_write(&pci, memory_bar() + 16 + 12, 1, 4);
	assert_int_equal(machine.tied[number], -1);
	assert_int_equal(pci_memory_read(&pci, memory_bar() + MSIX_PENDING, 4), 0);
	channel_ring(server, IO_DOORBELL_QUEUE(0));
	assert_int_equal(pci_memory_read(&pci, memory_bar() + MSIX_PENDING, 4), 2);
	/* Moved and unmasked: tied again, to the new message; KVM finds the eventfd signalled. */
	pci_memory_write(&pci, memory_bar() + 16 + 8, 0x99, 4);
	pci_memory_write(&pci, memory_bar() + 16 + 12, 0, 4);
	assert_int_equal(machine.tied[number], device->queue[0].interrupt);
	assert_int_equal(machine_route(number)->u.msi.data, 0x99);
	assert_int_equal(pci_memory_read(&pci, memory_bar() + MSIX_PENDING, 4), 0);
}

static void a_masked_config_interrupt_comes_later(void **state)
{
	(void)state;
	bring_up();
	pci_memory_write(&pci, memory_bar() + 12, 1, 4);
	ours->config_generation += 2;
	ours->config[0] = 'X';
	virtio_pci_wake(device);
	assert_int_equal(machine.messages, 0);
	assert_int_equal(pci_memory_read(&pci, memory_bar() + MSIX_PENDING, 4) & 1, 1);
	pci_memory_write(&pci, memory_bar() + 12, 0, 4);
	assert_int_equal(machine.messages, 1);
	assert_int_equal(machine.message.data, 0x30);
	assert_int_equal(get(0x40, 1), 2);
	assert_int_equal(get(0x40, 1), 0);
}

static void a_new_configuration_has_a_new_generation(void **state)
{
	uint8_t before;

	(void)state;
	bring_up();
	before = get(VIRTIO_PCI_COMMON_CFGGENERATION, 1);
	assert_int_equal(get(0x80, 4), 0x33323130);
	virtio_pci_wake(device);
	assert_int_equal(machine.messages, 0);
	ours->config_generation += 2;
	memcpy(ours->config, "fedc", 4);
	virtio_pci_wake(device);
	assert_int_equal(machine.messages, 1);
	assert_int_equal(get(0x80, 4), 0x63646566);
	assert_true(get(VIRTIO_PCI_COMMON_CFGGENERATION, 1) != before);
	/* Half a change, for ever: the last whole one stays. */
	ours->config_generation += 1;
	memcpy(ours->config, "zzzz", 4);
	virtio_pci_wake(device);
	assert_int_equal(get(0x80, 4), 0x63646566);
	/* The guest cannot write it. */
	put(0x80, 0, 4);
	assert_int_equal(get(0x80, 4), 0x63646566);
	assert_int_equal(get(0xbe, 4), 0xffffffff);
}

static void a_reset_is_over_when_the_server_says_so(void **state)
{
	(void)state;
	bring_up();
	acknowledge();
	put(STATUS, 0, 1);
	assert_int_equal(theirs->state, IO_CLIENT_DOWN);
	assert_int_equal(theirs->generation, 2);
	assert_int_equal(machine.listeners, 0);
	assert_int_equal(machine.tied[device->queue[0].number], -1);
	assert_true(get(STATUS, 1) != 0);
	put(STATUS, 1, 1);
	put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 2);
	assert_true(get(STATUS, 1) != 0);
	atomic_store(&ours->acknowledged, 1);
	assert_true(get(STATUS, 1) != 0);
	acknowledge();
	assert_int_equal(get(STATUS, 1), 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 256);
	/* And again from the start, with the same eventfds. */
	negotiate();
	queue(0, 2 * MIB, 64, 1);
	put(STATUS, 15, 1);
	assert_int_equal(theirs->generation, 3);
	assert_int_equal(theirs->queue[0].desc, 2 * MIB);
	assert_int_equal(machine.listeners, 1);
}

static void a_machine_reset_waits_for_the_server(void **state)
{
	(void)state;
	bring_up();
	acknowledge();
	virtio_pci_reset(device);
	assert_false(virtio_pci_quiet(device));
	acknowledge();
	assert_true(virtio_pci_quiet(device));
	/* A device that nobody had brought up is quiet at once. */
	virtio_pci_reset(device);
	assert_true(virtio_pci_quiet(device));
}

static void a_dead_server_is_quiet(void **state)
{
	(void)state;
	bring_up();
	virtio_pci_reset(device);
	assert_false(virtio_pci_quiet(device));
	channel_close(server);
	server = NULL;
	assert_true(virtio_pci_quiet(device));
}

static void a_broken_driver_is_told(void **state)
{
	(void)state;
	bring_up();
	atomic_store(&ours->broken, 77);
	virtio_pci_wake(device);
	assert_int_equal(get(STATUS, 1), 15);
	atomic_store(&ours->broken, 1);
	virtio_pci_wake(device);
	virtio_pci_wake(device);
	assert_int_equal(get(STATUS, 1), 15 | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(machine.messages, 1);
	put(STATUS, 0, 1);
	acknowledge();
	assert_int_equal(get(STATUS, 1), 0);
}

static void absurd_queues_are_refused(void **state)
{
	static const uint16_t sizes[] = { 0, 3, 255, 257, 512, 0x8000, 0xffff };
	unsigned int i;

	(void)state;
	describe(2);
	negotiate();
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put(VIRTIO_PCI_COMMON_Q_SIZE, sizes[i], 2);
		assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 256);
	}
	queue(0, 64 * MIB, 128, 0);		/* beyond memory */
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	queue(0, 64 * MIB - 8192, 128, 0);	/* the used ring does not fit */
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	queue(0, 0xfffffffffffff000ULL, 128, 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	queue(0, MIB + 8, 128, 0);		/* not aligned */
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	/* Queues that do not exist. */
	queue(2, MIB, 128, 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	queue(0xffff, MIB, 128, 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	put(STATUS, 15, 1);
	assert_int_equal(theirs->queue[0].size, 0);
}

static void a_queue_in_use_does_not_change(void **state)
{
	(void)state;
	bring_up();
	queue(0, 4 * MIB, 16, 1);
	queue(1, 4 * MIB, 16, 1);
	put(STATUS, 15, 1);
	assert_int_equal(theirs->generation, 1);
	assert_int_equal(device->queue[0].setup.desc, MIB);
	assert_false(device->queue[1].enabled);
}

static void vectors_that_do_not_exist_read_as_none(void **state)
{
	(void)state;
	describe(1);
	negotiate();
	put(VIRTIO_PCI_COMMON_MSIX, 9, 2);
	assert_int_equal(get(VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
	put(VIRTIO_PCI_COMMON_MSIX, 8, 2);
	assert_int_equal(get(VIRTIO_PCI_COMMON_MSIX, 2), 8);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 0xfffe, 2);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
}

static void registers_have_one_width(void **state)
{
	(void)state;
	describe(1);
	negotiate();
	put(VIRTIO_PCI_COMMON_Q_DESCLO, 0x12345678, 4);
	put(VIRTIO_PCI_COMMON_Q_DESCLO, 0xff, 1);
	put(VIRTIO_PCI_COMMON_Q_DESCLO + 1, 0xffff, 2);
	put(VIRTIO_PCI_COMMON_Q_DESCLO + 2, 0xffffffff, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_DESCLO, 4), 0x12345678);
	put(STATUS, 0, 4);
	assert_int_equal(get(STATUS, 1), 11);
	/* Read-only ones. */
	put(VIRTIO_PCI_COMMON_NUMQ, 8, 2);
	put(VIRTIO_PCI_COMMON_DF, 0, 4);
	assert_int_equal(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	/* The end of the structure and the gaps behind it. */
	assert_int_equal(get(0x36, 4), 0xffffffff);
	assert_int_equal(get(0x3c, 4), 0xffffffff);
	put(0x36, 0, 4);
	put(0x3c, 0, 4);
}

static void a_bar_that_moves_takes_its_kicks_along(void **state)
{
	(void)state;
	bring_up();
	ports_write(&ports, 0xcf8, 1U << 31 | 1 << 11 | PCI_BASE_ADDRESS_0, 4);
	ports_write(&ports, 0xcfc, 0x9000, 4);
	assert_int_equal(machine.listeners, 1);
	assert_int_equal(machine.listener[0].addr, 0x90c0);
	ports_write(&ports, 0xcfc, 0xffffff00, 4);
	assert_int_equal(machine.listeners, 0);
	ports_write(&ports, 0xcfc, 0xa000, 4);
	assert_int_equal(machine.listener[0].addr, 0xa0c0);
	ports_write(&ports, 0xcf8, 1U << 31 | 1 << 11 | PCI_COMMAND, 4);
	ports_write(&ports, 0xcfc, 0, 2);
	assert_int_equal(machine.listeners, 0);
}

static void impossible_devices_are_not_shown(void **state)
{
	(void)state;
	describe(IO_MAX_QUEUES + 1);
	assert_true(get(STATUS, 1) != 0);
	ours->queues = 0;
	assert_true(get(STATUS, 1) != 0);
	ours->queues = 1;
	ours->queue_size_max = 255;
	assert_true(get(STATUS, 1) != 0);
	ours->queue_size_max = 512;
	assert_true(get(STATUS, 1) != 0);
	ours->queue_size_max = 256;
	ours->config_size = IO_CONFIG_SIZE + 1;
	assert_true(get(STATUS, 1) != 0);
	ours->config_size = IO_CONFIG_SIZE;
	assert_int_equal(get(STATUS, 1), 0);
	/* A device does not change its shape afterwards. */
	ours->queues = 8;
	ours->queue_size_max = 16;
	virtio_pci_wake(device);
	assert_int_equal(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 256);
}

static void the_window_in_configuration_space_works(void **state)
{
	unsigned int cap = device->pci.capability;

	(void)state;
	describe(1);
	assert_int_equal(get(STATUS, 1), 0);
#define WINDOW(reg) ports_write(&ports, 0xcf8, 1U << 31 | 1 << 11 | (cap + (reg)), 4)
	WINDOW(4);
	ports_write(&ports, 0xcfc, 0, 1);
	WINDOW(8);
	ports_write(&ports, 0xcfc, STATUS, 4);
	WINDOW(12);
	ports_write(&ports, 0xcfc, 1, 4);
	WINDOW(16);
	ports_write(&ports, 0xcfc, 3, 1);
	assert_int_equal(get(STATUS, 1), 3);
	assert_int_equal(ports_read(&ports, 0xcfc, 1), 3);
	/* Nonsense in it does nothing. */
	WINDOW(8);
	ports_write(&ports, 0xcfc, 0xfffffff0, 4);
	WINDOW(16);
	ports_write(&ports, 0xcfc, 0, 4);
	ports_read(&ports, 0xcfc, 4);
	WINDOW(4);
	ports_write(&ports, 0xcfc, 0xff, 1);
	WINDOW(16);
	ports_write(&ports, 0xcfc, 0, 4);
	assert_int_equal(get(STATUS, 1), 3);
}

static void a_given_mac_address_is_shown_and_not_told_the_server(void **state)
{
	const uint8_t mac[6] = { 2, 4, 6, 8, 10, 12 };

	tear_down(state);
	machine_reset(state);
	make(CHANNEL_NETWORK, mac);
	describe(2);
	ours->features = 1 << 28;
	negotiate();
	assert_int_equal(get(0x80, 4), 0x08060402);
	assert_int_equal(get(0x84, 2), 0x0c0a);
	put(STATUS, 0, 1);
	acknowledge();
	assert_int_equal(get(STATUS, 1), 0);
	put(STATUS, 3, 1);
	accept_features(VERSION_1 | 1 << VIRTIO_NET_F_MAC);
	put(STATUS, 15, 1);
	assert_int_equal(get(STATUS, 1), 15);
	assert_int_equal(theirs->features, VERSION_1);
}

/* A guest that writes anywhere at random: nothing but refusals, whatever the order. */
static void random_accesses_do_no_harm(void **state)
{
	unsigned int i, size;

	(void)state;
	describe(3);
	msix_on();
	srand(7);
	for (i = 0; i < 200000; i++) {
		size = 1 << rand() % 3;
		if (rand() % 4 == 0)
			pci_memory_write(&pci, memory_bar() + rand() % 4096, rand(), size);
		else if (rand() % 64 == 0)
			put(STATUS, rand() % 2 ? 15 : 0, 1);
		else
			put(rand() % 256, rand() % 3 ? rand() % 16 : rand(), size);
		get(rand() % 256, size);
		if (rand() % 8 == 0)
			acknowledge();
		if (rand() % 16 == 0) {
			atomic_store(&ours->broken, rand() % 2 ? theirs->generation : 5u);
			ours->config[rand() % 64] = rand();
			virtio_pci_wake(device);
		}
	}
	virtio_pci_reset(device);
	acknowledge();
	assert_true(virtio_pci_quiet(device));
	assert_int_equal(machine.listeners, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_a_modern_device_with_all_its_capabilities),
		TEST(a_driver_that_comes_before_the_server_waits),
		TEST(only_known_features_are_offered),
		TEST(features_that_were_not_offered_are_refused),
		TEST(driver_ok_tells_the_server_all),
		TEST(kicks_and_interrupts_pass_by_the_monitor),
		TEST(an_odd_kick_still_rings),
		TEST(a_masked_vector_loses_no_interrupt),
		TEST(a_masked_config_interrupt_comes_later),
		TEST(a_new_configuration_has_a_new_generation),
		TEST(a_reset_is_over_when_the_server_says_so),
		TEST(a_machine_reset_waits_for_the_server),
		TEST(a_dead_server_is_quiet),
		TEST(a_broken_driver_is_told),
		TEST(absurd_queues_are_refused),
		TEST(a_queue_in_use_does_not_change),
		TEST(vectors_that_do_not_exist_read_as_none),
		TEST(registers_have_one_width),
		TEST(a_bar_that_moves_takes_its_kicks_along),
		TEST(impossible_devices_are_not_shown),
		TEST(the_window_in_configuration_space_works),
		TEST(a_given_mac_address_is_shown_and_not_told_the_server),
		TEST(random_accesses_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

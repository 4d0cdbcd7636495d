/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile: a driver that breaks the rules, run by root in a guest.
 *
 *	hostile PCI-ADDRESS SEED
 *
 * It drives one virtio device (Virtio 1.2, 4.1: registers in the ports of BAR 0 as uvmonitor lays
 * them out; 2.7: split rings) whose own driver has been unbound. Each step resets the device,
 * breaks one rule, and says what the device did about it; a step whose answer is not the expected
 * one makes the program fail. The program is static: the guest has no libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define NOTIFY		0xc0
#define SIZE		16
#define PATIENCE	20	/* seconds: the host may be busy */
#define FAR		(1ULL << 40)

struct ring {
	struct vring_desc desc[SIZE];
	char gap1[2048 - SIZE * sizeof(struct vring_desc)];
	struct {
		uint16_t flags, idx, ring[SIZE], event;
	} avail;
	char gap2[1024 - 2 * (SIZE + 3)];
	struct {
		uint16_t flags, idx;
		struct vring_used_elem ring[SIZE];
		uint16_t event;
	} used;
};

static uint16_t base;			/* of the registers */
static uint16_t queue;			/* the one that is driven */
static bool is_block;
static volatile struct ring *ring;
static volatile uint8_t *buffer;
static uint64_t ring_at, buffer_at;	/* guest physical */
static unsigned int steps, failures;

static void result(const char *step, bool good, const char *what)
{
	steps++;
	failures += !good;
	printf("hostile: %s %-44s %s\n", good ? "ok    " : "FAILED", step, what);
	fflush(stdout);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t physical(volatile void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)at / 4096 * 8) != 8 || !(entry >> 63)) {
		perror("hostile: /proc/self/pagemap");
		exit(2);
	}
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * 4096;
}

static void *page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		perror("hostile: mmap");
		exit(2);
	}
	memset(p, 0, 4096);
	return p;
}

static uint8_t status(void)
{
	return inb(base + VIRTIO_PCI_COMMON_STATUS);
}

/* Whether the device's status becomes (want set under mask) in time. */
static bool status_becomes(uint8_t mask, uint8_t want)
{
	double end = now() + PATIENCE;

	while ((status() & mask) != want) {
		if (now() > end)
			return false;
		usleep(1000);
	}
	return true;
}

static bool reset(void)
{
	outb(0, base + VIRTIO_PCI_COMMON_STATUS);
	return status_becomes(0xff, 0);
}

static uint64_t offered(void)
{
	uint64_t features;

	outl(1, base + VIRTIO_PCI_COMMON_DFSELECT);
	features = (uint64_t)inl(base + VIRTIO_PCI_COMMON_DF) << 32;
	outl(0, base + VIRTIO_PCI_COMMON_DFSELECT);
	return features | inl(base + VIRTIO_PCI_COMMON_DF);
}

/* Up to FEATURES_OK. Returns whether the device kept that bit. */
static bool negotiate(uint64_t features)
{
	outb(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER,
	     base + VIRTIO_PCI_COMMON_STATUS);
	outl(0, base + VIRTIO_PCI_COMMON_GFSELECT);
	outl(features, base + VIRTIO_PCI_COMMON_GF);
	outl(1, base + VIRTIO_PCI_COMMON_GFSELECT);
	outl(features >> 32, base + VIRTIO_PCI_COMMON_GF);
	outb(status() | VIRTIO_CONFIG_S_FEATURES_OK, base + VIRTIO_PCI_COMMON_STATUS);
	return status() & VIRTIO_CONFIG_S_FEATURES_OK;
}

static void out64(uint64_t value, uint16_t at)
{
	outl(value, base + at);
	outl(value >> 32, base + at + 4);
}

/* Returns whether the device has taken the queue. */
static bool enable(uint64_t desc, uint64_t avail, uint64_t used)
{
	outw(queue, base + VIRTIO_PCI_COMMON_Q_SELECT);
	outw(SIZE, base + VIRTIO_PCI_COMMON_Q_SIZE);
	out64(desc, VIRTIO_PCI_COMMON_Q_DESCLO);
	out64(avail, VIRTIO_PCI_COMMON_Q_AVAILLO);
	out64(used, VIRTIO_PCI_COMMON_Q_USEDLO);
	outw(1, base + VIRTIO_PCI_COMMON_Q_ENABLE);
	return inw(base + VIRTIO_PCI_COMMON_Q_ENABLE);
}

static bool enable_ring(void)
{
	return enable(ring_at, ring_at + offsetof(struct ring, avail),
		      ring_at + offsetof(struct ring, used));
}

static void driver_ok(void)
{
	outb(status() | VIRTIO_CONFIG_S_DRIVER_OK, base + VIRTIO_PCI_COMMON_STATUS);
}

static void kick(void)
{
	outw(queue, base + NOTIFY + 2 * queue);
}

#define VERSION_1	(1ULL << VIRTIO_F_VERSION_1)
#define INDIRECT	(1ULL << VIRTIO_RING_F_INDIRECT_DESC)

/* A device that is up, with one empty queue. */
static bool bring_up(uint64_t features)
{
	memset((void *)ring, 0, sizeof(*ring));
	if (!reset() || !negotiate(VERSION_1 | features) || !enable_ring())
		return false;
	driver_ok();
	return true;
}

static void describe(unsigned int i, uint64_t at, uint32_t length, uint16_t flags, uint16_t next)
{
	ring->desc[i].addr = at;
	ring->desc[i].len = length;
	ring->desc[i].flags = flags;
	ring->desc[i].next = next;
}

static void offer(uint16_t head)
{
	ring->avail.ring[ring->avail.idx % SIZE] = head;
	__sync_synchronize();
	ring->avail.idx++;
	__sync_synchronize();
	kick();
}

static void must_need_reset(const char *step)
{
	bool told = status_becomes(VIRTIO_CONFIG_S_NEEDS_RESET, VIRTIO_CONFIG_S_NEEDS_RESET);

	result(step, told && reset(), told ? "device needs a reset" : "device says nothing");
}

/* ---- what is refused by the registers */

static void refuse_sizes(void)
{
	static const uint16_t sizes[] = { 0, 3, 0x1001, 0x8000, 0xffff };
	bool good = reset() && negotiate(VERSION_1);
	uint16_t had;
	size_t i;

	outw(queue, base + VIRTIO_PCI_COMMON_Q_SELECT);
	had = inw(base + VIRTIO_PCI_COMMON_Q_SIZE);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		outw(sizes[i], base + VIRTIO_PCI_COMMON_Q_SIZE);
		good = good && inw(base + VIRTIO_PCI_COMMON_Q_SIZE) == had;
	}
	result("queue sizes of 0, 3, 4097, 32768, 65535", good, "not taken");
}

static void refuse_rings(void)
{
	uint64_t avail = ring_at + offsetof(struct ring, avail);
	uint64_t used = ring_at + offsetof(struct ring, used);
	bool good = true;
	const uint64_t places[][3] = {
		{ FAR, avail, used }, { ring_at, FAR, used }, { ring_at, avail, FAR },
		{ ring_at + 1, avail, used }, { ring_at, avail + 1, used },
		{ ring_at, avail, used + 2 }, { -16ULL, avail, used }, { ring_at, -2ULL, used },
		{ ring_at, avail, -4ULL }, { 0x7ffffffffffffff0, avail, used },
	};
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		good = good && reset() && negotiate(VERSION_1) &&
		       !enable(places[i][0], places[i][1], places[i][2]);
	result("rings outside memory, wrapping, not aligned", good, "not enabled");
}

static void refuse_features(void)
{
	result("features that were not offered", reset() && !negotiate(~offered() | VERSION_1),
	       "FEATURES_OK not kept");
	result("no VERSION_1", reset() && !negotiate(0), "FEATURES_OK not kept");
	reset();
	outb(VIRTIO_CONFIG_S_DRIVER_OK, base + VIRTIO_PCI_COMMON_STATUS);
	result("DRIVER_OK at once", !(status() & VIRTIO_CONFIG_S_DRIVER_OK), "not kept");
}

static void bear_no_queues(void)
{
	unsigned int i;
	bool good = reset() && negotiate(VERSION_1);

	driver_ok();
	for (i = 0; i < 32; i++)
		outw(i, base + NOTIFY + i);
	usleep(100000);
	result("no queue, and kicks at each", good && reset(), "nothing happens");
}

/* ---- what the server finds in memory */

static void break_index(void)
{
	if (bring_up(0)) {
		ring->avail.idx = SIZE + 1;
		__sync_synchronize();
		kick();
	}
	must_need_reset("available index beyond the queue's size");
}

static void break_head(void)
{
	if (bring_up(0))
		offer(SIZE + 3);
	must_need_reset("head outside the table");
}

static void break_chain(const char *step, uint64_t features, uint64_t at, uint32_t length,
			uint16_t flags, uint16_t next)
{
	if (bring_up(features)) {
		describe(0, at, length, flags, next);
		offer(0);
	}
	must_need_reset(step);
}

static void break_order(void)
{
	if (bring_up(0)) {
		describe(0, buffer_at, 16, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
		describe(1, buffer_at, 16, VRING_DESC_F_NEXT, 2);
		describe(2, buffer_at, 1, VRING_DESC_F_WRITE, 0);
		offer(0);
	}
	must_need_reset("readable after writable");
}

static void break_nested(void)
{
	volatile struct vring_desc *table = (volatile void *)buffer;

	if (bring_up(INDIRECT)) {
		table[0].addr = buffer_at;
		table[0].len = 32;
		table[0].flags = VRING_DESC_F_INDIRECT;
		describe(0, buffer_at, 32, VRING_DESC_F_INDIRECT, 0);
		offer(0);
	}
	must_need_reset("indirect table within itself");
}

static void break_twice(void)
{
	unsigned int i;

	if (bring_up(0)) {
		/* The same request many times over: the second is in flight, or done, already. */
		memset((void *)buffer, 0, 64);
		describe(0, buffer_at, 16, VRING_DESC_F_NEXT, 1);
		describe(1, buffer_at + 512, 512, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
		describe(2, buffer_at + 64, 1, VRING_DESC_F_WRITE, 0);
		for (i = 0; i < SIZE; i++)
			ring->avail.ring[i] = 0;
		__sync_synchronize();
		ring->avail.idx = SIZE;
		__sync_synchronize();
		kick();
		usleep(200000);
	}
	result("one head in all entries", reset(), "resets");
}

/* ---- requests of a block device */

static int ask(uint32_t type, uint64_t sector, uint32_t header, uint32_t length)
{
	double end = now() + PATIENCE;
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };

	if (!bring_up(0))
		return -1;
	memcpy((void *)buffer, &h, sizeof(h));
	buffer[64] = 0xee;
	describe(0, buffer_at, header, VRING_DESC_F_NEXT, 1);
	describe(1, buffer_at + 512, length, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
	describe(2, buffer_at + 64, 1, VRING_DESC_F_WRITE, 0);
	offer(0);
	while (ring->used.idx == 0 && !(status() & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		if (now() > end)
			return -2;
		usleep(1000);
	}
	return status() & VIRTIO_CONFIG_S_NEEDS_RESET ? -3 : buffer[64];
}

static void expect(const char *step, int have, int want)
{
	char what[64];

	snprintf(what, sizeof(what), have == -3 ? "device needs a reset" : "status %d", have);
	result(step, have == want && reset(), what);
}

static void misask(void)
{
	uint64_t sectors = inl(base + 0x80) | (uint64_t)inl(base + 0x84) << 32;

	expect("a sound request", ask(VIRTIO_BLK_T_IN, 0, 16, 512), VIRTIO_BLK_S_OK);
	expect("beyond the end", ask(VIRTIO_BLK_T_IN, sectors, 16, 512), VIRTIO_BLK_S_IOERR);
	expect("at the end of all numbers", ask(VIRTIO_BLK_T_IN, -1ULL, 16, 512),
	       VIRTIO_BLK_S_IOERR);
	expect("half a sector", ask(VIRTIO_BLK_T_IN, 0, 16, 100), VIRTIO_BLK_S_IOERR);
	expect("a type that does not exist", ask(0xdead, 0, 16, 512), VIRTIO_BLK_S_UNSUPP);
	expect("half a header", ask(VIRTIO_BLK_T_IN, 0, 7, 512), -3);
}

/* After a reset the buffers are the driver's own again. */
static void reset_in_flight(void)
{
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN };
	volatile uint8_t *bytes = (volatile void *)ring;
	unsigned int round, i;
	bool good = true;

	for (round = 0; round < 20; round++) {
		good = good && bring_up(0);
		memcpy((void *)buffer, &h, sizeof(h));
		for (i = 0; i + 3 <= SIZE; i += 3) {
			describe(i, buffer_at, 16, VRING_DESC_F_NEXT, i + 1);
			describe(i + 1, buffer_at + 1024, 3072,
				 VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, i + 2);
			describe(i + 2, buffer_at + 64, 1, VRING_DESC_F_WRITE, 0);
			ring->avail.ring[i / 3] = i;
		}
		__sync_synchronize();
		ring->avail.idx = SIZE / 3;
		__sync_synchronize();
		kick();
		good = good && reset();
		memset((void *)buffer, 0x5a, 4096);
		memset((void *)ring, 0x5a, 4096);
		usleep(20000);
		for (i = 0; i < 4096; i++)
			good = good && buffer[i] == 0x5a && bytes[i] == 0x5a;
	}
	result("20 resets with requests in flight", good, "nothing is written after");
}

/* ---- noise */

static void scribble(unsigned int seconds)
{
	double end = now() + seconds;
	unsigned int i, rounds = 0;

	while (now() < end && bring_up(INDIRECT)) {
		for (i = 0; i < 3000; i++) {
			unsigned int at = random() % sizeof(*ring);

			/* Mostly near the truth, where the code is. */
			if (random() % 4)
				describe(random() % SIZE, random() % 8 ?
					 buffer_at + random() % 4096 :
					 (uint64_t)random() << random() % 33, random() % 8192,
					 random() % 8, random() % (SIZE + 1));
			else
				((volatile uint8_t *)ring)[at] = random();
			if (random() % 16 == 0)
				offer(random() % (SIZE + 1));
		}
		rounds++;
	}
	result("noise in the rings while it serves", rounds && reset(), "resets");
}

static void poke_registers(void)
{
	unsigned int i;

	for (i = 0; i < 4000; i++) {
		uint16_t at = base + random() % 256;

		switch (random() % 6) {
		case 0: outb(random(), at); break;
		case 1: outw(random(), at & ~1); break;
		case 2: outl(random(), at & ~3); break;
		case 3: inb(at); break;
		case 4: inw(at & ~1); break;
		default: inl(at & ~3);
		}
	}
	result("4000 accesses to random registers", reset(), "resets");
}

static void poke_msix(const char *address)
{
	char path[128];
	volatile uint32_t *table;
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource1", address);
	fd = open(path, O_RDWR);
	table = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (table == MAP_FAILED) {
		result("nonsense in the MSI-X table", false, strerror(errno));
		return;
	}
	bring_up(0);
	for (i = 0; i < 2000; i++)
		table[random() % 1024] = random();
	for (i = 0; i < 1024; i++)
		table[i] = i % 4 == 3;	/* masked */
	result("nonsense in the MSI-X table", reset(), "resets");
	munmap((void *)table, 4096);
	close(fd);
}

/* BARs and the command register stay: the registers would be gone. */
static void poke_configuration(int config)
{
	unsigned int i;
	uint8_t byte;

	for (i = 0; i < 2000; i++) {
		byte = random();
		if (pwrite(config, &byte, 1, 0x30 + random() % 0xd0) != 1)
			break;
	}
	result("2000 bytes into configuration space", reset(), "resets");
}

/* ---- the device */

static void find_device(const char *address)
{
	unsigned long long start;
	char path[128];
	uint16_t id = 0, command;
	FILE *f;
	int config;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", address);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llx", &start) != 1 || start > 0xff00) {
		fprintf(stderr, "hostile: %s: no ports there\n", address);
		exit(2);
	}
	fclose(f);
	base = start;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	config = open(path, O_RDWR);
	if (config < 0 || pread(config, &id, 2, 2) != 2 || pread(config, &command, 2, 4) != 2) {
		perror(path);
		exit(2);
	}
	is_block = id == 0x1042;
	queue = is_block ? 0 : 1;	/* a card's second one transmits */
	command |= 7;			/* ports, memory, bus master */
	if (pwrite(config, &command, 2, 4) != 2 || iopl(3)) {
		perror("hostile: no access to ports");
		exit(2);
	}
	close(config);
}

int main(int argc, char **argv)
{
	char path[128];
	int config;

	if (argc != 3) {
		fprintf(stderr, "usage: hostile PCI-ADDRESS SEED\n");
		return 2;
	}
	find_device(argv[1]);
	srandom(atoi(argv[2]));
	ring = page();
	buffer = page();
	ring_at = physical(ring);
	buffer_at = physical(buffer);

	refuse_sizes();
	refuse_rings();
	refuse_features();
	bear_no_queues();
	break_index();
	break_head();
	break_chain("a descriptor that follows itself", 0, buffer_at, 16, VRING_DESC_F_NEXT, 0);
	break_chain("a chain that leaves the table", 0, buffer_at, 16, VRING_DESC_F_NEXT, SIZE);
	break_chain("a buffer outside memory", 0, FAR, 16, 0, 0);
	break_chain("a buffer that ends outside memory", 0, buffer_at, 0xffffffff, 0, 0);
	break_chain("a buffer that wraps", 0, -16ULL, 4096, 0, 0);
	break_chain("indirect, not negotiated", 0, buffer_at, 32, VRING_DESC_F_INDIRECT, 0);
	break_chain("an indirect table of 4 GiB", INDIRECT, buffer_at, 0xfffffff0,
		    VRING_DESC_F_INDIRECT, 0);
	break_chain("an indirect table of 17 bytes", INDIRECT, buffer_at, 17,
		    VRING_DESC_F_INDIRECT, 0);
	break_chain("an indirect table outside memory", INDIRECT, FAR, 64,
		    VRING_DESC_F_INDIRECT, 0);
	break_order();
	break_nested();
	if (is_block) {
		misask();
		break_twice();
		reset_in_flight();
	}
	scribble(3);
	poke_registers();
	poke_msix(argv[1]);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argv[1]);
	config = open(path, O_RDWR);
	poke_configuration(config);
	close(config);
	printf("hostile: %s: %u steps, %u failed\n", argv[1], steps, failures);
	return failures != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver: root in a guest takes a virtio device (Virtio 1.2, 4.1 and 2.7) from Linux and
 * breaks its rules, one after the other, then at random.
 *
 *   hostile DEVICE QUEUE SEED ROUNDS   DEVICE as in /sys/bus/pci/devices
 *
 * One line for each step: "hostile: NAME: " and what the device did: "refused" (a register did not
 * take the value), "broken" (it needs a reset), "answered", "silent" (nothing, as nothing
 * was asked in a way that counts). After each step the device is reset and must do so in time.
 * Status 0: every step ended as its line in the table says. ROUNDS: of random values.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Registers of uvmonitor's virtio devices, relative to BAR 0 (ports). */
#define NOTIFY	0xc0
#define CAPACITY 0x80		/* of a disk: the beginning of its configuration */
enum {
	DEVICE_FEATURE_SELECT = 0, DEVICE_FEATURE = 4, DRIVER_FEATURE_SELECT = 8,
	DRIVER_FEATURE = 12, MSIX_CONFIG = 16, NUM_QUEUES = 18, STATUS = 20, QUEUE_SELECT = 22,
	QUEUE_SIZE = 24, QUEUE_VECTOR = 26, QUEUE_ENABLE = 28, QUEUE_DESC = 32, QUEUE_DRIVER = 40,
	QUEUE_DEVICE = 48,
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { IO_ERROR = 1, UNSUPPORTED = 2 };		/* a disk's answers */

#define SIZE 256u
#define PAGE 4096u

struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct avail { uint16_t flags, idx, ring[SIZE], event; };
struct used { uint16_t flags, idx; struct { uint32_t id, len; } ring[SIZE]; };

static uint16_t base;
static unsigned int queue;
static int config_fd, msix_fd;
static volatile uint32_t *msix;
static bool block, failed;
static uint64_t random_state;
static unsigned int rounds;

/* Pages of ours and where they are in the guest's memory. */
enum { P_DESC, P_AVAIL, P_USED, P_HEADER, P_DATA, P_STATUS, P_TABLE, P_TABLE2, PAGES };
static char *page[PAGES];
static uint64_t at[PAGES];
static struct desc *desc, *table;
static struct avail *avail;
static volatile struct used *used;

static _Noreturn void die(const char *what)
{
	printf("hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* ---- the device */

static uint8_t get8(unsigned int r) { return inb(base + r); }
static uint16_t get16(unsigned int r) { return inw(base + r); }
static uint32_t get32(unsigned int r) { return inl(base + r); }
static void put8(unsigned int r, uint8_t v) { outb(v, base + r); }
static void put16(unsigned int r, uint16_t v) { outw(v, base + r); }
static void put32(unsigned int r, uint32_t v) { outl(v, base + r); }

static void put64(unsigned int r, uint64_t v)
{
	put32(r, v);
	put32(r + 4, v >> 32);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void reset(void)
{
	double end = now() + 30;

	put8(STATUS, 0);
	while (get8(STATUS)) {
		if (now() > end) {
			printf("hostile: the reset does not end\n");
			exit(1);
		}
		usleep(1000);
	}
}

static uint64_t offered(void)
{
	uint64_t f;

	put32(DEVICE_FEATURE_SELECT, 0);
	f = get32(DEVICE_FEATURE);
	put32(DEVICE_FEATURE_SELECT, 1);
	return f | (uint64_t)get32(DEVICE_FEATURE) << 32;
}

static void accept_features(uint64_t f)
{
	put8(STATUS, ACKNOWLEDGE | DRIVER);
	put32(DRIVER_FEATURE_SELECT, 0);
	put32(DRIVER_FEATURE, f);
	put32(DRIVER_FEATURE_SELECT, 1);
	put32(DRIVER_FEATURE, f >> 32);
	put8(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

static void queue_registers(unsigned int size, uint64_t d, uint64_t a, uint64_t u)
{
	put16(QUEUE_SELECT, queue);
	put16(QUEUE_SIZE, size);
	put64(QUEUE_DESC, d);
	put64(QUEUE_DRIVER, a);
	put64(QUEUE_DEVICE, u);
	put16(QUEUE_ENABLE, 1);
}

static void set_up(uint64_t features)
{
	memset(page[P_DESC], 0, PAGE);
	memset(page[P_AVAIL], 0, PAGE);
	memset(page[P_USED], 0, PAGE);
	memset(page[P_HEADER], 0, PAGE);
	accept_features(features);
	queue_registers(SIZE, at[P_DESC], at[P_AVAIL], at[P_USED]);
	put8(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

/* Ready, with all that it offers but the event index, so that each kick counts. */
static void up(void)
{
	set_up(offered() & ~(1ULL << 29));
}

static void kick(void)
{
	__sync_synchronize();
	put16(NOTIFY + 2 * queue, queue);
}

/* A good request (a read of the first sector; a packet), of the descriptors from d on. */
static void good_chain(struct desc *d, unsigned int d0)
{
	if (block) {
		d[d0] = (struct desc){ at[P_HEADER], 16, NEXT, d0 + 1 };
		d[d0 + 1] = (struct desc){ at[P_DATA], 512, NEXT | WRITE, d0 + 2 };
		d[d0 + 2] = (struct desc){ at[P_STATUS], 1, WRITE, 0 };
	} else {
		d[d0] = (struct desc){ at[P_HEADER], 12, NEXT, d0 + 1 };
		d[d0 + 1] = (struct desc){ at[P_DATA], 64, NEXT, d0 + 2 };
		d[d0 + 2] = (struct desc){ at[P_DATA], 64, 0, 0 };
	}
}

static void make_available(uint16_t head)
{
	avail->ring[avail->idx % SIZE] = head;
	__sync_synchronize();
	avail->idx++;
}

/* What comes of it. */
enum outcome { REFUSED, BROKEN, ANSWERED, SILENT };

static enum outcome outcome(unsigned int answers)
{
	double end = now() + 20;

	kick();
	for (;;) {
		if (get8(STATUS) & NEEDS_RESET)
			return BROKEN;
		if (answers && used->idx >= answers)
			return ANSWERED;
		if (now() > end)
			return SILENT;
		usleep(1000);
	}
}

/* Nothing is expected; half a second is enough to be wrong in. */
static enum outcome nothing(void)
{
	double end = now() + 0.5;

	while (now() < end) {
		if (get8(STATUS) & NEEDS_RESET)
			return BROKEN;
		usleep(5000);
	}
	return SILENT;
}

/* ---- registers */

static enum outcome size_is_refused(unsigned int size)
{
	accept_features(offered());
	put16(QUEUE_SELECT, queue);
	put16(QUEUE_SIZE, size);
	return get16(QUEUE_SIZE) == size ? ANSWERED : REFUSED;
}

static enum outcome size_zero(void) { return size_is_refused(0); }
static enum outcome size_beyond(void) { return size_is_refused(32768); }
static enum outcome size_odd(void) { return size_is_refused(100); }
static enum outcome size_above(void) { return size_is_refused(0x1001); }

static enum outcome rings_are_refused(uint64_t d, uint64_t a, uint64_t u)
{
	accept_features(offered());
	queue_registers(SIZE, d, a, u);
	return get16(QUEUE_ENABLE) ? ANSWERED : REFUSED;
}

static enum outcome desc_outside(void)
{
	return rings_are_refused(0x7fff00000000, at[P_AVAIL], at[P_USED]);
}

static enum outcome avail_wraps(void)
{
	return rings_are_refused(at[P_DESC], -2ULL, at[P_USED]);
}

static enum outcome desc_wraps(void)
{
	return rings_are_refused(-16ULL, at[P_AVAIL], at[P_USED]);
}

static enum outcome used_in_device(void)
{
	return rings_are_refused(at[P_DESC], at[P_AVAIL], 0xfee00000);
}

static enum outcome unaligned(void)
{
	return rings_are_refused(at[P_DESC] + 8, at[P_AVAIL] + 1, at[P_USED] + 2);
}

static enum outcome features_not_offered(void)
{
	accept_features(offered() | 1ULL << 34 | 1ULL << 40);
	return get8(STATUS) & FEATURES_OK ? ANSWERED : REFUSED;
}

static enum outcome features_without_version(void)
{
	accept_features(offered() & ~(1ULL << 32));
	return get8(STATUS) & FEATURES_OK ? ANSWERED : REFUSED;
}

static enum outcome driver_ok_first(void)
{
	put8(STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK);
	return get8(STATUS) & DRIVER_OK ? ANSWERED : REFUSED;
}

static enum outcome change_in_use(void)
{
	up();
	put16(QUEUE_SELECT, queue);
	put64(QUEUE_DESC, 0x7fff00000000);
	return get32(QUEUE_DESC) == (uint32_t)at[P_DESC] ? REFUSED : ANSWERED;
}

static enum outcome ok_without_queues(void)
{
	unsigned int i;

	accept_features(offered());
	put8(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
	for (i = 0; i < 8; i++)
		put16(NOTIFY + 2 * i, i);
	return nothing();
}

static enum outcome kick_not_enabled(void)
{
	unsigned int i;

	up();
	for (i = 0; i < 64; i++) {
		if (i / 2 == queue)
			continue;
		put16(NOTIFY + i, random64());
		put8(NOTIFY + i, random64());
		put32(NOTIFY + (i & ~3U), random64());
	}
	return nothing();
}

static enum outcome vectors(void)
{
	unsigned int i;

	put16(MSIX_CONFIG, 0x7fff);
	put16(QUEUE_SELECT, queue);
	put16(QUEUE_VECTOR, 500);
	if (get16(MSIX_CONFIG) != 0xffff || get16(QUEUE_VECTOR) != 0xffff)
		return ANSWERED;
	/* Addresses that are no interrupt controller's, vectors that no processor takes. */
	for (i = 0; i < 64; i++)
		msix[i] = i % 4 == 3 ? 0 : i % 4 == 2 ? (uint32_t)random64() & 0xf : random64();
	put16(QUEUE_VECTOR, 1);
	up();
	good_chain(desc, 0);
	make_available(0);
	return outcome(1);
}

static enum outcome random_vectors(void)
{
	unsigned int i;

	up();
	for (i = 0; i < rounds; i++)
		msix[random64() % 1024] = random64();
	for (i = 0; i < 1024; i++)
		msix[i] = i % 4 == 3;	/* masked */
	return SILENT;
}

/* ---- rings */

static enum outcome good(void)
{
	up();
	good_chain(desc, 0);
	make_available(0);
	return outcome(1);
}

static enum outcome index_jumps(void)
{
	up();
	good_chain(desc, 0);
	avail->idx = SIZE + 1;
	return outcome(0);
}

static enum outcome head_outside(void)
{
	up();
	make_available(SIZE);
	return outcome(0);
}

static enum outcome next_outside(void)
{
	up();
	good_chain(desc, 0);
	desc[0].next = SIZE;
	make_available(0);
	return outcome(0);
}

static enum outcome loop(void)
{
	up();
	good_chain(desc, 0);
	desc[0].next = 0;
	make_available(0);
	return outcome(0);
}

static enum outcome loop_of_many(void)
{
	unsigned int i;

	up();
	for (i = 0; i < SIZE; i++)
		desc[i] = (struct desc){ at[P_DATA], 16, NEXT, (i + 1) % SIZE };
	make_available(7);
	return outcome(0);
}

static enum outcome indirect(uint64_t addr, uint32_t len, uint16_t flags)
{
	up();
	memset(table, 0, PAGE);
	good_chain(table, 0);
	desc[0] = (struct desc){ addr, len, INDIRECT | flags, 1 };
	make_available(0);
	return outcome(0);
}

static enum outcome indirect_empty(void) { return indirect(at[P_TABLE], 0, 0); }
static enum outcome indirect_huge(void) { return indirect(at[P_TABLE], 0xfffffff0, 0); }
static enum outcome indirect_odd(void) { return indirect(at[P_TABLE], 33, 0); }
static enum outcome indirect_outside(void) { return indirect(0x7fff00000000, 48, 0); }
static enum outcome indirect_wraps(void) { return indirect(-16ULL, 48, 0); }
static enum outcome indirect_goes_on(void) { return indirect(at[P_TABLE], 48, NEXT); }

static enum outcome indirect_nested(void)
{
	up();
	table[0] = (struct desc){ at[P_TABLE2], 48, INDIRECT, 0 };
	desc[0] = (struct desc){ at[P_TABLE], 16, INDIRECT, 0 };
	make_available(0);
	return outcome(0);
}

static enum outcome indirect_not_negotiated(void)
{
	set_up(offered() & ~(3ULL << 28));
	good_chain(table, 0);
	desc[0] = (struct desc){ at[P_TABLE], 48, INDIRECT, 0 };
	make_available(0);
	return outcome(0);
}

static enum outcome buffer(uint64_t addr, uint32_t len)
{
	up();
	good_chain(desc, 0);
	desc[1].addr = addr;
	desc[1].len = len;
	make_available(0);
	return outcome(0);
}

static enum outcome buffer_outside(void) { return buffer(0x7fff00000000, 512); }
static enum outcome buffer_wraps(void) { return buffer(-256ULL, 512); }
static enum outcome buffer_too_long(void) { return buffer(at[P_DATA], 0xfffffe00); }
static enum outcome buffer_in_device(void) { return buffer(0xfee00000, 512); }

static enum outcome readable_after_writable(void)
{
	up();
	desc[0] = (struct desc){ at[P_HEADER], 16, WRITE | NEXT, 1 };
	desc[1] = (struct desc){ at[P_DATA], 512, 0, 0 };
	make_available(0);
	return outcome(0);
}

static enum outcome header_only_writable(void)
{
	up();
	good_chain(desc, 0);
	desc[0].flags |= WRITE;
	make_available(0);
	return outcome(0);
}

static enum outcome zero_length(void)
{
	up();
	good_chain(desc, 0);
	desc[0].len = desc[1].len = desc[2].len = 0;
	make_available(0);
	return outcome(0);
}

static enum outcome available_twice(void)
{
	unsigned int i;

	up();
	good_chain(desc, 0);
	for (i = 0; i < 32; i++)
		avail->ring[i] = 0;
	avail->idx = 32;
	return outcome(0);
}

/* The device is right to say so in the request's status, and goes on. */
static enum outcome request(uint32_t type, uint64_t sector, uint32_t length, char want)
{
	struct { uint32_t type, reserved; uint64_t sector; } *header = (void *)page[P_HEADER];

	up();
	good_chain(desc, 0);
	header->type = type;
	header->sector = sector;
	desc[1].len = length;
	page[P_STATUS][0] = 0x55;
	make_available(0);
	return outcome(1) == ANSWERED && page[P_STATUS][0] == want ? ANSWERED : SILENT;
}

static enum outcome type_unknown(void) { return request(0xdeadbeef, -1ULL, 512, UNSUPPORTED); }
static enum outcome beyond_numbers(void) { return request(0, -1ULL, 512, IO_ERROR); }
static enum outcome half_a_sector(void) { return request(0, 0, 100, IO_ERROR); }

static enum outcome beyond_end(void)
{
	return request(0, get32(CAPACITY) | (uint64_t)get32(CAPACITY + 4) << 32, 512, IO_ERROR);
}

static enum outcome half_a_header(void)
{
	up();
	good_chain(desc, 0);
	desc[0].len = 7;
	make_available(0);
	return outcome(0);
}

/* As many requests as there is room for, reset at once, again and again. */
static enum outcome reset_in_flight(void)
{
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		up();
		for (i = 0; i + 3 <= SIZE; i += 3) {
			good_chain(desc, i);
			make_available(i);
		}
		kick();
		reset();
		if (!block)
			continue;
		/* After the reset the memory is ours: nothing may write to it any more. */
		memset(page[P_DATA], 0xa5, PAGE);
		memset(page[P_USED], 0xa5, PAGE);
		usleep(20000);
		for (i = 0; i < PAGE; i++)
			if ((uint8_t)page[P_DATA][i] != 0xa5 || (uint8_t)page[P_USED][i] != 0xa5)
				return BROKEN;
	}
	return SILENT;
}

/* Changes everything while the device works on it. */
static enum outcome scribble(void)
{
	double end = now() + 2;
	unsigned int i, n = 0;

	while (now() < end) {
		reset();
		up();
		for (i = 0; i + 3 <= SIZE; i += 3)
			good_chain(desc, i);
		avail->idx = 64;
		kick();
		for (i = 0; i < 4000; i++) {
			char *p = page[random64() % 3];

			p[random64() % PAGE] = random64();
			if (i % 64 == 0)
				kick();
		}
		n++;
	}
	return n ? SILENT : BROKEN;
}

/* ---- configuration space and all registers */

static uint8_t space[256];

static void restore_space(void)
{
	unsigned int i;

	/* Decoding last, as the registers are elsewhere until then. */
	for (i = 8; i < 256; i += 4)
		if (pwrite(config_fd, space + i, 4, i) != 4)
			die("config");
	if (pwrite(config_fd, space + 4, 4, 4) != 4)
		die("config");
}

static enum outcome random_space(void)
{
	unsigned int i;
	uint32_t v;

	for (i = 0; i < rounds; i++) {
		v = random64();
		if (pwrite(config_fd, &v, 1 << random64() % 3, (random64() % 64) * 4) < 0)
			die("config");
		if (pread(config_fd, &v, 4, (random64() % 64) * 4) < 0)
			die("config");
		if (i % 16 == 15)
			restore_space();
	}
	restore_space();
	return SILENT;
}

/* Both devices' ports at one place: KVM can listen for one of them only. */
static enum outcome same_ports(void)
{
	uint32_t bar = base | 1, id, was;
	glob_t found;
	size_t i;
	int fd;

	up();
	if (glob("/sys/bus/pci/devices/*/config", 0, NULL, &found))
		die("devices");
	for (i = 0; i < found.gl_pathc; i++) {
		fd = open(found.gl_pathv[i], O_RDWR);
		if (fd < 0 || pread(fd, &id, 4, 0) != 4 || pread(fd, &was, 4, 0x10) != 4)
			die(found.gl_pathv[i]);
		if ((id & 0xffff) == 0x1af4 && (was & ~3U) != base &&
		    (pwrite(fd, &bar, 4, 0x10) != 4 || pwrite(fd, &was, 4, 0x10) != 4))
			die(found.gl_pathv[i]);
		close(fd);
	}
	globfree(&found);
	return SILENT;
}

static enum outcome random_registers(void)
{
	unsigned int i, r;

	for (i = 0; i < rounds; i++) {
		r = random64() % 256;
		switch (random64() % 4) {
		case 0: put8(r, random64()); break;
		case 1: put16(r & ~1U, random64()); break;
		case 2: put32(r & ~3U, random64()); break;
		default: get32(r & ~3U); break;
		}
	}
	return SILENT;
}

static enum outcome random_chains(void)
{
	unsigned int round, i;

	for (round = 0; round < rounds / 16; round++) {
		reset();
		up();
		for (i = 0; i < SIZE; i++) {
			uint64_t where = random64() % 8 ? at[P_DATA] : random64();

			desc[i] = (struct desc){ where, random64() % 4 ? random64() % 2048 :
						 random64(), random64() & 7, random64() % 300 };
			avail->ring[i] = random64() % 260;
			table[i] = desc[i];
		}
		/* Reads only: what is random must not hit a sector that is compared later. */
		memset(page[P_HEADER], 0, PAGE);
		memset(page[P_DATA], 0xff, PAGE);
		avail->idx = random64() % 300;
		kick();
		usleep(500);
	}
	return SILENT;
}

static const struct {
	const char *name;
	enum outcome (*run)(void);
	enum outcome want;
	bool block_only;
} steps[] = {
	{ "a good request", good, ANSWERED, false },
	{ "queue of no entries", size_zero, REFUSED, false },
	{ "queue beyond the maximum", size_beyond, REFUSED, false },
	{ "queue of 100 entries", size_odd, REFUSED, false },
	{ "queue of 4097 entries", size_above, REFUSED, false },
	{ "descriptors outside the memory", desc_outside, REFUSED, false },
	{ "descriptors that wrap", desc_wraps, REFUSED, false },
	{ "available ring that wraps", avail_wraps, REFUSED, false },
	{ "used ring in a device", used_in_device, REFUSED, false },
	{ "rings that are not aligned", unaligned, REFUSED, false },
	{ "features that were not offered", features_not_offered, REFUSED, false },
	{ "features without VERSION_1", features_without_version, REFUSED, false },
	{ "DRIVER_OK before FEATURES_OK", driver_ok_first, REFUSED, false },
	{ "change of a queue in use", change_in_use, REFUSED, false },
	{ "DRIVER_OK without queues", ok_without_queues, SILENT, false },
	{ "kicks of queues that are not enabled", kick_not_enabled, SILENT, false },
	{ "available index that jumps", index_jumps, BROKEN, false },
	{ "head outside the table", head_outside, BROKEN, false },
	{ "next outside the table", next_outside, BROKEN, false },
	{ "loop of one", loop, BROKEN, false },
	{ "loop of all", loop_of_many, BROKEN, false },
	{ "indirect table of no entries", indirect_empty, BROKEN, false },
	{ "indirect table of 4 GiB", indirect_huge, BROKEN, false },
	{ "indirect table of 33 bytes", indirect_odd, BROKEN, false },
	{ "indirect table outside the memory", indirect_outside, BROKEN, false },
	{ "indirect table that wraps", indirect_wraps, BROKEN, false },
	{ "indirect table with a next", indirect_goes_on, BROKEN, false },
	{ "indirect table within another", indirect_nested, BROKEN, false },
	{ "indirect table not negotiated", indirect_not_negotiated, BROKEN, false },
	{ "buffer outside the memory", buffer_outside, BROKEN, false },
	{ "buffer that wraps", buffer_wraps, BROKEN, false },
	{ "buffer longer than the memory", buffer_too_long, BROKEN, false },
	{ "buffer in a device", buffer_in_device, BROKEN, false },
	{ "readable after writable", readable_after_writable, BROKEN, false },
	{ "header that is only writable", header_only_writable, BROKEN, true },
	{ "buffers of no length", zero_length, BROKEN, true },
	{ "head available twice", available_twice, BROKEN, true },
	{ "request of no known type", type_unknown, ANSWERED, true },
	{ "request beyond the end", beyond_end, ANSWERED, true },
	{ "request at the end of all numbers", beyond_numbers, ANSWERED, true },
	{ "half a sector", half_a_sector, ANSWERED, true },
	{ "half a header", half_a_header, BROKEN, true },
	{ "reset in mid-flight", reset_in_flight, SILENT, false },
	{ "interrupt vectors that do not exist", vectors, ANSWERED, false },
	{ "two devices at the same ports", same_ports, SILENT, false },
	{ "rings that change meanwhile", scribble, SILENT, false },
	{ "random chains", random_chains, SILENT, false },
	{ "random registers", random_registers, SILENT, false },
	{ "random interrupt vectors", random_vectors, SILENT, false },
	{ "random configuration space", random_space, SILENT, false },
	{ "a good request at the end", good, ANSWERED, false },
};

/* ---- set-up */

static int open_of(const char *device, const char *file)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, file);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die(path);
	return fd;
}

static void take_pages(void)
{
	int map = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;
	unsigned int i;
	char *p;

	if (map < 0)
		die("pagemap");
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		die("pages");
	for (i = 0; i < PAGES; i++) {
		page[i] = p + i * PAGE;
		memset(page[i], 0, PAGE);
		if (pread(map, &entry, 8, (uintptr_t)page[i] / PAGE * 8) != 8 || !(entry >> 63))
			die("page");
		at[i] = (entry & ((1ULL << 55) - 1)) * PAGE;
	}
	close(map);
	desc = (struct desc *)page[P_DESC];
	table = (struct desc *)page[P_TABLE];
	avail = (struct avail *)page[P_AVAIL];
	used = (struct used *)page[P_USED];
}

static void take_device(const char *device)
{
	uint16_t command, id;
	uint32_t bar;

	config_fd = open_of(device, "config");
	if (pread(config_fd, &id, 2, 2) != 2 || pread(config_fd, &bar, 4, 0x10) != 4)
		die("config");
	block = id == 0x1042;
	command = 7;
	if (pwrite(config_fd, &command, 2, 4) != 2 || pread(config_fd, space, 256, 0) != 256)
		die("config");
	base = bar & ~3U;
	msix_fd = open_of(device, "resource1");
	msix = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, msix_fd, 0);
	if (msix == MAP_FAILED)
		die("resource1");
	if (iopl(3) < 0)
		die("iopl");
}

int main(int argc, char **argv)
{
	static const char *const word[] = { "refused", "broken", "answered", "silent" };
	unsigned int i, done = 0;
	enum outcome o;

	if (argc != 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	queue = atoi(argv[2]);
	random_state = strtoull(argv[3], NULL, 0) | 1ULL << 63;
	rounds = atoi(argv[4]);
	take_pages();
	take_device(argv[1]);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].block_only && !block)
			continue;
		reset();
		o = steps[i].run();
		printf("hostile: %s: %s%s%s\n", steps[i].name, word[o],
		       o == steps[i].want ? "" : ", WRONG, not ",
		       o == steps[i].want ? "" : word[steps[i].want]);
		failed |= o != steps[i].want;
		done++;
	}
	reset();
	printf("hostile: %u steps, %s\n", done, failed ? "WRONG" : "all as they should be");
	return failed;
}

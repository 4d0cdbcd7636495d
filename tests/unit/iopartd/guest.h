/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest for unit tests: memory in a memfd, split virtqueues in it that a small driver fills and
 * reads back as Linux does, and the client's end of an I/O channel. The server's end is for the
 * device under test, in this process or in a fork of it.
 *
 * Guest physical memory is two blocks with a hole between them, as in a real guest.
 */
#ifndef TESTS_IOPARTD_GUEST_H
#define TESTS_IOPARTD_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/virtio_ring.h>

#include <libchannel/channel.h>
#include <ultravisor/io.h>

#define GUEST_LOW	0x0ULL
#define GUEST_LOW_SIZE	(4ULL << 20)
#define GUEST_HIGH	0x100000000ULL
#define GUEST_HIGH_SIZE	(1ULL << 20)

/* Version 1, event index, indirect descriptors. */
#define GUEST_FEATURES	(1ULL << 32 | 1ULL << 29 | 1ULL << 28)

struct buffer {
	uint64_t gpa;
	uint32_t length;
	bool writable;
};

struct guest_queue {
	uint32_t size;
	uint64_t desc, driver, device;	/* guest physical */
	uint16_t made, seen;		/* available entries made, used entries seen */
	uint16_t free[IO_MAX_QUEUE_SIZE], frees;
	uint16_t links[IO_MAX_QUEUE_SIZE];	/* by head: descriptors it took */
};

struct guest {
	struct channel *client, *server;
	int memfd[2];
	char *low, *high;
	uint64_t features;
	struct guest_queue queue[IO_MAX_QUEUES];
	unsigned int queues;
	uint64_t next;			/* bump allocator in the low block */
};

/* A channel of that type and a guest; asserts on failure. */
void guest_init(struct guest *g, enum channel_type type);
void guest_uninit(struct guest *g);

void *guest_at(struct guest *g, uint64_t gpa);
uint64_t guest_alloc(struct guest *g, size_t n);	/* 16-byte aligned, never freed */

/* Lays out the queues and says UP, or DOWN; the device must then be given time to act. */
void guest_up(struct guest *g, uint64_t features, unsigned int queues, uint32_t size);
void guest_down(struct guest *g);
uint32_t guest_generation(struct guest *g);
uint32_t guest_acknowledged(struct guest *g);
uint32_t guest_broken(struct guest *g);
const struct io_server *guest_server(struct guest *g);

/* Makes a chain available: its head. kick rings if the device wants it. */
uint16_t guest_submit(struct guest *g, unsigned int q, const struct buffer *b, unsigned int n,
		      bool indirect);
void guest_kick(struct guest *g, unsigned int q);

/* The next used element: true and its head and length. Asserts that the head was in flight. */
bool guest_used(struct guest *g, unsigned int q, uint32_t *head, uint32_t *length);
uint16_t guest_used_index(struct guest *g, unsigned int q);

/* Raw access for tests that lie. */
struct vring_desc *guest_desc(struct guest *g, unsigned int q);
struct vring_avail *guest_avail(struct guest *g, unsigned int q);

#endif

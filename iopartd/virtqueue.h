/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of a split virtqueue (Virtio 1.2, 2.7) in a hostile guest's memory.
 *
 * Everything the driver wrote is read once, into our own memory, and checked there. Cursors are
 * private and never wrapped: 16 bits of them are what the rings show. Every walk is bounded by
 * the ring's size or CHAIN_MAX. All functions but virtqueue_setup are "guarded" (memory.h).
 *
 * -EPROTO: the driver broke a rule; fault then says which, for the log.
 */
#ifndef IOPARTD_VIRTQUEUE_H
#define IOPARTD_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <linux/virtio_ring.h>

#include <ultravisor/io.h>

#include "memory.h"

#define CHAIN_MAX 256

struct virtqueue {
	const struct guest_memory *memory;
	uint32_t size;			/* 0: the driver does not use it */
	bool event_index, indirect;	/* negotiated features */
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint64_t taken;			/* available entries taken so far */
	uint64_t published;		/* used index that the guest sees */
	uint64_t signalled;		/* used index when an interrupt was last considered */
	const char *fault;
};

/* One request: what the device reads, then what it writes. Pointers into the guest's memory. */
struct chain {
	uint32_t head;
	unsigned int readable, writable;	/* entries of iov, readable ones first */
	uint64_t readable_bytes, writable_bytes;
	struct iovec iov[CHAIN_MAX];
};

/* Checks size, alignment and place of the three parts. Touches no guest memory. */
int virtqueue_setup(struct virtqueue *q, const struct guest_memory *m, const struct io_queue *from,
		    uint64_t features);

/* How many entries the driver has made available and we have not taken: 0 … size; or -EPROTO. */
int virtqueue_waiting(struct virtqueue *q);

/* The head descriptor of the entry `ahead` of the next one to take; it must be waiting. */
int virtqueue_head(struct virtqueue *q, unsigned int ahead);

/* Copies and checks the chain that starts at head. */
int virtqueue_chain(struct virtqueue *q, uint32_t head, struct chain *to);

/* Writes the used element of a position; the guest does not look there before it is published. */
void virtqueue_fill(struct virtqueue *q, uint64_t position, uint32_t head, uint32_t length);

/* Shows the guest all elements below position. */
void virtqueue_publish(struct virtqueue *q, uint64_t position);

/* Whether the driver wants an interrupt for what was published since the last call. */
bool virtqueue_wants_interrupt(struct virtqueue *q);

/*
 * Before a burst of work, quiet: more kicks are pointless. After it, listen: asks for a kick when
 * more than `seen` entries wait, and returns true if they do already: no kick comes for those.
 */
void virtqueue_quiet(struct virtqueue *q);
bool virtqueue_listen(struct virtqueue *q, unsigned int seen);

/* The used index as the guest's memory has it: 16 bits, and the guest may have changed it. */
uint16_t virtqueue_shown(const struct virtqueue *q);

#endif

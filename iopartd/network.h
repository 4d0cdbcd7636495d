/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network card: pairs of queues, each on a queue of its own of the device's multi-queue tap, and
 * with more than one pair a control queue behind them (Virtio 1.2, 5.1.2). Pair i receives on
 * virtqueue 2i and transmits on 2i + 1. Of all pairs the driver uses the first few.
 */
#ifndef IOPARTD_NETWORK_H
#define IOPARTD_NETWORK_H

#include <linux/virtio_net.h>

#include "limit.h"
#include "virtio.h"

#define RECEIVE(p)	(2 * (p)->index)
#define TRANSMIT(p)	(2 * (p)->index + 1)
#define PACKET_HEADER	sizeof(struct virtio_net_hdr_v1)
#define PACKET_BYTES	(PACKET_HEADER + 65536u + 18u)	/* IP, Ethernet and VLAN headers */

enum { TO_GUEST, FROM_GUEST };	/* each way has a limit and a tally */

struct pair {
	struct device *device;
	unsigned int index;
	int fd;				/* a queue of the tap; the device's */
	sd_event_source *tap;
	bool attached;			/* our queue of the tap */
	bool blocked;			/* the tap takes no packet now */
	uint32_t held;			/* bytes of the packet that waits for buffers; 0: none */
	char *packet;			/* PACKET_BYTES while the pair is in use */
};

/* Used elements of one queue that show at once. */
struct batch {
	struct device *d;
	unsigned int queue, count;
	uint32_t head[IO_MAX_QUEUE_SIZE], length[IO_MAX_QUEUE_SIZE];
	bool interrupt;
};

struct tally {
	uint64_t packets, bytes;	/* without the header */
	uint64_t dropped;		/* packets that no side could take */
};

struct network {
	struct virtio virtio;		/* first: virtio.c finds it at d->data */
	unsigned int most;		/* pairs that there are */
	unsigned int pairs;		/* that the driver uses: 1 … most */
	struct pair pair[IO_MAX_PAIRS];
	struct tally tally[2];		/* not told to the statistics yet, of all pairs */
	struct limit limit[2];		/* each way has its own, for all pairs together */
	struct batch batch;
};

static inline bool network_has(const struct network *n, unsigned int feature)
{
	return n->virtio.features & 1ULL << feature;
}

/* The driver uses that many pairs from now on. 0 or -errno: then it is as it was. */
int network_use(struct device *d, unsigned int pairs);

/* begin, add, end: end publishes what there is, and interrupts; 0 or an error of the queue. */
void batch_begin(struct device *d, unsigned int queue);
void batch_add(struct batch *b, uint32_t head, uint32_t length);
int batch_end(struct network *n);

/* (frame.c) Some packets. 1: there may be more; 0: no more now; or an error of the queue. */
int frame_transmit(struct pair *p);
/* The same; the tap stays readable if there are more: 0 or an error. */
int frame_receive(struct pair *p);

/*
 * The control queue (control.c): its index, or -1 if the driver has none. turn answers some
 * commands; 0 or an error of the queue.
 */
int control_queue(const struct network *n);
int control_turn(struct device *d);
/*
 * Guarded. How many pairs the driver has chosen is kept in the in-flight table, for the next
 * server: `sequence` of the control queue, which counts nothing there; 0: not chosen, one pair.
 */
void control_store(struct network *n, unsigned int pairs);
uint64_t control_stored(const struct network *n);

#endif

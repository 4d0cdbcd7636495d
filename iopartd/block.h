/* SPDX-License-Identifier: Apache-2.0 */
/* A disk: what its queues (block.c) and their requests (request.c) share. */
#ifndef IOPARTD_BLOCK_H
#define IOPARTD_BLOCK_H

#include "backing.h"
#include "inflight.h"
#include "limit.h"
#include "remote.h"
#include "virtio.h"

#define BLOCK_SEGMENTS		126u	/* with header and status a chain fits 128 descriptors */
#define BLOCK_SEGMENT_SIZE	(32u * 1024u)
#define BLOCK_DISCARD_SECTORS	(1u << 22)	/* 2 GiB a request */

struct block_queue {
	struct inflight inflight;
	struct inflight_replay replay;
	unsigned int replayed;		/* entries of replay that were started again */
};

struct block {
	struct virtio virtio;		/* first: virtio.c finds it at d->data */
	struct block_queue queue[IO_MAX_QUEUES];
	uint32_t active;		/* queues that may have something */
	unsigned int first;		/* queue that the next turn begins with */
	bool kicks_off;			/* and so they stay in queues that are empty */
	struct backing backing;
	struct remote *remote;		/* NULL: a file or block device */
	struct limit limit;
	bool writable;
	uint32_t errors;
};

/*
 * Starts queue q's next request: 1; 0: none waits, and the driver will kick; -EAGAIN, -ENOMEM: no
 * buffers or no room in the ring now; -EBUSY: its limits do not allow it now; else the error of a
 * guarded call.
 */
int request_next(struct device *d, unsigned int q);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-flight table of an I/O channel (include/ultravisor/io.h): what a take-over needs.
 *
 * The order of the stores is the whole point; a server may be killed between any two of them:
 *
 *   sequence, SUBMITTED      before the request is given to the backing file
 *   length, position, DONE   after the guest's buffers are written, before the used element shows
 *   (virtqueue_publish)      the guest sees it
 *   used, FREE               after that; FREE last
 *
 * An entry that was taken is FREE again only once it is published, so the number of available
 * entries taken is always used + the entries that are not FREE: it needs no word of its own
 * that could disagree. Publishing twice is harmless: the position is fixed, and the element and
 * the index written are the same.
 *
 * All functions are "guarded" (memory.h). The table is in the servers' private area: the guest
 * and its monitor cannot reach it. It is checked all the same where it is read back.
 */
#ifndef IOPARTD_INFLIGHT_H
#define IOPARTD_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include <ultravisor/io.h>

#include "virtqueue.h"

struct inflight {
	struct io_inflight_queue *shared;
	uint64_t sequence;		/* last given */
	uint64_t done;			/* next position to give */
	uint32_t head[IO_MAX_QUEUE_SIZE]; /* done and not published, by position % size */
};

/* What a take-over has to do again, in this order. */
struct inflight_replay {
	unsigned int count;
	uint32_t head[IO_MAX_QUEUE_SIZE];
};

/* Empties the whole table for a new generation of the driver. */
void inflight_clear(struct io_inflight *table, uint32_t generation);

/* An empty queue's table, after inflight_clear. */
void inflight_start(struct inflight *f, struct io_inflight *table, unsigned int queue);

/* Records that q's next entry, head, is taken, now. -EPROTO: that request is in flight already. */
int inflight_submit(struct inflight *f, struct virtqueue *q, uint32_t head, uint64_t now_ns);

/* When a request that is replayed was taken: not later than now. */
uint64_t inflight_taken(const struct inflight *f, uint32_t head, uint64_t now_ns);

/* Records that a request is over and writes its used element; length: bytes the guest got. */
void inflight_done(struct inflight *f, struct virtqueue *q, uint32_t head, uint32_t length);

/* Publishes all that is done. Returns whether there was anything. */
bool inflight_publish(struct inflight *f, struct virtqueue *q);

/*
 * Takes over from a server that is gone: sets q's cursors, publishes what was DONE and not
 * published, and tells what to replay (those entries stay SUBMITTED). -EUCLEAN: the table
 * contradicts itself; q->fault says how.
 */
int inflight_recover(struct inflight *f, struct io_inflight *table, unsigned int queue,
		     struct virtqueue *q, struct inflight_replay *replay);

#endif

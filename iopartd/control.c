/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control queue of a network card (Virtio 1.2, 5.1.6.5). One command is offered: how many pairs
 * of queues the driver uses. All others are answered VIRTIO_NET_ERR.
 *
 * A command is done, then stored for the next server, then answered. A server that dies before the
 * answer shows leaves the command to be found, and done, again.
 */
#include <errno.h>
#include <string.h>

#include <common/crash.h>

#include "network.h"

#define TURN	8u		/* commands a turn */

struct command {
	struct network *n;
	unsigned int queue;
	struct chain *chain;
	bool none;
	/* What was asked, copied once: class, command, and as much as we know a use for. */
	uint8_t bytes[sizeof(struct virtio_net_ctrl_hdr) + sizeof(struct virtio_net_ctrl_mq)];
	size_t length;			/* of the whole, may be more */
	uint8_t answer;
	unsigned int pairs;		/* to store; 0: as it is */
};

int control_queue(const struct network *n)
{
	if (n->most == 1 || !network_has(n, VIRTIO_NET_F_CTRL_VQ))
		return -1;
	return network_has(n, VIRTIO_NET_F_MQ) ? 2 * n->most : 2;
}

void control_store(struct network *n, unsigned int pairs)
{
	atomic_store_explicit(&IO_INFLIGHT_QUEUE(n->virtio.table, control_queue(n))->sequence,
			      pairs, memory_order_release);
}

uint64_t control_stored(const struct network *n)
{
	uint64_t pairs;

	if (control_queue(n) < 0)
		return 1;
	pairs = atomic_load_explicit(
		&IO_INFLIGHT_QUEUE(n->virtio.table, control_queue(n))->sequence,
		memory_order_acquire);
	return pairs ? pairs : 1;
}

static int fetch(void *argument)
{
	struct command *c = argument;
	struct virtqueue *q = &c->n->virtio.queue[c->queue];
	size_t part, i, at = 0;
	int rc;

	rc = virtqueue_waiting(q);
	if (rc == 0 && virtqueue_listen(q, 0))
		rc = virtqueue_waiting(q);
	c->none = rc == 0;
	if (rc <= 0)
		return rc;
	rc = virtqueue_head(q, 0);
	if (rc >= 0)
		rc = virtqueue_chain(q, rc, c->chain);
	if (rc < 0)
		return rc;
	if (c->chain->readable_bytes < sizeof(struct virtio_net_ctrl_hdr) ||
	    !c->chain->writable_bytes) {
		q->fault = "a control command without class and command, or room for its answer";
		return -EPROTO;
	}
	c->length = c->chain->readable_bytes;
	memset(c->bytes, 0, sizeof(c->bytes));
	for (i = 0; i < c->chain->readable && at < sizeof(c->bytes); i++) {
		part = c->chain->iov[i].iov_len;
		if (part > sizeof(c->bytes) - at)
			part = sizeof(c->bytes) - at;
		memcpy(c->bytes + at, c->chain->iov[i].iov_base, part);
		at += part;
	}
	return 0;
}

static void execute(struct device *d, struct command *c)
{
	unsigned int pairs = c->bytes[2] | c->bytes[3] << 8;	/* little-endian */

	c->answer = VIRTIO_NET_ERR;
	c->pairs = 0;
	if (c->bytes[0] != VIRTIO_NET_CTRL_MQ || c->bytes[1] != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    c->length != sizeof(c->bytes) || !network_has(c->n, VIRTIO_NET_F_MQ) ||
	    pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || pairs > c->n->most ||
	    network_use(d, pairs))
		return;
	c->pairs = pairs;
	c->answer = VIRTIO_NET_OK;
}

static int answer(void *argument)
{
	const struct command *c = argument;

	if (c->pairs)
		control_store(c->n, c->pairs);
	CRASH_POINT("pairs");
	*(uint8_t *)c->chain->iov[c->chain->readable].iov_base = c->answer;
	return 0;
}

int control_turn(struct device *d)
{
	static struct chain scratch;
	struct network *n = d->data;
	struct command c = { .n = n, .queue = control_queue(n), .chain = &scratch };
	unsigned int i;
	int rc;

	for (i = 0; i < TURN; i++) {
		rc = guarded(d->channel, fetch, &c);
		if (rc || c.none)
			return rc;
		execute(d, &c);
		rc = guarded(d->channel, answer, &c);
		if (rc)
			return rc;
		n->virtio.queue[c.queue].taken++;
		batch_begin(d, c.queue);
		batch_add(&n->batch, scratch.head, sizeof(c.answer));
		rc = batch_end(n);
		if (rc)
			return rc;
	}
	/* A driver waits for each answer: one that does not may wait for its next turn. */
	device_schedule(d);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet that is sent goes from the guest's memory to the tap; one that is received waits in our
 * own buffer, because only then its length is known, until the guest has buffers for all of it.
 *
 * Packets are handled one after the other, so the in-flight table needs its cursors alone. A batch:
 * the used elements are written; `available` is set to the used index that is about to show (the
 * intent); used->idx shows it to the guest; `used` follows. The next server compares used->idx
 * with the two cursors: a batch was either published whole, or never was: then packets to the
 * guest are lost, packets from it are sent again, as networks do.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <common/crash.h>

#include "network.h"
#include "statistics.h"

#define FRAME_MIN	14u
#define TURN		32u			/* packets a turn, each way, of each pair */
#define CHAINS_MAX	80u			/* buffers for one packet, 1 KiB each or more */

/* ---- publishing a batch */

static int publish(void *argument)
{
	struct batch *b = argument;
	struct network *n = b->d->data;
	struct virtqueue *q = &n->virtio.queue[b->queue];
	struct io_inflight_queue *table = IO_INFLIGHT_QUEUE(n->virtio.table, b->queue);
	unsigned int way = b->queue & 1, i;
	struct tally *t = &n->tally[way];

	for (i = 0; i < b->count; i++)
		virtqueue_fill(q, q->published + i, b->head[i], b->length[i]);
	CRASH_POINT("filled");
	atomic_store_explicit(&table->available, q->published + b->count, memory_order_release);
	CRASH_POINT("intent");
	virtqueue_publish(q, q->published + b->count);
	CRASH_POINT("shown");
	atomic_store_explicit(&table->used, q->published, memory_order_release);
	b->interrupt = virtqueue_wants_interrupt(q);
	b->count = 0;
	if ((int)b->queue == control_queue(n))
		return 0;
	statistics_done(b->d, way == TO_GUEST ? IO_READ : IO_WRITE, t->packets, t->bytes,
			t->dropped, UINT64_MAX, statistics_now());
	*t = (struct tally){ 0 };
	return 0;
}

int batch_end(struct network *n)
{
	struct batch *b = &n->batch;
	int rc;

	if (!b->count)
		return 0;
	rc = guarded(b->d->channel, publish, b);
	if (!rc && b->interrupt)
		virtio_interrupt(b->d, b->queue);
	return rc;
}

void batch_begin(struct device *d, unsigned int queue)
{
	struct network *n = d->data;

	n->batch.d = d;
	n->batch.queue = queue;
	n->batch.count = 0;
}

static void note(struct network *n, unsigned int way, uint64_t bytes, bool dropped)
{
	struct tally *t = &n->tally[way];

	t->packets += !dropped;
	t->bytes += dropped ? 0 : bytes - PACKET_HEADER;
	t->dropped += dropped;
}

void batch_add(struct batch *b, uint32_t head, uint32_t length)
{
	b->head[b->count] = head;
	b->length[b->count++] = length;
}

/* ---- from the guest */

struct fetch {
	struct virtqueue *q;
	struct chain *chain;
	bool none;
};

/* The next packet to send. Nothing is recorded: until it is published it was not taken. */
static int fetch(void *argument)
{
	struct fetch *f = argument;
	struct virtqueue *q = f->q;
	int rc;

	rc = virtqueue_waiting(q);
	if (rc == 0 && virtqueue_listen(q, 0))
		rc = virtqueue_waiting(q);
	f->none = rc == 0;
	if (rc <= 0)
		return rc;
	rc = virtqueue_head(q, 0);
	return rc < 0 ? rc : virtqueue_chain(q, rc, f->chain);
}

int frame_transmit(struct pair *p)
{
	static struct chain scratch;
	struct device *d = p->device;
	struct network *n = d->data;
	struct virtqueue *q = &n->virtio.queue[TRANSMIT(p)];
	struct fetch f = { .q = q, .chain = &scratch };
	unsigned int i;
	bool dropped;
	ssize_t r;
	int rc = 0;

	batch_begin(d, TRANSMIT(p));
	for (i = 0; i < TURN; i++) {
		rc = guarded(d->channel, fetch, &f);
		/* Not taken, it is found again when it may pass. */
		if (rc < 0 || f.none || !limit_passes(&n->limit[FROM_GUEST]))
			break;
		dropped = scratch.readable_bytes < PACKET_HEADER + FRAME_MIN;
		if (!dropped) {
			r = writev(p->fd, scratch.iov, scratch.readable);
			if (r < 0 && errno == EAGAIN) {
				p->blocked = true;
				break;
			}
			/* The interface is down, or the packet is one the kernel refuses. */
			dropped = r < 0;
		}
		note(n, FROM_GUEST, scratch.readable_bytes, dropped);
		limit_charge(&n->limit[FROM_GUEST], scratch.readable_bytes);
		CRASH_POINT("sent");
		q->taken++;
		batch_add(&n->batch, scratch.head, 0);
	}
	if (rc < 0)
		return rc;
	rc = batch_end(n);
	return rc ? rc : i == TURN;
}

/* ---- to the guest */

struct deliver {
	struct pair *p;
	bool wait;			/* not enough buffers */
};

/* Copies the packet that is held into the guest's next buffers, as many as it takes. */
static int deliver(void *argument)
{
	static struct chain scratch;
	static struct iovec iov[CHAINS_MAX + CHAIN_MAX];
	struct deliver *v = argument;
	struct pair *p = v->p;
	struct network *n = p->device->data;
	struct virtqueue *q = &n->virtio.queue[RECEIVE(p)];
	struct virtio_net_hdr_v1 *header = (struct virtio_net_hdr_v1 *)p->packet;
	uint64_t room = 0, at = 0, part;
	unsigned int chains = 0, iovs = 0, i;
	uint32_t head[CHAINS_MAX], size[CHAINS_MAX];
	bool mergeable = network_has(n, VIRTIO_NET_F_MRG_RXBUF);
	int waiting, rc;

	waiting = virtqueue_waiting(q);
	if (waiting < 0)
		return waiting;
	while (room < p->held) {
		if ((int)chains >= waiting) {
			/* Those that come from now on ring the bell. */
			v->wait = !virtqueue_listen(q, waiting);
			if (v->wait)
				return 0;
			waiting = virtqueue_waiting(q);
			if (waiting < (int)chains + 1) {
				q->fault = "the available index of a queue went back";
				return -EPROTO;
			}
		}
		rc = virtqueue_head(q, chains);
		if (rc >= 0)
			rc = virtqueue_chain(q, rc, &scratch);
		if (rc < 0)
			return rc;
		if (scratch.readable || !scratch.writable ||
		    chains == CHAINS_MAX || iovs + scratch.writable > CHAINS_MAX + CHAIN_MAX) {
			q->fault = "receive buffers that hold no packet";
			return -EPROTO;
		}
		memcpy(&iov[iovs], scratch.iov, scratch.writable * sizeof(*iov));
		iovs += scratch.writable;
		head[chains] = scratch.head;
		size[chains++] = scratch.writable_bytes > p->held - room ? p->held - room :
				 scratch.writable_bytes;
		room += scratch.writable_bytes;
		if (!mergeable && room < p->held) {
			/* The driver wants small packets only. */
			note(n, TO_GUEST, p->held, true);
			p->held = 0;
			return 0;
		}
	}
	header->num_buffers = chains;
	for (i = 0; i < iovs && at < p->held; i++) {
		part = iov[i].iov_len < p->held - at ? iov[i].iov_len : p->held - at;
		memcpy(iov[i].iov_base, p->packet + at, part);
		at += part;
	}
	for (i = 0; i < chains; i++)
		batch_add(&n->batch, head[i], size[i]);
	q->taken += chains;
	note(n, TO_GUEST, p->held, false);
	p->held = 0;
	return 0;
}

int frame_receive(struct pair *p)
{
	struct device *d = p->device;
	struct network *n = d->data;
	struct deliver v = { .p = p };
	uint32_t bytes;
	unsigned int i;
	ssize_t r;
	int rc;

	batch_begin(d, RECEIVE(p));
	for (i = 0; i < TURN && !v.wait; i++) {
		if (!p->held) {
			r = read(p->fd, p->packet, PACKET_BYTES);
			if (r < (ssize_t)(PACKET_HEADER + FRAME_MIN))
				break;
			p->held = r;
		}
		if (!limit_passes(&n->limit[TO_GUEST]))
			break;
		bytes = p->held;
		rc = guarded(d->channel, deliver, &v);
		if (!rc && !v.wait)
			limit_charge(&n->limit[TO_GUEST], bytes);
		if (!rc && n->batch.count + CHAINS_MAX > IO_MAX_QUEUE_SIZE)
			rc = batch_end(n);
		if (rc)
			return rc;
	}
	return batch_end(n);
}

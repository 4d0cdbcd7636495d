/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueues, device's side. The driver may scribble over every byte at any time: nothing
 * is read twice, and each value is checked where it is copied.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <linux/virtio_config.h>

#include "virtqueue.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio 1.x is little-endian");

static int at_fault(struct virtqueue *q, const char *why)
{
	q->fault = why;
	return -EPROTO;
}

int virtqueue_setup(struct virtqueue *q, const struct guest_memory *m, const struct io_queue *from,
		    uint64_t features)
{
	memset(q, 0, sizeof(*q));
	if (!from->size)
		return 0;
	if (from->size > IO_MAX_QUEUE_SIZE || (from->size & (from->size - 1)))
		return at_fault(q, "queue size is not a power of two up to the maximum");
	if (from->desc % 16 || from->driver % 2 || from->device % 4)
		return at_fault(q, "a part of the queue is not aligned");
	q->memory = m;
	q->event_index = features & (1ULL << VIRTIO_RING_F_EVENT_IDX);
	q->indirect = features & (1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	q->desc = memory_at(m, from->desc, 16ULL * from->size);
	q->avail = memory_at(m, from->driver, 6 + 2ULL * from->size);
	q->used = memory_at(m, from->device, 6 + 8ULL * from->size);
	if (!q->desc || !q->avail || !q->used)
		return at_fault(q, "a part of the queue is outside the guest's memory");
	q->size = from->size;
	return 0;
}

static uint16_t load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

int virtqueue_waiting(struct virtqueue *q)
{
	/* Pairs with the driver's write barrier between its ring entries and avail->idx. */
	uint16_t index = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t waiting = index - (uint16_t)q->taken;

	if (waiting > q->size)
		return at_fault(q, "the available index moved by more than the queue's size");
	return waiting;
}

int virtqueue_head(struct virtqueue *q, unsigned int ahead)
{
	uint16_t head = load16(&q->avail->ring[(q->taken + ahead) & (q->size - 1)]);

	if (head >= q->size)
		return at_fault(q, "an available entry is no descriptor of the table");
	return head;
}

/* An indirect table need not be aligned, so this is a copy, kept apart from its source. */
static struct vring_desc snapshot(const struct vring_desc *table, uint32_t i)
{
	struct vring_desc d;

	memcpy(&d, (const char *)table + 16ULL * i, sizeof(d));
	/* Compiler only: later uses of d must not read the guest's memory again. */
	atomic_signal_fence(memory_order_seq_cst);
	__asm__ volatile("" : "+m"(d));
	return d;
}

static int add_buffer(struct virtqueue *q, struct chain *to, const struct vring_desc *d)
{
	bool writable = d->flags & VRING_DESC_F_WRITE;
	uint64_t gpa = d->addr, left = d->len, run;
	void *at;

	if (!writable && to->writable)
		return at_fault(q, "a readable buffer follows a writable one");
	/* A buffer may cross from one block of the guest's memory into the next. */
	for (; left; gpa += run, left -= run) {
		run = left;
		at = memory_run(q->memory, gpa, &run);
		if (!at)
			return at_fault(q, "a buffer is outside the guest's memory");
		if (to->readable + to->writable == CHAIN_MAX)
			return at_fault(q, "a chain has too many buffers");
		to->iov[to->readable + to->writable] = (struct iovec){ at, run };
		if (writable) {
			to->writable++;
			to->writable_bytes += run;
		} else {
			to->readable++;
			to->readable_bytes += run;
		}
	}
	return 0;
}

int virtqueue_chain(struct virtqueue *q, uint32_t head, struct chain *to)
{
	const struct vring_desc *table = q->desc;
	uint32_t entries = q->size, i = head, steps = 0;
	bool nested = false;
	struct vring_desc d;
	int rc;

	to->head = head;
	to->readable = to->writable = 0;
	to->readable_bytes = to->writable_bytes = 0;
	for (;;) {
		if (i >= entries)
			return at_fault(q, "a chain leaves its descriptor table");
		if (steps++ == entries)
			return at_fault(q, "a chain is longer than its table: a loop");
		d = snapshot(table, i);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (!q->indirect)
				return at_fault(q, "an indirect table, which was not negotiated");
			if (nested)
				return at_fault(q, "an indirect table within an indirect table");
			if (d.flags & VRING_DESC_F_NEXT)
				return at_fault(q, "an indirect table that does not end its chain");
			if (!d.len || d.len % 16 || d.len / 16 > CHAIN_MAX)
				return at_fault(q, "an indirect table of impossible length");
			table = memory_at(q->memory, d.addr, d.len);
			if (!table)
				return at_fault(q, "an indirect table outside the guest's memory");
			entries = d.len / 16;
			i = steps = 0;
			nested = true;
			continue;
		}
		rc = add_buffer(q, to, &d);
		if (rc)
			return rc;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 0;
		i = d.next;
	}
}

void virtqueue_fill(struct virtqueue *q, uint64_t position, uint32_t head, uint32_t length)
{
	struct vring_used_elem *e = &q->used->ring[position & (q->size - 1)];

	__atomic_store_n(&e->id, head, __ATOMIC_RELAXED);
	__atomic_store_n(&e->len, length, __ATOMIC_RELAXED);
}

void virtqueue_publish(struct virtqueue *q, uint64_t position)
{
	/* Pairs with the driver's read barrier between used->idx and the elements. */
	__atomic_store_n(&q->used->idx, (uint16_t)position, __ATOMIC_RELEASE);
	q->published = position;
}

bool virtqueue_wants_interrupt(struct virtqueue *q)
{
	uint16_t old = q->signalled, new = q->published, event;

	if (q->signalled == q->published)
		return false;
	q->signalled = q->published;
	/*
	 * Our used->idx before our look at the driver's wish; pairs with the driver's full barrier
	 * between writing its wish and its last look at used->idx.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (!q->event_index)
		return !(load16(&q->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	event = load16(&q->avail->ring[q->size]);
	return vring_need_event(event, new, old);
}

void virtqueue_quiet(struct virtqueue *q)
{
	/* With the event index a kick comes at one index only, and that one is behind us. */
	if (!q->event_index)
		__atomic_store_n(&q->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

uint16_t virtqueue_shown(const struct virtqueue *q)
{
	return load16(&q->used->idx);
}

bool virtqueue_listen(struct virtqueue *q, unsigned int seen)
{
	if (q->event_index)
		__atomic_store_n((uint16_t *)&q->used->ring[q->size], (uint16_t)(q->taken + seen),
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->used->flags, 0, __ATOMIC_RELAXED);
	/*
	 * Our wish before our last look at avail->idx; pairs with the driver's full barrier
	 * between writing avail->idx and looking at our wish.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	return virtqueue_waiting(q) != (int)seen;
}

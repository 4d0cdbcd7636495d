/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-flight table. Stores that the next server may find are releases, in the order that the
 * header tells; they pair with nothing but the kernel's promotion of that server, which happens
 * after this process's last instruction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <common/crash.h>

#include "inflight.h"

#define NO_GENERATION 0xffffffffu

static void store32(_Atomic uint32_t *p, uint32_t v)
{
	atomic_store_explicit(p, v, memory_order_release);
}

static void store64(_Atomic uint64_t *p, uint64_t v)
{
	atomic_store_explicit(p, v, memory_order_release);
}

void inflight_clear(struct io_inflight *table, uint32_t generation)
{
	unsigned int q, i;

	/* Killed half-way, the next server finds no generation of its client's and clears again. */
	store32(&table->generation, NO_GENERATION);
	for (q = 0; q < IO_MAX_QUEUES; q++) {
		struct io_inflight_queue *s = IO_INFLIGHT_QUEUE(table, q);

		for (i = 0; i < IO_MAX_QUEUE_SIZE; i++)
			store32(&s->entry[i].state, IO_FREE);
		store64(&s->available, 0);
		store64(&s->used, 0);
		store64(&s->sequence, 0);
	}
	CRASH_POINT("table-cleared");
	store32(&table->generation, generation);
}

void inflight_start(struct inflight *f, struct io_inflight *table, unsigned int queue)
{
	memset(f, 0, sizeof(*f));
	f->shared = IO_INFLIGHT_QUEUE(table, queue);
}

int inflight_submit(struct inflight *f, struct virtqueue *q, uint32_t head, uint64_t now_ns)
{
	struct io_entry *e = &f->shared->entry[head];

	if (atomic_load_explicit(&e->state, memory_order_relaxed) != IO_FREE) {
		q->fault = "a descriptor is available again before it was used";
		return -EPROTO;
	}
	e->taken_ns = now_ns;
	atomic_store_explicit(&e->sequence, ++f->sequence, memory_order_relaxed);
	store32(&e->state, IO_SUBMITTED);
	CRASH_POINT("submitted");
	q->taken++;
	/* For people and metrics; a take-over derives both. */
	store64(&f->shared->sequence, f->sequence);
	store64(&f->shared->available, q->taken);
	return 0;
}

uint64_t inflight_taken(const struct inflight *f, uint32_t head, uint64_t now_ns)
{
	uint64_t taken_ns = f->shared->entry[head].taken_ns;

	/* 0: by a server that did not note it. */
	return taken_ns && taken_ns < now_ns ? taken_ns : now_ns;
}

void inflight_done(struct inflight *f, struct virtqueue *q, uint32_t head, uint32_t length)
{
	struct io_entry *e = &f->shared->entry[head];

	e->length = length;
	e->position = f->done;
	CRASH_POINT("before-done");
	store32(&e->state, IO_DONE);
	CRASH_POINT("done");
	virtqueue_fill(q, f->done, head, length);
	CRASH_POINT("element");
	f->head[f->done % IO_MAX_QUEUE_SIZE] = head;
	f->done++;
}

bool inflight_publish(struct inflight *f, struct virtqueue *q)
{
	uint64_t p, from = q->published;

	if (f->done == from)
		return false;
	virtqueue_publish(q, f->done);
	CRASH_POINT("published");
	store64(&f->shared->used, f->done);
	CRASH_POINT("used");
	for (p = from; p < f->done; p++) {
		store32(&f->shared->entry[f->head[p % IO_MAX_QUEUE_SIZE]].state, IO_FREE);
		CRASH_POINT("free");
	}
	return true;
}

struct found {
	uint64_t order;
	uint32_t head, length;
};

static int by_order(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

int inflight_recover(struct inflight *f, struct io_inflight *table, unsigned int queue,
		     struct virtqueue *q, struct inflight_replay *replay)
{
	struct found done[IO_MAX_QUEUE_SIZE], submitted[IO_MAX_QUEUE_SIZE];
	unsigned int i, dones = 0, submits = 0;
	uint64_t used;

	inflight_start(f, table, queue);
	used = atomic_load_explicit(&f->shared->used, memory_order_acquire);
	for (i = 0; i < IO_MAX_QUEUE_SIZE; i++) {
		struct io_entry *e = &f->shared->entry[i];
		uint32_t state = atomic_load_explicit(&e->state, memory_order_acquire);
		struct found this = { .head = i, .length = e->length };

		if (state == IO_FREE)
			continue;
		if (i >= q->size || state > IO_DONE) {
			q->fault = "the in-flight table has an impossible entry";
			return -EUCLEAN;
		}
		if (state == IO_SUBMITTED) {
			this.order = atomic_load_explicit(&e->sequence, memory_order_relaxed);
			submitted[submits++] = this;
			if (this.order > f->sequence)
				f->sequence = this.order;
			continue;
		}
		this.order = e->position;
		if (this.order < used)
			store32(&e->state, IO_FREE);
		else
			done[dones++] = this;
	}
	qsort(done, dones, sizeof(*done), by_order);
	qsort(submitted, submits, sizeof(*submitted), by_order);

	f->done = used;
	q->taken = used + dones + submits;
	q->published = q->signalled = used;
	for (i = 0; i < dones; i++) {
		if (done[i].order != used + i) {
			q->fault = "the in-flight table has a gap";
			return -EUCLEAN;
		}
		virtqueue_fill(q, done[i].order, done[i].head, done[i].length);
		f->head[f->done % IO_MAX_QUEUE_SIZE] = done[i].head;
		f->done++;
	}
	/* The index moves once and never back: the old server may have published all of these. */
	inflight_publish(f, q);

	replay->count = submits;
	for (i = 0; i < submits; i++)
		replay->head[i] = submitted[i].head;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packet ring is measured beside, one direction each, between two processes:
 *
 *   limit    a sequence number in each slot's own cache line, and nothing else: no lengths, no
 *            checks of the other side, no guard against lost memory, no wake-ups
 *   ck       Concurrency Kit's single producer, single consumer ring
 *   rte      DPDK's rte_ring, one producer and one consumer, with elements of the message's size;
 *            laid out as its rte_ring_init does, so that its headers are enough
 *   eventfd  the limit's slots, with an eventfd written for each message and read before each
 *
 * ck and rte are there if their headers were (scripts/deps --bench).
 */
#ifndef TESTS_BENCH_RING_PEERS_H
#define TESTS_BENCH_RING_PEERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if __has_include(<ck_ring.h>)
#include <ck_ring.h>
#define HAVE_CK 1
#else
#define HAVE_CK 0
#endif
#ifdef HAVE_DPDK_HEADERS
#include <rte_ring.h>
#define HAVE_RTE 1
#else
#define HAVE_RTE 0
#endif

#define SMALL		56u		/* what one line carries beside its sequence */
#define LARGE		4096u
#define SLOTS		4096u		/* of all rings, nearly of the packet ring */
#define LARGE_SLOTS	(SLOTS / 64)

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

struct line {
	_Atomic uint64_t sequence;
	uint8_t data[SMALL];
};

struct bare {				/* one direction of the limit */
	struct line line[SLOTS];
	_Alignas(64) _Atomic uint64_t consumed;
};

#if HAVE_CK
struct small { uint8_t data[SMALL]; };
struct large { uint8_t data[LARGE]; };
CK_RING_PROTOTYPE(small, small)
CK_RING_PROTOTYPE(large, large)

struct ck_way {
	_Alignas(64) ck_ring_t ring;
	_Alignas(64) struct small small[SLOTS];
	struct large large[LARGE_SLOTS];
};
#endif

/* Both directions of the limit, as one process sees them. */
struct bare_end {
	struct bare *out, *in;
	size_t size;
	uint64_t sent, received, room;
};

static inline void bare_send(struct bare_end *e, const uint8_t *data)
{
	const uint64_t lines = e->size == SMALL ? 1 : (e->size + SMALL - 1) / SMALL;
	struct line *first = &e->out->line[e->sent % SLOTS], *l = first;
	uint64_t i;

	/* Acquire, with bare_receive's release: the lines were read. */
	while (e->room < lines)
		e->room = SLOTS - (e->sent - atomic_load_explicit(&e->out->consumed,
								  memory_order_acquire));
	memcpy(first->data, data, SMALL);
	for (i = 1; i < lines; i++) {
		l = &e->out->line[(e->sent + i) % SLOTS];
		memcpy(l->data, data + i * SMALL, i + 1 < lines ? SMALL : e->size - i * SMALL);
	}
	/* Release, with bare_receive's acquire: the bytes come first. */
	atomic_store_explicit(&first->sequence, e->sent + 1, memory_order_release);
	e->sent += lines;
	e->room -= lines;
}

static inline void bare_receive(struct bare_end *e, uint8_t *data)
{
	const uint64_t lines = e->size == SMALL ? 1 : (e->size + SMALL - 1) / SMALL;
	struct line *l = &e->in->line[e->received % SLOTS];
	uint64_t i;

	while (atomic_load_explicit(&l->sequence, memory_order_acquire) != e->received + 1)
		relax();
	memcpy(data, l->data, SMALL);
	for (i = 1; i < lines; i++) {
		l = &e->in->line[(e->received + i) % SLOTS];
		memcpy(data + i * SMALL, l->data, i + 1 < lines ? SMALL : e->size - i * SMALL);
	}
	if ((e->received + lines) / (SLOTS / 4) != e->received / (SLOTS / 4))
		atomic_store_explicit(&e->in->consumed, e->received + lines,
				      memory_order_release);
	e->received += lines;
}

#if HAVE_CK
static inline void ck_way_init(struct ck_way *w, size_t size)
{
	ck_ring_init(&w->ring, size == LARGE ? LARGE_SLOTS : SLOTS);
}

static inline bool ck_put(struct ck_way *w, const uint8_t *data, size_t size)
{
	return size == SMALL ?
	       CK_RING_ENQUEUE_SPSC(small, &w->ring, w->small, (struct small *)data) :
	       CK_RING_ENQUEUE_SPSC(large, &w->ring, w->large, (struct large *)data);
}

static inline bool ck_get(struct ck_way *w, uint8_t *data, size_t size)
{
	return size == SMALL ?
	       CK_RING_DEQUEUE_SPSC(small, &w->ring, w->small, (struct small *)data) :
	       CK_RING_DEQUEUE_SPSC(large, &w->ring, w->large, (struct large *)data);
}
#endif

#if HAVE_RTE
struct rte_way {
	struct rte_ring ring;
	uint8_t elements[SLOTS * 64];	/* the ring finds them behind itself */
};

static inline void rte_way_init(struct rte_way *w, size_t size)
{
	memset(&w->ring, 0, sizeof(w->ring));
	w->ring.prod.sync_type = RTE_RING_SYNC_ST;
	w->ring.cons.sync_type = RTE_RING_SYNC_ST;
	w->ring.size = size == LARGE ? LARGE_SLOTS : SLOTS;
	w->ring.mask = w->ring.size - 1;
	w->ring.capacity = w->ring.mask;
}

static inline bool rte_put(struct rte_way *w, const uint8_t *data, size_t size)
{
	return rte_ring_sp_enqueue_bulk_elem(&w->ring, data, size, 1, NULL) == 1;
}

static inline bool rte_get(struct rte_way *w, uint8_t *data, size_t size)
{
	return rte_ring_sc_dequeue_bulk_elem(&w->ring, data, size, 1, NULL) == 1;
}
#endif

#endif /* TESTS_BENCH_RING_PEERS_H */

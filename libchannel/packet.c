// SPDX-License-Identifier: Apache-2.0
/*
 * Packets over a channel. The layout is in ring.h; docs/channel.md tells the protocol and why it
 * holds. In short:
 *
 *   - Private cursors are the truth. Of the peer's area three kinds of words are read here, each
 *     into a local: a slot's word, consumed, and the wake words. Nothing else there steers us.
 *   - A packet exists from the release store of its first slot's word on, which is the last store
 *     of sending it. A producer killed before that leaves nothing; killed after it, everything.
 *   - A packet is handled when its receiver comes back for the next one. Until then its slots are
 *     not reused, and the receiver's next process is given it again.
 *   - Sending to one who seldom sleeps has no fence: the side that goes to sleep pays for it, by
 *     membarrier(2). While it sleeps often, or without that system call, both sides use fences.
 *   - Ordinary sending stores little beside the packet. A processor keeps its stores, in order, in
 *     a short queue; the fewer there are, the more packets' lines it fetches at a time (eight
 *     stores more a packet halve the rate). So reports and counters are written when the ring has
 *     gone round, the guard is the kind that costs nothing, and the usual case calls nothing.
 *
 * Barrier pairs are named where they stand: (word), (consumed), (sleep), (restart).
 */
#include <libchannel/packet.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "endpoint.h"
#include "patience.h"
#include "ring.h"
#include "slot.h"
#include "wake.h"

#define noinline	__attribute__((noinline))
#define NUMBER_MAX	(UINT64_MAX / 2)	/* of a slot: no sum of two wraps */
#define NEVER		UINT64_MAX
#define DOORBELL	0
#define SELDOM		32u	/* packets without a sleep; their fences cost a membarrier */

struct packet_ring {
	struct channel *channel;
	struct ring_control *own;
	const struct ring_control *peer;
	bool broken;			/* the peer broke the protocol */
	bool membarrier;		/* ours reaches the peer, and the peer's reaches us */

	struct {			/* the ring in our own area */
		struct ring_slot *slot;
		uint64_t slots, max;
		uint64_t lap, index;	/* the next slot's number is lap + index */
		uint64_t full_at;	/* consumed + slots; 0: something comes before the next */
		uint64_t consumed;	/* the peer's, as last read and found possible */
		uint64_t packets, bytes;
		uint64_t wake_granted;	/* last wake_packet word of the peer that we rang for */
		bool waits;		/* wake_room is set … */
		uint64_t waits_at;	/* … since consumed was this; NEVER: wish again */
	} out;

	struct {			/* the ring in the peer's */
		const struct ring_slot *slot;
		uint64_t slots, max;
		uint64_t lap, index;	/* the next slot's number is lap + index */
		uint64_t told;		/* consumed, as the peer may read it */
		uint64_t batch;
		uint64_t packets, bytes;
		uint64_t wished_at;	/* packets, at the last wish for one */
		uint64_t wake_granted;	/* last wake_room word of the peer that we rang for */
	} in;
	uint64_t wakeups, sleeps, stalls;
	struct patience patience;
};

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static uint64_t max_packet(uint64_t slots)
{
	const uint64_t whole = slots * RING_PAYLOAD;

	return whole < PACKET_MAX ? whole : PACKET_MAX;
}

static int violation(struct packet_ring *p)
{
	p->broken = true;
	p->out.full_at = 0;
	return -ECONNRESET;
}

/* After a store that the peer may wait for. */
static noinline void grant_wake(struct packet_ring *p, const _Atomic uint64_t *word,
				uint64_t *granted)
{
	if (!wake_owed(word, p->membarrier, granted))
		return;
	p->wakeups++;
	/* No server now, or none any more: the next one looks before it sleeps. */
	channel_ring(p->channel, DOORBELL);
}

/* ---- sending -------------------------------------------------------------------------------- */

static uint64_t produced(const struct packet_ring *p)
{
	return p->out.lap + p->out.index;
}

static bool has_room(const struct packet_ring *p, uint64_t need)
{
	return produced(p) + need - p->out.consumed <= p->out.slots;
}

static void write_counters(struct packet_ring *p)
{
	struct ring_control *own = p->own;

	store(&own->packets_sent, p->out.packets);
	store(&own->bytes_sent, p->out.bytes);
	store(&own->packets_received, p->in.packets);
	store(&own->bytes_received, p->in.bytes);
	store(&own->wakeups, p->wakeups);
	store(&own->sleeps, p->sleeps);
	store(&own->stalls, p->stalls);
}

/* Reads consumed anew. It may only grow, and never beyond what was produced. */
static int read_consumed(struct packet_ring *p)
{
	uint64_t consumed;

	/*
	 * (restart) Release, with reopen_out: never ahead of the words. It may fall behind them,
	 * until here: room beyond this report is found only after it, so that no slot which it
	 * has not counted is ever overwritten, and the next process can count on from it.
	 */
	atomic_store_explicit(&p->own->produced, produced(p), memory_order_release);
	write_counters(p);
	/* (consumed) Acquire, with tell's release: the peer's reads of these slots are over. */
	consumed = atomic_load_explicit(&p->peer->consumed, memory_order_acquire);
	if (consumed - p->out.consumed > produced(p) - p->out.consumed)
		return violation(p);
	p->out.consumed = consumed;
	p->out.full_at = consumed + p->out.slots;
	return 0;
}

/* The ring was full at the last look. */
static int find_room(struct packet_ring *p, uint64_t need)
{
	int rc = read_consumed(p);

	if (rc)
		return rc;
	if (has_room(p, need)) {
		if (!p->out.waits)	/* a whole lap without a stall */
			wake_seldom(&p->own->wake_room, p->membarrier);
		return 0;
	}
	if (!p->out.waits)
		p->stalls++;
	/* Until it has come, the peer owes us the wake-up that we wished for: one wish will do. */
	if (p->out.waits && p->out.waits_at == p->out.consumed)
		return -EAGAIN;
	p->out.waits = true;
	p->out.waits_at = p->out.consumed;
	p->sleeps++;
	wake_wish(&p->own->wake_room);
	rc = read_consumed(p);
	if (rc || has_room(p, need))
		return rc;
	return -EAGAIN;
}

/* The slots after the first. */
static void copy_out(struct packet_ring *p, const uint8_t *data, size_t n)
{
	uint64_t index = p->out.index;
	struct ring_slot *slot;

	while (n > RING_PAYLOAD) {
		data += RING_PAYLOAD;
		n -= RING_PAYLOAD;
		index = next_index(index, p->out.slots);
		slot = &p->out.slot[index];
		store(&slot->word, RING_CONTINUED);
		if (n >= RING_PAYLOAD)
			memcpy(slot->data, data, RING_PAYLOAD);	/* a constant: a few moves */
		else
			copy_small(slot->data, data, n);
	}
}

/* The packet's bytes are in their slots: it exists from here on. */
static inline void publish(struct packet_ring *p, uint64_t need, size_t n)
{
	/* (word) Release, with next_word's acquire: the packet's bytes come before its word. */
	atomic_store_explicit(&p->out.slot[p->out.index].word, first_word(produced(p), n),
			      memory_order_release);
	p->out.index += need;
	if (p->out.index >= p->out.slots) {
		p->out.index -= p->out.slots;
		p->out.lap += p->out.slots;
	}
	p->out.packets++;
	p->out.bytes += n;
}

static int produce(struct packet_ring *p, const uint8_t *data, size_t n)
{
	struct ring_slot *const first = &p->out.slot[p->out.index];
	const uint64_t need = slots_for(n);
	int rc;

	if (!has_room(p, need)) {
		rc = find_room(p, need);
		if (p->out.waits)
			p->out.full_at = 0;	/* its end is noted below */
		if (rc)
			return rc;
	}
	if (p->out.waits) {
		p->out.waits = false;
		p->out.full_at = p->out.consumed + p->out.slots;
		wake_unwish(&p->own->wake_room);
	}
	if (n >= RING_PAYLOAD) {
		memcpy(first->data, data, RING_PAYLOAD);
		copy_out(p, data, n);
	} else {
		copy_small(first->data, data, n);
	}
	publish(p, need, n);
	if (wake_seen(&p->peer->wake_packet, p->membarrier))
		grant_wake(p, &p->peer->wake_packet, &p->out.wake_granted);
	return 0;
}

static noinline int send_any(struct packet_ring *p, const void *data, size_t n)
{
	int rc;

	if (n > p->out.max)
		return -EMSGSIZE;
	if (p->broken || p->channel->lost)
		return -ECONNRESET;
	rc = produce(p, data, n);
	return guard_intact(p->channel) ? rc : -ECONNRESET;
}

static noinline int send_wake(struct packet_ring *p)
{
	grant_wake(p, &p->peer->wake_packet, &p->out.wake_granted);
	return guard_intact(p->channel) ? 0 : -ECONNRESET;
}

int packet_send(struct packet_ring *p, const void *data, size_t n)
{
	if (n > RING_PAYLOAD || produced(p) >= p->out.full_at)
		return send_any(p, data, n);
	copy_small(p->out.slot[p->out.index].data, data, n);
	publish(p, 1, n);
	if (wake_seen(&p->peer->wake_packet, p->membarrier))
		return send_wake(p);
	return guard_intact(p->channel) ? 0 : -ECONNRESET;
}

/* ---- receiving ------------------------------------------------------------------------------ */

static uint64_t position(const struct packet_ring *p)
{
	return p->in.lap + p->in.index;
}

/*
 * The caller is done with the packet it had: the next process need not have it again. The peer
 * may reuse its slots; it is told in batches, or when there is nothing else to do.
 */
static void handled(struct packet_ring *p)
{
	/* (restart) Before consumed: a slot that may be overwritten is never asked for again. */
	store(&p->own->position, position(p));
}

static noinline void tell(struct packet_ring *p)
{
	if (p->in.told == position(p))
		return;
	p->in.told = position(p);
	if (p->in.packets - p->in.wished_at > SELDOM)
		wake_seldom(&p->own->wake_packet, p->membarrier);
	/* (consumed) Release, with read_consumed's acquire: our reads of the slots are over. */
	atomic_store_explicit(&p->own->consumed, p->in.told, memory_order_release);
	if (wake_seen(&p->peer->wake_room, p->membarrier))
		grant_wake(p, &p->peer->wake_room, &p->in.wake_granted);
}

/* The word of the next packet's first slot, or 0. */
static uint64_t next_word(const struct packet_ring *p)
{
	/* (word) Acquire, with produce's release. */
	const uint64_t word = atomic_load_explicit(&p->in.slot[p->in.index].word,
						   memory_order_acquire);

	return is_first(word, position(p)) ? word : 0;
}

static void copy_in(const struct packet_ring *p, uint8_t *data, size_t n)
{
	uint64_t index = p->in.index;

	while (n > RING_PAYLOAD) {
		data += RING_PAYLOAD;
		n -= RING_PAYLOAD;
		index = next_index(index, p->in.slots);
		if (n >= RING_PAYLOAD)
			memcpy(data, p->in.slot[index].data, RING_PAYLOAD);
		else
			copy_small(data, p->in.slot[index].data, n);
	}
}

static inline void advance(struct packet_ring *p, uint64_t slots, size_t n)
{
	p->in.index += slots;
	if (p->in.index >= p->in.slots) {
		p->in.index -= p->in.slots;
		p->in.lap += p->in.slots;
	}
	p->in.packets++;
	p->in.bytes += n;
}

/* Whatever is not one whole small packet, ready, for which the buffer is large enough. */
static ssize_t consume(struct packet_ring *p, uint8_t *data, size_t size, uint64_t word)
{
	const size_t n = word & RING_LENGTH_MASK;

	if (!word) {
		tell(p);
		return -EAGAIN;
	}
	if (position(p) - p->in.told >= p->in.batch)
		tell(p);
	if (n > p->in.max)
		return violation(p);
	if (n > size)
		return -EMSGSIZE;
	if (n >= RING_PAYLOAD) {
		memcpy(data, p->in.slot[p->in.index].data, RING_PAYLOAD);
		copy_in(p, data, n);
	} else {
		copy_small(data, p->in.slot[p->in.index].data, n);
	}
	advance(p, slots_for(n), n);
	return (ssize_t)n;
}

static noinline ssize_t receive_any(struct packet_ring *p, void *data, size_t size, uint64_t word)
{
	const ssize_t rc = p->broken ? -ECONNRESET : consume(p, data, size, word);

	return guard_intact(p->channel) ? rc : -ECONNRESET;
}

ssize_t packet_receive(struct packet_ring *p, void *data, size_t size)
{
	const uint64_t word = next_word(p);
	const size_t n = word & RING_LENGTH_MASK;

	/* Whoever polls comes here most: all has been told, position (before consumed) as well. */
	if (!word && p->in.told == position(p) && !p->broken)
		return guard_intact(p->channel) ? -EAGAIN : -ECONNRESET;
	handled(p);
	if (!word || n > RING_PAYLOAD || n > size || p->broken ||
	    position(p) - p->in.told >= p->in.batch)
		return receive_any(p, data, size, word);
	copy_small(data, p->in.slot[p->in.index].data, n);
	advance(p, 1, n);
	return guard_intact(p->channel) ? (ssize_t)n : -ECONNRESET;
}

/* ---- waiting -------------------------------------------------------------------------------- */

int packet_wait_fd(const struct packet_ring *p)
{
	return p->patience.wait_fd;
}

static bool prepare_wait(struct packet_ring *p)
{
	handled(p);
	tell(p);
	if (next_word(p))
		return true;
	write_counters(p);
	p->sleeps++;
	p->in.wished_at = p->in.packets;
	wake_wish(&p->own->wake_packet);
	return next_word(p) != 0;
}

bool packet_prepare_wait(struct packet_ring *p)
{
	bool ready;

	/* What is lost is reported by the receive that "true" leads to. */
	if (p->broken || p->channel->lost)
		return true;
	ready = prepare_wait(p);
	return guard_intact(p->channel) ? ready : true;
}

/* What a wake-up means for our wishes. */
static void awake(struct packet_ring *p)
{
	wake_unwish(&p->own->wake_packet);
	/*
	 * That may have been the wake-up for room, and for room that we had seen before we wished:
	 * the peer looks at our wish after it has told. It owes us none now, so wish again.
	 */
	p->out.waits_at = NEVER;
}

void packet_clear_wait(struct packet_ring *p)
{
	eventfd_t count;

	eventfd_read(p->patience.wait_fd, &count);
	awake(p);
	patience_end(&p->patience);
}

int packet_send_wait(struct packet_ring *p, const void *data, size_t n, int timeout_ms)
{
	struct patience *const t = &p->patience;
	int rc = packet_send(p, data, n);

	if (rc != -EAGAIN)
		return rc;
	patience_start(t, timeout_ms);
	for (;;) {
		rc = packet_send(p, data, n);
		if (rc != -EAGAIN)
			break;
		if (patience_spin(t))
			continue;
		/* The last send wished for room and looked again; now the bell tells. */
		rc = patience_sleep(t);
		if (rc)
			return rc;
		awake(p);
	}
	patience_end(t);
	return rc;
}

ssize_t packet_receive_wait(struct packet_ring *p, void *data, size_t size, int timeout_ms)
{
	struct patience *const t = &p->patience;
	ssize_t rc = packet_receive(p, data, size);

	if (rc != -EAGAIN)
		return rc;
	patience_start(t, timeout_ms);
	for (;;) {
		rc = packet_receive(p, data, size);
		if (rc != -EAGAIN)
			break;
		if (patience_spin(t))
			continue;
		if (packet_prepare_wait(p))
			continue;
		rc = patience_sleep(t);
		if (rc)
			return rc;
		awake(p);
	}
	patience_end(t);
	return rc;
}

ssize_t packet_receive_soon(struct packet_ring *p, void *data, size_t size)
{
	struct patience *const t = &p->patience;
	ssize_t rc = packet_receive(p, data, size);

	if (rc != -EAGAIN)
		return rc;
	patience_start(t, 0);
	do
		rc = packet_receive(p, data, size);
	while (rc == -EAGAIN && patience_spin(t));
	if (rc != -EAGAIN)
		patience_end(t);
	return rc;
}

void packet_counters(const struct packet_ring *p, struct packet_counters *out)
{
	*out = (struct packet_counters){
		.packets_sent = p->out.packets, .bytes_sent = p->out.bytes,
		.packets_received = p->in.packets, .bytes_received = p->in.bytes,
		.wakeups = p->wakeups, .sleeps = p->sleeps, .stalls = p->stalls,
	};
}

/* ---- opening -------------------------------------------------------------------------------- */

/*
 * Our area was written by this side's last process, or never. (On the server's side that may have
 * been another partition: it is checked like a peer's.) Its produced may be behind by what it sent
 * since; the words tell.
 */
static int reopen_out(struct packet_ring *p)
{
	uint64_t number, consumed, word, length, i;

	/* (restart) Acquire, with read_consumed's release. */
	number = atomic_load_explicit(&p->own->produced, memory_order_acquire);
	for (i = 0; i < p->out.slots; i++) {
		word = atomic_load_explicit(&p->out.slot[number % p->out.slots].word,
					    memory_order_acquire);
		length = word & RING_LENGTH_MASK;
		if (!is_first(word, number) || length > p->out.max)
			break;
		number += slots_for(length);
	}
	consumed = atomic_load_explicit(&p->peer->consumed, memory_order_acquire);
	if (number - consumed > p->out.slots || number > NUMBER_MAX)
		return -ECONNRESET;
	p->out.consumed = consumed;
	p->out.full_at = consumed + p->out.slots;
	p->out.index = number % p->out.slots;
	p->out.lap = number - p->out.index;
	atomic_store_explicit(&p->own->produced, number, memory_order_release);
	return 0;
}

static int reopen_in(struct packet_ring *p)
{
	const uint64_t number = load(&p->own->position);

	p->in.told = load(&p->own->consumed);
	if (number - p->in.told > p->in.slots || number > NUMBER_MAX)
		return -ECONNRESET;
	p->in.index = number % p->in.slots;
	p->in.lap = number - p->in.index;
	return 0;
}

static void read_counters(struct packet_ring *p)
{
	const struct ring_control *own = p->own;

	p->out.packets = load(&own->packets_sent);
	p->out.bytes = load(&own->bytes_sent);
	p->in.packets = load(&own->packets_received);
	p->in.bytes = load(&own->bytes_received);
	p->wakeups = load(&own->wakeups);
	p->sleeps = load(&own->sleeps);
	p->stalls = load(&own->stalls);
}

static int reopen(struct packet_ring *p)
{
	int rc = reopen_out(p);

	if (!rc)
		rc = reopen_in(p);
	if (rc)
		return rc;
	read_counters(p);
	wake_start(&p->own->wake_packet, p->membarrier);
	wake_start(&p->own->wake_room, p->membarrier);
	tell(p);
	return 0;
}

static int slots_in(uint64_t size, uint64_t *slots)
{
	if (size < sizeof(struct ring_control) + RING_MIN_SLOTS * RING_LINE)
		return -EINVAL;
	*slots = (size - sizeof(struct ring_control)) / RING_LINE;
	return 0;
}

int packet_open(struct packet_ring **out, struct channel *c)
{
	const struct channel_geometry *g = channel_geometry(c);
	const bool server = channel_side(c) == CHANNEL_SERVER;
	struct packet_ring *p;
	int rc;

	if (!g->doorbells)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->channel = c;
	rc = slots_in(server ? g->server_size : g->client_size, &p->out.slots);
	if (!rc)
		rc = slots_in(server ? g->client_size : g->server_size, &p->in.slots);
	if (rc)
		goto free_ring;
	p->own = channel_own(c);
	p->peer = channel_peer(c);
	p->out.slot = (struct ring_slot *)(p->own + 1);
	p->in.slot = (const struct ring_slot *)(p->peer + 1);
	p->out.max = max_packet(p->out.slots);
	p->in.max = max_packet(p->in.slots);
	p->in.batch = p->in.slots / 4;
	rc = channel_doorbell_fd(c, DOORBELL);
	if (rc < 0)
		goto free_ring;
	patience_open(&p->patience, c, rc);
	p->membarrier = wake_register();
	rc = guard_watch(c);
	if (rc)
		goto free_ring;
	rc = reopen(p);
	if (!guard_intact(c))
		rc = -ECONNRESET;
	if (rc)
		goto unwatch;
	/* The last process may have died between a packet and its doorbell. */
	channel_ring(c, DOORBELL);
	*out = p;
	return 0;

unwatch:
	guard_unwatch(c);
free_ring:
	free(p);
	return rc;
}

void packet_close(struct packet_ring *p)
{
	if (!p)
		return;
	if (!p->broken) {
		handled(p);
		tell(p);
		write_counters(p);
	}
	guard_unwatch(p->channel);
	patience_close(&p->patience);
	free(p);
}

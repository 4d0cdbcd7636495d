// SPDX-License-Identifier: Apache-2.0
/*
 * Packets over a channel. The layout is in ring.h; docs/channel.md tells the protocol and why it
 * holds. In short:
 *
 *   - Private cursors are the truth. Of the peer's area three kinds of words are read, each once
 *     and into a local: a slot's word, consumed, and the wake words. Nothing else there steers us.
 *   - A packet exists from the release store of its first slot's word on, which is the last store
 *     of sending it. A producer killed before that leaves nothing; killed after it, everything.
 *   - A packet is handled when its receiver comes back for the next one. Until then its slots are
 *     not reused, and the receiver's next process is given it again.
 *   - Ordinary sending and receiving has no fence: the side that goes to sleep pays for it, by
 *     membarrier(2). Without that system call both sides use fences.
 *
 * Barrier pairs are named where they stand: (word), (consumed), (sleep), (restart).
 */
#include <libchannel/packet.h>

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define DOORBELL	0
#define SPIN_NS		40000

struct packet_ring {
	struct channel *channel;
	struct ring_control *own;
	const struct ring_control *peer;
	int wait_fd;
	int64_t spin_ns;
	bool broken;			/* the peer broke the protocol */
	bool membarrier;		/* ours reaches the peer, and the peer's reaches us */

	struct {			/* the ring in our own area */
		struct ring_slot *slot;
		uint64_t slots, index, produced;
		uint64_t consumed;	/* the peer's, as last read and found possible */
		uint64_t wake_granted;	/* last wake_packet word of the peer that we rang for */
		bool waits;		/* wake_room is set … */
		uint64_t waits_at;	/* … since consumed was this */
	} out;

	struct {			/* the ring in the peer's */
		const struct ring_slot *slot;
		uint64_t slots, index, position;
		uint64_t handled;	/* position, but for the packet the caller has now */
		uint64_t told;		/* consumed, as the peer may read it */
		uint64_t batch;
		uint64_t wake_granted;	/* last wake_room word of the peer that we rang for */
	} in;
};

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Words of our own area that nobody else writes. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	store(counter, load(counter) + n);
}

static uint64_t first_word(uint64_t number, size_t length)
{
	return (number + 1) << RING_LENGTH_BITS | length;
}

static bool is_first(uint64_t word, uint64_t number)
{
	return word >> RING_LENGTH_BITS == first_word(number, 0) >> RING_LENGTH_BITS &&
	       word != RING_CONTINUED;
}

static uint64_t slots_for(size_t n)
{
	return n <= RING_PAYLOAD ? 1 : (n + RING_PAYLOAD - 1) / RING_PAYLOAD;
}

static uint64_t max_packet(uint64_t slots)
{
	const uint64_t whole = slots * RING_PAYLOAD;

	return whole < PACKET_MAX ? whole : PACKET_MAX;
}

static int violation(struct packet_ring *p)
{
	p->broken = true;
	return -ECONNRESET;
}

/* ---- sleeping and waking -------------------------------------------------------------------- */

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

/*
 * (sleep) Sets a wake word and makes sure that the peer sees it, or that we see what the peer did.
 * Two sides, each with a store and then a load:
 *
 *     we:    store wake word  | barrier | load what we wait for   (the caller does, after this)
 *     peer:  store (that)     | barrier | load wake word          (grant_wake)
 *
 * Both barriers together forbid that both loads miss both stores. The peer's is a compiler barrier
 * when our membarrier makes its processor pass a real one within ours.
 */
static void wish(struct packet_ring *p, _Atomic uint64_t *word)
{
	const uint64_t generation = (load(word) | (RING_GENERATION - 1)) + 1;

	add(&p->own->sleeps, 1);
	store(word, generation | (p->membarrier ? RING_BARRIER : 0) | RING_ASLEEP);
	if (p->membarrier)
		membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
	else
		atomic_thread_fence(memory_order_seq_cst);
}

/* Only spares the peer a doorbell: if it comes too late, the wait fd is readable for nothing. */
static void unwish(_Atomic uint64_t *word)
{
	store(word, load(word) & ~(uint64_t)RING_ASLEEP);
}

/* At the start: not asleep, and from now on by our kind of barrier. */
static void awaken(struct packet_ring *p, _Atomic uint64_t *word)
{
	const uint64_t generation = load(word) & ~(uint64_t)(RING_GENERATION - 1);

	store(word, generation | (p->membarrier ? RING_BARRIER : 0));
}

/* (sleep) The peer's half of wish, after the store that the peer may wait for. */
static void grant_wake(struct packet_ring *p, const _Atomic uint64_t *word, uint64_t *granted)
{
	uint64_t seen;

	atomic_signal_fence(memory_order_seq_cst);
	seen = load(word);
	if (!p->membarrier || !(seen & RING_BARRIER)) {
		atomic_thread_fence(memory_order_seq_cst);
		seen = load(word);
	}
	if (!(seen & RING_ASLEEP) || seen == *granted)
		return;
	*granted = seen;
	add(&p->own->wakeups, 1);
	/* No server now, or none any more: the next one looks before it sleeps. */
	channel_ring(p->channel, DOORBELL);
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Reads consumed anew. It may only grow, and never beyond what was produced. */
static int read_consumed(struct packet_ring *p)
{
	/* (consumed) Acquire, with tell's release: the peer's reads of these slots are over. */
	const uint64_t consumed = atomic_load_explicit(&p->peer->consumed, memory_order_acquire);

	if (consumed - p->out.consumed > p->out.produced - p->out.consumed)
		return violation(p);
	p->out.consumed = consumed;
	return 0;
}

static bool has_room(const struct packet_ring *p, uint64_t need)
{
	return p->out.slots - (p->out.produced - p->out.consumed) >= need;
}

/* The ring was full at the last look. */
static int find_room(struct packet_ring *p, uint64_t need)
{
	int rc = read_consumed(p);

	if (rc || has_room(p, need))
		return rc;
	if (!p->out.waits)
		add(&p->own->stalls, 1);
	/* While consumed stands still, the peer still owes us the wake-up that we wished for. */
	if (p->out.waits && p->out.waits_at == p->out.consumed)
		return -EAGAIN;
	p->out.waits = true;
	p->out.waits_at = p->out.consumed;
	wish(p, &p->own->wake_room);
	rc = read_consumed(p);
	if (rc)
		return rc;
	return has_room(p, need) ? 0 : -EAGAIN;
}

static void copy_to_slot(struct ring_slot *slot, const uint8_t *data, size_t n)
{
	if (n >= RING_PAYLOAD)
		memcpy(slot->data, data, RING_PAYLOAD);	/* a constant: a few moves */
	else
		memcpy(slot->data, data, n);
}

static int produce(struct packet_ring *p, const uint8_t *data, size_t n)
{
	const uint64_t need = slots_for(n);
	struct ring_slot *const ring = p->out.slot;
	struct ring_slot *const first = &ring[p->out.index];
	uint64_t i, index = p->out.index;
	int rc;

	if (!has_room(p, need)) {
		rc = find_room(p, need);
		if (rc)
			return rc;
	}
	if (p->out.waits) {
		p->out.waits = false;
		unwish(&p->own->wake_room);
	}
	copy_to_slot(first, data, n);
	if (++index == p->out.slots)
		index = 0;
	for (i = 1; i < need; i++) {
		store(&ring[index].word, RING_CONTINUED);
		copy_to_slot(&ring[index], data + i * RING_PAYLOAD, n - i * RING_PAYLOAD);
		if (++index == p->out.slots)
			index = 0;
	}
	/* (word) Release, with next_word's acquire: the packet's bytes come before its word. */
	atomic_store_explicit(&first->word, first_word(p->out.produced, n), memory_order_release);
	p->out.index = index;
	p->out.produced += need;
	/* (restart) Release, with reopen_out: never ahead of the words; behind, it looks on. */
	atomic_store_explicit(&p->own->produced, p->out.produced, memory_order_release);
	add(&p->own->packets_sent, 1);
	add(&p->own->bytes_sent, n);
	grant_wake(p, &p->peer->wake_packet, &p->out.wake_granted);
	return 0;
}

int packet_send(struct packet_ring *p, const void *data, size_t n)
{
	int rc;

	if (n > max_packet(p->out.slots))
		return -EMSGSIZE;
	if (p->broken || channel_lost(p->channel))
		return -ECONNRESET;
	if (channel_guard_begin(p->channel))
		return -ECONNRESET;
	rc = produce(p, data, n);
	channel_guard_end(p->channel);
	return rc;
}

/* ---- receiving ------------------------------------------------------------------------------ */

/*
 * The caller is done with the packet it had: the next process need not have it again. The peer
 * may reuse its slots; it is told in batches, or when there is nothing else to do.
 */
static void handled(struct packet_ring *p)
{
	if (p->in.handled == p->in.position)
		return;
	p->in.handled = p->in.position;
	/* (restart) Before consumed: a slot that may be overwritten is never asked for again. */
	store(&p->own->position, p->in.handled);
}

static void tell(struct packet_ring *p)
{
	if (p->in.told == p->in.handled)
		return;
	p->in.told = p->in.handled;
	/* (consumed) Release, with read_consumed's acquire: our reads of the slots are over. */
	atomic_store_explicit(&p->own->consumed, p->in.told, memory_order_release);
	grant_wake(p, &p->peer->wake_room, &p->in.wake_granted);
}

/* The word of the next packet's first slot, or 0. */
static uint64_t next_word(const struct packet_ring *p)
{
	/* (word) Acquire, with produce's release. */
	const uint64_t word = atomic_load_explicit(&p->in.slot[p->in.index].word,
						   memory_order_acquire);

	return is_first(word, p->in.position) ? word : 0;
}

static ssize_t consume(struct packet_ring *p, uint8_t *data, size_t size)
{
	const struct ring_slot *const ring = p->in.slot;
	uint64_t word, index = p->in.index;
	size_t n, done, part;

	handled(p);
	word = next_word(p);
	if (!word) {
		tell(p);
		return -EAGAIN;
	}
	if (p->in.handled - p->in.told >= p->in.batch)
		tell(p);
	n = word & RING_LENGTH_MASK;
	if (n > max_packet(p->in.slots))
		return violation(p);
	if (n > size)
		return -EMSGSIZE;
	for (done = 0; n - done >= RING_PAYLOAD; done += RING_PAYLOAD) {
		memcpy(data + done, ring[index].data, RING_PAYLOAD);
		if (++index == p->in.slots)
			index = 0;
	}
	part = n - done;
	if (part || !n) {
		if (part)
			memcpy(data + done, ring[index].data, part);
		if (++index == p->in.slots)
			index = 0;
	}
	p->in.index = index;
	p->in.position += slots_for(n);
	add(&p->own->packets_received, 1);
	add(&p->own->bytes_received, n);
	return (ssize_t)n;
}

ssize_t packet_receive(struct packet_ring *p, void *data, size_t size)
{
	ssize_t rc;

	if (p->broken || channel_lost(p->channel))
		return -ECONNRESET;
	if (channel_guard_begin(p->channel))
		return -ECONNRESET;
	rc = consume(p, data, size);
	channel_guard_end(p->channel);
	return rc;
}

/* ---- waiting -------------------------------------------------------------------------------- */

int packet_wait_fd(const struct packet_ring *p)
{
	return p->wait_fd;
}

static bool prepare_wait(struct packet_ring *p)
{
	handled(p);
	tell(p);
	if (next_word(p))
		return true;
	wish(p, &p->own->wake_packet);
	return next_word(p) != 0;
}

bool packet_prepare_wait(struct packet_ring *p)
{
	bool ready;

	/* What is lost is reported by the receive that "true" leads to. */
	if (p->broken || channel_lost(p->channel))
		return true;
	if (channel_guard_begin(p->channel))
		return true;
	ready = prepare_wait(p);
	channel_guard_end(p->channel);
	return ready;
}

void packet_clear_wait(struct packet_ring *p)
{
	eventfd_t count;

	eventfd_read(p->wait_fd, &count);
	if (channel_lost(p->channel) || channel_guard_begin(p->channel))
		return;
	unwish(&p->own->wake_packet);
	channel_guard_end(p->channel);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Where the time goes in one of the waiting calls. */
struct patience {
	int64_t spin_until, deadline;	/* deadline -1: none */
	unsigned int turns;
};

static void patience_start(struct packet_ring *p, struct patience *t, int timeout_ms)
{
	const int64_t now = now_ns();

	t->turns = 0;
	t->spin_until = now + p->spin_ns;
	t->deadline = timeout_ms < 0 ? -1 : now + timeout_ms * INT64_C(1000000);
}

/* True: look again. The clock is read every 32nd time only. */
static bool patience_spin(struct patience *t)
{
	relax();
	if (++t->turns % 32)
		return true;
	return now_ns() < t->spin_until;
}

/* Sleeps until the doorbell, the end of the channel (-ECONNRESET) or the deadline (-ETIMEDOUT). */
static int patience_sleep(struct packet_ring *p, struct patience *t)
{
	struct pollfd fd[] = {
		{ .fd = p->wait_fd, .events = POLLIN },
		{ .fd = channel_status_fd(p->channel) },	/* POLLHUP comes unasked */
	};
	struct timespec rest, *limit = NULL;
	int64_t left;
	int r;

	if (t->deadline >= 0) {
		left = t->deadline - now_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		rest = (struct timespec){ left / 1000000000, left % 1000000000 };
		limit = &rest;
	}
	r = ppoll(fd, 2, limit, NULL);
	if (r < 0 && errno != EINTR)
		return -errno;
	if (r > 0 && fd[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		return -ECONNRESET;
	if (r > 0 && fd[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EIO;
	return 0;
}

int packet_send_wait(struct packet_ring *p, const void *data, size_t n, int timeout_ms)
{
	struct patience t;
	int rc = packet_send(p, data, n);

	if (rc != -EAGAIN)
		return rc;
	patience_start(p, &t, timeout_ms);
	for (;;) {
		rc = packet_send(p, data, n);
		if (rc != -EAGAIN)
			return rc;
		if (patience_spin(&t))
			continue;
		/* The last send wished for room and looked again; now the bell tells. */
		rc = patience_sleep(p, &t);
		if (rc)
			return rc;
		packet_clear_wait(p);
	}
}

ssize_t packet_receive_wait(struct packet_ring *p, void *data, size_t size, int timeout_ms)
{
	struct patience t;
	ssize_t rc = packet_receive(p, data, size);

	if (rc != -EAGAIN)
		return rc;
	patience_start(p, &t, timeout_ms);
	for (;;) {
		rc = packet_receive(p, data, size);
		if (rc != -EAGAIN)
			return rc;
		if (patience_spin(&t))
			continue;
		if (packet_prepare_wait(p))
			continue;
		rc = patience_sleep(p, &t);
		if (rc)
			return rc;
		packet_clear_wait(p);
	}
}

void packet_counters(const struct packet_ring *p, struct packet_counters *out)
{
	const struct ring_control *own = p->own;

	memset(out, 0, sizeof(*out));
	if (channel_lost(p->channel) || channel_guard_begin(p->channel))
		return;
	out->packets_sent = load(&own->packets_sent);
	out->bytes_sent = load(&own->bytes_sent);
	out->packets_received = load(&own->packets_received);
	out->bytes_received = load(&own->bytes_received);
	out->wakeups = load(&own->wakeups);
	out->sleeps = load(&own->sleeps);
	out->stalls = load(&own->stalls);
	channel_guard_end(p->channel);
}

/* ---- opening -------------------------------------------------------------------------------- */

/*
 * Our area was written by this side's last process, or never. (On the server's side that may have
 * been another partition: it is checked like a peer's.) Its produced may be behind by the packet it
 * published as it died; the words tell.
 */
static int reopen_out(struct packet_ring *p)
{
	uint64_t produced, consumed, word, length, i;

	/* (restart) Acquire, with produce's release. */
	produced = atomic_load_explicit(&p->own->produced, memory_order_acquire);
	for (i = 0; i < p->out.slots; i++) {
		word = atomic_load_explicit(&p->out.slot[produced % p->out.slots].word,
					    memory_order_acquire);
		length = word & RING_LENGTH_MASK;
		if (!is_first(word, produced) || length > max_packet(p->out.slots))
			break;
		produced += slots_for(length);
	}
	consumed = atomic_load_explicit(&p->peer->consumed, memory_order_acquire);
	if (produced - consumed > p->out.slots)
		return -ECONNRESET;
	p->out.produced = produced;
	p->out.consumed = consumed;
	p->out.index = produced % p->out.slots;
	store(&p->own->produced, produced);
	return 0;
}

static int reopen_in(struct packet_ring *p)
{
	const uint64_t position = load(&p->own->position);

	p->in.told = load(&p->own->consumed);
	if (position - p->in.told > p->in.slots)
		return -ECONNRESET;
	p->in.position = position;
	p->in.handled = position;
	p->in.index = position % p->in.slots;
	return 0;
}

static int reopen(struct packet_ring *p)
{
	int rc = reopen_out(p);

	if (!rc)
		rc = reopen_in(p);
	if (rc)
		return rc;
	awaken(p, &p->own->wake_packet);
	awaken(p, &p->own->wake_room);
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

/* With one processor for us the peer cannot act while we spin. */
static int64_t spin_time(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1 ? SPIN_NS : 0;
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
	p->spin_ns = spin_time();
	rc = slots_in(server ? g->server_size : g->client_size, &p->out.slots);
	if (!rc)
		rc = slots_in(server ? g->client_size : g->server_size, &p->in.slots);
	if (rc)
		goto free_ring;
	p->own = channel_own(c);
	p->peer = channel_peer(c);
	p->out.slot = (struct ring_slot *)(p->own + 1);
	p->in.slot = (const struct ring_slot *)(p->peer + 1);
	p->in.batch = p->in.slots / 4;
	p->wait_fd = channel_doorbell_fd(c, DOORBELL);
	if (p->wait_fd < 0) {
		rc = p->wait_fd;
		goto free_ring;
	}
	p->membarrier = !membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);

	if (channel_guard_begin(c)) {
		rc = -ECONNRESET;
		goto free_ring;
	}
	rc = reopen(p);
	channel_guard_end(c);
	if (rc)
		goto free_ring;
	/* The last process may have died between a packet and its doorbell. */
	channel_ring(c, DOORBELL);
	*out = p;
	return 0;

free_ring:
	free(p);
	return rc;
}

void packet_close(struct packet_ring *p)
{
	if (!p)
		return;
	if (!p->broken && !channel_lost(p->channel) && !channel_guard_begin(p->channel)) {
		handled(p);
		tell(p);
		channel_guard_end(p->channel);
	}
	free(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How packets lie in shared memory; docs/channel.md draws it. For packet.c and the tests that play
 * the hostile peer. An area is one struct ring_control, then slots up to the area's end.
 *
 * Each side writes its own area only. The control of an area belongs to two rings: it has the
 * producer's words of the ring in this area, and the consumer's words of the ring in the peer's.
 */
#ifndef LIBCHANNEL_RING_H
#define LIBCHANNEL_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RING_LINE	64u
#define RING_PAYLOAD	56u
#define RING_MIN_SLOTS	4u

/*
 * A slot's word. Slots are counted from 0, for ever; slot number n lies at n modulo the number of
 * slots. First slot of a packet: n + 1 above bit 20, the packet's length in bytes below. Other
 * slots of a packet: RING_CONTINUED, so that no payload and no stale word looks like a first slot.
 */
#define RING_LENGTH_BITS	20
#define RING_LENGTH_MASK	((1u << RING_LENGTH_BITS) - 1)
#define RING_CONTINUED		UINT64_MAX

struct ring_slot {
	_Atomic uint64_t word;
	uint8_t data[RING_PAYLOAD];
};

/*
 * A wake word: generation above bit 2. A generation is one wish to be woken; it is granted once.
 * RING_BARRIER: whoever clears it makes the peer's processors pass a barrier before it looks again
 * (membarrier), so that the peer needs none of its own until it sees it clear.
 */
#define RING_ASLEEP	(1u << 0)
#define RING_BARRIER	(1u << 1)
#define RING_GENERATION	(1u << 2)

/*
 * Lines that the peer reads are kept two lines apart from those that change often: processors
 * fetch neighbours in pairs.
 */
struct ring_control {
	/* The peer reads these after each packet; they change when this side goes to sleep. */
	_Atomic uint64_t wake_packet;	/* asleep until there is a packet in the peer's area */
	_Atomic uint64_t wake_room;	/* asleep until there is room in this area */
	_Atomic uint64_t processor;	/* this side last waited on it, plus one; 0: unknown */
	uint64_t reserved0[13];

	/* The peer reads this when its ring seems full: slots of its area that are free again. */
	_Atomic uint64_t consumed;
	uint64_t reserved1[15];

	/* For this side's next process: where to go on. */
	_Atomic uint64_t produced;	/* slots filled in this area */
	_Atomic uint64_t position;	/* slots of the peer's area that were handled */
	uint64_t reserved2[6];

	/* For people; nothing depends on them. */
	_Atomic uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
	_Atomic uint64_t wakeups;	/* of the peer, by this side's doorbell */
	_Atomic uint64_t sleeps;	/* wishes of this side to be woken */
	_Atomic uint64_t stalls;	/* packets that found no room at first */
	uint64_t reserved3;
};

_Static_assert(sizeof(struct ring_slot) == RING_LINE, "one slot, one line");
_Static_assert(offsetof(struct ring_control, consumed) == 2 * RING_LINE, "layout");
_Static_assert(offsetof(struct ring_control, produced) == 4 * RING_LINE, "layout");
_Static_assert(offsetof(struct ring_control, packets_sent) == 5 * RING_LINE, "layout");
_Static_assert(sizeof(struct ring_control) == 6 * RING_LINE, "layout");

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of how one end of a channel sleeps and the other wakes it, under a processor that lets
 * loads pass earlier stores (x86's order): what each side stores waits in a queue of its own until
 * it drains, at any time; a fence drains one's own, a membarrier both.
 *
 * The sleeper changes at any time to the state in which it pays for both barriers (wake_seldom),
 * and back at its next wish. What it shows: the sleeper never sleeps on while a packet for it is
 * there and nobody left to ring (no end state but the one in which it has all packets).
 */

#ifndef PACKETS
#define PACKETS 3
#endif
#define DEPTH 3				/* of a queue; a full one drains before the next store */

#define ASLEEP	1
#define BARRIER	2
#define WISH	4

byte packets;				/* as others see it: slots' words stored */
byte word;				/* as others see it: the wake word */
bool bell;				/* the eventfd */
bool registered;			/* the peer's process, for membarriers */
chan stored = [DEPTH] of { byte };	/* by the peer, not yet seen: packets */
chan wished = [DEPTH] of { byte };	/* by the sleeper, not yet seen: word */

inline drain_peer()
{
	atomic {
		do
		:: nempty(stored) -> stored?packets
		:: empty(stored) -> break
		od
	}
}

inline drain_sleeper()
{
	atomic {
		do
		:: nempty(wished) -> wished?word
		:: empty(wished) -> break
		od
	}
}

/* membarrier() in libchannel/wake.c: what is registered passes a barrier within ours. */
inline expedited()
{
	drain_sleeper();
	if
	:: registered -> drain_peer()
	:: else
	fi
	drain_sleeper()
}

active proctype queues()
{
end_queues:
	do
	:: stored?packets
	:: wished?word
	od
}

/* The peer, which sends: packet_send() in libchannel/packet.c. */
active proctype peer()
{
	byte sent, seen, granted;
	bool able;

	/* wake_register() in libchannel/wake.c; a process that may not, makes fences. */
	if
	:: atomic { registered = true; able = true }
	:: able = false
	fi
	do
	:: sent < PACKETS ->
		sent++;
		stored!sent;
		/* wake_seen() in libchannel/wake.h */
		seen = word;
		if
		:: !able || (seen & (BARRIER | ASLEEP)) != BARRIER ->
			/* wake_owed() in libchannel/wake.c */
			seen = word;
			if
			:: !able || !(seen & BARRIER) ->
#ifndef WITHOUT_PEERS_FENCE
				drain_peer();
#endif
				seen = word
			:: else
			fi;
			if
			:: (seen & ASLEEP) && seen != granted ->
				granted = seen;
				bell = true	/* channel_ring() in libchannel/channel.c: a system call */
			:: else
			fi
		:: else
		fi
	:: sent == PACKETS -> break
	od
}

active proctype sleeper()
{
	byte own, before, taken;

	/* wake_start() in libchannel/wake.c */
	own = BARRIER;
	word = BARRIER;
	do
	:: taken == PACKETS -> break
	:: taken < PACKETS && packets > taken ->
		taken = packets;
		/* wake_seldom() in libchannel/wake.c */
		if
		:: !(own & (BARRIER | ASLEEP)) -> own = own | BARRIER; wished!own
		:: true
		fi
	:: taken < PACKETS && packets == taken ->
		/* wake_wish() in libchannel/wake.c, from packet_prepare_wait() in libchannel/packet.c */
		before = own;
		own = ((own / WISH + 1) * WISH) | ASLEEP;
		wished!own;
		if
#ifndef WITHOUT_MEMBARRIER
		:: before & BARRIER -> expedited()
#else
		:: before & BARRIER -> drain_sleeper()
#endif
#ifndef WITHOUT_SLEEPERS_FENCE
		:: else -> drain_sleeper()
#else
		:: else
#endif
		fi;
		if
		:: packets > taken		/* seen: go on without a sleep */
		:: packets == taken ->
			atomic { bell; bell = false };
			/* wake_unwish() in libchannel/wake.c */
			own = own & ~ASLEEP;
			wished!own
		fi
	od
}

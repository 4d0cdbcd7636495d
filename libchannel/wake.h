/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wake words (ring.h): how one side goes to sleep without the other missing it, and who of the two
 * pays for the barriers. docs/channel.md has the proof, tests/model/wake.pml checks it.
 */
#ifndef LIBCHANNEL_WAKE_H
#define LIBCHANNEL_WAKE_H

#include <stdbool.h>

#include "ring.h"

/* Registers this process: others' membarriers reach it, and it may make its own. */
bool wake_register(void);

/* At the start: not asleep, and the sleeper pays if it can. */
void wake_start(_Atomic uint64_t *word, bool membarrier_works);

/*
 * (sleep) Sets a wake word of ours and makes sure that the peer sees it, or that we see what the
 * peer did. From here on the peer pays, until wake_seldom.
 */
void wake_wish(_Atomic uint64_t *word);

/* Only spares the peer a doorbell: if it comes too late, the wait fd is readable for nothing. */
void wake_unwish(_Atomic uint64_t *word);

/* Sleep is rare now: relieves the peer of its fences, for a membarrier at the next wish. */
void wake_seldom(_Atomic uint64_t *word, bool membarrier_works);

/*
 * (sleep) The peer's half of wake_wish, after the store that the peer may wait for: true if there
 * is something to do, which wake_owed does.
 */
static inline bool wake_seen(const _Atomic uint64_t *word, bool membarrier_works)
{
	atomic_signal_fence(memory_order_seq_cst);
	return !membarrier_works ||
	       (atomic_load_explicit(word, memory_order_relaxed) & (RING_BARRIER | RING_ASLEEP)) !=
	       RING_BARRIER;
}

/* True, once a generation: ring the peer's doorbell. */
bool wake_owed(const _Atomic uint64_t *word, bool membarrier_works, uint64_t *granted);

#endif

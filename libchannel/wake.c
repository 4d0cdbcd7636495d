// SPDX-License-Identifier: Apache-2.0
/*
 * Two sides, each with a store and then a load:
 *
 *     we:    store wake word  | barrier | load what we wait for   (wake_wish; the caller loads)
 *     peer:  store (that)     | barrier | load wake word          (wake_seen, wake_owed)
 *
 * Both barriers together forbid that both loads miss both stores. While RING_BARRIER is set in our
 * word the peer's is a compiler barrier, and our membarrier makes its processor pass a real one
 * within ours. While it is clear the peer makes a fence, and so do we.
 *
 * The wish that clears it needs the membarrier: the peer may have read the word before. Once that
 * has returned, no load of the peer finds RING_BARRIER set, until we set it anew; so all wishes
 * after the first do with a fence. To set it takes nothing: until the peer sees it, it makes fences
 * that are not needed.
 */
#include "wake.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

bool wake_register(void)
{
	return !membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

void wake_start(_Atomic uint64_t *word, bool membarrier_works)
{
	const uint64_t generation = load(word) & ~(uint64_t)(RING_GENERATION - 1);

	store(word, generation | (membarrier_works ? RING_BARRIER : 0));
}

void wake_wish(_Atomic uint64_t *word)
{
	const uint64_t before = load(word);

	store(word, ((before | (RING_GENERATION - 1)) + 1) | RING_ASLEEP);
	if (before & RING_BARRIER)
		membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
	else
		atomic_thread_fence(memory_order_seq_cst);
}

void wake_unwish(_Atomic uint64_t *word)
{
	store(word, load(word) & ~(uint64_t)RING_ASLEEP);
}

void wake_seldom(_Atomic uint64_t *word, bool membarrier_works)
{
	const uint64_t now = load(word);

	if (membarrier_works && !(now & (RING_BARRIER | RING_ASLEEP)))
		store(word, now | RING_BARRIER);
}

bool wake_owed(const _Atomic uint64_t *word, bool membarrier_works, uint64_t *granted)
{
	uint64_t seen = load(word);

	if (!membarrier_works || !(seen & RING_BARRIER)) {
		atomic_thread_fence(memory_order_seq_cst);
		seen = load(word);
	}
	if (!(seen & RING_ASLEEP) || seen == *granted)
		return false;
	*granted = seen;
	return true;
}

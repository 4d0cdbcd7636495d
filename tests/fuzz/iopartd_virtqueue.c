// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: iopartd/virtqueue.c iopartd/memory.c libchannel/*.c
/*
 * A guest that lies about its queue: the input is its memory, and how it changes while the device
 * walks. Found is what the sanitizers find, a pointer outside the guest's memory, a chain with more
 * than it may have, or a walk that does not end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iopartd/virtqueue.h>

#include "tests/fuzz/input.h"

#define MEMORY	8192u		/* two regions of half that, with a hole between */
#define HOLE	0x10000u
#define QUEUE	8u

static void check(const struct virtqueue *q, const struct chain *c, char *low, char *high)
{
	uint64_t bytes[2] = { 0, 0 };
	unsigned int i;

	require(c->readable + c->writable <= CHAIN_MAX);
	for (i = 0; i < c->readable + c->writable; i++) {
		char *at = c->iov[i].iov_base;
		size_t n = c->iov[i].iov_len;

		require(n && n <= MEMORY / 2);
		require((at >= low && at + n <= low + MEMORY / 2) ||
			(at >= high && at + n <= high + MEMORY / 2));
		bytes[i >= c->readable] += n;
	}
	require(bytes[0] == c->readable_bytes && bytes[1] == c->writable_bytes);
	require(c->head < q->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct chain c;
	/* On the heap, each on its own: a byte too far is found. */
	char *low = aligned_alloc(16, MEMORY / 2), *high = aligned_alloc(16, MEMORY / 2);
	struct channel_region region[2] = {
		{ 0, MEMORY / 2, low }, { HOLE, MEMORY / 2, high },
	};
	struct guest_memory memory = { region, 2 };
	struct io_queue setup = { .size = QUEUE, .desc = 0, .driver = 256, .device = 512 };
	struct virtqueue q;
	uint64_t features = 0;
	unsigned int i;
	int waiting, head;

	memset(low, 0, MEMORY / 2);
	memset(high, 0, MEMORY / 2);
	if (n >= 8) {
		features = (uint64_t)(data[0] & 3) << 28;
		/* Half of the inputs choose where the queue is, too. */
		if (data[0] & 4)
			setup = (struct io_queue){
				.size = data[1] << (data[0] >> 6),
				.desc = data[2] * 16u + (data[3] & 1) * HOLE,
				.driver = data[4] * 16u,
				.device = data[5] * 16u + (data[6] & 1) * HOLE,
			};
		data += 8;
		n -= 8;
		memcpy(low, data, n < MEMORY / 2 ? n : MEMORY / 2);
	}
	if (virtqueue_setup(&q, &memory, &setup, features) || !q.size)
		goto out;
	for (i = 0; i < 16; i++) {
		virtqueue_quiet(&q);
		waiting = virtqueue_waiting(&q);
		if (waiting < 0)
			break;
		require((uint32_t)waiting <= q.size);
		head = virtqueue_head(&q, i % q.size);
		if (head >= 0 && virtqueue_chain(&q, head, &c) == 0) {
			check(&q, &c, low, high);
			/* Complete it: the used ring may lie over the rings it was read from. */
			virtqueue_fill(&q, q.published, head, i);
			q.taken++;
			virtqueue_publish(&q, q.published + 1);
			virtqueue_wants_interrupt(&q);
		}
		virtqueue_listen(&q, 0);
		/* The guest changes something meanwhile. */
		if (n > i)
			low[data[i] * 16u % (MEMORY / 2)] ^= data[n - 1 - i];
	}
out:
	free(low);
	free(high);
	return 0;
}

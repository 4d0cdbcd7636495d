/* SPDX-License-Identifier: Apache-2.0 */
/* A slot of the packet ring (ring.h): its word and its bytes. */
#ifndef LIBCHANNEL_SLOT_H
#define LIBCHANNEL_SLOT_H

#include <stdbool.h>
#include <string.h>

#include "ring.h"

static inline uint64_t first_word(uint64_t number, size_t length)
{
	return (number + 1) << RING_LENGTH_BITS | length;
}

static inline bool is_first(uint64_t word, uint64_t number)
{
	return word >> RING_LENGTH_BITS == first_word(number, 0) >> RING_LENGTH_BITS &&
	       word != RING_CONTINUED;
}

static inline uint64_t slots_for(size_t n)
{
	return n <= RING_PAYLOAD ? 1 : (n + RING_PAYLOAD - 1) / RING_PAYLOAD;
}

static inline uint64_t next_index(uint64_t index, uint64_t slots)
{
	return index + 1 == slots ? 0 : index + 1;
}

/* At most a slot's payload, in few moves that overlap, without a call. */
static inline __attribute__((always_inline))
void copy_small(uint8_t *to, const uint8_t *from, size_t n)
{
	typedef uint64_t pair __attribute__((vector_size(16)));
	pair first, second, third, fourth;
	uint64_t low, high;

	if (n == RING_PAYLOAD) {
		memcpy(to, from, RING_PAYLOAD);
	} else if (n >= 32) {
		memcpy(&first, from, 16);
		memcpy(&second, from + 16, 16);
		memcpy(&third, from + n - 32, 16);
		memcpy(&fourth, from + n - 16, 16);
		memcpy(to, &first, 16);
		memcpy(to + 16, &second, 16);
		memcpy(to + n - 32, &third, 16);
		memcpy(to + n - 16, &fourth, 16);
	} else if (n >= 16) {
		memcpy(&first, from, 16);
		memcpy(&second, from + n - 16, 16);
		memcpy(to, &first, 16);
		memcpy(to + n - 16, &second, 16);
	} else if (n >= 8) {
		memcpy(&low, from, 8);
		memcpy(&high, from + n - 8, 8);
		memcpy(to, &low, 8);
		memcpy(to + n - 8, &high, 8);
	} else {
		while (n--)
			to[n] = from[n];
	}
}

#endif

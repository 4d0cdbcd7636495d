/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets have in common: taking the input apart, and what must be so. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define require(x) do { \
	if (!(x)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x); \
		abort(); \
	} \
} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next n bytes, at most 8, as a little-endian number; zeros behind the end. */
static inline uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	if (n > in->left)
		n = in->left;
	memcpy(&value, in->at, n);
	in->at += n;
	in->left -= n;
	return value;
}

/* Up to seven words of 1, 2, 4 or 8 bytes of it are replaced by the input's. */
static inline void take_patches(struct input *in, void *bytes, size_t n)
{
	for (unsigned int i = take(in, 1) % 8; i; i--) {
		size_t width = 1u << take(in, 1) % 4, at = take(in, 2) % n;
		uint64_t value = take(in, width);

		memcpy((uint8_t *)bytes + at, &value, width < n - at ? width : n - at);
	}
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of processors as the kernel writes them ("0,2-5"), in the words of the command channel
 * and of the module: CPU n is bit n % 64 of word n / 64.
 */
#ifndef COMMON_CPUSET_H
#define COMMON_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUSET_WORDS	16
#define CPUSET_CPUS	(CPUSET_WORDS * 64)

struct cpuset {
	uint64_t word[CPUSET_WORDS];
};

static inline void cpuset_add(struct cpuset *s, unsigned int cpu)
{
	s->word[cpu / 64] |= 1ULL << (cpu % 64);
}

static inline void cpuset_remove(struct cpuset *s, unsigned int cpu)
{
	s->word[cpu / 64] &= ~(1ULL << (cpu % 64));
}

static inline bool cpuset_has(const struct cpuset *s, unsigned int cpu)
{
	return cpu < CPUSET_CPUS && (s->word[cpu / 64] >> (cpu % 64) & 1);
}

unsigned int cpuset_count(const struct cpuset *s);

/* The lowest CPU >= from, or CPUSET_CPUS. */
unsigned int cpuset_next(const struct cpuset *s, unsigned int from);

/* Reads "0,2-5"; "" and "\n" are the empty set. -EINVAL: not such a list; -ERANGE: CPU >= 1024. */
int cpuset_parse(struct cpuset *out, const char *text);

/* Writes the same form; "" for the empty set. Truncated like snprintf; returns its length. */
int cpuset_format(const struct cpuset *s, char *to, size_t size);

#endif

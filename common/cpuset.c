/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of processors: counting, walking, reading and writing the kernel's list format. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/cpuset.h>

unsigned int cpuset_count(const struct cpuset *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < CPUSET_WORDS; i++)
		n += __builtin_popcountll(s->word[i]);
	return n;
}

unsigned int cpuset_next(const struct cpuset *s, unsigned int from)
{
	unsigned int i = from / 64;
	uint64_t word;

	if (from >= CPUSET_CPUS)
		return CPUSET_CPUS;
	for (word = s->word[i] & ~UINT64_C(0) << from % 64; !word; word = s->word[i])
		if (++i == CPUSET_CPUS / 64)
			return CPUSET_CPUS;
	return i * 64 + __builtin_ctzll(word);
}

static int parse_cpu(const char **text, unsigned int *cpu)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	value = strtoul(*text, &end, 10);
	if (errno || value >= CPUSET_CPUS)
		return -ERANGE;
	*cpu = value;
	*text = end;
	return 0;
}

int cpuset_parse(struct cpuset *out, const char *text)
{
	struct cpuset set = { 0 };
	unsigned int first, last;
	int rc;

	while (*text && *text != '\n') {
		rc = parse_cpu(&text, &first);
		if (rc < 0)
			return rc;
		last = first;
		if (*text == '-') {
			text++;
			rc = parse_cpu(&text, &last);
			if (rc < 0)
				return rc;
		}
		if (last < first)
			return -EINVAL;
		for (; first <= last; first++)
			cpuset_add(&set, first);
		if (*text != ',')
			break;
		text++;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
	}
	if (*text && strcmp(text, "\n") != 0)
		return -EINVAL;
	*out = set;
	return 0;
}

int cpuset_format(const struct cpuset *s, char *to, size_t size)
{
	unsigned int first, last;
	int n = 0;

	if (size)
		*to = '\0';
	for (first = cpuset_next(s, 0); first < CPUSET_CPUS; first = cpuset_next(s, last + 1)) {
		for (last = first; cpuset_has(s, last + 1); last++)
			;
		n += snprintf((size_t)n < size ? to + n : NULL, (size_t)n < size ? size - n : 0,
			      last == first ? "%s%u" : "%s%u-%u", n ? "," : "", first, last);
	}
	return n;
}

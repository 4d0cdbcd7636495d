/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest physical addresses to pointers, checked; and the one place where a guard is begun.
 */
#include <errno.h>

#include "memory.h"

void *memory_run(const struct guest_memory *m, uint64_t gpa, uint64_t *length)
{
	uint64_t offset;
	size_t i;

	for (i = 0; i < m->regions; i++) {
		const struct channel_region *r = &m->region[i];

		if (gpa < r->gpa || gpa - r->gpa >= r->length)
			continue;
		offset = gpa - r->gpa;
		if (*length > r->length - offset)
			*length = r->length - offset;
		return (char *)r->base + offset;
	}
	return NULL;
}

void *memory_at(const struct guest_memory *m, uint64_t gpa, uint64_t length)
{
	uint64_t run = length;
	void *at = memory_run(m, gpa, &run);

	return run == length ? at : NULL;
}

int guarded(struct channel *c, int (*f)(void *argument), void *argument)
{
	int rc;

	if (channel_guard_begin(c))
		return -ECONNRESET;
	rc = f(argument);
	channel_guard_end(c);
	return rc;
}

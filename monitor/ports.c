/* SPDX-License-Identifier: Apache-2.0 */
/* Finds who answers a port. */
#include <assert.h>
#include <stddef.h>

#include "ports.h"

void ports_add(struct ports *p, const struct ports_range *range)
{
	assert(p->count < PORTS_MAX);
	p->range[p->count++] = *range;
}

static const struct ports_range *find(const struct ports *p, uint16_t port)
{
	unsigned int i;

	for (i = 0; i < p->count; i++)
		if (port >= p->range[i].base && port <= p->range[i].last)
			return &p->range[i];
	return NULL;
}

uint32_t ports_read(const struct ports *p, uint16_t port, unsigned int size)
{
	const struct ports_range *r = find(p, port);

	if (!r)
		return ports_nothing(size);
	return r->read(r->opaque, port - r->base, size) & ports_nothing(size);
}

void ports_write(const struct ports *p, uint16_t port, uint32_t value, unsigned int size)
{
	const struct ports_range *r = find(p, port);

	if (r)
		r->write(r->opaque, port - r->base, value & ports_nothing(size), size);
}

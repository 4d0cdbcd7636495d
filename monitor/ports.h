/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's port space. A port that nobody claims reads as all ones and ignores writes, as an
 * empty bus does. Handlers see offset and size of one access, 1, 2 or 4 bytes, and are called
 * under the device lock.
 */
#ifndef MONITOR_PORTS_H
#define MONITOR_PORTS_H

#include <stdint.h>

#define PORTS_MAX 8

struct ports_range {
	uint16_t base, last;
	uint32_t (*read)(void *opaque, uint16_t offset, unsigned int size);
	void (*write)(void *opaque, uint16_t offset, uint32_t value, unsigned int size);
	void *opaque;
};

struct ports {
	unsigned int count;
	struct ports_range range[PORTS_MAX];
};

/* Earlier ranges win where two overlap. */
void ports_add(struct ports *p, const struct ports_range *range);

uint32_t ports_read(const struct ports *p, uint16_t port, unsigned int size);
void ports_write(const struct ports *p, uint16_t port, uint32_t value, unsigned int size);

/* What a read of size bytes yields where nothing answers. */
static inline uint32_t ports_nothing(unsigned int size)
{
	return size >= 4 ? 0xffffffff : (1U << 8 * size) - 1;
}

#endif

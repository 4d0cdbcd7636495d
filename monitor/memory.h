/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory: memfds mapped once, in ascending order of guest physical address. Its bytes
 * are the guest's and the I/O partitions' at any time; nothing read from it is trusted twice.
 */
#ifndef MONITOR_MEMORY_H
#define MONITOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <linux/ultravisor.h>

struct memory_block {
	int fd;
	uint64_t gpa, length;
	uint8_t *base;
};

struct memory {
	unsigned int count;
	struct memory_block block[ULTRAVISOR_MAX_BLOCKS];
};

/* Checks that the blocks make a machine: ascending, none in the hole, the first from 0 on. */
int memory_check(const struct memory *m, char *error, size_t size);

/* Maps every block, then seals its memfd: from here on it can change neither size nor holes. */
int memory_map(struct memory *m);

/* Gives the blocks to the VM. */
int memory_register(const struct memory *m, int partition);

/* The place of [gpa, gpa + length), or NULL unless it lies within one block. */
void *memory_at(const struct memory *m, uint64_t gpa, uint64_t length);

uint64_t memory_total(const struct memory *m);

#endif

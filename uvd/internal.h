/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of uvd itself, for what happens and was not asked for: a guest that powered off, a
 * process that died, a host that restarted. They go through the same transactions as everybody's
 * and are in the ledger under "uvd", but are refused on the command channel.
 */
#ifndef UVD_INTERNAL_H
#define UVD_INTERNAL_H

#include <ultravisor/command.h>

#define INTERNAL_FIRST 0x8000

enum internal_type {
	INTERNAL_PARTITION_END = 0x8000,	/* it runs no more; all it held is released */
	INTERNAL_PARTITION_RUNS = 0x8001,	/* its guest executes */
	INTERNAL_PARTITION_AGAIN = 0x8002,	/* new kernel objects: the first ones never ran */
	INTERNAL_HOST_INSTANCE = 0x8003,	/* another module instance: its objects are gone */
	INTERNAL_COMMAND_CHANNEL = 0x8004,	/* makes cmdpartd's channel */
};

struct internal_partition_end {
	struct command_record r;
	uint8_t partition[16];
	uint32_t state;			/* PARTITION_DEFINED or PARTITION_FAILED */
	uint32_t reboots;
	char reason[256];
};

/* RUNS, AGAIN */
struct internal_partition {
	struct command_record r;
	uint8_t partition[16];
};

/* HOST_INSTANCE, COMMAND_CHANNEL */
struct internal_host {
	struct command_record r;
	uint8_t instance[16];
};

static inline uint32_t internal_record_size(uint16_t type)
{
	switch (type) {
	case INTERNAL_PARTITION_END:
		return sizeof(struct internal_partition_end);
	case INTERNAL_PARTITION_RUNS:
	case INTERNAL_PARTITION_AGAIN:
		return sizeof(struct internal_partition);
	case INTERNAL_HOST_INSTANCE:
	case INTERNAL_COMMAND_CHANNEL:
		return sizeof(struct internal_host);
	}
	return command_record_size(type);
}

#endif

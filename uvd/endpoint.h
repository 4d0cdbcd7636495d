/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint that a system partition is to have: the command channel's client for the command
 * partition, a slot of a guest's device for an I/O partition, with the device's backing.
 */
#ifndef UVD_ENDPOINT_H
#define UVD_ENDPOINT_H

#include <ultravisor/command.h>
#include <ultravisor/handover.h>
#include <ultravisor/io.h>

#include "block.h"
#include "network.h"
#include "uvd.h"

/* A system partition that connects to uvd. */
struct recipient {
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	bool command;			/* the command partition */
};

struct endpoint {
	uint64_t id;			/* the channel's, the module's */
	uint32_t type, slot, flags;
	uint8_t channel[16], partition[16], mac[6];
	char partition_name[COMMAND_NAME_LEN], device[COMMAND_DEVICE_LEN];
	char path[COMMAND_PATH_LEN], resource[BLOCK_RESOURCE], tap[NETWORK_NAME];
	struct command_settings settings;
	uint64_t size;			/* block: as its guest is to know */
};

/* The one with the lowest id above after: 1, 0 (there is none) or -errno. */
int endpoint_next(struct uvd *uvd, const struct recipient *who, uint64_t after,
		  struct endpoint *e);
/* Is this channel still to be there? */
bool endpoint_wanted(struct uvd *uvd, const struct recipient *who, uint64_t id);

/* Opens the endpoint and its backing, the caller's from then on: how many, or -errno (logged). */
int endpoint_open(struct uvd *uvd, const struct recipient *who, const struct endpoint *e,
		  int fds[1 + IO_MAX_PAIRS]);
void endpoint_describe(const struct recipient *who, const struct endpoint *e,
		       struct handover_message *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's memory as this server sees it: regions of guest physical addresses and where each is
 * mapped. In production the regions are the channel's grant; unit tests bring their own.
 *
 * The memory, like the channel's areas, may be revoked at any instant. So whatever touches it is
 * a function run by guarded(), which ends it when a touch faults; such a function takes nothing
 * that would leak: no allocation, no lock. Functions in these files that must be called so say
 * "guarded" in their comment.
 */
#ifndef IOPARTD_MEMORY_H
#define IOPARTD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <libchannel/channel.h>

struct guest_memory {
	const struct channel_region *region;
	size_t regions;
};

/* Where [gpa, gpa + length) is, if it lies in one region; else NULL. Touches nothing. */
void *memory_at(const struct guest_memory *m, uint64_t gpa, uint64_t length);

/* Where gpa is, and in *length how many of *length bytes follow there; NULL: no memory there. */
void *memory_run(const struct guest_memory *m, uint64_t gpa, uint64_t *length);

/* Runs f(argument) under the channel's guard: its result, or -ECONNRESET if it faulted. */
int guarded(struct channel *c, int (*f)(void *argument), void *argument);

#endif

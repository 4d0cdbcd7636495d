/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the rows and the host differ: the module's objects, processes and their cgroups, taps,
 * claimed images and devices. One walk, for uvd's start, which brings the host in line, and for
 * whoever asks at any time. It runs between transactions; what their outcome still changes is left
 * out (uvd_hooks.processes).
 */
#ifndef UVD_DIFFERENCE_H
#define UVD_DIFFERENCE_H

#include <linux/ultravisor.h>
#include <ultravisor/command.h>

#include "block.h"
#include "operation.h"
#include "supervisor.h"
#include "uvd.h"

/* What is compared; the order is that of the answer. */
enum compared {
	COMPARED_OBJECTS, COMPARED_PARTITIONS, COMPARED_CONTEXTS, COMPARED_PROCESSORS,
	COMPARED_CHANNELS, COMPARED_PROCESSES, COMPARED_SCOPES, COMPARED_TAPS, COMPARED_RULES,
	COMPARED_IMAGES,
	COMPARED_TYPES
};

enum difference_kind {
	OBJECT_STRAY,		/* object */
	OBJECT_UNPUBLISHED,	/* object */
	PARTITION_LOST,
	PARTITION_RUN,		/* control, state */
	PARTITION_MEMORY,
	CONTEXT_DIFFERS,	/* control, context */
	PROCESSOR_DIFFERS,	/* processor */
	CHANNEL_LOST,
	SERVER_DIFFERS,		/* control, slot, server */
	PROCESS_LOST,
	PROCESS_STRAY,		/* pid */
	PROCESS_UNSCOPED,	/* pid */
	SCOPE_STRAY,		/* name */
	TAP_STRAY,		/* name */
	TAP_LOST,
	TAP_UNGUARDED,
	ZONES_DIFFER,
	FORWARD_DROPPED,
	TAP_MANAGED,
	BRIDGE_STRAY,
	BRIDGE_LOST,
	DEVICE_UNHELD,
	IMAGE_DIFFERS,
};

/* Members that a kind does not name are zero, but for the texts. Valid during the call. */
struct difference {
	enum difference_kind kind;
	uint64_t object;
	int control;		/* descriptor */
	uint32_t state;		/* enum command_partition_state */
	struct ultravisor_context_set *context;
	const struct processor_should *processor;
	uint32_t slot;
	const uint8_t *server;
	int32_t pid;
	const char *name;
	/* For people. */
	char what[128], where[64], missing[64];
};

struct difference_walk {
	struct uvd *uvd;
	/* 0, or -errno: ends the walk with it. */
	int (*each)(struct difference_walk *w, const struct difference *d);
	void *data;
	uint64_t compared[COMPARED_TYPES], differences[COMPARED_TYPES];
};

/* What is compared by this name, what a kind belongs to, and what to do about it. */
const char *compared_name(enum compared c);
enum compared difference_of(enum difference_kind kind);
const char *difference_fix(enum difference_kind kind);

/* Guests that are on, by their rows. */
struct runnings {
	struct supervisor_adopted *r;	/* id 0: the rows say that it has no object */
	size_t n;
};

int runnings_load(struct uvd *uvd, struct runnings *list);

/* The parts of the walk. 0 or -errno. */
int difference_objects(struct difference_walk *w);
int difference_processors(struct difference_walk *w);
int difference_channels(struct difference_walk *w);
int difference_network(struct difference_walk *w);
int difference_images(struct difference_walk *w);
int difference_processes(struct difference_walk *w, const struct runnings *list);
/* One that is on; control is its descriptor. */
int difference_partition(struct difference_walk *w, const struct supervisor_adopted *r,
			 int control, const struct ultravisor_partition_info *info);

/* All of it. */
int difference_all(struct difference_walk *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions that opsd knows: definition, where each shall be, and what was seen of it. */
#ifndef OPSD_PARTITION_H
#define OPSD_PARTITION_H

#include <jansson.h>
#include <sys/queue.h>

#include <common/definition.h>
#include <common/error.h>

#include "store.h"

struct ops;
struct batch;
struct host;

struct partition {
	TAILQ_ENTRY(partition) link;
	struct definition definition;
	json_t *json;			/* the same, canonical */
	uint64_t generation;
	int64_t changed_ns;
	struct store_partition row;
};
TAILQ_HEAD(partitions, partition);

struct partition *partition_find(struct ops *ops, const char *name);

/* In memory only, in order of names. A new one has never been placed. NULL: out of memory. */
struct partition *partition_add(struct ops *ops, const struct definition *d);
int partition_set_definition(struct partition *p, const struct definition *d);
void partition_free(struct ops *ops, struct partition *p);

/*
 * Makes a definition known, durably: new, or in place of one that differs, if its partition is
 * off. *changed says whether there was anything to do. 0, or -1 and *e.
 */
int partition_define(struct ops *ops, const struct definition *d, const char *who, bool *changed,
		     struct error *e);

/* Whether it may be replaced or removed now: nothing runs and nothing is under way. 0 or -1. */
int partition_check_idle(struct ops *ops, const char *name, struct error *e);

/* Forgets a partition, durably. 0 or -1 and *e. */
int partition_undefine(struct ops *ops, struct partition *p, const char *who, struct error *e);

/* A host was surveyed: takes over what it said of the partitions that are placed there. */
void partitions_seen(struct ops *ops, const struct host *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host has: processors, memory nodes; read from /sys at every start, and written into
 * the rows. At the first start also the pool: what partitions may use of it.
 */
#ifndef UVD_INVENTORY_H
#define UVD_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <common/cpuset.h>

#include "db.h"

#define INVENTORY_NODES 64

struct inventory_cpu {
	bool online;
	uint32_t node, package, core;
	struct cpuset siblings;
};

struct inventory {
	unsigned int cpus, nodes;	/* online; with memory or processors */
	struct inventory_cpu cpu[CPUSET_CPUS];
	struct {
		bool present;
		uint64_t memory;
	} node[INVENTORY_NODES];
	uint64_t memory, available;	/* bytes */
	struct cpuset pinned;		/* processors that some other process is bound to */
	uint64_t devices, interfaces;	/* block devices and network cards, counted */
};

/* Reads below root ("" is the host; unit tests give a tree of their own). */
int inventory_read(struct inventory *inv, const char *root);

/* The bound processors, which a default pool leaves out: a look at every process. */
void inventory_read_pinned(struct inventory *inv, const char *root);

/* Huge pages of 2 MiB that the host has reserved on a node, in use or not. */
uint64_t inventory_huge_pages(const char *root, uint32_t node);

/* The default pool, with the reason in words for people. */
void inventory_default_pool(const struct inventory *inv, struct cpuset *cpus, uint64_t *memory,
			    char *reason, size_t size);

/*
 * Writes hardware rows: processors and nodes that are new or have changed. At the first start
 * also the host's row, the system partitions' and the default pool. Inside a transaction.
 */
int inventory_store(const struct inventory *inv, struct db *db);

/* Divides bytes among n nodes of these sizes, in proportion. */
void inventory_shares(const uint64_t *total, unsigned int n, uint64_t bytes, uint64_t *share);

/* The same, for the nodes' rows. */
int inventory_split_pool(struct db *db, uint64_t bytes);

#endif

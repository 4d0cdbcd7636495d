/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of uvd share: the database, the kernel, the network, and what a committed
 * transaction sets off. One thread; everything here belongs to it.
 */
#ifndef UVD_UVD_H
#define UVD_UVD_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "kernel.h"
#include "network.h"

struct changes;
struct hold;
struct launch;
struct news;
struct uvd;

/* going: it is being started or ended; the outcome is recorded later. 0 or -errno: ends it. */
typedef int uvd_process_found(const char *scope, int32_t pid, bool going, void *data);

/*
 * Called when a transaction is durable and its kernel objects are published. None can fail: what
 * goes wrong here is an outcome, recorded by a later transaction.
 */
struct uvd_hooks {
	/* Start this partition's process. Owns launch. */
	void (*start)(struct uvd *uvd, struct launch *launch);
	/* Press the power button of this running partition until it is off. */
	void (*stop)(struct uvd *uvd, const uint8_t partition[16]);
	/* Its rows are released: end its process, if there is one. */
	void (*end)(struct uvd *uvd, const uint8_t partition[16]);
	/* Channels or their servers have changed. */
	void (*channels)(struct uvd *uvd);
	/*
	 * The cgroup that what a partition makes the kernel allocate is charged to, made if need
	 * be: a descriptor, or -errno: there is none. And: the partition was not made after all.
	 * NULL: neither.
	 */
	int (*charge)(struct uvd *uvd, const char *name);
	void (*discharge)(struct uvd *uvd, const char *name);
	/* What is only known live; false: nothing is. */
	bool (*live)(struct uvd *uvd, const uint8_t partition[16], int32_t *pid, uint32_t *reboots);
	/*
	 * Calls found for each process in a guest's cgroup (pid 0: an empty one), then for each
	 * process of a guest, with scope NULL. 1; 0: this host has no cgroups for them; -errno.
	 */
	int (*processes)(struct uvd *uvd, uvd_process_found *found, void *data);
	/* Will the end of this partition's process be recorded, without anybody's doing? */
	bool (*watches)(struct uvd *uvd, const uint8_t partition[16]);
};

struct uvd {
	struct db *db;
	struct kernel *kernel;
	struct network *network;
	const struct uvd_hooks *hooks;
	const char *state;		/* directory */
	uint8_t ultravisor[16];		/* this partition's own UUID */
	uint8_t instance[16];		/* of the module */
	struct hold *holds;		/* of claimed block devices */
	struct news *news;		/* NULL: nobody is told */
	struct changes *changes;	/* NULL: all may have changed */
	bool read_only;			/* the last commit failed for want of a writable database */
};

/* Nanoseconds since 1970. */
uint64_t uvd_now(void);

#endif

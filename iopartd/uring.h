/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's one io_uring, restricted before it is enabled to the operations below: whoever
 * takes over this process can submit nothing else, and register nothing but its own memory as a
 * buffer. (A grant cannot be pinned, so no guest's memory can be.)
 *
 * The pool's slabs are registered, which pins them, when the first operation uses them, and
 * unregistered by uring_release.
 *
 * An operation is started by one of uring_*(), submitted by uring_submit and ends with one call
 * of its complete(), from uring_reap. At most URING_OPERATIONS are under way: uring_room tells.
 */
#ifndef IOPARTD_URING_H
#define IOPARTD_URING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <liburing.h>

#include "pool.h"

#define URING_OPERATIONS 2048u
#define URING_SLABS	1024u		/* most that a pool may have */

struct operation {
	/* result: as the system call's, or -errno. */
	void (*complete)(struct operation *o, int result);
};

struct uring {
	struct io_uring ring;
	const struct pool *pool;	/* slab i of it is buffer i, once registered */
	bool fixed;			/* slabs may be registered */
	uint64_t slab[URING_SLABS / 64];	/* bit i: slab i is registered */
	unsigned int under_way;
};

/* 0 or -errno. p: at most URING_SLABS slabs; its memory is what uring_read and _write use. */
int uring_init(struct uring *u, const struct pool *p);
void uring_uninit(struct uring *u);

/* Readable when something can be reaped. */
int uring_fd(const struct uring *u);
bool uring_room(const struct uring *u, unsigned int operations);

/* Only with room. buffer lies in the pool; rw_flags: RWF_…; mode: of fallocate(2). */
void uring_read(struct uring *u, struct operation *o, int fd, void *buffer, uint32_t n,
		uint64_t offset);
void uring_write(struct uring *u, struct operation *o, int fd, const void *buffer, uint32_t n,
		 uint64_t offset, int rw_flags);
void uring_readv(struct uring *u, struct operation *o, int fd, const struct iovec *iov,
		 unsigned int n, uint64_t offset);
void uring_writev(struct uring *u, struct operation *o, int fd, const struct iovec *iov,
		  unsigned int n, uint64_t offset, int rw_flags);
void uring_datasync(struct uring *u, struct operation *o, int fd);
void uring_fallocate(struct uring *u, struct operation *o, int fd, int mode, uint64_t offset,
		     uint64_t length);

/*
 * Gives everything started to the kernel. What it does not take (memory is short) is pending;
 * call again later.
 */
void uring_submit(struct uring *u);
bool uring_pending(const struct uring *u);

/* Without a system call. */
bool uring_ready(const struct uring *u);

/* Unregisters all of the pool: only while nothing is under way. false: some is pinned still. */
bool uring_release(struct uring *u);

/* Sleeps until something can be reaped, or for that long. */
void uring_wait(struct uring *u, unsigned int milliseconds);

/* Completes at most `most` operations; how many it did. */
unsigned int uring_reap(struct uring *u, unsigned int most);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own aligned buffers for direct I/O, shared by all its devices: one mapping of
 * fixed size, cut into small blocks (one page) and large ones. Direct I/O needs memory that can
 * be pinned, and a grant cannot be. Who finds it empty waits for a completion.
 *
 * Memory is there once it is touched. It is pinned a slab at a time (uring.h), which holds whole
 * blocks of one kind, and goes back as a whole when none is taken.
 */
#ifndef IOPARTD_POOL_H
#define IOPARTD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_SMALL	4096u
#define POOL_LARGE	65536u
#define POOL_SLAB	262144u

struct pool {
	char *base;
	size_t size;
	uint32_t smalls, larges;		/* blocks of each kind; the small ones come first */
	uint32_t small_free, large_free;	/* in the two stacks below */
	uint32_t *small, *large;
	bool touched;				/* a block was taken; who looks clears it */
};

/* bytes: a multiple of 1 MiB, at least 5 MiB; an eighth becomes small blocks. 0 or -errno. */
int pool_init(struct pool *p, size_t bytes);
void pool_uninit(struct pool *p);

/*
 * Blocks for `bytes` bytes: pool_count of them, into block[]; block i holds the bytes from
 * i * POOL_LARGE on. All or nothing: 0 or -EAGAIN.
 */
unsigned int pool_count(uint64_t bytes);
int pool_take(struct pool *p, uint64_t bytes, void **block);
void pool_give(struct pool *p, void *block);

/* Nobody holds a block. */
bool pool_idle(const struct pool *p);

/* Gives all memory back to the kernel. Only while idle, and nothing of it pinned. */
void pool_release(struct pool *p);

#endif

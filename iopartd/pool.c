/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers for direct I/O: two stacks of free blocks over one mapping.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pool.h"

_Static_assert(POOL_SLAB % POOL_LARGE == 0 && POOL_SLAB % POOL_SMALL == 0 &&
	       (1 << 20) / 8 % POOL_LARGE == 0, "blocks do not cross slabs");

int pool_init(struct pool *p, size_t bytes)
{
	uint32_t i;

	p->smalls = bytes / 8 / POOL_SMALL;
	p->larges = (bytes - bytes / 8) / POOL_LARGE;
	p->size = bytes;
	p->touched = false;
	p->base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->base == MAP_FAILED)
		return -errno;
	/* A huge page would come for the first block: too much for a daemon that does little. */
	madvise(p->base, bytes, MADV_NOHUGEPAGE);
	p->small = calloc(p->smalls, sizeof(*p->small));
	p->large = calloc(p->larges, sizeof(*p->large));
	if (!p->small || !p->large) {
		pool_uninit(p);
		return -ENOMEM;
	}
	/* Lowest on top: what is used stays where the memory is touched already. */
	for (i = 0; i < p->smalls; i++)
		p->small[i] = p->smalls - 1 - i;
	for (i = 0; i < p->larges; i++)
		p->large[i] = p->larges - 1 - i;
	p->small_free = p->smalls;
	p->large_free = p->larges;
	return 0;
}

void pool_uninit(struct pool *p)
{
	munmap(p->base, p->size);
	free(p->small);
	free(p->large);
	*p = (struct pool){ 0 };
}

unsigned int pool_count(uint64_t bytes)
{
	return (bytes + POOL_LARGE - 1) / POOL_LARGE;
}

int pool_take(struct pool *p, uint64_t bytes, void **block)
{
	unsigned int n = pool_count(bytes), i = 0;

	p->touched = true;
	if (n == 1 && bytes <= POOL_SMALL && p->small_free) {
		block[0] = p->base + (size_t)POOL_SMALL * p->small[--p->small_free];
		return 0;
	}
	if (n > p->large_free)
		return -EAGAIN;
	for (i = 0; i < n; i++)
		block[i] = p->base + (size_t)POOL_SMALL * p->smalls +
			   (size_t)POOL_LARGE * p->large[--p->large_free];
	return 0;
}

void pool_give(struct pool *p, void *block)
{
	size_t offset = (char *)block - p->base, small_end = (size_t)POOL_SMALL * p->smalls;

	if (offset < small_end)
		p->small[p->small_free++] = offset / POOL_SMALL;
	else
		p->large[p->large_free++] = (offset - small_end) / POOL_LARGE;
}

bool pool_idle(const struct pool *p)
{
	return p->small_free == p->smalls && p->large_free == p->larges;
}

void pool_release(struct pool *p)
{
	madvise(p->base, p->size, MADV_DONTNEED);
}

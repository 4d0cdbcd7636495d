/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's memory: mapping, sealing, and the one checked way from an address to a pointer. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <common/log.h>
#include <ultravisor/monitor.h>

#include "kvm.h"
#include "layout.h"
#include "memory.h"

#define HUGE_PAGE	(2UL << 20)

static int bad(char *error, size_t size, const char *why)
{
	snprintf(error, size, "%s", why);
	return -EINVAL;
}

int memory_check(const struct memory *m, char *error, size_t size)
{
	uint64_t end = 0;
	unsigned int i;

	if (!m->count)
		return bad(error, size, "no memory block was given");
	if (m->block[0].gpa != 0 || m->block[0].length < 2 * LAYOUT_KERNEL_MIN)
		return bad(error, size,
			   "the first memory block must start at 0 and have 2 MiB or more");
	for (i = 0; i < m->count; i++) {
		const struct memory_block *b = &m->block[i];

		if (!b->length || b->gpa % 4096 || b->length % 4096)
			return bad(error, size, "a memory block is not whole pages");
		if (b->length > 1ULL << 46 || b->gpa > 1ULL << 46)
			return bad(error, size, "a memory block is beyond 64 TiB");
		if (b->gpa < end)
			return bad(error, size,
				   "memory blocks overlap or are not in ascending order");
		end = b->gpa + b->length;
		if (b->gpa < MONITOR_HIGH_BASE && end > MONITOR_LOW_LIMIT)
			return bad(error, size,
				   "a memory block reaches into the hole of PCI and APICs");
	}
	return 0;
}

/*
 * Reserved huge pages are taken at once: another that uses up a node's would otherwise end the
 * guest by SIGBUS at some later time. Of transparent ones the host may have none.
 */
static int get_pages(const struct memory_block *b)
{
	struct statfs fs;

	if (fstatfs(b->fd, &fs) < 0)
		return -errno;
	if (fs.f_type != HUGETLBFS_MAGIC) {
		madvise(b->base, b->length, MADV_HUGEPAGE);
		return 0;
	}
	if (madvise(b->base, b->length, MADV_POPULATE_WRITE) == 0)
		return 0;
	return errno == EFAULT ? -ENOMEM : -errno;
}

/*
 * At a multiple of a huge page, as the block is in the guest: only so can one entry of the nested
 * page tables cover 2 MiB. A guest that boots touches most of its memory for the first time, and
 * each first touch is an exit.
 */
static int map_block(struct memory_block *b)
{
	uint8_t *hole, *base;
	size_t before;

	hole = mmap(NULL, b->length + HUGE_PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hole == MAP_FAILED)
		return -errno;
	before = (HUGE_PAGE - ((uintptr_t)hole - b->gpa) % HUGE_PAGE) % HUGE_PAGE;
	base = mmap(hole + before, b->length, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE | MAP_FIXED, b->fd, 0);
	if (base == MAP_FAILED) {
		int rc = -errno;

		munmap(hole, b->length + HUGE_PAGE);
		return rc;
	}
	if (before)
		munmap(hole, before);
	munmap(base + b->length, HUGE_PAGE - before);
	b->base = base;
	return get_pages(b);
}

int memory_map(struct memory *m)
{
	unsigned int i;
	int rc;

	for (i = 0; i < m->count; i++) {
		struct memory_block *b = &m->block[i];

		rc = map_block(b);
		if (rc)
			return rc;
		/* Only now: F_SEAL_FUTURE_WRITE spares the mapping above and nobody else's. */
		if (fcntl(b->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0 &&
		    errno != EPERM)
			return -errno;
		if ((fcntl(b->fd, F_GET_SEALS) & (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)) !=
		    (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
			return -EPERM;
	}
	return 0;
}

int memory_register(const struct memory *m, int partition)
{
	unsigned int i;
	int rc;

	for (i = 0; i < m->count; i++) {
		const struct memory_block *b = &m->block[i];
		struct kvm_userspace_memory_region region = {
			.slot = i,
			.guest_phys_addr = b->gpa,
			.memory_size = b->length,
			.userspace_addr = (uintptr_t)b->base,
		};

		rc = kvm_vm_ptr(partition, KVM_SET_USER_MEMORY_REGION, &region);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void *memory_at(const struct memory *m, uint64_t gpa, uint64_t length)
{
	unsigned int i;

	for (i = 0; i < m->count; i++) {
		const struct memory_block *b = &m->block[i];

		if (gpa >= b->gpa && gpa - b->gpa < b->length &&
		    length <= b->length - (gpa - b->gpa))
			return b->base + (gpa - b->gpa);
	}
	return NULL;
}

uint64_t memory_total(const struct memory *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < m->count; i++)
		sum += m->block[i].length;
	return sum;
}

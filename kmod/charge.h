/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whom the kernel's allocations for a partition are charged to: the memory cgroup that uvd has
 * named, or (NULL) that of the calling process. Pages and structures come from GFP_…_ACCOUNT.
 */
#ifndef _UVR_CHARGE_H
#define _UVR_CHARGE_H

#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

/*
 * The memory cgroup of a version 2 cgroup's directory, or of its nearest ancestor that accounts
 * memory; a reference. EBADF: fd is no such directory. ENOENT: the cgroup has been removed.
 * EOPNOTSUPP: this kernel accounts no memory. EINVAL: fd without the flag.
 */
int uvr_charge_get(struct mem_cgroup **memcg, u32 flags, int fd);
void uvr_charge_put(struct mem_cgroup *memcg);

/* The inode of the cgroup's directory, or of its nearest ancestor's that still exists; 0: NULL. */
u64 uvr_charge_inode(struct mem_cgroup *memcg);

/* What this thread allocates in between is charged to memcg. Pairs nest. */
static inline struct mem_cgroup *uvr_charge_begin(struct mem_cgroup *memcg)
{
	return set_active_memcg(memcg);
}

static inline void uvr_charge_end(struct mem_cgroup *before)
{
	set_active_memcg(before);
}

#endif /* _UVR_CHARGE_H */

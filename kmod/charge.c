// SPDX-License-Identifier: GPL-2.0
#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/ultravisor.h>

#include "charge.h"

#ifdef CONFIG_MEMCG
static int get(struct mem_cgroup **memcg, int fd)
{
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup;

	if (mem_cgroup_disabled())
		return -EOPNOTSUPP;
	cgroup = cgroup_get_from_fd(fd);
	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	css = cgroup_get_e_css(cgroup, &memory_cgrp_subsys);
	cgroup_put(cgroup);
	*memcg = mem_cgroup_from_css(css);
	return 0;
}

void uvr_charge_put(struct mem_cgroup *memcg)
{
	if (memcg)
		css_put(&memcg->css);
}

/* As the kernel does: charges of a cgroup that is gone are its parent's. */
u64 uvr_charge_inode(struct mem_cgroup *memcg)
{
	struct cgroup_subsys_state *css = memcg ? &memcg->css : NULL;

	while (css && !(READ_ONCE(css->flags) & CSS_ONLINE))
		css = css->parent;
	return css ? cgroup_ino(css->cgroup) : 0;
}
#else
static int get(struct mem_cgroup **memcg, int fd)
{
	return -EOPNOTSUPP;
}

void uvr_charge_put(struct mem_cgroup *memcg)
{
}

u64 uvr_charge_inode(struct mem_cgroup *memcg)
{
	return 0;
}
#endif

int uvr_charge_get(struct mem_cgroup **memcg, u32 flags, int fd)
{
	*memcg = NULL;
	if (!(flags & ULTRAVISOR_PARTITION_CGROUP))
		return fd ? -EINVAL : 0;
	return get(memcg, fd);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition's memory blocks, and the grants of them: pages of the owner's memfds that a
 * serving endpoint maps by page frame. A page once granted is held until the partition is
 * destroyed: no swap, no migration, so that the frame stays the owner's page.
 */
#ifndef _UVR_GRANT_H
#define _UVR_GRANT_H

#include <linux/types.h>
#include <linux/xarray.h>

struct file;

/* Constant once published, but for pages, which has its own lock. file goes before the rest. */
struct uvr_block {
	struct file *file;
	u64 gpa;
	u64 length;
	struct xarray pages;		/* small page index → struct page, a reference each */
};

/* EINVAL: not a memfd, or shorter than length. EPERM: not sealed against shrinking and growing. */
int uvr_block_init(struct uvr_block *block, struct file *file, u64 gpa, u64 length);
/* No channel of the partition may be left to fault. Address and length can still be read. */
void uvr_block_uninit(struct uvr_block *block);

/* 0, or EPERM while the owner could still cut holes into what is granted. */
int uvr_grant_check(const struct uvr_block *block);

/*
 * The frame of a small page, which is now held. With present_only, ENOENT instead of waiting,
 * allocating or reading from swap.
 */
int uvr_grant_pfn(struct uvr_block *block, pgoff_t index, bool present_only, unsigned long *pfn);

#endif /* _UVR_GRANT_H */

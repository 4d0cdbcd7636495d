// SPDX-License-Identifier: GPL-2.0
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "compat.h"
#include "grant.h"

#define SEALS_TO_ADD (F_SEAL_SHRINK | F_SEAL_GROW)
/*
 * Cutting a hole (fallocate, MADV_REMOVE) would leave the server with a page that is the guest's
 * no more; F_SEAL_FUTURE_WRITE forbids it. (Seals are only ever added.)
 */
#define SEALS_TO_GRANT (SEALS_TO_ADD | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

static bool is_shmem(const struct inode *inode)
{
	return inode->i_sb->s_magic == TMPFS_MAGIC;
}

static bool is_hugetlb(const struct inode *inode)
{
	return IS_ENABLED(CONFIG_HUGETLBFS) && inode->i_sb->s_magic == HUGETLBFS_MAGIC;
}

static unsigned int seals(struct inode *inode)
{
	return is_shmem(inode) ? READ_ONCE(SHMEM_I(inode)->seals)
			       : READ_ONCE(HUGETLBFS_I(inode)->seals);
}

int uvr_block_init(struct uvr_block *block, struct file *file, u64 gpa, u64 length)
{
	struct inode *inode = file_inode(file);

	/* Regular: device nodes, too, may live on tmpfs. */
	if (!S_ISREG(inode->i_mode) || (!is_shmem(inode) && !is_hugetlb(inode)))
		return -EINVAL;
	if (is_hugetlb(inode) && !IS_ALIGNED(gpa | length, huge_page_size(hstate_inode(inode))))
		return -EINVAL;
	if ((seals(inode) & SEALS_TO_ADD) != SEALS_TO_ADD)
		return -EPERM;
	/* Sealed, so that this holds from now on. */
	if (length > i_size_read(inode))
		return -EINVAL;
	block->file = get_file(file);
	block->gpa = gpa;
	block->length = length;
	xa_init(&block->pages);
	return 0;
}

void uvr_block_uninit(struct uvr_block *block)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&block->pages, index, page) {
		/* What servers wrote through page frames has left no mark. */
		set_page_dirty_lock(page);
		put_page(page);
		cond_resched();
	}
	xa_destroy(&block->pages);
	fput(block->file);
}

int uvr_grant_check(const struct uvr_block *block)
{
	return (seals(file_inode(block->file)) & SEALS_TO_GRANT) == SEALS_TO_GRANT ? 0 : -EPERM;
}

static struct page *find_shmem(struct address_space *mapping, pgoff_t index, bool present_only)
{
	struct page *page;

	if (!present_only)
		return shmem_read_mapping_page(mapping, index);
	page = find_get_page(mapping, index);
	if (!page)
		return ERR_PTR(-ENOENT);
	/* Allocated, but not cleared yet: not for anybody's eyes. */
	if (!PageUptodate(page)) {
		put_page(page);
		return ERR_PTR(-ENOENT);
	}
	return page;
}

/* Huge pages are the owner's to allocate, by touching its mapping; ENOENT until it has. */
static struct page *find_hugetlb(struct address_space *mapping, pgoff_t index)
{
	struct hstate *h = hstate_inode(mapping->host);
	struct page *head = find_get_page(mapping, uvr_hugetlb_index(h, index));
	struct page *page;

	if (!head)
		return ERR_PTR(-ENOENT);
	page = nth_page(compound_head(head), index & (pages_per_huge_page(h) - 1));
	return page;
}

static struct page *find_page(struct uvr_block *block, pgoff_t index, bool present_only)
{
	struct address_space *mapping = block->file->f_mapping;

	if (is_hugetlb(mapping->host))
		return find_hugetlb(mapping, index);
	return find_shmem(mapping, index, present_only);
}

int uvr_grant_pfn(struct uvr_block *block, pgoff_t index, bool present_only, unsigned long *pfn)
{
	struct page *page = xa_load(&block->pages, index);
	struct page *old;

	if (!page) {
		page = find_page(block, index, present_only);
		if (IS_ERR(page))
			return PTR_ERR(page);
		old = xa_cmpxchg(&block->pages, index, NULL, page, GFP_KERNEL_ACCOUNT);
		/* Somebody else has put it there, with a reference of his own. */
		if (old)
			put_page(page);
		if (xa_is_err(old))
			return xa_err(old);
		if (old)
			page = old;
	}
	*pfn = page_to_pfn(page);
	return 0;
}

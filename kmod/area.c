// SPDX-License-Identifier: GPL-2.0
/*
 * Pages are mapped by frame number (VM_PFNMAP), so that nobody can pin them: no direct I/O, pipe
 * or registered buffer outlives a revocation. Each channel has an inode of its own on a pseudo
 * file system, since unmapping goes by inode. Rights are looked up at each fault, under the
 * channel's lock: a revocation takes it for writing, changes the rights, and unmaps.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "area.h"
#include "channel.h"
#include "compat.h"
#include "endpoint.h"
#include "grant.h"
#include "partition.h"

#define AREA_PAGE_SHIFT (ULTRAVISOR_AREA_SHIFT - PAGE_SHIFT)
#define FIRST_BLOCK 16			/* ULTRAVISOR_AREA_MEMORY(0) */
#define FAULT_AROUND 16			/* small pages, a power of 2 */

/* Who asks for more than there is gets ENOMEM, and nobody is killed for it. */
#define AREA_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL)

#define R VM_READ
#define RW (VM_READ | VM_WRITE)

/* A page of an offset: its area, and its index within that. */
struct place {
	u64 area;
	u64 index;
};

static struct place place_of(pgoff_t pgoff)
{
	return (struct place){
		.area = pgoff >> AREA_PAGE_SHIFT,
		.index = pgoff & ((1UL << AREA_PAGE_SHIFT) - 1),
	};
}

/* The table of ultravisor.h. The last column is the client's memory. */
static vm_flags_t rights(enum uvr_role role, bool serving, u64 area)
{
	static const vm_flags_t client[] = { R, RW, R, 0, 0 };
	static const vm_flags_t server[] = { R, R, RW, RW, RW };
	static const vm_flags_t standby[] = { R, 0, 0, 0, 0 };
	const vm_flags_t *row = role == UVR_ROLE_CLIENT ? client : serving ? server : standby;

	if (area >= FIRST_BLOCK)
		area = UVR_NR_AREAS;
	else if (area >= UVR_NR_AREAS)
		return 0;
	return row[area];
}

static struct uvr_block *find_block(struct uvr_channel *channel, u64 area)
{
	struct uvr_partition *partition = uvr_channel_granted(channel);

	if (!partition || area - FIRST_BLOCK >= ULTRAVISOR_MAX_BLOCKS)
		return NULL;
	return uvr_partition_block(partition, area - FIRST_BLOCK);
}

static u64 count_pages(struct uvr_channel *channel, u64 area)
{
	struct uvr_block *block;

	if (area < UVR_NR_AREAS)
		return channel->areas[area].nr_pages;
	block = find_block(channel, area);
	return block ? block->length >> PAGE_SHIFT : 0;
}

static int find_pfn(struct uvr_channel *channel, struct place place, bool present_only,
		    unsigned long *pfn)
{
	if (place.area < UVR_NR_AREAS) {
		*pfn = page_to_pfn(channel->areas[place.area].pages[place.index]);
		return 0;
	}
	return uvr_grant_pfn(find_block(channel, place.area), place.index, present_only, pfn);
}

static int check_touch(struct uvr_endpoint *endpoint, struct vm_area_struct *vma,
		       struct place place)
{
	struct uvr_channel *channel = endpoint->channel;
	bool serving = uvr_endpoint_is_serving(endpoint);
	int rc = uvr_endpoint_check(endpoint, vma->vm_mm);

	if (rc)
		return rc;
	if (!rights(endpoint->handle.role, serving, place.area))
		return -EACCES;
	if (place.index >= count_pages(channel, place.area))
		return -EINVAL;
	if (place.area < FIRST_BLOCK)
		return 0;
	/* The server's role is taken soon; its access is refused from the deadline on. */
	if (uvr_lease_check(&uvr_channel_granted(channel)->lease))
		return -EACCES;
	return uvr_grant_check(find_block(channel, place.area));
}

/* Maps what is at hand next to the page that was touched. */
static void map_around(struct uvr_channel *channel, struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t first = ALIGN_DOWN(vmf->pgoff, FAULT_AROUND);
	pgoff_t end = first + FAULT_AROUND;
	pgoff_t pgoff;
	unsigned long pfn;

	first = max(first, vma->vm_pgoff);
	end = min(end, vma->vm_pgoff + vma_pages(vma));
	for (pgoff = first; pgoff < end; pgoff++) {
		struct place place = place_of(pgoff);

		if (pgoff == vmf->pgoff || place.index >= count_pages(channel, place.area) ||
		    find_pfn(channel, place, true, &pfn))
			continue;
		vmf_insert_pfn(vma, vma->vm_start + ((pgoff - vma->vm_pgoff) << PAGE_SHIFT), pfn);
	}
}

static vm_fault_t touch(struct uvr_endpoint *endpoint, struct vm_fault *vmf)
{
	struct uvr_channel *channel = endpoint->channel;
	struct place place = place_of(vmf->pgoff);
	unsigned long pfn;
	vm_fault_t ret;
	int rc;

	lockdep_assert_held(&channel->lock);
	rc = check_touch(endpoint, vmf->vma, place);
	if (!rc)
		rc = find_pfn(channel, place, false, &pfn);
	if (rc)
		return rc == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn);
	if (ret == VM_FAULT_NOPAGE)
		map_around(channel, vmf);
	return ret;
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(vmf->vma->vm_file->private_data);
	vm_fault_t ret;

	down_read(&endpoint->channel->lock);
	ret = touch(endpoint, vmf);
	up_read(&endpoint->channel->lock);
	return ret;
}

/* No access method: ptrace and /proc/PID/mem find nothing here. */
static const struct vm_operations_struct area_vm_ops = {
	.fault = area_fault,
};

static int check_mmap(struct uvr_endpoint *endpoint, struct vm_area_struct *vma)
{
	struct uvr_channel *channel = endpoint->channel;
	struct place place = place_of(vma->vm_pgoff);
	u64 nr_pages;
	int rc;

	down_read(&channel->lock);
	rc = uvr_endpoint_check(endpoint, vma->vm_mm);
	nr_pages = count_pages(channel, place.area);
	up_read(&channel->lock);
	if (rc)
		return rc;
	if (!nr_pages)
		return -ENXIO;
	if (place.index >= nr_pages || vma_pages(vma) > nr_pages - place.index)
		return -EINVAL;
	return 0;
}

int uvr_area_mmap(struct uvr_endpoint *endpoint, struct vm_area_struct *vma)
{
	/* As if serving: a standby maps in advance, and is checked when it touches. */
	vm_flags_t may = rights(endpoint->handle.role, true, place_of(vma->vm_pgoff).area);
	int rc;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* PROT_NONE where nothing may be mapped is refused, too: mprotect would raise it. */
	if (!may || vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC) & ~may)
		return -EACCES;
	rc = check_mmap(endpoint, vma);
	if (rc)
		return rc;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vm_flags_clear(vma, VM_MAYEXEC | (may & VM_WRITE ? 0 : VM_MAYWRITE));
	vma->vm_ops = &area_vm_ops;
	return 0;
}

void uvr_area_unmap(struct uvr_channel *channel, bool header_only)
{
	lockdep_assert_held_write(&channel->lock);
	/* Length 0: to the end. */
	unmap_mapping_range(channel->inode->i_mapping, 0, header_only ? PAGE_SIZE : 0, 1);
}

static int pseudo_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, 0x55565243) ? 0 : -ENOMEM;	/* "UVRC" */
}

/* Never registered: nobody can mount it. It is mounted inside the kernel while channels exist. */
static struct file_system_type pseudo_fs = {
	.name = "ultravisor",
	.owner = THIS_MODULE,
	.init_fs_context = pseudo_init_fs_context,
	.kill_sb = kill_anon_super,
};

static struct vfsmount *pseudo_mount;
static int pseudo_pins;

static struct inode *make_inode(void)
{
	struct inode *inode;
	int rc;

	rc = simple_pin_fs(&pseudo_fs, &pseudo_mount, &pseudo_pins);
	if (rc)
		return ERR_PTR(rc);
	inode = alloc_anon_inode(pseudo_mount->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&pseudo_mount, &pseudo_pins);
	return inode;
}

struct file *uvr_area_file(struct uvr_channel *channel, const struct file_operations *fops)
{
	struct file *file;

	/* alloc_file_pseudo takes neither reference, inode or module; fput drops both. */
	ihold(channel->inode);
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(channel->inode, pseudo_mount, "ultravisor-endpoint",
				 O_RDWR | O_CLOEXEC, fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(channel->inode);
	}
	return file;
}

static int alloc_area(struct uvr_area *area, u64 size)
{
	u64 n = size >> PAGE_SHIFT;

	if (!n)
		return 0;
	area->pages = kvcalloc(n, sizeof(*area->pages), AREA_GFP);
	if (!area->pages)
		return -ENOMEM;
	while (area->nr_pages < n) {
		struct page *page = alloc_page(AREA_GFP | __GFP_ZERO);

		if (!page)
			return -ENOMEM;
		area->pages[area->nr_pages++] = page;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static void free_area(struct uvr_area *area)
{
	while (area->nr_pages)
		__free_page(area->pages[--area->nr_pages]);
	kvfree(area->pages);
	area->pages = NULL;
}

int uvr_area_init(struct uvr_channel *channel, const struct ultravisor_channel_create *arg)
{
	const u64 sizes[UVR_NR_AREAS] = {
		[ULTRAVISOR_AREA_HEADER] = PAGE_SIZE,
		[ULTRAVISOR_AREA_CLIENT] = arg->client_size,
		[ULTRAVISOR_AREA_SERVER] = arg->server_size,
		[ULTRAVISOR_AREA_PRIVATE] = arg->private_size,
	};
	struct inode *inode;
	u32 i;
	int rc;

	for (i = 0; i < UVR_NR_AREAS; i++) {
		rc = alloc_area(&channel->areas[i], sizes[i]);
		if (rc)
			return rc;
	}
	inode = make_inode();
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	channel->inode = inode;
	channel->header = page_address(channel->areas[ULTRAVISOR_AREA_HEADER].pages[0]);
	return 0;
}

void uvr_area_drop(struct uvr_channel *channel)
{
	u32 i;

	lockdep_assert_held_write(&channel->lock);
	for (i = 0; i < UVR_NR_AREAS; i++)
		free_area(&channel->areas[i]);
}

/* Whether built or only in part, it has been destroyed before: no page is left. */
void uvr_area_uninit(struct uvr_channel *channel)
{
	if (channel->inode) {
		iput(channel->inode);
		simple_release_fs(&pseudo_mount, &pseudo_pins);
	}
}

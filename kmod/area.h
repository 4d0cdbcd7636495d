/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The areas of a channel: their pages, who may map them, and the faults that put them there.
 */
#ifndef _UVR_AREA_H
#define _UVR_AREA_H

#include <linux/fs.h>
#include <linux/types.h>
#include <linux/ultravisor.h>

struct page;
struct uvr_channel;
struct uvr_endpoint;
struct vm_area_struct;

#define UVR_NR_AREAS 4		/* HEADER, CLIENT, SERVER, PRIVATE */

/* Constant. */
struct uvr_area {
	u64 nr_pages;
	struct page **pages;
};

int uvr_area_init(struct uvr_channel *channel, const struct ultravisor_channel_create *arg);
void uvr_area_drop(struct uvr_channel *channel);	/* its pages; channel locked */
void uvr_area_uninit(struct uvr_channel *channel);	/* also of a half-built one */

/* A file whose mappings uvr_area_unmap finds. */
struct file *uvr_area_file(struct uvr_channel *channel, const struct file_operations *fops);

int uvr_area_mmap(struct uvr_endpoint *endpoint, struct vm_area_struct *vma);

/*
 * Takes all pages out of all mappings, of both sides: whoever still has a right faults them in
 * again. header_only: what a standby can have. Channel locked for writing.
 */
void uvr_area_unmap(struct uvr_channel *channel, bool header_only);

#endif /* _UVR_AREA_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this module supports, 6.1 and later: each difference is
 * bridged here, once, under the newer kernel's name.
 *
 * Known of kernels that it was not built for: hrtimer_init is gone in 6.15 (hrtimer_setup is used
 * here), call_mmap became vfs_mmap in 6.17, MODULE_IMPORT_NS takes a string since 6.13 and is not
 * used, nor are struct fd and any symbol of KVM, which from the end of 2025 on exports to its own
 * modules alone.
 */
#ifndef _UVR_COMPAT_H
#define _UVR_COMPAT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/hugetlb.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "ultravisor needs Linux 6.1 or later"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* The last argument, an array of VMAs, went in 6.5. */
static inline long uvr_get_user_page(unsigned long address, unsigned int flags, struct page **page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return get_user_pages(address, 1, flags, page, NULL);
#else
	return get_user_pages(address, 1, flags, page);
#endif
}

/* hugetlb's page cache counts in huge pages before 6.7, in small pages since. */
static inline pgoff_t uvr_hugetlb_index(struct hstate *h, pgoff_t small)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return small >> huge_page_order(h);
#else
	return ALIGN_DOWN(small, pages_per_huge_page(h));
#endif
}

static inline void uvr_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

/* Kernel code is warned off this member since 6.11: userspace may change it at any time. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define uvr_immediate_exit(run) READ_ONCE((run)->immediate_exit)
#else
#define uvr_immediate_exit(run) READ_ONCE((run)->immediate_exit__unsafe)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define vfs_mmap call_mmap
#endif

#endif /* _UVR_COMPAT_H */

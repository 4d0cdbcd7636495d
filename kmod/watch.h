/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching an address space: a notifier whose release is called when the last thread has left it
 * and before its mappings are torn down. It is dropped by mmu_notifier_put, also from within
 * its release; its free_notifier is called when no release can be running any more.
 */
#ifndef _UVR_WATCH_H
#define _UVR_WATCH_H

#include <linux/mmu_notifier.h>
#include <linux/sched.h>

/*
 * Watches the caller's. Takes the mmap lock. Any pending signal makes the kernel give up half
 * way: then the call is repeated, after the signal's handler, unnoticed.
 */
static inline int uvr_watch_current(struct mmu_notifier *notifier)
{
	int rc = mmu_notifier_register(notifier, current->mm);

	return rc == -EINTR ? -ERESTARTNOINTR : rc;
}

#endif /* _UVR_WATCH_H */

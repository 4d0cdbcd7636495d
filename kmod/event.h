/* SPDX-License-Identifier: GPL-2.0 */
/* Hints to userspace that something has changed: generic netlink, multicast. */
#ifndef _UVR_EVENT_H
#define _UVR_EVENT_H

#include <linux/types.h>
#include <linux/ultravisor.h>

/* slot may be ULTRAVISOR_NO_SLOT. May sleep; an event that finds no memory is lost. */
void uvr_event(enum ultravisor_event event, u64 id, u32 slot, u64 epoch);

int uvr_event_init(void);
void uvr_event_uninit(void);

#endif /* _UVR_EVENT_H */

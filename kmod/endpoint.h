/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An endpoint: a descriptor of one side of a channel. A process attaches through it; the
 * attachment is bound to the process's address space, not to copies of the descriptor.
 */
#ifndef _UVR_ENDPOINT_H
#define _UVR_ENDPOINT_H

#include <linux/mmu_notifier.h>

#include "channel.h"
#include "ioctl.h"

/*
 * No letter: constant. LB: under the channel's lock and bells for writing, either for reading.
 */
struct uvr_endpoint {
	struct uvr_handle handle;		/* first: the file's private_data */
	struct uvr_channel *channel;		/* held by handle.object */
	struct uvr_side *side;
	u64 generation;				/* of side, when opened */
	struct uvr_attachment *attachment;	/* LB */
	u64 seen;				/* news of the channel at the last ENDPOINT_INFO */
};

/*
 * Lives from ATTACH until no callback of its notifier can be running; it is *attached* while its
 * endpoint and side point at it. notifier.mm is the address space.
 */
struct uvr_attachment {
	struct mmu_notifier notifier;
	struct uvr_channel *channel;		/* a reference */
	struct uvr_endpoint *endpoint;		/* LB: NULL unless attached */
};

static inline struct uvr_endpoint *uvr_endpoint(struct uvr_handle *handle)
{
	return container_of(handle, struct uvr_endpoint, handle);
}

/*
 * 0 if mm is attached through the endpoint, ESTALE if the endpoint is revoked, else ENOTCONN.
 * Channel locked, or its bells.
 */
int uvr_endpoint_check(const struct uvr_endpoint *endpoint, const struct mm_struct *mm);

/* The endpoint's rights are those of a server that serves. Locked likewise. */
bool uvr_endpoint_is_serving(const struct uvr_endpoint *endpoint);

/* A descriptor with ROLE_CLIENT, or ROLE_SERVER of a slot. */
struct file *uvr_endpoint_file(struct uvr_channel *channel, u32 role, u32 slot);

long uvr_endpoint_info(struct uvr_call *call);
long uvr_attach(struct uvr_call *call);
long uvr_detach(struct uvr_call *call);

#endif /* _UVR_ENDPOINT_H */

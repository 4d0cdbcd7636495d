/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition's lease: past its deadline nothing of the partition runs, its memory is taken from
 * the servers of its channels, and none is promoted, until it is renewed in the same epoch.
 *
 * What has to be in time depends on nobody: the deadline is compared before each entry into the
 * guest and at each touch of a grant, and a timer's hard interrupt gets runners out of the guest.
 * What can follow (unmapping, events) is done by a work item, or by the renewal.
 */
#ifndef _UVR_LEASE_H
#define _UVR_LEASE_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "term.h"

struct uvr_call;
struct uvr_channel;

/*
 * L: lock, taken with interrupts off, also in hard interrupts; l: others may read it with
 * READ_ONCE. P: the partition's lock.
 */
struct uvr_lease {
	raw_spinlock_t lock;
	struct uvr_term term;		/* L; deadline and over: l */
	bool ended;			/* L: the partition is destroyed */
	struct hrtimer timer;		/* the alarm */
	struct work_struct work;	/* holds the partition while it is queued */
	bool parked;			/* P: the channels know that it is over */
};

void uvr_lease_init(struct uvr_lease *lease);
/* No timer and no expiry from here on. Partition not locked. */
void uvr_lease_uninit(struct uvr_lease *lease);

/* Looks at the clock now, and ends it if it is time. Any context. */
bool uvr_lease_expire(struct uvr_lease *lease);

/* Whether it is known to be over. Who wants to enter the guest asks under the context's lock. */
static inline bool uvr_lease_is_over(const struct uvr_lease *lease)
{
	return READ_ONCE(lease->term.over);
}

/* Whether it is over, by the clock. Any context. */
static inline bool uvr_lease_check(struct uvr_lease *lease)
{
	u64 deadline = READ_ONCE(lease->term.deadline);

	if (!deadline)
		return false;
	if (likely(ktime_get_boot_fast_ns() < deadline))
		return uvr_lease_is_over(lease);
	return uvr_lease_expire(lease);
}

/* A channel becomes the partition's: it begins as the others are. Partition locked. */
void uvr_lease_adopt(struct uvr_lease *lease, struct uvr_channel *channel);

struct ultravisor_partition_info;
void uvr_lease_info(struct uvr_lease *lease, struct ultravisor_partition_info *info);

long uvr_lease_set(struct uvr_call *call);
long uvr_lease_renew(struct uvr_call *call);

#endif /* _UVR_LEASE_H */

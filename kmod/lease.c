// SPDX-License-Identifier: GPL-2.0
/*
 * The order that makes it hold, drawn for a runner (left) and whoever finds the lease over:
 *
 *	context's lock				lease's lock: over = true
 *	  over? then rest			each context's lock
 *	  entered = true			  entered: kick
 *	unlock					unlock
 *	KVM_RUN
 *
 * Whichever has the context's lock first: the runner sees that it is over, or it is kicked.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/ultravisor.h>

#include "channel.h"
#include "compat.h"
#include "context.h"
#include "event.h"
#include "ioctl.h"
#include "lease.h"
#include "partition.h"
#include "trace.h"

static struct uvr_partition *owner(struct uvr_lease *lease)
{
	return container_of(lease, struct uvr_partition, lease);
}

static void kick_contexts(struct uvr_partition *partition)
{
	struct uvr_context *context;
	u32 i;

	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++) {
		/* Contexts are freed only with the partition. */
		context = smp_load_acquire(&partition->contexts[i]);
		if (context)
			uvr_context_kick(context);
	}
}

static void wake_contexts(struct uvr_partition *partition)
{
	u32 i;

	lockdep_assert_held(&partition->lock);
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_wake(partition->contexts[i]);
}

/* Lease locked. */
static void set_alarm(struct uvr_lease *lease)
{
	u64 alarm = uvr_term_alarm(&lease->term);

	lockdep_assert_held(&lease->lock);
	if (alarm)
		hrtimer_start(&lease->timer, ns_to_ktime(alarm), HRTIMER_MODE_ABS_HARD);
}

bool uvr_lease_expire(struct uvr_lease *lease)
{
	struct uvr_partition *partition = owner(lease);
	unsigned long flags;
	bool now, over;

	raw_spin_lock_irqsave(&lease->lock, flags);
	now = !lease->ended && uvr_term_expire(&lease->term, ktime_get_boottime_ns());
	over = lease->term.over;
	raw_spin_unlock_irqrestore(&lease->lock, flags);
	if (now) {
		kick_contexts(partition);
		uvr_object_defer(&partition->object, &lease->work);
	}
	return over;
}

/* In a hard interrupt, on PREEMPT_RT, too. */
static enum hrtimer_restart alarm(struct hrtimer *timer)
{
	struct uvr_lease *lease = container_of(timer, struct uvr_lease, timer);

	uvr_lease_expire(lease);
	raw_spin_lock(&lease->lock);
	uvr_term_alarmed(&lease->term);
	if (!lease->ended)
		set_alarm(lease);
	raw_spin_unlock(&lease->lock);
	return HRTIMER_NORESTART;
}

/* Makes channels and listeners know what is so. */
static void settle(struct uvr_partition *partition)
{
	struct uvr_lease *lease = &partition->lease;
	struct uvr_channel *channel;
	bool over = uvr_lease_is_over(lease);

	lockdep_assert_held(&partition->lock);
	if (partition->dead || lease->parked == over)
		return;
	lease->parked = over;
	list_for_each_entry(channel, &partition->channels, of_client)
		uvr_channel_park(channel, over);
	uvr_event(over ? ULTRAVISOR_EVENT_LEASE_EXPIRED : ULTRAVISOR_EVENT_LEASE_RENEWED,
		  partition->object.id, ULTRAVISOR_NO_SLOT, lease->term.epoch);
}

static void settle_work(struct work_struct *work)
{
	struct uvr_partition *partition = owner(container_of(work, struct uvr_lease, work));

	mutex_lock(&partition->lock);
	settle(partition);
	mutex_unlock(&partition->lock);
	uvr_object_put(&partition->object);
}

/* After a renewal of what was over. Every expiry is told before the renewal that ends it. */
static long revive(struct uvr_partition *partition)
{
	struct uvr_lease *lease = &partition->lease;
	bool revived = false;
	long rc = 0;

	mutex_lock(&partition->lock);
	if (partition->dead) {
		rc = -ESHUTDOWN;
		goto out;
	}
	settle(partition);
	raw_spin_lock_irq(&lease->lock);
	revived = uvr_term_revive(&lease->term, ktime_get_boottime_ns());
	set_alarm(lease);
	raw_spin_unlock_irq(&lease->lock);
	if (revived) {
		settle(partition);
		wake_contexts(partition);
	}
out:
	mutex_unlock(&partition->lock);
	return rc;
}

/* No clock is read and no timer touched in the usual case: the deadline moves on in time. */
static long move(struct uvr_call *call, int (*how)(struct uvr_term *term, u64 epoch, u64 deadline))
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_lease *arg = call->arg;
	struct uvr_lease *lease = &partition->lease;
	bool over;
	long rc;

	raw_spin_lock_irq(&lease->lock);
	rc = lease->ended ? -ESHUTDOWN : how(&lease->term, arg->epoch, arg->deadline);
	if (!rc)
		set_alarm(lease);
	over = lease->term.over;
	raw_spin_unlock_irq(&lease->lock);
	if (!rc)
		trace_uvr_lease(partition->object.id, arg->epoch, arg->deadline);
	return !rc && over ? revive(partition) : rc;
}

long uvr_lease_set(struct uvr_call *call)
{
	return move(call, uvr_term_set);
}

long uvr_lease_renew(struct uvr_call *call)
{
	return move(call, uvr_term_renew);
}

void uvr_lease_adopt(struct uvr_lease *lease, struct uvr_channel *channel)
{
	lockdep_assert_held(&owner(lease)->lock);
	if (lease->parked)
		uvr_channel_park(channel, true);
}

void uvr_lease_info(struct uvr_lease *lease, struct ultravisor_partition_info *info)
{
	uvr_lease_check(lease);
	raw_spin_lock_irq(&lease->lock);
	info->out_lease_deadline = lease->term.deadline;
	info->out_lease_epoch = lease->term.epoch;
	info->out_lease_expired = lease->term.over;
	raw_spin_unlock_irq(&lease->lock);
}

void uvr_lease_init(struct uvr_lease *lease)
{
	raw_spin_lock_init(&lease->lock);
	hrtimer_setup(&lease->timer, alarm, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_HARD);
	INIT_WORK(&lease->work, settle_work);
}

void uvr_lease_uninit(struct uvr_lease *lease)
{
	raw_spin_lock_irq(&lease->lock);
	lease->ended = true;
	raw_spin_unlock_irq(&lease->lock);
	hrtimer_cancel(&lease->timer);
}

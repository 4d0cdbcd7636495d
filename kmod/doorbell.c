// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing rung is lost: a fresh sink is signalled once, and all sinks of a new server are,
 * under the same lock (bells) under which every ring picks its sink. A ring is either before
 * that, and covered by it, or after, and goes to the new sink.
 *
 * A source is listened to as KVM's irqfd does it: by an entry in the eventfd's wait queue. Its
 * callback runs inside eventfd_signal, where no other eventfd may be signalled; so it queues an
 * irq_work, which runs as soon as that is over. Taking a source away: remove the entry (no new
 * callback), sync the irq_work (no ring under way), free.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "doorbell.h"
#include "endpoint.h"

/* Constant once started. */
struct uvr_source {
	struct uvr_channel *channel;	/* takes the source away before it goes */
	u32 index;
	struct eventfd_ctx *eventfd;
	struct wait_queue_entry wait;
	struct irq_work work;
	poll_table poll;		/* while it is started */
};

/*
 * This processor is signalling a sink, bells locked. A sink that is some channel's source, too,
 * does not ring there: else whoever is a client here and a server there could connect the two in
 * a circle, and keep the processor in its interrupts for good.
 */
static DEFINE_PER_CPU(bool, signalling);

static void signal(struct eventfd_ctx *sink)
{
	if (!sink)
		return;
	__this_cpu_write(signalling, true);
	uvr_eventfd_signal(sink);
	__this_cpu_write(signalling, false);
}

static struct eventfd_ctx *serving_sink(struct uvr_channel *channel, u32 index)
{
	lockdep_assert_held(&channel->bells);
	return channel->serving == ULTRAVISOR_NO_SLOT ? NULL :
	       channel->slots[channel->serving].sinks[index];
}

void uvr_doorbell_signal_slot(struct uvr_channel *channel, u32 slot)
{
	u32 i;

	lockdep_assert_held(&channel->bells);
	if (slot == ULTRAVISOR_NO_SLOT)
		return;
	for (i = 0; i < channel->doorbells; i++)
		signal(channel->slots[slot].sinks[i]);
}

static void source_ring(struct irq_work *work)
{
	struct uvr_source *source = container_of(work, struct uvr_source, work);
	struct uvr_channel *channel = source->channel;
	unsigned long flags;

	spin_lock_irqsave(&channel->bells, flags);
	signal(serving_sink(channel, source->index));
	spin_unlock_irqrestore(&channel->bells, flags);
}

static int source_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct uvr_source *source = container_of(wait, struct uvr_source, wait);
	u64 count;

	if (key_to_poll(key) & EPOLLIN && !__this_cpu_read(signalling)) {
		/* The eventfd's lock is held: the caller has it. */
		eventfd_ctx_do_read(source->eventfd, &count);
		irq_work_queue(&source->work);
	}
	return 0;
}

static void source_queue(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	struct uvr_source *source = container_of(poll, struct uvr_source, poll);

	add_wait_queue(head, &source->wait);
}

static struct uvr_source *make_source(struct uvr_channel *channel, u32 index, struct file *file)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fileget(file);
	struct uvr_source *source;

	if (IS_ERR(eventfd))
		return ERR_CAST(eventfd);
	source = kzalloc(sizeof(*source), GFP_KERNEL_ACCOUNT);
	if (!source) {
		eventfd_ctx_put(eventfd);
		return ERR_PTR(-ENOMEM);
	}
	source->channel = channel;
	source->index = index;
	source->eventfd = eventfd;
	init_waitqueue_func_entry(&source->wait, source_wake);
	init_irq_work(&source->work, source_ring);
	init_poll_funcptr(&source->poll, source_queue);
	return source;
}

static void start_source(struct uvr_source *source, struct file *file)
{
	/* Listens first, looks then: what was signalled before is rung once. */
	if (vfs_poll(file, &source->poll) & EPOLLIN)
		irq_work_queue(&source->work);
}

static void free_source(struct uvr_source *source)
{
	eventfd_ctx_put(source->eventfd);
	kfree(source);
}

static void stop_source(struct uvr_source *source)
{
	u64 count;

	if (!source)
		return;
	eventfd_ctx_remove_wait_queue(source->eventfd, &source->wait, &count);
	irq_work_sync(&source->work);
	free_source(source);
}

static void set_sink(struct uvr_endpoint *endpoint, u32 index, struct eventfd_ctx *sink)
{
	struct uvr_channel *channel = endpoint->channel;
	struct uvr_side *side = endpoint->side;
	struct eventfd_ctx *old;

	spin_lock_irq(&channel->bells);
	old = side->sinks[index];
	side->sinks[index] = sink;
	if (side == &channel->client_side || uvr_endpoint_is_serving(endpoint))
		signal(sink);
	spin_unlock_irq(&channel->bells);
	if (old)
		eventfd_ctx_put(old);
}

void uvr_doorbell_unbind_side(struct uvr_channel *channel, struct uvr_side *side)
{
	struct eventfd_ctx *sink;
	u32 i;

	lockdep_assert_held_write(&channel->lock);
	for (i = 0; i < channel->doorbells; i++) {
		if (side == &channel->client_side) {
			stop_source(channel->sources[i]);
			channel->sources[i] = NULL;
		}
		spin_lock_irq(&channel->bells);
		sink = side->sinks[i];
		side->sinks[i] = NULL;
		spin_unlock_irq(&channel->bells);
		if (sink)
			eventfd_ctx_put(sink);
	}
}

static int bind_sink(struct uvr_endpoint *endpoint, u32 index, int fd)
{
	struct uvr_channel *channel = endpoint->channel;
	struct eventfd_ctx *sink = NULL;
	int rc;

	if (fd != -1) {
		sink = eventfd_ctx_fdget(fd);
		if (IS_ERR(sink))
			return PTR_ERR(sink);
	}
	down_write(&channel->lock);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc)
		set_sink(endpoint, index, sink);
	up_write(&channel->lock);
	if (rc && sink)
		eventfd_ctx_put(sink);
	return rc;
}

static int bind_source(struct uvr_endpoint *endpoint, u32 index, int fd)
{
	struct uvr_channel *channel = endpoint->channel;
	struct uvr_source *source = NULL;
	struct file *file = NULL;
	int rc;

	if (fd != -1) {
		file = eventfd_fget(fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
		source = make_source(channel, index, file);
		if (IS_ERR(source)) {
			fput(file);
			return PTR_ERR(source);
		}
	}
	down_write(&channel->lock);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc) {
		stop_source(channel->sources[index]);
		channel->sources[index] = source;
		if (source)
			start_source(source, file);
	}
	up_write(&channel->lock);
	if (rc && source)
		free_source(source);
	if (file)
		fput(file);
	return rc;
}

long uvr_doorbell_bind(struct uvr_call *call)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(call->handle);
	struct ultravisor_doorbell_bind *arg = call->arg;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (arg->index >= endpoint->channel->doorbells)
		return -EINVAL;
	switch (arg->what) {
	case ULTRAVISOR_DOORBELL_SINK:
		return bind_sink(endpoint, arg->index, arg->fd);
	case ULTRAVISOR_DOORBELL_SOURCE:
		if (call->handle->role != UVR_ROLE_CLIENT)
			return -EACCES;
		return bind_source(endpoint, arg->index, arg->fd);
	default:
		return -EOPNOTSUPP;
	}
}

/* One spinlock and no semaphore: this is the way of every message's wake-up. */
long uvr_doorbell_ring(struct uvr_call *call)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(call->handle);
	struct uvr_channel *channel = endpoint->channel;
	struct ultravisor_doorbell_ring *arg = call->arg;
	unsigned long flags;
	u32 index;
	int rc;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (arg->index >= channel->doorbells)
		return -EINVAL;
	index = array_index_nospec(arg->index, channel->doorbells);

	spin_lock_irqsave(&channel->bells, flags);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc && call->handle->role == UVR_ROLE_CLIENT)
		signal(serving_sink(channel, index));
	else if (!rc && uvr_endpoint_is_serving(endpoint))
		signal(channel->client_side.sinks[index]);
	else if (!rc)
		rc = -EPERM;
	spin_unlock_irqrestore(&channel->bells, flags);
	return rc;
}

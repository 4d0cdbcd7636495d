// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing rung is lost: a fresh sink is signalled once, and all sinks of a new server are,
 * under the same lock (bells) under which every ring picks its sink. A ring is either before
 * that, and covered by it, or after, and goes to the new sink.
 *
 * A source is listened to as KVM's irqfd does it: by an entry in the eventfd's wait queue. Its
 * callback runs inside eventfd_signal, where no other eventfd may be signalled; so it queues an
 * irq_work, which runs as soon as that is over. Taking a source away: remove the entry (no new
 * callback), sync the irq_work, wait for RCU, free. The work may run on two processors at once, if
 * it is queued again while it runs; the sync waits for one of them alone, RCU for both interrupts.
 *
 * A server answers by reading its sink. Where a channel has a deadline for that, the sink has an
 * entry in its eventfd's wait queue, too, and is told of writes and reads in their order, under
 * the eventfd's lock. The first write after a read notes the time and sets a timer, unless one
 * is still set; a timer that finds an answer, or a later question, is set anew or not at all. So a
 * server that reads in time is never reported, and without kicks no timer runs. A write of the
 * server's own counts: so it lets itself be watched while it has work that nobody will kick again.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "doorbell.h"
#include "endpoint.h"
#include "event.h"
#include "partition.h"
#include "trace.h"

/* C: constant once started; only with a deadline. S: lock, with interrupts off. */
struct uvr_sink {
	struct eventfd_ctx *eventfd;
	struct uvr_channel *channel;		/* C: takes the sink away before it goes */
	wait_queue_head_t *head;		/* C: of the eventfd; NULL: without a deadline */
	struct wait_queue_entry wait;		/* C */
	poll_table poll;			/* while it is started */
	struct hrtimer timer;
	raw_spinlock_t lock;
	u64 asked;				/* S: first write since the last read; 0: none */
	bool armed;				/* S: the timer */
};

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
 * Who on this processor is signalling a sink, bells locked. A sink that is some channel's source,
 * too, does not ring there: else whoever is a client here and a server there could connect the
 * two in a circle, and keep the processor in its interrupts for good. (A task, since on PREEMPT_RT
 * another one may come in between.)
 */
static DEFINE_PER_CPU(struct task_struct *, signaller);

static bool is_signalling(void)
{
	return this_cpu_read(signaller) == current;
}

static void signal(struct uvr_sink *sink)
{
	if (!sink)
		return;
	this_cpu_write(signaller, current);
	uvr_eventfd_signal(sink->eventfd);
	this_cpu_write(signaller, NULL);
}

static void ask(struct uvr_sink *sink)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&sink->lock, flags);
	if (!sink->asked) {
		sink->asked = ktime_get_ns();
		if (!sink->armed)
			hrtimer_start(&sink->timer,
				      ns_to_ktime(sink->asked + sink->channel->answer_ns),
				      HRTIMER_MODE_ABS);
		sink->armed = true;
	}
	raw_spin_unlock_irqrestore(&sink->lock, flags);
}

static void answer(struct uvr_sink *sink)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&sink->lock, flags);
	sink->asked = 0;
	raw_spin_unlock_irqrestore(&sink->lock, flags);
}

/* When the answer is due that the sink waits for; 0 if it waits for none. */
static u64 due(struct uvr_sink *sink)
{
	lockdep_assert_held(&sink->lock);
	return sink->asked ? sink->asked + sink->channel->answer_ns : 0;
}

static bool is_hung(struct uvr_sink *sink)
{
	u64 then;

	if (!sink || !sink->head)
		return false;
	raw_spin_lock_irq(&sink->lock);
	then = due(sink);
	raw_spin_unlock_irq(&sink->lock);
	return then && then <= ktime_get_ns();
}

static enum hrtimer_restart sink_timer(struct hrtimer *timer)
{
	struct uvr_sink *sink = container_of(timer, struct uvr_sink, timer);
	unsigned long flags;
	bool early;
	u64 then;

	raw_spin_lock_irqsave(&sink->lock, flags);
	then = due(sink);
	early = then > ktime_get_ns();
	if (early)
		hrtimer_set_expires(timer, ns_to_ktime(then));
	sink->armed = early;
	raw_spin_unlock_irqrestore(&sink->lock, flags);
	if (then && !early)
		uvr_object_defer(&sink->channel->object, &sink->channel->hung_work);
	return early ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/* Looks again, now that nobody can come or go: it may be another server by now. */
static void report_hung(struct work_struct *work)
{
	struct uvr_channel *channel = container_of(work, struct uvr_channel, hung_work);
	u32 slot, i;

	down_write(&channel->lock);
	slot = channel->serving;
	for (i = 0; slot != ULTRAVISOR_NO_SLOT && i < channel->doorbells; i++) {
		if (channel->hung_epoch == channel->epoch ||
		    !is_hung(channel->slots[slot].sinks[i]))
			continue;
		channel->hung_epoch = channel->epoch;
		uvr_event(ULTRAVISOR_EVENT_HUNG, channel->object.id, slot, channel->epoch);
	}
	up_write(&channel->lock);
	uvr_object_put(&channel->object);
}

void uvr_doorbell_init(struct uvr_channel *channel)
{
	INIT_WORK(&channel->hung_work, report_hung);
}

static int sink_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct uvr_sink *sink = container_of(wait, struct uvr_sink, wait);

	if (key_to_poll(key) & EPOLLOUT)
		answer(sink);
	else if (key_to_poll(key) & EPOLLIN)
		ask(sink);
	return 0;
}

static void sink_queue(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	struct uvr_sink *sink = container_of(poll, struct uvr_sink, poll);

	sink->head = head;
	add_wait_queue(head, &sink->wait);
}

/* watched: somebody shall read it in time. */
static struct uvr_sink *make_sink(struct uvr_channel *channel, int fd, bool watched)
{
	struct file *file = eventfd_fget(fd);
	struct uvr_sink *sink;

	if (IS_ERR(file))
		return ERR_CAST(file);
	sink = kzalloc(sizeof(*sink), GFP_KERNEL_ACCOUNT);
	if (!sink) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	sink->eventfd = eventfd_ctx_fileget(file);
	sink->channel = channel;
	if (watched) {
		raw_spin_lock_init(&sink->lock);
		hrtimer_setup(&sink->timer, sink_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
		init_waitqueue_func_entry(&sink->wait, sink_wake);
		init_poll_funcptr(&sink->poll, sink_queue);
		vfs_poll(file, &sink->poll);
	}
	fput(file);
	return sink;
}

/* Nobody signals it any more. Not eventfd_ctx_remove_wait_queue: it would read it. */
static void free_sink(struct uvr_sink *sink)
{
	if (!sink)
		return;
	if (sink->head) {
		remove_wait_queue(sink->head, &sink->wait);
		hrtimer_cancel(&sink->timer);
	}
	eventfd_ctx_put(sink->eventfd);
	kfree(sink);
}

static struct uvr_sink *serving_sink(struct uvr_channel *channel, u32 index)
{
	lockdep_assert_held(&channel->bells);
	return channel->serving == ULTRAVISOR_NO_SLOT ? NULL :
	       channel->slots[channel->serving].sinks[index];
}

static void ring_server(struct uvr_channel *channel, u32 index)
{
	struct uvr_sink *sink = serving_sink(channel, index);

	channel->rings_to_server++;
	trace_uvr_ring(channel->object.id, index, channel->serving, sink);
	signal(sink);
}

static void ring_client(struct uvr_channel *channel, u32 index)
{
	struct uvr_sink *sink = channel->client_side.sinks[index];

	lockdep_assert_held(&channel->bells);
	channel->rings_to_client++;
	trace_uvr_ring(channel->object.id, index, ULTRAVISOR_NO_SLOT, sink);
	signal(sink);
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

void uvr_doorbell_ring_server(struct uvr_channel *channel, u32 index)
{
	unsigned long flags;

	spin_lock_irqsave(&channel->bells, flags);
	ring_server(channel, index);
	spin_unlock_irqrestore(&channel->bells, flags);
}

static void source_ring(struct irq_work *work)
{
	struct uvr_source *source = container_of(work, struct uvr_source, work);

	uvr_doorbell_ring_server(source->channel, source->index);
}

static int source_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct uvr_source *source = container_of(wait, struct uvr_source, wait);
	u64 count;

	if (key_to_poll(key) & EPOLLIN && !is_signalling()) {
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

static void stop_sources(struct uvr_channel *channel, u32 first, u32 end)
{
	struct uvr_source *source;
	bool any = false;
	u64 count;
	u32 i;

	for (i = first; i < end; i++) {
		source = channel->sources[i];
		if (!source)
			continue;
		eventfd_ctx_remove_wait_queue(source->eventfd, &source->wait, &count);
		irq_work_sync(&source->work);
		any = true;
	}
	if (any)
		synchronize_rcu();
	for (i = first; i < end; i++) {
		if (channel->sources[i])
			free_source(channel->sources[i]);
		channel->sources[i] = NULL;
	}
}

static void set_sink(struct uvr_endpoint *endpoint, u32 index, struct uvr_sink *sink)
{
	struct uvr_channel *channel = endpoint->channel;
	struct uvr_side *side = endpoint->side;
	struct uvr_sink *old;

	spin_lock_irq(&channel->bells);
	old = side->sinks[index];
	side->sinks[index] = sink;
	if (side == &channel->client_side || uvr_endpoint_is_serving(endpoint))
		signal(sink);
	spin_unlock_irq(&channel->bells);
	free_sink(old);
}

void uvr_doorbell_unbind_side(struct uvr_channel *channel, struct uvr_side *side)
{
	struct uvr_sink *sink;
	u32 i;

	lockdep_assert_held_write(&channel->lock);
	if (side == &channel->client_side) {
		uvr_port_unbind_all(channel);
		stop_sources(channel, 0, channel->doorbells);
	}
	for (i = 0; i < channel->doorbells; i++) {
		spin_lock_irq(&channel->bells);
		sink = side->sinks[i];
		side->sinks[i] = NULL;
		spin_unlock_irq(&channel->bells);
		free_sink(sink);
	}
}

static int bind_sink(struct uvr_endpoint *endpoint, u32 index, int fd)
{
	struct uvr_channel *channel = endpoint->channel;
	bool watched = channel->answer_ns && endpoint->side != &channel->client_side;
	struct uvr_sink *sink = NULL;
	int rc;

	if (fd != -1) {
		sink = make_sink(channel, fd, watched);
		if (IS_ERR(sink))
			return PTR_ERR(sink);
	}
	down_write(&channel->lock);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc)
		set_sink(endpoint, index, sink);
	up_write(&channel->lock);
	if (rc)
		free_sink(sink);
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
		stop_sources(channel, index, index + 1);
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

static int bind_port(struct uvr_endpoint *endpoint, u32 index, int number)
{
	struct uvr_channel *channel = endpoint->channel;
	int rc;

	down_write(&channel->lock);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc && number == -1)
		uvr_port_unbind(channel, index);
	else if (!rc)
		rc = uvr_port_bind(channel, index, number);
	up_write(&channel->lock);
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
	case ULTRAVISOR_DOORBELL_PORT:
		if (call->handle->role != UVR_ROLE_CLIENT)
			return -EACCES;
		return arg->what == ULTRAVISOR_DOORBELL_SOURCE ?
		       bind_source(endpoint, arg->index, arg->fd) :
		       bind_port(endpoint, arg->index, arg->fd);
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
		ring_server(channel, index);
	else if (!rc && uvr_endpoint_is_serving(endpoint))
		ring_client(channel, index);
	else if (!rc)
		rc = -EPERM;
	spin_unlock_irqrestore(&channel->bells, flags);
	return rc;
}

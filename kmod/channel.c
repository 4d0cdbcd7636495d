// SPDX-License-Identifier: GPL-2.0
/*
 * A channel's life and its one state machine: who is attached, who serves. The order within a
 * change of server is what makes it safe:
 *
 *	withdraw	the old server can ring no more, a fault of its is SIGBUS
 *	unmap		what it had mapped is gone
 *	serve		epoch raised in the header, doorbells moved, the new server woken
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "channel.h"
#include "charge.h"
#include "doorbell.h"
#include "endpoint.h"
#include "event.h"
#include "ioctl.h"
#include "partition.h"

#define MIN_ANSWER_NS NSEC_PER_MSEC
#define MAX_ANSWER_NS (3600 * NSEC_PER_SEC)

static void event(struct uvr_channel *channel, enum ultravisor_event what, u32 slot)
{
	uvr_event(what, channel->object.id, slot, channel->epoch);
}

struct uvr_partition *uvr_channel_granted(struct uvr_channel *channel)
{
	return channel->flags & ULTRAVISOR_CHANNEL_GRANT ? channel->client : NULL;
}

/* Tells both sides to look again. */
static void tell(struct uvr_channel *channel, bool client, bool servers)
{
	lockdep_assert_held_write(&channel->lock);
	WRITE_ONCE(channel->client_news, channel->client_news + client);
	WRITE_ONCE(channel->server_news, channel->server_news + servers);
	wake_up_poll(&channel->news, EPOLLIN | EPOLLHUP);
}

/* Ends the attachment of a side that has one, and all rights that came with it. */
static void withdraw(struct uvr_channel *channel, struct uvr_side *side)
{
	struct uvr_attachment *attachment = side->attachment;
	u32 slot = uvr_side_slot(channel, side);
	bool standby = slot != ULTRAVISOR_NO_SLOT && slot != channel->serving;

	lockdep_assert_held_write(&channel->lock);
	spin_lock_irq(&channel->bells);
	attachment->endpoint->attachment = NULL;
	attachment->endpoint = NULL;
	side->attachment = NULL;
	if (slot != ULTRAVISOR_NO_SLOT && slot == channel->serving)
		channel->serving = ULTRAVISOR_NO_SLOT;
	spin_unlock_irq(&channel->bells);

	uvr_doorbell_unbind_side(channel, side);
	uvr_area_unmap(channel, standby);
	/* Frees it once no mm_release is running; within one it is fine, too. */
	mmu_notifier_put(&attachment->notifier);
}

u32 uvr_channel_elect(const struct uvr_channel *channel)
{
	u32 slot;

	lockdep_assert_held(&channel->lock);
	for (slot = 0; slot < ULTRAVISOR_MAX_SERVERS; slot++)
		if (channel->slots[slot].attachment)
			return slot;
	return ULTRAVISOR_NO_SLOT;
}

static void serve(struct uvr_channel *channel, u32 slot)
{
	struct ultravisor_channel_header *header = channel->header;

	lockdep_assert_held_write(&channel->lock);
	channel->epoch++;
	if (slot == ULTRAVISOR_NO_SLOT)
		memset(header->server_uuid, 0, sizeof(header->server_uuid));
	else
		memcpy(header->server_uuid, channel->slots[slot].uuid,
		       sizeof(header->server_uuid));
	/* Pairs with the acquire of whoever maps the header: a new epoch shows the new server. */
	smp_store_release(&header->epoch, channel->epoch);

	spin_lock_irq(&channel->bells);
	channel->serving = slot;
	/* Whatever was rung while nobody served, or at the old server, is rung now. */
	uvr_doorbell_signal_slot(channel, slot);
	spin_unlock_irq(&channel->bells);
	tell(channel, true, true);
}

/* After the serving slot has been withdrawn. */
static void succeed(struct uvr_channel *channel, u32 gone, u32 next)
{
	serve(channel, next);
	event(channel, ULTRAVISOR_EVENT_SERVER_GONE, gone);
	if (next == ULTRAVISOR_NO_SLOT)
		event(channel, ULTRAVISOR_EVENT_UNSERVED, gone);
	else
		event(channel, ULTRAVISOR_EVENT_PROMOTED, next);
}

void uvr_channel_attach(struct uvr_channel *channel, struct uvr_attachment *attachment)
{
	struct uvr_side *side = attachment->endpoint->side;
	u32 slot = uvr_side_slot(channel, side);

	lockdep_assert_held_write(&channel->lock);
	spin_lock_irq(&channel->bells);
	side->attachment = attachment;
	attachment->endpoint->attachment = attachment;
	spin_unlock_irq(&channel->bells);

	if (slot == ULTRAVISOR_NO_SLOT) {
		tell(channel, false, true);
		event(channel, ULTRAVISOR_EVENT_CLIENT_ATTACHED, slot);
		return;
	}
	tell(channel, true, false);
	event(channel, ULTRAVISOR_EVENT_SERVER_ATTACHED, slot);
	if (channel->serving == ULTRAVISOR_NO_SLOT && !channel->parked) {
		serve(channel, slot);
		event(channel, ULTRAVISOR_EVENT_PROMOTED, slot);
	}
}

void uvr_channel_detach(struct uvr_channel *channel, struct uvr_side *side)
{
	u32 slot = uvr_side_slot(channel, side);
	bool served;

	lockdep_assert_held_write(&channel->lock);
	if (!side->attachment)
		return;
	served = slot != ULTRAVISOR_NO_SLOT && slot == channel->serving;
	withdraw(channel, side);
	if (slot == ULTRAVISOR_NO_SLOT) {
		tell(channel, false, true);
		event(channel, ULTRAVISOR_EVENT_CLIENT_GONE, slot);
	} else if (served) {
		succeed(channel, slot, uvr_channel_elect(channel));
	} else {
		tell(channel, true, false);
		event(channel, ULTRAVISOR_EVENT_SERVER_GONE, slot);
	}
}

/* Makes every descriptor of a side stale. */
static void expire(struct uvr_channel *channel, struct uvr_side *side)
{
	lockdep_assert_held_write(&channel->lock);
	spin_lock_irq(&channel->bells);
	side->generation++;
	spin_unlock_irq(&channel->bells);
	uvr_channel_detach(channel, side);
	tell(channel, true, true);	/* HUP, for those that were not attached */
}

void uvr_channel_park(struct uvr_channel *channel, bool park)
{
	u32 slot;

	down_write(&channel->lock);
	channel->parked = park;
	slot = park ? channel->serving : uvr_channel_elect(channel);
	if (slot != ULTRAVISOR_NO_SLOT && park) {
		withdraw(channel, &channel->slots[slot]);
		serve(channel, ULTRAVISOR_NO_SLOT);
		event(channel, ULTRAVISOR_EVENT_SERVER_GONE, slot);
	} else if (slot != ULTRAVISOR_NO_SLOT) {
		serve(channel, slot);
		event(channel, ULTRAVISOR_EVENT_PROMOTED, slot);
	}
	up_write(&channel->lock);
}

void uvr_channel_revoke_all(struct uvr_channel *channel)
{
	u32 slot;

	down_write(&channel->lock);
	if (!channel->revoked) {
		channel->revoked = true;
		/* From the last slot down: standbys go before the server, so none is promoted. */
		for (slot = ULTRAVISOR_MAX_SERVERS; slot-- > 0; )
			if (slot != channel->serving)
				expire(channel, &channel->slots[slot]);
		if (channel->serving != ULTRAVISOR_NO_SLOT)
			expire(channel, &channel->slots[channel->serving]);
		expire(channel, &channel->client_side);
		event(channel, ULTRAVISOR_EVENT_REVOKED, ULTRAVISOR_NO_SLOT);
	}
	up_write(&channel->lock);
}

static const struct file_operations channel_fops = {
	.owner = THIS_MODULE,
	.release = uvr_handle_release,
	.unlocked_ioctl = uvr_ioctl,
};

struct file *uvr_channel_file(struct uvr_object *object)
{
	return uvr_handle_file("[ultravisor-channel]", &channel_fops, UVR_ROLE_CHANNEL, object,
			       NULL);
}

static void destroy(struct uvr_object *object)
{
	struct uvr_channel *channel = uvr_channel(object);

	uvr_channel_revoke_all(channel);
	/* Nobody can map it any more: its memory does not wait for descriptors to be closed. */
	down_write(&channel->lock);
	uvr_area_drop(channel);
	up_write(&channel->lock);
	if (channel->client)
		uvr_partition_forget(channel->client, channel);
}

static void free_sides(struct uvr_channel *channel)
{
	u32 slot;

	kfree(channel->client_side.sinks);
	for (slot = 0; slot < ULTRAVISOR_MAX_SERVERS; slot++)
		kfree(channel->slots[slot].sinks);
	kfree(channel->sources);
}

/* Copes with a channel that is built only in part. */
static void free_channel(struct uvr_object *object)
{
	struct uvr_channel *channel = uvr_channel(object);

	uvr_area_uninit(channel);
	free_sides(channel);
	if (channel->client)
		uvr_object_put(&channel->client->object);
	kfree(channel);
}

/* The owner of a channel is its client. */
static void show(struct uvr_object *object, struct seq_file *m)
{
	struct uvr_channel *channel = uvr_channel(object);
	u32 slot;

	down_read(&channel->lock);
	seq_printf(m, " %s client=%llu bytes=%llu type=%u epoch=%llu client_attached=%d serving=%d",
		   channel->revoked ? "revoked" : channel->parked ? "parked" : "in-use",
		   channel->client ? channel->client->object.id : 0, channel->bytes, channel->type,
		   channel->epoch, !!channel->client_side.attachment, (s32)channel->serving);
	seq_puts(m, " attached=");
	for (slot = 0; slot < ULTRAVISOR_MAX_SERVERS; slot++)
		seq_putc(m, channel->slots[slot].attachment ? '0' + slot : '-');
	seq_printf(m, " rings_to_server=%llu rings_to_client=%llu",
		   READ_ONCE(channel->rings_to_server), READ_ONCE(channel->rings_to_client));
	up_read(&channel->lock);
}

static const struct uvr_object_ops ops = {
	.destroy = destroy,
	.free = free_channel,
	.show = show,
};

static int alloc_sinks(struct uvr_channel *channel, struct uvr_side *side)
{
	side->sinks = kcalloc(channel->doorbells, sizeof(*side->sinks), GFP_KERNEL_ACCOUNT);
	return side->sinks ? 0 : -ENOMEM;
}

static int build_sides(struct uvr_channel *channel)
{
	u32 slot;
	int rc;

	channel->sources = kcalloc(channel->doorbells, sizeof(*channel->sources),
				   GFP_KERNEL_ACCOUNT);
	rc = channel->sources ? alloc_sinks(channel, &channel->client_side) : -ENOMEM;
	for (slot = 0; !rc && slot < ULTRAVISOR_MAX_SERVERS; slot++)
		rc = alloc_sinks(channel, &channel->slots[slot]);
	return rc;
}

static int build(struct uvr_channel *channel, const struct ultravisor_channel_create *arg)
{
	int rc = build_sides(channel);

	return rc ?: uvr_area_init(channel, arg);
}

static void fill_header(struct uvr_channel *channel,
			const struct ultravisor_channel_create *arg)
{
	struct ultravisor_channel_header *header = channel->header;

	header->magic = ULTRAVISOR_CHANNEL_MAGIC;
	header->header_size = sizeof(*header);
	header->type = arg->type;
	header->layout_version = arg->layout_version;
	header->flags = arg->flags;
	header->total_size = channel->bytes;
	header->client_size = arg->client_size;
	header->server_size = arg->server_size;
	header->private_size = arg->private_size;
	header->doorbells = arg->doorbells;
	memcpy(header->uuid, arg->uuid, sizeof(header->uuid));
	if (channel->client)
		memcpy(header->client_uuid, channel->client->object.uuid,
		       sizeof(header->client_uuid));
}

static int check_create(const struct ultravisor_channel_create *arg)
{
	if (arg->reserved)
		return -EOPNOTSUPP;
	if (!memchr_inv(arg->uuid, 0, sizeof(arg->uuid)))
		return -EINVAL;
	if ((arg->client_size | arg->server_size | arg->private_size) & ~PAGE_MASK)
		return -EINVAL;
	if (arg->client_size > ULTRAVISOR_MAX_AREA || arg->server_size > ULTRAVISOR_MAX_AREA ||
	    arg->private_size > ULTRAVISOR_MAX_AREA || arg->doorbells > ULTRAVISOR_MAX_DOORBELLS)
		return -EINVAL;
	if (arg->flags & ULTRAVISOR_CHANNEL_GRANT && !arg->client_id)
		return -EINVAL;
	if (arg->answer_ns && (arg->answer_ns < MIN_ANSWER_NS || arg->answer_ns > MAX_ANSWER_NS))
		return -EINVAL;
	return 0;
}

static struct uvr_channel *alloc_channel(const struct ultravisor_channel_create *arg)
{
	struct uvr_channel *channel = kzalloc(sizeof(*channel), GFP_KERNEL_ACCOUNT);

	if (!channel)
		return NULL;
	init_rwsem(&channel->lock);
	spin_lock_init(&channel->bells);
	init_waitqueue_head(&channel->news);
	INIT_LIST_HEAD(&channel->of_client);
	uvr_doorbell_init(channel);
	channel->serving = ULTRAVISOR_NO_SLOT;
	channel->client_news = 1;	/* an endpoint that has never looked has news */
	channel->server_news = 1;
	channel->type = arg->type;
	channel->flags = arg->flags;
	channel->doorbells = arg->doorbells;
	channel->answer_ns = arg->answer_ns;
	channel->bytes = PAGE_SIZE + arg->client_size + arg->server_size + arg->private_size;
	channel->object.transaction = arg->transaction;
	memcpy(channel->object.uuid, arg->uuid, sizeof(channel->object.uuid));
	return channel;
}

/* What the call settles, should it fail. */
static int create(struct uvr_channel *channel, const struct ultravisor_channel_create *arg)
{
	int rc = channel->client ? uvr_partition_adopt(channel->client, channel) : 0;

	if (!rc)
		rc = build(channel, arg);
	if (!rc)
		fill_header(channel, arg);
	return rc;
}

long uvr_channel_create(struct uvr_call *call)
{
	struct ultravisor_channel_create *arg = call->arg;
	struct mem_cgroup *memcg = NULL, *before;
	struct uvr_object *client = NULL;
	struct uvr_channel *channel;
	int rc;

	rc = check_create(arg);
	if (rc)
		return rc;
	if (arg->client_id) {
		client = uvr_object_find(arg->client_id, ULTRAVISOR_KIND_PARTITION);
		if (!client)
			return -ENOENT;
		memcg = uvr_partition(client)->memcg;
	}
	before = uvr_charge_begin(memcg);
	channel = alloc_channel(arg);
	rc = channel ? uvr_object_reserve(&channel->object, ULTRAVISOR_KIND_CHANNEL, &ops)
		     : -ENOMEM;
	if (!rc) {
		/* From here on the call settles what is left undone. */
		call->object = &channel->object;
		channel->client = client ? uvr_partition(client) : NULL;
		rc = create(channel, arg);
	} else {
		kfree(channel);
		if (client)
			uvr_object_put(client);
	}
	uvr_charge_end(before);
	if (rc)
		return rc;
	arg->out_id = channel->object.id;
	arg->out_reserved = 0;
	return uvr_call_file(call, uvr_channel_file(&channel->object), &arg->out_fd);
}

static u32 slot_state(struct uvr_channel *channel, u32 slot)
{
	const struct uvr_side *side = &channel->slots[slot];

	if (slot == channel->serving)
		return ULTRAVISOR_SLOT_SERVING;
	if (side->attachment)
		return ULTRAVISOR_SLOT_STANDBY;
	return memchr_inv(side->uuid, 0, sizeof(side->uuid)) ? ULTRAVISOR_SLOT_ABSENT
							     : ULTRAVISOR_SLOT_EMPTY;
}

long uvr_channel_info(struct uvr_call *call)
{
	struct uvr_channel *channel = uvr_channel(call->handle->object);
	struct ultravisor_channel_info *arg = call->arg;
	u32 slot;

	arg->out_id = channel->object.id;
	arg->out_client_id = channel->client ? channel->client->object.id : 0;
	memcpy(arg->out_uuid, channel->object.uuid, sizeof(arg->out_uuid));
	arg->out_type = channel->type;

	down_read(&channel->lock);
	arg->out_epoch = channel->epoch;
	arg->out_client_attached = !!channel->client_side.attachment;
	arg->out_serving = channel->serving;
	arg->out_revoked = channel->revoked;
	for (slot = 0; slot < ULTRAVISOR_MAX_SERVERS; slot++) {
		arg->out_slots[slot] = slot_state(channel, slot);
		memcpy(arg->out_server_uuids[slot], channel->slots[slot].uuid,
		       sizeof(arg->out_server_uuids[slot]));
	}
	up_read(&channel->lock);
	return 0;
}

long uvr_server_set(struct uvr_call *call)
{
	struct uvr_channel *channel = uvr_channel(call->handle->object);
	struct ultravisor_server_set *arg = call->arg;
	struct uvr_side *side;
	long rc = 0;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (arg->slot >= ULTRAVISOR_MAX_SERVERS)
		return -EINVAL;
	side = &channel->slots[arg->slot];

	down_write(&channel->lock);
	if (channel->revoked) {
		rc = -ESHUTDOWN;
	} else if (memcmp(side->uuid, arg->uuid, sizeof(side->uuid))) {
		expire(channel, side);
		memcpy(side->uuid, arg->uuid, sizeof(side->uuid));
	}
	up_write(&channel->lock);
	return rc;
}

long uvr_channel_promote(struct uvr_call *call)
{
	struct uvr_channel *channel = uvr_channel(call->handle->object);
	struct ultravisor_channel_promote *arg = call->arg;
	u32 old;
	long rc = 0;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (arg->slot >= ULTRAVISOR_MAX_SERVERS)
		return -EINVAL;

	down_write(&channel->lock);
	old = channel->serving;
	if (channel->revoked) {
		rc = -ESHUTDOWN;
	} else if (!channel->slots[arg->slot].attachment) {
		rc = -ENOTCONN;
	} else if (channel->parked) {
		rc = -ETIME;
	} else if (old != arg->slot) {
		/* With a slot attached somebody serves, so there is an old one. */
		withdraw(channel, &channel->slots[old]);
		succeed(channel, old, arg->slot);
	}
	arg->out_epoch = channel->epoch;
	up_write(&channel->lock);
	return rc;
}

long uvr_channel_revoke(struct uvr_call *call)
{
	struct uvr_channel *channel = uvr_channel(call->handle->object);
	struct ultravisor_channel_revoke *arg = call->arg;
	struct uvr_side *side;

	switch (arg->what) {
	case ULTRAVISOR_REVOKE_ALL:
		if (arg->slot)
			return -EINVAL;
		uvr_channel_revoke_all(channel);
		return 0;
	case ULTRAVISOR_REVOKE_CLIENT:
		if (arg->slot)
			return -EINVAL;
		side = &channel->client_side;
		break;
	case ULTRAVISOR_REVOKE_SLOT:
		if (arg->slot >= ULTRAVISOR_MAX_SERVERS)
			return -EINVAL;
		side = &channel->slots[arg->slot];
		break;
	default:
		return -EOPNOTSUPP;
	}
	down_write(&channel->lock);
	expire(channel, side);
	event(channel, ULTRAVISOR_EVENT_REVOKED, uvr_side_slot(channel, side));
	up_write(&channel->lock);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "endpoint.h"
#include "object.h"
#include "watch.h"

static bool is_stale(const struct uvr_endpoint *endpoint)
{
	return READ_ONCE(endpoint->side->generation) != endpoint->generation;
}

int uvr_endpoint_check(const struct uvr_endpoint *endpoint, const struct mm_struct *mm)
{
	const struct uvr_attachment *attachment = endpoint->attachment;

	if (is_stale(endpoint))
		return -ESTALE;
	return attachment && attachment->notifier.mm == mm ? 0 : -ENOTCONN;
}

bool uvr_endpoint_is_serving(const struct uvr_endpoint *endpoint)
{
	const struct uvr_channel *channel = endpoint->channel;

	/* Another endpoint of the same slot may be the one that serves. */
	return endpoint->attachment && channel->serving != ULTRAVISOR_NO_SLOT &&
	       endpoint->side == &channel->slots[channel->serving];
}

/*
 * The process's address space ends; no thread of it can touch the channel any more, though its
 * mappings are still there. Its successor must not serve before they are not.
 */
static void mm_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct uvr_attachment *attachment = container_of(notifier, struct uvr_attachment, notifier);
	struct uvr_channel *channel = attachment->channel;

	down_write(&channel->lock);
	if (attachment->endpoint)
		uvr_channel_detach(channel, attachment->endpoint->side);
	up_write(&channel->lock);
}

static void free_attachment(struct mmu_notifier *notifier)
{
	struct uvr_attachment *attachment = container_of(notifier, struct uvr_attachment, notifier);

	uvr_object_put(&attachment->channel->object);
	kfree(attachment);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = mm_release,
	.free_notifier = free_attachment,
};

static int check_attach(struct uvr_endpoint *endpoint)
{
	lockdep_assert_held(&endpoint->channel->lock);
	if (is_stale(endpoint))
		return -ESTALE;
	return endpoint->side->attachment ? -EBUSY : 0;
}

/*
 * The notifier is registered first, without the channel's lock: that takes the mmap lock, under
 * which page faults take ours. Its release cannot come before the caller, a thread of that
 * address space, returns.
 */
long uvr_attach(struct uvr_call *call)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(call->handle);
	struct uvr_channel *channel = endpoint->channel;
	struct uvr_attachment *attachment;
	int rc;

	down_read(&channel->lock);
	rc = check_attach(endpoint);
	up_read(&channel->lock);
	if (rc)
		return rc;

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return -ENOMEM;
	attachment->notifier.ops = &notifier_ops;
	attachment->channel = channel;
	rc = uvr_watch_current(&attachment->notifier);
	if (rc) {
		kfree(attachment);
		return rc;
	}
	uvr_object_get(&channel->object);

	/* Again: somebody else may have come first. */
	down_write(&channel->lock);
	rc = check_attach(endpoint);
	if (!rc) {
		attachment->endpoint = endpoint;
		uvr_channel_attach(channel, attachment);
	}
	up_write(&channel->lock);
	if (rc)
		mmu_notifier_put(&attachment->notifier);
	return rc;
}

long uvr_detach(struct uvr_call *call)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(call->handle);
	struct uvr_channel *channel = endpoint->channel;
	int rc;

	down_write(&channel->lock);
	rc = uvr_endpoint_check(endpoint, current->mm);
	if (!rc)
		uvr_channel_detach(channel, endpoint->side);
	up_write(&channel->lock);
	return rc;
}

static bool is_served(const struct uvr_channel *channel)
{
	return channel->serving != ULTRAVISOR_NO_SLOT;
}

/* Without a lease that is over, one of those that are attached serves. */
static bool has_server(const struct uvr_channel *channel)
{
	return uvr_channel_elect(channel) != ULTRAVISOR_NO_SLOT;
}

long uvr_endpoint_info(struct uvr_call *call)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(call->handle);
	struct uvr_channel *channel = endpoint->channel;
	struct ultravisor_endpoint_info *arg = call->arg;
	bool client = call->handle->role == UVR_ROLE_CLIENT;

	down_read(&channel->lock);
	if (is_stale(endpoint)) {
		up_read(&channel->lock);
		return -ESTALE;
	}
	arg->out_channel_id = channel->object.id;
	arg->out_epoch = channel->epoch;
	arg->out_role = client ? ULTRAVISOR_ROLE_CLIENT : ULTRAVISOR_ROLE_SERVER;
	arg->out_slot = uvr_side_slot(channel, endpoint->side);
	arg->out_attached = !uvr_endpoint_check(endpoint, current->mm);
	arg->out_serving = client ? is_served(channel) : uvr_endpoint_is_serving(endpoint);
	arg->out_peer_attached = client ? has_server(channel) : !!channel->client_side.attachment;
	arg->out_doorbells = channel->doorbells;
	WRITE_ONCE(endpoint->seen, client ? channel->client_news : channel->server_news);
	up_read(&channel->lock);
	return 0;
}

static __poll_t endpoint_poll(struct file *file, poll_table *wait)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(file->private_data);
	struct uvr_channel *channel = endpoint->channel;
	u64 news;

	/* Waits first, looks then: news made in between wakes. */
	poll_wait(file, &channel->news, wait);
	if (is_stale(endpoint))
		return EPOLLHUP;
	news = endpoint->handle.role == UVR_ROLE_CLIENT ? READ_ONCE(channel->client_news)
							: READ_ONCE(channel->server_news);
	return news != READ_ONCE(endpoint->seen) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int endpoint_mmap(struct file *file, struct vm_area_struct *vma)
{
	return uvr_area_mmap(uvr_endpoint(file->private_data), vma);
}

/* The last descriptor and the last mapping are gone: nobody can use the attachment either. */
static int endpoint_release(struct inode *inode, struct file *file)
{
	struct uvr_endpoint *endpoint = uvr_endpoint(file->private_data);
	struct uvr_channel *channel = endpoint->channel;

	down_write(&channel->lock);
	if (endpoint->attachment)
		uvr_channel_detach(channel, endpoint->side);
	up_write(&channel->lock);
	uvr_object_put(endpoint->handle.object);
	kfree(endpoint);
	return 0;
}

static const struct file_operations endpoint_fops = {
	.owner = THIS_MODULE,
	.release = endpoint_release,
	.unlocked_ioctl = uvr_ioctl,
	.poll = endpoint_poll,
	.mmap = endpoint_mmap,
};

static int open_side(struct uvr_endpoint *endpoint)
{
	struct uvr_channel *channel = endpoint->channel;
	struct uvr_side *side = endpoint->side;
	int rc = 0;

	down_read(&channel->lock);
	if (channel->revoked)
		rc = -ESHUTDOWN;
	else if (endpoint->handle.role == UVR_ROLE_SERVER &&
		 !memchr_inv(side->uuid, 0, sizeof(side->uuid)))
		rc = -ENXIO;
	endpoint->generation = side->generation;
	up_read(&channel->lock);
	return rc;
}

struct file *uvr_endpoint_file(struct uvr_channel *channel, u32 role, u32 slot)
{
	struct uvr_endpoint *endpoint;
	struct file *file;
	int rc;

	endpoint = kzalloc(sizeof(*endpoint), GFP_KERNEL_ACCOUNT);
	if (!endpoint)
		return ERR_PTR(-ENOMEM);
	endpoint->channel = channel;
	endpoint->handle.object = &channel->object;
	if (role == ULTRAVISOR_ROLE_CLIENT) {
		endpoint->handle.role = UVR_ROLE_CLIENT;
		endpoint->side = &channel->client_side;
	} else {
		endpoint->handle.role = UVR_ROLE_SERVER;
		endpoint->side = &channel->slots[slot];
	}
	rc = open_side(endpoint);
	file = rc ? ERR_PTR(rc) : uvr_area_file(channel, &endpoint_fops);
	if (IS_ERR(file)) {
		kfree(endpoint);
		return file;
	}
	uvr_object_get(&channel->object);
	file->private_data = endpoint;
	return file;
}

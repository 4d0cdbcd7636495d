// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "channel.h"
#include "charge.h"
#include "context.h"
#include "ioctl.h"
#include "partition.h"
#include "vm.h"

/* An area's place within a file offset bounds a block, see ULTRAVISOR_AREA_SHIFT. */
#define MAX_BLOCK BIT_ULL(ULTRAVISOR_AREA_SHIFT)
/* No x86 processor has more physical address bits. */
#define MAX_GPA BIT_ULL(52)

static const struct file_operations partition_fops = {
	.owner = THIS_MODULE,
	.release = uvr_handle_release,
	.unlocked_ioctl = uvr_ioctl,
};

struct file *uvr_partition_file(struct uvr_object *object, u32 role)
{
	return uvr_handle_file("[ultravisor-partition]", &partition_fops,
			       role == ULTRAVISOR_ROLE_CONTROL ? UVR_ROLE_PARTITION
							       : UVR_ROLE_MONITOR,
			       object, NULL);
}

/* Waits until no context executes guest code; each has been told to leave. */
static int wait_out(struct uvr_partition *partition, bool killable)
{
	struct uvr_context *context;
	u32 i;

	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++) {
		context = READ_ONCE(partition->contexts[i]);
		if (!context)
			continue;
		/*
		 * The wake-up comes when the context leaves the guest. A runner that was put to
		 * sleep inside KVM_RUN, say by a page fault, wakes nobody, hence the timeout.
		 */
		while (!uvr_context_is_out(context)) {
			if (!killable)
				wait_event_timeout(partition->out, uvr_context_is_out(context), 1);
			else if (wait_event_killable_timeout(partition->out,
							     uvr_context_is_out(context), 1) < 0)
				return -EINTR;
		}
	}
	return 0;
}

static void hold_contexts(struct uvr_partition *partition, u32 hold)
{
	u32 i;

	lockdep_assert_held(&partition->lock);
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_hold(partition->contexts[i], hold);
}

/*
 * In this order: nothing of the guest executes, so its processors are free; its channels are
 * revoked, so nobody looks at its memory, which is let go; the module's part of the VM goes.
 * Descriptors of contexts keep the rest until they are closed.
 */
static void destroy(struct uvr_object *object)
{
	struct uvr_partition *partition = uvr_partition(object);
	struct uvr_channel *channel;
	u32 i;

	mutex_lock(&partition->lock);
	WRITE_ONCE(partition->dead, true);
	hold_contexts(partition, UVR_HOLD_DEAD);
	wait_out(partition, false);
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_retire(partition->contexts[i]);
	list_for_each_entry(channel, &partition->channels, of_client)
		uvr_channel_revoke_all(channel);
	for (i = 0; i < partition->nr_blocks; i++)
		uvr_block_uninit(&partition->blocks[i]);
	uvr_vm_put(partition);
	mutex_unlock(&partition->lock);
	/* Its work item finds the partition dead. */
	uvr_lease_uninit(&partition->lease);
}

static void free_partition(struct uvr_object *object)
{
	struct uvr_partition *partition = uvr_partition(object);
	u32 i;

	WARN_ON(!list_empty(&partition->channels));
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_free(partition->contexts[i]);
	uvr_charge_put(partition->memcg);
	kfree(partition);
}

static u32 state(struct uvr_partition *partition)
{
	lockdep_assert_held(&partition->lock);
	if (partition->dead)
		return ULTRAVISOR_PARTITION_DEAD;
	if (!uvr_object_is_published(&partition->object))
		return ULTRAVISOR_PARTITION_PREPARED;
	return partition->stopped ? ULTRAVISOR_PARTITION_STOPPED : ULTRAVISOR_PARTITION_RUNNING;
}

static void add_use(struct uvr_partition *partition, struct uvr_use *use, u64 *exits)
{
	u32 i;

	lockdep_assert_held(&partition->lock);
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_add_use(partition->contexts[i], use, exits);
}

static void show(struct uvr_object *object, struct seq_file *m)
{
	static const char * const states[] = {
		[ULTRAVISOR_PARTITION_PREPARED] = "prepared",
		[ULTRAVISOR_PARTITION_RUNNING] = "running",
		[ULTRAVISOR_PARTITION_STOPPED] = "stopped",
		[ULTRAVISOR_PARTITION_DEAD] = "dead",
	};
	struct uvr_partition *partition = uvr_partition(object);
	struct uvr_use use = {};
	u64 exits = 0;

	mutex_lock(&partition->lock);
	add_use(partition, &use, &exits);
	seq_printf(m, " %s name=%s monitor=%d contexts=%u blocks=%u channels=%u channel_bytes=%llu",
		   states[state(partition)], partition->name, uvr_vm_maker(partition),
		   partition->nr_contexts, partition->nr_blocks, partition->nr_channels,
		   partition->channel_bytes);
	mutex_unlock(&partition->lock);
	seq_printf(m, " cgroup=%llu run_ns=%llu exits=%llu lease=%s",
		   uvr_charge_inode(partition->memcg), use.run_ns, exits,
		   uvr_lease_is_over(&partition->lease) ? "over" :
		   READ_ONCE(partition->lease.term.deadline) ? "held" : "none");
}

static const struct uvr_object_ops ops = {
	.destroy = destroy,
	.free = free_partition,
	.show = show,
};

static struct uvr_partition *alloc_partition(const struct ultravisor_partition_create *arg,
					     struct mem_cgroup *memcg)
{
	struct mem_cgroup *before = uvr_charge_begin(memcg);
	struct uvr_partition *partition = kzalloc(sizeof(*partition), GFP_KERNEL_ACCOUNT);

	uvr_charge_end(before);
	if (!partition)
		return NULL;
	mutex_init(&partition->making);
	mutex_init(&partition->lock);
	INIT_LIST_HEAD(&partition->channels);
	init_waitqueue_head(&partition->out);
	uvr_lease_init(&partition->lease);
	uvr_ports_init(&partition->ports);
	strscpy(partition->name, arg->name, sizeof(partition->name));
	memcpy(partition->object.uuid, arg->uuid, sizeof(partition->object.uuid));
	partition->object.transaction = arg->transaction;
	partition->memcg = memcg;
	partition->max_channels = arg->max_channels;
	partition->max_channel_bytes = arg->max_channel_bytes;
	return partition;
}

long uvr_partition_create(struct uvr_call *call)
{
	struct ultravisor_partition_create *arg = call->arg;
	struct uvr_partition *partition;
	struct mem_cgroup *memcg;
	int rc;

	if (!memchr_inv(arg->uuid, 0, sizeof(arg->uuid)) || !arg->name[0] ||
	    strnlen(arg->name, sizeof(arg->name)) == sizeof(arg->name))
		return -EINVAL;

	rc = uvr_charge_get(&memcg, arg->flags, arg->cgroup);
	if (rc)
		return rc;
	partition = alloc_partition(arg, memcg);
	if (!partition) {
		uvr_charge_put(memcg);
		return -ENOMEM;
	}
	rc = uvr_object_reserve(&partition->object, ULTRAVISOR_KIND_PARTITION, &ops);
	if (rc) {
		uvr_charge_put(memcg);
		kfree(partition);
		return rc;
	}
	call->object = &partition->object;
	arg->out_id = partition->object.id;
	arg->out_reserved = 0;
	return uvr_call_file(call, uvr_partition_file(&partition->object, ULTRAVISOR_ROLE_CONTROL),
			     &arg->out_fd);
}

long uvr_partition_info(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_partition_info *arg = call->arg;
	struct uvr_use use = {};
	u64 exits = 0;
	u32 i;

	memset(arg->out_name, 0, sizeof(arg->out_name));
	strscpy(arg->out_name, partition->name, sizeof(arg->out_name));
	memcpy(arg->out_uuid, partition->object.uuid, sizeof(arg->out_uuid));
	arg->out_id = partition->object.id;
	arg->out_memory = 0;

	mutex_lock(&partition->lock);
	arg->out_state = state(partition);
	arg->out_contexts = partition->nr_contexts;
	arg->out_blocks = partition->nr_blocks;
	arg->out_monitor = uvr_vm_maker(partition);
	arg->out_channels = partition->nr_channels;
	arg->out_channel_bytes = partition->channel_bytes;
	for (i = 0; i < partition->nr_blocks; i++)
		arg->out_memory += partition->blocks[i].length;
	add_use(partition, &use, &exits);
	mutex_unlock(&partition->lock);
	uvr_lease_info(&partition->lease, arg);
	arg->out_run_ns = use.run_ns;
	arg->out_stolen_ns = use.stolen_ns;
	arg->out_exits = exits;
	return 0;
}

/*
 * The lock is dropped before the wait: a partition can be destroyed, or resumed, while somebody
 * waits for it to stop. Contexts are freed only with the partition.
 */
long uvr_partition_stop(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);

	mutex_lock(&partition->lock);
	if (partition->dead) {
		mutex_unlock(&partition->lock);
		return -ESHUTDOWN;
	}
	partition->stopped = true;
	hold_contexts(partition, UVR_HOLD_STOP);
	mutex_unlock(&partition->lock);
	return wait_out(partition, true);
}

long uvr_partition_resume(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	long rc = 0;
	u32 i;

	mutex_lock(&partition->lock);
	if (partition->dead)
		rc = -ESHUTDOWN;
	partition->stopped = false;
	for (i = 0; i < ULTRAVISOR_MAX_CONTEXTS; i++)
		if (partition->contexts[i])
			uvr_context_unhold(partition->contexts[i], UVR_HOLD_STOP);
	mutex_unlock(&partition->lock);
	return rc;
}

struct uvr_block *uvr_partition_block(struct uvr_partition *partition, u32 index)
{
	/* Pairs with the release in uvr_memory_add. */
	if (index >= smp_load_acquire(&partition->nr_blocks))
		return NULL;
	return &partition->blocks[array_index_nospec(index, ULTRAVISOR_MAX_BLOCKS)];
}

static bool overlaps(struct uvr_partition *partition, u64 gpa, u64 length)
{
	u32 i;

	for (i = 0; i < partition->nr_blocks; i++) {
		const struct uvr_block *b = &partition->blocks[i];

		if (gpa < b->gpa + b->length && b->gpa < gpa + length)
			return true;
	}
	return false;
}

static int add_block(struct uvr_partition *partition, struct file *file, u64 gpa, u64 length)
{
	u32 n = partition->nr_blocks;
	int rc;

	lockdep_assert_held(&partition->lock);
	if (partition->dead)
		return -ESHUTDOWN;
	if (n == ULTRAVISOR_MAX_BLOCKS)
		return -ENOSPC;
	if (overlaps(partition, gpa, length))
		return -EEXIST;
	rc = uvr_block_init(&partition->blocks[n], file, gpa, length);
	if (rc)
		return rc;
	/* Pairs with the acquire in uvr_partition_block. */
	smp_store_release(&partition->nr_blocks, n + 1);
	return n;
}

long uvr_memory_add(struct uvr_call *call)
{
	struct uvr_partition *partition = uvr_partition(call->handle->object);
	struct ultravisor_memory_add *arg = call->arg;
	struct file *file;
	u64 end;
	int rc;

	if (!arg->length || (arg->gpa | arg->length) & ~PAGE_MASK || arg->length > MAX_BLOCK ||
	    check_add_overflow(arg->gpa, arg->length, &end) || end > MAX_GPA)
		return -EINVAL;
	file = fget(arg->fd);
	if (!file)
		return -EBADF;

	mutex_lock(&partition->lock);
	rc = add_block(partition, file, arg->gpa, arg->length);
	mutex_unlock(&partition->lock);
	fput(file);
	if (rc < 0)
		return rc;
	arg->out_index = rc;
	return 0;
}

/* Asked by the partition's own descriptors, or by a server of a channel that grants it. */
long uvr_memory_info(struct uvr_call *call)
{
	struct ultravisor_memory_info *arg = call->arg;
	struct uvr_object *object = call->handle->object;
	struct uvr_partition *partition;
	struct uvr_block *block;

	partition = object->kind == ULTRAVISOR_KIND_PARTITION ?
		uvr_partition(object) : uvr_channel_granted(uvr_channel(object));
	if (!partition)
		return -EACCES;
	block = uvr_partition_block(partition, arg->index);
	if (!block)
		return -ENOENT;
	arg->out_reserved = 0;
	arg->out_gpa = block->gpa;
	arg->out_length = block->length;
	return 0;
}

static int check_quota(struct uvr_partition *partition, struct uvr_channel *channel)
{
	lockdep_assert_held(&partition->lock);
	if (partition->max_channels && partition->nr_channels >= partition->max_channels)
		return -EDQUOT;
	/* No sum of areas comes near the end of u64. */
	if (partition->max_channel_bytes &&
	    partition->channel_bytes + channel->bytes > partition->max_channel_bytes)
		return -EDQUOT;
	return 0;
}

int uvr_partition_adopt(struct uvr_partition *partition, struct uvr_channel *channel)
{
	int rc;

	mutex_lock(&partition->lock);
	rc = partition->dead ? -ESHUTDOWN : check_quota(partition, channel);
	if (!rc) {
		list_add(&channel->of_client, &partition->channels);
		partition->nr_channels++;
		partition->channel_bytes += channel->bytes;
		uvr_lease_adopt(&partition->lease, channel);
	}
	mutex_unlock(&partition->lock);
	return rc;
}

void uvr_partition_forget(struct uvr_partition *partition, struct uvr_channel *channel)
{
	mutex_lock(&partition->lock);
	if (!list_empty(&channel->of_client)) {
		list_del_init(&channel->of_client);
		partition->nr_channels--;
		partition->channel_bytes -= channel->bytes;
	}
	mutex_unlock(&partition->lock);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The object table. It is small and changes rarely, so one mutex guards it; nothing on the path
 * of a running guest looks anything up here: descriptors hold their objects.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "channel.h"
#include "endpoint.h"
#include "ioctl.h"
#include "object.h"
#include "partition.h"
#include "trace.h"

static DEFINE_MUTEX(table_lock);
static DEFINE_XARRAY(table);		/* id -> object; a reserved id holds a zero entry */
static DEFINE_XARRAY(living);		/* id -> object, from reservation to its end */
static u64 last_id;			/* table_lock */
static struct workqueue_struct *queue;

static void free_object(struct work_struct *work)
{
	struct uvr_object *object = container_of(work, struct uvr_object, free_work);

	trace_uvr_object_free(object->id, object->kind);
	mutex_lock(&table_lock);
	xa_erase(&living, object->id);
	mutex_unlock(&table_lock);
	object->ops->free(object);
	/* uvr_object_uninit waits for this work item, so the code below the put is still there. */
	module_put(THIS_MODULE);
}

static void release_object(struct kref *ref)
{
	struct uvr_object *object = container_of(ref, struct uvr_object, ref);

	queue_work(queue, &object->free_work);
}

struct uvr_object *uvr_object_get(struct uvr_object *object)
{
	kref_get(&object->ref);
	return object;
}

void uvr_object_put(struct uvr_object *object)
{
	kref_put(&object->ref, release_object);
}

void uvr_object_defer(struct uvr_object *object, struct work_struct *work)
{
	uvr_object_get(object);
	if (!queue_work(queue, work))
		uvr_object_put(object);
}

/* The module stays for as long as any object does; the caller's descriptor holds it till then. */
int uvr_object_reserve(struct uvr_object *object, enum ultravisor_kind kind,
		       const struct uvr_object_ops *ops)
{
	int rc;

	object->kind = kind;
	object->ops = ops;
	kref_init(&object->ref);
	INIT_WORK(&object->free_work, free_object);

	mutex_lock(&table_lock);
	object->id = last_id + 1;
	rc = xa_reserve(&table, object->id, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto out;
	rc = xa_err(xa_store(&living, object->id, object, GFP_KERNEL_ACCOUNT));
	if (rc) {
		xa_release(&table, object->id);
		goto out;
	}
	last_id++;
	__module_get(THIS_MODULE);
out:
	mutex_unlock(&table_lock);
	return rc;
}

struct uvr_object *uvr_object_living(u64 after)
{
	struct uvr_object *object;
	unsigned long id = after;

	mutex_lock(&table_lock);
	do {
		object = xa_find_after(&living, &id, ULONG_MAX, XA_PRESENT);
		/* Without a reference left it waits for free_object, and for this lock. */
	} while (object && !kref_get_unless_zero(&object->ref));
	mutex_unlock(&table_lock);
	return object;
}

void uvr_object_finalize(struct uvr_object *object)
{
	void *old;

	mutex_lock(&table_lock);
	/* The slot exists since the reservation: nothing is allocated, nothing can fail. */
	old = xa_store(&table, object->id, object, GFP_KERNEL);
	mutex_unlock(&table_lock);
	WARN_ON(xa_is_err(old));
	trace_uvr_object_create(object->id, object->kind);
}

void uvr_object_abort(struct uvr_object *object)
{
	xa_release(&table, object->id);
	object->ops->destroy(object);
	uvr_object_put(object);
}

static struct uvr_object *find_locked(u64 id, u32 kind)
{
	struct uvr_object *object = xa_load(&table, id);

	lockdep_assert_held(&table_lock);
	return object && (!kind || object->kind == kind) ? object : NULL;
}

struct uvr_object *uvr_object_find(u64 id, u32 kind)
{
	struct uvr_object *object;

	mutex_lock(&table_lock);
	object = find_locked(id, kind);
	if (object)
		uvr_object_get(object);
	mutex_unlock(&table_lock);
	return object;
}

long uvr_object_open(struct uvr_call *call)
{
	struct ultravisor_object_open *arg = call->arg;
	struct uvr_object *object;
	struct file *file;
	u32 kind;

	switch (arg->role) {
	case ULTRAVISOR_ROLE_CONTROL:
		kind = 0;
		break;
	case ULTRAVISOR_ROLE_MONITOR:
		kind = ULTRAVISOR_KIND_PARTITION;
		break;
	case ULTRAVISOR_ROLE_CLIENT:
	case ULTRAVISOR_ROLE_SERVER:
		kind = ULTRAVISOR_KIND_CHANNEL;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (arg->role == ULTRAVISOR_ROLE_SERVER ? arg->slot >= ULTRAVISOR_MAX_SERVERS : arg->slot)
		return -EINVAL;

	object = uvr_object_find(arg->id, kind);
	if (!object)
		return -ENOENT;

	if (arg->role != ULTRAVISOR_ROLE_CONTROL && !uvr_object_is_published(object))
		file = ERR_PTR(-EAGAIN);
	else if (object->kind == ULTRAVISOR_KIND_PARTITION)
		file = uvr_partition_file(object, arg->role);
	else if (arg->role == ULTRAVISOR_ROLE_CONTROL)
		file = uvr_channel_file(object);
	else
		file = uvr_endpoint_file(uvr_channel(object), arg->role, arg->slot);
	uvr_object_put(object);
	return uvr_call_file(call, file, &arg->out_fd);
}

long uvr_object_next(struct uvr_call *call)
{
	struct ultravisor_object_next *arg = call->arg;
	struct uvr_object *object;
	unsigned long id = arg->id;

	mutex_lock(&table_lock);
	object = xa_find_after(&table, &id, ULONG_MAX, XA_PRESENT);
	if (object) {
		arg->out_id = object->id;
		arg->out_kind = object->kind;
		arg->out_published = object->published;
		arg->out_transaction = object->transaction;
		memcpy(arg->out_uuid, object->uuid, sizeof(arg->out_uuid));
	}
	mutex_unlock(&table_lock);
	return object ? 0 : -ENOENT;
}

long uvr_object_publish(struct uvr_call *call)
{
	struct ultravisor_object *arg = call->arg;
	struct uvr_object *object;

	mutex_lock(&table_lock);
	object = find_locked(arg->id, 0);
	if (object) {
		WRITE_ONCE(object->published, true);
		trace_uvr_object_publish(object->id, object->kind);
	}
	mutex_unlock(&table_lock);
	return object ? 0 : -ENOENT;
}

long uvr_object_destroy(struct uvr_call *call)
{
	struct ultravisor_object *arg = call->arg;
	struct uvr_object *object;

	mutex_lock(&table_lock);
	object = find_locked(arg->id, 0);
	if (object)
		xa_erase(&table, object->id);
	mutex_unlock(&table_lock);
	if (!object)
		return -ENOENT;

	trace_uvr_object_destroy(object->id, object->kind);
	object->ops->destroy(object);
	uvr_object_put(object);
	return 0;
}

int uvr_object_init(void)
{
	/* Unbound: a processor may be busy with real-time work for as long as it likes. */
	queue = alloc_workqueue("ultravisor", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return queue ? 0 : -ENOMEM;
}

/* Objects hold the module, so the table is empty; a last free may still be on its way out. */
void uvr_object_uninit(void)
{
	destroy_workqueue(queue);
	WARN_ON(!xa_empty(&table));
	xa_destroy(&table);
	WARN_ON(!xa_empty(&living));
	xa_destroy(&living);
}

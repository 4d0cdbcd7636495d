/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of objects, and what every object has.
 *
 * An object is made in three steps: reserve (it has an id, nobody finds it), build, then
 * finalize (it is found) or abort. Ids are never used twice. The table holds one reference;
 * destroy takes it out of the table, ends it, and drops that reference. The memory goes with the
 * last one, from a work item, since some references are dropped where nothing may sleep.
 */
#ifndef _UVR_OBJECT_H
#define _UVR_OBJECT_H

#include <linux/kref.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/ultravisor.h>

struct seq_file;
struct uvr_call;
struct uvr_object;

struct uvr_object_ops {
	/* Ends the object: no descriptor can use it afterwards. Called once; may sleep. */
	void (*destroy)(struct uvr_object *object);
	void (*free)(struct uvr_object *object);
	/* The rest of its line in debugfs: " name=value"…; may sleep. */
	void (*show)(struct uvr_object *object, struct seq_file *m);
};

/*
 * No letter: constant once the object is in the table.
 * T: the table's mutex.
 */
struct uvr_object {
	const struct uvr_object_ops *ops;
	struct kref ref;
	u64 id;
	enum ultravisor_kind kind;
	u64 transaction;
	u8 uuid[ULTRAVISOR_UUID_LEN];
	bool published;			/* T to write */
	struct work_struct free_work;
};

int uvr_object_reserve(struct uvr_object *object, enum ultravisor_kind kind,
		       const struct uvr_object_ops *ops);
void uvr_object_finalize(struct uvr_object *object);
void uvr_object_abort(struct uvr_object *object);

/*
 * A reference to the object with the smallest id above, whether in the table, reserved or
 * destroyed; or NULL.
 */
struct uvr_object *uvr_object_living(u64 id);

/* A reference to the object of that id and kind (0: either), or NULL. */
struct uvr_object *uvr_object_find(u64 id, u32 kind);
struct uvr_object *uvr_object_get(struct uvr_object *object);
void uvr_object_put(struct uvr_object *object);	/* any context */

/*
 * Queues work that ends with uvr_object_put: the object, and the module, stay till then. Any
 * context.
 */
void uvr_object_defer(struct uvr_object *object, struct work_struct *work);

static inline bool uvr_object_is_published(const struct uvr_object *object)
{
	return READ_ONCE(object->published);
}

long uvr_object_open(struct uvr_call *call);
long uvr_object_next(struct uvr_call *call);
long uvr_object_publish(struct uvr_call *call);
long uvr_object_destroy(struct uvr_call *call);

int uvr_object_init(void);
void uvr_object_uninit(void);

#endif /* _UVR_OBJECT_H */

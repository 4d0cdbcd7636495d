// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/ultravisor/objects: a line for each object that exists, destroyed ones with
 * descriptors left included. The object of a line is held while it is shown; no lock of the
 * table is, so that each can take its own. Without debugfs there is no file, and no error.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "object.h"

static struct dentry *directory;

/* Positions are ids, plus one: position 0 is the headline. */
static void *start(struct seq_file *m, loff_t *pos)
{
	return *pos ? uvr_object_living(*pos - 1) : SEQ_START_TOKEN;
}

static void stop(struct seq_file *m, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		uvr_object_put(v);
}

static void *next(struct seq_file *m, void *v, loff_t *pos)
{
	u64 id = v == SEQ_START_TOKEN ? 0 : ((struct uvr_object *)v)->id;

	stop(m, v);
	*pos = id + 1;
	return uvr_object_living(id);
}

static int show(struct seq_file *m, void *v)
{
	struct uvr_object *object = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "id kind published uuid state\n");
		return 0;
	}
	seq_printf(m, "%llu %s %d %pUb", object->id,
		   object->kind == ULTRAVISOR_KIND_PARTITION ? "partition" : "channel",
		   uvr_object_is_published(object), object->uuid);
	object->ops->show(object, m);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations objects_sops = {
	.start = start,
	.next = next,
	.stop = stop,
	.show = show,
};

DEFINE_SEQ_ATTRIBUTE(objects);

void uvr_debugfs_init(void)
{
	directory = debugfs_create_dir("ultravisor", NULL);
	debugfs_create_file("objects", 0400, directory, NULL, &objects_fops);
}

void uvr_debugfs_uninit(void)
{
	debugfs_remove_recursive(directory);
}

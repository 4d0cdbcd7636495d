// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatch: one table, one copy in, one copy out. Everything about an argument that does not
 * depend on its meaning is checked here.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/ultravisor.h>

#include "channel.h"
#include "context.h"
#include "doorbell.h"
#include "endpoint.h"
#include "ioctl.h"
#include "lease.h"
#include "object.h"
#include "partition.h"
#include "processor.h"
#include "runner.h"
#include "vm.h"

enum direction { IN, INOUT };

struct command {
	unsigned int cmd;
	u32 roles;
	u32 min, max;		/* bytes of the argument */
	u32 flags;		/* known ones */
	enum direction direction;
	long (*run)(struct uvr_call *call);
};

#define COMMAND(_cmd, _roles, _struct, _last, _flags, _direction, _run)	\
	[_IOC_NR(_cmd)] = {						\
		.cmd = _cmd,						\
		.roles = _roles,					\
		.min = offsetofend(struct _struct, _last),		\
		.max = sizeof(struct _struct),				\
		.flags = _flags,					\
		.direction = _direction,				\
		.run = _run,						\
	},

static const struct command commands[] = {
#include "commands.h"
};

#undef COMMAND

/* Room for any argument; every one starts with these two members. */
union argument {
	struct {
		__u32 size;
		__u32 flags;
	};
	u64 words[3];
#define COMMAND(_cmd, _roles, _struct, ...) struct _struct _cmd##_arg;
#include "commands.h"
#undef COMMAND
};

static const struct command *find_command(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(commands))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(commands));
	/* Gaps in the table are all zero, and no command is: its type byte is not. */
	return commands[nr].cmd == cmd ? &commands[nr] : NULL;
}

long uvr_call_file(struct uvr_call *call, struct file *file, __s32 *out_fd)
{
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(file);
		return fd;
	}
	call->file = file;
	call->fd = fd;
	*out_fd = fd;
	return 0;
}

/* Makes what the call created visible, or lets go of it. */
static void settle(struct uvr_call *call, bool ok)
{
	if (call->object) {
		if (ok)
			uvr_object_finalize(call->object);
		else
			uvr_object_abort(call->object);
	}
	if (call->file) {
		if (ok) {
			fd_install(call->fd, call->file);
		} else {
			put_unused_fd(call->fd);
			fput(call->file);
		}
	}
}

/*
 * The commands of every message, exit and second have arguments of one to three words: read as
 * such, they are spared what the kernel checks about a copy of unknown size (70 of a ring's 980
 * instructions).
 */
static int copy_in(union argument *arg, const struct command *command, void __user *user, u32 size)
{
	u64 __user *words = user;
	u32 i;

	if (size != command->max || size > sizeof(arg->words))
		return copy_struct_from_user(arg, command->max, user, size);
	for (i = 0; i < size / sizeof(*words); i++)
		if (get_user(arg->words[i], words + i))
			return -EFAULT;
	return 0;
}

long uvr_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct command *command = find_command(cmd);
	struct uvr_call call = { .handle = file->private_data };
	void __user *uarg = (void __user *)user;
	union argument arg;
	u32 size;
	long rc;

	if (!command)
		return -ENOTTY;
	if (!(command->roles & call.handle->role))
		return -EACCES;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < command->min)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	rc = copy_in(&arg, command, uarg, size);
	if (rc)
		return rc;
	/* The word may have changed between the two reads: the checked one is the size. */
	arg.size = size;
	if (arg.flags & ~command->flags)
		return -EOPNOTSUPP;

	call.arg = &arg;
	rc = command->run(&call);
	if (rc >= 0 && command->direction == INOUT &&
	    copy_to_user(uarg, &arg, min(size, command->max)))
		rc = -EFAULT;
	settle(&call, rc >= 0);
	return rc;
}

struct file *uvr_handle_file(const char *name, const struct file_operations *fops,
			     enum uvr_role role, struct uvr_object *object,
			     struct uvr_context *context)
{
	struct uvr_handle *handle;
	struct file *file;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->role = role;
	handle->object = uvr_object_get(object);
	handle->context = context;
	file = anon_inode_getfile(name, fops, handle, O_RDWR);
	if (IS_ERR(file)) {
		uvr_object_put(object);
		kfree(handle);
	}
	return file;
}

int uvr_handle_release(struct inode *inode, struct file *file)
{
	struct uvr_handle *handle = file->private_data;

	if (handle->object)
		uvr_object_put(handle->object);
	kfree(handle);
	return 0;
}

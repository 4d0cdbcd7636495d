/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One dispatcher for every descriptor of the module: a file's private_data is its handle, the
 * handle's role decides which commands it takes, and handlers see only a kernel copy of the
 * argument whose size and flags have been checked.
 */
#ifndef _UVR_IOCTL_H
#define _UVR_IOCTL_H

#include <linux/fs.h>
#include <linux/types.h>

#include "role.h"

struct uvr_context;
struct uvr_object;

/* What a descriptor is. It holds a reference to its object; a context lives in its partition. */
struct uvr_handle {
	enum uvr_role role;
	struct uvr_object *object;
	struct uvr_context *context;		/* UVR_ROLE_CONTEXT alone */
};

/* One ioctl on its way. What a handler creates becomes visible only after the copy-out. */
struct uvr_call {
	struct uvr_handle *handle;
	void *arg;
	struct file *file;		/* to be installed as fd */
	int fd;
	struct uvr_object *object;	/* reserved, to be finalized */
};

/*
 * Hands a new file to the call: reserves a descriptor for it and stores the number in *out_fd.
 * file may be an error pointer, which is returned as the error; the file is consumed either way.
 */
long uvr_call_file(struct uvr_call *call, struct file *file, __s32 *out_fd);

long uvr_ioctl(struct file *file, unsigned int cmd, unsigned long user);

/* A file on the anonymous inode that holds object: for roles that have no pages of their own. */
struct file *uvr_handle_file(const char *name, const struct file_operations *fops,
			     enum uvr_role role, struct uvr_object *object,
			     struct uvr_context *context);
int uvr_handle_release(struct inode *inode, struct file *file);

long uvr_info(struct uvr_call *call);

#endif /* _UVR_IOCTL_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of /dev/ultravisor, one function each. docs/abi.md says what they do. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel.h"

static int device_call(struct kernel *k, int fd, unsigned long command, void *argument)
{
	(void)k;
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

int kernel_open(struct kernel *k, const char *path)
{
	struct ultravisor_info info = { .size = sizeof(info) };
	int rc;

	k->call = device_call;
	k->fd = open(path, O_RDWR | O_CLOEXEC);
	if (k->fd < 0)
		return -errno;
	rc = k->call(k, k->fd, ULTRAVISOR_INFO, &info);
	if (rc == 0 && info.out_abi_version != ULTRAVISOR_ABI_VERSION)
		rc = -EPROTO;
	if (rc < 0)
		kernel_close(k);
	return rc;
}

void kernel_close(struct kernel *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

int kernel_instance(struct kernel *k, uint8_t instance[16])
{
	struct ultravisor_info info = { .size = sizeof(info) };
	int rc = k->call(k, k->fd, ULTRAVISOR_INFO, &info);

	if (rc == 0)
		memcpy(instance, info.out_instance, 16);
	return rc;
}

int kernel_partition_create(struct kernel *k, struct ultravisor_partition_create *c, uint64_t *id)
{
	int rc;

	c->size = sizeof(*c);
	rc = k->call(k, k->fd, ULTRAVISOR_PARTITION_CREATE, c);
	if (rc < 0)
		return rc;
	*id = c->out_id;
	return c->out_fd;
}

int kernel_channel_create(struct kernel *k, struct ultravisor_channel_create *c, uint64_t *id)
{
	int rc;

	c->size = sizeof(*c);
	rc = k->call(k, k->fd, ULTRAVISOR_CHANNEL_CREATE, c);
	if (rc < 0)
		return rc;
	*id = c->out_id;
	return c->out_fd;
}

int kernel_object_open(struct kernel *k, uint64_t id, uint32_t role, uint32_t slot)
{
	struct ultravisor_object_open o = {
		.size = sizeof(o),
		.id = id,
		.role = role,
		.slot = slot,
	};
	int rc = k->call(k, k->fd, ULTRAVISOR_OBJECT_OPEN, &o);

	return rc < 0 ? rc : o.out_fd;
}

int kernel_object_next(struct kernel *k, struct ultravisor_object_next *next)
{
	next->size = sizeof(*next);
	next->flags = 0;
	return k->call(k, k->fd, ULTRAVISOR_OBJECT_NEXT, next);
}

static int object_call(struct kernel *k, unsigned long command, uint64_t id)
{
	struct ultravisor_object o = { .size = sizeof(o), .id = id };

	return k->call(k, k->fd, command, &o);
}

int kernel_object_publish(struct kernel *k, uint64_t id)
{
	return object_call(k, ULTRAVISOR_OBJECT_PUBLISH, id);
}

int kernel_object_destroy(struct kernel *k, uint64_t id)
{
	return object_call(k, ULTRAVISOR_OBJECT_DESTROY, id);
}

int kernel_partition_info(struct kernel *k, int fd, struct ultravisor_partition_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return k->call(k, fd, ULTRAVISOR_PARTITION_INFO, info);
}

int kernel_partition_stop(struct kernel *k, int fd)
{
	struct ultravisor_partition_run run = { .size = sizeof(run) };

	return k->call(k, fd, ULTRAVISOR_PARTITION_STOP, &run);
}

int kernel_partition_resume(struct kernel *k, int fd)
{
	struct ultravisor_partition_run run = { .size = sizeof(run) };

	return k->call(k, fd, ULTRAVISOR_PARTITION_RESUME, &run);
}

int kernel_memory_add(struct kernel *k, int fd, int memfd, uint64_t gpa, uint64_t length)
{
	struct ultravisor_memory_add add = {
		.size = sizeof(add),
		.gpa = gpa,
		.length = length,
		.fd = memfd,
	};

	return k->call(k, fd, ULTRAVISOR_MEMORY_ADD, &add);
}

int kernel_context_create(struct kernel *k, int fd, struct ultravisor_context_set *set)
{
	set->size = sizeof(*set);
	return k->call(k, fd, ULTRAVISOR_CONTEXT_CREATE, set);
}

int kernel_context_set(struct kernel *k, int fd, struct ultravisor_context_set *set)
{
	set->size = sizeof(*set);
	return k->call(k, fd, ULTRAVISOR_CONTEXT_SET, set);
}

static int lease_call(struct kernel *k, int fd, unsigned long command, uint64_t epoch,
		      uint64_t deadline)
{
	struct ultravisor_lease lease = {
		.size = sizeof(lease),
		.epoch = epoch,
		.deadline = deadline,
	};

	return k->call(k, fd, command, &lease);
}

int kernel_lease_set(struct kernel *k, int fd, uint64_t epoch, uint64_t deadline)
{
	return lease_call(k, fd, ULTRAVISOR_LEASE_SET, epoch, deadline);
}

int kernel_lease_renew(struct kernel *k, int fd, uint64_t epoch, uint64_t deadline)
{
	return lease_call(k, fd, ULTRAVISOR_LEASE_RENEW, epoch, deadline);
}

int kernel_processor_info(struct kernel *k, uint32_t cpu, struct ultravisor_processor_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->cpu = cpu;
	return k->call(k, k->fd, ULTRAVISOR_PROCESSOR_INFO, info);
}

int kernel_processor_set(struct kernel *k, uint32_t cpu, bool given, uint64_t frame_ns,
			 uint64_t phase_ns)
{
	struct ultravisor_processor_set set = {
		.size = sizeof(set),
		.flags = given ? ULTRAVISOR_PROCESSOR_GIVEN : 0,
		.cpu = cpu,
		.frame_ns = frame_ns,
		.phase_ns = phase_ns,
	};

	return k->call(k, k->fd, ULTRAVISOR_PROCESSOR_SET, &set);
}

int kernel_context_info(struct kernel *k, int fd, uint32_t index,
			struct ultravisor_context_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->index = index;
	return k->call(k, fd, ULTRAVISOR_CONTEXT_INFO, info);
}

int kernel_channel_info(struct kernel *k, int fd, struct ultravisor_channel_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return k->call(k, fd, ULTRAVISOR_CHANNEL_INFO, info);
}

int kernel_server_set(struct kernel *k, int fd, uint32_t slot, const uint8_t uuid[16])
{
	struct ultravisor_server_set set = { .size = sizeof(set), .slot = slot };

	memcpy(set.uuid, uuid, sizeof(set.uuid));
	return k->call(k, fd, ULTRAVISOR_SERVER_SET, &set);
}

int kernel_channel_promote(struct kernel *k, int fd, uint32_t slot)
{
	struct ultravisor_channel_promote promote = { .size = sizeof(promote), .slot = slot };

	return k->call(k, fd, ULTRAVISOR_CHANNEL_PROMOTE, &promote);
}

int kernel_channel_revoke(struct kernel *k, int fd, uint32_t what, uint32_t slot)
{
	struct ultravisor_channel_revoke revoke = {
		.size = sizeof(revoke),
		.what = what,
		.slot = slot,
	};

	return k->call(k, fd, ULTRAVISOR_CHANNEL_REVOKE, &revoke);
}

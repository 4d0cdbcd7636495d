/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/ultravisor for the rest of uvd: one function for each command that uvd uses. Results are 0
 * or -errno; those that return a descriptor return it or -errno, with close-on-exec set by the
 * module. All commands go through one function pointer, so that unit tests run everything above
 * it against a kernel of their own.
 */
#ifndef UVD_KERNEL_H
#define UVD_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/ultravisor.h>
#include <common/cpuset.h>

struct kernel {
	int fd;			/* of /dev/ultravisor */
	int (*call)(struct kernel *k, int fd, unsigned long command, void *argument);
};

/* Opens the device and checks the ABI version (-EPROTO). */
int kernel_open(struct kernel *k, const char *path);
void kernel_close(struct kernel *k);

int kernel_instance(struct kernel *k, uint8_t instance[16]);
/* c: all members but size; *id from it. */
int kernel_partition_create(struct kernel *k, struct ultravisor_partition_create *c, uint64_t *id);
/* c: all members but size; *id from it. */
int kernel_channel_create(struct kernel *k, struct ultravisor_channel_create *c, uint64_t *id);
int kernel_object_open(struct kernel *k, uint64_t id, uint32_t role, uint32_t slot);
int kernel_object_next(struct kernel *k, struct ultravisor_object_next *next);
int kernel_object_publish(struct kernel *k, uint64_t id);
int kernel_object_destroy(struct kernel *k, uint64_t id);

int kernel_partition_info(struct kernel *k, int fd, struct ultravisor_partition_info *info);
int kernel_partition_stop(struct kernel *k, int fd);
int kernel_partition_resume(struct kernel *k, int fd);
int kernel_memory_add(struct kernel *k, int fd, int memfd, uint64_t gpa, uint64_t length);
/* set: all members but size. */
int kernel_context_create(struct kernel *k, int fd, struct ultravisor_context_set *set);
int kernel_context_set(struct kernel *k, int fd, struct ultravisor_context_set *set);
int kernel_context_info(struct kernel *k, int fd, uint32_t index,
			struct ultravisor_context_info *info);

int kernel_lease_set(struct kernel *k, int fd, uint64_t epoch, uint64_t deadline);
int kernel_lease_renew(struct kernel *k, int fd, uint64_t epoch, uint64_t deadline);
int kernel_processor_info(struct kernel *k, uint32_t cpu, struct ultravisor_processor_info *info);
int kernel_processor_set(struct kernel *k, uint32_t cpu, bool given, uint64_t frame_ns,
			 uint64_t phase_ns);

int kernel_channel_info(struct kernel *k, int fd, struct ultravisor_channel_info *info);
int kernel_server_set(struct kernel *k, int fd, uint32_t slot, const uint8_t uuid[16]);
int kernel_channel_promote(struct kernel *k, int fd, uint32_t slot);
int kernel_channel_revoke(struct kernel *k, int fd, uint32_t what, uint32_t slot);

#endif

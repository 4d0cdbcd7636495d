/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a partition is started with: made from its rows while its transaction is prepared, used
 * by the supervisor once that is committed.
 */
#ifndef UVD_LAUNCH_H
#define UVD_LAUNCH_H

#include <stdint.h>
#include <linux/ultravisor.h>
#include <ultravisor/command.h>

struct transaction;

#define LAUNCH_DEVICES 16

struct launch_block {
	int fd;
	uint64_t gpa, length;
};

struct launch_device {
	char name[COMMAND_DEVICE_LEN];
	uint32_t type;			/* enum command_device */
	uint64_t channel;		/* the module's id */
	uint8_t mac[6];
};

struct launch {
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	uint64_t id;			/* the module's, of the partition */
	uint64_t monitor;		/* and of its monitor channel */
	uint32_t vcpus;
	uint64_t memory;
	unsigned int blocks, devices;
	struct launch_block block[ULTRAVISOR_MAX_BLOCKS];
	struct launch_device device[LAUNCH_DEVICES];
	int kernel, initrd;		/* open files; initrd may be -1 */
	char cmdline[COMMAND_CMDLINE_LEN];
};

/*
 * Makes the kernel objects of a partition that its rows describe, and adds them to the
 * transaction, with the launch. 0 or a refusal.
 */
int launch_prepare(struct transaction *t, const uint8_t partition[16]);

/* Opens kernel and initrd for reading, which START checks in plans, too. Refuses, or 0. */
int launch_open_boot(struct transaction *t, const char *kernel, const char *initrd, int fd[2]);

/* Refuses unless both could be opened now. */
int launch_check_boot(struct transaction *t, const char *kernel, const char *initrd);

void launch_destroy(struct launch *launch);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition: its memory blocks, contexts, VM and run state.
 *
 * Life: prepared (made, not published), running and stopped in turn, dead (destroyed). Its VM
 * has a life of its own in that: none, made on the monitor's address space, gone with it for good.
 */
#ifndef _UVR_PARTITION_H
#define _UVR_PARTITION_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include "grant.h"
#include "lease.h"
#include "object.h"
#include "port.h"

struct mem_cgroup;
struct uvr_call;
struct uvr_channel;
struct uvr_context;
struct uvr_vm;

/*
 * No letter: constant once the object is in the table.
 * M: making, held for as long as the monitor's address space makes one wait. P: lock.
 * B: written under lock, published by nr_blocks (release), read after it (acquire); what a block
 * holds goes when the partition is destroyed and its channels are revoked.
 */
struct uvr_partition {
	struct uvr_object object;
	char name[ULTRAVISOR_NAME_LEN];
	struct mutex making;					/* of the VM and vCPUs */
	struct mutex lock;					/* what is marked P and B */
	bool dead;						/* P */
	bool stopped;						/* P */
	bool vm_spent;						/* M: no second VM, ever */
	struct uvr_vm *vm;					/* P */
	struct uvr_context *contexts[ULTRAVISOR_MAX_CONTEXTS];	/* P */
	u32 nr_contexts;					/* P */
	struct list_head channels;				/* P: those it is the client of */
	u32 nr_channels, max_channels;				/* P; 0: no limit */
	u64 channel_bytes, max_channel_bytes;			/* likewise */
	struct mem_cgroup *memcg;				/* a reference, or NULL */
	struct uvr_block blocks[ULTRAVISOR_MAX_BLOCKS];		/* B */
	u32 nr_blocks;						/* B */
	struct uvr_lease lease;
	struct uvr_ports ports;
	wait_queue_head_t out;		/* a context has left the guest */
};

static inline struct uvr_partition *uvr_partition(struct uvr_object *object)
{
	return container_of(object, struct uvr_partition, object);
}

/* The block of that index, or NULL. */
struct uvr_block *uvr_partition_block(struct uvr_partition *partition, u32 index);

/* A descriptor with ROLE_CONTROL or ROLE_MONITOR. */
struct file *uvr_partition_file(struct uvr_object *object, u32 role);

/*
 * Makes channel one of the partition's, so that it ends with it. ESHUTDOWN: it is dead. EDQUOT:
 * it has as many as it may. uvr_partition_forget is its reverse, harmless if the first failed.
 */
int uvr_partition_adopt(struct uvr_partition *partition, struct uvr_channel *channel);
void uvr_partition_forget(struct uvr_partition *partition, struct uvr_channel *channel);

long uvr_partition_create(struct uvr_call *call);
long uvr_partition_info(struct uvr_call *call);
long uvr_partition_stop(struct uvr_call *call);
long uvr_partition_resume(struct uvr_call *call);
long uvr_memory_add(struct uvr_call *call);
long uvr_memory_info(struct uvr_call *call);

#endif /* _UVR_PARTITION_H */

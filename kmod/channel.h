/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel: memory of the module between one client and an ordered list of servers, of which
 * one serves. Who is attached and who serves changes only under its lock, and every change
 * takes effect (mappings gone, doorbells moved, epoch raised) before the lock is dropped.
 */
#ifndef _UVR_CHANNEL_H
#define _UVR_CHANNEL_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "area.h"
#include "object.h"

struct inode;
struct uvr_attachment;
struct uvr_call;
struct uvr_partition;
struct uvr_sink;
struct uvr_source;

/*
 * One side: the client, or a slot of the server list. L, B: see struct uvr_channel; LB: written
 * under both, read under either.
 */
struct uvr_side {
	u8 uuid[ULTRAVISOR_UUID_LEN];		/* L: the server named for a slot; zero: none */
	u64 generation;				/* LB: endpoints of an earlier one are stale */
	struct uvr_attachment *attachment;	/* LB */
	struct uvr_sink **sinks;		/* the pointers: B */
};

/*
 * No letter: constant once the object is in the table. P: the client partition's lock.
 * L: lock. B: bells, taken with interrupts off. LB: written under both, read under either.
 */
struct uvr_channel {
	struct uvr_object object;
	struct uvr_partition *client;		/* a reference, or NULL */
	struct list_head of_client;		/* P: in uvr_partition.channels */
	u64 bytes;				/* header page and areas */
	struct inode *inode;			/* whose pages all endpoints map */
	struct uvr_area areas[UVR_NR_AREAS];	/* L: gone when it is destroyed */
	struct ultravisor_channel_header *header;	/* epoch and server_uuid: L */
	u32 type;
	u32 flags;
	u32 doorbells;
	struct rw_semaphore lock;		/* who is attached, who serves */
	bool revoked;				/* L: for good */
	bool parked;				/* L: the client's lease is over */
	u64 epoch;				/* L */
	u32 serving;				/* LB: slot, or ULTRAVISOR_NO_SLOT */
	struct uvr_side client_side;
	struct uvr_side slots[ULTRAVISOR_MAX_SERVERS];
	struct uvr_source **sources;		/* the pointers: L */
	u64 client_news;			/* L: count of changes that the client can see */
	u64 server_news;			/* L: likewise the servers */
	wait_queue_head_t news;
	spinlock_t bells;			/* where a ring goes */
	u64 rings_to_server, rings_to_client;	/* B */
	u64 answer_ns;				/* for a server to answer a kick; 0: for ever */
	u64 hung_epoch;				/* L: in which the server was reported; 0: none */
	struct work_struct hung_work;		/* holds the channel while it is queued */
};

static inline struct uvr_channel *uvr_channel(struct uvr_object *object)
{
	return container_of(object, struct uvr_channel, object);
}

/* The slot of a server's side, ULTRAVISOR_NO_SLOT for the client's. */
static inline u32 uvr_side_slot(const struct uvr_channel *channel, const struct uvr_side *side)
{
	return side == &channel->client_side ? ULTRAVISOR_NO_SLOT : side - channel->slots;
}

/* The partition whose memory the channel grants to its server, or NULL. */
struct uvr_partition *uvr_channel_granted(struct uvr_channel *channel);

/* A side's attachment begins or ends; who serves follows. Channel locked. */
void uvr_channel_attach(struct uvr_channel *channel, struct uvr_attachment *attachment);
void uvr_channel_detach(struct uvr_channel *channel, struct uvr_side *side);

/* The lowest slot that is attached, or ULTRAVISOR_NO_SLOT. Channel locked. */
u32 uvr_channel_elect(const struct uvr_channel *channel);

/* Takes the server's role away and lets nobody have it; or ends that. */
void uvr_channel_park(struct uvr_channel *channel, bool park);

void uvr_channel_revoke_all(struct uvr_channel *channel);

struct file *uvr_channel_file(struct uvr_object *object);

long uvr_channel_create(struct uvr_call *call);
long uvr_channel_info(struct uvr_call *call);
long uvr_server_set(struct uvr_call *call);
long uvr_channel_promote(struct uvr_call *call);
long uvr_channel_revoke(struct uvr_call *call);

#endif /* _UVR_CHANNEL_H */

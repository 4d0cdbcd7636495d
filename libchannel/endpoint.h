/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libchannel: what channel.c asks of a transport, and the state both share. Everything here
 * is private to this process; nothing of it was read from shared memory but the geometry, which was
 * checked when the endpoint was opened.
 */
#ifndef LIBCHANNEL_ENDPOINT_H
#define LIBCHANNEL_ENDPOINT_H

#include <libchannel/channel.h>
#include <linux/ultravisor.h>
#include <stdatomic.h>

struct endpoint_operations {
	int (*status)(struct channel *c, struct channel_status *out);
	int (*doorbell)(struct channel *c, unsigned int index);	/* an fd of its own, or -errno */
	int (*bind)(struct channel *c, unsigned int index, enum ultravisor_doorbell what, int fd);
	int (*ring)(struct channel *c, unsigned int index);
	int (*map_memory)(struct channel *c);		/* fills region[], regions */
	void (*close)(struct channel *c);		/* after all mappings are gone */
};

/* A mapping of this endpoint. The guard looks here, from a signal handler. */
struct endpoint_mapping {
	void *base;			/* NULL: not mapped */
	size_t length;
};

struct channel {
	const struct endpoint_operations *operations;
	enum channel_side side;
	struct channel_geometry geometry;
	uint64_t id;
	int status_fd;			/* the module's: the endpoint itself */
	void *transport;		/* endpoint_anonymous.c's */

	volatile bool lost;		/* set by the guard, in a signal handler; never cleared */
	struct endpoint_mapping client, server, private_area;
	struct endpoint_mapping memory[ULTRAVISOR_MAX_BLOCKS];
	struct channel_region region[ULTRAVISOR_MAX_BLOCKS];
	size_t regions;

	int doorbell_fd[ULTRAVISOR_MAX_DOORBELLS];	/* -1: not made */
};

/* A channel without mappings; -ENOMEM. */
int channel_create(struct channel **out, const struct endpoint_operations *operations,
		   enum channel_side side);

/* Maps length bytes of fd at offset, shared; length 0 leaves *m empty. */
int endpoint_map(struct endpoint_mapping *m, int fd, uint64_t offset, uint64_t length,
		 int protection);

/* Sizes and numbers within the module's limits; -EPROTO. */
int endpoint_check(const struct channel_geometry *g);

/*
 * The guard's other form, for areas that libchannel alone touches, by code whose loops are bounded
 * whatever it reads: it costs no instruction. A fault in a watched channel's areas, in any thread,
 * puts private zeros in their place and marks the channel lost; guard_intact says afterwards
 * whether what was done is worth anything. -EMFILE: 64 channels are watched already.
 */
int guard_watch(struct channel *c);
void guard_unwatch(struct channel *c);

static inline bool guard_intact(const struct channel *c)
{
	/* Pairs with nothing but this thread's own signal handler: the accesses come first. */
	atomic_signal_fence(memory_order_seq_cst);
	return !c->lost;
}

/* Makes the guard's SIGBUS handler the process's, with the one that was there behind it. */
void guard_install(void);

#endif

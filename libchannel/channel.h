/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a memory channel, over either of two transports: the module's endpoints, or anonymous
 * memory with eventfds (unit tests, fuzzers and benchmarks; both ends in processes that trust the
 * kernel alone). The code above does not see which.
 *
 * The peer is hostile: it may change any word that it can write, at any time. Geometry is read
 * and checked once, at open. Whatever the caller reads from the peer's area it reads once, into
 * its own memory, by channel_load_* or channel_copy_in. Memory may be revoked at any instant:
 * between channel_guard_begin and _end a SIGBUS in the channel's memory marks it lost instead of
 * killing the process.
 *
 * Results are 0 or -errno. -ECONNRESET: this end was revoked, lost its role, or the peer broke
 * the protocol; close it. Nothing here is thread-safe but channel_ring.
 */
#ifndef LIBCHANNEL_CHANNEL_H
#define LIBCHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct channel;

enum channel_side { CHANNEL_CLIENT, CHANNEL_SERVER };

struct channel_geometry {
	uint32_t type;			/* enum channel_type */
	uint32_t layout_version;
	uint64_t client_size, server_size, private_size;
	uint32_t doorbells;
};

struct channel_status {
	uint64_t epoch;
	bool serving;			/* server: this end serves; client: somebody does */
	bool peer_attached;
};

/*
 * Opens the module's endpoint fd: attaches the calling process, maps header and areas, checks
 * that type, version and sizes are what *expected says (0 in expected: any). On success the
 * channel owns fd; on failure the caller still does. A standby opens as well: its areas fault, and
 * so lose the channel, until channel_status says that it serves. -EPROTO: not as expected, or the
 * header makes no sense; -EBUSY: another process is attached; -ECONNRESET: the endpoint is stale.
 */
int channel_open(struct channel **out, int fd, const struct channel_geometry *expected);

/*
 * Makes both ends of a channel of anonymous memory in this process; after a fork each process
 * keeps one and closes the other. The server's end serves at once, with epoch 1.
 */
int channel_open_pair(struct channel **client, struct channel **server,
		      const struct channel_geometry *geometry);

/*
 * Adds the bytes [0, length) of a memfd to what channel_memory returns for an anonymous server's
 * end; the module does the like by itself for a channel that grants. The fd stays the caller's.
 */
int channel_grant_pair(struct channel *server, uint64_t gpa, int memfd, uint64_t length);

/* Detaches, unmaps and closes. NULL is allowed. */
void channel_close(struct channel *c);

enum channel_side channel_side(const struct channel *c);
const struct channel_geometry *channel_geometry(const struct channel *c);
uint64_t channel_id(const struct channel *c);		/* the module's id; 0: anonymous */

/* The areas: this end writes own, and reads peer; servers alone have private. */
void *channel_own(struct channel *c);
const void *channel_peer(struct channel *c);
void *channel_private(struct channel *c);

/* Becomes readable when status may have changed: for an event loop (EPOLLIN; EPOLLHUP: stale). */
int channel_status_fd(const struct channel *c);
int channel_status(struct channel *c, struct channel_status *out);

/*
 * An eventfd that the peer's ring of doorbell index signals; made at the first call, owned by the
 * channel, non-blocking. channel_bind_* bind the caller's own eventfds instead: sink, as KVM's
 * irqfd listens on; source (client only), as KVM's ioeventfd writes. A fresh sink is signalled
 * once; eventfd -1 takes a binding away. Anonymous ends: bind before a fork, and a source before
 * the server asks for its doorbell (else -EBUSY).
 */
int channel_doorbell_fd(struct channel *c, unsigned int index);
int channel_bind_sink(struct channel *c, unsigned int index, int eventfd);
int channel_bind_source(struct channel *c, unsigned int index, int eventfd);
int channel_ring(struct channel *c, unsigned int index);

/*
 * The client partition's memory, for the serving end of a channel that grants it. Mapped at the
 * first call; regions do not move until channel_close. Pointers are only to be used inside a guard.
 */
struct channel_region {
	uint64_t gpa, length;
	void *base;
};
int channel_memory(struct channel *c, const struct channel_region **regions, size_t *count);

/*
 *   if (channel_guard_begin(c))            -- 0 at first, nonzero after a fault inside
 *           return -ECONNRESET;            -- the channel is marked lost
 *   … touch the channel's memory; no return, no lock, no allocation in between …
 *   channel_guard_end(c);
 *
 * Guards nest not, are per thread, and cost no system call. The SIGBUS handler is installed by
 * channel_open; faults outside a guard, or outside the guarded channel's memory, go to the
 * handler that was there before. Memory of a channel that is lost already may read as zero.
 */
#include <setjmp.h>
sigjmp_buf *channel_guard_enter(struct channel *c);
void channel_guard_end(struct channel *c);
#define channel_guard_begin(c) sigsetjmp(*channel_guard_enter(c), 0)
bool channel_lost(const struct channel *c);

/* Guarded copies between the channel's memory and the caller's. 0 or -ECONNRESET. */
int channel_copy_in(struct channel *c, void *to, const void *shared, size_t n);
int channel_copy_out(struct channel *c, void *shared, const void *from, size_t n);
int channel_load_u32(struct channel *c, const _Atomic uint32_t *shared, uint32_t *out);
int channel_load_u64(struct channel *c, const _Atomic uint64_t *shared, uint64_t *out);

#endif

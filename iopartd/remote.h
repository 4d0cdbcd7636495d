/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that an NBD server of this host serves, over a connection that uvd hands over
 * (HANDOVER_CONNECTION): what uring.h is for files. While there is no connection, operations wait;
 * with the next one they are sent again, so that a server that is started anew is a stall.
 *
 * A connection is also the fence: uvd makes one only when the NBD server has none left of this
 * disk, so that nothing that came by an earlier one is under way there any more.
 */
#ifndef IOPARTD_REMOTE_H
#define IOPARTD_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "uring.h"

struct device;
struct remote;

enum remote_what { REMOTE_READ, REMOTE_WRITE, REMOTE_FLUSH, REMOTE_DISCARD, REMOTE_ZERO };

/* ready(d): it is connected, and the size is known. 0 or -errno. */
int remote_open(struct remote **out, struct device *d, void (*ready)(struct device *d));
void remote_close(struct remote *r);

/* Takes over the descriptor of a new connection. */
void remote_connect(struct remote *r, int fd);
/* Asks for one until it comes. */
void remote_want(struct remote *r);
/* Gives the connection up. What waits is over, with an error; nothing may be under way. */
void remote_release(struct remote *r);

uint64_t remote_sectors(const struct remote *r);

/*
 * As uring_read() and its like. durable: a write is on the disk when it is over; keep: zeroes take
 * their place on it.
 */
void remote_start(struct remote *r, struct operation *o, enum remote_what what, void *buffer,
		  uint32_t n, uint64_t offset, bool durable_or_keep);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that an NBD server of this host serves at a unix socket, which each of them has for
 * itself: a path that is a socket. A new connection is made only when nobody has one there; that is
 * the fence of such a disk (docs/io.md).
 */
#ifndef UVD_NBD_H
#define UVD_NBD_H

#include <stdbool.h>
#include <stddef.h>

#include "block.h"

#define NBD_RESOURCE	"nbd "		/* claims' names of them begin so */

bool nbd_is_socket(const char *path);
bool nbd_is_resource(const char *resource);

/* What path is, as claims name it, whoever has made the socket: 0 or -errno. */
int nbd_identify(const char *path, char resource[BLOCK_RESOURCE]);

/*
 * Does somebody listen there, and is nobody connected, not even one whose process is gone? 0, or
 * -ECONNREFUSED, -EBUSY, with the reason.
 */
int nbd_check(const char *path, char *why, size_t size);

/* A new connection: its descriptor, or as nbd_check(), or -errno. */
int nbd_connect(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images and block devices of the host: which one a path means, and whether somebody uses it.
 */
#ifndef UVD_BLOCK_H
#define UVD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_RESOURCE 64

/*
 * What path is, as claims name it: "file DEV:INODE" or "block MAJOR:MINOR", whatever its path.
 * 0; or -errno with a reason for people: -ENOENT, -EBUSY mounted or in use by another, -EINVAL
 * neither a file nor a block device, …
 */
int block_probe(const char *path, bool readonly, char resource[BLOCK_RESOURCE], char *why,
		size_t size);

/* A new open file description for one server; checks that it still is resource. */
int block_open(const char *path, bool readonly, const char *resource);

#endif

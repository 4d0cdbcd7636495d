/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images and block devices of the host: which one a path means, and whether somebody uses it.
 */
#ifndef UVD_BLOCK_H
#define UVD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_RESOURCE 64

/*
 * What path is, as claims name it: "file DEV:INODE" or "block MAJOR:MINOR", whatever its path.
 * 0; or -errno with a reason for people: -ENOENT, -EINVAL neither a file nor a block device, …
 */
int block_identify(const char *path, bool readonly, char resource[BLOCK_RESOURCE], char *why,
		   size_t size);

/* Does nobody on this host use it? 0, or -EBUSY mounted or in use by another, with the reason. */
int block_check_free(const char *path, bool readonly, char *why, size_t size);

/* How many bytes it has now, 0 for NBD: 0 or -errno, -ESTALE: it is no longer resource. */
int block_size(const char *path, const char *resource, uint64_t *size);

/*
 * Keeps a claimed block device from being mounted or used by others of the host: a descriptor,
 * for as long as it is open. Files cannot be held: -EOPNOTSUPP.
 */
int block_hold(const char *path, const char *resource);

/*
 * A new open file description for one server; checks that it still is resource. A block device is
 * opened by the kernel's own node in /dev, which must be there (-ENODEV).
 */
int block_open(const char *path, bool readonly, const char *resource);

#endif

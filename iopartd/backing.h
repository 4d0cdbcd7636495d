/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk of a guest is here: a raw file or a block device. */
#ifndef IOPARTD_BACKING_H
#define IOPARTD_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#define BACKING_SECTOR	512u		/* bytes; virtio-blk's unit (Virtio 1.2, 5.2.4) */

struct backing {
	uint64_t sectors;
	uint32_t block_size;		/* bytes; what the guest is told to keep to */
	bool direct;			/* the file description has O_DIRECT */
	bool in_memory;			/* of a file system without a disk: nothing to wait for */
};

/* How large it is now, whatever it was. 0, -ENOTBLK for anything else, or -errno. */
int backing_measure(struct backing *b, int fd);

/* Direct I/O if the file takes it at the granularity that the guest is told. */
void backing_try_direct(struct backing *b, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backing.h"

int backing_measure(struct backing *b, int fd)
{
	uint64_t bytes = 0;
	struct statfs fs;
	struct stat st;
	int size = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	b->block_size = BACKING_SECTOR;
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || ioctl(fd, BLKSSZGET, &size) < 0)
			return -errno;
		if (size >= (int)BACKING_SECTOR && size <= 65536)
			b->block_size = size;
	} else if (S_ISREG(st.st_mode)) {
		bytes = st.st_size;
		b->in_memory = fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
	} else {
		return -ENOTBLK;
	}
	b->sectors = bytes / BACKING_SECTOR;
	return 0;
}

void backing_try_direct(struct backing *b, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	void *probe = aligned_alloc(65536, 65536);

	if (probe && flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0) {
		/* Not at 0: a file system that wants more than block_size says so at the second. */
		b->direct = pread(fd, probe, b->block_size, b->block_size) >= 0;
		if (!b->direct)
			fcntl(fd, F_SETFL, flags & ~O_DIRECT);
	}
	free(probe);
}

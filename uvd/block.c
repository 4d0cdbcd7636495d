/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probing of images and block devices. A device is free when it can be opened exclusively: the
 * kernel refuses that for what is mounted, is swap, or is part of a volume (it claims the whole
 * disk for a partition of it). A file is free when no loop device, swap or record lock has it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "block.h"
#include "nbd.h"

static int say(int rc, char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return rc;
}

static void describe(const struct stat *st, char resource[BLOCK_RESOURCE])
{
	if (S_ISBLK(st->st_mode))
		snprintf(resource, BLOCK_RESOURCE, "block %u:%u", major(st->st_rdev),
			 minor(st->st_rdev));
	else
		snprintf(resource, BLOCK_RESOURCE, "file %u:%u:%llu", major(st->st_dev),
			 minor(st->st_dev), (unsigned long long)st->st_ino);
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* Lines of /proc/swaps begin with the file's path. */
static bool is_swap(const struct stat *st)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[PATH_MAX];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, " \t")] = '\0';
		found = line[0] == '/' && same_file(line, st);
	}
	fclose(f);
	return found;
}

static bool backs_loop_device(const struct stat *st)
{
	char path[PATH_MAX], backing[PATH_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/sys/block");
	FILE *f;

	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		if (strncmp(e->d_name, "loop", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(backing, sizeof(backing), f)) {
			backing[strcspn(backing, "\n")] = '\0';
			found = same_file(backing, st);
		}
		fclose(f);
	}
	closedir(d);
	return found;
}

static int probe_file(int fd, const struct stat *st, bool readonly, char *why, size_t size)
{
	struct flock lock = { .l_type = readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	if (st->st_size == 0)
		return say(-EINVAL, why, size, "is empty");
	if (is_swap(st))
		return say(-EBUSY, why, size, "is swap space of the host");
	if (backs_loop_device(st))
		return say(-EBUSY, why, size, "is attached to a loop device");
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return say(-EBUSY, why, size, "is locked by another program");
	return 0;
}

static int probe_device(const char *path, const struct stat *st, bool readonly, char *why,
			size_t size)
{
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_EXCL | O_CLOEXEC);
	struct stat now;
	int rc = 0;

	if (fd < 0)
		return say(-errno, why, size, errno == EBUSY ?
			   "is mounted, or in use by the host" : strerror(errno));
	/* The path may have been given another meaning meanwhile. */
	if (fstat(fd, &now) < 0 || now.st_rdev != st->st_rdev)
		rc = say(-EAGAIN, why, size, "changes while it is looked at");
	close(fd);
	return rc;
}

static int open_path(const char *path, bool readonly)
{
	/* A pipe or tape must not make us wait: the type is looked at behind the open. */
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int open_and_stat(const char *path, bool readonly, struct stat *st, char *why, size_t size)
{
	int fd = open_path(path, readonly);

	if (fd < 0)
		return say(fd, why, size, fd == -EISDIR ? "is a directory" :
			   fd == -ETXTBSY ? "is in use by the host" : strerror(-fd));
	if (fstat(fd, st) < 0) {
		close(fd);
		return say(-EIO, why, size, "cannot be looked at");
	}
	return fd;
}

int block_identify(const char *path, bool readonly, char resource[BLOCK_RESOURCE], char *why,
		   size_t size)
{
	struct stat st;
	int rc = 0, fd;

	if (nbd_is_socket(path)) {
		rc = nbd_identify(path, resource);
		return rc < 0 ? say(rc, why, size, strerror(-rc)) : 0;
	}
	fd = open_and_stat(path, readonly, &st, why, size);
	if (fd < 0)
		return fd;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		rc = say(-EINVAL, why, size, "is neither a file nor a block device");
	else
		describe(&st, resource);
	close(fd);
	return rc;
}

int block_check_free(const char *path, bool readonly, char *why, size_t size)
{
	struct stat st;
	int rc, fd;

	/* A connection that is left of its last run is waited for by who serves it next. */
	if (nbd_is_socket(path)) {
		rc = nbd_check(path, why, size);
		return rc == -EBUSY ? 0 : rc;
	}
	fd = open_and_stat(path, readonly, &st, why, size);
	if (fd < 0)
		return fd;
	if (S_ISBLK(st.st_mode))
		rc = probe_device(path, &st, readonly, why, size);
	else
		rc = probe_file(fd, &st, readonly, why, size);
	close(fd);
	return rc;
}

int block_size(const char *path, const char *resource, uint64_t *size)
{
	int fd, rc = 0;
	off_t end;

	/* Its server says when it is connected. */
	*size = 0;
	if (nbd_is_resource(resource))
		return 0;
	fd = block_open(path, true, resource);
	if (fd < 0)
		return fd;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		rc = -errno;
	else
		*size = end;
	close(fd);
	return rc;
}

int block_hold(const char *path, const char *resource)
{
	char now[BLOCK_RESOURCE];
	struct stat st;
	int rc, fd;

	if (strncmp(resource, "block ", 6) != 0)
		return -EOPNOTSUPP;
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (rc == 0) {
		describe(&st, now);
		rc = strcmp(now, resource) == 0 ? fd : -ESTALE;
	}
	if (rc < 0)
		close(fd);
	return rc;
}

/* The node that the kernel itself has made for a device: "sda", "dm-3". */
static int kernel_node(const struct stat *st, char path[PATH_MAX])
{
	char name[PATH_MAX], line[256];
	int rc = -ENODEV;
	FILE *f;

	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/uevent", major(st->st_rdev),
		 minor(st->st_rdev));
	f = fopen(name, "re");
	if (!f)
		return -errno;
	while (rc && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "DEVNAME=", strlen("DEVNAME=")))
			continue;
		snprintf(path, PATH_MAX, "/dev/%s", line + strlen("DEVNAME="));
		rc = 0;
	}
	fclose(f);
	return rc;
}

/*
 * A server's fence is a lock on the node's inode, not on the device: each of its servers must
 * have it by the same one, whatever has been made of the path in between.
 */
static int open_by_kernel_node(const struct stat *st, bool readonly)
{
	char path[PATH_MAX];
	struct stat now;
	int fd, rc = kernel_node(st, path);

	fd = rc < 0 ? rc : open_path(path, readonly);
	if (fd < 0)
		return fd;
	if (fstat(fd, &now) == 0 && S_ISBLK(now.st_mode) && now.st_rdev == st->st_rdev)
		return fd;
	close(fd);
	return -ENODEV;
}

int block_open(const char *path, bool readonly, const char *resource)
{
	char now[BLOCK_RESOURCE];
	struct stat st;
	int flags, fd;

	/* In the place of a connection, which only who serves has. */
	if (nbd_is_resource(resource)) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	fd = open_path(path, readonly);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	describe(&st, now);
	if (strcmp(now, resource) != 0) {
		close(fd);
		return -ESTALE;
	}
	if (S_ISBLK(st.st_mode)) {
		close(fd);
		fd = open_by_kernel_node(&st, readonly);
		if (fd < 0)
			return fd;
	}
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

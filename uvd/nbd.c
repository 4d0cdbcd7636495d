/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lists a connection at the server's side, by the name of the socket that listens, for
 * as long as the server has it open: also behind the end of the process that was connected.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nbd.h"

#define LISTENS 0x10000u	/* __SO_ACCEPTCON in /proc/net/unix */

bool nbd_is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool nbd_is_resource(const char *resource)
{
	return !strncmp(resource, NBD_RESOURCE, strlen(NBD_RESOURCE));
}

int nbd_identify(const char *path, char resource[BLOCK_RESOURCE])
{
	char real[PATH_MAX];
	uint64_t hash = 0xcbf29ce484222325ULL;
	const char *c;

	if (!realpath(path, real))
		return -errno;
	for (c = real; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
	snprintf(resource, BLOCK_RESOURCE, NBD_RESOURCE "%016" PRIx64, hash);
	return 0;
}

/* How many sockets have this name: those that listen, and connections. */
static int count(const char *name, unsigned int *listening, unsigned int *connections)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char line[PATH_MAX + 128];
	unsigned int flags;
	int at;

	*listening = *connections = 0;
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		/* Num: RefCount Protocol Flags Type St Inode Path */
		if (sscanf(line, "%*s %*x %*x %x %*x %*x %*u %n", &flags, &at) < 1 || !at ||
		    strcmp(line + at, name))
			continue;
		if (flags & LISTENS)
			++*listening;
		else
			++*connections;
	}
	fclose(f);
	return 0;
}

int nbd_check(const char *path, char *why, size_t size)
{
	unsigned int listening, connections;
	char real[PATH_MAX];
	int rc;

	if (!realpath(path, real)) {
		rc = -errno;
		snprintf(why, size, "%s", strerror(-rc));
		return rc;
	}
	rc = count(real, &listening, &connections);
	if (rc < 0) {
		snprintf(why, size, "cannot be looked at: %s", strerror(-rc));
	} else if (!listening) {
		snprintf(why, size, "has no server that listens there by this very name");
		rc = -ECONNREFUSED;
	} else if (connections) {
		snprintf(why, size, "has a connection at its server already");
		rc = -EBUSY;
	}
	return rc;
}

int nbd_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char why[128];
	int fd, rc = nbd_check(path, why, sizeof(why));

	if (rc < 0)
		return rc;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

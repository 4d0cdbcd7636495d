/* SPDX-License-Identifier: Apache-2.0 */
/* /proc, read one file at a time. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

#define GONE_MS 2000

/* What follows the name in /proc/PID/stat: " S 1 …"; the name, field 2, may hold anything. */
static const char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[64], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	at = strrchr(text, ')');
	return at && at[1] == ' ' ? at + 1 : NULL;
}

uint64_t process_start_time(pid_t pid)
{
	char text[1024];
	const char *at = read_stat(pid, text, sizeof(text));
	int i;

	/* at is before field 3. */
	for (i = 3; at && i < 22; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

bool process_alive(pid_t pid, uint64_t start)
{
	char text[1024];
	uint64_t now = pid > 0 ? process_start_time(pid) : 0;
	const char *at = now ? read_stat(pid, text, sizeof(text)) : NULL;

	return at && (!start || now == start) && at[1] != 'Z' && at[1] != 'X';
}

int process_open(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* The real user, by /proc/PID/status: the owner of /proc/PID is root for a process that hides. */
static bool is_of_user(const char *pid, uid_t uid)
{
	char path[64], text[1024], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "\nUid:\t");
	return at && strtoul(at + strlen("\nUid:\t"), NULL, 10) == uid;
}

int process_each(uid_t uid, process_fn *fn, void *data)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int rc = 0;

	if (!d)
		return -errno;
	while (rc == 0 && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && is_of_user(e->d_name, uid) &&
		    process_alive(atoi(e->d_name), 0))
			rc = fn(NULL, atoi(e->d_name), data);
	closedir(d);
	return rc;
}

static int take_first(const char *name, pid_t pid, void *data)
{
	(void)name;
	*(pid_t *)data = pid;
	return 1;
}

pid_t process_of_user(uid_t uid)
{
	pid_t found = 0;

	process_each(uid, take_first, &found);
	return found;
}

int process_kill(pid_t pid, uid_t uid)
{
	struct pollfd gone = { .fd = process_open(pid), .events = POLLIN };
	char text[16];
	int rc = 0;

	if (gone.fd < 0)
		return gone.fd;
	/* Looked at behind the open: now it cannot be another's. */
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (!is_of_user(text, uid))
		rc = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0) < 0)
		rc = -errno;
	else if (poll(&gone, 1, GONE_MS) != 1)
		rc = -ETIMEDOUT;
	close(gone.fd);
	return rc;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Notes which call of the module has failed with which errno: a line "CALL ERRNO" at the end of the
 * file that the environment names in UVR_REACHED, once a process. Linked with each test of the
 * module, whose ioctl and mmap these are.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ultravisor.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERRNOS 134

static const struct {
	unsigned long cmd;
	const char *name;
} calls[] = {
	{ 0, "MMAP" },
#define COMMAND(cmd, ...) { cmd, #cmd },
#include "../../../../kmod/commands.h"
#undef COMMAND
};

static void note(unsigned long cmd)
{
	static bool noted[sizeof(calls) / sizeof(calls[0])][ERRNOS];
	const char *path = getenv("UVR_REACHED"), *name;
	const int error = errno;
	char line[128];
	size_t i = 0;
	int fd, n;

	while (i < sizeof(calls) / sizeof(calls[0]) && calls[i].cmd != cmd)
		i++;
	if (!path || i == sizeof(calls) / sizeof(calls[0]) || error >= ERRNOS || noted[i][error])
		return;
	noted[i][error] = true;
	name = strncmp(calls[i].name, "ULTRAVISOR_", 11) ? calls[i].name : calls[i].name + 11;
	n = snprintf(line, sizeof(line), "%s %s\n", name, strerrorname_np(error));
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || write(fd, line, n) != n)
		perror(path);
	close(fd);
	errno = error;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	va_list ap;
	void *arg;
	long r;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	r = syscall(SYS_ioctl, fd, cmd, arg);
	if (r < 0)
		note(cmd);
	return (int)r;
}

void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *p = (void *)syscall(SYS_mmap, address, size, prot, flags, fd, offset);

	if (p == MAP_FAILED && fd >= 0)
		note(0);
	return p;
}

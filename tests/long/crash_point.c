// SPDX-License-Identifier: Apache-2.0
/*
 * For a uvd that is built with CRASH_POINTS: /run/ultravisor/crash says at which point, and at
 * which pass of it, it is killed: "committed 1". What /run/ultravisor/crash.next says is then in
 * its place, for the instance after it.
 */
#include <common/crash.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CRASH "/run/ultravisor/crash"

void crash_point(const char *name)
{
	static unsigned int passes;
	unsigned int pass;
	char text[64], at[48];
	ssize_t n;
	int fd = open(CRASH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	if (sscanf(text, "%47s %u", at, &pass) != 2 || strcmp(at, name) || ++passes < pass)
		return;
	if (rename(CRASH ".next", CRASH) < 0)
		unlink(CRASH);
	kill(getpid(), SIGKILL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * For an iopartd that is built with CRASH_POINTS: what /run/ultravisor/crash-io says when it starts
 * ("published 57") is the point, and the pass of it, at which it is killed. It may open no file
 * later.
 */
#include <common/crash.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char at[48];
static unsigned int left;

static void __attribute__((constructor)) choose(void)
{
	FILE *file = fopen("/run/ultravisor/crash-io", "re");

	if (!file)
		return;
	if (fscanf(file, "%47s %u", at, &left) != 2)
		left = 0;
	fclose(file);
}

void crash_point(const char *name)
{
	if (left && !strcmp(at, name) && !--left)
		kill(getpid(), SIGKILL);
}

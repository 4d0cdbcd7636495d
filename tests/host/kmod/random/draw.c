// SPDX-License-Identifier: Apache-2.0
/*
 * Draws: from the process's stream, of what it holds, and of arguments that may be wrong.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "random.h"

struct shared *shared;
unsigned long steps = 20000;
unsigned int processes = 4;
int mail[MAX_PROCESSES][2];

struct worker *me;
int fds[MAX_FDS];
enum kind kinds[MAX_FDS];

/* splitmix64 */
uint64_t draw(void)
{
	uint64_t z = me->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t below(uint64_t n)
{
	return draw() % n;
}

bool one_in(uint64_t n)
{
	return !below(n);
}

void keep(int fd, enum kind kind)
{
	unsigned int i = below(MAX_FDS);

	if (fd < 0)
		return;
	if (kinds[i] != NOTHING)
		close(fds[i]);
	fds[i] = fd;
	kinds[i] = kind;
}

int pick(enum kind kind)
{
	unsigned int start = below(MAX_FDS), i;
	bool any = one_in(30);

	for (i = 0; i < MAX_FDS; i++) {
		unsigned int at = (start + i) % MAX_FDS;

		if (kinds[at] == kind || (any && kinds[at] != NOTHING))
			return fds[at];
	}
	return any ? -1 : kind == DEVICE ? device : -1;
}

uint64_t some_id(void)
{
	if (one_in(40))
		return draw() >> below(64);
	return below(2) ? shared->partitions[below(MAX_IDS)] : shared->channels[below(MAX_IDS)];
}

long call(int fd, unsigned long cmd, void *arg)
{
	unsigned int nr = _IOC_NR(cmd) % NR_COMMANDS;
	long r = ioctl(fd, cmd, arg);

	shared->calls[nr]++;
	if (r >= 0)
		shared->good[nr]++;
	return r;
}

uint32_t size_or_worse(uint32_t size)
{
	switch (below(200)) {
	case 0:
		return below(4200);
	case 1:
		return size - below(16);
	case 2:
		return size + below(64);
	default:
		return size;
	}
}

uint32_t flags_or_worse(uint32_t flags)
{
	return one_in(100) ? draw() : flags;
}

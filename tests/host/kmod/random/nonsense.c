// SPDX-License-Identifier: Apache-2.0
/* Steps: calls that make no sense. */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "random.h"

/* Where an argument may lie: at the end of what is mapped, read-only, or nowhere. */
static void *bad_address(void)
{
	static char *page;

	if (!page) {
		page = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		if (page == MAP_FAILED) {
			page = NULL;
			return NULL;
		}
		mprotect(page, 4096, PROT_READ);
		munmap(page + 8192, 4096);
	}
	switch (below(4)) {
	case 0:
		return (void *)(draw() >> below(64));
	case 1:
		return page + below(4096);
	case 2:
		return page + 8192 - below(64);
	default:
		return page + 4096 + below(4000);
	}
}

void call_nonsense(void)
{
	static uint32_t arg[1056];
	unsigned long cmd = one_in(10) ? draw() : _IO(ULTRAVISOR_IOC, below(NR_COMMANDS));
	int fd = pick(1 + below(NR_KINDS - 1));

	if (one_in(3)) {
		ioctl(fd, cmd, bad_address());
		return;
	}
	for (unsigned int i = 2; i < 64; i++)
		arg[i] = one_in(3) ? draw() >> below(64) : below(4);
	arg[0] = one_in(10) ? draw() : below(256);
	arg[1] = one_in(5) ? below(4) : 0;
	/* Not to run a context with no alarm set, nor to bind what is open by chance. */
	if (cmd == ULTRAVISOR_CONTEXT_RUN)
		run_context(fd);
	else
		ioctl(fd, cmd, arg);
}

// SPDX-License-Identifier: Apache-2.0
/* Steps: ends are mapped, and touched by hand and by the kernel; a fault is as good as a byte. */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "random.h"

static struct mapping {
	char *start;
	size_t size;
} mappings[MAX_MAPPINGS];
static sigjmp_buf fault_jump;

void on_fault(int signo)
{
	siglongjmp(fault_jump, signo);
}

void map(void)
{
	static const uint64_t areas[] = { 0, 1, 1, 2, 2, 3, 16, 17 };
	unsigned int i = below(MAX_MAPPINGS);
	struct mapping *m = &mappings[i];
	uint64_t offset = ULTRAVISOR_AREA_OFFSET(areas[below(8)]);
	int fd = pick(CLIENT + below(2)), prot = PROT_READ;
	size_t size = 4096;
	char *p;

	if (one_in(8))
		fd = pick(CONTEXT);
	if (fd < 0)
		fd = pick(SERVER);
	if (offset)
		size = (1 + below(4)) * 4096;
	if (below(2) && offset)
		prot |= PROT_WRITE;
	if (one_in(30))
		prot = below(8);
	if (one_in(30))
		offset = draw() & ~0xfffull >> below(30);
	if (m->start)
		munmap(m->start, m->size);
	m->start = NULL;
	p = mmap(NULL, size, prot, one_in(40) ? MAP_PRIVATE : MAP_SHARED, fd, offset & ~0xfffull);
	if (p != MAP_FAILED)
		*m = (struct mapping){ p, size };
}

static struct mapping *some_mapping(void)
{
	unsigned int start = below(MAX_MAPPINGS), i;

	for (i = 0; i < MAX_MAPPINGS; i++)
		if (mappings[(start + i) % MAX_MAPPINGS].start)
			return &mappings[(start + i) % MAX_MAPPINGS];
	return NULL;
}

void use_mapping(void)
{
	struct mapping *m = some_mapping();
	volatile char *at;
	struct iovec iov[2];
	char bytes[64];
	size_t offset;

	if (!m)
		return;
	offset = below(m->size);
	at = m->start + offset;
	switch (below(12)) {
	case 0:
		munmap(m->start, m->size);
		m->start = NULL;
		break;
	case 1:
		mprotect(m->start, m->size, below(8));
		break;
	case 2:
		madvise(m->start, m->size, below(26));
		break;
	case 3:
		iov[0] = (struct iovec){ bytes, 64 };
		iov[1] = (struct iovec){ m->start, 64 };
		process_vm_readv(getpid(), iov, 1, iov + 1, 1, 0);
		break;
	case 4:
		if (write(pick(PIPE), m->start, 64) > 0)
			shared->touched++;
		break;
	case 5:
		if (one_in(10) && m->size > 4096) {
			munmap(m->start + 4096, m->size - 4096);
			m->size = 4096;
		}
		break;
	default:
		if (!sigsetjmp(fault_jump, 1)) {
			if (below(2))
				*at = 1;
			else
				(void)*at;
			shared->touched++;
		} else {
			shared->faulted++;
		}
	}
}

/* One process as an end that works: attached, mapped, its doorbell bound. */
void build_ends(void)
{
	uint64_t id = shared->channels[below(MAX_IDS)];
	bool server = below(2);
	int fd = object_open(id, server ? ULTRAVISOR_ROLE_SERVER : ULTRAVISOR_ROLE_CLIENT,
			     server ? below(2) : 0);
	uint64_t areas[] = { 1, 2, server ? 16 : 0 };

	keep(fd, server ? SERVER : CLIENT);
	if (fd < 0 || attach(fd))
		return;
	bind_doorbell(fd, 0, ULTRAVISOR_DOORBELL_SINK, pick(EVENT));
	for (unsigned int i = 0; i < 3; i++) {
		struct mapping *m = &mappings[below(MAX_MAPPINGS)];
		bool writable = areas[i] && areas[i] != (server ? 1 : 2);
		char *p = map_area(fd, areas[i], 4096, writable ? PROT_READ | PROT_WRITE
								: PROT_READ);

		if (p == MAP_FAILED)
			continue;
		if (m->start)
			munmap(m->start, m->size);
		*m = (struct mapping){ p, 4096 };
	}
}

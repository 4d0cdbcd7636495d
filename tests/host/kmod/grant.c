// SPDX-License-Identifier: Apache-2.0
/* Grants: a serving endpoint sees the client partition's memory, and nobody else any of it. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define RW (PROT_READ | PROT_WRITE)
#define SIZE (4u << 20)

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4U
#endif

struct fixture {
	struct object partition, channel;
	int memfd;
	char *owner;
	int client;
	int server[2];
};

static struct fixture make(void)
{
	struct ultravisor_channel_create create = {
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_size = 4096, .server_size = 4096,
		.private_size = 4096, .doorbells = 1,
	};
	struct fixture f = { .partition = make_partition("granting") };

	f.memfd = make_memfd(SIZE);
	ok(memory_add(f.partition.fd, 0, SIZE, f.memfd));
	f.owner = mmap(NULL, SIZE, RW, MAP_SHARED, f.memfd, 0);
	check(f.owner != MAP_FAILED);
	create.client_id = f.partition.id;
	f.channel = make_channel(&create);
	ok(server_set(f.channel.fd, 0, 0xa0));
	ok(server_set(f.channel.fd, 1, 0xa1));
	f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	for (int i = 0; i < 2; i++) {
		f.server[i] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, i));
		ok(attach(f.server[i]));
	}
	return f;
}

static char *map(int server, unsigned int block, size_t size)
{
	char *p = map_area(server, ULTRAVISOR_AREA_MEMORY(block), size, RW);

	check(p != MAP_FAILED);
	return p;
}

static void only_the_serving_one_sees_the_memory(void)
{
	struct fixture f = make();
	struct ultravisor_memory_info info = { .size = sizeof(info) };
	char *s[2];

	ok(ioctl(f.server[0], ULTRAVISOR_MEMORY_INFO, &info));
	check(info.out_gpa == 0 && info.out_length == SIZE);
	info.index = 1;
	fails(ENOENT, ioctl(f.server[0], ULTRAVISOR_MEMORY_INFO, &info));
	seal_for_grants(f.memfd);
	strcpy(f.owner + 0x5000, "the guest's");
	s[0] = map(f.server[0], 0, SIZE);
	s[1] = map(f.server[1], 0, SIZE);
	check(!strcmp(s[0] + 0x5000, "the guest's"));
	strcpy(s[0] + 0x300000, "the server's");
	check(!strcmp(f.owner + 0x300000, "the server's"));
	check(touch_read(s[1]) == SIGBUS);
	check(map_area(f.server[0], ULTRAVISOR_AREA_MEMORY(1), 4096, RW) == MAP_FAILED);
	check(errno == ENXIO);
	check(map_area(f.server[0], ULTRAVISOR_AREA_MEMORY(0), SIZE + 4096, RW) == MAP_FAILED);
	check(errno == EINVAL);
	ok(attach(f.client));
	check(map_area(f.client, ULTRAVISOR_AREA_MEMORY(0), 4096, RW) == MAP_FAILED);
	check(errno == EACCES);

	ok(promote(f.channel.fd, 1, NULL));
	check(touch_read(s[0] + 0x5000) == SIGBUS);
	check(!strcmp(s[1] + 0x5000, "the guest's"));
	check(!strcmp(f.owner + 0x5000, "the guest's"));
}

static void without_the_seals_there_is_no_grant(void)
{
	struct fixture f = make();
	char *s = map(f.server[0], 0, SIZE);

	/* The attack that the seals prevent: the owner cuts a hole under the grant. */
	check(touch_read(s) == SIGBUS);
	ok(fcntl(f.memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	check(touch_read(s) == SIGBUS);
	ok(fcntl(f.memfd, F_ADD_SEALS, F_SEAL_SEAL));
	check(touch_read(s) == 0);
	fails(EPERM, fallocate(f.memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	fails(EPERM, madvise(f.owner, 4096, MADV_REMOVE));
	fails(EPERM, ftruncate(f.memfd, 4096));
}

static void revocation_leaves_the_owner_alone(void)
{
	struct fixture f = make();
	char *s;

	seal_for_grants(f.memfd);
	s = map(f.server[0], 0, SIZE);
	for (size_t i = 0; i < SIZE; i += 4096)
		s[i] = i >> 12;
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	for (size_t i = 0; i < SIZE; i += 65536)
		check(touch_read(s + i) == SIGBUS);
	for (size_t i = 0; i < SIZE; i += 4096)
		check(f.owner[i] == (char)(i >> 12));
}

/* ---- the owner's guest ---- */

/* Writes 128 pages, from 0x8000 on, and counts; over and over. */
static const uint8_t writing_pages[] = {
	0x31, 0xc0,			/* xor ax, ax */
	0x8e, 0xd8,			/* again: mov ds, ax */
	0xfe, 0x06, 0x00, 0x80,		/* inc byte [0x8000] */
	0x05, 0x00, 0x01,		/* add ax, 0x100 */
	0x3d, 0x00, 0x80,		/* cmp ax, 0x8000 */
	0x72, 0xf2,			/* jb again */
	0x31, 0xc0,			/* xor ax, ax */
	0x8e, 0xd8,			/* mov ds, ax */
	0x66, 0xff, 0x06, 0x00, 0x30,	/* inc dword [0x3000] */
	0xeb, 0xe7,			/* jmp again */
};

static void *run_guest(void *arg)
{
	const struct guest *g = arg;

	fails(ESHUTDOWN, context_run(g->context));
	return NULL;
}

/* The faults of all guests in their nested page tables so far. */
static long nested_faults(void)
{
	FILE *file = fopen("/sys/kernel/debug/kvm/pf_taken", "r");
	long count = -1;

	check(file);
	check(fscanf(file, "%ld", &count) == 1);
	fclose(file);
	return count;
}

static void goes_round(struct guest *g, uint32_t times)
{
	uint32_t before = *counter(g);

	for (int ms = 0; *counter(g) - before < times; ms++) {
		check(ms < 20000);
		sleep_ms(1);
	}
}

static void a_grant_costs_its_guest_no_fault(void)
{
	struct ultravisor_channel_create create = { .flags = ULTRAVISOR_CHANNEL_GRANT };
	struct object channel;
	pthread_t runner;
	struct guest g;
	long before;
	int server;
	char *s;

	guest_define(&g, "undisturbed", 0, 0);
	guest_build(&g, writing_pages, sizeof(writing_pages), false);
	create.client_id = g.partition.id;
	channel = make_channel(&create);
	ok(server_set(channel.fd, 0, 0xa0));
	server = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(server));
	check(!pthread_create(&runner, NULL, run_guest, &g));
	goes_round(&g, 100);

	before = nested_faults();
	check(before > 0);
	s = map(server, 0, GUEST_SIZE);
	for (size_t i = 0; i < GUEST_SIZE; i += 4096)
		check(touch_read(s + i) == 0);
	check(touch_write(s + GUEST_SIZE / 2) == 0);
	goes_round(&g, 100);
	check(nested_faults() == before);
	ok(channel_revoke(channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	check(touch_read(s) == SIGBUS);
	goes_round(&g, 100);
	check(nested_faults() == before);
	ok(object_destroy(g.partition.id));
	pthread_join(runner, NULL);
}

static void the_end_of_the_partition_ends_its_grants(void)
{
	struct fixture f = make();
	struct ultravisor_memory_info info = { .size = sizeof(info) };
	char *s;

	seal_for_grants(f.memfd);
	s = map(f.server[0], 0, SIZE);
	check(touch_write(s) == 0);
	ok(object_destroy(f.partition.id));
	check(touch_write(s) == SIGBUS);
	check(channel_info(f.channel.fd).out_revoked);
	/* The book of what was granted can still be read; there is nothing to be had by it. */
	ok(ioctl(f.server[0], ULTRAVISOR_MEMORY_INFO, &info));
	ok(object_destroy(f.channel.id));
}

static void granted_memory_cannot_be_pinned_or_read_from_outside(void)
{
	struct fixture f = make();
	int pipes[2], mem = ok(open("/proc/self/mem", O_RDWR));
	struct iovec iov, local;
	char *s, byte, page[4096];

	seal_for_grants(f.memfd);
	ok(pipe(pipes));
	/* The owner's own mapping can be: that is what the server's must not be like. */
	iov = (struct iovec){ f.owner, 4096 };
	check(vmsplice(pipes[1], &iov, 1, 0) == 4096);
	ok(pipe(pipes));
	s = map(f.server[0], 0, SIZE);
	check(touch_write(s) == 0);
	iov = (struct iovec){ s, 4096 };
	fails(EFAULT, vmsplice(pipes[1], &iov, 1, 0));
	fails(EIO, pread(mem, &byte, 1, (uintptr_t)s));
	check(pread(mem, &byte, 1, (uintptr_t)f.owner) == 1);
	local = (struct iovec){ page, sizeof(page) };
	fails(EFAULT, process_vm_readv(getpid(), &local, 1, &iov, 1, 0));
	fails(EFAULT, process_vm_writev(getpid(), &local, 1, &iov, 1, 0));
	iov.iov_base = f.owner;
	check(process_vm_readv(getpid(), &local, 1, &iov, 1, 0) == 4096);
	check(process_vm_writev(getpid(), &local, 1, &iov, 1, 0) == 4096);
}

static void direct_io_cannot_hold_granted_memory(void)
{
	struct fixture f = make();
	int fd = ok(open("/var/lib/ultravisor", O_TMPFILE | O_RDWR | O_DIRECT, 0600));
	char *s;

	seal_for_grants(f.memfd);
	s = map(f.server[0], 0, SIZE);
	check(touch_write(s) == 0);
	check(pwrite(fd, f.owner, 4096, 0) == 4096);
	fails(EFAULT, pwrite(fd, s, 4096, 0));
	fails(EFAULT, pread(fd, s, 4096, 0));
	/* What is copied is not held. */
	ok(fcntl(fd, F_SETFL, 0));
	check(pwrite(fd, s, 4096, 0) == 4096);
	close(fd);
}

static void io_uring_cannot_keep_granted_memory(void)
{
	struct io_uring_params params = { 0 };
	struct fixture f = make();
	struct iovec iov;
	long ring;
	char *s;

	seal_for_grants(f.memfd);
	s = map(f.server[0], 0, SIZE);
	check(touch_write(s) == 0);
	ring = ok(syscall(SYS_io_uring_setup, 4, &params));
	iov = (struct iovec){ s, 65536 };
	fails(EFAULT, syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1));
	iov.iov_base = f.owner;
	ok(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1));
	close(ring);
}

/* ---- forks beside faults and revocations ---- */

static struct fixture forked;
static char *shared;
static size_t shared_size = SIZE;
static bool over;
static __thread sigjmp_buf lost;

static void on_bus(int signo)
{
	(void)signo;
	siglongjmp(lost, 1);
}

static void *touch_all_the_time(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		if (sigsetjmp(lost, 1)) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i < shared_size; i += 4096)
			(*(volatile char *)(shared + i))++;
	}
	return NULL;
}

static void a_fork_takes_no_grant_along(void)
{
	struct sigaction action = { .sa_handler = on_bus };
	pthread_t toucher[2];
	int status;

	forked = make();
	seal_for_grants(forked.memfd);
	shared = map(forked.server[0], 0, SIZE);
	ok(sigaction(SIGBUS, &action, NULL));
	for (int i = 0; i < 2; i++)
		check(!pthread_create(&toucher[i], NULL, touch_all_the_time, NULL));
	for (int i = 0; i < 100; i++) {
		pid_t pid = ok(fork());

		if (!pid) {
			signal(SIGBUS, SIG_DFL);
			_exit(*(volatile char *)shared & 0);
		}
		if (i == 50)
			ok(channel_revoke(forked.channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
		check(waitpid(pid, &status, 0) == pid);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(toucher[i], NULL);
	signal(SIGBUS, SIG_DFL);
	check(touch_read(shared) == SIGBUS);
}

/* ---- the owner's exit beside faults, revocations and the partition's end ---- */

static void own(int socket, void *arg)
{
	struct guest *g = arg;

	guest_build(g, counting, sizeof(counting), false);
	say(socket, 'r');
	context_run(g->context);
}

static void an_owner_exits_while_its_grant_is_in_use(void)
{
	struct ultravisor_channel_create create = { .flags = ULTRAVISOR_CHANNEL_GRANT };
	struct sigaction action = { .sa_handler = on_bus };
	pthread_t toucher[2];

	ok(sigaction(SIGBUS, &action, NULL));
	for (int i = 0; i < 30; i++) {
		struct object channel;
		struct peer owner;
		struct guest g;
		int server;

		guest_define(&g, "exits", 0, 0);
		create.client_id = g.partition.id;
		channel = make_channel(&create);
		ok(server_set(channel.fd, 0, 0xa0));
		server = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
		ok(attach(server));
		owner = fork_peer(own, &g);
		/* The last to have the memory open is the owner, but for the module. */
		close(g.memfd);
		hear(owner.socket, 'r');
		shared = map(server, 0, GUEST_SIZE);
		shared_size = GUEST_SIZE;
		check(touch_write(shared) == 0);
		over = false;
		for (int k = 0; k < 2; k++)
			check(!pthread_create(&toucher[k], NULL, touch_all_the_time, NULL));
		usleep(i * 300);
		ok(kill(owner.pid, SIGKILL));
		usleep(i / 3 * 200);
		if (i % 3 == 1)
			ok(channel_revoke(channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
		if (i % 3 == 2)
			ok(object_destroy(g.partition.id));
		kill_peer(&owner);
		__atomic_store_n(&over, true, __ATOMIC_RELEASE);
		for (int k = 0; k < 2; k++)
			pthread_join(toucher[k], NULL);
		if (i % 3)
			check(touch_read(shared) == SIGBUS);
		ok(object_destroy(channel.id));
		check(touch_read(shared) == SIGBUS);
		ok(munmap(shared, GUEST_SIZE));
		close(server);
	}
	signal(SIGBUS, SIG_DFL);
}

static void a_channel_without_the_flag_grants_nothing(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct ultravisor_memory_info info = { .size = sizeof(info) };
	struct fixture f = make();
	struct object channel;
	int server;

	seal_for_grants(f.memfd);
	create.client_id = f.partition.id;
	channel = make_channel(&create);
	ok(server_set(channel.fd, 0, 0xb0));
	server = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(server));
	fails(EACCES, ioctl(server, ULTRAVISOR_MEMORY_INFO, &info));
	check(map_area(server, ULTRAVISOR_AREA_MEMORY(0), 4096, RW) == MAP_FAILED);
	check(errno == ENXIO);
}

static void blocks_are_checked(void)
{
	struct object p = make_partition("blocks");
	int fd = make_memfd(SIZE), loose = memfd_create("loose", MFD_ALLOW_SEALING);
	int unsealable = memfd_create("unsealable", 0), zero = open("/dev/zero", O_RDWR);

	ok(ftruncate(loose, SIZE));
	ok(ftruncate(unsealable, SIZE));
	fails(EPERM, memory_add(p.fd, 0, SIZE, loose));
	fails(EPERM, memory_add(p.fd, 0, SIZE, unsealable));
	fails(EINVAL, memory_add(p.fd, 0, 4096, zero));
	fails(EBADF, memory_add(p.fd, 0, 4096, -1));
	fails(EINVAL, memory_add(p.fd, 0, 0, fd));
	fails(EINVAL, memory_add(p.fd, 1, 4096, fd));
	fails(EINVAL, memory_add(p.fd, 0, 4095, fd));
	fails(EINVAL, memory_add(p.fd, 0, SIZE + 4096, fd));
	fails(EINVAL, memory_add(p.fd, 1ull << 52, SIZE, fd));
	fails(EINVAL, memory_add(p.fd, ~0xfffull, SIZE, fd));
	check(memory_add(p.fd, SIZE, SIZE, fd) == 0);
	fails(EEXIST, memory_add(p.fd, SIZE, SIZE, fd));
	fails(EEXIST, memory_add(p.fd, 2 * SIZE - 4096, SIZE, fd));
	fails(EEXIST, memory_add(p.fd, 4096, SIZE, fd));
	check(memory_add(p.fd, 0, SIZE, fd) == 1);
	for (int i = 2; i < ULTRAVISOR_MAX_BLOCKS; i++)
		check(memory_add(p.fd, (uint64_t)i * SIZE, SIZE, fd) == i);
	fails(ENOSPC, memory_add(p.fd, 99ull * SIZE, SIZE, fd));
	check(partition_info(p.fd).out_memory == (uint64_t)ULTRAVISOR_MAX_BLOCKS * SIZE);
}

static void huge_pages_are_granted_where_the_owner_has_them(void)
{
	struct ultravisor_channel_create create = { .flags = ULTRAVISOR_CHANNEL_GRANT };
	size_t huge = 2u << 20;
	struct object p = make_partition("huge"), channel;
	int fd, nr = ok(open("/proc/sys/vm/nr_hugepages", O_WRONLY)), server;
	char *owner, *s;

	check(write(nr, "4", 1) == 1);
	fd = ok(memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING));
	ok(ftruncate(fd, 2 * huge));
	ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	fails(EINVAL, memory_add(p.fd, 0, huge + 4096, fd));
	fails(EINVAL, memory_add(p.fd, 4096, huge, fd));
	ok(memory_add(p.fd, 0, 2 * huge, fd));
	owner = mmap(NULL, 2 * huge, RW, MAP_SHARED, fd, 0);
	check(owner != MAP_FAILED);
	seal_for_grants(fd);
	create.client_id = p.id;
	channel = make_channel(&create);
	ok(server_set(channel.fd, 0, 0xa0));
	server = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(server));
	s = map(server, 0, 2 * huge);
	/* Nothing is there yet, and it is not for the server to make. */
	check(touch_read(s) == SIGBUS);
	strcpy(owner + 0x7000, "first");
	strcpy(owner + huge + 0x123000, "second");
	check(!strcmp(s + 0x7000, "first"));
	check(!strcmp(s + huge + 0x123000, "second"));
	strcpy(s + huge - 16, "written");
	check(!strcmp(owner + huge - 16, "written"));
	ok(object_destroy(p.id));
	check(touch_read(s) == SIGBUS);
	check(!strcmp(owner + huge - 16, "written"));
	check(write(nr, "0", 1) == 1);
}

static long shmem_huge_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	check(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "ShmemHugePages: %ld", &kib);
	fclose(file);
	check(kib >= 0);
	return kib;
}

static bool is_debug_kernel(void)
{
	struct utsname name;

	ok(uname(&name));
	return strstr(name.release, "-debug");
}

/* A grant is by small pages, also of memory that the owner has in huge ones. */
static void transparent_huge_pages_are_granted(void)
{
	int mode = open("/sys/kernel/mm/transparent_hugepage/shmem_enabled", O_RDWR), compact;
	struct fixture f;
	long before;
	char *s;

	if (mode < 0 && errno == ENOENT) {
		printf("       none: this kernel has no huge pages for shmem\n");
		return;
	}
	ok(mode);
	compact = ok(open("/proc/sys/vm/compact_memory", O_WRONLY));
	before = shmem_huge_kib();
	check(write(compact, "1", 1) == 1);
	check(write(mode, "force", 5) == 5);
	f = make();
	seal_for_grants(f.memfd);
	memset(f.owner, 'o', SIZE);
	if (is_debug_kernel())
		printf("       in small pages: the debug kernel has no huge ones for shmem\n");
	else
		check(shmem_huge_kib() > before);
	s = map(f.server[0], 0, SIZE);
	for (size_t i = 0; i < SIZE; i += 4096) {
		check(s[i] == 'o');
		s[i] = i >> 12;
	}
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	check(touch_read(s) == SIGBUS);
	for (size_t i = 0; i < SIZE; i += 4096)
		check(f.owner[i] == (char)(i >> 12) && f.owner[i + 1] == 'o');
	check(write(mode, "never", 5) == 5);
}

/* A server of one guest and a standby, with everything they could try on the other's memory. */
static void two_guests_two_servers_no_bridge(void)
{
	struct fixture a = make(), b = make();
	char *s;

	seal_for_grants(a.memfd);
	seal_for_grants(b.memfd);
	strcpy(a.owner, "of a");
	strcpy(b.owner, "of b");
	s = map(a.server[0], 0, SIZE);
	check(!strcmp(s, "of a"));
	/* No other area of the descriptor leads elsewhere. */
	for (uint64_t area = 0; area < 4096; area++) {
		if (area == ULTRAVISOR_AREA_MEMORY(0) || area <= ULTRAVISOR_AREA_PRIVATE)
			continue;
		check(map_area(a.server[0], area, 4096, PROT_READ) == MAP_FAILED);
	}
	ok(object_destroy(a.partition.id));
	check(!strcmp(b.owner, "of b"));
	s = map(b.server[0], 0, SIZE);
	check(!strcmp(s, "of b"));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "only the serving one sees the memory", only_the_serving_one_sees_the_memory },
		{ "without the seals there is no grant", without_the_seals_there_is_no_grant },
		{ "revocation leaves the owner alone", revocation_leaves_the_owner_alone },
		{ "a grant costs its guest no fault", a_grant_costs_its_guest_no_fault },
		{ "the end of the partition ends its grants",
		  the_end_of_the_partition_ends_its_grants },
		{ "granted memory cannot be pinned or read from outside",
		  granted_memory_cannot_be_pinned_or_read_from_outside },
		{ "direct I/O cannot hold granted memory", direct_io_cannot_hold_granted_memory },
		{ "io_uring cannot keep granted memory", io_uring_cannot_keep_granted_memory },
		{ "a fork takes no grant along", a_fork_takes_no_grant_along },
		{ "an owner exits while its grant is in use",
		  an_owner_exits_while_its_grant_is_in_use },
		{ "a channel without the flag grants nothing",
		  a_channel_without_the_flag_grants_nothing },
		{ "blocks are checked", blocks_are_checked },
		{ "huge pages are granted where the owner has them",
		  huge_pages_are_granted_where_the_owner_has_them },
		{ "transparent huge pages are granted",
		  transparent_huge_pages_are_granted },
		{ "two guests, two servers, no bridge", two_guests_two_servers_no_bridge },
	};

	return RUN_TESTS(tests);
}

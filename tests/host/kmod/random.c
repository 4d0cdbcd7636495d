// SPDX-License-Identifier: Apache-2.0
/*
 * Random calls: several processes make, use, hand over and destroy whatever the module offers,
 * without agreeing on anything: ioctls that make sense, ioctls that do not, mappings, touches,
 * forks, descriptors passed over sockets, kills. Only the kernel's log, a hang, or something that
 * is left at the end is a failure; any errno is fine.
 *
 * Each process draws its steps from a stream of its own, which depends on the seed alone and is
 * gone on with by its successor if it is killed. What the steps meet depends on how the
 * processes interleave.
 *
 *	random [--seed N] [--steps N] [--processes N]
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define MAX_PROCESSES 16
#define MAX_IDS 12		/* of each kind, known to all */
#define MAX_FDS 40		/* of each process */
#define MAX_MAPPINGS 12
#define MAX_AREA 0x10000u
#define HANG_NS (60 * 1000 * MS)	/* a killed process that is not gone then never will be */

enum kind {
	NOTHING, DEVICE, PARTITION, MONITOR, CONTEXT, CHANNEL, CLIENT, SERVER, EVENT, MEMORY, PIPE,
	NR_KINDS
};

enum { NR_COMMANDS = 0x60 };

/* Shared by all, without a lock: who reads something half written has a garbage argument. */
static struct shared {
	atomic_ulong steps;
	atomic_ulong calls[NR_COMMANDS], good[NR_COMMANDS];
	atomic_ulong forks, kills, passed, touched, faulted, executed, stuck;
	_Atomic uint64_t partitions[MAX_IDS], channels[MAX_IDS];
	struct worker {
		_Atomic pid_t pid;
		_Atomic uint64_t asleep_since;	/* in CONTEXT_RUN, which may sleep for ever */
		uint64_t random;		/* the stream's state */
	} workers[MAX_PROCESSES];
} *shared;

static unsigned long seed = 1, steps = 20000;
static unsigned int processes = 4;
static int mail[MAX_PROCESSES][2];

/* ---- of this process ---- */

static struct worker *me;
static int fds[MAX_FDS];
static enum kind kinds[MAX_FDS];
static struct mapping {
	char *start;
	size_t size;
} mappings[MAX_MAPPINGS];
static sigjmp_buf fault_jump;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = me->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t n)
{
	return draw() % n;
}

static bool one_in(uint64_t n)
{
	return !below(n);
}

static void on_fault(int signo)
{
	siglongjmp(fault_jump, signo);
}

static void on_alarm(int signo)
{
	(void)signo;
}

/* ---- descriptors ---- */

static void keep(int fd, enum kind kind)
{
	unsigned int i = below(MAX_FDS);

	if (fd < 0)
		return;
	if (kinds[i] != NOTHING)
		close(fds[i]);
	fds[i] = fd;
	kinds[i] = kind;
}

/* One of that kind if there is any; now and then, any or none. */
static int pick(enum kind kind)
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

static uint64_t some_id(void)
{
	if (one_in(40))
		return draw() >> below(64);
	return below(2) ? shared->partitions[below(MAX_IDS)] : shared->channels[below(MAX_IDS)];
}

/* ---- one call ---- */

static long call(int fd, unsigned long cmd, void *arg)
{
	unsigned int nr = _IOC_NR(cmd) % NR_COMMANDS;
	long r = ioctl(fd, cmd, arg);

	shared->calls[nr]++;
	if (r >= 0)
		shared->good[nr]++;
	return r;
}

/* Sizes that are right, or nearly, or not at all. */
static uint32_t size_or_worse(uint32_t size)
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

static uint32_t flags_or_worse(uint32_t flags)
{
	return one_in(100) ? draw() : flags;
}

#define ARGUMENT(type, ...) { .size = size_or_worse(sizeof(struct type)), __VA_ARGS__ }

static uint64_t some_size(void)
{
	if (one_in(60))
		return one_in(4) ? 1 << 20 : draw() >> below(64);
	return below(5) * 4096;
}

static void create_partition(void)
{
	struct ultravisor_partition_create arg = ARGUMENT(ultravisor_partition_create);
	unsigned int i = below(MAX_IDS);
	struct ultravisor_object old = { .size = sizeof(old) };

	arg.flags = flags_or_worse(0);
	fill_uuid(arg.uuid, below(20));
	snprintf(arg.name, sizeof(arg.name), "random%u", i);
	arg.transaction = draw();
	if (one_in(4)) {
		arg.max_channels = 1 + below(3);
		arg.max_channel_bytes = below(20) * 4096;
	}
	if (one_in(8)) {
		arg.flags |= ULTRAVISOR_PARTITION_CGROUP;
		arg.cgroup = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	old.id = shared->partitions[i];
	if (old.id)
		call(device, ULTRAVISOR_OBJECT_DESTROY, &old);
	if (!call(pick(DEVICE), ULTRAVISOR_PARTITION_CREATE, &arg)) {
		shared->partitions[i] = arg.out_id;
		keep(arg.out_fd, PARTITION);
		old.id = arg.out_id;
		if (!one_in(5))
			call(device, ULTRAVISOR_OBJECT_PUBLISH, &old);
	}
	if (arg.cgroup > 0)
		close(arg.cgroup);
}

static void create_channel(void)
{
	struct ultravisor_channel_create arg = ARGUMENT(ultravisor_channel_create);
	struct ultravisor_object old = { .size = sizeof(old) };
	unsigned int i = below(MAX_IDS);

	arg.flags = flags_or_worse(below(2) ? ULTRAVISOR_CHANNEL_GRANT : 0);
	arg.type = below(4);
	arg.client_id = one_in(6) ? 0 : shared->partitions[below(MAX_IDS)];
	arg.client_size = some_size();
	arg.server_size = some_size();
	arg.private_size = some_size();
	arg.doorbells = one_in(30) ? below(100) : below(5);
	arg.reserved = one_in(200) ? draw() : 0;
	if (one_in(3))
		arg.answer_ns = one_in(20) ? draw() : (1 + below(20)) * MS;
	fill_uuid(arg.uuid, below(20));
	old.id = shared->channels[i];
	if (old.id)
		call(device, ULTRAVISOR_OBJECT_DESTROY, &old);
	if (call(pick(DEVICE), ULTRAVISOR_CHANNEL_CREATE, &arg))
		return;
	shared->channels[i] = arg.out_id;
	keep(arg.out_fd, CHANNEL);
	old.id = arg.out_id;
	if (!one_in(10))
		call(device, ULTRAVISOR_OBJECT_PUBLISH, &old);
	for (unsigned int slot = 0; slot < 2; slot++)
		if (!one_in(5))
			server_set(arg.out_fd, slot, 1 + below(3));
}

static void open_object(void)
{
	static const enum kind control[] = { PARTITION, CHANNEL };
	struct ultravisor_object_open arg = ARGUMENT(ultravisor_object_open);
	bool channel = below(4);

	arg.flags = flags_or_worse(0);
	arg.id = channel ? shared->channels[below(MAX_IDS)] : shared->partitions[below(MAX_IDS)];
	if (one_in(40))
		arg.id = some_id();
	arg.role = channel ? 3 + below(2) : 2;
	if (one_in(6))
		arg.role = one_in(10) ? draw() : 1;
	arg.slot = arg.role == ULTRAVISOR_ROLE_SERVER ? below(one_in(30) ? 100 : 2) : 0;
	if (call(pick(DEVICE), ULTRAVISOR_OBJECT_OPEN, &arg))
		return;
	switch (arg.role) {
	case ULTRAVISOR_ROLE_MONITOR:
		keep(arg.out_fd, MONITOR);
		break;
	case ULTRAVISOR_ROLE_CLIENT:
		keep(arg.out_fd, CLIENT);
		break;
	case ULTRAVISOR_ROLE_SERVER:
		keep(arg.out_fd, SERVER);
		break;
	default:
		keep(arg.out_fd, control[channel]);
	}
}

static void next_object(void)
{
	struct ultravisor_object_next arg = ARGUMENT(ultravisor_object_next);

	arg.id = some_id();
	if (call(pick(DEVICE), ULTRAVISOR_OBJECT_NEXT, &arg))
		return;
	if (arg.out_kind == ULTRAVISOR_KIND_PARTITION)
		shared->partitions[below(MAX_IDS)] = arg.out_id;
	else
		shared->channels[below(MAX_IDS)] = arg.out_id;
}

static void object(unsigned long cmd)
{
	struct ultravisor_object arg = ARGUMENT(ultravisor_object);

	arg.flags = flags_or_worse(0);
	arg.id = some_id();
	call(pick(DEVICE), cmd, &arg);
}

static void use_processor(void)
{
	struct ultravisor_processor_info info = ARGUMENT(ultravisor_processor_info);
	struct ultravisor_processor_set set = ARGUMENT(ultravisor_processor_set);

	info.cpu = one_in(30) ? draw() : below(3);
	call(pick(DEVICE), ULTRAVISOR_PROCESSOR_INFO, &info);
	set.cpu = info.cpu;
	set.flags = flags_or_worse(one_in(4) ? 0 : ULTRAVISOR_PROCESSOR_GIVEN);
	set.frame_ns = one_in(10) ? draw() >> below(64) : below(4) * 5 * MS;
	set.phase_ns = one_in(10) ? draw() >> below(64) : below(3) * MS;
	call(pick(DEVICE), ULTRAVISOR_PROCESSOR_SET, &set);
}

static void add_memory(void)
{
	struct ultravisor_memory_add arg = ARGUMENT(ultravisor_memory_add);

	arg.flags = flags_or_worse(0);
	arg.gpa = one_in(10) ? draw() >> below(64) : below(16) * GUEST_SIZE;
	arg.length = one_in(10) ? draw() >> below(64) : GUEST_SIZE;
	arg.fd = pick(MEMORY);
	call(pick(PARTITION), ULTRAVISOR_MEMORY_ADD, &arg);
}

static void set_context(void)
{
	struct ultravisor_context_set arg = ARGUMENT(ultravisor_context_set);

	arg.flags = flags_or_worse(one_in(5) ? ULTRAVISOR_CONTEXT_REALTIME : 0);
	arg.index = one_in(30) ? draw() : below(3);
	arg.mode = one_in(40) ? draw() : below(2) ? ULTRAVISOR_CONTEXT_SHARED : 1 + below(3);
	arg.cpus[one_in(60) ? below(16) : 0] = one_in(40) ? draw() : 1 + below(3);
	if (arg.mode == ULTRAVISOR_CONTEXT_SHARED && below(3)) {
		arg.budget_ns = one_in(20) ? draw() >> below(64) : (1 + below(50)) * MS / 10;
		arg.period_ns = one_in(20) ? draw() >> below(64) : (5 + below(10)) * MS;
	}
	if (arg.mode == ULTRAVISOR_CONTEXT_WINDOW) {
		arg.cpus[0] = 1 + below(2);
		arg.window_start_ns = one_in(20) ? draw() >> below(64) : below(20) * MS / 4;
		arg.window_ns = one_in(20) ? draw() >> below(64) : (1 + below(20)) * MS / 10;
	}
	call(pick(PARTITION), below(2) ? ULTRAVISOR_CONTEXT_CREATE : ULTRAVISOR_CONTEXT_SET, &arg);
}

static void use_lease(void)
{
	struct ultravisor_lease arg = ARGUMENT(ultravisor_lease);
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	arg.flags = flags_or_worse(0);
	arg.epoch = below(3);
	arg.deadline = one_in(20) ? draw() >> below(64)
				  : ts.tv_sec * 1000 * MS + ts.tv_nsec + below(100) * MS;
	call(pick(PARTITION), one_in(4) ? ULTRAVISOR_LEASE_SET : ULTRAVISOR_LEASE_RENEW, &arg);
}

static void stop_or_resume(void)
{
	struct ultravisor_partition_run arg = ARGUMENT(ultravisor_partition_run);

	call(pick(PARTITION), one_in(4) ? ULTRAVISOR_PARTITION_STOP : ULTRAVISOR_PARTITION_RESUME,
	     &arg);
}

static void get_infos(void)
{
	union {
		uint32_t size;
		struct ultravisor_info info;
		struct ultravisor_partition_info partition;
		struct ultravisor_context_info context;
		struct ultravisor_channel_info channel;
		struct ultravisor_endpoint_info endpoint;
		struct ultravisor_memory_info memory;
	} arg = { 0 };

	switch (below(6)) {
	case 0:
		arg.size = size_or_worse(sizeof(arg.info));
		call(pick(1 + below(SERVER)), ULTRAVISOR_INFO, &arg);
		break;
	case 1:
		arg.size = size_or_worse(sizeof(arg.partition));
		call(pick(PARTITION), ULTRAVISOR_PARTITION_INFO, &arg);
		break;
	case 2:
		arg.size = size_or_worse(sizeof(arg.context));
		arg.context.index = one_in(20) ? draw() : below(3);
		call(pick(PARTITION), ULTRAVISOR_CONTEXT_INFO, &arg);
		break;
	case 3:
		arg.size = size_or_worse(sizeof(arg.channel));
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_INFO, &arg);
		break;
	case 4:
		arg.size = size_or_worse(sizeof(arg.endpoint));
		call(pick(CLIENT + below(2)), ULTRAVISOR_ENDPOINT_INFO, &arg);
		break;
	default:
		arg.size = size_or_worse(sizeof(arg.memory));
		arg.memory.index = one_in(20) ? draw() : below(3);
		call(pick(one_in(3) ? PARTITION : below(2) ? MONITOR : SERVER),
		     ULTRAVISOR_MEMORY_INFO, &arg);
	}
}

static void use_channel(void)
{
	struct ultravisor_server_set set = ARGUMENT(ultravisor_server_set);
	struct ultravisor_channel_promote promote_arg = ARGUMENT(ultravisor_channel_promote);
	struct ultravisor_channel_revoke revoke = ARGUMENT(ultravisor_channel_revoke);
	uint32_t slot = one_in(40) ? draw() : below(2);

	switch (below(10)) {
	case 0:
		set.slot = slot;
		fill_uuid(set.uuid, 1 + below(3));
		call(pick(CHANNEL), ULTRAVISOR_SERVER_SET, &set);
		break;
	case 1:
		revoke.what = one_in(40) ? draw() : one_in(10) ? 1 : 2 + below(2);
		revoke.slot = revoke.what == ULTRAVISOR_REVOKE_SLOT ? slot : 0;
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_REVOKE, &revoke);
		break;
	default:
		promote_arg.slot = slot;
		promote_arg.reserved = one_in(200);
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_PROMOTE, &promote_arg);
	}
}

static void use_doorbell(int fd)
{
	struct ultravisor_doorbell_bind bind = ARGUMENT(ultravisor_doorbell_bind);
	struct ultravisor_doorbell_ring arg = ARGUMENT(ultravisor_doorbell_ring);

	bind.index = arg.index = one_in(30) ? draw() : below(3);
	if (below(2)) {
		call(fd, ULTRAVISOR_DOORBELL_RING, &arg);
		return;
	}
	bind.what = one_in(40) ? draw() : 1 + below(3);
	bind.fd = pick(EVENT);
	if (bind.what == ULTRAVISOR_DOORBELL_PORT && below(2))
		bind.fd = 1;	/* which a guest writes */
	if (one_in(6))
		bind.fd = -1;
	call(fd, ULTRAVISOR_DOORBELL_BIND, &bind);
}

static void use_endpoint(void)
{
	struct ultravisor_attach arg = ARGUMENT(ultravisor_attach);
	int fd = pick(CLIENT + below(2));
	struct pollfd p = { .fd = fd, .events = POLLIN };

	switch (below(10)) {
	case 0:
		call(fd, ULTRAVISOR_DETACH, &arg);
		break;
	case 1:
		poll(&p, 1, 0);
		break;
	case 2 ... 5:
		call(fd, ULTRAVISOR_ATTACH, &arg);
		break;
	default:
		use_doorbell(fd);
	}
}

/* ---- guests ---- */

static void use_kvm(void)
{
	static const uint32_t commands[] = {
		KVM_GET_API_VERSION, KVM_CHECK_EXTENSION, KVM_CREATE_IRQCHIP, KVM_IRQ_LINE,
		KVM_SET_USER_MEMORY_REGION, KVM_IRQFD, KVM_IOEVENTFD, KVM_GET_CLOCK,
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
		KVM_INTERRUPT, KVM_NMI, KVM_GET_VCPU_EVENTS, KVM_SIGNAL_MSI,
		/* Never to be passed through. */
		KVM_CREATE_VCPU, KVM_RUN, KVM_CREATE_DEVICE, KVM_SET_SIGNAL_MASK,
	};
	static uint64_t bytes[1024];
	struct ultravisor_kvm arg = ARGUMENT(ultravisor_kvm);

	memset(bytes, 0, 512);
	if (one_in(4))
		for (unsigned int i = 0; i < 16; i++)
			bytes[i] = draw() >> below(64);
	arg.flags = flags_or_worse(0);
	arg.cmd = one_in(40) ? draw() : commands[below(sizeof(commands) / sizeof(commands[0]))];
	arg.reserved = one_in(200);
	arg.arg = one_in(20) ? draw() : (uintptr_t)bytes;
	/* What random bytes would map or free under this program's feet. */
	if (arg.cmd == KVM_SET_USER_MEMORY_REGION)
		bytes[3] = 0;
	if (below(2))
		call(pick(MONITOR), ULTRAVISOR_VM_KVM, &arg);
	else
		call(pick(CONTEXT), ULTRAVISOR_CONTEXT_KVM, &arg);
}

static void run_context(int context)
{
	/* Soon, and again: a signal may come before the call. */
	struct itimerval soon = { { 0, 3000 }, { 0, 1 + below(3000) } }, never = { 0 };
	struct ultravisor_context_run arg = ARGUMENT(ultravisor_context_run);

	me->asleep_since = clock_ns();
	setitimer(ITIMER_REAL, &soon, NULL);
	call(context, ULTRAVISOR_CONTEXT_RUN, &arg);
	setitimer(ITIMER_REAL, &never, NULL);
	me->asleep_since = 0;
}

/* A guest as uvmonitor would build it, of which any step may fail. */
static void build_guest(void)
{
	static const uint8_t code[][7] = {
		{ 0x66, 0xff, 0x06, 0x00, 0x30, 0xeb, 0xf9 },	/* counts in memory */
		{ 0xf4, 0xeb, 0xfd },				/* halts */
		{ 0xe6, 0x01, 0xeb, 0xfc },			/* writes port 1 */
	};
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_SIZE };
	struct kvm_regs regs = { .rip = GUEST_START, .rsp = 0x8000, .rflags = 2 };
	struct ultravisor_vm_create vm = ARGUMENT(ultravisor_vm_create);
	struct ultravisor_context_open open = ARGUMENT(ultravisor_context_open);
	struct ultravisor_object publish = { .size = sizeof(publish) };
	struct ultravisor_context_set set = {
		.size = sizeof(set), .mode = ULTRAVISOR_CONTEXT_SHARED, .cpus = { 3 },
	};
	unsigned int slot = below(MAX_IDS);
	int memfd, monitor, partition;
	struct kvm_sregs sregs;
	char *memory;

	create_partition();
	publish.id = shared->partitions[slot];
	call(device, ULTRAVISOR_OBJECT_PUBLISH, &publish);
	partition = object_open(publish.id, ULTRAVISOR_ROLE_CONTROL, 0);
	monitor = object_open(publish.id, ULTRAVISOR_ROLE_MONITOR, 0);
	memfd = memfd_create("random", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (partition < 0 || monitor < 0 || memfd < 0 || ftruncate(memfd, GUEST_SIZE))
		goto out;
	memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (memory == MAP_FAILED)
		goto out;
	memcpy(memory + GUEST_START, code[below(3)], sizeof(code[0]));
	fcntl(memfd, F_ADD_SEALS,
	      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	memory_add(partition, 0, GUEST_SIZE, memfd);
	call(partition, ULTRAVISOR_CONTEXT_CREATE, &set);
	call(monitor, ULTRAVISOR_VM_CREATE, &vm);
	if (below(2))
		vm_kvm(monitor, KVM_CREATE_IRQCHIP, 0);
	region.userspace_addr = (uintptr_t)memory;
	vm_kvm(monitor, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region);
	if (!call(monitor, ULTRAVISOR_CONTEXT_OPEN, &open)) {
		context_kvm(open.out_fd, KVM_GET_SREGS, (unsigned long)&sregs);
		sregs.cs.base = sregs.cs.selector = 0;
		context_kvm(open.out_fd, KVM_SET_SREGS, (unsigned long)&sregs);
		context_kvm(open.out_fd, KVM_SET_REGS, (unsigned long)&regs);
		run_context(open.out_fd);
		keep(open.out_fd, CONTEXT);
	}
	munmap(memory, one_in(4) ? 4096 : GUEST_SIZE);
out:
	keep(partition, PARTITION);
	keep(monitor, MONITOR);
	keep(memfd, MEMORY);
}

static void open_context(void)
{
	struct ultravisor_context_open open = ARGUMENT(ultravisor_context_open);
	struct ultravisor_vm_create vm = ARGUMENT(ultravisor_vm_create);
	int monitor = pick(MONITOR);

	if (one_in(6))
		call(monitor, ULTRAVISOR_VM_CREATE, &vm);
	open.index = one_in(20) ? draw() : below(3);
	if (!call(monitor, ULTRAVISOR_CONTEXT_OPEN, &open))
		keep(open.out_fd, CONTEXT);
}

/* ---- nonsense ---- */

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

static void call_nonsense(void)
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

/* ---- memory ---- */

static void map(void)
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

static void use_mapping(void)
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
static void build_ends(void)
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

/* ---- descriptors that come and go ---- */

static void make_descriptor(void)
{
	int pipes[2], fd;

	switch (below(4)) {
	case 0:
		keep(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), EVENT);
		break;
	case 1:
		if (!pipe2(pipes, O_NONBLOCK | O_CLOEXEC)) {
			keep(pipes[1], PIPE);
			close(pipes[0]);
		}
		break;
	case 2:
		fd = memfd_create("random", MFD_ALLOW_SEALING | MFD_CLOEXEC);
		if (fd >= 0 && !ftruncate(fd, GUEST_SIZE))
			fcntl(fd, F_ADD_SEALS, one_in(5) ? 0 : F_SEAL_SHRINK | F_SEAL_GROW |
			      (one_in(5) ? 0 : F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
		keep(fd, MEMORY);
		break;
	default:
		keep(open("/dev/ultravisor", O_RDWR | O_CLOEXEC), DEVICE);
	}
}

static void drop_descriptor(void)
{
	unsigned int i = below(MAX_FDS);

	if (kinds[i] == NOTHING)
		return;
	if (one_in(4)) {
		keep(dup(fds[i]), kinds[i]);
		return;
	}
	close(fds[i]);
	kinds[i] = NOTHING;
}

static void use_eventfd(void)
{
	uint64_t count = 1;
	int fd = pick(EVENT);

	if (below(2))
		(void)!write(fd, &count, sizeof(count));
	else
		(void)!read(fd, &count, sizeof(count));
}

static void pass_descriptor(void)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	unsigned int i = below(MAX_FDS);
	uint8_t kind = kinds[i];
	struct iovec iov = { &kind, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;

	if (kind == NOTHING)
		return;
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fds[i], sizeof(int));
	if (sendmsg(mail[below(processes)][1], &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		shared->passed++;
}

static void take_descriptor(int from)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t kind;
	struct iovec iov = { &kind, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	int fd;

	if (recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	keep(fd, kind < NR_KINDS ? kind : PIPE);
}

/* ---- processes ---- */

static void step(void);

static void fork_child(void)
{
	unsigned int n = 1 + below(20);
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Its steps are drawn from its parent's stream as it is now. */
		struct worker mine = { .random = draw() };
		bool exec = one_in(10);

		me = &mine;
		while (n--)
			step();
		if (exec) {
			shared->executed++;
			execl("/bin/true", "true", NULL);
		}
		_exit(0);
	}
	shared->forks++;
	draw();
	/* One that sleeps in CONTEXT_RUN of a stopped partition ends by this alone. */
	for (int tries = 0; tries < 20; tries++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		usleep(1000 << tries / 4);
	}
	kill(pid, SIGKILL);
	shared->kills++;
	waitpid(pid, NULL, 0);
}

static void kill_somebody(void)
{
	pid_t pid = shared->workers[below(processes)].pid;

	if (pid > 1 && !kill(pid, SIGKILL))
		shared->kills++;
}

static void step(void)
{
	static const struct {
		unsigned int weight;
		void (*run)(void);
	} kinds_of_step[] = {
		{ 120, use_endpoint }, { 70, map }, { 200, use_mapping }, { 60, get_infos },
		{ 60, open_object }, { 40, use_channel }, { 40, set_context }, { 20, add_memory },
		{ 20, stop_or_resume }, { 20, next_object }, { 8, create_channel },
		{ 6, create_partition }, { 12, use_lease }, { 12, use_processor },
		{ 40, use_kvm }, { 10, open_context }, { 4, build_guest }, { 10, build_ends },
		{ 50, call_nonsense }, { 25, make_descriptor }, { 15, drop_descriptor },
		{ 30, use_eventfd }, { 20, pass_descriptor },
	};
	unsigned int n = below(1000), i;

	atomic_fetch_add(&shared->steps, 1);
	for (i = 0; i < sizeof(kinds_of_step) / sizeof(kinds_of_step[0]); i++) {
		if (n < kinds_of_step[i].weight) {
			kinds_of_step[i].run();
			return;
		}
		n -= kinds_of_step[i].weight;
	}
	switch (n) {
	case 0 ... 9:
		object(one_in(10) ? ULTRAVISOR_OBJECT_DESTROY : ULTRAVISOR_OBJECT_PUBLISH);
		break;
	case 10 ... 24:
		take_descriptor(mail[me - shared->workers < MAX_PROCESSES ?
				     me - shared->workers : 0][0]);
		break;
	case 25 ... 45:
		run_context(pick(CONTEXT));
		break;
	case 46:
		if (one_in(2) && me >= shared->workers && me < shared->workers + MAX_PROCESSES)
			fork_child();
		break;
	case 47:
		if (one_in(5))
			kill_somebody();
		break;
	default:
		sched_yield();
	}
}

static void work(struct worker *worker)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct sigaction alarm_action = { .sa_handler = on_alarm };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = worker;
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGALRM, &alarm_action, NULL);
	signal(SIGPIPE, SIG_IGN);
	while (shared->steps < steps)
		step();
	exit(0);
}

/* ---- the parent: keeps them at it, and looks at what is left ---- */

static void start(unsigned int i)
{
	pid_t pid;

	shared->workers[i].asleep_since = 0;
	fflush(NULL);
	pid = ok(fork());
	if (!pid)
		work(&shared->workers[i]);
	shared->workers[i].pid = pid;
}

static void reap(pid_t pid, int status)
{
	for (unsigned int i = 0; i < processes; i++) {
		if (shared->workers[i].pid != pid)
			continue;
		shared->workers[i].pid = 0;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			fail("process %u ended by signal %d", i, WTERMSIG(status));
		if (WIFEXITED(status) && WEXITSTATUS(status))
			fail("process %u ended with status %d", i, WEXITSTATUS(status));
		if (shared->steps < steps)
			start(i);
	}
}

static bool any_left(void)
{
	for (unsigned int i = 0; i < processes; i++)
		if (shared->workers[i].pid)
			return true;
	return false;
}

/* Who sleeps for long in CONTEXT_RUN sleeps because its partition is stopped: SIGKILL ends that. */
static void wake_sleepers(void)
{
	uint64_t now = clock_ns();

	for (unsigned int i = 0; i < processes; i++) {
		uint64_t since = shared->workers[i].asleep_since;

		if (!since || since > now || now - since < 100 * MS || !shared->workers[i].pid)
			continue;
		kill(shared->workers[i].pid, SIGKILL);
		shared->workers[i].asleep_since = 0;
		shared->stuck++;
	}
}

static void supervise(void)
{
	unsigned long last = 0;
	uint64_t moved = clock_ns();
	int status;
	pid_t pid;

	for (unsigned int i = 0; i < processes; i++)
		start(i);
	while (any_left()) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(pid, status);
		wake_sleepers();
		if (shared->steps != last) {
			last = shared->steps;
			moved = clock_ns();
		} else if (clock_ns() - moved > HANG_NS) {
			fail("no step for %llu s: a process hangs", HANG_NS / MS / 1000);
		}
		usleep(10000);
	}
}

static void clean_up(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };

	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		object_destroy(next.out_id);
		next.id = next.out_id;
	}
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		struct ultravisor_processor_set set = { .size = sizeof(set), .cpu = cpu };

		ioctl(device, ULTRAVISOR_PROCESSOR_SET, &set);
	}
	next.id = 0;
	fails(ENOENT, ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
}

static void report(void)
{
	unsigned long calls = 0, good = 0;
	unsigned int nr;

	for (nr = 0; nr < NR_COMMANDS; nr++) {
		calls += shared->calls[nr];
		good += shared->good[nr];
		if (shared->calls[nr] && getenv("RANDOM_VERBOSE"))
			printf("    command %#04x: %7lu of %7lu good\n", nr, shared->good[nr],
			       shared->calls[nr]);
	}
	printf("seed %lu: %lu steps of %u processes: %lu of %lu calls good, %lu touches, "
	       "%lu faults, %lu forks, %lu execs, %lu kills, %lu sleepers killed, "
	       "%lu descriptors passed\n", seed, shared->steps, processes, good, calls,
	       shared->touched, shared->faulted, shared->forks, shared->executed, shared->kills,
	       shared->stuck, shared->passed);
	for (nr = 0; nr < NR_COMMANDS; nr++)
		if (shared->calls[nr] > 500 && !shared->good[nr])
			printf("    never good: command %#04x of %lu\n", nr, shared->calls[nr]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "steps", required_argument, NULL, 'n' },
		{ "processes", required_argument, NULL, 'p' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			steps = strtoul(optarg, NULL, 0);
		else if (c == 'p')
			processes = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (!processes || processes > MAX_PROCESSES)
		return 2;
	printf("random --seed %lu --steps %lu --processes %u\n", seed, steps, processes);
	device = ok(open("/dev/ultravisor", O_RDWR | O_CLOEXEC));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	check(shared != MAP_FAILED);
	clean_up();
	for (unsigned int i = 0; i < processes; i++) {
		ok(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail[i]));
		shared->workers[i].random = seed * 1000003 + i;
	}
	supervise();
	clean_up();
	report();
	return 0;
}

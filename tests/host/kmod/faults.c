// SPDX-License-Identifier: Apache-2.0
/*
 * Every point of failure of every call's good path: the 1st, 2nd, … nth allocation or copy fails,
 * until the call gets through to its end untouched. After each failure the errno is one that
 * docs/abi.md has for the call, and nothing is left behind: the objects, the descriptors and all
 * that can be seen of the module are as they were. What cannot be seen is kmemleak's and rmmod's
 * to find, after this program (tests/long/kmod-faults.sh).
 *
 * For a kernel with fault injection: /proc/self/task/TID/fail-nth counts down at each point.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define RW (PROT_READ | PROT_WRITE)
#define AREA 0x4000u
#define MS 1000000ull

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4U
#endif

/* ---- what a call is made on: made anew for each, so that failures do not add up ---- */

static struct fixture {
	struct object partition, channel;
	int memfd;
	uint8_t *memory;
	int monitor, context;
	int client, server[2];
	int event, pipes[2];
	char *mapped;
	void *run;
} f;

enum {
	WITH_CHANNEL = 1,	/* of the partition, with two servers named, and its ends open */
	ATTACHED = 2 | WITH_CHANNEL,
	WITH_VM = 4,
	WITH_VCPU = 8 | WITH_VM,
};

static void make(unsigned int what)
{
	struct ultravisor_channel_create create = {
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_size = AREA, .server_size = AREA,
		.private_size = AREA, .doorbells = 4,
	};
	struct ultravisor_vm_create vm = { .size = sizeof(vm) };

	f = (struct fixture){ .partition = make_partition("faults"), .context = -1 };
	f.event = ok(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	f.memfd = make_memfd(GUEST_SIZE);
	f.memory = mmap(NULL, GUEST_SIZE, RW, MAP_SHARED, f.memfd, 0);
	check(f.memory != MAP_FAILED);
	f.memory[GUEST_START] = 0xf4;
	seal_for_grants(f.memfd);
	ok(memory_add(f.partition.fd, 0, GUEST_SIZE, f.memfd));
	ok(context_create(f.partition.fd, 0, 0, 0));
	f.monitor = ok(object_open(f.partition.id, ULTRAVISOR_ROLE_MONITOR, 0));
	if (what & WITH_CHANNEL) {
		create.client_id = f.partition.id;
		f.channel = make_channel(&create);
		f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
		for (int i = 0; i < 2; i++) {
			ok(server_set(f.channel.fd, i, 0xa0 + i));
			f.server[i] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, i));
		}
	}
	if ((what & ATTACHED) == ATTACHED) {
		ok(attach(f.client));
		ok(attach(f.server[0]));
		ok(attach(f.server[1]));
	}
	if (what & WITH_VM)
		ok(ioctl(f.monitor, ULTRAVISOR_VM_CREATE, &vm));
	if ((what & WITH_VCPU) == WITH_VCPU)
		f.context = ok(context_open(f.monitor, 0));
}

/* The VM ends with the address space alone: each call on one has a child of its own, see walk(). */
static void unmake(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };

	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		ok(object_destroy(next.out_id));
		next.id = next.out_id;
	}
	munmap(f.memory, GUEST_SIZE);
	if (f.mapped)
		munmap(f.mapped, AREA);
	if (f.run)
		munmap(f.run, 4096);
	close_range(device + 1, ~0u, 0);
}

/* ---- what must be as it was ---- */

struct picture {
	unsigned int objects, descriptors;
	uint64_t last_id;
	struct ultravisor_partition_info partition;
	struct ultravisor_context_info context;
	struct ultravisor_channel_info channel;
};

static unsigned int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	check(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static struct picture look(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	struct picture p;

	memset(&p, 0, sizeof(p));
	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		next.id = next.out_id;
		p.objects++;
	}
	p.last_id = next.id;
	p.descriptors = count_descriptors();
	p.partition = partition_info(f.partition.fd);
	p.context = context_info(f.partition.fd, 0);
	/* What counts time and exits goes on. */
	p.partition.out_run_ns = p.partition.out_exits = p.partition.out_stolen_ns = 0;
	p.context = (struct ultravisor_context_info){
		.out_mode = p.context.out_mode, .out_budget_ns = p.context.out_budget_ns,
		.out_period_ns = p.context.out_period_ns, .out_cpus = { p.context.out_cpus[0] },
		.out_window_start_ns = p.context.out_window_start_ns,
		.out_window_ns = p.context.out_window_ns, .out_flags = p.context.out_flags,
	};
	if (f.channel.id)
		p.channel = channel_info(f.channel.fd);
	return p;
}

/* ---- the calls ---- */

static long info(void)
{
	struct ultravisor_info arg = { .size = sizeof(arg) };

	return ioctl(device, ULTRAVISOR_INFO, &arg);
}

static long create_partition(void)
{
	struct object made;

	return partition_create("another", &made);
}

static long create_channel(void)
{
	struct ultravisor_channel_create create = {
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_id = f.partition.id, .doorbells = 2,
		.client_size = 4096, .server_size = 8192, .private_size = 4096,
	};
	struct object made;

	return channel_create(&create, &made);
}

static long open_partition(void)
{
	return object_open(f.partition.id, ULTRAVISOR_ROLE_CONTROL, 0);
}

static long open_monitor(void)
{
	return object_open(f.partition.id, ULTRAVISOR_ROLE_MONITOR, 0);
}

static long open_channel(void)
{
	return object_open(f.channel.id, ULTRAVISOR_ROLE_CONTROL, 0);
}

static long open_client(void)
{
	return object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0);
}

static long open_server(void)
{
	return object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 1);
}

static long next_object(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };

	return ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next);
}

static long publish(void)
{
	return object_publish(f.partition.id);
}

static long destroy_partition(void)
{
	return object_destroy(f.partition.id);
}

static long destroy_channel(void)
{
	return object_destroy(f.channel.id);
}

static long get_partition_info(void)
{
	struct ultravisor_partition_info arg = { .size = sizeof(arg) };

	return ioctl(f.partition.fd, ULTRAVISOR_PARTITION_INFO, &arg);
}

static long stop(void)
{
	return partition_stop(f.partition.fd);
}

static long resume(void)
{
	return partition_resume(f.partition.fd);
}

static long add_memory(void)
{
	return memory_add(f.partition.fd, 1ull << 32, GUEST_SIZE, f.memfd);
}

static long create_context(void)
{
	return context_create(f.partition.fd, 1, 2 * MS, 10 * MS);
}

static long set_context(void)
{
	return context_set(f.partition.fd, ULTRAVISOR_CONTEXT_SET, 0, ULTRAVISOR_CONTEXT_SHARED, 1,
			   2 * MS, 20 * MS);
}

static long get_context_info(void)
{
	struct ultravisor_context_info arg = { .size = sizeof(arg) };

	return ioctl(f.partition.fd, ULTRAVISOR_CONTEXT_INFO, &arg);
}

static long get_memory_info(void)
{
	struct ultravisor_memory_info arg = { .size = sizeof(arg) };

	return ioctl(f.monitor, ULTRAVISOR_MEMORY_INFO, &arg);
}

static long create_vm(void)
{
	struct ultravisor_vm_create arg = { .size = sizeof(arg) };

	return ioctl(f.monitor, ULTRAVISOR_VM_CREATE, &arg);
}

static long get_supported_cpuid(void)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid;

	cpuid.head.nent = 256;
	return vm_kvm(f.monitor, KVM_GET_SUPPORTED_CPUID, (unsigned long)&cpuid);
}

static long set_memory_region(void)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_SIZE, .userspace_addr = (uintptr_t)f.memory,
	};

	return vm_kvm(f.monitor, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region);
}

static long open_context(void)
{
	return context_open(f.monitor, 0);
}

static long get_registers(void)
{
	struct kvm_sregs sregs;

	return context_kvm(f.context, KVM_GET_SREGS, (unsigned long)&sregs);
}

static long map_run(void)
{
	f.run = mmap(NULL, 4096, RW, MAP_SHARED, f.context, 0);
	if (f.run == MAP_FAILED)
		f.run = NULL;
	return f.run ? 0 : -1;
}

static void prepare_guest(void)
{
	struct kvm_regs regs = { .rip = GUEST_START, .rsp = 0x8000, .rflags = 2 };
	struct kvm_sregs sregs;

	ok(set_memory_region());
	ok(context_kvm(f.context, KVM_GET_SREGS, (unsigned long)&sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ok(context_kvm(f.context, KVM_SET_SREGS, (unsigned long)&sregs));
	ok(context_kvm(f.context, KVM_SET_REGS, (unsigned long)&regs));
}

static long run_context(void)
{
	return context_run(f.context);
}

static long get_channel_info(void)
{
	struct ultravisor_channel_info arg = { .size = sizeof(arg) };

	return ioctl(f.channel.fd, ULTRAVISOR_CHANNEL_INFO, &arg);
}

static long set_server(void)
{
	return server_set(f.channel.fd, 2, 0xa2);
}

static long promote_second(void)
{
	return promote(f.channel.fd, 1, NULL);
}

static long revoke_all(void)
{
	return channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_ALL, 0);
}

static long revoke_client(void)
{
	return channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_CLIENT, 0);
}

static long revoke_slot(void)
{
	return channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_SLOT, 0);
}

static long get_endpoint_info(void)
{
	struct ultravisor_endpoint_info arg = { .size = sizeof(arg) };

	return ioctl(f.client, ULTRAVISOR_ENDPOINT_INFO, &arg);
}

static long attach_client(void)
{
	return attach(f.client);
}

static long attach_server(void)
{
	return attach(f.server[0]);
}

static long detach_client(void)
{
	return detach(f.client);
}

static long bind_sink(void)
{
	return bind_doorbell(f.server[0], 1, ULTRAVISOR_DOORBELL_SINK, f.event);
}

static long bind_source(void)
{
	return bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_SOURCE, f.event);
}

static long bind_port(void)
{
	return bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, 0xc000);
}

static long ring_server(void)
{
	return ring(f.client, 1);
}

static long map_own_area(void)
{
	f.mapped = map_area(f.client, ULTRAVISOR_AREA_CLIENT, AREA, RW);
	if (f.mapped == MAP_FAILED)
		f.mapped = NULL;
	return f.mapped ? 0 : -1;
}

static long map_grant(void)
{
	f.mapped = map_area(f.server[0], ULTRAVISOR_AREA_MEMORY(0), AREA, RW);
	if (f.mapped == MAP_FAILED)
		f.mapped = NULL;
	return f.mapped ? 0 : -1;
}

/* A touch from inside a system call; a process's own touch that finds no memory is tried again. */
static long write_mapped(void)
{
	return write(f.pipes[1], f.mapped + 4096, 1) == 1 ? 0 : -1;
}

static void prepare_own_area(void)
{
	ok(map_own_area());
	ok(pipe2(f.pipes, O_NONBLOCK | O_CLOEXEC));
}

static void prepare_grant(void)
{
	ok(map_grant());
	ok(pipe2(f.pipes, O_NONBLOCK | O_CLOEXEC));
}

static long touch_mapped(void)
{
	return touch_write(f.mapped) ? -1 : 0;
}

static long poll_endpoint(void)
{
	struct pollfd fd = { .fd = f.client, .events = POLLIN };

	return poll(&fd, 1, 0) < 0 ? -1 : 0;
}

static long give_processor(void)
{
	struct ultravisor_processor_set arg = {
		.size = sizeof(arg), .flags = ULTRAVISOR_PROCESSOR_GIVEN, .cpu = 1,
		.frame_ns = 20 * MS,
	};

	return ioctl(device, ULTRAVISOR_PROCESSOR_SET, &arg);
}

static void take_processor(void)
{
	struct ultravisor_processor_set arg = { .size = sizeof(arg), .cpu = 1 };

	ioctl(device, ULTRAVISOR_PROCESSOR_SET, &arg);
}

static long get_processor_info(void)
{
	struct ultravisor_processor_info arg = { .size = sizeof(arg), .cpu = 0 };

	return ioctl(device, ULTRAVISOR_PROCESSOR_INFO, &arg);
}

static void prepare_processor(void)
{
	give_processor();
}

static long set_window(void)
{
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .index = 0, .mode = ULTRAVISOR_CONTEXT_WINDOW, .cpus = { 2 },
		.window_start_ns = 2 * MS, .window_ns = 4 * MS,
	};

	return ioctl(f.partition.fd, ULTRAVISOR_CONTEXT_SET, &arg);
}

static long set_realtime(void)
{
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .flags = ULTRAVISOR_CONTEXT_REALTIME, .index = 0,
		.mode = ULTRAVISOR_CONTEXT_SHARED, .cpus = { 2 },
		.budget_ns = 2 * MS, .period_ns = 20 * MS,
	};

	return ioctl(f.partition.fd, ULTRAVISOR_CONTEXT_SET, &arg);
}

static uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static long lease(unsigned long cmd)
{
	struct ultravisor_lease arg = {
		.size = sizeof(arg), .epoch = 7, .deadline = boottime_ns() + 3600000 * MS,
	};

	return ioctl(f.partition.fd, cmd, &arg);
}

static long set_lease(void)
{
	return lease(ULTRAVISOR_LEASE_SET);
}

static void prepare_lease(void)
{
	set_lease();
}

static long renew_lease(void)
{
	return lease(ULTRAVISOR_LEASE_RENEW);
}

static int cgroup = -1;

/* What it may use is limited, and what it makes is charged to a cgroup. */
static long create_limited(void)
{
	struct ultravisor_partition_create create = {
		.size = sizeof(create), .flags = ULTRAVISOR_PARTITION_CGROUP, .name = "limited",
		.max_channels = 2, .max_channel_bytes = 1 << 20, .cgroup = cgroup,
	};

	fill_uuid(create.uuid, 0x33);
	return ioctl(device, ULTRAVISOR_PARTITION_CREATE, &create);
}

static void prepare_cgroup(void)
{
	cgroup = ok(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static long create_deadline_channel(void)
{
	struct ultravisor_channel_create create = {
		.client_id = f.partition.id, .client_size = 4096, .doorbells = 4,
		.answer_ns = 100 * MS,
	};
	struct object made;

	return channel_create(&create, &made);
}

enum flags {
	EFFECT = 1,		/* EFAULT at the copy out: it has taken place, see docs/abi.md */
	IN_VM = 2,		/* the point may be KVM's, whose errno is passed on */
	THREAD = 4,		/* fail where the kernel makes threads, too */
};

static const struct path {
	const char *name;
	unsigned int fixture;
	void (*prepare)(void);
	long (*call)(void);
	unsigned int flags;
	void (*undo)(void);
} paths[] = {
	{ "INFO", 0, NULL, info, 0, NULL },
	{ "PARTITION_CREATE", 0, NULL, create_partition, 0, NULL },
	{ "PARTITION_CREATE with a cgroup", 0, prepare_cgroup, create_limited, 0, NULL },
	{ "CHANNEL_CREATE", 0, NULL, create_channel, 0, NULL },
	{ "CHANNEL_CREATE with a deadline", 0, NULL, create_deadline_channel, 0, NULL },
	{ "OBJECT_OPEN of a partition", 0, NULL, open_partition, 0, NULL },
	{ "OBJECT_OPEN of a monitor", 0, NULL, open_monitor, 0, NULL },
	{ "OBJECT_OPEN of a channel", WITH_CHANNEL, NULL, open_channel, 0, NULL },
	{ "OBJECT_OPEN of a client", WITH_CHANNEL, NULL, open_client, 0, NULL },
	{ "OBJECT_OPEN of a server", WITH_CHANNEL, NULL, open_server, 0, NULL },
	{ "OBJECT_NEXT", 0, NULL, next_object, 0, NULL },
	{ "OBJECT_PUBLISH", 0, NULL, publish, 0, NULL },
	{ "OBJECT_DESTROY of a partition", ATTACHED | WITH_VCPU, prepare_grant, destroy_partition,
	  0, NULL },
	{ "OBJECT_DESTROY of a channel", ATTACHED, prepare_own_area, destroy_channel, 0, NULL },
	{ "PROCESSOR_SET", 0, NULL, give_processor, 0, take_processor },
	{ "PROCESSOR_INFO", 0, NULL, get_processor_info, 0, NULL },
	{ "PARTITION_INFO", WITH_VM, NULL, get_partition_info, 0, NULL },
	{ "PARTITION_STOP", WITH_VCPU, NULL, stop, 0, NULL },
	{ "PARTITION_RESUME", WITH_VCPU, NULL, resume, 0, NULL },
	{ "MEMORY_ADD", 0, NULL, add_memory, EFFECT, NULL },
	{ "CONTEXT_CREATE", 0, NULL, create_context, 0, NULL },
	{ "CONTEXT_SET", 0, NULL, set_context, 0, NULL },
	{ "CONTEXT_SET to a window", 0, prepare_processor, set_window, 0, take_processor },
	{ "CONTEXT_SET to real time", 0, prepare_processor, set_realtime, 0, take_processor },
	{ "CONTEXT_INFO", 0, NULL, get_context_info, 0, NULL },
	{ "LEASE_SET", 0, NULL, set_lease, 0, NULL },
	{ "LEASE_RENEW", 0, prepare_lease, renew_lease, 0, NULL },
	{ "VM_CREATE", 0, NULL, create_vm, IN_VM | THREAD, NULL },
	{ "VM_KVM of the system", WITH_VM, NULL, get_supported_cpuid, IN_VM, NULL },
	{ "VM_KVM of the VM", WITH_VM, NULL, set_memory_region, IN_VM, NULL },
	{ "CONTEXT_OPEN, the first", WITH_VM, NULL, open_context, IN_VM | THREAD | EFFECT, NULL },
	{ "CONTEXT_OPEN, another", WITH_VCPU, NULL, open_context, 0, NULL },
	{ "MEMORY_INFO", 0, NULL, get_memory_info, 0, NULL },
	{ "mmap of a context", WITH_VCPU, NULL, map_run, 0, NULL },
	{ "CONTEXT_KVM", WITH_VCPU, NULL, get_registers, IN_VM, NULL },
	{ "CONTEXT_RUN", WITH_VCPU, prepare_guest, run_context, IN_VM, NULL },
	{ "CHANNEL_INFO", ATTACHED, NULL, get_channel_info, 0, NULL },
	{ "SERVER_SET", WITH_CHANNEL, NULL, set_server, 0, NULL },
	{ "CHANNEL_PROMOTE", ATTACHED, prepare_grant, promote_second, EFFECT, NULL },
	{ "CHANNEL_REVOKE of all", ATTACHED, prepare_grant, revoke_all, 0, NULL },
	{ "CHANNEL_REVOKE of the client", ATTACHED, prepare_own_area, revoke_client, 0, NULL },
	{ "CHANNEL_REVOKE of a slot", ATTACHED, prepare_grant, revoke_slot, 0, NULL },
	{ "ENDPOINT_INFO", ATTACHED, NULL, get_endpoint_info, 0, NULL },
	{ "ATTACH of a client", WITH_CHANNEL, NULL, attach_client, 0, NULL },
	{ "ATTACH of a server", WITH_CHANNEL, NULL, attach_server, 0, NULL },
	{ "DETACH", ATTACHED, prepare_own_area, detach_client, 0, NULL },
	{ "DOORBELL_BIND of a sink", ATTACHED, NULL, bind_sink, 0, NULL },
	{ "DOORBELL_BIND of a source", ATTACHED, NULL, bind_source, 0, NULL },
	{ "DOORBELL_BIND of a port", ATTACHED, NULL, bind_port, 0, NULL },
	{ "DOORBELL_RING", ATTACHED, NULL, ring_server, 0, NULL },
	{ "mmap of an area", ATTACHED, NULL, map_own_area, 0, NULL },
	{ "mmap of a grant", ATTACHED, NULL, map_grant, 0, NULL },
	{ "a touch of an area", ATTACHED, prepare_own_area, touch_mapped, 0, NULL },
	{ "a touch of a grant", ATTACHED, prepare_grant, touch_mapped, 0, NULL },
	{ "a copy from an area", ATTACHED, prepare_own_area, write_mapped, 0, NULL },
	{ "a copy from a grant", ATTACHED, prepare_grant, write_mapped, 0, NULL },
	{ "poll", ATTACHED, NULL, poll_endpoint, 0, NULL },
};

/* ---- the walk ---- */

static void set_nth(int fd, unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	/* The writing itself may be hit by what is still to come. */
	for (int tries = 0; tries < 3; tries++)
		if (pwrite(fd, text, n, 0) == n)
			return;
	fail("fail-nth: %s", strerror(errno));
}

/* How many points were still to be passed; 0: it has struck. */
static unsigned int get_nth(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0) {
		check(errno == EFAULT);		/* struck here, so not before */
		return 1;
	}
	return strtoul(text, NULL, 10);
}

/* docs/abi.md, Errors; and KVM's for what is passed through. */
static bool is_documented(const struct path *path, int error)
{
	if (error == ENOMEM || error == EFAULT)
		return true;
	return path->flags & IN_VM && (error == EINTR || error == EBUSY);
}

static unsigned int struck, survived;

/* One call with its nth point failing; false when it has fewer. */
static bool attempt(const struct path *path, int nth_fd, unsigned int nth)
{
	struct picture before, after;
	bool hit;
	int error;
	long r;

	make(path->fixture);
	if (path->prepare)
		path->prepare();
	before = look();
	set_nth(nth_fd, nth);
	r = path->call();
	error = errno;
	hit = !get_nth(nth_fd);
	set_nth(nth_fd, 0);
	if (r < 0 && !hit)
		fail("%s, without a failure: %s", path->name, strerror(error));
	if (r < 0 && !is_documented(path, error))
		fail("%s, failure %u: %s is not documented", path->name, nth, strerror(error));
	if (r < 0 && !(path->flags & EFFECT && error == EFAULT)) {
		after = look();
		if (memcmp(&before, &after, sizeof(before)))
			fail("%s, failure %u (%s): something is left: objects %u, %u; "
			     "descriptors %u, %u; blocks %u, %u; contexts %u, %u; epoch %llu, %llu",
			     path->name, nth, strerror(error), before.objects, after.objects,
			     before.descriptors, after.descriptors, before.partition.out_blocks,
			     after.partition.out_blocks, before.partition.out_contexts,
			     after.partition.out_contexts,
			     (unsigned long long)before.channel.out_epoch,
			     (unsigned long long)after.channel.out_epoch);
	}
	if (hit) {
		struck += r < 0;
		survived += r >= 0;
	}
	if (path->undo)
		path->undo();
	unmake();
	return hit;
}

struct result {
	unsigned int points, failed;
};

/* In a process of its own: what its address space holds is gone with it. */
static void walk(int socket, void *arg)
{
	const struct path *path = arg;
	int nth_fd, tries = 0;
	unsigned int nth = 1;
	struct result result;
	char file[64];

	snprintf(file, sizeof(file), "/proc/self/task/%ld/fail-nth", (long)syscall(SYS_gettid));
	nth_fd = ok(open(file, O_RDWR | O_CLOEXEC));
	ok(dup2(nth_fd, device - 1));		/* below what unmake() closes */
	nth_fd = device - 1;
	ok(dup2(socket, device - 2));
	mlockall(MCL_CURRENT);
	/* The number of points varies a little with what the kernel has in its caches. */
	while (tries < 3) {
		if (attempt(path, nth_fd, nth)) {
			nth++;
			tries = 0;
		} else {
			tries++;
		}
	}
	result = (struct result){ nth - 1, struck };
	check(write(device - 2, &result, sizeof(result)) == sizeof(result));
}

/* The same for the kernel's maker of threads, of which the module asks one for each errand. */
static void walk_threads(int socket, void *arg)
{
	const struct path *path = arg;
	unsigned int nth = 1;
	struct result result;
	int nth_fd;

	nth_fd = ok(open("/proc/2/fail-nth", O_RDWR | O_CLOEXEC));
	ok(dup2(nth_fd, device - 1));
	ok(dup2(socket, device - 2));
	while (attempt(path, device - 1, nth))
		nth++;
	result = (struct result){ nth - 1, struck };
	check(write(device - 2, &result, sizeof(result)) == sizeof(result));
}

static struct result walk_apart(const struct path *path, void (*how)(int, void *))
{
	struct result result = { 0 };
	struct peer peer = fork_peer(how, (void *)(uintptr_t)path);
	ssize_t n = read(peer.socket, &result, sizeof(result));

	end_peer(&peer);
	check(n == sizeof(result));
	return result;
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s (this needs the debug kernel)", path, strerror(errno));
	check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int total = 0, failed = 0, calls = 0;

	/* Sleeping allocations fail, too; and without a word in the log. */
	write_file("failslab", "ignore-gfp-wait", "N");
	write_file("failslab", "verbose", "0");
	write_file("fail_page_alloc", "ignore-gfp-wait", "N");
	write_file("fail_page_alloc", "ignore-gfp-highmem", "N");
	write_file("fail_page_alloc", "min-order", "0");
	write_file("fail_page_alloc", "verbose", "0");
	write_file("fail_usercopy", "verbose", "0");

	device = ok(open("/dev/ultravisor", O_RDWR | O_CLOEXEC));
	device = ok(fcntl(device, F_DUPFD_CLOEXEC, 20));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct path *path = &paths[i];
		struct result result;

		if (argc > 1 && !strstr(path->name, argv[1]))
			continue;
		result = walk_apart(path, walk);
		calls++;
		total += result.points;
		failed += result.failed;
		printf("%-32s %4u points, %4u failures\n", path->name, result.points,
		       result.failed);
		fflush(stdout);
		if (!(path->flags & THREAD))
			continue;
		result = walk_apart(path, walk_threads);
		total += result.points;
		failed += result.failed;
		printf("%-32s %4u points, %4u failures, of the thread\n", path->name, result.points,
		       result.failed);
	}
	printf("count: %u points of failure in %u calls, %u of them made the call fail\n", total,
	       calls, failed);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

int device = -1;

void fail_at(const char *file, int line, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

void fill_uuid(uint8_t *uuid, uint8_t byte)
{
	memset(uuid, byte, ULTRAVISOR_UUID_LEN);
}

/* ---- the test runner ---- */

/* Whatever a test has left in the module is destroyed, so that the next one starts with nothing. */
static void destroy_all(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };

	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		object_destroy(next.out_id);
		next.id = next.out_id;
	}
}

static bool run_test(const struct test *test)
{
	uint64_t start = clock_ns();
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		test->run();
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	destroy_all();
	printf("%s %s (%llu ms)\n", status ? "FAILED" : "ok    ", test->name,
	       (unsigned long long)(clock_ns() - start) / 1000000);
	if (WIFSIGNALED(status))
		printf("       ended by signal %d\n", WTERMSIG(status));
	fflush(stdout);
	return status == 0;
}

int run_tests(int argc, char **argv, const struct test *tests, size_t count)
{
	int failed = 0;

	device = open("/dev/ultravisor", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/ultravisor: %s", strerror(errno));
	destroy_all();
	for (size_t i = 0; i < count; i++)
		if (argc < 2 || strstr(tests[i].name, argv[1]))
			failed += !run_test(&tests[i]);
	return failed ? 1 : 0;
}

/* ---- objects ---- */

long partition_create(const char *name, struct object *object)
{
	struct ultravisor_partition_create create = { .size = sizeof(create) };

	fill_uuid(create.uuid, 0x11);
	snprintf(create.name, sizeof(create.name), "%s", name);
	if (ioctl(device, ULTRAVISOR_PARTITION_CREATE, &create))
		return -1;
	*object = (struct object){ create.out_id, create.out_fd };
	return 0;
}

struct object make_partition(const char *name)
{
	struct object object;

	ok(partition_create(name, &object));
	ok(object_publish(object.id));
	return object;
}

long channel_create(const struct ultravisor_channel_create *template, struct object *object)
{
	struct ultravisor_channel_create create = *template;

	create.size = sizeof(create);
	if (!create.uuid[0])
		fill_uuid(create.uuid, 0x22);
	if (ioctl(device, ULTRAVISOR_CHANNEL_CREATE, &create))
		return -1;
	*object = (struct object){ create.out_id, create.out_fd };
	return 0;
}

struct object make_channel(const struct ultravisor_channel_create *create)
{
	struct object object;

	ok(channel_create(create, &object));
	ok(object_publish(object.id));
	return object;
}

long object_publish(uint64_t id)
{
	struct ultravisor_object arg = { .size = sizeof(arg), .id = id };

	return ioctl(device, ULTRAVISOR_OBJECT_PUBLISH, &arg);
}

long object_destroy(uint64_t id)
{
	struct ultravisor_object arg = { .size = sizeof(arg), .id = id };

	return ioctl(device, ULTRAVISOR_OBJECT_DESTROY, &arg);
}

long object_open(uint64_t id, uint32_t role, uint32_t slot)
{
	struct ultravisor_object_open arg = {
		.size = sizeof(arg), .id = id, .role = role, .slot = slot,
	};

	return ioctl(device, ULTRAVISOR_OBJECT_OPEN, &arg) ? -1 : arg.out_fd;
}

/* ---- partitions ---- */

int make_memfd(size_t size)
{
	int fd = memfd_create("guest", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	ok(fd);
	ok(ftruncate(fd, size));
	ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	return fd;
}

void seal_for_grants(int memfd)
{
	ok(fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
}

long memory_add(int partition, uint64_t gpa, uint64_t length, int fd)
{
	struct ultravisor_memory_add arg = {
		.size = sizeof(arg), .gpa = gpa, .length = length, .fd = fd,
	};

	return ioctl(partition, ULTRAVISOR_MEMORY_ADD, &arg) ? -1 : (long)arg.out_index;
}

long context_set(int partition, unsigned long cmd, uint32_t index, uint32_t mode, uint64_t cpus,
		 uint64_t budget_ns, uint64_t period_ns)
{
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .index = index, .mode = mode, .cpus = { cpus },
		.budget_ns = budget_ns, .period_ns = period_ns,
	};

	return ioctl(partition, cmd, &arg);
}

/* Shared, on every processor there is. */
long context_create(int partition, uint32_t index, uint64_t budget_ns, uint64_t period_ns)
{
	uint64_t all = (1ull << sysconf(_SC_NPROCESSORS_ONLN)) - 1;

	return context_set(partition, ULTRAVISOR_CONTEXT_CREATE, index, ULTRAVISOR_CONTEXT_SHARED,
			   all, budget_ns, period_ns);
}

long vm_kvm(int monitor, uint32_t cmd, unsigned long arg)
{
	struct ultravisor_kvm kvm = { .size = sizeof(kvm), .cmd = cmd, .arg = arg };

	return ioctl(monitor, ULTRAVISOR_VM_KVM, &kvm);
}

long context_kvm(int context, uint32_t cmd, unsigned long arg)
{
	struct ultravisor_kvm kvm = { .size = sizeof(kvm), .cmd = cmd, .arg = arg };

	return ioctl(context, ULTRAVISOR_CONTEXT_KVM, &kvm);
}

long context_open(int monitor, uint32_t index)
{
	struct ultravisor_context_open arg = { .size = sizeof(arg), .index = index };

	return ioctl(monitor, ULTRAVISOR_CONTEXT_OPEN, &arg) ? -1 : arg.out_fd;
}

long context_run(int context)
{
	struct ultravisor_context_run arg = { .size = sizeof(arg) };

	return ioctl(context, ULTRAVISOR_CONTEXT_RUN, &arg);
}

long partition_stop(int partition)
{
	struct ultravisor_partition_run arg = { .size = sizeof(arg) };

	return ioctl(partition, ULTRAVISOR_PARTITION_STOP, &arg);
}

long partition_resume(int partition)
{
	struct ultravisor_partition_run arg = { .size = sizeof(arg) };

	return ioctl(partition, ULTRAVISOR_PARTITION_RESUME, &arg);
}

struct ultravisor_context_info context_info(int partition, uint32_t index)
{
	struct ultravisor_context_info info = { .size = sizeof(info), .index = index };

	ok(ioctl(partition, ULTRAVISOR_CONTEXT_INFO, &info));
	return info;
}

struct ultravisor_partition_info partition_info(int partition)
{
	struct ultravisor_partition_info info = { .size = sizeof(info) };

	ok(ioctl(partition, ULTRAVISOR_PARTITION_INFO, &info));
	return info;
}

void guest_define(struct guest *guest, const char *name, uint64_t budget_ns, uint64_t period_ns)
{
	guest->partition = make_partition(name);
	guest->memfd = make_memfd(GUEST_SIZE);
	ok(memory_add(guest->partition.fd, 0, GUEST_SIZE, guest->memfd));
	ok(context_create(guest->partition.fd, 0, budget_ns, period_ns));
	guest->monitor = ok(object_open(guest->partition.id, ULTRAVISOR_ROLE_MONITOR, 0));
}

void guest_build(struct guest *guest, const void *code, size_t size, bool irqchip)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_SIZE };
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = GUEST_START, .rsp = 0x8000, .rflags = 2 };
	long run_size;

	guest->memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, guest->memfd, 0);
	check(guest->memory != MAP_FAILED);
	seal_for_grants(guest->memfd);
	memcpy(guest->memory + GUEST_START, code, size);

	ok(ioctl(guest->monitor, ULTRAVISOR_VM_CREATE, &create));
	check(vm_kvm(guest->monitor, KVM_GET_API_VERSION, 0) == KVM_API_VERSION);
	if (irqchip)
		ok(vm_kvm(guest->monitor, KVM_CREATE_IRQCHIP, 0));
	region.userspace_addr = (uintptr_t)guest->memory;
	ok(vm_kvm(guest->monitor, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region));
	guest->context = ok(context_open(guest->monitor, 0));
	run_size = ok(vm_kvm(guest->monitor, KVM_GET_VCPU_MMAP_SIZE, 0));
	guest->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, guest->context, 0);
	check(guest->run != MAP_FAILED);

	ok(context_kvm(guest->context, KVM_GET_SREGS, (unsigned long)&sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ok(context_kvm(guest->context, KVM_SET_SREGS, (unsigned long)&sregs));
	ok(context_kvm(guest->context, KVM_SET_REGS, (unsigned long)&regs));
}

void guest_init(struct guest *guest, const char *name, const void *code, size_t size)
{
	guest_define(guest, name, 0, 0);
	guest_build(guest, code, size, false);
}

const uint8_t counting[7] = {
	0x66, 0xff, 0x06, 0x00, 0x30,	/* inc dword [GUEST_COUNTER] */
	0xeb, 0xf9,			/* jmp back */
};

volatile uint32_t *counter(struct guest *guest)
{
	return (volatile uint32_t *)(guest->memory + GUEST_COUNTER);
}

bool is_counting(struct guest *guest, unsigned int ms)
{
	uint64_t end = clock_ns() + ms * 1000000ull;
	uint32_t before = *counter(guest);

	while (clock_ns() < end)
		if (*counter(guest) != before)
			return true;
	return false;
}

/* ---- channels ---- */

long server_set(int channel, uint32_t slot, uint8_t uuid_byte)
{
	struct ultravisor_server_set arg = { .size = sizeof(arg), .slot = slot };

	fill_uuid(arg.uuid, uuid_byte);
	return ioctl(channel, ULTRAVISOR_SERVER_SET, &arg);
}

long attach(int endpoint)
{
	struct ultravisor_attach arg = { .size = sizeof(arg) };

	return ioctl(endpoint, ULTRAVISOR_ATTACH, &arg);
}

long detach(int endpoint)
{
	struct ultravisor_attach arg = { .size = sizeof(arg) };

	return ioctl(endpoint, ULTRAVISOR_DETACH, &arg);
}

long ring(int endpoint, uint32_t index)
{
	struct ultravisor_doorbell_ring arg = { .size = sizeof(arg), .index = index };

	return ioctl(endpoint, ULTRAVISOR_DOORBELL_RING, &arg);
}

long bind_doorbell(int endpoint, uint32_t index, uint32_t what, int fd)
{
	struct ultravisor_doorbell_bind arg = {
		.size = sizeof(arg), .index = index, .what = what, .fd = fd,
	};

	return ioctl(endpoint, ULTRAVISOR_DOORBELL_BIND, &arg);
}

long promote(int channel, uint32_t slot, uint64_t *epoch)
{
	struct ultravisor_channel_promote arg = { .size = sizeof(arg), .slot = slot };
	long r = ioctl(channel, ULTRAVISOR_CHANNEL_PROMOTE, &arg);

	if (!r && epoch)
		*epoch = arg.out_epoch;
	return r;
}

long channel_revoke(int channel, uint32_t what, uint32_t slot)
{
	struct ultravisor_channel_revoke arg = { .size = sizeof(arg), .what = what, .slot = slot };

	return ioctl(channel, ULTRAVISOR_CHANNEL_REVOKE, &arg);
}

struct ultravisor_endpoint_info endpoint_info(int endpoint)
{
	struct ultravisor_endpoint_info info = { .size = sizeof(info) };

	ok(ioctl(endpoint, ULTRAVISOR_ENDPOINT_INFO, &info));
	return info;
}

struct ultravisor_channel_info channel_info(int channel)
{
	struct ultravisor_channel_info info = { .size = sizeof(info) };

	ok(ioctl(channel, ULTRAVISOR_CHANNEL_INFO, &info));
	return info;
}

void *map_area(int endpoint, uint64_t area, size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_SHARED, endpoint, ULTRAVISOR_AREA_OFFSET(area));
}

static sigjmp_buf touch_jump;

static void touch_signal(int signo)
{
	siglongjmp(touch_jump, signo);
}

static int touch(volatile char *address, bool write)
{
	struct sigaction action = { .sa_handler = touch_signal }, bus, segv;
	int signo;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	signo = sigsetjmp(touch_jump, 1);
	if (!signo) {
		char c = *address;

		if (write)
			*address = c;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return signo;
}

int touch_read(const volatile void *address)
{
	return touch((volatile char *)(uintptr_t)address, false);
}

int touch_write(volatile void *address)
{
	return touch(address, true);
}

/* ---- processes ---- */

struct peer fork_peer(void (*f)(int socket, void *arg), void *arg)
{
	struct peer peer;
	int sockets[2];

	ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	fflush(NULL);
	peer.pid = ok(fork());
	if (!peer.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sockets[0]);
		f(sockets[1], arg);
		exit(0);
	}
	close(sockets[1]);
	peer.socket = sockets[0];
	return peer;
}

void say(int socket, char word)
{
	check(send(socket, &word, 1, MSG_NOSIGNAL) == 1);
}

void hear(int socket, char word)
{
	char c = 0;

	if (read(socket, &c, 1) != 1 || c != word)
		fail("peer said %d instead of '%c'", c, word);
}

void kill_peer(struct peer *peer)
{
	int status;

	kill(peer->pid, SIGKILL);
	check(waitpid(peer->pid, &status, 0) == peer->pid);
	close(peer->socket);
}

void end_peer(struct peer *peer)
{
	int status;

	check(waitpid(peer->pid, &status, 0) == peer->pid);
	if (status)
		fail("peer ended with status %#x", status);
	close(peer->socket);
}

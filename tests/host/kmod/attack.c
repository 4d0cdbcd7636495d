// SPDX-License-Identifier: Apache-2.0
/* What a hostile caller tries: every command on every kind of descriptor, sizes, bits, ids. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"

enum { DEVICE, PARTITION, MONITOR, CONTEXT, CHANNEL, CLIENT, SERVER, NR_KINDS };

#define ON(kind) (1u << (kind))
#define ENDS (ON(CLIENT) | ON(SERVER))

static const struct command {
	unsigned long cmd;
	size_t size;
	unsigned int kinds;
} commands[] = {
	{ ULTRAVISOR_INFO, sizeof(struct ultravisor_info), ON(NR_KINDS) - 1 },
	{ ULTRAVISOR_PARTITION_CREATE, sizeof(struct ultravisor_partition_create), ON(DEVICE) },
	{ ULTRAVISOR_CHANNEL_CREATE, sizeof(struct ultravisor_channel_create), ON(DEVICE) },
	{ ULTRAVISOR_OBJECT_OPEN, sizeof(struct ultravisor_object_open), ON(DEVICE) },
	{ ULTRAVISOR_OBJECT_NEXT, sizeof(struct ultravisor_object_next), ON(DEVICE) },
	{ ULTRAVISOR_OBJECT_PUBLISH, sizeof(struct ultravisor_object), ON(DEVICE) },
	{ ULTRAVISOR_OBJECT_DESTROY, sizeof(struct ultravisor_object), ON(DEVICE) },
	{ ULTRAVISOR_PROCESSOR_SET, sizeof(struct ultravisor_processor_set), ON(DEVICE) },
	{ ULTRAVISOR_PROCESSOR_INFO, sizeof(struct ultravisor_processor_info), ON(DEVICE) },
	{ ULTRAVISOR_PARTITION_INFO, sizeof(struct ultravisor_partition_info), ON(PARTITION) },
	{ ULTRAVISOR_PARTITION_STOP, sizeof(struct ultravisor_partition_run), ON(PARTITION) },
	{ ULTRAVISOR_PARTITION_RESUME, sizeof(struct ultravisor_partition_run), ON(PARTITION) },
	{ ULTRAVISOR_MEMORY_ADD, sizeof(struct ultravisor_memory_add), ON(PARTITION) },
	{ ULTRAVISOR_CONTEXT_CREATE, sizeof(struct ultravisor_context_set), ON(PARTITION) },
	{ ULTRAVISOR_CONTEXT_SET, sizeof(struct ultravisor_context_set), ON(PARTITION) },
	{ ULTRAVISOR_CONTEXT_INFO, sizeof(struct ultravisor_context_info), ON(PARTITION) },
	{ ULTRAVISOR_LEASE_SET, sizeof(struct ultravisor_lease), ON(PARTITION) },
	{ ULTRAVISOR_LEASE_RENEW, sizeof(struct ultravisor_lease), ON(PARTITION) },
	{ ULTRAVISOR_VM_CREATE, sizeof(struct ultravisor_vm_create), ON(MONITOR) },
	{ ULTRAVISOR_VM_KVM, sizeof(struct ultravisor_kvm), ON(MONITOR) },
	{ ULTRAVISOR_CONTEXT_OPEN, sizeof(struct ultravisor_context_open), ON(MONITOR) },
	{ ULTRAVISOR_MEMORY_INFO, sizeof(struct ultravisor_memory_info),
	  ON(PARTITION) | ON(MONITOR) | ON(SERVER) },
	{ ULTRAVISOR_CONTEXT_RUN, sizeof(struct ultravisor_context_run), ON(CONTEXT) },
	{ ULTRAVISOR_CONTEXT_KVM, sizeof(struct ultravisor_kvm), ON(CONTEXT) },
	{ ULTRAVISOR_CHANNEL_INFO, sizeof(struct ultravisor_channel_info), ON(CHANNEL) },
	{ ULTRAVISOR_SERVER_SET, sizeof(struct ultravisor_server_set), ON(CHANNEL) },
	{ ULTRAVISOR_CHANNEL_PROMOTE, sizeof(struct ultravisor_channel_promote), ON(CHANNEL) },
	{ ULTRAVISOR_CHANNEL_REVOKE, sizeof(struct ultravisor_channel_revoke), ON(CHANNEL) },
	{ ULTRAVISOR_ENDPOINT_INFO, sizeof(struct ultravisor_endpoint_info), ENDS },
	{ ULTRAVISOR_ATTACH, sizeof(struct ultravisor_attach), ENDS },
	{ ULTRAVISOR_DETACH, sizeof(struct ultravisor_attach), ENDS },
	{ ULTRAVISOR_DOORBELL_BIND, sizeof(struct ultravisor_doorbell_bind), ENDS },
	{ ULTRAVISOR_DOORBELL_RING, sizeof(struct ultravisor_doorbell_ring), ENDS },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct fixture {
	struct guest guest;
	struct object channel;
	int fds[NR_KINDS];
} f;

static void make(void)
{
	static const uint8_t code[] = { 0xf4 };
	struct ultravisor_channel_create create = { .client_size = 4096, .server_size = 4096,
						    .doorbells = 1 };

	guest_init(&f.guest, "victim", code, sizeof(code));
	f.channel = make_channel(&create);
	ok(server_set(f.channel.fd, 0, 0xa0));
	f.fds[DEVICE] = device;
	f.fds[PARTITION] = f.guest.partition.fd;
	f.fds[MONITOR] = f.guest.monitor;
	f.fds[CONTEXT] = f.guest.context;
	f.fds[CHANNEL] = f.channel.fd;
	f.fds[CLIENT] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	f.fds[SERVER] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 0));
}

/* Everything that can be seen of the module's objects, to compare. */
static struct state {
	struct ultravisor_partition_info partition;
	struct ultravisor_channel_info channel;
} look(void)
{
	return (struct state){ partition_info(f.guest.partition.fd), channel_info(f.channel.fd) };
}

static void commands_work_on_their_own_kind_of_descriptor_alone(void)
{
	struct state before, after;

	make();
	before = look();
	for (size_t c = 0; c < NR_COMMANDS; c++) {
		for (int kind = 0; kind < NR_KINDS; kind++) {
			uint32_t arg[128] = { commands[c].size };

			if (!(commands[c].kinds & ON(kind)))
				fails(EACCES, ioctl(f.fds[kind], commands[c].cmd, arg));
		}
	}
	after = look();
	check(!memcmp(&before, &after, sizeof(before)));
}

static void unknown_commands_are_enotty(void)
{
	make();
	for (int kind = 0; kind < NR_KINDS; kind++) {
		uint32_t arg[128] = { 8 };

		for (unsigned int nr = 0; nr < 256; nr++) {
			bool known = false;

			for (size_t c = 0; c < NR_COMMANDS; c++)
				known |= commands[c].cmd == _IO(ULTRAVISOR_IOC, nr);
			if (!known)
				fails(ENOTTY, ioctl(f.fds[kind], _IO(ULTRAVISOR_IOC, nr), arg));
			/* The number of a known one, with a direction, a size, another type. */
			fails(ENOTTY, ioctl(f.fds[kind], _IOWR(ULTRAVISOR_IOC, nr, int), arg));
			fails(ENOTTY, ioctl(f.fds[kind], _IO(0xAE, nr), arg));
		}
		fails(ENOTTY, ioctl(f.fds[kind], 0, arg));
		fails(ENOTTY, ioctl(f.fds[kind], ~0u, arg));
	}
}

/* The first kind that takes a command. */
static int target(const struct command *command)
{
	return f.fds[__builtin_ctz(command->kinds)];
}

#define END_OF(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* A struct of ABI version 1 is long enough; it has grown since. */
static uint32_t least(const struct command *command)
{
	switch (command->cmd) {
	case ULTRAVISOR_INFO:
		return END_OF(ultravisor_info, out_abi_version);
	case ULTRAVISOR_PARTITION_CREATE:
		return END_OF(ultravisor_partition_create, out_reserved);
	case ULTRAVISOR_CHANNEL_CREATE:
		return END_OF(ultravisor_channel_create, out_reserved);
	case ULTRAVISOR_PARTITION_INFO:
		return END_OF(ultravisor_partition_info, out_exits);
	case ULTRAVISOR_CONTEXT_CREATE:
	case ULTRAVISOR_CONTEXT_SET:
		return END_OF(ultravisor_context_set, cpus);
	case ULTRAVISOR_CONTEXT_INFO:
		return END_OF(ultravisor_context_info, out_exits);
	default:
		return command->size;
	}
}

static void sizes_and_tails_are_checked(void)
{
	struct state before, after;

	make();
	before = look();
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		const struct command *c = &commands[i];
		uint32_t min = least(c);
		uint32_t *arg = mmap(NULL, 12288, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int fd = target(c);

		check(arg != MAP_FAILED);
		for (uint32_t size = 0; size < min; size++) {
			*arg = size;
			fails(EINVAL, ioctl(fd, c->cmd, arg));
		}
		/* A tail that is not zero, at its first and its last byte, and too long a one. */
		*arg = c->size + 64;
		((uint8_t *)arg)[c->size] = 1;
		fails(E2BIG, ioctl(fd, c->cmd, arg));
		((uint8_t *)arg)[c->size] = 0;
		((uint8_t *)arg)[c->size + 63] = 1;
		fails(E2BIG, ioctl(fd, c->cmd, arg));
		((uint8_t *)arg)[c->size + 63] = 0;
		*arg = 4097;
		fails(E2BIG, ioctl(fd, c->cmd, arg));
		*arg = ~0u;
		fails(E2BIG, ioctl(fd, c->cmd, arg));
		/* Unknown flags, each bit. */
		*arg = c->size;
		for (int bit = 0; bit < 32; bit++) {
			if ((c->cmd == ULTRAVISOR_CHANNEL_CREATE ||
			     c->cmd == ULTRAVISOR_PARTITION_CREATE ||
			     c->cmd == ULTRAVISOR_PROCESSOR_SET ||
			     c->cmd == ULTRAVISOR_CONTEXT_CREATE ||
			     c->cmd == ULTRAVISOR_CONTEXT_SET) && bit == 0)
				continue;
			arg[1] = 1u << bit;
			fails(EOPNOTSUPP, ioctl(fd, c->cmd, arg));
		}
		arg[1] = 0;
		/* Not there, and not there to its end. */
		fails(EFAULT, ioctl(fd, c->cmd, NULL));
		fails(EFAULT, ioctl(fd, c->cmd, (void *)-4096ul));
		munmap(arg + 1024, 4096);
		arg = (uint32_t *)((char *)arg + 4096 - 8);
		*arg = c->size;
		if (c->size > 8)
			fails(EFAULT, ioctl(fd, c->cmd, arg));
	}
	after = look();
	check(!memcmp(&before, &after, sizeof(before)));
}

static void a_longer_argument_with_a_zero_tail_is_served(void)
{
	struct {
		struct ultravisor_info info;
		uint64_t future[16];
	} arg = { .info.size = sizeof(arg) };
	struct { uint32_t size, flags, out_abi_version; } shorter = { .size = sizeof(shorter) };

	ok(ioctl(device, ULTRAVISOR_INFO, &arg));
	check(arg.info.out_abi_version == ULTRAVISOR_ABI_VERSION);
	check(arg.info.size == sizeof(arg));
	ok(ioctl(device, ULTRAVISOR_INFO, &shorter));
	check(shorter.out_abi_version == ULTRAVISOR_ABI_VERSION);
}

static void an_argument_that_cannot_be_answered_leaves_nothing(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	struct ultravisor_partition_create *create;
	int before, after;

	before = dup(0);
	close(before);
	create = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*create = (struct ultravisor_partition_create){ .size = sizeof(*create) };
	fill_uuid(create->uuid, 1);
	strcpy(create->name, "unanswered");
	ok(mprotect(create, 4096, PROT_READ));
	fails(EFAULT, ioctl(device, ULTRAVISOR_PARTITION_CREATE, create));
	fails(ENOENT, ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
	after = dup(0);
	check(before == after);
}

static void guessed_ids_lead_nowhere(void)
{
	struct object a, b;

	a = make_partition("a");
	for (uint64_t id = 0; id < 2000; id++)
		if (id != a.id)
			fails(ENOENT, object_open(id, ULTRAVISOR_ROLE_CONTROL, 0));
	for (int bit = 0; bit < 64; bit++)
		fails(ENOENT, object_open(a.id ^ 1ull << bit, ULTRAVISOR_ROLE_CONTROL, 0));
	fails(ENOENT, object_open(~0ull, ULTRAVISOR_ROLE_CONTROL, 0));
	/* An id is never used twice. */
	ok(object_destroy(a.id));
	b = make_partition("b");
	check(b.id > a.id);
	fails(ENOENT, object_open(a.id, ULTRAVISOR_ROLE_CONTROL, 0));
	fails(ENOENT, object_publish(a.id));
	fails(ENOENT, object_destroy(a.id));
	/* Nor is an object opened as what it is not. */
	fails(ENOENT, object_open(b.id, ULTRAVISOR_ROLE_CLIENT, 0));
	fails(ENOENT, object_open(b.id, ULTRAVISOR_ROLE_SERVER, 0));
	fails(EOPNOTSUPP, object_open(b.id, 0, 0));
	fails(EOPNOTSUPP, object_open(b.id, 5, 0));
	fails(EINVAL, object_open(b.id, ULTRAVISOR_ROLE_MONITOR, 1));
	fails(EINVAL, object_open(b.id, ULTRAVISOR_ROLE_SERVER, 4));
}

static void prepared_objects_are_seen_by_their_maker_alone(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	struct object p;

	ok(partition_create("prepared", &p));
	check(partition_info(p.fd).out_state == ULTRAVISOR_PARTITION_PREPARED);
	fails(EAGAIN, object_open(p.id, ULTRAVISOR_ROLE_MONITOR, 0));
	ok(object_open(p.id, ULTRAVISOR_ROLE_CONTROL, 0));
	ok(ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
	check(next.out_id == p.id && next.out_kind == ULTRAVISOR_KIND_PARTITION);
	check(!next.out_published);
	ok(object_publish(p.id));
	ok(object_publish(p.id));
	ok(ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
	check(next.out_published);
	check(partition_info(p.fd).out_state == ULTRAVISOR_PARTITION_RUNNING);
	close(p.fd);	/* destroys nothing */
	ok(object_open(p.id, ULTRAVISOR_ROLE_MONITOR, 0));
}

static void names_and_uuids_are_checked(void)
{
	struct ultravisor_partition_create c = { .size = sizeof(c) };

	fill_uuid(c.uuid, 1);
	fails(EINVAL, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &c));
	memset(c.name, 'x', sizeof(c.name));
	fails(EINVAL, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &c));
	c.name[sizeof(c.name) - 1] = 0;
	ok(ioctl(device, ULTRAVISOR_PARTITION_CREATE, &c));
	memset(c.uuid, 0, sizeof(c.uuid));
	fails(EINVAL, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &c));
}

static void only_listed_kvm_commands_pass(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DISABLE_QUIRKS };
	uint64_t scratch[512] = { 0 };

	make();
	/* All that make a descriptor, run, or touch signals; then everything, by number. */
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_CREATE_VM, 0));
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_CREATE_VCPU, 1));
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_CREATE_DEVICE, (unsigned long)scratch));
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_GET_STATS_FD, 0));
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_GET_DIRTY_LOG, (unsigned long)scratch));
	fails(EACCES, context_kvm(f.guest.context, KVM_RUN, 0));
	fails(EACCES, context_kvm(f.guest.context, KVM_SET_SIGNAL_MASK, (unsigned long)scratch));
	fails(EACCES, context_kvm(f.guest.context, KVM_GET_STATS_FD, 0));
	fails(EACCES, context_kvm(f.guest.context, KVM_SET_USER_MEMORY_REGION, 0));
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_GET_REGS, (unsigned long)scratch));
	for (unsigned int nr = 0; nr < 256; nr++) {
		fails(EACCES, vm_kvm(f.guest.monitor, _IOC(3, KVMIO, nr, 8000), 0));
		fails(EACCES, context_kvm(f.guest.context, _IOC(3, KVMIO, nr, 8000), 0));
		fails(EACCES, vm_kvm(f.guest.monitor, _IO(ULTRAVISOR_IOC, nr), 0));
	}
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_ENABLE_CAP, (unsigned long)&cap));
	cap.cap = KVM_CAP_VM_COPY_ENC_CONTEXT_FROM;
	fails(EACCES, vm_kvm(f.guest.monitor, KVM_ENABLE_CAP, (unsigned long)&cap));
	fails(EFAULT, vm_kvm(f.guest.monitor, KVM_ENABLE_CAP, 8));
	cap.cap = KVM_CAP_SPLIT_IRQCHIP;
	cap.args[0] = 24;
	/* KVM's own answer: not after a vCPU was made. */
	fails(EEXIST, vm_kvm(f.guest.monitor, KVM_ENABLE_CAP, (unsigned long)&cap));
	/* Bad pointers are KVM's to refuse. */
	fails(EFAULT, context_kvm(f.guest.context, KVM_GET_REGS, 8));
}

static void another_process(int socket, void *arg)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };
	uint64_t scratch[512];

	(void)socket;
	(void)arg;
	fails(EPERM, context_run(f.guest.context));
	fails(EPERM, context_kvm(f.guest.context, KVM_GET_REGS, (unsigned long)scratch));
	fails(EPERM, vm_kvm(f.guest.monitor, KVM_GET_API_VERSION, 0));
	fails(EPERM, context_open(f.guest.monitor, 0));
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, f.guest.context, 0) == MAP_FAILED);
	check(errno == EPERM);
	fails(EEXIST, ioctl(f.guest.monitor, ULTRAVISOR_VM_CREATE, &create));
}

static void a_vm_is_its_makers_alone(void)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };
	struct peer peer;

	make();
	peer = fork_peer(another_process, NULL);
	end_peer(&peer);
	fails(EEXIST, ioctl(f.guest.monitor, ULTRAVISOR_VM_CREATE, &create));
	fails(ENOENT, context_open(f.guest.monitor, 1));
	fails(ENOENT, context_open(f.guest.monitor, 1000000));
	ok(context_run(f.guest.context));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "commands work on their own kind of descriptor alone",
		  commands_work_on_their_own_kind_of_descriptor_alone },
		{ "unknown commands are ENOTTY", unknown_commands_are_enotty },
		{ "sizes and tails are checked", sizes_and_tails_are_checked },
		{ "a longer argument with a zero tail is served",
		  a_longer_argument_with_a_zero_tail_is_served },
		{ "an argument that cannot be answered leaves nothing",
		  an_argument_that_cannot_be_answered_leaves_nothing },
		{ "guessed ids lead nowhere", guessed_ids_lead_nowhere },
		{ "prepared objects are seen by their maker alone",
		  prepared_objects_are_seen_by_their_maker_alone },
		{ "names and UUIDs are checked", names_and_uuids_are_checked },
		{ "only listed KVM commands pass", only_listed_kvm_commands_pass },
		{ "a VM is its maker's alone", a_vm_is_its_makers_alone },
	};

	return RUN_TESTS(tests);
}

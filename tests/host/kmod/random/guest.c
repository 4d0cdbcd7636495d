// SPDX-License-Identifier: Apache-2.0
/* Steps: guests are built and run, and KVM is asked for what is passed through or refused. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "random.h"

void use_kvm(void)
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

void run_context(int context)
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
void build_guest(void)
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

void open_context(void)
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

void run_some_context(void)
{
	run_context(pick(CONTEXT));
}

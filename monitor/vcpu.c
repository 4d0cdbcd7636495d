/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's state, its thread, and the exits that need this process. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <common/log.h>

#include "boot.h"
#include "cpuid.h"
#include "vcpu.h"
#include "vm.h"

#define STACK_SIZE	(64 * 1024)
#define KICK		SIGUSR1

/* The MSRs that a guest changes and a reset restores; those that KVM does not know are left out. */
static const uint32_t msr_list[] = {
	0x174, 0x175, 0x176,				/* SYSENTER */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000102, 0xc0000103,				/* kernel GS, TSC_AUX */
	0x277, 0x1a0, 0x48, 0x1d9, 0x3b,		/* PAT, MISC_ENABLE, SPEC_CTRL, … */
	/* MTRR */
	0x2ff, 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
	/* KVM's own: clocks, asynchronous page faults, steal time, end of interrupt, polling */
	0x11, 0x12, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d05,
	0x4b564d06,
};

#define MSR_COUNT (sizeof(msr_list) / sizeof(msr_list[0]))

struct vcpu_snapshot {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	struct kvm_fpu fpu;
	struct kvm_xcrs xcrs;
	bool has_xcrs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[MSR_COUNT];
	} msrs;
};

/* Only for the signal handler, which must know whose kvm_run to mark. */
static __thread struct kvm_run *current_run;

static void on_kick(int number)
{
	(void)number;
	if (current_run)
		current_run->immediate_exit = 1;
}

/* ---- state */

/* KVM stops at the first MSR that it does not know: that one is left out, the rest asked again. */
static void snapshot_msrs(struct vcpu *v)
{
	struct vcpu_snapshot *s = v->fresh;
	struct kvm_msr_entry *entry = s->msrs.entry;
	unsigned int known = 0, left = MSR_COUNT, i;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[MSR_COUNT];
	} ask;
	int got;

	for (i = 0; i < MSR_COUNT; i++)
		entry[i] = (struct kvm_msr_entry){ .index = msr_list[i] };
	while (left) {
		ask.head = (struct kvm_msrs){ .nmsrs = left };
		memcpy(ask.entry, entry + known, left * sizeof(*entry));
		got = kvm_context(v->context, KVM_GET_MSRS, &ask);
		if (got < 0 || got > (int)left)
			got = 0;
		memcpy(entry + known, ask.entry, got * sizeof(*entry));
		known += got;
		left -= got;
		if (left)
			memmove(entry + known, entry + known + 1, --left * sizeof(*entry));
	}
	s->msrs.head.nmsrs = known;
}

static int snapshot(struct vcpu *v)
{
	struct vcpu_snapshot *s = v->fresh;
	const struct { unsigned int cmd; void *to; } parts[] = {
		{ KVM_GET_REGS, &s->regs }, { KVM_GET_SREGS, &s->sregs },
		{ KVM_GET_LAPIC, &s->lapic }, { KVM_GET_MP_STATE, &s->mp },
		{ KVM_GET_FPU, &s->fpu }, { KVM_GET_VCPU_EVENTS, &s->events },
		{ KVM_GET_DEBUGREGS, &s->debug },
	};
	unsigned int i;
	int rc;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		rc = kvm_context(v->context, parts[i].cmd, parts[i].to);
		if (rc < 0)
			return rc;
	}
	s->has_xcrs = kvm_context(v->context, KVM_GET_XCRS, &s->xcrs) >= 0;
	snapshot_msrs(v);
	return 0;
}

/* The local APIC after SREGS, which carry its base and mode; MSRs last, as they may refer to it. */
int vcpu_reset(struct vcpu *v)
{
	struct vcpu_snapshot *s = v->fresh;
	const struct { unsigned int cmd; void *from; } parts[] = {
		{ KVM_SET_SREGS, &s->sregs }, { KVM_SET_REGS, &s->regs },
		{ KVM_SET_FPU, &s->fpu }, { KVM_SET_DEBUGREGS, &s->debug },
		{ KVM_SET_LAPIC, &s->lapic }, { KVM_SET_VCPU_EVENTS, &s->events },
		{ KVM_SET_MP_STATE, &s->mp },
	};
	unsigned int i;
	int rc;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		rc = kvm_context(v->context, parts[i].cmd, parts[i].from);
		if (rc < 0)
			return rc;
	}
	if (s->has_xcrs && (rc = kvm_context(v->context, KVM_SET_XCRS, &s->xcrs)) < 0)
		return rc;
	for (i = 0; i < s->msrs.head.nmsrs; i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry entry;
		} one = { .head.nmsrs = 1, .entry = s->msrs.entry[i] };

		/* What may be read may not always be written back; such an MSR never changed. */
		kvm_context(v->context, KVM_SET_MSRS, &one);
	}
	return 0;
}

int vcpu_enter(struct vcpu *v, const struct boot_entry *entry)
{
	struct kvm_sregs sregs = v->fresh->sregs;
	struct kvm_regs regs;
	int rc;

	boot_registers(entry, &sregs, &regs);
	rc = kvm_context(v->context, KVM_SET_SREGS, &sregs);
	if (rc >= 0)
		rc = kvm_context(v->context, KVM_SET_REGS, &regs);
	return rc < 0 ? rc : 0;
}

int vcpu_open(struct vcpu *v, struct vm *vm, unsigned int index, struct cpuid *cpuid,
	      uint32_t run_size)
{
	void *run;
	int rc;

	v->vm = vm;
	v->index = index;
	v->run_size = run_size;
	v->context = kvm_context_open(vm->partition, index);
	if (v->context < 0)
		return v->context;
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->context, 0);
	if (run == MAP_FAILED)
		return -errno;
	v->run = run;
	rc = kvm_context(v->context, KVM_SET_CPUID2, cpuid);
	if (rc < 0)
		return rc;
	v->fresh = calloc(1, sizeof(*v->fresh));
	return v->fresh ? snapshot(v) : -ENOMEM;
}

/* ---- exits */

static int exit_io(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	uint64_t offset = run->io.data_offset;
	unsigned int size = run->io.size, count = run->io.count, i;
	uint8_t *data = (uint8_t *)v->run + offset;

	/* Ours to believe, but a slip here would be a hole in every guest's wall. */
	if ((size != 1 && size != 2 && size != 4) || offset > v->run_size ||
	    (uint64_t)size * count > v->run_size - offset)
		return -EPROTO;
	pthread_mutex_lock(&v->vm->devices);
	for (i = 0; i < count; i++, data += size) {
		uint32_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, size);
			ports_write(&v->vm->ports, run->io.port, value, size);
		} else {
			value = ports_read(&v->vm->ports, run->io.port, size);
			memcpy(data, &value, size);
		}
	}
	pthread_mutex_unlock(&v->vm->devices);
	return 0;
}

static int exit_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	unsigned int size = run->mmio.len;
	uint64_t value = 0;

	if (!size || size > sizeof(run->mmio.data))
		return -EPROTO;
	pthread_mutex_lock(&v->vm->devices);
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, size);
		pci_memory_write(&v->vm->pci, run->mmio.phys_addr, value, size);
	} else {
		value = pci_memory_read(&v->vm->pci, run->mmio.phys_addr, size);
		memcpy(run->mmio.data, &value, size);
	}
	pthread_mutex_unlock(&v->vm->devices);
	return 0;
}

static uint64_t instruction_pointer(const struct vcpu *v)
{
	struct kvm_regs regs = { 0 };

	kvm_context(v->context, KVM_GET_REGS, &regs);
	return regs.rip;
}

static void exited(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	int rc = 0;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		rc = exit_io(v);
		break;
	case KVM_EXIT_MMIO:
		rc = exit_mmio(v);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		vm_fail(v->vm,
			"triple fault on vCPU %u: the guest's kernel lost its own exception "
			"handlers",
			v->index);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		vm_fail(v->vm, "vCPU %u cannot enter the guest: hardware reason %#llx, at %#llx",
			v->index, (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			(unsigned long long)instruction_pointer(v));
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		vm_fail(v->vm, "vCPU %u executes what KVM cannot emulate: suberror %u, at %#llx",
			v->index, run->internal.suberror,
			(unsigned long long)instruction_pointer(v));
		break;
	default:
		vm_fail(v->vm, "vCPU %u left the guest for an unknown reason: %u, at %#llx",
			v->index, run->exit_reason, (unsigned long long)instruction_pointer(v));
	}
	if (rc)
		vm_fail(v->vm, "vCPU %u: malformed exit %u", v->index, run->exit_reason);
}

/* ---- the thread */

/*
 * An exit to this process leaves an instruction half done inside KVM. One run that returns at
 * once finishes it, so that it cannot finish after the registers have been reset.
 */
static void settle(struct vcpu *v)
{
	v->run->immediate_exit = 1;
	kvm_context_run(v->context);
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *v = opaque;
	int rc;

	log_partition(v->vm->name);
	current_run = v->run;
	for (;;) {
		/*
		 * Cleared before the request is looked at: a kick after the look marks the run, a
		 * kick before it comes with a request that the look sees.
		 */
		v->run->immediate_exit = 0;
		atomic_signal_fence(memory_order_seq_cst);
		if (vm_asked(v->vm)) {
			if (vm_asked(v->vm) != VM_HOLD)
				settle(v);
			vm_park(v->vm);
			continue;
		}
		rc = kvm_context_run(v->context);
		if (rc == 0) {
			exited(v);
		} else if (rc == -ESHUTDOWN) {
			vm_fail(v->vm, "the partition was destroyed");
		} else if (rc != -EINTR && rc != -EAGAIN) {
			vm_fail(v->vm, "vCPU %u cannot run: %s", v->index, strerror(-rc));
		}
	}
	return NULL;
}

int vcpu_start(struct vcpu *v)
{
	const struct sigaction action = { .sa_handler = on_kick };
	pthread_attr_t attributes;
	int r;

	if (v->index == 0 && sigaction(KICK, &action, NULL) < 0)
		return -errno;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	r = pthread_create(&v->thread, &attributes, vcpu_thread, v);
	pthread_attr_destroy(&attributes);
	return -r;
}

void vcpu_kick(struct vcpu *v)
{
	pthread_kill(v->thread, KICK);
}

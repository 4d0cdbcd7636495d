/* SPDX-License-Identifier: Apache-2.0 */
/* Building the machine, and its life as a whole. */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/io.h>

#include "acpi.h"
#include "cpuid.h"
#include "layout.h"
#include "vm.h"

#define RESET_LOOK_NS	5000000		/* between two looks whether servers are quiet */
#define RESET_LOOKS_LOG	400		/* a line in the log for each so many */

/* The interrupt controllers and the timer at power-on. */
struct vm_irqchip {
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
};

/* ---- requests: from any thread to the main thread */

static void ask(struct vm *vm, enum vm_request request, const char *reason)
{
	uint64_t one = 1;

	pthread_mutex_lock(&vm->life);
	if ((int)request > atomic_load(&vm->request)) {
		atomic_store(&vm->request, request);
		snprintf(vm->reason, sizeof(vm->reason), "%s", reason);
	}
	pthread_mutex_unlock(&vm->life);
	if (write(vm->life_event, &one, sizeof(one)) < 0)
		abort();	/* cannot be: the counter never nears its end */
}

void vm_fail(struct vm *vm, const char *format, ...)
{
	char reason[MONITOR_REASON_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	ask(vm, VM_FAIL, reason);
}

static void power_off(void *opaque)
{
	ask(opaque, VM_OFF, "the guest turned itself off");
}

static void reboot(void *opaque)
{
	ask(opaque, VM_RESET, "the guest reset itself");
}

enum vm_request vm_asked(struct vm *vm)
{
	return atomic_load(&vm->request);
}

void vm_park(struct vm *vm)
{
	uint64_t one = 1;

	pthread_mutex_lock(&vm->life);
	if (++vm->parked == vm->vcpus) {
		pthread_cond_signal(&vm->all_parked);
		if (write(vm->life_event, &one, sizeof(one)) < 0)
			abort();
	}
	while (atomic_load(&vm->request) != VM_RUN)
		pthread_cond_wait(&vm->go, &vm->life);
	vm->parked--;
	pthread_mutex_unlock(&vm->life);
}

/* Lets the vCPUs go, unless something weightier than from was asked for meanwhile. */
static void release(struct vm *vm, enum vm_request from)
{
	pthread_mutex_lock(&vm->life);
	if (atomic_load(&vm->request) == (int)from) {
		atomic_store(&vm->request, VM_RUN);
		pthread_cond_broadcast(&vm->go);
	}
	pthread_mutex_unlock(&vm->life);
}

/* ---- building */

/* A failure's reason is kept for uvd. */
static int step(struct vm *vm, int rc, const char *what)
{
	if (rc >= 0)
		return 0;
	snprintf(vm->reason, sizeof(vm->reason), "%s: %s", what, strerror(-rc));
	return rc;
}

static int make_chips(struct vm *vm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = LAYOUT_IDENTITY_MAP;
	int rc;

	rc = step(vm, kvm_vm_ptr(vm->partition, KVM_SET_IDENTITY_MAP_ADDR, &identity_map),
		  "identity map of the VM");
	if (!rc)
		rc = step(vm, kvm_vm(vm->partition, KVM_SET_TSS_ADDR, LAYOUT_TSS), "TSS of the VM");
	if (!rc)
		rc = step(vm, kvm_vm(vm->partition, KVM_CREATE_IRQCHIP, 0),
			  "interrupt controllers");
	if (!rc)
		rc = step(vm, kvm_vm_ptr(vm->partition, KVM_CREATE_PIT2, &pit), "interval timer");
	return rc;
}

static int snapshot_chips(struct vm *vm)
{
	unsigned int i;
	int rc = 0;

	vm->fresh = calloc(1, sizeof(*vm->fresh));
	if (!vm->fresh)
		return -ENOMEM;
	for (i = 0; i < 3 && !rc; i++) {
		vm->fresh->chip[i].chip_id = i;
		rc = step(vm, kvm_vm_ptr(vm->partition, KVM_GET_IRQCHIP, &vm->fresh->chip[i]),
			  "state of an interrupt controller");
	}
	return rc ? rc : step(vm, kvm_vm_ptr(vm->partition, KVM_GET_PIT2, &vm->fresh->pit),
			      "state of the interval timer");
}

static int reset_chips(struct vm *vm)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < 3 && !rc; i++)
		rc = kvm_vm_ptr(vm->partition, KVM_SET_IRQCHIP, &vm->fresh->chip[i]);
	return rc < 0 ? rc : kvm_vm_ptr(vm->partition, KVM_SET_PIT2, &vm->fresh->pit);
}

static int make_vcpus(struct vm *vm)
{
	int rc, run_size = kvm_vm(vm->partition, KVM_GET_VCPU_MMAP_SIZE, 0);
	bool deadline = kvm_vm(vm->partition, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	struct cpuid *cpuid = calloc(1, sizeof(*cpuid));
	unsigned int i;

	if (!cpuid)
		return -ENOMEM;
	rc = step(vm, run_size, "size of a vCPU's page");
	if (!rc)
		rc = step(vm, cpuid_read(vm->partition, cpuid), "supported CPUID");
	for (i = 0; i < vm->vcpus && !rc; i++) {
		cpuid_place(cpuid, i, vm->vcpus, deadline);
		rc = step(vm, vcpu_open(&vm->vcpu[i], vm, i, cpuid, run_size), "a vCPU");
	}
	free(cpuid);
	return rc;
}

static int make_virtio(struct vm *vm, const struct options_device *d)
{
	struct virtio_pci *v = calloc(1, sizeof(*v));
	char what[ULTRAVISOR_NAME_LEN + 16];
	struct channel *channel;
	int rc;

	if (!v)
		return -ENOMEM;
	rc = io_link_connect(d->channel, d->type, &channel);
	if (!rc)
		rc = virtio_pci_open(v, d->type, d->name, channel, d->has_mac ? d->mac : NULL,
				     &vm->irq, &vm->memory);
	if (!rc)
		rc = pci_add(&vm->pci, &v->pci);
	if (rc) {
		snprintf(what, sizeof(what), "device %s", d->name);
		return step(vm, rc, what);
	}
	v->console = &vm->console;
	vm->virtio[vm->virtio_count++] = v;
	return 0;
}

static int make_console(struct vm *vm, const struct options *o)
{
	struct channel *channel = NULL;
	int rc = o->console < 0 ? 0 : console_connect(o->console, &channel);

	if (!rc)
		rc = console_open(&vm->console, channel);
	vm->console.to_stdout = o->to_stdout;
	return step(vm, rc, "console channel");
}

static int make_devices(struct vm *vm, const struct options *o)
{
	unsigned int i;
	int rc;

	irq_init(&vm->irq, vm->partition);
	pm_init(&vm->pm, &vm->irq, &vm->ports);
	vm->pm.off = power_off;
	vm->pm.reset = reboot;
	vm->pm.opaque = vm;
	rc = make_console(vm, o);
	if (!rc)
		rc = step(vm, serial_init(&vm->serial, &vm->console, &vm->irq, &vm->ports),
			  "serial port");
	cmos_init(&vm->cmos, &vm->ports);
	pci_init(&vm->pci, &vm->ports);
	for (i = 0; i < o->devices && !rc; i++)
		rc = make_virtio(vm, &o->device[i]);
	return rc;
}

int vm_open(struct vm *vm, const struct options *o)
{
	int rc;

	vm->name = o->name;
	vm->partition = o->partition;
	vm->files = (struct boot_files){ o->kernel, o->initrd, o->cmdline };
	vm->vcpus = o->vcpus;
	vm->memory = o->memory;
	pthread_mutex_init(&vm->devices, NULL);
	pthread_mutex_init(&vm->life, NULL);
	pthread_cond_init(&vm->go, NULL);
	pthread_cond_init(&vm->all_parked, NULL);
	atomic_store(&vm->request, VM_HOLD);
	vm->life_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->reset_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (vm->life_event < 0 || vm->reset_timer < 0)
		return step(vm, -errno, "event descriptors");
	/* Before anything can fail, so that uvd hears of it. */
	rc = step(vm, status_open(&vm->status, o->channel), "monitor channel");
	if (rc)
		return rc;
	status_set(&vm->status, MONITOR_LOADING, NULL);
	rc = step(vm, loop_init(&vm->loop), "event loop");
	if (!rc)
		rc = step(vm, memory_map(&vm->memory), "mapping and sealing the guest's memory");
	if (!rc)
		rc = step(vm, kvm_vm_create(vm->partition), "making the VM");
	if (!rc)
		rc = step(vm, memory_register(&vm->memory, vm->partition),
			  "giving the VM its memory");
	if (!rc)
		rc = make_chips(vm);
	if (!rc)
		rc = make_devices(vm, o);
	if (!rc)
		rc = make_vcpus(vm);
	return rc ? rc : snapshot_chips(vm);
}

int vm_load(struct vm *vm)
{
	uint64_t size = LAYOUT_ACPI_END - LAYOUT_ACPI;
	struct boot_entry entry;
	int rc;

	rc = boot_load(&vm->files, &vm->memory, &entry, vm->reason);
	if (rc)
		return rc;
	if (!acpi_build(memory_at(&vm->memory, LAYOUT_ACPI, size), size, LAYOUT_ACPI, vm->vcpus))
		return -ENOSPC;
	return step(vm, vcpu_enter(&vm->vcpu[0], &entry), "registers of the first vCPU");
}

/* ---- reset: main thread */

static void reset_finish(struct vm *vm)
{
	unsigned int i;
	int rc;

	vm->resetting = false;
	rc = reset_chips(vm);
	for (i = 0; i < vm->vcpus && rc >= 0; i++)
		rc = vcpu_reset(&vm->vcpu[i]);
	if (rc < 0) {
		vm_fail(vm, "the machine cannot be reset: %s", strerror(-rc));
		return;
	}
	rc = vm_load(vm);
	if (rc) {
		char reason[MONITOR_REASON_LEN];

		snprintf(reason, sizeof(reason), "%s", vm->reason);
		vm_fail(vm, "%s", reason);
		return;
	}
	vm->reboots++;
	status_reboot(&vm->status);
	log_info("the guest has reset itself, for the %u. time", vm->reboots);
	release(vm, VM_RESET);
}

/*
 * Not before every server has agreed that the old guest's requests are over, or is gone: a read
 * that ends late would otherwise land in the new guest's memory.
 */
static void reset_look(struct vm *vm)
{
	static const struct itimerspec again = { .it_value.tv_nsec = RESET_LOOK_NS };
	bool quiet = true;
	unsigned int i;

	pthread_mutex_lock(&vm->devices);
	for (i = 0; i < vm->virtio_count; i++)
		quiet &= virtio_pci_quiet(vm->virtio[i]);
	pthread_mutex_unlock(&vm->devices);
	if (quiet) {
		reset_finish(vm);
		return;
	}
	if (++vm->reset_looks % RESET_LOOKS_LOG == 0)
		log_warning("the guest's reset waits for an I/O server that does not answer");
	timerfd_settime(vm->reset_timer, 0, &again, NULL);
}

static void reset_begin(struct vm *vm)
{
	unsigned int i;

	pthread_mutex_lock(&vm->devices);
	pm_reset(&vm->pm);
	irq_line(&vm->irq, LAYOUT_IRQ_SCI, false);
	serial_reset(&vm->serial);
	pci_reset(&vm->pci);
	for (i = 0; i < vm->virtio_count; i++)
		virtio_pci_reset(vm->virtio[i]);
	pthread_mutex_unlock(&vm->devices);
	vm->resetting = true;
	vm->reset_looks = 0;
	reset_look(vm);
}

/* ---- handlers of the main loop */

static void drain(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0)
		return;
}

static void on_life(void *opaque)
{
	struct vm *vm = opaque;
	unsigned int parked, i;

	drain(vm->life_event);
	switch (vm_asked(vm)) {
	case VM_OFF:
		status_set(&vm->status, MONITOR_POWERED_OFF, NULL);
		log_info("the guest turned itself off");
		vm->loop.stop = true;
		break;
	case VM_FAIL:
		pthread_mutex_lock(&vm->devices);
		console_note(&vm->console, "the partition has failed: %s", vm->reason);
		pthread_mutex_unlock(&vm->devices);
		status_set(&vm->status, MONITOR_FAILED, vm->reason);
		log_error("%s", vm->reason);
		vm->loop.stop = true;
		break;
	case VM_RESET:
		if (vm->resetting)
			break;
		pthread_mutex_lock(&vm->life);
		parked = vm->parked;
		pthread_mutex_unlock(&vm->life);
		if (parked == vm->vcpus) {
			reset_begin(vm);
			break;
		}
		for (i = 0; i < vm->vcpus; i++)
			vcpu_kick(&vm->vcpu[i]);
		break;
	default:
		break;
	}
}

static void on_reset_timer(void *opaque)
{
	struct vm *vm = opaque;

	drain(vm->reset_timer);
	if (vm->resetting)
		reset_look(vm);
}

static void on_power_button(void *opaque)
{
	struct vm *vm = opaque;

	if (!status_power_taken(&vm->status))
		return;
	status_power_press(&vm->status);
	log_info("the power button was pressed");
	pthread_mutex_lock(&vm->devices);
	pm_power_button(&vm->pm);
	pthread_mutex_unlock(&vm->devices);
}

static void on_console(void *opaque)
{
	struct vm *vm = opaque;

	drain(console_fd(&vm->console));
	pthread_mutex_lock(&vm->devices);
	serial_wake(&vm->serial);
	pthread_mutex_unlock(&vm->devices);
}

static void on_serial_timer(void *opaque)
{
	struct vm *vm = opaque;

	pthread_mutex_lock(&vm->devices);
	serial_wake(&vm->serial);
	pthread_mutex_unlock(&vm->devices);
}

/* One handler for all I/O channels: their doorbells are rare, and looking is cheap. */
static void on_device(void *opaque)
{
	struct vm *vm = opaque;
	unsigned int i;

	pthread_mutex_lock(&vm->devices);
	for (i = 0; i < vm->virtio_count; i++) {
		drain(channel_doorbell_fd(vm->virtio[i]->link.channel, IO_DOORBELL_STATE));
		virtio_pci_wake(vm->virtio[i]);
	}
	pthread_mutex_unlock(&vm->devices);
	if (vm->resetting)
		reset_look(vm);
}

static int watch(struct vm *vm, int fd, void (*ready)(void *opaque))
{
	struct loop_source *s = &vm->source[vm->sources];

	if (fd == -1)
		return 0;
	if (fd < 0)
		return fd;
	*s = (struct loop_source){ fd, ready, vm };
	vm->sources++;
	return loop_add(&vm->loop, s);
}

static int watch_all(struct vm *vm)
{
	unsigned int i;
	int rc;

	rc = watch(vm, vm->life_event, on_life);
	if (!rc)
		rc = watch(vm, vm->reset_timer, on_reset_timer);
	if (!rc)
		rc = watch(vm, status_power_fd(&vm->status), on_power_button);
	if (!rc)
		rc = watch(vm, console_fd(&vm->console), on_console);
	if (!rc)
		rc = watch(vm, vm->serial.timer, on_serial_timer);
	for (i = 0; i < vm->virtio_count && !rc; i++)
		rc = watch(vm, channel_doorbell_fd(vm->virtio[i]->link.channel, IO_DOORBELL_STATE),
			   on_device);
	return rc;
}

int vm_start(struct vm *vm)
{
	unsigned int i;
	int rc = step(vm, watch_all(vm), "watching descriptors");

	for (i = 0; i < vm->vcpus && !rc; i++)
		rc = step(vm, vcpu_start(&vm->vcpu[i]), "thread of a vCPU");
	if (rc)
		return rc;
	/* A thread's first steps need system calls that the filter, which comes next, forbids. */
	pthread_mutex_lock(&vm->life);
	while (vm->parked < vm->vcpus)
		pthread_cond_wait(&vm->all_parked, &vm->life);
	pthread_mutex_unlock(&vm->life);
	return 0;
}

void vm_abandon(struct vm *vm)
{
	if (!*vm->reason)
		snprintf(vm->reason, sizeof(vm->reason), "out of memory");
	log_error("%s", vm->reason);
	status_set(&vm->status, MONITOR_FAILED, vm->reason);
}

int vm_run(struct vm *vm)
{
	int rc;

	status_set(&vm->status, MONITOR_RUNNING, NULL);
	release(vm, VM_HOLD);
	rc = loop_run(&vm->loop);
	if (rc) {
		log_errno(LOG_ERR, rc, "event loop");
		return MONITOR_EXIT_FAILED;
	}
	return vm_asked(vm) == VM_OFF ? MONITOR_EXIT_OFF : MONITOR_EXIT_FAILED;
}

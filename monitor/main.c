/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvmonitor: the unprivileged half of one guest's monitor. It loads the kernel, shows the guest a
 * machine with ACPI, PCI, virtio devices and a serial port, and runs its vCPUs through the
 * module. All that it may touch is handed over as descriptors on its command line
 * (include/ultravisor/monitor.h).
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <common/log.h>

#include "confine.h"
#include "vm.h"

/* The thread that ends the process must not run the handlers of exit under running vCPUs. */
static _Noreturn void end(int code)
{
	_exit(code);
}

int main(int argc, char **argv)
{
	static struct vm vm;
	static struct options options;
	char error[256];

	/* 1. What was asked for. Nothing is touched before all of it makes sense. */
	if (options_parse(&options, argc, argv, error, sizeof(error))) {
		fprintf(stderr, "uvmonitor: %s\n", error);
		return MONITOR_EXIT_USAGE;
	}
	/* 2. Our descriptors, and no others. Before the log opens one of its own. */
	if (options_adopt(&options, error, sizeof(error))) {
		fprintf(stderr, "uvmonitor: %s\n", error);
		return MONITOR_EXIT_USAGE;
	}
	log_init("uvmonitor", options.debug);
	log_partition(options.name);
	mallopt(M_ARENA_MAX, 1);
	signal(SIGPIPE, SIG_IGN);

	/* 3. No root, no capabilities: nothing below needs more than the descriptors. */
	if (confine_identity())
		end(MONITOR_EXIT_FAILED);
	/*
	 * 4. The machine: monitor channel; memory mapped, then sealed; VM, devices, vCPUs.
	 * 5. The kernel, which is a file that a stranger made.
	 * 6. The threads, which wait; then the filter, which covers them and permits no others.
	 */
	if (vm_open(&vm, &options) || vm_load(&vm) || vm_start(&vm) ||
	    confine_system_calls(vm.reason, sizeof(vm.reason))) {
		vm_abandon(&vm);
		end(MONITOR_EXIT_FAILED);
	}
	/* 7. The guest. */
	end(vm_run(&vm));
}

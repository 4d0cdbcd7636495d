// SPDX-License-Identifier: GPL-2.0
/*
 * Classification of exits, free of kernel state: tests/unit/kmod runs it on recorded pages.
 */
#include <linux/kvm.h>

#include "exit.h"

struct uvr_exit uvr_exit_classify(const struct kvm_run *run)
{
	struct uvr_exit exit = { .kind = ULTRAVISOR_EXIT_OTHER, .port = -1 };

	switch (READ_ONCE(run->exit_reason)) {
	case KVM_EXIT_IO:
		exit.kind = ULTRAVISOR_EXIT_PIO;
		if (READ_ONCE(run->io.direction) == KVM_EXIT_IO_OUT)
			exit.port = READ_ONCE(run->io.port);
		exit.quiet = exit.port == UVR_PORT_DELAY;
		break;
	case KVM_EXIT_MMIO:
		exit.kind = ULTRAVISOR_EXIT_MMIO;
		break;
	case KVM_EXIT_HLT:
		exit.kind = ULTRAVISOR_EXIT_HLT;
		break;
	case KVM_EXIT_INTR:
		exit.kind = ULTRAVISOR_EXIT_INTR;
		break;
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_SYSTEM_EVENT:
		exit.kind = ULTRAVISOR_EXIT_SHUTDOWN;
		break;
	case KVM_EXIT_FAIL_ENTRY:
	case KVM_EXIT_INTERNAL_ERROR:
		exit.kind = ULTRAVISOR_EXIT_FAIL;
		break;
	}
	return exit;
}

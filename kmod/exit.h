/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an exit from the guest means. The same for SVM and VMX: KVM has translated it already.
 */
#ifndef _UVR_EXIT_H
#define _UVR_EXIT_H

#include <linux/ultravisor.h>

#include "pure.h"

struct kvm_run;

struct uvr_exit {
	enum ultravisor_exit kind;
	bool quiet;		/* needs nobody: the guest just goes on */
	int port;		/* that the guest writes; -1: none */
};

/*
 * Linux writes this port to wait a microsecond (native_io_delay) and firmware to show its
 * progress: nothing is there, nothing is ever read back.
 */
#define UVR_PORT_DELAY 0x80

/* run may be changed by its monitor at any time: it is read once, and believed in nothing. */
struct uvr_exit uvr_exit_classify(const struct kvm_run *run);

#endif /* _UVR_EXIT_H */

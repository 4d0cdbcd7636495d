// SPDX-License-Identifier: GPL-2.0
/*
 * Says of the test host's processors that their time-stamp counter is constant. It is: the counter
 * of this machine. QEMU's emulation of AMD processors has no way to say so, and the KVM of a
 * PREEMPT_RT kernel does not load without.
 */
#include <linux/module.h>
#include <asm/cpufeature.h>

static int __init say_so(void)
{
	set_cpu_cap(&boot_cpu_data, X86_FEATURE_CONSTANT_TSC);
	return 0;
}
module_init(say_so);

MODULE_DESCRIPTION("A constant TSC, for the test host");
MODULE_LICENSE("GPL");

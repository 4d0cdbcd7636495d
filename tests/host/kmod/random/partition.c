// SPDX-License-Identifier: Apache-2.0
/* Steps: what a partition has: processors, memory, contexts, its lease, and whether it runs. */
#include <time.h>

#include "random.h"

void use_processor(void)
{
	struct ultravisor_processor_info info = ARGUMENT(ultravisor_processor_info);
	struct ultravisor_processor_set set = ARGUMENT(ultravisor_processor_set);

	info.cpu = one_in(30) ? draw() : below(3);
	call(pick(DEVICE), ULTRAVISOR_PROCESSOR_INFO, &info);
	set.cpu = info.cpu;
	set.flags = flags_or_worse(one_in(4) ? 0 : ULTRAVISOR_PROCESSOR_GIVEN);
	set.frame_ns = one_in(10) ? draw() >> below(64) : below(4) * 5 * MS;
	set.phase_ns = one_in(10) ? draw() >> below(64) : below(3) * MS;
	call(pick(DEVICE), ULTRAVISOR_PROCESSOR_SET, &set);
}

void add_memory(void)
{
	struct ultravisor_memory_add arg = ARGUMENT(ultravisor_memory_add);

	arg.flags = flags_or_worse(0);
	arg.gpa = one_in(10) ? draw() >> below(64) : below(16) * GUEST_SIZE;
	arg.length = one_in(10) ? draw() >> below(64) : GUEST_SIZE;
	arg.fd = pick(MEMORY);
	call(pick(PARTITION), ULTRAVISOR_MEMORY_ADD, &arg);
}

void set_context(void)
{
	struct ultravisor_context_set arg = ARGUMENT(ultravisor_context_set);

	arg.flags = flags_or_worse(one_in(5) ? ULTRAVISOR_CONTEXT_REALTIME : 0);
	arg.index = one_in(30) ? draw() : below(3);
	arg.mode = one_in(40) ? draw() : below(2) ? ULTRAVISOR_CONTEXT_SHARED : 1 + below(3);
	arg.cpus[one_in(60) ? below(16) : 0] = one_in(40) ? draw() : 1 + below(3);
	if (arg.mode == ULTRAVISOR_CONTEXT_SHARED && below(3)) {
		arg.budget_ns = one_in(20) ? draw() >> below(64) : (1 + below(50)) * MS / 10;
		arg.period_ns = one_in(20) ? draw() >> below(64) : (5 + below(10)) * MS;
	}
	if (arg.mode == ULTRAVISOR_CONTEXT_WINDOW) {
		arg.cpus[0] = 1 + below(2);
		arg.window_start_ns = one_in(20) ? draw() >> below(64) : below(20) * MS / 4;
		arg.window_ns = one_in(20) ? draw() >> below(64) : (1 + below(20)) * MS / 10;
	}
	call(pick(PARTITION), below(2) ? ULTRAVISOR_CONTEXT_CREATE : ULTRAVISOR_CONTEXT_SET, &arg);
}

void use_lease(void)
{
	struct ultravisor_lease arg = ARGUMENT(ultravisor_lease);
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	arg.flags = flags_or_worse(0);
	arg.epoch = below(3);
	arg.deadline = one_in(20) ? draw() >> below(64)
				  : ts.tv_sec * 1000 * MS + ts.tv_nsec + below(100) * MS;
	call(pick(PARTITION), one_in(4) ? ULTRAVISOR_LEASE_SET : ULTRAVISOR_LEASE_RENEW, &arg);
}

void stop_or_resume(void)
{
	struct ultravisor_partition_run arg = ARGUMENT(ultravisor_partition_run);

	call(pick(PARTITION), one_in(4) ? ULTRAVISOR_PARTITION_STOP : ULTRAVISOR_PARTITION_RESUME,
	     &arg);
}

// SPDX-License-Identifier: Apache-2.0
/* A partition from its creation to its end, around a guest of a few bytes in real mode. */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "common.h"

static void info(void)
{
	struct ultravisor_info info = { .size = sizeof(info) };
	struct ultravisor_info again = { .size = sizeof(again) };
	uint8_t zero[ULTRAVISOR_UUID_LEN] = { 0 };

	ok(ioctl(device, ULTRAVISOR_INFO, &info));
	ok(ioctl(device, ULTRAVISOR_INFO, &again));
	check(info.out_abi_version == ULTRAVISOR_ABI_VERSION);
	check(memcmp(info.out_instance, zero, sizeof(zero)));
	check(!memcmp(info.out_instance, again.out_instance, sizeof(zero)));
}

static void a_guest_runs_and_its_exits_are_counted(void)
{
	static const uint8_t code[] = {
		0xb0, 'u',		/* mov al, 'u' */
		0xe6, 0x80,		/* out 0x80, al: nobody needs to see it */
		0xba, 0xf8, 0x03,	/* mov dx, 0x3f8 */
		0xee,			/* out dx, al */
		0xa2, 0x00, 0x20,	/* mov [0x2000], al: memory */
		0xf4,			/* hlt */
	};
	struct ultravisor_context_info context;
	struct ultravisor_partition_info partition;
	struct guest g;

	guest_init(&g, "thread", code, sizeof(code));
	ok(context_run(g.context));
	check(g.run->exit_reason == KVM_EXIT_IO);
	check(g.run->io.direction == KVM_EXIT_IO_OUT && g.run->io.port == 0x3f8);
	check(*((uint8_t *)g.run + g.run->io.data_offset) == 'u');
	ok(context_run(g.context));
	check(g.run->exit_reason == KVM_EXIT_HLT);
	check(g.memory[0x2000] == 'u');

	context = context_info(g.partition.fd, 0);
	check(context.out_mode == ULTRAVISOR_CONTEXT_SHARED);
	check(context.out_exits[ULTRAVISOR_EXIT_PIO] == 2);
	check(context.out_exits[ULTRAVISOR_EXIT_HLT] == 1);
	check(context.out_run_ns > 0);
	partition = partition_info(g.partition.fd);
	check(partition.out_state == ULTRAVISOR_PARTITION_RUNNING);
	/* An interrupt of the host's is an exit, too. */
	check(partition.out_exits == 3 + context.out_exits[ULTRAVISOR_EXIT_INTR]);
	check(partition.out_run_ns == context.out_run_ns);
	check(partition.out_contexts == 1 && partition.out_blocks == 1);
	check(partition.out_memory == GUEST_SIZE);
	check(partition.out_monitor > 0);

	ok(object_destroy(g.partition.id));
	fails(ESHUTDOWN, context_run(g.context));
	check(partition_info(g.partition.fd).out_state == ULTRAVISOR_PARTITION_DEAD);
	fails(ENOENT, object_open(g.partition.id, ULTRAVISOR_ROLE_CONTROL, 0));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "the first call tells version and instance", info },
		{ "a guest runs and its exits are counted",
		  a_guest_runs_and_its_exits_are_counted },
	};

	return RUN_TESTS(tests);
}

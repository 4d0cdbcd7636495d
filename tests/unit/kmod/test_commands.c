// SPDX-License-Identifier: Apache-2.0
/*
 * The module's one table of commands: what every row must be like, and that no ABI struct moves.
 * The table is a header; a source is named so that the module's kernel files are not linked.
 */
/* sources: kmod/budget.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/ultravisor.h>

#include "kmod/role.h"

enum direction { IN, INOUT };

static const struct row {
	const char *name;
	unsigned long cmd;
	unsigned int roles;
	size_t min, max, size_at, flags_at;
	uint32_t flags;
	enum direction direction;
} rows[] = {
#define COMMAND(_cmd, _roles, _struct, _last, _flags, _direction, _run) {			\
		#_cmd, _cmd, _roles,							\
		offsetof(struct _struct, _last) + sizeof(((struct _struct *)0)->_last),	\
		sizeof(struct _struct), offsetof(struct _struct, size),			\
		offsetof(struct _struct, flags), _flags, _direction },
#include "kmod/commands.h"
#undef COMMAND
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static void every_command_is_listed_once(void **state)
{
	(void)state;
	/* The numbers of the ABI: a gap or a double is a row lost or copied. */
	static const unsigned char numbers[] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
		0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
		0x20, 0x21, 0x22, 0x23, 0x30, 0x31,
		0x40, 0x41, 0x42, 0x43, 0x50, 0x51, 0x52, 0x53, 0x54,
	};

	assert_int_equal(NR_ROWS, sizeof(numbers));
	for (size_t i = 0; i < NR_ROWS; i++)
		assert_int_equal(rows[i].cmd, _IO(ULTRAVISOR_IOC, numbers[i]));
}

static void every_argument_starts_with_size_and_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ROWS; i++) {
		assert_int_equal(rows[i].size_at, 0);
		assert_int_equal(rows[i].flags_at, 4);
	}
}

static void sizes_leave_no_hole(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ROWS; i++) {
		assert_int_equal(rows[i].max % 4, 0);
		assert_true(rows[i].min >= 8 && rows[i].min <= rows[i].max);
		/* The stack of the dispatcher holds one of each. */
		assert_true(rows[i].max <= 512);
	}
}

static void every_row_names_roles_that_exist(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ROWS; i++) {
		assert_true(rows[i].roles != 0);
		assert_int_equal(rows[i].roles & ~UVR_ROLE_ANY, 0);
		/* What makes and destroys objects is the device's alone. */
		if ((rows[i].cmd & 0xff) >= 1 && (rows[i].cmd & 0xff) <= 8)
			assert_int_equal(rows[i].roles, UVR_ROLE_DEVICE);
	}
}

static void only_these_have_flags(void **state)
{
	static const struct { unsigned long cmd; uint32_t flags; } flags[] = {
		{ ULTRAVISOR_PARTITION_CREATE, ULTRAVISOR_PARTITION_CGROUP },
		{ ULTRAVISOR_CHANNEL_CREATE, ULTRAVISOR_CHANNEL_GRANT },
		{ ULTRAVISOR_PROCESSOR_SET, ULTRAVISOR_PROCESSOR_GIVEN },
		{ ULTRAVISOR_CONTEXT_CREATE, ULTRAVISOR_CONTEXT_REALTIME },
		{ ULTRAVISOR_CONTEXT_SET, ULTRAVISOR_CONTEXT_REALTIME },
	};

	(void)state;
	for (size_t i = 0; i < NR_ROWS; i++) {
		uint32_t known = 0;

		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
			if (flags[k].cmd == rows[i].cmd)
				known = flags[k].flags;
		assert_int_equal(rows[i].flags, known);
	}
}

/* What callers of ABI version 1 give, for good; and what there is now, if more. */
static void no_struct_has_shrunk(void **state)
{
	static const struct { unsigned long cmd; size_t first, now; } sizes[] = {
		{ ULTRAVISOR_INFO, 12, 40 },
		{ ULTRAVISOR_PARTITION_CREATE, 112, 128 },
		{ ULTRAVISOR_CHANNEL_CREATE, 96, 104 },
		{ ULTRAVISOR_OBJECT_OPEN, 32, 32 },
		{ ULTRAVISOR_OBJECT_NEXT, 56, 56 },
		{ ULTRAVISOR_OBJECT_PUBLISH, 16, 16 },
		{ ULTRAVISOR_OBJECT_DESTROY, 16, 16 },
		{ ULTRAVISOR_PROCESSOR_SET, 32, 32 },
		{ ULTRAVISOR_PROCESSOR_INFO, 48, 48 },
		{ ULTRAVISOR_PARTITION_INFO, 136, 176 },
		{ ULTRAVISOR_PARTITION_STOP, 8, 8 },
		{ ULTRAVISOR_PARTITION_RESUME, 8, 8 },
		{ ULTRAVISOR_MEMORY_ADD, 32, 32 },
		{ ULTRAVISOR_CONTEXT_CREATE, 160, 176 },
		{ ULTRAVISOR_CONTEXT_SET, 160, 176 },
		{ ULTRAVISOR_CONTEXT_INFO, 248, 320 },
		{ ULTRAVISOR_LEASE_SET, 24, 24 },
		{ ULTRAVISOR_LEASE_RENEW, 24, 24 },
		{ ULTRAVISOR_VM_CREATE, 8, 8 },
		{ ULTRAVISOR_VM_KVM, 24, 24 },
		{ ULTRAVISOR_CONTEXT_OPEN, 16, 16 },
		{ ULTRAVISOR_MEMORY_INFO, 32, 32 },
		{ ULTRAVISOR_CONTEXT_RUN, 8, 8 },
		{ ULTRAVISOR_CONTEXT_KVM, 24, 24 },
		{ ULTRAVISOR_CHANNEL_INFO, 144, 144 },
		{ ULTRAVISOR_SERVER_SET, 32, 32 },
		{ ULTRAVISOR_CHANNEL_PROMOTE, 24, 24 },
		{ ULTRAVISOR_CHANNEL_REVOKE, 16, 16 },
		{ ULTRAVISOR_ENDPOINT_INFO, 48, 48 },
		{ ULTRAVISOR_ATTACH, 8, 8 },
		{ ULTRAVISOR_DETACH, 8, 8 },
		{ ULTRAVISOR_DOORBELL_BIND, 24, 24 },
		{ ULTRAVISOR_DOORBELL_RING, 16, 16 },
	};

	(void)state;
	for (size_t i = 0; i < NR_ROWS; i++) {
		assert_int_equal(rows[i].cmd, sizes[i].cmd);
		if (rows[i].min != sizes[i].first)
			fail_msg("%s: at least %zu bytes", rows[i].name, rows[i].min);
		if (rows[i].max != sizes[i].now)
			fail_msg("%s: %zu bytes", rows[i].name, rows[i].max);
	}
	assert_int_equal(sizeof(struct ultravisor_channel_header), 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_listed_once),
		cmocka_unit_test(every_argument_starts_with_size_and_flags),
		cmocka_unit_test(sizes_leave_no_hole),
		cmocka_unit_test(every_row_names_roles_that_exist),
		cmocka_unit_test(only_these_have_flags),
		cmocka_unit_test(no_struct_has_shrunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

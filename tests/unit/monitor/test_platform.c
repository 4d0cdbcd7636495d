/* SPDX-License-Identifier: Apache-2.0 */
/* Power management, clock, processor identification and the command line. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <monitor/cmos.h>
#include <monitor/cpuid.h>
#include <monitor/layout.h>
#include <monitor/options.h>
#include <monitor/pm.h>
#include <ultravisor/io.h>

static struct ports ports;
static struct irq irq;
static struct pm pm;
static unsigned int offs, resets;

static void off(void *opaque)
{
	(void)opaque;
	offs++;
}

static void reset(void *opaque)
{
	(void)opaque;
	resets++;
}

static int set_up(void **state)
{
	machine_reset(state);
	memset(&ports, 0, sizeof(ports));
	irq_init(&irq, -1);
	pm_init(&pm, &irq, &ports);
	pm.off = off;
	pm.reset = reset;
	offs = resets = 0;
	return 0;
}

static void the_power_button_interrupts_when_enabled(void **state)
{
	(void)state;
	pm_power_button(&pm);
	assert_false(machine.line[LAYOUT_IRQ_SCI]);
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_PM, 2), 0x100);
	ports_write(&ports, LAYOUT_PORT_PM + 2, 0x100, 2);
	assert_true(machine.line[LAYOUT_IRQ_SCI]);
	ports_write(&ports, LAYOUT_PORT_PM, 0x001, 2);
	assert_true(machine.line[LAYOUT_IRQ_SCI]);
	ports_write(&ports, LAYOUT_PORT_PM, 0x100, 2);
	assert_false(machine.line[LAYOUT_IRQ_SCI]);
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_PM, 4), 0x01000000);
}

static void s5_turns_off_and_other_states_do_not(void **state)
{
	(void)state;
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_PM + 4, 2) & 1, 1);	/* ACPI is on */
	ports_write(&ports, LAYOUT_PORT_PM + 4, PM_S5_TYPE << 10, 2);
	assert_int_equal(offs, 0);
	ports_write(&ports, LAYOUT_PORT_PM + 4, 3 << 10 | 1 << 13, 2);
	assert_int_equal(offs, 0);
	ports_write(&ports, LAYOUT_PORT_PM + 4, PM_S5_TYPE << 10 | 1 << 13, 2);
	assert_int_equal(offs, 1);
	/* Nor does a word that reaches over the end. */
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_PM + 6, 4), 0xffffffff);
	ports_write(&ports, LAYOUT_PORT_PM + 6, 0xffffffff, 4);
	assert_int_equal(offs, 1);
}

static void both_ways_to_reset_work(void **state)
{
	(void)state;
	ports_write(&ports, LAYOUT_PORT_RESET, 2, 1);
	ports_write(&ports, LAYOUT_PORT_KEYBOARD, 0xd1, 1);
	assert_int_equal(resets, 0);
	ports_write(&ports, LAYOUT_PORT_RESET, PM_RESET_VALUE, 1);
	assert_int_equal(resets, 1);
	ports_write(&ports, LAYOUT_PORT_KEYBOARD, 0xfe, 1);
	assert_int_equal(resets, 2);
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_KEYBOARD, 1), 0);
}

static int bcd(uint8_t v)
{
	return (v >> 4) * 10 + (v & 15);
}

static void the_clock_agrees_with_libc(void **state)
{
	struct cmos c = { 0 };
	struct tm t;
	time_t now;

	(void)state;
	/* Every 11 days and some, until 2100 and beyond. */
	for (now = 0; now < 4300000000; now += 1000003) {
		gmtime_r(&now, &t);
		assert_int_equal(bcd(cmos_register(&c, 0, now)), t.tm_sec);
		assert_int_equal(bcd(cmos_register(&c, 2, now)), t.tm_min);
		assert_int_equal(bcd(cmos_register(&c, 4, now)), t.tm_hour);
		assert_int_equal(cmos_register(&c, 6, now), t.tm_wday + 1);
		assert_int_equal(bcd(cmos_register(&c, 7, now)), t.tm_mday);
		assert_int_equal(bcd(cmos_register(&c, 8, now)), t.tm_mon + 1);
		assert_int_equal(bcd(cmos_register(&c, 0x32, now)) * 100 +
				 bcd(cmos_register(&c, 9, now)), t.tm_year + 1900);
	}
}

static void cmos_registers_are_reached_by_index(void **state)
{
	struct cmos c;

	(void)state;
	cmos_init(&c, &ports);
	ports_write(&ports, 0x70, 0x8f, 1);
	ports_write(&ports, 0x71, 0x42, 1);
	assert_int_equal(ports_read(&ports, 0x71, 1), 0x42);
	ports_write(&ports, 0x70, 0x0d, 1);
	ports_write(&ports, 0x71, 0, 1);
	assert_int_equal(ports_read(&ports, 0x71, 1), 0x80);
	ports_write(&ports, 0x70, 0xff, 1);
	ports_write(&ports, 0x71, 1, 1);
	assert_int_equal(ports_read(&ports, 0x71, 1), 1);
}

static void every_vcpu_is_a_core_of_its_own(void **state)
{
	struct cpuid c = { .head.nent = 5 };
	unsigned int n, i, bits;

	(void)state;
	c.entry[0] = (struct kvm_cpuid_entry2){ .function = 1, .ebx = 0x12345678, .edx = 1 << 28 };
	c.entry[1] = (struct kvm_cpuid_entry2){ .function = 0xb, .index = 0 };
	c.entry[2] = (struct kvm_cpuid_entry2){ .function = 0xb, .index = 1 };
	c.entry[3] = (struct kvm_cpuid_entry2){ .function = 4, .eax = 0xfc004121 };
	c.entry[4] = (struct kvm_cpuid_entry2){ .function = 0x80000008 };
	for (n = 1; n <= 64; n++) {
		for (bits = 0; 1U << bits < n; bits++)
			;
		for (i = 0; i < n; i++) {
			cpuid_place(&c, i, n, true);
			assert_int_equal(c.entry[0].ebx >> 24, i);
			assert_int_equal(c.entry[0].ebx >> 16 & 0xff, n);
			assert_int_equal(c.entry[0].ebx & 0xffff, 0x5678);
			assert_true(c.entry[0].ecx & 1U << 31 && c.entry[0].ecx & 1U << 24);
			assert_int_equal(!!(c.entry[0].edx & 1 << 28), n > 1);
			assert_int_equal(c.entry[1].eax, 0);
			assert_int_equal(c.entry[2].eax, bits);
			assert_int_equal(c.entry[2].ebx, n);
			assert_int_equal(c.entry[2].edx, i);
			assert_int_equal(c.entry[3].eax >> 26, (1 << bits) - 1);
			assert_int_equal(c.entry[4].ecx & 0xff, n - 1);
		}
	}
}

static struct options options;
static char error[256];

#define PARSE(...) parse((char *[]){ "uvmonitor", __VA_ARGS__, NULL })
#define BASE "--name", "web1", "--partition", "5", "--vcpus", "2", \
	"--memory", "6:0:268435456", "--kernel", "7", "--cmdline", "quiet"

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(&options, argc, argv, error, sizeof(error));
}

static void a_whole_command_line_is_understood(void **state)
{
	(void)state;
	assert_int_equal(PARSE(BASE, "--uuid", "x", "--channel", "8", "--initrd", "9", "--device",
			       "block:root:10", "--device", "network:net0:11:02:00:00:aa:bb:cc",
			       "--console", "12", "--memory", "13:4294967296:1048576"), 0);
	assert_string_equal(options.name, "web1");
	assert_int_equal(options.vcpus, 2);
	assert_int_equal(options.memory.count, 2);
	assert_int_equal(options.memory.block[1].gpa, 4294967296);
	assert_int_equal(options.devices, 2);
	assert_int_equal(options.device[0].type, CHANNEL_BLOCK);
	assert_string_equal(options.device[0].name, "root");
	assert_int_equal(options.device[0].channel, 10);
	assert_false(options.device[0].has_mac);
	assert_true(options.device[1].has_mac);
	assert_int_equal(options.device[1].mac[5], 0xcc);
	assert_int_equal(options.console, 12);
}

static void wrong_values_name_their_option(void **state)
{
	static char *const wrong[][2] = {
		{ "--vcpus", "0" }, { "--vcpus", "65" }, { "--vcpus", "-1" }, { "--vcpus", "2x" },
		{ "--partition", "2" }, { "--partition", "" }, { "--channel", "99999999999" },
		{ "--memory", "6" }, { "--memory", "6:0" }, { "--memory", "6:0:" },
		{ "--memory", "6:0:99999999999999999999" }, { "--memory", "1:0:4096" },
		{ "--device", "disk:a:9" }, { "--device", "block:a" }, { "--device", "block::9" },
		{ "--device", "block:a:1" }, { "--device", "block:a:9:02:00:00:00:00:01" },
		{ "--device", "network:a:9:02" }, { "--device", "network:a:9:02:00:00:00:00:01:" },
		{ "--name", "0123456789012345678901234567890123456789012345678901234567890123" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(PARSE(BASE, wrong[i][0], wrong[i][1]), -EINVAL);
		assert_ptr_equal(strstr(error, wrong[i][0]), error);
	}
	assert_int_equal(PARSE(BASE, "--nonsense"), -EINVAL);
	assert_non_null(strstr(error, "--nonsense"));
	assert_int_equal(PARSE(BASE, "more"), -EINVAL);
	assert_int_equal(PARSE("--name", "x"), -EINVAL);
	assert_int_equal(PARSE(BASE, "--memory", "9:268435456:4096", "--memory", "9:0:4096"),
			 -EINVAL);
}

static void a_descriptor_that_is_given_twice_is_refused(void **state)
{
	(void)state;
	assert_int_equal(PARSE(BASE, "--initrd", "7"), 0);
	open("/dev/null", O_RDONLY);
	dup2(STDERR_FILENO, 5);
	dup2(STDERR_FILENO, 6);
	dup2(STDERR_FILENO, 7);
	assert_int_equal(options_adopt(&options, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "7 is given twice"));
}

static void adopting_closes_everything_else(void **state)
{
	(void)state;
	assert_int_equal(PARSE(BASE), 0);
	dup2(STDERR_FILENO, 5);
	dup2(STDERR_FILENO, 6);
	dup2(STDERR_FILENO, 7);
	dup2(STDERR_FILENO, 9);
	dup2(STDERR_FILENO, 100);
	assert_int_equal(options_adopt(&options, error, sizeof(error)), 0);
	assert_int_equal(fcntl(7, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(3, F_GETFD), -1);
	assert_int_equal(fcntl(9, F_GETFD), -1);
	assert_int_equal(fcntl(100, F_GETFD), -1);
	close(7);
	assert_int_equal(options_adopt(&options, error, sizeof(error)), -EBADF);
	assert_non_null(strstr(error, "7 is not open"));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_power_button_interrupts_when_enabled),
		TEST(s5_turns_off_and_other_states_do_not),
		TEST(both_ways_to_reset_work),
		TEST(the_clock_agrees_with_libc),
		TEST(cmos_registers_are_reached_by_index),
		TEST(every_vcpu_is_a_core_of_its_own),
		TEST(a_whole_command_line_is_understood),
		TEST(wrong_values_name_their_option),
		TEST(a_descriptor_that_is_given_twice_is_refused),
		TEST(adopting_closes_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The module's classification of exits, on struct kvm_run as KVM leaves it.
 *
 * Pages marked SVM were recorded: the first bytes of kvm_run after CONTEXT_RUN of a few bytes of
 * real-mode code in the test host (6.1.0-56 and 6.12.117 leave the same). Those marked VMX are
 * composed after KVM's source, no machine with VT-x being at hand: KVM fills PIO, MMIO and HLT in
 * common code (x86.c), so only what vmx.c itself writes differs.
 */
/* sources: kmod/exit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/kvm.h>

#include "kmod/exit.h"

#define PAGE 4096

static struct kvm_run *page(const char *hex)
{
	static _Alignas(struct kvm_run) uint8_t bytes[PAGE];
	size_t i = 0;

	memset(bytes, 0, sizeof(bytes));
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		bytes[i / 2] = bytes[i / 2] << 4 | (*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		i++;
	}
	return (struct kvm_run *)bytes;
}

static void expect(const char *hex, enum ultravisor_exit kind, bool quiet)
{
	struct uvr_exit exit = uvr_exit_classify(page(hex));

	assert_int_equal(exit.kind, kind);
	assert_int_equal(exit.quiet, quiet);
}

/* The head that all pages share: exit_reason is the ninth byte; cr8, apic_base from the 17th. */
#define HEAD(reason) "0000000000000000 " reason "000000 00000000 0000000000000000 0009e0fe00000000 "

static void an_out_to_a_port_is_pio(void **state)
{
	(void)state;
	/* SVM: out dx, al to 0x3f8 */
	expect(HEAD("02") "01 01 f803 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	/* SVM: in al, dx from 0x60 */
	expect(HEAD("02") "00 01 6000 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	/* SVM: out dx, ax to 0x81 */
	expect(HEAD("02") "01 02 8100 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	/* SVM: rep outsb to 0xe9 */
	expect(HEAD("02") "01 01 e900 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
}

static void only_an_out_has_a_port(void **state)
{
	(void)state;
	assert_int_equal(uvr_exit_classify(page(HEAD("02") "01 01 f803 01000000")).port, 0x3f8);
	/* rep outsw to 0xffff */
	assert_int_equal(uvr_exit_classify(page(HEAD("02") "01 02 ffff 00100000")).port, 0xffff);
	assert_int_equal(uvr_exit_classify(page(HEAD("02") "00 01 f803 01000000")).port, -1);
	/* MMIO, whatever is where PIO has its port */
	assert_int_equal(uvr_exit_classify(page(HEAD("06") "01 01 f803 01000000")).port, -1);
}

static void only_an_out_to_the_delay_port_is_quiet(void **state)
{
	(void)state;
	/* SVM: out 0x80, al */
	expect(HEAD("02") "01 01 8000 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, true);
	/* ax and a string: nothing is there for them either */
	expect(HEAD("02") "01 02 8000 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, true);
	expect(HEAD("02") "01 01 8000 00100000 0010000000000000", ULTRAVISOR_EXIT_PIO, true);
	/* an in wants an answer */
	expect(HEAD("02") "00 01 8000 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	expect(HEAD("02") "01 01 8100 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	expect(HEAD("02") "01 01 7f00 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
	/* bit 7 set elsewhere in the word: another port */
	expect(HEAD("02") "01 01 8001 01000000 0010000000000000", ULTRAVISOR_EXIT_PIO, false);
}

static void memory_that_is_not_there_is_mmio(void **state)
{
	(void)state;
	/* SVM: mov word [ds:0x10], 0x1234 with ds at 0xd0000000, and the load back */
	expect(HEAD("06") "100000d000000000 3412000000000000 02000000 01",
	       ULTRAVISOR_EXIT_MMIO, false);
	expect(HEAD("06") "100000d000000000 0000000000000000 02000000 00",
	       ULTRAVISOR_EXIT_MMIO, false);
	/* The union's bytes look like an OUT to 0x80: the reason decides. */
	expect(HEAD("06") "01018000 01000000 0000000000000000 01000000 01",
	       ULTRAVISOR_EXIT_MMIO, false);
}

static void hlt_is_hlt_whatever_the_rest_says(void **state)
{
	(void)state;
	expect(HEAD("05"), ULTRAVISOR_EXIT_HLT, false);
	/* left over from the exit before */
	expect(HEAD("05") "01 01 8000 01000000 0010000000000000", ULTRAVISOR_EXIT_HLT, false);
}

static void a_triple_fault_is_a_shutdown(void **state)
{
	(void)state;
	/* SVM: ud2 with an empty IDT; vmx.c's handle_triple_fault leaves the same */
	expect(HEAD("08"), ULTRAVISOR_EXIT_SHUTDOWN, false);
	/* KVM_EXIT_SYSTEM_EVENT, type shutdown */
	expect(HEAD("18") "01000000", ULTRAVISOR_EXIT_SHUTDOWN, false);
}

static void a_failed_entry_is_a_failure(void **state)
{
	(void)state;
	/* SVM: hardware_entry_failure_reason is SVM_EXIT_ERR, -1 in 64 bits; cpu 1 */
	expect(HEAD("09") "ffffffffffffffff 01000000", ULTRAVISOR_EXIT_FAIL, false);
	/* VMX: exit reason 0x80000021, invalid guest state; cpu 3 */
	expect(HEAD("09") "2100008000000000 03000000", ULTRAVISOR_EXIT_FAIL, false);
	/* VMX: VM-instruction error 7, control fields */
	expect(HEAD("09") "0700000000000000 00000000", ULTRAVISOR_EXIT_FAIL, false);
	/* SVM: code fetched from memory that is not there, KVM_INTERNAL_ERROR_EMULATION */
	expect(HEAD("11") "01000000 06000000 0000000000000000 0400000000000014",
	       ULTRAVISOR_EXIT_FAIL, false);
	/* VMX: KVM_INTERNAL_ERROR_DELIVERY_EV */
	expect(HEAD("11") "03000000 03000000 0d03008000000000 3000000000000000",
	       ULTRAVISOR_EXIT_FAIL, false);
}

static void an_interrupted_run_is_counted_as_such(void **state)
{
	(void)state;
	expect(HEAD("0a"), ULTRAVISOR_EXIT_INTR, false);
}

static void every_other_reason_is_other_and_never_quiet(void **state)
{
	(void)state;
	for (uint32_t reason = 0; reason < 300; reason++) {
		struct kvm_run *run = page(HEAD("00") "01 01 8000 01000000");
		struct uvr_exit exit;

		run->exit_reason = reason;
		exit = uvr_exit_classify(run);
		assert_in_range(exit.kind, 0, ULTRAVISOR_EXIT_NR - 1);
		if (reason != KVM_EXIT_IO)
			assert_false(exit.quiet);
	}
	struct kvm_run *run = page(HEAD("00"));

	run->exit_reason = 0xffffffff;
	assert_int_equal(uvr_exit_classify(run).kind, ULTRAVISOR_EXIT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_out_to_a_port_is_pio),
		cmocka_unit_test(only_an_out_has_a_port),
		cmocka_unit_test(only_an_out_to_the_delay_port_is_quiet),
		cmocka_unit_test(memory_that_is_not_there_is_mmio),
		cmocka_unit_test(hlt_is_hlt_whatever_the_rest_says),
		cmocka_unit_test(a_triple_fault_is_a_shutdown),
		cmocka_unit_test(a_failed_entry_is_a_failure),
		cmocka_unit_test(an_interrupted_run_is_counted_as_such),
		cmocka_unit_test(every_other_reason_is_other_and_never_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

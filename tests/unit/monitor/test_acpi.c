/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI tables: found from the RSDP, every checksum right, every pointer inside. */
#include "machine.h"

#include <monitor/acpi.h>
#include <monitor/layout.h>
#include <monitor/pm.h>

static uint8_t area[LAYOUT_ACPI_END - LAYOUT_ACPI];
static size_t used;

static uint64_t get(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static const uint8_t *at(uint64_t gpa, size_t length)
{
	assert_true(gpa >= LAYOUT_ACPI && gpa - LAYOUT_ACPI + length <= used);
	return area + (gpa - LAYOUT_ACPI);
}

static const uint8_t *table(uint64_t gpa, const char *signature)
{
	const uint8_t *t = at(gpa, 36);
	uint32_t length = get(t + 4, 4);

	at(gpa, length);
	assert_memory_equal(t, signature, 4);
	assert_int_equal(sum(t, length), 0);
	return t;
}

static void build(unsigned int vcpus)
{
	memset(area, 0xcc, sizeof(area));
	used = acpi_build(area, sizeof(area), LAYOUT_ACPI, vcpus);
	assert_true(used > 0);
}

static const uint8_t *from_xsdt(unsigned int index, const char *signature)
{
	const uint8_t *xsdt = table(get(area + 24, 8), "XSDT");

	assert_true(36 + 8 * (index + 1) <= get(xsdt + 4, 4));
	return table(get(xsdt + 36 + 8 * index, 8), signature);
}

static void the_rsdp_comes_first(void **state)
{
	(void)state;
	build(1);
	assert_memory_equal(area, "RSD PTR ", 8);
	assert_int_equal(area[15], 2);
	assert_int_equal(sum(area, 20), 0);
	assert_int_equal(sum(area, 36), 0);
	assert_int_equal(LAYOUT_ACPI % 16, 0);
}

static void the_fadt_describes_the_fixed_hardware(void **state)
{
	const uint8_t *f;

	(void)state;
	build(1);
	f = from_xsdt(0, "FACP");
	assert_int_equal(get(f + 46, 2), LAYOUT_IRQ_SCI);
	assert_int_equal(get(f + 48, 4), 0);				/* no SMI command */
	assert_int_equal(get(f + 56, 4), LAYOUT_PORT_PM + PM_EVENT_OFFSET);
	assert_int_equal(get(f + 64, 4), LAYOUT_PORT_PM + PM_CONTROL_OFFSET);
	assert_int_equal(f[88], 4);
	assert_int_equal(f[89], 2);
	assert_int_equal(get(f + 112, 4) & 1U << 4, 0);		/* power button: fixed hardware */
	assert_int_equal(get(f + 112, 4) & 1U << 20, 0);		/* not hardware-reduced */
	assert_true(get(f + 112, 4) & 1U << 10);			/* reset register */
	assert_int_equal(get(f + 120, 8), LAYOUT_PORT_RESET);
	assert_int_equal(f[128], PM_RESET_VALUE);
	table(get(f + 40, 4), "DSDT");
	assert_int_equal(get(f + 140, 8), get(f + 40, 4));
	assert_memory_equal(at(get(f + 36, 4), 64), "FACS", 4);
	assert_int_equal(get(f + 36, 4) % 64, 0);
}

static void the_madt_has_every_processor_once(void **state)
{
	const uint8_t *m, *e, *end;
	unsigned int cpus, ioapics;
	bool sci;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 64; n++) {
		uint64_t seen = 0;

		build(n);
		m = from_xsdt(1, "APIC");
		assert_int_equal(get(m + 36, 4), LAYOUT_LAPIC);
		end = m + get(m + 4, 4);
		cpus = ioapics = 0;
		sci = false;
		for (e = m + 44; e < end; e += e[1]) {
			assert_true(e[1] >= 2 && e + e[1] <= end);
			if (e[0] == 0) {
				assert_int_equal(get(e + 4, 4), 1);
				assert_false(seen & 1ULL << e[3]);
				seen |= 1ULL << e[3];
				cpus++;
			} else if (e[0] == 1) {
				assert_int_equal(get(e + 4, 4), LAYOUT_IOAPIC);
				ioapics++;
			} else if (e[0] == 2 && e[3] == LAYOUT_IRQ_SCI) {
				assert_int_equal(get(e + 8, 2), 0x0d);	/* level, active high */
				sci = true;
			}
		}
		assert_int_equal(cpus, n);
		assert_int_equal(ioapics, 1);
		assert_true(sci);
	}
}

static void too_little_room_is_no_table(void **state)
{
	size_t size;

	(void)state;
	build(2);
	for (size = 0; size < used; size += 7)
		assert_int_equal(acpi_build(area, size, LAYOUT_ACPI, 2), 0);
	assert_int_equal(acpi_build(area, used, LAYOUT_ACPI, 2), used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rsdp_comes_first),
		cmocka_unit_test(the_fadt_describes_the_fixed_hardware),
		cmocka_unit_test(the_madt_has_every_processor_once),
		cmocka_unit_test(too_little_room_is_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* PCI configuration space by ports, BARs that move, and MSI-X tables. */
#include "machine.h"

#include <linux/pci_regs.h>

#include <monitor/layout.h>
#include <monitor/msix.h>
#include <monitor/pci.h>

static struct ports ports;
static struct pci pci;
static struct pci_device device;
static struct msix msix;
static unsigned int reads, writes, changes;
static uint32_t last_offset;
static uint64_t last_value;

static uint64_t on_read(struct pci_device *d, unsigned int bar, uint32_t offset, unsigned int size)
{
	(void)d;
	(void)size;
	reads++;
	return bar << 16 | offset;
}

static void on_write(struct pci_device *d, unsigned int bar, uint32_t offset, uint64_t value,
		     unsigned int size)
{
	(void)d;
	(void)bar;
	(void)size;
	writes++;
	last_offset = offset;
	last_value = value;
}

static void on_configured(struct pci_device *d)
{
	(void)d;
	changes++;
}

static const struct pci_operations operations = {
	.read = on_read, .write = on_write, .configured = on_configured,
};

static int set_up(void **state)
{
	(void)state;
	memset(&ports, 0, sizeof(ports));
	pci_init(&pci, &ports);
	pci_device_init(&device, 0x1af4, 0x1042, 0x01800001, 0x1af4, 0x1100);
	device.ops = &operations;
	pci_bar(&device, 0, 256, true);
	pci_bar(&device, 1, 4096, false);
	msix_init(&msix, &device, 1, 3);
	assert_int_equal(pci_add(&pci, &device), 0);
	reads = writes = changes = 0;
	return 0;
}

static uint32_t address(unsigned int slot, unsigned int reg)
{
	return 1U << 31 | slot << 11 | (reg & 0xfc);
}

static uint32_t get(unsigned int slot, unsigned int reg, unsigned int size)
{
	ports_write(&ports, 0xcf8, address(slot, reg), 4);
	return ports_read(&ports, 0xcfc + (reg & 3), size);
}

static void put(unsigned int slot, unsigned int reg, uint32_t v, unsigned int size)
{
	ports_write(&ports, 0xcf8, address(slot, reg), 4);
	ports_write(&ports, 0xcfc + (reg & 3), v, size);
}

static void the_mechanism_answers(void **state)
{
	(void)state;
	ports_write(&ports, 0xcf8, 0x80000000, 4);
	assert_int_equal(ports_read(&ports, 0xcf8, 4), 0x80000000);
	assert_int_equal(get(0, 0, 4), 0x0d578086);
	assert_int_equal(get(0, PCI_CLASS_DEVICE, 2), 0x0600);
	assert_int_equal(get(1, 0, 4), 0x10421af4);
	assert_int_equal(get(1, PCI_DEVICE_ID, 2), 0x1042);
	assert_int_equal(get(2, 0, 4), 0xffffffff);
	/* Other buses and functions, or not enabled: nobody. */
	ports_write(&ports, 0xcf8, 0x80010800, 4);
	assert_int_equal(ports_read(&ports, 0xcfc, 4), 0xffffffff);
	ports_write(&ports, 0xcf8, 0x80000900, 4);
	assert_int_equal(ports_read(&ports, 0xcfc, 4), 0xffffffff);
	ports_write(&ports, 0xcf8, 0x00000800, 4);
	assert_int_equal(ports_read(&ports, 0xcfc, 4), 0xffffffff);
}

static void accesses_across_a_word_find_nothing(void **state)
{
	(void)state;
	ports_write(&ports, 0xcf8, address(1, 0), 4);
	assert_int_equal(ports_read(&ports, 0xcfd, 4), 0xffffffff);
	assert_int_equal(ports_read(&ports, 0xcff, 2), 0xffff);
	ports_write(&ports, 0xcff, 0xffff, 2);
	assert_int_equal(get(1, 0, 4), 0x10421af4);
}

static void read_only_bits_stay(void **state)
{
	unsigned int reg;
	uint32_t before[64];

	(void)state;
	for (reg = 0; reg < 64; reg++)
		before[reg] = get(0, 4 * reg, 4);
	for (reg = 0; reg < 64; reg++)
		put(0, 4 * reg, 0xffffffff, 4);
	assert_int_equal(get(0, 0, 4), before[0]);
	assert_int_equal(get(0, PCI_CLASS_REVISION, 4), before[2]);
	assert_int_equal(get(0, PCI_BASE_ADDRESS_0, 4), 0);
	put(1, PCI_STATUS, 0xffff, 2);
	assert_int_equal(get(1, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	put(1, PCI_CAPABILITY_LIST, 0xff, 1);
	assert_int_equal(get(1, PCI_CAPABILITY_LIST, 1), PCI_STD_HEADER_SIZEOF);
}

static void bars_tell_their_size_and_keep_their_kind(void **state)
{
	(void)state;
	assert_int_equal(get(1, PCI_BASE_ADDRESS_0, 4), (LAYOUT_PCI_PORTS + 0x100) | 1);
	put(1, PCI_BASE_ADDRESS_0, 0xffffffff, 4);
	assert_int_equal(get(1, PCI_BASE_ADDRESS_0, 4), 0xffffff01);
	put(1, PCI_BASE_ADDRESS_1, 0xffffffff, 4);
	assert_int_equal(get(1, PCI_BASE_ADDRESS_1, 4), 0xfffff000);
	put(1, PCI_BASE_ADDRESS_2, 0xffffffff, 4);
	assert_int_equal(get(1, PCI_BASE_ADDRESS_2, 4), 0);
}

static void a_bar_answers_where_and_when_the_guest_says(void **state)
{
	uint32_t port = LAYOUT_PCI_PORTS + 0x100;
	uint64_t memory = get(1, PCI_BASE_ADDRESS_1, 4);

	(void)state;
	assert_int_equal(ports_read(&ports, port, 4), 0xffffffff);
	assert_int_equal(pci_memory_read(&pci, memory, 4), ~0ULL);
	put(1, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
	assert_true(changes > 0);
	assert_int_equal(ports_read(&ports, port + 0x40, 4), 0x40);
	assert_int_equal(pci_memory_read(&pci, memory + 8, 4), 1 << 16 | 8);
	pci_memory_write(&pci, memory + 16, 0x123456789abcdefULL, 8);
	assert_int_equal(last_offset, 16);
	assert_int_equal(last_value, 0x123456789abcdefULL);
	/* Accesses over the end of it. */
	reads = 0;
	assert_int_equal(ports_read(&ports, port + 0xfe, 4), 0xffffffff);
	assert_int_equal(pci_memory_read(&pci, memory + 4092, 8), ~0ULL);
	assert_int_equal(reads, 0);

	put(1, PCI_BASE_ADDRESS_0, 0x8000, 4);
	assert_int_equal(ports_read(&ports, port, 4), 0xffffffff);
	assert_int_equal(ports_read(&ports, 0x8004, 4), 4);
	/* Out of the window of ports: nowhere. Nor does it shadow what is there. */
	put(1, PCI_BASE_ADDRESS_0, 0x0c00, 4);
	assert_int_equal(ports_read(&ports, 0x0cf8, 4), address(1, PCI_BASE_ADDRESS_0));
	put(1, PCI_BASE_ADDRESS_0, 0xffffff00, 4);
	assert_int_equal(ports_read(&ports, 0xff00, 4), 0xffffffff);
}

static void a_reset_assigns_again(void **state)
{
	(void)state;
	put(1, PCI_BASE_ADDRESS_0, 0x8000, 4);
	put(1, PCI_COMMAND, PCI_COMMAND_IO, 2);
	pci_reset(&pci);
	assert_int_equal(get(1, PCI_BASE_ADDRESS_0, 4), (LAYOUT_PCI_PORTS + 0x100) | 1);
	assert_int_equal(get(1, PCI_COMMAND, 2), 0);
}

static void the_bus_takes_31_devices(void **state)
{
	static struct pci_device more[31];
	unsigned int i;

	(void)state;
	for (i = 0; i < 30; i++) {
		pci_device_init(&more[i], 1, i, 0, 0, 0);
		pci_bar(&more[i], 0, 256, true);
		assert_int_equal(pci_add(&pci, &more[i]), 0);
		assert_int_equal(get(2 + i, PCI_BASE_ADDRESS_0, 4), 0x1200 + 256 * i + 1);
	}
	assert_true(pci_add(&pci, &more[30]) < 0);
}

static void msix_is_off_and_masked_at_first(void **state)
{
	struct irq_message m;

	(void)state;
	assert_int_equal(get(1, msix.capability, 1), PCI_CAP_ID_MSIX);
	assert_int_equal(get(1, msix.capability + 2, 2), 2);
	assert_int_equal(msix_read(&msix, 12, 4), 1);
	assert_false(msix_message(&msix, &device, 0, &m));
	msix_write(&msix, 0, 0xfee00000, 4);
	msix_write(&msix, 4, 0, 4);
	msix_write(&msix, 8, 0x41, 4);
	assert_true(msix_write(&msix, 12, 0, 4));
	assert_false(msix_message(&msix, &device, 0, &m));
	put(1, msix.capability + 2, PCI_MSIX_FLAGS_ENABLE, 2);
	assert_true(msix_message(&msix, &device, 0, &m));
	assert_int_equal(m.address, 0xfee00000);
	assert_int_equal(m.data, 0x41);
	put(1, msix.capability + 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	assert_false(msix_message(&msix, &device, 0, &m));
	assert_int_equal(get(1, msix.capability + 2, 2) & 0x7ff, 2);
}

static void msix_accesses_are_words_within_the_table(void **state)
{
	struct irq_message m;

	(void)state;
	put(1, msix.capability + 2, PCI_MSIX_FLAGS_ENABLE, 2);
	assert_false(msix_write(&msix, 3 * 16, 1, 4));
	assert_false(msix_write(&msix, 1, 1, 4));
	assert_false(msix_write(&msix, 0, 1, 2));
	assert_false(msix_write(&msix, MSIX_PENDING, 1, 4));
	assert_true(msix_write(&msix, 16, 0x1fee00000ULL, 8));
	assert_int_equal(msix_read(&msix, 16, 8), 0x1fee00000ULL);
	assert_int_equal(msix_read(&msix, 4088, 8), 0);
	assert_int_equal(msix_read(&msix, 2, 2), ~0ULL);
	/* Vectors that do not exist, the largest included. */
	assert_false(msix_message(&msix, &device, 3, &m));
	assert_false(msix_message(&msix, &device, 0xffff, &m));
	assert_false(msix_message(&msix, &device, MSIX_MAX, &m));
	/* Reserved bits of the control word do not stick. */
	msix_write(&msix, 12, 0xfffffffe, 4);
	assert_int_equal(msix_read(&msix, 12, 4), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_mechanism_answers),
		TEST(accesses_across_a_word_find_nothing),
		TEST(read_only_bits_stay),
		TEST(bars_tell_their_size_and_keep_their_kind),
		TEST(a_bar_answers_where_and_when_the_guest_says),
		TEST(a_reset_assigns_again),
		TEST(the_bus_takes_31_devices),
		TEST(msix_is_off_and_masked_at_first),
		TEST(msix_accesses_are_words_within_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

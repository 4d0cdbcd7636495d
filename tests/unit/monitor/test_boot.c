/* SPDX-License-Identifier: Apache-2.0 */
/* The boot protocol: headers good and bad, the memory map, and where everything is put. */
#include "machine.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <monitor/boot.h>
#include <monitor/layout.h>

#define MIB (1ULL << 20)
#define SETUP_SECTS 4
#define PAYLOAD 65536u
#define FILE_SIZE (5 * 512 + PAYLOAD)

static uint8_t first[BOOT_HEADER_BYTES];
static char error[BOOT_ERROR_LEN];
static struct boot_kernel kernel;

/* A header as Debian's kernels have it, over a made-up payload. */
static void good(void)
{
	struct setup_header h = {
		.setup_sects = SETUP_SECTS,
		.syssize = PAYLOAD / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = 16 * MIB,
		.init_size = 8 * MIB,
	};

	memset(first, 0, sizeof(first));
	memcpy(first + 0x1f1, &h, sizeof(h));
}

#define CHANGE(member, value) do { \
	typeof(((struct setup_header *)0)->member) v_ = (value); \
	memcpy(first + 0x1f1 + offsetof(struct setup_header, member), &v_, sizeof(v_)); \
} while (0)

static void refused(uint64_t size, const char *why)
{
	assert_int_equal(boot_header(first, size, &kernel, error), -EINVAL);
	if (!strstr(error, why))
		fail_msg("'%s' does not say '%s'", error, why);
}

static void a_good_header_is_understood(void **state)
{
	(void)state;
	good();
	assert_int_equal(boot_header(first, FILE_SIZE, &kernel, error), 0);
	assert_int_equal(kernel.payload_offset, 5 * 512);
	assert_int_equal(kernel.payload_size, PAYLOAD);
	assert_int_equal(kernel.address, 16 * MIB);
	assert_int_equal(kernel.init_size, 8 * MIB);
	assert_int_equal(kernel.header.cmdline_size, 2047);
}

static void zero_setup_sectors_mean_four(void **state)
{
	(void)state;
	good();
	CHANGE(setup_sects, 0);
	assert_int_equal(boot_header(first, FILE_SIZE, &kernel, error), 0);
	assert_int_equal(kernel.payload_offset, 5 * 512);
}

static void the_last_unit_may_be_incomplete(void **state)
{
	(void)state;
	good();
	assert_int_equal(boot_header(first, FILE_SIZE - 15, &kernel, error), 0);
	assert_int_equal(kernel.payload_size, PAYLOAD - 15);
	refused(FILE_SIZE - 16, "cut short");
}

static void what_is_no_kernel_is_refused(void **state)
{
	(void)state;
	good();
	refused(0, "not a bzImage");
	refused(600, "not a bzImage");
	first[0x1fe] = 0;
	refused(FILE_SIZE, "not a bzImage");
	good();
	CHANGE(header, 0);
	refused(FILE_SIZE, "no Linux setup header");
	memset(first, 0xff, sizeof(first));
	refused(FILE_SIZE, "not a bzImage");
}

static void old_and_32_bit_kernels_are_refused(void **state)
{
	(void)state;
	good();
	CHANGE(version, 0x020b);
	refused(FILE_SIZE, "boot protocol 2.11; 2.12 (Linux 3.8) or later");
	good();
	CHANGE(xloadflags, 0);
	refused(FILE_SIZE, "not an x86-64 kernel");
	good();
	CHANGE(loadflags, 0);
	refused(FILE_SIZE, "zImage");
}

static void contradictions_are_refused(void **state)
{
	(void)state;
	good();
	CHANGE(syssize, 0);
	refused(FILE_SIZE, "empty");
	good();
	CHANGE(syssize, 0xffffffff);
	refused(FILE_SIZE, "cut short");
	good();
	CHANGE(setup_sects, 255);
	refused(FILE_SIZE, "cut short");
	good();
	CHANGE(init_size, 4096);
	refused(FILE_SIZE, "contradicts itself");
	good();
	CHANGE(pref_address, 0x1000);
	refused(FILE_SIZE, "no memory can be");
	good();
	CHANGE(pref_address, UINT64_MAX);
	refused(FILE_SIZE, "no memory can be");
	good();
	CHANGE(kernel_alignment, 0x300000);
	refused(FILE_SIZE, "not a power of two");
}

/* Whatever the bytes are, the answer is a refusal or numbers that fit the file. */
static void random_headers_do_no_harm(void **state)
{
	unsigned int i, j;

	(void)state;
	srand(1);
	for (i = 0; i < 100000; i++) {
		uint64_t size = rand() % (2 * FILE_SIZE);

		good();
		for (j = rand() % 8; j; j--)
			first[0x1f1 + rand() % 0x80] = rand();
		if (boot_header(first, size, &kernel, error))
			continue;
		assert_true(kernel.payload_offset < size);
		assert_true(kernel.payload_size <= size - kernel.payload_offset);
		assert_true(kernel.payload_size <= kernel.init_size);
		assert_true(kernel.address >= LAYOUT_KERNEL_MIN);
	}
}

static void an_initrd_goes_as_high_as_it_may(void **state)
{
	uint64_t at;

	(void)state;
	good();
	assert_int_equal(boot_header(first, FILE_SIZE, &kernel, error), 0);
	assert_int_equal(boot_initrd_place(&kernel, MIB, 256 * MIB, &at, error), 0);
	assert_int_equal(at, 255 * MIB);
	/* Its limit counts, not the memory's end. */
	assert_int_equal(boot_initrd_place(&kernel, MIB, 3072 * MIB, &at, error), 0);
	assert_int_equal(at, 2047 * MIB);
	/* Whole pages. */
	assert_int_equal(boot_initrd_place(&kernel, 1, 256 * MIB, &at, error), 0);
	assert_int_equal(at, 256 * MIB - 4096);
}

static void an_initrd_never_meets_the_kernel(void **state)
{
	uint64_t at;

	(void)state;
	good();
	assert_int_equal(boot_header(first, FILE_SIZE, &kernel, error), 0);
	assert_int_equal(boot_initrd_place(&kernel, 8 * MIB, 32 * MIB, &at, error), 0);
	assert_int_equal(at, 24 * MIB);
	assert_int_equal(boot_initrd_place(&kernel, 8 * MIB + 1, 32 * MIB, &at, error), -EINVAL);
	assert_non_null(strstr(error, "initrd is too large for the memory"));
	assert_int_equal(boot_initrd_place(&kernel, 1, 16 * MIB, &at, error), -EINVAL);
	assert_int_equal(boot_initrd_place(&kernel, UINT64_MAX - 100, 256 * MIB, &at, error),
			 -EINVAL);
}

static void the_memory_map_has_low_and_high_memory(void **state)
{
	struct memory m = {
		.count = 2,
		.block = { { .gpa = 0, .length = 1024 * MIB },
			   { .gpa = 4096 * MIB, .length = 512 * MIB } },
	};
	struct boot_e820_entry e[E820_MAX_ENTRIES_ZEROPAGE];
	uint64_t ram = 0, end = 0;
	unsigned int i, n = boot_e820(&m, e);

	(void)state;
	assert_int_equal(n, 4);
	for (i = 0; i < n; i++) {
		assert_true(e[i].addr >= end);
		end = e[i].addr + e[i].size;
		if (e[i].type == 1)
			ram += e[i].size;
	}
	assert_int_equal(end, 4608 * MIB);
	/* All but the 384 KiB of old adapters and firmware. */
	assert_int_equal(ram, 1536 * MIB - (0x100000 - 0xa0000));
	assert_int_equal(e[1].type, 2);
	assert_int_equal(e[1].addr, LAYOUT_ACPI);
}

static void wrong_memory_is_refused(void **state)
{
	struct memory m = { .count = 1, .block = { { .gpa = 0, .length = 64 * MIB } } };

	(void)state;
	assert_int_equal(memory_check(&m, error, sizeof(error)), 0);
	m.count = 0;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	m.count = 1;
	m.block[0].length = MIB;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	m.block[0].length = 64 * MIB + 1;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	m.block[0].length = 3072 * MIB + 4096;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "hole"));
	m.block[0].length = 3072 * MIB;
	m.block[1] = (struct memory_block){ .gpa = 3072 * MIB, .length = MIB };
	m.count = 2;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	m.block[1].gpa = 4096 * MIB;
	assert_int_equal(memory_check(&m, error, sizeof(error)), 0);
	m.block[1].gpa = UINT64_MAX - 4095;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
	m.block[1].gpa = 0;
	assert_int_equal(memory_check(&m, error, sizeof(error)), -EINVAL);
}

static void an_address_is_within_one_block_or_nowhere(void **state)
{
	static uint8_t a[8192], b[4096];
	struct memory m = {
		.count = 2,
		.block = { { .gpa = 0, .length = 8192, .base = a },
			   { .gpa = 8192, .length = 4096, .base = b } },
	};

	(void)state;
	assert_ptr_equal(memory_at(&m, 0, 8192), a);
	assert_ptr_equal(memory_at(&m, 8191, 1), a + 8191);
	assert_ptr_equal(memory_at(&m, 8192, 4096), b);
	assert_null(memory_at(&m, 8191, 2));
	assert_null(memory_at(&m, 12288, 0));
	assert_null(memory_at(&m, 4096, UINT64_MAX));
	assert_null(memory_at(&m, UINT64_MAX, 1));
}

static int file_of(const void *bytes, size_t n, off_t size)
{
	int fd = memfd_create("file", 0);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, 0), n);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static struct memory *guest_memory(uint64_t size)
{
	static struct memory m;

	m = (struct memory){ .count = 1, .block = { { .fd = -1, .length = size } } };
	m.block[0].base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(m.block[0].base, MAP_FAILED);
	return &m;
}

static void a_kernel_is_loaded_as_the_protocol_says(void **state)
{
	struct memory *m = guest_memory(64 * MIB);
	const struct boot_params *p = memory_at(m, LAYOUT_BOOT_PARAMS, sizeof(*p));
	struct boot_files files = { .cmdline = "console=ttyS0 quiet" };
	struct boot_entry entry;
	uint8_t mark = 0x5a;
	uint64_t *pd;

	(void)state;
	good();
	files.kernel = file_of(first, sizeof(first), FILE_SIZE);
	assert_int_equal(pwrite(files.kernel, &mark, 1, FILE_SIZE - 1), 1);
	files.initrd = file_of("initrd", 6, 5000);
	assert_int_equal(boot_load(&files, m, &entry, error), 0);

	assert_int_equal(entry.rip, 16 * MIB + 0x200);
	assert_int_equal(entry.boot_params, LAYOUT_BOOT_PARAMS);
	assert_int_equal(*(uint8_t *)memory_at(m, 16 * MIB + PAYLOAD - 1, 1), mark);
	assert_int_equal(p->hdr.type_of_loader, 0xff);
	assert_int_equal(p->hdr.ramdisk_size, 5000);
	assert_memory_equal(memory_at(m, p->hdr.ramdisk_image, 6), "initrd", 6);
	assert_string_equal(memory_at(m, p->hdr.cmd_line_ptr, 32), files.cmdline);
	assert_int_equal(p->acpi_rsdp_addr, LAYOUT_ACPI);
	assert_int_equal(p->e820_entries, 3);
	/* The identity map reaches the last page below 4 GiB. */
	pd = memory_at(m, LAYOUT_PAGE_TABLES + 5 * 4096, 4096);
	assert_int_equal(pd[511], 0xffe00083);
	munmap(m->block[0].base, 64 * MIB);
	close(files.kernel);
	close(files.initrd);
}

static void what_does_not_fit_is_not_loaded(void **state)
{
	struct memory *m = guest_memory(64 * MIB);
	struct boot_files files = { .cmdline = "", .initrd = -1 };
	char text[3000];
	struct boot_entry entry;

	(void)state;
	good();
	files.kernel = file_of(first, sizeof(first), FILE_SIZE);
	m->block[0].length = 20 * MIB;
	assert_int_equal(boot_load(&files, m, &entry, error), -EINVAL);
	assert_string_equal(error,
			    "the memory is too small for the kernel: it needs 24 MiB and the "
			    "first block has 20 MiB; give the partition more memory");
	m->block[0].length = 64 * MIB;
	memset(text, 'x', sizeof(text));
	text[2999] = '\0';
	files.cmdline = text;
	assert_int_equal(boot_load(&files, m, &entry, error), -EINVAL);
	assert_non_null(strstr(error, "2999 characters; this kernel takes 2047"));
	files.cmdline = "";
	files.initrd = file_of("", 0, 0);
	assert_int_equal(boot_load(&files, m, &entry, error), -EINVAL);
	assert_string_equal(error, "the initrd is empty");
	close(files.initrd);
	close(files.kernel);
	files.kernel = 999;
	assert_int_equal(boot_load(&files, m, &entry, error), -EBADF);
	munmap(m->block[0].base, 64 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_header_is_understood),
		cmocka_unit_test(zero_setup_sectors_mean_four),
		cmocka_unit_test(the_last_unit_may_be_incomplete),
		cmocka_unit_test(what_is_no_kernel_is_refused),
		cmocka_unit_test(old_and_32_bit_kernels_are_refused),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(random_headers_do_no_harm),
		cmocka_unit_test(an_initrd_goes_as_high_as_it_may),
		cmocka_unit_test(an_initrd_never_meets_the_kernel),
		cmocka_unit_test(the_memory_map_has_low_and_high_memory),
		cmocka_unit_test(wrong_memory_is_refused),
		cmocka_unit_test(an_address_is_within_one_block_or_nowhere),
		cmocka_unit_test(a_kernel_is_loaded_as_the_protocol_says),
		cmocka_unit_test(what_does_not_fit_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

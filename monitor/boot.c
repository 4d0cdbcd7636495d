/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux x86 boot protocol, 64-bit entry; field names and offsets are those of boot.rst. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/kvm.h>

#include "boot.h"
#include "layout.h"

#define HEADER_START	0x1f1
#define ENTRY_64	0x200		/* startup_64, from the load address */
#define PROTOCOL_MIN	0x020c		/* the first with xloadflags */
#define GIB		(1ULL << 30)

static int refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, BOOT_ERROR_LEN, format, args);
	va_end(args);
	return -EINVAL;
}

int boot_header(const uint8_t *first, uint64_t file_size, struct boot_kernel *out, char *error)
{
	struct setup_header *h = &out->header;
	unsigned int length, sectors;

	memset(out, 0, sizeof(*out));
	if (file_size < HEADER_START + sizeof(*h))
		return refuse(error, "the kernel is not a bzImage: the file has only %llu bytes",
			      (unsigned long long)file_size);
	if (first[0x1fe] != 0x55 || first[0x1ff] != 0xaa || memcmp(first + 0x202, "HdrS", 4))
		return refuse(error, "the kernel is not a bzImage: it has no Linux setup header "
			      "(give the vmlinuz file that the distribution installs)");
	/* The jump at 0x200 leads past the header: its operand is the header's length. */
	length = 0x202 + first[0x201] - HEADER_START;
	if (length > sizeof(*h))
		length = sizeof(*h);
	memcpy(h, first + HEADER_START, length);
	if (h->version < PROTOCOL_MIN)
		return refuse(error,
			      "the kernel speaks boot protocol %u.%02u; 2.12 (Linux 3.8) or later "
			      "is needed",
			      h->version >> 8, h->version & 0xff);
	if (!(h->xloadflags & XLF_KERNEL_64))
		return refuse(error,
			      "the kernel has no 64-bit entry point: it is not an x86-64 kernel");
	if (!(h->loadflags & LOADED_HIGH))
		return refuse(error, "the kernel is a zImage, not a bzImage");
	sectors = h->setup_sects ? h->setup_sects : 4;
	out->payload_offset = (sectors + 1) * 512;
	out->payload_size = (uint64_t)h->syssize * 16;
	if (out->payload_size <= ENTRY_64)
		return refuse(error, "the kernel's header says that it is empty (syssize %u)",
			      h->syssize);
	/* syssize counts 16-byte units: the last one may be incomplete. */
	if (file_size < out->payload_offset + out->payload_size - 15)
		return refuse(error,
			      "the kernel file is cut short: %llu bytes, its header says %llu",
			      (unsigned long long)file_size,
			      (unsigned long long)(out->payload_offset + out->payload_size));
	if (out->payload_size > file_size - out->payload_offset)
		out->payload_size = file_size - out->payload_offset;
	if (h->init_size < out->payload_size)
		return refuse(error,
			      "the kernel's header contradicts itself: init_size %u is less than "
			      "its payload of %llu",
			      h->init_size, (unsigned long long)out->payload_size);
	out->init_size = h->init_size;
	out->address = h->pref_address;
	if (out->address < LAYOUT_KERNEL_MIN || out->address >= LAYOUT_PCI_MEMORY)
		return refuse(error,
			      "the kernel wants to be loaded at %#llx, where no memory can be",
			      (unsigned long long)out->address);
	if (h->kernel_alignment && (h->kernel_alignment & (h->kernel_alignment - 1)))
		return refuse(error, "the kernel's alignment %#x is not a power of two",
			      h->kernel_alignment);
	return 0;
}

int boot_initrd_place(const struct boot_kernel *k, uint64_t size, uint64_t low_memory,
		      uint64_t *address, char *error)
{
	uint64_t top = (uint64_t)k->header.initrd_addr_max + 1;
	uint64_t bottom = (k->address + k->init_size + 4095) & ~4095ULL;

	if (top > low_memory)
		top = low_memory;
	if (bottom > top || size > top - bottom)
		return refuse(error,
			      "the initrd is too large for the memory: it has %llu KiB, beside the "
			      "kernel there is room for %llu KiB; give the partition more memory",
			      (unsigned long long)(size + 1023) / 1024,
			      (unsigned long long)(bottom > top ? 0 : top - bottom) / 1024);
	*address = (top - size) & ~4095ULL;
	return 0;
}

unsigned int boot_e820(const struct memory *m, struct boot_e820_entry *table)
{
	enum { RAM = 1, RESERVED = 2 };
	unsigned int n = 0, i;

	table[n++] = (struct boot_e820_entry){ 0, LAYOUT_LOW_END, RAM };
	table[n++] = (struct boot_e820_entry){LAYOUT_ACPI, LAYOUT_ACPI_END - LAYOUT_ACPI, RESERVED};
	table[n++] = (struct boot_e820_entry){ LAYOUT_KERNEL_MIN,
					       m->block[0].length - LAYOUT_KERNEL_MIN, RAM };
	for (i = 1; i < m->count; i++)
		table[n++] = (struct boot_e820_entry){ m->block[i].gpa, m->block[i].length, RAM };
	return n;
}

/* Reads [offset, offset + size) of a file to guest memory, which starts a page. */
static int read_at(int fd, uint64_t offset, uint8_t *to, uint64_t size)
{
	/* All pages at once, instead of one fault each. A kernel that cannot only takes longer. */
	madvise(to, (size + 4095) & ~4095ULL, MADV_POPULATE_WRITE);
	while (size) {
		ssize_t r = pread(fd, to, size > GIB ? GIB : size, offset);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ENODATA;
		to += r;
		offset += r;
		size -= r;
	}
	return 0;
}

static int load_kernel(int fd, const struct memory *m, struct boot_kernel *k, char *error)
{
	uint8_t first[BOOT_HEADER_BYTES] = { 0 };
	struct stat st;
	ssize_t r;
	void *to;
	int rc;

	if (fstat(fd, &st) < 0 || (r = pread(fd, first, sizeof(first), 0)) < 0) {
		rc = -errno;
		refuse(error, "the kernel cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = boot_header(first, r < (ssize_t)sizeof(first) ? r : st.st_size, k, error);
	if (rc)
		return rc;
	to = memory_at(m, k->address, k->init_size);
	if (!to)
		return refuse(error,
			      "the memory is too small for the kernel: it needs %llu MiB and the "
			      "first block has %llu MiB; give the partition more memory",
			      (unsigned long long)(k->address + k->init_size + (1 << 20) - 1) >> 20,
			      (unsigned long long)m->block[0].length >> 20);
	rc = read_at(fd, k->payload_offset, to, k->payload_size);
	if (rc)
		refuse(error, "the kernel cannot be read: %s", strerror(-rc));
	return rc;
}

static int load_initrd(int fd, const struct memory *m, const struct boot_kernel *k,
		       uint64_t *address, uint64_t *size, char *error)
{
	struct stat st;
	int rc;

	*address = *size = 0;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0) {
		rc = -errno;
		refuse(error, "the initrd cannot be read: %s", strerror(-rc));
		return rc;
	}
	if (st.st_size <= 0)
		return refuse(error, "the initrd is empty");
	rc = boot_initrd_place(k, st.st_size, m->block[0].length, address, error);
	if (rc)
		return rc;
	*size = st.st_size;
	rc = read_at(fd, 0, memory_at(m, *address, *size), *size);
	if (rc)
		refuse(error, "the initrd cannot be read: %s", strerror(-rc));
	return rc;
}

/* The identity map of the first 4 GiB, as the 64-bit entry point requires. */
static void page_tables(const struct memory *m)
{
	uint64_t *pml4 = memory_at(m, LAYOUT_PAGE_TABLES, 6 * 4096);
	uint64_t *pdpt = pml4 + 512, *pd = pml4 + 1024;
	unsigned int i;

	memset(pml4, 0, 2 * 4096);
	pml4[0] = (LAYOUT_PAGE_TABLES + 4096) | 3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (LAYOUT_PAGE_TABLES + (2 + i) * 4096) | 3;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = (uint64_t)i << 21 | 0x83;	/* present, writable, 2 MiB */
}

/* __BOOT_CS is selector 0x10 and __BOOT_DS 0x18. */
static void descriptors(const struct memory *m)
{
	static const uint64_t gdt[4] = { 0, 0, 0x00af9b000000ffffULL, 0x00cf93000000ffffULL };

	memcpy(memory_at(m, LAYOUT_GDT, sizeof(gdt)), gdt, sizeof(gdt));
}

int boot_load(const struct boot_files *files, const struct memory *m, struct boot_entry *entry,
	      char *error)
{
	uint64_t initrd, initrd_size, length = strlen(files->cmdline), most;
	struct boot_params *p = memory_at(m, LAYOUT_BOOT_PARAMS, sizeof(*p));
	struct boot_kernel k;
	int rc;

	rc = load_kernel(files->kernel, m, &k, error);
	if (rc)
		return rc;
	most = k.header.cmdline_size;
	if (most > LAYOUT_CMDLINE_SIZE - 1)
		most = LAYOUT_CMDLINE_SIZE - 1;
	if (length > most)
		return refuse(error,
			      "the kernel's command line has %llu characters; this kernel takes "
			      "%llu",
			      (unsigned long long)length, (unsigned long long)most);
	rc = load_initrd(files->initrd, m, &k, &initrd, &initrd_size, error);
	if (rc)
		return rc;

	memcpy(memory_at(m, LAYOUT_CMDLINE, length + 1), files->cmdline, length + 1);
	page_tables(m);
	descriptors(m);
	memset(p, 0, sizeof(*p));
	p->hdr = k.header;
	p->hdr.type_of_loader = 0xff;		/* no registered loader */
	p->hdr.vid_mode = 0xffff;		/* normal */
	p->hdr.code32_start = k.address;
	p->hdr.cmd_line_ptr = LAYOUT_CMDLINE;
	p->hdr.ramdisk_image = initrd;
	p->hdr.ramdisk_size = initrd_size;
	p->ext_ramdisk_size = initrd_size >> 32;
	p->hdr.setup_data = 0;
	p->acpi_rsdp_addr = LAYOUT_ACPI;
	p->e820_entries = boot_e820(m, p->e820_table);
	entry->rip = k.address + ENTRY_64;
	entry->boot_params = LAYOUT_BOOT_PARAMS;
	return 0;
}

static struct kvm_segment segment(uint16_t selector, uint8_t type)
{
	bool code = type & 8;

	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = type, .present = 1, .s = 1,
		.l = code, .db = !code, .g = 1,
	};
}

void boot_registers(const struct boot_entry *entry, struct kvm_sregs *sregs, struct kvm_regs *regs)
{
	sregs->cs = segment(0x10, 0xb);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = segment(0x18, 0x3);
	sregs->gdt.base = LAYOUT_GDT;
	sregs->gdt.limit = 4 * 8 - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
	sregs->cr3 = LAYOUT_PAGE_TABLES;
	sregs->cr4 = 1 << 5;				/* PAE */
	sregs->cr0 = 1U << 31 | 1 << 4 | 1 << 1 | 1;	/* PG, ET, MP, PE */
	sregs->efer = 1 << 8 | 1 << 10;			/* LME, LMA */
	*regs = (struct kvm_regs){
		.rip = entry->rip, .rsi = entry->boot_params, .rflags = 2,
	};
}

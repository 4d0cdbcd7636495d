/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading Linux by its x86 boot protocol, 64-bit entry (Documentation/x86/boot.rst). The image is
 * whatever file a user named: every field of its header is checked before it is used, and each
 * refusal says what is wrong with the file.
 */
#ifndef MONITOR_BOOT_H
#define MONITOR_BOOT_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

#include "memory.h"

#define BOOT_ERROR_LEN 256
#define BOOT_HEADER_BYTES 1024	/* of the image: the setup header ends before */

struct boot_files {
	int kernel;
	int initrd;		/* -1: none */
	const char *cmdline;
};

/* What the header says, checked. */
struct boot_kernel {
	struct setup_header header;
	uint64_t payload_offset;	/* in the file */
	uint64_t payload_size;
	uint64_t address;		/* where the payload goes */
	uint64_t init_size;		/* memory that the kernel uses from there on */
};

/* The first vCPU's start, everything else being as boot_vcpu makes it. */
struct boot_entry {
	uint64_t rip, boot_params;
};

/* first: the image's first BOOT_HEADER_BYTES, zero-padded. file_size: the whole file's. */
int boot_header(const uint8_t *first, uint64_t file_size, struct boot_kernel *out, char *error);

/* Where an initrd of size bytes goes: as high as the kernel allows, above the kernel itself. */
int boot_initrd_place(const struct boot_kernel *k, uint64_t size, uint64_t low_memory,
		      uint64_t *address, char *error);

/* The memory map of the guest; returns the number of entries. table: E820_MAX_ENTRIES_ZEROPAGE. */
unsigned int boot_e820(const struct memory *m, struct boot_e820_entry *table);

/* Loads everything; error (BOOT_ERROR_LEN bytes) is set with any result but 0. */
int boot_load(const struct boot_files *files, const struct memory *m, struct boot_entry *entry,
	      char *error);

/* The registers of the 64-bit entry point. */
struct kvm_sregs;
struct kvm_regs;
void boot_registers(const struct boot_entry *entry, struct kvm_sregs *sregs, struct kvm_regs *regs);

#endif

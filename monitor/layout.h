/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything lies in a guest's physical memory and port space. docs/uvmonitor.md draws it;
 * dsdt.asl repeats the windows and the port of COM1, because AML cannot include a C header.
 */
#ifndef MONITOR_LAYOUT_H
#define MONITOR_LAYOUT_H

/* Below 640 KiB: what the boot protocol wants handed over. Ordinary memory once Linux runs. */
#define LAYOUT_GDT		0x500ULL
#define LAYOUT_BOOT_PARAMS	0x7000ULL
#define LAYOUT_PAGE_TABLES	0x9000ULL	/* six pages: PML4, PDPT, four page directories */
#define LAYOUT_CMDLINE		0x20000ULL
#define LAYOUT_CMDLINE_SIZE	0x10000ULL	/* with its terminating zero */
#define LAYOUT_LOW_END		0xa0000ULL

/* The firmware's area: ACPI tables, found by the RSDP's signature or by boot_params. */
#define LAYOUT_ACPI		0xe0000ULL
#define LAYOUT_ACPI_END		0x100000ULL
#define LAYOUT_KERNEL_MIN	0x100000ULL

/* The hole between the memory blocks. */
#define LAYOUT_PCI_MEMORY	0xc0000000ULL
#define LAYOUT_PCI_MEMORY_END	0xfec00000ULL
#define LAYOUT_IOAPIC		0xfec00000ULL
#define LAYOUT_LAPIC		0xfee00000ULL
#define LAYOUT_IDENTITY_MAP	0xfffbc000ULL	/* one page that VMX needs for real mode */
#define LAYOUT_TSS		0xfffbd000ULL	/* three pages, likewise */

/* Ports. */
#define LAYOUT_PORT_CMOS	0x70
#define LAYOUT_PORT_KEYBOARD	0x64
#define LAYOUT_PORT_SERIAL	0x3f8
#define LAYOUT_PORT_PM		0x600
#define LAYOUT_PORT_PCI		0xcf8
#define LAYOUT_PORT_RESET	0xcf9
#define LAYOUT_PCI_PORTS	0x1000
#define LAYOUT_PCI_PORTS_END	0x10000

/* Interrupts of the ISA world; message interrupts have numbers from LAYOUT_GSI_MSI on. */
#define LAYOUT_IRQ_SERIAL	4
#define LAYOUT_IRQ_SCI		9
#define LAYOUT_GSI_MSI		24

#endif

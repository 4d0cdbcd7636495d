/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's ACPI tables (ACPI 6.4): RSDP, XSDT, FADT, FACS, MADT and a fixed DSDT. They make an
 * ordinary, not a hardware-reduced machine, because its power button and soft-off are what every
 * operating system handles without a driver.
 */
#ifndef MONITOR_ACPI_H
#define MONITOR_ACPI_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes the tables for a machine with vcpus processors to area, which the guest will see at gpa;
 * the RSDP comes first. Returns the bytes used, or 0 if size is too small.
 */
size_t acpi_build(uint8_t *area, size_t size, uint64_t gpa, unsigned int vcpus);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI tables, field by field as chapter 5.2 of the specification lists them. */
#include <string.h>

#include "acpi.h"
#include "dsdt.h"
#include "layout.h"
#include "pm.h"

#define PACKED __attribute__((packed))

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} PACKED;

struct rsdp {
	char signature[8];
	uint8_t checksum;		/* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} PACKED;

struct address {			/* generic address structure, 5.2.3.2 */
	uint8_t space, bit_width, bit_offset, access_size;
	uint64_t address;
} PACKED;

#define SPACE_PORTS 1

struct fadt {				/* 5.2.9, revision 5 */
	struct header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, preferred_profile;
	uint16_t sci_interrupt;
	uint32_t smi_command;		/* 0: ACPI is always on */
	uint8_t acpi_enable, acpi_disable, s4_request, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
	uint8_t gpe0_length, gpe1_length, gpe1_base, cst_control;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_architecture;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset_register;
	uint8_t reset_value;
	uint16_t arm_boot_architecture;
	uint8_t minor_revision;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct address x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
	struct address sleep_control, sleep_status;
} PACKED;

_Static_assert(sizeof(struct fadt) == 268, "FADT revision 5");

#define FADT_WBINVD		(1U << 0)
#define FADT_PROC_C1		(1U << 2)
#define FADT_NO_SLEEP_BUTTON	(1U << 5)
#define FADT_NO_RTC_WAKE	(1U << 6)
#define FADT_RESET_REGISTER	(1U << 10)
#define BOOT_LEGACY_DEVICES	(1U << 0)	/* COM1; bit 1, a keyboard controller: no */
#define BOOT_NO_VGA		(1U << 2)
#define NO_C_STATE		0xffff

struct facs {				/* 5.2.10 */
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} PACKED;

_Static_assert(sizeof(struct facs) == 64, "FACS");

struct madt {				/* 5.2.12 */
	struct header header;
	uint32_t local_apic;
	uint32_t flags;
} PACKED;

#define MADT_DUAL_8259 1

struct madt_local_apic {
	uint8_t type, length, processor_uid, apic_id;
	uint32_t flags;
} PACKED;

struct madt_io_apic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

struct madt_nmi {
	uint8_t type, length, processor_uid;
	uint16_t flags;
	uint8_t lint;
} PACKED;

#define LEVEL_ACTIVE_HIGH 0x000d

struct build {
	uint8_t *area;
	size_t size, used;
	uint64_t gpa;
};

static void *take(struct build *b, size_t length, size_t align)
{
	size_t at = (b->used + align - 1) & ~(align - 1);

	if (at > b->size || length > b->size - at)
		return NULL;
	b->used = at + length;
	memset(b->area + at, 0, length);
	return b->area + at;
}

static uint64_t gpa_of(const struct build *b, const void *p)
{
	return b->gpa + ((const uint8_t *)p - b->area);
}

static uint8_t checksum(const void *p, size_t n)
{
	const uint8_t *byte = p;
	uint8_t sum = 0;

	while (n--)
		sum += *byte++;
	return -sum;
}

static void head(struct header *h, const char *signature, uint8_t revision, uint32_t length)
{
	memcpy(h->signature, signature, 4);
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "ULTRAV", 6);
	memcpy(h->oem_table_id, "UVMON   ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "ULTR", 4);
	h->creator_revision = 1;
}

static void seal(struct header *h)
{
	h->checksum = 0;
	h->checksum = checksum(h, h->length);
}

static struct address ports(uint16_t port, unsigned int bytes)
{
	return (struct address){ SPACE_PORTS, 8 * bytes, 0, bytes > 2 ? 3 : bytes, port };
}

static struct fadt *add_fadt(struct build *b, const struct facs *facs, const void *dsdt)
{
	struct fadt *f = take(b, sizeof(*f), 8);

	if (!f)
		return NULL;
	head(&f->header, "FACP", 5, sizeof(*f));
	f->facs = gpa_of(b, facs);
	f->dsdt = gpa_of(b, dsdt);
	f->x_dsdt = f->dsdt;		/* x_facs stays 0: only one of the two may be set */
	f->sci_interrupt = LAYOUT_IRQ_SCI;
	f->pm1a_event = LAYOUT_PORT_PM + PM_EVENT_OFFSET;
	f->pm1_event_length = 4;
	f->pm1a_control = LAYOUT_PORT_PM + PM_CONTROL_OFFSET;
	f->pm1_control_length = 2;
	f->x_pm1a_event = ports(f->pm1a_event, 4);
	f->x_pm1a_control = ports(f->pm1a_control, 2);
	f->c2_latency = f->c3_latency = NO_C_STATE;
	f->century = 0x32;
	f->boot_architecture = BOOT_LEGACY_DEVICES | BOOT_NO_VGA;
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE |
		   FADT_RESET_REGISTER;
	f->reset_register = ports(LAYOUT_PORT_RESET, 1);
	f->reset_value = PM_RESET_VALUE;
	seal(&f->header);
	return f;
}

static struct madt *add_madt(struct build *b, unsigned int vcpus)
{
	size_t length = sizeof(struct madt) + vcpus * sizeof(struct madt_local_apic) +
			sizeof(struct madt_io_apic) + sizeof(struct madt_override) +
			sizeof(struct madt_nmi);
	struct madt *m = take(b, length, 8);
	struct madt_local_apic *cpu = (void *)(m + 1);
	struct madt_override *sci;
	struct madt_io_apic *io;
	unsigned int i;

	if (!m)
		return NULL;
	head(&m->header, "APIC", 4, length);
	m->local_apic = LAYOUT_LAPIC;
	m->flags = MADT_DUAL_8259;
	for (i = 0; i < vcpus; i++)
		*cpu++ = (struct madt_local_apic){ 0, sizeof(*cpu), i, i, 1 };
	io = (void *)cpu;
	*io = (struct madt_io_apic){ 1, sizeof(*io), 0, 0, LAYOUT_IOAPIC, 0 };
	sci = (void *)(io + 1);
	*sci = (struct madt_override){ 2, sizeof(*sci), 0, LAYOUT_IRQ_SCI, LAYOUT_IRQ_SCI,
				       LEVEL_ACTIVE_HIGH };
	*(struct madt_nmi *)(sci + 1) = (struct madt_nmi){ 4, sizeof(struct madt_nmi), 0xff, 0, 1 };
	seal(&m->header);
	return m;
}

size_t acpi_build(uint8_t *area, size_t size, uint64_t gpa, unsigned int vcpus)
{
	struct build b = { .area = area, .size = size, .gpa = gpa };
	struct { struct header header; uint64_t entry[2]; } PACKED *xsdt;
	struct rsdp *rsdp = take(&b, sizeof(*rsdp), 16);
	struct facs *facs = take(&b, sizeof(*facs), 64);
	void *dsdt = take(&b, sizeof(dsdt_aml_code), 8);
	struct fadt *fadt;
	struct madt *madt;

	if (!rsdp || !facs || !dsdt)
		return 0;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 2;
	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	fadt = add_fadt(&b, facs, dsdt);
	madt = add_madt(&b, vcpus);
	xsdt = take(&b, sizeof(*xsdt), 8);
	if (!fadt || !madt || !xsdt)
		return 0;
	head(&xsdt->header, "XSDT", 1, sizeof(*xsdt));
	xsdt->entry[0] = gpa_of(&b, fadt);
	xsdt->entry[1] = gpa_of(&b, madt);
	seal(&xsdt->header);

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "ULTRAV", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = gpa_of(&b, xsdt);
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
	return b.used;
}

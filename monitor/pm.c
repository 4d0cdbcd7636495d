/* SPDX-License-Identifier: Apache-2.0 */
/* PM1a and the two ways of x86 to ask for a reset: port 0xcf9 and the keyboard controller. */

#include "layout.h"
#include "pm.h"

#define PWRBTN		(1 << 8)	/* in status and enable */
/* Events that may be enabled, also those that never happen here: drivers check that it worked. */
#define ENABLE_BITS	(PWRBTN | 1 << 10 | 1 << 9 | 1 << 5 | 1)
#define SCI_EN		(1 << 0)
#define SLP_TYP(c)	((c) >> 10 & 7)
#define SLP_EN		(1 << 13)

static void sci(struct pm *pm)
{
	irq_line(pm->irq, LAYOUT_IRQ_SCI, pm->status & pm->enable);
}

static uint32_t read_event(const struct pm *pm)
{
	return pm->status | (uint32_t)pm->enable << 16;
}

static uint32_t pm_read(void *opaque, uint16_t offset, unsigned int size)
{
	struct pm *pm = opaque;
	uint64_t all = read_event(pm) | (uint64_t)(pm->control | SCI_EN) << 32;

	return offset + size <= PM_PORTS ? all >> 8 * offset : ports_nothing(size);
}

static void write_byte(struct pm *pm, unsigned int offset, uint8_t v)
{
	switch (offset) {
	case 0:
	case 1:
		pm->status &= ~(v << 8 * offset);	/* a one clears */
		break;
	case 2:
	case 3:
		pm->enable &= ~(0xff << 8 * (offset - 2));
		pm->enable |= v << 8 * (offset - 2);
		pm->enable &= ENABLE_BITS;
		break;
	case 4:
	case 5:
		pm->control &= ~(0xff << 8 * (offset - 4));
		pm->control |= v << 8 * (offset - 4);
		break;
	}
}

static void pm_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct pm *pm = opaque;
	unsigned int i;

	for (i = 0; i < size; i++)
		write_byte(pm, offset + i, value >> 8 * i);
	if (offset < PM_CONTROL_OFFSET)
		sci(pm);
	if (pm->control & SLP_EN) {
		pm->control &= ~SLP_EN;		/* reads as zero */
		if (SLP_TYP(pm->control) == PM_S5_TYPE)
			pm->off(pm->opaque);
	}
}

static uint32_t reset_read(void *opaque, uint16_t offset, unsigned int size)
{
	(void)opaque;
	(void)offset;
	(void)size;
	return 0;
}

static void reset_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct pm *pm = opaque;

	(void)offset;
	if (size == 1 && (value & PM_RESET_VALUE) == PM_RESET_VALUE)
		pm->reset(pm->opaque);
}

/* The keyboard controller: no keyboard; its status says "ready", and 0xfe pulls the reset line. */
static uint32_t keyboard_read(void *opaque, uint16_t offset, unsigned int size)
{
	(void)opaque;
	(void)offset;
	(void)size;
	return 0;
}

static void keyboard_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct pm *pm = opaque;

	(void)offset;
	(void)size;
	if ((value & 0xff) == 0xfe)
		pm->reset(pm->opaque);
}

void pm_init(struct pm *pm, const struct irq *irq, struct ports *ports)
{
	pm->irq = irq;
	pm_reset(pm);
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_PM, LAYOUT_PORT_PM + PM_PORTS - 1, pm_read, pm_write, pm });
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_RESET, LAYOUT_PORT_RESET, reset_read, reset_write, pm });
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_KEYBOARD, LAYOUT_PORT_KEYBOARD, keyboard_read, keyboard_write, pm });
}

void pm_reset(struct pm *pm)
{
	pm->status = pm->enable = pm->control = 0;
}

void pm_power_button(struct pm *pm)
{
	pm->status |= PWRBTN;
	sci(pm);
}

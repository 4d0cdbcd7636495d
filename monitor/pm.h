/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI fixed hardware (ACPI 6.4, 4.8.3): PM1a event and control blocks with the power button
 * and soft-off, and the reset register at port 0xcf9. Guarded by the device lock.
 */
#ifndef MONITOR_PM_H
#define MONITOR_PM_H

#include <stdint.h>

#include "irq.h"
#include "ports.h"

#define PM_EVENT_OFFSET		0	/* status, enable: 4 bytes */
#define PM_CONTROL_OFFSET	4	/* 2 bytes */
#define PM_PORTS		8
#define PM_S5_TYPE		5	/* SLP_TYP of \_S5, also in dsdt.asl */
#define PM_RESET_VALUE		6	/* to port 0xcf9: also the reset value in the FADT */

struct pm {
	const struct irq *irq;
	uint16_t status, enable, control;
	/* The guest turned itself off, or wants to start again. */
	void (*off)(void *opaque);
	void (*reset)(void *opaque);
	void *opaque;
};

void pm_init(struct pm *pm, const struct irq *irq, struct ports *ports);
void pm_reset(struct pm *pm);
void pm_power_button(struct pm *pm);

#endif

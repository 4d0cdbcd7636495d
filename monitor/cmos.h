/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real-time clock as much as guests without kvmclock need it: reading the time in UTC. No
 * alarm, no periodic interrupt, and setting the clock is ignored. Guarded by the device lock.
 */
#ifndef MONITOR_CMOS_H
#define MONITOR_CMOS_H

#include <stdint.h>

#include "ports.h"

struct cmos {
	uint8_t index;
	uint8_t ram[128];
};

void cmos_init(struct cmos *c, struct ports *ports);
/* now: seconds since 1970, UTC. */
uint8_t cmos_register(const struct cmos *c, unsigned int index, uint64_t now);

#endif

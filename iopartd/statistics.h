/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device's server counts, in the channel's private area (struct io_statistics): so it
 * outlives the server, and the next one goes on. One writer, plain stores. Functions that say
 * "guarded" are called so (memory.h).
 */
#ifndef IOPARTD_STATISTICS_H
#define IOPARTD_STATISTICS_H

#include <stdint.h>

#include <ultravisor/io.h>

#include "device.h"

/* CLOCK_BOOTTIME, ns; no system call where there is a vDSO. */
uint64_t statistics_now(void);

/*
 * The device is served here from now on: a take-over, if somebody did before. If the guest has
 * something under way or waiting, it waits until the first of it is done. 0 or a guarded error.
 */
int statistics_promoted(struct device *d);

/* Guarded. So much is done, now; latency_ns UINT64_MAX: it has none. */
void statistics_done(struct device *d, enum io_operation what, uint64_t requests, uint64_t bytes,
		     uint64_t errors, uint64_t latency_ns, uint64_t now);

/* Guarded. The driver has begun anew: whatever it waited for, it does no more. */
void statistics_forget_wait(struct device *d);

/* What others are told of a device that is served here. 0 or a guarded error. */
int statistics_report(struct device *d, struct io_report *to);

#endif

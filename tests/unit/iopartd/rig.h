/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server for unit tests: an event loop, ring and buffers of its own, and one device. Several rigs
 * may serve one guest, one after the other, each in a process of its own.
 */
#ifndef TESTS_IOPARTD_RIG_H
#define TESTS_IOPARTD_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include <iopartd/device.h>
#include <iopartd/iopart.h>

#include "guest.h"

#define RIG_POOL (8u << 20)

struct rig {
	struct iopart io;
	sd_event *event;
	struct device *device;
	int taps[IO_MAX_PAIRS - 1];	/* of further pairs of queues, or -1 */
};

/* Set in a fork: what fails there ends the process, not the test. */
extern bool rig_forked;

void rig_init(struct rig *r);
void rig_uninit(struct rig *r);

/* Serves the guest's channel; backing is duplicated from fd by path, as uvd does. */
void rig_serve(struct rig *r, struct guest *g, int backing, bool readonly);

/* The same, served in that way. */
void rig_serve_as(struct rig *r, struct guest *g, int backing, bool readonly,
		  const struct command_settings *settings);

/* Runs the loop until the condition holds, or fails after ten seconds. */
void rig_until(struct rig *r, bool (*done)(void *argument), void *argument);
/* Runs everything that is due now and for `ms` milliseconds. */
void rig_run(struct rig *r, unsigned int ms);
/* Until the driver's generation is acknowledged. */
void rig_settle(struct rig *r, struct guest *g);

/* A file of that many bytes, and its name: another description. direct: where O_DIRECT works. */
int rig_file(char path[64], uint64_t bytes, bool direct);
int rig_open(const char *path, bool readonly);

extern const uint8_t rig_partition[16];

#endif

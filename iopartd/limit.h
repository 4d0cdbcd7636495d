/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a device may be used: operations and bytes a second, each with a burst
 * (struct command_settings). A token bucket apiece, kept as the time at which it will be full
 * again. Who finds one empty waits for a timer, which runs only then. An operation may start when
 * neither is empty, however large it is; what it takes too much is waited for by the next.
 *
 * A bucket is empty when a server begins: failing over gives nobody a burst.
 */
#ifndef IOPARTD_LIMIT_H
#define IOPARTD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include <ultravisor/command.h>

struct device;

struct bucket {
	uint64_t rate;			/* a second; 0: no limit */
	uint64_t burst;			/* nanoseconds of the rate */
	uint64_t full;			/* CLOCK_MONOTONIC, nanoseconds: when it is full again */
};

struct limit {
	struct device *device;
	struct bucket operations, bytes;
	sd_event_source *timer;
};

/* 0 or -errno. stop: no timer from then on; the limits stay. */
int limit_init(struct limit *l, struct device *d);
void limit_uninit(struct limit *l);
void limit_stop(struct limit *l);

/* From now on these; what is owed is forgiven. */
void limit_set(struct limit *l, const struct command_settings *settings);

/* May an operation start? If not, the device is held, and has a turn when one may. */
bool limit_passes(struct limit *l);
void limit_charge(struct limit *l, uint64_t bytes);

/* The arithmetic alone: how long until something may be taken, and taking n. */
uint64_t bucket_wait(const struct bucket *b, uint64_t now);
void bucket_take(struct bucket *b, uint64_t now, uint64_t n);

#endif

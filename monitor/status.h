/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor channel (monitor.h): what became of the guest, for uvd to read now or after its own
 * restart. Main thread only.
 */
#ifndef MONITOR_STATUS_H
#define MONITOR_STATUS_H

#include <libchannel/channel.h>
#include <ultravisor/monitor.h>

struct status {
	struct channel *channel;	/* NULL: nobody is told */
};

int status_open(struct status *s, int fd);

/* reason is for MONITOR_FAILED, else NULL. */
void status_set(struct status *s, enum monitor_state state, const char *reason);
void status_reboot(struct status *s);
void status_power_press(struct status *s);

/* Readable when the power button is to be pressed; -1: never. status_power_taken empties it. */
int status_power_fd(const struct status *s);
bool status_power_taken(struct status *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To look into a queue again and again instead of sleeping, for as long as that pays: the driver's
 * kicks are off meanwhile, and neither a wake-up nor an exit of the guest is between its
 * request and us.
 *
 * Each device has two averages of how long its queues stay empty between two requests: of those
 * that it was kicked for, and of those that it found. Both ways are tried now and then, and it
 * looks for them if that makes the time shorter by an eighth; once the queues are empty, for up to
 * twice the average. When nothing has come by then, kicks are on again, and nothing of it is left:
 * no timer, no wake-up.
 *
 * Who lingers has a kick of its own unread (device_answer), so that the module would notice if it
 * were stopped just then.
 */
#ifndef IOPARTD_LINGER_H
#define IOPARTD_LINGER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct device;
struct iopart;

#define LINGER_LONGEST_NS 1000000u

struct linger_loop {
	sd_event_source *source;
	uint64_t longest_ns;		/* that any device lingers */
};

enum { BY_KICK, BY_LOOK };

/* A device's. */
struct lingering {
	bool on;
	bool over;			/* nothing came in time; until something does */
	uint64_t empty_ns;		/* since when; 0: not empty */
	unsigned int requests;		/* that ended such a time */
	uint64_t gap_ns[2];		/* averages: BY_KICK, BY_LOOK */
};

int linger_attach(struct iopart *io);
void linger_detach(struct iopart *io);

/* Whether the driver's kicks may stay off if the device's queues are empty now. */
bool linger_pays(const struct device *d);
/* Its queues have something; its queues are empty (kicks are off: it lingers; else it sleeps). */
void linger_found(struct device *d);
void linger_empty(struct device *d, bool kicks_off);
/* Its driver, or its channel, is gone. */
void linger_stop(struct device *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device of a guest, served or kept ready by this instance: the life of its channel.
 *
 *   STANDBY   attached, everything open, nothing of the guest visible; the module may promote us
 *     │ promoted (channel status)
 *   FENCING   waits for the old server's last request (fence.h); submits nothing
 *     │ fence held: the type recovers what the old server left (promote)
 *   SERVING
 *     │ revoked, demoted, or memory taken away under a touch; from any state
 *   LOST      touches nothing any more; waits for its own requests in the kernel, because they
 *             hold the fence and may point into mappings; then is a standby again, or
 *   CLOSED    holds nothing; uvd is asked for a new endpoint, or says that there is none
 *
 * What differs between block, network and console is a device_type.
 */
#ifndef IOPARTD_DEVICE_H
#define IOPARTD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include <libchannel/channel.h>
#include <ultravisor/command.h>
#include <ultravisor/io.h>

#include "fence.h"
#include "iopart.h"
#include "linger.h"
#include "memory.h"

enum device_state {
	DEVICE_STANDBY, DEVICE_FENCING, DEVICE_SERVING, DEVICE_LOST, DEVICE_CLOSED
};

struct device;

struct device_type {
	struct channel_geometry geometry;
	unsigned int bells;		/* of a device that does not say otherwise in open() */
	bool fenced;			/* takes the backing's fence before it serves */

	/* A new device: checks its backing, allocates d->data. Only then is there a channel. */
	int (*open)(struct device *d);
	/* It serves from now on, and the fence is held. Error: the device is lost. */
	int (*promote)(struct device *d);
	void (*doorbell)(struct device *d, unsigned int index);
	/* Guarded; not 0: the guest has given it something that nobody has taken. */
	int (*waits)(void *device);
	/* Bounded work; true: there is more to do now. */
	bool (*turn)(struct device *d);
	/* Some of its operations are over (device_touched): publishes them. Optional. */
	void (*completed)(struct device *d);
	/* d->id.settings or .size are others; in any state with d->data. Optional. */
	void (*settings)(struct device *d);
	/* NBD: takes a connection over; or it is promoted and has none yet: fd -1. */
	void (*connect)(struct device *d, int fd);
	/* Serves no longer, and nothing is under way: lets go of what it serves. Optional. */
	void (*release)(struct device *d);
	/* Serves no longer. Its channel must not be touched; operations may still be under way. */
	void (*lost)(struct device *d);
	/* Nothing is under way any more; frees d->data. */
	void (*close)(struct device *d);
};

/* The types, each in its own file. */
extern const struct device_type block_device, network_device, console_device;

struct device_identity {
	uint64_t channel;		/* the module's id */
	uint32_t channel_type;		/* enum channel_type */
	uint32_t slot;
	bool readonly;
	bool nbd;			/* block: over a connection, which is its fence */
	uint8_t partition_uuid[16];
	char partition[64], name[32];
	uint8_t mac[6];
	struct command_settings settings;
	uint64_t size;			/* block: as uvd told it to the guest's owner; 0: unknown */
};

struct device {
	struct device *next, *next_touched;
	struct iopart *iopart;
	struct device_identity id;
	char label[100];		/* PARTITION/NAME, for the log */
	const struct device_type *type;
	void *data;			/* the type's own */

	struct channel *channel;
	int endpoint;			/* a copy, to attach again after a demotion; -1: none */
	int backing;
	int taps[IO_MAX_PAIRS - 1];	/* network: of further pairs of queues; -1: none */
	int next_endpoint, next_backing; /* handed over while LOST; -1: none */
	int next_taps[IO_MAX_PAIRS - 1];
	enum device_state state;
	bool again;			/* LOST by a demotion: may be a standby again */
	bool withdrawn;			/* LOST, and uvd has no more use for it */
	bool touched;
	bool starved;			/* waits for buffers or for room in the ring */
	bool asks;			/* for a connection of uvd's (remote.h) */
	bool held;			/* waits for its limits (limit.h) */
	unsigned int bells;		/* the client's doorbells 0 … bells - 1 are listened to */
	unsigned int busy;		/* its operations under way */
	uint32_t kicked;		/* queues' bells not read yet: the module waits for that */
	struct lingering lingering;
	uint32_t round;			/* hand-over round that named it last */
	struct fence fence;
	struct guest_memory memory;
	bool mapped;
	sd_event_source *status, *turn, *bell[IO_DOORBELLS];
};

const struct device_type *device_type(uint32_t channel_type);

/*
 * Takes over all descriptors, also on failure. taps: as in struct device, or NULL. The device may
 * serve before it returns.
 */
int device_open(struct device **out, struct iopart *io, const struct device_identity *id,
		int endpoint, int backing, const int *taps);

/* As device_open, with a channel that is open already: unit tests. */
int device_open_channel(struct device **out, struct iopart *io, const struct device_identity *id,
			struct channel *channel, int backing, const int *taps);

/*
 * New descriptors for a device that is known: taken if it is LOST or CLOSED, else closed, as it
 * keeps its own. Returns the device that takes d's place, d itself or another, or NULL.
 */
struct device *device_replace(struct device *d, int endpoint, int backing, const int *taps);

/* It is served in another way from now on, by whoever serves. */
void device_set(struct device *d, const struct command_settings *settings, uint64_t size);

/* A connection to its NBD server, which it takes over. */
void device_connect(struct device *d, int fd);
/* It has its fence: serves from now on, if it was promoted. */
void device_fenced(struct device *d);

/* Ends it: at once if nothing is under way, else when that is over. d may be gone on return. */
void device_withdraw(struct device *d);
/* At exit: the process's end is the end of everything that is under way. */
void device_free(struct device *d);

/* A log line that names the device and its partition. */
void device_log(const struct device *d, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The types' calls. */
void device_lost(struct device *d, int rc);	/* rc: why, -ECONNRESET or another */
void device_schedule(struct device *d);		/* a turn soon */
void device_turn(struct device *d);		/* a turn now; d may be gone */
void device_touched(struct device *d);		/* completed() after this batch */
/*
 * Reads its kicks, which is how the module knows that this process is not hung; unless something
 * is left to do: a guest that waits for just that would not kick again, so this kick must stand.
 */
void device_answer(struct device *d);
/* At least one kick is unread from here on, and so until device_answer finds nothing to do. */
void device_stay_kicked(struct device *d);
/* A sign of life while something is left to do; true: something is. */
bool device_live(struct device *d);
void device_operation_begun(struct device *d);
void device_operation_over(struct device *d);
int device_map_memory(struct device *d);	/* sets d->memory, once */

#endif

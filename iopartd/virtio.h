/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What block and network devices have in common: the I/O channel's control words and the
 * driver's life (include/ultravisor/io.h).
 *
 * The client counts generations. Acting on one means: take nothing new, wait for what is under
 * way (drain), then empty the in-flight table, set up the queues that the client's area names, and
 * acknowledge. After a take-over with the generation already acknowledged, the queues go on where
 * the old server left them instead.
 *
 * A driver that breaks a rule has its device marked broken and left alone until the next
 * generation; neither the daemon nor any other device notices.
 */
#ifndef IOPARTD_VIRTIO_H
#define IOPARTD_VIRTIO_H

#include "device.h"
#include "virtqueue.h"

struct virtio_config {
	uint64_t features;
	uint32_t size;
	uint8_t bytes[IO_CONFIG_SIZE];
};

struct virtio_type {
	/* What the device offers. The same from every server of the device. */
	void (*config)(struct device *d, struct virtio_config *to);
	/* The driver is up and the queues are set up; the in-flight table is empty. Guarded. */
	void (*begin)(struct device *d);
	/* The same, but a server was here before: sets cursors from the table. Guarded; -errno. */
	int (*recover)(struct device *d);
	/* After either of the two, outside the guard. */
	int (*up)(struct device *d);
	/* The driver is down, or the device broken, and nothing is under way. */
	void (*down)(struct device *d);
};

/* The first member of each type's own data. */
struct virtio {
	const struct virtio_type *type;
	unsigned int queues;		/* virtqueues; the type's open sets them, and d->bells */
	uint32_t generation;		/* of the client, that we act or acted upon */
	bool up;			/* queues may be worked on */
	bool draining;			/* a newer generation waits for what is under way */
	uint32_t faults;		/* of the driver, all generations */
	uint64_t features;		/* negotiated */
	struct io_inflight *table;
	struct virtqueue queue[IO_MAX_QUEUES];
};

/* For device_type's members of the same names. */
int virtio_promote(struct device *d);
void virtio_state_changed(struct device *d);	/* doorbell 0 */

/* The device's configuration is another: its driver is told. */
void virtio_config_changed(struct device *d);

/* An operation of the device is over: goes on with a reset that waited for it. */
void virtio_drained(struct device *d);

/*
 * What a guarded call on queue q returned, nonzero: the driver's fault marks the device broken,
 * lost memory loses the device.
 */
void virtio_failed(struct device *d, unsigned int q, int rc);

/* Guarded; a bit for each queue that has what was not taken, or a fault, which a turn will tell. */
int virtio_waits(void *device);

/* Raises queue q's interrupt. */
void virtio_interrupt(struct device *d, unsigned int q);

#endif

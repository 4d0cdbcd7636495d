/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This I/O partition: what its devices share. One thread, one event loop.
 */
#ifndef IOPARTD_IOPART_H
#define IOPARTD_IOPART_H

#include <systemd/sd-event.h>

#include "linger.h"
#include "pool.h"
#include "uring.h"

#define IOPART_POOL_BYTES	(32u << 20)

struct device;
struct handover;

struct iopart {
	sd_event *event;
	struct pool pool;
	struct uring uring;
	bool pool_used;			/* the pool has memory, for all we know */
	struct device *devices;		/* list, by next */
	struct handover *handover;	/* NULL: none */
	struct device *touched;		/* have completions to publish, by next_touched */
	bool ending;			/* no request is begun any more */
	bool progress;			/* something is over that was not the ring's */
	sd_event_source *completions, *again, *life;
	struct linger_loop linger;
};

/*
 * The ring and the pool; before privileges are dropped, as locking memory may need one. Then the
 * event sources. 0 or -errno. uninit gives what is under way two seconds, then ends all devices.
 */
int iopart_init(struct iopart *io, size_t pool_bytes);
int iopart_attach(struct iopart *io, sd_event *event);
void iopart_uninit(struct iopart *io);

/*
 * Submits what was started, and completes and publishes what is over: the last thing that every
 * event handler does that may have started an operation. One turn of it is bounded.
 */
void iopart_flush(struct iopart *io);

/*
 * Some device has work: shows every second that this process lives, for as long as one has. Then
 * gives the pool's memory back, after a second in which nobody needed it, and is still.
 */
void iopart_watch(struct iopart *io);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk (Virtio 1.2, 5.2) on a raw file or a block device: the disk and its queues. What a
 * request does is in request.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_blk.h>

#include <common/log.h>

#include "block.h"

#define TURN		32u		/* requests a device starts in one turn */

static const struct virtio_type block_virtio;

static void block_connected(struct device *d);

static int block_open(struct device *d)
{
	struct block *b = calloc(1, sizeof(*b));
	int flags, rc;

	if (!b)
		return -ENOMEM;
	d->data = b;
	b->virtio.type = &block_virtio;
	b->virtio.queues = d->id.settings.queues ? d->id.settings.queues : 1;
	d->bells = 1 + b->virtio.queues;
	rc = limit_init(&b->limit, d);
	if (rc)
		return rc;
	flags = fcntl(d->backing, F_GETFL);
	if (flags < 0)
		return -errno;
	b->writable = !d->id.readonly;
	if (b->writable && (flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	if (d->id.nbd) {
		/* Its data goes through the pool. How large it is tells the connection. */
		b->backing = (struct backing){ .block_size = BACKING_SECTOR, .direct = true };
		return remote_open(&b->remote, d, block_connected);
	}
	rc = backing_measure(&b->backing, d->backing);
	if (rc)
		return rc;
	backing_try_direct(&b->backing, d->backing);
	log_debug("%s: %llu sectors, %s I/O", d->label, (unsigned long long)b->backing.sectors,
		  b->backing.direct ? "direct" : "buffered");
	return 0;
}

static void block_config(struct device *d, struct virtio_config *to)
{
	const struct block *b = d->data;
	struct virtio_blk_config c = {
		.capacity = b->backing.sectors,
		.size_max = BLOCK_SEGMENT_SIZE,
		.seg_max = BLOCK_SEGMENTS,
		.blk_size = b->backing.block_size,
	};

	to->features = 1ULL << VIRTIO_BLK_F_SIZE_MAX | 1ULL << VIRTIO_BLK_F_SEG_MAX |
		       1ULL << VIRTIO_BLK_F_BLK_SIZE | 1ULL << VIRTIO_BLK_F_FLUSH;
	if (b->virtio.queues > 1) {
		to->features |= 1ULL << VIRTIO_BLK_F_MQ;
		c.num_queues = b->virtio.queues;
	}
	if (b->writable) {
		to->features |= 1ULL << VIRTIO_BLK_F_DISCARD | 1ULL << VIRTIO_BLK_F_WRITE_ZEROES;
		c.max_discard_sectors = BLOCK_DISCARD_SECTORS;
		c.max_discard_seg = 1;
		c.discard_sector_alignment = b->backing.block_size / BACKING_SECTOR;
		c.max_write_zeroes_sectors = BLOCK_DISCARD_SECTORS;
		c.max_write_zeroes_seg = 1;
		c.write_zeroes_may_unmap = 1;
	} else {
		to->features |= 1ULL << VIRTIO_BLK_F_RO;
	}
	/* What follows belongs to features that are not offered. */
	to->size = offsetof(struct virtio_blk_config, max_secure_erase_sectors);
	_Static_assert(offsetof(struct virtio_blk_config, max_secure_erase_sectors) <=
		       IO_CONFIG_SIZE, "configuration");
	memcpy(to->bytes, &c, to->size);
}

/* ---- turns */

static int quiet(void *argument)
{
	virtqueue_quiet(argument);
	return 0;
}

/* At most that many requests of queue q. 0: it has no more for now; 1: it may have; or an error. */
static int serve_queue(struct device *d, unsigned int q, unsigned int most)
{
	struct block *b = d->data;
	struct virtqueue *queue = &b->virtio.queue[q];
	unsigned int i;
	int rc;

	if (!queue->size)
		return 0;
	rc = guarded(d->channel, quiet, queue);
	for (i = 0; i < most && !rc; i++) {
		rc = request_next(d, q);
		if (rc == 0)
			return 0;
		if (rc == 1)
			rc = 0;
	}
	return rc ? rc : 1;
}

static bool block_turn(struct device *d)
{
	struct block *b = d->data;
	const unsigned int queues = b->virtio.queues;
	unsigned int i, q;
	int rc;

	if (!b->virtio.up || d->iopart->ending || d->held)
		return false;
	b->kicks_off = linger_pays(d);
	for (i = 0; i < queues; i++) {
		q = (b->first + i) % queues;
		if (!(b->active & 1u << q))
			continue;
		rc = serve_queue(d, q, TURN / queues);
		if (rc == -EAGAIN || rc == -ENOMEM || rc == -EBUSY) {
			b->first = q;
			if (rc == -EBUSY)
				return false;
			d->starved = true;
			/* Without an operation of anybody's there is no completion to wait for. */
			return d->iopart->uring.under_way == 0 && !d->busy;
		}
		if (rc < 0) {
			virtio_failed(d, q, rc);
			return false;
		}
		if (rc == 0)
			b->active &= ~(1u << q);
	}
	b->first = (b->first + 1) % queues;
	if (!b->active)
		linger_empty(d, b->kicks_off);
	return b->active != 0;
}

struct publish {
	struct block *b;
	unsigned int queue;
	bool interrupt;
};

static int publish(void *argument)
{
	struct publish *p = argument;
	struct virtqueue *q = &p->b->virtio.queue[p->queue];

	if (inflight_publish(&p->b->queue[p->queue].inflight, q))
		p->interrupt = virtqueue_wants_interrupt(q);
	return 0;
}

static void block_completed(struct device *d)
{
	struct block *b = d->data;
	unsigned int q;
	int rc;

	if (d->state != DEVICE_SERVING)
		return;
	for (q = 0; b->virtio.up && q < b->virtio.queues; q++) {
		struct publish p = { .b = b, .queue = q };

		if (b->queue[q].inflight.done == b->virtio.queue[q].published)
			continue;
		rc = guarded(d->channel, publish, &p);
		if (rc) {
			device_lost(d, rc);
			return;
		}
		if (p.interrupt)
			virtio_interrupt(d, q);
	}
	virtio_drained(d);
}

/* ---- the driver comes and goes */

static void block_begin(struct device *d)
{
	struct block *b = d->data;
	unsigned int q;

	for (q = 0; q < b->virtio.queues; q++) {
		inflight_start(&b->queue[q].inflight, b->virtio.table, q);
		b->queue[q].replay.count = b->queue[q].replayed = 0;
	}
}

static int block_recover(struct device *d)
{
	struct block *b = d->data;
	unsigned int q;
	int rc = 0;

	for (q = 0; q < b->virtio.queues && !rc; q++) {
		struct block_queue *own = &b->queue[q];

		own->replay.count = own->replayed = 0;
		if (b->virtio.queue[q].size)
			rc = inflight_recover(&own->inflight, b->virtio.table, q,
					      &b->virtio.queue[q], &own->replay);
	}
	return rc;
}

static int block_up(struct device *d)
{
	struct block *b = d->data;
	unsigned int q, n = 0;

	b->active = (1u << b->virtio.queues) - 1;
	for (q = 0; q < b->virtio.queues; q++)
		n += b->queue[q].replay.count;
	if (n)
		device_log(d, LOG_INFO, "replays %u requests of the old server", n);
	return 0;
}

static void block_down(struct device *d)
{
	struct block *b = d->data;

	limit_stop(&b->limit);
	linger_stop(d);
}

static const struct virtio_type block_virtio = {
	.config = block_config,
	.begin = block_begin,
	.recover = block_recover,
	.up = block_up,
	.down = block_down,
};

/* ---- how large it is */

struct told {
	struct device *d;
	uint64_t sectors;
};

/* What the guest knows of: the offer of the server before us, if there was one. */
static int read_told(void *argument)
{
	struct told *t = argument;
	const struct io_server *s = channel_own(t->d->channel);
	struct virtio_blk_config c;

	if (atomic_load(&s->state) != IO_SERVER_READY)
		return 0;
	memcpy(&c, s->config, sizeof(c.capacity));
	t->sectors = c.capacity;
	return 0;
}

/* A disk never shrinks: what is behind its backing's end cannot be read, which the guest sees. */
static int measure(struct device *d, uint64_t told)
{
	struct block *b = d->data;
	struct backing now = b->backing;
	int rc = 0;

	if (b->remote)
		now.sectors = remote_sectors(b->remote);
	else
		rc = backing_measure(&now, d->backing);
	if (rc)
		return rc;
	if (now.sectors < told) {
		device_log(d, LOG_ERR, "its backing has become smaller, %" PRIu64 " sectors of %"
			   PRIu64 ": make it as large again, or stop the partition", now.sectors,
			   told);
		now.sectors = told;
	}
	b->backing = now;
	return 0;
}

static int block_promote(struct device *d)
{
	struct told t = { .d = d };
	int rc = guarded(d->channel, read_told, &t);

	if (!rc)
		rc = measure(d, t.sectors);
	return rc ? rc : virtio_promote(d);
}

static void look_at_size(struct device *d)
{
	struct block *b = d->data;
	uint64_t told = b->backing.sectors;
	int rc;

	if (d->state != DEVICE_SERVING)
		return;
	rc = measure(d, told);
	if (rc)
		device_log(d, LOG_ERR, "its size is not known: %s", strerror(-rc));
	if (rc || b->backing.sectors == told)
		return;
	device_log(d, LOG_INFO, "has %" PRIu64 " sectors now, it had %" PRIu64,
		   b->backing.sectors, told);
	virtio_config_changed(d);
}

static void block_settings(struct device *d)
{
	struct block *b = d->data;

	limit_set(&b->limit, &d->id.settings);
	look_at_size(d);
}

static void block_connect(struct device *d, int fd)
{
	struct block *b = d->data;

	if (fd < 0)
		remote_want(b->remote);
	else
		remote_connect(b->remote, fd);
}

static void block_connected(struct device *d)
{
	device_fenced(d);
	look_at_size(d);
}

static void block_release(struct device *d)
{
	struct block *b = d->data;

	if (b->remote)
		remote_release(b->remote);
}

static void block_doorbell(struct device *d, unsigned int index)
{
	struct block *b = d->data;

	if (index == IO_DOORBELL_STATE)
		virtio_state_changed(d);
	else
		b->active |= 1u << (index - IO_DOORBELL_QUEUE(0));
}

static void block_lost(struct device *d)
{
	struct block *b = d->data;

	limit_stop(&b->limit);
	b->virtio.up = b->virtio.draining = false;
	if (b->remote)
		remote_release(b->remote);
}

static void block_close(struct device *d)
{
	struct block *b = d->data;

	limit_uninit(&b->limit);
	remote_close(b->remote);
	free(b);
	d->data = NULL;
}

const struct device_type block_device = {
	.geometry = {
		.type = CHANNEL_BLOCK,
		.layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CLIENT_SIZE,
		.server_size = IO_SERVER_SIZE,
		.private_size = IO_PRIVATE_SIZE,
		.doorbells = IO_DOORBELLS,
	},
	.bells = 2,
	.fenced = true,
	.open = block_open,
	.promote = block_promote,
	.doorbell = block_doorbell,
	.waits = virtio_waits,
	.turn = block_turn,
	.completed = block_completed,
	.settings = block_settings,
	.connect = block_connect,
	.release = block_release,
	.lost = block_lost,
	.close = block_close,
};

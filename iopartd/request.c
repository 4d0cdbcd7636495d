/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a disk, from the driver's chain to its status (Virtio 1.2, 5.2.6).
 *
 * Each byte is copied once. With O_DIRECT between the guest's memory and our pool, because a grant
 * cannot be pinned; else by the kernel, between the guest's memory and the page cache.
 *
 * A request is recorded SUBMITTED before its operations start and DONE after the guest's buffers
 * are written (inflight.h). It may have several operations, one for each block of the pool. They
 * hold the device's file description, and so its fence, until they are over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/falloc.h>
#include <linux/virtio_blk.h>

#include <common/crash.h>
#include <common/log.h>

#include "block.h"
#include "iov.h"
#include "statistics.h"

#define BYTES_MAX	(BLOCK_SEGMENTS * BLOCK_SEGMENT_SIZE)

/* One operation of a request. */
struct piece {
	struct operation operation;
	struct request *request;
	char *buffer;			/* of the pool; NULL: straight from or to the guest */
	uint64_t offset;		/* in the file, of what is left */
	uint32_t at, left;		/* bytes done and to do */
};

struct request {
	struct device *device;
	unsigned int queue;
	uint32_t head, type, written;	/* written: bytes of the chain that are the guest's then */
	uint64_t bytes;			/* data, for the limits */
	uint64_t taken_ns;
	uint8_t status;
	bool over;			/* guarded part of the end was done */
	unsigned int under_way, pieces, iovs;
	uint8_t *status_at;		/* in the guest */
	struct iovec *iov;		/* the guest's data buffers, what is left of them */
	struct piece *piece;
	int mode;			/* fallocate's */
};

/* ---- from a chain to a request */

struct fetch {
	struct device *d;
	unsigned int queue;
	struct chain *chain;
	struct virtio_blk_outhdr header;
	struct virtio_blk_discard_write_zeroes range;	/* for the two types that have one */
	bool none;
};

/* The next request: its chain and all small parts, copied. Takes nothing yet. */
static int fetch(void *argument)
{
	struct fetch *f = argument;
	struct block *b = f->d->data;
	struct virtqueue *q = &b->virtio.queue[f->queue];
	const struct block_queue *own = &b->queue[f->queue];
	struct chain *c = f->chain;
	int rc;

	if (own->replayed < own->replay.count) {
		rc = own->replay.head[own->replayed];
	} else {
		rc = virtqueue_waiting(q);
		if (rc == 0 && !b->kicks_off && virtqueue_listen(q, 0))
			rc = virtqueue_waiting(q);
		f->none = rc == 0;
		if (rc <= 0)
			return rc;
		rc = virtqueue_head(q, 0);
	}
	if (rc < 0)
		return rc;
	rc = virtqueue_chain(q, rc, c);
	if (rc)
		return rc;
	if (c->readable_bytes < sizeof(f->header) || !c->writable) {
		q->fault = "a request without header or status";
		return -EPROTO;
	}
	iov_read(&f->header, c->iov, c->readable, 0, sizeof(f->header));
	iov_read(&f->range, c->iov, c->readable, sizeof(f->header), sizeof(f->range));
	return 0;
}

static struct request *new_request(const struct fetch *f, unsigned int pieces)
{
	const struct chain *c = f->chain;
	unsigned int iovs = c->readable + c->writable;
	struct request *r;

	r = calloc(1, sizeof(*r) + pieces * sizeof(*r->piece) + iovs * sizeof(*r->iov));
	if (!r)
		return NULL;
	r->device = f->d;
	r->queue = f->queue;
	r->type = f->header.type;
	r->head = c->head;
	r->piece = (struct piece *)(r + 1);
	r->iov = (struct iovec *)(r->piece + pieces);
	r->pieces = pieces;
	r->written = c->writable_bytes > UINT32_MAX ? UINT32_MAX : c->writable_bytes;
	r->status_at = (uint8_t *)c->iov[iovs - 1].iov_base + c->iov[iovs - 1].iov_len - 1;
	return r;
}

/* What a request is, decided on copies only. */
struct plan {
	uint64_t offset, bytes;		/* in the file */
	unsigned int pieces;
	uint8_t status;			/* not OK: it ends at once with this */
	bool to_guest, from_guest, range;
};

static bool inside(const struct backing *b, uint64_t sector, uint64_t bytes)
{
	return bytes % b->block_size == 0 && sector % (b->block_size / BACKING_SECTOR) == 0 &&
	       sector <= b->sectors && bytes / BACKING_SECTOR <= b->sectors - sector;
}

static void plan_range(const struct block *b, const struct fetch *f, struct plan *p)
{
	const struct virtio_blk_discard_write_zeroes *r = &f->range;
	uint32_t unmap = f->header.type == VIRTIO_BLK_T_WRITE_ZEROES ?
			 VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

	p->range = true;
	if (f->chain->readable_bytes != sizeof(f->header) + sizeof(*r) ||
	    r->num_sectors > BLOCK_DISCARD_SECTORS ||
	    !inside(&b->backing, r->sector, (uint64_t)r->num_sectors * BACKING_SECTOR))
		p->status = VIRTIO_BLK_S_IOERR;
	else if (r->flags & ~unmap)
		p->status = VIRTIO_BLK_S_UNSUPP;
	p->offset = r->sector * BACKING_SECTOR;
	p->bytes = (uint64_t)r->num_sectors * BACKING_SECTOR;
	p->pieces = p->bytes && p->status == VIRTIO_BLK_S_OK;
}

static struct plan make_plan(const struct device *d, const struct fetch *f)
{
	const struct block *b = d->data;
	const struct chain *c = f->chain;
	struct plan p = { .status = VIRTIO_BLK_S_OK };

	switch (f->header.type) {
	case VIRTIO_BLK_T_IN:
		p.to_guest = true;
		p.bytes = c->writable_bytes - 1;
		break;
	case VIRTIO_BLK_T_OUT:
		p.from_guest = true;
		p.bytes = c->readable_bytes - sizeof(f->header);
		break;
	case VIRTIO_BLK_T_FLUSH:
		p.pieces = b->writable;
		return p;
	case VIRTIO_BLK_T_GET_ID:
		return p;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		if (!b->writable)
			p.status = VIRTIO_BLK_S_IOERR;
		else
			plan_range(b, f, &p);
		return p;
	default:
		p.status = VIRTIO_BLK_S_UNSUPP;
		return p;
	}
	p.offset = f->header.sector * BACKING_SECTOR;
	if (!inside(&b->backing, f->header.sector, p.bytes) || p.bytes > BYTES_MAX ||
	    (p.from_guest && !b->writable))
		p.status = VIRTIO_BLK_S_IOERR;
	else if (p.bytes)
		p.pieces = b->backing.direct ? pool_count(p.bytes) : 1;
	return p;
}

static void give_back(struct request *r)
{
	unsigned int i;

	for (i = 0; i < r->pieces; i++)
		if (r->piece[i].buffer)
			pool_give(&r->device->iopart->pool, r->piece[i].buffer);
	free(r);
}

/* -EAGAIN: no buffers or no room in the ring now. */
static int build(struct device *d, const struct fetch *f, struct request **out)
{
	const struct chain *c = f->chain;
	struct block *b = d->data;
	struct plan p = make_plan(d, f);
	void *buffer[BYTES_MAX / POOL_LARGE + 1];
	struct request *r;
	unsigned int i;

	if (!uring_room(&d->iopart->uring, p.pieces))
		return -EAGAIN;
	r = new_request(f, p.pieces);
	if (!r)
		return -ENOMEM;
	r->bytes = p.to_guest || p.from_guest ? p.bytes : 0;
	r->status = p.status;
	if (p.to_guest || r->type == VIRTIO_BLK_T_GET_ID)
		r->iovs = iov_cut(r->iov, c->iov + c->readable, c->writable, 0,
				  c->writable_bytes - 1);
	else if (p.from_guest)
		r->iovs = iov_cut(r->iov, c->iov, c->readable, sizeof(f->header), p.bytes);
	if (p.range)
		r->mode = r->type == VIRTIO_BLK_T_WRITE_ZEROES &&
			  !(f->range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) ?
			  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE :
			  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	for (i = 0; i < p.pieces; i++) {
		r->piece[i].request = r;
		r->piece[i].offset = p.offset + (uint64_t)i * POOL_LARGE;
		r->piece[i].left = p.bytes;
	}
	if (!b->backing.direct || !p.pieces || !(p.to_guest || p.from_guest)) {
		*out = r;
		return 0;
	}
	if (!d->iopart->pool.touched)
		iopart_watch(d->iopart);
	if (pool_take(&d->iopart->pool, p.bytes, buffer)) {
		free(r);
		return -EAGAIN;
	}
	for (i = 0; i < p.pieces; i++) {
		uint64_t left = p.bytes - (uint64_t)i * POOL_LARGE;

		r->piece[i].buffer = buffer[i];
		r->piece[i].left = left < POOL_LARGE ? left : POOL_LARGE;
	}
	*out = r;
	return 0;
}

/* Takes the request: copies what is to be written, and records it. */
static int take(void *argument)
{
	struct request *r = argument;
	struct block *b = r->device->data;
	struct block_queue *own = &b->queue[r->queue];
	unsigned int i;
	int rc;

	if (r->type == VIRTIO_BLK_T_OUT) {
		for (i = 0; i < r->pieces; i++) {
			struct piece *p = &r->piece[i];

			if (p->buffer)
				iov_read(p->buffer, r->iov, r->iovs, (uint64_t)i * POOL_LARGE,
					  p->left);
		}
	}
	/* The old server has charged it. */
	r->taken_ns = statistics_now();
	if (own->replayed < own->replay.count) {
		own->replayed++;
		r->taken_ns = inflight_taken(&own->inflight, r->head, r->taken_ns);
		return 0;
	}
	rc = inflight_submit(&own->inflight, &b->virtio.queue[r->queue], r->head, r->taken_ns);
	if (!rc)
		limit_charge(&b->limit, r->bytes);
	return rc;
}

/* ---- the end of a request */

/* Linux asks for 20 bytes; a longer name is cut, a shorter one ends with a zero (5.2.6). */
static void answer_id(const struct request *r)
{
	const struct device_identity *of = &r->device->id;
	const char *text = of->settings.serial[0] ? of->settings.serial : of->name;
	char id[VIRTIO_BLK_ID_BYTES] = { 0 };

	memcpy(id, text, strnlen(text, sizeof(id)));
	iov_write(r->iov, r->iovs, 0, id, sizeof(id));
}

static void count(const struct request *r)
{
	static const enum io_operation whats[] = {
		[VIRTIO_BLK_T_IN] = IO_READ, [VIRTIO_BLK_T_OUT] = IO_WRITE,
		[VIRTIO_BLK_T_FLUSH] = IO_FLUSH,
	};
	bool data = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_OUT;
	bool other = !data && r->type != VIRTIO_BLK_T_FLUSH;
	bool good = r->status == VIRTIO_BLK_S_OK;
	uint64_t now = statistics_now();

	statistics_done(r->device, other ? IO_OTHER : whats[r->type], 1,
			data && good ? r->bytes : 0, !good,
			now > r->taken_ns ? now - r->taken_ns : 0, now);
}

static int finish(void *argument)
{
	struct request *r = argument;
	struct block *b = r->device->data;
	unsigned int i;

	if (r->type == VIRTIO_BLK_T_IN && r->status == VIRTIO_BLK_S_OK) {
		for (i = 0; i < r->pieces; i++)
			if (r->piece[i].buffer)
				iov_write(r->iov, r->iovs, (uint64_t)i * POOL_LARGE,
					r->piece[i].buffer, r->piece[i].at);
	}
	if (r->type == VIRTIO_BLK_T_GET_ID)
		answer_id(r);
	CRASH_POINT("copied");
	*(volatile uint8_t *)r->status_at = r->status;
	inflight_done(&b->queue[r->queue].inflight, &b->virtio.queue[r->queue], r->head,
		      r->written);
	count(r);
	return 0;
}

static void end_request(struct request *r)
{
	struct device *d = r->device;
	struct block *b = d->data;
	int rc;

	/* While the driver resets, and after a loss, the guest's memory is not ours. */
	if (d->state == DEVICE_SERVING && b->virtio.up) {
		rc = guarded(d->channel, finish, r);
		if (rc)
			device_lost(d, rc);
		else
			device_touched(d);
	}
	give_back(r);
}

static void start_piece(struct piece *p);

static void io_error(const struct piece *p, int result)
{
	struct device *d = p->request->device;
	struct block *b = d->data;

	p->request->status = VIRTIO_BLK_S_IOERR;
	/* A guest may go on asking for ever; 1, 2, 4, 8, … are enough. */
	b->errors++;
	if (d->state != DEVICE_SERVING || (b->errors & (b->errors - 1)))
		return;
	device_log(d, LOG_WARNING, "request of type %u at byte %llu: %s (failures so far: %u)",
		   p->request->type, (unsigned long long)p->offset,
		   result < 0 ? strerror(-result) : "the file has become shorter", b->errors);
}

static void piece_over(struct operation *o, int result)
{
	struct piece *p = (struct piece *)o;
	struct request *r = p->request;
	struct device *d = r->device;
	bool data = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_OUT;

	CRASH_POINT("operation-over");
	if (result == -EINTR || result == -EAGAIN ||
	    (data && result > 0 && (uint32_t)result < p->left)) {
		if (result > 0) {
			p->at += result;
			p->left -= result;
			p->offset += result;
			if (!p->buffer)
				r->iovs = iov_cut(r->iov, r->iov, r->iovs, result, p->left);
		}
		start_piece(p);
		return;
	}
	if (data && result > 0)
		p->at += result;
	else if (result == -EOPNOTSUPP)
		r->status = VIRTIO_BLK_S_UNSUPP;
	else if (result < 0 || data)
		io_error(p, result);
	if (!--r->under_way)
		end_request(r);
	device_operation_over(d);
	if (!d->busy)
		device_touched(d);
}

/* At once: io_uring would hand it to a thread, as tmpfs cannot say that it does not sleep. */
static void do_piece(struct piece *p)
{
	struct request *r = p->request;
	ssize_t n = r->type == VIRTIO_BLK_T_IN ?
		    preadv(r->device->backing, r->iov, r->iovs, p->offset) :
		    pwritev(r->device->backing, r->iov, r->iovs, p->offset);

	piece_over(&p->operation, n < 0 ? -errno : n);
}

static void start_remote(struct piece *p, bool durable)
{
	static const enum remote_what whats[] = {
		[VIRTIO_BLK_T_IN] = REMOTE_READ, [VIRTIO_BLK_T_OUT] = REMOTE_WRITE,
		[VIRTIO_BLK_T_FLUSH] = REMOTE_FLUSH, [VIRTIO_BLK_T_DISCARD] = REMOTE_DISCARD,
		[VIRTIO_BLK_T_WRITE_ZEROES] = REMOTE_ZERO,
	};
	const struct request *r = p->request;
	const struct block *b = r->device->data;
	bool keep = r->mode & FALLOC_FL_ZERO_RANGE;

	remote_start(b->remote, &p->operation, whats[r->type],
		     p->buffer ? p->buffer + p->at : NULL, p->left, p->offset,
		     r->type == VIRTIO_BLK_T_OUT ? durable : keep);
}

static void start_piece(struct piece *p)
{
	struct request *r = p->request;
	struct uring *u = &r->device->iopart->uring;
	const struct block *b = r->device->data;
	int fd = r->device->backing;
	/* Without FLUSH the driver relies on a write being durable when it completes (5.2.6.2). */
	int rw_flags = b->virtio.features & 1ULL << VIRTIO_BLK_F_FLUSH ? 0 : RWF_DSYNC;

	p->operation.complete = piece_over;
	if (b->remote) {
		start_remote(p, rw_flags != 0);
		return;
	}
	if (b->backing.in_memory && !p->buffer &&
	    (r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_OUT)) {
		do_piece(p);
		return;
	}
	switch (r->type) {
	case VIRTIO_BLK_T_IN:
		if (p->buffer)
			uring_read(u, &p->operation, fd, p->buffer + p->at, p->left, p->offset);
		else
			uring_readv(u, &p->operation, fd, r->iov, r->iovs, p->offset);
		break;
	case VIRTIO_BLK_T_OUT:
		if (p->buffer)
			uring_write(u, &p->operation, fd, p->buffer + p->at, p->left, p->offset,
				    rw_flags);
		else
			uring_writev(u, &p->operation, fd, r->iov, r->iovs, p->offset, rw_flags);
		break;
	case VIRTIO_BLK_T_FLUSH:
		uring_datasync(u, &p->operation, fd);
		break;
	default:
		uring_fallocate(u, &p->operation, fd, r->mode, p->offset, p->left);
	}
}

static void start_request(struct request *r)
{
	unsigned int i;

	if (!r->pieces) {
		end_request(r);
		return;
	}
	r->under_way = r->pieces;
	for (i = 0; i < r->pieces; i++) {
		device_operation_begun(r->device);
		start_piece(&r->piece[i]);
	}
}

int request_next(struct device *d, unsigned int q)
{
	static struct chain scratch;	/* 4 KiB that need no place in every stack frame */
	struct fetch f = { .d = d, .queue = q, .chain = &scratch };
	struct block *b = d->data;
	struct request *r;
	int rc;

	rc = guarded(d->channel, fetch, &f);
	if (rc < 0)
		return rc;
	if (f.none)
		return 0;
	linger_found(d);
	if (b->queue[q].replayed == b->queue[q].replay.count && !limit_passes(&b->limit))
		return -EBUSY;
	rc = build(d, &f, &r);
	if (rc)
		return rc;
	rc = guarded(d->channel, take, r);
	if (rc) {
		give_back(r);
		return rc;
	}
	CRASH_POINT("recorded");
	start_request(r);
	CRASH_POINT("started");
	return 1;
}

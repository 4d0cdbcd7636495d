/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One restricted io_uring. liburing 2.3 does not export its two calls for restrictions, so those
 * are made here by number (io_uring_register(2)).
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <common/log.h>

#include "uring.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int restrict_ring(struct io_uring *ring)
{
	static const uint8_t operations[] = {
		IORING_OP_READ,		/* direct I/O, when the pool could not be registered */
		IORING_OP_WRITE,
		IORING_OP_READ_FIXED,	/* direct I/O from the pool */
		IORING_OP_WRITE_FIXED,
		IORING_OP_READV,	/* the page cache and the guest's memory */
		IORING_OP_WRITEV,
		IORING_OP_FSYNC,	/* flush */
		IORING_OP_FALLOCATE,	/* discard, write zeroes */
	};
	struct io_uring_restriction r[ARRAY_SIZE(operations) + 1];
	size_t i;

	/* No flag of an entry and no other register operation is named, so none is allowed. */
	memset(r, 0, sizeof(r));
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		r[i].opcode = IORING_RESTRICTION_SQE_OP;
		r[i].sqe_op = operations[i];
	}
	r[i].opcode = IORING_RESTRICTION_REGISTER_OP;
	r[i].register_op = IORING_REGISTER_BUFFERS_UPDATE;
	if (syscall(__NR_io_uring_register, ring->ring_fd, IORING_REGISTER_RESTRICTIONS, r,
		    ARRAY_SIZE(r)) < 0)
		return -errno;
	if (syscall(__NR_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL,
		    0) < 0)
		return -errno;
	return 0;
}

int uring_init(struct uring *u, const struct pool *p)
{
	struct io_uring_params parameters = { .flags = IORING_SETUP_R_DISABLED };
	int rc;

	if (p->size / POOL_SLAB > URING_SLABS)
		return -E2BIG;
	memset(u, 0, sizeof(*u));
	u->pool = p;
	rc = io_uring_queue_init_params(URING_OPERATIONS, &u->ring, &parameters);
	if (rc)
		return rc;
	rc = io_uring_register_buffers_sparse(&u->ring, p->size / POOL_SLAB);
	u->fixed = rc == 0;
	if (rc)
		log_info("direct I/O goes without registered buffers: %s", strerror(-rc));
	rc = restrict_ring(&u->ring);
	if (rc)
		io_uring_queue_exit(&u->ring);
	return rc;
}

void uring_uninit(struct uring *u)
{
	io_uring_queue_exit(&u->ring);
}

int uring_fd(const struct uring *u)
{
	return u->ring.ring_fd;
}

bool uring_room(const struct uring *u, unsigned int operations)
{
	return URING_OPERATIONS - u->under_way >= operations;
}

/* Never NULL: the queue has as many entries as operations may be under way. */
static struct io_uring_sqe *start(struct uring *u)
{
	u->under_way++;
	return io_uring_get_sqe(&u->ring);
}

static int update(struct uring *u, unsigned int slab, struct iovec memory)
{
	int rc = io_uring_register_buffers_update_tag(&u->ring, slab, &memory, NULL, 1);

	return rc < 0 ? rc : 0;
}

/* The registered buffer that holds this block of the pool, or -1: it goes without one. */
static int buffer_of(struct uring *u, const void *block)
{
	size_t i = ((const char *)block - u->pool->base) / POOL_SLAB;
	uint64_t bit = UINT64_C(1) << i % 64;
	int rc;

	if (u->slab[i / 64] & bit)
		return i;
	if (!u->fixed)
		return -1;
	rc = update(u, i, (struct iovec){ u->pool->base + i * POOL_SLAB, POOL_SLAB });
	if (rc) {
		u->fixed = false;
		log_info("direct I/O goes without more registered buffers (limit on locked "
			 "memory): %s", strerror(-rc));
		return -1;
	}
	u->slab[i / 64] |= bit;
	return i;
}

bool uring_release(struct uring *u)
{
	bool all = true;

	for (unsigned int i = 0; i < u->pool->size / POOL_SLAB; i++) {
		if (!(u->slab[i / 64] & UINT64_C(1) << i % 64))
			continue;
		/* Sparse again. Registered, it would go on meaning the pages of before. */
		if (update(u, i, (struct iovec){ NULL, 0 }))
			all = false;
		else
			u->slab[i / 64] &= ~(UINT64_C(1) << i % 64);
	}
	return all;
}

void uring_read(struct uring *u, struct operation *o, int fd, void *buffer, uint32_t n,
		uint64_t offset)
{
	struct io_uring_sqe *s = start(u);
	int index = buffer_of(u, buffer);

	if (index >= 0)
		io_uring_prep_read_fixed(s, fd, buffer, n, offset, index);
	else
		io_uring_prep_read(s, fd, buffer, n, offset);
	io_uring_sqe_set_data(s, o);
}

void uring_write(struct uring *u, struct operation *o, int fd, const void *buffer, uint32_t n,
		 uint64_t offset, int rw_flags)
{
	struct io_uring_sqe *s = start(u);
	int index = buffer_of(u, buffer);

	if (index >= 0)
		io_uring_prep_write_fixed(s, fd, buffer, n, offset, index);
	else
		io_uring_prep_write(s, fd, buffer, n, offset);
	s->rw_flags = rw_flags;
	io_uring_sqe_set_data(s, o);
}

void uring_readv(struct uring *u, struct operation *o, int fd, const struct iovec *iov,
		 unsigned int n, uint64_t offset)
{
	struct io_uring_sqe *s = start(u);

	io_uring_prep_readv(s, fd, iov, n, offset);
	io_uring_sqe_set_data(s, o);
}

void uring_writev(struct uring *u, struct operation *o, int fd, const struct iovec *iov,
		  unsigned int n, uint64_t offset, int rw_flags)
{
	struct io_uring_sqe *s = start(u);

	io_uring_prep_writev(s, fd, iov, n, offset);
	s->rw_flags = rw_flags;
	io_uring_sqe_set_data(s, o);
}

void uring_datasync(struct uring *u, struct operation *o, int fd)
{
	struct io_uring_sqe *s = start(u);

	io_uring_prep_fsync(s, fd, IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data(s, o);
}

void uring_fallocate(struct uring *u, struct operation *o, int fd, int mode, uint64_t offset,
		     uint64_t length)
{
	struct io_uring_sqe *s = start(u);

	io_uring_prep_fallocate(s, fd, mode, offset, length);
	io_uring_sqe_set_data(s, o);
}

void uring_submit(struct uring *u)
{
	int r;

	if (!io_uring_sq_ready(&u->ring))
		return;
	r = io_uring_submit(&u->ring);
	if (r < 0 && r != -EINTR)
		log_errno(LOG_WARNING, r, "io_uring refuses operations for now");
}

bool uring_pending(const struct uring *u)
{
	return io_uring_sq_ready(&u->ring) != 0;
}

bool uring_ready(const struct uring *u)
{
	return io_uring_cq_ready(&u->ring) != 0;
}

void uring_wait(struct uring *u, unsigned int milliseconds)
{
	struct __kernel_timespec t = { .tv_nsec = milliseconds * 1000000LL };
	struct io_uring_cqe *c;

	io_uring_wait_cqe_timeout(&u->ring, &c, &t);
}

unsigned int uring_reap(struct uring *u, unsigned int most)
{
	struct io_uring_cqe *c;
	struct operation *o;
	unsigned int n;
	int result;

	for (n = 0; n < most && io_uring_peek_cqe(&u->ring, &c) == 0; n++) {
		o = io_uring_cqe_get_data(c);
		result = c->res;
		/* Given back first: complete() may start the rest of a short operation. */
		io_uring_cqe_seen(&u->ring, c);
		u->under_way--;
		o->complete(o, result);
	}
	return n;
}

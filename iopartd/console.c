/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console channel's server: from the client's ring to the log and back.
 *
 * The log has every byte exactly once, whoever serves and dies: a byte's number fixes its place in
 * the file (io.h, struct io_console_private), it leaves the ring only when it is there, and a
 * server that takes over simply writes again from where the ring's tail is. The fence on the log
 * keeps a late write of the old server out.
 *
 * Cutting the log is restartable in the same way: the tail is copied over the head, which
 * overlaps nothing as it is at most half; then base moves; then the file is truncated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/crash.h>
#include <common/log.h>

#include "console.h"
#include "consolesock.h"
#include "statistics.h"

#define PART	16384u		/* bytes copied in one step */
#define TURN	4u		/* steps a turn */

struct console {
	uint64_t tail;		/* tx_tail: ours, so the shared one is a report */
	uint64_t head;		/* rx_head, likewise */
	uint64_t base;		/* io_console_private.base, likewise */
	uint64_t size;		/* of the log: tail - base */
	uint64_t cut;		/* bytes cut off since we serve */
	bool failed;		/* the log cannot be written: said once */
	int broken;		/* -errno: the next turn gives the device up */
};

static char part[PART];		/* one thread */

struct words {
	struct device *d;
	uint64_t tx_head, rx_tail, tx_tail, rx_head, base, rotating;
	uint32_t layout_version;
};

static int load_words(void *argument)
{
	struct words *w = argument;
	const struct io_console_client *c = channel_peer(w->d->channel);
	struct io_console_server *s = channel_own(w->d->channel);
	struct io_console_private *p = channel_private(w->d->channel);

	/* Acquire: pairs with the client's release, after which the bytes are in the ring. */
	w->tx_head = atomic_load_explicit(&c->tx_head, memory_order_acquire);
	w->rx_tail = atomic_load_explicit(&c->rx_tail, memory_order_acquire);
	w->tx_tail = atomic_load(&s->tx_tail);
	w->rx_head = atomic_load(&s->rx_head);
	w->layout_version = atomic_load(&p->layout_version);
	w->base = atomic_load(&p->base);
	w->rotating = atomic_load(&p->rotating);
	return 0;
}

/* ---- one word of ours at a time, each a step that a take-over may find done or not */

struct store {
	_Atomic uint64_t *word;
	uint64_t value;
};

static int store_word(void *argument)
{
	struct store *s = argument;

	/*
	 * seq_cst: after tx_tail the head is looked at once more, before this server sleeps. Pairs
	 * with the client, which stores its head and then looks whether the tail had caught up.
	 */
	atomic_store(s->word, s->value);
	return 0;
}

static int set_word(struct device *d, _Atomic uint64_t *word, uint64_t value)
{
	struct store s = { word, value };

	return guarded(d->channel, store_word, &s);
}

static struct io_console_private *private_words(struct device *d)
{
	return channel_private(d->channel);
}

/* ---- the log */

static int write_all(int fd, const char *from, size_t n, uint64_t offset)
{
	ssize_t r;

	while (n) {
		r = pwrite(fd, from, n, (off_t)offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		from += r;
		n -= r;
		offset += r;
	}
	return 0;
}

/* Copies [from, from + n) of the log to its beginning. */
static int copy_tail(int fd, uint64_t from, uint64_t n)
{
	uint64_t at;
	ssize_t r;
	int rc;

	for (at = 0; at < n; at += r) {
		r = pread(fd, part, n - at < PART ? n - at : PART, (off_t)(from + at));
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		rc = write_all(fd, part, r, at);
		if (rc)
			return rc;
		CRASH_POINT("tail-part");
	}
	return 0;
}

/* From any state that a cut to the base `to` may have been left in. size: up to tail. */
static int cut_log(struct device *d, uint64_t to)
{
	struct console *c = d->data;
	uint64_t removed = to - c->base;
	int rc;

	if (removed) {
		rc = copy_tail(d->backing, removed, c->size - removed);
		if (rc)
			return rc;
		CRASH_POINT("tail-copied");
		rc = set_word(d, &private_words(d)->base, to);
		if (rc)
			return rc;
		c->base = to;
		c->size -= removed;
		c->cut += removed;
	}
	CRASH_POINT("base-moved");
	if (ftruncate(d->backing, (off_t)c->size) < 0)
		return -errno;
	CRASH_POINT("truncated");
	return set_word(d, &private_words(d)->rotating, 0);
}

static int rotate(struct device *d)
{
	struct console *c = d->data;
	uint64_t to = c->base + (c->size - CONSOLE_LOG_KEEP);
	int rc;

	/* 0 means none; a base of 0 that is cut to is as good as the next one. */
	if (!to)
		to++;
	rc = set_word(d, &private_words(d)->rotating, to);
	CRASH_POINT("rotating");
	return rc ? rc : cut_log(d, to);
}

static int console_open(struct device *d)
{
	int flags = fcntl(d->backing, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(d->backing, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (flags & O_ACCMODE) != O_RDWR)
		return -EBADF;
	/* Our own offsets: with O_APPEND pwrite would append wherever it is told to write. */
	if (fcntl(d->backing, F_SETFL, flags & ~O_APPEND) < 0)
		return -errno;
	d->data = calloc(1, sizeof(struct console));
	return d->data ? 0 : -ENOMEM;
}

static int begin_words(void *argument)
{
	struct words *w = argument;
	struct io_console_private *p = channel_private(w->d->channel);

	atomic_store(&p->base, w->base);
	atomic_store(&p->rotating, 0);
	atomic_store_explicit(&p->layout_version, IO_LAYOUT_VERSION, memory_order_release);
	return 0;
}

static int offer(void *argument)
{
	struct device *d = argument;
	struct io_console_server *s = channel_own(d->channel);

	atomic_store(&s->state, IO_SERVER_READY);
	return 0;
}

static int console_promote(struct device *d)
{
	struct console *c = d->data;
	struct words w = { .d = d };
	struct stat st;
	bool fresh;
	int rc;

	rc = guarded(d->channel, load_words, &w);
	if (rc)
		return rc;
	if (w.layout_version != 0 && w.layout_version != IO_LAYOUT_VERSION)
		return -EOPNOTSUPP;
	if (fstat(d->backing, &st) < 0)
		return -errno;
	/* The log may be older than the channel, and somebody may have emptied it. */
	fresh = w.layout_version == 0 || w.tx_tail - w.base > (uint64_t)st.st_size;
	if (fresh) {
		w.base = w.tx_tail - st.st_size;
		rc = guarded(d->channel, begin_words, &w);
		if (rc)
			return rc;
	}
	*c = (struct console){
		.tail = w.tx_tail, .head = w.rx_head, .base = w.base, .size = w.tx_tail - w.base,
	};
	if (w.rotating && !fresh) {
		/* Copied not at all, in part or whole: unless base moved, the source is there. */
		if (w.rotating - w.base > c->size)
			return -EUCLEAN;
		rc = cut_log(d, w.rotating);
	} else if (ftruncate(d->backing, (off_t)c->size) < 0) {
		rc = -errno;
	}
	if (!rc)
		rc = guarded(d->channel, offer, d);
	return rc ? rc : channel_ring(d->channel, IO_DOORBELL_STATE);
}

/* ---- what has passed */

struct said {
	struct device *d;
	enum io_operation what;
	uint64_t bytes;
	bool failed;
};

static int count(void *argument)
{
	const struct said *s = argument;

	statistics_done(s->d, s->what, 0, s->bytes, s->failed, UINT64_MAX, statistics_now());
	return 0;
}

static int count_bytes(struct device *d, enum io_operation what, uint64_t bytes, bool failed)
{
	struct said s = { .d = d, .what = what, .bytes = bytes, .failed = failed };

	return guarded(d->channel, count, &s);
}

/* ---- from the guest */

struct take {
	struct device *d;
	uint64_t from;
	size_t n;
	bool wake;
};

static int take(void *argument)
{
	struct take *t = argument;
	const struct io_console_client *c = channel_peer(t->d->channel);
	uint64_t head = atomic_load(&c->tx_head);
	uint64_t waiting = head - t->from;
	size_t at = t->from % IO_CONSOLE_TX_SIZE, first;

	if (waiting > IO_CONSOLE_TX_SIZE)
		return -EPROTO;
	/* A client that found no room sleeps; it was at least this full when it looked. */
	t->wake = waiting >= IO_CONSOLE_TX_SIZE / 2;
	t->n = waiting < PART ? waiting : PART;
	first = t->n < IO_CONSOLE_TX_SIZE - at ? t->n : IO_CONSOLE_TX_SIZE - at;
	memcpy(part, c->tx + at, first);
	memcpy(part + first, c->tx, t->n - first);
	return 0;
}

/* One step. 1: there may be more; 0: the ring is empty; else an error. */
static int log_part(struct device *d)
{
	struct console *c = d->data;
	struct io_console_server *s = channel_own(d->channel);
	struct take t = { .d = d, .from = c->tail };
	bool failed;
	int rc;

	rc = guarded(d->channel, take, &t);
	if (rc || !t.n)
		return rc;
	rc = write_all(d->backing, part, t.n, c->size);
	CRASH_POINT("logged");
	if (rc && !c->failed)
		device_log(d, LOG_ERR, "the console's log cannot be written: %s; what the guest "
			   "says is lost until it can", strerror(-rc));
	c->failed = rc != 0;
	c->tail += t.n;
	if (rc) {
		/* The guest must not stop for its log. What follows takes the lost bytes' place. */
		c->base += t.n;
		rc = set_word(d, &private_words(d)->base, c->base);
		if (rc)
			return rc;
	} else {
		c->size += t.n;
	}
	failed = c->failed;
	rc = set_word(d, &s->tx_tail, c->tail);
	CRASH_POINT("tail-moved");
	if (!rc)
		rc = count_bytes(d, IO_WRITE, failed ? 0 : t.n, failed);
	if (!rc && c->size >= CONSOLE_LOG_LIMIT)
		rc = rotate(d);
	if (!rc && t.wake)
		rc = channel_ring(d->channel, IO_DOORBELL_STATE);
	return rc ? rc : 1;
}

static bool console_turn(struct device *d)
{
	const struct console *c = d->data;
	unsigned int i;
	int rc = c->broken ? c->broken : 1;

	for (i = 0; i < TURN && rc == 1; i++)
		rc = log_part(d);
	if (rc < 0) {
		if (rc == -EPROTO)
			device_log(d, LOG_ERR, "the console's client counts wrong; it is given up");
		device_lost(d, rc);
		return false;
	}
	consolesock_changed(d);
	return rc == 1;
}

/* ---- to the guest */

struct type {
	struct device *d;
	const char *from;
	size_t n;		/* wanted, then done */
	size_t room;
};

static int type(void *argument)
{
	struct type *t = argument;
	const struct io_console_client *c = channel_peer(t->d->channel);
	struct io_console_server *s = channel_own(t->d->channel);
	struct console *k = t->d->data;
	uint64_t tail = atomic_load_explicit(&c->rx_tail, memory_order_acquire);
	size_t at = k->head % IO_CONSOLE_RX_SIZE, first;

	if (k->head - tail > IO_CONSOLE_RX_SIZE)
		return -EPROTO;
	t->room = IO_CONSOLE_RX_SIZE - (k->head - tail);
	if (t->n > t->room)
		t->n = t->room;
	first = t->n < IO_CONSOLE_RX_SIZE - at ? t->n : IO_CONSOLE_RX_SIZE - at;
	memcpy(s->rx + at, t->from, first);
	memcpy(s->rx, t->from + first, t->n - first);
	k->head += t->n;
	/* Pairs with the client's acquire: the bytes before the counter. */
	atomic_store_explicit(&s->rx_head, k->head, memory_order_release);
	return 0;
}

static int type_bytes(struct device *d, struct type *t)
{
	struct console *k = d->data;
	int rc = guarded(d->channel, type, t);

	if (!rc && t->n)
		rc = count_bytes(d, IO_READ, t->n, false);
	if (!rc && t->n)
		rc = channel_ring(d->channel, IO_DOORBELL_STATE);
	if (rc) {
		/* Not here: the loss closes connections, and one of them is our caller. */
		k->broken = rc;
		device_schedule(d);
	}
	return rc;
}

size_t console_room(struct device *d)
{
	struct type t = { .d = d, .from = "" };

	return d->state != DEVICE_SERVING || type_bytes(d, &t) ? 0 : t.room;
}

size_t console_type(struct device *d, const void *from, size_t n)
{
	struct type t = { .d = d, .from = from, .n = n };

	return d->state != DEVICE_SERVING || type_bytes(d, &t) ? 0 : t.n;
}

/* ---- for those who are attached */

struct device *console_find(struct iopart *io, const uint8_t partition_uuid[16])
{
	struct device *d;

	for (d = io->devices; d; d = d->next) {
		if (d->type == &console_device && d->state == DEVICE_SERVING &&
		    !memcmp(d->id.partition_uuid, partition_uuid, 16))
			return d;
	}
	return NULL;
}

uint64_t console_begin(const struct device *d)
{
	const struct console *c = d->data;

	return c->cut;
}

uint64_t console_end(const struct device *d)
{
	const struct console *c = d->data;

	return c->cut + c->size;
}

ssize_t console_read(const struct device *d, uint64_t position, void *to, size_t n)
{
	const struct console *c = d->data;
	uint64_t left = console_end(d) - position;
	ssize_t r;

	r = pread(d->backing, to, left < n ? left : n, (off_t)(position - c->cut));
	return r < 0 ? -errno : r;
}

static void console_doorbell(struct device *d, unsigned int index)
{
	(void)d;
	(void)index;
}

static int console_waits(void *device)
{
	const struct device *d = device;
	const struct io_console_client *peer = channel_peer(d->channel);
	const struct console *c = d->data;

	return atomic_load(&peer->tx_head) != c->tail;
}

static void console_lost(struct device *d)
{
	consolesock_lost(d);
}

static void console_close(struct device *d)
{
	free(d->data);
	d->data = NULL;
}

const struct device_type console_device = {
	.geometry = {
		.type = CHANNEL_CONSOLE,
		.layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CONSOLE_CLIENT_SIZE,
		.server_size = IO_CONSOLE_SERVER_SIZE,
		.private_size = IO_CONSOLE_PRIVATE_SIZE,
	},
	.bells = 1,
	.fenced = true,
	.open = console_open,
	.promote = console_promote,
	.doorbell = console_doorbell,
	.waits = console_waits,
	.turn = console_turn,
	.lost = console_lost,
	.close = console_close,
};

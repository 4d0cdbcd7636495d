/* SPDX-License-Identifier: Apache-2.0 */
/* The console channel's client side. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/io.h>

#include "console.h"

/*
 * A guest waits for a full ring, as it would for a slow line. But when no server takes anything
 * for this long, a console is not worth a standing guest: bytes are dropped and counted.
 */
#define PATIENCE_NS	2000000000ULL

static const struct channel_geometry geometry = {
	.type = CHANNEL_CONSOLE,
	.layout_version = IO_LAYOUT_VERSION,
	.client_size = IO_CONSOLE_CLIENT_SIZE,
	.server_size = IO_CONSOLE_SERVER_SIZE,
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static struct io_console_client *own(const struct console *c)
{
	return channel_own(c->channel);
}

static const struct io_console_server *peer(const struct console *c)
{
	return channel_peer(c->channel);
}

static void lose(struct console *c, const char *why)
{
	struct channel_status status;

	if (c->broken)
		return;
	log_error("console: %s; the guest's output is dropped until another server comes", why);
	c->broken = true;
	c->broken_epoch = channel_status(c->channel, &status) ? 0 : status.epoch;
}

void console_wake(struct console *c)
{
	struct channel_status status;

	if (c->broken && !channel_status(c->channel, &status) && status.epoch != c->broken_epoch)
		c->broken = false;
}

int console_connect(int fd, struct channel **out)
{
	return channel_open(out, fd, &geometry);
}

int console_open(struct console *c, struct channel *channel)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->channel = channel;
	if (!channel)
		return 0;
	rc = channel_load_u64(c->channel, &own(c)->tx_head, &c->tx_head);
	if (!rc)
		rc = channel_load_u64(c->channel, &own(c)->rx_tail, &c->rx_tail);
	c->tx_tail = c->tx_head;
	return rc;
}

int console_fd(const struct console *c)
{
	return c->channel ? channel_doorbell_fd(c->channel, 0) : -1;
}

/* Refreshes tx_tail; the ring's fill must make sense before anything is done with it. */
static uint64_t fill(struct console *c)
{
	uint64_t tail;

	if (channel_load_u64(c->channel, &peer(c)->tx_tail, &tail))
		lose(c, "its channel is gone");
	else if (c->tx_head - tail > IO_CONSOLE_TX_SIZE)
		lose(c, "its server counts bytes that were never written");
	else
		c->tx_tail = tail;
	return c->tx_head - c->tx_tail;
}

bool console_room(struct console *c)
{
	uint64_t now;

	if (!c->channel || c->broken || c->tx_head - c->tx_tail < IO_CONSOLE_TX_SIZE ||
	    fill(c) < IO_CONSOLE_TX_SIZE) {
		c->full_since = 0;
		return true;
	}
	now = now_ns();
	if (!c->full_since)
		c->full_since = now;
	return now - c->full_since >= PATIENCE_NS;
}

static void ring(struct console *c)
{
	if (!c->broken && channel_ring(c->channel, 0))
		lose(c, "its doorbell is gone");
}

static void store(struct console *c, const void *bytes, unsigned int n)
{
	unsigned int at = c->tx_head % IO_CONSOLE_TX_SIZE;
	unsigned int first = n < IO_CONSOLE_TX_SIZE - at ? n : IO_CONSOLE_TX_SIZE - at;
	uint64_t before;

	if (channel_copy_out(c->channel, own(c)->tx + at, bytes, first) ||
	    channel_copy_out(c->channel, own(c)->tx, (const char *)bytes + first, n - first) ||
	    channel_guard_begin(c->channel)) {
		lose(c, "its channel is gone");
		return;
	}
	before = c->tx_head;
	c->tx_head += n;
	/*
	 * seq_cst on both sides: the server stores its tail, then looks at the head once more
	 * before it sleeps. So either it sees this head, or fill sees that it had caught up.
	 */
	atomic_store(&own(c)->tx_head, c->tx_head);
	atomic_thread_fence(memory_order_seq_cst);
	channel_guard_end(c->channel);
	fill(c);
	if (c->tx_tail >= before || memchr(bytes, '\n', n))
		ring(c);
}

void console_put(struct console *c, uint8_t byte)
{
	char note[64];

	if (!c->channel) {
		if (c->to_stdout && write(STDOUT_FILENO, &byte, 1) < 0)
			c->to_stdout = false;
		return;
	}
	if (c->broken)
		return;
	if (c->tx_head - c->tx_tail >= IO_CONSOLE_TX_SIZE - sizeof(note) &&
	    fill(c) >= IO_CONSOLE_TX_SIZE - (c->lost ? sizeof(note) : 0)) {
		if (!c->lost++)
			log_warning("console: nobody takes the guest's output; bytes are dropped");
		return;
	}
	if (c->broken)
		return;
	if (c->lost) {
		store(c, note, snprintf(note, sizeof(note), "\r\n[ultravisor: %llu bytes lost]\r\n",
					(unsigned long long)c->lost));
		c->lost = 0;
	}
	store(c, &byte, 1);
}

void console_note(struct console *c, const char *format, ...)
{
	char text[512], line[sizeof(text) + 32];
	const char *p;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "\r\n[ultravisor: %s]\r\n", text);
	for (p = line; *p; p++)
		console_put(c, *p);
}

int console_get(struct console *c)
{
	uint64_t head;
	uint8_t byte;

	if (!c->channel || c->broken)
		return -EAGAIN;
	if (channel_load_u64(c->channel, &peer(c)->rx_head, &head)) {
		lose(c, "its channel is gone");
		return -EAGAIN;
	}
	if (head == c->rx_tail)
		return -EAGAIN;
	if (head - c->rx_tail > IO_CONSOLE_RX_SIZE) {
		lose(c, "its server counts bytes that do not fit");
		return -EAGAIN;
	}
	if (channel_copy_in(c->channel, &byte, peer(c)->rx + c->rx_tail % IO_CONSOLE_RX_SIZE, 1)) {
		lose(c, "its channel is gone");
		return -EAGAIN;
	}
	c->rx_tail++;
	return byte;
}

void console_taken(struct console *c)
{
	if (!c->channel || c->broken)
		return;
	if (channel_guard_begin(c->channel)) {
		lose(c, "its channel is gone");
		return;
	}
	atomic_store_explicit(&own(c)->rx_tail, c->rx_tail, memory_order_release);
	channel_guard_end(c->channel);
	ring(c);
}

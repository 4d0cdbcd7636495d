/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end of an I/O channel. */
#include <errno.h>
#include <string.h>

#include <common/log.h>

#include "io_link.h"

/* A server writes its configuration rarely: more retries than this is a server that lies. */
#define CONFIG_TRIES 16

static struct io_client *own(const struct io_link *l)
{
	return channel_own(l->channel);
}

static void lose(struct io_link *l)
{
	if (!l->lost)
		log_error("an I/O channel of the guest is gone: its device answers no more");
	l->lost = true;
}

static void publish(struct io_link *l, uint32_t state)
{
	if (l->lost)
		return;
	if (channel_guard_begin(l->channel)) {
		lose(l);
		return;
	}
	l->generation++;
	atomic_store_explicit(&own(l)->state, state, memory_order_relaxed);
	/* Release: pairs with the server's acquire load of generation before it copies the area. */
	atomic_store_explicit(&own(l)->generation, l->generation, memory_order_release);
	channel_guard_end(l->channel);
	if (channel_ring(l->channel, IO_DOORBELL_STATE))
		lose(l);
}

int io_link_connect(int fd, uint32_t type, struct channel **out)
{
	const struct channel_geometry geometry = {
		.type = type,
		.layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CLIENT_SIZE,
		.server_size = IO_SERVER_SIZE,
		.doorbells = IO_DOORBELLS,
	};

	return channel_open(out, fd, &geometry);
}

int io_link_open(struct io_link *l, struct channel *channel)
{
	uint32_t state;
	int rc;

	memset(l, 0, sizeof(*l));
	l->channel = channel;
	rc = channel_load_u32(l->channel, &own(l)->generation, &l->generation);
	if (!rc)
		rc = channel_load_u32(l->channel, &own(l)->state, &state);
	if (rc)
		return rc;
	if (state != IO_CLIENT_DOWN)
		publish(l, IO_CLIENT_DOWN);
	return 0;
}

/* The sequence lock of config: even and unchanged around the copy. */
static int read_config(struct io_link *l, const struct io_server *s, uint8_t *to,
		       uint32_t *generation)
{
	uint32_t before, after;
	int rc, i;

	for (i = 0; i < CONFIG_TRIES; i++) {
		rc = channel_load_u32(l->channel, &s->config_generation, &before);
		if (rc)
			return rc;
		rc = channel_copy_in(l->channel, to, s->config, IO_CONFIG_SIZE);
		if (rc)
			return rc;
		/* Pairs with the server's release store of the even number after its change. */
		atomic_thread_fence(memory_order_acquire);
		rc = channel_load_u32(l->channel, &s->config_generation, &after);
		if (rc)
			return rc;
		if (before == after && !(before & 1)) {
			*generation = before;
			return 0;
		}
	}
	return -EAGAIN;
}

/* The device as its server describes it. It must be one that the layout can carry. */
static int read_device(struct io_link *l, const struct io_server *s, struct io_server *copy)
{
	int rc = channel_copy_in(l->channel, copy, s, sizeof(*copy));

	if (rc)
		return rc;
	if (!copy->queues || copy->queues > IO_MAX_QUEUES || !copy->queue_size_max ||
	    copy->queue_size_max > IO_MAX_QUEUE_SIZE ||
	    copy->queue_size_max & (copy->queue_size_max - 1) || copy->config_size > IO_CONFIG_SIZE)
		return -EPROTO;
	return 0;
}

bool io_link_refresh(struct io_link *l)
{
	const struct io_server *s = channel_peer(l->channel);
	uint8_t config[IO_CONFIG_SIZE];
	struct io_server copy;
	bool changed = false;
	uint32_t state;
	int rc;

	if (l->lost)
		return false;
	rc = channel_load_u32(l->channel, &s->state, &state);
	if (!rc)
		rc = channel_load_u32(l->channel, &s->acknowledged, &l->acknowledged);
	if (!rc)
		rc = channel_load_u32(l->channel, &s->broken, &l->broken);
	if (rc) {
		lose(l);
		return false;
	}
	if (state != IO_SERVER_READY)
		return false;
	if (!l->ready) {
		/* Taken over once: a device does not change its shape under a running guest. */
		rc = read_device(l, s, &copy);
		if (rc) {
			if (!l->complained)
				log_errno(LOG_ERR, rc,
					  "an I/O server describes an impossible device");
			l->complained = true;
			return false;
		}
		l->features = copy.features;
		l->queues = copy.queues;
		l->queue_size_max = copy.queue_size_max;
		l->config_size = copy.config_size;
	}
	rc = read_config(l, s, config, &l->config_generation);
	if (rc)
		return false;
	changed = l->ready && memcmp(config, l->config, l->config_size);
	memcpy(l->config, config, l->config_size);
	l->ready = true;
	return changed;
}

void io_link_fault(struct io_link *l, char text[IO_FAULT_SIZE])
{
	const struct io_server *s = channel_peer(l->channel);
	unsigned int i;

	text[0] = '\0';
	/* Pairs with the server's store of broken, which was seen before this. */
	atomic_thread_fence(memory_order_acquire);
	if (l->lost || channel_copy_in(l->channel, text, s->fault, IO_FAULT_SIZE))
		return;
	text[IO_FAULT_SIZE - 1] = '\0';
	/* It goes to a log and to a terminal: nothing that either would take for more than text. */
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}

bool io_link_settled(const struct io_link *l)
{
	return l->acknowledged == l->generation;
}

bool io_link_quiet(struct io_link *l)
{
	struct channel_status status;

	io_link_refresh(l);
	if (l->lost || io_link_settled(l))
		return true;
	return !channel_status(l->channel, &status) && !status.serving;
}

void io_link_up(struct io_link *l, uint64_t features, const struct io_queue *queues)
{
	if (l->lost)
		return;
	if (channel_copy_out(l->channel, &own(l)->features, &features, sizeof(features)) ||
	    channel_copy_out(l->channel, &own(l)->queues, &l->queues, sizeof(l->queues)) ||
	    channel_copy_out(l->channel, own(l)->queue, queues,
			     IO_MAX_QUEUES * sizeof(*queues))) {
		lose(l);
		return;
	}
	l->up = true;
	publish(l, IO_CLIENT_UP);
}

void io_link_down(struct io_link *l)
{
	if (!l->up)
		return;
	l->up = false;
	publish(l, IO_CLIENT_DOWN);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net (Virtio 1.2, 5.1) on one queue of a multi-queue tap. Queue 0 receives, 1 transmits.
 *
 * The kernel's tap takes and gives the same header as virtio (IFF_VNET_HDR, 12 bytes), checks what
 * is in it, and does the offloads. A packet that is sent goes from the guest's memory to the tap;
 * one that is received waits in our own buffer, because only then its length is known, until the
 * guest has buffers for all of it.
 *
 * Packets are handled one after the other, so the in-flight table needs its cursors alone. A batch:
 * the used elements are written; `available` is set to the used index that is about to show (the
 * intent); used->idx shows it to the guest; `used` follows. The next server compares used->idx
 * with the two cursors: a batch was either published whole, or never was: then packets to the
 * guest are lost, packets from it are sent again, as networks do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_net.h>

#include <common/crash.h>
#include <common/log.h>

#include "inflight.h"
#include "limit.h"
#include "statistics.h"
#include "tap.h"
#include "virtio.h"

#define RECEIVE		0u
#define TRANSMIT	1u
#define HEADER		sizeof(struct virtio_net_hdr_v1)
#define FRAME_MIN	14u
#define PACKET_BYTES	(HEADER + 65536u + 18u)	/* an IP packet and its Ethernet and VLAN headers */
#define TURN		32u			/* packets a turn, each way */
#define CHAINS_MAX	80u			/* buffers for one packet, 1 KiB each or more */

struct batch {
	struct device *d;
	unsigned int queue, count;
	uint32_t head[IO_MAX_QUEUE_SIZE], length[IO_MAX_QUEUE_SIZE];
	bool interrupt;
};

struct tally {
	uint64_t packets, bytes;	/* without the header */
	uint64_t dropped;		/* packets that no side could take */
};

struct network {
	struct virtio virtio;		/* first: virtio.c finds it at d->data */
	sd_event_source *tap;
	bool attached;			/* our queue of the tap */
	bool blocked;			/* the tap takes no packet now */
	uint32_t held;			/* bytes of the packet that waits for buffers; 0: none */
	struct tally tally[2];		/* not told to the statistics yet, by queue */
	struct limit limit[2];		/* each way has its own, by queue */
	struct batch batch;
	char *packet;			/* PACKET_BYTES while the driver is up */
};

static const struct virtio_type network_virtio;

static bool negotiated(const struct network *n, unsigned int feature)
{
	return n->virtio.features & 1ULL << feature;
}

/* ---- the tap */

static int tap_queue(struct device *d, bool attach)
{
	struct network *n = d->data;
	int rc = n->attached == attach ? 0 : tap_attach(d->backing, attach);

	if (!rc)
		n->attached = attach;
	return rc;
}

static void listen_to_tap(struct network *n, uint32_t events)
{
	if (!n->tap)
		return;
	sd_event_source_set_io_events(n->tap, events);
	sd_event_source_set_enabled(n->tap, events ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_tap(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct device *d = userdata;
	struct network *n = d->data;

	(void)s;
	(void)fd;
	if (revents & (EPOLLERR | EPOLLHUP)) {
		device_log(d, LOG_ERR, "its tap is gone; the guest has no network");
		n->tap = sd_event_source_disable_unref(n->tap);
		return 0;
	}
	if (d->state == DEVICE_SERVING && d->type->turn(d))
		device_schedule(d);
	return 0;
}

static int network_open(struct device *d)
{
	struct network *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	d->data = n;
	n->virtio.type = &network_virtio;
	n->virtio.queues = 2;
	rc = limit_init(&n->limit[RECEIVE], d);
	return rc ? rc : limit_init(&n->limit[TRANSMIT], d);
}

static void network_config(struct device *d, struct virtio_config *to)
{
	struct virtio_net_config c = { .status = VIRTIO_NET_S_LINK_UP, .max_virtqueue_pairs = 1 };

	to->features = 1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_STATUS |
		       1ULL << VIRTIO_NET_F_MRG_RXBUF |
		       1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM |
		       1ULL << VIRTIO_NET_F_HOST_TSO4 | 1ULL << VIRTIO_NET_F_HOST_TSO6 |
		       1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6;
	memcpy(c.mac, d->id.mac, sizeof(c.mac));
	to->size = sizeof(c);
	memcpy(to->bytes, &c, sizeof(c));
}

/* ---- publishing a batch */

static int publish(void *argument)
{
	struct batch *b = argument;
	struct network *n = b->d->data;
	struct virtqueue *q = &n->virtio.queue[b->queue];
	struct io_inflight_queue *table = IO_INFLIGHT_QUEUE(n->virtio.table, b->queue);
	struct tally *t = &n->tally[b->queue];
	unsigned int i;

	for (i = 0; i < b->count; i++)
		virtqueue_fill(q, q->published + i, b->head[i], b->length[i]);
	CRASH_POINT("filled");
	atomic_store_explicit(&table->available, q->published + b->count, memory_order_release);
	CRASH_POINT("intent");
	virtqueue_publish(q, q->published + b->count);
	CRASH_POINT("shown");
	atomic_store_explicit(&table->used, q->published, memory_order_release);
	b->interrupt = virtqueue_wants_interrupt(q);
	b->count = 0;
	statistics_done(b->d, b->queue == RECEIVE ? IO_READ : IO_WRITE, t->packets, t->bytes,
			t->dropped, UINT64_MAX, statistics_now());
	*t = (struct tally){ 0 };
	return 0;
}

/* Publishes what the batch holds, if anything. */
static int end_batch(struct network *n)
{
	struct batch *b = &n->batch;
	int rc;

	if (!b->count)
		return 0;
	rc = guarded(b->d->channel, publish, b);
	if (!rc && b->interrupt)
		virtio_interrupt(b->d, b->queue);
	return rc;
}

static void begin_batch(struct device *d, unsigned int queue)
{
	struct network *n = d->data;

	n->batch.d = d;
	n->batch.queue = queue;
	n->batch.count = 0;
}

static void note(struct network *n, unsigned int queue, uint64_t bytes, bool dropped)
{
	struct tally *t = &n->tally[queue];

	t->packets += !dropped;
	t->bytes += dropped ? 0 : bytes - HEADER;
	t->dropped += dropped;
}

static void add_to_batch(struct batch *b, uint32_t head, uint32_t length)
{
	b->head[b->count] = head;
	b->length[b->count++] = length;
}

/* ---- from the guest */

struct fetch {
	struct network *n;
	struct chain *chain;
	bool none;
};

/* The next packet to send. Nothing is recorded: until it is published it was not taken. */
static int fetch(void *argument)
{
	struct fetch *f = argument;
	struct virtqueue *q = &f->n->virtio.queue[TRANSMIT];
	int rc;

	rc = virtqueue_waiting(q);
	if (rc == 0 && virtqueue_listen(q, 0))
		rc = virtqueue_waiting(q);
	f->none = rc == 0;
	if (rc <= 0)
		return rc;
	rc = virtqueue_head(q, 0);
	return rc < 0 ? rc : virtqueue_chain(q, rc, f->chain);
}

/* Sends up to TURN packets. 1: there may be more; 0: no more now; or an error of the queue. */
static int transmit(struct device *d)
{
	static struct chain scratch;
	struct network *n = d->data;
	struct virtqueue *q = &n->virtio.queue[TRANSMIT];
	struct fetch f = { .n = n, .chain = &scratch };
	unsigned int i;
	bool dropped;
	ssize_t r;
	int rc = 0;

	begin_batch(d, TRANSMIT);
	for (i = 0; i < TURN; i++) {
		rc = guarded(d->channel, fetch, &f);
		/* Not taken, it is found again when it may pass. */
		if (rc < 0 || f.none || !limit_passes(&n->limit[TRANSMIT]))
			break;
		dropped = scratch.readable_bytes < HEADER + FRAME_MIN;
		if (!dropped) {
			r = writev(d->backing, scratch.iov, scratch.readable);
			if (r < 0 && errno == EAGAIN) {
				n->blocked = true;
				break;
			}
			/* The interface is down, or the packet is one the kernel refuses. */
			dropped = r < 0;
		}
		note(n, TRANSMIT, scratch.readable_bytes, dropped);
		limit_charge(&n->limit[TRANSMIT], scratch.readable_bytes);
		CRASH_POINT("sent");
		q->taken++;
		add_to_batch(&n->batch, scratch.head, 0);
	}
	if (rc < 0)
		return rc;
	rc = end_batch(n);
	return rc ? rc : i == TURN;
}

/* ---- to the guest */

struct deliver {
	struct network *n;
	bool wait;			/* not enough buffers */
};

/* Copies the packet that is held into the guest's next buffers, as many as it takes. */
static int deliver(void *argument)
{
	static struct chain scratch;
	static struct iovec iov[CHAINS_MAX + CHAIN_MAX];
	struct deliver *v = argument;
	struct network *n = v->n;
	struct virtqueue *q = &n->virtio.queue[RECEIVE];
	struct virtio_net_hdr_v1 *header = (struct virtio_net_hdr_v1 *)n->packet;
	uint64_t room = 0, at = 0, part;
	unsigned int chains = 0, iovs = 0, i;
	uint32_t head[CHAINS_MAX], size[CHAINS_MAX];
	bool mergeable = negotiated(n, VIRTIO_NET_F_MRG_RXBUF);
	int waiting, rc;

	waiting = virtqueue_waiting(q);
	if (waiting < 0)
		return waiting;
	while (room < n->held) {
		if ((int)chains >= waiting) {
			/* Those that come from now on ring the bell. */
			v->wait = !virtqueue_listen(q, waiting);
			if (v->wait)
				return 0;
			waiting = virtqueue_waiting(q);
			if (waiting < (int)chains + 1) {
				q->fault = "the available index of a queue went back";
				return -EPROTO;
			}
		}
		rc = virtqueue_head(q, chains);
		if (rc >= 0)
			rc = virtqueue_chain(q, rc, &scratch);
		if (rc < 0)
			return rc;
		if (scratch.readable || !scratch.writable ||
		    chains == CHAINS_MAX || iovs + scratch.writable > CHAINS_MAX + CHAIN_MAX) {
			q->fault = "receive buffers that hold no packet";
			return -EPROTO;
		}
		memcpy(&iov[iovs], scratch.iov, scratch.writable * sizeof(*iov));
		iovs += scratch.writable;
		head[chains] = scratch.head;
		size[chains++] = scratch.writable_bytes > n->held - room ? n->held - room :
				 scratch.writable_bytes;
		room += scratch.writable_bytes;
		if (!mergeable && room < n->held) {
			/* The driver wants small packets only. */
			note(n, RECEIVE, n->held, true);
			n->held = 0;
			return 0;
		}
	}
	header->num_buffers = chains;
	for (i = 0; i < iovs && at < n->held; i++) {
		part = iov[i].iov_len < n->held - at ? iov[i].iov_len : n->held - at;
		memcpy(iov[i].iov_base, n->packet + at, part);
		at += part;
	}
	for (i = 0; i < chains; i++)
		add_to_batch(&n->batch, head[i], size[i]);
	q->taken += chains;
	note(n, RECEIVE, n->held, false);
	n->held = 0;
	return 0;
}

/* Receives up to TURN packets; the tap stays readable if there are more. 0 or an error. */
static int receive(struct device *d)
{
	struct network *n = d->data;
	struct deliver v = { .n = n };
	uint32_t bytes;
	unsigned int i;
	ssize_t r;
	int rc;

	begin_batch(d, RECEIVE);
	for (i = 0; i < TURN && !v.wait; i++) {
		if (!n->held) {
			r = read(d->backing, n->packet, PACKET_BYTES);
			if (r < (ssize_t)(HEADER + FRAME_MIN))
				break;
			n->held = r;
		}
		if (!limit_passes(&n->limit[RECEIVE]))
			break;
		bytes = n->held;
		rc = guarded(d->channel, deliver, &v);
		if (!rc && !v.wait)
			limit_charge(&n->limit[RECEIVE], bytes);
		if (!rc && n->batch.count + CHAINS_MAX > IO_MAX_QUEUE_SIZE)
			rc = end_batch(n);
		if (rc)
			return rc;
	}
	return end_batch(n);
}

static bool network_turn(struct device *d)
{
	struct network *n = d->data;
	int rc = 0;

	n->blocked = false;
	if (n->virtio.up && n->virtio.queue[RECEIVE].size) {
		rc = receive(d);
		if (rc)
			virtio_failed(d, RECEIVE, rc);
	}
	if (n->virtio.up && n->virtio.queue[TRANSMIT].size) {
		rc = transmit(d);
		if (rc < 0)
			virtio_failed(d, TRANSMIT, rc);
	}
	/* While a packet waits for buffers, the tap's own queue keeps those behind it. */
	listen_to_tap(n, !n->virtio.up ? 0 :
		      (n->held ? 0 : EPOLLIN) | (n->blocked ? EPOLLOUT : 0));
	return n->virtio.up && rc == 1;
}

/* ---- the driver comes and goes */

static void network_begin(struct device *d)
{
	/* virtqueue_setup and inflight_clear have set everything to where a queue begins. */
	(void)d;
}

static int recover_queue(struct network *n, unsigned int i)
{
	struct virtqueue *q = &n->virtio.queue[i];
	struct io_inflight_queue *table = IO_INFLIGHT_QUEUE(n->virtio.table, i);
	uint64_t used, intent;
	uint16_t shown;

	if (!q->size)
		return 0;
	used = atomic_load_explicit(&table->used, memory_order_acquire);
	intent = atomic_load_explicit(&table->available, memory_order_acquire);
	shown = virtqueue_shown(q);
	if (shown == (uint16_t)intent && intent >= used && intent - used <= q->size) {
		used = intent;
	} else if (shown != (uint16_t)used) {
		q->fault = "its used index is not what a server left there";
		return -EUCLEAN;
	}
	q->taken = q->published = q->signalled = used;
	atomic_store_explicit(&table->used, used, memory_order_release);
	atomic_store_explicit(&table->available, used, memory_order_release);
	return 0;
}

static int network_recover(struct device *d)
{
	struct network *n = d->data;
	int rc = recover_queue(n, RECEIVE);

	return rc ? rc : recover_queue(n, TRANSMIT);
}

static int network_up(struct device *d)
{
	struct network *n = d->data;
	int rc;

	n->held = 0;
	if (!n->packet)
		n->packet = malloc(PACKET_BYTES);
	if (!n->packet)
		return -ENOMEM;
	rc = tap_queue(d, true);
	if (!rc)
		rc = tap_configure(d->backing, HEADER, n->virtio.features);
	if (rc) {
		device_log(d, LOG_ERR, "its tap cannot be used: %s; the guest has no network",
			   strerror(-rc));
		return 0;
	}
	rc = sd_event_add_io(d->iopart->event, &n->tap, d->backing, EPOLLIN, on_tap, d);
	return rc < 0 ? rc : 0;
}

static void network_down(struct device *d)
{
	struct network *n = d->data;

	n->tap = sd_event_source_disable_unref(n->tap);
	free(n->packet);
	n->packet = NULL;
	n->held = 0;
	limit_stop(&n->limit[RECEIVE]);
	limit_stop(&n->limit[TRANSMIT]);
	/* A queue that nobody reads would collect packets of before the reset. */
	tap_queue(d, false);
}

static const struct virtio_type network_virtio = {
	.config = network_config,
	.begin = network_begin,
	.recover = network_recover,
	.up = network_up,
	.down = network_down,
};

static void network_doorbell(struct device *d, unsigned int index)
{
	if (index == IO_DOORBELL_STATE)
		virtio_state_changed(d);
}

/* Buffers for packets that may come are none that it waits for. */
static int network_waits(void *device)
{
	return virtio_waits(device) & 1 << TRANSMIT;
}

static void network_lost(struct device *d)
{
	struct network *n = d->data;

	n->virtio.up = n->virtio.draining = false;
	network_down(d);
}

static void network_settings(struct device *d)
{
	struct network *n = d->data;

	limit_set(&n->limit[RECEIVE], &d->id.settings);
	limit_set(&n->limit[TRANSMIT], &d->id.settings);
}

static void network_close(struct device *d)
{
	struct network *n = d->data;

	limit_uninit(&n->limit[RECEIVE]);
	limit_uninit(&n->limit[TRANSMIT]);
	free(n);
	d->data = NULL;
}

const struct device_type network_device = {
	.geometry = {
		.type = CHANNEL_NETWORK,
		.layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CLIENT_SIZE,
		.server_size = IO_SERVER_SIZE,
		.private_size = IO_PRIVATE_SIZE,
		.doorbells = IO_DOORBELLS,
	},
	.bells = 3,
	.fenced = false,
	.open = network_open,
	.promote = virtio_promote,
	.doorbell = network_doorbell,
	.waits = network_waits,
	.turn = network_turn,
	.settings = network_settings,
	.lost = network_lost,
	.close = network_close,
};

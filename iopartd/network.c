/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net (Virtio 1.2, 5.1): the card, its taps and its driver's life. The kernel's tap takes
 * and gives the same header as virtio (IFF_VNET_HDR, 12 bytes), checks what is in it, and does the
 * offloads. A pair of queues that the driver does not use has its queue of the tap detached, so
 * that the kernel gives it no packets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>

#include "inflight.h"
#include "network.h"
#include "tap.h"

static const struct virtio_type network_virtio;

/* ---- the taps */

static void listen_to_tap(struct pair *p, uint32_t events)
{
	if (!p->tap)
		return;
	sd_event_source_set_io_events(p->tap, events);
	sd_event_source_set_enabled(p->tap, events ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_tap(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct pair *p = userdata;
	struct device *d = p->device;

	(void)s;
	(void)fd;
	if (revents & (EPOLLERR | EPOLLHUP)) {
		device_log(d, LOG_ERR, "its tap is gone; the guest has no network");
		p->tap = sd_event_source_disable_unref(p->tap);
		return 0;
	}
	if (d->state == DEVICE_SERVING && d->type->turn(d))
		device_schedule(d);
	return 0;
}

static void leave(struct pair *p)
{
	p->tap = sd_event_source_disable_unref(p->tap);
	free(p->packet);
	p->packet = NULL;
	p->held = 0;
	p->blocked = false;
	/* A queue that nobody reads would collect packets. */
	if (p->attached && !tap_attach(p->fd, false))
		p->attached = false;
}

static int join(struct pair *p)
{
	struct device *d = p->device;
	const struct network *n = d->data;
	int rc = 0;

	p->held = 0;
	if (!p->packet)
		p->packet = malloc(PACKET_BYTES);
	if (!p->packet)
		return -ENOMEM;
	if (!p->attached)
		rc = tap_attach(p->fd, true);
	if (!rc) {
		p->attached = true;
		rc = tap_configure(p->fd, PACKET_HEADER, n->virtio.features);
	}
	if (!rc)
		rc = sd_event_add_io(d->iopart->event, &p->tap, p->fd, EPOLLIN, on_tap, p);
	if (rc < 0)
		leave(p);
	return rc < 0 ? rc : 0;
}

int network_use(struct device *d, unsigned int pairs)
{
	struct network *n = d->data;
	unsigned int i;
	int rc;

	for (i = n->pairs; i < pairs; i++) {
		rc = join(&n->pair[i]);
		if (rc) {
			device_log(d, LOG_ERR, "queue %u of its tap cannot be used: %s", i,
				   strerror(-rc));
			while (i-- > n->pairs)
				leave(&n->pair[i]);
			return rc;
		}
	}
	for (i = pairs; i < n->pairs; i++)
		leave(&n->pair[i]);
	n->pairs = pairs;
	return 0;
}

static int network_open(struct device *d)
{
	struct network *n = calloc(1, sizeof(*n));
	unsigned int i;
	int rc;

	if (!n)
		return -ENOMEM;
	d->data = n;
	n->virtio.type = &network_virtio;
	for (i = 0; i < IO_MAX_PAIRS; i++) {
		n->pair[i].device = d;
		n->pair[i].index = i;
		n->pair[i].fd = i ? d->taps[i - 1] : d->backing;
	}
	for (n->most = 1; n->most < IO_MAX_PAIRS && d->taps[n->most - 1] >= 0; n->most++)
		;
	n->virtio.queues = n->most > 1 ? 2 * n->most + 1 : 2;
	d->bells = 1 + n->virtio.queues;
	rc = limit_init(&n->limit[TO_GUEST], d);
	return rc ? rc : limit_init(&n->limit[FROM_GUEST], d);
}

static void network_config(struct device *d, struct virtio_config *to)
{
	const struct network *n = d->data;
	struct virtio_net_config c = {
		.status = VIRTIO_NET_S_LINK_UP, .max_virtqueue_pairs = n->most,
	};

	to->features = 1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_STATUS |
		       1ULL << VIRTIO_NET_F_MRG_RXBUF |
		       1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM |
		       1ULL << VIRTIO_NET_F_HOST_TSO4 | 1ULL << VIRTIO_NET_F_HOST_TSO6 |
		       1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6;
	if (n->most > 1)
		to->features |= 1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_MQ;
	memcpy(c.mac, d->id.mac, sizeof(c.mac));
	to->size = sizeof(c);
	memcpy(to->bytes, &c, sizeof(c));
}

static void pair_turn(struct pair *p, bool *more)
{
	struct device *d = p->device;
	struct network *n = d->data;
	int rc;

	p->blocked = false;
	if (n->virtio.up && n->virtio.queue[RECEIVE(p)].size) {
		rc = frame_receive(p);
		if (rc)
			virtio_failed(d, RECEIVE(p), rc);
	}
	if (n->virtio.up && n->virtio.queue[TRANSMIT(p)].size) {
		rc = frame_transmit(p);
		if (rc < 0)
			virtio_failed(d, TRANSMIT(p), rc);
		*more |= rc > 0;
	}
	/* While a packet waits for buffers, the tap's own queue keeps those behind it. */
	listen_to_tap(p, !n->virtio.up ? 0 :
		      (p->held ? 0 : EPOLLIN) | (p->blocked ? EPOLLOUT : 0));
}

static bool network_turn(struct device *d)
{
	struct network *n = d->data;
	bool more = false;
	unsigned int i;
	int q, rc;

	q = n->virtio.up ? control_queue(n) : -1;
	if (q >= 0 && n->virtio.queue[q].size) {
		rc = control_turn(d);
		if (rc)
			virtio_failed(d, q, rc);
	}
	for (i = 0; i < n->pairs; i++)
		pair_turn(&n->pair[i], &more);
	return n->virtio.up && more;
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
	unsigned int q;
	int rc = 0;

	for (q = 0; q < n->virtio.queues && !rc; q++)
		rc = recover_queue(n, q);
	if (!rc && control_stored(n) > n->most) {
		n->virtio.queue[0].fault = "it uses more pairs of queues than there are";
		rc = -EUCLEAN;
	}
	return rc;
}

static int stored_pairs(void *argument)
{
	return control_stored(((struct device *)argument)->data);
}

static int network_up(struct device *d)
{
	int pairs = guarded(d->channel, stored_pairs, d);

	if (pairs < 0)
		return pairs;
	/* Without it the guest has no network, and its driver no fault. */
	network_use(d, pairs);
	return 0;
}

static void network_down(struct device *d)
{
	struct network *n = d->data;

	network_use(d, 0);
	limit_stop(&n->limit[TO_GUEST]);
	limit_stop(&n->limit[FROM_GUEST]);
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
	const struct network *n = ((struct device *)device)->data;
	int waits = virtio_waits(device), transmit = 0;
	unsigned int i;

	for (i = 0; i < n->most; i++)
		transmit |= 1 << TRANSMIT(&n->pair[i]);
	return waits & transmit;
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

	limit_set(&n->limit[TO_GUEST], &d->id.settings);
	limit_set(&n->limit[FROM_GUEST], &d->id.settings);
}

static void network_close(struct device *d)
{
	struct network *n = d->data;

	limit_uninit(&n->limit[TO_GUEST]);
	limit_uninit(&n->limit[FROM_GUEST]);
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

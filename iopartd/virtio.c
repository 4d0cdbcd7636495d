/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control words of an I/O channel: offer, generations, reset, broken devices.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_config.h>

#include <common/crash.h>
#include <common/log.h>

#include "inflight.h"
#include "statistics.h"
#include "virtio.h"

#define EVERY_DEVICE							\
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_EVENT_IDX |	\
	 1ULL << VIRTIO_RING_F_INDIRECT_DESC)

#define FAULTS_LOGGED 32u

static struct io_server *server_area(struct device *d)
{
	return channel_own(d->channel);
}

/* ---- the offer, once for each promotion */

struct offer {
	struct device *d;
	struct virtio_config config;
};

static int write_offer(void *argument)
{
	struct offer *o = argument;
	struct io_server *s = server_area(o->d);
	const struct virtio *v = o->d->data;
	uint32_t generation;

	/* A driver may have negotiated with the offer of the server before us. */
	if (atomic_load(&s->state) == IO_SERVER_READY && s->features & ~o->config.features)
		return -EOPNOTSUPP;
	/* Odd while it changes; a server killed in between left it odd. Pairs with the client's. */
	generation = atomic_load(&s->config_generation) | 1;
	atomic_store(&s->config_generation, generation);
	atomic_thread_fence(memory_order_seq_cst);
	s->features = o->config.features;
	s->queues = v->queues;
	s->queue_size_max = IO_MAX_QUEUE_SIZE;
	s->config_size = o->config.size;
	memcpy(s->config, o->config.bytes, sizeof(s->config));
	atomic_store(&s->config_generation, generation + 1);
	atomic_store(&s->state, IO_SERVER_READY);
	return 0;
}

/* ---- the client's word */

struct look {
	struct device *d;
	struct io_client client;	/* a copy */
	bool stable;
	uint32_t acknowledged, broken, table_generation;
};

static int look_at_client(void *argument)
{
	struct look *l = argument;
	const struct io_client *c = channel_peer(l->d->channel);
	struct io_server *s = server_area(l->d);
	struct virtio *v = l->d->data;
	uint32_t generation;

	/* Pairs with the client's release of generation, which comes after all else. */
	generation = atomic_load_explicit(&c->generation, memory_order_acquire);
	memcpy(&l->client, c, sizeof(l->client));
	atomic_thread_fence(memory_order_acquire);
	/* If it moved meanwhile, a doorbell is on its way. */
	l->stable = atomic_load_explicit(&c->generation, memory_order_relaxed) == generation;
	atomic_store(&l->client.generation, generation);
	l->acknowledged = atomic_load(&s->acknowledged);
	l->broken = atomic_load(&s->broken);
	v->table = channel_private(l->d->channel);
	if (atomic_load(&v->table->layout_version) == 0)
		atomic_store(&v->table->layout_version, IO_LAYOUT_VERSION);
	if (atomic_load(&v->table->layout_version) != IO_LAYOUT_VERSION)
		return -EOPNOTSUPP;
	l->table_generation = atomic_load(&v->table->generation);
	return 0;
}

struct fault {
	struct device *d;
	char text[IO_FAULT_SIZE];
};

static int store_broken(void *argument)
{
	const struct fault *f = argument;
	const struct virtio *v = f->d->data;
	struct io_server *s = server_area(f->d);

	memcpy(s->fault, f->text, sizeof(s->fault));
	/* Release: the client reads fault after it has seen broken (io_link_fault). */
	atomic_store(&s->broken, v->generation);
	return 0;
}

static int acknowledge(void *argument)
{
	struct device *d = argument;
	const struct virtio *v = d->data;

	CRASH_POINT("before-acknowledge");
	atomic_store(&server_area(d)->acknowledged, v->generation);
	return 0;
}

static int empty_table(void *argument)
{
	struct device *d = argument;
	struct virtio *v = d->data;

	inflight_clear(v->table, v->generation);
	statistics_forget_wait(d);
	return 0;
}

static int begin(void *argument)
{
	struct device *d = argument;
	const struct virtio *v = d->data;

	v->type->begin(d);
	return 0;
}

static int recover(void *argument)
{
	struct device *d = argument;
	const struct virtio *v = d->data;

	return v->type->recover(d);
}

static int ring_client(struct device *d)
{
	return channel_ring(d->channel, IO_DOORBELL_STATE);
}

/* Marks the device broken; the driver must reset it. Its queues are not touched again. */
static int broken(struct device *d, const char *why)
{
	struct fault f = { .d = d };
	struct virtio *v = d->data;
	int rc;

	v->up = false;
	/* A guest may go on for ever; the log gets the first few, then the 64th, 128th, … */
	v->faults++;
	if (v->faults <= FAULTS_LOGGED || !(v->faults & (v->faults - 1)))
		device_log(d, LOG_ERR, "the guest's driver is at fault: %s; the device waits for "
			   "its reset (faults so far: %u)", why, v->faults);
	snprintf(f.text, sizeof(f.text), "%s", why);
	rc = guarded(d->channel, store_broken, &f);
	if (!rc)
		rc = ring_client(d);
	return rc;
}

void virtio_failed(struct device *d, unsigned int q, int rc)
{
	struct virtio *v = d->data;

	if (rc == -EPROTO || rc == -EUCLEAN)
		rc = broken(d, v->queue[q].fault ? v->queue[q].fault : "a rule is broken");
	if (rc)
		device_lost(d, rc);
}

/* Sets up the queues as the client says. NULL, or what is wrong with it. */
static const char *set_up(struct device *d, const struct io_client *c)
{
	struct virtio *v = d->data;
	struct virtio_config offer = { 0 };
	unsigned int q;

	v->type->config(d, &offer);
	if (c->features & ~(offer.features | EVERY_DEVICE))
		return "it accepted features that were not offered";
	if (!(c->features & 1ULL << VIRTIO_F_VERSION_1))
		return "it did not accept VIRTIO_F_VERSION_1";
	if (c->queues > v->queues)
		return "it uses more queues than there are";
	if (device_map_memory(d))
		return "its memory cannot be mapped";
	v->features = c->features;
	for (q = 0; q < IO_MAX_QUEUES; q++) {
		struct io_queue from = { 0 };

		if (q < c->queues)
			from = c->queue[q];
		if (virtqueue_setup(&v->queue[q], &d->memory, &from, v->features))
			return v->queue[q].fault;
	}
	return NULL;
}

static int bring_up(struct device *d, const struct look *l, bool again)
{
	struct virtio *v = d->data;
	const char *why;
	unsigned int q;
	int rc;

	why = set_up(d, &l->client);
	if (why) {
		rc = broken(d, why);
		return rc ? rc : guarded(d->channel, acknowledge, d);
	}
	rc = guarded(d->channel, again ? recover : begin, d);
	for (q = 0; rc == -EUCLEAN && q < v->queues; q++) {
		if (v->queue[q].fault)
			return broken(d, v->queue[q].fault);
	}
	if (rc)
		return rc;
	rc = guarded(d->channel, acknowledge, d);
	if (rc)
		return rc;
	v->up = true;
	rc = v->type->up(d);
	if (rc)
		return rc;
	/* Whatever the old server owed: one interrupt a queue; the turn looks at every queue. */
	for (q = 0; again && q < v->queues; q++)
		virtio_interrupt(d, q);
	device_schedule(d);
	return 0;
}

/* Acts on the client's generation if it is new, or if this server is. */
static int act(struct device *d, bool promoted)
{
	struct virtio *v = d->data;
	struct look l = { .d = d };
	uint32_t generation, state;
	bool again;
	int rc;

	rc = guarded(d->channel, look_at_client, &l);
	if (rc)
		return rc;
	generation = atomic_load(&l.client.generation);
	state = atomic_load(&l.client.state);
	if (!l.stable || (!promoted && generation == v->generation))
		return 0;
	if (d->busy) {
		v->up = false;
		v->draining = true;
		return 0;
	}
	v->draining = false;
	if (!promoted) {
		v->up = false;
		v->type->down(d);
	}
	v->generation = generation;

	again = promoted && l.acknowledged == generation;
	if (again && (state != IO_CLIENT_UP || l.broken == generation))
		return 0;
	if (again && l.table_generation != generation)
		return broken(d, "its in-flight table belongs to another generation");
	if (!again) {
		rc = guarded(d->channel, empty_table, d);
		if (rc)
			return rc;
	}
	if (state == IO_CLIENT_UP)
		rc = bring_up(d, &l, again);
	else
		rc = guarded(d->channel, acknowledge, d);
	return rc ? rc : ring_client(d);
}

static int make_offer(struct device *d)
{
	struct virtio *v = d->data;
	struct offer o = { .d = d };
	int rc;

	v->type->config(d, &o.config);
	o.config.features |= EVERY_DEVICE;
	rc = guarded(d->channel, write_offer, &o);
	return rc ? rc : ring_client(d);
}

int virtio_promote(struct device *d)
{
	int rc = make_offer(d);

	return rc ? rc : act(d, true);
}

void virtio_config_changed(struct device *d)
{
	int rc = make_offer(d);

	if (rc)
		device_lost(d, rc);
}

void virtio_state_changed(struct device *d)
{
	int rc = act(d, false);

	if (rc)
		device_lost(d, rc);
}

void virtio_drained(struct device *d)
{
	struct virtio *v = d->data;

	if (v->draining && !d->busy && d->state == DEVICE_SERVING)
		virtio_state_changed(d);
}

int virtio_waits(void *device)
{
	const struct device *d = device;
	struct virtio *v = d->data;

	int waits = 0;

	for (unsigned int q = 0; v->up && q < v->queues; q++)
		if (v->queue[q].size && virtqueue_waiting(&v->queue[q]))
			waits |= 1 << q;
	return waits;
}

void virtio_interrupt(struct device *d, unsigned int q)
{
	int rc = channel_ring(d->channel, IO_DOORBELL_QUEUE(q));

	if (rc)
		device_lost(d, rc);
}

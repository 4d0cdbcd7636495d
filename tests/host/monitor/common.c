/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio block device (Virtio 1.2, 5.2) of one queue over an I/O channel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include <ultravisor/io.h>

#include "common.h"

#define QUEUE_SIZE 128

int disk_open(struct disk *d, int fd)
{
	const struct channel_geometry geometry = { .type = CHANNEL_BLOCK };
	struct io_server *s;
	uint64_t capacity = DISK_SECTORS;
	unsigned int i;
	int rc;

	memset(d, 0, sizeof(*d));
	rc = channel_open(&d->channel, fd, &geometry);
	if (rc)
		return rc;
	for (i = 0; i < sizeof(d->data); i += 4) {
		uint32_t sector = i / 512;

		memcpy(d->data + i, &sector, 4);
	}
	s = channel_own(d->channel);
	s->features = 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	s->queues = 1;
	s->queue_size_max = QUEUE_SIZE;
	s->config_size = IO_CONFIG_SIZE;
	memcpy(s->config, &capacity, sizeof(capacity));
	atomic_store(&s->state, IO_SERVER_READY);
	return channel_ring(d->channel, IO_DOORBELL_STATE);
}

void disk_state(struct disk *d)
{
	const struct io_client *c = channel_peer(d->channel);
	struct io_server *s = channel_own(d->channel);
	uint32_t generation = atomic_load(&c->generation);

	if (generation == d->acknowledged)
		return;
	if (atomic_load(&c->state) == IO_CLIENT_UP) {
		d->size = c->queue[0].size;
		d->desc = c->queue[0].desc;
		d->driver = c->queue[0].driver;
		d->device = c->queue[0].device;
		d->taken = 0;
	} else {
		d->size = 0;
	}
	d->acknowledged = generation;
	atomic_store(&s->acknowledged, generation);
	channel_ring(d->channel, IO_DOORBELL_STATE);
	if (d->size)
		disk_kick(d);
}

static void *at(struct disk *d, uint64_t gpa, uint64_t length)
{
	const struct channel_region *r;
	size_t count, i;

	if (channel_memory(d->channel, &r, &count))
		abort();
	for (i = 0; i < count; i++)
		if (gpa >= r[i].gpa && gpa - r[i].gpa <= r[i].length &&
		    length <= r[i].length - (gpa - r[i].gpa))
			return (char *)r[i].base + (gpa - r[i].gpa);
	abort();
}

/* One chain: header, data, status. Returns the bytes written to the guest. */
static uint32_t serve(struct disk *d, const struct vring_desc *table, uint16_t head, uint16_t size)
{
	const struct virtio_blk_outhdr *h = NULL;
	uint8_t status = VIRTIO_BLK_S_OK;
	uint64_t offset = 0;
	uint32_t written = 0;
	uint16_t i = head, steps;

	if (table[head].flags & VRING_DESC_F_INDIRECT)
		return serve(d, at(d, table[head].addr, table[head].len), 0, table[head].len / 16);
	for (steps = 0; steps < size && i < size; steps++, i = table[i].next) {
		const struct vring_desc *v = &table[i];
		void *p = at(d, v->addr, v->len);

		if (!h) {
			h = p;
			offset = h->sector * 512;
		} else if (!(v->flags & VRING_DESC_F_NEXT)) {
			*(uint8_t *)p = status;
			return written + 1;
		} else if (h->type == VIRTIO_BLK_T_GET_ID) {
			memset(p, 0, v->len);
			written += v->len;
		} else if (offset > sizeof(d->data) || v->len > sizeof(d->data) - offset) {
			status = VIRTIO_BLK_S_IOERR;
		} else if (h->type == VIRTIO_BLK_T_IN) {
			memcpy(p, d->data + offset, v->len);
			offset += v->len;
			written += v->len;
		} else if (h->type == VIRTIO_BLK_T_OUT) {
			memcpy(d->data + offset, p, v->len);
			offset += v->len;
		}
	}
	abort();
}

void disk_kick(struct disk *d)
{
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_desc *desc;

	d->kicks++;
	if (!d->size)
		return;
	desc = at(d, d->desc, 16ULL * d->size);
	avail = at(d, d->driver, 6 + 2ULL * d->size);
	used = at(d, d->device, 6 + 8ULL * d->size);
	while (__atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE) != d->taken) {
		uint16_t head = avail->ring[d->taken++ % d->size];
		uint32_t written = serve(d, desc, head, d->size);

		used->ring[used->idx % d->size] = (struct vring_used_elem){ head, written };
		__atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_RELEASE);
		d->requests++;
	}
	channel_ring(d->channel, IO_DOORBELL_QUEUE(0));
}

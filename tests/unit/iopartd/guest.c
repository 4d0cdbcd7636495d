/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake guest: its memory, and a driver for its queues.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

static char *block(struct guest *g, unsigned int i, uint64_t gpa, uint64_t size)
{
	char *at;

	g->memfd[i] = memfd_create("guest", MFD_CLOEXEC);
	assert_true(g->memfd[i] >= 0);
	assert_int_equal(ftruncate(g->memfd[i], (off_t)size), 0);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, g->memfd[i], 0);
	assert_true(at != MAP_FAILED);
	assert_int_equal(channel_grant_pair(g->server, gpa, g->memfd[i], size), 0);
	return at;
}

void guest_init(struct guest *g, enum channel_type type)
{
	struct channel_geometry geometry = {
		.type = type, .layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CLIENT_SIZE, .server_size = IO_SERVER_SIZE,
		.private_size = IO_PRIVATE_SIZE, .doorbells = IO_DOORBELLS,
	};

	if (type == CHANNEL_CONSOLE) {
		geometry.client_size = IO_CONSOLE_CLIENT_SIZE;
		geometry.server_size = IO_CONSOLE_SERVER_SIZE;
		geometry.private_size = IO_CONSOLE_PRIVATE_SIZE;
	}
	memset(g, 0, sizeof(*g));
	assert_int_equal(channel_open_pair(&g->client, &g->server, &geometry), 0);
	g->low = block(g, 0, GUEST_LOW, GUEST_LOW_SIZE);
	g->high = block(g, 1, GUEST_HIGH, GUEST_HIGH_SIZE);
	g->next = 0x10000;
}

void guest_uninit(struct guest *g)
{
	channel_close(g->client);
	channel_close(g->server);
	munmap(g->low, GUEST_LOW_SIZE);
	munmap(g->high, GUEST_HIGH_SIZE);
	close(g->memfd[0]);
	close(g->memfd[1]);
}

void *guest_at(struct guest *g, uint64_t gpa)
{
	return gpa >= GUEST_HIGH ? g->high + (gpa - GUEST_HIGH) : g->low + gpa;
}

uint64_t guest_alloc(struct guest *g, size_t n)
{
	uint64_t at = g->next;

	g->next += (n + 15) & ~15ULL;
	assert_true(g->next <= GUEST_LOW_SIZE);
	return at;
}

struct vring_desc *guest_desc(struct guest *g, unsigned int q)
{
	return guest_at(g, g->queue[q].desc);
}

struct vring_avail *guest_avail(struct guest *g, unsigned int q)
{
	return guest_at(g, g->queue[q].driver);
}

static struct vring_used *used_ring(struct guest *g, unsigned int q)
{
	return guest_at(g, g->queue[q].device);
}

static void say(struct guest *g, uint32_t state)
{
	struct io_client *c = channel_own(g->client);

	atomic_store(&c->state, state);
	atomic_fetch_add(&c->generation, 1);
	assert_int_equal(channel_ring(g->client, IO_DOORBELL_STATE), 0);
}

void guest_up(struct guest *g, uint64_t features, unsigned int queues, uint32_t size)
{
	struct io_client *c = channel_own(g->client);
	unsigned int i, n;

	g->features = features;
	g->queues = queues;
	c->features = features;
	c->queues = queues;
	for (i = 0; i < queues; i++) {
		struct guest_queue *q = &g->queue[i];

		if (q->size != size) {
			q->desc = guest_alloc(g, 16 * size);
			q->driver = guest_alloc(g, 6 + 2 * size);
			q->device = guest_alloc(g, 6 + 8 * size);
		}
		q->size = size;
		memset(guest_at(g, q->driver), 0, 6 + 2 * size);
		memset(guest_at(g, q->device), 0, 6 + 8 * size);
		q->made = q->seen = 0;
		q->frees = 0;
		for (n = size; n--;)
			q->free[q->frees++] = n;
		c->queue[i] = (struct io_queue){
			.size = size, .desc = q->desc, .driver = q->driver, .device = q->device,
		};
	}
	say(g, IO_CLIENT_UP);
}

void guest_down(struct guest *g)
{
	say(g, IO_CLIENT_DOWN);
}

uint32_t guest_generation(struct guest *g)
{
	struct io_client *c = channel_own(g->client);

	return atomic_load(&c->generation);
}

const struct io_server *guest_server(struct guest *g)
{
	return channel_peer(g->client);
}

uint32_t guest_acknowledged(struct guest *g)
{
	return atomic_load(&guest_server(g)->acknowledged);
}

uint32_t guest_broken(struct guest *g)
{
	return atomic_load(&guest_server(g)->broken);
}

uint16_t guest_submit(struct guest *g, unsigned int q, const struct buffer *b, unsigned int n,
		      bool indirect)
{
	struct guest_queue *k = &g->queue[q];
	struct vring_desc *d = guest_desc(g, q), *table;
	struct vring_avail *a = guest_avail(g, q);
	unsigned int i, links = indirect ? 1 : n;
	uint16_t slot[IO_MAX_QUEUE_SIZE];
	uint64_t at;

	assert_true(k->frees >= links && n && n <= IO_MAX_QUEUE_SIZE);
	for (i = 0; i < links; i++)
		slot[i] = k->free[--k->frees];
	if (indirect) {
		at = guest_alloc(g, n * 16);
		table = guest_at(g, at);
		d[slot[0]] = (struct vring_desc){ at, n * 16, VRING_DESC_F_INDIRECT, 0 };
	} else {
		table = d;
	}
	for (i = 0; i < n; i++)
		table[indirect ? i : slot[i]] = (struct vring_desc){
			.addr = b[i].gpa, .len = b[i].length,
			.flags = (b[i].writable ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = i + 1 < n ? (indirect ? i + 1 : slot[i + 1]) : 0,
		};
	k->links[slot[0]] = links;
	a->ring[k->made % k->size] = slot[0];
	k->made++;
	__atomic_store_n(&a->idx, k->made, __ATOMIC_RELEASE);
	return slot[0];
}

void guest_kick(struct guest *g, unsigned int q)
{
	/* A real driver looks at the event index; a kick too many is legal. */
	assert_int_equal(channel_ring(g->client, IO_DOORBELL_QUEUE(q)), 0);
}

uint16_t guest_used_index(struct guest *g, unsigned int q)
{
	return __atomic_load_n(&used_ring(g, q)->idx, __ATOMIC_ACQUIRE);
}

bool guest_used(struct guest *g, unsigned int q, uint32_t *head, uint32_t *length)
{
	struct guest_queue *k = &g->queue[q];
	struct vring_used *u = used_ring(g, q);
	struct vring_desc *d = guest_desc(g, q);
	uint16_t i, n;

	/* Never more than is in flight, or the index went back. */
	assert_true((uint16_t)(guest_used_index(g, q) - k->seen) <= (uint16_t)(k->made - k->seen));
	if (guest_used_index(g, q) == k->seen)
		return false;
	*head = u->ring[k->seen % k->size].id;
	*length = u->ring[k->seen % k->size].len;
	assert_true(*head < k->size);
	assert_true(k->links[*head] > 0);	/* exactly once */
	i = *head;
	for (n = k->links[*head]; n; n--) {
		k->free[k->frees++] = i;
		i = d[i].next;
	}
	k->links[*head] = 0;
	k->seen++;
	/* Asks for an interrupt at the next one, as Linux does. */
	__atomic_store_n(&guest_avail(g, q)->ring[k->size], k->seen, __ATOMIC_SEQ_CST);
	return true;
}

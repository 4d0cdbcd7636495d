// SPDX-License-Identifier: Apache-2.0
/*
 * What both transports have in common: one end's state, its mappings and its doorbells. The
 * transports are endpoint_module.c and endpoint_anonymous.c.
 */
#include <libchannel/channel.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "endpoint.h"

#define PAGE	4096u

int channel_create(struct channel **out, const struct endpoint_operations *operations,
		   enum channel_side side)
{
	struct channel *c = calloc(1, sizeof(*c));
	size_t i;

	if (!c)
		return -ENOMEM;
	guard_install();
	c->operations = operations;
	c->side = side;
	c->status_fd = -1;
	for (i = 0; i < ULTRAVISOR_MAX_DOORBELLS; i++)
		c->doorbell_fd[i] = -1;
	*out = c;
	return 0;
}

int endpoint_check(const struct channel_geometry *g)
{
	const uint64_t sizes[] = { g->client_size, g->server_size, g->private_size };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] % PAGE || sizes[i] > ULTRAVISOR_MAX_AREA)
			return -EPROTO;
	}
	return g->doorbells > ULTRAVISOR_MAX_DOORBELLS ? -EPROTO : 0;
}

int endpoint_map(struct endpoint_mapping *m, int fd, uint64_t offset, uint64_t length,
		 int protection)
{
	void *base;

	if (!length)
		return 0;
	base = mmap(NULL, length, protection, MAP_SHARED, fd, (off_t)offset);
	if (base == MAP_FAILED)
		return -errno;
	m->length = length;
	m->base = base;
	return 0;
}

static void unmap(struct endpoint_mapping *m)
{
	void *base = m->base;

	m->base = NULL;
	if (base)
		munmap(base, m->length);
}

void channel_close(struct channel *c)
{
	size_t i;

	if (!c)
		return;
	guard_unwatch(c);
	unmap(&c->client);
	unmap(&c->server);
	unmap(&c->private_area);
	for (i = 0; i < ULTRAVISOR_MAX_BLOCKS; i++)
		unmap(&c->memory[i]);
	c->operations->close(c);
	for (i = 0; i < ULTRAVISOR_MAX_DOORBELLS; i++) {
		if (c->doorbell_fd[i] >= 0)
			close(c->doorbell_fd[i]);
	}
	free(c);
}

enum channel_side channel_side(const struct channel *c)
{
	return c->side;
}

const struct channel_geometry *channel_geometry(const struct channel *c)
{
	return &c->geometry;
}

uint64_t channel_id(const struct channel *c)
{
	return c->id;
}

void *channel_own(struct channel *c)
{
	return c->side == CHANNEL_CLIENT ? c->client.base : c->server.base;
}

const void *channel_peer(struct channel *c)
{
	return c->side == CHANNEL_CLIENT ? c->server.base : c->client.base;
}

void *channel_private(struct channel *c)
{
	return c->private_area.base;
}

int channel_status_fd(const struct channel *c)
{
	return c->status_fd;
}

int channel_status(struct channel *c, struct channel_status *out)
{
	return c->operations->status(c, out);
}

int channel_doorbell_fd(struct channel *c, unsigned int index)
{
	int fd;

	if (index >= c->geometry.doorbells)
		return -EINVAL;
	if (c->doorbell_fd[index] < 0) {
		fd = c->operations->doorbell(c, index);
		if (fd < 0)
			return fd;
		c->doorbell_fd[index] = fd;
	}
	return c->doorbell_fd[index];
}

int channel_bind_sink(struct channel *c, unsigned int index, int eventfd)
{
	int rc;

	if (index >= c->geometry.doorbells)
		return -EINVAL;
	rc = c->operations->bind(c, index, ULTRAVISOR_DOORBELL_SINK, eventfd);
	if (rc)
		return rc;
	/* The channel's own eventfd, if there was one, is bound no longer. */
	if (c->doorbell_fd[index] >= 0)
		close(c->doorbell_fd[index]);
	c->doorbell_fd[index] = -1;
	return 0;
}

int channel_bind_source(struct channel *c, unsigned int index, int eventfd)
{
	if (index >= c->geometry.doorbells || c->side != CHANNEL_CLIENT)
		return -EINVAL;
	return c->operations->bind(c, index, ULTRAVISOR_DOORBELL_SOURCE, eventfd);
}

int channel_ring(struct channel *c, unsigned int index)
{
	if (index >= c->geometry.doorbells)
		return -EINVAL;
	return c->operations->ring(c, index);
}

int channel_memory(struct channel *c, const struct channel_region **regions, size_t *count)
{
	int rc;

	if (c->side != CHANNEL_SERVER)
		return -EINVAL;
	if (!c->regions) {
		rc = c->operations->map_memory(c);
		if (rc)
			return rc;
	}
	*regions = c->region;
	*count = c->regions;
	return 0;
}

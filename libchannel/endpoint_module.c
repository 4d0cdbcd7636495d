// SPDX-License-Identifier: Apache-2.0
/*
 * The module's transport: an endpoint is a descriptor of /dev/ultravisor's making, and everything
 * is an ioctl or an mmap of it, as include/uapi/linux/ultravisor.h says. The header page is written
 * by the kernel alone; what it says is checked all the same, once, before anything is mapped by it.
 */
#include <libchannel/channel.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "endpoint.h"

#define PAGE	4096u

static int command(int fd, unsigned long number, void *argument)
{
	return ioctl(fd, number, argument) < 0 ? -errno : 0;
}

/*
 * ESTALE, ESHUTDOWN: the endpoint or its channel is gone for good; ENOTCONN: this attachment is.
 * Callers of this library know one word for that.
 */
static int result(int rc)
{
	return rc == -ESTALE || rc == -ESHUTDOWN || rc == -ENOTCONN ? -ECONNRESET : rc;
}

static int status(struct channel *c, struct channel_status *out)
{
	struct ultravisor_endpoint_info info = { .size = sizeof(info) };
	int rc = result(command(c->status_fd, ULTRAVISOR_ENDPOINT_INFO, &info));

	if (rc)
		return rc;
	if (!info.out_attached)
		return -ECONNRESET;
	out->epoch = info.out_epoch;
	out->serving = info.out_serving;
	out->peer_attached = info.out_peer_attached;
	return 0;
}

static int bind_doorbell(struct channel *c, unsigned int index, enum ultravisor_doorbell what,
			 int fd)
{
	struct ultravisor_doorbell_bind bind = {
		.size = sizeof(bind), .index = index, .what = what, .fd = fd,
	};

	return result(command(c->status_fd, ULTRAVISOR_DOORBELL_BIND, &bind));
}

static int doorbell(struct channel *c, unsigned int index)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int rc;

	if (fd < 0)
		return -errno;
	rc = bind_doorbell(c, index, ULTRAVISOR_DOORBELL_SINK, fd);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static int ring(struct channel *c, unsigned int index)
{
	struct ultravisor_doorbell_ring ring = { .size = sizeof(ring), .index = index };

	return result(command(c->status_fd, ULTRAVISOR_DOORBELL_RING, &ring));
}

static int map_memory(struct channel *c)
{
	struct ultravisor_memory_info info;
	uint32_t i;
	int rc;

	for (i = 0; i < ULTRAVISOR_MAX_BLOCKS; i++) {
		info = (struct ultravisor_memory_info){ .size = sizeof(info), .index = i };
		rc = result(command(c->status_fd, ULTRAVISOR_MEMORY_INFO, &info));
		if (rc == -ENOENT)
			break;
		if (!rc)
			rc = endpoint_map(&c->memory[i], c->status_fd,
					  ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_MEMORY(i)),
					  info.out_length, PROT_READ | PROT_WRITE);
		if (rc)
			goto unmap;
		c->region[i] = (struct channel_region){
			.gpa = info.out_gpa, .length = info.out_length, .base = c->memory[i].base,
		};
	}
	c->regions = i;
	return 0;
unmap:
	while (i--) {
		void *base = c->memory[i].base;

		c->memory[i].base = NULL;
		munmap(base, c->memory[i].length);
	}
	return rc;
}

static void close_endpoint(struct channel *c)
{
	struct ultravisor_attach detach = { .size = sizeof(detach) };

	if (c->status_fd < 0)
		return;
	/* Explicit: a copy of the descriptor elsewhere would keep the endpoint, attached, alive. */
	command(c->status_fd, ULTRAVISOR_DETACH, &detach);
	close(c->status_fd);
}

static const struct endpoint_operations operations = {
	.status = status,
	.doorbell = doorbell,
	.bind = bind_doorbell,
	.ring = ring,
	.map_memory = map_memory,
	.close = close_endpoint,
};

static int read_header(struct channel *c, int fd, struct ultravisor_channel_header *header)
{
	struct endpoint_mapping *m = &c->client;	/* so that the guard knows it */
	void *base;
	int rc;

	rc = endpoint_map(m, fd, ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_HEADER), PAGE, PROT_READ);
	if (rc)
		return rc;
	rc = channel_copy_in(c, header, m->base, sizeof(*header));
	base = m->base;
	m->base = NULL;
	munmap(base, PAGE);
	return rc;
}

static int check_header(const struct ultravisor_channel_header *h,
			const struct ultravisor_endpoint_info *info)
{
	const struct channel_geometry g = {
		.client_size = h->client_size, .server_size = h->server_size,
		.private_size = h->private_size, .doorbells = h->doorbells,
	};
	int rc;

	if (h->magic != ULTRAVISOR_CHANNEL_MAGIC || h->header_size < sizeof(*h) ||
	    h->header_size > PAGE || h->doorbells != info->out_doorbells)
		return -EPROTO;
	rc = endpoint_check(&g);
	if (rc)
		return rc;
	/* No overflow: each size was bounded above. */
	if (h->total_size != PAGE + h->client_size + h->server_size + h->private_size)
		return -EPROTO;
	return 0;
}

static int check_expected(const struct channel_geometry *g, const struct channel_geometry *expected)
{
	if ((expected->type && expected->type != g->type) ||
	    (expected->layout_version && expected->layout_version != g->layout_version) ||
	    (expected->client_size && expected->client_size != g->client_size) ||
	    (expected->server_size && expected->server_size != g->server_size) ||
	    (expected->private_size && expected->private_size != g->private_size) ||
	    (expected->doorbells && expected->doorbells != g->doorbells))
		return -EPROTO;
	return 0;
}

static int map_areas(struct channel *c, int fd)
{
	const bool server = c->side == CHANNEL_SERVER;
	const int own = PROT_READ | PROT_WRITE;
	int rc;

	rc = endpoint_map(&c->client, fd, ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_CLIENT),
			  c->geometry.client_size, server ? PROT_READ : own);
	if (!rc)
		rc = endpoint_map(&c->server, fd, ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_SERVER),
				  c->geometry.server_size, server ? own : PROT_READ);
	if (!rc && server)
		rc = endpoint_map(&c->private_area, fd,
				  ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_PRIVATE),
				  c->geometry.private_size, own);
	return rc;
}

int channel_open(struct channel **out, int fd, const struct channel_geometry *expected)
{
	struct ultravisor_endpoint_info info = { .size = sizeof(info) };
	struct ultravisor_attach attach = { .size = sizeof(attach) };
	struct ultravisor_attach detach = { .size = sizeof(detach) };
	struct ultravisor_channel_header header;
	struct channel *c;
	int rc;

	rc = result(command(fd, ULTRAVISOR_ENDPOINT_INFO, &info));
	if (rc)
		return rc;
	if (info.out_role != ULTRAVISOR_ROLE_CLIENT && info.out_role != ULTRAVISOR_ROLE_SERVER)
		return -EINVAL;
	rc = channel_create(&c, &operations, info.out_role == ULTRAVISOR_ROLE_SERVER ?
			    CHANNEL_SERVER : CHANNEL_CLIENT);
	if (rc)
		return rc;
	rc = result(command(fd, ULTRAVISOR_ATTACH, &attach));
	if (rc)
		goto close_channel;
	rc = read_header(c, fd, &header);
	if (!rc)
		rc = check_header(&header, &info);
	if (rc)
		goto detach;
	c->id = info.out_channel_id;
	c->geometry = (struct channel_geometry){
		.type = header.type, .layout_version = header.layout_version,
		.client_size = header.client_size, .server_size = header.server_size,
		.private_size = header.private_size, .doorbells = header.doorbells,
	};
	rc = expected ? check_expected(&c->geometry, expected) : 0;
	if (!rc)
		rc = map_areas(c, fd);
	if (rc)
		goto detach;
	c->status_fd = fd;
	*out = c;
	return 0;

detach:
	command(fd, ULTRAVISOR_DETACH, &detach);
close_channel:
	channel_close(c);	/* without a status_fd: the descriptor stays the caller's */
	return rc;
}

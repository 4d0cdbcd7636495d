// SPDX-License-Identifier: Apache-2.0
/*
 * The transport without the module, for unit tests, fuzzers and benchmarks: areas are memfds,
 * mapped anew for each end with the rights of that end; doorbells are eventfds; a socket pair tells
 * one end that the other is gone, also when its process was killed.
 *
 * Both ends are made in one process. What they share there (struct pair) is counted; a fork copies
 * it, so that each process has its own and closes the end that it does not want. Bindings of a
 * caller's eventfd therefore reach the other end only if they were made before the fork.
 */
#include <libchannel/channel.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"

struct pair {
	int references;			/* ends open in this process */
	int client_fd, server_fd, private_fd;
	/* By enum channel_side: what rings there. -1: none. */
	int bell[2][ULTRAVISOR_MAX_DOORBELLS];
	int sink[2][ULTRAVISOR_MAX_DOORBELLS];
	int source[ULTRAVISOR_MAX_DOORBELLS];	/* of the client; the server listens on it */
	bool listens[ULTRAVISOR_MAX_DOORBELLS];	/* the server has taken its bell already */
};

struct end {
	struct pair *pair;
	int alive;			/* our half of the socket pair; watched by status_fd */
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int status(struct channel *c, struct channel_status *out)
{
	const struct end *e = c->transport;
	struct epoll_event event;
	char byte;

	/* Takes the event; the watch is for one, so that status_fd is readable once. */
	epoll_wait(c->status_fd, &event, 1, 0);
	out->epoch = 1;
	out->peer_attached = recv(e->alive, &byte, 1, MSG_DONTWAIT) != 0;
	out->serving = c->side == CHANNEL_SERVER || out->peer_attached;
	return c->lost ? -ECONNRESET : 0;
}

static int ring(struct channel *c, unsigned int index)
{
	const struct pair *pair = ((const struct end *)c->transport)->pair;
	const enum channel_side peer = !c->side;
	int fd = pair->bell[peer][index];

	if (pair->sink[peer][index] >= 0)
		fd = pair->sink[peer][index];
	else if (peer == CHANNEL_SERVER && pair->source[index] >= 0)
		fd = pair->source[index];
	/* A full counter is a bell that has been rung. */
	if (eventfd_write(fd, 1) && errno != EAGAIN)
		return -errno;
	return 0;
}

static int doorbell(struct channel *c, unsigned int index)
{
	struct pair *pair = ((struct end *)c->transport)->pair;
	int fd = pair->bell[c->side][index];

	if (pair->sink[c->side][index] >= 0)
		return -EBUSY;
	if (c->side == CHANNEL_SERVER) {
		pair->listens[index] = true;
		if (pair->source[index] >= 0)
			fd = pair->source[index];
	}
	fd = dup(fd);
	return fd < 0 ? -errno : fd;
}

/*
 * Nobody stands between the ends who could forward. The peer itself signals a sink; the server
 * itself listens on a source, which must be bound before the server asks for its doorbell.
 */
static int bind_doorbell(struct channel *c, unsigned int index, enum ultravisor_doorbell what,
			 int fd)
{
	struct pair *pair = ((struct end *)c->transport)->pair;
	const bool source = what == ULTRAVISOR_DOORBELL_SOURCE;
	int *slot = source ? &pair->source[index] : &pair->sink[c->side][index];
	int copy = -1;

	if (fd >= 0) {
		if (source && (pair->listens[index] || pair->sink[CHANNEL_SERVER][index] >= 0))
			return -EBUSY;
		if (!source && c->side == CHANNEL_SERVER && pair->source[index] >= 0)
			return -EBUSY;
		copy = dup(fd);
		if (copy < 0)
			return -errno;
	}
	close_fd(*slot);
	*slot = copy;
	/* As the module does: nothing that was rung before is lost. */
	if (copy >= 0)
		eventfd_write(copy, 1);
	return 0;
}

/* What a module's channel grants is added by hand here: channel_grant_pair. */
static int map_memory(struct channel *c)
{
	(void)c;
	return -EACCES;
}

static void release(struct pair *pair)
{
	unsigned int i, side;

	if (--pair->references)
		return;
	for (i = 0; i < ULTRAVISOR_MAX_DOORBELLS; i++) {
		for (side = 0; side < 2; side++) {
			close_fd(pair->bell[side][i]);
			close_fd(pair->sink[side][i]);
		}
		close_fd(pair->source[i]);
	}
	close_fd(pair->client_fd);
	close_fd(pair->server_fd);
	close_fd(pair->private_fd);
	free(pair);
}

static void close_end(struct channel *c)
{
	struct end *e = c->transport;

	close_fd(c->status_fd);
	if (!e)
		return;
	close_fd(e->alive);
	release(e->pair);
	free(e);
}

static const struct endpoint_operations operations = {
	.status = status,
	.doorbell = doorbell,
	.bind = bind_doorbell,
	.ring = ring,
	.map_memory = map_memory,
	.close = close_end,
};

static int make_area(int *out, const char *name, uint64_t size)
{
	*out = memfd_create(name, MFD_CLOEXEC);
	if (*out < 0 || ftruncate(*out, (off_t)size))
		return -errno;
	return 0;
}

static int make_pair(struct pair **out, const struct channel_geometry *g)
{
	struct pair *pair = malloc(sizeof(*pair));
	unsigned int i, side;
	int rc;

	if (!pair)
		return -ENOMEM;
	*pair = (struct pair){
		.references = 1, .client_fd = -1, .server_fd = -1, .private_fd = -1,
	};
	for (i = 0; i < ULTRAVISOR_MAX_DOORBELLS; i++) {
		pair->source[i] = -1;
		for (side = 0; side < 2; side++)
			pair->bell[side][i] = pair->sink[side][i] = -1;
	}
	rc = make_area(&pair->client_fd, "channel-client", g->client_size);
	if (!rc)
		rc = make_area(&pair->server_fd, "channel-server", g->server_size);
	if (!rc)
		rc = make_area(&pair->private_fd, "channel-private", g->private_size);
	for (i = 0; !rc && i < g->doorbells; i++) {
		for (side = 0; !rc && side < 2; side++) {
			pair->bell[side][i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			if (pair->bell[side][i] < 0)
				rc = -errno;
		}
	}
	if (rc) {
		release(pair);
		return rc;
	}
	*out = pair;
	return 0;
}

/* Takes alive, also when it fails; takes its own reference on pair. */
static int make_end(struct channel **out, enum channel_side side, struct pair *pair, int alive,
		    const struct channel_geometry *g)
{
	struct epoll_event gone = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT };
	const bool server = side == CHANNEL_SERVER;
	const int own = PROT_READ | PROT_WRITE;
	struct channel *c;
	struct end *e;
	int rc;

	rc = channel_create(&c, &operations, side);
	if (rc) {
		close(alive);
		return rc;
	}
	e = malloc(sizeof(*e));
	if (!e) {
		close(alive);
		rc = -ENOMEM;
		goto close_channel;
	}
	*e = (struct end){ .pair = pair, .alive = alive };
	pair->references++;
	c->transport = e;
	c->geometry = *g;
	c->status_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->status_fd < 0 || epoll_ctl(c->status_fd, EPOLL_CTL_ADD, alive, &gone)) {
		rc = -errno;
		goto close_channel;
	}
	rc = endpoint_map(&c->client, pair->client_fd, 0, g->client_size, server ? PROT_READ : own);
	if (!rc)
		rc = endpoint_map(&c->server, pair->server_fd, 0, g->server_size,
				  server ? own : PROT_READ);
	if (!rc && server)
		rc = endpoint_map(&c->private_area, pair->private_fd, 0, g->private_size, own);
	if (rc)
		goto close_channel;
	*out = c;
	return 0;

close_channel:
	channel_close(c);
	return rc;
}

int channel_open_pair(struct channel **client, struct channel **server,
		      const struct channel_geometry *geometry)
{
	struct channel *made = NULL;
	struct pair *pair;
	int alive[2], rc;

	rc = endpoint_check(geometry);
	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, alive))
		return -errno;
	rc = make_pair(&pair, geometry);
	if (rc) {
		close(alive[0]);
		close(alive[1]);
		return rc;
	}
	rc = make_end(&made, CHANNEL_CLIENT, pair, alive[0], geometry);
	if (rc) {
		close(alive[1]);
		goto drop;
	}
	rc = make_end(server, CHANNEL_SERVER, pair, alive[1], geometry);
	if (rc) {
		channel_close(made);
		goto drop;
	}
	*client = made;
drop:
	release(pair);		/* the ends hold it now */
	return rc;
}

int channel_grant_pair(struct channel *server, uint64_t gpa, int memfd, uint64_t length)
{
	const size_t i = server->regions;
	int rc;

	if (server->operations != &operations || server->side != CHANNEL_SERVER || !length)
		return -EINVAL;
	if (i == ULTRAVISOR_MAX_BLOCKS)
		return -ENOSPC;
	rc = endpoint_map(&server->memory[i], memfd, 0, length, PROT_READ | PROT_WRITE);
	if (rc)
		return rc;
	server->region[i] = (struct channel_region){
		.gpa = gpa, .length = length, .base = server->memory[i].base,
	};
	server->regions++;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Channels: who is attached, who serves, what each may touch, and what is left of it afterwards. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define AREA 0x3000u

static const struct ultravisor_channel_create plain = {
	.type = 7, .layout_version = 1, .client_size = AREA, .server_size = AREA,
	.private_size = AREA, .doorbells = 4,
};

/* A channel with two named servers and all its endpoints, not attached. */
struct fixture {
	struct object channel;
	int client;
	int server[2];
};

static struct fixture make(const struct ultravisor_channel_create *create)
{
	struct fixture f = { .channel = make_channel(create) };

	ok(server_set(f.channel.fd, 0, 0xa0));
	ok(server_set(f.channel.fd, 1, 0xa1));
	f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	f.server[0] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	f.server[1] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 1));
	return f;
}

static void *map(int endpoint, uint64_t area, int prot)
{
	void *p = map_area(endpoint, area, area == ULTRAVISOR_AREA_HEADER ? 4096 : AREA, prot);

	check(p != MAP_FAILED);
	return p;
}

#define RW (PROT_READ | PROT_WRITE)

static uint64_t drain(int eventfd)
{
	uint64_t count = 0;

	if (read(eventfd, &count, sizeof(count)) < 0)
		check(errno == EAGAIN);
	return count;
}

static short events_of(int endpoint)
{
	struct pollfd p = { .fd = endpoint, .events = POLLIN };

	ok(poll(&p, 1, 0));
	return p.revents;
}

static void the_header_describes_the_channel(void)
{
	struct fixture f = make(&plain);
	const struct ultravisor_channel_header *h;
	uint8_t uuid[ULTRAVISOR_UUID_LEN];

	ok(attach(f.client));
	h = map(f.client, ULTRAVISOR_AREA_HEADER, PROT_READ);
	check(h->magic == ULTRAVISOR_CHANNEL_MAGIC && h->header_size == sizeof(*h));
	check(h->type == 7 && h->layout_version == 1 && h->doorbells == 4);
	check(h->total_size == 4096 + 3 * AREA);
	check(h->client_size == AREA && h->server_size == AREA && h->private_size == AREA);
	fill_uuid(uuid, 0x22);
	check(!memcmp(h->uuid, uuid, sizeof(uuid)));
	check(h->epoch == 0);
	fill_uuid(uuid, 0);
	check(!memcmp(h->server_uuid, uuid, sizeof(uuid)));
	ok(attach(f.server[0]));
	check(h->epoch == 1);
	fill_uuid(uuid, 0xa0);
	check(!memcmp(h->server_uuid, uuid, sizeof(uuid)));
}

static void what_one_side_writes_the_other_reads(void)
{
	struct fixture f = make(&plain);
	char *c, *s;

	ok(attach(f.client));
	ok(attach(f.server[0]));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	s = map(f.server[0], ULTRAVISOR_AREA_CLIENT, PROT_READ);
	strcpy(c + 0x1ffc, "over the page");
	check(!strcmp(s + 0x1ffc, "over the page"));
	s = map(f.server[0], ULTRAVISOR_AREA_SERVER, RW);
	c = map(f.client, ULTRAVISOR_AREA_SERVER, PROT_READ);
	strcpy(s, "and back");
	check(!strcmp(c, "and back"));
}

static void mappings_beyond_the_role_are_refused(void)
{
	static const struct { uint64_t area; int prot; int error[2]; } cases[] = {
		/* client, server */
		{ ULTRAVISOR_AREA_HEADER, RW, { EACCES, EACCES } },
		{ ULTRAVISOR_AREA_CLIENT, RW, { 0, EACCES } },
		{ ULTRAVISOR_AREA_SERVER, RW, { EACCES, 0 } },
		{ ULTRAVISOR_AREA_PRIVATE, PROT_READ, { EACCES, 0 } },
		{ ULTRAVISOR_AREA_PRIVATE, PROT_NONE, { EACCES, 0 } },
		{ ULTRAVISOR_AREA_CLIENT, PROT_READ | PROT_EXEC, { EACCES, EACCES } },
		{ ULTRAVISOR_AREA_MEMORY(0), PROT_READ, { EACCES, ENXIO } },
		{ ULTRAVISOR_AREA_MEMORY(99), PROT_READ, { EACCES, ENXIO } },
		{ 4, PROT_READ, { EACCES, EACCES } },
		{ 15, PROT_READ, { EACCES, EACCES } },
	};
	struct fixture f = make(&plain);
	int fds[2] = { f.client, f.server[0] };

	ok(attach(f.client));
	ok(attach(f.server[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int side = 0; side < 2; side++) {
			void *p = map_area(fds[side], cases[i].area, 4096, cases[i].prot);
			int error = p == MAP_FAILED ? errno : 0;

			if (error != cases[i].error[side])
				fail("case %zu side %d: %s", i, side, strerror(error));
		}
	}
	/* Too long, beyond the end, private, raised afterwards. */
	check(map_area(f.client, ULTRAVISOR_AREA_CLIENT, AREA + 1, RW) == MAP_FAILED);
	check(errno == EINVAL);
	check(mmap(NULL, 4096, RW, MAP_SHARED, f.client,
		   ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_CLIENT) + AREA) == MAP_FAILED);
	check(errno == EINVAL);
	check(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, f.client,
		   ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_CLIENT)) == MAP_FAILED);
	check(errno == EINVAL);
	fails(EACCES, mprotect(map(f.client, ULTRAVISOR_AREA_SERVER, PROT_READ), AREA, RW));
	fails(EACCES, mprotect(map(f.client, ULTRAVISOR_AREA_CLIENT, RW), AREA, RW | PROT_EXEC));
}

static void mapping_needs_an_attachment(void)
{
	struct fixture f = make(&plain);

	check(map_area(f.client, ULTRAVISOR_AREA_CLIENT, AREA, RW) == MAP_FAILED);
	check(errno == ENOTCONN);
	fails(ENOTCONN, ring(f.client, 0));
	fails(ENOTCONN, detach(f.client));
	fails(ENOTCONN, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SINK, -1));
	ok(attach(f.client));
	fails(EBUSY, attach(f.client));
	ok(detach(f.client));
	ok(attach(f.client));
}

static void a_standby_maps_in_advance_and_touches_when_it_serves(void)
{
	struct fixture f = make(&plain);
	char *header, *client, *server, *private;
	uint64_t epoch;

	ok(attach(f.server[0]));
	ok(attach(f.server[1]));
	header = map(f.server[1], ULTRAVISOR_AREA_HEADER, PROT_READ);
	client = map(f.server[1], ULTRAVISOR_AREA_CLIENT, PROT_READ);
	server = map(f.server[1], ULTRAVISOR_AREA_SERVER, RW);
	private = map(f.server[1], ULTRAVISOR_AREA_PRIVATE, RW);
	check(touch_read(header) == 0);
	check(touch_read(client) == SIGBUS);
	check(touch_write(server) == SIGBUS);
	check(touch_write(private) == SIGBUS);
	fails(EPERM, ring(f.server[1], 0));

	ok(promote(f.channel.fd, 1, &epoch));
	check(epoch == 2);
	check(touch_read(client) == 0);
	check(touch_write(server) == 0);
	check(touch_write(private) == 0);
	check(channel_info(f.channel.fd).out_slots[0] == ULTRAVISOR_SLOT_ABSENT);
	check(channel_info(f.channel.fd).out_slots[1] == ULTRAVISOR_SLOT_SERVING);
}

static void the_promoted_one_takes_everything_from_the_old_one(void)
{
	struct fixture f = make(&plain);
	char *old_server, *old_private, *old_header;
	char *new_private;

	ok(attach(f.server[0]));
	ok(attach(f.server[1]));
	old_header = map(f.server[0], ULTRAVISOR_AREA_HEADER, PROT_READ);
	old_server = map(f.server[0], ULTRAVISOR_AREA_SERVER, RW);
	old_private = map(f.server[0], ULTRAVISOR_AREA_PRIVATE, RW);
	strcpy(old_private, "in flight");
	check(touch_write(old_server) == 0 && touch_read(old_header) == 0);
	ok(promote(f.channel.fd, 1, NULL));
	check(touch_write(old_server) == SIGBUS);
	check(touch_write(old_private) == SIGBUS);
	check(touch_read(old_header) == SIGBUS);
	fails(ENOTCONN, ring(f.server[0], 0));
	new_private = map(f.server[1], ULTRAVISOR_AREA_PRIVATE, RW);
	check(!strcmp(new_private, "in flight"));

	/* It may come back, as a standby: its mappings work as far as that goes. */
	ok(attach(f.server[0]));
	check(touch_read(old_header) == 0);
	check(touch_write(old_private) == SIGBUS);
	ok(promote(f.channel.fd, 0, NULL));
	check(touch_write(old_private) == 0);
	fails(ENOTCONN, promote(f.channel.fd, 1, NULL));
	fails(ENOTCONN, promote(f.channel.fd, 3, NULL));
	fails(EINVAL, promote(f.channel.fd, 4, NULL));
}

/* ---- the end of a process ---- */

static void serve_until_killed(int socket, void *arg)
{
	struct fixture *f = arg;
	char *private;

	ok(attach(f->server[0]));
	private = map(f->server[0], ULTRAVISOR_AREA_PRIVATE, RW);
	strcpy(private, "last words");
	say(socket, 'a');
	pause();
}

static void a_killed_server_is_succeeded_by_the_standby(void)
{
	struct fixture f = make(&plain);
	struct ultravisor_channel_info info;
	struct peer peer = fork_peer(serve_until_killed, &f);
	char *private;

	hear(peer.socket, 'a');
	ok(attach(f.client));
	ok(attach(f.server[1]));
	private = map(f.server[1], ULTRAVISOR_AREA_PRIVATE, RW);
	check(touch_read(private) == SIGBUS);
	check(endpoint_info(f.server[1]).out_serving == 0);
	/* This process holds copies of the dead one's descriptor: they prolong nothing. */
	kill_peer(&peer);
	info = channel_info(f.channel.fd);
	check(info.out_serving == 1 && info.out_epoch == 2);
	check(info.out_slots[0] == ULTRAVISOR_SLOT_ABSENT);
	check(!strcmp(private, "last words"));
	check(endpoint_info(f.server[1]).out_serving == 1);
	check(endpoint_info(f.client).out_peer_attached == 1);
}

static void with_no_standby_the_channel_waits_for_a_server(void)
{
	struct fixture f = make(&plain);
	struct peer peer = fork_peer(serve_until_killed, &f);
	const struct ultravisor_channel_header *h;
	uint8_t uuid[ULTRAVISOR_UUID_LEN] = { 0 };

	hear(peer.socket, 'a');
	ok(attach(f.client));
	h = map(f.client, ULTRAVISOR_AREA_HEADER, PROT_READ);
	check(h->epoch == 1);
	kill_peer(&peer);
	check(h->epoch == 2 && !memcmp(h->server_uuid, uuid, sizeof(uuid)));
	check(channel_info(f.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	check(endpoint_info(f.client).out_serving == 0);
	/* Ringing at nobody is not an error: the next server is rung when it comes. */
	ok(ring(f.client, 0));
	ok(attach(f.server[0]));
	check(h->epoch == 3);
}

static void child_of_an_attached_process(int socket, void *arg)
{
	struct fixture *f = arg;

	(void)socket;
	check(endpoint_info(f->client).out_attached == 0);
	fails(ENOTCONN, ring(f->client, 0));
	fails(ENOTCONN, detach(f->client));
	fails(EBUSY, attach(f->client));
	check(map_area(f->client, ULTRAVISOR_AREA_CLIENT, AREA, RW) == MAP_FAILED);
	check(errno == ENOTCONN);
}

static void a_child_inherits_no_attachment_and_no_mapping(void)
{
	struct fixture f = make(&plain);
	struct peer peer;
	int status;
	char *c;
	pid_t pid;

	ok(attach(f.client));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	check(touch_write(c) == 0);
	peer = fork_peer(child_of_an_attached_process, &f);
	end_peer(&peer);
	pid = ok(fork());
	if (!pid)
		_exit(touch_read(c) == SIGSEGV ? 0 : 1);
	waitpid(pid, &status, 0);
	check(status == 0);
	check(touch_write(c) == 0);
	check(endpoint_info(f.client).out_attached == 1);
}

static void exec_in_place(int socket, void *arg)
{
	struct fixture *f = arg;

	ok(attach(f->server[0]));
	/* The descriptors survive the exec, the address space does not. */
	ok(fcntl(f->server[0], F_SETFD, 0));
	ok(fcntl(socket, F_SETFD, 0));
	say(socket, 'a');
	execl("/bin/sleep", "sleep", "1000", NULL);
}

static void exec_ends_an_attachment(void)
{
	struct fixture f = make(&plain);
	struct peer peer = fork_peer(exec_in_place, &f);
	int tries = 0;

	hear(peer.socket, 'a');
	while (channel_info(f.channel.fd).out_serving != ULTRAVISOR_NO_SLOT) {
		check(tries++ < 500);
		sleep_ms(10);
	}
	kill_peer(&peer);
}

static void closing_the_last_descriptor_detaches(void)
{
	struct fixture f = make(&plain);
	char *c;

	ok(attach(f.server[0]));
	ok(attach(f.server[1]));
	c = map(f.server[0], ULTRAVISOR_AREA_SERVER, RW);
	close(f.server[0]);
	/* The mapping still holds the endpoint. */
	check(channel_info(f.channel.fd).out_serving == 0);
	check(touch_write(c) == 0);
	munmap(c, AREA);
	check(channel_info(f.channel.fd).out_serving == 1);
}

/* ---- revocation ---- */

static void revoking_a_slot_makes_its_descriptors_stale(void)
{
	struct fixture f = make(&plain);
	struct ultravisor_endpoint_info info = { .size = sizeof(info) };
	char *p;

	ok(attach(f.server[0]));
	ok(attach(f.server[1]));
	p = map(f.server[0], ULTRAVISOR_AREA_SERVER, RW);
	check(touch_write(p) == 0);
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_SLOT, 0));
	check(touch_write(p) == SIGBUS);
	check(events_of(f.server[0]) & POLLHUP);
	fails(ESTALE, attach(f.server[0]));
	fails(ESTALE, detach(f.server[0]));
	fails(ESTALE, ring(f.server[0], 0));
	fails(ESTALE, bind_doorbell(f.server[0], 0, ULTRAVISOR_DOORBELL_SINK, -1));
	fails(ESTALE, ioctl(f.server[0], ULTRAVISOR_ENDPOINT_INFO, &info));
	check(map_area(f.server[0], ULTRAVISOR_AREA_SERVER, AREA, RW) == MAP_FAILED);
	check(errno == ESTALE);
	check(channel_info(f.channel.fd).out_serving == 1);
	/* A new descriptor is as good as ever. */
	f.server[0] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(f.server[0]));
	check(channel_info(f.channel.fd).out_slots[0] == ULTRAVISOR_SLOT_STANDBY);
}

static void revoking_the_client_spares_the_server(void)
{
	struct fixture f = make(&plain);
	char *c, *s;

	ok(attach(f.client));
	ok(attach(f.server[0]));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	s = map(f.server[0], ULTRAVISOR_AREA_CLIENT, PROT_READ);
	strcpy(c, "kept");
	check(!strcmp(s, "kept"));
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_CLIENT, 0));
	check(touch_read(c) == SIGBUS);
	check(!strcmp(s, "kept"));
	check(channel_info(f.channel.fd).out_client_attached == 0);
	fails(ESTALE, attach(f.client));
	f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(f.client));
}

static void revoking_all_ends_the_channel(void)
{
	struct fixture f = make(&plain);
	char *c, *s;

	ok(attach(f.client));
	ok(attach(f.server[0]));
	ok(attach(f.server[1]));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	s = map(f.server[0], ULTRAVISOR_AREA_SERVER, RW);
	check(!touch_write(c) && !touch_write(s));
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	ok(channel_revoke(f.channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	check(touch_read(c) == SIGBUS);
	check(touch_read(s) == SIGBUS);
	check(channel_info(f.channel.fd).out_revoked);
	check(channel_info(f.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	fails(ESHUTDOWN, object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	fails(ESHUTDOWN, object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	fails(ESHUTDOWN, server_set(f.channel.fd, 2, 0xa2));
	fails(ESHUTDOWN, promote(f.channel.fd, 0, NULL));
	fails(ESTALE, attach(f.server[1]));
}

static void naming_another_server_revokes_the_old_one(void)
{
	struct fixture f = make(&plain);

	ok(attach(f.server[0]));
	ok(server_set(f.channel.fd, 0, 0xa0));	/* the same: nothing happens */
	check(channel_info(f.channel.fd).out_serving == 0);
	ok(server_set(f.channel.fd, 0, 0xa9));
	check(channel_info(f.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	fails(ESTALE, attach(f.server[0]));
	ok(server_set(f.channel.fd, 0, 0));
	check(channel_info(f.channel.fd).out_slots[0] == ULTRAVISOR_SLOT_EMPTY);
	fails(ENXIO, object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, 0));
}

static void destroying_revokes(void)
{
	struct fixture f = make(&plain);
	char *c;

	ok(attach(f.client));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	check(!touch_write(c));
	ok(object_destroy(f.channel.id));
	check(touch_write(c) == SIGBUS);
	fails(ESTALE, attach(f.client));
	fails(ENOENT, object_destroy(f.channel.id));
	check(channel_info(f.channel.fd).out_revoked);
}

/* ---- news ---- */

static void poll_tells_of_changes_until_they_are_read(void)
{
	struct fixture f = make(&plain);

	endpoint_info(f.client);
	check(events_of(f.client) == 0);
	ok(attach(f.server[0]));
	check(events_of(f.client) == POLLIN);
	check(events_of(f.client) == POLLIN);
	check(endpoint_info(f.client).out_epoch == 1);
	check(events_of(f.client) == 0);
	ok(attach(f.server[1]));
	endpoint_info(f.client);
	endpoint_info(f.server[1]);
	ok(promote(f.channel.fd, 1, NULL));
	check(events_of(f.client) == POLLIN);
	check(events_of(f.server[1]) == POLLIN);
	endpoint_info(f.server[1]);
	ok(attach(f.client));
	check(events_of(f.server[1]) == POLLIN);
	check(endpoint_info(f.server[1]).out_peer_attached == 1);
}

/* ---- doorbells ---- */

static void rings_reach_whoever_serves(void)
{
	struct fixture f = make(&plain);
	int to_client = ok(eventfd(0, EFD_NONBLOCK)), source = ok(eventfd(0, EFD_NONBLOCK));
	int sink[2] = { ok(eventfd(0, EFD_NONBLOCK)), ok(eventfd(0, EFD_NONBLOCK)) };
	uint64_t one = 1;

	ok(attach(f.client));
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_SINK, to_client));
	check(drain(to_client) == 1);		/* a fresh sink is signalled once */
	ok(bind_doorbell(f.client, 2, ULTRAVISOR_DOORBELL_SOURCE, source));
	for (int i = 0; i < 2; i++) {
		ok(attach(f.server[i]));
		ok(bind_doorbell(f.server[i], 2, ULTRAVISOR_DOORBELL_SINK, sink[i]));
	}
	check(drain(sink[0]) == 1);
	check(drain(sink[1]) == 0);		/* a standby's is not */

	ok(ring(f.client, 2));
	check(drain(sink[0]) == 1 && drain(sink[1]) == 0);
	ok(ring(f.client, 3));			/* nobody listens */
	ok(ring(f.server[0], 1));
	check(drain(to_client) == 1);
	check(write(source, &one, sizeof(one)) == sizeof(one));
	check(drain(sink[0]) == 1);
	check(drain(source) == 0);		/* consumed */

	/* The new server is signalled at its promotion, and gets all that follows. */
	ok(promote(f.channel.fd, 1, NULL));
	check(drain(sink[1]) == 1);
	check(write(source, &one, sizeof(one)) == sizeof(one));
	ok(ring(f.client, 2));
	check(drain(sink[1]) == 2 && drain(sink[0]) == 0);

	ok(bind_doorbell(f.server[1], 2, ULTRAVISOR_DOORBELL_SINK, -1));
	ok(bind_doorbell(f.client, 2, ULTRAVISOR_DOORBELL_SOURCE, -1));
	ok(ring(f.client, 2));
	check(write(source, &one, sizeof(one)) == sizeof(one));
	check(drain(sink[1]) == 0);
	check(drain(source) == 1);

	/* What was signalled before the source was bound is rung when it is. */
	ok(bind_doorbell(f.server[1], 2, ULTRAVISOR_DOORBELL_SINK, sink[1]));
	check(drain(sink[1]) == 1);
	check(write(source, &one, sizeof(one)) == sizeof(one));
	ok(bind_doorbell(f.client, 2, ULTRAVISOR_DOORBELL_SOURCE, source));
	check(drain(sink[1]) == 1);
	/* A detached side neither rings nor is rung, whoever holds its eventfds. */
	ok(detach(f.client));
	check(write(source, &one, sizeof(one)) == sizeof(one));
	check(drain(sink[1]) == 0);
	ok(ring(f.server[1], 1));
	check(drain(to_client) == 0);
}

/* Else one write would keep a processor busy in its interrupts for ever. */
static void doorbells_in_a_circle_do_not_go_round(void)
{
	struct fixture f = make(&plain), g = make(&plain);
	int a = ok(eventfd(0, EFD_NONBLOCK)), b = ok(eventfd(0, EFD_NONBLOCK));
	uint64_t one = 1;

	ok(attach(f.client));
	ok(attach(f.server[0]));
	ok(attach(g.client));
	ok(attach(g.server[0]));
	ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SOURCE, a));
	ok(bind_doorbell(f.server[0], 0, ULTRAVISOR_DOORBELL_SINK, b));
	ok(bind_doorbell(g.client, 0, ULTRAVISOR_DOORBELL_SOURCE, b));
	ok(bind_doorbell(g.server[0], 0, ULTRAVISOR_DOORBELL_SINK, a));
	drain(a);
	drain(b);
	check(write(a, &one, sizeof(one)) == sizeof(one));
	sleep_ms(10);
	check(drain(b) == 1 && drain(a) == 0);
	ok(ring(f.client, 0));
	sleep_ms(10);
	check(drain(b) == 1 && drain(a) == 0);
}

static void doorbell_arguments_are_checked(void)
{
	struct fixture f = make(&plain);
	int e = ok(eventfd(0, 0));

	ok(attach(f.client));
	ok(attach(f.server[0]));
	fails(EINVAL, ring(f.client, 4));
	fails(EINVAL, bind_doorbell(f.client, 4, ULTRAVISOR_DOORBELL_SINK, e));
	fails(EOPNOTSUPP, bind_doorbell(f.client, 0, 4, e));
	fails(EOPNOTSUPP, bind_doorbell(f.client, 0, 0, e));
	fails(EBADF, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SINK, 999));
	fails(EBADF, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SINK, -2));
	fails(EBADF, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SOURCE, 999));
	fails(EINVAL, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SINK, device));
	fails(EINVAL, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SOURCE, device));
	fails(EACCES, bind_doorbell(f.server[0], 0, ULTRAVISOR_DOORBELL_SOURCE, e));
}

/*
 * A ring is before a promotion or after it, never lost in between: the client rings once for
 * each number that it writes, and waits for the echo.
 */
static void ring_and_wait(int socket, void *arg)
{
	struct fixture *f = arg;
	volatile uint32_t *number, *echo;

	ok(attach(f->client));
	number = map(f->client, ULTRAVISOR_AREA_CLIENT, RW);
	echo = map(f->client, ULTRAVISOR_AREA_SERVER, PROT_READ);
	say(socket, 'a');
	for (;;) {
		uint64_t end = clock_ns() + 10000000000ull;

		__atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
		ok(ring(f->client, 0));
		while (*echo != *number)
			if (clock_ns() > end)
				fail("ring %u was lost", *number);
	}
}

static void no_ring_is_lost_over_changes_of_server(void)
{
	struct fixture f = make(&plain);
	int sink[2] = { ok(eventfd(0, EFD_NONBLOCK)), ok(eventfd(0, EFD_NONBLOCK)) };
	volatile uint32_t *number[2], *echo[2];
	uint64_t end = clock_ns() + 2000000000ull;
	unsigned int promotions = 0;
	struct peer peer;
	int serving = 0;

	/* Both servers are this process, so that only the one that serves is ever touched. */
	for (int i = 0; i < 2; i++) {
		ok(attach(f.server[i]));
		number[i] = map(f.server[i], ULTRAVISOR_AREA_CLIENT, PROT_READ);
		echo[i] = map(f.server[i], ULTRAVISOR_AREA_SERVER, RW);
		ok(bind_doorbell(f.server[i], 0, ULTRAVISOR_DOORBELL_SINK, sink[i]));
	}
	peer = fork_peer(ring_and_wait, &f);
	hear(peer.socket, 'a');
	while (promotions < 1000 || clock_ns() < end) {
		if (drain(sink[serving]))
			*echo[serving] = *number[serving];
		if (random() % 8)
			continue;
		ok(promote(f.channel.fd, !serving, NULL));
		ok(attach(f.server[serving]));
		ok(bind_doorbell(f.server[serving], 0, ULTRAVISOR_DOORBELL_SINK, sink[serving]));
		serving = !serving;
		promotions++;
	}
	check(kill(peer.pid, 0) == 0 && waitpid(peer.pid, NULL, WNOHANG) == 0);
	printf("       %u promotions, %u rings\n", promotions, *number[serving]);
	kill_peer(&peer);
}

/* ---- who may look from outside ---- */

static void nobody_reads_a_channel_from_outside(void)
{
	struct fixture f = make(&plain);
	char *c, *ordinary, byte;
	int mem;

	ok(attach(f.client));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	strcpy(c, "secret");
	ordinary = mmap(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*ordinary = 'o';
	mem = ok(open("/proc/self/mem", O_RDWR));
	/* The way does work, for memory that is not the module's. */
	check(pread(mem, &byte, 1, (uintptr_t)ordinary) == 1 && byte == 'o');
	fails(EIO, pread(mem, &byte, 1, (uintptr_t)c));
	fails(EIO, pwrite(mem, &byte, 1, (uintptr_t)c));

	struct iovec here = { &byte, 1 }, there = { ordinary, 1 };

	check(process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1);
	there.iov_base = c;
	fails(EFAULT, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	fails(EFAULT, process_vm_writev(getpid(), &here, 1, &there, 1, 0));
}

static void channel_memory_cannot_be_pinned(void)
{
	struct fixture f = make(&plain);
	struct iovec iov;
	int pipes[2];
	char *c;

	ok(attach(f.client));
	c = map(f.client, ULTRAVISOR_AREA_CLIENT, RW);
	check(!touch_write(c));
	ok(pipe(pipes));
	iov = (struct iovec){ c, 4096 };
	fails(EFAULT, vmsplice(pipes[1], &iov, 1, 0));
	/* Copies do work. */
	check(write(pipes[1], c, 16) == 16);
}

static void create_arguments_are_checked(void)
{
	struct ultravisor_channel_create c;
	struct object object;

#define refused(error, member, value) do { \
	c = plain; c.member = (value); fails(error, channel_create(&c, &object)); \
} while (0)
	refused(EOPNOTSUPP, flags, 2);
	refused(EOPNOTSUPP, reserved, 1);
	refused(EINVAL, client_size, 4095);
	refused(EINVAL, answer_ns, 999999);
	refused(EINVAL, answer_ns, 3600 * 1000000000ull + 1);
	refused(EINVAL, client_size, ULTRAVISOR_MAX_AREA + 4096ull);
	refused(EINVAL, server_size, ~0ull << 12);
	refused(EINVAL, private_size, 1);
	refused(EINVAL, doorbells, 65);
	refused(EINVAL, flags, ULTRAVISOR_CHANNEL_GRANT);
	refused(ENOENT, client_id, 1ull << 40);
	/* Nothing is left of what was refused. */
	struct ultravisor_object_next next = { .size = sizeof(next) };

	fails(ENOENT, ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
	/* The least channel: a header. */
	c = (struct ultravisor_channel_create){ 0 };
	ok(channel_create(&c, &object));
	/* The largest. */
	c = plain;
	c.client_size = c.server_size = c.private_size = ULTRAVISOR_MAX_AREA;
	c.doorbells = ULTRAVISOR_MAX_DOORBELLS;
	ok(channel_create(&c, &object));
	fails(EAGAIN, object_open(object.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(object_publish(object.id));
	ok(object_open(object.id, ULTRAVISOR_ROLE_CLIENT, 0));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "the header describes the channel", the_header_describes_the_channel },
		{ "what one side writes the other reads", what_one_side_writes_the_other_reads },
		{ "mappings beyond the role are refused", mappings_beyond_the_role_are_refused },
		{ "mapping needs an attachment", mapping_needs_an_attachment },
		{ "a standby maps in advance and touches when it serves",
		  a_standby_maps_in_advance_and_touches_when_it_serves },
		{ "the promoted one takes everything from the old one",
		  the_promoted_one_takes_everything_from_the_old_one },
		{ "a killed server is succeeded by the standby",
		  a_killed_server_is_succeeded_by_the_standby },
		{ "with no standby the channel waits for a server",
		  with_no_standby_the_channel_waits_for_a_server },
		{ "a child inherits no attachment and no mapping",
		  a_child_inherits_no_attachment_and_no_mapping },
		{ "exec ends an attachment", exec_ends_an_attachment },
		{ "closing the last descriptor detaches", closing_the_last_descriptor_detaches },
		{ "revoking a slot makes its descriptors stale",
		  revoking_a_slot_makes_its_descriptors_stale },
		{ "revoking the client spares the server", revoking_the_client_spares_the_server },
		{ "revoking all ends the channel", revoking_all_ends_the_channel },
		{ "naming another server revokes the old one",
		  naming_another_server_revokes_the_old_one },
		{ "destroying revokes", destroying_revokes },
		{ "poll tells of changes until they are read",
		  poll_tells_of_changes_until_they_are_read },
		{ "rings reach whoever serves", rings_reach_whoever_serves },
		{ "doorbells in a circle do not go round", doorbells_in_a_circle_do_not_go_round },
		{ "doorbell arguments are checked", doorbell_arguments_are_checked },
		{ "no ring is lost over changes of server",
		  no_ring_is_lost_over_changes_of_server },
		{ "nobody reads a channel from outside", nobody_reads_a_channel_from_outside },
		{ "channel memory cannot be pinned", channel_memory_cannot_be_pinned },
		{ "arguments of CHANNEL_CREATE are checked", create_arguments_are_checked },
	};

	return RUN_TESTS(tests);
}

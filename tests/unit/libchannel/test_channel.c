// SPDX-License-Identifier: Apache-2.0
/* An anonymous pair: rights, status, doorbells, bindings, geometry. */
#include "helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

static void drain(int fd)
{
	eventfd_t count;

	assert_int_equal(eventfd_read(fd, &count), 0);
}

static int eventfd_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void each_end_sees_its_own_and_its_peers_area(void **state)
{
	struct ends e;

	(void)state;
	ends_open_bare(&e, 8192);
	assert_int_equal(channel_side(e.client), CHANNEL_CLIENT);
	assert_int_equal(channel_side(e.server), CHANNEL_SERVER);
	assert_int_equal(channel_id(e.client), 0);
	assert_int_equal(channel_geometry(e.server)->private_size, 4096);
	assert_null(channel_private(e.client));
	assert_non_null(channel_private(e.server));
	strcpy(channel_own(e.client), "from the client");
	strcpy(channel_own(e.server), "from the server");
	strcpy(channel_private(e.server), "private");
	assert_string_equal(channel_peer(e.server), "from the client");
	assert_string_equal(channel_peer(e.client), "from the server");
	assert_ptr_not_equal(channel_own(e.client), channel_peer(e.server));
	ends_close(&e);
	channel_close(NULL);
}

static int write_to(void *argument)
{
	signal(SIGSEGV, SIG_DFL);
	*(volatile uint8_t *)argument = 1;
	return 0;
}

static int attempt(const void *where)
{
	return child_end(child_start(write_to, (void *)where));
}

static void the_peers_area_cannot_be_written(void **state)
{
	struct ends e;

	(void)state;
	ends_open_bare(&e, 4096);
	assert_int_equal(attempt(channel_peer(e.client)), 128 + SIGSEGV);
	assert_int_equal(attempt(channel_peer(e.server)), 128 + SIGSEGV);
	assert_int_equal(attempt(channel_own(e.client)), 0);
	assert_int_equal(attempt(channel_own(e.server)), 0);
	ends_close(&e);
}

static void impossible_geometry_is_refused(void **state)
{
	const struct channel_geometry bad[] = {
		{ .client_size = 4095, .doorbells = 1 },
		{ .server_size = 1 },
		{ .private_size = 4097 },
		{ .client_size = (64u << 20) + 4096 },
		{ .server_size = UINT64_MAX - 4095 },
		{ .doorbells = 65 },
	};
	struct channel *client, *server;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(channel_open_pair(&client, &server, &bad[i]), -EPROTO);
}

static void doorbells_ring_at_the_peer_by_index(void **state)
{
	struct ends e;
	int at_server, at_client;

	(void)state;
	ends_open_bare(&e, 4096);
	at_server = channel_doorbell_fd(e.server, 1);
	at_client = channel_doorbell_fd(e.client, 1);
	assert_int_equal(channel_doorbell_fd(e.server, 1), at_server);
	assert_int_equal(channel_ring(e.client, 0), 0);
	assert_false(readable(at_server));
	assert_int_equal(channel_ring(e.client, 1), 0);
	assert_int_equal(channel_ring(e.client, 1), 0);
	assert_true(readable(at_server));
	assert_false(readable(at_client));
	drain(at_server);
	assert_int_equal(channel_ring(e.server, 1), 0);
	assert_true(readable(at_client));
	assert_int_equal(channel_ring(e.client, 2), -EINVAL);
	assert_int_equal(channel_doorbell_fd(e.client, 2), -EINVAL);
	assert_int_equal(channel_bind_sink(e.client, 2, at_client), -EINVAL);
	assert_int_equal(channel_bind_source(e.client, 2, at_client), -EINVAL);
	assert_int_equal(channel_bind_source(e.server, 0, at_client), -EINVAL);
	ends_close(&e);
}

static void a_bound_sink_gets_the_peers_rings(void **state)
{
	int sink = eventfd_new(), own;
	struct ends e;

	(void)state;
	ends_open_bare(&e, 4096);
	own = channel_doorbell_fd(e.client, 0);
	assert_true(own >= 0);
	assert_int_equal(channel_bind_sink(e.client, 0, sink), 0);
	assert_true(readable(sink));	/* fresh */
	drain(sink);
	assert_int_equal(channel_ring(e.server, 0), 0);
	assert_true(readable(sink));
	drain(sink);
	assert_int_equal(channel_doorbell_fd(e.client, 0), -EBUSY);
	assert_int_equal(channel_bind_sink(e.client, 0, -1), 0);
	assert_int_equal(channel_ring(e.server, 0), 0);
	assert_false(readable(sink));
	assert_true(readable(channel_doorbell_fd(e.client, 0)));
	ends_close(&e);
	close(sink);
}

static void a_bound_source_rings_at_the_server(void **state)
{
	int source = eventfd_new(), late = eventfd_new(), bell;
	struct ends e;

	(void)state;
	ends_open_bare(&e, 4096);
	assert_int_equal(channel_bind_source(e.client, 0, source), 0);
	assert_int_equal(channel_bind_sink(e.server, 0, late), -EBUSY);
	bell = channel_doorbell_fd(e.server, 0);
	drain(bell);
	assert_int_equal(eventfd_write(source, 1), 0);
	assert_true(readable(bell));
	drain(bell);
	assert_int_equal(channel_ring(e.client, 0), 0);
	assert_true(readable(bell));
	assert_true(channel_doorbell_fd(e.server, 1) >= 0);
	assert_int_equal(channel_bind_source(e.client, 1, late), -EBUSY);
	ends_close(&e);
	close(source);
	close(late);
}

static int leave(void *argument)
{
	struct ends *e = argument;

	channel_close(e->server);
	pause();
	return 0;
}

static void the_status_tells_when_the_peer_is_gone(void **state)
{
	struct channel_status status;
	struct ends e;
	pid_t pid;

	(void)state;
	ends_open_bare(&e, 4096);
	pid = child_start(leave, &e);		/* it keeps the client's end */
	channel_close(e.client);
	e.client = NULL;
	assert_int_equal(channel_status(e.server, &status), 0);
	assert_true(status.serving);
	assert_int_equal(status.epoch, 1);
	assert_true(status.peer_attached);
	assert_false(readable(channel_status_fd(e.server)));
	kill(pid, SIGKILL);
	assert_int_equal(child_end(pid), 128 + SIGKILL);
	assert_true(readable(channel_status_fd(e.server)));
	assert_int_equal(channel_status(e.server, &status), 0);
	assert_true(status.serving);
	assert_false(status.peer_attached);
	assert_false(readable(channel_status_fd(e.server)));
	ends_close(&e);

	ends_open_bare(&e, 4096);
	assert_int_equal(channel_status(e.client, &status), 0);
	assert_true(status.serving && status.peer_attached);
	channel_close(e.server);
	e.server = NULL;
	assert_true(readable(channel_status_fd(e.client)));
	assert_int_equal(channel_status(e.client, &status), 0);
	assert_false(status.serving || status.peer_attached);
	ends_close(&e);
}

static int count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void closing_leaves_no_descriptor_behind(void **state)
{
	const int before = count_fds();
	struct ends e;
	int fd, i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ends_open(&e, 4096);
		fd = channel_doorbell_fd(e.server, 1);
		assert_true(fd >= 0);
		assert_int_equal(channel_bind_sink(e.client, 1, fd), 0);
		ends_close(&e);
		assert_int_equal(count_fds(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_sees_its_own_and_its_peers_area),
		cmocka_unit_test(the_peers_area_cannot_be_written),
		cmocka_unit_test(impossible_geometry_is_refused),
		cmocka_unit_test(doorbells_ring_at_the_peer_by_index),
		cmocka_unit_test(a_bound_sink_gets_the_peers_rings),
		cmocka_unit_test(a_bound_source_rings_at_the_server),
		cmocka_unit_test(the_status_tells_when_the_peer_is_gone),
		cmocka_unit_test(closing_leaves_no_descriptor_behind),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}

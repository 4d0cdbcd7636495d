// SPDX-License-Identifier: Apache-2.0
/* Packets between two honest ends: sizes, wraparound, refusals, counters, two processes. */
#include "helper.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "libchannel/ring.h"

static uint8_t out[PACKET_MAX + 1], in[PACKET_MAX + 1];

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void fill(size_t n, unsigned int salt)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 13 + salt);
}

static void one_way(struct packet_ring *from, struct packet_ring *to, size_t n)
{
	fill(n, (unsigned int)n);
	assert_int_equal(packet_send(from, out, n), 0);
	memset(in, 0xee, n + 1);
	assert_int_equal(packet_receive(to, in, sizeof(in)), n);
	assert_memory_equal(in, out, n);
	assert_int_equal(in[n], 0xee);
	assert_int_equal(packet_receive(to, in, sizeof(in)), -EAGAIN);
}

static void every_size_makes_the_round_trip(void **state)
{
	struct ends e;
	size_t n;

	(void)state;
	ends_open(&e, 512 * 1024);
	/* All small ones, then a step that is prime to the slots' size, then all of the last. */
	for (n = 0; n <= PACKET_MAX; n += n < 4096 || n > PACKET_MAX - 200 ? 1 : 251) {
		one_way(e.to_server, e.to_client, n);
		one_way(e.to_client, e.to_server, n);
	}
	one_way(e.to_server, e.to_client, PACKET_MAX);
	ends_close(&e);
}

static void packets_wrap_around_at_every_slot(void **state)
{
	struct seed s = { 1 };
	uint64_t sent = 0, received = 0, number;
	struct ends e;
	ssize_t n;

	(void)state;
	ends_open(&e, 4096);
	while (received < 20000) {
		do
			n = pattern_make(out, sent, 8 + seed_below(&s, 900));
		while (!packet_send(e.to_server, out, n) && ++sent);
		while ((n = packet_receive(e.to_client, in, sizeof(in))) >= 0) {
			assert_true(pattern_check(in, n, &number));
			assert_int_equal(number, received);
			received++;
			if (!seed_below(&s, 4))
				break;
		}
		assert_true(n >= 0 || n == -EAGAIN);
	}
	ends_close(&e);
}

static void a_packet_as_large_as_the_ring_passes_an_empty_ring(void **state)
{
	const size_t whole = (4096 - sizeof(struct ring_control)) / RING_LINE * RING_PAYLOAD;
	unsigned int i;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	for (i = 0; i < 200; i++) {
		one_way(e.to_server, e.to_client, 1 + i % 100);
		one_way(e.to_server, e.to_client, whole);
	}
	ends_close(&e);
}

static void an_impossible_packet_is_refused_before_a_full_ring_is(void **state)
{
	const size_t whole = (4096 - sizeof(struct ring_control)) / RING_LINE * RING_PAYLOAD;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_send(e.to_server, out, whole + 1), -EMSGSIZE);
	assert_int_equal(packet_send(e.to_server, out, whole), 0);
	assert_int_equal(packet_send(e.to_server, out, 0), -EAGAIN);
	assert_int_equal(packet_send(e.to_server, out, whole + 1), -EMSGSIZE);
	ends_close(&e);

	ends_open(&e, 512 * 1024);
	assert_int_equal(packet_send(e.to_server, out, PACKET_MAX + 1), -EMSGSIZE);
	assert_int_equal(packet_send(e.to_server, out, SIZE_MAX), -EMSGSIZE);
	assert_int_equal(packet_send(e.to_server, out, PACKET_MAX), 0);
	ends_close(&e);
}

static void a_packet_larger_than_the_buffer_stays(void **state)
{
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	fill(100, 3);
	assert_int_equal(packet_send(e.to_server, out, 100), 0);
	assert_int_equal(packet_receive(e.to_client, in, 99), -EMSGSIZE);
	assert_int_equal(packet_receive(e.to_client, in, 0), -EMSGSIZE);
	assert_int_equal(packet_receive(e.to_client, in, 100), 100);
	assert_memory_equal(in, out, 100);
	ends_close(&e);
}

static void slots_are_free_again_only_when_the_receiver_comes_back(void **state)
{
	const size_t whole = (4096 - sizeof(struct ring_control)) / RING_LINE * RING_PAYLOAD;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_send(e.to_server, out, whole), 0);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), whole);
	assert_int_equal(packet_send(e.to_server, out, 1), -EAGAIN);
	assert_false(packet_prepare_wait(e.to_client));
	assert_int_equal(packet_send(e.to_server, out, 1), 0);
	ends_close(&e);
}

static void areas_too_small_or_without_doorbell_are_refused(void **state)
{
	struct channel_geometry g = { .client_size = 4096, .server_size = 4096 };
	struct channel *client, *server;
	struct packet_ring *p;

	(void)state;
	assert_int_equal(channel_open_pair(&client, &server, &g), 0);
	assert_int_equal(packet_open(&p, client), -EINVAL);
	channel_close(client);
	channel_close(server);

	g = (struct channel_geometry){ .client_size = 4096, .doorbells = 1 };
	assert_int_equal(channel_open_pair(&client, &server, &g), 0);
	assert_int_equal(packet_open(&p, client), -EINVAL);
	assert_int_equal(packet_open(&p, server), -EINVAL);
	channel_close(client);
	channel_close(server);
}

static void the_doorbell_rings_only_for_who_asked_and_once(void **state)
{
	struct packet_counters k;
	struct ends e;
	int i;

	(void)state;
	ends_open(&e, 4096);
	packet_clear_wait(e.to_client);		/* the client's greeting at its opening */
	assert_int_equal(packet_send(e.to_server, out, 1), 0);
	assert_false(readable(packet_wait_fd(e.to_client)));
	assert_true(packet_prepare_wait(e.to_client));
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 1);
	assert_false(packet_prepare_wait(e.to_client));
	assert_false(readable(packet_wait_fd(e.to_client)));
	for (i = 0; i < 10; i++)
		assert_int_equal(packet_send(e.to_server, out, 1), 0);
	assert_true(readable(packet_wait_fd(e.to_client)));
	packet_counters(e.to_server, &k);
	assert_int_equal(k.wakeups, 1);
	assert_int_equal(k.packets_sent, 11);
	assert_int_equal(k.bytes_sent, 11);
	packet_clear_wait(e.to_client);
	assert_false(readable(packet_wait_fd(e.to_client)));
	assert_int_equal(packet_send(e.to_server, out, 1), 0);
	assert_false(readable(packet_wait_fd(e.to_client)));
	ends_close(&e);
}

static void a_full_ring_makes_the_fd_readable_when_there_is_room(void **state)
{
	struct packet_counters k;
	struct ends e;
	int sent = 0, i;

	(void)state;
	ends_open(&e, 4096);
	packet_clear_wait(e.to_server);
	while (!packet_send(e.to_server, out, 1))
		sent++;
	assert_int_equal(packet_send(e.to_server, out, 1), -EAGAIN);
	packet_counters(e.to_server, &k);
	assert_int_equal(k.stalls, 1);
	assert_false(readable(packet_wait_fd(e.to_server)));
	for (i = 0; i < sent; i++)
		assert_int_equal(packet_receive(e.to_client, in, 1), 1);
	assert_int_equal(packet_receive(e.to_client, in, 1), -EAGAIN);
	assert_true(readable(packet_wait_fd(e.to_server)));
	assert_int_equal(packet_send(e.to_server, out, 1), 0);
	ends_close(&e);
}

static void waiting_calls_end_in_time(void **state)
{
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_receive_wait(e.to_client, in, sizeof(in), 0), -ETIMEDOUT);
	assert_int_equal(packet_receive_wait(e.to_client, in, sizeof(in), 20), -ETIMEDOUT);
	while (!packet_send(e.to_server, out, 1))
		;
	assert_int_equal(packet_send_wait(e.to_server, out, 1, 20), -ETIMEDOUT);
	ends_close(&e);
}

static int echo(void *argument)
{
	struct ends *e = argument;
	struct packet_ring *p;
	ssize_t n;
	int i;

	channel_close(e->client);
	if (packet_open(&p, e->server))
		return 1;
	for (i = 0; i < 5000; i++) {
		n = packet_receive_wait(p, in, sizeof(in), 20000);
		if (n < 0 || packet_send_wait(p, in, n, 20000))
			return 2;
	}
	packet_close(p);
	channel_close(e->server);
	return 0;
}

static void two_processes_with_two_mappings_echo(void **state)
{
	struct channel_status status;
	struct seed s = { 2 };
	uint64_t i, number;
	struct ends e;
	ssize_t n;
	pid_t pid;

	(void)state;
	ends_open_bare(&e, 16 * 4096);
	pid = child_start(echo, &e);
	channel_close(e.server);
	e.server = NULL;
	assert_int_equal(packet_open(&e.to_server, e.client), 0);
	for (i = 0; i < 5000; i++) {
		n = 8 + (ssize_t)seed_below(&s, i % 2 ? 100 : 50000);
		pattern_make(out, i, n);
		assert_int_equal(packet_send_wait(e.to_server, out, n, 20000), 0);
		assert_int_equal(packet_receive_wait(e.to_server, in, sizeof(in), 20000), n);
		assert_true(pattern_check(in, n, &number));
		assert_int_equal(number, i);
	}
	assert_int_equal(child_end(pid), 0);
	assert_int_equal(channel_status(e.client, &status), 0);
	assert_false(status.peer_attached);
	ends_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_makes_the_round_trip),
		cmocka_unit_test(packets_wrap_around_at_every_slot),
		cmocka_unit_test(a_packet_as_large_as_the_ring_passes_an_empty_ring),
		cmocka_unit_test(an_impossible_packet_is_refused_before_a_full_ring_is),
		cmocka_unit_test(a_packet_larger_than_the_buffer_stays),
		cmocka_unit_test(slots_are_free_again_only_when_the_receiver_comes_back),
		cmocka_unit_test(areas_too_small_or_without_doorbell_are_refused),
		cmocka_unit_test(the_doorbell_rings_only_for_who_asked_and_once),
		cmocka_unit_test(a_full_ring_makes_the_fd_readable_when_there_is_room),
		cmocka_unit_test(waiting_calls_end_in_time),
		cmocka_unit_test(two_processes_with_two_mappings_echo),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}

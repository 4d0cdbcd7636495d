// SPDX-License-Identifier: Apache-2.0
/*
 * A peer that writes whatever it likes into every word that it may write: the victim gets
 * -ECONNRESET or garbage payload; never a crash, an endless loop or more bytes than it asked for.
 */
#include "helper.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "libchannel/ring.h"

#define AREA	8192u
#define SLOTS	((AREA - sizeof(struct ring_control)) / RING_LINE)

static uint8_t buffer[PACKET_MAX];

static struct ring_slot *slots_of(struct channel *c)
{
	return (struct ring_slot *)((struct ring_control *)channel_own(c) + 1);
}

/* One word of the scribbler's area: anything, or something that could be believed. */
static void scribble(struct channel *c, struct seed *s)
{
	struct ring_control *control = channel_own(c);
	_Atomic uint64_t *const words = channel_own(c);
	const uint64_t near = seed_below(s, 3 * SLOTS);

	switch (seed_below(s, 8)) {
	case 0:
		words[seed_below(s, AREA / 8)] = seed_next(s);
		break;
	case 1:
		control->consumed = near;
		break;
	case 2:
		control->consumed += seed_below(s, 4);
		break;
	case 3:
		control->wake_packet = seed_next(s);
		break;
	case 4:
		control->wake_room = near;
		break;
	default:
		/* A first slot that is due, of any length. */
		slots_of(c)[near % SLOTS].word = (near + 1) << RING_LENGTH_BITS |
			seed_below(s, seed_below(s, 2) ? 300 : 1 << RING_LENGTH_BITS);
	}
}

static int allowed(ssize_t rc, size_t longest)
{
	return rc == -EAGAIN || rc == -EMSGSIZE || rc == -ECONNRESET ||
	       (rc >= 0 && (size_t)rc <= longest);
}

/* One call of the victim's; -ECONNRESET when its ring is to be thrown away. */
static int work(struct packet_ring *p, struct seed *s)
{
	const size_t size = seed_below(s, seed_below(s, 2) ? 200 : AREA);
	struct packet_counters k;
	ssize_t rc;

	switch (seed_below(s, 6)) {
	case 0:
	case 1:
		rc = packet_send(p, buffer, size);
		assert_true(allowed(rc, 0));
		return rc == -ECONNRESET ? (int)rc : 0;
	case 2:
	case 3:
		rc = packet_receive(p, buffer, size);
		assert_true(allowed(rc, size));
		return rc == -ECONNRESET ? (int)rc : 0;
	case 4:
		packet_prepare_wait(p);
		packet_counters(p, &k);
		break;
	default:
		packet_clear_wait(p);
	}
	return 0;
}

static void scribbled_between_calls(uint64_t seed, unsigned int steps)
{
	struct seed s = { seed };
	struct packet_ring *p;
	struct ends e;
	unsigned int i, lost = 0;
	int rc;

	while (steps) {
		ends_open_bare(&e, AREA);
		rc = packet_open(&p, e.server);
		assert_int_equal(rc, 0);
		while (!rc && steps--) {
			for (i = seed_below(&s, 3); i; i--)
				scribble(e.client, &s);
			rc = work(p, &s);
			if (rc)
				break;
			if (!seed_below(&s, 50)) {	/* killed, and started again */
				packet_close(p);
				p = NULL;
				rc = packet_open(&p, e.server);
				assert_true(!rc || rc == -ECONNRESET);
			}
		}
		lost += !!rc;
		packet_close(p);
		ends_close(&e);
		if (!steps || steps == UINT32_MAX)
			break;
	}
	assert_true(lost > 0);
}

static void words_changed_between_calls_harm_nobody(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++)
		scribbled_between_calls(seed, 5000);
}

struct attack {
	struct channel *c;
	_Atomic bool stop;
};

static void *attack(void *argument)
{
	struct attack *a = argument;
	struct seed s = { 99 };

	while (!a->stop)
		scribble(a->c, &s);
	return NULL;
}

static int suffer(void *argument)
{
	const time_t end = time(NULL) + 3;
	struct seed s = { 7 };
	unsigned int lost = 0;
	struct packet_ring *p;
	struct attack a;
	pthread_t thread;
	struct ends e;

	(void)argument;
	while (time(NULL) < end) {
		ends_open_bare(&e, AREA);
		assert_int_equal(packet_open(&p, e.server), 0);
		a = (struct attack){ .c = e.client };
		assert_int_equal(pthread_create(&thread, NULL, attack, &a), 0);
		while (!work(p, &s) && time(NULL) < end)
			;
		lost++;
		a.stop = true;
		pthread_join(thread, NULL);
		packet_close(p);
		ends_close(&e);
	}
	return lost < 10;
}

static void words_changed_during_calls_harm_nobody(void **state)
{
	(void)state;
	assert_int_equal(child_end(child_start(suffer, NULL)), 0);
}

static void a_report_beyond_what_was_sent_breaks_the_channel(void **state)
{
	const uint64_t impossible[] = { 1, SLOTS, UINT64_MAX - SLOTS, 1ULL << 63 };
	struct ring_control *server;
	struct ends e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(impossible); i++) {
		ends_open(&e, AREA);
		server = channel_own(e.server);
		while (!packet_send(e.to_server, buffer, 1))
			;
		server->consumed = SLOTS + impossible[i];
		assert_int_equal(packet_send(e.to_server, buffer, 1), -ECONNRESET);
		server->consumed = 0;
		assert_int_equal(packet_send(e.to_server, buffer, 1), -ECONNRESET);
		assert_int_equal(packet_receive(e.to_server, buffer, 1), -ECONNRESET);
		assert_true(packet_prepare_wait(e.to_server));
		ends_close(&e);
	}
}

static void a_report_that_goes_back_breaks_the_channel(void **state)
{
	struct ring_control *server;
	struct ends e;

	(void)state;
	ends_open(&e, AREA);
	server = channel_own(e.server);
	while (!packet_send(e.to_server, buffer, 1))
		;
	server->consumed = 5;
	while (!packet_send(e.to_server, buffer, 1))
		;
	server->consumed = 4;
	assert_int_equal(packet_send(e.to_server, buffer, 1), -ECONNRESET);
	ends_close(&e);
}

static void a_length_beyond_the_ring_breaks_the_channel(void **state)
{
	const uint64_t lengths[] = { SLOTS * RING_PAYLOAD + 1, RING_LENGTH_MASK };
	struct ends e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ends_open(&e, AREA);
		slots_of(e.client)->word = 1ULL << RING_LENGTH_BITS | lengths[i];
		assert_int_equal(packet_receive(e.to_client, buffer, sizeof(buffer)), -ECONNRESET);
		slots_of(e.client)->word = 1ULL << RING_LENGTH_BITS | 1;
		assert_int_equal(packet_receive(e.to_client, buffer, sizeof(buffer)), -ECONNRESET);
		ends_close(&e);
	}
}

static void payload_that_looks_like_slots_is_payload(void **state)
{
	const size_t n = 20 * RING_PAYLOAD;
	uint64_t *words = (uint64_t *)buffer;
	struct ends e;
	size_t i, round;

	(void)state;
	ends_open(&e, AREA);
	for (round = 0; round < 100; round++) {
		/* Every number that a slot can have in the next laps, at every place. */
		for (i = 0; i < n / 8; i++)
			words[i] = (round * 20 + i % SLOTS + 1) << RING_LENGTH_BITS | 8;
		assert_int_equal(packet_send(e.to_server, buffer, n), 0);
		assert_int_equal(packet_receive(e.to_client, buffer, sizeof(buffer)), n);
		assert_int_equal(packet_receive(e.to_client, buffer, sizeof(buffer)), -EAGAIN);
	}
	ends_close(&e);
}

static void a_peer_that_always_sleeps_costs_one_ring_a_packet(void **state)
{
	struct packet_counters k;
	struct ring_control *server;
	struct ends e;
	unsigned int i;

	(void)state;
	ends_open(&e, AREA);
	server = channel_own(e.server);
	for (i = 0; i < 50; i++) {
		server->wake_packet = i * RING_GENERATION | RING_ASLEEP;
		assert_int_equal(packet_send(e.to_server, buffer, 1), 0);
	}
	packet_counters(e.to_server, &k);
	assert_int_equal(k.wakeups, 50);
	ends_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_changed_between_calls_harm_nobody),
		cmocka_unit_test(words_changed_during_calls_harm_nobody),
		cmocka_unit_test(a_report_beyond_what_was_sent_breaks_the_channel),
		cmocka_unit_test(a_report_that_goes_back_breaks_the_channel),
		cmocka_unit_test(a_length_beyond_the_ring_breaks_the_channel),
		cmocka_unit_test(payload_that_looks_like_slots_is_payload),
		cmocka_unit_test(a_peer_that_always_sleeps_costs_one_ring_a_packet),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}

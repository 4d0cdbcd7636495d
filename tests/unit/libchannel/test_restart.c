// SPDX-License-Identifier: Apache-2.0
/*
 * Ends whose process is killed at any instant, and opened again over the same memory: nothing that
 * was sent is lost, nothing is torn, and at most the one packet in hand comes twice.
 */
#include "helper.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libchannel/ring.h"

#define LONGEST 3000

static uint8_t out[LONGEST + 8], in[LONGEST + 8];

/* What survives a child: shared with it, and trusted. */
struct progress {
	_Atomic uint64_t next;		/* number of the packet to send, or last received + 1 */
	_Atomic uint64_t twice;
	_Atomic uint64_t opened;
};

struct task {
	struct ends e;
	struct progress *progress;
};

static struct progress *share_progress(void)
{
	struct progress *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static size_t length_of(uint64_t number)
{
	struct seed s = { number };

	return 8 + seed_below(&s, seed_below(&s, 3) ? 100 : LONGEST - 8);
}

static int produce_for_ever(void *argument)
{
	struct task *t = argument;
	struct packet_ring *p;
	uint64_t number;

	if (packet_open(&p, t->e.client))
		return 1;
	t->progress->opened++;
	for (;;) {
		number = t->progress->next;
		pattern_make(out, number, length_of(number));
		if (packet_send_wait(p, out, length_of(number), -1))
			return 2;
		t->progress->next = number + 1;
	}
}

static void a_killed_producer_loses_and_tears_nothing(void **state)
{
	struct task t = { .progress = share_progress() };
	uint64_t expected = 0, number, twice = 0, end;
	struct seed s = { 3 };
	unsigned int kills;
	ssize_t n;
	pid_t pid;

	(void)state;
	ends_open_bare(&t.e, 3 * 4096);
	assert_int_equal(packet_open(&t.e.to_client, t.e.server), 0);
	for (kills = 0; kills < 150; kills++) {
		pid = child_start(produce_for_ever, &t);
		while (t.progress->opened == kills)
			usleep(50);
		/* Some packets, and then a kill in the middle of whatever it does. */
		end = expected + seed_below(&s, 300);
		while (expected < end) {
			n = packet_receive_wait(t.e.to_client, in, sizeof(in), 20000);
			assert_true(n >= 0);
			assert_true(pattern_check(in, n, &number));
			if (number + 1 == expected && expected) {
				twice++;
				continue;
			}
			assert_int_equal(number, expected);
			assert_int_equal(n, length_of(number));
			expected++;
		}
		kill(pid, SIGKILL);
		assert_int_equal(child_end(pid), 128 + SIGKILL);
	}
	/* What the last one has sent is still there. */
	while ((n = packet_receive(t.e.to_client, in, sizeof(in))) >= 0) {
		assert_true(pattern_check(in, n, &number));
		assert_true(number == expected || number + 1 == expected);
		expected += number == expected;
	}
	assert_int_equal(n, -EAGAIN);
	assert_true(expected == t.progress->next || expected == t.progress->next + 1);
	assert_true(twice <= kills);
	ends_close(&t.e);
	munmap(t.progress, 4096);
}

static int consume_for_ever(void *argument)
{
	struct task *t = argument;
	struct packet_ring *p;
	uint64_t number, next;
	ssize_t n;

	if (packet_open(&p, t->e.server))
		return 1;
	t->progress->opened++;
	for (;;) {
		n = packet_receive_wait(p, in, sizeof(in), -1);
		next = t->progress->next;
		if (n < 0 || !pattern_check(in, n, &number) || (size_t)n != length_of(number))
			return 2;
		if (number + 1 == next)
			t->progress->twice++;
		else if (number == next)
			t->progress->next = next + 1;
		else
			return 3;
	}
}

static void a_killed_consumer_is_given_again_what_it_had_in_hand(void **state)
{
	struct task t = { .progress = share_progress() };
	uint64_t sent = 0, end;
	struct seed s = { 4 };
	unsigned int kills;
	size_t n;
	pid_t pid;

	(void)state;
	ends_open_bare(&t.e, 3 * 4096);
	assert_int_equal(packet_open(&t.e.to_server, t.e.client), 0);
	for (kills = 0; kills < 150; kills++) {
		pid = child_start(consume_for_ever, &t);
		while (t.progress->opened == kills)
			usleep(50);
		for (end = sent + seed_below(&s, 300); sent < end; sent++) {
			n = pattern_make(out, sent, length_of(sent));
			assert_int_equal(packet_send_wait(t.e.to_server, out, n, 20000), 0);
		}
		kill(pid, SIGKILL);
		assert_int_equal(child_end(pid), 128 + SIGKILL);
	}
	assert_true(t.progress->twice <= kills);
	pid = child_start(consume_for_ever, &t);
	while (t.progress->next < sent)
		usleep(100);
	kill(pid, SIGKILL);
	assert_int_equal(child_end(pid), 128 + SIGKILL);
	ends_close(&t.e);
	munmap(t.progress, 4096);
}

static void a_request_in_hand_is_delivered_to_the_next_process(void **state)
{
	struct packet_ring *again;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_send(e.to_server, "one", 3), 0);
	assert_int_equal(packet_send(e.to_server, "two", 3), 0);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 3);
	/* Not closed: as if killed here. */
	assert_int_equal(packet_open(&again, e.server), 0);
	assert_int_equal(packet_receive(again, in, sizeof(in)), 3);
	assert_memory_equal(in, "one", 3);
	assert_int_equal(packet_receive(again, in, sizeof(in)), 3);
	assert_memory_equal(in, "two", 3);
	packet_close(again);
	/* Closed with the second in hand: that one is done. */
	assert_int_equal(packet_open(&again, e.server), 0);
	assert_int_equal(packet_receive(again, in, sizeof(in)), -EAGAIN);
	packet_close(again);
	ends_close(&e);
}

/* A producer's area as it is when it dies with `done` of the slots of a packet written. */
static void a_packet_written_in_part_never_was(void **state)
{
	struct ring_control *control;
	struct packet_ring *again;
	struct ring_slot *slot;
	struct ends e;
	unsigned int i;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_send(e.to_server, "one", 3), 0);
	control = channel_own(e.client);
	slot = (struct ring_slot *)(control + 1);
	for (i = 2; i < 6; i++) {
		slot[i].word = RING_CONTINUED;
		memset(slot[i].data, 0xcc, sizeof(slot[i].data));
	}
	memset(slot[1].data, 0xcc, sizeof(slot[1].data));
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 3);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), -EAGAIN);
	assert_int_equal(packet_open(&again, e.client), 0);
	assert_int_equal(packet_send(again, "two", 3), 0);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 3);
	assert_memory_equal(in, "two", 3);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), -EAGAIN);
	packet_close(again);
	ends_close(&e);
}

static void a_report_that_lags_behind_the_words_is_put_right(void **state)
{
	struct ring_control *control;
	struct packet_ring *again;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	assert_int_equal(packet_send(e.to_server, out, 200), 0);
	assert_int_equal(packet_send(e.to_server, "one", 3), 0);
	control = channel_own(e.client);
	control->produced = 0;
	assert_int_equal(packet_open(&again, e.client), 0);
	assert_int_equal(control->produced, 5);
	assert_int_equal(packet_send(again, "two", 3), 0);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 200);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 3);
	assert_memory_equal(in, "one", 3);
	assert_int_equal(packet_receive(e.to_client, in, sizeof(in)), 3);
	assert_memory_equal(in, "two", 3);
	packet_close(again);
	ends_close(&e);
}

static void impossible_reports_are_refused(void **state)
{
	struct ring_control *client, *server;
	struct packet_ring *again;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	client = channel_own(e.client);
	server = channel_own(e.server);

	server->consumed = 1;			/* more than was sent */
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	server->consumed = 0;
	client->produced = 1000;		/* more than the ring holds */
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	client->produced = 0;
	client->position = 1000;		/* handled more than it can have seen */
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	client->position = UINT64_MAX;
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	client->position = 0;
	client->consumed = 1;			/* told more than it has handled */
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	client->consumed = 0;
	assert_int_equal(packet_open(&again, e.client), 0);
	packet_close(again);
	ends_close(&e);
}

static void a_peer_that_slept_as_we_died_is_woken_at_the_start(void **state)
{
	struct packet_ring *again;
	struct ends e;

	(void)state;
	ends_open(&e, 4096);
	packet_clear_wait(e.to_client);
	assert_false(packet_prepare_wait(e.to_client));
	/* As if the producer died between its packet and the doorbell. */
	((struct ring_slot *)((struct ring_control *)channel_own(e.client) + 1))->word =
		(uint64_t)1 << RING_LENGTH_BITS | 3;
	assert_int_equal(packet_open(&again, e.client), 0);
	assert_int_equal(packet_receive_wait(e.to_client, in, sizeof(in), 1000), 3);
	packet_close(again);
	ends_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_producer_loses_and_tears_nothing),
		cmocka_unit_test(a_killed_consumer_is_given_again_what_it_had_in_hand),
		cmocka_unit_test(a_request_in_hand_is_delivered_to_the_next_process),
		cmocka_unit_test(a_packet_written_in_part_never_was),
		cmocka_unit_test(a_report_that_lags_behind_the_words_is_put_right),
		cmocka_unit_test(impossible_reports_are_refused),
		cmocka_unit_test(a_peer_that_slept_as_we_died_is_woken_at_the_start),
	};

	return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}

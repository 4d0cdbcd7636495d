/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link to uvd over an anonymous channel, with a uvd that loses replies, dies, comes back, and
 * talks nonsense. Both ends run in one event loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <cmocka.h>

#include <common/uuid.h>
#include <libchannel/packet.h>
#include <ultravisor/io.h>

#include "../../../cmdpartd/uvdlink.h"

#define REQUESTS 200

enum manner { ANSWER, LOSE, GARBAGE, SHORT, WRONG_SIZE, SOMEBODY_ELSE, TWICE };

struct fake {			/* uvd */
	struct channel *channel;
	struct packet_ring *ring;
	sd_event_source *io;
	enum manner manner;
	unsigned int seen;
	uint8_t last[16];
};

static sd_event *event;
static struct uvdlink *under_test;
static struct fake uvd;
static unsigned int ready, done, unknown, unreachable;
static uint64_t transaction;
static uint64_t buffer[COMMAND_MAX_LENGTH / 8];

static void answer(struct fake *f, size_t n)
{
	struct command_header *h = (struct command_header *)buffer;
	size_t length = sizeof(*h);

	(void)n;
	memcpy(f->last, h->request_id, 16);
	h->kind = COMMAND_REPLY;
	h->status = COMMAND_OK;
	h->transaction = ++f->seen;
	h->count = 0;
	h->length = length;
	switch (f->manner) {
	case LOSE:
		return;
	case GARBAGE:
		memset(buffer, 0xa5, length);
		break;
	case SHORT:
		length = 12;
		break;
	case WRONG_SIZE:
		h->length = length + 8;
		break;
	case SOMEBODY_ELSE:
		h->request_id[0] ^= 0xff;
		break;
	case TWICE:
		assert_int_equal(packet_send(f->ring, buffer, length), 0);
		break;
	case ANSWER:
		break;
	}
	assert_int_equal(packet_send(f->ring, buffer, length), 0);
}

static int on_request(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct fake *f = data;
	ssize_t n;

	(void)source, (void)fd, (void)events;
	packet_clear_wait(f->ring);
	do {
		while ((n = packet_receive(f->ring, buffer, sizeof(buffer))) > 0)
			answer(f, n);
	} while (packet_prepare_wait(f->ring));
	return 0;
}

static void uvd_dies(void)
{
	uvd.io = sd_event_source_disable_unref(uvd.io);
	packet_close(uvd.ring);
	channel_close(uvd.channel);
	uvd.ring = NULL;
	uvd.channel = NULL;
}

/* A new channel, as after a host's restart; the link is given its end. */
static void uvd_comes(enum manner manner)
{
	const struct channel_geometry g = {
		.type = CHANNEL_COMMAND, .layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE, .server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
	};
	struct channel *client;

	uvd.manner = manner;
	assert_int_equal(channel_open_pair(&client, &uvd.channel, &g), 0);
	assert_int_equal(packet_open(&uvd.ring, uvd.channel), 0);
	assert_true(sd_event_add_io(event, &uvd.io, packet_wait_fd(uvd.ring), EPOLLIN, on_request,
				    &uvd) >= 0);
	packet_prepare_wait(uvd.ring);
	assert_int_equal(uvdlink_attach(under_test, client), 0);
}

static void on_ready(void *data)
{
	(void)data;
	ready++;
}

static void on_done(enum exit_code code, const struct command_header *reply, void *data)
{
	(void)data;
	done += code == EXIT_OK;
	unknown += code == EXIT_UNKNOWN;
	unreachable += code == EXIT_UNREACHABLE;
	assert_int_equal(!!reply, code == EXIT_OK);
	if (reply)
		transaction = reply->transaction;
}

static void request(const uint8_t id[16])
{
	struct message m;
	uint8_t any[16];

	uuid_random(any);
	message_begin(&m, COMMAND_QUERY, id ? id : any, NULL);
	message_query(&m, COMMAND_ROW_HOST, "", NULL, 0, 0);
	assert_int_equal(uvdlink_send(under_test, &m, on_done, NULL), 0);
}

/* Runs the loop until n requests have ended, or ms have passed. */
static void run(unsigned int n, unsigned int ms)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		assert_true(sd_event_run(event, 10000) >= 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (done + unknown + unreachable < n &&
		 (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

static int set_up(void **state)
{
	(void)state;
	ready = done = unknown = unreachable = 0;
	memset(&uvd, 0, sizeof(uvd));
	if (sd_event_new(&event) < 0)
		return -1;
	return uvdlink_open(&under_test, event, NULL, on_ready, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	uvdlink_close(under_test);
	uvd_dies();
	sd_event_unref(event);
	return 0;
}

static void an_answer_is_matched_by_its_request_id(void **state)
{
	(void)state;
	uvd_comes(ANSWER);
	request(NULL);
	assert_int_equal(done, 0);
	run(1, 2000);
	assert_int_equal(done, 1);
	assert_int_equal(ready, 1);
	assert_int_equal(uvdlink_pending(under_test), 0);
}

static void many_requests_are_under_way_at_once(void **state)
{
	(void)state;
	uvd_comes(ANSWER);
	for (int i = 0; i < REQUESTS; i++)
		request(NULL);
	run(REQUESTS, 5000);
	assert_int_equal(done, REQUESTS);
	assert_int_equal(uvd.seen, REQUESTS);
}

static void a_request_waits_for_uvd_to_come(void **state)
{
	(void)state;
	request(NULL);
	run(1, 100);
	assert_int_equal(done, 0);
	uvd_comes(ANSWER);
	run(1, 2000);
	assert_int_equal(done, 1);
}

static void without_uvd_nothing_was_done(void **state)
{
	(void)state;
	uvdlink_set_timeout(under_test, 300);
	request(NULL);
	run(1, 3000);
	assert_int_equal(unreachable, 1);
}

static void a_lost_reply_leaves_the_outcome_unknown(void **state)
{
	(void)state;
	uvdlink_set_timeout(under_test, 300);
	uvd_comes(LOSE);
	request(NULL);
	run(1, 3000);
	assert_int_equal(unknown, 1);
	assert_int_equal(uvd.seen, 1);
}

static void what_has_no_answer_is_sent_again_with_its_id(void **state)
{
	uint8_t id[16] = { 42 };

	(void)state;
	uvd_comes(LOSE);
	request(id);
	request(NULL);
	run(1, 200);
	assert_int_equal(uvd.seen, 2);
	assert_int_equal(done, 0);
	uvd_dies();
	run(1, 50);
	assert_false(uvdlink_up(under_test));
	uvd.seen = 0;
	uvd_comes(ANSWER);
	run(2, 2000);
	assert_int_equal(done, 2);
	assert_int_equal(uvd.seen, 2);
	assert_int_equal(ready, 2);
}

static void what_was_answered_is_not_sent_again(void **state)
{
	(void)state;
	uvd_comes(ANSWER);
	request(NULL);
	run(1, 2000);
	uvd_dies();
	uvd.seen = 0;
	uvd_comes(ANSWER);
	run(2, 200);
	assert_int_equal(uvd.seen, 0);
	assert_int_equal(done, 1);
}

/* Whatever it says that is no reply: the channel is dropped, the daemon and the request are not. */
static void nonsense_costs_the_channel_only(void **state)
{
	static const enum manner manners[] = { GARBAGE, SHORT, WRONG_SIZE };

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		done = 0;
		uvd_comes(manners[i]);
		request(NULL);
		run(1, 200);
		assert_int_equal(done, 0);
		assert_false(uvdlink_up(under_test));
		uvd_dies();
		uvd_comes(ANSWER);
		run(1, 2000);
		assert_int_equal(done, 1);
		uvd_dies();
		run(2, 30);
	}
}

static void an_answer_to_nobody_is_left_out(void **state)
{
	(void)state;
	uvdlink_set_timeout(under_test, 300);
	uvd_comes(SOMEBODY_ELSE);
	request(NULL);
	run(1, 3000);
	assert_int_equal(done, 0);
	assert_int_equal(unknown, 1);
	assert_true(uvdlink_up(under_test));
}

static void a_second_answer_is_left_out(void **state)
{
	(void)state;
	uvd_comes(TWICE);
	request(NULL);
	run(2, 200);
	assert_int_equal(done, 1);
	assert_true(uvdlink_up(under_test));
}

static void the_same_id_asked_twice_is_answered_twice(void **state)
{
	uint8_t id[16] = { 7 };

	(void)state;
	uvd_comes(ANSWER);
	request(id);
	request(id);
	run(2, 2000);
	assert_int_equal(done, 2);
	assert_int_equal(transaction, 1);
}

static void closing_ends_what_is_under_way(void **state)
{
	(void)state;
	uvd_comes(LOSE);
	request(NULL);
	run(1, 100);
	uvdlink_close(under_test);
	under_test = NULL;
	assert_int_equal(unknown, 1);
}

/* ---- what arrives is checked before it is used ----------------------------------- */

static size_t build(uint8_t *to, uint16_t type, uint32_t length, uint32_t count)
{
	struct command_header *h = (struct command_header *)to;
	struct command_record *r = (struct command_record *)(h + 1);

	memset(to, 'x', 16384);
	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = COMMAND_REPLY;
	h->count = count;
	h->length = sizeof(*h) + length;
	r->type = type;
	r->length = length;
	return h->length;
}

static void a_reply_is_checked_record_by_record(void **state)
{
	const uint32_t size = sizeof(struct command_row_host);
	static uint64_t room[16384 / 8];
	uint8_t *bytes = (uint8_t *)room;
	const struct command_row_host *h;
	struct command_row_device *d;
	const char *why;
	size_t n;

	(void)state;
	n = build(bytes, COMMAND_ROW_HOST, size, 1);
	assert_true(reply_check(bytes, n, &why));
	/* Strings end within their fields, whatever was sent. */
	h = reply_find((struct command_header *)bytes, COMMAND_ROW_HOST);
	assert_int_equal(strlen(h->name), sizeof(h->name) - 1);
	assert_int_equal(strlen(h->pool_reason), sizeof(h->pool_reason) - 1);

	n = build(bytes, COMMAND_ROW_HOST, size, 1);
	assert_false(reply_check(bytes, n - 1, &why));
	n = build(bytes, COMMAND_ROW_HOST, size - 8, 1);
	assert_false(reply_check(bytes, n, &why));
	n = build(bytes, COMMAND_ROW_HOST, size, 2);
	assert_false(reply_check(bytes, n, &why));
	n = build(bytes, COMMAND_ROW_HOST, size, 0);
	assert_false(reply_check(bytes, n, &why));
	n = build(bytes, COMMAND_PARTITION_START, sizeof(struct command_partition), 1);
	assert_false(reply_check(bytes, n, &why));
	n = build(bytes, 999, size, 1);
	assert_false(reply_check(bytes, n, &why));
	/* Tables are indexed by a device's type; a console has no limits. */
	n = build(bytes, COMMAND_ROW_DEVICE, sizeof(*d), 1);
	d = (struct command_row_device *)((struct command_header *)bytes + 1);
	assert_false(reply_check(bytes, n, &why));
	d->device = DEVICE_CONSOLE;
	assert_false(reply_check(bytes, n, &why));
	d->device = DEVICE_BLOCK;
	assert_true(reply_check(bytes, n, &why));
	n = build(bytes, COMMAND_ROW_HOST, 0, 1);
	assert_false(reply_check(bytes, n, &why));
	n = build(bytes, COMMAND_ROW_HOST, size, COMMAND_MAX_RECORDS + 1);
	assert_false(reply_check(bytes, n, &why));
	((struct command_header *)bytes)->magic ^= 1;
	assert_false(reply_check(bytes, n, &why));
	assert_false(reply_check(bytes, 0, &why));
}

static void a_message_beyond_the_limits_is_not_sent(void **state)
{
	uint8_t id[16] = { 1 };
	struct message m;

	(void)state;
	message_begin(&m, COMMAND_TRANSACT, id, NULL);
	for (uint32_t i = 0; i < COMMAND_MAX_RECORDS; i++)
		message_add(&m, COMMAND_PARTITION_STOP, 0);
	assert_false(m.failed);
	assert_int_equal(message_count(&m), COMMAND_MAX_RECORDS);
	message_add(&m, COMMAND_PARTITION_STOP, 0);
	assert_true(m.failed);
	message_free(&m);
	message_begin(&m, COMMAND_TRANSACT, id, NULL);
	while (!m.failed)
		message_add(&m, COMMAND_PARTITION_DEFINE, 0);
	assert_true(m.length <= COMMAND_MAX_LENGTH);
	assert_true(uvdlink_send(under_test, &m, on_done, NULL) < 0);
	assert_int_equal(uvdlink_pending(under_test), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_matched_by_its_request_id),
		TEST(many_requests_are_under_way_at_once),
		TEST(a_request_waits_for_uvd_to_come),
		TEST(without_uvd_nothing_was_done),
		TEST(a_lost_reply_leaves_the_outcome_unknown),
		TEST(what_has_no_answer_is_sent_again_with_its_id),
		TEST(what_was_answered_is_not_sent_again),
		TEST(nonsense_costs_the_channel_only),
		TEST(an_answer_to_nobody_is_left_out),
		TEST(a_second_answer_is_left_out),
		TEST(the_same_id_asked_twice_is_answered_twice),
		TEST(closing_ends_what_is_under_way),
		TEST(a_reply_is_checked_record_by_record),
		TEST(a_message_beyond_the_limits_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The command channel itself, over anonymous memory: a client that is slow, rude, or gone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <libchannel/packet.h>
#include <ultravisor/io.h>
#include <uvd/command.h>
#include <uvd/news.h>

#include "fake.h"

struct peer {
	struct host *h;
	sd_event *event;
	struct command *command;
	struct channel *client;
	struct packet_ring *ring;
};

static int setup(void **state)
{
	static const struct channel_geometry geometry = {
		.type = CHANNEL_COMMAND,
		.layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE,
		.server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
	};
	struct peer *p = calloc(1, sizeof(*p));
	struct channel *server;

	host_setup((void **)&p->h);
	assert_true(sd_event_new(&p->event) >= 0);
	assert_int_equal(channel_open_pair(&p->client, &server, &geometry), 0);
	assert_int_equal(command_open(&p->command, &p->h->uvd, p->event, server), 0);
	assert_int_equal(packet_open(&p->ring, p->client), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct peer *p = *state;

	packet_close(p->ring);
	channel_close(p->client);
	command_close(p->command);
	sd_event_unref(p->event);
	host_teardown((void **)&p->h);
	free(p);
	return 0;
}

static void serve(struct peer *p)
{
	int i;

	for (i = 0; i < 200 && sd_event_run(p->event, 2000) > 0; i++)
		;
}

static void test_requests_are_answered_in_order(void **state)
{
	struct peer *p = *state;
	uint8_t ids[40][16];
	unsigned int i;
	struct command_query *q;

	for (i = 0; i < 40; i++) {
		message_begin(p->h, i % 3 ? COMMAND_TRANSACT : COMMAND_QUERY);
		if (i % 3) {
			add_verb(p->h, COMMAND_PARTITION_KILL, "nobody");
		} else {
			q = message_add(p->h, COMMAND_QUERY_ROWS);
			q->row = COMMAND_ROW_HOST;
		}
		memcpy(ids[i], message_header(p->h)->request_id, 16);
		assert_int_equal(packet_send(p->ring, message_header(p->h),
					     message_header(p->h)->length), 0);
	}
	serve(p);
	for (i = 0; i < 40; i++) {
		assert_true(packet_receive(p->ring, p->h->reply_bytes,
					   sizeof(p->h->reply_bytes)) > 0);
		p->h->reply = (void *)p->h->reply_bytes;
		assert_memory_equal(p->h->reply->request_id, ids[i], 16);
		assert_int_equal(p->h->reply->status, i % 3 ? COMMAND_NOT_FOUND : COMMAND_OK);
	}
	assert_int_equal(packet_receive(p->ring, p->h->reply_bytes, sizeof(p->h->reply_bytes)),
			 -EAGAIN);
}

static void test_a_client_that_takes_no_replies_is_waited_for(void **state)
{
	struct peer *p = *state;
	struct command_query *q;
	unsigned int sent = 0, got = 0;
	int rc, rounds;

	/* Ledger rows are long: their replies fill the ring towards the client. */
	for (rounds = 0; rounds < 60; rounds++) {
		message_begin(p->h, COMMAND_TRANSACT);
		add_verb(p->h, COMMAND_PARTITION_KILL, "nobody");
		message_ask(p->h);
	}
	for (rounds = 0; rounds < 400; rounds++) {
		message_begin(p->h, COMMAND_QUERY);
		q = message_add(p->h, COMMAND_QUERY_ROWS);
		q->row = COMMAND_ROW_LEDGER;
		rc = packet_send(p->ring, message_header(p->h), message_header(p->h)->length);
		if (rc == 0)
			sent++;
		else
			assert_int_equal(rc, -EAGAIN);
		sd_event_run(p->event, 0);
	}
	assert_true(sent > 20);
	for (rounds = 0; rounds < 4000 && got < sent; rounds++) {
		while (packet_receive(p->ring, p->h->reply_bytes, sizeof(p->h->reply_bytes)) > 0)
			got++;
		sd_event_run(p->event, 1000);
	}
	assert_int_equal(got, sent);
}

static void test_packets_that_are_no_messages_are_answered(void **state)
{
	struct peer *p = *state;
	uint8_t junk[600];
	size_t n;

	memset(junk, 0xa5, sizeof(junk));
	for (n = 1; n < sizeof(junk); n += 37) {
		assert_int_equal(packet_send(p->ring, junk, n), 0);
		serve(p);
		assert_true(packet_receive(p->ring, p->h->reply_bytes,
					   sizeof(p->h->reply_bytes)) > 0);
		p->h->reply = (void *)p->h->reply_bytes;
		assert_int_equal(p->h->reply->status, COMMAND_INVALID);
		assert_true(uuid_is_zero(p->h->reply->request_id));
	}
}

static void test_the_largest_message_is_served(void **state)
{
	struct peer *p = *state;
	unsigned int i;

	message_begin(p->h, COMMAND_PLAN);
	for (i = 0; i < COMMAND_MAX_RECORDS; i++) {
		struct command_device_define *d;

		if (message_header(p->h)->length + sizeof(*d) > COMMAND_MAX_LENGTH)
			break;
		d = message_add(p->h, COMMAND_DEVICE_DEFINE);
		name_uuid(d->partition, "nobody");
		strcpy(d->name, "disk");
	}
	assert_true(message_header(p->h)->length > COMMAND_MAX_LENGTH - 1024);
	assert_int_equal(packet_send(p->ring, message_header(p->h),
				     message_header(p->h)->length), 0);
	serve(p);
	assert_true(packet_receive(p->ring, p->h->reply_bytes, sizeof(p->h->reply_bytes)) > 0);
	p->h->reply = (void *)p->h->reply_bytes;
	assert_int_equal(p->h->reply->status, COMMAND_NOT_FOUND);
}

/* ---- questions for events */

static void ask_events(struct peer *p, const struct command_row_event *behind, uint32_t wait_ms)
{
	struct command_query_events *c;

	message_begin(p->h, COMMAND_QUERY);
	c = message_add(p->h, COMMAND_QUERY_EVENTS);
	if (behind) {
		memcpy(c->instance, behind->instance, 16);
		c->after = behind->number;
	}
	c->wait_ms = wait_ms;
	assert_int_equal(packet_send(p->ring, message_header(p->h),
				     message_header(p->h)->length), 0);
	serve(p);
}

/* How many events the answer has; -1: there is none. */
static int told(struct peer *p)
{
	if (packet_receive(p->ring, p->h->reply_bytes, sizeof(p->h->reply_bytes)) < 0)
		return -1;
	p->h->reply = (void *)p->h->reply_bytes;
	assert_int_equal(p->h->reply->status, COMMAND_OK);
	return p->h->reply->count;
}

/* The same of an answer that must come: a full ring is tried again a little later. */
static int told_at_last(struct peer *p)
{
	int n = told(p), i;

	for (i = 0; i < 1000 && n < 0; i++, n = told(p))
		sd_event_run(p->event, 10000);
	return n;
}

static const struct command_row_event *event(struct peer *p, unsigned int i)
{
	return (const void *)message_record(p->h->reply_bytes, i);
}

static void test_a_question_for_events_waits_for_the_first(void **state)
{
	struct peer *p = *state;
	struct command_row_event last;
	uint8_t id[16];

	ask_events(p, NULL, 0);
	assert_int_equal(told(p), 1);
	last = *event(p, 0);
	assert_int_equal(last.kind, COMMAND_EVENT_STARTED);
	ask_events(p, &last, 10000);
	assert_int_equal(told(p), -1);
	/* Others are served meanwhile. */
	message_begin(p->h, COMMAND_TRANSACT);
	add_verb(p->h, COMMAND_PARTITION_KILL, "nobody");
	memcpy(id, message_header(p->h)->request_id, 16);
	assert_int_equal(packet_send(p->ring, message_header(p->h),
				     message_header(p->h)->length), 0);
	serve(p);
	assert_true(packet_receive(p->ring, p->h->reply_bytes, sizeof(p->h->reply_bytes)) > 0);
	assert_int_equal(told(p), 1);
	assert_int_equal(event(p, 0)->kind, COMMAND_EVENT_REFUSED);
	assert_int_equal(event(p, 0)->status, COMMAND_NOT_FOUND);
	assert_memory_equal(event(p, 0)->request_id, id, 16);
	assert_int_equal(event(p, 0)->number, last.number + 1);
	assert_int_equal(event(p, 0)->transaction,
			 sql(p->h, "SELECT max(\"transaction\") FROM ledger"));
	last = *event(p, 0);
	define(p->h, "web1");
	start(p->h, "web1");
	ask_events(p, &last, 10000);
	assert_int_equal(told(p), 3);
	assert_int_equal(event(p, 0)->kind, COMMAND_EVENT_COMMITTED);
	assert_string_equal(event(p, 1)->partition, "web1");
	assert_int_equal(event(p, 2)->kind, COMMAND_EVENT_STATE);
	assert_int_equal(event(p, 2)->state, PARTITION_STARTING);
	assert_int_equal(event(p, 2)->transaction, event(p, 1)->transaction);
}

static void test_a_wait_has_its_end_and_too_many_do_not_wait(void **state)
{
	struct peer *p = *state;
	struct command_row_event last;
	int i;

	ask_events(p, NULL, 0);
	assert_int_equal(told(p), 1);
	last = *event(p, 0);
	ask_events(p, &last, 1);
	assert_int_equal(told_at_last(p), 0);
	for (i = 0; i < 64; i++)
		ask_events(p, &last, 10000);
	assert_int_equal(told(p), -1);
	ask_events(p, &last, 10000);
	assert_int_equal(told(p), 0);
	news_tell(p->h->uvd.news, COMMAND_EVENT_CONNECTED, "io-a", "process %d", 7);
	serve(p);
	for (i = 0; i < 64; i++)
		assert_int_equal(told(p), 1);
}

static void test_what_was_missed_is_told(void **state)
{
	struct peer *p = *state;
	struct command_row_event last;
	unsigned int i, n = 0, all = 0;

	ask_events(p, NULL, 0);
	assert_int_equal(told_at_last(p), 1);
	last = *event(p, 0);
	for (i = 0; i < NEWS_KEPT; i++)
		news_tell(p->h->uvd.news, COMMAND_EVENT_CONNECTED, "io-a", "process %u", i);
	/* Exactly those that are kept: no gap. */
	ask_events(p, &last, 0);
	assert_true(told_at_last(p) > 100);
	assert_int_equal(event(p, 0)->number, last.number + 1);
	assert_string_equal(event(p, 0)->text, "process 0");
	news_tell(p->h->uvd.news, COMMAND_EVENT_DISCONNECTED, "io-a", "process 1");
	ask_events(p, &last, 10000);
	assert_true(told_at_last(p) > 100);
	assert_int_equal(event(p, 0)->kind, COMMAND_EVENT_GAP);
	assert_string_equal(event(p, 1)->text, "process 1");
	/* From there on nothing is missing. */
	do {
		n = p->h->reply->count;
		all += n;
		last = *event(p, n - 1);
		ask_events(p, &last, 0);
		assert_true(told_at_last(p) >= 0);
	} while (p->h->reply->count);
	assert_int_equal(all, 1 + NEWS_KEPT);
	assert_int_equal(last.kind, COMMAND_EVENT_DISCONNECTED);
	/* Another uvd's numbers mean nothing here. */
	last.instance[0]++;
	ask_events(p, &last, 10000);
	assert_true(told_at_last(p) > 100);
	assert_int_equal(event(p, 0)->kind, COMMAND_EVENT_GAP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests_are_answered_in_order),
		TEST(test_a_client_that_takes_no_replies_is_waited_for),
		TEST(test_packets_that_are_no_messages_are_answered),
		TEST(test_the_largest_message_is_served),
		TEST(test_a_question_for_events_waits_for_the_first),
		TEST(test_a_wait_has_its_end_and_too_many_do_not_wait),
		TEST(test_what_was_missed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

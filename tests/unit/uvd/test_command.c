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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests_are_answered_in_order),
		TEST(test_a_client_that_takes_no_replies_is_waited_for),
		TEST(test_packets_that_are_no_messages_are_answered),
		TEST(test_the_largest_message_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

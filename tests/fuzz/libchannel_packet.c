// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: libchannel/*.c
/*
 * A packet ring and a hostile peer, both driven by the input: each byte is an action of one of
 * them, its arguments follow. The input writes any word of the peer's area at any time between
 * the victim's calls. Found is what the sanitizers find, a result outside the documented ones,
 * bytes outside the buffer, or a run that does not end.
 */
#include <errno.h>
#include <libchannel/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libchannel/ring.h"
#include "tests/fuzz/input.h"

#define AREA	4096u
#define SLOTS	((AREA - sizeof(struct ring_control)) / RING_LINE)

enum action {
	SCRIBBLE, CLAIM_PACKET, CLAIM_CONSUMED, CLAIM_SLEEP,	/* the peer's */
	SEND, RECEIVE, WAIT, CLEAR, RESTART,			/* the victim's */
	ACTIONS
};

static struct channel *client, *server;
static uint8_t *buffer;		/* from the heap: the sanitizer sees its ends */

static void set_up(void)
{
	const struct channel_geometry g = {
		.client_size = AREA, .server_size = AREA, .doorbells = 1,
	};

	if (client)
		return;
	buffer = malloc(AREA);
	require(buffer && !channel_open_pair(&client, &server, &g));
	memset(buffer, 0x5a, AREA);
}

static void act_as_peer(enum action action, struct input *in)
{
	struct ring_control *control = channel_own(client);
	struct ring_slot *slots = (struct ring_slot *)(control + 1);
	_Atomic uint64_t *words = channel_own(client);
	uint64_t number;

	switch (action) {
	case SCRIBBLE:
		number = take(in, 2) % (AREA / 8);
		words[number] = take(in, 8);
		break;
	case CLAIM_PACKET:
		number = take(in, 1);
		slots[number % SLOTS].word = (number + 1) << RING_LENGTH_BITS |
			(take(in, 3) & RING_LENGTH_MASK);
		break;
	case CLAIM_CONSUMED:
		control->consumed += (int8_t)take(in, 1);
		break;
	default:
		control->wake_packet = take(in, 1);
		control->wake_room = take(in, 1);
	}
}

/* False: the ring is to be thrown away. */
static bool act_as_victim(enum action action, struct packet_ring **p, struct input *in)
{
	const size_t size = take(in, 2) % AREA;
	struct packet_counters k;
	uint8_t *exact;
	ssize_t rc;

	switch (action) {
	case SEND:
		rc = packet_send(*p, buffer, size);
		require(!rc || rc == -EAGAIN || rc == -EMSGSIZE || rc == -ECONNRESET);
		return rc != -ECONNRESET;
	case RECEIVE:
		exact = malloc(size ? size : 1);
		require(exact);
		rc = packet_receive(*p, exact, size);
		free(exact);
		require(rc == -EAGAIN || rc == -EMSGSIZE || rc == -ECONNRESET ||
			(rc >= 0 && (size_t)rc <= size));
		return rc != -ECONNRESET;
	case WAIT:
		packet_prepare_wait(*p);
		packet_counters(*p, &k);
		return true;
	case CLEAR:
		packet_clear_wait(*p);
		return true;
	default:
		packet_close(*p);
		*p = NULL;
		rc = packet_open(p, server);
		require(!rc || rc == -ECONNRESET);
		return !rc;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	struct packet_ring *p = NULL;
	enum action action;
	bool alive = true;

	set_up();
	memset(channel_own(client), 0, AREA);
	memset(channel_own(server), 0, AREA);
	require(!packet_open(&p, server));
	while (in.left && alive) {
		action = take(&in, 1) % ACTIONS;
		if (action < SEND)
			act_as_peer(action, &in);
		else
			alive = act_as_victim(action, &p, &in);
	}
	packet_close(p);
	require(!channel_lost(server));
	return 0;
}

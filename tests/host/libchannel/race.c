// SPDX-License-Identifier: Apache-2.0
/*
 * A packet ring between two threads over one mapping, so that ThreadSanitizer sees both sides touch
 * the same addresses: it reports every access that no release and acquire put in order. Packets
 * of all sizes in both directions; rings so small that every slot is reused all the time.
 */
#include <errno.h>
#include <libchannel/packet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libchannel/endpoint.h"

#define PACKETS	20000u
#define LONGEST	1500u

static size_t length_of(unsigned int i)
{
	return i % 3 ? i % 60 : i * 7 % LONGEST;
}

/* Sends its packets and takes the other's, in any order that there is room for. */
static void *play(void *argument)
{
	struct packet_ring *p = argument;
	uint8_t out[LONGEST], in[LONGEST];
	unsigned int sent = 0, received = 0;
	ssize_t n;
	size_t i;
	int rc;

	while (sent < PACKETS || received < PACKETS) {
		if (sent < PACKETS) {
			memset(out, (int)sent, sizeof(out));
			rc = packet_send(p, out, length_of(sent));
			if (rc && rc != -EAGAIN)
				return "packet_send failed";
			sent += !rc;
		}
		n = received < PACKETS ? packet_receive_wait(p, in, sizeof(in), 0) : -ETIMEDOUT;
		if (n == -ETIMEDOUT)
			continue;
		if (n != (ssize_t)length_of(received))
			return "a packet of the wrong length";
		for (i = 0; i < (size_t)n; i++) {
			if (in[i] != (uint8_t)received)
				return "a packet of the wrong bytes";
		}
		received++;
	}
	packet_receive(p, in, 0);	/* the last one is handled: its slots are free */
	return NULL;
}

int main(void)
{
	const struct channel_geometry g = {
		.client_size = 4096, .server_size = 4096, .doorbells = 1,
	};
	struct packet_ring *to_server, *to_client;
	struct channel *client, *server;
	void *client_view, *server_view, *result[2];
	pthread_t thread[2];
	int i, status = 0;

	if (channel_open_pair(&client, &server, &g))
		return 2;
	/* Each area by its owner's mapping, for both. */
	client_view = client->server.base;
	server_view = server->client.base;
	client->server.base = server->server.base;
	server->client.base = client->client.base;
	if (packet_open(&to_server, client) || packet_open(&to_client, server))
		return 2;
	if (pthread_create(&thread[0], NULL, play, to_server) ||
	    pthread_create(&thread[1], NULL, play, to_client))
		return 2;
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &result[i]);
		if (result[i]) {
			fprintf(stderr, "%s\n", (char *)result[i]);
			status = 1;
		}
	}
	packet_close(to_server);
	packet_close(to_client);
	client->server.base = client_view;
	server->client.base = server_view;
	channel_close(client);
	channel_close(server);
	return status;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * relay: threads that move the command's standard streams.
 *
 * They are threads of PID 1, so killing every other process cannot take them along: what was
 * written before is still delivered.
 */
#include "relay.h"

#include <errno.h>
#include <unistd.h>

static void *copy(void *arg)
{
	struct relay *relay = arg;
	char buffer[16384];

	for (;;) {
		ssize_t have = read(relay->from, buffer, sizeof(buffer)), done = 0;

		if (have < 0 && errno == EINTR)
			continue;
		if (have <= 0)
			break;
		while (done < have) {
			ssize_t r = write(relay->to, buffer + done, (size_t)(have - done));

			if (r < 0 && errno == EINTR)
				continue;
			if (r < 0)
				goto out;
			done += r;
		}
	}
out:
	close(relay->from);
	close(relay->to);
	return NULL;
}

int relay_start(struct relay *relay, int from, int to)
{
	relay->from = from;
	relay->to = to;
	return -pthread_create(&relay->thread, NULL, copy, relay);
}

void relay_finish(struct relay *relay)
{
	pthread_join(relay->thread, NULL);
}

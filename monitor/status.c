/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor channel's client side. Without uvd everything here goes on; its memory stays. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/io.h>

#include "status.h"

static struct monitor_status *own(const struct status *s)
{
	return channel_own(s->channel);
}

static void tell(struct status *s)
{
	if (channel_ring(s->channel, MONITOR_DOORBELL_STATUS))
		log_debug("nobody listens to the monitor channel");
}

int status_open(struct status *s, int fd)
{
	static const struct channel_geometry geometry = {
		.type = CHANNEL_MONITOR,
		.layout_version = MONITOR_LAYOUT_VERSION,
		.client_size = MONITOR_CLIENT_SIZE,
		.server_size = MONITOR_SERVER_SIZE,
		.doorbells = MONITOR_DOORBELLS,
	};
	int rc;

	s->channel = NULL;
	if (fd < 0)
		return 0;
	rc = channel_open(&s->channel, fd, &geometry);
	if (rc)
		return rc;
	/* A fresh doorbell is signalled once, in case somebody rang before: nobody can have. */
	if (status_power_fd(s) >= 0)
		status_power_taken(s);
	return 0;
}

void status_set(struct status *s, enum monitor_state state, const char *reason)
{
	char text[MONITOR_REASON_LEN] = { 0 };

	if (!s->channel)
		return;
	if (reason)
		snprintf(text, sizeof(text), "%s", reason);
	if (channel_copy_out(s->channel, own(s)->reason, text, sizeof(text)) ||
	    channel_guard_begin(s->channel))
		return;
	/* Release: pairs with uvd's acquire load of state, after which it reads reason. */
	atomic_store_explicit(&own(s)->state, state, memory_order_release);
	channel_guard_end(s->channel);
	tell(s);
}

void status_reboot(struct status *s)
{
	if (!s->channel || channel_guard_begin(s->channel))
		return;
	atomic_fetch_add_explicit(&own(s)->reboots, 1, memory_order_relaxed);
	channel_guard_end(s->channel);
	tell(s);
}

void status_power_press(struct status *s)
{
	if (!s->channel || channel_guard_begin(s->channel))
		return;
	atomic_fetch_add_explicit(&own(s)->power_presses, 1, memory_order_relaxed);
	channel_guard_end(s->channel);
}

int status_power_fd(const struct status *s)
{
	return s->channel ? channel_doorbell_fd(s->channel, MONITOR_DOORBELL_POWER) : -1;
}

bool status_power_taken(struct status *s)
{
	uint64_t n;

	return read(status_power_fd(s), &n, sizeof(n)) == sizeof(n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, and waiting for them. */
#include <time.h>

#include "device.h"
#include "limit.h"

#define NS_PER_S	1000000000ull
#define NS_PER_MS	1000000ull

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Empty is a whole burst short of full. */
uint64_t bucket_wait(const struct bucket *b, uint64_t now)
{
	return b->rate && b->full > now + b->burst ? b->full - now - b->burst : 0;
}

void bucket_take(struct bucket *b, uint64_t now, uint64_t n)
{
	if (!b->rate)
		return;
	if (b->full < now)
		b->full = now;
	b->full += (unsigned __int128)n * NS_PER_S / b->rate;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct limit *l = userdata;

	(void)s;
	(void)usec;
	l->device->held = false;
	device_schedule(l->device);
	return 0;
}

int limit_init(struct limit *l, struct device *d)
{
	int rc;

	l->device = d;
	rc = sd_event_add_time(d->iopart->event, &l->timer, CLOCK_MONOTONIC, 0, 1, on_timer, l);
	if (rc < 0)
		return rc;
	sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
	limit_set(l, &d->id.settings);
	return 0;
}

void limit_uninit(struct limit *l)
{
	l->timer = sd_event_source_disable_unref(l->timer);
}

void limit_stop(struct limit *l)
{
	if (l->timer)
		sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
	l->device->held = false;
}

void limit_set(struct limit *l, const struct command_settings *settings)
{
	const uint64_t burst = settings->burst_ms * NS_PER_MS, now = now_ns();

	l->operations = (struct bucket){ settings->operations, burst, now + burst };
	l->bytes = (struct bucket){ settings->bytes, burst, now + burst };
	if (!l->device->held)
		return;
	limit_stop(l);
	device_schedule(l->device);
}

bool limit_passes(struct limit *l)
{
	uint64_t now, wait, other;

	if (!l->operations.rate && !l->bytes.rate)
		return true;
	now = now_ns();
	wait = bucket_wait(&l->operations, now);
	other = bucket_wait(&l->bytes, now);
	if (other > wait)
		wait = other;
	if (!wait)
		return true;
	l->device->held = true;
	sd_event_source_set_time(l->timer, (now + wait) / 1000 + 1);
	sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
	return false;
}

void limit_charge(struct limit *l, uint64_t bytes)
{
	uint64_t now;

	if (!l->operations.rate && !l->bytes.rate)
		return;
	now = now_ns();
	bucket_take(&l->operations, now, 1);
	bucket_take(&l->bytes, now, bytes);
}

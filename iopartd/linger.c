/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "device.h"
#include "linger.h"
#include "virtio.h"

#define PERIOD		512u		/* requests; each way is tried anew in every one */
#define TRIAL		16u
#define GAIN		8u		/* an eighth of the time at least */
#define LOOKS		16u		/* between two looks at the clock, which costs more */
#define FAR		16u		/* times the longest: what a longer gap counts as */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* For as long as it takes twice on average; 0: requests are too rare, or not known yet. */
static uint64_t patience(const struct device *d)
{
	uint64_t gap = d->lingering.gap_ns[BY_KICK], longest = d->iopart->linger.longest_ns;

	return gap > longest ? 0 : 2 * gap < longest ? 2 * gap : longest;
}

bool linger_pays(const struct device *d)
{
	const struct lingering *l = &d->lingering;
	unsigned int at = l->requests % PERIOD;

	if (l->over || !patience(d))
		return false;
	if (at < 2 * TRIAL)
		return at >= TRIAL;
	return l->gap_ns[BY_LOOK] && l->gap_ns[BY_LOOK] <=
	       l->gap_ns[BY_KICK] - l->gap_ns[BY_KICK] / GAIN;
}

void linger_found(struct device *d)
{
	struct lingering *l = &d->lingering;
	uint64_t *average = &l->gap_ns[l->on ? BY_LOOK : BY_KICK];
	uint64_t gap, far = FAR * d->iopart->linger.longest_ns;

	l->over = false;
	if (!l->empty_ns)
		return;
	gap = now_ns() - l->empty_ns;
	l->empty_ns = 0;
	l->requests++;
	if (gap > far)
		gap = far;
	*average = *average ? (7 * *average + gap) / 8 : gap;
}

void linger_empty(struct device *d, bool kicks_off)
{
	struct lingering *l = &d->lingering;

	if (!l->empty_ns)
		l->empty_ns = now_ns();
	l->on = kicks_off;
	if (!kicks_off)
		return;
	device_stay_kicked(d);
	sd_event_source_set_enabled(d->iopart->linger.source, SD_EVENT_ONESHOT);
}

void linger_stop(struct device *d)
{
	d->lingering.on = false;
	d->lingering.empty_ns = 0;
}

/* Looks at those queues, as if they had been kicked. */
static void turn(struct device *d, unsigned int queues)
{
	for (unsigned int q = 0; queues >> q; q++)
		if (queues & 1u << q)
			d->type->doorbell(d, IO_DOORBELL_QUEUE(q));
	device_turn(d);
}

static void give_up(struct device *d)
{
	d->lingering.on = false;
	d->lingering.over = true;
	/* It turns kicks on, looks once more, and reads the kick that was left unread. */
	turn(d, (1u << (d->bells - IO_DOORBELL_QUEUE(0))) - 1);
}

static bool look(struct device *d)
{
	int rc;

	/* What is held back, or waits for buffers, has its turn when it may go on. */
	if (!d->lingering.on || d->held || d->starved)
		return false;
	rc = guarded(d->channel, virtio_waits, d);
	if (rc < 0)
		device_lost(d, rc);
	else if (rc > 0)
		turn(d, rc);
	return d->lingering.on;
}

static int on_linger(sd_event_source *s, void *userdata)
{
	struct iopart *io = userdata;
	uint64_t now = now_ns(), end = now + io->linger.longest_ns / 4;
	struct device *d, *next;
	unsigned int looks = 0;
	bool any;

	do {
		any = false;
		for (d = io->devices; d; d = next) {
			next = d->next;
			any |= look(d);
		}
		if (uring_ready(&io->uring))
			iopart_flush(io);
		relax();
		if (++looks % LOOKS)
			continue;
		now = now_ns();
		for (d = io->devices; d; d = next) {
			next = d->next;
			if (d->lingering.on && d->lingering.empty_ns &&
			    now - d->lingering.empty_ns > patience(d))
				give_up(d);
		}
	} while (any && now < end);
	/* Others have their turn in between. */
	if (any)
		sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

int linger_attach(struct iopart *io)
{
	int rc = sd_event_add_defer(io->event, &io->linger.source, on_linger, io);

	if (rc < 0)
		return rc;
	rc = sd_event_source_set_priority(io->linger.source, SD_EVENT_PRIORITY_IDLE);
	return rc < 0 ? rc : sd_event_source_set_enabled(io->linger.source, SD_EVENT_OFF);
}

void linger_detach(struct iopart *io)
{
	io->linger.source = sd_event_source_disable_unref(io->linger.source);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The watch: surveys of one host, at first in quick succession. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "activation.h"
#include "ops.h"
#include "placement.h"
#include "watch.h"

#define FIRST_WATCH_USEC 20000ull	/* a monitor is up in some ten milliseconds */
#define LAST_WATCH_USEC	500000ull

static void watch(struct activation *a);

static uint64_t monotonic_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static const char *reason_of(const struct host_partition *p)
{
	return p && p->reason[0] ? p->reason : "no reason is known";
}

static void watched(void *data)
{
	struct activation *a = data;
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);
	const struct host_partition *p = h ? host_partition(h, a->row.uuid) : NULL;
	bool up = h && h->row.state == HOST_UP;
	const char *name = a->row.partition;
	uint64_t now = monotonic_usec();

	if (up && a->row.verb == VERB_ACTIVATE && p &&
	    (!strcmp(p->state, "running") || !strcmp(p->state, "paused"))) {
		activation_done(a, "running", "%s %s on %s", name, placement_state_words(p->state),
				h->row.name);
	} else if (up && a->row.verb == VERB_ACTIVATE && (!p || !placement_is_on(p->state))) {
		error_set(&a->error, EXIT_FAILED, "%s was started on %s and %s", name, h->row.name,
			  placement_state_words(p ? p->state : "gone"));
		error_where(&a->error, "partition %s", name);
		error_why(&a->error, "%s", reason_of(p));
		error_fix(&a->error, "read its console: cmdpartctl console %s --log", name);
		activation_failed(a);
	} else if (up && a->row.verb == VERB_DEACTIVATE && (!p || !placement_is_on(p->state))) {
		activation_done(a, "off", "%s is off on %s%s%s", name, h->row.name,
				p && p->reason[0] ? ": " : "", p ? p->reason : "");
	} else if (now < a->deadline) {
		activation_later(a, a->pause, watch);
		a->pause = a->pause * 2 < LAST_WATCH_USEC ? a->pause * 2 : LAST_WATCH_USEC;
	} else {
		error_set(&a->error, EXIT_FAILED, "%s still %s after %u s", name,
			  placement_state_words(p ? p->state : "gone"), a->row.timeout_s);
		error_where(&a->error, "partition %s on %s", name, a->claim.row.host);
		if (!up)
			error_why(&a->error, "%s does not answer", a->claim.row.host);
		else if (a->row.verb == VERB_DEACTIVATE)
			error_why(&a->error, "its guest has not answered the power button");
		if (a->row.verb == VERB_DEACTIVATE)
			error_fix(&a->error,
				  "wait (opsctl show %s), or pull the plug: cmdpartctl kill %s",
				  name, name);
		else
			error_fix(&a->error, "look again: opsctl show %s", name);
		activation_failed(a);
	}
}

static void watch(struct activation *a)
{
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);

	if (!h || host_survey(h, watched, a))
		activation_later(a, LAST_WATCH_USEC, watch);
}

void watch_begin(struct activation *a)
{
	a->deadline = monotonic_usec() + a->row.timeout_s * 1000000ull;
	a->pause = FIRST_WATCH_USEC;
	watch(a);
}

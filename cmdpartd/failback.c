/* SPDX-License-Identifier: Apache-2.0 */
/*
 * It goes by what the module says of each channel's slots, looked at every five seconds, and every
 * second while a device is not where it belongs. The transaction names the epoch that was seen:
 * what has happened since makes it void.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/log.h>
#include <common/uuid.h>
#include <linux/ultravisor.h>

#include "failback.h"
#include "service.h"

#define LOOK_US		5000000ull	/* all is as it should be */
#define CASE_US		1000000ull	/* something is not */
#define NEXT_US		200000ull	/* behind a move: the next device */
#define NS_PER_S	1000000000ull

/* ---- what is to be moved */

static struct failback_case *find(struct failback *f, const uint8_t channel[16])
{
	struct failback_case *c;

	SLIST_FOREACH(c, &f->cases, entry)
		if (!memcmp(c->channel, channel, UUID_LEN))
			break;
	return c;
}

static struct failback_case *open_case(struct failback *f, const struct command_row_channel *row)
{
	struct failback_case *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	memcpy(c->channel, row->channel, UUID_LEN);
	memcpy(c->preferred, row->server[0], UUID_LEN);
	SLIST_INSERT_HEAD(&f->cases, c, entry);
	return c;
}

/* NULL: more than there can be; then nobody has to wait for longer. */
static struct failback_server *server_of(struct failback *f, const uint8_t uuid[16])
{
	unsigned int i;

	for (i = 0; i < f->servers; i++)
		if (!memcmp(f->server[i].uuid, uuid, UUID_LEN))
			return &f->server[i];
	if (f->servers == FAILBACK_SERVERS)
		return NULL;
	f->server[f->servers] = (struct failback_server){ 0 };
	memcpy(f->server[f->servers].uuid, uuid, UUID_LEN);
	return &f->server[f->servers++];
}

static uint64_t time_to_stand_by(struct failback *f, const uint8_t uuid[16], uint64_t wait)
{
	const struct failback_server *s = server_of(f, uuid);
	unsigned int i;

	for (i = 0; s && i < s->doublings && wait < FAILBACK_WAIT_MAX_NS; i++)
		wait *= 2;
	return s && s->doublings && wait > FAILBACK_WAIT_MAX_NS ? FAILBACK_WAIT_MAX_NS : wait;
}

/* What was moved back is away again. Devices that were lost together are one failure. */
static void failed(struct failback *f, const struct failback_case *c, uint64_t now)
{
	struct failback_server *s = server_of(f, c->preferred);

	if (!s || c->moved < s->failed)
		return;
	s->doublings = now - c->moved < FAILBACK_TRUST_NS ? s->doublings + 1 : 0;
	s->failed = now;
}

static bool settled(struct failback *f, struct failback_case *c,
		    const struct command_row_channel *row, uint64_t now)
{
	struct failback_server *s;

	c->since = 0;
	if (row->slot_state[0] != ULTRAVISOR_SLOT_SERVING)
		return false;
	c->held = false;
	if (c->moved && now - c->moved < FAILBACK_TRUST_NS)
		return false;
	s = c->moved ? server_of(f, c->preferred) : NULL;
	if (s && s->failed <= c->moved)
		s->doublings = 0;
	return true;
}

/* Who was revoked is absent until uvd has handed it the slot again, but is not another one. */
static void look_at_process(struct failback_case *c, const struct command_row_channel *row)
{
	if (!row->server_pid[0])
		return;
	if (c->pid && c->pid != row->server_pid[0]) {
		c->since = 0;
		c->held = false;
	}
	c->pid = row->server_pid[0];
}

/* Served by another one than its first. Returns since when that one stands by; 0: not to move. */
static uint64_t waits(struct failback *f, struct failback_case *c,
		      const struct command_row_channel *row, uint64_t now)
{
	if (c->moved && !c->held) {
		failed(f, c, now);
		c->since = 0;
	}
	c->moved = 0;
	look_at_process(c, row);
	if (row->slot_state[0] != ULTRAVISOR_SLOT_STANDBY) {
		c->since = 0;
		return 0;
	}
	if (!c->since || c->epoch != row->epoch)
		c->since = now;
	c->epoch = row->epoch;
	return c->held ? 0 : c->since;
}

static bool is_misplaced(const struct command_row_channel *row)
{
	for (uint32_t i = 1; i < row->servers && i < COMMAND_MAX_SERVERS; i++)
		if (row->slot_state[i] == ULTRAVISOR_SLOT_SERVING)
			return true;
	return false;
}

static void drop(struct failback *f, struct failback_case *c)
{
	SLIST_REMOVE(&f->cases, c, failback_case, entry);
	free(c);
}

static void drop_those_gone(struct failback *f)
{
	struct failback_case *c, *next;

	for (c = SLIST_FIRST(&f->cases); c; c = next) {
		next = SLIST_NEXT(c, entry);
		if (!c->there)
			drop(f, c);
	}
}

const struct command_row_channel *failback_look(struct failback *f, const struct rows *rows,
						uint64_t now, uint64_t wait, uint64_t *stood)
{
	const struct command_row_channel *best = NULL;
	uint64_t since, best_since = UINT64_MAX;
	struct failback_case *c;

	SLIST_FOREACH(c, &f->cases, entry)
		c->there = false;
	for (rows_each(rows, CHANNEL, channel, row)) {
		bool misplaced = is_misplaced(row);

		if (!row->module_id || uuid_is_zero(row->partition))
			continue;
		c = find(f, row->channel);
		if (!c && misplaced)
			c = open_case(f, row);
		if (!c)
			continue;
		c->there = true;
		/* The order of its servers may have been changed. */
		memcpy(c->preferred, row->server[0], UUID_LEN);
		if (!misplaced) {
			if (settled(f, c, row, now))
				drop(f, c);
			continue;
		}
		since = waits(f, c, row, now);
		if (since && since < best_since &&
		    now - since >= time_to_stand_by(f, row->server[0], wait)) {
			best = row;
			best_since = since;
		}
	}
	drop_those_gone(f);
	if (best)
		*stood = now - best_since;
	return best;
}

void failback_moved(struct failback *f, const uint8_t channel[16], uint64_t now)
{
	struct failback_case *c = find(f, channel);

	if (c)
		c->moved = now;
}

void failback_not_moved(struct failback *f, const uint8_t channel[16])
{
	failback_moved(f, channel, 0);
}

void failback_hold(struct failback *f, const struct rows *rows, const struct operation *op)
{
	const struct command_row_partition *p = rows_partition(rows, op->name);
	struct failback_case *c;

	for (rows_each(rows, CHANNEL, channel, row)) {
		if (!p || memcmp(row->partition, p->partition, UUID_LEN) ||
		    strcmp(row->name, op->device))
			continue;
		c = find(f, row->channel);
		if (!c)
			c = open_case(f, row);
		if (c) {
			c->held = true;
			c->pid = row->server_pid[0];
		}
	}
}

/* ---- its life in the daemon */

static void look_later(struct service *service, uint64_t us);

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void answered(enum exit_code code, const struct command_header *reply, void *data)
{
	struct service *service = data;
	struct failback *f = &service->failback;
	struct error e = ERROR_NONE;

	f->busy = false;
	if (code != EXIT_OK)
		rows_no_answer(code, &e);
	log_partition(f->partition);
	if (code == EXIT_OK && !reply_error(reply, &e)) {
		log_transaction(reply->transaction);
		log_notice("fail-back: %s/%s is moved to %s", f->partition, f->device, f->to);
		log_transaction(0);
	} else {
		log_notice("fail-back: %s/%s is not moved to %s: %s", f->partition, f->device,
			   f->to, e.message);
		if (e.code == EXIT_CONFLICT)
			failback_not_moved(f, f->moving);
	}
	log_partition(NULL);
	error_clear(&e);
	look_later(service, NEXT_US);
}

static int move(struct service *service, const struct command_row_channel *row, uint64_t stood)
{
	struct failback *f = &service->failback;
	struct author author = { .who = "cmdpartd" };
	struct command_channel_promote *r;
	uint8_t id[UUID_LEN];
	struct message m;

	snprintf(author.reason, sizeof(author.reason),
		 "fail-back: %s, which is to serve it, stands by again for %llu s",
		 row->server_name[0], (unsigned long long)(stood / NS_PER_S));
	memcpy(f->moving, row->channel, UUID_LEN);
	snprintf(f->partition, sizeof(f->partition), "%s", row->partition_name);
	snprintf(f->device, sizeof(f->device), "%s", row->name);
	snprintf(f->to, sizeof(f->to), "%s", row->server_name[0]);
	uuid_random(id);
	message_begin(&m, COMMAND_TRANSACT, id, &author);
	r = message_add(&m, COMMAND_CHANNEL_PROMOTE, 0);
	memcpy(r->channel, row->channel, UUID_LEN);
	memcpy(r->partition, row->partition, UUID_LEN);
	message_text(r->name, sizeof(r->name), row->name);
	r->epoch = row->epoch;
	failback_moved(f, row->channel, now_ns());
	return uvdlink_send(service->link, &m, answered, service);
}

static void rows_ready(struct rows *rows, const struct error *e, void *data)
{
	struct service *service = data;
	struct failback *f = &service->failback;
	const struct command_row_channel *row = NULL;
	uint64_t wait = service->policy->fail_back_s * NS_PER_S, stood = 0;

	(void)e;
	f->busy = false;
	if (rows && wait)
		row = failback_look(f, rows, now_ns(), wait, &stood);
	if (row)
		f->busy = move(service, row, stood) == 0;
	rows_free(rows);
	if (!f->busy)
		look_later(service, SLIST_EMPTY(&f->cases) ? LOOK_US : CASE_US);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	struct service *service = data;
	struct failback *f = &service->failback;

	(void)source, (void)usec;
	f->timer = sd_event_source_disable_unref(f->timer);
	if (!service->policy->fail_back_s || f->busy)
		return 0;
	f->busy = true;
	if (rows_get(service->link, ROWS_CHANNEL, NULL, 0, 0, rows_ready, service) < 0) {
		f->busy = false;
		look_later(service, LOOK_US);
	}
	return 0;
}

static void look_later(struct service *service, uint64_t us)
{
	struct failback *f = &service->failback;

	if (f->timer || !service->policy->fail_back_s)
		return;
	if (sd_event_add_time_relative(service->event, &f->timer, CLOCK_MONOTONIC, us, us / 4,
				       on_time, service) < 0)
		log_error("fail-back: no timer; devices stay where they are");
}

void failback_run(struct service *service)
{
	if (!service->failback.busy)
		look_later(service, CASE_US);
}

void failback_close(struct failback *f)
{
	f->timer = sd_event_source_disable_unref(f->timer);
	while (!SLIST_EMPTY(&f->cases))
		drop(f, SLIST_FIRST(&f->cases));
}

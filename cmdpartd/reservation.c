/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/uuid.h>

#include "call.h"
#include "render.h"
#include "reservation.h"
#include "service.h"

#define MOST		64u
#define MOST_OF_USER	16u

struct reservation {
	LIST_ENTRY(reservation) entry;
	struct service *service;
	uint8_t token[UUID_LEN], subject[UUID_LEN];
	char name[COMMAND_NAME_LEN];
	struct author author;
	uint64_t until_ns;		/* CLOCK_REALTIME */
	struct message message;
	struct effects effects;
	sd_event_source *timer;
};

void reservation_drop(struct reservation *r)
{
	call_forget(r->service, r);
	LIST_REMOVE(r, entry);
	sd_event_source_disable_unref(r->timer);
	effects_free(&r->effects);
	message_free(&r->message);
	free(r);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec;
	reservation_drop(data);
	return 0;
}

static json_t *render(const struct reservation *r)
{
	return json_pack("{s:o, s:s, s:s, s:I}", "token", render_uuid(r->token), "partition",
			 r->name, "who", r->author.who, "until", (json_int_t)r->until_ns);
}

static int check_number(const struct service *service, uid_t uid, struct error *e)
{
	const struct reservation *r;
	unsigned int all = 0, own = 0;

	LIST_FOREACH(r, &service->reservations, entry) {
		all++;
		own += r->author.uid == uid;
	}
	if (all < MOST && own < MOST_OF_USER)
		return 0;
	error_set(e, EXIT_RESOURCES, "there are %u reservations, %u of them yours", all, own);
	error_why(e, "at most %u are kept, %u of one user", MOST, MOST_OF_USER);
	return error_fix(e, "cmdpartctl plan --release TOKEN gives one back");
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int reservation_make(struct call *call, json_t *answer, struct error *e)
{
	struct service *service = call->service;
	struct draft *d = &call->draft;
	const struct operation *op = &call->ops.list[call->ops.count - 1];
	struct reservation *r;

	if (check_number(service, call->author.uid, e) < 0)
		return -1;
	r = calloc(1, sizeof(*r));
	if (!r || sd_event_add_time_relative(service->event, &r->timer, CLOCK_MONOTONIC,
					     call->reserve_s * 1000000ull, 0, on_time, r) < 0) {
		free(r);
		return error_set(e, EXIT_FAILED, "out of memory");
	}
	r->service = service;
	uuid_random(r->token);
	memcpy(r->subject, d->subject, UUID_LEN);
	strcpy(r->name, op->name);
	r->author = call->author;
	r->until_ns = now_ns() + call->reserve_s * 1000000000ull;
	/* The draft's own has been sent. */
	r->message = call->before;
	memset(&call->before, 0, sizeof(call->before));
	effects_move(&r->effects, &d->effects);
	LIST_INSERT_HEAD(&service->reservations, r, entry);
	json_object_set_new(answer, "plan", render(r));
	return 0;
}

static bool concerns(const struct reservation *r, const struct operation *op)
{
	const char *name = op->definition ? op->definition->name : op->name;
	uint8_t uuid[UUID_LEN];

	return !strcmp(r->name, name) ||
	       (uuid_read(uuid, name) == 0 && !memcmp(uuid, r->subject, UUID_LEN));
}

static bool concern_one(const struct reservation *r, const struct operations *ops)
{
	for (unsigned int i = 0; i < ops->count; i++)
		if (concerns(r, &ops->list[i]))
			return true;
	return false;
}

int reservations_apply(const struct service *service, const struct operations *ops,
		       struct rows *rows)
{
	const struct reservation *r;
	int rc = 0;

	LIST_FOREACH(r, &service->reservations, entry)
		if (!rc && !concern_one(r, ops))
			rc = effects_apply(&r->effects, rows);
	return rc;
}

int reservations_check(const struct service *service, const struct operations *ops,
		       struct error *e)
{
	const struct reservation *r;
	char token[UUID_TEXT];

	LIST_FOREACH(r, &service->reservations, entry) {
		if (!concern_one(r, ops))
			continue;
		uuid_format(r->token, token);
		error_set(e, EXIT_CONFLICT, "a plan of %s has reserved the start of %s",
			  r->author.who, r->name);
		error_why(e, "what it is given would change");
		return error_fix(e, "cmdpartctl start %s --plan %s, or cmdpartctl plan --release "
				 "%s", r->name, token, token);
	}
	return 0;
}

static struct reservation *find(const struct service *service, const uint8_t token[UUID_LEN])
{
	struct reservation *r;

	LIST_FOREACH(r, &service->reservations, entry)
		if (!memcmp(r->token, token, UUID_LEN))
			break;
	return r;
}

static int no_reservation(struct error *e)
{
	error_set(e, EXIT_NOT_FOUND, "no plan with this token is held");
	error_why(e, "its time is over, it was used or given back, or cmdpartd was restarted");
	return error_fix(e, "plan again");
}

int reservation_use(struct call *call, const uint8_t token[UUID_LEN], const char *name,
		    struct error *e)
{
	struct reservation *r = find(call->service, token);
	struct draft *d = &call->draft;

	if (!r)
		return no_reservation(e);
	if (strcmp(r->name, name)) {
		error_set(e, EXIT_CONFLICT, "this plan is one of %s, not of %s", r->name, name);
		return error_fix(e, "name the partition that was planned");
	}
	draft_begin(d, COMMAND_TRANSACT, call->request_id, &call->author, call->service->policy,
		    call->role, NULL);
	call->drafted = true;
	message_append(&d->message, &r->message);
	if (d->message.failed)
		return error_set(e, EXIT_FAILED, "out of memory");
	memcpy(d->subject, r->subject, UUID_LEN);
	d->has_subject = true;
	call->reservation = r;
	call->given = true;
	return 0;
}

void reservation_list(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);
	const struct reservation *r;
	json_t *list;

	if (!call)
		return;
	list = json_array();
	LIST_FOREACH(r, &call->service->reservations, entry)
		json_array_append_new(list, render(r));
	call_reply(call, json_pack("{s:o}", "plans", list));
}

void reservation_release(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);
	struct reservation *r = NULL;
	struct error e = ERROR_NONE;
	uint8_t token[UUID_LEN];

	if (!call)
		return;
	if (uuid_read(token, http_request_segment(http, 0)) == 0)
		r = find(call->service, token);
	if (!r) {
		no_reservation(&e);
		call_error(call, &e);
		return;
	}
	reservation_drop(r);
	call_reply(call, json_object());
}

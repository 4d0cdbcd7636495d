/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change's way: gather rows, reckon with what other calls have sent and uvd has not answered,
 * draft, send, answer. A refusal may come from rows that changed in between: then everything is
 * done again, and only if the same transaction comes out is the refusal the answer.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>
#include <common/reader.h>
#include <common/uuid.h>

#include "call.h"
#include "recall.h"
#include "render.h"
#include "reservation.h"
#include "service.h"

/* Whoever is less than an operator only reads, which needs no role. */
static enum role role_of(const struct service *service, const struct http_request *http)
{
	if (http_request_peer(http)->uid == service->operations)
		return ROLE_OPERATIONS;
	return access_of(&service->access, http) == ACCESS_ADMIN ? ROLE_ADMIN : ROLE_OPERATOR;
}

/*
 * From the host's own list alone: the name service might load modules, which the sandbox forbids,
 * or wait for a server.
 */
static void user_name(uid_t uid, char *to, size_t size)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;

	while (f && (p = fgetpwent(f)) && p->pw_uid != uid)
		;
	if (p && p->pw_name[0])
		snprintf(to, size, "%s", p->pw_name);
	else
		snprintf(to, size, "user %u", uid);
	if (f)
		fclose(f);
}

struct call *call_new(struct service *service, struct http_request *http)
{
	const struct ucred *peer = http_request_peer(http);
	struct call *call = calloc(1, sizeof(*call));
	struct error e = ERROR_NONE;

	if (!call) {
		error_set(&e, EXIT_FAILED, "out of memory");
		http_reply_error(http, &e);
		return NULL;
	}
	call->service = service;
	call->http = http;
	call->role = role_of(service, http);
	call->author.uid = peer->uid;
	call->author.pid = peer->pid;
	if (call->role == ROLE_OPERATIONS)
		strcpy(call->author.who, "opsd");
	else
		user_name(peer->uid, call->author.who, sizeof(call->author.who));
	uuid_random(call->request_id);
	return call;
}

/* uvd has answered: others need not reckon with it any more. */
static void land(struct call *call)
{
	if (call->flying)
		LIST_REMOVE(call, entry);
	call->flying = false;
}

void call_undraft(struct call *call)
{
	land(call);
	if (call->drafted)
		draft_end(&call->draft);
	call->drafted = false;
	rows_free(call->rows);
	call->rows = NULL;
}

static void call_free(struct call *call)
{
	call_undraft(call);
	message_free(&call->before);
	error_clear(&call->refusal);
	error_clear(&call->verdict);
	operations_free(&call->ops);
	json_decref(call->answer);
	free(call->devices);
	free(call);
}

void call_reply(struct call *call, json_t *body)
{
	json_object_set_new(body, "schema_version", json_integer(1));
	http_reply(call->http, 200, body);
	call_free(call);
}

void call_error(struct call *call, struct error *e)
{
	http_reply_error(call->http, e);
	error_clear(e);
	call_free(call);
}

void call_abandon(struct call *call)
{
	call_free(call);
}

/* ---- the body -------------------------------------------------------------------- */

static int read_common(struct call *call, const struct reader *r, const json_t *body)
{
	uint64_t generation = 0, epoch = 0;
	int rc;

	rc = reader_uuid(r, "", body, "request_id", false, call->request_id);
	call->chosen = rc > 0;
	if (rc < 0 ||
	    reader_text(r, "", body, "reason", "\"kernel update\"", false, call->author.reason,
			sizeof(call->author.reason)) < 0 ||
	    reader_number(r, "", body, "generation", false, 1, INT64_MAX, &generation) < 0)
		return -1;
	call->generation = generation;
	rc = reader_number(r, "", body, "epoch", false, 1, INT64_MAX, &epoch);
	if (rc < 0)
		return -1;
	if (rc > 0 && call->role != ROLE_OPERATIONS) {
		error_set(r->e, EXIT_DENIED, "an epoch is opsd's to name");
		error_where(r->e, "request: epoch");
		return error_fix(r->e, "leave the key out");
	}
	call->epoch = call->author.epoch = epoch;
	return 0;
}

int call_body(struct call *call, const char *const *keys)
{
	static const char *const common[] = { "request_id", "reason", "epoch", "generation" };
	const char *all[16] = { NULL };
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	json_t *body = http_request_body(call->http), *empty = NULL;
	unsigned int n = 0;
	int rc;

	for (; keys && keys[n] && n < 10; n++)
		all[n] = keys[n];
	memcpy(&all[n], common, sizeof(common));
	if (!body)
		body = empty = json_object();
	rc = reader_object(&r, "", body, all);
	if (!rc)
		rc = read_common(call, &r, body);
	json_decref(empty);
	if (!rc && call->role == ROLE_OPERATIONS)
		rc = epoch_check(&call->service->epoch, call->epoch, &e);
	if (rc < 0)
		call_error(call, &e);
	return rc;
}

/* ---- rows ------------------------------------------------------------------------ */

static void drafted(struct call *call);
static void conclude(struct call *call, struct error *e);

static void got_rows(struct rows *rows, const struct error *e, void *data)
{
	struct call *call = data;
	struct error verdict;

	if (!rows && call->next == drafted && e->code == EXIT_NOT_FOUND) {
		/* By its own doing, perhaps. */
		verdict = *e;
		json_incref(verdict.details);
		conclude(call, &verdict);
		return;
	}
	if (!rows) {
		http_reply_error(call->http, e);
		call_free(call);
		return;
	}
	call->rows = rows;
	call->next(call);
}

void call_rows(struct call *call, unsigned int mask, const char *name, uint64_t after,
	       uint32_t limit, call_next *next)
{
	struct error e = ERROR_NONE;

	call->next = next;
	if (rows_get(call->service->link, mask, name, after, limit, got_rows, call) < 0) {
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
	}
}

void call_history(struct call *call, const char *noun, const char *key, uint64_t at_ns,
		  uint64_t after, uint32_t limit, call_next *next)
{
	struct error e = ERROR_NONE;

	call->next = next;
	if (rows_get_history(call->service->link, noun, key, at_ns, after, limit, got_rows,
			     call) < 0) {
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
	}
}

/* ---- changes --------------------------------------------------------------------- */

static const struct command_row_partition *row_of(const struct call *call,
						  const struct command_header *reply)
{
	const struct command_record *r = NULL;

	while (reply && (r = reply_next(reply, r)))
		if (r->type == COMMAND_ROW_PARTITION &&
		    !memcmp(((const struct command_row_partition *)r)->partition,
			    call->draft.subject, UUID_LEN))
			return (const struct command_row_partition *)r;
	if (reply)
		return NULL;
	for (rows_each(call->rows, PARTITION, partition, p))
		if (!memcmp(p->partition, call->draft.subject, UUID_LEN))
			return p;
	return NULL;
}

static json_t *rows_of(const struct command_header *reply)
{
	const struct command_record *r = NULL;
	json_t *list = json_array();

	while (reply && (r = reply_next(reply, r)))
		if (r->type == COMMAND_ROW_PARTITION)
			json_array_append_new(list, render_partition(
					      (const struct command_row_partition *)r));
	return list;
}

/* A line for each partition that a change is of, in its story. */
static void tell(const struct call *call, uint64_t transaction, const char *outcome)
{
	char id[UUID_TEXT];

	log_request(uuid_format(call->request_id, id));
	log_transaction(transaction);
	for (unsigned int i = 0; i < call->ops.count; i++) {
		const struct operation *op = &call->ops.list[i];
		const char *name = op->definition ? op->definition->name : op->name;

		if (operation_is_of_partition(op->kind))
			log_partition(name);
		log_info("%s %s for %s: %s", operation_word(op->kind), name, call->author.who,
			 outcome);
		log_partition(NULL);
	}
	log_transaction(0);
	log_request(NULL);
}

/* What somebody has moved is not to move back by itself. */
static void hold_failovers(const struct call *call)
{
	for (unsigned int i = 0; call->rows && i < call->ops.count; i++)
		if (call->ops.list[i].kind == OPERATION_FAILOVER)
			failback_hold(&call->service->failback, call->rows, &call->ops.list[i]);
}

/* reply NULL: nothing had to be done, now; transaction: it was done by that one, or 0. */
static void answer(struct call *call, const struct command_header *reply, uint64_t transaction)
{
	const struct command_row_partition *p = NULL;
	char id[UUID_TEXT];
	json_t *body;

	if (call->draft.has_subject)
		p = row_of(call, reply);
	if (reply) {
		tell(call, reply->transaction, "done");
		hold_failovers(call);
	}
	body = json_pack("{s:s, s:I, s:b}", "request_id", uuid_format(call->request_id, id),
			 "transaction", (json_int_t)transaction, "already", !transaction);
	if (call->many)
		json_object_set_new(body, "partitions", rows_of(reply));
	else if (p)
		json_object_set_new(body, "partition", render_partition(p));
	call_reply(call, body);
}

static void answer_plan(struct call *call, struct error *refused)
{
	json_t *body = json_pack("{s:b}", "fits", refused->code == EXIT_OK);
	const struct placement *p = call->draft.placement;

	if (p && (p->fits || refused->code == EXIT_OK))
		json_object_set_new(body, "placement", placement_to_json(p, &call->draft.ask));
	if (p)
		json_object_set_new(body, "rules", placement_rules_to_json(p));
	else
		json_object_set_new(body, "rules", json_array());
	if (refused->code != EXIT_OK)
		json_object_set_new(body, "refused", error_to_json(refused));
	if (call->reserve_s && refused->code == EXIT_OK && !LIST_EMPTY(&call->draft.effects) &&
	    reservation_make(call, body, refused) < 0) {
		json_decref(body);
		call_error(call, refused);
		return;
	}
	error_clear(refused);
	if (call->planned)
		call->planned(call, body);
	else
		call_reply(call, body);
}

static void refuse(struct call *call, struct error *e)
{
	/* A plan of what does not fit is an answer; of what does not exist, an error. */
	if (call->plan && (e->code == EXIT_RESOURCES || call->draft.placement ||
			   e->code == EXIT_CONFLICT))
		answer_plan(call, e);
	else {
		if (!call->plan)
			tell(call, 0, e->message);
		call_error(call, e);
	}
}

static void settle(struct call *call, uint64_t transaction)
{
	struct error e = call->verdict;

	call->verdict = (struct error)ERROR_NONE;
	if (transaction)
		error_clear(&e);
	if (e.code != EXIT_OK)
		refuse(call, &e);
	else
		answer(call, NULL, transaction);
}

/* Nothing is sent, for what the rows say; the author may have asked before. */
static void conclude(struct call *call, struct error *e)
{
	call->verdict = *e;
	if (call->plan || !call->chosen || recall(call, settle) < 0)
		settle(call, 0);
}

/* Who serves and who stands by is the kernel's to say: the mirror does not hear of it. */
static bool goes_by_servers(const struct call *call)
{
	for (unsigned int i = 0; i < call->ops.count; i++)
		if (call->ops.list[i].kind == OPERATION_FAILOVER)
			return true;
	return false;
}

static void gather(struct call *call)
{
	const struct operation *op = &call->ops.list[0];
	unsigned int mask = PLACEMENT_ROWS;
	const char *name = NULL;

	if (call->ops.count == 1 && (op->kind == OPERATION_STOP_HOST ||
				     op->kind == OPERATION_START_HOST)) {
		mask = ROWS_HOST;
	} else if (call->ops.count == 1 && op->kind == OPERATION_DEFINE) {
		mask = ROWS_PARTITION | ROWS_DEVICE;
	} else if (call->ops.count == 1 && !call->many &&
		   (op->kind == OPERATION_STOP || op->kind == OPERATION_KILL ||
		    op->kind == OPERATION_PAUSE || op->kind == OPERATION_RESUME ||
		    op->kind == OPERATION_UNDEFINE)) {
		mask = ROWS_PARTITION;
		name = op->name;
	}
	/* Only a plan or a change may go by the mirror: an answer shows what is live, too. */
	if (mask == PLACEMENT_ROWS && !call->already && !goes_by_servers(call)) {
		call->mirrored = true;
		call->next = drafted;
		if (mirror_get(call->service->mirror, got_rows, call) == 0)
			return;
	}
	call->mirrored = false;
	call_rows(call, mask, name, 0, 0, drafted);
}

/* Looks whether the world has changed since the rows were read, before giving up. */
static void look_again(struct call *call)
{
	struct error e = call->verdict;

	call->verdict = (struct error)ERROR_NONE;
	if (++call->attempt == RECALL_ATTEMPTS) {
		refuse(call, &e);
		return;
	}
	log_debug("refused, looking again: %s", e.message);
	error_clear(&call->refusal);
	call->refusal = e;
	call_undraft(call);
	gather(call);
}

static void refused_recalled(struct call *call, uint64_t transaction)
{
	if (transaction)
		settle(call, transaction);
	else
		look_again(call);
}

static bool same_records(const struct message *a, const struct message *b)
{
	size_t head = sizeof(struct command_header);

	return a->length == b->length && a->length >= head &&
	       !memcmp(a->bytes + head, b->bytes + head, a->length - head);
}

static void answered(enum exit_code code, const struct command_header *reply, void *data)
{
	struct call *call = data;
	struct error e = ERROR_NONE;

	if (code != EXIT_OK) {
		rows_no_answer(code, &e);
		call_error(call, &e);
		return;
	}
	if (!reply_error(reply, &e)) {
		if (call->plan) {
			answer_plan(call, &e);
			return;
		}
		if (call->reservation)
			reservation_drop(call->reservation);
		answer(call, reply, reply->transaction);
		return;
	}
	if (call->given) {
		if (call->reservation)
			reservation_drop(call->reservation);
		error_fix(&e, "the plan holds no more: plan again");
		call_error(call, &e);
		return;
	}
	if (reply->failed != COMMAND_NONE && call->many)
		error_where(&e, "request: record %u of the transaction", reply->failed);
	if (call->plan || (e.code != EXIT_CONFLICT && e.code != EXIT_RESOURCES)) {
		refuse(call, &e);
		return;
	}
	/* Its id may stand for what it was in other circumstances, and is done. */
	land(call);
	call->verdict = e;
	if (!call->chosen || recall(call, refused_recalled) < 0)
		look_again(call);
}

/* Keeps a copy of what is sent: an attempt that comes out the same is not made again. */
static int keep(struct call *call)
{
	message_free(&call->before);
	call->before = call->draft.message;
	call->before.bytes = malloc(call->before.length);
	if (!call->before.bytes)
		return -1;
	memcpy(call->before.bytes, call->draft.message.bytes, call->before.length);
	return 0;
}

void call_transmit(struct call *call)
{
	struct message *m = &call->draft.message;
	struct error e = ERROR_NONE;

	/* Each attempt is a request of its own to uvd; a repeated one goes the same way again. */
	if (call->attempt)
		recall_id(message_header(m)->request_id, call->request_id, call->attempt);
	if (keep(call) < 0 || uvdlink_send(call->service->link, m, answered, call) < 0) {
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
		return;
	}
	LIST_INSERT_HEAD(&call->service->flying, call, entry);
	call->flying = true;
}

static int draft_all(struct call *call, struct error *e)
{
	for (unsigned int i = 0; i < call->ops.count; i++) {
		struct operation *op = &call->ops.list[i];

		if (!i && call->generation)
			op->generation = call->generation;
		call->draft.last = i == call->ops.count - 1;
		if (draft_add(&call->draft, op, e) < 0) {
			if (call->many)
				error_where(e, "request: operations[%u]", i);
			return -1;
		}
	}
	return 0;
}

void call_forget(struct service *service, const struct reservation *r)
{
	struct call *call;

	LIST_FOREACH(call, &service->flying, entry)
		if (call->reservation == r)
			call->reservation = NULL;
}

int call_reckon(struct call *call)
{
	int rc = reservations_apply(call->service, &call->ops, call->rows);
	struct call *other;

	LIST_FOREACH(other, &call->service->flying, entry)
		if (!other->plan && !rc)
			rc = effects_apply(&other->draft.effects, call->rows);
	return rc;
}

static void drafted(struct call *call)
{
	struct error e = ERROR_NONE;
	uint8_t id[UUID_LEN];
	int rc = call_reckon(call);

	draft_begin(&call->draft, call->plan ? COMMAND_PLAN : COMMAND_TRANSACT, call->request_id,
		    &call->author, call->service->policy, call->role, call->rows);
	call->drafted = true;
	if (rc < 0)
		rc = error_set(&e, EXIT_FAILED, "out of memory");
	else if (!call->plan)
		rc = reservations_check(call->service, &call->ops, &e);
	if (!rc)
		rc = draft_all(call, &e);
	if (!rc && call->rows->failed)
		rc = error_set(&e, EXIT_FAILED, "out of memory");
	if (rc < 0) {
		conclude(call, &e);
		return;
	}
	if (!draft_changes(&call->draft)) {
		if (call->plan) {
			answer_plan(call, &e);
		} else if (call->mirrored) {
			call->already = true;
			call_undraft(call);
			gather(call);
		} else {
			conclude(call, &e);
		}
		return;
	}
	if (call->attempt && same_records(&call->before, &call->draft.message)) {
		refuse(call, &call->refusal);
		return;
	}
	if (call->plan) {
		/* A plan is asked anew each time; its id is nobody's. */
		uuid_random(id);
		memcpy(message_header(&call->draft.message)->request_id, id, UUID_LEN);
	}
	call_transmit(call);
}

void call_change(struct call *call)
{
	gather(call);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: one request id, sent until its host has spoken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>
#include <common/uuid.h>

#include "choice.h"
#include "claim.h"
#include "ops.h"
#include "placement.h"
#include "watch.h"

#define CALL_TIMEOUT_MS		30000
#define FIRST_RETRY_USEC	250000ull
#define LAST_RETRY_USEC		8000000ull

void claim_make(struct activation *a, const struct host *h, struct batch *b)
{
	struct store_claim *row = &a->claim.row;
	uint8_t uuid[UUID_LEN];

	a->claim = (struct activation_claim){ .open = true };
	uuid_random(uuid);
	uuid_format(uuid, row->request_id);
	snprintf(row->activation, sizeof(row->activation), "%s", a->row.id);
	snprintf(row->partition, sizeof(row->partition), "%s", a->row.partition);
	snprintf(row->host, sizeof(row->host), "%s", h->row.name);
	row->epoch = a->ops->epoch;
	row->state = CLAIM_CLAIMED;
	row->claimed_ns = ops_now();
	batch_put(b, STORE_PUT_CLAIM, row);
	batch_event(b, "claimed", row->partition, row->host, row->activation,
		    "claimed %s, request %s: now its resource service is asked to %s %s", row->host,
		    row->request_id, a->row.verb == VERB_ACTIVATE ? "start" : "stop",
		    row->partition);
}

/* ---- the answer */

/* Puts the settled claim into the batch. error_text is borrowed until the commit. */
static void settled(struct activation *a, struct batch *b, enum store_claim_state state,
		    uint64_t transaction, const char *error_text)
{
	a->claim.row.state = state;
	a->claim.row.transaction = transaction;
	a->claim.row.error = error_text;
	a->claim.row.settled_ns = ops_now();
	/* The request's id is the host's, too: events have the activation's in its place. */
	log_partition(a->claim.row.partition);
	log_transaction(transaction);
	log_request(a->claim.row.request_id);
	log_info("%s has answered: %s", a->claim.row.host, error_text ? error_text : "done");
	log_partition(NULL);
	log_transaction(0);
	log_request(NULL);
	batch_put(b, STORE_PUT_CLAIM, &a->claim.row);
}

/* In memory what the commit has put into the store. */
static void place(struct activation *a, struct partition *p, const struct store_partition *row,
		  const struct store_definition *d)
{
	if (!p)
		p = partition_add(a->ops, &a->definition);
	else if (d->generation != p->generation)
		partition_set_definition(p, &a->definition);
	if (!p) {
		/* The store knows it; the next start reads it. */
		log_error("%s is placed, but there is no memory to keep it in mind", row->name);
		sd_event_exit(a->ops->event, -ENOMEM);
		return;
	}
	p->row = *row;
	p->generation = d->generation;
	p->changed_ns = d->changed_ns;
}

static void settle_activation(struct activation *a, uint64_t transaction)
{
	struct partition *p = partition_find(a->ops, a->row.partition);
	struct store_definition d = { .json = a->text, .generation = 1, .changed_ns = ops_now() };
	struct store_partition row = { .active = true };
	struct batch b = { 0 };

	if (p) {
		row = p->row;
		row.active = true;
		d.generation = p->generation;
		d.changed_ns = p->changed_ns;
		if (!json_equal(p->json, a->json)) {
			d.generation++;
			d.changed_ns = ops_now();
		}
	}
	snprintf(d.name, sizeof(d.name), "%s", a->row.partition);
	snprintf(row.name, sizeof(row.name), "%s", a->row.partition);
	memcpy(row.uuid, a->row.uuid, sizeof(row.uuid));
	snprintf(row.host, sizeof(row.host), "%s", a->claim.row.host);
	snprintf(row.domain, sizeof(row.domain), "%s", a->definition.domain);
	snprintf(row.seen, sizeof(row.seen), "starting");
	row.reason[0] = '\0';
	row.seen_ns = ops_now();
	settled(a, &b, CLAIM_DONE, transaction, NULL);
	batch_put(&b, STORE_PUT_DEFINITION, &d);
	batch_put(&b, STORE_PUT_PARTITION, &row);
	if (transaction)
		batch_event(&b, "started", row.name, row.host, a->row.id,
			    "%s committed transaction %llu: %s starts", row.host,
			    (unsigned long long)transaction, row.name);
	else
		batch_event(&b, "started", row.name, row.host, a->row.id,
			    "%s has started %s already", row.host, row.name);
	if (batch_commit(&b, a->ops)) {
		/* The host has it, the claim is open in the store: asking again is safe. */
		a->claim.doubtful = true;
		activation_later(a, ACTIVATION_STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	place(a, p, &row, &d);
	activation_step(a, "settled");
	watch_begin(a);
}

static void settle_deactivation(struct activation *a, uint64_t transaction)
{
	struct partition *p = partition_find(a->ops, a->row.partition);
	struct store_partition row;
	struct batch b = { 0 };

	settled(a, &b, CLAIM_DONE, transaction, NULL);
	if (p) {
		row = p->row;
		row.active = false;
		batch_put(&b, STORE_PUT_PARTITION, &row);
	}
	if (transaction)
		batch_event(&b, "stopping", a->row.partition, a->claim.row.host, a->row.id,
			    "%s committed transaction %llu: the guest's power button is pressed",
			    a->claim.row.host, (unsigned long long)transaction);
	else
		batch_event(&b, "stopping", a->row.partition, a->claim.row.host, a->row.id,
			    "%s stops %s already", a->claim.row.host, a->row.partition);
	if (batch_commit(&b, a->ops)) {
		a->claim.doubtful = true;
		activation_later(a, ACTIVATION_STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	if (p)
		p->row = row;
	activation_step(a, "settled");
	watch_begin(a);
}

static void settle_refusal(struct activation *a, const struct error *e)
{
	bool heard = e->code != EXIT_UNREACHABLE;
	json_t *object = error_to_json(e);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	struct batch b = { 0 };
	char why[ACTIVATION_WORDS];
	int rc;

	activation_words(e, why);
	settled(a, &b, heard ? CLAIM_REFUSED : CLAIM_UNREACHABLE, 0, text);
	batch_event(&b, heard ? "refused" : "unreachable", a->row.partition, a->claim.row.host,
		    a->row.id, "%s %s: %s", a->claim.row.host,
		    heard ? "refused" : "was not reached", why);
	rc = batch_commit(&b, a->ops);
	json_decref(object);
	free(text);
	if (rc) {
		activation_later(a, ACTIVATION_STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	activation_refuse(a, a->claim.row.host, e->code, why, e->fix);
	activation_step(a, "settled");
	choice_begin(a);
}

static void settle(struct activation *a, uint64_t transaction, const struct error *e)
{
	if (e->code != EXIT_OK)
		settle_refusal(a, e);
	else if (a->row.verb == VERB_ACTIVATE)
		settle_activation(a, transaction);
	else
		settle_deactivation(a, transaction);
}

/* ---- the call */

static void again_later(struct activation *a)
{
	uint64_t usec = LAST_RETRY_USEC;

	if (a->claim.tries < 6)
		usec = FIRST_RETRY_USEC << (a->claim.tries - 1);
	activation_later(a, usec, claim_call);
}

static void doubt(struct activation *a, const struct error *e)
{
	struct batch b = { 0 };

	if (!a->claim.doubtful) {
		a->claim.doubtful = true;
		batch_event(&b, "waiting", a->row.partition, a->claim.row.host, a->row.id,
			    "%s has not answered (%s): the request is repeated until it has",
			    a->claim.row.host, e->why[0] ? e->why : e->message);
		batch_commit(&b, a->ops);
	}
	again_later(a);
}

/*
 * A refusal after a try whose outcome nobody knows. What the host then says of the partition
 * decides: if it is on there, an earlier try did that.
 */
static void checked(void *data)
{
	struct activation *a = data;
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);
	const struct host_partition *p = h ? host_partition(h, a->row.uuid) : NULL;

	if (!h || h->row.state != HOST_UP) {
		again_later(a);
		return;
	}
	if (p && placement_is_on(p->state))
		error_clear(&a->error);
	settle(a, 0, &a->error);
}

static void take(struct error *to, const struct error *from)
{
	error_clear(to);
	*to = *from;
	to->details = from->details ? json_incref(from->details) : NULL;
}

static void answered(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	struct activation *a = data;
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);
	struct error none = ERROR_NONE;

	activation_step(a, "answered");
	if (code == EXIT_OK) {
		settle(a, json_integer_value(json_object_get(reply, "transaction")),
				    &none);
	} else if (code == EXIT_UNKNOWN || (code == EXIT_UNREACHABLE && a->claim.doubtful)) {
		doubt(a, e);
	} else if (a->row.verb == VERB_ACTIVATE && h && code != EXIT_UNREACHABLE &&
		   (a->claim.doubtful || code == EXIT_FAILED)) {
		take(&a->error, e);
		if (host_survey(h, checked, a))
			doubt(a, e);
	} else {
		settle(a, 0, e);
	}
}

static json_t *body_of(const struct activation *a)
{
	json_t *body;

	body = json_pack("{s:s, s:I, s:s++}", "request_id", a->claim.row.request_id, "epoch",
			 (json_int_t)a->ops->epoch, "reason", activation_verb(a), " for ",
			 a->row.who);
	if (body && a->row.verb == VERB_ACTIVATE) {
		json_object_set(body, "definition", a->json);
		json_object_set_new(body, "uuid", json_string(a->row.uuid));
	}
	return body;
}

void claim_call(struct activation *a)
{
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);
	struct http_call call = {
		.daemon = "cmdpartd", .method = "POST", .path = "/v1/activations",
		.timeout_ms = CALL_TIMEOUT_MS,
	};
	char path[STORE_UUID_LEN + 32];
	json_t *body = body_of(a);
	int rc = -ENOMEM;

	a->claim.tries++;
	if (a->row.verb == VERB_DEACTIVATE) {
		snprintf(path, sizeof(path), "/v1/partitions/%s/stop", a->row.uuid);
		call.path = path;
	}
	if (h && body) {
		call.socket = h->row.socket;
		call.body = body;
		activation_step(a, "calling");
		rc = http_client_start(a->ops->client, &call, answered, a);
	}
	json_decref(body);
	if (rc) {
		log_errno(LOG_ERR, rc, "%s cannot be asked", a->claim.row.host);
		again_later(a);
	}
}

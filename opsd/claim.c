/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: one request id, sent until its host has spoken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>
#include <common/uuid.h>

#include "claim.h"
#include "ops.h"
#include "placement.h"

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

void claim_settle(struct activation *a, struct batch *b, enum store_claim_state state,
		  uint64_t transaction, const char *error_text)
{
	a->claim.row.state = state;
	a->claim.row.transaction = transaction;
	a->claim.row.error = error_text;
	a->claim.row.settled_ns = ops_now();
	batch_put(b, STORE_PUT_CLAIM, &a->claim.row);
}

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
			    "%s has not answered (%s): the request is repeated, with its id, until it has",
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
	activation_answered(a, 0, &a->error);
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
		activation_answered(a, json_integer_value(json_object_get(reply, "transaction")),
				    &none);
	} else if (code == EXIT_UNKNOWN || (code == EXIT_UNREACHABLE && a->claim.doubtful)) {
		doubt(a, e);
	} else if (a->row.verb == VERB_ACTIVATE && h && code != EXIT_UNREACHABLE &&
		   (a->claim.doubtful || code == EXIT_FAILED)) {
		take(&a->error, e);
		if (host_survey(h, checked, a))
			doubt(a, e);
	} else {
		activation_answered(a, 0, e);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an activation: its beginning, its end, and its return after a restart. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>
#include <common/uuid.h>

#include "activation.h"
#include "batch.h"
#include "choice.h"
#include "claim.h"
#include "ops.h"
#include "watch.h"

#define LINGER_USEC	60000000ull	/* an outcome that could not be stored is told that long */

static void close_now(struct activation *a);

/* ---- small things */

struct activation *activation_find(struct ops *ops, const char *id)
{
	struct activation *a;

	TAILQ_FOREACH(a, &ops->activations, link)
		if (!strcmp(a->row.id, id))
			return a;
	return NULL;
}

struct activation *activation_of(struct ops *ops, const char *partition)
{
	struct activation *a;

	TAILQ_FOREACH(a, &ops->activations, link)
		if (a->row.state == ACTIVATION_OPEN && !strcmp(a->row.partition, partition))
			return a;
	return NULL;
}

const char *activation_verb(const struct activation *a)
{
	return a->row.verb == VERB_ACTIVATE ? "activate" : "deactivate";
}

void activation_step(struct activation *a, const char *name)
{
	if (a->ops->step)
		a->ops->step(name, a->ops->step_data);
}

static void activation_free(struct activation *a)
{
	TAILQ_REMOVE(&a->ops->activations, a, link);
	sd_event_source_disable_unref(a->timer);
	error_clear(&a->error);
	json_decref(a->json);
	free(a->text);
	free(a);
}

void activations_free(struct ops *ops)
{
	while (!TAILQ_EMPTY(&ops->activations))
		activation_free(TAILQ_FIRST(&ops->activations));
}

/* What an activation's timer owns. */
struct pending {
	void (*next)(struct activation *a);
	struct activation *a;
};

static int on_later(sd_event_source *source, uint64_t usec, void *data)
{
	struct pending p = *(struct pending *)data;

	(void)source, (void)usec;
	p.a->timer = sd_event_source_disable_unref(p.a->timer);
	p.next(p.a);
	return 0;
}

void activation_later(struct activation *a, uint64_t usec, void (*next)(struct activation *a))
{
	struct pending *p = malloc(sizeof(*p));
	int rc = -ENOMEM;

	a->timer = sd_event_source_disable_unref(a->timer);
	if (p) {
		*p = (struct pending){ next, a };
		rc = sd_event_add_time_relative(a->ops->event, &a->timer, CLOCK_MONOTONIC, usec, 0,
						on_later, p);
	}
	if (rc < 0) {
		free(p);
		/* It stays open in the store, and the next opsd takes it up. */
		log_errno(LOG_CRIT, rc, "activation of %s cannot go on", a->row.partition);
		sd_event_exit(a->ops->event, rc);
		return;
	}
	sd_event_source_set_destroy_callback(a->timer, free);
}

void activation_refuse(struct activation *a, const char *host, enum exit_code code,
		       const char *why, const char *fix)
{
	struct activation_refusal *r = &a->refusal[a->refusals];

	if (a->refusals == OPS_MAX_HOSTS)
		return;
	a->refusals++;
	snprintf(r->host, sizeof(r->host), "%s", host);
	r->code = code;
	snprintf(r->why, sizeof(r->why), "%.*s", (int)sizeof(r->why) - 1, why);
	snprintf(r->fix, sizeof(r->fix), "%s", fix);
}

/* ---- the end */

void activation_words(const struct error *e, char to[ACTIVATION_WORDS])
{
	snprintf(to, ACTIVATION_WORDS, "%s%s%s", e->message, e->why[0] ? ": " : "", e->why);
}

static void forget(struct activation *a)
{
	activation_free(a);
}

/*
 * Commits the outcome that row.state, error and end tell. One that was never in the store may fail
 * to get there: then it is told from memory for a while, and nothing was done. Any other is stored
 * sooner or later, before a new activation of the partition can begin.
 */
static void close_now(struct activation *a)
{
	struct ops *ops = a->ops;
	struct batch b = { 0 };
	json_t *object = NULL;
	char *text = NULL;

	a->row.closed_ns = ops_now();
	if (a->row.state == ACTIVATION_FAILED) {
		object = error_to_json(&a->error);
		text = object ? json_dumps(object, JSON_COMPACT) : NULL;
		a->row.error = text ? text : "{}";
	}
	batch_put(&b, STORE_PUT_ACTIVATION, &a->row);
	/* With it, so that who waits for events finds the activation closed. */
	batch_event(&b, a->end, a->row.partition, a->claim.row.host, a->row.id, "%s", a->end_text);
	if (!batch_commit(&b, ops)) {
		activation_step(a, "closed");
		activation_free(a);
	} else if (a->durable) {
		a->row.error = NULL;
		activation_later(a, ACTIVATION_STORE_USEC, close_now);
	} else {
		a->row.error = NULL;
		a->row.state = ACTIVATION_FAILED;
		error_set(&a->error, EXIT_FAILED,
			  "opsd's store cannot be written; nothing was done");
		error_why(&a->error, "%s", store_why(ops->store));
		error_fix(&a->error, "make room on its file system, then repeat the command");
		activation_later(a, LINGER_USEC, forget);
	}
	json_decref(object);
	free(text);
}

void activation_done(struct activation *a, const char *kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->end_text, sizeof(a->end_text), format, args);
	va_end(args);
	a->end = kind;
	a->row.state = ACTIVATION_DONE;
	close_now(a);
}

void activation_failed(struct activation *a)
{
	char words[ACTIVATION_WORDS];

	activation_words(&a->error, words);
	snprintf(a->end_text, sizeof(a->end_text), "%.*s", (int)sizeof(a->end_text) - 1, words);
	a->end = "failed";
	a->row.state = ACTIVATION_FAILED;
	close_now(a);
}

/* ---- beginning */

static struct activation *activation_new(struct ops *ops, const struct store_activation *row)
{
	struct activation *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->ops = ops;
	a->row = *row;
	a->row.definition = a->row.error = NULL;
	TAILQ_INSERT_TAIL(&ops->activations, a, link);
	return a;
}

static int set_definition(struct activation *a, const struct definition *d)
{
	a->definition = *d;
	a->json = definition_to_json(d);
	a->text = a->json ? json_dumps(a->json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	a->row.definition = a->text;
	return a->text ? 0 : -ENOMEM;
}

static bool same_definition(const struct activation *a, const struct definition *d)
{
	json_t *json;
	bool same;

	if (!d)
		return true;
	json = definition_to_json(d);
	same = json && json_equal(a->json, json);
	json_decref(json);
	return same;
}

/* What the store says of an id that may have been used before. */
struct earlier {
	bool found;
	enum store_verb verb;
	char partition[COMMAND_NAME_LEN];
};

static void on_earlier(const struct store_activation *row, void *data)
{
	struct earlier *x = data;

	x->found = true;
	x->verb = row->verb;
	snprintf(x->partition, sizeof(x->partition), "%s", row->partition);
}

static int used_before(struct ops *ops, const struct activation_request *rq, struct error *e)
{
	struct activation *a = activation_find(ops, rq->id);
	struct earlier x = { 0 };
	struct store_visitor v = { .activation = on_earlier, .data = &x };

	if (a)
		on_earlier(&a->row, &x);
	else
		store_activation(ops->store, rq->id, &v);
	if (!x.found)
		return 0;
	if (x.verb == rq->verb && !strcmp(x.partition, rq->name))
		return 1;
	error_set(e, EXIT_CONFLICT, "request id %s was used before", rq->id);
	error_why(e, "it was to %s %s", x.verb == VERB_ACTIVATE ? "activate" : "deactivate",
		  x.partition);
	return error_fix(e, "leave --request-id out, unless you repeat a command");
}

static int busy_with(struct activation *other, const struct activation_request *rq,
		     char id[STORE_UUID_LEN], struct error *e)
{
	if (other->row.verb == rq->verb && same_definition(other, rq->definition)) {
		memcpy(id, other->row.id, STORE_UUID_LEN);
		return 0;
	}
	error_set(e, EXIT_CONFLICT, "%s is being %sd%s", rq->name, activation_verb(other),
		  other->row.verb == rq->verb ? " by another definition" : "");
	error_where(e, "partition %s", rq->name);
	error_why(e, "%s asked for it, request %s", other->row.who, other->row.id);
	return error_fix(e, "wait for its end: opsctl show %s", rq->name);
}

static int check_definition(struct ops *ops, const struct activation_request *rq,
			    const struct partition *p, struct error *e)
{
	json_t *json;
	bool same;

	if (!rq->definition && !p) {
		error_set(e, EXIT_NOT_FOUND, "no partition is named %s", rq->name);
		return error_fix(e, "see opsctl list, or give its definition: opsctl %s",
				 rq->verb == VERB_ACTIVATE ? "activate FILE" : "define FILE");
	}
	if (!rq->definition || !p)
		return 0;
	json = definition_to_json(rq->definition);
	same = json && json_equal(p->json, json);
	json_decref(json);
	return same ? 0 : partition_check_idle(ops, rq->name, e);
}

int activation_begin(struct ops *ops, const struct activation_request *rq, char id[STORE_UUID_LEN],
		     struct error *e)
{
	struct store_activation row = {
		.verb = rq->verb, .uid = rq->uid, .state = ACTIVATION_OPEN, .opened_ns = ops_now(),
		.timeout_s = rq->timeout_s ? rq->timeout_s : ACTIVATION_TIMEOUT_S,
	};
	struct partition *p = partition_find(ops, rq->name);
	uint8_t uuid[UUID_LEN];
	struct activation *a;
	size_t n = 0;
	int rc;

	memcpy(id, rq->id, STORE_UUID_LEN);
	rc = used_before(ops, rq, e);
	if (rc)
		return rc > 0 ? 0 : -1;
	a = activation_of(ops, rq->name);
	if (a)
		return busy_with(a, rq, id, e);
	if (check_definition(ops, rq, p, e))
		return -1;
	TAILQ_FOREACH(a, &ops->activations, link)
		n++;
	if (n >= ACTIVATION_MAX) {
		error_set(e, EXIT_RESOURCES, "%zu activations are under way", n);
		return error_fix(e, "repeat the command when some of them are done");
	}
	memcpy(row.id, rq->id, sizeof(row.id));
	snprintf(row.partition, sizeof(row.partition), "%s", rq->name);
	snprintf(row.who, sizeof(row.who), "%s", rq->who);
	if (p) {
		memcpy(row.uuid, p->row.uuid, sizeof(row.uuid));
	} else {
		uuid_random(uuid);
		uuid_format(uuid, row.uuid);
	}
	a = activation_new(ops, &row);
	if (!a || (rq->verb == VERB_ACTIVATE &&
		   set_definition(a, rq->definition ? rq->definition : &p->definition))) {
		if (a)
			activation_free(a);
		return error_set(e, EXIT_FAILED, "out of memory");
	}
	choice_begin(a);
	return 0;
}

/* ---- after a restart */

int activation_restore(struct ops *ops, const struct store_activation *row, struct error *e)
{
	struct activation *a = activation_new(ops, row);
	struct definition d;
	json_t *json;
	int rc = -1;

	if (!a)
		return error_set(e, EXIT_FAILED, "out of memory");
	a->durable = true;
	if (row->verb == VERB_DEACTIVATE)
		return 0;
	json = json_loads(row->definition, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		error_set(e, EXIT_FAILED, "the definition of %s in the store is no JSON",
			  row->partition);
	else if (!definition_parse(&d, json, "store", NULL, e))
		rc = set_definition(a, &d);
	json_decref(json);
	return rc ? -1 : 0;
}

void activation_restore_claim(struct ops *ops, const struct store_claim *row)
{
	struct activation *a = activation_find(ops, row->activation);
	struct error e = ERROR_NONE;
	char why[ACTIVATION_WORDS];
	json_t *object;

	if (!a)
		return;
	if (row->state == CLAIM_CLAIMED || row->state == CLAIM_DONE) {
		/* The opsd before this one may have asked, and been heard. */
		a->claim = (struct activation_claim){
			.row = *row, .open = row->state == CLAIM_CLAIMED, .doubtful = true,
		};
		a->claim.row.error = NULL;
		return;
	}
	object = row->error ? json_loads(row->error, 0, NULL) : NULL;
	error_from_json(&e, object);
	activation_words(&e, why);
	activation_refuse(a, row->host, e.code, why, e.fix);
	json_decref(object);
	error_clear(&e);
}

void activations_resume(struct ops *ops)
{
	struct activation *a, *next;
	struct batch b;

	for (a = TAILQ_FIRST(&ops->activations); a; a = next) {
		next = TAILQ_NEXT(a, link);
		b = (struct batch){ 0 };
		batch_event(&b, "resumed", a->row.partition, a->claim.row.host, a->row.id,
			    "opsd has restarted (epoch %llu) and goes on to %s %s",
			    (unsigned long long)ops->epoch, activation_verb(a), a->row.partition);
		batch_commit(&b, ops);
		if (a->claim.open)
			claim_call(a);
		else if (a->claim.row.state == CLAIM_DONE)
			watch_begin(a);
		else
			choice_begin(a);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of an activation; claim.c asks the host. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/log.h>
#include <common/uuid.h>

#include "activation.h"
#include "batch.h"
#include "claim.h"
#include "ops.h"
#include "placement.h"

#define FIRST_WATCH_USEC 20000ull	/* a monitor is up in some ten milliseconds */
#define LAST_WATCH_USEC	500000ull
#define PRESS_USEC	5000000ull	/* a guest that boots still does not feel the first press */
#define LINGER_USEC	60000000ull	/* an outcome that could not be stored is told that long */
#define WORDS		1300		/* of an error in one line */
#define STORE_USEC	1000000ull	/* between tries to store an outcome */

static void survey(struct activation *a);
static void surveyed(void *data);
static void watch(struct activation *a);
static void close_now(struct activation *a);
static void claim(struct activation *a, const struct host *h, struct batch *b);

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

/* What is to come is in the source's description of itself: one function of this kind. */
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

static uint64_t monotonic_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void start_watch(struct activation *a)
{
	/* Pressing again does not begin it anew. */
	if (!a->deadline)
		a->deadline = monotonic_usec() + a->row.timeout_s * 1000000ull;
	a->press = monotonic_usec() + PRESS_USEC;
	a->pause = FIRST_WATCH_USEC;
	watch(a);
}

/* ---- the end */

static void in_words(const struct error *e, char to[WORDS])
{
	snprintf(to, WORDS, "%s%s%s", e->message, e->why[0] ? ": " : "", e->why);
}

static void forget(struct activation *a)
{
	activation_free(a);
}

/*
 * Commits the outcome that row.state, error and end tell. One that was never in the store may fail to get
 * there: then it is told from memory for a while, and nothing was done. Any other is stored
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
		activation_later(a, STORE_USEC, close_now);
	} else {
		a->row.error = NULL;
		a->row.state = ACTIVATION_FAILED;
		error_set(&a->error, EXIT_FAILED, "opsd's store cannot be written; nothing was done");
		error_why(&a->error, "%s", store_why(ops->store));
		error_fix(&a->error, "make room on its file system, then repeat the command");
		activation_later(a, LINGER_USEC, forget);
	}
	json_decref(object);
	free(text);
}

static void done(struct activation *a, const char *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void done(struct activation *a, const char *kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->end_text, sizeof(a->end_text), format, args);
	va_end(args);
	a->end = kind;
	a->row.state = ACTIVATION_DONE;
	close_now(a);
}

/* a->error says why. */
static void failed(struct activation *a)
{
	char words[WORDS];

	in_words(&a->error, words);
	snprintf(a->end_text, sizeof(a->end_text), "%.*s", (int)sizeof(a->end_text) - 1, words);
	a->end = "failed";
	a->row.state = ACTIVATION_FAILED;
	close_now(a);
}

/* ---- settled: watching what the host makes of it */

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
	struct batch b = { 0 };

	if (up && a->row.verb == VERB_ACTIVATE && p &&
	    (!strcmp(p->state, "running") || !strcmp(p->state, "paused"))) {
		done(a, "running", "%s %s on %s", name, placement_state_words(p->state),
		     h->row.name);
	} else if (up && a->row.verb == VERB_ACTIVATE && (!p || !placement_is_on(p->state))) {
		error_set(&a->error, EXIT_FAILED, "%s was started on %s and %s", name, h->row.name,
			  placement_state_words(p ? p->state : "gone"));
		error_where(&a->error, "partition %s", name);
		error_why(&a->error, "%s", reason_of(p));
		error_fix(&a->error, "read its console: cmdpartctl console %s --log", name);
		failed(a);
	} else if (up && a->row.verb == VERB_DEACTIVATE && (!p || !placement_is_on(p->state))) {
		done(a, "off", "%s is off on %s%s%s", name, h->row.name,
		     p && p->reason[0] ? ": " : "", p ? p->reason : "");
	} else if (up && a->row.verb == VERB_DEACTIVATE && now >= a->press && now < a->deadline) {
		claim(a, h, &b);
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
			error_fix(&a->error, "wait and look (opsctl show %s), or pull the plug: cmdpartctl kill %s",
				  name, name);
		else
			error_fix(&a->error, "look again: opsctl show %s", name);
		failed(a);
	}
}

static void watch(struct activation *a)
{
	struct host *h = host_find(&a->ops->hosts, a->claim.row.host);

	if (!h || host_survey(h, watched, a))
		activation_later(a, LAST_WATCH_USEC, watch);
}

/* ---- the host's answer */

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
	claim_settle(a, &b, CLAIM_DONE, transaction, NULL);
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
		/* The host has it, and the claim is open in the store still: asking again is safe. */
		a->claim.doubtful = true;
		activation_later(a, STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	place(a, p, &row, &d);
	activation_step(a, "settled");
	start_watch(a);
}

static void settle_deactivation(struct activation *a, uint64_t transaction)
{
	struct partition *p = partition_find(a->ops, a->row.partition);
	struct store_partition row;
	struct batch b = { 0 };

	claim_settle(a, &b, CLAIM_DONE, transaction, NULL);
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
		activation_later(a, STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	if (p)
		p->row = row;
	activation_step(a, "settled");
	start_watch(a);
}

static void refuse(struct activation *a, const char *host, enum exit_code code, const char *why,
		   const char *fix)
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

static void settle_refusal(struct activation *a, const struct error *e)
{
	bool heard = e->code != EXIT_UNREACHABLE;
	json_t *object = error_to_json(e);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	struct batch b = { 0 };
	char why[WORDS];
	int rc;

	in_words(e, why);
	claim_settle(a, &b, heard ? CLAIM_REFUSED : CLAIM_UNREACHABLE, 0, text);
	batch_event(&b, heard ? "refused" : "unreachable", a->row.partition, a->claim.row.host,
		    a->row.id, "%s %s: %s", a->claim.row.host, heard ? "refused" : "was not reached",
		    why);
	rc = batch_commit(&b, a->ops);
	json_decref(object);
	free(text);
	if (rc) {
		activation_later(a, STORE_USEC, claim_call);
		return;
	}
	a->claim.open = false;
	refuse(a, a->claim.row.host, e->code, why, e->fix);
	activation_step(a, "settled");
	survey(a);
}

void activation_answered(struct activation *a, uint64_t transaction, const struct error *e)
{
	if (e->code != EXIT_OK)
		settle_refusal(a, e);
	else if (a->row.verb == VERB_ACTIVATE)
		settle_activation(a, transaction);
	else
		settle_deactivation(a, transaction);
}

/* ---- choosing a host */

static void claim(struct activation *a, const struct host *h, struct batch *b)
{
	claim_make(a, h, b);
	if (batch_commit(b, a->ops)) {
		if (a->durable)
			activation_later(a, STORE_USEC, survey);
		else
			failed(a);
		return;
	}
	a->durable = true;
	activation_step(a, "claimed");
	claim_call(a);
}

static bool refused_before(const struct activation *a, const char *host)
{
	size_t i;

	for (i = 0; i < a->refusals; i++)
		if (!strcmp(a->refusal[i].host, host))
			return true;
	return false;
}

static json_t *verdict_json(const char *host, enum exit_code code, const char *rule,
			    const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "host", host, "code", exit_code_word(code), "rule",
			 rule, "reason", reason);
}

/* What a host passed over tells less about the partition than one of lower rank. */
static int weight(enum exit_code code)
{
	switch (code) {
	case EXIT_RESOURCES:	return 4;
	case EXIT_CONFLICT:	return 3;
	case EXIT_NOT_FOUND:	return 2;
	case EXIT_UNREACHABLE:	return 1;
	default:		return 5;
	}
}

/* The error of an activation that no host takes, with each one's reason. */
static void nobody_takes_it(struct activation *a, const struct placement_verdict *v, size_t n)
{
	char why[sizeof(a->error.why)] = "";
	enum exit_code code = EXIT_UNREACHABLE;
	json_t *list = json_array();
	const char *fix = "";
	size_t i, at = 0;

	for (i = 0; i < a->refusals; i++) {
		const struct activation_refusal *r = &a->refusal[i];

		if (weight(r->code) > weight(code)) {
			code = r->code;
			fix = r->fix;
		}
		if (at < sizeof(why))
			at += snprintf(why + at, sizeof(why) - at, "%s%s: %s", at ? "; " : "",
				       r->host, r->why);
		json_array_append_new(list, verdict_json(r->host, r->code, "host", r->why));
	}
	for (i = 0; i < n; i++) {
		if (v[i].fits || refused_before(a, v[i].host->row.name))
			continue;
		if (weight(v[i].code) > weight(code))
			code = v[i].code;
		if (at < sizeof(why))
			at += snprintf(why + at, sizeof(why) - at, "%s%s: %s", at ? "; " : "",
				       v[i].host->row.name, v[i].reason);
		json_array_append_new(list, verdict_json(v[i].host->row.name, v[i].code, v[i].rule,
							 v[i].reason));
	}
	error_set(&a->error, code, "no host takes %s", a->row.partition);
	error_where(&a->error, "partition %s", a->row.partition);
	error_why(&a->error, "%s", why);
	if (fix[0])
		error_fix(&a->error, "%s", fix);
	else if (code == EXIT_RESOURCES)
		error_fix(&a->error, "ask for less, or free something: opsctl domain list");
	else if (code == EXIT_UNREACHABLE)
		error_fix(&a->error, "see whether cmdpartd runs there: opsctl host list");
	else if (code == EXIT_NOT_FOUND)
		error_fix(&a->error, "name a domain of opsctl domain list, or make it with cmdpartctl domain");
	a->error.details = json_pack("{s:o}", "hosts", list);
}

static void tell_verdicts(struct activation *a, const struct placement_verdict *v, size_t n,
			  struct batch *b)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (refused_before(a, v[i].host->row.name))
			continue;
		if (v[i].fits)
			batch_event(b, "fits", a->row.partition, v[i].host->row.name, a->row.id,
				    "%s fits, score %u: %s", v[i].host->row.name, v[i].score,
				    v[i].reason);
		else
			batch_event(b, "passed_over", a->row.partition, v[i].host->row.name,
				    a->row.id, "%s is passed over: %s", v[i].host->row.name,
				    v[i].reason);
	}
}

static void choose(struct activation *a)
{
	struct placement_verdict *v = calloc(OPS_MAX_HOSTS, sizeof(*v));
	struct partition *p = partition_find(a->ops, a->row.partition);
	const struct host *best = NULL;
	const struct host_partition *on;
	struct batch b = { 0 };
	size_t n, i;

	if (!v) {
		error_set(&a->error, EXIT_FAILED, "out of memory");
		failed(a);
		return;
	}
	n = placement_rank(&a->ops->hosts, &a->definition, a->row.uuid,
			   p ? &p->row : NULL, v);
	for (i = 0; i < n && !best; i++)
		if (v[i].fits && !refused_before(a, v[i].host->row.name))
			best = v[i].host;
	on = best ? host_partition(best, a->row.uuid) : NULL;
	if (on && p && p->row.active && !strcmp(p->row.host, best->row.name) &&
	    placement_is_on(on->state) && strcmp(on->state, "starting")) {
		/* Only asked twice: nothing to claim. */
		done(a, "already", "%s %s on %s already", p->row.name,
		     placement_state_words(on->state), best->row.name);
	} else {
		batch_put(&b, STORE_PUT_ACTIVATION, &a->row);
		tell_verdicts(a, v, n, &b);
		if (best) {
			claim(a, best, &b);
		} else {
			nobody_takes_it(a, v, n);
			batch_commit(&b, a->ops);
			failed(a);
		}
	}
	free(v);
}

/* Whom to ask to stop it: who has it running, else its place if that cannot be asked. */
static void choose_to_stop(struct activation *a)
{
	struct partition *p = partition_find(a->ops, a->row.partition);
	const struct host_partition *on;
	const struct host *h, *place = NULL;
	struct store_partition row;
	struct batch b = { 0 };

	TAILQ_FOREACH(h, &a->ops->hosts, link) {
		if (p && !strcmp(p->row.host, h->row.name))
			place = h;
		on = h->row.state == HOST_UP ? host_partition(h, a->row.uuid) : NULL;
		if (on && placement_is_on(on->state))
			break;
	}
	if (a->refusals && (h || (place && place->row.state != HOST_UP))) {
		error_set(&a->error, a->refusal[0].code, "%s was not stopped", a->row.partition);
		error_where(&a->error, "partition %s on %s", a->row.partition, a->refusal[0].host);
		error_why(&a->error, "%s", a->refusal[0].why);
		error_fix(&a->error, "%s", a->refusal[0].fix);
		failed(a);
	} else if (h) {
		batch_put(&b, STORE_PUT_ACTIVATION, &a->row);
		claim(a, h, &b);
	} else if (place && place->row.state != HOST_UP &&
		   (p->row.active || placement_is_on(p->row.seen))) {
		error_set(&a->error, EXIT_UNREACHABLE, "%s was not stopped", a->row.partition);
		error_where(&a->error, "partition %s on %s", a->row.partition, place->row.name);
		error_why(&a->error, "the resource service of %s does not answer: %s",
			  place->row.name, place->row.why);
		error_fix(&a->error, "see whether cmdpartd runs there: opsctl host list");
		failed(a);
	} else {
		if (p && p->row.active) {
			row = p->row;
			row.active = false;
			batch_put(&b, STORE_PUT_PARTITION, &row);
			if (!batch_commit(&b, a->ops))
				p->row = row;
		}
		done(a, "already", "%s is off already", a->row.partition);
	}
}

static void surveyed(void *data)
{
	struct activation *a = data;

	activation_step(a, "surveyed");
	if (a->row.verb == VERB_ACTIVATE)
		choose(a);
	else
		choose_to_stop(a);
}

static void survey(struct activation *a)
{
	if (hosts_survey(&a->ops->hosts, surveyed, a))
		activation_later(a, STORE_USEC, survey);
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
	survey(a);
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
	char why[WORDS];
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
	in_words(&e, why);
	refuse(a, row->host, e.code, why, e.fix);
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
			start_watch(a);
		else
			survey(a);
	}
}

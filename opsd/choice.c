/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a host, to start a partition on or to stop it at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "batch.h"
#include "choice.h"
#include "claim.h"
#include "ops.h"
#include "placement.h"

static void claim(struct activation *a, const struct host *h, struct batch *b)
{
	claim_make(a, h, b);
	if (batch_commit(b, a->ops)) {
		if (a->durable)
			activation_later(a, ACTIVATION_STORE_USEC, choice_begin);
		else
			activation_failed(a);
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
		error_fix(&a->error,
			  "name a domain of opsctl domain list, or make it: cmdpartctl domain");
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
		activation_failed(a);
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
		activation_done(a, "already", "%s %s on %s already", p->row.name,
		     placement_state_words(on->state), best->row.name);
	} else {
		batch_put(&b, STORE_PUT_ACTIVATION, &a->row);
		tell_verdicts(a, v, n, &b);
		if (best) {
			claim(a, best, &b);
		} else {
			nobody_takes_it(a, v, n);
			batch_commit(&b, a->ops);
			activation_failed(a);
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
		activation_failed(a);
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
		activation_failed(a);
	} else {
		if (p && p->row.active) {
			row = p->row;
			row.active = false;
			batch_put(&b, STORE_PUT_PARTITION, &row);
			if (!batch_commit(&b, a->ops))
				p->row = row;
		}
		activation_done(a, "already", "%s is off already", a->row.partition);
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

void choice_begin(struct activation *a)
{
	if (hosts_survey(&a->ops->hosts, surveyed, a))
		activation_later(a, ACTIVATION_STORE_USEC, choice_begin);
}

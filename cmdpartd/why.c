/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/partitions/NAME/why: one that is off is planned, as POST /v1/plan does it, by uvd too.
 * One that is on is judged by the same rules on rows in which it holds nothing: what it would get
 * now, beside what it has. Then the transactions in which somebody asked for something of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/uuid.h>

#include "call.h"
#include "copy.h"
#include "render.h"
#include "service.h"
#include "why.h"

#define LOOK_BACK	10000	/* transactions of the host, at the most */
#define TRANSACTIONS	20	/* of the partition, the last ones */

/* What it waits for, and what would end that; "": nothing. */
static void waits_for(const struct command_row_partition *p, char *to, size_t size)
{
	to[0] = '\0';
	if (p->lease_epoch && p->lease_expired)
		snprintf(to, size, "its lease has run out: cmdpartctl lease renew %s", p->name);
	else if (p->state == PARTITION_STARTING)
		snprintf(to, size, "it is being started, its first instruction has not run yet");
	else if (p->state == PARTITION_STOPPING)
		snprintf(to, size, "its power button is pressed, the guest has not powered off; "
			 "cmdpartctl kill %s pulls the plug", p->name);
	else if (p->state == PARTITION_PAUSED)
		snprintf(to, size, "it is paused: cmdpartctl resume %s", p->name);
}

static json_t *what_it_has(const struct rows *rows, const struct command_row_partition *p)
{
	json_t *contexts = json_array(), *channels = json_array();

	for (rows_each(rows, CONTEXT, context, c))
		if (!memcmp(c->partition, p->partition, UUID_LEN))
			json_array_append_new(contexts, render_context(c));
	for (rows_each(rows, CHANNEL, channel, c))
		if (!memcmp(c->partition, p->partition, UUID_LEN))
			json_array_append_new(channels, render_channel(c));
	return json_pack("{s:s, s:i, s:I, s:o, s:o}", "domain", p->domain, "node", (int)p->node,
			 "memory", (json_int_t)p->memory_assigned, "contexts", contexts, "channels",
			 channels);
}

/* Whether the rules would choose the very CPUs and node that it has. */
static bool as_now(const struct placement_ask *ask, const struct placement *placement,
		   const struct command_row_partition *p)
{
	for (uint32_t i = 0; i < ask->vcpus; i++)
		if (memcmp(&ask->cpus[i], &placement->cpus[i], sizeof(ask->cpus[i])) ||
		    ask->window_start_ns[i] != placement->window_start_ns[i])
			return false;
	return placement->fits && placement->node == p->node;
}

static void transactions_ready(struct call *call)
{
	size_t all = rows_count(call->rows, COMMAND_ROW_LEDGER), first;
	json_t *list = json_array(), *answer = call->answer;

	first = all > TRANSACTIONS ? all - TRANSACTIONS : 0;
	for (size_t i = first; i < all; i++)
		json_array_append_new(list, render_ledger(rows_at(call->rows, COMMAND_ROW_LEDGER,
								  i)));
	json_object_set_new(answer, "transactions", list);
	call->answer = NULL;
	call_reply(call, answer);
}

/* The judgement is made: now who asked. */
static void judged(struct call *call, json_t *judgement)
{
	uint64_t last = call->transactions;

	json_object_update_missing(call->answer, judgement);
	json_decref(judgement);
	call_undraft(call);
	call_rows(call, ROWS_LEDGER, http_request_segment(call->http, 0),
		  last > LOOK_BACK ? last - LOOK_BACK : 0, 0, transactions_ready);
}

static void judge_running(struct call *call, struct command_row_partition *p)
{
	struct placement *placement = malloc(sizeof(*placement));
	struct command_row_partition before = *p;
	char name[COMMAND_NAME_LEN];
	struct error e = ERROR_NONE;
	struct placement_ask ask;
	json_t *judgement;

	if (!placement || call_reckon(call) < 0) {
		free(placement);
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
		return;
	}
	/* Rows may have moved. */
	strcpy(name, before.name);
	p = rows_partition(call->rows, name);
	json_object_set_new(call->answer, "has", what_it_has(call->rows, p));
	placement_ask_rows(&ask, call->rows, p);
	placement_ask_again(&ask, call->rows);
	/* Where it is, is for comparison: a start does not know it. */
	ask.again = false;
	copy_release(call->rows, p);
	placement_decide(call->service->policy, call->rows, &ask, placement);
	judgement = json_pack("{s:b, s:b, s:o}", "fits", placement->fits, "as_now",
			      as_now(&ask, placement, &before), "rules",
			      placement_rules_to_json(placement));
	if (placement->fits)
		json_object_set_new(judgement, "placement", placement_to_json(placement, &ask));
	free(placement);
	judged(call, judgement);
}

static void plan_start(struct call *call, const char *name)
{
	struct operation *op = operations_add(&call->ops, OPERATION_START);
	struct error e = ERROR_NONE;

	if (!op) {
		error_set(&e, EXIT_FAILED, "out of memory");
		call_error(call, &e);
		return;
	}
	strcpy(op->name, name);
	call_undraft(call);
	call->plan = true;
	call->planned = judged;
	call_change(call);
}

static void rows_ready(struct call *call)
{
	const char *name = http_request_segment(call->http, 0);
	struct command_row_partition *p = rows_partition(call->rows, name);
	struct error e = ERROR_NONE;
	char text[160], real[COMMAND_NAME_LEN];

	if (!p) {
		error_set(&e, EXIT_NOT_FOUND, "no partition is named %s", name);
		error_fix(&e, "cmdpartctl list shows those there are");
		call_error(call, &e);
		return;
	}
	if (p->kind != PARTITION_GUEST) {
		error_set(&e, EXIT_DENIED, "%s is a system partition", p->name);
		error_why(&e, "policy does not place it: it runs as a service of the host");
		error_fix(&e, "systemctl status tells more; cmdpartctl show %s its channels",
			  p->name);
		call_error(call, &e);
		return;
	}
	if (rows_count(call->rows, COMMAND_ROW_HOST))
		call->transactions = ((struct command_row_host *)
				      rows_at(call->rows, COMMAND_ROW_HOST, 0))->transactions;
	waits_for(p, text, sizeof(text));
	call->answer = json_pack("{s:o, s:o}", "partition", render_partition(p), "waits",
				 text[0] ? json_string(text) : json_null());
	strcpy(real, p->name);
	if (p->state == PARTITION_DEFINED || p->state == PARTITION_FAILED)
		plan_start(call, real);
	else
		judge_running(call, p);
}

void why_get(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, PLACEMENT_ROWS, NULL, 0, 0, rows_ready);
}

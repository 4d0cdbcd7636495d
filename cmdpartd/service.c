/* SPDX-License-Identifier: Apache-2.0 */
/* The routes. Each reads its own keys and says which operations, or which rows, it is about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/log.h>
#include <common/reader.h>
#include <common/uuid.h>

#include "book.h"
#include "call.h"
#include "console.h"
#include "devices.h"
#include "lease.h"
#include "render.h"
#include "service.h"
#include "why.h"

#define WHOLE		64	/* bytes: room for a number in a query */

static int no_memory(struct call *call)
{
	struct error e = ERROR_NONE;

	error_set(&e, EXIT_FAILED, "out of memory");
	call_error(call, &e);
	return -1;
}

int service_admit(const struct http_request *http, void *data, struct error *e)
{
	const struct service *service = data;

	return access_check(&service->access, http, e);
}

/* ---- reading --------------------------------------------------------------------- */

static void reply_list(struct call *call, const char *key, enum command_type type)
{
	call_reply(call, json_pack("{s:o}", key, render_list(call->rows, type)));
}

static void partitions_ready(struct call *call)
{
	reply_list(call, "partitions", COMMAND_ROW_PARTITION);
}

static void get_partitions(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_PARTITION, NULL, 0, 0, partitions_ready);
}

static void no_partition(struct call *call)
{
	struct error e = ERROR_NONE;

	error_set(&e, EXIT_NOT_FOUND, "no partition is named %s",
		  http_request_segment(call->http, 0));
	error_fix(&e, "cmdpartctl list shows those there are");
	call_error(call, &e);
}

static void partition_ready(struct call *call)
{
	struct rows *rows = call->rows;

	if (!rows_count(rows, COMMAND_ROW_PARTITION)) {
		no_partition(call);
		return;
	}
	call_reply(call, json_pack("{s:o, s:o, s:o, s:o}", "partition",
		   render_partition(rows_at(rows, COMMAND_ROW_PARTITION, 0)),
		   "devices", render_list(rows, COMMAND_ROW_DEVICE),
		   "channels", render_list(rows, COMMAND_ROW_CHANNEL),
		   "contexts", render_list(rows, COMMAND_ROW_CONTEXT)));
}

static void get_partition(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_PARTITION | ROWS_DEVICE | ROWS_CHANNEL | ROWS_CONTEXT,
			  http_request_segment(http, 0), 0, 0, partition_ready);
}

static void host_ready(struct call *call)
{
	struct rows *rows = call->rows;

	call_reply(call, json_pack("{s:o, s:o, s:o}", "host",
		   rows_count(rows, COMMAND_ROW_HOST) ?
		   render_host(rows_at(rows, COMMAND_ROW_HOST, 0)) : json_null(),
		   "processors", render_list(rows, COMMAND_ROW_PROCESSOR),
		   "nodes", render_list(rows, COMMAND_ROW_MEMORY)));
}

static void get_host(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_HOST | ROWS_PROCESSOR | ROWS_MEMORY, NULL, 0, 0, host_ready);
}

static void map_ready(struct call *call)
{
	call_reply(call, render_map(call->rows));
}

static void get_map(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, RENDER_MAP_ROWS, NULL, 0, 0, map_ready);
}

static void domains_ready(struct call *call)
{
	reply_list(call, "domains", COMMAND_ROW_DOMAIN);
}

static void get_domains(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_DOMAIN | ROWS_PROCESSOR, NULL, 0, 0, domains_ready);
}

/* ---- changes --------------------------------------------------------------------- */

/* The definition in the body, read into op. 0, or -1: answered. */
static int read_definition(struct call *call, struct operation *op, bool required)
{
	json_t *body = http_request_body(call->http), *json = json_object_get(body, "definition");
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	int rc;

	op->definition = malloc(sizeof(*op->definition));
	if (!op->definition)
		return no_memory(call);
	rc = reader_get(&r, "", body, "definition", JSON_OBJECT, "{ \"name\": \"web1\", … }",
			required, &json);
	if (rc > 0)
		rc = definition_parse(op->definition, json, "definition", NULL, &e);
	if (rc >= 0)
		rc = reader_uuid(&r, "", body, "uuid", op->kind == OPERATION_ACTIVATE, op->uuid);
	if (rc < 0) {
		call_error(call, &e);
		return -1;
	}
	op->has_uuid = rc > 0;
	return 0;
}

static void post_definition(struct http_request *http, void *data, enum operation_kind kind)
{
	static const char *const keys[] = { "definition", "uuid", NULL };
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	struct operation *op;

	if (!call || call_body(call, keys) < 0)
		return;
	op = operations_add(&call->ops, kind);
	if (!op) {
		no_memory(call);
		return;
	}
	if (kind == OPERATION_ACTIVATE &&
	    !json_object_get(http_request_body(http), "request_id")) {
		error_set(&e, EXIT_INVALID, "the key \"request_id\" is missing");
		error_where(&e, "request: request_id");
		error_fix(&e, "choose a random UUID, and keep it for a repetition");
		call_error(call, &e);
		return;
	}
	if (!read_definition(call, op, true))
		call_change(call);
}

static void post_partitions(struct http_request *http, void *data)
{
	post_definition(http, data, OPERATION_DEFINE);
}

static void post_activations(struct http_request *http, void *data)
{
	post_definition(http, data, OPERATION_ACTIVATE);
}

static void no_device(struct call *call)
{
	struct error e = ERROR_NONE;

	error_set(&e, EXIT_NOT_FOUND, "no device is named %s", http_request_segment(call->http, 1));
	error_fix(&e, "cmdpartctl show %s lists its devices", http_request_segment(call->http, 0));
	call_error(call, &e);
}

static void post_operation(struct http_request *http, void *data, enum operation_kind kind)
{
	struct call *call = call_new(data, http);
	const char *name, *device;
	struct operation *op;

	if (!call || call_body(call, NULL) < 0)
		return;
	op = operations_add(&call->ops, kind);
	if (!op) {
		no_memory(call);
		return;
	}
	name = http_request_segment(http, 0);
	device = http_request_segment(http, 1);
	if (snprintf(op->name, sizeof(op->name), "%s", name ? name : "") >= (int)sizeof(op->name))
		no_partition(call);
	else if (device && snprintf(op->device, sizeof(op->device), "%s", device) >=
		 (int)sizeof(op->device))
		no_device(call);
	else
		call_change(call);
}

#define VERB(verb, kind) \
static void verb(struct http_request *http, void *data) \
{ \
	post_operation(http, data, kind); \
}

VERB(delete_partition, OPERATION_UNDEFINE)
VERB(post_stop, OPERATION_STOP)
VERB(post_kill, OPERATION_KILL)
VERB(post_pause, OPERATION_PAUSE)
VERB(post_resume, OPERATION_RESUME)
VERB(post_failover, OPERATION_FAILOVER)
VERB(post_reset, OPERATION_RESET_DEVICE)
VERB(post_resize, OPERATION_RESIZE_DEVICE)
VERB(delete_domain, OPERATION_DESTROY_DOMAIN)
VERB(post_host_stop, OPERATION_STOP_HOST)
VERB(post_host_start, OPERATION_START_HOST)
#undef VERB

/* With a plan's token: just what was planned. */
static void post_start(struct http_request *http, void *data)
{
	static const char *const keys[] = { "plan", NULL };
	const char *name = http_request_segment(http, 0);
	struct call *call;
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	uint8_t token[UUID_LEN];

	if (!http_request_body(http) || !json_object_get(http_request_body(http), "plan")) {
		post_operation(http, data, OPERATION_START);
		return;
	}
	call = call_new(data, http);
	if (!call || call_body(call, keys) < 0)
		return;
	if (reader_uuid(&r, "", http_request_body(http), "plan", true, token) < 0 ||
	    reservation_use(call, token, name ? name : "", &e) < 0)
		call_error(call, &e);
	else
		call_transmit(call);
}

typedef int parse_changes_fn(struct operation *op, const char *prefix, const json_t *json,
			     struct error *e);

/* Those of the body's members that are keys. */
static json_t *members(struct http_request *http, const char *const *keys)
{
	json_t *some = json_object(), *value;

	for (; *keys; keys++) {
		value = json_object_get(http_request_body(http), *keys);
		if (value)
			json_object_set(some, *keys, value);
	}
	return some;
}

static void post_changes(struct http_request *http, void *data, enum operation_kind kind,
			 const char *const *keys, parse_changes_fn *parse)
{
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	struct operation *op;
	json_t *changes;
	int rc;

	if (!call || call_body(call, keys) < 0)
		return;
	op = operations_add(&call->ops, kind);
	if (!op) {
		no_memory(call);
		return;
	}
	changes = members(http, keys);
	rc = parse(op, "", changes, &e);
	json_decref(changes);
	if (rc < 0)
		call_error(call, &e);
	else if (snprintf(op->name, sizeof(op->name), "%s", http_request_segment(http, 0)) >=
		 (int)sizeof(op->name))
		no_partition(call);
	else
		call_change(call);
}

static void post_set(struct http_request *http, void *data)
{
	static const char *const keys[] = { "cpus", "domain", "devices", NULL };

	post_changes(http, data, OPERATION_MODIFY, keys, operation_parse_set);
}

static void post_domain_set(struct http_request *http, void *data)
{
	static const char *const keys[] = { "cpus", "memory", "frame_ms", "phase_us", NULL };

	post_changes(http, data, OPERATION_MODIFY_DOMAIN, keys, operation_parse_domain_set);
}

static void contexts_ready(struct call *call)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	call_reply(call, json_pack("{s:I, s:o, s:o}", "time",
		   (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec, "partitions",
		   render_list(call->rows, COMMAND_ROW_PARTITION), "contexts",
		   render_list(call->rows, COMMAND_ROW_CONTEXT)));
}

static void get_contexts(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_PARTITION | ROWS_CONTEXT, NULL, 0, 0, contexts_ready);
}

static void post_domains(struct http_request *http, void *data)
{
	static const char *const keys[] = { "name", "cpus", "memory", "frame_ms", "phase_us",
					    NULL };
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	struct operation *op;
	json_t *domain;
	int rc;

	if (!call || call_body(call, keys) < 0)
		return;
	op = operations_add(&call->ops, OPERATION_CREATE_DOMAIN);
	if (!op) {
		no_memory(call);
		return;
	}
	domain = members(http, keys);
	rc = operation_parse_domain(op, "", domain, &e);
	json_decref(domain);
	if (rc < 0)
		call_error(call, &e);
	else
		call_change(call);
}

static void post_transactions(struct http_request *http, void *data)
{
	static const char *const keys[] = { "operations", NULL };
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	json_t *list;

	if (!call || call_body(call, keys) < 0)
		return;
	call->many = true;
	if (reader_get(&r, "", http_request_body(http), "operations", JSON_ARRAY,
		       "[ { \"start\": \"web1\" } ]", true, &list) < 0 ||
	    operations_parse(&call->ops, list, &e) < 0)
		call_error(call, &e);
	else
		call_change(call);
}

/* A definition's plan is that of defining it (unless it is) and starting it. */
static void post_plan(struct http_request *http, void *data)
{
	static const char *const keys[] = { "definition", "partition", "set", "reserve_s", NULL };
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	json_t *body = http_request_body(http), *set;
	uint64_t seconds = 0;
	struct operation *op;
	bool defined;

	if (!call || call_body(call, keys) < 0)
		return;
	call->plan = true;
	defined = json_object_get(body, "partition");
	if (defined == !!json_object_get(body, "definition")) {
		error_set(&e, EXIT_INVALID, "name either a definition or a partition");
		error_where(&e, "request");
		call_error(call, &e);
		return;
	}
	if (!defined) {
		op = operations_add(&call->ops, OPERATION_DEFINE);
		if (!op) {
			no_memory(call);
			return;
		}
		if (read_definition(call, op, true) < 0)
			return;
	}
	set = json_object_get(body, "set");
	if (reader_number(&r, "", body, "reserve_s", false, 1, RESERVATION_MAX_SECONDS,
			  &seconds) < 0) {
		call_error(call, &e);
		return;
	}
	call->reserve_s = seconds;
	if (set && seconds) {
		error_set(&e, EXIT_INVALID, "only a start can be reserved, not a change");
		error_where(&e, "request: reserve_s");
		call_error(call, &e);
		return;
	}
	if (set && !defined) {
		error_set(&e, EXIT_INVALID, "only a partition that is defined can be changed");
		error_where(&e, "request: set");
		call_error(call, &e);
		return;
	}
	op = operations_add(&call->ops, set ? OPERATION_MODIFY : OPERATION_START);
	if (!op) {
		no_memory(call);
		return;
	}
	if (set && operation_parse_set(op, "set", set, &e) < 0) {
		call_error(call, &e);
		return;
	}
	if (!defined)
		strcpy(op->name, call->ops.list[0].definition->name);
	else if (reader_text(&r, "", body, "partition", "\"web1\"", true, op->name,
			     sizeof(op->name)) < 0) {
		call_error(call, &e);
		return;
	}
	call_change(call);
}

const struct http_route service_routes[] = {
	{ "GET", "/v1/partitions", get_partitions },
	{ "POST", "/v1/partitions", post_partitions },
	{ "GET", "/v1/partitions/{}", get_partition },
	{ "DELETE", "/v1/partitions/{}", delete_partition },
	{ "POST", "/v1/partitions/{}/start", post_start },
	{ "POST", "/v1/partitions/{}/stop", post_stop },
	{ "POST", "/v1/partitions/{}/kill", post_kill },
	{ "POST", "/v1/partitions/{}/pause", post_pause },
	{ "POST", "/v1/partitions/{}/resume", post_resume },
	{ "POST", "/v1/partitions/{}/set", post_set },
	{ "POST", "/v1/partitions/{}/devices/{}/failover", post_failover },
	{ "POST", "/v1/partitions/{}/devices/{}/reset", post_reset },
	{ "POST", "/v1/partitions/{}/devices/{}/resize", post_resize },
	{ "POST", "/v1/partitions/{}/lease", lease_post },
	{ "POST", "/v1/leases", lease_post_many },
	{ "GET", "/v1/partitions/{}/why", why_get },
	{ "GET", "/v1/partitions/{}/console", console_get },
	{ "GET", "/v1/contexts", get_contexts },
	{ "GET", "/v1/devices", devices_get },
	{ "GET", "/metrics", metrics_get },
	{ "POST", "/v1/activations", post_activations },
	{ "POST", "/v1/plan", post_plan },
	{ "GET", "/v1/plans", reservation_list },
	{ "DELETE", "/v1/plans/{}", reservation_release },
	{ "POST", "/v1/transactions", post_transactions },
	{ "GET", "/v1/ledger", book_ledger },
	{ "GET", "/v1/history", book_history },
	{ "GET", "/v1/verify", book_verify },
	{ "GET", "/v1/events", book_events },
	{ "GET", "/v1/host", get_host },
	{ "GET", "/v1/map", get_map },
	{ "POST", "/v1/host/stop", post_host_stop },
	{ "POST", "/v1/host/start", post_host_start },
	{ "GET", "/v1/domains", get_domains },
	{ "POST", "/v1/domains", post_domains },
	{ "POST", "/v1/domains/{}/set", post_domain_set },
	{ "DELETE", "/v1/domains/{}", delete_domain },
	{ "GET", "/v1/policy", service_get_policy },
	{ "POST", "/v1/policy/reload", service_post_reload },
	{ NULL, NULL, NULL }
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about the past, put to uvd as they come: nothing of it is kept here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/uuid.h>

#include "book.h"
#include "call.h"
#include "render.h"
#include "service.h"

#define LEDGER_DEFAULT	100
#define LEDGER_MAX	1000
#define HISTORY_MAX	10000
#define EVENTS_DEFAULT	100

static void ledger_ready(struct call *call)
{
	call_reply(call, json_pack("{s:o}", "ledger", render_list(call->rows, COMMAND_ROW_LEDGER)));
}

/* A whole number in the query. 1, 0 (absent), or -1: answered. */
static int query_number(struct call *call, const char *key, uint64_t low, uint64_t high,
			uint64_t *out)
{
	const char *text = http_request_query(call->http, key);
	struct error e = ERROR_NONE;
	char *end;

	if (!text)
		return 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *out >= low && *out <= high)
		return 1;
	error_set(&e, EXIT_INVALID, "\"%.64s\" is not a number from %llu to %llu", text,
		  (unsigned long long)low, (unsigned long long)high);
	error_where(&e, "request: ?%s", key);
	call_error(call, &e);
	return -1;
}

/* The number of the last transaction is known: now those before it. */
static void ledger_counted(struct call *call)
{
	const struct command_row_host *h = rows_at(call->rows, COMMAND_ROW_HOST, 0);
	uint64_t last = rows_count(call->rows, COMMAND_ROW_HOST) ? h->transactions : 0;
	uint64_t limit = call->generation;

	rows_free(call->rows);
	call->rows = NULL;
	call_rows(call, ROWS_LEDGER, NULL, last > limit ? last - limit : 0, limit, ledger_ready);
}

void book_ledger(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);
	uint64_t limit = LEDGER_DEFAULT, after = 0;
	int rc;

	if (!call || query_number(call, "limit", 1, LEDGER_MAX, &limit) < 0)
		return;
	rc = query_number(call, "after", 0, INT64_MAX, &after);
	if (rc < 0)
		return;
	call->generation = limit;
	if (rc > 0)
		call_rows(call, ROWS_LEDGER, NULL, after, limit, ledger_ready);
	else
		call_rows(call, ROWS_HOST, NULL, 0, 0, ledger_counted);
}

static void history_ready(struct call *call)
{
	struct error e = ERROR_NONE;

	if (rows_count(call->rows, COMMAND_ROW_HISTORY)) {
		call_reply(call, json_pack("{s:o}", "history",
					   render_list(call->rows, COMMAND_ROW_HISTORY)));
		return;
	}
	error_set(&e, EXIT_NOT_FOUND, "nothing is recorded of %s%s",
		  http_request_query(call->http, "of"),
		  http_request_query(call->http, "at") ? " at that time" : "");
	error_fix(&e, "name a partition, domain, device or channel, or processor:N, memory:NODE, "
		  "device:PATH, channel:PARTITION/DEVICE");
	call_error(call, &e);
}

static void verify_ready(struct call *call)
{
	call_reply(call, json_pack("{s:o, s:o}", "compared",
				   render_list(call->rows, COMMAND_ROW_COMPARED), "differences",
				   render_list(call->rows, COMMAND_ROW_DIFFERENCE)));
}

void book_verify(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		call_rows(call, ROWS_COMPARED | ROWS_DIFFERENCE, NULL, 0, 0, verify_ready);
}

static void events_ready(enum exit_code code, const struct command_header *reply, void *data)
{
	const struct command_record *r = NULL;
	struct error e = ERROR_NONE;
	struct call *call = data;
	const char *after = http_request_query(call->http, "after");
	json_t *list, *next = after ? json_string(after) : json_null();

	if (code != EXIT_OK)
		/* A question changes nothing: it may always be repeated. */
		rows_no_answer(EXIT_UNREACHABLE, &e);
	if (code != EXIT_OK || reply_error(reply, &e)) {
		json_decref(next);
		call_error(call, &e);
		return;
	}
	list = json_array();
	while ((r = reply_next(reply, r)))
		if (r->type == COMMAND_ROW_EVENT)
			json_array_append_new(list, render_event((const void *)r));
	if (json_array_size(list)) {
		json_decref(next);
		next = json_incref(json_object_get(json_array_get(list, json_array_size(list) - 1),
						   "cursor"));
	}
	call_reply(call, json_pack("{s:o, s:o}", "events", list, "next", next));
}

/* "INSTANCE.NUMBER", as an event before it has it; none: the newest. 0, or -1: answered. */
static int query_cursor(struct call *call, uint8_t instance[UUID_LEN], uint64_t *number)
{
	const char *text = http_request_query(call->http, "after");
	struct error e = ERROR_NONE;
	char uuid[UUID_TEXT], *end;

	if (!text)
		return 0;
	snprintf(uuid, sizeof(uuid), "%s", text);
	if (strlen(text) > sizeof(uuid) && text[sizeof(uuid) - 1] == '.' &&
	    !uuid_read(instance, uuid) && !uuid_is_zero(instance)) {
		text += sizeof(uuid);
		*number = strtoull(text, &end, 10);
		if (*text >= '0' && *text <= '9' && !*end && *number <= INT64_MAX)
			return 0;
	}
	error_set(&e, EXIT_INVALID, "this is no event's cursor");
	error_where(&e, "request: ?after");
	error_fix(&e, "give the \"cursor\" of an event, or the \"next\" of an answer");
	call_error(call, &e);
	return -1;
}

/* Answered when something happens: uvd has the question meanwhile. */
void book_events(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);
	uint64_t limit = EVENTS_DEFAULT, wait_ms = 0, after = 0;
	uint8_t instance[UUID_LEN] = { 0 };
	struct command_query_events *c;
	struct error e = ERROR_NONE;
	struct message m;

	if (!call || query_number(call, "limit", 1, COMMAND_MAX_RECORDS, &limit) < 0 ||
	    query_number(call, "wait_ms", 0, COMMAND_EVENTS_WAIT_MS, &wait_ms) < 0 ||
	    query_cursor(call, instance, &after) < 0)
		return;
	message_begin(&m, COMMAND_QUERY, call->request_id, &call->author);
	c = message_add(&m, COMMAND_QUERY_EVENTS, 0);
	memcpy(c->instance, instance, sizeof(c->instance));
	c->after = after;
	c->limit = limit;
	c->wait_ms = wait_ms;
	if (uvdlink_send(call->service->link, &m, events_ready, call) == 0)
		return;
	error_set(&e, EXIT_FAILED, "out of memory");
	call_error(call, &e);
}

/* "processor:3" names the noun; a path or a name alone does not. */
static int split(const char *of, char *noun, size_t size, const char **key)
{
	static const char *const nouns[] = { "processor", "memory", "device", "channel", "server",
					     "partition", "domain", "host" };
	const char *colon = strchr(of, ':');

	snprintf(noun, size, "%s", "");
	*key = of;
	for (size_t i = 0; colon && i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (strlen(nouns[i]) == (size_t)(colon - of) &&
		    !strncmp(nouns[i], of, colon - of)) {
			snprintf(noun, size, "%s", nouns[i]);
			*key = colon + 1;
		}
	return **key && strlen(*key) < COMMAND_PATH_LEN ? 0 : -1;
}

void book_history(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);
	const char *of = http_request_query(http, "of"), *key;
	uint64_t at = 0, after = 0, limit = HISTORY_MAX;
	struct error e = ERROR_NONE;
	char noun[16];

	if (!call || query_number(call, "at", 1, INT64_MAX, &at) < 0 ||
	    query_number(call, "after", 0, INT64_MAX, &after) < 0 ||
	    query_number(call, "limit", 1, HISTORY_MAX, &limit) < 0)
		return;
	if (of && !split(of, noun, sizeof(noun), &key)) {
		call_history(call, noun, key, at, after, limit, history_ready);
		return;
	}
	error_set(&e, EXIT_INVALID, of && *of ? "this names nothing" : "nothing is named");
	error_where(&e, "request: ?of");
	error_fix(&e, "name a partition, domain, device or channel, or processor:N, memory:NODE");
	call_error(call, &e);
}

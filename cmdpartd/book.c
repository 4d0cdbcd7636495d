/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about the past, put to uvd as they come: nothing of it is kept here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "call.h"
#include "render.h"
#include "service.h"

#define LEDGER_DEFAULT	100
#define LEDGER_MAX	1000
#define HISTORY_MAX	10000

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

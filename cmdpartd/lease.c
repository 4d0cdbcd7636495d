/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A renewal names partitions to people and UUIDs to uvd, so the rows are read first; many go in one
 * message. uvd renews all that it can and answers with the first that it could not.
 */
#include <string.h>

#include <common/reader.h>
#include <common/uuid.h>

#include "call.h"
#include "lease.h"
#include "render.h"
#include "service.h"

static void refuse(struct call *call, enum exit_code code, const char *message, const char *name,
		   const char *fix)
{
	struct error e = ERROR_NONE;

	error_set(&e, code, message, name);
	error_fix(&e, "%s", fix);
	call_error(call, &e);
}

static void no_partition(struct call *call, const char *name)
{
	refuse(call, EXIT_NOT_FOUND, "no partition is named %s", name,
	       "cmdpartctl list shows those there are");
}

/* Many: how many, of which rows the reply may not hold all. */
static void renewed(enum exit_code code, const struct command_header *reply, void *data)
{
	const struct command_row_partition *p;
	struct call *call = data;
	struct error e = ERROR_NONE;

	if (code != EXIT_OK)
		rows_no_answer(code, &e);
	else if (!reply_error(reply, &e)) {
		p = reply_find(reply, COMMAND_ROW_PARTITION);
		call_reply(call, call->answer ? json_incref(call->answer) :
			   json_pack("{s:o}", "partition", p ? render_partition(p) : json_null()));
		return;
	}
	call_error(call, &e);
}

static void add(struct message *m, const struct command_row_partition *p)
{
	struct command_partition *r = message_add(m, COMMAND_LEASE_RENEW, 0);

	memcpy(r->partition, p->partition, UUID_LEN);
}

static void transmit(struct call *call, struct message *m)
{
	if (uvdlink_send(call->service->link, m, renewed, call) < 0)
		refuse(call, EXIT_FAILED, "%s", "out of memory", "see cmdpartd's log");
}

static void one_ready(struct call *call)
{
	struct message m;

	if (!rows_count(call->rows, COMMAND_ROW_PARTITION)) {
		no_partition(call, http_request_segment(call->http, 0));
		return;
	}
	message_begin(&m, COMMAND_RENEW, call->request_id, &call->author);
	add(&m, rows_at(call->rows, COMMAND_ROW_PARTITION, 0));
	transmit(call, &m);
}

void lease_post(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call && !call_body(call, NULL))
		call_rows(call, ROWS_PARTITION, http_request_segment(http, 0), 0, 0, one_ready);
}

static void many_ready(struct call *call)
{
	const json_t *names = json_object_get(http_request_body(call->http), "partitions");
	const struct command_row_partition *p;
	struct message m;
	json_t *name;
	size_t i;

	message_begin(&m, COMMAND_RENEW, call->request_id, &call->author);
	json_array_foreach(names, i, name) {
		p = rows_partition(call->rows, json_string_value(name));
		if (!p) {
			message_free(&m);
			no_partition(call, json_string_value(name));
			return;
		}
		add(&m, p);
	}
	call->answer = json_pack("{s:i}", "renewed", (int)json_array_size(names));
	transmit(call, &m);
}

void lease_post_many(struct http_request *http, void *data)
{
	static const char *const keys[] = { "partitions", NULL };
	struct call *call = call_new(data, http);
	struct error e = ERROR_NONE;
	const struct reader r = { "request", NULL, &e };
	json_t *names, *name;
	size_t i;

	if (!call || call_body(call, keys) < 0)
		return;
	if (reader_get(&r, "", http_request_body(http), "partitions", JSON_ARRAY,
		       "[ \"web1\", \"db\" ]", true, &names) < 0) {
		call_error(call, &e);
		return;
	}
	if (!json_array_size(names) || json_array_size(names) > COMMAND_MAX_RECORDS) {
		reader_fault(&r, "partitions", "has %zu names", json_array_size(names));
		error_fix(&e, "name 1 to %u", COMMAND_MAX_RECORDS);
		call_error(call, &e);
		return;
	}
	json_array_foreach(names, i, name)
		if (!json_is_string(name)) {
			reader_fault(&r, "partitions", "[%zu] is not a partition's name", i);
			call_error(call, &e);
			return;
		}
	call_rows(call, ROWS_PARTITION, NULL, 0, 0, many_ready);
}

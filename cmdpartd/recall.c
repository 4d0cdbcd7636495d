/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <common/uuid.h>

#include "recall.h"
#include "service.h"

void recall_id(uint8_t out[16], const uint8_t request_id[16], unsigned int attempt)
{
	char label[32];

	snprintf(label, sizeof(label), "attempt %u", attempt);
	if (attempt)
		derive_uuid(out, request_id, label);
	else
		memcpy(out, request_id, UUID_LEN);
}

/* An id that is used for something else is another request's. */
static bool same(const struct call *call, const struct command_row_ledger *line)
{
	const struct operation *op = &call->ops.list[0];
	const char *name = op->definition ? op->definition->name : op->name;

	return line->uid == call->author.uid &&
	       (call->many || !name[0] || !strcmp(line->subject, name));
}

static int ask(struct call *call);

static void answered(enum exit_code code, const struct command_header *reply, void *data)
{
	const struct command_row_ledger *line = NULL;
	struct call *call = data;
	struct error e = ERROR_NONE;

	if (code == EXIT_OK && !reply_error(reply, &e))
		line = reply_find(reply, COMMAND_ROW_LEDGER);
	error_clear(&e);
	if (line && line->status == COMMAND_OK && same(call, line))
		call->recalled(call, line->transaction);
	/* Refused at first, it was tried once more. */
	else if (!line || ++call->recall == RECALL_ATTEMPTS || ask(call) < 0)
		call->recalled(call, 0);
}

static int ask(struct call *call)
{
	uint8_t id[UUID_LEN], of[UUID_LEN];
	char text[UUID_TEXT];
	struct command_query *q;
	struct message m;

	uuid_random(id);
	message_begin(&m, COMMAND_QUERY, id, NULL);
	q = message_query(&m, COMMAND_ROW_LEDGER, "", NULL, 0, 1);
	message_text(q->noun, sizeof(q->noun), "request");
	recall_id(of, call->request_id, call->recall);
	message_text(q->key, sizeof(q->key), uuid_format(of, text));
	return uvdlink_send(call->service->link, &m, answered, call);
}

int recall(struct call *call, recall_done *done)
{
	call->recall = 0;
	call->recalled = done;
	return ask(call);
}

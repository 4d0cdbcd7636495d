/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of rows, as they are answered. A number's place is its remainder. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>
#include <common/uuid.h>

#include "news.h"

struct news {
	uint8_t instance[16];
	uint64_t last;			/* number */
	void (*changed)(void *data);
	void *data;
	struct command_row_event ring[NEWS_KEPT];
};

int news_open(struct news **out)
{
	struct news *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	uuid_random(n->instance);
	*out = n;
	news_tell(n, COMMAND_EVENT_STARTED, "", "uvd has started");
	return 0;
}

void news_close(struct news *n)
{
	free(n);
}

void news_on_change(struct news *n, void (*changed)(void *data), void *data)
{
	n->changed = changed;
	n->data = data;
}

static struct command_row_event *begin(struct news *n, enum command_event kind,
				       const char *partition)
{
	struct command_row_event *e = &n->ring[++n->last % NEWS_KEPT];

	memset(e, 0, sizeof(*e));
	memcpy(e->instance, n->instance, sizeof(e->instance));
	e->number = n->last;
	e->time_ns = uvd_now();
	e->kind = kind;
	snprintf(e->partition, sizeof(e->partition), "%s", partition);
	return e;
}

static void end(struct news *n)
{
	if (n->changed)
		n->changed(n->data);
}

void news_tell(struct news *n, enum command_event kind, const char *partition, const char *format,
	       ...)
{
	struct command_row_event *e;
	va_list args;

	if (!n)
		return;
	e = begin(n, kind, partition);
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	end(n);
}

void news_transaction(struct news *n, const struct transaction *t)
{
	bool refused = t->fault.status != COMMAND_OK;
	struct command_row_event *e;
	size_t i;

	if (!n)
		return;
	for (i = 0; i <= (refused ? 0 : t->n_states); i++) {
		if (i == 0)
			e = begin(n, refused ? COMMAND_EVENT_REFUSED : COMMAND_EVENT_COMMITTED,
				  t->subject);
		else
			e = begin(n, COMMAND_EVENT_STATE, t->states[i - 1].partition);
		e->transaction = t->number;
		memcpy(e->request_id, t->request->request_id, sizeof(e->request_id));
		e->status = t->fault.status;
		if (i)
			e->state = t->states[i - 1].state;
		else
			snprintf(e->text, sizeof(e->text), "%s", refused ? t->fault.text :
				 t->summary);
	}
	end(n);
}

void news_channel(struct uvd *uvd, enum command_event kind, uint64_t id, uint32_t slot)
{
	char partition[COMMAND_NAME_LEN], device[COMMAND_DEVICE_LEN], server[COMMAND_NAME_LEN];
	const char *before;
	sqlite3_stmt *q;

	/* Those that I/O partitions serve; of a channel that is being ended there is no row. */
	q = db_query(uvd->db, "SELECT p.name, c.name, coalesce((SELECT o.name FROM channel_server s"
		     " JOIN partition o ON o.uuid = s.server WHERE s.channel = c.uuid"
		     " AND s.slot = ?2), '') FROM channel c JOIN partition p"
		     " ON p.uuid = c.partition WHERE c.module_id = ?1 AND c.type >= 3", "ii",
		     (int64_t)id, (int64_t)slot);
	if (db_next(uvd->db, q) <= 0)
		return;
	db_text(q, 0, partition, sizeof(partition));
	db_text(q, 1, device, sizeof(device));
	db_text(q, 2, server, sizeof(server));
	db_done(q);
	news_tell(uvd->news, kind, partition, "%s%s%s", device, server[0] ? ": " : "", server);
	before = log_partition(partition);
	log_info("%s/%s: %s%s", partition, device, kind == COMMAND_EVENT_UNSERVED ?
		 "nobody serves it" : server, kind == COMMAND_EVENT_PROMOTED ? " serves it" :
		 kind == COMMAND_EVENT_LOST ? " does not serve it any more" :
		 kind == COMMAND_EVENT_HUNG ? " leaves it unanswered" : "");
	log_partition(before);
}

/* ---- questions */

/* Where the answer begins; *gap: why something before it is missing, or NULL. */
static uint64_t begin_at(const struct news *n, const struct command_query_events *c,
			 const char **gap)
{
	uint64_t oldest = n->last > NEWS_KEPT ? n->last - NEWS_KEPT + 1 : 1;
	uint64_t limit = c->limit ? c->limit : COMMAND_MAX_RECORDS;

	*gap = NULL;
	if (uuid_is_zero(c->instance))
		return n->last > limit && n->last - limit >= oldest ? n->last - limit + 1 : oldest;
	if (memcmp(c->instance, n->instance, sizeof(c->instance)))
		*gap = "uvd was started anew: what was committed meanwhile is in the ledger";
	else if (c->after + 1 < oldest)
		*gap = "it was read too slowly: what was committed meanwhile is in the ledger";
	else
		return c->after + 1;
	return oldest;
}

bool news_answer(struct news *n, const struct command_header *request, bool wait,
		 struct reply *reply)
{
	const struct command_query_events *c = (const void *)message_record(request, 0);
	uint32_t left = c->limit ? c->limit : COMMAND_MAX_RECORDS;
	struct fault none = { .record = COMMAND_NONE };
	struct command_row_event *e;
	const char *gap;
	uint64_t at = begin_at(n, c, &gap);

	if (wait && !gap && at > n->last)
		return false;
	reply_init(reply, request);
	if (gap) {
		e = reply_add(reply, COMMAND_ROW_EVENT, 0);
		memcpy(e->instance, n->instance, sizeof(e->instance));
		e->number = at - 1;
		e->time_ns = uvd_now();
		e->kind = COMMAND_EVENT_GAP;
		snprintf(e->text, sizeof(e->text), "%s", gap);
		left--;
	}
	for (; at <= n->last && left; at++, left--) {
		e = reply_add(reply, COMMAND_ROW_EVENT, 0);
		if (!e)
			break;
		/* But its head, which says type and length. */
		memcpy(&e->r + 1, &n->ring[at % NEWS_KEPT].r + 1, sizeof(*e) - sizeof(e->r));
	}
	reply_finish(reply, &none, 0, at <= n->last);
	return true;
}

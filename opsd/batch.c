/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: filled by many hands, committed once. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>

#include "batch.h"
#include "ops.h"

/* An event and what its pointers point to, in one piece. */
struct owned_event {
	struct store_event event;
	char partition[COMMAND_NAME_LEN], host[COMMAND_NAME_LEN], activation[STORE_UUID_LEN];
	char text[BATCH_TEXT];
};

void batch_put(struct batch *b, enum store_change_type type, const void *row)
{
	if (b->changes == BATCH_MAX) {
		b->lost = true;
		return;
	}
	b->change[b->changes++] = (struct store_change){ .type = type, .key = row };
}

void batch_event(struct batch *b, const char *kind, const char *partition, const char *host,
		 const char *activation, const char *format, ...)
{
	struct owned_event *o = calloc(1, sizeof(*o));
	va_list args;

	if (!o || b->events == BATCH_MAX || b->changes == BATCH_MAX) {
		b->lost = true;
		free(o);
		return;
	}
	snprintf(o->partition, sizeof(o->partition), "%s", partition);
	snprintf(o->host, sizeof(o->host), "%s", host);
	snprintf(o->activation, sizeof(o->activation), "%s", activation);
	va_start(args, format);
	vsnprintf(o->text, sizeof(o->text), format, args);
	va_end(args);
	o->event = (struct store_event){
		.time_ns = ops_now(), .kind = kind, .partition = o->partition, .host = o->host,
		.activation = o->activation, .text = o->text,
	};
	b->event[b->events++] = &o->event;
	batch_put(b, STORE_ADD_EVENT, &o->event);
}

static void tell(const struct store_event *e)
{
	log_partition(e->partition[0] ? e->partition : NULL);
	log_request(e->activation[0] ? e->activation : NULL);
	log_info("%s", e->text);
	log_partition(NULL);
	log_request(NULL);
}

int batch_commit(struct batch *b, struct ops *ops)
{
	size_t i;
	int rc;

	rc = b->lost ? -ENOMEM : store_commit(ops->store, b->change, b->changes);
	if (rc) {
		log_errno(LOG_ERR, rc, "the store refused %zu changes: %s", b->changes,
			  b->lost ? "too many of them" : store_why(ops->store));
	} else {
		for (i = 0; i < b->events; i++)
			tell(b->event[i]);
		if (b->events && ops->changed)
			ops->changed(ops);
	}
	batch_drop(b);
	return rc;
}

void batch_drop(struct batch *b)
{
	size_t i;

	for (i = 0; i < b->events; i++)
		free(b->event[i]);	/* the first member of what was allocated */
	*b = (struct batch){ 0 };
}

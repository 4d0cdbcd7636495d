/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A commit in the making: changes, and the events that tell of them. What is put is borrowed until
 * batch_commit; events own their text.
 */
#ifndef OPSD_BATCH_H
#define OPSD_BATCH_H

#include "store.h"

#define BATCH_MAX	160		/* a verdict on each of OPS_MAX_HOSTS, and room */
#define BATCH_TEXT	640

struct ops;

struct batch {
	struct store_change change[BATCH_MAX];
	size_t changes;
	struct store_event *event[BATCH_MAX];
	size_t events;
	bool lost;			/* out of memory, or too many: commit will fail */
};

void batch_put(struct batch *b, enum store_change_type type, const void *row);
void batch_event(struct batch *b, const char *kind, const char *partition, const char *host,
		 const char *activation, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Commits, tells the log and those who wait for events, and frees. 0 or -errno (it is logged). */
int batch_commit(struct batch *b, struct ops *ops);
void batch_drop(struct batch *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: validate, prepare in the kernel, one durable commit, publish, reply.
 *
 * Operations change rows inside an open SQLite transaction, so that each sees what the ones
 * before it did, and the constraints of the schema hold for all of them. When all have been
 * applied and checked, what can fail in the kernel is prepared; then the rows, the history and the
 * ledger line are committed together. Publishing cannot fail, and is repeated at the next start
 * when uvd is killed before it.
 */
#ifndef UVD_TRANSACTION_H
#define UVD_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "network.h"
#include "uvd.h"

#define TRANSACTION_OBJECTS (2 + 64)	/* of one transaction, grown as needed */

/* What a context was, to be so again if the transaction does not happen. */
struct context_change {
	uint64_t partition;		/* the module's id */
	struct ultravisor_context_set set;
};

struct object_list {
	uint64_t *id;
	size_t n, room;
};

struct transaction {
	struct uvd *uvd;
	uint64_t number;
	const struct command_header *request;
	bool plan, internal;
	bool kernel;			/* it has effects beside rows */
	uint32_t record;		/* being applied */
	struct fault fault;
	char subject[COMMAND_NAME_LEN];
	char summary[256];		/* "start web1: 128MiB on node 0, 1 context, 3 devices" */
	char memory[64];		/* parts of it */
	unsigned int contexts, defined, claimed;	/* defined, claimed: devices */

	struct object_list made;	/* prepared objects: published, or destroyed if dropped */
	struct object_list gone;	/* destroyed when published */
	char (*taps_made)[NETWORK_NAME];
	size_t n_taps_made;
	char (*taps_gone)[NETWORK_NAME];
	size_t n_taps_gone;
	bool bridge_made, bridge_gone;
	bool channels;			/* endpoints have changed */
	bool claims;			/* of block devices */
	bool processors;		/* the module's were changed by prepare */
	struct context_change *contexts_were;	/* of running partitions, before prepare */
	size_t n_contexts_were;
	struct launch **launches;
	size_t n_launches;
	uint8_t (*ended)[16];
	size_t n_ended;
	struct {
		char partition[COMMAND_NAME_LEN];
		uint32_t state;
	} *states;			/* that partitions have by it */
	size_t n_states;
};

/* One row of the table of operations; records are checked by their table before. */
struct operation {
	uint16_t type;
	const char *name;
	/* Validates and changes rows. */
	int (*apply)(struct transaction *t, const void *record);
	/* After all have been applied: does the whole fit together? May be NULL, like the next. */
	int (*check)(struct transaction *t, const void *record);
	/* In the kernel, invisible; not for plans. What it makes goes on the lists above. */
	int (*prepare)(struct transaction *t, const void *record);
	void (*publish)(struct transaction *t, const void *record);
};

const struct operation *operation_find(uint16_t type);

/* Sets the reason of the refusal; -ECANCELED. */
int refuse(struct transaction *t, uint32_t status, const char *fix, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same for a failed database call; 0 if rc is not negative. */
int refuse_db(struct transaction *t, int rc);

/*
 * "did this" for the ledger's summary, behind what was done before; the first also names the
 * subject. What is assigned follows, as t->memory and the counts say.
 */
void transaction_note(struct transaction *t, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Compares the author's generation with a row's, which counts a transaction's changes once:
 * changed is the row's, too. 0 or a refusal.
 */
int transaction_generation(struct transaction *t, uint64_t seen, uint64_t generation,
			   uint64_t changed, const char *what, const char *name);

/* For the lists; -ENOMEM is a refusal. The list owns launch even then. */
int transaction_made(struct transaction *t, uint64_t object);
int transaction_gone(struct transaction *t, uint64_t object);
int transaction_tap_made(struct transaction *t, const char *name);
int transaction_tap_gone(struct transaction *t, const char *name);
int transaction_launch(struct transaction *t, struct launch *launch);
int transaction_context_was(struct transaction *t, const struct context_change *was);
int transaction_ended(struct transaction *t, const uint8_t partition[16]);
int transaction_state(struct transaction *t, const char *partition, uint32_t state);

/* ---- running one: by its batch */

/* Everything in rows: 0 or a refusal. Then everything in the kernel that can fail. */
int transaction_apply(struct transaction *t);
int transaction_prepare(struct transaction *t);
/* What it assigned, behind what was noted. */
void transaction_summarize(struct transaction *t);
/* After the commit. Cannot fail; what goes wrong is logged, and found again at the next start. */
void transaction_publish(struct transaction *t);
/* Without a commit: takes back what was prepared. */
void transaction_drop(struct transaction *t);
void transaction_free(struct transaction *t);

#endif

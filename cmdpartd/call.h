/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request on its way: who asks, what was read of the body, the rows gathered for it, and
 * the transaction that is under way. It ends with exactly one answer.
 */
#ifndef CMDPARTD_CALL_H
#define CMDPARTD_CALL_H

#include <stdbool.h>
#include <sys/queue.h>

#include <common/http_server.h>

#include "message.h"
#include "operation.h"
#include "policy.h"
#include "rows.h"

struct service;
struct call;

typedef void call_next(struct call *call);

struct call {
	LIST_ENTRY(call) entry;		/* of service.flying, while flying */
	bool flying;
	struct service *service;
	struct http_request *http;
	enum role role;
	struct author author;
	/* of the body */
	uint8_t request_id[16];
	bool chosen;			/* the id is the author's: it may have come before */
	uint64_t epoch, generation;
	struct operations ops;
	bool mirrored;			/* the rows are the mirror's */
	bool already;			/* nothing is to be done: the answer shows what is live */
	bool many;			/* a list was given: errors name the operation */
	bool plan;
	unsigned int reserve_s;		/* a plan: to hold what it takes for so long; 0: not */
	bool given;			/* the draft is a reservation's: there is no other one */
	struct reservation *reservation; /* that one, as long as it is there */
	void (*planned)(struct call *call, json_t *plan);	/* gets it, not the caller */
	struct devices *devices;	/* to gather, once there are rows; owned */
	json_t *answer;			/* owned: what is known so far */
	uint64_t transactions;		/* of the host, when that was read */
	/* under way */
	call_next *next;		/* with rows gathered */
	struct rows *rows;
	struct draft draft;
	bool drafted;
	unsigned int attempt;
	struct message before;		/* what the attempt before sent … */
	struct error refusal;		/* … and why it was refused */
	struct error verdict;		/* on what is not sent: refused, or OK: it is so already */
	unsigned int recall;		/* attempt that is looked for in the ledger */
	void (*recalled)(struct call *call, uint64_t transaction);
};
LIST_HEAD(calls, call);

/* NULL: refused already. */
struct call *call_new(struct service *service, struct http_request *http);
/* Answers and ends the call. */
void call_reply(struct call *call, json_t *body);
void call_error(struct call *call, struct error *e);
/* Drops draft and rows, for the next rows that the call needs. */
void call_undraft(struct call *call);
/* Does to the rows what calls have sent and uvd has not answered. 0 or -ENOMEM. */
int call_reckon(struct call *call);
/* Ends the call, whose answer was given otherwise. */
void call_abandon(struct call *call);

/*
 * Reads the body: the keys that every change may have, and those in keys (NULL-terminated), which
 * the caller reads itself. An absent body is an empty one. Checks the epoch. 0, or -1: answered.
 */
int call_body(struct call *call, const char *const *keys);

/* Gathers rows, then next; answers itself if uvd cannot be asked. */
void call_rows(struct call *call, unsigned int mask, const char *name, uint64_t after,
	       uint32_t limit, call_next *next);

/* The same for history (rows_get_history). */
void call_history(struct call *call, const char *noun, const char *key, uint64_t at_ns,
		  uint64_t after, uint32_t limit, call_next *next);

/* Sends the draft that there is. */
void call_transmit(struct call *call);
/* The reservation is about to go. */
void call_forget(struct service *service, const struct reservation *r);

/* Drafts the operations and sends them as one transaction, or plan; answers. */
void call_change(struct call *call);

#endif

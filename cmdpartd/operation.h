/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers ask to be done, and the draft of the transaction that does it. Every request that
 * changes something is a list of operations: one for most routes, more for /v1/transactions. A
 * draft applies each to a working copy of the rows and to the message for uvd, so that the next one
 * is judged and placed beside it. An operation whose outcome is so already adds no record.
 */
#ifndef CMDPARTD_OPERATION_H
#define CMDPARTD_OPERATION_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <common/definition.h>

#include "message.h"
#include "placement.h"
#include "policy.h"
#include "rows.h"

enum operation_kind {
	OPERATION_DEFINE, OPERATION_UNDEFINE, OPERATION_START, OPERATION_STOP, OPERATION_KILL,
	OPERATION_PAUSE, OPERATION_RESUME, OPERATION_FAILOVER, OPERATION_RESET_DEVICE,
	OPERATION_RESIZE_DEVICE, OPERATION_MODIFY,
	OPERATION_CREATE_DOMAIN, OPERATION_MODIFY_DOMAIN, OPERATION_DESTROY_DOMAIN,
	OPERATION_STOP_HOST, OPERATION_START_HOST,
	OPERATION_ACTIVATE,	/* make it match the definition, then start it */
};

const char *operation_word(enum operation_kind kind);
bool operation_is_of_partition(enum operation_kind kind);

struct operation {
	enum operation_kind kind;
	char name[COMMAND_NAME_LEN];	/* of the partition (or its UUID's text) or domain */
	struct definition *definition;	/* owned; DEFINE, ACTIVATE */
	bool has_uuid;
	uint8_t uuid[16];		/* of the partition to be defined */
	uint64_t generation;		/* 0: any */
	struct policy_domain domain;	/* CREATE_DOMAIN */
	json_t *changes;		/* owned; MODIFY, MODIFY_DOMAIN: the keys that change */
	char device[COMMAND_DEVICE_LEN];	/* FAILOVER, RESET_, RESIZE_DEVICE */
};

#define OPERATIONS_MAX 256u

struct operations {
	unsigned int count;
	struct operation *list;		/* owned */
};

/* Adds an empty one; NULL: out of memory. */
struct operation *operations_add(struct operations *ops, enum operation_kind kind);
void operations_free(struct operations *ops);

/* Reads the array of /v1/transactions. 0, or -1 and *e. */
int operations_parse(struct operations *ops, const json_t *array, struct error *e);
/*
 * What of a partition can be changed: { "cpus": { "budget_ms": 30 }, "domain": "batch",
 * "devices": { "root": { "limits": { "iops": 500 } } } }
 */
int operation_parse_set(struct operation *op, const char *prefix, const json_t *json,
			struct error *e);
/* { "name", "cpus", "memory", "frame_ms", "phase_us" } */
int operation_parse_domain(struct operation *op, const char *prefix, const json_t *json,
			   struct error *e);
/* The same keys but the name, at least one: those that change. */
int operation_parse_domain_set(struct operation *op, const char *prefix, const json_t *json,
			       struct error *e);

/* What a draft did that later drafts must reckon with while no answer has come. */
struct effect {
	LIST_ENTRY(effect) entry;
	bool defines, starts;
	struct command_row_partition row;	/* of a definition */
	struct placement_ask ask;
	struct placement placement;
};
LIST_HEAD(effects, effect);

struct draft {
	const struct policy *policy;
	enum role role;
	uint8_t request_id[16];
	struct rows *rows;		/* borrowed; changed */
	struct message message;
	struct effects effects;
	uint8_t subject[16];		/* the partition that was last operated on */
	bool has_subject;
	uint32_t expects;		/* records that change nothing */
	bool last;			/* no operation follows, to go by the rows after it */
	struct placement *placement;	/* of the last start, also a refused one; owned */
	struct placement_ask ask;
};

/* kind: COMMAND_TRANSACT or COMMAND_PLAN. */
void draft_begin(struct draft *d, enum command_kind kind, const uint8_t request_id[16],
		 const struct author *author, const struct policy *policy, enum role role,
		 struct rows *rows);
int draft_add(struct draft *d, const struct operation *op, struct error *e);
bool draft_changes(const struct draft *d);	/* else all of it is so already */
void draft_end(struct draft *d);

/* to is empty, or not set up yet. */
void effects_move(struct effects *to, struct effects *from);
void effects_free(struct effects *effects);

/* Applies effects of drafts under way to rows that do not show them yet. */
int effects_apply(const struct effects *effects, struct rows *rows);

/* A UUID that follows from a request's id and a label: a repeated request makes the same one. */
void derive_uuid(uint8_t out[16], const uint8_t request_id[16], const char *label);

/* Whether the rows of p say what d says. */
bool definition_matches(const struct rows *rows, const struct command_row_partition *p,
			const struct definition *d);

#endif

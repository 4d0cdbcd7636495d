/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to uvd, put together record by record, and the check of what comes back. Nothing of a
 * reply is used before reply_check has seen it: sizes, types, and strings that end and are text.
 */
#ifndef CMDPARTD_MESSAGE_H
#define CMDPARTD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <common/error.h>
#include <ultravisor/command.h>

/* Who asks, and why: what goes into the ledger. Both strings end within their fields. */
struct author {
	uid_t uid;
	pid_t pid;
	uint64_t epoch;		/* of the leading opsd; 0: another asks */
	char who[COMMAND_NAME_LEN];
	char reason[256];
};

struct message {
	uint8_t *bytes;
	size_t length;
	bool failed;		/* out of memory or beyond a limit: length is not to be sent */
};

/* author may be NULL: cmdpartd itself. */
void message_begin(struct message *m, enum command_kind kind, const uint8_t request_id[16],
		   const struct author *author);
void message_free(struct message *m);

/*
 * Room for one record of this type, zeroed, its head filled in; valid until the next one is added.
 * Never NULL: when the message has failed, it is a scratch record that goes nowhere.
 */
void *message_add(struct message *m, enum command_type type, uint64_t generation);

/* All records of another message, as they are. */
void message_append(struct message *m, const struct message *from);

/* Text into a record's field, cut to fit, and zero to the field's end as uvd wants it. */
void message_text(char *to, size_t size, const char *from);

/* How many records it has. */
uint32_t message_count(const struct message *m);

/*
 * Fills a query for rows of a type; name "" and after NULL (a row's key, see command.h): all. Valid
 * like message_add's.
 */
struct command_query *message_query(struct message *m, enum command_type row, const char *name,
		   const char *after_name, uint64_t after, uint32_t limit);

static inline struct command_header *message_header(const struct message *m)
{
	return (struct command_header *)m->bytes;
}

/*
 * Whether n bytes are a whole reply; its strings are then cut at their fields' ends, and what of
 * them is no UTF-8 (a path may be so) is made '?'. why says what is wrong otherwise.
 */
bool reply_check(void *reply, size_t n, const char **why);

/* The record after r (the first: NULL), or NULL at the end, of a checked reply. */
const struct command_record *reply_next(const struct command_header *reply,
					const struct command_record *r);

/* The first record of this type, or NULL. */
const void *reply_find(const struct command_header *reply, enum command_type type);

/* The error that a checked reply carries. 0 if its status is COMMAND_OK, else -1. */
int reply_error(const struct command_header *reply, struct error *e);

#endif

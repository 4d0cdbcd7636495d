/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of messages on the command channel: is this one whole, are its records of their exact
 * sizes, are its strings terminated and its names names? What it means is the operations' matter.
 * Replies are put together here too.
 */
#ifndef UVD_MESSAGE_H
#define UVD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ultravisor/command.h>

/* Why something is refused, in the words of the reply. */
struct fault {
	uint32_t status;	/* enum command_status */
	uint32_t record;	/* at fault, or COMMAND_NONE */
	char text[256];
	char fix[128];
};

/* Sets all members; returns -ECANCELED, so that a check can return it. */
int fault_set(struct fault *f, uint32_t status, const char *fix, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Checks a received message of n bytes. internal allows uvd's own operations. 0 or -ECANCELED.
 * message_header_ok alone: may its request id and who be believed and recorded?
 */
bool message_header_ok(const void *message, size_t n);
int message_check(const void *message, size_t n, bool internal, struct fault *f);

/* Record i of a checked message. */
const struct command_record *message_record(const void *message, uint32_t i);

/* Same kind, operations and subjects: what makes a request the same one again (FNV-1a, 64 bits). */
uint64_t message_digest(const void *message);

/* True if text of a field of this size is a partition's, domain's or device's name. */
bool message_name_ok(const char *text, size_t size);

/* A reply, growing record by record up to the channel's limits. */
struct reply {
	size_t length;
	uint32_t count;
	bool full;		/* a record did not fit any more */
	uint64_t align;
	uint8_t bytes[COMMAND_MAX_LENGTH];
};

void reply_init(struct reply *r, const struct command_header *request);
/* Room for one record of this type, zeroed, its head filled in; NULL: full. */
void *reply_add(struct reply *r, uint16_t type, uint64_t generation);
void reply_finish(struct reply *r, const struct fault *f, uint64_t transaction, bool more);

#endif

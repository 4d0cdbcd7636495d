/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the database as records of a reply: for queries, and behind a transaction. */
#ifndef UVD_QUERY_H
#define UVD_QUERY_H

#include <stddef.h>

#include "message.h"
#include "uvd.h"

/* Answers a query; message is a checked or unchecked COMMAND_QUERY. */
void query_answer(struct uvd *uvd, const void *message, size_t n, struct reply *reply);

/*
 * Adds the rows that a message's operations are about, as they are now: each partition with its
 * devices, contexts and channels, each domain, the host. What does not fit is left out.
 */
void query_subjects(struct uvd *uvd, const struct command_header *request, struct reply *reply);

/* Adds the row of one partition. */
void query_partition(struct uvd *uvd, const uint8_t uuid[16], struct reply *reply);

/* The partition that an operation is of: in r or uuid; NULL: of none, or of all. */
const uint8_t *query_subject(struct uvd *uvd, const struct command_record *r, uint8_t uuid[16]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which partitions the last transactions were of: who keeps a copy of the rows reads those anew.
 * In memory alone: whoever asks about a time before uvd's start, or too long ago, reads all.
 */
#ifndef UVD_CHANGES_H
#define UVD_CHANGES_H

#include "transaction.h"

struct changes;

/* Of transactions behind this number. */
int changes_open(struct changes **out, uint64_t number);
void changes_close(struct changes *c);

/* t was committed. */
void changes_note(struct changes *c, const struct transaction *t);

/* Answers for COMMAND_ROW_CHANGED. 0 or -errno. */
int changes_rows(struct uvd *uvd, const struct command_query *query, struct reply *reply);

#endif

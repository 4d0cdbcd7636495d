/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch shares one commit among requests that waited: each has a savepoint, so that a refused
 * one leaves only its ledger line. A transaction that touches the kernel ends its batch.
 */
#ifndef UVD_BATCH_H
#define UVD_BATCH_H

#include "transaction.h"

struct batch;
typedef void reply_fn(const void *reply, size_t n, void *data);

struct batch *batch_create(struct uvd *uvd);
void batch_destroy(struct batch *b);

/*
 * Takes a request (TRANSACT or PLAN, or anything malformed), copied. True: commit the batch
 * before the next request.
 */
bool batch_add(struct batch *b, const void *message, size_t n);

/* Commits and publishes, then gives the replies in order of their requests. */
void batch_commit(struct batch *b, reply_fn *reply, void *data);
bool batch_empty(const struct batch *b);

/*
 * One transaction of uvd's own: count records. Returns 0 or -errno (-ECANCELED: refused; logged).
 */
int transaction_own(struct uvd *uvd, const char *why, const void *records, size_t n,
		    uint32_t count);

#endif

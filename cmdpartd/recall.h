/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that comes again, of which nothing is left to do, or that is refused by what it has
 * done itself, or as another transaction under its id: its first answer is in the ledger.
 */
#ifndef CMDPARTD_RECALL_H
#define CMDPARTD_RECALL_H

#include "call.h"

#define RECALL_ATTEMPTS 3	/* of one request, each with an id of its own towards uvd */

/* The id under which attempt n of a request is known to uvd. */
void recall_id(uint8_t out[16], const uint8_t request_id[16], unsigned int attempt);

/*
 * Looks whether a transaction of this request was committed, for the same user and subject; then
 * done gets its number, else 0. 0; -ENOMEM: done is not called.
 */
typedef void recall_done(struct call *call, uint64_t transaction);
int recall(struct call *call, recall_done *done);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claim of one activation on one host: recorded before the host is asked, settled when it has
 * answered. Between the two the request may be sent any number of times: its id makes it one.
 */
#ifndef OPSD_CLAIM_H
#define OPSD_CLAIM_H

#include "activation.h"
#include "batch.h"

/* Fills a->claim for a host and adds it to the batch; claim_call once that is committed. */
void claim_make(struct activation *a, const struct host *h, struct batch *b);

/* Asks the host until it is known what it did; settles the claim, and goes on from there. */
void claim_call(struct activation *a);

#endif

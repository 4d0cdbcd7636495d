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

/* Asks the host, and goes on asking until it is known what it did; then activation_answered. */
void claim_call(struct activation *a);

/*
 * The host's answer: *e has EXIT_OK, EXIT_UNREACHABLE (it certainly heard nothing), or the code of a
 * refusal. The claim is not settled yet. Provided by activation.c.
 */
void activation_answered(struct activation *a, uint64_t transaction, const struct error *e);

/* Puts the settled claim into the batch. error_text is borrowed until the commit. */
void claim_settle(struct activation *a, struct batch *b, enum store_claim_state state,
		  uint64_t transaction, const char *error_text);

/* Names a step to whoever follows them. */
void activation_step(struct activation *a, const char *name);

/* Calls back once, usec from now, replacing what was to come. */
void activation_later(struct activation *a, uint64_t usec, void (*next)(struct activation *a));

#endif

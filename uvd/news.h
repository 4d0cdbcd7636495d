/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on this host, told in order: transactions, states of partitions, servers, leases.
 * The newest NEWS_KEPT are in memory; numbered from 1 under an id of this uvd. Nobody is waited
 * for: who reads too late is told that something is missing.
 */
#ifndef UVD_NEWS_H
#define UVD_NEWS_H

#include <stdbool.h>
#include <systemd/sd-event.h>
#include <ultravisor/command.h>

#include "message.h"
#include "transaction.h"
#include "uvd.h"

#define NEWS_KEPT 2048

struct news;

int news_open(struct news **out);
void news_close(struct news *n);

/* Of what nobody's transaction did. partition: its name, or "". n may be NULL: nobody listens. */
void news_tell(struct news *n, enum command_event kind, const char *partition, const char *format,
	       ...) __attribute__((format(printf, 4, 5)));

/* A transaction that was committed or refused, and the states that partitions have by it. */
void news_transaction(struct news *n, const struct transaction *t);

/* What the module tells of a channel. */
void news_channel(struct uvd *uvd, enum command_event kind, uint64_t id, uint32_t slot);

/*
 * Answers COMMAND_QUERY_EVENTS, a checked message. False: there is nothing yet, and the author has
 * time to wait.
 */
bool news_answer(struct news *n, const struct command_header *request, bool wait,
		 struct reply *reply);

/* Called behind whatever is told: there may be answers now. */
void news_on_change(struct news *n, void (*changed)(void *data), void *data);

#endif

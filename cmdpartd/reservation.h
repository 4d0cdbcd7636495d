/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan that holds what it was given, for a stated time. Its transaction is kept as it was
 * drafted; until it is sent, given back or forgotten, other drafts reckon with what it takes, as
 * with those that are under way. Reservations are this process's memory: uvd knows nothing of
 * them, and a restart of cmdpartd gives all of them back.
 */
#ifndef CMDPARTD_RESERVATION_H
#define CMDPARTD_RESERVATION_H

#include <common/http_server.h>

#include "operation.h"

#define RESERVATION_MAX_SECONDS	3600u

struct call;
struct reservation;
struct service;
LIST_HEAD(reservations, reservation);

/* Takes over the draft of a plan that fits; adds "plan" to the answer. 0, or -1 and *e. */
int reservation_make(struct call *call, json_t *answer, struct error *e);

/*
 * What others have reserved, for rows that a call drafts with. A partition that the call itself is
 * about is left out.
 */
int reservations_apply(const struct service *service, const struct operations *ops,
		       struct rows *rows);
/* -EBUSY and *e: one of these operations is on a partition that a reservation will start. */
int reservations_check(const struct service *service, const struct operations *ops,
		       struct error *e);

/* Makes the reservation's transaction the call's draft. 0, or -1 and *e. */
int reservation_use(struct call *call, const uint8_t token[16], const char *name,
		    struct error *e);
/* The end of the one that the call uses. */
void reservation_drop(struct reservation *r);

http_handler reservation_list, reservation_release;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: a partition that has one runs until its deadline, which the module keeps without us. A
 * renewal changes nothing durable and is no transaction: it is one cheap call, for every second
 * and a thousand partitions.
 */
#ifndef UVD_LEASE_H
#define UVD_LEASE_H

#include <stddef.h>
#include <linux/ultravisor.h>

#include "message.h"
#include "transaction.h"

/* Gives a partition that is being prepared its lease, if its definition says so. */
int lease_prepare(struct transaction *t, const uint8_t partition[16], const char *name,
		  int control);

/* Answers a RENEW: the partitions' rows behind it; a refusal names the first without it. */
void lease_answer(struct uvd *uvd, const void *message, size_t n, struct reply *reply);

/* Logs that a lease has run out, or was renewed behind that. */
void lease_event(struct uvd *uvd, uint32_t event, uint64_t id);

/* Nanoseconds until the deadline; 0: it has passed, or there is none. */
uint64_t lease_left(const struct ultravisor_partition_info *info);

#endif

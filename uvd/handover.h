/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvd.sock: hands system partitions the endpoints that the rows say are theirs, and takes them
 * back. Who a peer is, is known by its credentials alone. It carries no operation.
 */
#ifndef UVD_HANDOVER_H
#define UVD_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "uvd.h"

struct handover;

/* Listens on directory/uvd.sock. */
int handover_open(struct handover **out, struct uvd *uvd, sd_event *event, const char *directory);
void handover_close(struct handover *h);

/* Channels or servers have changed: sends what is new, withdraws what is no more. */
void handover_sync(struct handover *h);

/* Does this system partition run here, and as which process? */
bool handover_live(struct handover *h, const uint8_t partition[16], int32_t *pid);

/*
 * The module says that the server of a slot, in this epoch, leaves its client's kicks unanswered:
 * it is revoked, so that the next standby serves, and its process is killed, so that the
 * standby gets its fence.
 */
void handover_hung(struct handover *h, uint64_t channel, uint32_t slot, uint64_t epoch);

#endif

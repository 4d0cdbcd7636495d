/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells: eventfds of the two sides, connected by the channel, so that a ring reaches
 * whoever serves now. A guest's kick (KVM's ioeventfd signals a source) and an interrupt (KVM's
 * irqfd listens to a sink) pass without any process running in between.
 */
#ifndef _UVR_DOORBELL_H
#define _UVR_DOORBELL_H

#include <linux/types.h>

struct uvr_call;
struct uvr_channel;
struct uvr_side;

void uvr_doorbell_init(struct uvr_channel *channel);

/* Takes all bindings of a side away. Channel locked for writing; may sleep. */
void uvr_doorbell_unbind_side(struct uvr_channel *channel, struct uvr_side *side);

/* Signals every sink of a slot (ULTRAVISOR_NO_SLOT: none). Bells locked. */
void uvr_doorbell_signal_slot(struct uvr_channel *channel, u32 slot);

/* As the client does, wherever the ring comes from. */
void uvr_doorbell_ring_server(struct uvr_channel *channel, u32 index);

long uvr_doorbell_bind(struct uvr_call *call);
long uvr_doorbell_ring(struct uvr_call *call);

#endif /* _UVR_DOORBELL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells at I/O ports: a guest that writes the port rings, and goes on without its monitor.
 */
#ifndef _UVR_PORT_H
#define _UVR_PORT_H

#include <linux/hashtable.h>
#include <linux/spinlock.h>

struct uvr_channel;

/* Of a partition. */
struct uvr_ports {
	spinlock_t lock;	/* of who writes table; it is read under RCU */
	DECLARE_HASHTABLE(table, 4);
};

void uvr_ports_init(struct uvr_ports *ports);

/* Whether there is a doorbell at the port: it has been rung. */
bool uvr_port_ring(struct uvr_ports *ports, u16 number);

/*
 * Binds a doorbell of a channel to a port of its client, and to no other. Channel locked for
 * writing. EINVAL: the client is no partition, or the port cannot have one. EEXIST: the port has
 * another doorbell. ENOMEM.
 */
int uvr_port_bind(struct uvr_channel *channel, u32 index, s32 number);

/* Takes its port from one doorbell, or from all. Afterwards no ring is under way. May sleep. */
void uvr_port_unbind(struct uvr_channel *channel, u32 index);
void uvr_port_unbind_all(struct uvr_channel *channel);

#endif /* _UVR_PORT_H */

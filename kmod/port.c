// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop finds the doorbell and rings it under RCU. What is taken out of the table rings for
 * the last time within a grace period: until that is over its channel stays.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "channel.h"
#include "doorbell.h"
#include "exit.h"
#include "partition.h"
#include "port.h"

/* Constant once it is in the table. */
struct uvr_port {
	struct hlist_node node;
	struct rcu_head rcu;
	struct uvr_channel *channel;
	u32 index;
	u16 number;
};

static struct uvr_port *find(struct uvr_ports *ports, u16 number)
{
	struct uvr_port *port;

	hash_for_each_possible_rcu(ports->table, port, node, number,
				   lockdep_is_held(&ports->lock))
		if (port->number == number)
			return port;
	return NULL;
}

bool uvr_port_ring(struct uvr_ports *ports, u16 number)
{
	struct uvr_port *port;

	rcu_read_lock();
	port = find(ports, number);
	if (port)
		uvr_doorbell_ring_server(port->channel, port->index);
	rcu_read_unlock();
	return port;
}

static bool is_of(const struct uvr_port *port, struct uvr_channel *channel, u32 index)
{
	return port->channel == channel && port->index == index;
}

static void take_out(struct uvr_port *port)
{
	hash_del_rcu(&port->node);
	kfree_rcu(port, rcu);
}

int uvr_port_bind(struct uvr_channel *channel, u32 index, s32 number)
{
	struct uvr_port *port, *other, *old = NULL;
	struct uvr_ports *ports;
	int bucket, rc = 0;

	lockdep_assert_held_write(&channel->lock);
	if (!channel->client || number < 0 || number > U16_MAX || number == UVR_PORT_DELAY)
		return -EINVAL;
	port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	if (!port)
		return -ENOMEM;
	port->channel = channel;
	port->index = index;
	port->number = number;

	ports = &channel->client->ports;
	spin_lock(&ports->lock);
	hash_for_each(ports->table, bucket, other, node) {
		if (is_of(other, channel, index))
			old = other;
		else if (other->number == number)
			rc = -EEXIST;
	}
	if (!rc) {
		if (old)
			take_out(old);
		hash_add_rcu(ports->table, &port->node, number);
	}
	spin_unlock(&ports->lock);
	if (rc)
		kfree(port);
	return rc;
}

static void unbind(struct uvr_channel *channel, u32 first, u32 last)
{
	struct uvr_ports *ports;
	struct hlist_node *next;
	struct uvr_port *port;
	bool found = false;
	int bucket;

	lockdep_assert_held_write(&channel->lock);
	if (!channel->client)
		return;
	ports = &channel->client->ports;
	spin_lock(&ports->lock);
	hash_for_each_safe(ports->table, bucket, next, port, node) {
		if (port->channel != channel || port->index < first || port->index > last)
			continue;
		take_out(port);
		found = true;
	}
	spin_unlock(&ports->lock);
	if (found)
		synchronize_rcu();
}

void uvr_port_unbind(struct uvr_channel *channel, u32 index)
{
	unbind(channel, index, index);
}

void uvr_port_unbind_all(struct uvr_channel *channel)
{
	unbind(channel, 0, U32_MAX);
}

void uvr_ports_init(struct uvr_ports *ports)
{
	spin_lock_init(&ports->lock);
	hash_init(ports->table);
}

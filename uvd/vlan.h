/* SPDX-License-Identifier: Apache-2.0 */
/* VLANs of a bridge's ports. Results are 0 or -errno. */
#ifndef UVD_VLAN_H
#define UVD_VLAN_H

#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* Does this bridge keep VLANs apart? */
bool vlan_filters(const char *bridge);
/* It does, from now on: its ports are in VLAN 1 unless they are put into others. */
int vlan_filter(const char *bridge);

/* A port, of an access to this VLAN alone: what it sends has no tag, and what it receives. */
int vlan_access(struct nl_sock *route, unsigned int ifindex, uint16_t vlan);

#endif

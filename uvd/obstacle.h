/* SPDX-License-Identifier: Apache-2.0 */
/* What else on a host keeps a guest's network from working, as it is known to happen. */
#ifndef UVD_OBSTACLE_H
#define UVD_OBSTACLE_H

#include <stdbool.h>

/*
 * Frames between a bridge's ports go through the host's IP firewall (br_netfilter), and the chain
 * FORWARD of the table filter, here as nft lists it with the chain DOCKER-USER, drops
 * what no rule accepts, and none mentions the bridge.
 */
bool obstacle_forward(const char *rules, const char *bridge);

/* NetworkManager configures this interface, its own record of it says. */
bool obstacle_managed(const char *run, unsigned int ifindex);

/* Do bridged frames go there? family: "ip" or "ip6"; proc: /proc/sys. */
bool obstacle_bridge_calls(const char *proc, const char *family);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <unistd.h>

#include "vlan.h"

#define DEFAULT_VLAN 1		/* of a port that is new, unless the bridge's owner chose another */

static int open_switch(const char *bridge, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge/vlan_filtering", bridge);
	return open(path, flags | O_CLOEXEC);
}

bool vlan_filters(const char *bridge)
{
	int fd = open_switch(bridge, O_RDONLY);
	char c = '0';

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c == '1';
}

int vlan_filter(const char *bridge)
{
	int fd = open_switch(bridge, O_WRONLY), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int port(struct nl_sock *route, int type, unsigned int ifindex, uint16_t vlan,
		uint16_t flags)
{
	const struct bridge_vlan_info info = { .flags = flags, .vid = vlan };
	const struct ifinfomsg header = { .ifi_family = AF_BRIDGE, .ifi_index = ifindex };
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_REQUEST);
	struct nlattr *spec;
	int rc = -ENOMEM;

	if (!m)
		return -ENOMEM;
	if (nlmsg_append(m, (void *)&header, sizeof(header), NLMSG_ALIGNTO) == 0 &&
	    (spec = nla_nest_start(m, IFLA_AF_SPEC)) &&
	    nla_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info) == 0) {
		nla_nest_end(m, spec);
		/* Waits for the answer, and frees the message. */
		return nl_send_sync(route, m) < 0 ? -EIO : 0;
	}
	nlmsg_free(m);
	return rc;
}

int vlan_access(struct nl_sock *route, unsigned int ifindex, uint16_t vlan)
{
	int rc = port(route, RTM_SETLINK, ifindex, vlan,
		      BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);

	return rc < 0 || vlan == DEFAULT_VLAN ? rc :
	       port(route, RTM_DELLINK, ifindex, DEFAULT_VLAN, 0);
}

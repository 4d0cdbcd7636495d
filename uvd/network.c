/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges and taps by rtnetlink (libnl) and /dev/net/tun. A tap is persistent and has several
 * queues: each server holds one of its own, and a persistent tap outlives them all. What may come
 * out of it is guard.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <common/log.h>

#include "guard.h"
#include "network.h"
#include "obstacle.h"
#include "vlan.h"

#define TUN_DEVICE "/dev/net/tun"
/* The group (ip link … group) of the bridge that uvd made: "uv". */
#define GROUP 0x7576
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR)

struct host_network {
	struct network network;
	struct nl_sock *route;
	struct guard *guard;		/* NULL: the kernel has no nf_tables */
};

static struct nl_sock *route(struct network *n)
{
	return ((struct host_network *)n)->route;
}

static struct guard *guard(struct network *n)
{
	return ((struct host_network *)n)->guard;
}

static int nl_errno(int code)
{
	switch (-code) {
	case 0:			return 0;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:		return -ENODEV;
	case NLE_EXIST:		return -EEXIST;
	case NLE_PERM:
	case NLE_NOACCESS:	return -EPERM;
	case NLE_NOMEM:		return -ENOMEM;
	case NLE_OPNOTSUPP:	return -EOPNOTSUPP;
	case NLE_BUSY:		return -EBUSY;
	}
	log_debug("rtnetlink: %s", nl_geterror(code));
	return -EIO;
}

static int link_get(struct network *n, const char *name, struct rtnl_link **link)
{
	return nl_errno(rtnl_link_get_kernel(route(n), 0, name, link));
}

static int host_bridge_find(struct network *n, const char *name)
{
	struct rtnl_link *link;
	const char *type;
	int rc = link_get(n, name, &link);

	if (rc == -ENODEV)
		return 0;
	if (rc < 0)
		return rc;
	type = rtnl_link_get_type(link);
	rc = !type || strcmp(type, "bridge") ? -ENOTSUP :
	     rtnl_link_get_group(link) == GROUP ? 2 : 1;
	rtnl_link_put(link);
	return rc;
}

/* Changes nothing of a link but what is set in the request. */
static int link_change(struct network *n, struct rtnl_link *link, struct rtnl_link *changes)
{
	return nl_errno(rtnl_link_change(route(n), link, changes, 0));
}

/* Up, unless down is said; a port of the bridge, if one is named. */
static int set_link(struct network *n, const char *name, const char *bridge, bool down)
{
	struct rtnl_link *link, *master = NULL, *changes = rtnl_link_alloc();
	int rc;

	if (!changes)
		return -ENOMEM;
	rc = link_get(n, name, &link);
	if (rc < 0)
		goto free;
	if (bridge) {
		rc = link_get(n, bridge, &master);
		if (rc < 0)
			goto put;
		rtnl_link_set_master(changes, rtnl_link_get_ifindex(master));
		rtnl_link_put(master);
	}
	if (!down)
		rtnl_link_set_flags(changes, IFF_UP);
	rc = link_change(n, link, changes);
put:
	rtnl_link_put(link);
free:
	rtnl_link_put(changes);
	return rc;
}

static int host_bridge_filters(struct network *n, const char *name)
{
	(void)n;
	return vlan_filters(name);
}

static int link_delete(struct network *n, const char *name)
{
	struct rtnl_link *link;
	int rc = link_get(n, name, &link);

	if (rc == -ENODEV)
		return 0;
	if (rc < 0)
		return rc;
	rc = nl_errno(rtnl_link_delete(route(n), link));
	rtnl_link_put(link);
	return rc == -ENODEV ? 0 : rc;
}

static int host_bridge_delete(struct network *n, const char *name)
{
	int rc = host_bridge_find(n, name);

	return rc == 2 ? link_delete(n, name) : rc == -ENOTSUP || rc > 0 ? 0 : rc;
}

static int host_bridge_create(struct network *n, const char *name)
{
	struct rtnl_link *link = rtnl_link_bridge_alloc();
	int rc;

	if (!link)
		return -ENOMEM;
	rtnl_link_set_name(link, name);
	/* Given with the link itself: there is no instant at which it exists unmarked. */
	rtnl_link_set_group(link, GROUP);
	rc = nl_errno(rtnl_link_add(route(n), link, NLM_F_CREATE | NLM_F_EXCL));
	rtnl_link_put(link);
	if (rc < 0)
		return rc;
	rc = vlan_filter(name);
	if (rc == 0)
		rc = set_link(n, name, NULL, false);
	if (rc < 0)
		host_bridge_delete(n, name);
	return rc;
}

/* The guest speaks on it, not the host: no IPv6 address of the host's own. Best effort. */
static void quiet(const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		log_debug("%s: %m", path);
	close(fd);
}

static int tap_open(const char *name)
{
	struct ifreq request = { .ifr_flags = TAP_FLAGS };
	int rc, fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int host_tap_guard(struct network *n, const struct network_tap *t)
{
	return guard(n) ? guard_put(guard(n), t) : -EPROTONOSUPPORT;
}

static int host_tap_guarded(struct network *n, const char *name)
{
	return guard(n) && guard_intact(guard(n), name);
}

static int host_zones_set(struct network *n, const struct network_member *m, size_t count)
{
	if (!guard(n))
		return count ? -EPROTONOSUPPORT : 0;
	return guard_zones_put(guard(n), m, count);
}

static int host_zones_intact(struct network *n)
{
	return !guard(n) || guard_zones_intact(guard(n));
}

static int host_tap_delete(struct network *n, const char *name)
{
	int rc = link_delete(n, name);

	if (rc == 0 && guard(n))
		guard_drop(guard(n), name);
	return rc;
}

static int host_tap_create(struct network *n, const struct network_tap *t)
{
	int rc, fd = guard(n) ? tap_open(t->name) : -EPROTONOSUPPORT;

	if (fd < 0)
		return fd;
	rc = ioctl(fd, TUNSETPERSIST, 1) < 0 ? -errno : 0;
	close(fd);
	if (rc < 0)
		return rc;
	quiet(t->name);
	/* Before it is up, nothing passes. */
	rc = host_tap_guard(n, t);
	if (rc == 0 && t->vlan) {
		rc = set_link(n, t->name, t->bridge, true);
		if (rc == 0)
			rc = vlan_access(route(n), if_nametoindex(t->name), t->vlan);
	}
	if (rc == 0)
		rc = set_link(n, t->name, t->vlan ? NULL : t->bridge, false);
	if (rc < 0)
		host_tap_delete(n, t->name);
	return rc;
}

static int host_tap_obstacle(struct network *n, const char *name, const char *bridge,
			     enum network_obstacle o)
{
	static const char *const families[] = { "ip", "ip6" };
	size_t i;

	if (o == OBSTACLE_MANAGED)
		return obstacle_managed("/run", if_nametoindex(name));
	for (i = 0; guard(n) && i < 2; i++)
		if (obstacle_bridge_calls("/proc/sys", families[i]) &&
		    obstacle_forward(guard_forward(guard(n), families[i]), bridge))
			return 1;
	return 0;
}

/* PREFIXn, and made by /dev/net/tun: another's interface may begin with the same letters. */
static bool is_tap(const char *name, const char *prefix)
{
	char path[64];

	if (!name || strncmp(name, prefix, strlen(prefix)))
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", name);
	name += strlen(prefix);
	return *name && strspn(name, "0123456789") == strlen(name) && access(path, F_OK) == 0;
}

static int host_next(struct network *n, const char *prefix, const char *after,
		     char name[NETWORK_NAME])
{
	struct nl_object *o;
	struct nl_cache *cache;
	const char *found;
	int rc;

	rc = nl_errno(rtnl_link_alloc_cache(route(n), AF_UNSPEC, &cache));
	if (rc < 0)
		return rc;
	*name = '\0';
	for (o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		found = rtnl_link_get_name((struct rtnl_link *)o);
		if (is_tap(found, prefix) && strcmp(found, after) > 0 &&
		    (!*name || strcmp(found, name) < 0))
			snprintf(name, NETWORK_NAME, "%s", found);
	}
	nl_cache_free(cache);
	return *name != '\0';
}

static const struct network_ops host_ops = {
	.bridge_find = host_bridge_find,
	.bridge_filters = host_bridge_filters,
	.bridge_create = host_bridge_create,
	.bridge_delete = host_bridge_delete,
	.tap_create = host_tap_create,
	.tap_delete = host_tap_delete,
	.tap_guard = host_tap_guard,
	.tap_guarded = host_tap_guarded,
	.zones_set = host_zones_set,
	.zones_intact = host_zones_intact,
	.tap_obstacle = host_tap_obstacle,
	.next = host_next,
};

int network_open(struct network **out)
{
	struct host_network *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return -ENOMEM;
	h->network.ops = &host_ops;
	h->route = nl_socket_alloc();
	rc = h->route ? nl_errno(nl_connect(h->route, NETLINK_ROUTE)) : -ENOMEM;
	if (rc < 0) {
		nl_socket_free(h->route);
		free(h);
		return rc;
	}
	/* Only guests with network cards need it. */
	rc = guard_open(&h->guard);
	if (rc < 0)
		log_errno(LOG_WARNING, rc, "nftables; guests with network cards are not started");
	*out = &h->network;
	return 0;
}

void network_close(struct network *n)
{
	if (!n)
		return;
	guard_close(guard(n));
	nl_socket_free(route(n));
	free(n);
}

int network_tap_queue(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_DETACH_QUEUE };
	int rc, fd;

	/* Without the tap this would make one. */
	if (!if_nametoindex(name))
		return -ENODEV;
	fd = tap_open(name);
	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNSETQUEUE, &request) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

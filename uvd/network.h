/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges and taps of the host. Everything goes through a table of calls, so that unit tests run
 * without a network. Results are 0 or -errno.
 */
#ifndef UVD_NETWORK_H
#define UVD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ultravisor/command.h>

#define NETWORK_NAME 16		/* IFNAMSIZ */
#define NETWORK_TAP_PREFIX "uvt"
#define NETWORK_OWN_BRIDGE "uvbr0"	/* the only bridge that uvd makes */

struct network;

/* A tap, and what its guest may send. */
struct network_tap {
	char name[NETWORK_NAME], bridge[NETWORK_NAME];
	uint8_t mac[6];
	uint16_t vlan;			/* 0: none */
	char addresses[COMMAND_ADDRESSES_LEN];	/* "": any */
};

/* A tap, and with whom of the same bridge its guest may talk. */
struct network_member {
	char tap[NETWORK_NAME], zone[COMMAND_ZONE_LEN], talks[COMMAND_TALKS_LEN];
};

/* What else keeps a tap from carrying what it should. */
enum network_obstacle {
	OBSTACLE_FORWARD,		/* the host's IP firewall drops what its bridge forwards */
	OBSTACLE_MANAGED,		/* NetworkManager configures it */
	OBSTACLES
};

struct network_ops {
	/* 2 a bridge of uvd's making, 1 another, 0 no such interface, -ENOTSUP no bridge. */
	int (*bridge_find)(struct network *n, const char *name);
	/* Does this bridge keep VLANs apart? Those that uvd makes do. */
	int (*bridge_filters)(struct network *n, const char *name);
	/* Makes it with a mark of ours, by which delete knows it; another's is left alone. */
	int (*bridge_create)(struct network *n, const char *name);
	int (*bridge_delete)(struct network *n, const char *name);
	/*
	 * A persistent multi-queue tap with IFF_VNET_HDR, up, a port of the bridge. Its rules are
	 * there before it carries anything. -EPROTONOSUPPORT: the kernel has no nf_tables.
	 */
	int (*tap_create)(struct network *n, const struct network_tap *t);
	int (*tap_delete)(struct network *n, const char *name);
	/* Makes an existing tap's rules anew, in one step. */
	int (*tap_guard)(struct network *n, const struct network_tap *t);
	/*
	 * Makes the rules between taps anew, in one step: those of one zone talk, and those of two
	 * that both list the other. None: no such rules. 0 or -errno.
	 */
	int (*zones_set)(struct network *n, const struct network_member *m, size_t count);
	/* Are they what was made last? 1 or 0; 0 also before zones_set of this process. */
	int (*zones_intact)(struct network *n);
	/* Are its rules as they were made? 1 or 0; 0 also before tap_guard of this process. */
	int (*tap_guarded)(struct network *n, const char *name);
	/* 1 or 0. */
	int (*tap_obstacle)(struct network *n, const char *name, const char *bridge,
			    enum network_obstacle o);
	/* The name of the next tap PREFIXn that is > after: 1, or 0. */
	int (*next)(struct network *n, const char *prefix, const char *after,
		    char name[NETWORK_NAME]);
};

struct network {
	const struct network_ops *ops;
};

/* The host's own. */
int network_open(struct network **out);
void network_close(struct network *n);

/* A new queue of an existing tap, detached: whoever holds it attaches it (TUNSETQUEUE). */
int network_tap_queue(const char *name);

#endif

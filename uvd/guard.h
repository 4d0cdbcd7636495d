/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The project's own nftables table, `netdev ultravisor`: one chain a tap, hooked where its guest's
 * frames enter the host, before any bridge, address table or other rule has seen them. What of a
 * frame is not the device's own (source address, ARP sender, if given IP addresses) is dropped
 * there. A chain goes with its tap.
 *
 * A second table, `bridge ultravisor`, is there while any card has a zone: which taps a bridge
 * forwards between.
 */
#ifndef UVD_GUARD_H
#define UVD_GUARD_H

#include <sys/types.h>

#include "network.h"

struct guard;

/* -EPROTONOSUPPORT: this kernel has no nfnetlink. */
int guard_open(struct guard **out);
void guard_close(struct guard *g);

/* Makes the chain of an existing tap, or makes it anew, at once or not at all. 0 or -errno. */
int guard_put(struct guard *g, const struct network_tap *t);
/* 1: its chain is what was put there; 0: it is not, or is not known. */
int guard_intact(struct guard *g, const char *tap);
/* The tap is gone. The table goes with the last one. */
void guard_drop(struct guard *g, const char *tap);

/* The rules between taps, as struct network_ops says; made anew at once or not at all. */
int guard_zones_put(struct guard *g, const struct network_member *m, size_t count);
int guard_zones_intact(struct guard *g);

/* The host's own rules for what it forwards, in the table filter of this family; "": none. */
const char *guard_forward(struct guard *g, const char *family);

#endif

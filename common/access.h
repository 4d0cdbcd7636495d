/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask a daemon for what, by the groups that the connection's peer had when it connected.
 *
 *   observer       group ultravisor-observer   reads
 *   operator       group ultravisor            changes partitions, too
 *   administrator  group ultravisor-admin      everything, as root and the daemon's own user
 *
 * Whoever is in several groups has the most of them; whoever is in none is refused.
 */
#ifndef COMMON_ACCESS_H
#define COMMON_ACCESS_H

#include <sys/types.h>

#include <common/http_server.h>

enum access_level { ACCESS_NONE, ACCESS_OBSERVER, ACCESS_OPERATOR, ACCESS_ADMIN };

struct access {
	gid_t observer, operator, admin;	/* (gid_t)-1: there is no such group */
};

/* Looks the groups up: before a sandbox forbids it. */
void access_open(struct access *a);

enum access_level access_of(const struct access *a, const struct http_request *r);

/* 0; or -1 and *e: strangers get nothing, observers only what is read by GET. */
int access_check(const struct access *a, const struct http_request *r, struct error *e);

#endif

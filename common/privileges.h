/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon is once it has what needs root: its user and its capabilities. Nothing here can be
 * taken back, by it or by a program that it starts: the bounding set is as narrow as the rest, and
 * there are no new privileges. In programs with one thread so far.
 */
#ifndef COMMON_PRIVILEGES_H
#define COMMON_PRIVILEGES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * From root: that user and group, in these groups besides, and no capability. From that user: the
 * same, its groups apart. 0 or -errno; -EPERM: is another user, or may not.
 */
int privileges_become(uid_t uid, gid_t gid, const gid_t *groups, size_t n);

/* Stays who it is, with these of its capabilities. Root's bounding set alone can be narrowed. */
int privileges_keep(const unsigned int *capabilities, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What opsd gives up once it has its socket: root, every capability, and every system call that it
 * does not need. It never gets them back; a call outside the list ends it, and names the call.
 */
#ifndef OPSD_CONFINE_H
#define OPSD_CONFINE_H

#include <sys/types.h>

#include <common/error.h>

/* Becomes that user with its groups, for good. 0 or -1 and *e. */
int confine_user(const char *name, uid_t uid, gid_t gid, struct error *e);

/* Installs the list of system calls. 0 or -1 and *e. */
int confine_calls(struct error *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What cmdpartd gives up before it listens to anybody. */
#ifndef CMDPARTD_SANDBOX_H
#define CMDPARTD_SANDBOX_H

#include <sys/types.h>

#include <common/error.h>

/*
 * From root: becomes the user, with the group as its only one beside its own; else stays who
 * it is. Either way no capability and no new privilege is left. 0, or -1 and *e.
 */
int sandbox_drop(const char *user, const char *group, struct error *e);

/* The system calls that are left; any other one ends the process, and the log names it. */
int sandbox_filter(struct error *e);

#endif

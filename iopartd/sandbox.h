/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a process that serves a hostile guest: no root, no capability, no new
 * privileges, no core dump of guests' bytes, no system call that it does not need.
 */
#ifndef IOPARTD_SANDBOX_H
#define IOPARTD_SANDBOX_H

#include <sys/types.h>

/* Becomes that user for good, if this is root; else checks that it is that user already. */
int sandbox_become(const char *user);

/* Last, before the event loop. A forbidden call then ends the process, naming itself. */
int sandbox_close(void);

#endif

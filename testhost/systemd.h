/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd: hand the test host over to systemd as PID 1, and come back for the command.
 */
#ifndef TESTHOST_SYSTEMD_H
#define TESTHOST_SYSTEMD_H

#include "config.h"

/* Write the units that run the command, then become systemd. */
void systemd_exec(const struct config *config) __attribute__((noreturn));

/* What those units start: run the command, report its status, ask systemd to power off. */
int systemd_command(void);

#endif

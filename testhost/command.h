/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: the one command that a run of the test host is for, and its standard streams.
 */
#ifndef TESTHOST_COMMAND_H
#define TESTHOST_COMMAND_H

#include <sys/types.h>

#include "config.h"

/* Open where output goes; from then on say() is heard. */
void command_streams(const struct config *config);

void command_start(const struct config *config);

/* Returns the exit status, 128 and the signal if it was killed, 124 if it ran out of time. */
int command_wait(const struct config *config);

/* What is left of the command's process group, once it has ended. */
void command_kill(void);

void command_exited(pid_t pid, int status);

/* Deliver what was written. All processes that can write must have ended. */
void command_finish(void);

#endif

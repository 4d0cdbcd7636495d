/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon: the system partitions that the test host keeps running.
 *
 * They are started in the order of one table, each after the one before has said READY=1 on
 * the notify socket (the protocol of systemd's Type=notify), and started again when they die.
 */
#ifndef TESTHOST_DAEMON_H
#define TESTHOST_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "config.h"

#define DAEMON_LOGS	"/run/log/ultravisor"

/* Open the notify socket and find out which programs are there. */
void daemon_init(const struct config *config);

/* How many there are in the table; they are named by their place in it. */
int daemon_count(void);

/* Start one. Returns false if it was not built. */
bool daemon_start(int which);
bool daemon_is_ready(int which);
bool daemon_is_running(int which);
const char *daemon_name(int which);

/* Ask one to end (SIGTERM) or make it (SIGKILL); it will not be started again. */
void daemon_stop(int which, int sig);

/* To be called when the socket is readable, when a child was reaped, and at every deadline. */
int daemon_notify_fd(void);
void daemon_notified(void);
void daemon_exited(pid_t pid, int status);
void daemon_restart_due(long now_ms);

/* When daemon_restart_due() is due next, or -1. */
long daemon_deadline_ms(void);

#endif

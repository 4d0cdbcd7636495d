/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up what a monitor does not need, so that a guest that takes it over has won its own
 * descriptors and nothing else.
 */
#ifndef MONITOR_CONFINE_H
#define MONITOR_CONFINE_H

/* Root becomes the user ultravisor-monitor; no capabilities; never again new privileges. */
int confine_identity(void);

/* The filter of system calls, for all threads. No thread can be made afterwards. */
int confine_system_calls(char *error, unsigned int size);

#endif

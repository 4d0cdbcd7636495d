/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root: the test host's file system, in three steps.
 */
#ifndef TESTHOST_ROOT_H
#define TESTHOST_ROOT_H

#include "config.h"

/* Where the folder that this run shares with the build machine is, before and after the switch. */
#define ROOT_RUN_EARLY	"/early/run"
#define ROOT_RUN	"/run/appliance"

/* In the initrd: the kernel's own file systems, the modules, the run's share. */
void root_early(void);

/* The build machine's files under a writable overlay, then make that the root. */
void root_switch(const struct config *config);

/* After the switch: cgroups, hugetlbfs, debugfs and what else a host has. */
void root_late(void);

/* First in every child: a session of its own and no signal blocked. */
void child_begin(void);

/* Run a program and wait for it. Returns its exit status, or 128 and more if it was killed. */
int run(const char *const argv[]);
#define RUN(...) run((const char *const []){ __VA_ARGS__, NULL })

/* Make directory @path and its parents. */
void make_directories(const char *path);

#endif

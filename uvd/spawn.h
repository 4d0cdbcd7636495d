/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process of a guest's monitor: its command line, the descriptors that it keeps, and a fork
 * that waits for a word. docs/uvmonitor.md has the arguments.
 */
#ifndef UVD_SPAWN_H
#define UVD_SPAWN_H

#include <sys/types.h>

#include "kernel.h"
#include "launch.h"

#define SPAWN_FAILURE 256

struct spawned {
	pid_t pid;		/* 0: there is none */
	int pidfd;
	int go;			/* a byte written here starts the monitor; closed, it ends */
};

/* What is in *p is the caller's, also after an error; failure may then say more. 0 or -errno. */
int spawn(struct kernel *kernel, const char *program, struct launch *l, struct spawned *p,
	  char failure[SPAWN_FAILURE]);

#endif

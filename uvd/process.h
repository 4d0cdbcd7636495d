/* SPDX-License-Identifier: Apache-2.0 */
/* Other processes, as /proc tells. A number is used again: only with its start time it is one. */
#ifndef UVD_PROCESS_H
#define UVD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Field 22 of /proc/PID/stat; 0: no such process. */
uint64_t process_start_time(pid_t pid);

/* Is the process pid, started then, alive, and no zombie? start 0: any of that number. */
bool process_alive(pid_t pid, uint64_t start);

/* A descriptor that becomes readable at its end, or -errno; close-on-exec. */
int process_open(pid_t pid);

/*
 * Calls fn, with name NULL, for each process of this user, until it returns other than 0, and
 * returns that. A look at every process.
 */
typedef int process_fn(const char *name, pid_t pid, void *data);
int process_each(uid_t uid, process_fn *fn, void *data);

/* Some process of this user, or 0. */
pid_t process_of_user(uid_t uid);

/* SIGKILL for a process, if it is this user's; waits until it is gone. 0 or -errno. */
int process_kill(pid_t pid, uid_t uid);

#endif

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

/* Some process of this user, or 0. A look at every process. */
pid_t process_of_user(uid_t uid);

#endif

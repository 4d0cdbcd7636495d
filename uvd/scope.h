/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of guests' processes: ultravisor.slice/ultravisor-NAME.scope. Made by systemd
 * where it is PID 1, so that uvd's own restart leaves guests alone; else in cgroup2 directly.
 */
#ifndef UVD_SCOPE_H
#define UVD_SCOPE_H

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct scopes;

/* Called once for each scope_create, unless it was cancelled; rc 0 or -errno (already logged). */
typedef void scope_done(int rc, void *data);

int scopes_open(struct scopes **out, sd_event *event);
void scopes_close(struct scopes *s);

/*
 * Puts pid into a new scope with at most memory bytes and tasks tasks. done may be called before
 * this returns. data is also the name for scope_cancel.
 */
void scope_create(struct scopes *s, const char *name, pid_t pid, uint64_t memory,
		  unsigned int tasks, scope_done *done, void *data);
void scope_cancel(struct scopes *s, const void *data);

/*
 * The cgroup of this scope before it has a process, for what the kernel allocates for it: a
 * descriptor of its directory, or -errno. Behind it comes scope_create or scope_remove. Where a
 * scope of that name has just ended, systemd may remove this one: then the slice is charged.
 */
int scope_charge(struct scopes *s, const char *name);

/* There is no process in it, or no longer: removes what systemd did not. */
void scope_remove(struct scopes *s, const char *name);

/*
 * Calls fn for each process in each scope there is, whoever made it; pid 0: there is none in it.
 * 1; 0: this host has no place for them; what fn returned, if that is not 0; -errno.
 */
typedef int scope_fn(const char *name, pid_t pid, void *data);
int scope_each(scope_fn *fn, void *data);

/* Kills what is in a scope that no partition has, and removes it. 0 or -errno. */
int scope_reap(const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts that opsd knows, and what each last said of itself: capacity, domains, partitions. A
 * survey asks a host's resource service; what it says is believed, because the host has the last
 * word anyway. A host that does not answer keeps what it said before, marked as down.
 */
#ifndef OPSD_HOST_H
#define OPSD_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include <common/error.h>

#include "store.h"

#define OPS_MAX_HOSTS 64

struct ops;

struct host_partition {
	char name[COMMAND_NAME_LEN];
	char uuid[STORE_UUID_LEN];
	char domain[COMMAND_NAME_LEN];
	char state[16];			/* the host's word */
	char reason[256];		/* of a run that ended badly */
	int pid;			/* of its monitor, 0: none */
};

typedef void host_surveyed(void *data);

struct host {
	TAILQ_ENTRY(host) link;
	struct ops *ops;
	struct store_host row;
	bool retired;			/* no longer configured: it gets nothing new */
	struct store_domain *domain;	/* domains of them */
	size_t domains;
	struct host_partition *partition;
	size_t partitions;
	/* the survey under way */
	bool surveying, again;
	sd_event_source *begin;
	bool changed;			/* what it says is not what the store has */
	struct store_host fresh;
	TAILQ_HEAD(host_waiters, host_waiter) waiters, next_waiters;
};
TAILQ_HEAD(hosts, host);

/* Adds one; row's name must be new. NULL: out of memory, or OPS_MAX_HOSTS of them. */
struct host *host_add(struct ops *ops, const struct store_host *row);
void host_remove(struct hosts *hosts, struct host *h);
void hosts_free(struct hosts *hosts);
struct host *host_find(struct hosts *hosts, const char *name);

const struct store_domain *host_domain(const struct host *h, const char *name);

/* By UUID: a name may belong to somebody else's partition there. */
const struct host_partition *host_partition(const struct host *h, const char *uuid);

/* Adds what the store remembers of a domain. */
int host_add_domain(struct host *h, const struct store_domain *row);

/*
 * Asks the host; done (may be NULL) is called once an answer, or its absence, is in place: of a
 * survey that began after this call, never from within it.
 */
int host_survey(struct host *h, host_surveyed *done, void *data);

/* The same for all of them; done once, when each has answered or not. */
int hosts_survey(struct hosts *hosts, host_surveyed *done, void *data);

#endif

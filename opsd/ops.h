/* SPDX-License-Identifier: Apache-2.0 */
/* The operations partition: what its parts share. Everything in it is derived from the store. */
#ifndef OPSD_OPS_H
#define OPSD_OPS_H

#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include <common/error.h>
#include <common/http_client.h>

#include "activation.h"
#include "host.h"
#include "partition.h"
#include "store.h"

struct ops {
	sd_event *event;
	struct store *store;
	struct http_client *client;
	uint64_t epoch;
	struct hosts hosts;
	struct partitions partitions;
	struct activations activations;
	sd_event_source *poll;
	/* Something was committed: who waits for events looks again. May be NULL. */
	void (*changed)(struct ops *ops);
	struct service *service;
	/* Told the name of each step (activation.h) as it is reached. May be NULL. */
	void (*step)(const char *name, void *data);
	void *step_data;
};

/*
 * Opens what does not need a socket of its own: the epoch is raised and the store loaded. The
 * caller has set event and store, and configures the hosts next, then ops_resume. 0 or -1 and *e.
 */
int ops_open(struct ops *ops, struct error *e);

/* Drops everything but event; open activations stay open in the store. */
void ops_close(struct ops *ops);

/*
 * Makes the hosts of the table those of the list, "NAME=SOCKET" each: adds, moves sockets, and
 * removes those that nothing refers to. 0 or -1 and *e.
 */
int ops_configure_hosts(struct ops *ops, char *const *list, size_t n, struct error *e);

/* Goes on with what a former opsd left open, and begins to watch the hosts. 0 or -1 and *e. */
int ops_resume(struct ops *ops, struct error *e);

/* CLOCK_REALTIME in nanoseconds. */
int64_t ops_now(void);

#endif

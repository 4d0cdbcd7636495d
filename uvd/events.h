/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's events, by generic netlink. They are hints: each only leads to a look at the truth.
 */
#ifndef UVD_EVENTS_H
#define UVD_EVENTS_H

#include <stdint.h>
#include <systemd/sd-event.h>

struct events;

/* event is an enum ultravisor_event; 0: some were lost, look at everything. */
typedef void events_fn(uint32_t event, uint64_t id, uint32_t slot, uint64_t epoch, void *data);

int events_open(struct events **out, sd_event *loop, events_fn *fn, void *data);
void events_close(struct events *e);

#endif

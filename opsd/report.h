/* SPDX-License-Identifier: Apache-2.0 */
/* What opsd tells of its rows, as JSON: docs/operations.md has every key. */
#ifndef OPSD_REPORT_H
#define OPSD_REPORT_H

#include <jansson.h>

#include "ops.h"

/* New references; NULL: out of memory. */
json_t *report_hosts(struct ops *ops);
json_t *report_domains(struct ops *ops);
json_t *report_partitions(struct ops *ops);

/* With definition; *e: not found. */
json_t *report_partition(struct ops *ops, const char *name, struct error *e);

/* One with its claims, from memory or the store; or the newest, without. */
json_t *report_activation(struct ops *ops, const char *id, struct error *e);
json_t *report_activations(struct ops *ops, uint32_t limit, struct error *e);

/* The page of /metrics, the caller's to free; NULL: out of memory. */
char *report_metrics(struct ops *ops);

json_t *report_events(struct ops *ops, const struct store_event_filter *filter, struct error *e);

#endif

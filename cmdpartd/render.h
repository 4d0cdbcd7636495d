/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as JSON, in the words of docs/resource-service.md. All results are new references. */
#ifndef CMDPARTD_RENDER_H
#define CMDPARTD_RENDER_H

#include <jansson.h>

#include "rows.h"

const char *render_state(uint32_t state);	/* enum command_partition_state */
const char *render_kind(uint32_t kind);

json_t *render_partition(const struct command_row_partition *p);
json_t *render_device(const struct command_row_device *d);
const char *render_channel_type(uint32_t type);
json_t *render_channel(const struct command_row_channel *c);
const char *render_exit(uint32_t kind);	/* enum ultravisor_exit */
json_t *render_context(const struct command_row_context *c);
json_t *render_ledger(const struct command_row_ledger *l);
json_t *render_history(const struct command_row_history *h);
json_t *render_compared(const struct command_row_compared *c);
json_t *render_event(const struct command_row_event *e);
json_t *render_difference(const struct command_row_difference *d);
json_t *render_host(const struct command_row_host *h);
json_t *render_processor(const struct command_row_processor *p);
json_t *render_node(const struct command_row_memory *m);
json_t *render_domain(const struct command_row_domain *d, const struct rows *rows);

/* An array of all rows of a type (COMMAND_ROW_…). */
json_t *render_list(const struct rows *rows, enum command_type type);

/* All that the map of the host shows (common/host_map.h). */
#define RENDER_MAP_ROWS (ROWS_HOST | ROWS_PROCESSOR | ROWS_MEMORY | ROWS_DOMAIN | \
			 ROWS_PARTITION | ROWS_DEVICE | ROWS_CHANNEL | ROWS_CONTEXT)
json_t *render_map(const struct rows *rows);

json_t *render_uuid(const uint8_t uuid[16]);	/* null if all zero */

#endif

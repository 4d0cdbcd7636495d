/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How devices are served: queues, serial number, VLAN, zone, limits and addresses, columns of a
 * device's row in this order.
 */
#ifndef UVD_SETTINGS_H
#define UVD_SETTINGS_H

#include <stdbool.h>
#include <ultravisor/command.h>

#include "db.h"
#include "transaction.h"

/* Of the table that is called d in the statement. */
#define SETTINGS_COLUMNS \
	"d.queues, d.serial, d.vlan, d.zone, d.operations, d.bytes, d.burst_ms, d.addresses," \
	" d.talks"
#define SETTINGS_COUNT 9

/* From the row's columns, the first of which is this one. */
void settings_read(sqlite3_stmt *q, int column, struct command_settings *s);
bool settings_same(const struct command_settings *a, const struct command_settings *b);

/* Whether they go with a device of this type (enum command_device): 0 or a refusal. */
int settings_check(struct transaction *t, const char *device, uint32_t type,
		   const struct command_settings *s);
/* Writes all of them into the device's row. */
int settings_write(struct transaction *t, const uint8_t partition[16], const char *device,
		   const struct command_settings *s);

#endif

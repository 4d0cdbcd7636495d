/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition asks for, and where it is when it is placed again. */
#ifndef CMDPARTD_ASK_H
#define CMDPARTD_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include <common/cpuset.h>
#include <common/definition.h>

#include "rows.h"

struct placement_ask {
	uint8_t uuid[16];
	char name[COMMAND_NAME_LEN];
	char domain[COMMAND_NAME_LEN];
	uint32_t vcpus;
	enum command_mode mode;
	uint32_t flags;			/* PROCESSOR_… */
	uint64_t budget_ns, period_ns, window_ns, memory;
	/* Where it is, when it is placed again; kept where that is possible. */
	bool again;
	struct cpuset cpus[DEFINITION_MAX_VCPUS];
	uint64_t window_start_ns[DEFINITION_MAX_VCPUS];
	uint32_t devices;
	char device[DEFINITION_MAX_DEVICES][COMMAND_DEVICE_LEN];
};

/* What a definition, or a defined partition's rows, ask for. */
void placement_ask_definition(struct placement_ask *ask, const struct definition *d,
			      const uint8_t uuid[16]);
void placement_ask_rows(struct placement_ask *ask, const struct rows *rows,
			const struct command_row_partition *p);

/* It runs: remembers where, before its contexts are taken out of the rows. */
void placement_ask_again(struct placement_ask *ask, const struct rows *rows);

#endif

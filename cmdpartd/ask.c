/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition asks for, from a definition or from the rows of one that is defined. */
#include <string.h>

#include <common/uuid.h>

#include "ask.h"

void placement_ask_definition(struct placement_ask *ask, const struct definition *d,
			      const uint8_t uuid[16])
{
	memset(ask, 0, sizeof(*ask));
	memcpy(ask->uuid, uuid, sizeof(ask->uuid));
	strcpy(ask->name, d->name);
	strcpy(ask->domain, d->domain);
	ask->vcpus = d->vcpus;
	ask->mode = d->mode;
	ask->flags = d->realtime ? PROCESSOR_REALTIME : 0;
	ask->budget_ns = d->budget_ns;
	ask->period_ns = d->period_ns;
	ask->window_ns = d->window_ns;
	ask->memory = d->memory;
	ask->devices = d->devices;
	for (uint32_t i = 0; i < d->devices; i++)
		strcpy(ask->device[i], d->device[i].name);
}

void placement_ask_rows(struct placement_ask *ask, const struct rows *rows,
			const struct command_row_partition *p)
{
	memset(ask, 0, sizeof(*ask));
	memcpy(ask->uuid, p->partition, sizeof(ask->uuid));
	strcpy(ask->name, p->name);
	strcpy(ask->domain, p->domain);
	ask->vcpus = p->vcpus < DEFINITION_MAX_VCPUS ? p->vcpus : DEFINITION_MAX_VCPUS;
	ask->mode = p->mode;
	ask->flags = p->flags;
	ask->budget_ns = p->budget_ns;
	ask->period_ns = p->period_ns;
	ask->window_ns = p->window_ns;
	ask->memory = p->memory;
	for (rows_each(rows, DEVICE, device, d))
		if (!memcmp(d->partition, p->partition, UUID_LEN) &&
		    ask->devices < DEFINITION_MAX_DEVICES)
			strcpy(ask->device[ask->devices++], d->name);
}

void placement_ask_again(struct placement_ask *ask, const struct rows *rows)
{
	ask->again = true;
	for (rows_each(rows, CONTEXT, context, c))
		if (!memcmp(c->partition, ask->uuid, UUID_LEN) && c->index < ask->vcpus) {
			memcpy(ask->cpus[c->index].word, c->cpus, sizeof(c->cpus));
			ask->window_start_ns[c->index] = c->window_start_ns;
		}
}

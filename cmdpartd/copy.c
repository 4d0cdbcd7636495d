/* SPDX-License-Identifier: Apache-2.0 */
/* What operations do to a draft's working copy of the rows. */
#include <string.h>

#include <common/uuid.h>

#include "copy.h"
#include "message.h"
#include "placement.h"

void copy_remove(struct rows *rows, enum command_type type, size_t i)
{
	struct row_list *list = &rows->list[type - COMMAND_ROW_HOST];

	if (rows_own(list) < 0) {
		rows->failed = true;
		return;
	}
	list->count--;
	memmove(list->bytes + i * list->size, list->bytes + (i + 1) * list->size,
		(list->count - i) * list->size);
}

/* Drops all rows of this type whose UUID at offset is this one. */
void copy_remove_of(struct rows *rows, enum command_type type, size_t offset,
		    const uint8_t uuid[16])
{
	for (size_t i = rows_count(rows, type); i-- > 0;)
		if (!memcmp((uint8_t *)rows_at(rows, type, i) + offset, uuid, UUID_LEN))
			copy_remove(rows, type, i);
}

static void leave(struct command_row_processor *c, const struct command_row_context *x)
{
	uint64_t ppm = placement_ppm(x->mode, x->flags, x->budget_ns, x->period_ns, x->window_ns,
				     c->frame_ns);

	if (x->mode != MODE_DEDICATED && c->contexts)
		c->contexts--;
	if (x->mode == MODE_WINDOW && c->windows)
		c->windows--;
	c->realtime_ppm -= ppm < c->realtime_ppm ? ppm : c->realtime_ppm;
}

void copy_release_contexts(struct rows *rows, struct command_row_partition *p)
{
	for (rows_each(rows, PROCESSOR, processor, c)) {
		if (!memcmp(c->owner, p->partition, UUID_LEN)) {
			memset(c->owner, 0, sizeof(c->owner));
			c->owner_name[0] = '\0';
		}
		for (rows_each(rows, CONTEXT, context, x))
			if (!memcmp(x->partition, p->partition, UUID_LEN) &&
			    cpuset_has((const struct cpuset *)x->cpus, c->cpu))
				leave(c, x);
	}
	copy_remove_of(rows, COMMAND_ROW_CONTEXT, offsetof(struct command_row_context, partition),
		       p->partition);
}

/* What a run held, given back in the rows. */
void copy_release(struct rows *rows, struct command_row_partition *p)
{
	struct command_row_domain *d = rows_domain(rows, p->domain);

	if (d)
		d->memory_assigned -= p->memory_assigned;
	if (rows_count(rows, COMMAND_ROW_HOST))
		((struct command_row_host *)rows_at(rows, COMMAND_ROW_HOST, 0))->memory_assigned -=
			p->memory_assigned;
	for (rows_each(rows, MEMORY, memory, m))
		if (m->node == p->node)
			m->assigned -= p->memory_assigned;
	copy_release_contexts(rows, p);
	copy_remove_of(rows, COMMAND_ROW_CHANNEL, offsetof(struct command_row_channel, partition),
		       p->partition);
	p->memory_assigned = 0;
	p->state = PARTITION_DEFINED;
}

void copy_device_mac(uint8_t *to, const struct definition_device *v, const uint8_t uuid[16])
{
	if (v->type == DEVICE_NETWORK && v->has_mac)
		memcpy(to, v->mac, sizeof(v->mac));
	else if (v->type == DEVICE_NETWORK)
		definition_derive_mac(to, uuid, v->name);
}

int copy_define(struct rows *rows, const struct definition *def, const uint8_t uuid[16],
		    struct command_row_partition *p)
{
	int rc;

	memset(p, 0, sizeof(*p));
	p->r = (struct command_record){ .type = COMMAND_ROW_PARTITION, .length = sizeof(*p) };
	memcpy(p->partition, uuid, UUID_LEN);
	message_text(p->name, sizeof(p->name), def->name);
	message_text(p->domain, sizeof(p->domain), def->domain);
	p->kind = PARTITION_GUEST;
	p->state = PARTITION_DEFINED;
	p->vcpus = def->vcpus;
	p->mode = def->mode;
	p->flags = def->realtime ? PROCESSOR_REALTIME : 0;
	p->budget_ns = def->budget_ns;
	p->period_ns = def->period_ns;
	p->window_ns = def->window_ns;
	p->lease_ns = def->lease_ns;
	p->memory = def->memory;
	p->devices = def->devices;
	message_text(p->kernel, sizeof(p->kernel), def->kernel);
	message_text(p->initrd, sizeof(p->initrd), def->initrd);
	message_text(p->cmdline, sizeof(p->cmdline), def->cmdline);
	rc = rows_add(rows, &p->r);
	for (uint32_t i = 0; !rc && i < def->devices; i++) {
		const struct definition_device *x = &def->device[i];
		struct command_row_device v = {
			.r = { .type = COMMAND_ROW_DEVICE, .length = sizeof(v) },
			.device = x->type, .rank = i,
			.flags = x->readonly ? DEVICE_READONLY : 0,
		};

		memcpy(v.partition, uuid, UUID_LEN);
		message_text(v.partition_name, sizeof(v.partition_name), def->name);
		message_text(v.name, sizeof(v.name), x->name);
		message_text(v.path, sizeof(v.path), x->path);
		message_text(v.bridge, sizeof(v.bridge), x->bridge);
		copy_device_mac(v.mac, x, uuid);
		v.settings = x->settings;
		rc = rows_add(rows, &v.r);
	}
	return rc;
}

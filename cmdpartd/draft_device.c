/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on a guest's devices: who serves them, and how. */
#include <stdio.h>
#include <string.h>

#include <common/definition.h>
#include <common/uuid.h>
#include <linux/ultravisor.h>

#include "draft.h"

static struct command_row_device *find_device(struct draft *d,
					      const struct command_row_partition *p,
					      const char *name, struct error *e)
{
	for (rows_each(d->rows, DEVICE, device, v))
		if (!memcmp(v->partition, p->partition, UUID_LEN) && !strcmp(v->name, name))
			return v;
	error_set(e, EXIT_NOT_FOUND, "partition %s has no device %s", p->name, name);
	error_fix(e, "cmdpartctl show %s lists its devices", p->name);
	return NULL;
}

/* A guest that is on, one of whose devices is meant. */
static struct command_row_partition *guest_of_device(struct draft *d, const struct operation *op,
						     struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0)
		return NULL;
	if (!find_device(d, p, op->device, e))
		return NULL;
	if (draft_is_on(p))
		return p;
	draft_state_conflict(p, "it has nothing of its host: cmdpartctl start %s", e);
	return NULL;
}

int draft_failover(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = guest_of_device(d, op, e);
	struct command_channel *r;
	bool standby = false;

	if (!p)
		return -1;
	for (rows_each(d->rows, CHANNEL, channel, c)) {
		if (memcmp(c->partition, p->partition, UUID_LEN) || strcmp(c->name, op->device))
			continue;
		for (uint32_t i = 0; i < COMMAND_MAX_SERVERS; i++)
			standby |= c->slot_state[i] == ULTRAVISOR_SLOT_STANDBY;
		if (!standby)
			break;
		r = message_add(&d->message, COMMAND_CHANNEL_REVOKE, 0);
		memcpy(r->channel, c->channel, UUID_LEN);
		memcpy(r->partition, c->partition, UUID_LEN);
		message_text(r->name, sizeof(r->name), c->name);
		return 0;
	}
	error_set(e, EXIT_CONFLICT, "nobody stands by for %s of %s", op->device, p->name);
	return error_fix(e, "start the other I/O partition; cmdpartctl list shows which run");
}

int draft_reset_device(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = guest_of_device(d, op, e);

	if (!p)
		return -1;
	draft_add_device_op(d, COMMAND_DEVICE_RESET, p->partition, op->device);
	return 0;
}

int draft_resize_device(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = guest_of_device(d, op, e);

	if (!p)
		return -1;
	draft_add_device_op(d, COMMAND_DEVICE_RESIZE, p->partition, op->device);
	return 0;
}

/* The row's limits with the changes, read as a definition's; null takes one away. */
static int changed_limits(const struct command_row_device *v, const json_t *changes,
			  struct command_settings *s, struct error *e)
{
	char where[READER_KEY];
	const struct reader r = { "request", NULL, e };
	json_t *limits = definition_limits_to_json(v->device, s), *value;
	const char *key;
	int rc;

	if (json_is_null(changes))
		json_object_clear(limits);
	json_object_foreach((json_t *)changes, key, value) {
		if (json_is_null(value))
			json_object_del(limits, key);
		else
			json_object_set(limits, key, value);
	}
	/* The burst of a limit that is no more. */
	if (json_object_size(limits) == 1 && !json_object_get(changes, "burst_ms"))
		json_object_del(limits, "burst_ms");
	snprintf(where, sizeof(where), "devices.%s.limits", v->name);
	rc = definition_parse_limits(&r, where, limits, v->device, s);
	json_decref(limits);
	return rc;
}

static int change_device(struct draft *d, struct command_row_partition *p,
			 struct command_row_device *v, const json_t *changes, struct error *e)
{
	struct command_settings settings = v->settings;
	struct command_device_modify *r;
	const json_t *value;
	const char *key;

	json_object_foreach((json_t *)changes, key, value) {
		if (strcmp(key, "limits") || !definition_device_has(v->device, key)) {
			error_set(e, EXIT_INVALID, "\"%s\" of %s cannot be changed", key, v->name);
			error_where(e, "request: devices.%s.%s", v->name, key);
			return error_fix(e, "stop, undefine, define and start the partition");
		}
		if (changed_limits(v, value, &settings, e) < 0)
			return -1;
	}
	if (!memcmp(&settings, &v->settings, sizeof(settings)))
		return draft_so_already(d, p);
	r = message_add(&d->message, COMMAND_DEVICE_MODIFY, p->r.generation);
	memcpy(r->partition, p->partition, UUID_LEN);
	message_text(r->name, sizeof(r->name), v->name);
	r->settings = v->settings = settings;
	return 0;
}

int draft_change_devices(struct draft *d, struct command_row_partition *p, const json_t *changes,
			 struct error *e)
{
	struct command_row_device *v;
	const json_t *of_device;
	const char *name;

	json_object_foreach((json_t *)changes, name, of_device) {
		v = find_device(d, p, name, e);
		if (!v || change_device(d, p, v, of_device, e) < 0)
			return -1;
	}
	return 0;
}

void draft_set_talks(struct draft *d, const struct command_row_partition *p)
{
	char talks[COMMAND_TALKS_LEN];
	struct command_device_modify *r;

	for (rows_each(d->rows, DEVICE, device, v)) {
		if (memcmp(v->partition, p->partition, UUID_LEN) || v->device != DEVICE_NETWORK)
			continue;
		policy_zone_talks(d->policy, v->settings.zone, talks);
		if (!memcmp(talks, v->settings.talks, sizeof(talks)))
			continue;
		memcpy(v->settings.talks, talks, sizeof(talks));
		r = message_add(&d->message, COMMAND_DEVICE_MODIFY, 0);
		memcpy(r->partition, p->partition, UUID_LEN);
		message_text(r->name, sizeof(r->name), v->name);
		r->settings = v->settings;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions: kept in step with the store by changing memory only after a commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/uuid.h>

#include "batch.h"
#include "ops.h"
#include "placement.h"

struct partition *partition_find(struct ops *ops, const char *name)
{
	struct partition *p;

	TAILQ_FOREACH(p, &ops->partitions, link)
		if (!strcmp(p->row.name, name))
			return p;
	return NULL;
}

int partition_set_definition(struct partition *p, const struct definition *d)
{
	json_t *json = definition_to_json(d);

	if (!json)
		return -1;
	json_decref(p->json);
	p->json = json;
	p->definition = *d;
	return 0;
}

struct partition *partition_add(struct ops *ops, const struct definition *d)
{
	struct partition *p = calloc(1, sizeof(*p)), *after;

	if (!p || partition_set_definition(p, d)) {
		free(p);
		return NULL;
	}
	snprintf(p->row.name, sizeof(p->row.name), "%s", d->name);
	snprintf(p->row.domain, sizeof(p->row.domain), "%s", d->domain);
	TAILQ_FOREACH(after, &ops->partitions, link)
		if (strcmp(after->row.name, d->name) > 0)
			break;
	if (after)
		TAILQ_INSERT_BEFORE(after, p, link);
	else
		TAILQ_INSERT_TAIL(&ops->partitions, p, link);
	return p;
}

void partition_free(struct ops *ops, struct partition *p)
{
	TAILQ_REMOVE(&ops->partitions, p, link);
	json_decref(p->json);
	free(p);
}

static int out_of_memory(struct error *e)
{
	return error_set(e, EXIT_FAILED, "out of memory");
}

static int not_stored(struct ops *ops, struct error *e)
{
	error_set(e, EXIT_FAILED, "opsd's store cannot be written");
	error_why(e, "%s", store_why(ops->store));
	return error_fix(e, "make room on its file system, then repeat the command");
}

int partition_check_idle(struct ops *ops, const char *name, struct error *e)
{
	const struct partition *p = partition_find(ops, name);
	const struct activation *a = activation_of(ops, name);
	const struct host_partition *seen;
	const struct host *h;

	if (a) {
		error_set(e, EXIT_CONFLICT, "%s is being %sd", name, activation_verb(a));
		error_where(e, "partition %s", name);
		return error_fix(e, "wait for it: opsctl show %s", name);
	}
	TAILQ_FOREACH(h, &ops->hosts, link) {
		seen = p && h->row.state == HOST_UP ? host_partition(h, p->row.uuid) : NULL;
		if (seen && placement_is_on(seen->state)) {
			error_set(e, EXIT_CONFLICT, "%s %s on %s", name,
				  placement_state_words(seen->state), h->row.name);
			goto deactivate;
		}
	}
	if (p && p->row.active) {
		error_set(e, EXIT_CONFLICT, "%s is active on %s", name, p->row.host);
		goto deactivate;
	}
	return 0;
deactivate:
	error_where(e, "partition %s", name);
	return error_fix(e, "opsctl deactivate %s", name);
}

int partition_define(struct ops *ops, const struct definition *d, const char *who, bool *changed,
		     struct error *e)
{
	struct partition *p = partition_find(ops, d->name);
	struct store_definition row = { .generation = p ? p->generation + 1 : 1 };
	json_t *json = definition_to_json(d);
	struct store_partition placed;
	struct batch b = { 0 };
	uint8_t uuid[UUID_LEN];
	char *text = NULL;
	int rc = -1;

	*changed = false;
	if (!json) {
		out_of_memory(e);
		goto out;
	}
	if (p && json_equal(p->json, json)) {
		rc = 0;
		goto out;
	}
	if (p && partition_check_idle(ops, d->name, e))
		goto out;
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text) {
		out_of_memory(e);
		goto out;
	}
	snprintf(row.name, sizeof(row.name), "%s", d->name);
	row.json = text;
	row.changed_ns = ops_now();
	placed = p ? p->row : (struct store_partition){ 0 };
	snprintf(placed.name, sizeof(placed.name), "%s", d->name);
	if (!p) {
		uuid_random(uuid);
		uuid_format(uuid, placed.uuid);
	}
	snprintf(placed.domain, sizeof(placed.domain), "%s", d->domain);
	batch_put(&b, STORE_PUT_DEFINITION, &row);
	batch_put(&b, STORE_PUT_PARTITION, &placed);
	batch_event(&b, p ? "redefined" : "defined", d->name, "", "", "%s %s the definition of %s",
		    who, p ? "changed" : "gave", d->name);
	if (batch_commit(&b, ops)) {
		not_stored(ops, e);
		goto out;
	}
	if (p ? partition_set_definition(p, d) : !(p = partition_add(ops, d))) {
		out_of_memory(e);
		goto out;
	}
	p->row = placed;
	p->generation = row.generation;
	p->changed_ns = row.changed_ns;
	*changed = true;
	rc = 0;
out:
	free(text);
	json_decref(json);
	return rc;
}

int partition_undefine(struct ops *ops, struct partition *p, const char *who, struct error *e)
{
	struct batch b = { 0 };

	batch_put(&b, STORE_DELETE_DEFINITION, p->row.name);
	batch_event(&b, "undefined", p->row.name, "", "", "%s removed the definition of %s", who,
		    p->row.name);
	if (batch_commit(&b, ops))
		return not_stored(ops, e);
	partition_free(ops, p);
	return 0;
}

static void see(struct ops *ops, struct partition *p, const struct host *h)
{
	const struct host_partition *seen = host_partition(h, p->row.uuid);
	const char *state = seen ? seen->state : "gone";
	const char *reason = seen ? seen->reason : "its host does not know it";
	struct store_partition row = p->row;
	struct batch b = { 0 };
	bool busy = activation_of(ops, row.name), ended;

	if (!strcmp(row.seen, state) && !strcmp(row.reason, reason))
		return;
	/*
	 * It ended without being told to: opsd starts nothing twice by itself, so it is no longer
	 * meant to be active. An activation under way draws its own conclusions.
	 */
	ended = row.active && !placement_is_on(state) && !busy;
	if (ended)
		row.active = false;
	snprintf(row.seen, sizeof(row.seen), "%s", state);
	snprintf(row.reason, sizeof(row.reason), "%s", reason);
	row.seen_ns = ops_now();
	batch_put(&b, STORE_PUT_PARTITION, &row);
	if (!busy)
		batch_event(&b, ended ? "ended" : "seen", row.name, h->row.name, "",
			    "%s %s on %s%s%s%s", row.name, placement_state_words(state),
			    h->row.name, ended ? ": it ended by itself" : "",
			    reason[0] ? ": " : "", reason);
	if (!batch_commit(&b, ops))
		p->row = row;
}

void partitions_seen(struct ops *ops, const struct host *h)
{
	struct partition *p;

	TAILQ_FOREACH(p, &ops->partitions, link)
		if (!strcmp(p->row.host, h->row.name))
			see(ops, p, h);
}

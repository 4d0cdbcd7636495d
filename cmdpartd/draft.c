/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation after the other, onto the rows and into the message. What cmdpartd can refuse by
 * the rows that it saw it refuses here, with the reason; uvd has the last word on all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/size.h>
#include <common/uuid.h>
#include <linux/ultravisor.h>

#include "copy.h"
#include "draft.h"
#include "operation.h"
#include "render.h"

void draft_begin(struct draft *d, enum command_kind kind, const uint8_t request_id[16],
		 const struct author *author, const struct policy *policy, enum role role,
		 struct rows *rows)
{
	memset(d, 0, sizeof(*d));
	d->policy = policy;
	d->role = role;
	d->rows = rows;
	memcpy(d->request_id, request_id, sizeof(d->request_id));
	LIST_INIT(&d->effects);
	message_begin(&d->message, kind, request_id, author);
}

void draft_end(struct draft *d)
{
	effects_free(&d->effects);
	free(d->placement);
	d->placement = NULL;
	message_free(&d->message);
}

static struct effect *new_effect(struct draft *d)
{
	struct effect *f = calloc(1, sizeof(*f));

	if (f)
		LIST_INSERT_HEAD(&d->effects, f, entry);
	return f;
}

static int no_memory(struct error *e)
{
	return error_set(e, EXIT_FAILED, "out of memory");
}

static void subject(struct draft *d, const uint8_t uuid[16])
{
	memcpy(d->subject, uuid, UUID_LEN);
	d->has_subject = true;
}

bool draft_is_on(const struct command_row_partition *p)
{
	return p->state != PARTITION_DEFINED && p->state != PARTITION_FAILED;
}

struct command_row_partition *draft_guest(struct draft *d, const char *name, struct error *e)
{
	struct command_row_partition *p = rows_partition(d->rows, name);

	if (!p) {
		error_set(e, EXIT_NOT_FOUND, "no partition is named %s", name);
		error_fix(e, "cmdpartctl list shows those there are");
		return NULL;
	}
	if (p->kind != PARTITION_GUEST) {
		error_set(e, EXIT_DENIED, "%s is a system partition", p->name);
		error_fix(e, "it is started and stopped as a service of the host");
		return NULL;
	}
	subject(d, p->partition);
	return p;
}

int draft_check_generation(const struct operation *op, const struct command_row_partition *p,
			   struct error *e)
{
	if (!op->generation || op->generation == p->r.generation)
		return 0;
	error_set(e, EXIT_CONFLICT, "partition %s has changed meanwhile", p->name);
	error_why(e, "generation %llu was seen, it is %llu since transaction %llu of %s",
		  (unsigned long long)op->generation, (unsigned long long)p->r.generation,
		  (unsigned long long)p->changed,
		  p->changed_by[0] ? p->changed_by : "an unknown author");
	return error_fix(e, "look again (cmdpartctl show %s), then decide", p->name);
}

int draft_state_conflict(const struct command_row_partition *p, const char *fix, struct error *e)
{
	error_set(e, EXIT_CONFLICT, "partition %s is %s", p->name, render_state(p->state));
	return error_fix(e, fix, p->name);
}

static void add_partition_record(struct draft *d, enum command_type type, const uint8_t uuid[16],
				 uint64_t generation)
{
	struct command_partition *r = message_add(&d->message, type, generation);

	memcpy(r->partition, uuid, UUID_LEN);
}

int draft_so_already(struct draft *d, const struct command_row_partition *p)
{
	add_partition_record(d, COMMAND_PARTITION_EXPECT, p->partition, p->r.generation);
	d->expects++;
	return 0;
}

bool draft_changes(const struct draft *d)
{
	return message_count(&d->message) > d->expects;
}

/* ---- operations ------------------------------------------------------------------ */

static void add_definition(struct draft *d, const struct definition *def, const uint8_t uuid[16])
{
	struct command_partition_define *r = message_add(&d->message, COMMAND_PARTITION_DEFINE, 0);

	memcpy(r->partition, uuid, UUID_LEN);
	message_text(r->name, sizeof(r->name), def->name);
	message_text(r->domain, sizeof(r->domain), def->domain);
	r->vcpus = def->vcpus;
	r->mode = def->mode;
	r->flags = def->realtime ? PROCESSOR_REALTIME : 0;
	r->budget_ns = def->budget_ns;
	r->period_ns = def->period_ns;
	r->window_ns = def->window_ns;
	r->lease_ns = def->lease_ns;
	r->memory = def->memory;
	message_text(r->kernel, sizeof(r->kernel), def->kernel);
	message_text(r->initrd, sizeof(r->initrd), def->initrd);
	message_text(r->cmdline, sizeof(r->cmdline), def->cmdline);
	for (uint32_t i = 0; i < def->devices; i++) {
		const struct definition_device *v = &def->device[i];
		struct command_device_define *x = message_add(&d->message, COMMAND_DEVICE_DEFINE,
							      0);

		memcpy(x->partition, uuid, UUID_LEN);
		message_text(x->name, sizeof(x->name), v->name);
		x->device = v->type;
		x->flags = v->readonly ? DEVICE_READONLY : 0;
		message_text(x->path, sizeof(x->path), v->path);
		message_text(x->bridge, sizeof(x->bridge), v->bridge);
		copy_device_mac(x->mac, v, uuid);
		x->settings = v->settings;
	}
}

static int define(struct draft *d, const struct definition *definition, const uint8_t *given,
		  struct error *e)
{
	struct placement *quotas = malloc(sizeof(*quotas));
	struct definition def = *definition;
	struct effect *f = new_effect(d);
	struct placement_ask ask;
	uint8_t uuid[UUID_LEN];
	char label[COMMAND_NAME_LEN + 16];
	int rc = -1;

	snprintf(label, sizeof(label), "partition %s", def.name);
	if (given)
		memcpy(uuid, given, UUID_LEN);
	else
		derive_uuid(uuid, d->request_id, label);
	if (!f || !quotas) {
		no_memory(e);
		goto out;
	}
	if (policy_check_definition(d->policy, d->role, &def, e) < 0)
		goto out;
	placement_ask_definition(&ask, &def, uuid);
	placement_check_quotas(d->policy, d->rows, &ask, quotas);
	if (placement_error(quotas, &ask, e) < 0)
		goto out;
	if (copy_define(d->rows, &def, uuid, &f->row) < 0) {
		no_memory(e);
		goto out;
	}
	f->defines = true;
	add_definition(d, &def, uuid);
	subject(d, uuid);
	rc = 0;
out:
	free(quotas);
	return rc;
}

static int draft_define(struct draft *d, const struct operation *op, struct error *e)
{
	const struct definition *def = op->definition;
	struct command_row_partition *p = rows_partition(d->rows, def->name);
	struct definition resolved = *def;

	if (!p)
		return define(d, def, op->has_uuid ? op->uuid : NULL, e);
	if (policy_check_definition(d->policy, d->role, &resolved, e) < 0)
		return -1;
	subject(d, p->partition);
	if (definition_matches(d->rows, p, &resolved) &&
	    (!op->has_uuid || !memcmp(op->uuid, p->partition, UUID_LEN)))
		return draft_so_already(d, p);
	error_set(e, EXIT_CONFLICT, "there is a partition %s already, with another %s", p->name,
		  op->has_uuid && memcmp(op->uuid, p->partition, UUID_LEN) ? "UUID" :
		  "definition");
	return error_fix(e, "choose another name, or undefine it first: cmdpartctl undefine %s",
			 p->name);
}

static int undefine(struct draft *d, struct command_row_partition *p, uint64_t generation,
		    struct error *e)
{
	uint8_t uuid[UUID_LEN];

	if (draft_is_on(p))
		return draft_state_conflict(p, "stop it first: cmdpartctl stop %s", e);
	memcpy(uuid, p->partition, UUID_LEN);
	add_partition_record(d, COMMAND_PARTITION_UNDEFINE, uuid, generation);
	copy_remove_of(d->rows, COMMAND_ROW_DEVICE,
		       offsetof(struct command_row_device, partition), uuid);
	copy_remove_of(d->rows, COMMAND_ROW_PARTITION,
		       offsetof(struct command_row_partition, partition), uuid);
	return 0;
}

void draft_add_device_op(struct draft *d, enum command_type type, const uint8_t uuid[16],
			 const char *name)
{
	struct command_device_op *r = message_add(&d->message, type, 0);

	memcpy(r->partition, uuid, UUID_LEN);
	message_text(r->name, sizeof(r->name), name);
}

static void add_channel(struct draft *d, const struct placement_ask *ask, uint32_t i,
			const struct placement_servers *servers)
{
	char label[COMMAND_NAME_LEN + COMMAND_DEVICE_LEN + 16];
	struct command_channel_connect *connect;
	struct command_channel *create;
	uint8_t uuid[UUID_LEN];

	snprintf(label, sizeof(label), "channel %s/%s", ask->name, ask->device[i]);
	derive_uuid(uuid, d->request_id, label);
	create = message_add(&d->message, COMMAND_CHANNEL_CREATE, 0);
	memcpy(create->channel, uuid, UUID_LEN);
	memcpy(create->partition, ask->uuid, UUID_LEN);
	message_text(create->name, sizeof(create->name), ask->device[i]);
	connect = message_add(&d->message, COMMAND_CHANNEL_CONNECT, 0);
	memcpy(connect->channel, uuid, UUID_LEN);
	connect->servers = servers->count;
	memcpy(connect->server, servers->uuid, sizeof(connect->server));
}

static void add_contexts(struct draft *d, const struct placement_ask *ask,
			 const struct placement *placement)
{
	for (uint32_t i = 0; i < ask->vcpus; i++) {
		struct command_processor_assign *r =
			message_add(&d->message, COMMAND_PROCESSOR_ASSIGN, 0);

		memcpy(r->partition, ask->uuid, UUID_LEN);
		r->index = i;
		r->mode = ask->mode;
		r->flags = ask->flags;
		r->budget_ns = ask->budget_ns;
		r->period_ns = ask->period_ns;
		r->window_ns = ask->window_ns;
		r->window_start_ns = placement->window_start_ns[i];
		memcpy(r->cpus, placement->cpus[i].word, sizeof(r->cpus));
	}
}

static void add_start(struct draft *d, const struct placement_ask *ask,
		      const struct placement *placement, uint64_t generation)
{
	struct command_memory_assign *memory = message_add(&d->message, COMMAND_MEMORY_ASSIGN, 0);

	memcpy(memory->partition, ask->uuid, UUID_LEN);
	memory->bytes = ask->memory;
	memory->node = placement->node;
	memory->page_size = placement->huge_pages ? COMMAND_HUGE_PAGE : 0;
	add_contexts(d, ask, placement);
	for (uint32_t i = 0; i < ask->devices; i++) {
		draft_add_device_op(d, COMMAND_DEVICE_CLAIM, ask->uuid, ask->device[i]);
		add_channel(d, ask, i, &placement->servers[i]);
	}
	add_partition_record(d, COMMAND_PARTITION_START, ask->uuid, generation);
}

/* Places what the rows say of p, and starts it there. */
static int start(struct draft *d, const struct command_row_partition *p, struct error *e)
{
	uint64_t generation = p->r.generation;
	struct effect *f;

	if (!d->placement)
		d->placement = malloc(sizeof(*d->placement));
	f = new_effect(d);
	if (!d->placement || !f)
		return no_memory(e);
	placement_ask_rows(&d->ask, d->rows, p);
	placement_decide(d->policy, d->rows, &d->ask, d->placement);
	if (placement_error(d->placement, &d->ask, e) < 0)
		return -1;
	draft_set_talks(d, p);
	add_start(d, &d->ask, d->placement, generation);
	f->starts = true;
	f->ask = d->ask;
	f->placement = *d->placement;
	if (d->last)
		return 0;
	return placement_apply(d->rows, &d->ask, d->placement) < 0 ? no_memory(e) : 0;
}

static int draft_start(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0)
		return -1;
	switch (p->state) {
	case PARTITION_STARTING:
	case PARTITION_RUNNING:
		return draft_so_already(d, p);
	case PARTITION_PAUSED:
		return draft_state_conflict(p, "resume it: cmdpartctl resume %s", e);
	case PARTITION_STOPPING:
		return draft_state_conflict(p, "wait until it is off, or kill it:"
					    " cmdpartctl kill %s", e);
	default:
		return start(d, p, e);
	}
}

static int draft_stop(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0)
		return -1;
	if (!draft_is_on(p))
		return draft_so_already(d, p);
	add_partition_record(d, COMMAND_PARTITION_STOP, p->partition, op->generation);
	p->state = PARTITION_STOPPING;
	return 0;
}

static int draft_kill(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0)
		return -1;
	if (!draft_is_on(p))
		return draft_so_already(d, p);
	add_partition_record(d, COMMAND_PARTITION_KILL, p->partition, op->generation);
	copy_release(d->rows, p);
	return 0;
}

static int draft_pause(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);
	bool pause = op->kind == OPERATION_PAUSE;

	if (!p || draft_check_generation(op, p, e) < 0)
		return -1;
	if (p->state == (pause ? PARTITION_PAUSED : PARTITION_RUNNING))
		return draft_so_already(d, p);
	if (!draft_is_on(p))
		return draft_state_conflict(p, "start it first: cmdpartctl start %s", e);
	add_partition_record(d, pause ? COMMAND_PARTITION_PAUSE : COMMAND_PARTITION_RESUME,
			     p->partition, op->generation);
	p->state = pause ? PARTITION_PAUSED : PARTITION_RUNNING;
	return 0;
}

/* The row's section "cpus" with the changes, read as a definition's. */
static int changed_cpus(const struct command_row_partition *p, const json_t *changes,
			struct definition *def, struct error *e)
{
	json_t *cpus;
	int rc;

	memset(def, 0, sizeof(*def));
	def->vcpus = p->vcpus;
	def->mode = p->mode;
	def->budget_ns = p->budget_ns;
	def->period_ns = p->period_ns;
	def->realtime = p->flags & PROCESSOR_REALTIME;
	def->window_ns = p->window_ns;
	cpus = definition_cpus_to_json(def);
	json_object_update(cpus, (json_t *)changes);
	rc = definition_parse_cpus(def, cpus, "request", e);
	json_decref(cpus);
	return rc;
}

/* Its contexts are placed anew, where they are if that is possible, and its memory stays. */
static int place_again(struct draft *d, struct command_row_partition *p, struct error *e)
{
	if (!d->placement)
		d->placement = malloc(sizeof(*d->placement));
	if (!d->placement)
		return no_memory(e);
	placement_ask_rows(&d->ask, d->rows, p);
	placement_ask_again(&d->ask, d->rows);
	copy_release_contexts(d->rows, p);
	placement_decide_contexts(d->policy, d->rows, &d->ask, d->placement);
	if (placement_error(d->placement, &d->ask, e) < 0)
		return -1;
	add_contexts(d, &d->ask, d->placement);
	return placement_apply_contexts(d->rows, &d->ask, d->placement) < 0 ? no_memory(e) : 0;
}

static int assign_to_domain(struct draft *d, struct command_row_partition *p, const char *domain,
			    struct error *e)
{
	struct command_domain_assign *r;

	if (!strcmp(p->domain, domain))
		return draft_so_already(d, p);
	if (!rows_domain(d->rows, domain)) {
		error_set(e, EXIT_NOT_FOUND, "no domain is named %s", domain);
		return error_fix(e, "cmdpartctl domain shows those there are");
	}
	if (draft_is_on(p))
		return draft_state_conflict(p, "its domain changes while it is off:"
					    " cmdpartctl stop %s", e);
	r = message_add(&d->message, COMMAND_DOMAIN_ASSIGN, p->r.generation);
	memcpy(r->partition, p->partition, UUID_LEN);
	message_text(r->domain, sizeof(r->domain), domain);
	message_text(p->domain, sizeof(p->domain), domain);
	return 0;
}

static int change_cpus(struct draft *d, struct command_row_partition *p, const json_t *changes,
		       struct error *e)
{
	struct command_partition_modify *r;
	struct definition *def;
	int rc;

	if (p->state == PARTITION_STARTING)
		return draft_state_conflict(p, "wait until it runs: cmdpartctl show %s", e);
	def = malloc(sizeof(*def));
	if (!def)
		return no_memory(e);
	rc = changed_cpus(p, changes, def, e);
	if (rc < 0 || (p->budget_ns == def->budget_ns && p->period_ns == def->period_ns &&
		       !(p->flags & PROCESSOR_REALTIME) == !def->realtime &&
		       p->window_ns == def->window_ns)) {
		free(def);
		return rc < 0 ? rc : draft_so_already(d, p);
	}
	r = message_add(&d->message, COMMAND_PARTITION_MODIFY, p->r.generation);
	memcpy(r->partition, p->partition, UUID_LEN);
	r->mode = p->mode;
	r->flags = p->flags = def->realtime ? PROCESSOR_REALTIME : 0;
	r->budget_ns = p->budget_ns = def->budget_ns;
	r->period_ns = p->period_ns = def->period_ns;
	r->window_ns = p->window_ns = def->window_ns;
	free(def);
	return draft_is_on(p) ? place_again(d, p, e) : 0;
}

static int draft_modify(struct draft *d, const struct operation *op, struct error *e)
{
	const char *domain = json_string_value(json_object_get(op->changes, "domain"));
	const json_t *cpus = json_object_get(op->changes, "cpus");
	const json_t *devices = json_object_get(op->changes, "devices");
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0 ||
	    (domain && assign_to_domain(d, p, domain, e) < 0) ||
	    (devices && draft_change_devices(d, p, devices, e) < 0))
		return -1;
	return cpus ? change_cpus(d, p, cpus, e) : 0;
}

static int draft_undefine(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = draft_guest(d, op->name, e);

	if (!p || draft_check_generation(op, p, e) < 0)
		return -1;
	return undefine(d, p, op->generation, e);
}

static int draft_activate(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_partition *p = rows_partition(d->rows, op->definition->name), *same;
	struct definition resolved = *op->definition;
	char text[UUID_TEXT];

	same = rows_partition(d->rows, uuid_format(op->uuid, text));
	if (p != same) {
		error_set(e, EXIT_CONFLICT, same ? "the UUID %s is that of partition %s" :
			  "the name of partition %s%s is another partition's",
			  same ? text : p->name, same ? same->name : "");
		return error_fix(e, "choose another name, or undefine the other one first");
	}
	if (p && p->kind != PARTITION_GUEST)
		return error_set(e, EXIT_DENIED, "%s is a system partition", p->name);
	if (p && draft_is_on(p)) {
		subject(d, p->partition);
		return draft_so_already(d, p);
	}
	if (policy_check_definition(d->policy, d->role, &resolved, e) < 0)
		return -1;
	if (p && !definition_matches(d->rows, p, &resolved)) {
		if (undefine(d, p, p->r.generation, e) < 0)
			return -1;
		p = NULL;
	}
	if (!p && define(d, op->definition, op->uuid, e) < 0)
		return -1;
	p = rows_partition(d->rows, op->definition->name);
	subject(d, p->partition);
	return start(d, p, e);
}

int draft_add(struct draft *d, const struct operation *op, struct error *e)
{
	static int (*const add[])(struct draft *, const struct operation *, struct error *) = {
		[OPERATION_DEFINE] = draft_define,
		[OPERATION_UNDEFINE] = draft_undefine,
		[OPERATION_START] = draft_start,
		[OPERATION_STOP] = draft_stop,
		[OPERATION_KILL] = draft_kill,
		[OPERATION_PAUSE] = draft_pause,
		[OPERATION_RESUME] = draft_pause,
		[OPERATION_FAILOVER] = draft_failover,
		[OPERATION_RESET_DEVICE] = draft_reset_device,
		[OPERATION_RESIZE_DEVICE] = draft_resize_device,
		[OPERATION_MODIFY] = draft_modify,
		[OPERATION_CREATE_DOMAIN] = draft_create_domain,
		[OPERATION_MODIFY_DOMAIN] = draft_modify_domain,
		[OPERATION_DESTROY_DOMAIN] = draft_destroy_domain,
		[OPERATION_STOP_HOST] = draft_host,
		[OPERATION_START_HOST] = draft_host,
		[OPERATION_ACTIVATE] = draft_activate,
	};
	int rc = add[op->kind](d, op, e);

	if (!rc && d->message.failed) {
		error_set(e, EXIT_INVALID, "the transaction is too large");
		error_why(e, "a transaction has at most %u records and 256 KiB",
			  COMMAND_MAX_RECORDS);
		return error_fix(e, "split it");
	}
	return rc;
}

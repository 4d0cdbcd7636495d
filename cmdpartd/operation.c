/* SPDX-License-Identifier: Apache-2.0 */
/* Operations in JSON, and the effects of drafts that are under way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/json_file.h>
#include <common/reader.h>
#include <common/uuid.h>

#include "operation.h"

const char *operation_word(enum operation_kind kind)
{
	static const char *const words[] = {
		[OPERATION_DEFINE] = "define", [OPERATION_UNDEFINE] = "undefine",
		[OPERATION_START] = "start", [OPERATION_STOP] = "stop", [OPERATION_KILL] = "kill",
		[OPERATION_PAUSE] = "pause", [OPERATION_RESUME] = "resume",
		[OPERATION_FAILOVER] = "failover", [OPERATION_RESET_DEVICE] = "reset device",
		[OPERATION_RESIZE_DEVICE] = "resize device",
		[OPERATION_MODIFY] = "set", [OPERATION_CREATE_DOMAIN] = "create domain",
		[OPERATION_MODIFY_DOMAIN] = "set domain",
		[OPERATION_DESTROY_DOMAIN] = "destroy domain", [OPERATION_STOP_HOST] = "stop host",
		[OPERATION_START_HOST] = "start host", [OPERATION_ACTIVATE] = "activate",
	};

	return words[kind];
}

bool operation_is_of_partition(enum operation_kind kind)
{
	return kind <= OPERATION_MODIFY || kind == OPERATION_ACTIVATE;
}

struct operation *operations_add(struct operations *ops, enum operation_kind kind)
{
	struct operation *larger = realloc(ops->list, (ops->count + 1) * sizeof(*larger));

	if (!larger)
		return NULL;
	ops->list = larger;
	memset(&larger[ops->count], 0, sizeof(*larger));
	larger[ops->count].kind = kind;
	return &larger[ops->count++];
}

void operations_free(struct operations *ops)
{
	for (unsigned int i = 0; i < ops->count; i++) {
		free(ops->list[i].definition);
		json_decref(ops->list[i].changes);
	}
	free(ops->list);
	memset(ops, 0, sizeof(*ops));
}

int operation_parse_domain(struct operation *op, const char *prefix, const json_t *json,
			   struct error *e)
{
	static const char *const keys[] = { "name", "cpus", "memory", "frame_ms", "phase_us",
					    NULL };
	const struct reader r = { "request", NULL, e };
	char text[1024], key[READER_KEY];

	if (reader_object(&r, prefix, json, keys) < 0 ||
	    reader_name(&r, prefix, json, "name", true, op->name, sizeof(op->name)) < 0 ||
	    reader_text(&r, prefix, json, "cpus", "\"2-7\"", true, text, sizeof(text)) < 0 ||
	    reader_size(&r, prefix, json, "memory", true, DEFINITION_MEMORY_STEP,
			&op->domain.memory) < 0 ||
	    policy_read_frame(&r, prefix, json, &op->domain) < 0)
		return -1;
	if (!cpuset_parse(&op->domain.cpus, text) && cpuset_count(&op->domain.cpus))
		return 0;
	reader_fault(&r, reader_join(key, prefix, "cpus"), "\"%.64s\" is not a list of CPUs", text);
	return error_fix(e, "write it as \"2-7\" or \"2,4,6\"");
}

int operation_parse_domain_set(struct operation *op, const char *prefix, const json_t *json,
			       struct error *e)
{
	static const char *const keys[] = { "cpus", "memory", "frame_ms", "phase_us", NULL };
	const struct reader r = { "request", NULL, e };

	if (reader_object(&r, prefix, json, keys) < 0)
		return -1;
	if (!json_object_size(json)) {
		reader_fault(&r, prefix, "nothing is to be changed");
		return error_fix(e, "name cpus, memory, frame_ms or phase_us");
	}
	op->changes = json_copy((json_t *)json);
	return op->changes ? 0 : error_set(e, EXIT_FAILED, "out of memory");
}

int operation_parse_set(struct operation *op, const char *prefix, const json_t *json,
			struct error *e)
{
	static const char *const all[] = { "cpus", "domain", "devices", NULL };
	static const char *const of_device[] = { "limits", NULL };
	static const char *const keys[] = { "budget_ms", "period_ms", "realtime", "window_us",
					    NULL };
	const struct reader r = { "request", NULL, e };
	char key[READER_KEY], domain[COMMAND_NAME_LEN];
	json_t *cpus = NULL, *devices = NULL, *value;
	const char *name;

	if (reader_object(&r, prefix, json, all) < 0 ||
	    reader_get(&r, prefix, json, "devices", JSON_OBJECT,
		       "{ \"root\": { \"limits\": { } } }", false, &devices) < 0)
		return -1;
	json_object_foreach(devices, name, value) {
		snprintf(key, sizeof(key), "devices.%.64s", name);
		if (reader_object(&r, key, value, of_device) < 0)
			return -1;
	}
	if (reader_name(&r, prefix, json, "domain", false, domain, sizeof(domain)) < 0 ||
	    reader_get(&r, prefix, json, "cpus", JSON_OBJECT, "{ \"budget_ms\": 30 }",
		       !devices && !json_object_get(json, "domain"), &cpus) < 0 ||
	    (cpus && reader_object(&r, reader_join(key, prefix, "cpus"), cpus, keys) < 0)) {
		error_why(e, "only these can be changed: cpus.budget_ms, cpus.period_ms, "
			  "cpus.realtime, cpus.window_us, domain, devices.NAME.limits");
		return -1;
	}
	op->changes = json_copy((json_t *)json);
	return op->changes ? 0 : error_set(e, EXIT_FAILED, "out of memory");
}

static const struct {
	const char *key;
	enum operation_kind kind;
} verbs[] = {
	{ "define", OPERATION_DEFINE },
	{ "undefine", OPERATION_UNDEFINE },
	{ "start", OPERATION_START },
	{ "stop", OPERATION_STOP },
	{ "kill", OPERATION_KILL },
	{ "pause", OPERATION_PAUSE },
	{ "resume", OPERATION_RESUME },
	{ "failover", OPERATION_FAILOVER },
	{ "reset-device", OPERATION_RESET_DEVICE },
	{ "resize-device", OPERATION_RESIZE_DEVICE },
	{ "set", OPERATION_MODIFY },
	{ "create-domain", OPERATION_CREATE_DOMAIN },
	{ "set-domain", OPERATION_MODIFY_DOMAIN },
	{ "destroy-domain", OPERATION_DESTROY_DOMAIN },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* { "partition": "web1", "device": "root" } */
static int parse_device(struct operation *op, const char *prefix, const json_t *json,
			struct error *e)
{
	static const char *const keys[] = { "partition", "device", NULL };
	const struct reader r = { "request", NULL, e };

	return reader_object(&r, prefix, json, keys) < 0 ||
	       reader_text(&r, prefix, json, "partition", "\"web1\"", true, op->name,
			   sizeof(op->name)) < 0 ||
	       reader_name(&r, prefix, json, "device", true, op->device,
			   sizeof(op->device)) < 0 ? -1 : 0;
}

/* What changes, with the name of what it is of: { "partition": "web1", "domain": "batch" }. */
static int parse_changes(struct operation *op, const char *prefix, const json_t *json,
			 struct error *e)
{
	const bool domain = op->kind == OPERATION_MODIFY_DOMAIN;
	const struct reader r = { "request", NULL, e };
	json_t *changes;
	int rc;

	if (reader_text(&r, prefix, json, domain ? "name" : "partition", "\"web1\"", true,
			op->name, sizeof(op->name)) < 0)
		return -1;
	changes = json_copy((json_t *)json);
	if (!changes)
		return error_set(e, EXIT_FAILED, "out of memory");
	json_object_del(changes, domain ? "name" : "partition");
	rc = domain ? operation_parse_domain_set(op, prefix, changes, e) :
	     operation_parse_set(op, prefix, changes, e);
	json_decref(changes);
	return rc;
}

static int parse_one(struct operations *ops, unsigned int index, const json_t *json,
		     struct error *e)
{
	const char *keys[VERBS + 1] = { NULL }, *verb;
	const struct reader r = { "request", NULL, e };
	char prefix[64], source[96];
	const json_t *value;
	struct operation *op;
	size_t i;

	for (i = 0; i < VERBS; i++)
		keys[i] = verbs[i].key;
	snprintf(prefix, sizeof(prefix), "operations[%u]", index);
	if (reader_object(&r, prefix, json, keys) < 0)
		return -1;
	if (json_object_size(json) != 1) {
		reader_fault(&r, prefix, "has %zu keys", json_object_size(json));
		return error_fix(e, "write one operation in each object: { \"start\": \"web1\" }");
	}
	verb = json_object_iter_key(json_object_iter((json_t *)json));
	value = json_object_get(json, verb);
	for (i = 0; strcmp(verbs[i].key, verb); i++)
		;
	op = operations_add(ops, verbs[i].kind);
	if (!op)
		return error_set(e, EXIT_FAILED, "out of memory");
	switch (op->kind) {
	case OPERATION_DEFINE:
		snprintf(source, sizeof(source), "request: %s.define", prefix);
		op->definition = malloc(sizeof(*op->definition));
		return op->definition ? definition_parse(op->definition, value, source, NULL, e) :
					error_set(e, EXIT_FAILED, "out of memory");
	case OPERATION_CREATE_DOMAIN:
		return operation_parse_domain(op, prefix, value, e);
	case OPERATION_MODIFY:
	case OPERATION_MODIFY_DOMAIN:
	case OPERATION_FAILOVER:
	case OPERATION_RESET_DEVICE:
	case OPERATION_RESIZE_DEVICE:
		if (!json_is_object(value)) {
			reader_fault(&r, prefix, "\"%s\" is not an object", verb);
			return error_fix(e, "see docs/resource-service.md");
		}
		return op->kind == OPERATION_MODIFY || op->kind == OPERATION_MODIFY_DOMAIN ?
		       parse_changes(op, prefix, value, e) : parse_device(op, prefix, value, e);
	default:
		return reader_text(&r, prefix, json, verb, "\"web1\"", true, op->name,
				   sizeof(op->name)) < 0 ? -1 : 0;
	}
}

int operations_parse(struct operations *ops, const json_t *array, struct error *e)
{
	const struct reader r = { "request", NULL, e };

	if (!json_array_size(array) || json_array_size(array) > OPERATIONS_MAX) {
		reader_fault(&r, "operations", "has %zu operations", json_array_size(array));
		return error_fix(e, "write 1 to %u", OPERATIONS_MAX);
	}
	for (size_t i = 0; i < json_array_size(array); i++)
		if (parse_one(ops, i, json_array_get(array, i), e) < 0)
			return -1;
	return 0;
}

static struct command_row_partition *find(const struct rows *rows, const uint8_t *uuid)
{
	for (rows_each(rows, PARTITION, partition, p))
		if (!memcmp(p->partition, uuid, UUID_LEN))
			return p;
	return NULL;
}

void effects_move(struct effects *to, struct effects *from)
{
	LIST_INIT(to);
	if (LIST_EMPTY(from))
		return;
	to->lh_first = from->lh_first;
	to->lh_first->entry.le_prev = &to->lh_first;
	LIST_INIT(from);
}

void effects_free(struct effects *effects)
{
	struct effect *f;

	while ((f = LIST_FIRST(effects))) {
		LIST_REMOVE(f, entry);
		free(f);
	}
}

static bool defines(const struct effects *effects, const uint8_t uuid[16])
{
	const struct effect *f;

	LIST_FOREACH(f, effects, entry)
		if (f->defines && !memcmp(f->row.partition, uuid, UUID_LEN))
			return true;
	return false;
}

int effects_apply(const struct effects *effects, struct rows *rows)
{
	struct command_row_partition *p;
	struct effect *f;
	int rc = 0;

	/*
	 * A partition is there before it is started, in whatever order the list has them.
	 * Generations are those that a commit leaves: what rests on one that is refused is
	 * refused, too.
	 */
	LIST_FOREACH(f, effects, entry) {
		if (!f->defines || rc || find(rows, f->row.partition))
			continue;
		f->row.r.generation = 1;
		rc = rows_add(rows, &f->row.r);
	}
	LIST_FOREACH(f, effects, entry) {
		p = f->starts && !rc ? find(rows, f->ask.uuid) : NULL;
		if (!p || p->memory_assigned)
			continue;
		p->r.generation += !defines(effects, f->ask.uuid);
		rc = placement_apply(rows, &f->ask, &f->placement);
	}
	return rc;
}

void derive_uuid(uint8_t out[16], const uint8_t request_id[16], const char *label)
{
	uint64_t hash[2] = { 0xcbf29ce484222325ull, 0x6c62272e07bb0142ull };

	/* FNV-1a twice, from two starts; a collision would only be refused by uvd. */
	for (int h = 0; h < 2; h++) {
		for (int i = 0; i < 16; i++)
			hash[h] = (hash[h] ^ request_id[i]) * 0x100000001b3ull;
		for (const char *c = label; *c; c++)
			hash[h] = (hash[h] ^ (unsigned char)*c) * 0x100000001b3ull;
		hash[h] ^= hash[h] >> 29;
	}
	memcpy(out, hash, 16);
	out[6] = (out[6] & 0x0f) | 0x80;	/* RFC 9562, version 8: our own derivation */
	out[8] = (out[8] & 0x3f) | 0x80;
}

static const struct command_row_device *device(const struct rows *rows, const uint8_t *uuid,
					       const char *name)
{
	for (rows_each(rows, DEVICE, device, d))
		if (!memcmp(d->partition, uuid, UUID_LEN) && !strcmp(d->name, name))
			return d;
	return NULL;
}

static bool device_matches(const struct command_row_device *row, const uint8_t *uuid,
			   const struct definition_device *v)
{
	struct command_settings settings = v->settings;
	uint8_t mac[6];

	/* What the policy said then and says now is no part of a definition. */
	if (row)
		memcpy(settings.talks, row->settings.talks, sizeof(settings.talks));
	if (!row || row->device != v->type || strcmp(row->path, v->path) ||
	    strcmp(row->bridge, v->bridge) ||
	    memcmp(&row->settings, &settings, sizeof(settings)) ||
	    (row->flags & DEVICE_READONLY) != (v->readonly ? DEVICE_READONLY : 0))
		return false;
	if (v->type != DEVICE_NETWORK)
		return true;
	if (v->has_mac)
		memcpy(mac, v->mac, 6);
	else
		definition_derive_mac(mac, uuid, v->name);
	return !memcmp(row->mac, mac, 6);
}

bool definition_matches(const struct rows *rows, const struct command_row_partition *p,
			const struct definition *d)
{
	uint32_t rank = 0;

	if (strcmp(p->name, d->name) || strcmp(p->domain, d->domain) || p->vcpus != d->vcpus ||
	    p->mode != d->mode || p->budget_ns != d->budget_ns || p->period_ns != d->period_ns ||
	    !(p->flags & PROCESSOR_REALTIME) != !d->realtime || p->window_ns != d->window_ns ||
	    p->lease_ns != d->lease_ns || p->memory != d->memory || strcmp(p->kernel, d->kernel) ||
	    strcmp(p->initrd, d->initrd) || strcmp(p->cmdline, d->cmdline) ||
	    p->devices != d->devices)
		return false;
	for (uint32_t i = 0; i < d->devices; i++) {
		const struct command_row_device *v = device(rows, p->partition, d->device[i].name);

		/* Their order is what names the guest's disks. */
		if (!device_matches(v, p->partition, &d->device[i]) || (i && v->rank <= rank))
			return false;
		rank = v->rank;
	}
	return true;
}

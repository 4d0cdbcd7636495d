/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as JSON. A number that a row does not have is null, never a made-up one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/cpuset.h>
#include <common/definition.h>
#include <common/uuid.h>
#include <linux/ultravisor.h>
#include <ultravisor/io.h>

#include "render.h"

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

json_t *render_uuid(const uint8_t uuid[16])
{
	char text[UUID_TEXT];

	return uuid_is_zero(uuid) ? json_null() : json_string(uuid_format(uuid, text));
}

static json_t *cpus(const uint64_t words[COMMAND_CPU_WORDS])
{
	char text[4096];

	cpuset_format((const struct cpuset *)words, text, sizeof(text));
	return json_string(text);
}

static const char *word(const char *const *words, size_t n, uint32_t value)
{
	return value < n && words[value] ? words[value] : "unknown";
}

#define WORD(words, value) word(words, sizeof(words) / sizeof(words[0]), value)

const char *render_state(uint32_t state)
{
	static const char *const words[] = {
		[PARTITION_DEFINED] = "defined", [PARTITION_STARTING] = "starting",
		[PARTITION_RUNNING] = "running", [PARTITION_PAUSED] = "paused",
		[PARTITION_STOPPING] = "stopping", [PARTITION_FAILED] = "failed",
	};

	return WORD(words, state);
}

const char *render_kind(uint32_t kind)
{
	static const char *const words[] = {
		[PARTITION_GUEST] = "guest", [PARTITION_IO] = "io",
		[PARTITION_COMMAND] = "command", [PARTITION_OPERATIONS] = "operations",
		[PARTITION_ULTRAVISOR] = "ultravisor",
	};

	return WORD(words, kind);
}

static const char *mode_word(uint32_t mode)
{
	return mode == MODE_DEDICATED ? "dedicated" : mode == MODE_SHARED ? "shared" :
	       mode == MODE_WINDOW ? "window" : "none";
}

static const char *device_word(uint32_t device)
{
	static const char *const words[] = {
		[DEVICE_BLOCK] = "block", [DEVICE_NETWORK] = "network",
		[DEVICE_CONSOLE] = "console",
	};

	return WORD(words, device);
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static void set_number(json_t *o, const char *key, uint64_t value)
{
	set(o, key, json_integer(value));
}

static void set_text(json_t *o, const char *key, const char *value)
{
	set(o, key, json_string(value));
}

/* null: it has none; what belongs to a run is null while it is off. */
static json_t *lease(const struct command_row_partition *p)
{
	json_t *o;

	if (!p->lease_ns)
		return json_null();
	o = json_pack("{s:I}", "seconds", (json_int_t)(p->lease_ns / NS_PER_S));
	set(o, "epoch", p->lease_epoch ? json_integer(p->lease_epoch) : json_null());
	set(o, "left_ms", p->lease_epoch ? json_integer(p->lease_left_ns / NS_PER_MS) :
	    json_null());
	set(o, "expired", p->lease_epoch ? json_boolean(p->lease_expired) : json_null());
	return o;
}

json_t *render_partition(const struct command_row_partition *p)
{
	json_t *o = json_object();

	set_text(o, "name", p->name);
	set(o, "uuid", render_uuid(p->partition));
	set_text(o, "kind", render_kind(p->kind));
	set_text(o, "domain", p->domain);
	set_text(o, "state", render_state(p->state));
	set_number(o, "generation", p->r.generation);
	set(o, "changed", json_pack("{s:I, s:o}", "transaction", (json_int_t)p->changed, "who",
				    json_string(p->changed_by)));
	set_number(o, "vcpus", p->vcpus);
	set_text(o, "mode", mode_word(p->mode));
	set_number(o, "budget_ms", p->budget_ns / NS_PER_MS);
	set_number(o, "period_ms", p->period_ns / NS_PER_MS);
	set(o, "realtime", json_boolean(p->flags & PROCESSOR_REALTIME));
	set_number(o, "window_us", p->window_ns / NS_PER_US);
	set(o, "lease", lease(p));
	set_number(o, "memory", p->memory);
	set_number(o, "memory_assigned", p->memory_assigned);
	set(o, "node", p->memory_assigned ? json_integer(p->node) : json_null());
	set_number(o, "pid", p->pid);
	set_number(o, "started", p->started_ns);
	set_number(o, "run_ns", p->run_ns);
	set_number(o, "exits", p->exits);
	set_number(o, "stolen_ns", p->stolen_ns);
	set_number(o, "reboots", p->reboots);
	set_number(o, "device_count", p->devices);
	set_text(o, "kernel", p->kernel);
	set_text(o, "initrd", p->initrd);
	set_text(o, "cmdline", p->cmdline);
	set_text(o, "reason", p->reason);
	return o;
}

json_t *render_device(const struct command_row_device *d)
{
	json_t *o = json_object();
	char mac[18];

	set_text(o, "partition", d->partition_name);
	set_text(o, "name", d->name);
	set_text(o, "type", device_word(d->device));
	set(o, "readonly", json_boolean(d->flags & DEVICE_READONLY));
	set_text(o, "path", d->path);
	set_text(o, "bridge", d->bridge);
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", d->mac[0], d->mac[1],
		 d->mac[2], d->mac[3], d->mac[4], d->mac[5]);
	set_text(o, "mac", d->device == DEVICE_NETWORK ? mac : "");
	set_text(o, "tap", d->tap);
	set_number(o, "queues", d->settings.queues);
	set_number(o, "vlan", d->settings.vlan);
	set_text(o, "serial", d->settings.serial);
	set_text(o, "zone", d->settings.zone);
	set_text(o, "talks", d->settings.talks);
	set(o, "addresses", definition_addresses_to_json(&d->settings));
	set(o, "limits", d->device == DEVICE_CONSOLE ? json_object() :
	    definition_limits_to_json(d->device, &d->settings));
	set_number(o, "size", d->size);
	set(o, "claimed", json_boolean(d->claimed));
	set_number(o, "generation", d->r.generation);
	return o;
}

const char *render_channel_type(uint32_t type)
{
	static const char *const types[] = {
		[CHANNEL_COMMAND] = "command", [CHANNEL_MONITOR] = "monitor",
		[CHANNEL_BLOCK] = "block", [CHANNEL_NETWORK] = "network",
		[CHANNEL_CONSOLE] = "console",
	};

	return WORD(types, type);
}

json_t *render_channel(const struct command_row_channel *c)
{
	static const char *const states[] = {
		[ULTRAVISOR_SLOT_EMPTY] = "empty", [ULTRAVISOR_SLOT_ABSENT] = "absent",
		[ULTRAVISOR_SLOT_STANDBY] = "standby", [ULTRAVISOR_SLOT_SERVING] = "serving",
	};
	json_t *o = json_object(), *servers = json_array();

	for (uint32_t i = 0; i < c->servers && i < COMMAND_MAX_SERVERS; i++)
		json_array_append_new(servers, json_pack("{s:o, s:s}", "name",
				      json_string(c->server_name[i]), "state",
				      WORD(states, c->slot_state[i])));
	set(o, "uuid", render_uuid(c->channel));
	set_text(o, "partition", c->partition_name);
	set_text(o, "device", c->name);
	set_text(o, "type", render_channel_type(c->type));
	set_number(o, "epoch", c->epoch);
	set(o, "servers", servers);
	return o;
}

const char *render_exit(uint32_t kind)
{
	static const char *const kinds[ULTRAVISOR_EXIT_NR] = {
		[ULTRAVISOR_EXIT_PIO] = "pio", [ULTRAVISOR_EXIT_MMIO] = "mmio",
		[ULTRAVISOR_EXIT_HLT] = "hlt", [ULTRAVISOR_EXIT_INTR] = "intr",
		[ULTRAVISOR_EXIT_SHUTDOWN] = "shutdown", [ULTRAVISOR_EXIT_FAIL] = "fail",
		[ULTRAVISOR_EXIT_OTHER] = "other",
	};

	return WORD(kinds, kind);
}

json_t *render_context(const struct command_row_context *c)
{
	json_t *o = json_object(), *exits = json_object();

	set_text(o, "partition", c->partition_name);
	set_number(o, "index", c->index);
	set_text(o, "mode", mode_word(c->mode));
	set_number(o, "budget_ms", c->budget_ns / NS_PER_MS);
	set_number(o, "period_ms", c->period_ns / NS_PER_MS);
	set(o, "realtime", json_boolean(c->flags & PROCESSOR_REALTIME));
	set_number(o, "window_start_us", c->window_start_ns / NS_PER_US);
	set_number(o, "window_us", c->window_ns / NS_PER_US);
	set(o, "cpus", cpus(c->cpus));
	set_number(o, "run_ns", c->run_ns);
	set_number(o, "stolen_ns", c->stolen_ns);
	set_number(o, "rested_ns", c->rested_ns);
	set_number(o, "throttled", c->throttled);
	set_number(o, "forced", c->forced);
	set_number(o, "windows", c->windows);
	set_number(o, "late_max_ns", c->late_max_ns);
	set_number(o, "overruns", c->overruns);
	set_number(o, "overrun_max_ns", c->overrun_max_ns);
	for (uint32_t i = 0; i < ULTRAVISOR_EXIT_NR; i++)
		set_number(exits, render_exit(i), c->exits[i]);
	set(o, "exits", exits);
	return o;
}

static const char *status_word(uint32_t status)
{
	static const char *const words[] = {
		[COMMAND_OK] = "ok", [COMMAND_FAILED] = "failed", [COMMAND_INVALID] = "invalid",
		[COMMAND_NOT_FOUND] = "not_found", [COMMAND_CONFLICT] = "conflict",
		[COMMAND_RESOURCES] = "resources", [COMMAND_DENIED] = "denied",
		[COMMAND_READ_ONLY] = "read_only",
	};

	return WORD(words, status);
}

json_t *render_ledger(const struct command_row_ledger *l)
{
	json_t *o = json_object();

	set_number(o, "transaction", l->transaction);
	set_number(o, "time", l->time_ns);
	set(o, "request_id", render_uuid(l->request_id));
	set_text(o, "status", status_word(l->status));
	set_number(o, "operations", l->operations);
	set_number(o, "uid", l->uid);
	set(o, "pid", l->pid ? json_integer(l->pid) : json_null());
	set_text(o, "who", l->who);
	set(o, "epoch", l->epoch ? json_integer(l->epoch) : json_null());
	set_text(o, "subject", l->subject);
	set_text(o, "summary", l->summary);
	set_text(o, "reason", l->reason);
	set_text(o, "text", l->text);
	return o;
}

json_t *render_history(const struct command_row_history *h)
{
	json_t *o = json_object(), *row = json_loads(h->row, 0, NULL);

	set_number(o, "id", h->id);
	set_text(o, "noun", h->noun);
	set_text(o, "key", h->key);
	set_text(o, "part", h->part);
	set_text(o, "owner", h->owner);
	set_number(o, "transaction", h->transaction);
	set_number(o, "since", h->since_ns);
	set_text(o, "who", h->who);
	/* Transaction 0 is the first inventory, and ends nothing. */
	set(o, "ended", h->until_ns ? json_integer(h->ended) : json_null());
	set(o, "until", h->until_ns ? json_integer(h->until_ns) : json_null());
	set(o, "row", row ? row : json_null());
	return o;
}

json_t *render_host(const struct command_row_host *h)
{
	json_t *o = json_object();

	set_text(o, "name", h->name);
	set(o, "uuid", render_uuid(h->host));
	set(o, "instance", render_uuid(h->instance));
	set(o, "memory", json_pack("{s:I, s:I, s:I}", "total", (json_int_t)h->memory_total,
				   "pool", (json_int_t)h->memory_pool, "assigned",
				   (json_int_t)h->memory_assigned));
	set(o, "cpus", json_pack("{s:i, s:i, s:o}", "total", (int)h->cpus_total, "pool",
				 (int)h->cpus_pool, "list", cpus(h->cpus)));
	set(o, "pool_is_default", json_boolean(h->pool_is_default));
	set_text(o, "pool_reason", h->pool_reason);
	set_number(o, "transactions", h->transactions);
	set(o, "stopping", json_boolean(h->stopping));
	set(o, "read_only", json_boolean(h->read_only));
	return o;
}

json_t *render_processor(const struct command_row_processor *p)
{
	json_t *o = json_object();

	set_number(o, "cpu", p->cpu);
	set_number(o, "node", p->node);
	set_number(o, "package", p->package);
	set_number(o, "core", p->core);
	set(o, "siblings", cpus(p->siblings));
	set(o, "in_pool", json_boolean(p->in_pool));
	set_text(o, "domain", p->domain);
	set_text(o, "owner", p->owner_name);
	set_number(o, "contexts", p->contexts);
	set_number(o, "windows", p->windows);
	set_number(o, "realtime_ppm", p->realtime_ppm);
	set_number(o, "frame_us", p->frame_ns / NS_PER_US);
	return o;
}

json_t *render_node(const struct command_row_memory *m)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I}", "node", (int)m->node, "total",
			 (json_int_t)m->total, "pool", (json_int_t)m->pool, "assigned",
			 (json_int_t)m->assigned, "huge_free",
			 (json_int_t)m->huge_free * COMMAND_HUGE_PAGE);
}

json_t *render_domain(const struct command_row_domain *d, const struct rows *rows)
{
	json_t *o = json_object();
	unsigned int dedicated = 0;

	for (rows_each(rows, PROCESSOR, processor, p))
		dedicated += !strcmp(p->domain, d->name) && !uuid_is_zero(p->owner);
	set_text(o, "name", d->name);
	set_number(o, "generation", d->r.generation);
	set(o, "cpus", cpus(d->cpus));
	set_number(o, "cpu_count", cpuset_count((const struct cpuset *)d->cpus));
	set_number(o, "cpus_dedicated", dedicated);
	set_number(o, "memory", d->memory);
	set_number(o, "memory_assigned", d->memory_assigned);
	set_number(o, "partitions", d->partitions);
	set_number(o, "frame_us", d->frame_ns / NS_PER_US);
	set_number(o, "phase_us", d->phase_ns / NS_PER_US);
	return o;
}

json_t *render_compared(const struct command_row_compared *c)
{
	json_t *o = json_object();

	set_text(o, "what", c->what);
	set_number(o, "compared", c->compared);
	set_number(o, "differences", c->differences);
	return o;
}

json_t *render_difference(const struct command_row_difference *d)
{
	json_t *o = json_object();

	set_text(o, "what", d->what);
	set_text(o, "where", d->where);
	set_text(o, "missing", d->missing);
	set_text(o, "fix", d->fix);
	return o;
}

json_t *render_event(const struct command_row_event *e)
{
	static const char *const kinds[] = {
		[COMMAND_EVENT_GAP] = "gap", [COMMAND_EVENT_STARTED] = "started",
		[COMMAND_EVENT_COMMITTED] = "committed", [COMMAND_EVENT_REFUSED] = "refused",
		[COMMAND_EVENT_STATE] = "state", [COMMAND_EVENT_CONNECTED] = "connected",
		[COMMAND_EVENT_DISCONNECTED] = "disconnected",
		[COMMAND_EVENT_PROMOTED] = "server_promoted",
		[COMMAND_EVENT_LOST] = "server_lost", [COMMAND_EVENT_HUNG] = "server_hung",
		[COMMAND_EVENT_UNSERVED] = "unserved",
		[COMMAND_EVENT_LEASE_EXPIRED] = "lease_expired",
		[COMMAND_EVENT_LEASE_RENEWED] = "lease_renewed",
	};
	json_t *o = json_object();
	char instance[UUID_TEXT];

	set_number(o, "number", e->number);
	set(o, "cursor", json_sprintf("%s.%llu", uuid_format(e->instance, instance),
				      (unsigned long long)e->number));
	set_number(o, "time", e->time_ns);
	set_text(o, "kind", WORD(kinds, e->kind));
	set_text(o, "partition", e->partition);
	set(o, "transaction", e->transaction ? json_integer(e->transaction) : json_null());
	set(o, "request_id", render_uuid(e->request_id));
	set(o, "status", e->transaction ? json_string(status_word(e->status)) : json_null());
	set(o, "state", e->state ? json_string(render_state(e->state)) : json_null());
	set_text(o, "text", e->text);
	return o;
}

json_t *render_list(const struct rows *rows, enum command_type type)
{
	json_t *list = json_array(), *o = NULL;

	for (size_t i = 0; i < rows_count(rows, type); i++) {
		const void *row = rows_at(rows, type, i);

		switch (type) {
		case COMMAND_ROW_PARTITION:	o = render_partition(row); break;
		case COMMAND_ROW_DEVICE:	o = render_device(row); break;
		case COMMAND_ROW_CHANNEL:	o = render_channel(row); break;
		case COMMAND_ROW_CONTEXT:	o = render_context(row); break;
		case COMMAND_ROW_LEDGER:	o = render_ledger(row); break;
		case COMMAND_ROW_HISTORY:	o = render_history(row); break;
		case COMMAND_ROW_COMPARED:	o = render_compared(row); break;
		case COMMAND_ROW_DIFFERENCE:	o = render_difference(row); break;
		case COMMAND_ROW_PROCESSOR:	o = render_processor(row); break;
		case COMMAND_ROW_MEMORY:	o = render_node(row); break;
		case COMMAND_ROW_DOMAIN:	o = render_domain(row, rows); break;
		case COMMAND_ROW_HOST:		o = render_host(row); break;
		default:			return list;
		}
		json_array_append_new(list, o);
	}
	return list;
}

json_t *render_map(const struct rows *rows)
{
	static const struct {
		const char *key;
		enum command_type type;
	} lists[] = {
		{ "processors", COMMAND_ROW_PROCESSOR }, { "nodes", COMMAND_ROW_MEMORY },
		{ "domains", COMMAND_ROW_DOMAIN }, { "partitions", COMMAND_ROW_PARTITION },
		{ "contexts", COMMAND_ROW_CONTEXT }, { "devices", COMMAND_ROW_DEVICE },
		{ "channels", COMMAND_ROW_CHANNEL },
	};
	json_t *map = json_object();

	if (rows_count(rows, COMMAND_ROW_HOST))
		set(map, "host", render_host(rows_at(rows, COMMAND_ROW_HOST, 0)));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		set(map, lists[i].key, render_list(rows, lists[i].type));
	return map;
}

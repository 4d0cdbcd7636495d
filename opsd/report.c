/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: rows into JSON, nothing else. */
#include <errno.h>
#include <string.h>

#include "ops.h"
#include "report.h"

static json_t *or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

#define NUMBER(value) ((json_int_t)(value))

/* ---- hosts and domains */

static json_t *host_json(const struct host *h)
{
	static const char *const states[] = { "unknown", "up", "down" };
	const struct store_host *r = &h->row;

	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name", r->name,
			 "socket", r->socket, "uuid", or_null(r->uuid), "state", states[r->state],
			 "reason", r->why, "cpus", NUMBER(r->cpus), "memory", NUMBER(r->memory),
			 "memory_assigned", NUMBER(r->memory_assigned), "partitions",
			 NUMBER(h->partitions), "added", NUMBER(r->added_ns), "seen",
			 NUMBER(r->seen_ns));
}

json_t *report_hosts(struct ops *ops)
{
	json_t *list = json_array();
	struct host *h;

	TAILQ_FOREACH(h, &ops->hosts, link)
		json_array_append_new(list, host_json(h));
	return json_pack("{s:i, s:o}", "schema_version", 1, "hosts", list);
}

json_t *report_domains(struct ops *ops)
{
	json_t *list = json_array();
	struct host *h;
	size_t i;

	TAILQ_FOREACH(h, &ops->hosts, link) {
		for (i = 0; i < h->domains; i++) {
			const struct store_domain *d = &h->domain[i];

			json_array_append_new(list, json_pack(
				"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b}", "host", d->host, "name",
				d->name, "cpus", d->cpus, "cpus_free", NUMBER(d->cpus_free),
				"memory", NUMBER(d->memory), "memory_assigned",
				NUMBER(d->memory_assigned), "partitions", NUMBER(d->partitions),
				"current", h->row.state == HOST_UP));
		}
	}
	return json_pack("{s:i, s:o}", "schema_version", 1, "domains", list);
}

/* ---- partitions */

static json_t *partition_json(struct ops *ops, const struct partition *p)
{
	const struct activation *a = activation_of(ops, p->row.name);
	const struct host *h = host_find(&ops->hosts, p->row.host);
	const struct store_partition *r = &p->row;

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:I, s:b, s:I, s:s, s:I, s:I, s:I, s:o, s:o}",
		"name", r->name, "uuid", r->uuid, "desired", r->active ? "active" : "inactive",
		"host", or_null(r->host), "domain", r->domain, "state", or_null(r->seen), "reason",
		r->reason, "state_since", NUMBER(r->seen_ns), "current",
		h && h->row.state == HOST_UP, "vcpus", NUMBER(p->definition.vcpus), "mode",
		p->definition.mode == MODE_DEDICATED ? "dedicated" : "shared", "memory",
		NUMBER(p->definition.memory), "generation", NUMBER(p->generation), "changed",
		NUMBER(p->changed_ns), "activation", or_null(a ? a->row.id : NULL), "doing",
		or_null(a ? activation_verb(a) : NULL));
}

json_t *report_partitions(struct ops *ops)
{
	json_t *list = json_array();
	struct partition *p;

	TAILQ_FOREACH(p, &ops->partitions, link)
		json_array_append_new(list, partition_json(ops, p));
	return json_pack("{s:i, s:o}", "schema_version", 1, "partitions", list);
}

json_t *report_partition(struct ops *ops, const char *name, struct error *e)
{
	struct partition *p = partition_find(ops, name);
	json_t *reply;

	if (!p) {
		error_set(e, EXIT_NOT_FOUND, "no partition is named %.64s", name);
		error_fix(e, "see opsctl list");
		return NULL;
	}
	reply = json_pack("{s:i, s:o, s:O}", "schema_version", 1, "partition",
			  partition_json(ops, p), "definition", p->json);
	if (!reply)
		error_set(e, EXIT_FAILED, "out of memory");
	return reply;
}

/* ---- activations */

static json_t *activation_json(const struct store_activation *r)
{
	static const char *const states[] = { "open", "done", "failed" };
	json_t *failure = r->error ? json_loads(r->error, 0, NULL) : NULL;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:I, s:I}", "id", r->id,
			 "verb", r->verb == VERB_ACTIVATE ? "activate" : "deactivate", "partition",
			 r->partition, "uuid", r->uuid, "who", r->who, "uid", NUMBER(r->uid),
			 "timeout_s", NUMBER(r->timeout_s), "state", states[r->state], "error",
			 failure ? failure : json_null(), "opened", NUMBER(r->opened_ns), "closed",
			 NUMBER(r->closed_ns));
}

static json_t *claim_json(const struct store_claim *r)
{
	static const char *const states[] = { "claimed", "done", "refused", "unreachable" };
	json_t *failure = r->error ? json_loads(r->error, 0, NULL) : NULL;

	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:o, s:I, s:I}", "request_id", r->request_id,
			 "host", r->host, "epoch", NUMBER(r->epoch), "state", states[r->state],
			 "transaction", NUMBER(r->transaction), "error",
			 failure ? failure : json_null(), "claimed", NUMBER(r->claimed_ns),
			 "settled", NUMBER(r->settled_ns));
}

struct gathering {
	json_t *activation, *activations, *claims, *events;
};

static void on_activation(const struct store_activation *row, void *data)
{
	struct gathering *g = data;
	json_t *object = activation_json(row);

	if (g->activations) {
		json_array_append_new(g->activations, object);
	} else {
		json_decref(g->activation);
		g->activation = object;
	}
}

static void on_claim(const struct store_claim *row, void *data)
{
	struct gathering *g = data;

	json_array_append_new(g->claims, claim_json(row));
}

static int unreadable(struct ops *ops, int rc, struct error *e)
{
	error_set(e, EXIT_FAILED, "opsd's store cannot be read: %s", strerror(-rc));
	return error_why(e, "%s", store_why(ops->store));
}

json_t *report_activation(struct ops *ops, const char *id, struct error *e)
{
	struct gathering g = { .claims = json_array() };
	struct store_visitor v = { .activation = on_activation, .claim = on_claim, .data = &g };
	const struct activation *a = activation_find(ops, id);
	json_t *reply = NULL;
	int rc;

	rc = store_activation(ops->store, id, &v);
	if (rc == -ENOENT && a) {
		/* Hosts are being asked still, or the store cannot be written. */
		g.activation = activation_json(&a->row);
		if (a->row.state == ACTIVATION_FAILED)
			json_object_set_new(g.activation, "error", error_to_json(&a->error));
	} else if (rc == -ENOENT) {
		error_set(e, EXIT_NOT_FOUND, "no activation has the id %.40s", id);
		error_why(e, "the newest %d closed ones are kept", STORE_KEEP_ACTIVATIONS);
	} else if (rc) {
		unreadable(ops, rc, e);
	}
	if (g.activation) {
		json_object_set(g.activation, "claims", g.claims);
		reply = json_pack("{s:i, s:O}", "schema_version", 1, "activation", g.activation);
		if (!reply)
			error_set(e, EXIT_FAILED, "out of memory");
	}
	json_decref(g.activation);
	json_decref(g.claims);
	return reply;
}

json_t *report_activations(struct ops *ops, uint32_t limit, struct error *e)
{
	struct gathering g = { .activations = json_array() };
	struct store_visitor v = { .activation = on_activation, .data = &g };
	int rc = store_history(ops->store, limit, &v);

	if (rc) {
		unreadable(ops, rc, e);
		json_decref(g.activations);
		return NULL;
	}
	return json_pack("{s:i, s:o}", "schema_version", 1, "activations", g.activations);
}

/* ---- events */

static void on_event(const struct store_event *row, void *data)
{
	struct gathering *g = data;

	json_array_append_new(g->events, json_pack(
		"{s:I, s:I, s:s, s:o, s:o, s:o, s:s}", "number", NUMBER(row->number), "time",
		NUMBER(row->time_ns), "kind", row->kind, "partition", or_null(row->partition),
		"host", or_null(row->host), "activation", or_null(row->activation), "text",
		row->text));
}

json_t *report_events(struct ops *ops, const struct store_event_filter *filter, struct error *e)
{
	struct gathering g = { .events = json_array() };
	struct store_visitor v = { .event = on_event, .data = &g };
	int rc = store_events(ops->store, filter, &v);

	if (rc) {
		unreadable(ops, rc, e);
		json_decref(g.events);
		return NULL;
	}
	return json_pack("{s:i, s:o}", "schema_version", 1, "events", g.events);
}

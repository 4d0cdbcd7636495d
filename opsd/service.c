/* SPDX-License-Identifier: Apache-2.0 */
/* The service: each route checks the request whole before it touches anything. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/exposition.h>
#include <common/http_client.h>
#include <common/http_server.h>
#include <common/log.h>
#include <common/reader.h>
#include <common/uuid.h>

#include "report.h"
#include "service.h"

#define MAX_BODY	(128u * 1024u)	/* a definition has at most half of it */
#define MAX_EVENTS	1000u		/* of one answer */
#define MAX_WAIT_MS	25000u		/* shorter than a client's patience */
#define MAX_PARTITIONS	4096u
#define UNDEFINE_TIMEOUT_MS 10000u

/* A request for events that come later. */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct service *service;
	struct http_request *request;
	struct store_event_filter filter;
	char partition[COMMAND_NAME_LEN], activation[STORE_UUID_LEN];
	sd_event_source *timer;
};

struct service {
	struct ops *ops;
	struct http_server *server;
	struct access access;
	sd_event_source *wake;		/* waiters look again, once for many changes */
	TAILQ_HEAD(, waiter) waiters;
};

static void answer(struct http_request *r, json_t *reply, struct error *e)
{
	if (reply) {
		http_reply(r, 200, reply);
		return;
	}
	if (e->code == EXIT_OK)
		error_set(e, EXIT_FAILED, "out of memory");
	http_reply_error(r, e);
	error_clear(e);
}

/* ---- who asks */

static int admit(const struct http_request *r, void *data, struct error *e)
{
	const struct service *s = data;

	return access_check(&s->access, r, e);
}

static void name_peer(struct http_request *r, char who[STORE_WHO_LEN])
{
	uid_t uid = http_request_peer(r)->uid;
	struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(who, STORE_WHO_LEN, "%s", user->pw_name);
	else
		snprintf(who, STORE_WHO_LEN, "user %u", (unsigned int)uid);
}

/* ---- reading requests */

static const struct reader *reader(struct error *e)
{
	static struct reader r = { .source = "request" };

	r.e = e;
	return &r;
}

static int query_number(struct http_request *r, const char *key, uint64_t *to, uint64_t max,
			struct error *e)
{
	const char *text = http_request_query(r, key);
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*to = strtoull(text, &end, 10);
	if (!errno && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *to <= max)
		return 0;
	error_set(e, EXIT_INVALID, "%s is no number up to %" PRIu64, key, max);
	return error_where(e, "request: ?%s", key);
}

/* request_id, who asks, how long: what every request that changes something may say. */
static int read_common(struct http_request *r, json_t *body, struct activation_request *rq,
		       struct error *e)
{
	uint8_t uuid[UUID_LEN];
	uint64_t timeout = 0;
	int rc;

	rc = reader_uuid(reader(e), "", body, "request_id", false, uuid);
	if (rc < 0 || reader_number(reader(e), "", body, "timeout_s", false, 1,
				    ACTIVATION_MAX_TIMEOUT_S, &timeout) < 0)
		return -1;
	if (!rc)
		uuid_random(uuid);
	uuid_format(uuid, rq->id);
	rq->timeout_s = timeout;
	rq->uid = http_request_peer(r)->uid;
	name_peer(r, rq->who);
	return 0;
}

/* A definition in the body; *present says whether there is one. */
static int read_definition(json_t *body, struct definition *d, bool required, bool *present,
			   struct error *e)
{
	json_t *json;
	int rc;

	rc = reader_get(reader(e), "", body, "definition", JSON_OBJECT, "{ \"name\": … }",
			required, &json);
	*present = rc > 0;
	if (rc <= 0)
		return rc;
	return definition_parse(d, json, "definition", NULL, e);
}

static int check_room(struct ops *ops, const char *name, struct error *e)
{
	const struct partition *p;
	size_t n = 0;

	if (partition_find(ops, name))
		return 0;
	TAILQ_FOREACH(p, &ops->partitions, link)
		n++;
	if (n < MAX_PARTITIONS)
		return 0;
	error_set(e, EXIT_RESOURCES, "opsd knows %zu partitions, and no more", n);
	return error_fix(e, "opsctl undefine those that are not needed");
}

/* ---- activations */

static void reply_activation(struct service *s, struct http_request *r, const char *id,
			     struct error *e)
{
	answer(r, report_activation(s->ops, id, e), e);
}

static void begin(struct http_request *r, struct service *s, const struct activation_request *rq)
{
	struct error e = ERROR_NONE;
	char id[STORE_UUID_LEN];

	if (activation_begin(s->ops, rq, id, &e)) {
		http_reply_error(r, &e);
		error_clear(&e);
	} else {
		reply_activation(s, r, id, &e);
	}
}

static void on_activate(struct http_request *r, void *data)
{
	static const char *const keys[] = { "name", "definition", "request_id", "timeout_s", NULL };
	struct service *s = data;
	json_t *body = http_request_body(r);
	struct activation_request rq = { .verb = VERB_ACTIVATE };
	struct error e = ERROR_NONE;
	struct definition *d = calloc(1, sizeof(*d));
	bool present = false;
	int named;

	if (!d) {
		error_set(&e, EXIT_FAILED, "out of memory");
		goto refuse;
	}
	if (reader_object(reader(&e), "", body, keys) || read_common(r, body, &rq, &e) ||
	    read_definition(body, d, false, &present, &e))
		goto refuse;
	named = reader_name(reader(&e), "", body, "name", !present, rq.name, sizeof(rq.name));
	if (named < 0)
		goto refuse;
	if (named && present && strcmp(rq.name, d->name)) {
		error_set(&e, EXIT_INVALID, "name and definition name different partitions");
		error_where(&e, "request: name");
		error_why(&e, "%s and %s", rq.name, d->name);
		goto refuse;
	}
	if (present) {
		memcpy(rq.name, d->name, sizeof(rq.name));
		rq.definition = d;
		if (check_room(s->ops, rq.name, &e))
			goto refuse;
	}
	begin(r, s, &rq);
	free(d);
	return;
refuse:
	free(d);
	answer(r, NULL, &e);
}

static void on_deactivate(struct http_request *r, void *data)
{
	static const char *const keys[] = { "name", "request_id", "timeout_s", NULL };
	struct service *s = data;
	json_t *body = http_request_body(r);
	struct activation_request rq = { .verb = VERB_DEACTIVATE };
	struct error e = ERROR_NONE;

	if (reader_object(reader(&e), "", body, keys) || read_common(r, body, &rq, &e) ||
	    reader_name(reader(&e), "", body, "name", true, rq.name, sizeof(rq.name)) < 0)
		answer(r, NULL, &e);
	else
		begin(r, s, &rq);
}

static void on_get_activation(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;

	reply_activation(s, r, http_request_segment(r, 0), &e);
}

static void on_get_activations(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;
	uint64_t limit = 100;

	if (query_number(r, "limit", &limit, STORE_KEEP_ACTIVATIONS, &e))
		answer(r, NULL, &e);
	else
		answer(r, report_activations(s->ops, limit, &e), &e);
}

/* ---- definitions and partitions */

static void on_define(struct http_request *r, void *data)
{
	static const char *const keys[] = { "definition", NULL };
	struct service *s = data;
	json_t *body = http_request_body(r), *reply = NULL;
	struct definition *d = calloc(1, sizeof(*d));
	struct error e = ERROR_NONE;
	bool present, changed;
	char who[STORE_WHO_LEN];

	name_peer(r, who);
	if (d && !reader_object(reader(&e), "", body, keys) &&
	    !read_definition(body, d, true, &present, &e) && !check_room(s->ops, d->name, &e) &&
	    !partition_define(s->ops, d, who, &changed, &e))
		reply = report_partition(s->ops, d->name, &e);
	if (reply)
		json_object_set_new(reply, "already", json_boolean(!changed));
	free(d);
	answer(r, reply, &e);
}

static void on_get_partitions(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;

	answer(r, report_partitions(s->ops), &e);
}

static void on_get_partition(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;

	answer(r, report_partition(s->ops, http_request_segment(r, 0), &e), &e);
}

/* One undefine: the host that knows the partition forgets it first, then opsd does. */
struct undefine {
	struct service *service;
	struct http_request *request;
	char name[COMMAND_NAME_LEN], host[COMMAND_NAME_LEN], who[STORE_WHO_LEN];
};

static void undefine_here(struct undefine *u, struct error *e)
{
	struct ops *ops = u->service->ops;
	struct partition *p = partition_find(ops, u->name);

	/* Gone, or begun anew, while the host was asked? */
	if (p && (partition_check_idle(ops, u->name, e) || partition_undefine(ops, p, u->who, e)))
		answer(u->request, NULL, e);
	else
		answer(u->request, json_pack("{s:i, s:s}", "schema_version", 1, "undefined",
					     u->name), e);
	free(u);
}

static void on_host_forgot(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	struct undefine *u = data;
	struct error mine = ERROR_NONE;

	(void)reply;
	if (code == EXIT_OK || code == EXIT_NOT_FOUND) {
		undefine_here(u, &mine);
		return;
	}
	error_set(&mine, code, "%s is still defined: %s", u->name, e->message);
	error_where(&mine, "partition %s on %s", u->name, u->host);
	error_why(&mine, "%s", e->why);
	error_fix(&mine, "%s", code == EXIT_UNKNOWN ? "repeat the command" : e->fix);
	answer(u->request, NULL, &mine);
	free(u);
}

static int ask_host_to_forget(struct undefine *u, const struct partition *p, const struct host *h)
{
	uint8_t uuid[UUID_LEN];
	char path[64], id[STORE_UUID_LEN];
	struct http_call call = {
		.socket = h->row.socket, .daemon = "cmdpartd", .method = "DELETE", .path = path,
		.timeout_ms = UNDEFINE_TIMEOUT_MS,
	};
	json_t *body;
	int rc;

	uuid_random(uuid);
	snprintf(path, sizeof(path), "/v1/partitions/%s", p->row.uuid);
	body = json_pack("{s:s, s:I, s:s+}", "request_id", uuid_format(uuid, id), "epoch",
			 (json_int_t)u->service->ops->epoch, "reason", "undefine for ", u->who);
	call.body = body;
	rc = body ? http_client_start(u->service->ops->client, &call, on_host_forgot, u) : -ENOMEM;
	json_decref(body);
	return rc;
}

static void on_undefine(struct http_request *r, void *data)
{
	struct service *s = data;
	const char *name = http_request_segment(r, 0);
	struct partition *p = partition_find(s->ops, name);
	struct error e = ERROR_NONE;
	struct undefine *u;
	struct host *h;

	if (!p) {
		error_set(&e, EXIT_NOT_FOUND, "no partition is named %.64s", name);
		error_fix(&e, "see opsctl list");
		answer(r, NULL, &e);
		return;
	}
	if (partition_check_idle(s->ops, name, &e)) {
		answer(r, NULL, &e);
		return;
	}
	u = calloc(1, sizeof(*u));
	if (!u) {
		answer(r, NULL, &e);
		return;
	}
	*u = (struct undefine){ .service = s, .request = r };
	memcpy(u->name, p->row.name, sizeof(u->name));
	memcpy(u->host, p->row.host, sizeof(u->host));
	name_peer(r, u->who);
	h = host_find(&s->ops->hosts, p->row.host);
	if (!h) {
		undefine_here(u, &e);
	} else if (ask_host_to_forget(u, p, h)) {
		free(u);
		answer(r, NULL, &e);
	}
}

/* ---- hosts and domains */

static void on_get_hosts(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;

	answer(r, report_hosts(s->ops), &e);
}

static void on_get_metrics(struct http_request *r, void *data)
{
	struct service *s = data;

	http_reply_text(r, EXPOSITION_TYPE, report_metrics(s->ops));
}

static void on_get_domains(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;

	answer(r, report_domains(s->ops), &e);
}

/* ---- events */

static void waiter_free(struct waiter *w)
{
	TAILQ_REMOVE(&w->service->waiters, w, link);
	sd_event_source_disable_unref(w->timer);
	free(w);
}

/* Answers if there is something to tell, or if there must be an answer now. */
static bool waiter_answer(struct waiter *w, bool now)
{
	struct error e = ERROR_NONE;
	json_t *reply = report_events(w->service->ops, &w->filter, &e);

	if (reply && !now && !json_array_size(json_object_get(reply, "events"))) {
		json_decref(reply);
		return false;
	}
	answer(w->request, reply, &e);
	waiter_free(w);
	return true;
}

static int on_patience(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec;
	waiter_answer(data, true);
	return 0;
}

static int on_wake(sd_event_source *source, void *data)
{
	struct service *s = data;
	struct waiter *w, *next;

	(void)source;
	for (w = TAILQ_FIRST(&s->waiters); w; w = next) {
		next = TAILQ_NEXT(w, link);
		waiter_answer(w, false);
	}
	return 0;
}

static void on_changed(struct ops *ops)
{
	if (ops->service && !TAILQ_EMPTY(&ops->service->waiters))
		sd_event_source_set_enabled(ops->service->wake, SD_EVENT_ONESHOT);
}

static int read_filter(struct http_request *r, struct waiter *w, uint64_t *wait_ms,
		       struct error *e)
{
	const char *partition = http_request_query(r, "partition");
	const char *activation = http_request_query(r, "activation");
	uint64_t limit = 100;

	if (query_number(r, "after", &w->filter.after, INT64_MAX, e) ||
	    query_number(r, "limit", &limit, MAX_EVENTS, e) ||
	    query_number(r, "wait_ms", wait_ms, MAX_WAIT_MS, e))
		return -1;
	w->filter.limit = limit;
	w->filter.newest = !http_request_query(r, "after");
	if (partition) {
		snprintf(w->partition, sizeof(w->partition), "%s", partition);
		w->filter.partition = w->partition;
	}
	if (activation) {
		snprintf(w->activation, sizeof(w->activation), "%s", activation);
		w->filter.activation = w->activation;
	}
	return 0;
}

static void on_get_events(struct http_request *r, void *data)
{
	struct service *s = data;
	struct error e = ERROR_NONE;
	uint64_t wait_ms = 0;
	struct waiter *w;

	w = calloc(1, sizeof(*w));
	if (!w || read_filter(r, w, &wait_ms, &e)) {
		free(w);
		answer(r, NULL, &e);
		return;
	}
	w->service = s;
	w->request = r;
	TAILQ_INSERT_TAIL(&s->waiters, w, link);
	if (wait_ms && sd_event_add_time_relative(s->ops->event, &w->timer, CLOCK_MONOTONIC,
						  wait_ms * 1000, 0, on_patience, w) < 0)
		wait_ms = 0;
	waiter_answer(w, !wait_ms);
}

/* ---- opening */

static const struct http_route routes[] = {
	{ "GET", "/v1/hosts", on_get_hosts },
	{ "GET", "/v1/domains", on_get_domains },
	{ "GET", "/v1/partitions", on_get_partitions },
	{ "POST", "/v1/partitions", on_define },
	{ "GET", "/v1/partitions/{}", on_get_partition },
	{ "DELETE", "/v1/partitions/{}", on_undefine },
	{ "GET", "/v1/activations", on_get_activations },
	{ "GET", "/v1/activations/{}", on_get_activation },
	{ "POST", "/v1/activations", on_activate },
	{ "POST", "/v1/deactivations", on_deactivate },
	{ "GET", "/v1/events", on_get_events },
	{ "GET", "/metrics", on_get_metrics },
	{ 0 },
};

int service_open(struct ops *ops, int listen_fd, const struct access *access)
{
	struct service *s = calloc(1, sizeof(*s));
	struct http_server_config config = {
		.routes = routes, .admit = admit, .data = s, .max_body = MAX_BODY,
	};
	int rc;

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->access = *access;
	TAILQ_INIT(&s->waiters);
	rc = sd_event_add_defer(ops->event, &s->wake, on_wake, s);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(s->wake, SD_EVENT_OFF);
	if (rc >= 0)
		rc = http_server_open(&s->server, ops->event, listen_fd, &config);
	if (rc < 0) {
		sd_event_source_disable_unref(s->wake);
		free(s);
		return rc;
	}
	ops->service = s;
	ops->changed = on_changed;
	return 0;
}

void service_close(struct ops *ops)
{
	struct service *s = ops->service;

	if (!s)
		return;
	while (!TAILQ_EMPTY(&s->waiters))
		waiter_answer(TAILQ_FIRST(&s->waiters), true);
	http_server_close(s->server);
	sd_event_source_disable_unref(s->wake);
	ops->changed = NULL;
	ops->service = NULL;
	free(s);
}

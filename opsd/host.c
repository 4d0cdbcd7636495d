/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A survey is three questions in a row: GET /v1/host, /v1/domains, /v1/partitions. Answers come
 * from a peer: every member is checked, and what is missing makes the host count as down.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>

#include "batch.h"
#include "host.h"
#include "ops.h"
#include "placement.h"

#define QUESTION_TIMEOUT_MS	5000
#define MAX_DOMAINS		64	/* of one host */
#define MAX_PARTITIONS		4096

struct host_waiter {
	TAILQ_ENTRY(host_waiter) link;
	host_surveyed *done;
	void *data;
};

static void ask(struct host *h, const char *path, http_client_done *answer);
static void one_surveyed(void *data);
static void all_unref(void *data);

/* ---- the table */

struct host *host_find(struct hosts *hosts, const char *name)
{
	struct host *h;

	TAILQ_FOREACH(h, hosts, link)
		if (!strcmp(h->row.name, name))
			return h;
	return NULL;
}

struct host *host_add(struct ops *ops, const struct store_host *row)
{
	struct host *h, *after = NULL;
	size_t n = 0;

	TAILQ_FOREACH(h, &ops->hosts, link) {
		if (strcmp(h->row.name, row->name) < 0)
			after = h;
		n++;
	}
	h = n < OPS_MAX_HOSTS ? calloc(1, sizeof(*h)) : NULL;
	if (!h)
		return NULL;
	h->ops = ops;
	h->row = *row;
	TAILQ_INIT(&h->waiters);
	TAILQ_INIT(&h->next_waiters);
	if (after)
		TAILQ_INSERT_AFTER(&ops->hosts, after, h, link);
	else
		TAILQ_INSERT_HEAD(&ops->hosts, h, link);
	return h;
}

static void drop_waiters(struct host_waiters *list)
{
	struct host_waiter *w;

	while ((w = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, w, link);
		if (w->done == one_surveyed)
			all_unref(w->data);
		free(w);
	}
}

void host_remove(struct hosts *hosts, struct host *h)
{
	TAILQ_REMOVE(hosts, h, link);
	sd_event_source_disable_unref(h->begin);
	drop_waiters(&h->waiters);
	drop_waiters(&h->next_waiters);
	free(h->domain);
	free(h->partition);
	free(h);
}

void hosts_free(struct hosts *hosts)
{
	while (!TAILQ_EMPTY(hosts))
		host_remove(hosts, TAILQ_FIRST(hosts));
}

const struct store_domain *host_domain(const struct host *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->domains; i++)
		if (!strcmp(h->domain[i].name, name))
			return &h->domain[i];
	return NULL;
}

const struct host_partition *host_partition(const struct host *h, const char *uuid)
{
	size_t i;

	for (i = 0; i < h->partitions; i++)
		if (!strcmp(h->partition[i].uuid, uuid))
			return &h->partition[i];
	return NULL;
}

int host_add_domain(struct host *h, const struct store_domain *row)
{
	struct store_domain *larger;

	if (h->domains == MAX_DOMAINS)
		return -E2BIG;
	larger = realloc(h->domain, (h->domains + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	h->domain = larger;
	h->domain[h->domains++] = *row;
	return 0;
}

/* ---- reading answers */

/* A member by its path, "memory.pool"; NULL if it is not there. */
static const json_t *member(const json_t *object, const char *path)
{
	char key[32];
	size_t n;

	while (object && *path) {
		n = strcspn(path, ".");
		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		object = json_object_get(object, key);
		path += n + (path[n] == '.');
	}
	return object;
}

static int get_text(const json_t *object, const char *path, char *to, size_t size)
{
	const char *text = json_string_value(member(object, path));

	if (!text || strlen(text) >= size)
		return -EBADMSG;
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int get_number(const json_t *object, const char *path, uint64_t *to)
{
	const json_t *value = member(object, path);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EBADMSG;
	*to = json_integer_value(value);
	return 0;
}

static int read_host(struct store_host *row, const json_t *reply)
{
	uint64_t cpus;

	if (get_text(reply, "host.uuid", row->uuid, sizeof(row->uuid)) ||
	    get_number(reply, "host.cpus.pool", &cpus) ||
	    get_number(reply, "host.memory.pool", &row->memory) ||
	    get_number(reply, "host.memory.assigned", &row->memory_assigned))
		return -EBADMSG;
	row->cpus = cpus;
	return 0;
}

static int read_domain(struct store_domain *d, const struct host *h, const json_t *value)
{
	uint64_t cpus, dedicated, partitions;

	memset(d, 0, sizeof(*d));
	memcpy(d->host, h->row.name, sizeof(d->host));
	if (get_text(value, "name", d->name, sizeof(d->name)) ||
	    get_text(value, "cpus", d->cpus, sizeof(d->cpus)) ||
	    get_number(value, "cpu_count", &cpus) ||
	    get_number(value, "cpus_dedicated", &dedicated) || dedicated > cpus ||
	    get_number(value, "memory", &d->memory) ||
	    get_number(value, "memory_assigned", &d->memory_assigned) ||
	    get_number(value, "partitions", &partitions))
		return -EBADMSG;
	d->cpus_free = cpus - dedicated;
	d->partitions = partitions;
	return 0;
}

static int read_partition(struct host_partition *p, const json_t *value)
{
	const char *reason = json_string_value(member(value, "reason"));
	uint64_t pid;

	memset(p, 0, sizeof(*p));
	if (get_text(value, "name", p->name, sizeof(p->name)) ||
	    get_text(value, "uuid", p->uuid, sizeof(p->uuid)) ||
	    get_text(value, "domain", p->domain, sizeof(p->domain)) ||
	    get_text(value, "state", p->state, sizeof(p->state)) ||
	    get_number(value, "pid", &pid))
		return -EBADMSG;
	p->pid = pid;
	snprintf(p->reason, sizeof(p->reason), "%s", reason ? reason : "");
	return 0;
}

static int read_domains(struct host *h, const json_t *reply)
{
	const json_t *list = json_object_get(reply, "domains");
	struct store_domain *domain;
	size_t n = json_array_size(list), i;

	if (!json_is_array(list) || n > MAX_DOMAINS)
		return -EBADMSG;
	domain = calloc(n + 1, sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (read_domain(&domain[i], h, json_array_get(list, i))) {
			free(domain);
			return -EBADMSG;
		}
	}
	if (n != h->domains || (n && memcmp(domain, h->domain, n * sizeof(*domain))))
		h->changed = true;
	free(h->domain);
	h->domain = domain;
	h->domains = n;
	return 0;
}

static int read_partitions(struct host *h, const json_t *reply)
{
	const json_t *list = json_object_get(reply, "partitions"), *value;
	struct host_partition *partition;
	size_t max = json_array_size(list), n = 0, i;

	if (!json_is_array(list) || max > MAX_PARTITIONS)
		return -EBADMSG;
	partition = calloc(max + 1, sizeof(*partition));
	if (!partition)
		return -ENOMEM;
	for (i = 0; i < max; i++) {
		const char *kind;

		value = json_array_get(list, i);
		kind = json_string_value(json_object_get(value, "kind"));
		if (kind && strcmp(kind, "guest"))
			continue;
		if (read_partition(&partition[n++], value)) {
			free(partition);
			return -EBADMSG;
		}
	}
	free(h->partition);
	h->partition = partition;
	h->partitions = n;
	return 0;
}

/* ---- the survey */

/* Keeps the row's numbers current without a commit for each; what matters is stored. */
static void remember(struct host *h)
{
	struct store_host *was = &h->row, *now = &h->fresh;
	bool turned = was->state != now->state, stranger;
	struct batch b = { 0 };
	size_t i;

	stranger = was->uuid[0] && now->state == HOST_UP && strcmp(was->uuid, now->uuid);
	if (!turned && !stranger && !h->changed && was->cpus == now->cpus &&
	    was->memory == now->memory && was->memory_assigned == now->memory_assigned) {
		*was = *now;
		return;
	}
	batch_put(&b, STORE_PUT_HOST, now);
	if (h->changed) {
		batch_put(&b, STORE_DELETE_DOMAINS, now->name);
		for (i = 0; i < h->domains; i++)
			batch_put(&b, STORE_PUT_DOMAIN, &h->domain[i]);
	}
	if (stranger)
		batch_event(&b, "host_changed", "", now->name, "",
			    "%s answers as host %s, it was %s: its book is a new one", now->name,
			    now->uuid, was->uuid);
	if (turned && now->state == HOST_UP)
		batch_event(&b, "host_up", "", now->name, "", "%s answers", now->name);
	else if (turned)
		batch_event(&b, "host_down", "", now->name, "", "%s does not answer: %s", now->name,
			    now->why);
	if (!batch_commit(&b, h->ops))
		h->changed = false;
	*was = *now;
}

static void survey_over(struct host *h)
{
	struct host_waiters finished = TAILQ_HEAD_INITIALIZER(finished);
	struct host_waiter *w;

	remember(h);
	if (h->row.state == HOST_UP)
		partitions_seen(h->ops, h);
	h->surveying = false;
	TAILQ_CONCAT(&finished, &h->waiters, link);
	TAILQ_CONCAT(&h->waiters, &h->next_waiters, link);
	if (h->again) {
		h->again = false;
		host_survey(h, NULL, NULL);
	}
	while ((w = TAILQ_FIRST(&finished))) {
		TAILQ_REMOVE(&finished, w, link);
		w->done(w->data);
		free(w);
	}
}

static void no_answer(struct host *h, const char *why, const char *more)
{
	h->fresh.state = HOST_DOWN;
	snprintf(h->fresh.why, sizeof(h->fresh.why), "%.120s%s%.120s", why, more[0] ? ": " : "",
		 more);
	survey_over(h);
}

static bool answered(struct host *h, enum exit_code code, const struct error *e, int rc)
{
	if (code != EXIT_OK)
		no_answer(h, e->why[0] ? e->why : e->message, "");
	else if (rc)
		no_answer(h, "its answer makes no sense", rc == -ENOMEM ? "out of memory" : "");
	return code == EXIT_OK && !rc;
}

static void on_partitions(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	struct host *h = data;

	if (!answered(h, code, e, reply ? read_partitions(h, reply) : 0))
		return;
	h->fresh.state = HOST_UP;
	h->fresh.why[0] = '\0';
	h->fresh.seen_ns = ops_now();
	survey_over(h);
}

static void on_domains(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	struct host *h = data;

	if (answered(h, code, e, reply ? read_domains(h, reply) : 0))
		ask(h, "/v1/partitions", on_partitions);
}

static void on_host(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	struct host *h = data;

	if (answered(h, code, e, reply ? read_host(&h->fresh, reply) : 0))
		ask(h, "/v1/domains", on_domains);
}

static void ask(struct host *h, const char *path, http_client_done *answer)
{
	struct http_call call = {
		.socket = h->row.socket, .daemon = "cmdpartd", .method = "GET", .path = path,
		.timeout_ms = QUESTION_TIMEOUT_MS,
	};

	if (http_client_start(h->ops->client, &call, answer, h))
		no_answer(h, "out of memory", "");
}

static int on_begin(sd_event_source *source, void *data)
{
	struct host *h = data;

	(void)source;
	h->begin = sd_event_source_disable_unref(h->begin);
	h->fresh = h->row;
	ask(h, "/v1/host", on_host);
	return 0;
}

int host_survey(struct host *h, host_surveyed *done, void *data)
{
	struct host_waiter *w = NULL;
	int rc;

	if (done) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -ENOMEM;
		*w = (struct host_waiter){ .done = done, .data = data };
	}
	if (h->surveying) {
		/* The one under way began before this question. */
		if (w) {
			TAILQ_INSERT_TAIL(&h->next_waiters, w, link);
			h->again = true;
		}
		return 0;
	}
	rc = sd_event_add_defer(h->ops->event, &h->begin, on_begin, h);
	if (rc < 0) {
		free(w);
		return rc;
	}
	h->surveying = true;
	if (w)
		TAILQ_INSERT_TAIL(&h->waiters, w, link);
	return 0;
}

/* ---- all of them */

struct all {
	size_t left;
	host_surveyed *done;
	void *data;
};

static void all_unref(void *data)
{
	struct all *all = data;

	if (!--all->left)
		free(all);
}

static void one_surveyed(void *data)
{
	struct all *all = data;

	if (all->left == 1)
		all->done(all->data);
	all_unref(all);
}

int hosts_survey(struct hosts *hosts, host_surveyed *done, void *data)
{
	struct all *all = calloc(1, sizeof(*all));
	struct host *h;
	int rc = all ? 0 : -ENOMEM;

	if (!all)
		return rc;
	*all = (struct all){ .done = done, .data = data };
	TAILQ_FOREACH(h, hosts, link) {
		rc = host_survey(h, one_surveyed, all);
		if (rc)
			break;
		all->left++;
	}
	if (all->left) {
		/* If not all could be asked, the others' answers must do. */
		return 0;
	}
	free(all);
	return rc ? rc : -ENODEV;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The operations partition: loading, hosts, and the watch over what the hosts say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/log.h>
#include <common/reader.h>

#include "batch.h"
#include "ops.h"
#include "placement.h"

#define POLL_USEC 2000000ull

int64_t ops_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- loading */

struct loading {
	struct ops *ops;
	struct error *e;
	bool failed;
};

static void bad_row(struct loading *l, const char *what, const char *name)
{
	if (l->failed)
		return;
	l->failed = true;
	error_set(l->e, EXIT_FAILED, "opsd's store has a %s that cannot be taken up: %s",
		  what, name);
	error_fix(l->e, "out of memory, or not this opsd's store: see docs/operations.md");
}

static void on_host(const struct store_host *row, void *data)
{
	struct loading *l = data;

	if (!host_add(l->ops, row))
		bad_row(l, "host", row->name);
}

static void on_domain(const struct store_domain *row, void *data)
{
	struct loading *l = data;
	struct host *h = host_find(&l->ops->hosts, row->host);

	if (!h || host_add_domain(h, row))
		bad_row(l, "domain", row->name);
}

static void on_definition(const struct store_definition *row, void *data)
{
	struct loading *l = data;
	struct error e = ERROR_NONE;
	struct partition *p = NULL;
	struct definition d;
	json_t *json;

	json = json_loads(row->json, JSON_REJECT_DUPLICATES, NULL);
	if (json && !definition_parse(&d, json, "store", NULL, &e))
		p = partition_add(l->ops, &d);
	if (p) {
		p->generation = row->generation;
		p->changed_ns = row->changed_ns;
	} else {
		bad_row(l, "definition", row->name);
	}
	json_decref(json);
	error_clear(&e);
}

static void on_partition(const struct store_partition *row, void *data)
{
	struct loading *l = data;
	struct partition *p = partition_find(l->ops, row->name);

	if (p)
		p->row = *row;
	else
		bad_row(l, "partition", row->name);
}

static void on_activation(const struct store_activation *row, void *data)
{
	struct loading *l = data;
	struct error e = ERROR_NONE;

	if (activation_restore(l->ops, row, &e))
		bad_row(l, "activation", row->partition);
	error_clear(&e);
}

static void on_claim(const struct store_claim *row, void *data)
{
	struct loading *l = data;

	activation_restore_claim(l->ops, row);
}

int ops_open(struct ops *ops, struct error *e)
{
	struct loading l = { .ops = ops, .e = e };
	struct store_visitor v = {
		.host = on_host, .domain = on_domain, .definition = on_definition,
		.partition = on_partition, .activation = on_activation, .claim = on_claim,
		.data = &l,
	};
	int rc;

	TAILQ_INIT(&ops->hosts);
	TAILQ_INIT(&ops->partitions);
	TAILQ_INIT(&ops->activations);
	rc = http_client_open(&ops->client, ops->event);
	if (rc)
		return error_set(e, EXIT_FAILED, "no HTTP client: %s", strerror(-rc));
	rc = store_epoch_raise(ops->store, &ops->epoch);
	if (!rc)
		rc = store_load(ops->store, &v);
	if (rc) {
		error_set(e, EXIT_FAILED, "opsd's store cannot be used: %s", strerror(-rc));
		return error_why(e, "%s", store_why(ops->store));
	}
	return l.failed ? -1 : 0;
}

void ops_close(struct ops *ops)
{
	ops->poll = sd_event_source_disable_unref(ops->poll);
	/* First, so that no answer comes to what is freed next. */
	http_client_close(ops->client);
	ops->client = NULL;
	activations_free(ops);
	while (!TAILQ_EMPTY(&ops->partitions))
		partition_free(ops, TAILQ_FIRST(&ops->partitions));
	hosts_free(&ops->hosts);
	store_close(ops->store);
	ops->store = NULL;
}

/* ---- hosts */

static int read_host(struct store_host *row, const char *text, struct error *e)
{
	const char *equals = strchr(text, '=');

	memset(row, 0, sizeof(*row));
	if (equals && (size_t)(equals - text) < sizeof(row->name))
		memcpy(row->name, text, equals - text);
	if (!reader_name_ok(row->name, sizeof(row->name))) {
		error_set(e, EXIT_INVALID, "\"%.100s\" names no host", text);
		error_where(e, "--host");
		return error_fix(e, "write NAME=SOCKET, as in node1=/run/ultravisor/cmdpartd.sock");
	}
	if (equals[1] != '/' || strlen(equals + 1) >= sizeof(row->socket)) {
		error_set(e, EXIT_INVALID, "the socket of host %s is no absolute path", row->name);
		error_where(e, "--host");
		error_why(e, "at most %zu bytes", sizeof(row->socket) - 1);
		return error_fix(e, "write NAME=SOCKET, as in node1=/run/ultravisor/cmdpartd.sock");
	}
	memcpy(row->socket, equals + 1, strlen(equals + 1) + 1);
	row->added_ns = ops_now();
	return 0;
}

static bool is_listed(const char *name, const struct store_host *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

/* Two names for one host would be two places for one partition. */
static int check_distinct(const struct store_host *row, const struct store_host *list, size_t n,
			  struct error *e)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(list[i].name, row->name) && strcmp(list[i].socket, row->socket))
			continue;
		error_set(e, EXIT_INVALID, "host %s is named twice", row->name);
		error_where(e, "--host");
		return error_why(e, "%s=%s and %s=%s", list[i].name, list[i].socket, row->name,
				 row->socket);
	}
	return 0;
}

/* One that may be running something stays, and gets nothing new. */
static int drop_host(struct ops *ops, struct host *h, struct error *e)
{
	struct store_partition *moved = NULL;
	struct batch b = { 0 };
	struct partition *p;
	struct activation *a;
	size_t n = 0;
	int rc;

	TAILQ_FOREACH(a, &ops->activations, link)
		h->retired |= a->claim.open && !strcmp(a->claim.row.host, h->row.name);
	TAILQ_FOREACH(p, &ops->partitions, link) {
		if (strcmp(p->row.host, h->row.name))
			continue;
		h->retired |= p->row.active || placement_is_on(p->row.seen);
		n++;
	}
	if (h->retired) {
		log_notice("host %s is no longer configured; kept while it may run something",
			   h->row.name);
		return 0;
	}
	/* What was last there, and is off, was nowhere. */
	moved = calloc(n + 1, sizeof(*moved));
	if (!moved || n > BATCH_MAX - 8) {
		free(moved);
		return error_set(e, EXIT_FAILED, "host %s cannot be removed: too many partitions",
				 h->row.name);
	}
	n = 0;
	TAILQ_FOREACH(p, &ops->partitions, link) {
		if (strcmp(p->row.host, h->row.name))
			continue;
		moved[n] = p->row;
		moved[n].host[0] = '\0';
		batch_put(&b, STORE_PUT_PARTITION, &moved[n++]);
	}
	batch_put(&b, STORE_DELETE_HOST, h->row.name);
	batch_event(&b, "host_removed", "", h->row.name, "", "host %s is no longer configured",
		    h->row.name);
	rc = batch_commit(&b, ops);
	free(moved);
	if (rc) {
		error_set(e, EXIT_FAILED, "opsd's store cannot be written");
		return error_why(e, "%s", store_why(ops->store));
	}
	TAILQ_FOREACH(p, &ops->partitions, link)
		if (!strcmp(p->row.host, h->row.name))
			p->row.host[0] = '\0';
	host_remove(&ops->hosts, h);
	return 0;
}

static int put_host(struct ops *ops, const struct store_host *row, struct error *e)
{
	struct host *h = host_find(&ops->hosts, row->name);
	struct store_host now = h ? h->row : *row;
	struct batch b = { 0 };

	if (h && !strcmp(h->row.socket, row->socket))
		return 0;
	memcpy(now.socket, row->socket, sizeof(now.socket));
	batch_put(&b, STORE_PUT_HOST, &now);
	batch_event(&b, h ? "host_moved" : "host_added", "", now.name, "",
		    "host %s is asked at %s", now.name, now.socket);
	if (batch_commit(&b, ops)) {
		error_set(e, EXIT_FAILED, "opsd's store cannot be written");
		return error_why(e, "%s", store_why(ops->store));
	}
	if (h)
		h->row = now;
	else if (!host_add(ops, &now))
		return error_set(e, EXIT_FAILED, "out of memory");
	return 0;
}

int ops_configure_hosts(struct ops *ops, char *const *list, size_t n, struct error *e)
{
	struct store_host *row = calloc(n, sizeof(*row));
	struct host *h, *next;
	int rc = -1;
	size_t i;

	if (!row)
		return error_set(e, EXIT_FAILED, "out of memory");
	if (n > OPS_MAX_HOSTS) {
		error_set(e, EXIT_INVALID, "%zu hosts are too many", n);
		error_where(e, "--host");
		error_why(e, "at most %d", OPS_MAX_HOSTS);
		goto out;
	}
	for (i = 0; i < n; i++) {
		if (read_host(&row[i], list[i], e))
			goto out;
		if (check_distinct(&row[i], row, i, e))
			goto out;
	}
	for (h = TAILQ_FIRST(&ops->hosts); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (!is_listed(h->row.name, row, n) && drop_host(ops, h, e))
			goto out;
	}
	for (i = 0; i < n; i++)
		if (put_host(ops, &row[i], e))
			goto out;
	rc = 0;
out:
	free(row);
	return rc;
}

/* ---- the watch */

static int on_poll(sd_event_source *source, uint64_t usec, void *data)
{
	struct ops *ops = data;
	struct host *h;
	int rc;

	(void)usec;
	TAILQ_FOREACH(h, &ops->hosts, link)
		host_survey(h, NULL, NULL);
	rc = sd_event_source_set_time_relative(source, POLL_USEC);
	return rc < 0 ? rc : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int ops_resume(struct ops *ops, struct error *e)
{
	int rc;

	rc = sd_event_add_time_relative(ops->event, &ops->poll, CLOCK_MONOTONIC, 0, 0, on_poll,
					ops);
	if (rc < 0)
		return error_set(e, EXIT_FAILED, "no timer: %s", strerror(-rc));
	activations_resume(ops);
	return 0;
}

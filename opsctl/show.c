/* SPDX-License-Identifier: Apache-2.0 */
/* What opsd knows, in tables and lines; and the two commands that change only its own book. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/definition.h>
#include <common/http_client.h>
#include <common/output.h>

#include "opsctl.h"

#define WAIT_MS 20000

enum exit_code opsctl_call(struct opsctl *c, const char *method, const char *path, json_t *body,
			   json_t **reply, struct error *e)
{
	struct http_call call = {
		.socket = c->socket, .daemon = "opsd", .method = method, .path = path, .body = body,
	};
	enum exit_code code;

	error_clear(e);
	*reply = NULL;
	code = http_client_call(&call, reply, e);
	json_decref(body);
	return code;
}

/* ---- cells */

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* What is under way, else what was seen; and whether that is still so. */
static void state_cell(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *doing = text(row, "doing"), *seen = json_string_value(value);
	bool current = json_is_true(json_object_get(row, "current"));

	if (doing[0])
		snprintf(to, size, "%.*sing", (int)strlen(doing) - 1, doing);
	else if (!seen)
		snprintf(to, size, "-");
	else
		snprintf(to, size, "%s%s", strcmp(seen, "defined") ? seen : "off",
			 current ? "" : " (host silent)");
}

static void free_memory_cell(char *to, size_t size, const json_t *value, const json_t *row)
{
	json_int_t all = json_integer_value(json_object_get(row, "memory"));
	json_int_t used = json_integer_value(json_object_get(row, "memory_assigned"));
	json_t *left = json_integer(used < all ? all - used : 0);

	(void)value;
	output_bytes(to, size, left, row);
	json_decref(left);
}

static void cpus_cell(char *to, size_t size, const json_t *value, const json_t *row)
{
	snprintf(to, size, "%lld%s", (long long)json_integer_value(value),
		 strcmp(text(row, "mode"), "dedicated") ? "" : " dedicated");
}

static const struct output_field partition_columns[] = {
	{ "NAME", "name", NULL, false },
	{ "DESIRED", "desired", NULL, false },
	{ "STATE", "state", state_cell, false },
	{ "HOST", "host", NULL, false },
	{ "DOMAIN", "domain", NULL, false },
	{ "CPUS", "vcpus", cpus_cell, true },
	{ "MEMORY", "memory", output_bytes, true },
	{ 0 },
};

static const struct output_field partition_lines[] = {
	{ "name", "name", NULL, false },
	{ "uuid", "uuid", NULL, false },
	{ "desired", "desired", NULL, false },
	{ "state", "state", state_cell, false },
	{ "since", "state_since", output_time, false },
	{ "reason", "reason", NULL, false },
	{ "host", "host", NULL, false },
	{ "domain", "domain", NULL, false },
	{ "cpus", "vcpus", cpus_cell, false },
	{ "memory", "memory", output_bytes, false },
	{ "definition", "generation", NULL, false },
	{ "changed", "changed", output_time, false },
	{ "request", "activation", NULL, false },
	{ 0 },
};

static const struct output_field host_columns[] = {
	{ "HOST", "name", NULL, false },
	{ "STATE", "state", NULL, false },
	{ "CPUS", "cpus", NULL, true },
	{ "MEMORY", "memory", output_bytes, true },
	{ "FREE", "memory", free_memory_cell, true },
	{ "PARTITIONS", "partitions", NULL, true },
	{ "RESOURCE SERVICE", "socket", NULL, false },
	{ "REASON", "reason", NULL, false },
	{ 0 },
};

static const struct output_field domain_columns[] = {
	{ "HOST", "host", NULL, false },
	{ "DOMAIN", "name", NULL, false },
	{ "CPUS", "cpus", NULL, false },
	{ "NOT DEDICATED", "cpus_free", NULL, true },
	{ "MEMORY", "memory", output_bytes, true },
	{ "FREE", "memory", free_memory_cell, true },
	{ "PARTITIONS", "partitions", NULL, true },
	{ 0 },
};

static const struct output_field event_columns[] = {
	{ "TIME", "time", output_time, false },
	{ "PARTITION", "partition", NULL, false },
	{ "EVENT", "kind", NULL, false },
	{ "", "text", NULL, false },
	{ 0 },
};

/* ---- commands */

static enum exit_code table(struct opsctl *c, const char *path, const char *key,
			    const struct output_field *columns, const char *none, struct error *e)
{
	enum exit_code code;
	json_t *reply;

	code = opsctl_call(c, "GET", path, NULL, &reply, e);
	if (code == EXIT_OK && c->json)
		output_json(stdout, reply);
	else if (code == EXIT_OK)
		output_table(stdout, columns, json_object_get(reply, key), none);
	json_decref(reply);
	return code;
}

enum exit_code opsctl_list(struct opsctl *c, const char *operand, struct error *e)
{
	(void)operand;
	return table(c, "/v1/partitions", "partitions", partition_columns,
		     "no partition is defined; opsctl activate FILE", e);
}

enum exit_code opsctl_host_list(struct opsctl *c, const char *operand, struct error *e)
{
	(void)operand;
	return table(c, "/v1/hosts", "hosts", host_columns, "no host is known", e);
}

enum exit_code opsctl_domain_list(struct opsctl *c, const char *operand, struct error *e)
{
	(void)operand;
	return table(c, "/v1/domains", "domains", domain_columns,
		     "no host has told of a domain", e);
}

/* "/v1/partitions/NAME", the name escaped; free it. */
static char *partition_path(const char *name, struct error *e)
{
	char *escaped = http_client_escape(name), *path;

	if (!escaped || asprintf(&path, "/v1/partitions/%s", escaped) < 0)
		path = NULL;
	free(escaped);
	if (!path)
		error_set(e, EXIT_FAILED, "out of memory");
	return path;
}

enum exit_code opsctl_show(struct opsctl *c, const char *operand, struct error *e)
{
	char *path = partition_path(operand, e), *query = NULL;
	json_t *reply = NULL, *events = NULL;
	enum exit_code code;

	if (!path)
		return e->code;
	code = opsctl_call(c, "GET", path, NULL, &reply, e);
	if (code != EXIT_OK)
		goto out;
	/* The path's last segment is the name, escaped. */
	if (asprintf(&query, "/v1/events?limit=10&partition=%s", strrchr(path, '/') + 1) < 0)
		query = NULL;
	if (!query) {
		error_set(e, EXIT_FAILED, "out of memory");
		code = e->code;
		goto out;
	}
	code = opsctl_call(c, "GET", query, NULL, &events, e);
	if (code != EXIT_OK)
		goto out;
	if (c->json) {
		json_object_set(reply, "events", json_object_get(events, "events"));
		output_json(stdout, reply);
	} else {
		output_object(stdout, partition_lines, json_object_get(reply, "partition"));
		puts("");
		output_json(stdout, json_object_get(reply, "definition"));
		puts("");
		output_table(stdout, event_columns, json_object_get(events, "events"), NULL);
	}
out:
	json_decref(reply);
	json_decref(events);
	free(path);
	free(query);
	return code;
}

static void print_line(const json_t *event)
{
	char when[64];

	output_time(when, sizeof(when), json_object_get(event, "time"), event);
	printf("%s  %s\n", when, text(event, "text"));
}

/* --follow: what comes, one line each (with --json one object a line), until it is interrupted. */
static enum exit_code follow_events(struct opsctl *c, const char *filter, struct error *e)
{
	enum exit_code code;
	json_t *reply, *event;
	char *path;
	size_t i;

	for (;;) {
		if (asprintf(&path, "/v1/events?after=%llu&limit=1000&wait_ms=%u%s",
			     (unsigned long long)c->seen, WAIT_MS, filter) < 0) {
			error_set(e, EXIT_FAILED, "out of memory");
			return e->code;
		}
		code = opsctl_call(c, "GET", path, NULL, &reply, e);
		free(path);
		if (code == EXIT_UNREACHABLE) {
			sleep(1);
			continue;
		}
		if (code != EXIT_OK)
			return code;
		json_array_foreach(json_object_get(reply, "events"), i, event) {
			c->seen = json_integer_value(json_object_get(event, "number"));
			if (!c->json) {
				print_line(event);
				continue;
			}
			json_dumpf(event, stdout, JSON_COMPACT | JSON_SORT_KEYS);
			puts("");
		}
		json_decref(reply);
		if (fflush(stdout)) {
			error_set(e, EXIT_FAILED, "standard output: %m");
			return e->code;
		}
	}
}

static enum exit_code events(struct opsctl *c, const char *filter, struct error *e)
{
	json_t *reply, *list, *last;
	enum exit_code code;
	char *path;

	if (asprintf(&path, "/v1/events?limit=%u%s", c->limit, filter) < 0) {
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	code = opsctl_call(c, "GET", path, NULL, &reply, e);
	free(path);
	if (code != EXIT_OK)
		return code;
	list = json_object_get(reply, "events");
	last = json_array_get(list, json_array_size(list) - 1);
	c->seen = json_integer_value(json_object_get(last, "number"));
	if (c->json && !c->follow)
		output_json(stdout, reply);
	else if (!c->follow)
		output_table(stdout, event_columns, list, "nothing has happened");
	json_decref(reply);
	return c->follow ? follow_events(c, filter, e) : code;
}

enum exit_code opsctl_events(struct opsctl *c, const char *operand, struct error *e)
{
	char *escaped = operand ? http_client_escape(operand) : NULL, *filter;
	enum exit_code code;

	if ((operand && !escaped) || asprintf(&filter, "%s%s", operand ? "&partition=" : "",
					      operand ? escaped : "") < 0) {
		free(escaped);
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	code = events(c, filter, e);
	free(filter);
	free(escaped);
	return code;
}

enum exit_code opsctl_define(struct opsctl *c, const char *operand, struct error *e)
{
	struct definition *d = calloc(1, sizeof(*d));
	enum exit_code code;
	json_t *reply = NULL;

	if (!d) {
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	if (definition_load(d, operand, e)) {
		code = e->code;
		goto out;
	}
	code = opsctl_call(c, "POST", "/v1/partitions",
			   json_pack("{s:o}", "definition", definition_to_json(d)), &reply, e);
	if (code == EXIT_OK && c->json)
		output_json(stdout, reply);
	else if (code == EXIT_OK)
		printf("%s is %s\n", d->name, json_is_true(json_object_get(reply, "already")) ?
		       "defined so already" : "defined");
out:
	json_decref(reply);
	free(d);
	return code;
}

enum exit_code opsctl_undefine(struct opsctl *c, const char *operand, struct error *e)
{
	char *path = partition_path(operand, e);
	enum exit_code code;
	json_t *reply;

	if (!path)
		return e->code;
	code = opsctl_call(c, "DELETE", path, NULL, &reply, e);
	free(path);
	if (code == EXIT_OK && c->json)
		output_json(stdout, reply);
	else if (code == EXIT_OK)
		printf("%s is no longer defined\n", operand);
	json_decref(reply);
	return code;
}

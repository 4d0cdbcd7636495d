/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that show something: tables for people, the daemon's answer for programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/host_map.h>
#include <common/http_client.h>
#include <common/output.h>
#include <common/size.h>

#include "cmdpartctl.h"

#define END { NULL, NULL, NULL, false }

static void vcpus(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *mode = json_string_value(json_object_get(row, "mode"));
	long long budget = json_integer_value(json_object_get(row, "budget_ms"));
	long long period = json_integer_value(json_object_get(row, "period_ms"));

	long long window = json_integer_value(json_object_get(row, "window_us"));

	if (!json_integer_value(value))
		snprintf(to, size, "-");
	else if (budget)
		snprintf(to, size, "%lld %s, %lld of %lld ms", (long long)
			 json_integer_value(value), json_is_true(json_object_get(row, "realtime")) ?
			 "real-time" : "shared", budget, period);
	else if (window)
		snprintf(to, size, "%lld window, %lld us", (long long)json_integer_value(value),
			 window);
	else
		snprintf(to, size, "%lld %s", (long long)json_integer_value(value),
			 mode ? mode : "");
}

static void bytes_or_dash(char *to, size_t size, const json_t *value, const json_t *row)
{
	if (json_integer_value(value))
		output_bytes(to, size, value, row);
	else
		snprintf(to, size, "-");
}

/* The state, and whether the lease has run out: then no instruction of the guest runs. */
static void state(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *text = json_string_value(value);
	const json_t *lease = json_object_get(row, "lease");

	snprintf(to, size, "%s%s", text ? text : "?",
		 json_is_true(json_object_get(lease, "expired")) ? " (lease expired)" : "");
}

static void lease(char *to, size_t size, const json_t *value, const json_t *row)
{
	const json_t *left = json_object_get(value, "left_ms");
	long long s = json_integer_value(json_object_get(value, "seconds"));

	(void)row;
	if (!json_is_object(value))
		snprintf(to, size, "none");
	else if (!json_is_integer(left))
		snprintf(to, size, "%lld s", s);
	else if (json_is_true(json_object_get(value, "expired")))
		snprintf(to, size, "%lld s, expired: it waits for cmdpartctl lease renew", s);
	else
		snprintf(to, size, "%lld s, %.1f s left", s, json_integer_value(left) / 1e3);
}

/* Uptime, while it is on. */
static void uptime(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *state = json_string_value(json_object_get(row, "state"));

	if (state && (!strcmp(state, "running") || !strcmp(state, "paused") ||
		      !strcmp(state, "stopping")))
		output_since(to, size, value, row);
	else
		snprintf(to, size, "-");
}

static void number_or_dash(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	if (json_integer_value(value))
		snprintf(to, size, "%lld", (long long)json_integer_value(value));
	else
		snprintf(to, size, "-");
}

static void seconds(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	if (json_integer_value(value))
		snprintf(to, size, "%.2f s", json_integer_value(value) / 1e9);
	else
		snprintf(to, size, "-");
}

int show(const struct options *o, const char *path, const char *thing,
	 void (*print)(const json_t *reply))
{
	struct error e = ERROR_NONE;
	json_t *reply;

	if (call(o, "GET", NULL, &reply, &e, "%s", path) != EXIT_OK)
		return give_up(o, &e);
	if (o->json && thing) {
		json_object_update_missing(reply, json_object_get(reply, thing));
		json_object_del(reply, thing);
	}
	if (o->json)
		output_json(stdout, reply);
	else
		print(reply);
	json_decref(reply);
	return EXIT_OK;
}

static void print_list(const json_t *reply)
{
	static const struct output_field fields[] = {
		{ "NAME", "name", NULL, false }, { "KIND", "kind", NULL, false },
		{ "STATE", "state", state, false }, { "DOMAIN", "domain", NULL, false },
		{ "VCPUS", "vcpus", vcpus, false }, { "MEMORY", "memory", bytes_or_dash, true },
		{ "UPTIME", "started", uptime, true }, END
	};

	output_table(stdout, fields, json_object_get(reply, "partitions"), "no partitions");
}

int run_list(const struct options *o, int argc, char **argv)
{
	(void)argc, (void)argv;
	return show(o, "/v1/partitions", NULL, print_list);
}

static void servers(char *to, size_t size, const json_t *value, const json_t *row)
{
	size_t n = 0, i;
	json_t *server;

	(void)row;
	to[0] = '\0';
	json_array_foreach(value, i, server) {
		const char *name = json_string_value(json_object_get(server, "name"));
		const char *state = json_string_value(json_object_get(server, "state"));

		if (n < size)
			n += snprintf(to + n, size - n, "%s%s (%s)", i ? ", " : "",
				      name ? name : "?", state ? state : "?");
	}
}

static void what(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *path = json_string_value(json_object_get(row, "path"));
	const char *bridge = json_string_value(json_object_get(row, "bridge"));
	const char *mac = json_string_value(json_object_get(row, "mac"));
	const char *tap = json_string_value(json_object_get(row, "tap"));

	(void)value;
	if (path && *path)
		snprintf(to, size, "%s%s", path, json_is_true(json_object_get(row, "readonly")) ?
			 " (read-only)" : "");
	else if (bridge && *bridge)
		snprintf(to, size, "%s on %s%s%s", mac ? mac : "", bridge,
			 tap && *tap ? " by " : "", tap ? tap : "");
	else
		snprintf(to, size, "-");
}

static void window(char *to, size_t size, const json_t *value, const json_t *row)
{
	if (json_integer_value(json_object_get(row, "window_us")))
		snprintf(to, size, "%lld", (long long)json_integer_value(value));
	else
		snprintf(to, size, "-");
}

static void print_partition(const json_t *reply)
{
	static const struct output_field one[] = {
		{ "name", "name", NULL, false }, { "uuid", "uuid", NULL, false },
		{ "kind", "kind", NULL, false }, { "state", "state", state, false },
		{ "lease", "lease", lease, false }, { "reason", "reason", NULL, false },
		{ "domain", "domain", NULL, false },
		{ "vCPUs", "vcpus", vcpus, false }, { "memory", "memory", bytes_or_dash, false },
		{ "memory node", "node", NULL, false },
		{ "started", "started", output_time, false },
		{ "uptime", "started", uptime, false }, { "guest time", "run_ns", seconds, false },
		{ "exits", "exits", number_or_dash, false },
		{ "reboots", "reboots", number_or_dash, false },
		{ "process", "pid", number_or_dash, false }, { "kernel", "kernel", NULL, false },
		{ "initrd", "initrd", NULL, false }, { "command line", "cmdline", NULL, false },
		{ "generation", "generation", NULL, false }, END
	};
	static const struct output_field devices[] = {
		{ "DEVICE", "name", NULL, false }, { "TYPE", "type", NULL, false },
		{ "CLAIMED", "claimed", NULL, false }, { "WHAT", "path", what, false }, END
	};
	static const struct output_field channels[] = {
		{ "CHANNEL", "device", NULL, false }, { "TYPE", "type", NULL, false },
		{ "EPOCH", "epoch", NULL, true }, { "SERVERS", "servers", servers, false }, END
	};
	static const struct output_field contexts[] = {
		{ "CONTEXT", "index", NULL, true }, { "MODE", "mode", NULL, false },
		{ "CPUS", "cpus", NULL, false }, { "AT, US", "window_start_us", window, true },
		{ "GUEST TIME", "run_ns", seconds, true },
		{ "THROTTLED", "throttled", NULL, true }, END
	};
	static const struct {
		const char *key;
		const struct output_field *fields;
	} tables[] = { { "devices", devices }, { "channels", channels }, { "contexts", contexts } };

	output_object(stdout, one, json_object_get(reply, "partition"));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const json_t *rows = json_object_get(reply, tables[i].key);

		if (!json_array_size(rows))
			continue;
		putchar('\n');
		output_table(stdout, tables[i].fields, rows, NULL);
	}
}

static void print_map(const json_t *reply)
{
	host_map_draw(stdout, reply);
}

int run_show(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	char *escaped, path[1024];

	if (o->map == (argc == 1)) {
		error_set(&e, EXIT_INVALID, "name either a partition or --map");
		error_where(&e, "show");
		error_fix(&e, "cmdpartctl show NAME; cmdpartctl show --map");
		return give_up(o, &e);
	}
	if (o->map)
		return show(o, "/v1/map", NULL, print_map);
	escaped = http_client_escape(argv[0]);
	snprintf(path, sizeof(path), "/v1/partitions/%s", escaped ? escaped : "");
	free(escaped);
	return show(o, path, "partition", print_partition);
}

static void owner(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *name = json_string_value(value);
	long long contexts = json_integer_value(json_object_get(row, "contexts"));

	if (name && *name)
		snprintf(to, size, "%s", name);
	else if (!json_is_true(json_object_get(row, "in_pool")))
		snprintf(to, size, "the host");
	else if (contexts)
		snprintf(to, size, "%lld shared context%s", contexts, contexts == 1 ? "" : "s");
	else
		snprintf(to, size, "free");
}

static void print_host(const json_t *reply)
{
	static const struct output_field one[] = {
		{ "host", "name", NULL, false }, { "uuid", "uuid", NULL, false },
		{ "module", "instance", NULL, false },
		{ "memory", "memory.total", output_bytes, false },
		{ "for partitions", "memory.pool", output_bytes, false },
		{ "assigned", "memory.assigned", output_bytes, false },
		{ "CPUs", "cpus.total", NULL, false },
		{ "CPUs for partitions", "cpus.list", NULL, false },
		{ "why these", "pool_reason", NULL, false },
		{ "transactions", "transactions", NULL, false },
		{ "read-only", "read_only", NULL, false },
		{ "being stopped", "stopping", NULL, false }, END
	};
	static const struct output_field processors[] = {
		{ "CPU", "cpu", NULL, true }, { "NODE", "node", NULL, true },
		{ "CORE", "core", NULL, true }, { "SIBLINGS", "siblings", NULL, false },
		{ "DOMAIN", "domain", NULL, false }, { "OWNER", "owner", owner, false }, END
	};
	static const struct output_field nodes[] = {
		{ "NODE", "node", NULL, true }, { "MEMORY", "total", output_bytes, true },
		{ "FOR PARTITIONS", "pool", output_bytes, true },
		{ "ASSIGNED", "assigned", output_bytes, true },
		{ "FREE HUGE PAGES", "huge_free", output_bytes, true }, END
	};

	output_object(stdout, one, json_object_get(reply, "host"));
	putchar('\n');
	output_table(stdout, processors, json_object_get(reply, "processors"), NULL);
	putchar('\n');
	output_table(stdout, nodes, json_object_get(reply, "nodes"), NULL);
}

int show_host(const struct options *o)
{
	return show(o, "/v1/host", "host", print_host);
}

static void print_domains(const json_t *reply)
{
	static const struct output_field fields[] = {
		{ "DOMAIN", "name", NULL, false }, { "CPUS", "cpus", NULL, false },
		{ "DEDICATED", "cpus_dedicated", NULL, true },
		{ "FRAME, US", "frame_us", number_or_dash, true },
		{ "MEMORY", "memory", output_bytes, true },
		{ "ASSIGNED", "memory_assigned", output_bytes, true },
		{ "PARTITIONS", "partitions", NULL, true }, END
	};

	output_table(stdout, fields, json_object_get(reply, "domains"), "no domains");
}

/* verb: what of this one; NULL: it is to be made. */
static int change_domain(const struct options *o, const char *method, json_t *body,
			 const char *name, const char *verb, const char *done)
{
	char *escaped = http_client_escape(name);
	struct error e = ERROR_NONE;
	json_t *reply = NULL;
	int rc;

	rc = call(o, method, body, &reply, &e, "/v1/domains%s%s%s", verb ? "/" : "",
		  verb && escaped ? escaped : "", verb ? verb : "");
	if (rc != EXIT_OK)
		rc = give_up(o, &e);
	else if (o->json)
		output_json(stdout, reply);
	else
		printf("%s: %s%s\n", name, done,
		       json_is_true(json_object_get(reply, "already")) ? " already" : "");
	json_decref(reply);
	json_decref(body);
	free(escaped);
	return rc;
}

int run_domain(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	json_t *body;

	if (!argc)
		return show(o, "/v1/domains", NULL, print_domains);
	if ((argc == 4 || argc == 5) && !strcmp(argv[0], "create")) {
		body = request_body(o);
		json_object_set_new(body, "name", json_string(argv[1]));
		json_object_set_new(body, "cpus", json_string(argv[2]));
		json_object_set_new(body, "memory", json_string(argv[3]));
		if (argc == 5)
			json_object_set_new(body, "frame_ms", json_integer(atoi(argv[4])));
		return change_domain(o, "POST", body, argv[1], NULL, "created");
	}
	if (argc >= 3 && !strcmp(argv[0], "set")) {
		json_t *change = domain_changes(argc - 2, argv + 2, &e);

		if (!change)
			return give_up(o, &e);
		body = request_body(o);
		json_object_update(body, change);
		json_decref(change);
		return change_domain(o, "POST", body, argv[1], "/set", "changed");
	}
	if (argc == 2 && !strcmp(argv[0], "destroy"))
		return change_domain(o, "DELETE", request_body(o), argv[1], "", "destroyed");
	error_set(&e, EXIT_INVALID, "this is not understood: %s", argv[0]);
	error_where(&e, "domain");
	error_fix(&e, "cmdpartctl domain; domain create NAME CPUS MEMORY [FRAME_MS]; "
		  "domain set NAME KEY=VALUE...; domain destroy NAME");
	return give_up(o, &e);
}

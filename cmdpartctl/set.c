/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be changed without being made anew: a partition's processor time and domain, and until
 * when it may run; a domain's resources; who serves a device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/http_client.h>
#include <common/json_file.h>
#include <common/output.h>

#include "cmdpartctl.h"

static const char *const partition_keys[] = {
	"cpus.budget_ms", "cpus.period_ms", "cpus.realtime", "cpus.window_us", "domain", NULL
};
static const char *const domain_keys[] = { "cpus", "memory", "frame_ms", "phase_us", NULL };

static int bad_key(const char *text, size_t n, const char *const *keys, struct error *e)
{
	char key[64], all[128] = "";
	const char *nearest;

	snprintf(key, sizeof(key), "%.*s", (int)n, text);
	for (int i = 0; keys[i]; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "",
			 keys[i]);
	error_set(e, EXIT_INVALID, "the key \"%s\" cannot be changed", key);
	error_why(e, "only these can: %s", all);
	nearest = json_file_nearest(key, keys);
	if (nearest)
		return error_fix(e, "did you mean \"%s\"?", nearest);
	return error_fix(e, "change the definition: stop, undefine, define, start");
}

/* Lists of CPUs and names are text, even "2". */
static json_t *parse_value(const char *key, const char *text)
{
	char *end;
	long long n;

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return json_boolean(*text == 't');
	n = strtoll(text, &end, 10);
	return strchr(key, '_') && *text && !*end ? json_integer(n) : json_string(text);
}

/* DEVICE.limits[.KEY]=VALUE, "none" takes it away. 1 if it is that, 0, or -1 and *e. */
static int parse_limit(json_t *all, const char *text, struct error *e)
{
	const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
	const char *rest = dot ? dot + strlen(".limits") : NULL;
	char name[64], key[64];
	json_t *devices, *device, *limits, *value;

	if (!equals || !dot || dot > equals || strncmp(dot, ".limits", strlen(".limits")) ||
	    (*rest != '.' && *rest != '='))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - text), text);
	snprintf(key, sizeof(key), "%.*s", *rest == '.' ? (int)(equals - rest - 1) : 0, rest + 1);
	value = !strcmp(equals + 1, "none") ? json_null() : parse_value("_", equals + 1);
	if (!key[0] && !json_is_null(value)) {
		json_decref(value);
		error_set(e, EXIT_INVALID, "limits are set one by one");
		error_where(e, "%s", text);
		return error_fix(e, "write %s.limits.bytes_per_s=100MiB, or %s.limits=none", name,
				 name);
	}
	devices = json_object_get(all, "devices");
	if (!devices)
		json_object_set_new(all, "devices", devices = json_object());
	device = json_object_get(devices, name);
	if (!device)
		json_object_set_new(devices, name, device = json_object());
	if (!key[0]) {
		json_object_set_new(device, "limits", value);
		return 1;
	}
	limits = json_object_get(device, "limits");
	if (!json_is_object(limits))
		json_object_set_new(device, "limits", limits = json_object());
	json_object_set_new(limits, key, value);
	return 1;
}

static json_t *parse(int argc, char **argv, const char *const *keys, struct error *e)
{
	json_t *all = json_object(), *cpus;

	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t n = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		int k = 0, rc = keys == partition_keys ? parse_limit(all, argv[i], e) : 0;

		if (rc > 0)
			continue;
		if (rc < 0) {
			json_decref(all);
			return NULL;
		}
		while (keys[k] && (strlen(keys[k]) != n || strncmp(keys[k], argv[i], n)))
			k++;
		if (keys[k] && equals && !strncmp(keys[k], "cpus.", strlen("cpus."))) {
			cpus = json_object_get(all, "cpus");
			if (!cpus) {
				cpus = json_object();
				json_object_set_new(all, "cpus", cpus);
			}
			json_object_set_new(cpus, keys[k] + strlen("cpus."),
					    parse_value(keys[k], equals + 1));
			continue;
		}
		if (keys[k] && equals) {
			json_object_set_new(all, keys[k], parse_value(keys[k], equals + 1));
			continue;
		}
		if (!keys[k]) {
			bad_key(argv[i], n, keys, e);
		} else {
			error_set(e, EXIT_INVALID, "the value is missing");
			error_where(e, "%s", argv[i]);
			error_fix(e, "write KEY=VALUE, for example %s=%s", keys[k],
				  strchr(keys[k], '_') ? "30" : "…");
		}
		json_decref(all);
		return NULL;
	}
	return all;
}

json_t *changes(int argc, char **argv, struct error *e)
{
	return parse(argc, argv, partition_keys, e);
}

json_t *domain_changes(int argc, char **argv, struct error *e)
{
	return parse(argc, argv, domain_keys, e);
}

int run_set(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	json_t *change = changes(argc - 1, argv + 1, &e), *body, *reply = NULL;
	int rc;

	if (!change)
		return give_up(o, &e);
	body = request_body(o);
	json_object_update(body, change);
	json_decref(change);
	rc = ask_with(o, argv[0], "/set", body, &reply, &e);
	if (rc != EXIT_OK)
		rc = give_up(o, &e);
	else
		say(o, reply, argv[0], "changed", "so");
	json_decref(reply);
	json_decref(body);
	return rc;
}

int run_io(const struct options *o, int argc, char **argv)
{
	static const struct {
		const char *verb, *done;
	} verbs[] = {
		{ "failover", "its server is revoked, the standby serves" },
		{ "reset", "made anew" }, { "resize", "as large as its backing" }, { NULL, NULL },
	};
	char *name = http_client_escape(argv[1]), *device = http_client_escape(argv[2]), of[128];
	struct error e = ERROR_NONE;
	json_t *body = request_body(o), *reply = NULL;
	int rc = EXIT_OK, i = 0;

	(void)argc;
	while (verbs[i].verb && strcmp(argv[0], verbs[i].verb))
		i++;
	if (!verbs[i].verb) {
		error_set(&e, EXIT_INVALID, "this is not understood: %s", argv[0]);
		error_where(&e, "io");
		error_fix(&e, "cmdpartctl io failover, io reset or io resize NAME DEVICE");
		rc = give_up(o, &e);
	} else if (call(o, "POST", body, &reply, &e, "/v1/partitions/%s/devices/%s/%s",
			name ? name : "", device ? device : "",
			verbs[i].verb) != EXIT_OK) {
		rc = give_up(o, &e);
	} else {
		snprintf(of, sizeof(of), "%s/%s", argv[1], argv[2]);
		say(o, reply, of, verbs[i].done, "so");
	}
	json_decref(reply);
	json_decref(body);
	free(device);
	free(name);
	return rc;
}

int run_lease(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	const json_t *lease;
	json_t *reply = NULL;

	(void)argc;
	if (strcmp(argv[0], "renew")) {
		error_set(&e, EXIT_INVALID, "this is not understood: %s", argv[0]);
		error_where(&e, "lease");
		error_fix(&e, "cmdpartctl lease renew NAME");
		return give_up(o, &e);
	}
	if (ask(o, "POST", argv[1], "/lease", &reply, &e) != EXIT_OK)
		return give_up(o, &e);
	lease = json_object_get(json_object_get(reply, "partition"), "lease");
	if (o->json)
		output_json(stdout, reply);
	else
		printf("%s: may run for %.1f s\n", argv[1],
		       json_integer_value(json_object_get(lease, "left_ms")) / 1e3);
	json_decref(reply);
	return EXIT_OK;
}

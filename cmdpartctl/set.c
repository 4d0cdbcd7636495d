/* SPDX-License-Identifier: Apache-2.0 */
/* What can be changed of a partition that runs: its processor time, and until when it may run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/json_file.h>
#include <common/output.h>

#include "cmdpartctl.h"

static const char *const keys[] = { "cpus.budget_ms", "cpus.period_ms", "cpus.realtime",
				    "cpus.window_us", NULL };

static int bad_key(const char *text, size_t n, struct error *e)
{
	char key[64];
	const char *nearest;

	snprintf(key, sizeof(key), "%.*s", (int)n, text);
	error_set(e, EXIT_INVALID, "the key \"%s\" cannot be changed", key);
	error_why(e, "only these can: cpus.budget_ms, cpus.period_ms, cpus.realtime, "
		  "cpus.window_us");
	nearest = json_file_nearest(key, keys);
	if (nearest)
		return error_fix(e, "did you mean \"%s\"?", nearest);
	return error_fix(e, "change the definition: stop, undefine, define, start");
}

static json_t *parse_value(const char *text)
{
	char *end;
	long long n;

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return json_boolean(*text == 't');
	n = strtoll(text, &end, 10);
	return *text && !*end ? json_integer(n) : json_string(text);
}

json_t *changes(int argc, char **argv, struct error *e)
{
	json_t *cpus = json_object();

	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t n = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		int k = 0;

		while (keys[k] && (strlen(keys[k]) != n || strncmp(keys[k], argv[i], n)))
			k++;
		if (!keys[k]) {
			bad_key(argv[i], n, e);
		} else if (!equals) {
			error_set(e, EXIT_INVALID, "the value is missing");
			error_where(e, "%s", argv[i]);
			error_fix(e, "write KEY=VALUE, for example cpus.budget_ms=30");
		} else {
			json_object_set_new(cpus, keys[k] + strlen("cpus."),
					    parse_value(equals + 1));
			continue;
		}
		json_decref(cpus);
		return NULL;
	}
	return json_pack("{s:o}", "cpus", cpus);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on the host, as it happens; and where something of it was missed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/output.h>

#include "cmdpartctl.h"

#define WAIT_MS	10000	/* of one question */

static void what(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *state = json_string_value(value);

	snprintf(to, size, "%s", state ? state : text(row, "text"));
}

static const struct output_field fields[] = {
	{ "TIME", "time", output_time, false }, { "EVENT", "kind", NULL, false },
	{ "PARTITION", "partition", NULL, false }, { "NUMBER", "transaction", NULL, true },
	{ "REQUEST", "request_id", NULL, false }, { "WHAT", "state", what, false },
	{ NULL, NULL, NULL, false }
};

static void print_events(const struct options *o, const json_t *list)
{
	const json_t *event;
	size_t i;

	json_array_foreach(list, i, event) {
		if (!o->json) {
			output_line(stdout, fields, event);
			continue;
		}
		json_dumpf(event, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		putchar('\n');
	}
}

/* A daemon that is away comes back; what was missed until then is told by its next answer. */
static bool is_away(const struct error *e)
{
	return e->code == EXIT_UNREACHABLE || e->code == EXIT_UNKNOWN;
}

static int follow(const struct options *o, json_t *reply)
{
	struct error e = ERROR_NONE;
	char next[64] = "";
	bool away = false;

	for (;;) {
		if (reply) {
			print_events(o, json_object_get(reply, "events"));
			snprintf(next, sizeof(next), "%s", text(reply, "next"));
			/* Answered at once, and with nothing: there are too many who wait. */
			if (!json_array_size(json_object_get(reply, "events")))
				usleep(100000);
			json_decref(reply);
		}
		if (fflush(stdout) || ferror(stdout))
			return EXIT_FAILED;
		if (call(o, "GET", NULL, &reply, &e, "/v1/events?after=%s&wait_ms=%u", next,
			 WAIT_MS) == EXIT_OK) {
			away = false;
			continue;
		}
		if (!is_away(&e))
			return give_up(o, &e);
		if (!away)
			output_error("cmdpartctl", &e, o->json);
		away = true;
		error_clear(&e);
		reply = NULL;
		sleep(1);
	}
}

int run_events(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	json_t *reply;

	(void)argc, (void)argv;
	if (call(o, "GET", NULL, &reply, &e, "/v1/events?limit=%u",
		 o->limit ? o->limit : o->follow ? 10 : 100) != EXIT_OK)
		return give_up(o, &e);
	if (o->follow)
		return follow(o, reply);
	if (o->json)
		output_json(stdout, reply);
	else
		output_table(stdout, fields, json_object_get(reply, "events"), "nothing");
	json_decref(reply);
	return EXIT_OK;
}

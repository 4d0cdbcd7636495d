/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host: shown, stopped, started again. Stopping is a state of the host, recorded, in which
 * nothing is started; then the guests are ended one by one, the last started first, as somebody
 * would by hand. What ends them is this program: if it is interrupted, repeat it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/output.h>
#include <common/uuid.h>

#include "cmdpartctl.h"

#define AGAIN_MS	200
#define AGAIN_SECONDS	10	/* a daemon may be restarting */

static bool is_on(const char *state)
{
	return strcmp(state, "defined") && strcmp(state, "failed");
}

/* A change that is safe to repeat by its id: it is, while cmdpartd is away. */
static enum exit_code insist(const struct options *o, const char *name, const char *verb,
			     struct error *e)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * 1000000 };
	struct options one = *o;
	uint8_t id[UUID_LEN];
	enum exit_code code;
	json_t *reply;

	/* Each change has an id of its own, its repetitions have the same. */
	uuid_random(id);
	uuid_format(id, one.id);
	for (int i = 0; ; i++) {
		code = ask(&one, "POST", name, verb, &reply, e);
		json_decref(reply);
		if (code != EXIT_UNREACHABLE || i == AGAIN_SECONDS * 1000 / AGAIN_MS)
			return code;
		error_clear(e);
		nanosleep(&pause, NULL);
	}
}

static const char *state_of(const json_t *reply)
{
	return text(json_object_get(reply, "partition"), "state");
}

/* Ends one guest. The outcome in a word: "off", "killed", or "on" with the reason in e. */
static const char *end_guest(const struct options *o, const char *name, struct error *e)
{
	static const char *const starting[] = { "starting", NULL };
	static const char *const on[] = { "starting", "running", "paused", "stopping", NULL };
	unsigned int seconds = o->timeout_s ? o->timeout_s : STOP_SECONDS;
	const char *outcome = "on";
	json_t *reply = NULL;

	wait_for_state(o, name, starting, START_SECONDS, &reply);
	/* One that is paused cannot hear its power button. */
	if (!strcmp(state_of(reply), "paused") && insist(o, name, "/resume", e) != EXIT_OK)
		error_clear(e);
	/* uvd presses the button again until the guest is off. */
	if ((!reply || is_on(state_of(reply))) && insist(o, name, "/stop", e) == EXIT_OK)
		wait_for_state(o, name, on, seconds, &reply);
	if (reply && !is_on(state_of(reply)))
		outcome = "off";
	if (strcmp(outcome, "off") && o->force) {
		error_clear(e);
		if (insist(o, name, "/kill", e) == EXIT_OK)
			outcome = "killed";
	}
	if (!strcmp(outcome, "on") && e->code == EXIT_OK)
		error_set(e, EXIT_FAILED, "it has not powered off within %u s", seconds);
	json_decref(reply);
	return outcome;
}

static int by_start(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	json_int_t s = json_integer_value(json_object_get(x, "started"));
	json_int_t t = json_integer_value(json_object_get(y, "started"));

	return (s < t) - (s > t);
}

/* The guests that are on, the last started first; members of list. */
static json_t **guests_of(const json_t *list, size_t *n)
{
	json_t **guests = calloc(json_array_size(list) + 1, sizeof(json_t *)), *p;
	size_t i;

	*n = 0;
	json_array_foreach(list, i, p)
		if (guests && !strcmp(text(p, "kind"), "guest") && is_on(text(p, "state")))
			guests[(*n)++] = p;
	if (guests)
		qsort(guests, *n, sizeof(*guests), by_start);
	return guests;
}

static void report(const struct options *o, json_t *outcomes, const char *name,
		   const char *outcome, const struct error *e)
{
	bool stays = !strcmp(outcome, "on");

	json_array_append_new(outcomes, json_pack("{s:s, s:s, s:o}", "name", name, "outcome",
			      outcome, "reason", stays ? json_string(e->message) : json_null()));
	if (o->json)
		return;
	printf("%s: %s%s\n", name, stays ? "still on: " : outcome, stays ? e->message : "");
	fflush(stdout);
}

static int end_guests(const struct options *o, json_t **guests, size_t n, json_t *outcomes,
		      char *left, size_t size)
{
	int stay = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = text(guests[i], "name");
		struct error e = ERROR_NONE;
		const char *outcome = end_guest(o, name, &e);
		size_t at = strlen(left);

		report(o, outcomes, name, outcome, &e);
		error_clear(&e);
		if (strcmp(outcome, "on"))
			continue;
		snprintf(left + at, size - at, "%s%s", stay ? ", " : "", name);
		stay++;
	}
	return stay;
}

static int stop_host(const struct options *o)
{
	json_t *body = request_body(o), *reply, *outcomes, **guests;
	struct error e = ERROR_NONE;
	char left[512] = "";
	size_t n;
	int rc;

	rc = call(o, "POST", body, &reply, &e, "/v1/host/stop");
	json_decref(body);
	json_decref(reply);
	/* From here on nothing is started: the list can only become shorter. */
	if (rc == EXIT_OK)
		rc = call(o, "GET", NULL, &reply, &e, "/v1/partitions");
	if (rc != EXIT_OK)
		return give_up(o, &e);
	outcomes = json_array();
	guests = guests_of(json_object_get(reply, "partitions"), &n);
	if (end_guests(o, guests, guests ? n : 0, outcomes, left, sizeof(left))) {
		error_set(&e, EXIT_FAILED, "these guests are still on: %s", left);
		error_where(&e, "host stop");
		error_fix(&e, "wait longer (--timeout), or pull their plugs: "
			  "cmdpartctl host stop --force");
	}
	if (o->json) {
		json_t *all = json_pack("{s:i, s:O}", "schema_version", OUTPUT_SCHEMA_VERSION,
					"guests", outcomes);

		output_json(stdout, all);
		json_decref(all);
	} else if (e.code == EXIT_OK) {
		printf("the host is stopped; nothing is started until cmdpartctl host start\n");
	}
	json_decref(outcomes);
	json_decref(reply);
	free(guests);
	return e.code == EXIT_OK ? EXIT_OK : give_up(o, &e);
}

static int start_host(const struct options *o)
{
	json_t *body = request_body(o), *reply;
	struct error e = ERROR_NONE;
	int rc = call(o, "POST", body, &reply, &e, "/v1/host/start");

	json_decref(body);
	if (rc != EXIT_OK)
		return give_up(o, &e);
	if (o->json)
		output_json(stdout, reply);
	else
		printf("partitions may be started%s\n",
		       json_is_true(json_object_get(reply, "already")) ? " already" : "");
	json_decref(reply);
	return EXIT_OK;
}

int run_host(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;

	if (!argc)
		return show_host(o);
	if (!strcmp(argv[0], "stop"))
		return stop_host(o);
	if (!strcmp(argv[0], "start"))
		return start_host(o);
	if (!strcmp(argv[0], "purge"))
		return purge(o);
	error_set(&e, EXIT_INVALID, "this is not understood: %s", argv[0]);
	error_where(&e, "host");
	error_fix(&e, "cmdpartctl host; host stop; host start; host purge --force");
	return give_up(o, &e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activating and deactivating: the request, then its steps as they happen. Both go on when opsd
 * dies under them and comes back: what was asked has an id, and asking again is safe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/definition.h>
#include <common/output.h>
#include <common/uuid.h>

#include "opsctl.h"

#define WAIT_MS		5000		/* of one question for events */
#define AGAIN_USEC	200000

/* One activation being watched. */
struct watch {
	struct opsctl *c;
	char id[UUID_TEXT];
	const char *path;		/* "/v1/activations": where it is begun */
	json_t *body;
	json_t *events;			/* all so far, for --json */
	double start;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

bool opsctl_is_file(const char *operand)
{
	size_t n = strlen(operand);

	return !strcmp(operand, "-") || strchr(operand, '/') ||
	       (n > 5 && !strcmp(operand + n - 5, ".json"));
}

bool opsctl_step(char *to, size_t size, const json_t *event, bool verbose)
{
	const char *kind = text(event, "kind"), *host = text(event, "host");

	if (verbose) {
		snprintf(to, size, "%s", text(event, "text"));
		return true;
	}
	/* The error tells it; or only who asked for more wants to know. */
	if (!strcmp(kind, "failed") || !strcmp(kind, "fits"))
		return false;
	if (!strcmp(kind, "claimed"))
		snprintf(to, size, "opsd claimed %s and asks its resource service", host);
	else
		snprintf(to, size, "%s", text(event, "text"));
	return true;
}

static void print_events(struct watch *w, const json_t *list)
{
	char line[1024];
	json_t *event;
	size_t i;

	json_array_foreach(list, i, event) {
		w->c->seen = json_integer_value(json_object_get(event, "number"));
		json_array_append(w->events, event);
		if (w->c->json || !opsctl_step(line, sizeof(line), event, w->c->verbose))
			continue;
		if (w->c->verbose)
			printf("%7.3f s  %s\n", now() - w->start, line);
		else
			printf("%s\n", line);
		fflush(stdout);
	}
}

static enum exit_code begin(struct watch *w, struct error *e)
{
	json_t *reply;
	enum exit_code code;

	code = opsctl_call(w->c, "POST", w->path, json_incref(w->body), &reply, e);
	if (code == EXIT_OK)
		snprintf(w->id, sizeof(w->id), "%s",
			 text(json_object_get(reply, "activation"), "id"));
	json_decref(reply);
	return code;
}

/* What is new since the last question; waits for something a while. */
static enum exit_code new_events(struct watch *w, unsigned int wait_ms, struct error *e)
{
	enum exit_code code;
	char path[160];
	json_t *reply;

	snprintf(path, sizeof(path), "/v1/events?activation=%s&after=%llu&limit=1000&wait_ms=%u",
		 w->id, (unsigned long long)w->c->seen, wait_ms);
	code = opsctl_call(w->c, "GET", path, NULL, &reply, e);
	if (code == EXIT_OK)
		print_events(w, json_object_get(reply, "events"));
	json_decref(reply);
	return code;
}

/* Its state: *activation is the caller's once it is closed, NULL as long as it is open. */
static enum exit_code look(struct watch *w, json_t **activation, struct error *e)
{
	enum exit_code code;
	json_t *reply, *a;
	char path[80];

	*activation = NULL;
	snprintf(path, sizeof(path), "/v1/activations/%s", w->id);
	code = opsctl_call(w->c, "GET", path, NULL, &reply, e);
	a = json_object_get(reply, "activation");
	if (code == EXIT_OK && strcmp(text(a, "state"), "open")) {
		/* Its last events came before its end. */
		code = new_events(w, 0, e);
		if (code == EXIT_OK)
			*activation = json_incref(a);
	}
	json_decref(reply);
	return code;
}

/*
 * Until it is closed, or patience ends. opsd away: it is on its way back. Not found: it died before
 * it had recorded anything, so the request is made again.
 */
static enum exit_code follow(struct watch *w, json_t **activation, struct error *e)
{
	double end = w->start + w->c->timeout_s + w->c->patience_s;
	enum exit_code code = begin(w, e);

	*activation = NULL;
	if (code != EXIT_OK && code != EXIT_UNKNOWN)
		return code;
	while (now() < end) {
		if (code == EXIT_OK)
			code = look(w, activation, e);
		if (*activation)
			return EXIT_OK;
		if (code == EXIT_OK)
			code = new_events(w, WAIT_MS, e);
		if (code == EXIT_OK)
			continue;
		usleep(AGAIN_USEC);
		if (code == EXIT_NOT_FOUND || code == EXIT_UNKNOWN)
			code = begin(w, e);
		else if (code == EXIT_UNREACHABLE)
			code = EXIT_OK;	/* ask again */
		else
			return code;
	}
	error_set(e, EXIT_UNKNOWN, "the outcome is not known yet");
	error_where(e, "request %s", w->id);
	error_why(e, "opsd has not told the end of it within %u s",
		  w->c->timeout_s + w->c->patience_s);
	error_fix(e, "opsd goes on with it: repeat the command with --request-id %s", w->id);
	return EXIT_UNKNOWN;
}

static enum exit_code outcome(struct watch *w, json_t *activation, struct error *e)
{
	json_t *object;

	if (!strcmp(text(activation, "state"), "failed")) {
		if (error_from_json(e, json_object_get(activation, "error")))
			error_set(e, EXIT_FAILED, "it failed, and opsd does not say why");
		return e->code ? e->code : EXIT_FAILED;
	}
	if (w->c->json) {
		object = json_pack("{s:i, s:O, s:O}", "schema_version", OUTPUT_SCHEMA_VERSION,
				   "activation", activation, "events", w->events);
		output_json(stdout, object);
		json_decref(object);
	}
	return EXIT_OK;
}

/* body gets its common keys here, and is stolen. */
static enum exit_code run(struct opsctl *c, const char *path, json_t *body, struct error *e)
{
	struct watch w = {
		.c = c, .path = path, .body = body, .events = json_array(), .start = now(),
	};
	uint8_t uuid[UUID_LEN];
	json_t *activation = NULL;
	enum exit_code code;

	if (c->request_id) {
		snprintf(w.id, sizeof(w.id), "%s", c->request_id);
	} else {
		uuid_random(uuid);
		uuid_format(uuid, w.id);
	}
	json_object_set_new(body, "request_id", json_string(w.id));
	json_object_set_new(body, "timeout_s", json_integer(c->timeout_s));
	code = follow(&w, &activation, e);
	if (code == EXIT_OK)
		code = outcome(&w, activation, e);
	json_decref(activation);
	json_decref(w.events);
	json_decref(body);
	return code;
}

enum exit_code opsctl_activate(struct opsctl *c, const char *operand, struct error *e)
{
	struct definition *d;
	json_t *body;

	if (!opsctl_is_file(operand))
		return run(c, "/v1/activations", json_pack("{s:s}", "name", operand), e);
	d = calloc(1, sizeof(*d));
	if (!d) {
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	if (definition_load(d, operand, e)) {
		free(d);
		return e->code;
	}
	body = json_pack("{s:o}", "definition", definition_to_json(d));
	free(d);
	return run(c, "/v1/activations", body, e);
}

enum exit_code opsctl_deactivate(struct opsctl *c, const char *operand, struct error *e)
{
	return run(c, "/v1/deactivations", json_pack("{s:s}", "name", operand), e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change something. What they did is one line for people, the answer for programs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <common/definition.h>
#include <common/http_client.h>
#include <common/json_file.h>
#include <common/output.h>
#include <common/reader.h>

#include "cmdpartctl.h"

#define POLL_MS		100
#define TRANSACT_BYTES	(512u * 1024u)

const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* "web1: defined (transaction 3)" */
void say(const struct options *o, const json_t *reply, const char *name, const char *done,
	 const char *already)
{
	if (o->json)
		output_json(stdout, reply);
	else if (json_is_true(json_object_get(reply, "already")))
		printf("%s: %s already\n", name, already);
	else
		printf("%s: %s (transaction %lld)\n", name, done,
		       (long long)json_integer_value(json_object_get(reply, "transaction")));
}

static int no_memory(const struct options *o)
{
	struct error e = ERROR_NONE;

	error_set(&e, EXIT_FAILED, "out of memory");
	return give_up(o, &e);
}

static enum exit_code send_to(const struct options *o, const char *method, const char *name,
			      const char *verb, const json_t *body, json_t **reply,
			      struct error *e)
{
	char *escaped = http_client_escape(name);
	enum exit_code code;

	*reply = NULL;
	code = call(o, method, body, reply, e, "/v1/partitions/%s%s", escaped ? escaped : "",
		    verb);
	free(escaped);
	return code;
}

enum exit_code ask(const struct options *o, const char *method, const char *name, const char *verb,
		   json_t **reply, struct error *e)
{
	json_t *body = strcmp(method, "GET") ? request_body(o) : NULL;
	enum exit_code code = send_to(o, method, name, verb, body, reply, e);

	json_decref(body);
	return code;
}

enum exit_code ask_with(const struct options *o, const char *name, const char *verb,
			const json_t *body, json_t **reply, struct error *e)
{
	return send_to(o, "POST", name, verb, body, reply, e);
}

static int simple(const struct options *o, const char *method, const char *name, const char *verb,
		  const char *done, const char *already)
{
	struct error e = ERROR_NONE;
	json_t *reply;

	if (ask(o, method, name, verb, &reply, &e) != EXIT_OK)
		return give_up(o, &e);
	say(o, reply, name, done, already);
	json_decref(reply);
	return EXIT_OK;
}

/*
 * cmdpartd is on this host, so the files should be, too. What cannot be looked at from here may
 * still be there for uvd; that it is no kernel is found at the start.
 */
static int check_file(const char *source, const char *key, const char *path, struct error *e)
{
	struct stat st;

	if (!path[0])
		return 0;
	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return 0;
		error_set(e, EXIT_INVALID, "there is no file %s", path);
		error_fix(e, "name a file that exists; relative paths count from the definition's "
			  "directory");
	} else if (S_ISDIR(st.st_mode)) {
		error_set(e, EXIT_INVALID, "%s is a directory", path);
		error_fix(e, "name a file in it");
	} else {
		return 0;
	}
	return error_where(e, "%s: %s", source, key);
}

static int check_files(const struct definition *d, const char *source, struct error *e)
{
	char key[32];

	if (check_file(source, "boot.kernel", d->kernel, e) < 0 ||
	    check_file(source, "boot.initrd", d->initrd, e) < 0)
		return -1;
	for (uint32_t i = 0; i < d->devices; i++) {
		snprintf(key, sizeof(key), "devices[%u].path", i);
		if (check_file(source, key, d->device[i].path, e) < 0)
			return -1;
	}
	return 0;
}

/* A definition's file, and the files that it names. */
int load_definition(struct definition *d, const char *path, struct error *e)
{
	const char *source = strcmp(path, "-") ? path : "standard input";

	if (!definition_load(d, path, e) && !check_files(d, source, e))
		return 0;
	/* The file is the command line's: exit 2, whatever is wrong with it. */
	e->code = EXIT_INVALID;
	return -1;
}

int run_define(const struct options *o, int argc, char **argv)
{
	struct definition *d = malloc(sizeof(*d));
	struct error e = ERROR_NONE;
	json_t *body, *reply;
	int rc;

	(void)argc;
	if (!d)
		return no_memory(o);
	if (load_definition(d, argv[0], &e) < 0) {
		free(d);
		return give_up(o, &e);
	}
	body = request_body(o);
	json_object_set_new(body, "definition", definition_to_json(d));
	rc = call(o, "POST", body, &reply, &e, "/v1/partitions");
	json_decref(body);
	if (rc == EXIT_OK)
		say(o, reply, d->name, "defined", "defined so");
	else
		give_up(o, &e);
	json_decref(reply);
	free(d);
	return rc;
}

int run_undefine(const struct options *o, int argc, char **argv)
{
	(void)argc;
	return simple(o, "DELETE", argv[0], "", "undefined", "undefined");
}

int run_kill(const struct options *o, int argc, char **argv)
{
	(void)argc;
	return simple(o, "POST", argv[0], "/kill", "killed", "off");
}

int run_pause(const struct options *o, int argc, char **argv)
{
	(void)argc;
	return simple(o, "POST", argv[0], "/pause", "paused", "paused");
}

int run_resume(const struct options *o, int argc, char **argv)
{
	(void)argc;
	return simple(o, "POST", argv[0], "/resume", "resumed", "running");
}

/* ---- start and stop wait --------------------------------------------------------- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void wait_for_state(const struct options *o, const char *name, const char *const *while_,
		    unsigned int seconds, json_t **reply)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	double end = now() + seconds;

	for (;;) {
		struct error e = ERROR_NONE;
		json_t *answer;
		bool on = true;

		if (ask(o, "GET", name, "", &answer, &e) == EXIT_OK) {
			const char *state = text(json_object_get(answer, "partition"), "state");

			json_decref(*reply);
			*reply = answer;
			on = false;
			for (int i = 0; while_[i]; i++)
				on |= !strcmp(state, while_[i]);
		} else {
			on = e.code == EXIT_UNREACHABLE;
		}
		error_clear(&e);
		if (!on || now() >= end)
			return;
		nanosleep(&pause, NULL);
	}
}

int run_start(const struct options *o, int argc, char **argv)
{
	static const char *const on_the_way[] = { "starting", NULL };
	struct error e = ERROR_NONE;
	json_t *reply, *row, *last = NULL;
	const char *state;

	(void)argc;
	if (ask(o, "POST", argv[0], "/start", &reply, &e) != EXIT_OK)
		return give_up(o, &e);
	if (!o->no_wait)
		wait_for_state(o, argv[0], on_the_way, o->timeout_s ? o->timeout_s : START_SECONDS,
			       &last);
	row = json_object_get(last, "partition");
	state = text(row, "state");
	if (!strcmp(state, "failed")) {
		error_set(&e, EXIT_FAILED, "its start failed: %s", text(row, "reason"));
		error_where(&e, "partition %s", argv[0]);
		error_fix(&e, "cmdpartctl console --log %s may tell more", argv[0]);
	} else if (!o->no_wait && (!last || !strcmp(state, "starting"))) {
		error_set(&e, EXIT_UNKNOWN, "it is committed, but was not seen running in time");
		error_where(&e, "partition %s", argv[0]);
		error_fix(&e, "look again: cmdpartctl show %s", argv[0]);
	}
	if (row)
		json_object_set(reply, "partition", row);
	if (e.code == EXIT_OK)
		say(o, reply, argv[0], o->no_wait ? "starting" : "started", "running");
	json_decref(last);
	json_decref(reply);
	return e.code == EXIT_OK ? EXIT_OK : give_up(o, &e);
}

int run_stop(const struct options *o, int argc, char **argv)
{
	static const char *const on[] = { "starting", "running", "paused", "stopping", NULL };
	unsigned int seconds = o->timeout_s ? o->timeout_s : STOP_SECONDS;
	struct error e = ERROR_NONE;
	json_t *reply, *row, *last = NULL;
	const char *state;
	int code;

	(void)argc;
	if (ask(o, "POST", argv[0], "/stop", &reply, &e) != EXIT_OK)
		return give_up(o, &e);
	if (o->no_wait || json_is_true(json_object_get(reply, "already"))) {
		say(o, reply, argv[0], "power button pressed", "off");
		json_decref(reply);
		return EXIT_OK;
	}
	wait_for_state(o, argv[0], on, seconds, &last);
	row = json_object_get(last, "partition");
	state = text(row, "state");
	if (row)
		json_object_set(reply, "partition", row);
	if (!strcmp(state, "defined")) {
		say(o, reply, argv[0], "off", "off");
		code = EXIT_OK;
	} else {
		if (!strcmp(state, "failed"))
			error_set(&e, EXIT_FAILED, "it is off, but its run ended badly: %s",
				  text(row, "reason"));
		else if (!row)
			error_set(&e, EXIT_UNKNOWN, "cmdpartd could not be asked for the outcome");
		else
			error_set(&e, EXIT_FAILED, "it has not powered off within %u s", seconds);
		error_where(&e, "partition %s", argv[0]);
		if (row && strcmp(state, "failed"))
			error_fix(&e, "does the guest answer its power button? Wait longer "
				  "(--timeout), or pull the plug: cmdpartctl kill %s", argv[0]);
		code = give_up(o, &e);
	}
	json_decref(last);
	json_decref(reply);
	return code;
}

/* ---- transact -------------------------------------------------------------------- */

/* Definitions inside are read here, so that their relative paths count from the file. */
static int make_absolute(json_t *list, const char *file, struct error *e)
{
	char base[PATH_MAX], source[PATH_MAX + 64];
	struct definition *d = malloc(sizeof(*d));
	json_t *operation;
	int rc = d ? 0 : error_set(e, EXIT_FAILED, "out of memory");
	struct stat st;
	bool regular;
	size_t i;

	regular = strcmp(file, "-") && !stat(file, &st) && S_ISREG(st.st_mode);
	if (!rc && !(regular ? realpath(file, base) : getcwd(base, sizeof(base))))
		rc = error_set(e, EXIT_FAILED, "cannot tell the file's directory");
	if (!rc && regular)
		*(strrchr(base, '/') == base ? base + 1 : strrchr(base, '/')) = '\0';
	for (i = 0; !rc && i < json_array_size(list); i++) {
		operation = json_array_get(list, i);
		if (!json_object_get(operation, "define"))
			continue;
		snprintf(source, sizeof(source), "%s: operations[%zu].define", file, i);
		rc = definition_parse(d, json_object_get(operation, "define"), source, base, e);
		if (!rc)
			rc = check_files(d, source, e);
		if (!rc)
			json_object_set_new(operation, "define", definition_to_json(d));
	}
	free(d);
	return rc;
}

int run_transact(const struct options *o, int argc, char **argv)
{
	static const char *const keys[] = { "operations", NULL };
	struct error e = ERROR_NONE;
	const struct reader r = { strcmp(argv[0], "-") ? argv[0] : "standard input", NULL, &e };
	json_t *json, *list, *body, *reply = NULL;
	int rc;

	(void)argc;
	json = json_file_load(argv[0], TRANSACT_BYTES, &e);
	rc = json ? 0 : -1;
	/* The list alone will do. */
	if (json_is_array(json)) {
		list = json;
	} else if (!rc) {
		rc = reader_object(&r, "", json, keys);
		if (!rc && reader_get(&r, "", json, "operations", JSON_ARRAY,
				      "[ { \"start\": \"web1\" } ]", true, &list) < 0)
			rc = -1;
	}
	if (!rc)
		rc = make_absolute(list, argv[0], &e);
	if (rc < 0) {
		json_decref(json);
		e.code = EXIT_INVALID;
		return give_up(o, &e);
	}
	body = request_body(o);
	json_object_set(body, "operations", list);
	rc = call(o, "POST", body, &reply, &e, "/v1/transactions");
	if (rc != EXIT_OK)
		rc = give_up(o, &e);
	else if (o->json)
		output_json(stdout, reply);
	else if (json_is_true(json_object_get(reply, "already")))
		printf("all of it is so already\n");
	else
		printf("%zu operations done (transaction %lld)\n", json_array_size(list),
		       (long long)json_integer_value(json_object_get(reply, "transaction")));
	json_decref(reply);
	json_decref(body);
	json_decref(json);
	return rc;
}

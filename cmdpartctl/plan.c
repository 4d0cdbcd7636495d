/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules say: of what would be done (plan), of what is (why). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/definition.h>
#include <common/output.h>

#include "cmdpartctl.h"

static void in_use(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *by = json_string_value(json_object_get(row, "by"));

	snprintf(to, size, "%s%s%s%s", json_is_string(value) ? json_string_value(value) : "-",
		 by ? " (" : "", by ? by : "", by ? ")" : "");
}

static void fix(char *to, size_t size, const json_t *value, const json_t *row)
{
	snprintf(to, size, "%s", json_is_true(json_object_get(row, "fits")) ||
		 !json_is_string(value) ? "" : json_string_value(value));
}

static void print_rules(const json_t *rules, const char *none)
{
	static const struct output_field fields[] = {
		{ "FITS", "fits", NULL, false }, { "RULE", "rule", NULL, false },
		{ "LIMIT", "limit", NULL, true }, { "ASKED", "asked", NULL, true },
		{ "FREE", "free", NULL, true }, { "REASON", "reason", NULL, false },
		{ "IN USE", "in_use", in_use, false }, { "TO MAKE IT FIT", "fix", fix, false },
		{ NULL, NULL, NULL, false }
	};

	output_table(stdout, fields, rules, none);
}

static void print_contexts(const json_t *contexts)
{
	static const struct output_field fields[] = {
		{ "CONTEXT", "index", NULL, true }, { "MODE", "mode", NULL, false },
		{ "CPUS", "cpus", NULL, false },
		{ "AT, US", "window_start_us", NULL, true }, { NULL, NULL, NULL, false }
	};

	output_table(stdout, fields, contexts, NULL);
}

static void print_placement(const json_t *placement)
{
	static const struct output_field channels[] = {
		{ "DEVICE", "device", NULL, false },
		{ "SERVERS, IN ORDER", "servers", NULL, false },
		{ NULL, NULL, NULL, false }
	};

	printf("domain %s, memory node %lld%s\n\n", text(placement, "domain"),
	       (long long)json_integer_value(json_object_get(placement, "node")),
	       json_is_true(json_object_get(placement, "huge_pages")) ? ", huge pages" : "");
	print_contexts(json_object_get(placement, "contexts"));
	if (json_array_size(json_object_get(placement, "channels"))) {
		putchar('\n');
		output_table(stdout, channels, json_object_get(placement, "channels"), NULL);
	}
}

static void print_plan(const json_t *plan)
{
	const json_t *placement = json_object_get(plan, "placement");
	const json_t *held = json_object_get(plan, "plan");
	char until[64];

	print_rules(json_object_get(plan, "rules"),
		    "nothing is to be placed: it runs already, or is off and only its definition "
		    "changes");
	if (placement) {
		putchar('\n');
		print_placement(placement);
	}
	if (held) {
		output_time(until, sizeof(until), json_object_get(held, "until"), held);
		printf("\nReserved until %s: cmdpartctl start %s --plan %s\n", until,
		       text(held, "partition"), text(held, "token"));
	}
}

static int release(const struct options *o)
{
	struct error e = ERROR_NONE;
	json_t *reply = NULL;

	if (call(o, "DELETE", NULL, &reply, &e, "/v1/plans/%s", o->release))
		return give_up(o, &e);
	if (o->json)
		output_json(stdout, reply);
	else
		printf("%s: given back\n", o->release);
	json_decref(reply);
	return EXIT_OK;
}

/* An argument with a slash or the suffix .json, or that is a file here, is one. */
static bool is_file(const char *argument)
{
	const char *suffix = strrchr(argument, '.');

	return !strcmp(argument, "-") || strchr(argument, '/') ||
	       (suffix && !strcmp(suffix, ".json")) || !access(argument, F_OK);
}

int run_plan(const struct options *o, int argc, char **argv)
{
	struct definition *d = malloc(sizeof(*d));
	struct error e = ERROR_NONE, refused = ERROR_NONE;
	json_t *body = json_object(), *reply = NULL, *set;
	int rc = -1;

	if (o->release || argc < 1) {
		free(d);
		json_decref(body);
		if (o->release && argc < 1)
			return release(o);
		error_set(&e, EXIT_INVALID, o->release ? "a token is given back alone" :
			  "an argument is missing");
		error_fix(&e, "usage: cmdpartctl plan FILE|NAME, or plan --release TOKEN");
		return give_up(o, &e);
	}
	if (o->reserve_s)
		json_object_set_new(body, "reserve_s", json_integer(o->reserve_s));
	set = argc > 1 ? changes(argc - 1, argv + 1, &e) : NULL;
	if (argc > 1 && !set) {
		rc = -1;
	} else if (d && !set && is_file(argv[0])) {
		rc = load_definition(d, argv[0], &e);
		if (!rc)
			json_object_set_new(body, "definition", definition_to_json(d));
	} else if (d) {
		rc = 0;
		json_object_set_new(body, "partition", json_string(argv[0]));
		if (set)
			json_object_set(body, "set", set);
	} else {
		error_set(&e, EXIT_FAILED, "out of memory");
	}
	free(d);
	json_decref(set);
	if (!rc)
		rc = call(o, "POST", body, &reply, &e, "/v1/plan");
	json_decref(body);
	if (rc)
		return give_up(o, &e);
	if (o->json)
		output_json(stdout, reply);
	else
		print_plan(reply);
	rc = EXIT_OK;
	if (!error_from_json(&refused, json_object_get(reply, "refused"))) {
		rc = refused.code;
		if (!o->json)
			give_up(o, &refused);
	}
	error_clear(&refused);
	json_decref(reply);
	return rc;
}

static void print_refusal(const json_t *reply)
{
	const json_t *refused = json_object_get(reply, "refused");

	if (!json_is_object(refused))
		printf("It is off, and would fit now.\n");
	else
		printf("It is off, and would be refused now: %s\n", text(refused, "message"));
	if (json_is_object(refused) && *text(refused, "fix"))
		printf("To make it fit: %s\n", text(refused, "fix"));
}

static void print_running(const json_t *reply)
{
	const json_t *has = json_object_get(reply, "has");

	printf("It has of domain %s, memory node %lld:\n\n", text(has, "domain"),
	       (long long)json_integer_value(json_object_get(has, "node")));
	print_contexts(json_object_get(has, "contexts"));
	if (json_is_true(json_object_get(reply, "as_now")))
		printf("\nThe rules would choose the same now:\n");
	else if (json_is_true(json_object_get(reply, "fits")))
		printf("\nStarted now it would get something else, for others have come and gone, "
		       "or the policy has changed:\n");
	else
		printf("\nStarted now it would be refused; it keeps what it has:\n");
}

static void print_why(const json_t *reply)
{
	const json_t *p = json_object_get(reply, "partition");
	const char *waits = text(reply, "waits"), *reason = text(p, "reason");
	json_t *ledger;

	printf("%s is %s%s%s\n", text(p, "name"), text(p, "state"), *reason ? ": " : "", reason);
	if (*waits)
		printf("It waits: %s\n", waits);
	if (json_object_get(reply, "has"))
		print_running(reply);
	else
		print_refusal(reply);
	putchar('\n');
	print_rules(json_object_get(reply, "rules"), "no rule was asked");
	if (json_object_get(reply, "placement") &&
	    !json_is_true(json_object_get(reply, "as_now"))) {
		printf("\nIt would get ");
		print_placement(json_object_get(reply, "placement"));
	}
	printf("\nWho asked for what:\n\n");
	ledger = json_pack("{s:O}", "ledger", json_object_get(reply, "transactions"));
	print_ledger(ledger);
	json_decref(ledger);
}

int run_why(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	json_t *reply;

	(void)argc;
	if (ask(o, "GET", argv[0], "/why", &reply, &e) != EXIT_OK)
		return give_up(o, &e);
	if (o->json)
		output_json(stdout, reply);
	else
		print_why(reply);
	json_decref(reply);
	return EXIT_OK;
}

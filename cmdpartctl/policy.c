/* SPDX-License-Identifier: Apache-2.0 */
/* The policy in force: shown, and read anew. */
#include <stdio.h>
#include <string.h>

#include <common/output.h>

#include "cmdpartctl.h"

static void print_policy(const json_t *reply)
{
	const char *file = text(reply, "file"), *missing = text(reply, "not_in_force");

	printf("%s\n", *file ? file : "no policy file: these are the defaults");
	if (*missing)
		printf("not in force: %s\n", missing);
	output_json(stdout, json_object_get(reply, "policy"));
}

int run_policy(const struct options *o, int argc, char **argv)
{
	bool reload = argc && !strcmp(argv[0], "reload");
	json_t *body = reload ? request_body(o) : NULL, *reply = NULL;
	struct error e = ERROR_NONE;
	int rc;

	if (argc && !reload) {
		error_set(&e, EXIT_INVALID, "this is not understood: %s", argv[0]);
		error_where(&e, "policy");
		error_fix(&e, "cmdpartctl policy; cmdpartctl policy reload");
		return give_up(o, &e);
	}
	rc = call(o, reload ? "POST" : "GET", body, &reply, &e, reload ? "/v1/policy/reload" :
		  "/v1/policy");
	json_decref(body);
	if (rc != EXIT_OK)
		return give_up(o, &e);
	/* Read, but uvd refused a part of it: that is no success. */
	if (reload && *text(reply, "not_in_force")) {
		error_set(&e, EXIT_CONFLICT, "the policy is read, but not all of it is in force");
		error_why(&e, "%s", text(reply, "not_in_force"));
		error_fix(&e, "stop what is in the way, then reload again");
		json_decref(reply);
		return give_up(o, &e);
	}
	if (o->json)
		output_json(stdout, reply);
	else if (reload)
		printf("the policy is in force: %s\n", *text(reply, "file") ?
		       text(reply, "file") : "defaults");
	else
		print_policy(reply);
	json_decref(reply);
	return EXIT_OK;
}

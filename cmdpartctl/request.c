/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to cmdpartd, and errors of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/http_client.h>
#include <common/output.h>

#include "cmdpartctl.h"

enum exit_code call(const struct options *o, const char *method, const json_t *body,
		    json_t **reply, struct error *e, const char *path, ...)
{
	struct http_call c = { .socket = o->socket, .daemon = "cmdpartd", .method = method,
			       .body = body };
	enum exit_code code;
	char *text = NULL;
	va_list args;
	int n;

	*reply = NULL;
	va_start(args, path);
	n = vasprintf(&text, path, args);
	va_end(args);
	if (n < 0) {
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	c.path = text;
	code = http_client_call(&c, reply, e);
	free(text);
	/* The id was chosen here: without it the way out would be closed. */
	if (code == EXIT_UNKNOWN)
		error_fix(e, "repeat the command with --request-id %s: nothing is done twice",
			  o->id);
	return code;
}

int give_up(const struct options *o, struct error *e)
{
	int code = e->code;

	output_error("cmdpartctl", e, o->json);
	error_clear(e);
	return code;
}

json_t *request_body(const struct options *o)
{
	json_t *body = json_pack("{s:s}", "request_id", o->id);

	if (o->reason)
		json_object_set_new(body, "reason", json_string(o->reason));
	if (o->plan)
		json_object_set_new(body, "plan", json_string(o->plan));
	return body;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over HTTP to a daemon's unix socket: libcurl, and outcomes in the words of exit_code.h.
 *
 * EXIT_UNREACHABLE means that nothing was done: the connection was refused, or the request never
 * left whole. Once it has left whole and no answer came, a request that changes something has
 * EXIT_UNKNOWN: repeating it with the same request id is safe and tells. A GET may simply be
 * repeated, and so has EXIT_UNREACHABLE.
 */
#ifndef COMMON_HTTP_CLIENT_H
#define COMMON_HTTP_CLIENT_H

#include <jansson.h>
#include <systemd/sd-event.h>

#include <common/error.h>

#define HTTP_CLIENT_MAX_REPLY (16u << 20)	/* bytes; a longer one is an error */

struct http_call {
	const char *socket;	/* path of the unix socket */
	const char *daemon;	/* for messages: "cmdpartd" */
	const char *method;	/* "GET", "POST", "DELETE" */
	const char *path;	/* "/v1/partitions"; see http_client_escape */
	const json_t *body;	/* NULL: none */
	unsigned int timeout_ms;/* for the whole call; 0: 30,000 */
};

/*
 * Makes the call and waits. EXIT_OK and *reply (a new reference, never NULL); or the code, which
 * is also e->code, and the whole error in *e, from the daemon or about it.
 */
enum exit_code http_client_call(const struct http_call *call, json_t **reply, struct error *e);

/* Escapes one segment of a path ("a b" -> "a%20b"); free it. NULL: out of memory. */
char *http_client_escape(const char *segment);

/*
 * The same inside an sd-event loop. Calls run side by side; done is called once for each, never
 * from within http_client_start, with reply borrowed and NULL unless code is EXIT_OK. What call
 * points to is copied. Closing the client ends its calls without calling done.
 */
struct http_client;
typedef void http_client_done(enum exit_code code, json_t *reply, const struct error *e,
			      void *data);

int http_client_open(struct http_client **out, sd_event *event);
void http_client_close(struct http_client *client);
int http_client_start(struct http_client *client, const struct http_call *call,
		      http_client_done *done, void *data);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call to a daemon: libcurl, a JSON body each way, and what the outcome means. http_loop.c
 * makes the same calls inside an event loop.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http_exchange.h"
#include <common/http_client.h>
#include <common/size.h>

#define DEFAULT_TIMEOUT_MS 30000

static size_t on_body(char *data, size_t one, size_t n, void *cls)
{
	struct http_exchange *x = cls;
	char *larger;

	(void)one;
	if (x->length + n > HTTP_CLIENT_MAX_REPLY)
		return 0;
	larger = realloc(x->reply, x->length + n);
	if (!larger)
		return 0;
	memcpy(larger + x->length, data, n);
	x->reply = larger;
	x->length += n;
	return n;
}

void http_exchange_end(struct http_exchange *x)
{
	if (x->curl)
		curl_easy_cleanup(x->curl);
	curl_slist_free_all(x->headers);
	free(x->method);
	free(x->daemon);
	free(x->socket);
	free(x->text);
	free(x->reply);
	memset(x, 0, sizeof(*x));
}

static void set_options(struct http_exchange *x, const char *url, const struct http_call *call)
{
	CURL *c = x->curl;

	curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, x->socket);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
			 (long)(call->timeout_ms ? call->timeout_ms : DEFAULT_TIMEOUT_MS));
	/* The daemon may have restarted since the last call: a kept connection would be stale. */
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	if (x->text) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->text);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(x->text));
	} else if (!strcmp(x->method, "POST")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
	}
}

int http_exchange_begin(struct http_exchange *x, const struct http_call *call)
{
	char *url = NULL;

	memset(x, 0, sizeof(*x));
	x->curl = curl_easy_init();
	x->method = strdup(call->method);
	x->daemon = strdup(call->daemon);
	x->socket = strdup(call->socket);
	if (call->body) {
		x->text = json_dumps(call->body, JSON_COMPACT | JSON_ENCODE_ANY);
		x->headers = curl_slist_append(NULL, "Content-Type: application/json");
		if (x->headers)
			/* A refusal of the size comes with the announcement: no need to ask. */
			curl_slist_append(x->headers, "Expect:");
	}
	if (asprintf(&url, "http://localhost%s", call->path) < 0)
		url = NULL;
	if (!x->curl || !x->method || !x->daemon || !x->socket || !url ||
	    (call->body && (!x->text || !x->headers))) {
		free(url);
		http_exchange_end(x);
		return -1;
	}
	set_options(x, url, call);
	free(url);
	return 0;
}

/* Whether the daemon can have read the whole request: then it may have acted upon it. */
static bool was_sent(struct http_exchange *x)
{
	long request_size = 0;
	curl_off_t uploaded = 0;

	curl_easy_getinfo(x->curl, CURLINFO_REQUEST_SIZE, &request_size);
	curl_easy_getinfo(x->curl, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	return request_size > 0 && (!x->text || uploaded >= (curl_off_t)strlen(x->text) ||
				    request_size > (long)strlen(x->text));
}

static enum exit_code no_answer(struct http_exchange *x, CURLcode rc, struct error *e)
{
	if (x->length && rc == CURLE_WRITE_ERROR) {
		error_set(e, EXIT_FAILED, "the answer of %s is too long", x->daemon);
	} else if (!was_sent(x) || rc == CURLE_COULDNT_CONNECT) {
		error_set(e, EXIT_UNREACHABLE, "%s cannot be reached; nothing was done", x->daemon);
		error_fix(e, "see whether it runs (systemctl status %s), and that you may use its "
			  "socket (group ultravisor)", x->daemon);
	} else if (!strcmp(x->method, "GET")) {
		error_set(e, EXIT_UNREACHABLE, "%s did not answer", x->daemon);
		error_fix(e, "repeat the command");
	} else {
		error_set(e, EXIT_UNKNOWN, "%s did not answer; the outcome is unknown", x->daemon);
		error_fix(e, "repeat the command with the same --request-id: nothing is done "
			  "twice");
	}
	error_where(e, "%s", x->socket);
	error_why(e, "%s", curl_easy_strerror(rc));
	return e->code;
}

enum exit_code http_exchange_result(struct http_exchange *x, CURLcode rc, json_t **reply,
				    struct error *e)
{
	json_error_t je;
	long status = 0;

	*reply = NULL;
	if (rc != CURLE_OK)
		return no_answer(x, rc, e);
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	*reply = json_loadb(x->reply ? x->reply : "", x->length, JSON_REJECT_DUPLICATES, &je);
	if (*reply && status >= 200 && status < 300)
		return EXIT_OK;
	if (!*reply || error_from_json(e, *reply) < 0) {
		/* Whatever it did before it answered that, it did not say. */
		error_set(e, status >= 400 ? exit_code_of_http(status) : EXIT_UNKNOWN,
			  "the answer of %s is no JSON object of this service (HTTP status %ld)",
			  x->daemon, status);
		error_where(e, "%s", x->socket);
	}
	json_decref(*reply);
	*reply = NULL;
	return e->code;
}

enum exit_code http_client_call(const struct http_call *call, json_t **reply, struct error *e)
{
	struct http_exchange x;
	enum exit_code code;

	*reply = NULL;
	if (http_exchange_begin(&x, call) < 0) {
		error_set(e, EXIT_FAILED, "out of memory");
		return e->code;
	}
	code = http_exchange_result(&x, curl_easy_perform(x.curl), reply, e);
	http_exchange_end(&x);
	return code;
}

char *http_client_escape(const char *segment)
{
	char *escaped = curl_easy_escape(NULL, segment, 0), *copy;

	copy = escaped ? strdup(escaped) : NULL;
	curl_free(escaped);
	return copy;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer: what http_client.c and http_loop.c share. */
#ifndef COMMON_HTTP_EXCHANGE_H
#define COMMON_HTTP_EXCHANGE_H

#include <curl/curl.h>

#include <common/http_client.h>

struct http_exchange {
	CURL *curl;			/* its CURLOPT_PRIVATE is the exchange */
	struct curl_slist *headers;
	char *method, *daemon, *socket, *text;
	char *reply;
	size_t length;
};

int http_exchange_begin(struct http_exchange *x, const struct http_call *call);
enum exit_code http_exchange_result(struct http_exchange *x, CURLcode rc, json_t **reply,
				    struct error *e);
void http_exchange_end(struct http_exchange *x);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to daemons side by side in an sd-event loop: curl's multi interface. Curl names the
 * descriptors and the timeout that it waits for, and is told what happened to them.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <time.h>

#include "http_exchange.h"
#include <common/http_client.h>

struct http_pending {
	struct http_exchange exchange;	/* first: curl's private pointer is this */
	LIST_ENTRY(http_pending) entry;
	http_client_done *done;
	void *data;
};

struct http_client {
	sd_event *event;
	sd_event_source *timer;
	CURLM *multi;
	LIST_HEAD(, http_pending) pending;
};

static void finish(struct http_client *client)
{
	enum exit_code code;
	CURLMsg *message;
	json_t *reply;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct error e = ERROR_NONE;
		struct http_pending *p;
		void *private;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		p = private;
		code = http_exchange_result(&p->exchange, message->data.result, &reply, &e);
		curl_multi_remove_handle(client->multi, p->exchange.curl);
		LIST_REMOVE(p, entry);
		p->done(code, reply, &e, p->data);
		http_exchange_end(&p->exchange);
		free(p);
		json_decref(reply);
		error_clear(&e);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct http_client *client = data;
	int running, what = 0;

	(void)source;
	if (events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(client->multi, fd, what, &running);
	finish(client);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct http_client *client = data;
	int running;

	(void)source, (void)usec;
	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(client);
	return 0;
}

static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *cls, void *of_socket)
{
	struct http_client *client = cls;
	sd_event_source *source = of_socket;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		curl_multi_assign(client->multi, fd, NULL);
	} else if (source) {
		sd_event_source_set_io_events(source, events);
	} else if (sd_event_add_io(client->event, &source, fd, events, on_io, client) >= 0) {
		curl_multi_assign(client->multi, fd, source);
	}
	return 0;
}

static int on_want_timer(CURLM *multi, long ms, void *cls)
{
	struct http_client *client = cls;

	(void)multi;
	if (ms < 0) {
		sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
	} else {
		sd_event_source_set_time_relative(client->timer, (uint64_t)ms * 1000);
		sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
	}
	return 0;
}

int http_client_open(struct http_client **out, sd_event *event)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int rc;

	if (!client)
		return -ENOMEM;
	LIST_INIT(&client->pending);
	client->event = sd_event_ref(event);
	client->multi = curl_multi_init();
	rc = client->multi ? sd_event_add_time_relative(event, &client->timer, CLOCK_MONOTONIC, 0,
							1000, on_timer, client) : -ENOMEM;
	if (rc < 0) {
		http_client_close(client);
		return rc;
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	*out = client;
	return 0;
}

void http_client_close(struct http_client *client)
{
	struct http_pending *p;

	if (!client)
		return;
	while ((p = LIST_FIRST(&client->pending))) {
		LIST_REMOVE(p, entry);
		curl_multi_remove_handle(client->multi, p->exchange.curl);
		http_exchange_end(&p->exchange);
		free(p);
	}
	curl_multi_cleanup(client->multi);
	sd_event_source_disable_unref(client->timer);
	sd_event_unref(client->event);
	free(client);
}

int http_client_start(struct http_client *client, const struct http_call *call,
		      http_client_done *done, void *data)
{
	struct http_pending *p = calloc(1, sizeof(*p));

	if (!p || http_exchange_begin(&p->exchange, call) < 0) {
		free(p);
		return -ENOMEM;
	}
	p->done = done;
	p->data = data;
	if (curl_multi_add_handle(client->multi, p->exchange.curl) != CURLM_OK) {
		http_exchange_end(&p->exchange);
		free(p);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&client->pending, p, entry);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over HTTP on a unix socket, inside a daemon's sd-event loop: libmicrohttpd, with limits.
 *
 * Nobody waits for anybody: a client that connects and says nothing, or that sends or reads too
 * slowly, is cut off at a deadline; when a user has too many connections, the one that has said
 * nothing for longest makes room; a body beyond the limit is refused when it is announced. A
 * handler gets a whole request and answers at once or later. Who asks is known by peer
 * credentials, never by the payload.
 */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include <jansson.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include <common/error.h>

struct http_server;
struct http_request;

/* Must lead to exactly one http_reply…, http_upgrade: now, or later from the event loop. */
typedef void http_handler(struct http_request *request, void *data);

/*
 * A path's {} stand for one segment each, at most HTTP_MAX_SEGMENTS. More methods for one path
 * are more routes.
 */
#define HTTP_MAX_SEGMENTS 4
struct http_route {
	const char *method;		/* "GET"; NULL ends the table */
	const char *path;		/* "/v1/partitions/{}/start" */
	http_handler *handler;
};

/* A request whose head is here: 0, or -1 and *e, its answer; nothing more is read of it then. */
typedef int http_admit(const struct http_request *request, void *data, struct error *e);

struct http_server_config {
	const struct http_route *routes;
	http_admit *admit;		/* NULL: everybody whom the socket lets in */
	void *data;			/* for admit and the handlers */
	size_t max_body;		/* bytes; 0: 1 MiB */
	unsigned int max_connections;	/* 0: 256 */
	unsigned int max_per_user;	/* 0: a quarter of max_connections */
	unsigned int receive_seconds;	/* until a request is whole, silence included; 0: 10 */
	unsigned int send_seconds;	/* until an answer is taken; 0: 30 */
};

/*
 * listen_fd is a listening stream socket; the server owns it from then on. 0 or -errno. Closing
 * answers what waits with EXIT_UNKNOWN; sockets handed out must be closed before.
 */
int http_server_open(struct http_server **out, sd_event *event, int listen_fd,
		     const struct http_server_config *config);
void http_server_close(struct http_server *server);

/*
 * The socket to listen on: the first that systemd passed (sd_listen_fds), else a new one at path
 * open to all (admit decides whom to answer), replacing a socket that nobody listens on.
 * Returns the descriptor, or -1 and *e.
 */
int http_listen(const char *path, struct error *e);

/* What was asked. All of it is valid until the reply; segment i is that of the i-th {}. */
const struct ucred *http_request_peer(const struct http_request *r);
const char *http_request_method(const struct http_request *r);
const char *http_request_path(const struct http_request *r);
const char *http_request_segment(const struct http_request *r, unsigned int i);
const char *http_request_query(const struct http_request *r, const char *key);	/* or NULL */
json_t *http_request_body(const struct http_request *r);	/* borrowed; NULL: there was none */

/* Whether the peer was in the group when it connected. */
bool http_request_in_group(const struct http_request *r, gid_t group);

/* The answers; each ends the request. body is stolen. */
void http_reply(struct http_request *r, unsigned int status, json_t *body);
void http_reply_error(struct http_request *r, const struct error *e);
/* Text of another type than JSON; text is the server's to free. NULL: the connection ends. */
void http_reply_text(struct http_request *r, const char *type, char *text);

/*
 * 101 Switching Protocols to protocol, which the client must have asked for: otherwise this
 * answers 426 itself, returns -1, and on_socket is not called. Else on_socket gets the connection's
 * descriptor, non-blocking, and what the client sent behind its request; http_socket_close ends
 * it. NULL and -1: the client went away meanwhile.
 */
struct http_socket;
typedef void http_upgraded(struct http_socket *socket, int fd, const char *extra, size_t n,
			   void *data);
int http_upgrade(struct http_request *r, const char *protocol, http_upgraded *on_socket,
		 void *data);
void http_socket_close(struct http_socket *socket);

#endif

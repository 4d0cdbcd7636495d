/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads: its epoll descriptor is one source of the daemon's loop.
 *
 * A request's life: headers (routed, its announced size checked), body (gathered up to the
 * limit), whole (handler called), answered. A handler that does not answer at once leaves the
 * connection suspended; the answer resumes it. Each connection is in one state with one
 * deadline, and a sweep each second cuts off what is past it. A connection is ended by shutdown():
 * libmicrohttpd alone closes its descriptors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <common/http_server.h>
#include <common/log.h>
#include <common/size.h>

#define SWEEP_US	1000000
#define HEADER_BYTES	(16u * 1024u)	/* of one request's head */
#define HEADROOM	64		/* connections accepted beyond the limit until others end */
#define MAX_GROUPS	1024
#define WARN_SECONDS	10
#define MAX_REFUSALS	50		/* logged in that time: nobody fills the log */

enum state {
	RECEIVING,	/* nothing, or a part of a request; may be cut off to make room */
	HANDLING,	/* a handler has it */
	SENDING,
	UPGRADED,	/* no HTTP any more */
};

struct connection {
	TAILQ_ENTRY(connection) entry;	/* in order of arrival */
	struct http_server *server;
	int fd;				/* libmicrohttpd's */
	enum state state;
	bool cut;			/* shut down already */
	uint64_t deadline;		/* s, CLOCK_MONOTONIC; while RECEIVING or SENDING */
	struct ucred peer;
	gid_t *groups;
	unsigned int group_count;
};

struct http_request {
	TAILQ_ENTRY(http_request) entry;
	struct connection *connection;
	struct MHD_Connection *mhd;
	const struct http_route *route;
	char method[16];
	char *path;
	char *segment[HTTP_MAX_SEGMENTS];
	char *segments;			/* a copy of path, cut */
	char *buffer;
	size_t length;
	bool too_large;
	json_t *body;
	bool handled, suspended, unanswerable;
	struct MHD_Response *response;	/* until queued */
	unsigned int status;
	http_upgraded *on_socket;
	void *on_socket_data;
};

struct http_socket {
	struct connection *connection;
	struct MHD_UpgradeResponseHandle *handle;
};

struct http_server {
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer, *sweep;
	struct http_server_config config;
	TAILQ_HEAD(, connection) connections;
	TAILQ_HEAD(, http_request) requests;
	unsigned int count;
	uint64_t warned;		/* when, seconds */
	unsigned int refusals;		/* in the time since then */
	uint64_t refusals_since;
};

static uint64_t now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void cut(struct connection *c)
{
	c->cut = true;
	shutdown(c->fd, SHUT_RDWR);
}

/* ---- connections ----------------------------------------------------------------- */

static void read_groups(struct connection *c)
{
	gid_t groups[MAX_GROUPS];
	socklen_t n = sizeof(groups);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		return;
	c->groups = malloc(n ? n : 1);
	if (c->groups) {
		memcpy(c->groups, groups, n);
		c->group_count = n / sizeof(gid_t);
	}
}

/* Clients must not be able to fill the log. */
static bool may_warn(struct http_server *s)
{
	uint64_t now = now_seconds();

	if (now < s->warned + WARN_SECONDS)
		return false;
	s->warned = now;
	return true;
}

static void make_room(struct http_server *s, const struct connection *newest)
{
	struct connection *c, *oldest = NULL, *own = NULL;
	unsigned int of_user = 0;

	TAILQ_FOREACH(c, &s->connections, entry) {
		bool waits = c->state == RECEIVING && !c->cut && c != newest;

		if (waits && !oldest)
			oldest = c;
		if (c->cut || c->peer.uid != newest->peer.uid)
			continue;
		of_user++;
		if (waits && !own)
			own = c;
	}
	if (of_user > s->config.max_per_user && own) {
		if (may_warn(s))
			log_warning("user %u has more than %u connections: closing the oldest "
				    "silent ones", newest->peer.uid, s->config.max_per_user);
		cut(own);
	} else if (s->count > s->config.max_connections && oldest) {
		if (may_warn(s))
			log_warning("more than %u connections: closing the oldest silent ones",
				    s->config.max_connections);
		cut(oldest);
	}
}

static void connection_notify(void *cls, struct MHD_Connection *mhd, void **context,
			      enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	struct connection *c = *context;
	socklen_t n = sizeof(c->peer);

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return;
		c->server = s;
		c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->deadline = now_seconds() + s->config.receive_seconds;
		if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &n) < 0) {
			c->peer.uid = (uid_t)-1;
			c->peer.gid = (gid_t)-1;
		}
		read_groups(c);
		TAILQ_INSERT_TAIL(&s->connections, c, entry);
		s->count++;
		*context = c;
		make_room(s, c);
	} else if (c) {
		TAILQ_REMOVE(&s->connections, c, entry);
		s->count--;
		free(c->groups);
		free(c);
		*context = NULL;
	}
}

static void rearm(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES) {
		sd_event_source_set_time_relative(s->timer, ms * 1000);
		sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	} else {
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	}
	if (s->count && sd_event_source_get_enabled(s->sweep, NULL) == 0) {
		sd_event_source_set_time_relative(s->sweep, SWEEP_US);
		sd_event_source_set_enabled(s->sweep, SD_EVENT_ONESHOT);
	}
}

static void run(struct http_server *s)
{
	MHD_run(s->daemon);
	rearm(s);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source, (void)fd, (void)events;
	run(data);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec;
	run(data);
	return 0;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *data)
{
	struct http_server *s = data;
	uint64_t now = now_seconds();
	struct connection *c;

	(void)source, (void)usec;
	TAILQ_FOREACH(c, &s->connections, entry)
		if ((c->state == RECEIVING || c->state == SENDING) && !c->cut &&
		    now > c->deadline) {
			log_debug("closing the connection of user %u process %d: %s", c->peer.uid,
				 c->peer.pid, c->state == SENDING ?
				 "it did not take its answer in time" :
				 "it sent no whole request in time");
			cut(c);
		}
	run(s);
	return 0;
}

/* ---- requests -------------------------------------------------------------------- */

/* Whether path has pattern's form; segments get copies of the parts that {} stand for. */
static bool match(const char *pattern, char *path, char **segment)
{
	unsigned int n = 0;

	while (*pattern) {
		if (!strncmp(pattern, "{}", 2)) {
			char *end = path + strcspn(path, "/");

			if (end == path || n == HTTP_MAX_SEGMENTS)
				return false;
			segment[n++] = path;
			pattern += 2;
			path = end;
			if (*end && *pattern != *end)
				return false;
			if (*end) {
				*end = '\0';
				path++;
				pattern++;
			}
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path;
}

/* Finds the route; else the status to answer. A pattern that fails leaves cuts: copy anew. */
static unsigned int find_route(struct http_request *r, const struct http_route *routes)
{
	unsigned int status = MHD_HTTP_NOT_FOUND;

	for (; routes->method; routes++) {
		strcpy(r->segments, r->path);
		memset(r->segment, 0, sizeof(r->segment));
		if (!match(routes->path, r->segments, r->segment))
			continue;
		if (!strcmp(routes->method, r->method)) {
			r->route = routes;
			return MHD_HTTP_OK;
		}
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	return status;
}

static void request_free(struct http_request *r)
{
	TAILQ_REMOVE(&r->connection->server->requests, r, entry);
	if (r->response)
		MHD_destroy_response(r->response);
	json_decref(r->body);
	free(r->path);
	free(r->segments);
	free(r->buffer);
	free(r);
}

static struct http_request *request_new(struct connection *c, struct MHD_Connection *mhd,
					const char *path, const char *method)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->connection = c;
	r->mhd = mhd;
	snprintf(r->method, sizeof(r->method), "%s", method);
	r->path = strdup(path);
	r->segments = strdup(path);
	TAILQ_INSERT_TAIL(&c->server->requests, r, entry);
	if (!r->path || !r->segments) {
		request_free(r);
		return NULL;
	}
	return r;
}

static void answer(struct http_request *r, unsigned int status, struct MHD_Response *response)
{
	/* Without memory for an answer the connection ends without one. */
	r->unanswerable = !response;
	r->response = response;
	r->status = status;
	if (r->suspended) {
		r->suspended = false;
		MHD_resume_connection(r->mhd);
		/* Resumed connections are looked at by MHD_run: nothing else would call it. */
		sd_event_source_set_time(r->connection->server->timer, 0);
		sd_event_source_set_enabled(r->connection->server->timer, SD_EVENT_ONESHOT);
	}
}

static void log_refusal(struct http_request *r, const struct error *e)
{
	const struct ucred *peer = &r->connection->peer;
	struct http_server *s = r->connection->server;
	uint64_t now = now_seconds();

	if (now >= s->refusals_since + WARN_SECONDS) {
		if (s->refusals > MAX_REFUSALS)
			log_notice("%u more refusals are not in the log",
				   s->refusals - MAX_REFUSALS);
		s->refusals_since = now;
		s->refusals = 0;
	}
	if (++s->refusals <= MAX_REFUSALS)
		log_notice("refused to user %u, process %d: %s %s: %s", peer->uid, (int)peer->pid,
			   r->method, r->path, e->message);
}

static void reply_as(struct http_request *r, unsigned int status, const char *type, char *text)
{
	struct MHD_Response *response;

	response = text ? MHD_create_response_from_buffer(strlen(text), text,
							  MHD_RESPMEM_MUST_FREE) : NULL;
	if (response)
		MHD_add_response_header(response, "Content-Type", type);
	answer(r, status, response);
}

static void reply_text(struct http_request *r, unsigned int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	reply_as(r, status, "application/json", text ? text : strdup("{}"));
}

void http_reply_text(struct http_request *r, const char *type, char *text)
{
	reply_as(r, 200, type, text);
}

void http_reply(struct http_request *r, unsigned int status, json_t *body)
{
	reply_text(r, status, body);
}

void http_reply_error(struct http_request *r, const struct error *e)
{
	if (e->code == EXIT_DENIED)
		log_refusal(r, e);
	reply_text(r, exit_code_http(e->code), error_to_json(e));
}

static void refuse(struct http_request *r, unsigned int status, struct error *e)
{
	reply_text(r, status, error_to_json(e));
	error_clear(e);
}

static void refuse_route(struct http_request *r, unsigned int status)
{
	struct error e = ERROR_NONE;

	if (status == MHD_HTTP_NOT_FOUND) {
		error_set(&e, EXIT_NOT_FOUND, "no such resource: %s", r->path);
		error_fix(&e, "docs/resource-service.md lists them");
	} else {
		error_set(&e, EXIT_INVALID, "%s cannot be done to %s", r->method, r->path);
		error_fix(&e, "docs/resource-service.md lists what can");
	}
	refuse(r, status, &e);
}

static void refuse_size(struct http_request *r)
{
	struct error e = ERROR_NONE;
	char text[SIZE_TEXT];

	error_set(&e, EXIT_INVALID, "the request's body is larger than the limit of %s",
		  size_format(r->connection->server->config.max_body, text));
	error_where(&e, "%s %s", r->method, r->path);
	error_fix(&e, "send less");
	refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, &e);
}

static enum MHD_Result send_answer(struct http_request *r)
{
	struct connection *c = r->connection;
	enum MHD_Result rc;

	c->state = SENDING;
	c->deadline = now_seconds() + c->server->config.send_seconds;
	rc = MHD_queue_response(r->mhd, r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return rc;
}

/* The head is here. Nothing is read of a body that nobody will want. */
static enum MHD_Result on_head(struct http_request *r)
{
	struct http_server *s = r->connection->server;
	const char *length = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Content-Length");
	unsigned int status = find_route(r, s->config.routes);
	struct error e = ERROR_NONE;

	r->connection->deadline = now_seconds() + s->config.receive_seconds;
	if (s->config.admit && s->config.admit(r, s->config.data, &e) < 0)
		http_reply_error(r, &e);
	else if (status != MHD_HTTP_OK)
		refuse_route(r, status);
	else if (length && strtoull(length, NULL, 10) > s->config.max_body)
		refuse_size(r);
	else
		return MHD_YES;
	return send_answer(r);
}

static enum MHD_Result on_data(struct http_request *r, const char *data, size_t *n)
{
	char *larger;

	if (r->length + *n > r->connection->server->config.max_body) {
		r->too_large = true;
	} else if (!r->too_large) {
		larger = realloc(r->buffer, r->length + *n);
		if (!larger)
			return MHD_NO;
		memcpy(larger + r->length, data, *n);
		r->buffer = larger;
		r->length += *n;
	}
	*n = 0;
	return MHD_YES;
}

static void on_whole(struct http_request *r)
{
	struct error e = ERROR_NONE;
	json_error_t je;

	r->connection->state = HANDLING;
	if (r->too_large) {
		refuse_size(r);
		return;
	}
	if (r->length) {
		r->body = json_loadb(r->buffer, r->length, JSON_REJECT_DUPLICATES, &je);
		free(r->buffer);
		r->buffer = NULL;
	}
	if (r->length && !r->body) {
		error_set(&e, EXIT_INVALID, "the request's body is not valid JSON");
		error_where(&e, "%s %s: line %d, column %d", r->method, r->path, je.line,
			    je.column);
		error_why(&e, "%s", je.text);
		refuse(r, MHD_HTTP_BAD_REQUEST, &e);
		return;
	}
	r->route->handler(r, r->connection->server->config.data);
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *n, void **context)
{
	struct http_request *r = *context;
	struct connection *c;

	(void)cls, (void)version;
	if (!r) {
		c = MHD_get_connection_info(mhd,
					    MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
		r = c ? request_new(c, mhd, url, method) : NULL;
		if (!r)
			return MHD_NO;
		*context = r;
		return on_head(r);
	}
	if (*n)
		return on_data(r, data, n);
	if (!r->handled) {
		r->handled = true;
		on_whole(r);
	}
	if (r->response)
		return send_answer(r);
	if (r->unanswerable)
		return MHD_NO;
	r->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http_request *r = *context;
	struct http_server *s = cls;

	(void)mhd, (void)code;
	if (!r)
		return;
	r->connection->state = RECEIVING;
	r->connection->deadline = now_seconds() + s->config.receive_seconds;
	if (r->on_socket)
		r->on_socket(NULL, -1, NULL, 0, r->on_socket_data);
	request_free(r);
	*context = NULL;
}

static void on_log(void *cls, const char *format, va_list args)
{
	char text[256];

	(void)cls;
	vsnprintf(text, sizeof(text), format, args);
	log_debug("http: %s", text);
}

/* ---- what handlers ask ----------------------------------------------------------- */

const struct ucred *http_request_peer(const struct http_request *r)
{
	return &r->connection->peer;
}

const char *http_request_method(const struct http_request *r)
{
	return r->method;
}

const char *http_request_path(const struct http_request *r)
{
	return r->path;
}

const char *http_request_segment(const struct http_request *r, unsigned int i)
{
	return i < HTTP_MAX_SEGMENTS ? r->segment[i] : NULL;
}

const char *http_request_query(const struct http_request *r, const char *key)
{
	return MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, key);
}

json_t *http_request_body(const struct http_request *r)
{
	return r->body;
}

bool http_request_in_group(const struct http_request *r, gid_t group)
{
	const struct connection *c = r->connection;

	if (c->peer.gid == group)
		return true;
	for (unsigned int i = 0; i < c->group_count; i++)
		if (c->groups[i] == group)
			return true;
	return false;
}

/* ---- upgrades -------------------------------------------------------------------- */

static void on_upgraded(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
			size_t n, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct http_request *r = context;
	http_upgraded *on_socket = r->on_socket;
	struct http_socket *socket = malloc(sizeof(*socket));

	(void)cls, (void)mhd;
	r->on_socket = NULL;
	if (!socket) {
		MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
		on_socket(NULL, -1, NULL, 0, r->on_socket_data);
		return;
	}
	socket->connection = r->connection;
	socket->handle = handle;
	r->connection->state = UPGRADED;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	on_socket(socket, fd, extra, n, r->on_socket_data);
}

int http_upgrade(struct http_request *r, const char *protocol, http_upgraded *on_socket,
		 void *data)
{
	const char *asked = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Upgrade");
	struct MHD_Response *response;
	struct error e = ERROR_NONE;

	if (!asked || strcasecmp(asked, protocol)) {
		error_set(&e, EXIT_INVALID, "%s needs a change of protocol", r->path);
		error_fix(&e, "send the headers Connection: Upgrade and Upgrade: %s", protocol);
		refuse(r, MHD_HTTP_UPGRADE_REQUIRED, &e);
		return -1;
	}
	response = MHD_create_response_for_upgrade(on_upgraded, NULL);
	if (response)
		MHD_add_response_header(response, "Upgrade", protocol);
	r->on_socket = on_socket;
	r->on_socket_data = data;
	answer(r, MHD_HTTP_SWITCHING_PROTOCOLS, response);
	return 0;
}

void http_socket_close(struct http_socket *socket)
{
	if (!socket)
		return;
	MHD_upgrade_action(socket->handle, MHD_UPGRADE_ACTION_CLOSE);
	free(socket);
}

/* ---- the server ------------------------------------------------------------------ */

/* Whether somebody listens at the address; a socket file that nobody serves may be replaced. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd >= 0 && (!connect(fd, (const struct sockaddr *)address,
					   sizeof(*address)) || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return served;
}

static int bind_at(int fd, const struct sockaddr_un *address)
{
	unlink(address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    chmod(address->sun_path, 0666) < 0 || listen(fd, 512) < 0)
		return -errno;
	return 0;
}

int http_listen(const char *path, struct error *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, rc;

	rc = sd_listen_fds(0);
	if (rc > 0)
		return SD_LISTEN_FDS_START;
	if (strlen(path) >= sizeof(address.sun_path)) {
		error_set(e, EXIT_INVALID, "the socket's path is longer than %zu bytes",
			  sizeof(address.sun_path) - 1);
		return error_where(e, "%s", path);
	}
	strcpy(address.sun_path, path);
	if (is_served(&address)) {
		error_set(e, EXIT_CONFLICT, "another process listens on the socket");
		error_where(e, "%s", path);
		return error_fix(e, "stop it, or name another directory with --run");
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -errno : bind_at(fd, &address);
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	error_set(e, EXIT_FAILED, "cannot listen on the socket: %s", strerror(-rc));
	error_fix(e, "start it as root, or let systemd pass the socket");
	return error_where(e, "%s", path);
}

static int add_sources(struct http_server *s, sd_event *event)
{
	int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int rc;

	rc = sd_event_add_io(event, &s->io, fd, EPOLLIN, on_io, s);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &s->timer, CLOCK_MONOTONIC, 0, 1000,
						on_timer, s);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &s->sweep, CLOCK_MONOTONIC, SWEEP_US, 0,
						on_sweep, s);
	return rc < 0 ? rc : 0;
}

int http_server_open(struct http_server **out, sd_event *event, int listen_fd,
		     const struct http_server_config *config)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	TAILQ_INIT(&s->connections);
	TAILQ_INIT(&s->requests);
	s->config = *config;
	if (!s->config.max_body)
		s->config.max_body = 1u << 20;
	if (!s->config.max_connections)
		s->config.max_connections = 256;
	if (!s->config.max_per_user)
		s->config.max_per_user = s->config.max_connections / 4;
	if (!s->config.receive_seconds)
		s->config.receive_seconds = 10;
	if (!s->config.send_seconds)
		s->config.send_seconds = 30;
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
				     MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, s,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, listen_fd,
				     MHD_OPTION_CONNECTION_LIMIT,
				     s->config.max_connections + HEADROOM,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
				     MHD_OPTION_NOTIFY_CONNECTION, connection_notify, s,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				     MHD_OPTION_END);
	if (!s->daemon) {
		free(s);
		return -EIO;
	}
	rc = add_sources(s, event);
	if (rc < 0) {
		http_server_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* libmicrohttpd aborts when it is stopped with suspended connections: they are answered first. */
void http_server_close(struct http_server *s)
{
	struct error e = ERROR_NONE;
	struct http_request *r;

	if (!s)
		return;
	error_set(&e, EXIT_UNKNOWN, "the service is being stopped");
	error_fix(&e, "repeat the request with the same request id");
	TAILQ_FOREACH(r, &s->requests, entry)
		if (r->suspended)
			http_reply_error(r, &e);
	MHD_run(s->daemon);
	MHD_run(s->daemon);
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->timer);
	sd_event_source_disable_unref(s->sweep);
	MHD_stop_daemon(s->daemon);
	free(s);
}

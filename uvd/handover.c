/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is brought from what was sent to what should be there, one message at a time, for
 * as long as its socket takes them; EPOLLOUT goes on. There is no queue to overflow: a slow peer
 * has only itself to wait for. Descriptors are opened for each message and closed behind it.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/handover.h>

#include "endpoint.h"
#include "handover.h"
#include "nbd.h"
#include "news.h"
#include "process.h"
#include "settings.h"

#define CONNECTIONS	32
#define PER_USER	4	/* so that no system partition takes the others' places */
#define RETRY_US	(500 * 1000ULL)	/* until what could not be sent is tried again */
#define CONNECT_TRIES	20	/* to an NBD server, until its disk asks again */
#define HELLO_US	(10 * 1000 * 1000ULL)

/* A channel whose endpoint the peer has, and what it knows of its service. */
struct sent {
	uint64_t id;			/* the channel's */
	struct command_settings settings;
	uint64_t size;
	uint64_t connected;		/* NBD: epoch in which it was sent a connection */
	unsigned int tries;		/* for that, in vain */
};

struct connection {
	TAILQ_ENTRY(connection) entry;
	struct handover *handover;
	int fd;
	pid_t pid;
	int pidfd;			/* of that very process, -1: it was gone already */
	uid_t uid;
	bool hello, complete;
	struct recipient who;
	struct sent *sent;
	unsigned int n_sent, room;
	sd_event_source *io, *timer;
};

TAILQ_HEAD(connections, connection);

struct handover {
	struct uvd *uvd;
	sd_event *event;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	sd_event_source *listen;
	struct connections connections;
	unsigned int n;
	/* The process that had each role before: another one's endpoints must not be in the way. */
	struct {
		uint8_t partition[16];
		pid_t pid;
	} last[16];
	unsigned int n_last;
};

static void sync_connection(struct connection *c, bool force);

static void connection_close(struct connection *c)
{
	struct handover *h = c->handover;

	if (c->hello)
		news_tell(h->uvd->news, COMMAND_EVENT_DISCONNECTED, c->who.name, "process %d",
			  (int)c->pid);
	TAILQ_REMOVE(&h->connections, c, entry);
	h->n--;
	c->io = sd_event_source_disable_unref(c->io);
	c->timer = sd_event_source_disable_unref(c->timer);
	close(c->fd);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c->sent);
	free(c);
	/* It may have been stopped for want of room. */
	if (h->listen)
		sd_event_source_set_enabled(h->listen, SD_EVENT_ON);
}

/* 0; -EAGAIN: no room now; else the connection is of no more use. */
static int send_message(struct connection *c, const struct handover_message *m, const int *fds,
			unsigned int n)
{
	struct iovec iov = { .iov_base = (void *)m, .iov_len = sizeof(*m) };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE((1 + IO_MAX_PAIRS) * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (n) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	return sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static struct handover_message new_message(uint32_t what)
{
	struct handover_message m;

	memset(&m, 0, sizeof(m));
	m.version = HANDOVER_VERSION;
	m.what = what;
	return m;
}

static void turn_away(struct connection *c, const char *reason)
{
	struct handover_message m = new_message(HANDOVER_REFUSED), unread;
	unsigned int i;

	log_notice("%s (process %d, user %u): %s", c->who.name[0] ? c->who.name : "a peer",
		   (int)c->pid, (unsigned int)c->uid, reason);
	snprintf(m.reason, sizeof(m.reason), "%s", reason);
	/* What is left unread when we close would reach the peer as a reset, before the reason. */
	for (i = 0; i < 16 && recv(c->fd, &unread, sizeof(unread), MSG_DONTWAIT) > 0; i++)
		;
	send_message(c, &m, NULL, 0);
	connection_close(c);
}

static struct sent *find_sent(const struct connection *c, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < c->n_sent; i++)
		if (c->sent[i].id == id)
			return &c->sent[i];
	return NULL;
}

static int remember(struct connection *c, const struct endpoint *e)
{
	if (c->n_sent == c->room) {
		unsigned int room = c->room ? c->room * 2 : 16;
		struct sent *sent = reallocarray(c->sent, room, sizeof(*sent));

		if (!sent)
			return -ENOMEM;
		c->sent = sent;
		c->room = room;
	}
	c->sent[c->n_sent++] = (struct sent){
		.id = e->id, .settings = e->settings, .size = e->size,
	};
	return 0;
}

/* What was changed since the endpoint was sent. Returns as send_message() does. */
static int send_settings(struct connection *c, struct sent *s, const struct endpoint *e)
{
	struct handover_message m = new_message(HANDOVER_SETTINGS);
	int rc;

	if (s->size == e->size && settings_same(&s->settings, &e->settings))
		return 0;
	endpoint_describe(&c->who, e, &m);
	rc = send_message(c, &m, NULL, 0);
	if (rc < 0)
		return rc == -EAGAIN ? rc : -EPIPE;
	s->settings = e->settings;
	s->size = e->size;
	return 0;
}

static int withdraw(struct connection *c)
{
	struct handover_message m = new_message(HANDOVER_WITHDRAW);
	unsigned int i;
	int rc;

	for (i = 0; i < c->n_sent;) {
		if (endpoint_wanted(c->handover->uvd, &c->who, c->sent[i].id)) {
			i++;
			continue;
		}
		m.channel_id = c->sent[i].id;
		rc = send_message(c, &m, NULL, 0);
		if (rc < 0)
			return rc;
		c->sent[i] = c->sent[--c->n_sent];
	}
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	struct connection *c = data;

	(void)source;
	(void)usec;
	c->timer = sd_event_source_disable_unref(c->timer);
	sync_connection(c, true);
	return 0;
}

/*
 * The first server in order is to serve, not the first that answers: a standby is held back until
 * somebody serves, for as long as a better one is here, and has not had its time.
 */
static bool must_wait(struct connection *c, const struct endpoint *e)
{
	struct uvd *uvd = c->handover->uvd;
	struct ultravisor_channel_info info;
	int32_t pid;
	uint32_t i;
	int fd, rc;

	if (c->who.command || e->slot == 0)
		return false;
	fd = kernel_object_open(uvd->kernel, e->id, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : kernel_channel_info(uvd->kernel, fd, &info);
	if (fd >= 0)
		close(fd);
	if (rc < 0 || info.out_epoch)
		return false;
	for (i = 0; i < e->slot && i < ULTRAVISOR_MAX_SERVERS; i++)
		if (handover_live(c->handover, info.out_server_uuids[i], &pid))
			return true;
	return false;
}

/* 0; -EAGAIN: no room now; -EPIPE: the connection is of no more use; else it is tried again. */
static int send_endpoint(struct connection *c, const struct endpoint *e)
{
	struct handover_message m = new_message(HANDOVER_ENDPOINT);
	int fds[1 + IO_MAX_PAIRS], n, rc;

	n = endpoint_open(c->handover->uvd, &c->who, e, fds);
	if (n < 0)
		return n == -EAGAIN ? -EIO : n;
	endpoint_describe(&c->who, e, &m);
	rc = send_message(c, &m, fds, n);
	if (rc == 0)
		log_debug("%s has the endpoint of %s%s%s, channel %llu", c->who.name,
			  e->partition_name, e->device[0] ? "/" : "",
			  e->device[0] ? e->device : "command", (unsigned long long)e->id);
	while (n--)
		close(fds[n]);
	return rc < 0 && rc != -EAGAIN ? -EPIPE : rc;
}

/*
 * An NBD disk's connection, to who serves it. -EBUSY: the server has one left; it is tried again,
 * for a while: who needs one asks again. Else returns as send_message() does.
 */
static int send_connection(struct connection *c, struct sent *s, const struct endpoint *e)
{
	struct handover_message m = new_message(HANDOVER_CONNECTION);
	struct uvd *uvd = c->handover->uvd;
	struct ultravisor_channel_info info;
	int fd, rc;

	fd = kernel_object_open(uvd->kernel, e->id, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : kernel_channel_info(uvd->kernel, fd, &info);
	if (fd >= 0)
		close(fd);
	if (rc < 0 || !info.out_epoch || info.out_serving != e->slot ||
	    info.out_epoch == s->connected || s->tries > CONNECT_TRIES)
		return 0;
	fd = nbd_connect(e->path);
	if (fd < 0) {
		if (s->tries++ == 0)
			log_notice("%s/%s: no connection to its NBD server for now: %s",
				   e->partition_name, e->device, strerror(-fd));
		return -EBUSY;
	}
	endpoint_describe(&c->who, e, &m);
	rc = send_message(c, &m, &fd, 1);
	close(fd);
	if (rc < 0)
		return rc == -EAGAIN ? rc : -EPIPE;
	s->connected = info.out_epoch;
	return 0;
}

/* What cannot be opened is left out for now: one bad image must not hold up other guests. */
static int send_endpoints(struct connection *c, bool force)
{
	struct uvd *uvd = c->handover->uvd;
	struct endpoint e = { 0 };
	bool left = false;
	struct sent *sent;
	int rc;

	while ((rc = endpoint_next(uvd, &c->who, e.id, &e)) > 0) {
		sent = find_sent(c, e.id);
		if (sent) {
			rc = send_settings(c, sent, &e);
			if (rc == 0 && nbd_is_resource(e.resource))
				rc = send_connection(c, sent, &e);
			if (rc < 0 && rc != -EBUSY)
				return rc;
			left |= rc < 0;
			continue;
		}
		rc = !force && must_wait(c, &e) ? -EBUSY : send_endpoint(c, &e);
		if (rc == -EAGAIN || rc == -EPIPE)
			return rc;
		if (rc == 0)
			rc = remember(c, &e);
		/* Soon after this, a connection, should it serve. */
		left |= rc < 0 || nbd_is_resource(e.resource);
	}
	if (left && !c->timer)
		sd_event_add_time_relative(c->handover->event, &c->timer, CLOCK_MONOTONIC,
					   RETRY_US, 0, on_retry, c);
	return rc;
}

static void sync_connection(struct connection *c, bool force)
{
	struct handover_message m = new_message(HANDOVER_COMPLETE);
	int rc;

	if (!c->hello)
		return;
	rc = withdraw(c);
	if (rc == 0)
		rc = send_endpoints(c, force);
	if (rc == 0 && !c->complete) {
		rc = send_message(c, &m, NULL, 0);
		c->complete = rc == 0;
	}
	if (rc == 0 || rc == -EAGAIN) {
		sd_event_source_set_io_events(c->io, rc ? EPOLLIN | EPOLLOUT : EPOLLIN);
		return;
	}
	log_errno(LOG_NOTICE, rc, "%s is disconnected", c->who.name);
	connection_close(c);
}

void handover_sync(struct handover *h)
{
	struct connection *c, *next;

	for (c = TAILQ_FIRST(&h->connections); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		sync_connection(c, false);
	}
}

/*
 * The operations partition needs no endpoint and does not connect: it runs when a process of its
 * user does. It may also run on another host.
 */
static bool operations_live(struct handover *h, const uint8_t partition[16], int32_t *pid)
{
	const struct passwd *user;
	int64_t kind;

	if (db_value(h->uvd->db, &kind, "SELECT kind FROM partition WHERE uuid = ?", "u",
		     partition) < 0 || kind != PARTITION_OPERATIONS)
		return false;
	user = getpwnam(USER_OPERATIONS);
	*pid = user ? process_of_user(user->pw_uid) : 0;
	return *pid != 0;
}

bool handover_live(struct handover *h, const uint8_t partition[16], int32_t *pid)
{
	struct connection *c;

	TAILQ_FOREACH(c, &h->connections, entry)
		if (c->hello && !memcmp(c->who.partition, partition, 16)) {
			*pid = c->pid;
			return true;
		}
	return operations_live(h, partition, pid);
}

/* ---- who is it? */

/* The user's name says which system partition it is. */
static int identify(struct connection *c)
{
	struct db *db = c->handover->uvd->db;
	const struct passwd *user = getpwuid(c->uid);
	sqlite3_stmt *q;
	int rc;

	if (!user)
		return -ENOENT;
	if (strcmp(user->pw_name, USER_COMMAND) == 0)
		snprintf(c->who.name, sizeof(c->who.name), "command");
	else if (strcmp(user->pw_name, USER_OPERATIONS) == 0)
		snprintf(c->who.name, sizeof(c->who.name), "operations");
	else if (strncmp(user->pw_name, USER_IO_PREFIX, strlen(USER_IO_PREFIX)) == 0)
		snprintf(c->who.name, sizeof(c->who.name), "io-%s",
			 user->pw_name + strlen(USER_IO_PREFIX));
	else
		return -EPERM;
	q = db_query(db, "SELECT uuid, kind FROM partition WHERE name = ? AND kind <> 1", "t",
		     c->who.name);
	rc = db_next(db, q);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	db_uuid(q, 0, c->who.partition);
	c->who.command = db_int(q, 1) == PARTITION_COMMAND;
	db_done(q);
	return 0;
}

/* Takes a channel away from the process that had it before, should it still hang on to it. */
static void revoke_one(struct uvd *uvd, uint64_t id, uint32_t what, uint32_t slot)
{
	struct ultravisor_channel_info info;
	int rc, fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);

	rc = fd < 0 ? fd : kernel_channel_info(uvd->kernel, fd, &info);
	if (rc == 0 && (what == ULTRAVISOR_REVOKE_CLIENT ? info.out_client_attached :
			slot < ULTRAVISOR_MAX_SERVERS &&
			info.out_slots[slot] >= ULTRAVISOR_SLOT_STANDBY))
		rc = kernel_channel_revoke(uvd->kernel, fd, what, slot);
	if (rc < 0)
		log_errno(LOG_ERR, rc, "channel %llu cannot be revoked", (unsigned long long)id);
	if (fd >= 0)
		close(fd);
}

/*
 * The peer whose process this one replaces may be alive, hung, and attached. On the first
 * connection since our own start nobody is known to be replaced: a peer that merely lost us keeps
 * what it has attached.
 */
static void replace(struct connection *c)
{
	struct handover *h = c->handover;
	struct connection *old, *next;
	struct endpoint e = { 0 };
	unsigned int i;

	for (old = TAILQ_FIRST(&h->connections); old; old = next) {
		next = TAILQ_NEXT(old, entry);
		if (old != c && old->hello && !memcmp(old->who.partition, c->who.partition, 16))
			turn_away(old, "another process of this user has connected");
	}
	for (i = 0; i < h->n_last && memcmp(h->last[i].partition, c->who.partition, 16); i++)
		;
	if (i == h->n_last) {
		if (i == sizeof(h->last) / sizeof(*h->last))
			return;
		memcpy(h->last[i].partition, c->who.partition, 16);
		h->n_last++;
	} else if (c->who.command || h->last[i].pid != c->pid) {
		while (endpoint_next(h->uvd, &c->who, e.id, &e) > 0)
			revoke_one(h->uvd, e.id, c->who.command ? ULTRAVISOR_REVOKE_CLIENT :
				   ULTRAVISOR_REVOKE_SLOT, e.slot);
	}
	h->last[i].pid = c->pid;
}

static void kill_server(struct handover *h, const uint8_t partition[16])
{
	struct connection *c;

	TAILQ_FOREACH(c, &h->connections, entry) {
		if (!c->hello || memcmp(c->who.partition, partition, 16))
			continue;
		log_error("%s is hung: process %d is killed, PID 1 starts it again", c->who.name,
			  (int)c->pid);
		if (c->pidfd >= 0 &&
		    syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0) < 0)
			log_errno(LOG_ERR, -errno, "process %d cannot be killed", (int)c->pid);
	}
}

void handover_hung(struct handover *h, uint64_t channel, uint32_t slot, uint64_t epoch)
{
	struct uvd *uvd = h->uvd;
	struct ultravisor_channel_info info;
	int rc, fd;

	fd = kernel_object_open(uvd->kernel, channel, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : kernel_channel_info(uvd->kernel, fd, &info);
	/* The event is a hint, and may be an old one. */
	if (rc == 0 && slot < ULTRAVISOR_MAX_SERVERS && info.out_serving == slot &&
	    info.out_epoch == epoch) {
		log_warning("channel %llu: its server in slot %u leaves kicks unanswered: revoked",
			    (unsigned long long)channel, slot);
		rc = kernel_channel_revoke(uvd->kernel, fd, ULTRAVISOR_REVOKE_SLOT, slot);
		if (rc == 0)
			kill_server(h, info.out_server_uuids[slot]);
	}
	if (rc < 0 && rc != -ENOENT)
		log_errno(LOG_ERR, rc, "the hung server of channel %llu",
			  (unsigned long long)channel);
	if (fd >= 0)
		close(fd);
}

static void handle_hello(struct connection *c, const struct handover_message *m, ssize_t n)
{
	if (n != sizeof(*m) || m->version != HANDOVER_VERSION || m->what != HANDOVER_HELLO) {
		turn_away(c, "the first message must be HELLO, version 2");
		return;
	}
	c->timer = sd_event_source_disable_unref(c->timer);
	replace(c);
	c->hello = true;
	log_info("%s is connected, process %d", c->who.name, (int)c->pid);
	news_tell(c->handover->uvd->news, COMMAND_EVENT_CONNECTED, c->who.name, "process %d",
		  (int)c->pid);
	sync_connection(c, false);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct connection *c = data;
	struct handover_message m;
	ssize_t n;

	(void)source;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		/* No descriptor is accepted: without room for control data the kernel drops it. */
		n = recv(fd, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0) {
			if (c->who.name[0])
				log_info("%s has disconnected", c->who.name);
			connection_close(c);
			return 0;
		}
		if (c->hello)
			turn_away(c, "nothing is to be said after HELLO");
		else
			handle_hello(c, &m, n);
		return 0;
	}
	if (events & EPOLLOUT)
		sync_connection(c, false);
	return 0;
}

static int on_no_hello(sd_event_source *source, uint64_t usec, void *data)
{
	struct connection *c = data;

	(void)source;
	(void)usec;
	turn_away(c, "no HELLO came");
	return 0;
}

static bool too_many(const struct connection *c)
{
	const struct connection *other;
	unsigned int n = 0;

	TAILQ_FOREACH(other, &c->handover->connections, entry)
		n += other->uid == c->uid;
	return n > PER_USER;
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t events, void *data)
{
	struct handover *h = data;
	struct connection *c;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int rc, fd;

	(void)events;
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* Out of descriptors: wait until a connection ends, not in a busy loop. */
		if (errno == EMFILE || errno == ENFILE)
			sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		free(c);
		close(fd);
		return 0;
	}
	c->handover = h;
	c->fd = fd;
	c->pid = peer.pid;
	c->pidfd = process_open(peer.pid);
	c->uid = peer.uid;
	TAILQ_INSERT_TAIL(&h->connections, c, entry);
	if (++h->n >= CONNECTIONS)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	rc = sd_event_add_io(h->event, &c->io, fd, EPOLLIN, on_connection, c);
	if (rc >= 0)
		rc = sd_event_add_time_relative(h->event, &c->timer, CLOCK_MONOTONIC, HELLO_US, 0,
						on_no_hello, c);
	/* Whoever has nothing to get here does not even take a place. */
	if (rc < 0)
		connection_close(c);
	else if (identify(c) < 0)
		turn_away(c, "this user is no system partition");
	else if (too_many(c))
		turn_away(c, "this user has too many connections");
	return 0;
}

int handover_open(struct handover **out, struct uvd *uvd, sd_event *event, const char *directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct handover *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return -ENOMEM;
	h->uvd = uvd;
	h->event = sd_event_ref(event);
	TAILQ_INIT(&h->connections);
	h->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd < 0) {
		rc = -errno;
		goto fail;
	}
	rc = -ENAMETOOLONG;
	if (snprintf(h->path, sizeof(h->path), "%s/uvd.sock", directory) >= (int)sizeof(h->path))
		goto fail;
	strcpy(address.sun_path, h->path);
	/* The database's lock is ours: whoever bound it before is gone. */
	unlink(h->path);
	rc = 0;
	if (bind(h->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    /* Everybody may ask; who they are decides. */
	    chmod(h->path, 0666) < 0 || listen(h->fd, 16) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sd_event_add_io(event, &h->listen, h->fd, EPOLLIN, on_listen, h);
	if (rc < 0)
		goto fail;
	*out = h;
	return 0;

fail:
	if (h->fd >= 0)
		close(h->fd);
	sd_event_unref(h->event);
	free(h);
	return rc;
}

void handover_close(struct handover *h)
{
	if (!h)
		return;
	h->listen = sd_event_source_disable_unref(h->listen);
	while (!TAILQ_EMPTY(&h->connections))
		connection_close(TAILQ_FIRST(&h->connections));
	unlink(h->path);
	close(h->fd);
	sd_event_unref(h->event);
	free(h);
}

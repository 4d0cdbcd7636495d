/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes endpoints and backing descriptors from uvd, and gives them up when it says so.
 *
 * After each connect uvd tells everything there is, then COMPLETE; a device that was not named in
 * that round is withdrawn. A device that is named again keeps what it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/handover.h>

#include "device.h"
#include "handover.h"

#define RETRY_USEC	200000u
#define REFUSED_USEC	5000000u
#define ASK_USEC	1000000u
#define MESSAGES	16u		/* a turn */
#define FDS_MAX		(1u + IO_MAX_PAIRS)	/* an endpoint, and a tap's queues */

struct handover {
	struct iopart *iopart;
	struct sockaddr_un address;
	int fd;				/* -1: not connected */
	uint32_t round;			/* connections so far */
	bool told;			/* that uvd does not answer */
	sd_event_source *io, *retry, *ask;
};

struct message {
	struct handover_message m;
	int fd[FDS_MAX];		/* -1: none; whoever keeps one sets it to -1 */
	unsigned int fds;
};

static void disconnect(struct handover *h, uint64_t retry_usec)
{
	h->io = sd_event_source_disable_unref(h->io);
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	sd_event_source_set_time_relative(h->retry, retry_usec);
	sd_event_source_set_enabled(h->retry, SD_EVENT_ONESHOT);
}

static struct device *find(struct iopart *io, uint64_t channel)
{
	struct device *d;

	for (d = io->devices; d; d = d->next) {
		if (d->id.channel == channel)
			return d;
	}
	return NULL;
}

static void take_endpoint(struct handover *h, struct message *in)
{
	const struct handover_message *m = &in->m;
	struct device_identity id = {
		.channel = m->channel_id,
		.channel_type = m->channel_type,
		.slot = m->slot,
		.readonly = m->device_flags & HANDOVER_DEVICE_READONLY,
		.nbd = m->channel_type == CHANNEL_BLOCK && m->device_flags & HANDOVER_DEVICE_NBD,
	};
	struct device *d;
	int taps[IO_MAX_PAIRS - 1];
	unsigned int i;

	if (!device_type(m->channel_type) || in->fds < 2 ||
	    (in->fds > 2 && m->channel_type != CHANNEL_NETWORK)) {
		log_error("hand-over: channel %llu is none of a device with its backing (type %u, "
			  "%u descriptors)", (unsigned long long)m->channel_id, m->channel_type,
			  in->fds);
		return;
	}
	memcpy(id.partition_uuid, m->partition_uuid, sizeof(id.partition_uuid));
	memcpy(id.partition, m->partition, sizeof(id.partition));
	memcpy(id.name, m->device, sizeof(id.name));
	memcpy(id.mac, m->mac, sizeof(id.mac));
	id.settings = m->settings;
	id.size = m->size;
	for (i = 0; i < IO_MAX_PAIRS - 1; i++)
		taps[i] = in->fd[2 + i];
	d = find(h->iopart, m->channel_id);
	if (d)
		device_set(d, &id.settings, id.size);
	if (d)
		d = device_replace(d, in->fd[0], in->fd[1], taps);
	else if (device_open(&d, h->iopart, &id, in->fd[0], in->fd[1], taps))
		d = NULL;
	for (i = 0; i < FDS_MAX; i++)
		in->fd[i] = -1;
	if (d)
		d->round = h->round;
}

static void sweep(struct handover *h)
{
	struct device *d, *next;
	unsigned int n = 0;

	for (d = h->iopart->devices; d; d = next) {
		next = d->next;
		n++;
		if (d->round != h->round)
			device_withdraw(d);
	}
	log_debug("hand-over: complete, %u devices", n);
}

/* 0; or an error that ends the connection. */
static int dispatch(struct handover *h, struct message *in)
{
	struct handover_message *m = &in->m;
	struct device *d;

	switch (m->what) {
	case HANDOVER_ENDPOINT:
		take_endpoint(h, in);
		return 0;
	case HANDOVER_CONNECTION:
		d = find(h->iopart, m->channel_id);
		if (d && in->fds == 1) {
			device_connect(d, in->fd[0]);
			in->fd[0] = -1;
		}
		return 0;
	case HANDOVER_SETTINGS:
		d = find(h->iopart, m->channel_id);
		if (d)
			device_set(d, &m->settings, m->size);
		return 0;
	case HANDOVER_COMPLETE:
		sweep(h);
		return 0;
	case HANDOVER_WITHDRAW:
		d = find(h->iopart, m->channel_id);
		if (d)
			device_withdraw(d);
		return 0;
	case HANDOVER_REFUSED:
		log_error("hand-over: uvd refuses: %s", m->reason);
		return -EACCES;
	default:
		log_error("hand-over: uvd sent an unknown message %u", m->what);
		return -EPROTO;
	}
}

static int check(struct message *in, ssize_t n, const struct msghdr *h)
{
	struct handover_message *m = &in->m;

	if (n != sizeof(*m) || h->msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    m->version != HANDOVER_VERSION)
		return -EPROTO;
	if (!memchr(m->partition, 0, sizeof(m->partition)) ||
	    !memchr(m->device, 0, sizeof(m->device)) ||
	    !memchr(m->settings.serial, 0, sizeof(m->settings.serial)) ||
	    !memchr(m->settings.zone, 0, sizeof(m->settings.zone)) ||
	    !memchr(m->settings.addresses, 0, sizeof(m->settings.addresses)) ||
	    !memchr(m->settings.talks, 0, sizeof(m->settings.talks)) ||
	    m->settings.queues > COMMAND_MAX_QUEUES ||
	    !memchr(m->reason, 0, sizeof(m->reason)))
		return -EPROTO;
	return 0;
}

/* One message: 0; -EAGAIN: there is none; else the connection is over. */
static int receive(struct handover *h)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))] __attribute__((aligned(8)));
	struct message in = { .fd = { [0 ... FDS_MAX - 1] = -1 } };
	struct iovec iov = { &in.m, sizeof(in.m) };
	struct msghdr header = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	unsigned int i;
	ssize_t n;
	int rc;

	n = recvmsg(h->fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -EPIPE;
	for (c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		in.fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(in.fd, CMSG_DATA(c), in.fds * sizeof(int));
	}
	rc = check(&in, n, &header);
	if (rc)
		log_error("hand-over: a message of uvd's is malformed, or of another version");
	else
		rc = dispatch(h, &in);
	for (i = 0; i < FDS_MAX; i++) {
		if (in.fd[i] >= 0)
			close(in.fd[i]);
	}
	return rc;
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct handover *h = userdata;
	unsigned int i;
	int rc = 0;

	(void)s;
	(void)fd;
	(void)revents;
	for (i = 0; i < MESSAGES && !rc; i++)
		rc = receive(h);
	if (rc && rc != -EAGAIN) {
		if (rc != -EACCES)
			log_notice("hand-over: uvd is gone; its devices go on being served");
		disconnect(h, rc == -EACCES ? REFUSED_USEC : RETRY_USEC);
	}
	iopart_flush(h->iopart);
	return 0;
}

static int try_connect(struct handover *h)
{
	struct handover_message hello = { .version = HANDOVER_VERSION, .what = HANDOVER_HELLO };
	int fd, rc;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&h->address, sizeof(h->address)) < 0 ||
	    send(fd, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello)) {
		rc = -errno;
		goto close_fd;
	}
	rc = sd_event_add_io(h->iopart->event, &h->io, fd, EPOLLIN, on_message, h);
	if (rc < 0)
		goto close_fd;
	h->fd = fd;
	h->round++;
	return 0;

close_fd:
	close(fd);
	return rc;
}

static void connect_or_wait(struct handover *h)
{
	int rc = try_connect(h);

	if (!rc) {
		if (h->told)
			log_notice("hand-over: uvd answers");
		h->told = false;
		return;
	}
	if (!h->told)
		log_notice("hand-over: uvd does not answer at %s (%s); tries again for ever",
			   h->address.sun_path, strerror(-rc));
	h->told = true;
	disconnect(h, RETRY_USEC);
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata)
{
	(void)s;
	(void)usec;
	connect_or_wait(userdata);
	return 0;
}

static int on_ask(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct handover *h = userdata;
	struct device *d;

	(void)s;
	(void)usec;
	for (d = h->iopart->devices; d && d->state != DEVICE_CLOSED && !d->asks; d = d->next)
		;
	/* uvd tells a new connection everything; without one it will, as soon as there is one. */
	if (d && h->fd >= 0) {
		log_info("hand-over: asks for everything again, because of %s", d->label);
		disconnect(h, 0);
	}
	return 0;
}

void handover_ask_again(struct handover *h)
{
	if (!h)
		return;
	sd_event_source_set_time_relative(h->ask, ASK_USEC);
	sd_event_source_set_enabled(h->ask, SD_EVENT_ONESHOT);
}

int handover_start(struct handover **out, struct iopart *io, const char *path)
{
	struct handover *h;
	int rc;

	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->iopart = io;
	h->fd = -1;
	h->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(h->address.sun_path)) {
		free(h);
		return -ENAMETOOLONG;
	}
	strcpy(h->address.sun_path, path);
	rc = sd_event_add_time(io->event, &h->retry, CLOCK_MONOTONIC, 0, 10000, on_retry, h);
	if (rc >= 0)
		rc = sd_event_add_time(io->event, &h->ask, CLOCK_MONOTONIC, 0, 10000, on_ask, h);
	if (rc < 0) {
		handover_stop(h);
		return rc;
	}
	sd_event_source_set_enabled(h->retry, SD_EVENT_OFF);
	sd_event_source_set_enabled(h->ask, SD_EVENT_OFF);
	io->handover = h;
	connect_or_wait(h);
	*out = h;
	return 0;
}

void handover_stop(struct handover *h)
{
	if (!h)
		return;
	sd_event_source_disable_unref(h->io);
	sd_event_source_disable_unref(h->retry);
	sd_event_source_disable_unref(h->ask);
	h->iopart->handover = NULL;
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}

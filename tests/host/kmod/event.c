// SPDX-License-Identifier: Apache-2.0
/* Events, as any listener gets them: by plain netlink sockets. */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

struct event {
	uint32_t event, slot;
	uint64_t id, epoch;
};

static const void *find_attr(const void *attrs, size_t length, uint16_t type, size_t size)
{
	const char *p = attrs, *end = p + length;

	while (end - p >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > end - p)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type && a->nla_len >= NLA_HDRLEN + size)
			return p + NLA_HDRLEN;
		p += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static size_t receive(int s, void *buffer, size_t size)
{
	struct timeval timeout = { 5, 0 };
	ssize_t n;

	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	n = recv(s, buffer, size, 0);
	if (n < 0)
		fail("no message: %s", strerror(errno));
	return n;
}

/* The ids of the family and of its group, asked of the controller. */
static uint32_t ask_family(int s, uint16_t *family)
{
	struct {
		struct nlmsghdr nl;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[16];
	} ask = {
		.nl = { sizeof(ask), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0 },
		.genl = { CTRL_CMD_GETFAMILY, 1, 0 },
		.attr = { NLA_HDRLEN + sizeof(ULTRAVISOR_GENL_NAME), CTRL_ATTR_FAMILY_NAME },
		.name = ULTRAVISOR_GENL_NAME,
	};
	static char buffer[8192];
	const struct nlmsghdr *nl = (const void *)buffer;
	const struct nlattr *groups, *group;
	const char *attrs;
	size_t length;

	check(send(s, &ask, sizeof(ask), 0) == sizeof(ask));
	check(receive(s, buffer, sizeof(buffer)) >= NLMSG_HDRLEN + GENL_HDRLEN);
	check(nl->nlmsg_type == GENL_ID_CTRL);
	attrs = (const char *)NLMSG_DATA(nl) + GENL_HDRLEN;
	length = nl->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	memcpy(family, find_attr(attrs, length, CTRL_ATTR_FAMILY_ID, 2), 2);
	groups = find_attr(attrs, length, CTRL_ATTR_MCAST_GROUPS, NLA_HDRLEN);
	check(groups);
	group = groups;	/* the first and only one, nested */
	attrs = (const char *)group + NLA_HDRLEN;
	length = group->nla_len - NLA_HDRLEN;
	check(!strcmp(find_attr(attrs, length, CTRL_ATTR_MCAST_GRP_NAME, 1),
		      ULTRAVISOR_GENL_GROUP));
	return *(const uint32_t *)find_attr(attrs, length, CTRL_ATTR_MCAST_GRP_ID, 4);
}

static uint16_t family;

static int listen_to_events(void)
{
	int s = ok(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	uint32_t group;

	ok(bind(s, (struct sockaddr *)&any, sizeof(any)));
	group = ask_family(s, &family);
	ok(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
	return s;
}

static struct event next_event(int s)
{
	static char buffer[4096];
	const struct nlmsghdr *nl = (const void *)buffer;
	const struct genlmsghdr *genl = NLMSG_DATA(nl);
	struct event e;
	const char *attrs;
	size_t length;

	check(receive(s, buffer, sizeof(buffer)) >= NLMSG_HDRLEN + GENL_HDRLEN);
	check(nl->nlmsg_type == family);
	check(genl->cmd == ULTRAVISOR_GENL_CMD_EVENT && genl->version == ULTRAVISOR_GENL_VERSION);
	attrs = (const char *)genl + GENL_HDRLEN;
	length = nl->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	memcpy(&e.event, find_attr(attrs, length, ULTRAVISOR_ATTR_EVENT, 4), 4);
	memcpy(&e.slot, find_attr(attrs, length, ULTRAVISOR_ATTR_SLOT, 4), 4);
	memcpy(&e.id, find_attr(attrs, length, ULTRAVISOR_ATTR_ID, 8), 8);
	memcpy(&e.epoch, find_attr(attrs, length, ULTRAVISOR_ATTR_EPOCH, 8), 8);
	return e;
}

static void expect(int s, uint64_t id, uint32_t event, uint32_t slot, uint64_t epoch)
{
	struct event e = next_event(s);

	if (e.id != id || e.event != event || e.slot != slot || e.epoch != epoch)
		fail("event %u slot %d epoch %llu, expected %u %d %llu", e.event, (int)e.slot,
		     (unsigned long long)e.epoch, event, (int)slot, (unsigned long long)epoch);
}

#define NONE ULTRAVISOR_NO_SLOT

static void serve_and_wait(int socket, void *arg)
{
	ok(attach(*(int *)arg));
	say(socket, 'a');
	pause();
}

static void a_channels_life_is_told_in_order(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct object c = make_channel(&create);
	int s = listen_to_events(), server[2], client;
	struct peer peer;

	for (int i = 0; i < 2; i++) {
		ok(server_set(c.fd, i, 0xa0 + i));
		server[i] = ok(object_open(c.id, ULTRAVISOR_ROLE_SERVER, i));
	}
	client = ok(object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(client));
	expect(s, c.id, ULTRAVISOR_EVENT_CLIENT_ATTACHED, NONE, 0);
	peer = fork_peer(serve_and_wait, &server[0]);
	hear(peer.socket, 'a');
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_ATTACHED, 0, 0);
	expect(s, c.id, ULTRAVISOR_EVENT_PROMOTED, 0, 1);
	ok(attach(server[1]));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_ATTACHED, 1, 1);
	kill_peer(&peer);
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 0, 2);
	expect(s, c.id, ULTRAVISOR_EVENT_PROMOTED, 1, 2);
	ok(attach(server[0]));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_ATTACHED, 0, 2);
	ok(promote(c.fd, 0, NULL));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 1, 3);
	expect(s, c.id, ULTRAVISOR_EVENT_PROMOTED, 0, 3);
	ok(detach(server[0]));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 0, 4);
	expect(s, c.id, ULTRAVISOR_EVENT_UNSERVED, 0, 4);
	ok(channel_revoke(c.fd, ULTRAVISOR_REVOKE_CLIENT, 0));
	expect(s, c.id, ULTRAVISOR_EVENT_CLIENT_GONE, NONE, 4);
	expect(s, c.id, ULTRAVISOR_EVENT_REVOKED, NONE, 4);
	ok(channel_revoke(c.fd, ULTRAVISOR_REVOKE_SLOT, 1));
	expect(s, c.id, ULTRAVISOR_EVENT_REVOKED, 1, 4);
	ok(object_destroy(c.id));
	expect(s, c.id, ULTRAVISOR_EVENT_REVOKED, NONE, 4);
}

static void revocation_promotes_nobody_on_its_way(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct object c = make_channel(&create);
	int s, server;

	for (int i = 0; i < 3; i++) {
		ok(server_set(c.fd, i, 0xa0 + i));
		server = ok(object_open(c.id, ULTRAVISOR_ROLE_SERVER, i));
		ok(attach(server));
	}
	ok(promote(c.fd, 1, NULL));
	s = listen_to_events();
	ok(channel_revoke(c.fd, ULTRAVISOR_REVOKE_ALL, 0));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 2, 2);
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 1, 3);
	expect(s, c.id, ULTRAVISOR_EVENT_UNSERVED, 1, 3);
	expect(s, c.id, ULTRAVISOR_EVENT_REVOKED, NONE, 3);
}

static struct guest guest;

static void monitor_and_wait(int socket, void *arg)
{
	static const uint8_t halt[] = { 0xf4 };

	(void)arg;
	guest_build(&guest, halt, sizeof(halt), false);
	say(socket, 'a');
	pause();
}

static void the_end_of_a_monitor_is_told(void)
{
	int s = listen_to_events();
	struct peer peer;

	guest_define(&guest, "gone", 0, 0);
	peer = fork_peer(monitor_and_wait, NULL);
	hear(peer.socket, 'a');
	kill_peer(&peer);
	expect(s, guest.partition.id, ULTRAVISOR_EVENT_PARTITION_GONE, NONE, 0);
}

static void a_leases_end_and_renewal_are_told(void)
{
	struct ultravisor_lease lease = { .size = sizeof(lease), .epoch = 5, .deadline = 1 };
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct object p = make_partition("leased"), c;
	int s, server;

	create.client_id = p.id;
	c = make_channel(&create);
	ok(server_set(c.fd, 0, 0xa0));
	server = ok(object_open(c.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(server));
	s = listen_to_events();
	ok(ioctl(p.fd, ULTRAVISOR_LEASE_SET, &lease));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_GONE, 0, 2);
	expect(s, p.id, ULTRAVISOR_EVENT_LEASE_EXPIRED, NONE, 5);
	ok(attach(server));
	expect(s, c.id, ULTRAVISOR_EVENT_SERVER_ATTACHED, 0, 2);
	lease.deadline = ~0ull >> 2;
	ok(ioctl(p.fd, ULTRAVISOR_LEASE_RENEW, &lease));
	expect(s, c.id, ULTRAVISOR_EVENT_PROMOTED, 0, 3);
	expect(s, p.id, ULTRAVISOR_EVENT_LEASE_RENEWED, NONE, 5);
}

static void expect_silence(int s, int ms)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	if (poll(&p, 1, ms)) {
		struct event e = next_event(s);

		fail("event %u of %llu, slot %d", e.event, (unsigned long long)e.id, (int)e.slot);
	}
}

struct asked {
	struct object channel;
	int client, server[2], sink[2];
};

/* Slot 0 serves, and has read the first signal of its sink. */
static struct asked make_asked(uint64_t answer_ns)
{
	struct ultravisor_channel_create create = {
		.client_size = 4096, .doorbells = 2, .answer_ns = answer_ns,
	};
	struct asked a = { .channel = make_channel(&create) };
	uint64_t count;

	a.client = ok(object_open(a.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(a.client));
	for (int i = 0; i < 2; i++) {
		ok(server_set(a.channel.fd, i, 0xa0 + i));
		a.server[i] = ok(object_open(a.channel.id, ULTRAVISOR_ROLE_SERVER, i));
		a.sink[i] = ok(eventfd(0, EFD_NONBLOCK));
		ok(attach(a.server[i]));
		ok(bind_doorbell(a.server[i], i, ULTRAVISOR_DOORBELL_SINK, a.sink[i]));
	}
	check(read(a.sink[0], &count, 8) == 8);
	return a;
}

static void a_server_that_does_not_answer_is_reported_once_an_epoch(void)
{
	struct asked a = make_asked(50000000);
	int s = listen_to_events();
	uint64_t count;

	/* Nothing asked, nothing to answer. */
	expect_silence(s, 200);
	ok(ring(a.client, 0));
	expect(s, a.channel.id, ULTRAVISOR_EVENT_HUNG, 0, 1);
	ok(ring(a.client, 0));
	expect_silence(s, 200);
	/* Answered late, and then silent again: known already. */
	check(read(a.sink[0], &count, 8) == 8 && count == 2);
	ok(ring(a.client, 0));
	expect_silence(s, 200);
	check(channel_info(a.channel.fd).out_serving == 0);
	/* The next one is asked by its promotion. */
	ok(promote(a.channel.fd, 1, NULL));
	expect(s, a.channel.id, ULTRAVISOR_EVENT_SERVER_GONE, 0, 2);
	expect(s, a.channel.id, ULTRAVISOR_EVENT_PROMOTED, 1, 2);
	expect(s, a.channel.id, ULTRAVISOR_EVENT_HUNG, 1, 2);
}

static void a_busy_server_is_not_reported(void)
{
	struct asked a = make_asked(1000000000);
	int s = listen_to_events();
	uint64_t end = clock_ns() + 3500000000ull, count;

	/* Asked all the time, for longer than three deadlines; and once more, at the end. */
	while (clock_ns() < end) {
		for (int i = 0; i < 20; i++)
			ok(ring(a.client, 0));
		check(read(a.sink[0], &count, 8) == 8);
		ok(ring(a.client, 0));
		sleep_ms(1);
		check(read(a.sink[0], &count, 8) == 8);
	}
	expect_silence(s, 1500);
}

static void a_server_may_ask_itself(void)
{
	struct asked a = make_asked(2000000000);
	int s = listen_to_events();
	uint64_t count, one = 1;

	/* It has work left that nobody will kick again, and says that it lives. */
	ok(ring(a.client, 0));
	for (int i = 0; i < 12; i++) {
		check(read(a.sink[0], &count, 8) == 8);
		check(write(a.sink[0], &one, 8) == 8);
		sleep_ms(200);
	}
	expect_silence(s, 0);
	expect(s, a.channel.id, ULTRAVISOR_EVENT_HUNG, 0, 1);
}

static void taking_its_sink_away_ends_the_question(void)
{
	struct asked a = make_asked(50000000);
	int s = listen_to_events();
	uint64_t count;

	ok(ring(a.client, 0));
	ok(bind_doorbell(a.server[0], 0, ULTRAVISOR_DOORBELL_SINK, -1));
	expect_silence(s, 200);
	/* What was rung is still there for who owns the eventfd. */
	check(read(a.sink[0], &count, 8) == 8 && count == 1);
	/* A server without a deadline is asked nothing. */
	a = make_asked(0);
	ok(ring(a.client, 0));
	for (int i = 0; i < 4; i++)		/* of its making: three attach, one is promoted */
		next_event(s);
	expect_silence(s, 200);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "a channel's life is told in order", a_channels_life_is_told_in_order },
		{ "revocation promotes nobody on its way", revocation_promotes_nobody_on_its_way },
		{ "the end of a monitor is told", the_end_of_a_monitor_is_told },
		{ "a server that does not answer is reported once an epoch",
		  a_server_that_does_not_answer_is_reported_once_an_epoch },
		{ "a busy server is not reported", a_busy_server_is_not_reported },
		{ "a server may ask itself", a_server_may_ask_itself },
		{ "taking its sink away ends the question",
		  taking_its_sink_away_ends_the_question },
		{ "a lease's end and renewal are told", a_leases_end_and_renewal_are_told },
	};

	return RUN_TESTS(tests);
}

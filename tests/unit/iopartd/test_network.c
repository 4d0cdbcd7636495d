/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network device between a fake guest and a packet socket on the other side of its tap, in a
 * network namespace of its own: packets both ways, long ones in several buffers, servers that die,
 * drivers that lie.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include <common/crash.h>

#include <iopartd/network.h>

#include "guest.h"
#include "rig.h"

#define PROTOCOL	0x88b5		/* IEEE 802: local experiments */
#define BUFFERS		48u
#define MERGEABLE	(1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define HEADER		12u

static const char *fatal;
static unsigned int passes;

void crash_point(const char *name)
{
	if (fatal && !strcmp(name, fatal) && --passes == 0)
		raise(SIGKILL);
}

struct state {
	struct guest g;
	struct rig r;
	int keep, wire;			/* the tap's owner; the other side */
	uint64_t receive[BUFFERS];
	uint16_t head[BUFFERS];
	uint32_t size;
	bool served;
};

static int tap(const char *name, bool attached)
{
	struct ifreq r = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE,
	};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	strcpy(r.ifr_name, name);
	assert_int_equal(ioctl(fd, TUNSETIFF, &r), 0);
	r = (struct ifreq){ .ifr_flags = IFF_DETACH_QUEUE };
	if (!attached)
		assert_int_equal(ioctl(fd, TUNSETQUEUE, &r), 0);
	return fd;
}

static void set_up(const char *name)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(r.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	r.ifr_mtu = 9000;
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &r), 0);
	close(fd);
}

static int wire(const char *name)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET, .sll_protocol = htons(PROTOCOL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(PROTOCOL));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void post(struct state *s, unsigned int i)
{
	struct buffer b = { s->receive[i], s->size, true };

	s->head[i] = guest_submit(&s->g, 0, &b, 1, false);
}

static void driver_up(struct state *s, uint64_t features, uint32_t size)
{
	unsigned int i;

	s->size = size;
	guest_up(&s->g, GUEST_FEATURES | features, 2, 64);
	for (i = 0; i < BUFFERS; i++) {
		if (!s->receive[i])
			s->receive[i] = guest_alloc(&s->g, 10000);
		post(s, i);
	}
}

static int setup_bare(void **p)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	guest_init(&s->g, CHANNEL_NETWORK);
	s->keep = tap("t0", false);
	ioctl(s->keep, TUNSETPERSIST, 1);
	set_up("t0");
	s->wire = wire("t0");
	*p = s;
	return 0;
}

static int setup(void **p)
{
	struct state *s;

	setup_bare(p);
	s = *p;
	rig_init(&s->r);
	rig_serve(&s->r, &s->g, tap("t0", false), false);
	s->served = true;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;
	struct ifreq r = { .ifr_flags = IFF_ATTACH_QUEUE };

	if (s->served) {
		rig_uninit(&s->r);
		s->g.server = NULL;
	}
	guest_uninit(&s->g);
	close(s->wire);
	ioctl(s->keep, TUNSETQUEUE, &r);
	ioctl(s->keep, TUNSETPERSIST, 0);
	close(s->keep);
	free(s);
	return 0;
}

static void frame(unsigned char *to, size_t n, uint32_t number)
{
	size_t i;

	memset(to, 0xff, 6);
	memcpy(to + 6, "\x02\x01\x02\x03\x04\x05", 6);
	to[12] = PROTOCOL >> 8;
	to[13] = PROTOCOL & 0xff;
	memcpy(to + 14, &number, 4);
	for (i = 18; i < n; i++)
		to[i] = number * 31 + i;
}

static uint32_t number_of(const unsigned char *f)
{
	uint32_t n;

	memcpy(&n, f + 14, 4);
	return n;
}

static void good(const unsigned char *f, size_t n)
{
	unsigned char expect[10000];

	frame(expect, n, number_of(f));
	assert_memory_equal(f, expect, n);
}

/* A packet for the guest; with no carrier yet it is refused. */
static void to_guest(struct state *s, size_t n, uint32_t number)
{
	unsigned char f[10000];

	frame(f, n, number);
	assert_int_equal(send(s->wire, f, n, 0), n);
}

/* The next packet that the guest has, merged from its buffers; 0: none. */
static size_t guest_receive(struct state *s, unsigned char *to, size_t size)
{
	struct virtio_net_hdr_v1 h;
	uint32_t head, length;
	unsigned int i, part;
	size_t n = 0;

	if (!guest_used(&s->g, 0, &head, &length))
		return 0;
	for (part = 0;; part++) {
		for (i = 0; i < BUFFERS && s->head[i] != head; i++)
			;
		assert_true(i < BUFFERS && length <= s->size && n + length <= size);
		memcpy(to + n, guest_at(&s->g, s->receive[i]), length);
		if (!part)
			memcpy(&h, to, sizeof(h));
		n += length;
		post(s, i);
		if (part + 1 == h.num_buffers)
			break;
		assert_true(part < 20);
		/* The parts of one packet appear together. */
		assert_true(guest_used(&s->g, 0, &head, &length));
	}
	guest_kick(&s->g, 0);
	memmove(to, to + HEADER, n - HEADER);
	return n - HEADER;
}

static bool received(void *argument)
{
	struct state *s = argument;

	return guest_used_index(&s->g, 0) != s->g.queue[0].seen;
}

static void from_guest(struct state *s, size_t n, uint32_t number)
{
	uint64_t at = guest_alloc(&s->g, HEADER + n);
	struct buffer b[] = { { at, HEADER + 5, false }, { at + HEADER + 5, n - 5, false } };

	memset(guest_at(&s->g, at), 0, HEADER);
	frame((unsigned char *)guest_at(&s->g, at) + HEADER, n, number);
	guest_submit(&s->g, 1, b, 2, number & 1);
}

static void packets_go_both_ways(void **p)
{
	struct state *s = *p;
	static const size_t sizes[] = { 60, 1514, 2000, 9000 };
	unsigned char f[10000];
	uint32_t head, length;
	size_t i;

	driver_up(s, MERGEABLE, 1500);
	rig_settle(&s->r, &s->g);
	for (i = 0; i < 4; i++) {
		to_guest(s, sizes[i], i);
		rig_until(&s->r, received, s);
		assert_int_equal(guest_receive(s, f, sizeof(f)), sizes[i]);
		good(f, sizes[i]);

		from_guest(s, sizes[i], 100 + i);
		guest_kick(&s->g, 1);
		rig_run(&s->r, 5);
		assert_int_equal(recv(s->wire, f, sizeof(f), 0), sizes[i]);
		good(f, sizes[i]);
		assert_true(guest_used(&s->g, 1, &head, &length));
	}
}

static void a_burst_waits_for_buffers_and_is_not_lost(void **p)
{
	struct state *s = *p;
	unsigned char f[10000];
	uint32_t i, expect = 0;

	driver_up(s, MERGEABLE, 700);
	rig_settle(&s->r, &s->g);
	for (i = 0; i < 150; i++)
		to_guest(s, 1400, i);		/* 3 buffers each; there are 48 */
	while (expect < 150) {
		rig_until(&s->r, received, s);
		while (guest_receive(s, f, sizeof(f))) {
			good(f, 1400);
			assert_int_equal(number_of(f), expect++);
		}
	}
}

#define LIMITED 20u

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static bool all_sent(void *argument)
{
	struct state *s = argument;

	return guest_used_index(&s->g, 1) == LIMITED;
}

/* Both ways at once: one does not use up the other's. */
static void each_way_has_its_limit(void **p)
{
	const struct command_settings none = { .queues = 1 };
	const struct command_settings slow = { .queues = 1, .operations = 50, .burst_ms = 100 };
	struct state *s = *p;
	unsigned char f[10000];
	uint32_t i, got = 0;
	uint64_t begin;

	driver_up(s, MERGEABLE, 1500);
	rig_settle(&s->r, &s->g);
	begin = now_ms();
	device_set(s->r.device, &slow, 0);
	for (i = 0; i < LIMITED; i++) {
		to_guest(s, 100, i);
		from_guest(s, 100, 100 + i);
	}
	guest_kick(&s->g, 1);
	while (got < LIMITED) {
		rig_until(&s->r, received, s);
		while (guest_receive(s, f, sizeof(f))) {
			good(f, 100);
			assert_int_equal(number_of(f), got++);
		}
	}
	/* At most a burst of five before. */
	assert_true(now_ms() - begin >= (LIMITED - 6) * 1000 / 50);
	rig_until(&s->r, all_sent, s);
	assert_true(now_ms() - begin >= (LIMITED - 6) * 1000 / 50);
	for (i = 0; i < LIMITED; i++) {
		assert_int_equal(recv(s->wire, f, sizeof(f), 0), 100);
		assert_int_equal(number_of(f), 100 + i);
	}

	/* What waits goes when the limit does. */
	device_set(s->r.device, &(struct command_settings){
		.queues = 1, .bytes = 1024, .burst_ms = 1 }, 0);
	for (i = 0; i < 3; i++)
		to_guest(s, 9000, i);
	rig_run(&s->r, 20);
	device_set(s->r.device, &none, 0);
	for (got = 0; got < 3; got++) {
		rig_until(&s->r, received, s);
		assert_int_equal(guest_receive(s, f, sizeof(f)), 9000);
	}
}

static void without_merging_what_does_not_fit_is_dropped(void **p)
{
	struct state *s = *p;
	unsigned char f[10000];

	driver_up(s, 0, 1526);
	rig_settle(&s->r, &s->g);
	to_guest(s, 5000, 1);
	to_guest(s, 1514, 2);
	rig_until(&s->r, received, s);
	assert_int_equal(guest_receive(s, f, sizeof(f)), 1514);
	assert_int_equal(number_of(f), 2);
}

static bool is_broken(void *argument)
{
	struct state *s = argument;

	return guest_broken(&s->g) == guest_generation(&s->g);
}

static void drivers_that_lie_wait_for_their_reset(void **p)
{
	struct state *s = *p;
	struct buffer bad = { GUEST_LOW_SIZE - 100, 2000, false };
	unsigned char f[10000];

	driver_up(s, MERGEABLE, 1500);
	rig_settle(&s->r, &s->g);
	guest_submit(&s->g, 1, &bad, 1, false);
	guest_kick(&s->g, 1);
	rig_until(&s->r, is_broken, s);

	driver_up(s, MERGEABLE, 1500);
	/* A receive buffer that the device may not write. */
	guest_desc(&s->g, 0)[s->head[0]].flags = 0;
	rig_settle(&s->r, &s->g);
	to_guest(s, 100, 1);
	rig_until(&s->r, is_broken, s);

	guest_down(&s->g);
	rig_settle(&s->r, &s->g);
	driver_up(s, MERGEABLE, 1500);
	rig_settle(&s->r, &s->g);
	to_guest(s, 100, 2);
	rig_until(&s->r, received, s);
	assert_int_equal(guest_receive(s, f, sizeof(f)), 100);
	/* Too short, and more than any packet: dropped, not the driver's fault. */
	bad = (struct buffer){ 0x1000, 10, false };
	guest_submit(&s->g, 1, &bad, 1, false);
	bad = (struct buffer){ GUEST_HIGH, GUEST_HIGH_SIZE, false };
	guest_submit(&s->g, 1, &bad, 1, false);
	guest_kick(&s->g, 1);
	rig_run(&s->r, 10);
	assert_int_equal(guest_used_index(&s->g, 1), 2);
	assert_false(is_broken(s));
}

/* ---- killed and taken over */

static void serve(struct state *s, const char *point, unsigned int pass)
{
	struct rig r;

	rig_forked = true;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(30);
	rig_init(&r);
	rig_serve(&r, &s->g, tap("t0", false), false);
	fatal = point;
	passes = pass;
	while (sd_event_run(r.event, UINT64_MAX) >= 0)
		;
	_exit(1);
}

static void no_packet_is_damaged_whoever_is_killed_when(void **p)
{
	static const char *const points[] = { "sent", "filled", "intent", "shown", NULL };
	struct state *s = *p;
	unsigned int i, pass, step, sent = 0, got = 0, out = 0, killed = 0;
	unsigned char f[10000];
	uint32_t head, length;
	uint64_t mark = 0;
	int status;
	ssize_t n;
	pid_t pid;

	driver_up(s, MERGEABLE, 700);
	mark = s->g.next;
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (pass = 1; pass < 8; pass++) {
			fflush(NULL);
			pid = fork();
			assert_true(pid >= 0);
			if (pid == 0)
				serve(s, points[i], pass);
			for (step = 0; step < 60; step++) {
				unsigned char t[2000];

				frame(t, 1500, sent);
				/* Without a server there is no carrier, and nothing is sent. */
				if (send(s->wire, t, 1500, 0) == 1500)
					sent++;
				while (s->g.queue[1].frees > 10) {
					if (s->g.next > 3 << 20)
						s->g.next = mark;
					from_guest(s, 1000, out++);
				}
				guest_kick(&s->g, 1);
				while ((n = guest_receive(s, f, sizeof(f))) > 0) {
					assert_int_equal(n, 1500);
					good(f, n);
					got++;
				}
				while ((n = recv(s->wire, f, sizeof(f), 0)) > 0)
					good(f, n);
				while (guest_used(&s->g, 1, &head, &length))
					assert_int_equal(length, 0);
				if (waitpid(pid, &status, WNOHANG) == pid) {
					assert_true(WIFSIGNALED(status));
					assert_int_equal(WTERMSIG(status), SIGKILL);
					pid = 0;
					killed++;
					break;
				}
				poll(NULL, 0, 1);
			}
			if (pid) {
				kill(pid, SIGKILL);
				waitpid(pid, &status, 0);
			}
			assert_int_equal(guest_broken(&s->g), 0);
		}
	}
	print_message("    %u killed, %u of %u packets arrived, %u were sent\n", killed, got, sent,
		      out);
	assert_true(killed > 20 && got > 50);
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) >= 0;

	close(fd);
	return done;
}

static bool isolate(void)
{
	uid_t uid = getuid();
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (unshare(CLONE_NEWNET | (uid ? CLONE_NEWUSER : 0)) < 0 ||
	    (uid && !put_text("/proc/self/uid_map", map)))
		return false;
	/* The kernel's own packets would be in the way. */
	put_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	return true;
}

/* A card with two pairs; its control queue is the fifth. */
static int setup_pairs(void **p)
{
	struct state *s;

	setup_bare(p);
	s = *p;
	rig_init(&s->r);
	s->r.taps[0] = tap("t0", false);
	rig_serve(&s->r, &s->g, tap("t0", false), false);
	s->served = true;
	return 0;
}

#define CONTROL	4u

static uint8_t command(struct state *s, const void *bytes, unsigned int n, unsigned int split)
{
	uint64_t at = guest_alloc(&s->g, 64), ack = guest_alloc(&s->g, 1);
	struct buffer b[] = {
		{ at, split, false }, { at + split, n - split, false }, { ack, 1, true },
	};
	uint32_t head, length;

	memcpy(guest_at(&s->g, at), bytes, n);
	*(uint8_t *)guest_at(&s->g, ack) = 0xee;
	guest_submit(&s->g, CONTROL, b, 3, false);
	guest_kick(&s->g, CONTROL);
	rig_run(&s->r, 5);
	assert_true(guest_used(&s->g, CONTROL, &head, &length));
	assert_int_equal(length, 1);
	return *(uint8_t *)guest_at(&s->g, ack);
}

static void the_driver_chooses_how_many_pairs(void **p)
{
	static const struct {
		uint8_t bytes[8];
		unsigned int n, split, pairs;
		uint8_t answer;
	} commands[] = {
		{ { 4, 0, 2, 0 }, 4, 2, 2, VIRTIO_NET_OK },
		{ { 4, 0, 3, 0 }, 4, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 0, 0, 0 }, 4, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 0, 1, 1 }, 4, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 1, 1, 0 }, 4, 2, 2, VIRTIO_NET_ERR },
		{ { 0, 0, 1 }, 3, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 0, 1 }, 3, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 0, 1, 0, 0 }, 5, 2, 2, VIRTIO_NET_ERR },
		{ { 4, 0, 1, 0 }, 4, 1, 1, VIRTIO_NET_OK },
		{ { 4, 0, 2, 0 }, 4, 3, 2, VIRTIO_NET_OK },
	};
	const uint64_t features = MERGEABLE | 1ULL << VIRTIO_NET_F_MQ |
				  1ULL << VIRTIO_NET_F_CTRL_VQ;
	struct virtio_net_config config;
	struct state *s = *p;
	unsigned char f[10000];
	unsigned int i;

	memcpy(&config, guest_server(&s->g)->config, sizeof(config));
	assert_int_equal(config.max_virtqueue_pairs, 2);
	assert_int_equal(guest_server(&s->g)->queues, 5);
	s->size = 1500;
	guest_up(&s->g, GUEST_FEATURES | features, 5, 64);
	for (i = 0; i < BUFFERS; i++) {
		s->receive[i] = guest_alloc(&s->g, 10000);
		post(s, i);
	}
	rig_settle(&s->r, &s->g);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		assert_int_equal(command(s, commands[i].bytes, commands[i].n, commands[i].split),
				 commands[i].answer);
		/* What a next server would find, and what this one does. */
		assert_int_equal(control_stored(s->r.device->data), commands[i].pairs);
		assert_int_equal(((struct network *)s->r.device->data)->pairs, commands[i].pairs);
	}
	for (i = 1; i <= 3; i += 2) {
		uint64_t at = guest_alloc(&s->g, HEADER + 100);
		struct buffer b = { at, HEADER + 100, false };

		memset(guest_at(&s->g, at), 0, HEADER);
		frame((unsigned char *)guest_at(&s->g, at) + HEADER, 100, i);
		guest_submit(&s->g, i, &b, 1, false);
		guest_kick(&s->g, i);
		rig_run(&s->r, 5);
		assert_int_equal(recv(s->wire, f, sizeof(f), 0), 100);
		assert_int_equal(number_of(f), i);
	}
	/* A reset takes the choice back. */
	guest_down(&s->g);
	rig_settle(&s->r, &s->g);
	assert_int_equal(((struct network *)s->r.device->data)->pairs, 0);
	guest_up(&s->g, GUEST_FEATURES | features, 5, 64);
	rig_settle(&s->r, &s->g);
	assert_int_equal(((struct network *)s->r.device->data)->pairs, 1);
	/* A command without room for its answer is no command. */
	guest_submit(&s->g, CONTROL, &(struct buffer){ guest_alloc(&s->g, 8), 4, false }, 1, false);
	guest_kick(&s->g, CONTROL);
	rig_run(&s->r, 5);
	assert_int_equal(guest_broken(&s->g), guest_generation(&s->g));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, setup_bare, teardown)
	const struct CMUnitTest tests[] = {
		TEST(packets_go_both_ways),
		TEST(a_burst_waits_for_buffers_and_is_not_lost),
		TEST(each_way_has_its_limit),
		cmocka_unit_test_setup_teardown(the_driver_chooses_how_many_pairs, setup_pairs,
						teardown),
		TEST(without_merging_what_does_not_fit_is_dropped),
		TEST(drivers_that_lie_wait_for_their_reset),
		BARE(no_packet_is_damaged_whoever_is_killed_when),
	};

	if (!isolate() || access("/dev/net/tun", R_OK | W_OK)) {
		printf("no network namespace or no /dev/net/tun here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

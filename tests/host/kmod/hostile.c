// SPDX-License-Identifier: Apache-2.0
/*
 * libchannel against a peer that writes over every word that it may write, while it works; and
 * against memory that is taken away in the middle of a copy, on a busy machine. The victim sees a
 * clean error and closes; a pair of peers on another channel notices nothing.
 *
 * Each test lasts $HOSTILE_SECONDS (4).
 */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchannel/packet.h>
#include <libchannel/ring.h>

#include "common.h"

#define MS 1000000ull
#define AREA 0x8000u
#define RW (PROT_READ | PROT_WRITE)

static struct shared {
	_Atomic uint64_t answered;		/* of the bystanders */
	_Atomic uint64_t worked, received, scribbled, copied;
	_Atomic uint64_t lost, survived;
} *shared;

static uint64_t until;

static void begin(void)
{
	const char *seconds = getenv("HOSTILE_SECONDS");

	shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED);
	until = clock_ns() + (seconds ? strtoul(seconds, NULL, 10) : 4) * 1000 * MS;
	srandom(1);
}

static struct object channel_of(uint64_t client_id, uint32_t flags)
{
	struct ultravisor_channel_create create = {
		.flags = flags, .type = 1, .layout_version = 1, .client_id = client_id,
		.client_size = AREA, .server_size = AREA, .private_size = AREA, .doorbells = 2,
	};
	struct object channel = make_channel(&create);

	ok(server_set(channel.fd, 0, 0xa0));
	ok(server_set(channel.fd, 1, 0xa1));
	return channel;
}

static int client_of(struct object channel)
{
	return ok(object_open(channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
}

static int server_of(struct object channel)
{
	return ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
}

static void wait_until_serving(struct channel *c)
{
	struct channel_status status;

	while (!channel_status(c, &status) && !status.serving)
		usleep(1000);
}

/* ---- the bystanders ---- */

static void answer(int socket, void *fd)
{
	static uint8_t data[4096];
	struct packet_ring *p;
	struct channel *c;
	ssize_t n;

	check(!channel_open(&c, *(int *)fd, NULL));
	wait_until_serving(c);
	check(!packet_open(&p, c));
	say(socket, 'a');
	for (;;) {
		n = packet_receive_wait(p, data, sizeof(data), -1);
		check(n > 0);
		check(!packet_send_wait(p, data, n, -1));
	}
}

static void ask(int socket, void *fd)
{
	static uint8_t out[4096], in[4096];
	struct packet_ring *p;
	struct channel *c;

	check(!channel_open(&c, *(int *)fd, NULL));
	check(!packet_open(&p, c));
	say(socket, 'a');
	for (uint64_t number = 0;; number++) {
		size_t n = 8 + number * 37 % 4000;

		memset(out, (int)number, n);
		check(!packet_send_wait(p, out, n, 60000));
		check(packet_receive_wait(p, in, sizeof(in), 60000) == (ssize_t)n);
		check(!memcmp(in, out, n));
		shared->answered++;
	}
}

struct bystanders {
	struct object channel;
	struct peer server, client;
	uint64_t answered;
};

static struct bystanders stand_by(void)
{
	struct bystanders b = { .channel = channel_of(0, 0) };
	int server = server_of(b.channel), client = client_of(b.channel);

	b.server = fork_peer(answer, &server);
	hear(b.server.socket, 'a');
	b.client = fork_peer(ask, &client);
	hear(b.client.socket, 'a');
	close(server);
	close(client);
	return b;
}

/* Both are alive, and still talk. */
static void noticed_nothing(struct bystanders *b)
{
	uint64_t answered = shared->answered, end = clock_ns() + 20000 * MS;

	while (shared->answered < answered + 3 && clock_ns() < end)
		usleep(1000);
	check(shared->answered >= answered + 3);
	check(!waitpid(b->server.pid, NULL, WNOHANG));
	check(!waitpid(b->client.pid, NULL, WNOHANG));
	kill_peer(&b->client);
	kill_peer(&b->server);
	printf("       the bystanders: %llu answers\n", (unsigned long long)shared->answered);
}

/* ---- the victim ---- */

struct round {
	struct object channel;
	bool serves;		/* the victim does */
	unsigned int seed;
	int victim, hostile;	/* endpoints */
};

static bool is_allowed(ssize_t rc, size_t longest)
{
	return rc == -EAGAIN || rc == -EMSGSIZE || rc == -ETIMEDOUT || rc == -ECONNRESET ||
	       (rc >= 0 && (size_t)rc <= longest);
}

static ssize_t work(struct packet_ring *p)
{
	static uint8_t data[AREA];
	size_t size = 1 + random() % (random() % 2 ? 200 : sizeof(data));
	ssize_t rc;

	shared->worked++;
	switch (random() % 8) {
	case 0 ... 2:
		rc = packet_send(p, data, size);
		check(is_allowed(rc, 0));
		return rc;
	case 3 ... 5:
		rc = packet_receive(p, data, size);
		check(is_allowed(rc, size));
		shared->received += rc > 0;
		return rc;
	case 6:
		rc = packet_receive_wait(p, data, size, 1);
		check(is_allowed(rc, size));
		return rc;
	default:
		packet_prepare_wait(p);
		packet_clear_wait(p);
		return 0;
	}
}

static void suffer(int socket, void *arg)
{
	uint64_t end = clock_ns() + 300 * MS;
	struct round *round = arg;
	struct packet_ring *p = NULL;
	struct channel *c;
	int rc;

	srandom(round->seed);
	check(!channel_open(&c, round->victim, NULL));
	if (round->serves)
		wait_until_serving(c);
	rc = packet_open(&p, c);
	check(!rc || rc == -ECONNRESET);
	say(socket, 'a');
	while (rc != -ECONNRESET && clock_ns() < end)
		rc = work(p);
	if (rc == -ECONNRESET)
		shared->lost++;
	else
		shared->survived++;
	packet_close(p);
	channel_close(c);
}

/* ---- the hostile peer ---- */

static void scribble_word(volatile uint64_t *words, size_t count)
{
	struct ring_control *control = (void *)(uintptr_t)words;
	struct ring_slot *slots = (struct ring_slot *)(control + 1);
	unsigned int nr_slots = (count * 8 - sizeof(*control)) / sizeof(*slots);
	uint64_t near = random() % (3 * nr_slots);

	switch (random() % 8) {
	case 0:
		words[random() % count] = (uint64_t)random() << 33 ^ random();
		break;
	case 1:
		control->consumed = near;
		break;
	case 2:
		control->consumed += random() % 4;
		break;
	case 3:
		control->wake_packet = random();
		break;
	case 4:
		control->wake_room = near;
		break;
	default:
		/* A first slot that is due, of any length. */
		slots[near % nr_slots].word = (near + 1) << RING_LENGTH_BITS |
			random() % (random() % 2 ? 300 : 1 << RING_LENGTH_BITS);
	}
}

static void scribble(int socket, void *arg)
{
	struct round *round = arg;
	volatile uint64_t *own, *private = NULL;

	srandom(~round->seed);
	ok(attach(round->hostile));
	own = map_area(round->hostile, round->serves ? ULTRAVISOR_AREA_CLIENT
						     : ULTRAVISOR_AREA_SERVER, AREA, RW);
	check(own != MAP_FAILED);
	if (!round->serves) {
		private = map_area(round->hostile, ULTRAVISOR_AREA_PRIVATE, AREA, RW);
		check(private != MAP_FAILED);
	}
	say(socket, 'a');
	hear(socket, 'g');
	for (;;) {
		scribble_word(own, AREA / 8);
		if (private)
			private[random() % (AREA / 8)] = random();
		if (random() % 16 == 0)
			ring(round->hostile, random() % 3);
		/* Gentle at times: a ring that is broken at its first word shows little. */
		if (round->seed % 2)
			usleep(random() % 200);
		shared->scribbled++;
	}
}

static void outlive_scribbling(bool victim_serves)
{
	struct bystanders b;
	unsigned int rounds = 0;

	begin();
	b = stand_by();
	while (clock_ns() < until) {
		struct round round = {
			.channel = channel_of(0, 0), .serves = victim_serves, .seed = ++rounds,
		};
		struct peer victim, hostile;
		int server = server_of(round.channel), client = client_of(round.channel);

		round.victim = victim_serves ? server : client;
		round.hostile = victim_serves ? client : server;
		hostile = fork_peer(scribble, &round);
		hear(hostile.socket, 'a');
		victim = fork_peer(suffer, &round);
		hear(victim.socket, 'a');
		say(hostile.socket, 'g');
		end_peer(&victim);
		kill_peer(&hostile);
		ok(object_destroy(round.channel.id));
		close(round.channel.fd);
		close(server);
		close(client);
	}
	noticed_nothing(&b);
	printf("       %u channels, of which %llu were lost; %llu words written over %llu calls, "
	       "%llu packets\n", rounds, (unsigned long long)shared->lost,
	       (unsigned long long)shared->scribbled, (unsigned long long)shared->worked,
	       (unsigned long long)shared->received);
	check(shared->lost && shared->lost + shared->survived == rounds);
	check(shared->scribbled > 1000);
}

static void a_server_outlives_a_scribbling_client(void)
{
	outlive_scribbling(true);
}

static void a_client_outlives_a_scribbling_server(void)
{
	outlive_scribbling(false);
}

/* ---- memory that is taken away in the middle of a copy ---- */

static void hog(int socket, void *arg)
{
	volatile uint64_t n = 0;

	(void)arg;
	say(socket, 'a');
	for (;;)
		n++;
}

/* Copies to and from all that it has until it has it no more, then reports that and closes. */
static void copy(int socket, void *arg)
{
	static uint8_t bytes[AREA];
	const struct channel_region *region = NULL;
	struct round *round = arg;
	struct channel_status status;
	struct channel *c;
	size_t count = 0;
	int rc;

	check(!channel_open(&c, round->victim, NULL));
	if (round->serves) {
		wait_until_serving(c);
		rc = channel_memory(c, &region, &count);
		check(rc == -ECONNRESET || (!rc && count == 1));
	}
	say(socket, 'a');
	do {
		rc = channel_copy_out(c, channel_own(c), bytes, sizeof(bytes));
		if (!rc)
			rc = channel_copy_in(c, bytes, channel_peer(c), sizeof(bytes));
		if (!rc && count)
			rc = channel_copy_out(c, region->base, bytes, sizeof(bytes));
		if (!rc && count)
			rc = channel_copy_in(c, bytes, region->base, sizeof(bytes));
		shared->copied++;
	} while (!rc);
	check(rc == -ECONNRESET && channel_lost(c));
	rc = channel_status(c, &status);
	check(rc == -ECONNRESET || !status.serving || !round->serves);
	channel_close(c);
}

static void take_away(struct round *round, struct object partition)
{
	uint32_t side = round->serves ? ULTRAVISOR_REVOKE_SLOT : ULTRAVISOR_REVOKE_CLIENT;

	switch (random() % 4) {
	case 0:
		ok(channel_revoke(round->channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
		break;
	case 1:
		ok(object_destroy(partition.id));
		break;
	case 2:
		ok(object_destroy(round->channel.id));
		break;
	default:
		ok(channel_revoke(round->channel.fd, side, 0));
	}
}

static void copy_round(unsigned int seed)
{
	struct object partition = make_partition("copies");
	struct round rounds[2];
	struct peer peers[2];
	int memfd = make_memfd(GUEST_SIZE);
	struct object channel;

	ok(memory_add(partition.fd, 0, GUEST_SIZE, memfd));
	seal_for_grants(memfd);
	channel = channel_of(partition.id, ULTRAVISOR_CHANNEL_GRANT);
	for (int i = 0; i < 2; i++) {
		rounds[i] = (struct round){ .channel = channel, .serves = i, .seed = seed };
		rounds[i].victim = i ? server_of(channel) : client_of(channel);
		peers[i] = fork_peer(copy, &rounds[i]);
		hear(peers[i].socket, 'a');
	}
	usleep(random() % 20000);
	/* The one, then all: whoever is left loses it, too. */
	take_away(&rounds[random() % 2], partition);
	object_destroy(channel.id);
	object_destroy(partition.id);
	for (int i = 0; i < 2; i++) {
		end_peer(&peers[i]);
		close(rounds[i].victim);
	}
	close(channel.fd);
	close(partition.fd);
	close(memfd);
}

static void revocation_in_mid_copy_under_load(void)
{
	struct bystanders b;
	struct peer hogs[4];
	unsigned int rounds = 0;

	begin();
	b = stand_by();
	for (int i = 0; i < 4; i++) {
		hogs[i] = fork_peer(hog, NULL);
		hear(hogs[i].socket, 'a');
	}
	while (clock_ns() < until)
		copy_round(++rounds);
	for (int i = 0; i < 4; i++)
		kill_peer(&hogs[i]);
	noticed_nothing(&b);
	printf("       %u revocations, %llu copies\n", rounds, (unsigned long long)shared->copied);
	check(rounds > 3);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "a server outlives a scribbling client", a_server_outlives_a_scribbling_client },
		{ "a client outlives a scribbling server", a_client_outlives_a_scribbling_server },
		{ "revocation in mid-copy, under load", revocation_in_mid_copy_under_load },
	};

	return RUN_TESTS(tests);
}

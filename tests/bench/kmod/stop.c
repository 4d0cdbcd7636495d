// SPDX-License-Identifier: Apache-2.0
/*
 * By the wall clock, with several processors. A partition of two contexts that count is stopped
 * 1,000 times: when the call has returned, no counter moves until it is resumed. And a channel's
 * serving server is killed 1,000 times, with a client that rings all the while: whatever it has
 * rung for, some server takes note of, without another ring. Under emulation a kick across
 * processors has a long tail: the figures say that nothing is lost, not how fast hardware is.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define CYCLES 1000

/* ---- stop ---- */

static void *run_second(void *arg)
{
	context_run(*(int *)arg);
	return NULL;
}

static void stops(void *arg)
{
	struct kvm_regs regs = { .rip = GUEST_START + 0x100, .rflags = 2 };
	struct sample took = { 0 }, resumed = { 0 };
	static uint8_t code[0x107];
	struct spinner spinner;
	struct kvm_sregs sregs;
	unsigned int moved = 0;
	pthread_t thread;
	struct guest g;
	int second;

	(void)arg;
	memcpy(code, counting, sizeof(counting));
	memcpy(code + 0x100, counting, sizeof(counting));
	code[0x103] = 0x40;	/* the second counts in a line of its own */
	guest_define(&g, "stop", 0, 0);
	ok(context_create(g.partition.fd, 1, 0, 0));
	guest_build(&g, code, sizeof(code), false);
	second = ok(context_open(g.monitor, 1));
	ok(context_kvm(second, KVM_GET_SREGS, (unsigned long)&sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ok(context_kvm(second, KVM_SET_SREGS, (unsigned long)&sregs));
	ok(context_kvm(second, KVM_SET_REGS, (unsigned long)&regs));
	spin_guest(&spinner, &g);
	check(!pthread_create(&thread, NULL, run_second, &second));

	for (int i = 0; i < CYCLES; i++) {
		volatile uint32_t *counter = (volatile uint32_t *)(g.memory + GUEST_COUNTER);
		uint32_t seen[2];
		uint64_t begin;

		/* Both run, and have for a time that is not always the same. */
		begin = clock_ns();
		seen[0] = counter[0];
		seen[1] = counter[16];
		while (counter[0] == seen[0] || counter[16] == seen[1])
			if (clock_ns() - begin > 20000000000)
				fail("the guest stands still after a resume");
		sample_add(&resumed, (clock_ns() - begin) / 1e3);
		usleep(i % 16 * 50);
		begin = clock_ns();
		ok(partition_stop(g.partition.fd));
		seen[0] = counter[0];
		seen[1] = counter[16];
		sample_add(&took, (clock_ns() - begin) / 1e3);
		usleep(i % 100 ? 200 : 20000);
		moved += counter[0] != seen[0] || counter[16] != seen[1];
		ok(partition_resume(g.partition.fd));
	}
	report_at_most("stops after which a counter of the guest moved, of 1,000", moved, "", 0);
	report("  stop, from call to return, median", sample_rank(&took, 0.5), "us");
	report("  99th of 100", sample_rank(&took, 0.99), "us");
	report("  the longest", sample_rank(&took, 1), "us");
	report("  resume, until both count, median", sample_rank(&resumed, 0.5), "us");
	ok(object_destroy(g.partition.id));
	check(!pthread_join(spinner.thread, NULL));
	check(!pthread_join(thread, NULL));
}

/* ---- servers that are killed ---- */

/* Of the client, and of the server in turn: the last number rung for, and the last noted. */
struct words {
	_Atomic uint64_t number;
};

struct server {
	struct peer peer;
	uint32_t slot;
};

struct seat {
	uint64_t channel;
	uint32_t slot;
};

static void serve(int socket, void *arg)
{
	const struct seat *seat = arg;
	int endpoint = ok(object_open(seat->channel, ULTRAVISOR_ROLE_SERVER, seat->slot));
	int sink = ok(eventfd(0, 0));
	const struct words *client;
	struct words *server;
	uint64_t count;

	ok(attach(endpoint));
	ok(bind_doorbell(endpoint, 0, ULTRAVISOR_DOORBELL_SINK, sink));
	client = map_area(endpoint, ULTRAVISOR_AREA_CLIENT, 4096, PROT_READ);
	server = map_area(endpoint, ULTRAVISOR_AREA_SERVER, 4096, PROT_READ | PROT_WRITE);
	check(client != MAP_FAILED && server != MAP_FAILED);
	say(socket, 'r');
	for (;;) {
		check(read(sink, &count, sizeof(count)) == sizeof(count));
		/* A standby is signalled once when it binds its sink: not yet its turn. */
		if (!endpoint_info(endpoint).out_serving)
			continue;
		atomic_store(&server->number, atomic_load(&client->number));
	}
}

static struct server seat_server(uint64_t channel, uint32_t slot)
{
	struct seat seat = { channel, slot };
	struct server server = { .slot = slot };

	server.peer = fork_peer(serve, &seat);
	hear(server.peer.socket, 'r');
	return server;
}

/* Rings once for a new number; nanoseconds until a server has noted it, or 0 if none does. */
static uint64_t ring_and_await(int client, struct words *own, const struct words *noted)
{
	const uint64_t begin = clock_ns(), number = atomic_fetch_add(&own->number, 1) + 1;

	ok(ring(client, 0));
	while (atomic_load(&noted->number) != number)
		if (clock_ns() - begin > 5000000000)
			return 0;
	return clock_ns() - begin;
}

static void kills(void *arg)
{
	struct ultravisor_channel_create create = {
		.client_size = 4096, .server_size = 4096, .doorbells = 1,
	};
	struct sample changed = { 0 }, rung = { 0 }, promoted = { 0 };
	struct object channel = make_channel(&create);
	const struct words *noted;
	struct server server[2];
	unsigned int lost = 0;
	struct words *own;
	int client;

	(void)arg;
	client = ok(object_open(channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(client));
	own = map_area(client, ULTRAVISOR_AREA_CLIENT, 4096, PROT_READ | PROT_WRITE);
	noted = map_area(client, ULTRAVISOR_AREA_SERVER, 4096, PROT_READ);
	check(own != MAP_FAILED && noted != MAP_FAILED);
	for (uint32_t i = 0; i < 2; i++) {
		ok(server_set(channel.fd, i, 0xa0 + i));
		server[i] = seat_server(channel.id, i);
	}
	for (int i = 0; i < CYCLES; i++) {
		struct server *serving = &server[i % 2];
		uint64_t ns = ring_and_await(client, own, noted), begin;
		const pid_t pid = serving->peer.pid;
		int status;

		if (ns)
			sample_add(&rung, ns / 1e3);
		else
			lost++;
		/* The kill and the ring in either order, and as near as can be. */
		begin = clock_ns();
		if (i & 2)
			kill(pid, SIGKILL);
		atomic_fetch_add(&own->number, 1);
		ok(ring(client, 0));
		if (!(i & 2))
			kill(pid, SIGKILL);
		while (endpoint_info(client).out_epoch == (uint64_t)i + 1)
			if (clock_ns() - begin > 20000000000)
				fail("nobody was promoted");
		sample_add(&promoted, (clock_ns() - begin) / 1e3);
		while (atomic_load(&noted->number) != atomic_load(&own->number)) {
			if (clock_ns() - begin > 25000000000) {
				lost++;
				break;
			}
		}
		sample_add(&changed, (clock_ns() - begin) / 1e3);
		check(waitpid(pid, &status, 0) == pid);
		close(serving->peer.socket);
		*serving = seat_server(channel.id, serving->slot);
	}
	report_at_most("doorbells lost in 1,000 kills of the serving server", lost, "", 0);
	report("  from the kill to the promotion, median", sample_rank(&promoted, 0.5), "us");
	report("  from the kill to the next server's answer, median",
	       sample_rank(&changed, 0.5), "us");
	report("  99th of 100", sample_rank(&changed, 0.99), "us");
	report("  the longest", sample_rank(&changed, 1), "us");
	report("  a ring's answer between them, median", sample_rank(&rung, 0.5), "us");
	kill_peer(&server[0].peer);
	kill_peer(&server[1].peer);
}

int main(void)
{
	bench_open();
	bench_apart(stops, NULL);
	bench_apart(kills, NULL);
	return 0;
}

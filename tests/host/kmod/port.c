// SPDX-License-Identifier: Apache-2.0
/*
 * Doorbells at I/O ports. The guest writes a port as often as it is told, over and over; it has no
 * interrupt controller, so that its HLT comes back to the monitor.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define PROMOTIONS 500
#define PORT 0xc000
#define ELSEWHERE 0xc010	/* of the same bucket */

static const uint8_t writing[] = {
	0x8b, 0x0e, 0x02, 0x20,	/* again: mov cx, [0x2002] */
	0x8b, 0x16, 0x00, 0x20,	/* mov dx, [0x2000] */
	0xee,			/* next: out dx, al */
	0xe2, 0xfd,		/* loop next */
	0xf4,			/* hlt */
	0xeb, 0xf2,		/* jmp again */
};
#define OUT_AT 8		/* in writing */
/* Instead of the loop: rep outsb; nop */
static const uint8_t repeating[] = { 0xf3, 0x6e, 0x90 };

struct fixture {
	struct guest guest;
	struct object channel;
	int client, server[2], sink[2];
};

static struct fixture make(uint64_t budget_ns)
{
	struct ultravisor_channel_create create = { .client_size = 4096, .doorbells = 2 };
	struct fixture f;

	guest_define(&f.guest, "rings", budget_ns, budget_ns * 10);
	guest_build(&f.guest, writing, sizeof(writing), false);
	create.client_id = f.guest.partition.id;
	f.channel = make_channel(&create);
	f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(f.client));
	for (int i = 0; i < 2; i++) {
		f.sink[i] = ok(eventfd(0, EFD_NONBLOCK));
		ok(server_set(f.channel.fd, i, 0xa0 + i));
		f.server[i] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, i));
		ok(attach(f.server[i]));
		ok(bind_doorbell(f.server[i], 1, ULTRAVISOR_DOORBELL_SINK, f.sink[i]));
	}
	ok(promote(f.channel.fd, 0, NULL));
	return f;
}

static uint64_t drain(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void write_port(struct fixture *f, uint16_t port, uint16_t times)
{
	const uint16_t words[] = { port, times };

	memcpy(f->guest.memory + 0x2000, words, sizeof(words));
}

static uint64_t port_exits(struct fixture *f)
{
	return context_info(f->guest.partition.fd, 0).out_exits[ULTRAVISOR_EXIT_PIO];
}

/* The guest writes: slot's sink has it, and nobody else hears of it. */
static void expect_rings(struct fixture *f, unsigned int slot)
{
	uint64_t before = port_exits(f);

	drain(f->sink[0]);
	drain(f->sink[1]);
	write_port(f, PORT, 1000);
	ok(context_run(f->guest.context));
	check(f->guest.run->exit_reason == KVM_EXIT_HLT);
	check(port_exits(f) == before + 1000);
	check(drain(f->sink[slot]) == 1000);
	check(drain(f->sink[!slot]) == 0);
}

/* The guest writes once: the monitor sees it. */
static void expect_exit(struct fixture *f, uint16_t port, uint8_t direction)
{
	write_port(f, port, 1);
	ok(context_run(f->guest.context));
	check(f->guest.run->exit_reason == KVM_EXIT_IO);
	check(f->guest.run->io.port == port && f->guest.run->io.direction == direction);
	ok(context_run(f->guest.context));
	check(f->guest.run->exit_reason == KVM_EXIT_HLT);
}

static void a_port_rings_whoever_serves(void)
{
	struct fixture f = make(0);

	expect_exit(&f, PORT, KVM_EXIT_IO_OUT);
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	expect_rings(&f, 0);
	ok(promote(f.channel.fd, 1, NULL));
	expect_rings(&f, 1);
	f.guest.memory[GUEST_START + OUT_AT] = 0xef;	/* out dx, ax */
	expect_rings(&f, 1);
	expect_exit(&f, ELSEWHERE, KVM_EXIT_IO_OUT);
	f.guest.memory[GUEST_START + OUT_AT] = 0xec;	/* in al, dx: wants an answer */
	expect_exit(&f, PORT, KVM_EXIT_IO_IN);
	f.guest.memory[GUEST_START + OUT_AT] = 0xee;
	expect_rings(&f, 1);
	/* KVM makes a write of each element */
	memcpy(f.guest.memory + GUEST_START + OUT_AT, repeating, sizeof(repeating));
	expect_rings(&f, 1);
}

static void a_port_is_free_again(void)
{
	struct fixture f = make(0);

	/* Moved to another port, and back by the other doorbell. */
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, ELSEWHERE));
	expect_exit(&f, PORT, KVM_EXIT_IO_OUT);
	ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, -1));
	ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, -1));
	expect_exit(&f, PORT, KVM_EXIT_IO_OUT);
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	expect_rings(&f, 0);
	/* Gone with the attachment, and with the channel. */
	ok(detach(f.client));
	expect_exit(&f, PORT, KVM_EXIT_IO_OUT);
	ok(attach(f.client));
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	expect_rings(&f, 0);
	ok(object_destroy(f.channel.id));
	expect_exit(&f, PORT, KVM_EXIT_IO_OUT);
}

static void ports_are_checked(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096, .doorbells = 1 };
	struct object nobodys = make_channel(&create);
	struct fixture f = make(0);
	int client = ok(object_open(nobodys.id, ULTRAVISOR_ROLE_CLIENT, 0));

	fails(ENOTCONN, bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(attach(client));
	fails(EINVAL, bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_PORT, -1));
	fails(EACCES, bind_doorbell(f.server[0], 0, ULTRAVISOR_DOORBELL_PORT, PORT));
	fails(EINVAL, bind_doorbell(f.client, 2, ULTRAVISOR_DOORBELL_PORT, PORT));
	fails(EINVAL, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, -2));
	fails(EINVAL, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, 0x10000));
	fails(EINVAL, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, 0x80));
	ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, PORT));
	fails(EEXIST, bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	ok(bind_doorbell(f.client, 1, ULTRAVISOR_DOORBELL_PORT, ELSEWHERE));
	fails(EEXIST, bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_PORT, ELSEWHERE));
	expect_exit(&f, PORT + 1, KVM_EXIT_IO_OUT);
}

/* ---- a guest that does nothing but ring obeys as one that never leaves ---- */

static struct fixture ringing;
static uint64_t came_back;	/* writes that found their port without a doorbell */
static bool ends;

static void *run_guest(void *arg)
{
	(void)arg;
	while (!context_run(ringing.guest.context))
		came_back += ringing.guest.run->exit_reason == KVM_EXIT_IO;
	check(errno == ESHUTDOWN && __atomic_load_n(&ends, __ATOMIC_ACQUIRE));
	return NULL;
}

static void *bind_and_unbind(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&ends, __ATOMIC_ACQUIRE)) {
		ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, -1));
		ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
		usleep(1000);
	}
	return NULL;
}

static void a_guest_that_rings_all_the_time_obeys(void)
{
	pthread_t runner, binder;
	uint64_t begin, used;

	ringing = make(2 * MS);
	ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	write_port(&ringing, PORT, 0);	/* 65,536 times */
	begin = clock_ns();
	check(!pthread_create(&runner, NULL, run_guest, NULL));
	check(!pthread_create(&binder, NULL, bind_and_unbind, NULL));
	for (int i = 0; i < 100; i++) {
		uint64_t exits;

		ok(partition_stop(ringing.guest.partition.fd));
		exits = port_exits(&ringing);
		sleep_ms(2);
		/* One may have come out of the guest before the stop, and be counted after it. */
		check(port_exits(&ringing) - exits <= 1);
		exits = port_exits(&ringing);
		ok(partition_resume(ringing.guest.partition.fd));
		for (int ms = 0; port_exits(&ringing) == exits; ms++) {
			check(ms < 10000);
			sleep_ms(1);
		}
	}
	used = context_info(ringing.guest.partition.fd, 0).out_run_ns;
	printf("       %llu ms of %llu\n", (unsigned long long)(used / MS),
	       (unsigned long long)((clock_ns() - begin) / MS));
	/* A tenth, and what a busy machine makes of it. */
	check(used < (clock_ns() - begin) / 4);
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	pthread_join(binder, NULL);
	ok(object_destroy(ringing.guest.partition.id));
	pthread_join(runner, NULL);
}

/*
 * Each write signals a server, or comes back; but one in the midst of a promotion, when nobody
 * serves, may be covered by the signal that each promotion ends with.
 */
static void promotions_lose_no_ring(void)
{
	uint64_t rings, signals = 0, meanwhile = 0;
	pthread_t runner;

	ringing = make(0);
	ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
	write_port(&ringing, PORT, 0);
	drain(ringing.sink[0]);
	check(!pthread_create(&runner, NULL, run_guest, NULL));
	for (int i = 1; i <= PROMOTIONS; i++) {
		const int promoted = i % 2, demoted = !promoted;
		uint64_t count;

		meanwhile -= port_exits(&ringing);
		ok(promote(ringing.channel.fd, promoted, NULL));
		meanwhile += port_exits(&ringing);
		count = drain(ringing.sink[promoted]);
		check(count);
		signals += count + drain(ringing.sink[demoted]);
		ok(attach(ringing.server[demoted]));
		ok(bind_doorbell(ringing.server[demoted], 1, ULTRAVISOR_DOORBELL_SINK,
				 ringing.sink[demoted]));
		if (i % 50 == 0) {
			ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, -1));
			ok(bind_doorbell(ringing.client, 1, ULTRAVISOR_DOORBELL_PORT, PORT));
		}
		usleep(500);
	}
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	ok(object_destroy(ringing.guest.partition.id));
	pthread_join(runner, NULL);
	rings = port_exits(&ringing) - came_back;
	signals += drain(ringing.sink[0]) + drain(ringing.sink[1]);
	printf("       %llu rings, %llu signals, %llu writes during promotions\n",
	       (unsigned long long)rings, (unsigned long long)signals,
	       (unsigned long long)meanwhile);
	check(signals <= rings + PROMOTIONS);
	/* One more ring of each may have been counted, and not made, before it. */
	check(signals + meanwhile >= rings);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "a port rings whoever serves", a_port_rings_whoever_serves },
		{ "a port is free again", a_port_is_free_again },
		{ "ports are checked", ports_are_checked },
		{ "a guest that rings all the time obeys", a_guest_that_rings_all_the_time_obeys },
		{ "promotions lose no ring", promotions_lose_no_ring },
	};

	return RUN_TESTS(tests);
}

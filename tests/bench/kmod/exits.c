// SPDX-License-Identifier: Apache-2.0
/*
 * What a guest's write to an I/O port costs, from one to the next, by who handles it. All with the
 * same guest, which writes one port over and over; no interrupt controller, so that its HLT ends
 * the measurement. In the module accounting, a budget and a lease are on. The variants take turns;
 * medians.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"

#define ROUNDS 11
#define EXITS 2000

#define PORT_DELAY 0x80		/* the module knows it: nothing to do */
#define PORT_USER 0xc000
#define PORT_KVM 0xc001		/* an ioeventfd */
#define PORT_RINGS 0xc002	/* a doorbell at a port */

static const uint8_t writing[] = {
	0x8b, 0x0e, 0x02, 0x20,	/* again: mov cx, [0x2002] */
	0x8b, 0x16, 0x00, 0x20,	/* mov dx, [0x2000] */
	0xee,			/* next: out dx, al */
	0xe2, 0xfd,		/* loop next */
	0xf4,			/* hlt */
	0xeb, 0xf2,		/* jmp again */
};

static struct plain plain;
static struct guest guest;
static int handler;		/* the eventfd that a handler waits on, in every variant */
static int client;

static void prepare(uint8_t *memory, uint16_t port)
{
	const uint16_t words[] = { port, EXITS };

	memcpy(memory + 0x2000, words, sizeof(words));
}

static void signal_handler(void)
{
	const uint64_t one = 1;

	check(write(handler, &one, sizeof(one)) == sizeof(one));
}

static void run_plain(uint16_t port, bool signals)
{
	prepare(plain.memory, port);
	for (;;) {
		ok(ioctl(plain.vcpu, KVM_RUN, 0));
		if (plain.run->exit_reason != KVM_EXIT_IO)
			break;
		if (signals)
			signal_handler();
	}
	check(plain.run->exit_reason == KVM_EXIT_HLT);
}

static void run_module(uint16_t port, bool signals)
{
	struct ultravisor_context_run arg = { .size = sizeof(arg) };

	prepare(guest.memory, port);
	for (;;) {
		ok(ioctl(guest.context, ULTRAVISOR_CONTEXT_RUN, &arg));
		if (guest.run->exit_reason != KVM_EXIT_IO)
			break;
		if (signals)
			signal_handler();
	}
	check(guest.run->exit_reason == KVM_EXIT_HLT);
}

static void user_loop(void) { run_plain(PORT_USER, false); }
static void user_loop_signals(void) { run_plain(PORT_USER, true); }
static void kvm_signals(void) { run_plain(PORT_KVM, false); }
static void module_returns(void) { run_module(PORT_USER, true); }
static void module_ignores(void) { run_module(PORT_DELAY, false); }
static void module_rings(void) { run_module(PORT_RINGS, false); }
static void module_routes(void) { run_module(PORT_KVM, false); }

static void write_eventfd(void)
{
	for (int i = 0; i < EXITS; i++)
		signal_handler();
}

static void ring_doorbell(void)
{
	for (int i = 0; i < EXITS; i++)
		ok(ring(client, 0));
}

enum { USER, USER_SIGNALS, KVM, RETURNS, IGNORES, RINGS, ROUTES, WRITE, RING, VARIANTS };

static void (*const variants[])(void) = {
	user_loop, user_loop_signals, kvm_signals, module_returns, module_ignores, module_rings,
	module_routes, write_eventfd, ring_doorbell,
};

static void build_plain(void)
{
	struct kvm_ioeventfd ioeventfd = { .addr = PORT_KVM, .len = 1, .fd = handler,
					   .flags = KVM_IOEVENTFD_FLAG_PIO };

	plain_init(&plain, writing, sizeof(writing));
	ok(ioctl(plain.vm, KVM_IOEVENTFD, &ioeventfd));
}

static void build_guest(void)
{
	struct ultravisor_lease lease = {
		.size = sizeof(lease), .epoch = 1, .deadline = ~0ull >> 2,
	};

	guest_define(&guest, "exits", 900000000, 1000000000);
	guest_build(&guest, writing, sizeof(writing), false);
	ok(ioctl(guest.partition.fd, ULTRAVISOR_LEASE_SET, &lease));
}

static void build_channel(void)
{
	struct ultravisor_channel_create create = {
		.client_id = guest.partition.id, .client_size = 4096, .doorbells = 1,
	};
	struct kvm_ioeventfd ioeventfd = { .addr = PORT_KVM, .len = 1,
					   .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct object channel = make_channel(&create);
	int server;

	client = ok(object_open(channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(client));
	ok(server_set(channel.fd, 0, 0xa0));
	server = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, 0));
	ok(attach(server));
	ok(bind_doorbell(server, 0, ULTRAVISOR_DOORBELL_SINK, handler));

	ok(bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_PORT, PORT_RINGS));
	ioeventfd.fd = ok(eventfd(0, EFD_NONBLOCK));
	ok(vm_kvm(guest.monitor, KVM_IOEVENTFD, (unsigned long)&ioeventfd));
	ok(bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_SOURCE, ioeventfd.fd));
}

/* Signals of the handler's eventfd that one round of a variant makes. */
static uint64_t signals_of(int variant)
{
	uint64_t count = 0;

	if (read(handler, &count, sizeof(count)) < 0)
		check(errno == EAGAIN);
	variants[variant]();
	count = 0;
	if (read(handler, &count, sizeof(count)) < 0)
		check(errno == EAGAIN);
	return count;
}

int main(void)
{
	struct sample cost[VARIANTS] = { 0 };
	double median[VARIANTS];

	bench_open();
	handler = ok(eventfd(0, EFD_NONBLOCK));
	build_plain();
	build_guest();
	build_channel();

	/* What is compared does the same work. It is also the warm-up. */
	for (int v = 0; v < VARIANTS; v++)
		check(signals_of(v) == (v == USER || v == IGNORES ? 0 : EXITS));
	for (int round = 0; round < ROUNDS; round++) {
		for (int v = 0; v < VARIANTS; v++) {
			uint64_t begin = clock_ns();

			variants[v]();
			sample_add(&cost[v], (double)(clock_ns() - begin) / EXITS);
		}
	}
	for (int v = 0; v < VARIANTS; v++)
		median[v] = cost[v].count ? sample_rank(&cost[v], 0.5) : 0;

	report_ratio("KVM_RUN loop in userspace, writes an eventfd (the peer)",
		     median[USER_SIGNALS], "i", median[USER_SIGNALS], 0);
	report_ratio("the same loop without the write", median[USER], "i", median[USER_SIGNALS], 0);
	report_ratio("module: returns to its monitor, which writes", median[RETURNS], "i",
		     median[USER_SIGNALS], 0);
	report_ratio("module: handles the exit, signals nobody", median[IGNORES], "i",
		     median[USER_SIGNALS], 0);
	report_ratio("module: handles the exit and signals", median[RINGS], "i",
		     median[USER_SIGNALS], 0.75);
	report_ratio("doorbell: ioeventfd, routed by the module, revocable", median[ROUTES], "i",
		     median[USER_SIGNALS], 0.56);
	report_ratio("KVM's bare ioeventfd (the limit)", median[KVM], "i",
		     median[USER_SIGNALS], 0);
	report("a process writes an eventfd", median[WRITE], "i");
	report("a process rings a doorbell", median[RING], "i");
	return 0;
}

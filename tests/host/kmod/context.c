// SPDX-License-Identifier: Apache-2.0
/* Contexts: forced out, stopped, resumed, budgeted, dedicated, killed; doorbells with a guest. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull

/* Sleeps with interrupts off: with the in-kernel irqchip, KVM blocks and nothing ever wakes it. */
static const uint8_t halting[] = { 0xf4, 0xeb, 0xfd };

/* ---- a thread that runs a context ---- */
struct runner {
	pthread_t thread;
	int context;
	pid_t tid;
	volatile long result;	/* errno of the call, 0, or -1 before its end */
};

static void *run(void *arg)
{
	struct runner *runner = arg;

	runner->tid = syscall(SYS_gettid);
	runner->result = context_run(runner->context) ? errno : 0;
	return NULL;
}

static void start(struct runner *runner, int context)
{
	*runner = (struct runner){ .context = context, .result = -1 };
	check(!pthread_create(&runner->thread, NULL, run, runner));
}

static long join(struct runner *runner)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	if (pthread_timedjoin_np(runner->thread, NULL, &end))
		fail("the runner does not come back");
	return runner->result;
}

static void ignore(int signo)
{
	(void)signo;
}

static void expect_signal_gets_it_out(struct guest *g, bool counts)
{
	struct sigaction action = { .sa_handler = ignore };
	struct runner runner;

	sigaction(SIGUSR1, &action, NULL);
	start(&runner, g->context);
	check(is_counting(g, counts ? 10000 : 50) == counts);
	check(runner.result == -1);
	check(!pthread_kill(runner.thread, SIGUSR1));
	check(join(&runner) == EINTR);
}

static void a_signal_gets_the_runner_out(void)
{
	struct guest g;

	guest_define(&g, "busy", 0, 0);
	guest_build(&g, counting, sizeof(counting), false);
	expect_signal_gets_it_out(&g, true);
	guest_define(&g, "idle", 0, 0);
	guest_build(&g, halting, sizeof(halting), true);
	expect_signal_gets_it_out(&g, false);
}

static void immediate_exit_is_obeyed(void)
{
	struct guest g;

	guest_init(&g, "immediate", counting, sizeof(counting));
	g.run->immediate_exit = 1;
	fails(EINTR, context_run(g.context));
	check(*counter(&g) == 0);
}

static void expect_stop_and_resume(struct guest *g, bool counts)
{
	struct runner runner;

	start(&runner, g->context);
	for (int i = 0; i < 300; i++) {
		uint32_t seen;

		if (i % 3 == 0)
			sleep_ms(1);
		ok(partition_stop(g->partition.fd));
		seen = *counter(g);
		if (i % 50 == 0) {
			sleep_ms(20);
			check(partition_info(g->partition.fd).out_state ==
			      ULTRAVISOR_PARTITION_STOPPED);
		}
		check(*counter(g) == seen);
		ok(partition_resume(g->partition.fd));
		if (counts && i % 50 == 0)
			check(is_counting(g, 2000));
		if (runner.result != -1)
			fail("the runner came back: %s", strerror(runner.result));
	}
	ok(partition_stop(g->partition.fd));
	ok(partition_stop(g->partition.fd));
	ok(object_destroy(g->partition.id));
	check(join(&runner) == ESHUTDOWN);
	fails(ESHUTDOWN, partition_stop(g->partition.fd));
	fails(ESHUTDOWN, partition_resume(g->partition.fd));
}

static void a_busy_guest_is_stopped_and_resumed(void)
{
	struct guest g;

	guest_init(&g, "busy", counting, sizeof(counting));
	expect_stop_and_resume(&g, true);
}

static void an_idle_guest_is_stopped_and_resumed(void)
{
	struct guest g;

	guest_define(&g, "idle", 0, 0);
	guest_build(&g, halting, sizeof(halting), true);
	expect_stop_and_resume(&g, false);
}

static void a_stopped_partition_does_not_start(void)
{
	struct runner runner;
	struct guest g;

	guest_init(&g, "stopped", counting, sizeof(counting));
	ok(partition_stop(g.partition.fd));
	start(&runner, g.context);
	check(!is_counting(&g, 100));
	/* A context that is added to it is stopped as well. */
	ok(context_create(g.partition.fd, 1, 0, 0));
	ok(partition_resume(g.partition.fd));
	check(is_counting(&g, 2000));
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

static void one_thread_at_a_time_runs_a_context(void)
{
	struct runner runner;
	struct guest g;

	guest_init(&g, "twice", counting, sizeof(counting));
	start(&runner, g.context);
	check(is_counting(&g, 2000));
	fails(EBUSY, context_run(g.context));
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

/* ---- the monitor is killed ---- */

static struct guest shared_guest;

static void run_until_killed(int socket, void *arg)
{
	bool irqchip = arg == halting;
	struct runner runner;

	guest_build(&shared_guest, arg, irqchip ? sizeof(halting) : sizeof(counting), irqchip);
	start(&runner, shared_guest.context);
	sleep_ms(20);
	say(socket, 'r');
	pause();
}

static void expect_kill_reaps(const void *code, bool stopped, uint64_t budget)
{
	struct guest *g = &shared_guest;
	struct peer peer;
	uint64_t start_ns;

	guest_define(g, "killed", budget, budget ? 1000 * MS : 0);
	peer = fork_peer(run_until_killed, (void *)(uintptr_t)code);
	hear(peer.socket, 'r');
	check(partition_info(g->partition.fd).out_monitor == peer.pid);
	if (stopped)
		ok(partition_stop(g->partition.fd));
	start_ns = clock_ns();
	kill_peer(&peer);
	check(clock_ns() - start_ns < 2000 * MS);
	check(partition_info(g->partition.fd).out_monitor == 0);
	fails(ENXIO, vm_kvm(g->monitor, KVM_GET_API_VERSION, 0));
	ok(partition_stop(g->partition.fd));
	ok(object_destroy(g->partition.id));
}

static void a_killed_monitor_is_gone_whatever_its_guest_does(void)
{
	expect_kill_reaps(counting, false, 0);
	expect_kill_reaps(halting, false, 0);
	expect_kill_reaps(counting, true, 0);
	expect_kill_reaps(halting, true, 0);
	expect_kill_reaps(counting, false, 1 * MS);	/* throttled */
}

/* A thread of a dead monitor's address space there is none; others have nothing to run. */
static void no_second_vm_after_the_first_is_gone(void)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };
	struct guest *g = &shared_guest;
	struct peer peer;

	guest_define(g, "once", 0, 0);
	peer = fork_peer(run_until_killed, (void *)(uintptr_t)counting);
	hear(peer.socket, 'r');
	kill_peer(&peer);
	fails(EEXIST, ioctl(g->monitor, ULTRAVISOR_VM_CREATE, &create));
	fails(ENXIO, context_open(g->monitor, 0));
}

/* ---- time ---- */

static bool use_is_bounded(struct guest *g, uint64_t budget, uint64_t period)
{
	struct ultravisor_context_info before = context_info(g->partition.fd, 0), after;
	uint64_t begin = clock_ns(), periods, used;

	sleep_ms(1000);
	after = context_info(g->partition.fd, 0);
	periods = (clock_ns() - begin) / period;
	used = after.out_run_ns - before.out_run_ns;
	printf("       %llu us in %llu periods of %llu us\n", (unsigned long long)used / 1000,
	       (unsigned long long)periods, (unsigned long long)budget / 1000);
	/* At most a budget more, for where the periods lie; at least a half, on this host. */
	return used <= (periods + 2) * budget && used >= periods * budget / 2 &&
	       after.out_throttled - before.out_throttled >= periods / 2 &&
	       after.out_forced > before.out_forced;
}

static int create_vm(int monitor)
{
	struct ultravisor_vm_create create = { .size = sizeof(create) };

	return ioctl(monitor, ULTRAVISOR_VM_CREATE, &create) ? errno : 0;
}

static void without_kvm_there_is_no_vm(void)
{
	const char *away = "/dev/kvm-away";
	struct guest g;
	bool absent, other;

	guest_define(&g, "no kvm", 0, 0);
	/* The others in this host need it: first put it back, then look. */
	ok(rename("/dev/kvm", away));
	absent = create_vm(g.monitor) == ENOENT;
	ok(mknod("/dev/kvm", S_IFCHR | 0600, makedev(1, 3)));
	other = create_vm(g.monitor) == ENODEV;
	ok(rename(away, "/dev/kvm"));
	check(absent && other);
	check(create_vm(g.monitor) == 0);
}

static void a_vcpu_without_its_page_is_lost(void)
{
	struct rlimit limit, none = { 0 };
	struct guest g;
	int first;

	guest_define(&g, "no room", 0, 0);
	check(create_vm(g.monitor) == 0);
	ok(getrlimit(RLIMIT_AS, &limit));
	none.rlim_max = limit.rlim_max;
	ok(setrlimit(RLIMIT_AS, &none));
	first = context_open(g.monitor, 0) < 0 ? errno : 0;
	ok(setrlimit(RLIMIT_AS, &limit));
	check(first == ENOMEM);
	fails(EEXIST, context_open(g.monitor, 0));
}

static void a_budget_bounds_the_guests_time(void)
{
	const uint64_t budget = 10 * MS, period = 50 * MS;
	struct ultravisor_context_info before, after;
	struct runner runner;
	bool bounded = false;
	struct guest g;

	guest_define(&g, "budget", budget, period);
	guest_build(&g, counting, sizeof(counting), false);
	start(&runner, g.context);
	check(is_counting(&g, 2000));
	sleep_ms(200);
	/*
	 * A stall of the emulated processor counts as time of the guest until it is paid back: the
	 * best of some windows is looked at.
	 */
	for (int window = 0; !bounded && window < 8; window++)
		bounded = use_is_bounded(&g, budget, period);
	check(bounded);

	/* Lifted while it is throttled: it runs on at once. */
	ok(context_set(g.partition.fd, ULTRAVISOR_CONTEXT_SET, 0, ULTRAVISOR_CONTEXT_SHARED, 3,
		       0, 0));
	bounded = true;
	for (int window = 0; bounded && window < 8; window++) {
		before = context_info(g.partition.fd, 0);
		sleep_ms(300);
		after = context_info(g.partition.fd, 0);
		bounded = after.out_run_ns - before.out_run_ns < 90 * MS ||
			  after.out_throttled != before.out_throttled;
	}
	check(!bounded);
	/* And imposed while it runs. */
	ok(context_set(g.partition.fd, ULTRAVISOR_CONTEXT_SET, 0, ULTRAVISOR_CONTEXT_SHARED, 3,
		       5 * MS, 100 * MS));
	bounded = false;
	for (int window = 0; !bounded && window < 8; window++)
		bounded = use_is_bounded(&g, 5 * MS, 100 * MS);
	check(bounded);
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

static void an_idle_guest_uses_no_budget(void)
{
	struct ultravisor_context_info info;
	struct runner runner;
	struct guest g;

	guest_define(&g, "idle", 10 * MS, 100 * MS);
	guest_build(&g, halting, sizeof(halting), true);
	start(&runner, g.context);
	sleep_ms(1000);
	info = context_info(g.partition.fd, 0);
	check(info.out_run_ns < 100 * MS);
	check(info.out_throttled < 3);
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

static int processor_of(pid_t tid)
{
	char path[64], text[1024], *p;
	int fd, cpu = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = ok(open(path, O_RDONLY));
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	check(n > 0);
	text[n] = 0;
	p = strrchr(text, ')');
	/* Field 39; the one after the name is the third. */
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	check(p && sscanf(p, " %d", &cpu) == 1);
	return cpu;
}

static bool comes_to(struct runner *runner, int cpu)
{
	uint64_t end = clock_ns() + 3000 * MS;

	while (processor_of(runner->tid) != cpu) {
		if (clock_ns() > end)
			return false;
		sleep_ms(1);
	}
	return true;
}

static void contexts_stay_on_their_processors(void)
{
	struct runner runner;
	cpu_set_t set;
	struct guest g;

	guest_init(&g, "placed", counting, sizeof(counting));
	start(&runner, g.context);
	check(is_counting(&g, 2000));
	for (int i = 0; i < 20; i++) {
		int cpu = i & 1;

		ok(context_set(g.partition.fd, ULTRAVISOR_CONTEXT_SET, 0, ULTRAVISOR_CONTEXT_SHARED,
			       1u << cpu, 0, 0));
		check(comes_to(&runner, cpu));
		/* The monitor drags its thread away; the module brings it back. */
		CPU_ZERO(&set);
		CPU_SET(!cpu, &set);
		ok(sched_setaffinity(runner.tid, sizeof(set), &set));
		check(comes_to(&runner, cpu));
		check(is_counting(&g, 2000));
	}
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

static void a_dedicated_processor_is_nobody_elses(void)
{
	struct object a = make_partition("a"), b = make_partition("b");
	const uint32_t dedicated = ULTRAVISOR_CONTEXT_DEDICATED, shared = ULTRAVISOR_CONTEXT_SHARED;
	const unsigned long create = ULTRAVISOR_CONTEXT_CREATE, set = ULTRAVISOR_CONTEXT_SET;

	ok(context_set(a.fd, create, 0, dedicated, 1, 0, 0));
	fails(EBUSY, context_set(b.fd, create, 0, dedicated, 1, 0, 0));
	fails(EBUSY, context_set(b.fd, create, 0, shared, 3, 0, 0));
	ok(context_set(b.fd, create, 0, shared, 2, 0, 0));
	ok(context_set(b.fd, create, 1, shared, 2, 0, 0));
	fails(EBUSY, context_set(a.fd, create, 1, dedicated, 2, 0, 0));
	fails(EBUSY, context_set(b.fd, set, 1, shared, 1, 0, 0));
	/* A change that is refused leaves the old claim; one that succeeds drops it. */
	fails(EBUSY, context_set(a.fd, set, 0, dedicated, 2, 0, 0));
	fails(EBUSY, context_set(b.fd, set, 1, dedicated, 1, 0, 0));
	ok(context_set(a.fd, set, 0, shared, 3, 0, 0));
	ok(context_set(b.fd, set, 1, shared, 1, 0, 0));
	fails(EBUSY, context_set(a.fd, set, 0, dedicated, 1, 0, 0));
	/* Destroyed partitions give their processors back, whoever still has descriptors. */
	ok(object_destroy(b.id));
	ok(context_set(a.fd, set, 0, dedicated, 1, 0, 0));
	ok(object_destroy(a.id));
	b = make_partition("c");
	ok(context_set(b.fd, create, 0, dedicated, 1, 0, 0));
}

static void context_arguments_are_checked(void)
{
	struct object p = make_partition("arguments");
	const uint32_t dedicated = ULTRAVISOR_CONTEXT_DEDICATED, shared = ULTRAVISOR_CONTEXT_SHARED;
	const unsigned long create = ULTRAVISOR_CONTEXT_CREATE;
	struct ultravisor_context_info info = { .size = sizeof(info), .index = 3 };

	fails(EOPNOTSUPP, context_set(p.fd, create, 0, 0, 1, 0, 0));
	fails(EOPNOTSUPP, context_set(p.fd, create, 0, 4, 1, 0, 0));
	fails(EINVAL, context_set(p.fd, create, 64, shared, 1, 0, 0));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 0, 0, 0));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1ull << 63, 0, 0));
	fails(EINVAL, context_set(p.fd, create, 0, dedicated, 3, 0, 0));
	fails(EINVAL, context_set(p.fd, create, 0, dedicated, 1, 10 * MS, 100 * MS));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 0, 100 * MS));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 10 * MS, 0));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 101 * MS, 100 * MS));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 99999, 100 * MS));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 100000, 999999));
	fails(EINVAL, context_set(p.fd, create, 0, shared, 1, 100000, 1000 * MS + 1));
	fails(ENOENT, context_set(p.fd, ULTRAVISOR_CONTEXT_SET, 0, shared, 1, 0, 0));
	fails(ENOENT, ioctl(p.fd, ULTRAVISOR_CONTEXT_INFO, &info));
	info.index = ~0u;
	fails(ENOENT, ioctl(p.fd, ULTRAVISOR_CONTEXT_INFO, &info));
	ok(context_set(p.fd, create, 0, shared, 1, 100000, 1000 * MS));
	fails(EEXIST, context_set(p.fd, create, 0, shared, 1, 0, 0));
	ok(context_set(p.fd, create, 63, shared, 1, 1 * MS, 1 * MS));
	check(partition_info(p.fd).out_contexts == 2);
}

static void several_contexts_run_and_stop_together(void)
{
	struct kvm_regs regs = { .rip = GUEST_START + 0x100, .rflags = 2 };
	static uint8_t code[0x107];
	struct runner runners[2];
	struct kvm_sregs sregs;
	struct guest g;
	int second;

	memcpy(code, counting, sizeof(counting));
	memcpy(code + 0x100, counting, sizeof(counting));
	code[0x103] = 0x10;	/* the second counts at 0x3010 */
	guest_define(&g, "two", 0, 0);
	ok(context_create(g.partition.fd, 1, 0, 0));
	guest_build(&g, code, sizeof(code), false);
	second = ok(context_open(g.monitor, 1));
	ok(context_kvm(second, KVM_GET_SREGS, (unsigned long)&sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ok(context_kvm(second, KVM_SET_SREGS, (unsigned long)&sregs));
	ok(context_kvm(second, KVM_SET_REGS, (unsigned long)&regs));
	start(&runners[0], g.context);
	start(&runners[1], second);
	for (int i = 0; i < 50; i++) {
		uint32_t a, b;

		sleep_ms(5);
		ok(partition_stop(g.partition.fd));
		a = counter(&g)[0];
		b = counter(&g)[4];
		sleep_ms(2);
		check(counter(&g)[0] == a && counter(&g)[4] == b);
		ok(partition_resume(g.partition.fd));
	}
	check(counter(&g)[0] && counter(&g)[4]);
	ok(object_destroy(g.partition.id));
	check(join(&runners[0]) == ESHUTDOWN);
	check(join(&runners[1]) == ESHUTDOWN);
}

/* ---- a guest's kick and its interrupt, with no process of the monitor in between ---- */

/*
 * Counts a kick at GUEST_COUNTER + 8, kicks a port, sleeps until the interrupt (line 4 of the first
 * PIC, vector 0x24), counts that at GUEST_COUNTER, and so on.
 */
static const uint8_t ping[] = {
	0xfa,						/* cli */
	0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21,	/* PIC: vectors from 0x20 */
	0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
	0xb0, 0xef, 0xe6, 0x21,				/* all masked but line 4 */
	0xc7, 0x06, 0x90, 0x00, 0x00, 0x11,		/* [0x90] = offset of the handler, 0x1100 */
	0xc7, 0x06, 0x92, 0x00, 0x00, 0x00,		/* [0x92] = its segment */
	0xba, 0x00, 0xc0,				/* mov dx, 0xc000 */
	0x66, 0xff, 0x06, 0x08, 0x30,			/* again: inc dword [0x3008] */
	0xee,						/* out dx, al */
	0xfb, 0xf4, 0xfa,				/* sti, hlt, cli */
	0xeb, 0xf5,					/* jmp again */
};

static const uint8_t handler[] = {
	0x66, 0xff, 0x06, 0x00, 0x30,			/* inc dword [0x3000] */
	0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58,		/* end of interrupt */
	0xcf,						/* iret */
};

static bool is_rung(int sink, unsigned int ms)
{
	uint64_t end = clock_ns() + ms * MS, count;

	while (read(sink, &count, sizeof(count)) < 0)
		if (clock_ns() > end)
			return false;
	return true;
}

static void kicks_and_interrupts_pass_through_the_channel(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096, .doorbells = 2 };
	int kick = ok(eventfd(0, 0)), irq = ok(eventfd(0, 0)), sink[2];
	struct kvm_irqfd irqfd = { .gsi = 4, .fd = irq };
	struct kvm_ioeventfd ioeventfd = { .addr = 0xc000, .len = 1, .fd = kick,
					   .flags = KVM_IOEVENTFD_FLAG_PIO };
	static uint8_t code[0x200];
	struct object channel;
	struct runner runner;
	unsigned int again = 0;
	int client, server[2], serving = 0;
	uint64_t count;
	struct guest g;

	memcpy(code, ping, sizeof(ping));
	memcpy(code + 0x100, handler, sizeof(handler));
	guest_define(&g, "ping", 0, 0);
	guest_build(&g, code, sizeof(code), true);
	ok(vm_kvm(g.monitor, KVM_IRQFD, (unsigned long)&irqfd));
	ok(vm_kvm(g.monitor, KVM_IOEVENTFD, (unsigned long)&ioeventfd));

	create.client_id = g.partition.id;
	channel = make_channel(&create);
	client = ok(object_open(channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(client));
	ok(bind_doorbell(client, 0, ULTRAVISOR_DOORBELL_SOURCE, kick));
	ok(bind_doorbell(client, 1, ULTRAVISOR_DOORBELL_SINK, irq));
	for (int i = 0; i < 2; i++) {
		ok(server_set(channel.fd, i, 0xa0 + i));
		server[i] = ok(object_open(channel.id, ULTRAVISOR_ROLE_SERVER, i));
		sink[i] = ok(eventfd(0, EFD_NONBLOCK));
		ok(attach(server[i]));
		ok(bind_doorbell(server[i], 0, ULTRAVISOR_DOORBELL_SINK, sink[i]));
	}
	start(&runner, g.context);
	for (unsigned int rings = 1, kicks = 0; *counter(&g) < 2000; rings++) {
		if (rings % 100 == 0) {
			ok(promote(channel.fd, !serving, NULL));
			ok(attach(server[serving]));
			ok(bind_doorbell(server[serving], 0, ULTRAVISOR_DOORBELL_SINK,
					 sink[serving]));
			serving = !serving;
		}
		/*
		 * Emulated, a sti; hlt sleeps through one interrupt in a thousand, by whatever
		 * way it comes: ring again.
		 */
		if (!is_rung(sink[serving], 300)) {
			check(again++ < 60);
			if (counter(&g)[2] != kicks && !is_rung(sink[serving], 5000))
				fail("kick %u was lost", kicks + 1);
		}
		kicks = counter(&g)[2];
		ok(ring(server[serving], 1));
	}
	printf("       %u kicks, %u interrupts, rang again %u times\n", counter(&g)[2],
	       *counter(&g), again);
	/* No exit reached the monitor, nor the module. */
	check(context_info(g.partition.fd, 0).out_exits[ULTRAVISOR_EXIT_PIO] == 0);
	check(runner.result == -1);
	/* Revoked: the guest kicks in vain. */
	ok(channel_revoke(channel.fd, ULTRAVISOR_REVOKE_ALL, 0));
	while (read(sink[0], &count, sizeof(count)) > 0 || read(sink[1], &count, sizeof(count)) > 0)
		;
	sleep_ms(50);
	check(read(sink[0], &count, sizeof(count)) < 0 && read(sink[1], &count, sizeof(count)) < 0);
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

/* ---- memory of the guest ---- */

static void kvm_run_is_mapped_and_no_descriptor_of_kvm_exists(void)
{
	struct guest g;
	char path[64], target[256];

	guest_init(&g, "hidden", halting, sizeof(halting));
	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		if (strstr(target, "kvm"))
			fail("descriptor %d is %s", fd, target);
	}
	check(g.run->exit_reason == 0);
	ok(context_run(g.context));
	check(g.run->exit_reason == KVM_EXIT_HLT);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "a signal gets the runner out", a_signal_gets_the_runner_out },
		{ "immediate_exit is obeyed", immediate_exit_is_obeyed },
		{ "a busy guest is stopped and resumed", a_busy_guest_is_stopped_and_resumed },
		{ "an idle guest is stopped and resumed", an_idle_guest_is_stopped_and_resumed },
		{ "a stopped partition does not start", a_stopped_partition_does_not_start },
		{ "one thread at a time runs a context", one_thread_at_a_time_runs_a_context },
		{ "a killed monitor is gone, whatever its guest does",
		  a_killed_monitor_is_gone_whatever_its_guest_does },
		{ "no second VM after the first is gone", no_second_vm_after_the_first_is_gone },
		{ "without KVM there is no VM", without_kvm_there_is_no_vm },
		{ "a vCPU without its page is lost", a_vcpu_without_its_page_is_lost },
		{ "a budget bounds the guest's time", a_budget_bounds_the_guests_time },
		{ "an idle guest uses no budget", an_idle_guest_uses_no_budget },
		{ "contexts stay on their processors", contexts_stay_on_their_processors },
		{ "a dedicated processor is nobody else's", a_dedicated_processor_is_nobody_elses },
		{ "arguments of contexts are checked", context_arguments_are_checked },
		{ "several contexts run and stop together",
		  several_contexts_run_and_stop_together },
		{ "kicks and interrupts pass through the channel",
		  kicks_and_interrupts_pass_through_the_channel },
		{ "kvm_run is mapped and no descriptor of KVM exists",
		  kvm_run_is_mapped_and_no_descriptor_of_kvm_exists },
	};

	return RUN_TESTS(tests);
}

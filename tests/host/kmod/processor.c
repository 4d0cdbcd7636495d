// SPDX-License-Identifier: Apache-2.0
/*
 * Processors: given, divided into windows, promised; what runs there when, with which priority, and
 * what is written in the books. Order and function: precision is measured elsewhere, by a clock of
 * instructions.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define CPU 1				/* the one that is given; the test itself is on the other */
#define SET (1ull << CPU)

/* ---- a thread that runs a context ---- */
struct runner {
	pthread_t thread;
	int context;
	int nice;
	volatile pid_t tid;
	volatile long result;	/* errno of the call, 0, or -1 before its end */
	int policy_after, nice_after;
};

static void *run(void *arg)
{
	struct runner *runner = arg;

	runner->tid = syscall(SYS_gettid);
	if (runner->nice)
		setpriority(PRIO_PROCESS, runner->tid, runner->nice);
	runner->result = context_run(runner->context) ? errno : 0;
	runner->policy_after = sched_getscheduler(0);
	runner->nice_after = getpriority(PRIO_PROCESS, runner->tid);
	return NULL;
}

static void start(struct runner *runner, int context)
{
	*runner = (struct runner){ .context = context, .nice = runner->nice, .result = -1 };
	check(!pthread_create(&runner->thread, NULL, run, runner));
	while (!runner->tid)
		sleep_ms(1);
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

static void stay_away(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(!CPU, &set);
	ok(sched_setaffinity(0, sizeof(set), &set));
}

/* ---- calls ---- */

static long give(uint32_t cpu, uint32_t flags, uint64_t frame_ns, uint64_t phase_ns)
{
	struct ultravisor_processor_set arg = {
		.size = sizeof(arg), .flags = flags, .cpu = cpu, .frame_ns = frame_ns,
		.phase_ns = phase_ns,
	};

	return ioctl(device, ULTRAVISOR_PROCESSOR_SET, &arg);
}

static void give_frame(uint64_t frame_ns)
{
	ok(give(CPU, ULTRAVISOR_PROCESSOR_GIVEN, frame_ns, 0));
}

static struct ultravisor_processor_info processor(uint32_t cpu)
{
	struct ultravisor_processor_info info = { .size = sizeof(info), .cpu = cpu };

	ok(ioctl(device, ULTRAVISOR_PROCESSOR_INFO, &info));
	return info;
}

#define CREATE ULTRAVISOR_CONTEXT_CREATE
#define CHANGE ULTRAVISOR_CONTEXT_SET

static long window_on(uint64_t cpus, int partition, unsigned long cmd, uint32_t index,
		      uint64_t start_ns, uint64_t length_ns)
{
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .index = index, .mode = ULTRAVISOR_CONTEXT_WINDOW,
		.cpus = { cpus }, .window_start_ns = start_ns, .window_ns = length_ns,
	};

	return ioctl(partition, cmd, &arg);
}

static long window(int partition, unsigned long cmd, uint32_t index, uint64_t start_ns,
		   uint64_t length_ns)
{
	return window_on(SET, partition, cmd, index, start_ns, length_ns);
}

static long promise(int partition, unsigned long cmd, uint32_t index, uint64_t cpus,
		    uint64_t budget_ns, uint64_t period_ns)
{
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .index = index, .mode = ULTRAVISOR_CONTEXT_SHARED,
		.flags = ULTRAVISOR_CONTEXT_REALTIME, .cpus = { cpus }, .budget_ns = budget_ns,
		.period_ns = period_ns,
	};

	return ioctl(partition, cmd, &arg);
}

static long share(int partition, unsigned long cmd, uint32_t index, uint64_t budget_ns,
		  uint64_t period_ns)
{
	return context_set(partition, cmd, index, ULTRAVISOR_CONTEXT_SHARED, SET, budget_ns,
			   period_ns);
}

static long dedicate(int partition, unsigned long cmd, uint32_t index)
{
	return context_set(partition, cmd, index, ULTRAVISOR_CONTEXT_DEDICATED, SET, 0, 0);
}

/* Partitions outlive their descriptors: whatever an earlier test has left is gone by now. */
static struct object fresh(const char *name, uint64_t frame_ns)
{
	stay_away();
	ok(give(CPU, 0, 0, 0));
	if (frame_ns)
		give_frame(frame_ns);
	return make_partition(name);
}

/* A guest that counts, on CPU, without a budget. */
static void count_there(struct guest *g, const char *name)
{
	guest_define(g, name, 0, 0);
	ok(share(g->partition.fd, CHANGE, 0, 0, 0));
	guest_build(g, counting, sizeof(counting), false);
}

/* ---- admission ---- */

static void processors_are_given_and_taken_back(void)
{
	const uint32_t given = ULTRAVISOR_PROCESSOR_GIVEN;
	struct ultravisor_processor_info info = { .size = sizeof(info), .cpu = 1023 };
	struct object p = fresh("given", 0);

	fails(ENOENT, ioctl(device, ULTRAVISOR_PROCESSOR_INFO, &info));
	info.cpu = ~0u;
	fails(ENOENT, ioctl(device, ULTRAVISOR_PROCESSOR_INFO, &info));
	fails(ENOENT, give(1023, given, 0, 0));
	fails(EOPNOTSUPP, give(CPU, given << 1, 0, 0));
	fails(EINVAL, give(CPU, given, 1 * MS - 1, 0));
	fails(EINVAL, give(CPU, given, 1000 * MS + 1, 0));
	fails(EINVAL, give(CPU, given, 10 * MS, 10 * MS));
	fails(EINVAL, give(CPU, given, 0, 1));
	fails(EINVAL, give(CPU, 0, 10 * MS, 0));
	check(processor(CPU).out_flags == 0);
	ok(give(CPU, given, 10 * MS, 10 * MS - 1));
	info = processor(CPU);
	check(info.out_flags == given && info.out_frame_ns == 10 * MS);
	check(info.out_phase_ns == 10 * MS - 1 && !info.out_contexts);

	ok(window(p.fd, CREATE, 0, 0, 2 * MS));
	ok(promise(p.fd, CREATE, 1, SET, 10 * MS, 100 * MS));
	ok(share(p.fd, CREATE, 2, 0, 0));
	info = processor(CPU);
	check(info.out_contexts == 3 && info.out_windows == 1 && !info.out_dedicated);
	check(info.out_realtime_ppm == 300000);
	ok(give(CPU, given, 10 * MS, 10 * MS - 1));
	fails(EBUSY, give(CPU, given, 10 * MS, 0));
	fails(EBUSY, give(CPU, given, 20 * MS, 10 * MS - 1));
	fails(EBUSY, give(CPU, 0, 0, 0));
	ok(share(p.fd, CHANGE, 0, 0, 0));
	fails(EBUSY, give(CPU, 0, 0, 0));
	ok(share(p.fd, CHANGE, 1, 0, 0));
	check(processor(CPU).out_realtime_ppm == 0 && processor(CPU).out_windows == 0);
	/* Those that are merely there do not mind. */
	ok(give(CPU, 0, 0, 0));
	ok(object_destroy(p.id));
	check(processor(CPU).out_contexts == 0);
	p = make_partition("dedicated");
	ok(dedicate(p.fd, CREATE, 0));
	check(processor(CPU).out_dedicated == 1 && processor(CPU).out_contexts == 1);
}

static void windows_do_not_overlap(void)
{
	struct ultravisor_context_info info;
	struct object p = fresh("windows", 0), q = make_partition("neighbour");

	fails(ENXIO, window(p.fd, CREATE, 0, 0, 1 * MS));
	give_frame(0);
	fails(ENXIO, window(p.fd, CREATE, 0, 0, 1 * MS));
	give_frame(10 * MS);
	fails(EINVAL, window(p.fd, CREATE, 0, 0, 100000 - 1));
	fails(EINVAL, window(p.fd, CREATE, 0, 9 * MS + 1, 1 * MS));
	fails(EINVAL, window(p.fd, CREATE, 0, ~0ull, 1 * MS));
	fails(EINVAL, window(p.fd, CREATE, 0, 0, ~0ull));
	fails(EINVAL, window_on(3, p.fd, CREATE, 0, 0, 1 * MS));
	ok(window(p.fd, CREATE, 0, 9 * MS, 1 * MS));
	ok(window(p.fd, CREATE, 1, 0, 2 * MS));
	fails(EBUSY, window(q.fd, CREATE, 0, 1 * MS, 2 * MS));
	ok(window(q.fd, CREATE, 0, 2 * MS, 2 * MS));
	fails(EBUSY, window(q.fd, CHANGE, 0, 1999999, 2 * MS));
	fails(ENXIO, window_on(1 << !CPU, q.fd, CHANGE, 0, 2 * MS, 2 * MS));
	/* Refused, it stays where it was; its own place is no obstacle. */
	fails(EBUSY, window(p.fd, CREATE, 2, 3 * MS, 1 * MS));
	ok(window(q.fd, CHANGE, 0, 3 * MS, 2 * MS));
	ok(window(p.fd, CREATE, 2, 2 * MS, 1 * MS));
	info = context_info(q.fd, 0);
	check(info.out_mode == ULTRAVISOR_CONTEXT_WINDOW && info.out_flags == 0);
	check(info.out_window_start_ns == 3 * MS && info.out_window_ns == 2 * MS);
	check(processor(CPU).out_windows == 4);
	/* Windows and shared contexts go together, windows and a dedicated one do not. */
	ok(share(q.fd, CREATE, 1, 0, 0));
	fails(EBUSY, dedicate(q.fd, CREATE, 2));
	ok(object_destroy(p.id));
	check(processor(CPU).out_windows == 1);
	ok(window(q.fd, CREATE, 2, 0, 2 * MS));
}

static void a_tenth_of_a_processor_is_left(void)
{
	struct object p = fresh("ninety", 10 * MS);
	struct ultravisor_context_set arg = {
		.size = sizeof(arg), .index = 3, .mode = ULTRAVISOR_CONTEXT_SHARED, .cpus = { SET },
		.flags = ULTRAVISOR_CONTEXT_REALTIME,
	};

	fails(EBUSY, window(p.fd, CREATE, 0, 0, 9 * MS + 10));
	ok(window(p.fd, CREATE, 0, 0, 5 * MS));
	fails(EBUSY, promise(p.fd, CREATE, 1, SET, 401 * MS, 1000 * MS));
	ok(promise(p.fd, CREATE, 1, SET, 400 * MS, 1000 * MS));
	fails(EBUSY, promise(p.fd, CREATE, 2, SET, 100000, 1000 * MS));
	fails(EBUSY, window(p.fd, CREATE, 2, 5 * MS, 1 * MS));
	/* What is no promise is not counted. */
	ok(share(p.fd, CREATE, 2, 100 * MS, 100 * MS));
	check(processor(CPU).out_realtime_ppm == 900000);
	check(context_info(p.fd, 1).out_flags == ULTRAVISOR_CONTEXT_REALTIME);
	ok(promise(p.fd, CHANGE, 1, SET, 100 * MS, 1000 * MS));
	check(processor(CPU).out_realtime_ppm == 600000);

	fails(ENXIO, promise(p.fd, CREATE, 3, 1, 10 * MS, 100 * MS));
	fails(EINVAL, promise(p.fd, CREATE, 3, 3, 10 * MS, 100 * MS));
	fails(EINVAL, ioctl(p.fd, CREATE, &arg));
	arg.mode = ULTRAVISOR_CONTEXT_DEDICATED;
	fails(EINVAL, ioctl(p.fd, CREATE, &arg));
	arg.mode = ULTRAVISOR_CONTEXT_WINDOW;
	arg.window_ns = 1 * MS;
	fails(EINVAL, ioctl(p.fd, CREATE, &arg));
	arg.flags = 0;
	arg.budget_ns = 1 * MS;
	arg.period_ns = 10 * MS;
	fails(EINVAL, ioctl(p.fd, CREATE, &arg));
	arg.mode = ULTRAVISOR_CONTEXT_SHARED;
	fails(EINVAL, ioctl(p.fd, CREATE, &arg));
	arg.flags = ULTRAVISOR_CONTEXT_REALTIME << 1;
	fails(EOPNOTSUPP, ioctl(p.fd, CREATE, &arg));
}

/* ---- windows ---- */

/* Where in its frame the clock is. */
static uint64_t position(uint64_t frame)
{
	return clock_ns() % frame;
}

/*
 * Of those short looks at the counter that lie in the part [from, to) of the frame, how many
 * percent saw it move.
 */
static unsigned int moves(struct guest *g, uint64_t frame, uint64_t from, uint64_t to)
{
	unsigned int looks = 0, moved = 0;

	while (looks < 20) {
		uint64_t begin, end;
		uint32_t before;

		while (position(frame) < from || position(frame) >= to)
			;
		begin = position(frame);
		before = *counter(g);
		do
			end = position(frame);
		while (end >= begin && end < begin + 2 * MS);
		if (end < from || end >= to)
			continue;
		looks++;
		moved += *counter(g) != before;
		sleep_ms(frame / MS / 2);
	}
	return moved * 100 / looks;
}

static void guests_run_in_their_windows_and_not_outside(void)
{
	const uint64_t frame = 50 * MS;
	unsigned int in[2] = {}, out[2] = {};
	struct runner runners[2] = {};
	struct guest a, b;

	fresh("frame", frame);
	count_there(&a, "a");
	count_there(&b, "b");
	start(&runners[0], a.context);
	check(is_counting(&a, 2000));
	/* Without a window it may run at any time; so looks see it there and there. */
	for (int i = 0;
	     !moves(&a, frame, 5 * MS, 20 * MS) || !moves(&a, frame, 30 * MS, 45 * MS); i++)
		check(i < 12);
	/* Both are forced out, without ever making an exit, for each other. */
	ok(window(a.partition.fd, CHANGE, 0, 0, 20 * MS));
	ok(window(b.partition.fd, CHANGE, 0, 25 * MS, 20 * MS));
	start(&runners[1], b.context);
	sleep_ms(200);
	/* A stalled emulated processor runs nothing for a while, and notices the end late. */
	for (int i = 0; ; i++) {
		in[0] += moves(&a, frame, 5 * MS, 20 * MS);
		in[1] += moves(&b, frame, 30 * MS, 45 * MS);
		out[0] += moves(&a, frame, 25 * MS, 45 * MS);
		out[1] += moves(&b, frame, 0, 20 * MS);
		printf("       in their windows %u, %u %%, in the other's %u, %u %%\n",
		       in[0] / (i + 1), in[1] / (i + 1), out[0] / (i + 1), out[1] / (i + 1));
		if (in[0] > 3 * out[0] + 5 && in[1] > 3 * out[1] + 5)
			break;
		check(i < 12);
	}
	for (int i = 0; i < 2; i++) {
		struct guest *g = i ? &b : &a;
		struct ultravisor_context_info before = context_info(g->partition.fd, 0), after;
		uint64_t begin = clock_ns(), frames;

		sleep_ms(1000);
		after = context_info(g->partition.fd, 0);
		frames = (clock_ns() - begin) / frame;
		printf("       %llu windows in %llu frames, %llu us a frame, latest opening "
		       "%llu us, end %llu us\n",
		       (unsigned long long)(after.out_windows - before.out_windows),
		       (unsigned long long)frames,
		       (unsigned long long)((after.out_run_ns - before.out_run_ns) / frames / 1000),
		       (unsigned long long)after.out_late_max_ns / 1000,
		       (unsigned long long)after.out_overrun_max_ns / 1000);
		check(after.out_windows - before.out_windows <= frames + 1);
		check(after.out_windows - before.out_windows >= frames / 5);
		check(after.out_rested_ns - before.out_rested_ns > 100 * MS);
		check(after.out_forced > before.out_forced);
		check(after.out_late_max_ns > 0 && after.out_overrun_max_ns > 0);
		check(after.out_throttled == 0);
	}
	ok(object_destroy(a.partition.id));
	ok(object_destroy(b.partition.id));
	check(join(&runners[0]) == ESHUTDOWN);
	check(join(&runners[1]) == ESHUTDOWN);
}

static void ignore(int signo)
{
	(void)signo;
}

/* Long frames: whatever ends or changes the sleep must not wait for the next window. */
static void a_sleep_outside_the_window_loses_no_wake_up(void)
{
	struct sigaction action = { .sa_handler = ignore };
	struct runner runner = {};
	uint64_t begin;
	struct guest g;

	fresh("frame", 1000 * MS);
	sigaction(SIGUSR1, &action, NULL);
	count_there(&g, "sleeper");
	for (int i = 0; i < 12; i++) {
		uint64_t away = (clock_ns() + 500 * MS) % (1000 * MS) / MS * MS;

		/* It opens in about half a second. */
		ok(window(g.partition.fd, CHANGE, 0, away > 899 * MS ? 0 : away, 100 * MS));
		start(&runner, g.context);
		sleep_ms(20);
		check(!is_counting(&g, 20));
		begin = clock_ns();
		switch (i % 6) {
		case 0:		/* a change */
			ok(share(g.partition.fd, CHANGE, 0, 0, 0));
			check(is_counting(&g, 300));
			break;
		case 1:		/* stop and resume: the window still opens */
			ok(partition_stop(g.partition.fd));
			sleep_ms(50);
			ok(partition_resume(g.partition.fd));
			check(is_counting(&g, 2000));
			break;
		case 2:		/* stopped past its opening */
			ok(partition_stop(g.partition.fd));
			check(!is_counting(&g, 1200));
			ok(partition_resume(g.partition.fd));
			check(is_counting(&g, 2000));
			break;
		case 3:		/* of another length and place: now */
			ok(window(g.partition.fd, CHANGE, 0,
				  (clock_ns() % (1000 * MS) + 20 * MS) % (300 * MS), 600 * MS));
			check(is_counting(&g, 1500));
			break;
		case 4:		/* a signal is noticed when it opens */
			check(!pthread_kill(runner.thread, SIGUSR1));
			check(join(&runner) == EINTR);
			continue;
		case 5:		/* nothing: it opens */
			check(is_counting(&g, 2000));
			break;
		}
		check(!pthread_kill(runner.thread, SIGUSR1));
		check(join(&runner) == EINTR);
	}
	ok(window(g.partition.fd, CHANGE, 0, (clock_ns() + 500 * MS) % (900 * MS), 100 * MS));
	start(&runner, g.context);
	sleep_ms(20);
	begin = clock_ns();
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
	check(clock_ns() - begin < 400 * MS);
}

static struct guest shared_guest;

static void run_until_killed(int socket, void *arg)
{
	struct runner runner = {};

	(void)arg;
	guest_build(&shared_guest, counting, sizeof(counting), false);
	start(&runner, shared_guest.context);
	sleep_ms(20);
	say(socket, 'r');
	pause();
}

static void a_killed_monitor_is_gone_whatever_its_window(void)
{
	struct guest *g = &shared_guest;

	fresh("frame", 1000 * MS);
	for (int i = 0; i < 4; i++) {
		/* Open when it is killed, or closed. */
		uint64_t at = (clock_ns() + (i & 1 ? 500 : 0) * MS) % (1000 * MS);
		struct peer peer;

		guest_define(g, "killed", 0, 0);
		ok(window(g->partition.fd, CHANGE, 0, at > 500 * MS ? 500 * MS : at, 500 * MS));
		peer = fork_peer(run_until_killed, NULL);
		hear(peer.socket, 'r');
		kill_peer(&peer);
		ok(object_destroy(g->partition.id));
	}
	check(processor(CPU).out_windows == 0);
}

/* ---- priority ---- */

static bool has_policy(pid_t tid, int policy)
{
	for (int i = 0; i < 2000; i++) {
		if (sched_getscheduler(tid) == policy)
			return true;
		sleep_ms(1);
	}
	return false;
}

static void the_priority_is_given_back(void)
{
	struct runner runner = { .nice = 5 };
	struct sigaction action = { .sa_handler = ignore };
	struct sched_param idle = {};
	cpu_set_t set;
	struct guest g;

	fresh("frame", 20 * MS);
	sigaction(SIGUSR1, &action, NULL);
	count_there(&g, "priority");
	start(&runner, g.context);
	check(is_counting(&g, 2000));
	check(sched_getscheduler(runner.tid) == SCHED_OTHER);

	for (int i = 0; i < 4; i++) {
		if (i & 1)
			ok(promise(g.partition.fd, CHANGE, 0, SET, 10 * MS, 20 * MS));
		else
			ok(window(g.partition.fd, CHANGE, 0, 0, 10 * MS));
		check(has_policy(runner.tid, SCHED_FIFO));
		check(is_counting(&g, 2000));
		/* Where it has the priority, and only there: nobody takes it elsewhere. */
		CPU_ZERO(&set);
		CPU_SET(!CPU, &set);
		fails(EINVAL, sched_setaffinity(runner.tid, sizeof(set), &set));
		check(!pthread_kill(runner.thread, SIGUSR1));
		check(join(&runner) == EINTR);
		check(runner.policy_after == SCHED_OTHER && runner.nice_after == 5);
		start(&runner, g.context);
		check(has_policy(runner.tid, SCHED_FIFO));
	}
	/* A change takes the priority along; niceness from meanwhile holds. */
	ok(setpriority(PRIO_PROCESS, runner.tid, 7));
	ok(share(g.partition.fd, CHANGE, 0, 0, 0));
	check(has_policy(runner.tid, SCHED_OTHER));
	check(getpriority(PRIO_PROCESS, runner.tid) == 7);
	ok(sched_setaffinity(runner.tid, sizeof(set), &set));
	/* Its own policy is the thread's own business. */
	ok(sched_setscheduler(runner.tid, SCHED_BATCH, &idle));
	ok(window(g.partition.fd, CHANGE, 0, 0, 10 * MS));
	check(is_counting(&g, 2000));
	check(sched_getscheduler(runner.tid) == SCHED_BATCH);
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
	check(runner.policy_after == SCHED_BATCH);
}

/* A process that wants all of the processor. */
static pid_t hog(int nice)
{
	pid_t pid = fork();
	cpu_set_t set;

	ok(pid);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(CPU, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || setpriority(PRIO_PROCESS, 0, nice))
		_exit(1);
	for (;;)
		;
}

static void end_hog(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static unsigned int percent(struct guest *g)
{
	uint64_t begin = clock_ns(), before = context_info(g->partition.fd, 0).out_run_ns;

	sleep_ms(1000);
	return (context_info(g->partition.fd, 0).out_run_ns - before) * 100 / (clock_ns() - begin);
}

static void a_promise_is_kept_beside_a_hog(void)
{
	struct ultravisor_context_info info;
	struct runner runner = {};
	unsigned int without, with = 0;
	uint64_t stolen;
	pid_t pid;
	struct guest g;

	fresh("hog", 100 * MS);
	count_there(&g, "promised");
	ok(share(g.partition.fd, CHANGE, 0, 40 * MS, 100 * MS));
	start(&runner, g.context);
	check(is_counting(&g, 2000));
	pid = hog(-20);
	sleep_ms(200);
	without = percent(&g);
	info = context_info(g.partition.fd, 0);
	stolen = info.out_stolen_ns;
	ok(promise(g.partition.fd, CHANGE, 0, SET, 40 * MS, 100 * MS));
	sleep_ms(200);
	for (int i = 0; with < 30 && i < 8; i++)
		with = percent(&g);
	printf("       %u %% of it without a promise, %u %% with one, stolen %llu ms\n", without,
	       with, (unsigned long long)(stolen / MS));
	check(without < 25 && with > without && with >= 20);
	check(stolen > 100 * MS);
	check(partition_info(g.partition.fd).out_stolen_ns >= stolen);
	/* And in a window. */
	ok(window(g.partition.fd, CHANGE, 0, 50 * MS, 40 * MS));
	with = 0;
	for (int i = 0; with < 30 && i < 8; i++)
		with = percent(&g);
	printf("       %u %% in a window\n", with);
	check(with >= 20);
	end_hog(pid);
	ok(object_destroy(g.partition.id));
	check(join(&runner) == ESHUTDOWN);
}

/* ---- changes ---- */

static void schedules_change_under_load(void)
{
	struct runner runners[2] = {};
	unsigned int seed = 1;
	struct guest g[2];
	pid_t pid;

	fresh("frame", 10 * MS);
	pid = hog(0);
	for (int i = 0; i < 2; i++) {
		count_there(&g[i], i ? "one" : "two");
		start(&runners[i], g[i].context);
	}
	for (int round = 0; round < 300; round++) {
		struct guest *it = &g[round & 1];
		int fd = it->partition.fd;
		long r;

		switch (rand_r(&seed) % 6) {
		case 0:
			r = share(fd, CHANGE, 0, 0, 0);
			break;
		case 1:
			r = share(fd, CHANGE, 0, 1 * MS, (1 + rand_r(&seed) % 10) * MS);
			break;
		case 2:
			r = promise(fd, CHANGE, 0, SET, 2 * MS, (4 + rand_r(&seed) % 10) * MS);
			break;
		case 3:
		case 4:
			r = window(fd, CHANGE, 0, rand_r(&seed) % 8 * MS,
				   (1 + rand_r(&seed) % 4) * MS);
			break;
		default:
			/* The other one is there, or the test would end. */
			r = dedicate(fd, CHANGE, 0);
			check(r < 0);
		}
		check(!r || errno == EBUSY || errno == EINVAL);
		if (round % 7 == 0)
			ok(partition_stop(fd));
		if (round % 7 == 0)
			ok(partition_resume(fd));
		if (rand_r(&seed) % 2)
			sleep_ms(rand_r(&seed) % 15);
		if (runners[0].result != -1 || runners[1].result != -1)
			fail("a runner came back");
	}
	for (int i = 0; i < 2; i++) {
		ok(share(g[i].partition.fd, CHANGE, 0, 0, 0));
		check(has_policy(runners[i].tid, SCHED_OTHER));
		check(is_counting(&g[i], 20000));
	}
	check(processor(CPU).out_realtime_ppm == 0 && processor(CPU).out_windows == 0);
	ok(object_destroy(g[0].partition.id));
	check(join(&runners[0]) == ESHUTDOWN);
	ok(dedicate(g[1].partition.fd, CHANGE, 0));
	check(is_counting(&g[1], 20000));
	end_hog(pid);
	ok(object_destroy(g[1].partition.id));
	check(join(&runners[1]) == ESHUTDOWN);
}

/* The processors are the host's again. */
static void nothing_is_left(void)
{
	ok(give(CPU, 0, 0, 0));
	check(processor(CPU).out_contexts == 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "processors are given and taken back", processors_are_given_and_taken_back },
		{ "windows do not overlap", windows_do_not_overlap },
		{ "a tenth of a processor is left", a_tenth_of_a_processor_is_left },
		{ "guests run in their windows and not outside",
		  guests_run_in_their_windows_and_not_outside },
		{ "a sleep outside the window loses no wake-up",
		  a_sleep_outside_the_window_loses_no_wake_up },
		{ "a killed monitor is gone whatever its window",
		  a_killed_monitor_is_gone_whatever_its_window },
		{ "the priority is given back", the_priority_is_given_back },
		{ "a promise is kept beside a hog", a_promise_is_kept_beside_a_hog },
		{ "schedules change under load", schedules_change_under_load },
		{ "nothing is left", nothing_is_left },
	};

	return RUN_TESTS(tests);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Random calls: several processes make, use, hand over and destroy whatever the module offers,
 * without agreeing on anything: ioctls that make sense, ioctls that do not, mappings, touches,
 * forks, descriptors passed over sockets, kills. Only the kernel's log, a hang, or something that
 * is left at the end is a failure; any errno is fine.
 *
 * Each process draws its steps from a stream of its own, which depends on the seed alone and is
 * gone on with by its successor if it is killed. What the steps meet depends on how the
 * processes interleave.
 *
 *	random [--seed N] [--steps N] [--processes N]
 */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "random/random.h"

#define HANG_NS (60 * 1000 * MS)	/* a killed process that is not gone then never will be */

static unsigned long seed = 1;

static void on_alarm(int signo)
{
	(void)signo;
}

static void step(void);

static void fork_child(void)
{
	unsigned int n = 1 + below(20);
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Its steps are drawn from its parent's stream as it is now. */
		struct worker mine = { .random = draw() };
		bool exec = one_in(10);

		me = &mine;
		while (n--)
			step();
		if (exec) {
			shared->executed++;
			execl("/bin/true", "true", NULL);
		}
		_exit(0);
	}
	shared->forks++;
	draw();
	/* One that sleeps in CONTEXT_RUN of a stopped partition ends by this alone. */
	for (int tries = 0; tries < 20; tries++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		usleep(1000 << tries / 4);
	}
	kill(pid, SIGKILL);
	shared->kills++;
	waitpid(pid, NULL, 0);
}

static void kill_somebody(void)
{
	pid_t pid = shared->workers[below(processes)].pid;

	if (pid > 1 && !kill(pid, SIGKILL))
		shared->kills++;
}

static void step(void)
{
	static const struct {
		unsigned int weight;
		void (*run)(void);
	} kinds_of_step[] = {
		{ 120, use_endpoint }, { 70, map }, { 200, use_mapping }, { 60, get_infos },
		{ 60, open_object }, { 40, use_channel }, { 40, set_context }, { 20, add_memory },
		{ 20, stop_or_resume }, { 20, next_object }, { 8, create_channel },
		{ 6, create_partition }, { 12, use_lease }, { 12, use_processor },
		{ 40, use_kvm }, { 10, open_context }, { 4, build_guest }, { 10, build_ends },
		{ 50, call_nonsense }, { 25, make_descriptor }, { 15, drop_descriptor },
		{ 30, use_eventfd }, { 20, pass_descriptor },
	};
	unsigned int n = below(1000), i;

	atomic_fetch_add(&shared->steps, 1);
	for (i = 0; i < sizeof(kinds_of_step) / sizeof(kinds_of_step[0]); i++) {
		if (n < kinds_of_step[i].weight) {
			kinds_of_step[i].run();
			return;
		}
		n -= kinds_of_step[i].weight;
	}
	switch (n) {
	case 0 ... 9:
		destroy_or_publish();
		break;
	case 10 ... 24:
		take_descriptor();
		break;
	case 25 ... 45:
		run_some_context();
		break;
	case 46:
		if (one_in(2) && me >= shared->workers && me < shared->workers + MAX_PROCESSES)
			fork_child();
		break;
	case 47:
		if (one_in(5))
			kill_somebody();
		break;
	default:
		sched_yield();
	}
}

static void work(struct worker *worker)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct sigaction alarm_action = { .sa_handler = on_alarm };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = worker;
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGALRM, &alarm_action, NULL);
	signal(SIGPIPE, SIG_IGN);
	while (shared->steps < steps)
		step();
	exit(0);
}

/* ---- the parent: keeps them at it, and looks at what is left ---- */

static void start(unsigned int i)
{
	pid_t pid;

	shared->workers[i].asleep_since = 0;
	fflush(NULL);
	pid = ok(fork());
	if (!pid)
		work(&shared->workers[i]);
	shared->workers[i].pid = pid;
}

static void reap(pid_t pid, int status)
{
	for (unsigned int i = 0; i < processes; i++) {
		if (shared->workers[i].pid != pid)
			continue;
		shared->workers[i].pid = 0;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			fail("process %u ended by signal %d", i, WTERMSIG(status));
		if (WIFEXITED(status) && WEXITSTATUS(status))
			fail("process %u ended with status %d", i, WEXITSTATUS(status));
		if (shared->steps < steps)
			start(i);
	}
}

static bool any_left(void)
{
	for (unsigned int i = 0; i < processes; i++)
		if (shared->workers[i].pid)
			return true;
	return false;
}

/* Who sleeps for long in CONTEXT_RUN sleeps because its partition is stopped: SIGKILL ends that. */
static void wake_sleepers(void)
{
	uint64_t now = clock_ns();

	for (unsigned int i = 0; i < processes; i++) {
		uint64_t since = shared->workers[i].asleep_since;

		if (!since || since > now || now - since < 100 * MS || !shared->workers[i].pid)
			continue;
		kill(shared->workers[i].pid, SIGKILL);
		shared->workers[i].asleep_since = 0;
		shared->stuck++;
	}
}

static void supervise(void)
{
	unsigned long last = 0;
	uint64_t moved = clock_ns();
	int status;
	pid_t pid;

	for (unsigned int i = 0; i < processes; i++)
		start(i);
	while (any_left()) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(pid, status);
		wake_sleepers();
		if (shared->steps != last) {
			last = shared->steps;
			moved = clock_ns();
		} else if (clock_ns() - moved > HANG_NS) {
			fail("no step for %llu s: a process hangs", HANG_NS / MS / 1000);
		}
		usleep(10000);
	}
}

static void clean_up(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };

	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		object_destroy(next.out_id);
		next.id = next.out_id;
	}
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		struct ultravisor_processor_set set = { .size = sizeof(set), .cpu = cpu };

		ioctl(device, ULTRAVISOR_PROCESSOR_SET, &set);
	}
	next.id = 0;
	fails(ENOENT, ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next));
}

static void report(void)
{
	unsigned long calls = 0, good = 0;
	unsigned int nr;

	for (nr = 0; nr < NR_COMMANDS; nr++) {
		calls += shared->calls[nr];
		good += shared->good[nr];
		if (shared->calls[nr] && getenv("RANDOM_VERBOSE"))
			printf("    command %#04x: %7lu of %7lu good\n", nr, shared->good[nr],
			       shared->calls[nr]);
	}
	printf("seed %lu: %lu steps of %u processes: %lu of %lu calls good, %lu touches, "
	       "%lu faults, %lu forks, %lu execs, %lu kills, %lu sleepers killed, "
	       "%lu descriptors passed\n", seed, shared->steps, processes, good, calls,
	       shared->touched, shared->faulted, shared->forks, shared->executed, shared->kills,
	       shared->stuck, shared->passed);
	for (nr = 0; nr < NR_COMMANDS; nr++)
		if (shared->calls[nr] > 500 && !shared->good[nr])
			printf("    never good: command %#04x of %lu\n", nr, shared->calls[nr]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "steps", required_argument, NULL, 'n' },
		{ "processes", required_argument, NULL, 'p' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			steps = strtoul(optarg, NULL, 0);
		else if (c == 'p')
			processes = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (!processes || processes > MAX_PROCESSES)
		return 2;
	printf("random --seed %lu --steps %lu --processes %u\n", seed, steps, processes);
	device = ok(open("/dev/ultravisor", O_RDWR | O_CLOEXEC));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	check(shared != MAP_FAILED);
	clean_up();
	for (unsigned int i = 0; i < processes; i++) {
		ok(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail[i]));
		shared->workers[i].random = seed * 1000003 + i;
	}
	supervise();
	clean_up();
	report();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A suspend of the whole host, to memory, ended by its clock's alarm, with guests that run: time
 * that was slept through counts for a lease, and is no budget saved and no window made up for.
 * Not for a host whose root is on a network: run by tests/host/kmod-suspend.sh.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define S (1000 * MS)
#define TRACING "/sys/kernel/tracing/"
#define ASLEEP_S 3

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * S + ts.tv_nsec;
}

static uint64_t boot_ns(void)
{
	return now(CLOCK_BOOTTIME);
}

static void set_file(const char *path, const char *text)
{
	const int fd = ok(open(path, O_WRONLY | O_CLOEXEC | O_TRUNC));

	if (write(fd, text, strlen(text)) < 0)
		fail("%s: %s: %s", path, text, strerror(errno));
	close(fd);
}

static long lease(int partition, unsigned long cmd, uint64_t deadline)
{
	struct ultravisor_lease arg = { .size = sizeof(arg), .epoch = 1, .deadline = deadline };

	return ioctl(partition, cmd, &arg);
}

/* A suspended host makes each call that runs a guest return, as a signal does. */
static void *run(void *arg)
{
	const struct guest *g = arg;

	while (context_run(g->context) && errno == EINTR)
		;
	return NULL;
}

static void start(struct guest *g, pthread_t *thread)
{
	check(!pthread_create(thread, NULL, run, g));
	check(is_counting(g, 5000));
}

static void end(struct guest *g, pthread_t thread)
{
	ok(object_destroy(g->partition.id));
	check(!pthread_join(thread, NULL));
}

static void suspend(void)
{
	const uint64_t slept = boot_ns() - now(CLOCK_MONOTONIC);

	set_file("/sys/class/rtc/rtc0/wakealarm", "0");
	set_file("/sys/class/rtc/rtc0/wakealarm", "+3");
	set_file("/sys/power/state", "mem");
	/* The alarm knows whole seconds. */
	if (boot_ns() - now(CLOCK_MONOTONIC) < slept + (ASLEEP_S - 2) * S)
		fail("the host was not asleep");
}

/* How often a context of that partition was let into its guest later than that. */
static unsigned int entries_after(uint64_t partition, uint64_t boot)
{
	FILE *file = fopen(TRACING "trace", "re");
	unsigned int count = 0;
	char line[512], want[64];

	check(file);
	snprintf(want, sizeof(want), "id=%llu ", (unsigned long long)partition);
	while (fgets(line, sizeof(line), file)) {
		char *event = strstr(line, ": uvr_context_run: "), *time = event;
		double at;

		if (!event || !strstr(event, want))
			continue;
		while (time > line && time[-1] != ' ')
			time--;
		at = strtod(time, NULL);
		count += at * 1e9 > boot;
	}
	fclose(file);
	return count;
}

static void trace(void)
{
	set_file(TRACING "tracing_on", "0");
	set_file(TRACING "trace", "\n");
	set_file(TRACING "trace_clock", "boot");
	set_file(TRACING "events/ultravisor/uvr_context_run/enable", "1");
	set_file(TRACING "tracing_on", "1");
}

/* Beside it runs one without a lease: that goes on. */
static void a_lease_ends_while_the_host_sleeps(void)
{
	struct guest g, other;
	pthread_t thread, others;
	uint64_t deadline;
	uint32_t seen;

	guest_init(&g, "leased", counting, sizeof(counting));
	guest_init(&other, "other", counting, sizeof(counting));
	deadline = boot_ns() + 3600 * S;
	ok(lease(g.partition.fd, ULTRAVISOR_LEASE_SET, deadline));
	start(&g, &thread);
	start(&other, &others);
	trace();
	/* Far enough for the host to be asleep by then, and before the alarm. */
	deadline = boot_ns() + 1500 * MS;
	ok(lease(g.partition.fd, ULTRAVISOR_LEASE_RENEW, deadline));
	suspend();
	seen = *counter(&g);
	check(boot_ns() > deadline);
	check(partition_info(g.partition.fd).out_lease_expired);
	check(is_counting(&other, 5000));
	sleep_ms(200);
	check(*counter(&g) == seen);
	check(entries_after(other.partition.id, deadline) > 0);
	check(entries_after(g.partition.id, deadline) == 0);
	ok(lease(g.partition.fd, ULTRAVISOR_LEASE_RENEW, boot_ns() + 3600 * S));
	check(is_counting(&g, 5000));
	end(&g, thread);
	end(&other, others);
}

/*
 * A second of a guest with that share of each turn, a window or a period of a budget: not a turn
 * more than there were, and in none more than the share and by how much it left one late at most.
 * That is what this host's timers cost; on a busy machine emulated ones are late by milliseconds.
 */
static void gets(struct guest *g, uint64_t share, uint64_t turn)
{
	const uint64_t begin = now(CLOCK_MONOTONIC);
	const struct ultravisor_context_info was = context_info(g->partition.fd, 0);
	struct ultravisor_context_info is;
	uint64_t turns, had, most;

	sleep_ms(1000);
	is = context_info(g->partition.fd, 0);
	turns = is.out_windows - was.out_windows + is.out_throttled - was.out_throttled;
	had = is.out_run_ns - was.out_run_ns;
	most = (turns + 1) * (share + is.out_overrun_max_ns);
	if (!turns || turns > (now(CLOCK_MONOTONIC) - begin) / turn + 2)
		fail("%llu turns", (unsigned long long)turns);
	if (had > most)
		fail("%llu us in %llu turns", (unsigned long long)had / 1000,
		     (unsigned long long)turns);
}

static void what_may_run_goes_on(void)
{
	struct ultravisor_processor_set set = {
		.size = sizeof(set), .flags = ULTRAVISOR_PROCESSOR_GIVEN, .frame_ns = 10 * MS,
	};
	struct ultravisor_context_set window = {
		.size = sizeof(window), .mode = ULTRAVISOR_CONTEXT_WINDOW, .window_ns = 2 * MS,
		.cpus = { 1 },
	};
	struct guest g[2];
	pthread_t thread[2];

	ok(ioctl(device, ULTRAVISOR_PROCESSOR_SET, &set));
	for (int i = 0; i < 2; i++) {
		guest_define(&g[i], i ? "window" : "budget", 2 * MS, 20 * MS);
		guest_build(&g[i], counting, sizeof(counting), false);
		if (i)
			ok(ioctl(g[i].partition.fd, ULTRAVISOR_CONTEXT_SET, &window));
		start(&g[i], &thread[i]);
		ok(lease(g[i].partition.fd, ULTRAVISOR_LEASE_SET, boot_ns() + 3600 * S));
	}
	suspend();
	for (int i = 0; i < 2; i++) {
		check(!partition_info(g[i].partition.fd).out_lease_expired);
		check(is_counting(&g[i], 5000));
		gets(&g[i], 2 * MS, (i ? 10 : 20) * MS);
		end(&g[i], thread[i]);
	}
	set.flags = 0;
	set.frame_ns = 0;
	ok(ioctl(device, ULTRAVISOR_PROCESSOR_SET, &set));
}

static const struct test tests[] = {
	{ "a lease ends while the host sleeps", a_lease_ends_while_the_host_sleeps },
	{ "budgets, windows and longer leases go on", what_may_run_goes_on },
};

int main(int argc, char **argv)
{
	return RUN_TESTS(tests);
}

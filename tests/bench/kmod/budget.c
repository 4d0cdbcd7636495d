// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that spins, on 2 ms in every 20: what it got in each of the periods of a second. Three
 * witnesses: the guest's own clock, the scheduler's account of the thread, the module's account.
 * The peer is the same guest under plain KVM in a cgroup with cpu.max "2000 20000". Alone, and
 * beside a process that takes all the time it can get on the same processor.
 */
#include <fcntl.h>
#include <math.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "recorder.h"

#define US 1000ull
#define MS 1000000ull
#define BUDGET (2 * MS)
#define PERIOD (20 * MS)
#define PERIODS 50
#define WARM_UP (400 * MS)
#define CGROUPS "/run/bench-cgroup"

struct variant {
	const char *name;
	bool cgroup, realtime, hog;
	double bar_us;			/* 0: none */
};

static uint64_t thread_ns(const struct spinner *spinner)
{
	struct timespec t;
	clockid_t clock;

	check(!pthread_getcpuclockid(spinner->thread, &clock));
	check(!clock_gettime(clock, &t));
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* What of [from, to) was no gap. */
static uint64_t guest_ns(const struct recorder *r, uint64_t from, uint64_t to)
{
	const size_t n = recorder_count(r);
	uint64_t ns = to - from;

	for (size_t i = 0; i < n; i++) {
		struct gap gap = recorder_gap(r, i);

		if (gap.last < from)
			gap.last = from;
		if (gap.first > to)
			gap.first = to;
		if (gap.first > gap.last)
			ns -= gap.first - gap.last;
	}
	return ns;
}

static void write_file(const char *path, const char *text)
{
	const int fd = ok(open(path, O_WRONLY));

	if (write(fd, text, strlen(text)) < 0)
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void enter_cgroup(void)
{
	write_file(CGROUPS "/cgroup.subtree_control", "+cpu");
	if (mkdir(CGROUPS "/guest", 0755) < 0)
		check(errno == EEXIST);
	write_file(CGROUPS "/guest/cpu.max", "2000 20000");
	write_file(CGROUPS "/guest/cgroup.procs", "0");
}

static void leave_cgroup(void)
{
	write_file(CGROUPS "/cgroup.procs", "0");
}

static void print(const char *who, struct sample *s, double bar_us)
{
	const double low = sample_rank(s, 0), high = sample_rank(s, 1);
	const double off = fmax(high - BUDGET / 1e3, BUDGET / 1e3 - low);

	printf("    %-18s median %7.1f us, from %7.1f to %7.1f, deviation %6.1f",
	       who, sample_rank(s, 0.5), low, high, sample_deviation(s));
	if (bar_us > 0)
		printf("  aim: within %g%s", bar_us, off <= bar_us ? "" : "   AIM MISSED");
	putchar('\n');
}

static void watch(const struct variant *v, struct spinner *spinner, struct recorder *r,
		  struct guest *g)
{
	struct sample by_guest = { 0 }, by_thread = { 0 }, by_module = { 0 };
	uint64_t thread[PERIODS + 1], module[PERIODS + 1], begin;

	sleep_until(clock_ns() + WARM_UP);
	check(recorder_count(r) > 0 && recorder_count(r) < RECORDER_GAPS / 2);
	/* The middle of its rest: 12 ms after the last time that it began. */
	begin = recorder_gap(r, recorder_count(r) - 1).first + 12 * MS;
	while (begin < clock_ns() + MS)
		begin += PERIOD;
	for (int i = 0; i <= PERIODS; i++) {
		sleep_until(begin + i * PERIOD);
		thread[i] = thread_ns(spinner);
		module[i] = g ? context_info(g->partition.fd, 0).out_run_ns : 0;
	}
	/* Its last gap is noted when it is over. */
	sleep_until(begin + (PERIODS + 3) * PERIOD);
	for (int i = 0; i < PERIODS; i++) {
		const uint64_t from = begin + i * PERIOD;

		sample_add(&by_guest, guest_ns(r, from, from + PERIOD) / 1e3);
		sample_add(&by_thread, (thread[i + 1] - thread[i]) / 1e3);
		sample_add(&by_module, (module[i + 1] - module[i]) / 1e3);
	}
	printf("  %s\n", v->name);
	print("guest's own clock", &by_guest, v->bar_us);
	print("thread's time", &by_thread, v->bar_us);
	if (g)
		print("module's account", &by_module, v->bar_us);
}

static void measure_module(const struct variant *v)
{
	struct ultravisor_context_set set = {
		.flags = v->realtime ? ULTRAVISOR_CONTEXT_REALTIME : 0,
		.mode = ULTRAVISOR_CONTEXT_SHARED, .budget_ns = BUDGET, .period_ns = PERIOD,
		.cpus = { 1 },
	};
	struct spinner spinner;
	struct recorder r;
	struct guest g;

	if (v->realtime && !give_processor(0, 0)) {
		report_absent(v->name, "this module has no real-time budgets");
		return;
	}
	if (!define_with(&g, "budget", &set)) {
		report_absent(v->name, "this module has no real-time budgets");
		return;
	}
	guest_build(&g, recorder_code, recorder_size, false);
	recorder_prepare(g.memory, 50 * US);
	recorder_open(&r, g.memory, guest_msrs, &g);
	spin_guest(&spinner, &g);
	bench_urgent();
	watch(v, &spinner, &r, &g);
	ok(object_destroy(g.partition.id));
	check(!pthread_join(spinner.thread, NULL));
}

static void measure_plain(const struct variant *v)
{
	struct spinner spinner;
	struct recorder r;
	struct plain p;

	plain_init(&p, recorder_code, recorder_size);
	recorder_prepare(p.memory, 50 * US);
	recorder_open(&r, p.memory, plain_msrs, &p);
	enter_cgroup();
	spin_plain(&spinner, &p);
	bench_urgent();
	watch(v, &spinner, &r, NULL);
	leave_cgroup();
}

static void measure(void *arg)
{
	const struct variant *v = arg;

	/* A thread's budget is not to be measured with another one's warm-up in it. */
	if (v->cgroup)
		measure_plain(v);
	else
		measure_module(v);
}

int main(void)
{
	static struct variant variants[] = {
		{ "module, real-time budget, alone", .realtime = true, .bar_us = 5 },
		{ "module, real-time budget, beside a hog", .realtime = true, .hog = true,
		  .bar_us = 5 },
		{ "module, budget without priority, alone", .bar_us = 0 },
		{ "module, budget without priority, beside a hog", .hog = true },
		{ "peer: cgroup cpu.max, alone", .cgroup = true },
		{ "peer: cgroup cpu.max, beside a hog", .cgroup = true, .hog = true },
	};

	bench_open();
	if (mkdir(CGROUPS, 0755) < 0)
		check(errno == EEXIST);
	ok(mount("none", CGROUPS, "cgroup2", 0, NULL));
	printf("  guest time in each of %d periods of 20 ms; budget 2000 us\n", PERIODS);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (variants[i].hog)
			bench_hog();
		bench_apart(measure, &variants[i]);
		bench_alone();
	}
	umount(CGROUPS);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that spins while its lease ends, over and over: its last instruction, by its own clock,
 * against the deadline; alone, and beside a process that takes all the time it can get. And what
 * the call costs that renews a lease: of a partition whose guest runs, and of one whose lease is
 * over.
 */
#include <math.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common.h"
#include "recorder.h"

#define US 1000ull
#define MS 1000000ull
#define GAP (100 * US)
#define ENDS 100
#define RENEWALS 1000

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void lease(const struct guest *g, unsigned long cmd, uint64_t deadline)
{
	struct ultravisor_lease arg = { .size = sizeof(arg), .epoch = 1, .deadline = deadline };

	ok(ioctl(g->partition.fd, cmd, &arg));
}

/* Until when it ran, before it did no more at that moment. Known only when it runs again. */
static uint64_t last_before(const struct recorder *r, size_t *seen, uint64_t moment)
{
	for (int i = 0; i < 10000; i++) {
		for (; *seen < recorder_count(r); ++*seen) {
			const struct gap gap = recorder_gap(r, *seen);

			if (gap.first > moment)
				return gap.last;
		}
		sleep_until(clock_ns() + 100 * US);
	}
	fail("the guest does not run again");
}

static void measure_end(const char *how, const struct guest *g, const struct recorder *r)
{
	struct sample late = { 0 };
	size_t seen = recorder_count(r);
	double latest = -1e9;

	for (int i = 0; i < ENDS; i++) {
		const uint64_t deadline = clock_ns() + 500 * US + i * 7 * US;
		double us;

		lease(g, ULTRAVISOR_LEASE_RENEW, deadline);
		sleep_until(deadline + 300 * US);
		check(partition_info(g->partition.fd).out_lease_expired);
		lease(g, ULTRAVISOR_LEASE_RENEW, boot_ns() + 3600000 * MS);
		us = ((double)last_before(r, &seen, deadline) - (double)deadline) / 1e3;
		latest = fmax(latest, us);
		/* Beside others it may have waited for its processor then. */
		if (us > -(double)GAP / 1e3)
			sample_add(&late, us);
	}
	printf("  %d leases that end, %s; the guest was running at %zu of them\n", ENDS, how,
	       late.count);
	report("  last instruction after the deadline, median", sample_rank(&late, 0.5), "us");
	report_at_most("  last instruction after the deadline, the latest", latest, "us", 10);
}

static void measure_renewal(const char *what, const struct guest *g, bool far)
{
	struct sample cost = { 0 };

	for (int i = 0; i < RENEWALS; i++) {
		const uint64_t deadline = boot_ns() + (far ? 3600000 : 10000) * MS + i * MS;
		const uint64_t begin = clock_ns();

		lease(g, ULTRAVISOR_LEASE_RENEW, deadline);
		sample_add(&cost, clock_ns() - begin);
	}
	report_at_most(what, sample_rank(&cost, 0.5), "i", 1000);
}

int main(void)
{
	struct spinner spinner;
	struct recorder r;
	struct guest g;
	uint64_t now;

	bench_open();
	guest_init(&g, "lease", recorder_code, recorder_size);
	recorder_prepare(g.memory, GAP);
	recorder_open(&r, g.memory, guest_msrs, &g);
	/* This host was never suspended: the two clocks are one. */
	now = clock_ns();
	check(boot_ns() - now < 100 * US);
	lease(&g, ULTRAVISOR_LEASE_SET, boot_ns() + 3600000 * MS);
	bench_urgent();
	measure_renewal("renewal, nobody runs, 10 s ahead", &g, false);
	spin_guest(&spinner, &g);
	check(recorder_runs(&r));
	measure_renewal("renewal, a guest runs, 10 s ahead", &g, false);
	measure_renewal("renewal, a guest runs, an hour ahead", &g, true);
	measure_end("alone", &g, &r);
	bench_hog();
	measure_end("beside a hog", &g, &r);
	bench_alone();
	ok(object_destroy(g.partition.id));
	check(!pthread_join(spinner.thread, NULL));
	return 0;
}

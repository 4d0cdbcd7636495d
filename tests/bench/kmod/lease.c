// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that spins while its lease ends, over and over: its last instruction, by its own clock,
 * against the deadline. And what the call costs that renews a lease: of a partition whose guest
 * runs, and of one whose lease is over.
 */
#include <sys/ioctl.h>
#include <time.h>

#include "common.h"
#include "recorder.h"

#define US 1000ull
#define MS 1000000ull
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

static void measure_end(const struct guest *g, const struct recorder *r)
{
	struct sample late = { 0 };
	size_t seen = recorder_count(r);

	for (int i = 0; i < ENDS; i++) {
		const uint64_t deadline = clock_ns() + 500 * US + i * 7 * US;
		uint64_t last = 0;

		lease(g, ULTRAVISOR_LEASE_RENEW, deadline);
		sleep_until(deadline + 300 * US);
		check(partition_info(g->partition.fd).out_lease_expired);
		lease(g, ULTRAVISOR_LEASE_RENEW, boot_ns() + 3600000 * MS);
		sleep_until(clock_ns() + 300 * US);
		/* The gap that the deadline made. */
		for (; seen < recorder_count(r); seen++) {
			const struct gap gap = recorder_gap(r, seen);

			if (gap.first > deadline && !last)
				last = gap.last;
		}
		check(last);
		sample_add(&late, ((double)last - (double)deadline) / 1e3);
	}
	printf("  %d leases that end while the guest runs\n", ENDS);
	report("  last instruction after the deadline, median", sample_rank(&late, 0.5), "us");
	report_at_most("  last instruction after the deadline, the latest",
		       sample_rank(&late, 1), "us", 10);
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
	recorder_prepare(g.memory, 200 * US);
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
	measure_end(&g, &r);
	ok(object_destroy(g.partition.id));
	check(!pthread_join(spinner.thread, NULL));
	return 0;
}

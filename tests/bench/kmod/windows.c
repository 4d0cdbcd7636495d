// SPDX-License-Identifier: Apache-2.0
/*
 * Partitions share a processor by time: of each frame of 10 ms two have 2 ms each, with time
 * between them, or four have 2 ms each, of which the next begins where one ends. How late each
 * window opens, the guest's first instruction against the processor's frame, and how late it
 * closes, the guest's last; by the guests' own clocks. All of that also beside a process that takes
 * all the time it can get.
 */
#include "common.h"
#include "recorder.h"

#define US 1000ull
#define MS 1000000ull
#define FRAME (10 * MS)
#define WINDOW (2 * MS)
#define FRAMES 50

#define MOST 4

static const struct plan {
	const char *how;
	size_t partitions;
	uint64_t start[MOST];
	bool hog;
} plans[] = {
	{ "apart, nothing beside them", 2, { 0, 5 * MS }, false },
	{ "adjacent, nothing beside them", 4, { 0, 2 * MS, 4 * MS, 6 * MS }, false },
	{ "apart, beside a hog", 2, { 0, 5 * MS }, true },
	{ "adjacent, beside a hog", 4, { 0, 2 * MS, 4 * MS, 6 * MS }, true },
};

/* Of the windows that had opened by the end: then this thread, which comes first, wakes up. */
static void judge(const struct recorder *r, uint64_t start, uint64_t end, struct sample *late,
		  struct sample *over)
{
	const size_t n = recorder_count(r);

	/* From a window's end to the next one's beginning. The first frame warms up. */
	check(n > FRAMES);
	for (size_t i = 1; i < n; i++) {
		const struct gap gap = recorder_gap(r, i);
		const uint64_t frame = (gap.first + FRAME / 2 - start) / FRAME * FRAME + start;

		if (gap.first >= end)
			break;
		sample_add(late, ((double)gap.first - (double)frame) / 1e3);
		sample_add(over, ((double)gap.last - (double)(frame - FRAME + WINDOW)) / 1e3);
	}
}

static void measure(void *arg)
{
	static const char *const name[MOST] = { "a", "b", "c", "d" };
	struct sample late = { 0 }, over = { 0 };
	const struct plan *plan = arg;
	struct spinner spinner[MOST];
	struct recorder r[MOST];
	struct guest g[MOST];
	uint64_t end;

	for (size_t i = 0; i < plan->partitions; i++) {
		struct ultravisor_context_set set = {
			.mode = ULTRAVISOR_CONTEXT_WINDOW, .window_start_ns = plan->start[i],
			.window_ns = WINDOW, .cpus = { 1 },
		};

		if (!give_processor(0, FRAME) || !define_with(&g[i], name[i], &set)) {
			report_absent("windows", "this module has none");
			return;
		}
		guest_build(&g[i], recorder_code, recorder_size, false);
		recorder_prepare(g[i].memory, 100 * US);
		recorder_open(&r[i], g[i].memory, guest_msrs, &g[i]);
	}
	for (size_t i = 0; i < plan->partitions; i++)
		spin_guest(&spinner[i], &g[i]);
	bench_urgent();
	end = clock_ns() + (FRAMES + 5) * FRAME;
	sleep_until(end);
	for (size_t i = 0; i < plan->partitions; i++) {
		judge(&r[i], plan->start[i], end, &late, &over);
		ok(object_destroy(g[i].partition.id));
		check(!pthread_join(spinner[i].thread, NULL));
	}
	printf("  %zu windows of %zu partitions, %s\n", late.count, plan->partitions, plan->how);
	report_at_most("  opened after their time, median", sample_rank(&late, 0.5), "us", 6);
	report_at_most("  opened after their time, the latest", sample_rank(&late, 1), "us", 12);
	report("  closed after their time, median", sample_rank(&over, 0.5), "us");
	report_at_most("  closed after their time, the latest", sample_rank(&over, 1), "us", 5);
}

int main(void)
{
	bench_open();
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		if (plans[i].hog)
			bench_hog();
		bench_apart(measure, (void *)&plans[i]);
		bench_alone();
	}
	return 0;
}

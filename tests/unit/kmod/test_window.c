// SPDX-License-Identifier: Apache-2.0
/* The module's window arithmetic, also against a model that goes nanosecond by nanosecond. */
/* sources: kmod/window.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kmod/window.h"

#define MS 1000000ull

static void a_window_opens_and_closes_in_each_frame(void **state)
{
	const struct uvr_window w = { .frame = 10 * MS, .phase = 3 * MS, .start = 2 * MS,
				      .length = 4 * MS };

	(void)state;
	/* Frames begin at 3, 13, 23; windows are [5, 9), [15, 19), ... */
	assert_int_equal(uvr_window_left(&w, 15 * MS - 1), 0);
	assert_int_equal(uvr_window_left(&w, 15 * MS), 4 * MS);
	assert_int_equal(uvr_window_left(&w, 19 * MS - 1), 1);
	assert_int_equal(uvr_window_left(&w, 19 * MS), 0);
	assert_int_equal(uvr_window_next(&w, 15 * MS - 1), 15 * MS);
	/* An opening that is now is not the next one. */
	assert_int_equal(uvr_window_next(&w, 15 * MS), 25 * MS);
	assert_int_equal(uvr_window_next(&w, 22 * MS), 25 * MS);
}

static void a_window_may_lie_across_a_multiple_of_the_frame(void **state)
{
	/* Start and phase together are more than a frame. */
	const struct uvr_window w = { .frame = 10 * MS, .phase = 8 * MS, .start = 7 * MS,
				      .length = 3 * MS };

	(void)state;
	assert_int_equal(uvr_window_left(&w, 15 * MS), 3 * MS);
	assert_int_equal(uvr_window_left(&w, 18 * MS), 0);
	assert_int_equal(uvr_window_next(&w, 0), 5 * MS);
}

static void before_the_first_frame_the_row_goes_on_backwards(void **state)
{
	const struct uvr_window w = { .frame = 1000 * MS, .phase = 900 * MS, .start = 0,
				      .length = 200 * MS };

	(void)state;
	assert_int_equal(uvr_window_left(&w, 0), 100 * MS);
	assert_int_equal(uvr_window_left(&w, 100 * MS), 0);
	assert_int_equal(uvr_window_next(&w, 0), 900 * MS);
}

static void no_number_of_frames_makes_it_drift(void **state)
{
	const struct uvr_window w = { .frame = 7 * MS + 13, .phase = 5, .start = 1 * MS,
				      .length = 2 * MS };
	const uint64_t n = 400ull * 86400 * 1000 / 7;		/* more than a year */

	(void)state;
	assert_int_equal(uvr_window_left(&w, w.phase + n * w.frame + w.start), w.length);
	assert_int_equal(uvr_window_left(&w, w.phase + n * w.frame + w.start - 1), 0);
	assert_int_equal(uvr_window_next(&w, w.phase + n * w.frame),
			 w.phase + n * w.frame + w.start);
}

static void windows_that_touch_do_not_overlap(void **state)
{
	const struct uvr_window a = { .start = 2, .length = 3 }, b = { .start = 5, .length = 1 },
				c = { .start = 4, .length = 9 }, d = { .start = 3, .length = 1 };

	(void)state;
	assert_false(uvr_window_overlaps(&a, &b));
	assert_false(uvr_window_overlaps(&b, &a));
	assert_true(uvr_window_overlaps(&a, &c));
	assert_true(uvr_window_overlaps(&c, &a));
	assert_true(uvr_window_overlaps(&a, &d));
	assert_true(uvr_window_overlaps(&d, &a));
	assert_true(uvr_window_overlaps(&a, &a));
}

static void a_window_ends_within_its_frame(void **state)
{
	struct uvr_window w = { .frame = 10 * MS, .start = 6 * MS, .length = 4 * MS };

	(void)state;
	assert_true(uvr_window_fits(&w));
	w.start++;
	assert_false(uvr_window_fits(&w));
	/* Sums that overflow do not fit, either. */
	w.start = ~0ull - 1 * MS;
	assert_false(uvr_window_fits(&w));
	w.start = 0;
	w.length = ~0ull;
	assert_false(uvr_window_fits(&w));
}

static void shares_are_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(uvr_share_ppm(2 * MS, 20 * MS), 100000);
	assert_int_equal(uvr_share_ppm(1000 * MS, 1000 * MS), 1000000);
	assert_int_equal(uvr_share_ppm(1, 1000 * MS), 1);
	assert_int_equal(uvr_share_ppm(1 * MS, 3 * MS), 333334);
	assert_int_equal(uvr_share_ppm(0, 1 * MS), 0);
}

static void agrees_with_a_model_that_goes_step_by_step(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 500; round++) {
		uint64_t frame = 1 + random() % 50, length = 1 + random() % frame;
		struct uvr_window w = { .frame = frame, .phase = random() % frame,
					.start = random() % (frame - length + 1),
					.length = length };
		uint64_t next = ~0ull;

		/* Backwards: which position of its frame each moment is. */
		for (uint64_t now = w.phase + 20 * frame; now-- > w.phase; ) {
			uint64_t at = (now - w.phase) % frame;
			bool open = at >= w.start && at < w.start + length;

			assert_int_equal(uvr_window_left(&w, now),
					 open ? w.start + length - at : 0);
			if (next != ~0ull)
				assert_int_equal(uvr_window_next(&w, now), next);
			if (at == w.start)
				next = now;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_opens_and_closes_in_each_frame),
		cmocka_unit_test(a_window_may_lie_across_a_multiple_of_the_frame),
		cmocka_unit_test(before_the_first_frame_the_row_goes_on_backwards),
		cmocka_unit_test(no_number_of_frames_makes_it_drift),
		cmocka_unit_test(windows_that_touch_do_not_overlap),
		cmocka_unit_test(a_window_ends_within_its_frame),
		cmocka_unit_test(shares_are_rounded_up),
		cmocka_unit_test(agrees_with_a_model_that_goes_step_by_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The module's budget arithmetic, also against a slow model that goes nanosecond by nanosecond. */
/* sources: kmod/budget.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kmod/budget.h"

#define MS 1000000ull
#define FOREVER (~0ull)

static void no_period_means_no_limit(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 0, 0, 5 * MS);
	assert_int_equal(uvr_budget_left(&b, 5 * MS), FOREVER);
	uvr_budget_charge(&b, 5 * MS, 500 * MS);
	assert_int_equal(uvr_budget_left(&b, 500 * MS), FOREVER);
	assert_int_equal(uvr_budget_wake(&b), 0);
}

static void a_budget_is_used_up_and_comes_back(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 2 * MS, 20 * MS, 100 * MS);
	assert_int_equal(uvr_budget_left(&b, 100 * MS), 2 * MS);
	uvr_budget_charge(&b, 101 * MS, 102 * MS);
	assert_int_equal(uvr_budget_left(&b, 102 * MS), 1 * MS);
	uvr_budget_charge(&b, 105 * MS, 106 * MS);
	assert_int_equal(uvr_budget_left(&b, 106 * MS), 0);
	assert_int_equal(uvr_budget_wake(&b), 120 * MS);
	assert_int_equal(uvr_budget_left(&b, 120 * MS - 1), 0);
	assert_int_equal(uvr_budget_left(&b, 120 * MS), 2 * MS);
}

static void what_was_used_beyond_is_paid_back(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 2 * MS, 20 * MS, 0);
	uvr_budget_charge(&b, 0, 7 * MS);
	/* 5 ms of debt: two periods are gone, the third has 1 ms. */
	assert_int_equal(uvr_budget_left(&b, 7 * MS), 0);
	assert_int_equal(uvr_budget_wake(&b), 60 * MS);
	assert_int_equal(uvr_budget_left(&b, 59 * MS), 0);
	assert_int_equal(uvr_budget_left(&b, 60 * MS), 1 * MS);
	assert_int_equal(uvr_budget_left(&b, 80 * MS), 2 * MS);
}

static void what_was_not_used_is_not_saved(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 2 * MS, 20 * MS, 0);
	assert_int_equal(uvr_budget_left(&b, 3600000 * MS), 2 * MS);
	assert_int_equal(b.start, 3600000 * MS);
}

static void a_run_across_the_end_of_a_period_is_split(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 10 * MS, 20 * MS, 0);
	uvr_budget_charge(&b, 15 * MS, 24 * MS);
	assert_int_equal(uvr_budget_left(&b, 24 * MS), 6 * MS);
	/* Exactly to the end of a period. */
	uvr_budget_charge(&b, 34 * MS, 40 * MS);
	assert_int_equal(uvr_budget_left(&b, 40 * MS), 10 * MS);
}

static void a_whole_period_may_be_the_budget(void **state)
{
	struct uvr_budget b;

	(void)state;
	uvr_budget_set(&b, 20 * MS, 20 * MS, 0);
	uvr_budget_charge(&b, 0, 1000003 * MS);
	assert_int_equal(uvr_budget_left(&b, 1000003 * MS), 17 * MS);
}

static void any_number_of_periods_at_once(void **state)
{
	struct uvr_budget b;

	(void)state;
	/* A month without a switch, in the smallest periods: neither a loop nor an overflow. */
	uvr_budget_set(&b, 100000, 1 * MS, 0);
	uvr_budget_charge(&b, 0, 30ull * 86400 * 1000 * MS);
	assert_int_equal(uvr_budget_left(&b, 30ull * 86400 * 1000 * MS), 0);
	assert_true(uvr_budget_wake(&b) > 9 * 30ull * 86400 * 1000 * MS);
	/* And slept through. */
	assert_int_equal(uvr_budget_left(&b, 400ull * 86400 * 1000 * MS), 100000);
}

/* ---- the model: one step at a time ---- */
struct model {
	uint64_t budget, period, start, used;
};

static void model_step(struct model *m, uint64_t now, int runs)
{
	if (now == m->start + m->period) {
		m->start = now;
		m->used = m->used > m->budget ? m->used - m->budget : 0;
	}
	m->used += runs;
}

static void agrees_with_a_model_that_goes_step_by_step(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		uint64_t period = 1 + random() % 60, budget = 1 + random() % period;
		uint64_t now = random() % 100;
		struct model m = { budget, period, now, 0 };
		struct uvr_budget b;

		uvr_budget_set(&b, budget, period, now);
		for (int i = 0; i < 20; i++) {
			int runs = random() & 1;
			uint64_t from = now, to = now + random() % (3 * period);
			uint64_t left;

			for (; now < to; now++)
				model_step(&m, now, runs);
			if (runs)
				uvr_budget_charge(&b, from, to);
			/* At `to` itself the period may turn. */
			model_step(&m, now, 0);
			left = m.used < budget ? budget - m.used : 0;
			assert_int_equal(uvr_budget_left(&b, to), left);
			if (!left) {
				uint64_t wake = uvr_budget_wake(&b);

				assert_true(wake > to);
				struct uvr_budget later = b;

				assert_int_equal(uvr_budget_left(&later, wake - 1), 0);
				assert_true(uvr_budget_left(&later, wake) > 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_period_means_no_limit),
		cmocka_unit_test(a_budget_is_used_up_and_comes_back),
		cmocka_unit_test(what_was_used_beyond_is_paid_back),
		cmocka_unit_test(what_was_not_used_is_not_saved),
		cmocka_unit_test(a_run_across_the_end_of_a_period_is_split),
		cmocka_unit_test(a_whole_period_may_be_the_budget),
		cmocka_unit_test(any_number_of_periods_at_once),
		cmocka_unit_test(agrees_with_a_model_that_goes_step_by_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The term of a lease: who may move it, when it is over, and when its timer must be touched. */
/* sources: kmod/term.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kmod/term.h"

#define S 1000000000ull

static void without_a_lease_nothing_expires(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	assert_false(uvr_term_expire(&t, ~0ull));
	assert_false(uvr_term_revive(&t, 0));
	assert_int_equal(uvr_term_alarm(&t), 0);
	assert_int_equal(uvr_term_renew(&t, 1, S), -ENOENT);
	assert_int_equal(t.deadline, 0);
}

static void only_its_own_epoch_moves_it(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	assert_int_equal(uvr_term_set(&t, 0, S), -EINVAL);
	assert_int_equal(uvr_term_set(&t, 7, 0), -EINVAL);
	assert_int_equal(uvr_term_set(&t, 7, S), 0);
	assert_int_equal(uvr_term_set(&t, 8, 2 * S), -ESTALE);
	assert_int_equal(uvr_term_renew(&t, 6, 2 * S), -ESTALE);
	assert_int_equal(uvr_term_renew(&t, 0, 2 * S), -EINVAL);
	assert_int_equal(uvr_term_renew(&t, 7, 0), -EINVAL);
	assert_int_equal(t.deadline, S);
	assert_int_equal(uvr_term_set(&t, 7, 3 * S), 0);
	assert_int_equal(uvr_term_renew(&t, 7, 2 * S), 0);
	assert_int_equal(t.deadline, 2 * S);
	assert_int_equal(t.epoch, 7);
}

static void it_ends_at_its_deadline_and_once(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	uvr_term_set(&t, 1, S);
	assert_false(uvr_term_expire(&t, S - 1));
	assert_true(uvr_term_expire(&t, S));
	assert_false(uvr_term_expire(&t, S + 1));
	assert_true(t.over);
}

static void a_renewal_alone_does_not_revive(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	uvr_term_set(&t, 1, S);
	assert_true(uvr_term_expire(&t, S));
	assert_int_equal(uvr_term_renew(&t, 1, 5 * S), 0);
	assert_true(t.over);
	assert_false(uvr_term_revive(&t, 5 * S));	/* too late again */
	assert_true(uvr_term_revive(&t, 4 * S));
	assert_false(uvr_term_revive(&t, 4 * S));
	assert_false(t.over);
	assert_true(uvr_term_expire(&t, 5 * S));
}

static void a_renewal_into_the_past_ends_it(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	uvr_term_set(&t, 1, 9 * S);
	assert_int_equal(uvr_term_alarm(&t), 9 * S);
	uvr_term_renew(&t, 1, S);
	assert_int_equal(uvr_term_alarm(&t), S);
	assert_true(uvr_term_expire(&t, 2 * S));
	assert_int_equal(uvr_term_alarm(&t), 0);
}

static void a_later_deadline_leaves_the_timer_alone(void **state)
{
	struct uvr_term t = { 0 };

	(void)state;
	uvr_term_set(&t, 1, 2 * S);
	assert_int_equal(uvr_term_alarm(&t), 2 * S);
	for (u64 s = 3; s < 100; s++) {
		uvr_term_renew(&t, 1, s * S);
		assert_int_equal(uvr_term_alarm(&t), 0);
	}
	/* It goes off early, once, and is set to what has become of the deadline. */
	assert_false(uvr_term_expire(&t, 2 * S));
	uvr_term_alarmed(&t);
	assert_int_equal(uvr_term_alarm(&t), 99 * S);
}

/* Whatever is done, in any order: a timer is set for no later than the deadline, or it is over. */
static void there_is_always_an_alarm_in_time(void **state)
{
	struct uvr_term t = { 0 };
	u64 now = 1;

	(void)state;
	srand(1);
	for (int i = 0; i < 100000; i++) {
		now += rand() % 100;
		switch (rand() % 4) {
		case 0:
			uvr_term_set(&t, 1, now + rand() % 300 - 100 + 1);
			break;
		case 1:
			uvr_term_renew(&t, 1 + rand() % 2, now + rand() % 300);
			break;
		case 2:
			uvr_term_revive(&t, now);
			break;
		}
		uvr_term_alarm(&t);
		if (t.alarm && t.alarm <= now) {
			uvr_term_expire(&t, now);
			uvr_term_alarmed(&t);
			uvr_term_alarm(&t);
		}
		if (t.deadline && !t.over) {
			assert_true(t.alarm && t.alarm <= t.deadline);
			assert_true(now < t.deadline);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_lease_nothing_expires),
		cmocka_unit_test(only_its_own_epoch_moves_it),
		cmocka_unit_test(it_ends_at_its_deadline_and_once),
		cmocka_unit_test(a_renewal_alone_does_not_revive),
		cmocka_unit_test(a_renewal_into_the_past_ends_it),
		cmocka_unit_test(a_later_deadline_leaves_the_timer_alone),
		cmocka_unit_test(there_is_always_an_alarm_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

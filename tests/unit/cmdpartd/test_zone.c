/* SPDX-License-Identifier: Apache-2.0 */
/* The policy's section "zones", and what it lets each zone talk to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cmdpartd/policy.h>

/* 0, or -1 and the error. */
static int parse(struct policy *p, const char *zones, struct error *e)
{
	json_t *json = json_pack("{s:o}", "zones", json_loads(zones, 0, NULL));
	int rc = policy_parse(p, json, "test", e);

	json_decref(json);
	return rc;
}

static void talks(const struct policy *p, const char *zone, const char *expected)
{
	char text[COMMAND_TALKS_LEN];

	policy_zone_talks(p, zone, text);
	assert_string_equal(text, expected);
}

static void test_two_talk_if_either_says_so(void **state)
{
	struct policy *p = malloc(sizeof(*p));
	struct error e = ERROR_NONE;

	(void)state;
	assert_int_equal(parse(p, "{ \"web\": [ \"db\", \"default\" ], \"db\": [],"
			       " \"alone\": [] }", &e), 0);
	talks(p, "web", "db,default");
	talks(p, "db", "web");
	talks(p, "default", "web");
	talks(p, "", "web");
	talks(p, "alone", "");
	assert_true(policy_has_zone(p, ""));
	assert_true(policy_has_zone(p, "default"));
	assert_true(policy_has_zone(p, "alone"));
	assert_false(policy_has_zone(p, "other"));
	free(p);
}

static void test_what_is_refused(void **state)
{
	static const char *const bad[] = {
		"{ \"web\": [ \"dB\" ] }", "{ \"web\": [ \"db\" ] }", "{ \"We\": [] }",
		"{ \"web\": \"db\", \"db\": [] }", "{ \"web\": [ 1 ] }",
		/* It talks to one, and four to it. */
		"{ \"a\": [ \"f\" ], \"b\": [ \"a\" ], \"c\": [ \"a\" ], \"d\": [ \"a\" ],"
		" \"e\": [ \"a\" ], \"f\": [] }",
	};
	struct policy *p = malloc(sizeof(*p));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct error e = ERROR_NONE;

		assert_int_equal(parse(p, bad[i], &e), -1);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_talk_if_either_says_so),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

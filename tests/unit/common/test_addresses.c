/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of IP addresses, as they travel between daemons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <common/addresses.h>

static void test_each_is_taken_in_turn(void **state)
{
	const char *at = "10.0.0.5,fd00::5";
	struct address a;

	(void)state;
	assert_int_equal(addresses_next(&at, &a), 1);
	assert_int_equal(a.family, AF_INET);
	assert_string_equal(a.text, "10.0.0.5");
	assert_int_equal(addresses_next(&at, &a), 1);
	assert_int_equal(a.family, AF_INET6);
	assert_int_equal(a.bytes[15], 5);
	assert_int_equal(addresses_next(&at, &a), 0);
}

static void test_what_is_a_list(void **state)
{
	(void)state;
	assert_true(addresses_valid(""));
	assert_true(addresses_valid("10.0.0.5"));
	assert_true(addresses_valid("10.0.0.5,fd00::5,10.0.0.6,fe80::1"));
	/* The fifth; written otherwise; no hosts; no addresses. */
	assert_false(addresses_valid("10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8,10.0.0.9"));
	assert_false(addresses_valid("fd00:0::5"));
	assert_false(addresses_valid("0.0.0.0"));
	assert_false(addresses_valid("255.255.255.255"));
	assert_false(addresses_valid("::"));
	assert_false(addresses_valid("ff02::1"));
	assert_false(addresses_valid("10.0.0.5,"));
	assert_false(addresses_valid(",10.0.0.5"));
	assert_false(addresses_valid("10.0.0.5 accept"));
	assert_false(addresses_valid("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_taken_in_turn),
		cmocka_unit_test(test_what_is_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

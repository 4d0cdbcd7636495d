/* SPDX-License-Identifier: Apache-2.0 */
/* What is left is what the kernel says of a child that has given up the rest. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/privileges.h>

#define SOMEBODY 60123

/* The status of a child that runs this: 0, or the line at which it went wrong. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define CHECK(condition) do { if (!(condition)) return __LINE__; } while (0)

/* The value of a line of /proc/self/status, hexadecimal. */
static unsigned long long status_of(const char *key)
{
	char line[256], format[32];
	unsigned long long value = ~0ULL;
	FILE *f = fopen("/proc/self/status", "re");

	snprintf(format, sizeof(format), "%s:%%llx", key);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			break;
	if (f)
		fclose(f);
	return value;
}

static bool nothing_is_left(void)
{
	return !status_of("CapEff") && !status_of("CapPrm") && !status_of("CapInh") &&
	       !status_of("CapAmb") && status_of("NoNewPrivs") == 1;
}

static int become_somebody(void)
{
	const gid_t group = SOMEBODY + 2;
	uid_t r, e, s;
	gid_t got;

	CHECK(privileges_become(SOMEBODY, SOMEBODY + 1, &group, 1) == 0);
	CHECK(setuid(0) < 0 && setgroups(0, NULL) < 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == SOMEBODY && e == SOMEBODY && s == SOMEBODY);
	CHECK(getresgid(&r, &e, &s) == 0 && r == SOMEBODY + 1 && e == r && s == r);
	CHECK(getgroups(1, &got) == 1 && got == group);
	CHECK(nothing_is_left() && !status_of("CapBnd"));
	/* Once more is no error; another user is. */
	CHECK(privileges_become(SOMEBODY, SOMEBODY + 1, NULL, 0) == 0);
	CHECK(privileges_become(SOMEBODY + 5, SOMEBODY, NULL, 0) == -EPERM);
	CHECK(geteuid() == SOMEBODY);
	return 0;
}

static void test_root_becomes_a_user_for_good(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(become_somebody), 0);
}

static int keep_two(void)
{
	static const unsigned int two[] = { CAP_KILL, CAP_SETPCAP };
	const unsigned long long mask = 1ULL << CAP_KILL | 1ULL << CAP_SETPCAP;

	CHECK(privileges_keep(two, 2) == 0);
	CHECK(geteuid() == 0);
	CHECK(status_of("CapEff") == mask && status_of("CapPrm") == mask);
	CHECK(status_of("CapBnd") == mask && status_of("NoNewPrivs") == 1);
	CHECK(status_of("CapInh") == 0 && status_of("CapAmb") == 0);
	/* What is gone does not come back, and no user can be taken without the right to. */
	CHECK(setuid(SOMEBODY) < 0);
	CHECK(privileges_become(SOMEBODY, SOMEBODY, NULL, 0) == -EPERM);
	return 0;
}

static void test_root_keeps_what_is_named(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(keep_two), 0);
}

static int drop_as_i_am(void)
{
	if (geteuid() == 0)
		CHECK(setgroups(0, NULL) == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	CHECK(privileges_keep(NULL, 0) == 0);
	CHECK(nothing_is_left());
	CHECK(privileges_become(geteuid(), getegid(), NULL, 0) == 0);
	CHECK(privileges_become(geteuid() + 1, getegid(), NULL, 0) == -EPERM);
	return 0;
}

static void test_a_user_stays_who_it_is(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_as_i_am), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_becomes_a_user_for_good),
		cmocka_unit_test(test_root_keeps_what_is_named),
		cmocka_unit_test(test_a_user_stays_who_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for an obstacle to guests' networks, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <uvd/obstacle.h>

#define HEAD "table ip filter {\n\tchain FORWARD {\n" \
	"\t\ttype filter hook forward priority filter; policy "

static void test_a_chain_that_drops(void **state)
{
	(void)state;
	assert_true(obstacle_forward(HEAD "drop;\n\t}\n}\n", "uvbr0"));
	assert_true(obstacle_forward(HEAD "drop;\n\t\tiifname \"docker0\" accept\n\t}\n}\n",
				     "uvbr0"));
	/* Somebody has thought of the bridge, or of taps. */
	assert_false(obstacle_forward(HEAD "drop;\n\t\tiifname \"uvbr0\" accept\n\t}\n}\n",
				      "uvbr0"));
	assert_false(obstacle_forward(HEAD "drop;\n\t\tiifname \"uvt*\" accept\n\t}\n}\n",
				      "uvbr0"));
	assert_false(obstacle_forward(HEAD "accept;\n\t}\n}\n", "uvbr0"));
	assert_false(obstacle_forward("", "uvbr0"));
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_records_of_others(void **state)
{
	char dir[] = "/tmp/obstacle.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_false(obstacle_bridge_calls(".", "ip"));
	assert_false(obstacle_managed(".", 7));
	mkdir("net", 0700);
	mkdir("net/bridge", 0700);
	mkdir("NetworkManager", 0700);
	mkdir("NetworkManager/devices", 0700);
	write_file("net/bridge/bridge-nf-call-iptables", "1\n");
	write_file("net/bridge/bridge-nf-call-ip6tables", "0\n");
	write_file("NetworkManager/devices/7", "[device]\nmanaged=true\n");
	write_file("NetworkManager/devices/8", "[device]\nmanaged=false\n");
	assert_true(obstacle_bridge_calls(".", "ip"));
	assert_false(obstacle_bridge_calls(".", "ip6"));
	assert_true(obstacle_managed(".", 7));
	assert_false(obstacle_managed(".", 8));
	unlink("net/bridge/bridge-nf-call-iptables");
	unlink("net/bridge/bridge-nf-call-ip6tables");
	unlink("NetworkManager/devices/7");
	unlink("NetworkManager/devices/8");
	rmdir("net/bridge");
	rmdir("net");
	rmdir("NetworkManager/devices");
	rmdir("NetworkManager");
	assert_int_equal(chdir("/"), 0);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_chain_that_drops),
		cmocka_unit_test(test_records_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

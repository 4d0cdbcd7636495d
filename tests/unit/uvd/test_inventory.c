/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory of machines that we do not have, read from trees of files, and the default pool. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <uvd/inventory.h>
#include <uvd/preview.h>

#define TOPOLOGY "/sys/devices/system/cpu/cpu%u/topology/"

static char root[64];
static struct inventory inv;

static void put(const char *path, const char *text)
{
	char full[256], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_cpu(unsigned int cpu, unsigned int package, unsigned int core, const char *siblings)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), TOPOLOGY "physical_package_id", cpu);
	snprintf(text, sizeof(text), "%u\n", package);
	put(path, text);
	snprintf(path, sizeof(path), TOPOLOGY "core_id", cpu);
	snprintf(text, sizeof(text), "%u\n", core);
	put(path, text);
	snprintf(path, sizeof(path), TOPOLOGY "thread_siblings_list", cpu);
	put(path, siblings);
}

static void put_process(const char *pid, bool user, const char *allowed)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	snprintf(text, sizeof(text),
		 "Name:\tx\n%sCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems:\t0\n",
		 user ? "VmSize:\t  100 kB\n" : "", allowed);
	put(path, text);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test-inventory-XXXXXX");
	assert_non_null(mkdtemp(root));
	put("/proc/meminfo",
	    "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* Two packages of two cores with two threads each; one node a package. */
static void put_server(void)
{
	put("/sys/devices/system/cpu/online", "0-7\n");
	put_cpu(0, 0, 0, "0,4\n");
	put_cpu(1, 0, 1, "1,5\n");
	put_cpu(2, 1, 0, "2,6\n");
	put_cpu(3, 1, 1, "3,7\n");
	put_cpu(4, 0, 0, "0,4\n");
	put_cpu(5, 0, 1, "1,5\n");
	put_cpu(6, 1, 0, "2,6\n");
	put_cpu(7, 1, 1, "3,7\n");
	put("/sys/devices/system/node/online", "0,2\n");
	put("/sys/devices/system/node/node0/cpulist", "0-1,4-5\n");
	put("/sys/devices/system/node/node2/cpulist", "2-3,6-7\n");
	put("/sys/devices/system/node/node0/meminfo",
	    "Node 0 MemTotal:  2097152 kB\nNode 0 MemFree: 1 kB\n");
	put("/sys/devices/system/node/node2/meminfo", "Node 2 MemTotal:  6291456 kB\n");
}

static void test_a_server_with_nodes_and_threads(void **state)
{
	(void)state;
	put_server();
	put("/sys/block/sda/device/model", "x");
	put("/sys/block/loop0/size", "0");
	put("/sys/class/net/eth0/device/vendor", "x");
	put("/sys/class/net/lo/mtu", "65536");
	assert_int_equal(inventory_read(&inv, root), 0);
	assert_int_equal(inv.cpus, 8);
	assert_int_equal(inv.nodes, 2);
	assert_int_equal(inv.cpu[6].node, 2);
	assert_int_equal(inv.cpu[6].package, 1);
	assert_int_equal(inv.cpu[5].core, 1);
	assert_true(cpuset_has(&inv.cpu[5].siblings, 1));
	assert_int_equal(inv.node[2].memory, 6ULL << 30);
	assert_int_equal(inv.memory, 8ULL << 30);
	assert_int_equal(inv.available, 6ULL << 30);
	assert_int_equal(inv.devices, 1);
	assert_int_equal(inv.interfaces, 1);
}

static void pool(struct cpuset *cpus, uint64_t *memory, char reason[256])
{
	assert_int_equal(inventory_read(&inv, root), 0);
	inventory_read_pinned(&inv, root);
	inventory_default_pool(&inv, cpus, memory, reason, 256);
}

static void test_the_pool_leaves_the_first_core_and_half_of_the_memory(void **state)
{
	struct cpuset cpus;
	char reason[256], list[64];
	uint64_t memory;

	(void)state;
	put_server();
	put_process("1", true, "0-7");
	put_process("77", true, "0-7");
	pool(&cpus, &memory, reason);
	cpuset_format(&cpus, list, sizeof(list));
	assert_string_equal(list, "1-3,5-7");
	assert_int_equal(memory, 3ULL << 30);
	assert_non_null(strstr(reason, "not the core of CPU 0"));
}

static void test_the_pool_leaves_what_processes_are_bound_to(void **state)
{
	struct cpuset cpus;
	char reason[256], list[64];
	uint64_t memory;

	(void)state;
	put_server();
	put_process("1", true, "0-7");
	put_process("77", true, "3,7");
	put_process("78", false, "5");		/* a kernel thread: every CPU has some */
	pool(&cpus, &memory, reason);
	cpuset_format(&cpus, list, sizeof(list));
	assert_string_equal(list, "1-2,5-6");
	assert_non_null(strstr(reason, "bound to: 3,7"));
}

static void test_what_binds_everybody_binds_nobody(void **state)
{
	struct cpuset cpus;
	char reason[256], list[64];
	uint64_t memory;

	(void)state;
	put_server();
	/* isolcpus=2-3,6-7: PID 1 and all others are kept to the rest. */
	put_process("1", true, "0-1,4-5");
	put_process("77", true, "0-1,4-5");
	pool(&cpus, &memory, reason);
	cpuset_format(&cpus, list, sizeof(list));
	assert_string_equal(list, "1-3,5-7");
}

static void test_a_host_of_one_core_shares_it(void **state)
{
	struct cpuset cpus;
	char reason[256];
	uint64_t memory;

	(void)state;
	put("/sys/devices/system/cpu/online", "0-1\n");
	put_cpu(0, 0, 0, "0-1\n");
	put_cpu(1, 0, 0, "0-1\n");
	pool(&cpus, &memory, reason);
	assert_int_equal(cpuset_count(&cpus), 2);
	assert_non_null(strstr(reason, "one core"));
	assert_int_equal(inv.nodes, 1);
	assert_int_equal(inv.node[0].memory, 8ULL << 30);
}

static void test_what_would_be_taken_is_said_before(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	(void)state;
	put_server();
	put_process("1", true, "0-7");
	put_process("77", true, "3");
	f = open_memstream(&text, &size);
	assert_non_null(f);
	assert_int_equal(preview_print(f, root), 0);
	fclose(f);
	assert_non_null(strstr(text, "\nfor partitions:      3 GiB\n"));
	assert_non_null(strstr(text, "\nCPUs for partitions: 1-2,5-7\n"));
	assert_non_null(strstr(text, "bound to: 3; 3 GiB, half of the 6 GiB"));
	assert_non_null(strstr(text, "   2     2     0  2,6         default  free\n"));
	assert_non_null(strstr(text, "   3     2     1  3,7         -        the host\n"));
	assert_non_null(strstr(text, "   2       6 GiB        2.25 GiB\n"));
	free(text);
}

static void test_rows_follow_the_hardware(void **state)
{
	char path[128];
	int64_t n, before;
	struct db *db;

	(void)state;
	put_server();
	assert_int_equal(inventory_read(&inv, root), 0);
	assert_int_equal(db_open(&db, root), 0);
	assert_int_equal(inventory_store(&inv, db), 0);
	assert_int_equal(db_value(db, &n, "SELECT count(*) FROM processor WHERE in_pool", ""), 0);
	assert_int_equal(n, 6);
	/* 3 GiB of pool, in the proportion of 2 to 6. */
	assert_int_equal(db_value(db, &n, "SELECT memory_pool FROM node WHERE node = 0", ""), 0);
	assert_int_equal(n, 768 << 20);
	assert_int_equal(db_value(db, &n, "SELECT memory_pool FROM node WHERE node = 2", ""), 0);
	assert_int_equal(n, 2304LL << 20);
	assert_int_equal(db_value(db, &n, "SELECT count(*) FROM partition", ""), 0);
	assert_int_equal(n, 5);

	assert_int_equal(db_value(db, &before, "SELECT count(*) FROM history", ""), 0);
	/* The next start: a CPU is offline, and nothing else changes. */
	put("/sys/devices/system/cpu/online", "0-6\n");
	assert_int_equal(inventory_read(&inv, root), 0);
	assert_int_equal(inventory_store(&inv, db), 0);
	assert_int_equal(db_value(db, &n, "SELECT count(*) FROM processor WHERE NOT present", ""),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_value(db, &n, "SELECT count(*) FROM partition", ""), 0);
	assert_int_equal(n, 5);
	assert_int_equal(db_value(db, &n, "SELECT count(*) FROM history", ""), 0);
	assert_int_equal(n, before + 1);
	db_close(db);
	snprintf(path, sizeof(path), "%s/uvd.db", root);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_two_uvds_do_not_share_a_database(void **state)
{
	struct db *a, *b;

	(void)state;
	assert_int_equal(db_open(&a, root), 0);
	assert_int_equal(db_open(&b, root), -EBUSY);
	db_close(a);
	assert_int_equal(db_open(&b, root), 0);
	db_close(b);
}

static void test_a_database_of_another_version_is_refused(void **state)
{
	struct db *db;

	(void)state;
	assert_int_equal(db_open(&db, root), 0);
	assert_int_equal(sqlite3_exec(db_handle(db), "PRAGMA user_version=1", NULL, NULL, NULL),
			 SQLITE_OK);
	db_close(db);
	assert_int_equal(db_open(&db, root), -EPROTO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_server_with_nodes_and_threads),
		TEST(test_the_pool_leaves_the_first_core_and_half_of_the_memory),
		TEST(test_the_pool_leaves_what_processes_are_bound_to),
		TEST(test_what_binds_everybody_binds_nobody),
		TEST(test_a_host_of_one_core_shares_it),
		TEST(test_what_would_be_taken_is_said_before),
		TEST(test_rows_follow_the_hardware),
		TEST(test_two_uvds_do_not_share_a_database),
		TEST(test_a_database_of_another_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

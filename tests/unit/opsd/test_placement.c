/* SPDX-License-Identifier: Apache-2.0 */
/* Placement: each rule objects for its reason, and the best host comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <opsd/placement.h>

#define UUID	"6f1c1b3e-0000-4000-8000-000000000002"
#define GiB	(1ull << 30)

/* Three hosts with a domain of 8 GiB and three CPUs, all empty; and a partition of 1 GiB. */
static struct host host[3];
static struct store_domain domain[3];
static struct host_partition running[3];
static struct hosts hosts;
static struct definition d;
static struct store_partition where;
static struct placement_verdict v[OPS_MAX_HOSTS];

static int setup(void **state)
{
	int i;

	(void)state;
	TAILQ_INIT(&hosts);
	memset(host, 0, sizeof(host));
	memset(running, 0, sizeof(running));
	for (i = 0; i < 3; i++) {
		domain[i] = (struct store_domain){
			.name = "default", .cpus = "1-3", .cpus_free = 3, .memory = 8 * GiB,
		};
		strcpy(running[i].uuid, UUID);
		host[i].row.state = HOST_UP;
		snprintf(host[i].row.name, sizeof(host[i].row.name), "node%d", i + 1);
		host[i].domain = &domain[i];
		host[i].domains = 1;
		host[i].partition = &running[i];
		TAILQ_INSERT_TAIL(&hosts, &host[i], link);
	}
	d = (struct definition){
		.name = "web1", .domain = "default", .vcpus = 1, .mode = MODE_SHARED, .memory = GiB,
	};
	where = (struct store_partition){ .name = "web1", .uuid = UUID };
	return 0;
}

static void runs_on(int i, const char *as)
{
	strcpy(running[i].state, as);
	host[i].partitions = 1;
}

static size_t rank(const struct store_partition *row)
{
	return placement_rank(&hosts, &d, UUID, row, v);
}

/* The verdict on a host by its number. */
static const struct placement_verdict *of(int i)
{
	int at;

	for (at = 0; at < 3; at++)
		if (v[at].host == &host[i])
			return &v[at];
	return NULL;
}

static void assert_passed_over(int i, const char *rule, enum exit_code code, const char *reason)
{
	assert_false(of(i)->fits);
	assert_string_equal(of(i)->rule, rule);
	assert_int_equal(of(i)->code, code);
	assert_string_equal(of(i)->reason, reason);
}

static void equal_hosts_come_in_order_of_their_names(void **state)
{
	(void)state;
	assert_int_equal(rank(NULL), 3);
	assert_ptr_equal(v[0].host, &host[0]);
	assert_ptr_equal(v[2].host, &host[2]);
	assert_true(v[0].fits && v[1].fits && v[2].fits);
	assert_int_equal(v[0].score, 87);
	assert_string_equal(v[0].reason, "7 GiB of domain default would stay free");
}

static void the_emptiest_host_comes_first(void **state)
{
	(void)state;
	domain[0].memory_assigned = 4 * GiB;
	domain[1].memory_assigned = 2 * GiB;
	rank(NULL);
	assert_ptr_equal(v[0].host, &host[2]);
	assert_ptr_equal(v[1].host, &host[1]);
	assert_ptr_equal(v[2].host, &host[0]);
}

static void where_it_was_before_comes_before_all(void **state)
{
	(void)state;
	domain[1].memory_assigned = 6 * GiB;
	strcpy(where.host, "node2");
	rank(&where);
	assert_ptr_equal(v[0].host, &host[1]);
	assert_true(v[0].here_before);
	assert_int_equal(v[0].score, PLACEMENT_HERE_BEFORE + 12);
}

static void memory_must_fit_exactly(void **state)
{
	(void)state;
	domain[0].memory_assigned = 7 * GiB;
	domain[1].memory_assigned = 7 * GiB + 1;
	domain[2].memory_assigned = 9 * GiB;	/* more than all: the pool was made smaller */
	rank(NULL);
	assert_true(of(0)->fits);
	assert_int_equal(of(0)->score, 0);
	assert_false(of(1)->fits);
	assert_passed_over(2, "memory", EXIT_RESOURCES,
			   "1 GiB of memory asked, 0 KiB of 8 GiB free in domain default");
}

static void only_dedicated_processors_are_counted(void **state)
{
	(void)state;
	d.vcpus = 2;
	domain[0].cpus_free = 1;
	rank(NULL);
	assert_true(of(0)->fits);
	d.mode = MODE_DEDICATED;
	rank(NULL);
	assert_passed_over(0, "cpus", EXIT_RESOURCES,
			   "2 dedicated processors asked, 1 of domain default (1-3) are free");
	assert_true(of(1)->fits);
}

static void a_host_without_the_domain_is_passed_over(void **state)
{
	(void)state;
	strcpy(domain[0].name, "batch");
	host[1].domains = 0;
	rank(NULL);
	assert_passed_over(0, "domain", EXIT_NOT_FOUND, "it has no domain default");
	assert_passed_over(1, "domain", EXIT_NOT_FOUND, "it has no domain default");
	assert_true(of(2)->fits);
}

static void a_silent_host_is_passed_over(void **state)
{
	(void)state;
	host[0].row.state = HOST_DOWN;
	strcpy(host[0].row.why, "Couldn't connect to server");
	host[1].row.state = HOST_UNKNOWN;
	rank(NULL);
	assert_passed_over(0, "up", EXIT_UNREACHABLE,
			   "its resource service does not answer: Couldn't connect to server");
	assert_passed_over(1, "up", EXIT_UNREACHABLE, "its resource service does not answer");
}

static void a_retired_host_gets_nothing_new(void **state)
{
	(void)state;
	host[0].retired = true;
	rank(&where);
	assert_passed_over(0, "configured", EXIT_CONFLICT,
			   "it is no longer configured (opsd --host)");
	runs_on(0, "running");
	rank(&where);
	assert_true(of(0)->fits);
}

static void while_it_runs_only_its_host_is_asked(void **state)
{
	static const char *const states[] = { "starting", "running", "paused", "stopping" };
	size_t i;

	(void)state;
	/* Full as it is: what runs there fits there. */
	domain[1].memory_assigned = 8 * GiB;
	for (i = 0; i < 4; i++) {
		runs_on(1, states[i]);
		rank(&where);
		assert_ptr_equal(v[0].host, &host[1]);
		assert_true(v[0].fits);
		assert_false(of(0)->fits || of(2)->fits);
		assert_string_equal(of(0)->rule, "elsewhere");
	}
	assert_passed_over(0, "elsewhere", EXIT_CONFLICT, "web1 is stopping on node2");
	runs_on(1, "defined");
	rank(&where);
	assert_true(of(0)->fits);
	runs_on(1, "failed");
	rank(&where);
	assert_true(of(0)->fits);
}

static void another_partition_of_that_name_does_not_count(void **state)
{
	(void)state;
	runs_on(1, "running");
	strcpy(running[1].uuid, "6f1c1b3e-0000-4000-8000-00000000ffff");
	rank(&where);
	assert_true(of(0)->fits && of(2)->fits);
}

static void a_silent_host_that_may_run_it_forbids_all_others(void **state)
{
	(void)state;
	host[0].row.state = HOST_DOWN;
	strcpy(where.host, "node1");
	where.active = true;
	rank(&where);
	assert_false(v[0].fits);
	assert_passed_over(1, "elsewhere", EXIT_CONFLICT,
			   "web1 was placed on node1, which is silent: it may run there");
	/* Also one that was told to stop, and was not seen to be off. */
	where.active = false;
	strcpy(where.seen, "stopping");
	rank(&where);
	assert_false(of(1)->fits);
	/* Off was its last word: that counts, as opsd alone moves a partition. */
	strcpy(where.seen, "defined");
	rank(&where);
	assert_true(of(1)->fits && of(2)->fits);
	assert_false(of(0)->fits);
}

#define each(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(equal_hosts_come_in_order_of_their_names),
		each(the_emptiest_host_comes_first),
		each(where_it_was_before_comes_before_all),
		each(memory_must_fit_exactly),
		each(only_dedicated_processors_are_counted),
		each(a_host_without_the_domain_is_passed_over),
		each(a_silent_host_is_passed_over),
		each(a_retired_host_gets_nothing_new),
		each(while_it_runs_only_its_host_is_asked),
		each(another_partition_of_that_name_does_not_count),
		each(a_silent_host_that_may_run_it_forbids_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

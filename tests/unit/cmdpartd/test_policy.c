/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: what is read, refused, printed, and what roles may use because of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../cmdpartd/policy.h"

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, NULL);
	if (!json)
		fail_msg("test's own JSON is bad: %s", copy);
	free(copy);
	return json;
}

/* Golden: what the defaults are, as --check-config prints them. Changing one is a decision. */
static void the_defaults_are_these(void **state)
{
	json_t *expected = parse(
		"{ 'version': 1,"
		"  'roles': { 'operations': { 'paths': [ '/var/lib/ultravisor/images' ],"
		"                             'bridges': [ 'uvbr0' ] },"
		"             'operator': { 'paths': [ '/var/lib/ultravisor/images' ],"
		"                           'bridges': [ 'uvbr0' ] } },"
		"  'quotas': { 'partitions': 256, 'vcpus': 64, 'memory': '1TiB', 'devices': 16 },"
		"  'placement': { 'vcpus_per_cpu': 8, 'whole_cores': true,"
		"                 'domains_share_cores': false, 'order': 'spread',"
		"                 'numa': 'prefer', 'page_size': '4KiB', 'io_partitions': 2 },"
		"  'io': { 'fail_back_s': 10 }, 'autostart': [] }");
	struct policy p;
	json_t *json;

	(void)state;
	policy_defaults(&p);
	json = policy_to_json(&p);
	assert_true(json_equal(json, expected));
	json_decref(json);
	json_decref(expected);
}

static void a_whole_policy_is_read_and_printed_as_it_was(void **state)
{
	json_t *json = parse(
		"{ 'version': 1, 'host': { 'cpus': '2-63', 'memory': '200GiB',"
		"                           'headroom': '2GiB' },"
		"  'domains': [ { 'name': 'default', 'cpus': '2-31', 'memory': '100GiB',"
		"                 'frame_ms': 10, 'phase_us': 0 },"
		"               { 'name': 'batch', 'cpus': '32-63', 'memory': '100GiB',"
		"                 'frame_ms': 20, 'phase_us': 5000, 'partitions': 7,"
		"                 'vcpus_per_cpu': 3, 'page_size': '4KiB' } ],"
		"  'roles': { 'operations': { 'paths': [ '/srv' ], 'bridges': [ 'br0', 'uvbr0' ] },"
		"             'operator': { 'paths': [], 'bridges': [] } },"
		"  'quotas': { 'partitions': 10, 'vcpus': 8, 'memory': '16GiB', 'devices': 4 },"
		"  'placement': { 'vcpus_per_cpu': 2, 'whole_cores': false,"
		"                 'domains_share_cores': true, 'order': 'pack', 'numa': 'strict',"
		"                 'page_size': '2MiB', 'io_partitions': 1,"
		"                 'dedicated': '60-63' }, 'io': { 'fail_back_s': 0 },"
		"  'autostart': [ 'db', 'web1' ] }");
	struct error e = ERROR_NONE;
	static struct policy p;
	json_t *again;

	(void)state;
	if (policy_parse(&p, json, "policy.json", &e) < 0)
		fail_msg("%s: %s", e.where, e.message);
	again = policy_to_json(&p);
	assert_true(json_equal(json, again));
	assert_int_equal(p.host_memory, 200ull << 30);
	assert_true(cpuset_has(&p.domain[1].cpus, 63));
	assert_int_equal(p.role[ROLE_OPERATOR].paths, 0);
	assert_true(policy_huge_pages(&p, "default"));
	assert_false(policy_huge_pages(&p, "batch"));
	json_decref(again);
	json_decref(json);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	to = fopen(path, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static void drop_ins_change_parts_and_a_fault_names_its_file(void **state)
{
	char folder[] = "/tmp/policy-XXXXXX", path[64], dir[64], command[128];
	struct error e = ERROR_NONE;
	static struct policy p;
	bool found;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/policy.json", folder);
	snprintf(dir, sizeof(dir), "%s/policy.d", folder);
	assert_int_equal(mkdir(dir, 0755), 0);
	/* A drop-in counts without the file, too. */
	write_file(dir, "50-site.json", "{ \"quotas\": { \"vcpus\": 4 } }");
	assert_int_equal(policy_load(&p, path, &found, &e), 0);
	assert_true(found);
	assert_int_equal(p.partition_vcpus, 4);
	write_file(folder, "policy.json",
		   "{ \"quotas\": { \"vcpus\": 2, \"devices\": 3 } }");
	write_file(dir, "60-more.json", "{ \"quotas\": { \"vcpus\": 5 } }");
	write_file(dir, "99-not-read", "{ bad");
	assert_int_equal(policy_load(&p, path, &found, &e), 0);
	assert_int_equal(p.partition_vcpus, 5);
	assert_int_equal(p.partition_devices, 3);
	write_file(dir, "55-bad.json", "{ \"quotas\": { \"vcpu\": 5 } }");
	assert_int_equal(policy_load(&p, path, &found, &e), -1);
	assert_non_null(strstr(e.where, "55-bad.json: quotas.vcpu"));
	error_clear(&e);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static const struct {
	const char *text, *where, *message;
} refused[] = {
	{ "{ 'hots': {} }", "hots", "unknown key" },
	{ "{ 'version': 2 }", "version", "out of range" },
	{ "{ 'host': [] }", "host", "must be an object" },
	{ "{ 'host': { 'cpus': '2-63' } }", "host.memory", "missing" },
	{ "{ 'host': { 'cpus': '63-2', 'memory': '1GiB' } }", "host.cpus", "not a list of CPUs" },
	{ "{ 'host': { 'cpus': '', 'memory': '1GiB' } }", "host.cpus", "not a list of CPUs" },
	{ "{ 'host': { 'cpus': '2000', 'memory': '1GiB' } }", "host.cpus", "not a list of CPUs" },
	{ "{ 'host': { 'cpus': '1', 'memory': '0GiB' } }", "host.memory", "must not be 0" },
	{ "{ 'host': { 'cpus': '1', 'memory': '1GiB', 'swap': 1 } }", "host.swap", "unknown key" },
	{ "{ 'domains': [] }", "domains", "has 0 domains" },
	{ "{ 'domains': [ { 'name': 'a', 'cpus': '1', 'memory': '1GiB', 'phase_us': 10000 } ] }",
	  "domains[0].phase_us", "not within the frame" },
	{ "{ 'domains': [ { 'name': 'a', 'cpus': '1' } ] }", "domains[0].memory", "missing" },
	{ "{ 'domains': [ { 'name': 'a', 'cpus': '1', 'memory': '1GiB' },"
	  " { 'name': 'b', 'cpus': '1-2', 'memory': '1GiB' } ] }", "domains[1].cpus",
	  "domains[0] has some of these CPUs" },
	{ "{ 'domains': [ { 'name': 'a', 'cpus': '1', 'memory': '1GiB' },"
	  " { 'name': 'a', 'cpus': '2', 'memory': '1GiB' } ] }", "domains[1].name",
	  "has the name" },
	{ "{ 'host': { 'cpus': '1', 'memory': '1GiB' }, 'domains': [ { 'name': 'a', 'cpus': '1-2',"
	  " 'memory': '1GiB' } ] }", "domains[0].cpus", "not within host.cpus" },
	{ "{ 'host': { 'cpus': '1', 'memory': '1GiB' }, 'domains': [ { 'name': 'a', 'cpus': '1',"
	  " 'memory': '2GiB' } ] }", "domains", "more memory than host.memory" },
	{ "{ 'roles': { 'root': {} } }", "roles.root", "unknown key" },
	{ "{ 'roles': { 'operator': { 'paths': [ 'srv' ] } } }", "roles.operator.paths",
	  "not the absolute path" },
	{ "{ 'roles': { 'operator': { 'paths': [ '/srv/../etc' ] } } }", "roles.operator.paths",
	  "not the absolute path" },
	{ "{ 'roles': { 'operator': { 'bridges': [ 7 ] } } }", "roles.operator.bridges",
	  "not the name of a bridge" },
	{ "{ 'quotas': { 'partitions': -1 } }", "quotas.partitions", "out of range" },
	{ "{ 'quotas': { 'vcpus': 65 } }", "quotas.vcpus", "out of range" },
	{ "{ 'quotas': { 'memory': 5 } }", "quotas.memory", "must be a string" },
	{ "{ 'placement': { 'vcpus_per_cpu': 0 } }", "placement.vcpus_per_cpu", "out of range" },
	{ "{ 'placement': { 'whole_cores': 'yes' } }", "placement.whole_cores", "true or false" },
	{ "{ 'autostart': [ 'a', 'B!' ] }", "autostart", "[1] is not a partition's name" },
	{ "{ 'placement': { 'order': 'best' } }", "placement.order", "not understood" },
	{ "{ 'placement': { 'numa': 1 } }", "placement.numa", "must be a string" },
	{ "{ 'domains': [ { 'name': 'a', 'cpus': '1', 'memory': '1GiB', 'partitions': 0 } ] }",
	  "domains[0].partitions", "out of range" },
	{ "{ 'placement': { 'page_size': '1GiB' } }", "placement.page_size",
	  "no pages of this size" },
	{ "{ 'placement': { 'page_size': 2 } }", "placement.page_size", "must be a string" },
	{ "{ 'placement': { 'io_partitions': 3 } }", "placement.io_partitions", "out of range" },
	{ "{ 'io': { 'fail_back_s': 3601 } }", "io.fail_back_s", "out of range" },
	{ "{ 'io': { 'fail_back': 10 } }", "io.fail_back", "unknown key" },
	{ "{ 'placement': { 'packed': true } }", "placement.packed", "unknown key" },
};

static void each_fault_is_named_with_its_key(void **state)
{
	static struct policy p;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct error e = ERROR_NONE;
		json_t *json = parse(refused[i].text);
		char where[128];

		snprintf(where, sizeof(where), "policy.json: %s", refused[i].where);
		if (!policy_parse(&p, json, "policy.json", &e))
			fail_msg("%s is accepted", refused[i].text);
		if (strcmp(e.where, where) || !strstr(e.message, refused[i].message))
			fail_msg("%s: \"%s: %s\"", refused[i].text, e.where, e.message);
		json_decref(json);
		error_clear(&e);
	}
}

static void without_a_file_the_defaults_stand(void **state)
{
	struct error e = ERROR_NONE;
	static struct policy p;
	bool found = true;

	(void)state;
	assert_int_equal(policy_load(&p, "/tmp/no/such/policy.json", &found, &e), 0);
	assert_false(found);
	assert_int_equal(p.partitions, 256);
}

/* ---- paths ----------------------------------------------------------------------- */

static char top[64];

static const char *at(const char *name)
{
	static char path[4][128];
	static unsigned int n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", top, name);
	return p;
}

static int make_tree(void **state)
{
	(void)state;
	strcpy(top, "/tmp/test_policy.XXXXXX");
	if (!mkdtemp(top) || chmod(top, 0755) < 0 || mkdir(at("images"), 0755) < 0 ||
	    mkdir(at("images/own"), 0755) < 0 || mkdir(at("images/open"), 0777) < 0 ||
	    chmod(at("images/open"), 0777) < 0 ||
	    mkdir(at("images-not"), 0755) < 0 || symlink("/etc/hostname", at("images/out")) < 0 ||
	    symlink("own/disk", at("images/in")) < 0)
		return -1;
	fclose(fopen(at("images/disk"), "w"));
	fclose(fopen(at("images/own/disk"), "w"));
	fclose(fopen(at("images/open/disk"), "w"));
	fclose(fopen(at("images-not/disk"), "w"));
	return 0;
}

static int remove_tree(void **state)
{
	static const char *const files[] = { "images/disk", "images/own/disk", "images/open/disk",
					     "images-not/disk", "images/out", "images/in" };
	static const char *const directories[] = { "images/own", "images/open", "images",
						   "images-not", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(at(files[i]));
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (rmdir(at(directories[i])) < 0)
			return -1;
	return 0;
}

static void a_role_uses_files_below_its_directories_only(void **state)
{
	static const struct {
		const char *path;
		enum exit_code code;
		const char *message;
	} paths[] = {
		{ "images/disk", EXIT_OK, "" },
		{ "images/own/disk", EXIT_OK, "" },
		{ "images/in", EXIT_OK, "" },
		{ "images/../images/disk", EXIT_OK, "" },
		{ "images/none", EXIT_NOT_FOUND, "No such file" },
		{ "images-not/disk", EXIT_DENIED, "operator may not use" },
		{ "images/../images-not/disk", EXIT_DENIED, "operator may not use" },
		/* The attack that a look at the text alone would let through. */
		{ "images/out", EXIT_DENIED, "operator may not use /etc/hostname" },
		/* Whoever may write the directory could put a link there after our look. */
		{ "images/open/disk", EXIT_DENIED, "others than root may change" },
	};
	static struct policy p;

	(void)state;
	if (getuid())
		skip();
	policy_defaults(&p);
	snprintf(p.role[ROLE_OPERATOR].path[0], COMMAND_PATH_LEN, "%s/images", top);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct definition d = { .devices = 1, .device = { { .type = DEVICE_BLOCK } } };
		struct error e = ERROR_NONE;
		int rc;

		snprintf(d.kernel, sizeof(d.kernel), "%s/images/disk", top);
		snprintf(d.device[0].path, sizeof(d.device[0].path), "%s/%s", top, paths[i].path);
		rc = policy_check_definition(&p, ROLE_OPERATOR, &d, &e);
		if (e.code != paths[i].code || rc != (e.code ? -1 : 0) ||
		    !strstr(e.message, paths[i].message))
			fail_msg("%s: %d, %s", paths[i].path, e.code, e.message);
		if (rc < 0)
			assert_string_equal(e.where, "devices[0].path");
		else
			assert_null(strstr(d.device[0].path, ".."));
		error_clear(&e);
		/* Root may use any file, and what it names is left as it is. */
		snprintf(d.device[0].path, sizeof(d.device[0].path), "%s/%s", top, paths[i].path);
		assert_int_equal(policy_check_definition(&p, ROLE_ADMIN, &d, &e), 0);
	}
}

static void a_role_uses_its_bridges_only(void **state)
{
	struct definition d = { .devices = 1, .device = { { .type = DEVICE_NETWORK } } };
	struct error e = ERROR_NONE;
	static struct policy p;

	(void)state;
	policy_defaults(&p);
	strcpy(d.device[0].bridge, "uvbr0");
	assert_int_equal(policy_check_definition(&p, ROLE_OPERATIONS, &d, &e), 0);
	strcpy(d.device[0].bridge, "br0");
	assert_int_equal(policy_check_definition(&p, ROLE_OPERATIONS, &d, &e), -1);
	assert_int_equal(e.code, EXIT_DENIED);
	error_clear(&e);
	assert_int_equal(policy_check_definition(&p, ROLE_ADMIN, &d, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_these),
		cmocka_unit_test(a_whole_policy_is_read_and_printed_as_it_was),
		cmocka_unit_test(each_fault_is_named_with_its_key),
		cmocka_unit_test(drop_ins_change_parts_and_a_fault_names_its_file),
		cmocka_unit_test(without_a_file_the_defaults_stand),
		cmocka_unit_test(a_role_uses_files_below_its_directories_only),
		cmocka_unit_test(a_role_uses_its_bridges_only),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

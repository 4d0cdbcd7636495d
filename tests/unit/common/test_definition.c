/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions: what is read, what is refused and in which words. Each refusal starts from one good
 * definition with one member replaced, so that nothing else can be the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <common/definition.h>

static const char good[] =
	"{ 'version': 1, 'name': 'web1', 'domain': 'batch',"
	"  'cpus': { 'count': 2, 'mode': 'shared', 'budget_ms': 20, 'period_ms': 100 },"
	"  'memory': '128MiB',"
	"  'boot': { 'kernel': 'vmlinuz', 'initrd': '/boot/initrd.gz',"
	"            'cmdline': 'console=ttyS0' },"
	"  'devices': [ { 'type': 'block', 'name': 'root', 'path': 'web1.raw', 'readonly': true,"
	"     'queues': 2, 'serial': 'A1',"
	"     'limits': { 'iops': 10, 'bytes_per_s': '1MiB', 'burst_ms': 50 } },"
	"               { 'type': 'network', 'name': 'net0', 'bridge': 'uvbr0',"
	"                 'mac': '52:54:00:12:34:56' },"
	"               { 'type': 'console', 'name': 'console' } ] }";

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (!json)
		fail_msg("test's own JSON is bad: %s", copy);
	free(copy);
	return json;
}

/* Sets the member at a dotted path (array indexes are numbers); NULL deletes it. */
static void set(json_t *object, const char *path, const char *value)
{
	char part[64];

	for (;;) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		if (!path[n])
			break;
		object = json_is_array(object) ? json_array_get(object, atoi(part)) :
						 json_object_get(object, part);
		assert_non_null(object);
		path += n + 1;
	}
	if (json_is_array(object))
		json_array_append_new(object, parse(value));
	else if (value)
		json_object_set_new(object, part, parse(value));
	else
		json_object_del(object, part);
}

static void a_whole_definition_is_read(void **state)
{
	struct error e = ERROR_NONE;
	struct definition d;
	json_t *json = parse(good);

	(void)state;
	assert_int_equal(definition_parse(&d, json, "web1.json", "/srv/guests", &e), 0);
	assert_string_equal(d.name, "web1");
	assert_string_equal(d.domain, "batch");
	assert_memory_equal(d.domain, "batch\0\0\0", 8);
	assert_int_equal(d.vcpus, 2);
	assert_int_equal(d.mode, MODE_SHARED);
	assert_int_equal(d.budget_ns, 20000000);
	assert_int_equal(d.period_ns, 100000000);
	assert_int_equal(d.memory, 128 << 20);
	assert_string_equal(d.kernel, "/srv/guests/vmlinuz");
	assert_string_equal(d.initrd, "/boot/initrd.gz");
	assert_string_equal(d.cmdline, "console=ttyS0");
	assert_int_equal(d.devices, 3);
	assert_string_equal(d.device[0].path, "/srv/guests/web1.raw");
	assert_true(d.device[0].readonly);
	assert_true(d.device[1].has_mac);
	assert_int_equal(d.device[1].mac[5], 0x56);
	assert_int_equal(d.device[2].type, DEVICE_CONSOLE);
	json_decref(json);
}

static void the_least_definition_is_read(void **state)
{
	json_t *json = parse("{ 'name': 'a', 'cpus': { 'count': 1 }, 'memory': '2MiB',"
			     " 'boot': { 'kernel': '/k' } }");
	struct error e = ERROR_NONE;
	struct definition d;

	(void)state;
	assert_int_equal(definition_parse(&d, json, "a.json", NULL, &e), 0);
	assert_string_equal(d.domain, "default");
	assert_int_equal(d.mode, MODE_SHARED);
	assert_int_equal(d.budget_ns, 0);
	assert_string_equal(d.initrd, "");
	assert_int_equal(d.devices, 0);
	json_decref(json);
}

static void its_canonical_form_reads_as_the_same(void **state)
{
	json_t *json = parse(good), *canonical, *again;
	struct error e = ERROR_NONE;
	struct definition d, d2;

	(void)state;
	assert_int_equal(definition_parse(&d, json, "x", "/srv", &e), 0);
	canonical = definition_to_json(&d);
	assert_int_equal(definition_parse(&d2, canonical, "x", NULL, &e), 0);
	again = definition_to_json(&d2);
	assert_true(json_equal(canonical, again));
	assert_memory_equal(&d, &d2, sizeof(d));
	json_decref(json);
	json_decref(canonical);
	json_decref(again);
}

static void it_may_ask_for_windows_real_time_and_a_lease(void **state)
{
	json_t *json = parse("{ 'name': 'a', 'memory': '2MiB', 'boot': { 'kernel': '/k' },"
			     " 'cpus': { 'count': 2, 'mode': 'window', 'window_us': 2500 },"
			     " 'lease_s': 30 }"), *canonical;
	struct error e = ERROR_NONE;
	struct definition d, again;

	(void)state;
	assert_int_equal(definition_parse(&d, json, "a", NULL, &e), 0);
	assert_int_equal(d.mode, MODE_WINDOW);
	assert_int_equal(d.window_ns, 2500000);
	assert_int_equal(d.lease_ns, 30000000000);
	canonical = definition_to_json(&d);
	assert_int_equal(definition_parse(&again, canonical, "a", NULL, &e), 0);
	assert_memory_equal(&d, &again, sizeof(d));
	json_decref(canonical);
	json_decref(json);
	json = parse("{ 'count': 1, 'budget_ms': 20, 'period_ms': 100, 'realtime': true }");
	assert_int_equal(definition_parse_cpus(&d, json, "a", &e), 0);
	assert_true(d.realtime);
	json_object_set_new(json, "budget_ms", json_integer(91));
	assert_int_equal(definition_parse_cpus(&d, json, "a", &e), -1);
	assert_non_null(strstr(e.message, "90 %"));
	error_clear(&e);
	json_object_del(json, "budget_ms");
	json_object_del(json, "period_ms");
	assert_int_equal(definition_parse_cpus(&d, json, "a", &e), -1);
	assert_non_null(strstr(e.message, "budget"));
	error_clear(&e);
	json_decref(json);
	json = parse("{ 'count': 1, 'mode': 'window' }");
	assert_int_equal(definition_parse_cpus(&d, json, "a", &e), -1);
	assert_non_null(strstr(e.where, "cpus.window_us"));
	error_clear(&e);
	json_decref(json);
}

static const struct {
	const char *path, *value;	/* replaced in the good one */
	const char *where, *message, *fix;	/* parts of them; "" any */
} refused[] = {
	{ "colour", "'red'", "colour", "unknown key \"colour\"", "leave it out" },
	{ "memroy", "'128MiB'", "memroy", "unknown key", "did you mean \"memory\"" },
	{ "version", "2", "version", "version 2 is not known", "1" },
	{ "version", "'1'", "version", "must be a whole number, not a string", "" },
	{ "lease_s", "0", "lease_s", "0 is out of range", "from 1 to 86400" },
	{ "lease_s", "'5s'", "lease_s", "must be a whole number, not a string", "" },
	{ "name", NULL, "name", "missing", "add \"name\"" },
	{ "name", "''", "name", "is empty", "a-z" },
	{ "name", "'Web 1'", "name", "is not a name", "a-z" },
	{ "name", "'-web'", "name", "is not a name", "" },
	{ "name", "'../x'", "name", "is not a name", "" },
	{ "name", "'7'", NULL, NULL, NULL },
	{ "name", "'2ca776a5-2e13-89c2-ab41-2f45eddd43ae'", "name", "form of a UUID", "" },
	{ "name", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'", "name",
	  "too long: 64 bytes", "at most 63" },
	{ "name", "[]", "name", "must be a string, not an array", "" },
	{ "domain", "'A'", "domain", "is not a name", "" },
	{ "cpus", "2", "cpus", "must be an object", "count" },
	{ "cpus.count", "0", "cpus.count", "0 is out of range", "from 1 to 64" },
	{ "cpus.count", "-1", "cpus.count", "-1 is out of range", "" },
	{ "cpus.count", "65", "cpus.count", "65 is out of range", "" },
	{ "cpus.count", "1.5", "cpus.count", "not a number with a fraction", "" },
	{ "cpus.count", "'two'", "cpus.count", "must be a whole number, not a string", "" },
	{ "cpus.mode", "'window'", "cpus.budget_ms", "a window has no budget", "shared" },
	{ "cpus.window_us", "2000", "cpus.window_us", "only mode \"window\"", "leave the key out" },
	{ "cpus.window_us", "99", "cpus.window_us", "99 is out of range", "" },
	{ "cpus.realtime", "1", "cpus.realtime", "must be true or false", "" },
	{ "cpus.mode", "'fast'", "cpus.mode", "\"fast\" is not a mode", "dedicated" },
	{ "cpus.mode", "'dedicated'", "cpus.budget_ms", "dedicated CPU has no budget", "" },
	{ "cpus.period_ms", NULL, "cpus.period_ms", "missing", "both" },
	{ "cpus.budget_ms", NULL, "cpus.budget_ms", "missing", "both" },
	{ "cpus.budget_ms", "101", "cpus.budget_ms", "do not fit", "at most 100" },
	{ "cpus.period_ms", "1001", "cpus.period_ms", "out of range", "" },
	{ "cpus.sockets", "1", "cpus.sockets", "unknown key", "" },
	{ "memory", "128", "memory", "must be a string", "128MiB" },
	{ "memory", "'0MiB'", "memory", "must not be 0", "" },
	{ "memory", "'12 elephants'", "memory", "is not a size", "KiB, MiB" },
	{ "memory", "'-1MiB'", "memory", "is not a size", "" },
	{ "memory", "'1.5GiB'", "memory", "is not a size", "" },
	{ "memory", "'3MiB'", "memory", "not a multiple of 2MiB", "\"4MiB\"" },
	{ "memory", "'99999999999999999999TiB'", "memory", "beyond any memory", "" },
	{ "boot", NULL, "boot", "missing", "" },
	{ "boot.kernel", NULL, "boot.kernel", "missing", "" },
	{ "boot.kernel", "''", "boot.kernel", "is empty", "" },
	{ "boot.kernel", "'a\\nb'", "boot.kernel", "control character", "" },
	{ "boot.initrd", "7", "boot.initrd", "must be a string", "" },
	{ "boot.loader", "'x'", "boot.loader", "unknown key", "leave it out" },
	{ "devices", "{}", "devices", "must be an array", "" },
	{ "devices.+", "7", "devices[3]", "must be an object", "" },
	{ "devices.0.type", "'gpu'", "devices[0].type", "not a type of device", "network" },
	{ "devices.0.path", NULL, "devices[0].path", "missing", "" },
	{ "devices.0.readonly", "1", "devices[0].readonly", "must be true or false", "" },
	{ "devices.0.mac", "'x'", "devices[0].mac", "unknown key", "" },
	{ "devices.0.queues", "9", "devices[0].queues", "out of range", "" },
	{ "devices.0.serial", "'one-byte-beyond-it-is'", "devices[0].serial", "too long", "20" },
	{ "devices.0.limits", "{ 'iops': 0 }", "devices[0].limits.iops", "", "" },
	{ "devices.0.limits", "{ 'bytes_per_s': 100 }", "devices[0].limits.bytes_per_s",
	  "must be a string", "" },
	{ "devices.0.limits", "{ 'burst_ms': 100 }", "devices[0].limits.burst_ms",
	  "no limit to exceed", "iops" },
	{ "devices.0.limits", "{ 'packets_per_s': 1 }", "devices[0].limits.packets_per_s",
	  "unknown key", "" },
	{ "devices.0.vlan", "7", "devices[0].vlan", "unknown key", "" },
	{ "devices.1.bridge", "'a/b'", "devices[1].bridge", "not the name of a bridge", "" },
	{ "devices.1.bridge", "'sixteen-letters-'", "devices[1].bridge", "too long", "15" },
	{ "devices.1.mac", "'52:54:00:12:34'", "devices[1].mac", "is not an address", "" },
	{ "devices.1.mac", "'53:54:00:12:34:56'", "devices[1].mac", "one card", "even" },
	{ "devices.1.mac", "'00:00:00:00:00:00'", "devices[1].mac", "one card", "" },
	{ "devices.1.addresses", "[]", "devices[1].addresses", "has 0 addresses", "1 to 4" },
	{ "devices.1.addresses", "['10.0.0.5', 'fd00::5', '10.0.0.6', 'fd00::6', '10.0.0.7']",
	  "devices[1].addresses", "has 5 addresses", "1 to 4" },
	{ "devices.1.addresses", "['10.0.0.5', '10.0.0']", "devices[1].addresses[1]",
	  "is not the address of one host", "fd00::5" },
	{ "devices.1.addresses", "['224.0.0.1']", "devices[1].addresses[0]",
	  "is not the address of one host", "" },
	{ "devices.1.addresses", "['::ffff:10.0.0.5']", "devices[1].addresses[0]",
	  "is not the address of one host", "" },
	{ "devices.0.addresses", "['10.0.0.5']", "devices[0].addresses", "unknown key", "" },
	{ "devices.1.name", "'root'", "devices[1].name", "devices[0] has the name", "" },
	{ "devices.2.path", "'/x'", "devices[2].path", "unknown key", "" },
	{ "devices.+", "{ 'type': 'console', 'name': 'c2' }", "devices[3].type", "console already",
	  "" },
	{ "devices.+", "{ 'type': 'block', 'name': 'b2', 'path': '/srv/web1.raw' }",
	  "devices[3].path", "same file", "" },
	{ "devices.+", "{ 'type': 'network', 'name': 'n2', 'bridge': 'uvbr0',"
	  " 'mac': '52:54:00:12:34:56' }", "devices[3].mac", "same address", "" },
};

static void has(const char *what, const char *text, const char *part, size_t row)
{
	if (!strstr(text, part))
		fail_msg("%s (%s): %s is \"%s\", without \"%s\"", refused[row].path,
			 refused[row].value ? refused[row].value : "absent", what, text, part);
}

static void each_fault_is_named_with_its_place_and_way_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct error e = ERROR_NONE;
		json_t *json = parse(good);
		struct definition d;
		char where[128];
		int rc;

		set(json, refused[i].path, refused[i].value);
		rc = definition_parse(&d, json, "web1.json", "/srv", &e);
		json_decref(json);
		if (!refused[i].where) {
			assert_int_equal(rc, 0);
			continue;
		}
		if (!rc)
			fail_msg("%s is accepted", refused[i].path);
		assert_int_equal(e.code, EXIT_INVALID);
		snprintf(where, sizeof(where), "web1.json: %s", refused[i].where);
		if (strcmp(e.where, where))
			fail_msg("%s: where is \"%s\", not \"%s\"", refused[i].path, e.where,
				 where);
		has("message", e.message, refused[i].message, i);
		has("fix", e.fix, refused[i].fix, i);
		error_clear(&e);
	}
}

static void too_many_devices_are_refused(void **state)
{
	struct error e = ERROR_NONE;
	json_t *json = parse(good);
	struct definition d;
	char text[128];

	(void)state;
	for (int i = 0; i < 14; i++) {
		snprintf(text, sizeof(text),
			 "{ 'type': 'block', 'name': 'd%d', 'path': '/d%d' }", i, i);
		set(json, "devices.+", text);
	}
	assert_int_equal(definition_parse(&d, json, "x", "/", &e), -1);
	assert_string_equal(e.where, "x: devices");
	json_decref(json);
	error_clear(&e);
}

static void relative_paths_need_a_base(void **state)
{
	struct error e = ERROR_NONE;
	json_t *json = parse(good);
	struct definition d;
	char base[600];

	(void)state;
	assert_int_equal(definition_parse(&d, json, "request", NULL, &e), -1);
	assert_string_equal(e.where, "request: boot.kernel");
	memset(base, 'x', sizeof(base) - 1);
	base[0] = '/';
	base[sizeof(base) - 1] = '\0';
	assert_int_equal(definition_parse(&d, json, "request", base, &e), -1);
	assert_non_null(strstr(e.message, "too long with its directory"));
	json_decref(json);
	error_clear(&e);
}

/* ---- files ----------------------------------------------------------------------- */

static char directory[64];

static const char *file(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(file(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static void load_fails(const char *name, const char *where, const char *message)
{
	struct error e = ERROR_NONE;
	struct definition d;

	assert_int_equal(definition_load(&d, file(name), &e), -1);
	if (!strstr(e.where, where) || !strstr(e.message, message))
		fail_msg("%s: \"%s: %s\"", name, e.where, e.message);
	assert_true(!strncmp(e.where, file(name), strlen(file(name))));
	error_clear(&e);
}

static void files_that_are_no_definition_are_refused_quickly(void **state)
{
	char *spaces = malloc(100 << 20);

	(void)state;
	load_fails("missing.json", "missing.json", "No such file");
	write_file("empty.json", "", 0);
	load_fails("empty.json", "empty.json", "the file is empty");
	write_file("half.json", "{ \"name\": \"we", 13);
	load_fails("half.json", "line 1, column", "not valid JSON");
	write_file("twice.json", "{ \"name\": \"a\", \"name\": \"b\" }", 28);
	load_fails("twice.json", "line 1", "not valid JSON");
	write_file("nul.json", "{ \"name\": \"a\\u0000b\" }", 22);
	load_fails("nul.json", "line 1", "not valid JSON");
	write_file("array.json", "[]", 2);
	load_fails("array.json", "array.json", "must be an object, not an array");
	load_fails("", directory, "a directory");
	memset(spaces, ' ', 100 << 20);
	write_file("huge.json", spaces, 100 << 20);
	load_fails("huge.json", "huge.json", "larger than the limit of 64KiB");
	free(spaces);
	unlink(file("huge.json"));
}

/* Deeply nested JSON must not exhaust the stack. */
static void deep_nesting_is_refused(void **state)
{
	char *text = malloc(60000);

	(void)state;
	memset(text, '[', 60000);
	write_file("deep.json", text, 60000);
	load_fails("deep.json", "deep.json", "not valid JSON");
	free(text);
}

static void a_file_is_read_against_its_directory(void **state)
{
	static const char text[] = "{ \"name\": \"a\", \"cpus\": { \"count\": 1 }, "
				   "\"memory\": \"64MiB\", \"boot\": { \"kernel\": \"k\" } }";
	struct error e = ERROR_NONE;
	struct definition d;

	(void)state;
	write_file("a.json", text, sizeof(text) - 1);
	assert_int_equal(definition_load(&d, file("a.json"), &e), 0);
	assert_string_equal(d.kernel, file("k"));
}

static void derived_addresses_are_local_and_differ(void **state)
{
	uint8_t uuid[16] = { 1 }, other[16] = { 2 }, a[6], b[6], c[6];

	(void)state;
	definition_derive_mac(a, uuid, "net0");
	definition_derive_mac(b, uuid, "net1");
	definition_derive_mac(c, other, "net0");
	assert_int_equal(a[0] & 3, 2);
	assert_memory_not_equal(a, b, 6);
	assert_memory_not_equal(a, c, 6);
	definition_derive_mac(b, uuid, "net0");
	assert_memory_equal(a, b, 6);
}

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_definition.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "empty.json", "half.json", "twice.json", "nul.json",
					     "array.json", "deep.json", "a.json", NULL };

	(void)state;
	for (int i = 0; names[i]; i++)
		unlink(file(names[i]));
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_definition_is_read),
		cmocka_unit_test(the_least_definition_is_read),
		cmocka_unit_test(its_canonical_form_reads_as_the_same),
		cmocka_unit_test(it_may_ask_for_windows_real_time_and_a_lease),
		cmocka_unit_test(each_fault_is_named_with_its_place_and_way_out),
		cmocka_unit_test(too_many_devices_are_refused),
		cmocka_unit_test(relative_paths_need_a_base),
		cmocka_unit_test(files_that_are_no_definition_are_refused_quickly),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(a_file_is_read_against_its_directory),
		cmocka_unit_test(derived_addresses_are_local_and_differ),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

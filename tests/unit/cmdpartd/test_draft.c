/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From operations to the message for uvd: which records, in which order, and what needs none. The
 * host is drawn, the message is described record by record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../cmdpartd/operation.h"
#include "world.h"

#define HOST \
	"cpu 0-3 node 0 core 0,1,2,3\nmemory 0 4GiB\ndomain default 1-3 4GiB\n" \
	"io io-a running\nio io-b running\n"
#define OFF	HOST "partition web1 default off 2 shared 1GiB root console\n"
#define ON	HOST "partition web1 default on 2 shared 1GiB 1-2 0 root console\n"

static const uint8_t request_id[16] = { 1, 2, 3 };
static struct policy policy;

static const char *word(uint16_t type)
{
	static const char *const words[] = {
		[COMMAND_PARTITION_DEFINE] = "define", [COMMAND_DEVICE_DEFINE] = "device",
		[COMMAND_PARTITION_UNDEFINE] = "undefine", [COMMAND_PARTITION_START] = "start",
		[COMMAND_PARTITION_STOP] = "stop", [COMMAND_PARTITION_KILL] = "kill",
		[COMMAND_PARTITION_PAUSE] = "pause", [COMMAND_PARTITION_RESUME] = "resume",
		[COMMAND_MEMORY_ASSIGN] = "memory", [COMMAND_PROCESSOR_ASSIGN] = "cpu",
		[COMMAND_DEVICE_CLAIM] = "claim", [COMMAND_CHANNEL_CREATE] = "channel",
		[COMMAND_CHANNEL_CONNECT] = "connect", [COMMAND_DOMAIN_CREATE] = "create-domain",
		[COMMAND_DOMAIN_DESTROY] = "destroy-domain", [COMMAND_PARTITION_EXPECT] = "expect",
		[COMMAND_DOMAIN_EXPECT] = "expect-domain",
	};

	return type < sizeof(words) / sizeof(words[0]) && words[type] ? words[type] : "?";
}

/* "memory cpu cpu claim channel connect start@5": types, with generations that are not 0. */
static void describe(const struct message *m, char *to, size_t size)
{
	const struct command_record *r = NULL;
	size_t n = 0;

	to[0] = '\0';
	while ((r = reply_next(message_header(m), r))) {
		n += snprintf(to + n, size - n, "%s%s", n ? " " : "", word(r->type));
		if (r->generation)
			n += snprintf(to + n, size - n, "@%llu", (unsigned long long)r->generation);
	}
}

static void definition(struct definition *d, const char *name, const char *memory)
{
	struct error e = ERROR_NONE;
	json_t *json = json_pack("{s:s, s:{s:i}, s:s, s:{s:s}, s:[{s:s, s:s}]}", "name", name,
				 "cpus", "count", 1, "memory", memory, "boot", "kernel", "/k",
				 "devices", "type", "console", "name", "console");

	if (definition_parse(d, json, "test", NULL, &e) < 0)
		fail_msg("%s", e.message);
	json_decref(json);
}

/* One operation on a drawn host: its records, or the refusal's code and message. */
static enum exit_code one(const char *host, enum operation_kind kind, const char *name,
			  enum role role, uint64_t generation, char *to, size_t size)
{
	struct operation op = { .kind = kind, .generation = generation };
	struct rows *rows = world(host);
	struct error e = ERROR_NONE;
	struct definition d;
	enum exit_code code;
	struct draft draft;

	snprintf(op.name, sizeof(op.name), "%s", name);
	if (kind == OPERATION_DEFINE || kind == OPERATION_ACTIVATE) {
		definition(&d, name, "1GiB");
		op.definition = &d;
		world_uuid(op.uuid, name);
		op.has_uuid = kind == OPERATION_ACTIVATE;
	}
	if (kind == OPERATION_CREATE_DOMAIN) {
		cpuset_parse(&op.domain.cpus, "0");
		op.domain.memory = 1 << 30;
	}
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, role, rows);
	if (draft_add(&draft, &op, &e) < 0)
		snprintf(to, size, "%s", e.message);
	else
		describe(&draft.message, to, size);
	if (!e.code)
		assert_int_equal(draft_changes(&draft), strncmp(to, "expect", 6) != 0);
	code = e.code;
	draft_end(&draft);
	rows_free(rows);
	error_clear(&e);
	return code;
}

#define START "memory cpu cpu claim channel connect claim channel connect start@5"

static const struct {
	const char *host;
	enum operation_kind kind;
	const char *name;
	enum exit_code code;
	const char *expected;	/* records, or part of the refusal */
} operations[] = {
	{ HOST, OPERATION_DEFINE, "new", EXIT_OK, "define device" },
	{ OFF, OPERATION_DEFINE, "web1", EXIT_CONFLICT, "with another definition" },
	{ OFF, OPERATION_UNDEFINE, "web1", EXIT_OK, "undefine" },
	{ ON, OPERATION_UNDEFINE, "web1", EXIT_CONFLICT, "is running" },
	{ OFF, OPERATION_UNDEFINE, "web2", EXIT_NOT_FOUND, "no partition is named web2" },
	{ OFF, OPERATION_START, "web1", EXIT_OK, START },
	{ ON, OPERATION_START, "web1", EXIT_OK, "expect@5" },
	{ OFF, OPERATION_START, "io-a", EXIT_DENIED, "system partition" },
	{ OFF, OPERATION_STOP, "web1", EXIT_OK, "expect@5" },
	{ ON, OPERATION_STOP, "web1", EXIT_OK, "stop" },
	{ OFF, OPERATION_KILL, "web1", EXIT_OK, "expect@5" },
	{ ON, OPERATION_KILL, "web1", EXIT_OK, "kill" },
	{ ON, OPERATION_KILL, "io-a", EXIT_DENIED, "system partition" },
	{ ON, OPERATION_PAUSE, "web1", EXIT_OK, "pause" },
	{ ON, OPERATION_RESUME, "web1", EXIT_OK, "expect@5" },
	{ OFF, OPERATION_PAUSE, "web1", EXIT_CONFLICT, "is defined" },
	{ HOST, OPERATION_ACTIVATE, "new", EXIT_OK,
	  "define device memory cpu claim channel connect start" },
	{ OFF, OPERATION_ACTIVATE, "web1", EXIT_OK,
	  "undefine@5 define device memory cpu claim channel connect start" },
	{ ON, OPERATION_ACTIVATE, "web1", EXIT_OK, "expect@5" },
	{ HOST, OPERATION_CREATE_DOMAIN, "batch", EXIT_OK, "create-domain" },
	{ HOST, OPERATION_CREATE_DOMAIN, "default", EXIT_CONFLICT, "already" },
	{ HOST, OPERATION_DESTROY_DOMAIN, "default", EXIT_OK, "destroy-domain" },
	{ HOST, OPERATION_DESTROY_DOMAIN, "batch", EXIT_NOT_FOUND, "no domain" },
};

static void each_operation_becomes_its_records(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		enum exit_code code = one(operations[i].host, operations[i].kind,
					  operations[i].name, ROLE_ADMIN, 0, text, sizeof(text));

		if (code != operations[i].code ||
		    (code ? !strstr(text, operations[i].expected) :
			    strcmp(text, operations[i].expected)))
			fail_msg("operation %zu: %d \"%s\", not %d \"%s\"", i, code, text,
				 operations[i].code, operations[i].expected);
	}
}

static void a_generation_that_was_not_seen_is_a_conflict(void **state)
{
	char text[512];

	(void)state;
	assert_int_equal(one(ON, OPERATION_KILL, "web1", ROLE_ADMIN, 5, text, sizeof(text)),
			 EXIT_OK);
	assert_string_equal(text, "kill@5");
	assert_int_equal(one(ON, OPERATION_KILL, "web1", ROLE_ADMIN, 4, text, sizeof(text)),
			 EXIT_CONFLICT);
	assert_int_equal(one(ON, OPERATION_START, "web1", ROLE_ADMIN, 4, text, sizeof(text)),
			 EXIT_CONFLICT);
}

static void domains_are_roots(void **state)
{
	char text[512];

	(void)state;
	assert_int_equal(one(HOST, OPERATION_CREATE_DOMAIN, "b", ROLE_OPERATOR, 0, text,
			     sizeof(text)), EXIT_DENIED);
	assert_int_equal(one(HOST, OPERATION_DESTROY_DOMAIN, "default", ROLE_OPERATIONS, 0, text,
			     sizeof(text)), EXIT_DENIED);
}

static void what_an_operator_may_not_use_is_denied(void **state)
{
	char text[512];

	(void)state;
	/* /k does not exist: the operator is told so; root's may come before its files. */
	assert_int_equal(one(HOST, OPERATION_DEFINE, "new", ROLE_OPERATOR, 0, text, sizeof(text)),
			 EXIT_NOT_FOUND);
}

static void an_activation_does_not_take_anothers_name_or_uuid(void **state)
{
	struct operation op = { .kind = OPERATION_ACTIVATE, .has_uuid = true };
	struct rows *rows = world(OFF);
	struct error e = ERROR_NONE;
	struct definition d;
	struct draft draft;

	(void)state;
	op.definition = &d;
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	definition(&d, "web1", "1GiB");
	world_uuid(op.uuid, "other");
	assert_int_equal(draft_add(&draft, &op, &e), -1);
	assert_int_equal(e.code, EXIT_CONFLICT);
	definition(&d, "other", "1GiB");
	world_uuid(op.uuid, "web1");
	assert_int_equal(draft_add(&draft, &op, &e), -1);
	assert_int_equal(e.code, EXIT_CONFLICT);
	assert_int_equal(message_count(&draft.message), 0);
	draft_end(&draft);
	rows_free(rows);
	error_clear(&e);
}

static void the_same_request_makes_the_same_bytes(void **state)
{
	struct operation op = { .kind = OPERATION_ACTIVATE, .has_uuid = true };
	struct message first = { 0 };
	struct definition d;

	(void)state;
	definition(&d, "new", "1GiB");
	op.definition = &d;
	world_uuid(op.uuid, "new");
	for (int i = 0; i < 2; i++) {
		struct rows *rows = world(HOST);
		struct error e = ERROR_NONE;
		struct draft draft;

		draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
		assert_int_equal(draft_add(&draft, &op, &e), 0);
		if (i) {
			assert_int_equal(draft.message.length, first.length);
			assert_memory_equal(draft.message.bytes, first.bytes, first.length);
		} else {
			first = draft.message;
			memset(&draft.message, 0, sizeof(draft.message));
		}
		draft_end(&draft);
		rows_free(rows);
	}
	message_free(&first);
}

static void one_transaction_frees_and_uses_in_order(void **state)
{
	struct rows *rows = world(HOST "partition a default on 1 shared 4GiB 1 0\n"
				  "partition b default off 1 shared 4GiB\n");
	struct operation kill = { .kind = OPERATION_KILL, .name = "a" };
	struct operation start = { .kind = OPERATION_START, .name = "b" };
	struct error e = ERROR_NONE;
	struct draft draft;
	char text[256];

	(void)state;
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&draft, &start, &e), -1);
	assert_int_equal(e.code, EXIT_RESOURCES);
	draft_end(&draft);
	error_clear(&e);
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&draft, &kill, &e), 0);
	assert_int_equal(draft_add(&draft, &start, &e), 0);
	describe(&draft.message, text, sizeof(text));
	assert_string_equal(text, "kill memory cpu start@5");
	draft_end(&draft);
	rows_free(rows);
}

/* Two requests at once: the second is placed beside the first, which uvd has not answered yet. */
static void what_is_under_way_is_reckoned_with(void **state)
{
	struct operation start = { .kind = OPERATION_ACTIVATE, .has_uuid = true };
	struct rows *rows = world(HOST), *later = world(HOST);
	struct error e = ERROR_NONE;
	struct definition d;
	struct draft first, second;

	(void)state;
	definition(&d, "a", "3GiB");
	start.definition = &d;
	world_uuid(start.uuid, "a");
	draft_begin(&first, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&first, &start, &e), 0);
	definition(&d, "b", "2GiB");
	world_uuid(start.uuid, "b");
	assert_int_equal(effects_apply(&first.effects, later), 0);
	draft_begin(&second, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, later);
	assert_int_equal(draft_add(&second, &start, &e), -1);
	assert_int_equal(e.code, EXIT_RESOURCES);
	assert_non_null(strstr(e.why, "a (3 GiB)"));
	/* Rows that show it already are not charged twice. */
	assert_int_equal(effects_apply(&first.effects, rows), 0);
	assert_int_equal(rows_domain(rows, "default")->memory_assigned, 3ull << 30);
	draft_end(&first);
	draft_end(&second);
	rows_free(rows);
	rows_free(later);
	error_clear(&e);
}

/* It counts on that, too: if the start is refused, the generation is not what was expected. */
static void what_is_so_by_what_is_under_way_rests_on_it(void **state)
{
	struct operation start = { .kind = OPERATION_START, .name = "web1" };
	struct rows *rows = world(OFF), *later = world(OFF);
	struct error e = ERROR_NONE;
	struct draft first, second;
	char text[256];

	(void)state;
	draft_begin(&first, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&first, &start, &e), 0);
	assert_int_equal(effects_apply(&first.effects, later), 0);
	draft_begin(&second, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, later);
	assert_int_equal(draft_add(&second, &start, &e), 0);
	describe(&second.message, text, sizeof(text));
	assert_string_equal(text, "expect@6");
	draft_end(&first);
	draft_end(&second);
	rows_free(rows);
	rows_free(later);
}

/* uvd refuses text with anything behind its end, and so does a comparison of bytes. */
static void texts_are_zero_to_their_fields_ends(void **state)
{
	struct operation op = { .kind = OPERATION_DEFINE };
	const struct command_partition_define *r;
	struct rows *rows = world(HOST);
	struct error e = ERROR_NONE;
	struct definition d;
	struct draft draft;

	(void)state;
	definition(&d, "new", "1GiB");
	memset(d.domain, 'x', sizeof(d.domain));
	strcpy(d.domain, "default");
	memset(d.kernel, 'x', sizeof(d.kernel));
	strcpy(d.kernel, "/k");
	memset(d.device[0].name, 'x', sizeof(d.device[0].name));
	strcpy(d.device[0].name, "console");
	op.definition = &d;
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&draft, &op, &e), 0);
	r = (const void *)reply_next(message_header(&draft.message), NULL);
	assert_null(memchr(r->domain, 'x', sizeof(r->domain)));
	assert_null(memchr(r->kernel, 'x', sizeof(r->kernel)));
	assert_null(memchr(((const struct command_device_define *)(r + 1))->name, 'x',
			   COMMAND_DEVICE_LEN));
	draft_end(&draft);
	rows_free(rows);
}

/* The order of disks names them in the guest: another order is another definition. */
static void a_definition_matches_what_it_defined(void **state)
{
	struct operation op = { .kind = OPERATION_DEFINE };
	struct rows *rows = world(HOST);
	struct error e = ERROR_NONE;
	struct definition d, other;
	struct draft draft;

	(void)state;
	definition(&d, "new", "1GiB");
	d.device[1] = d.device[2] = d.device[3] = (struct definition_device){ 0 };
	for (int i = 1; i < 3; i++) {
		snprintf(d.device[i].name, sizeof(d.device[i].name), "disk%d", 3 - i);
		snprintf(d.device[i].path, sizeof(d.device[i].path), "/disk%d", 3 - i);
		d.device[i].type = DEVICE_BLOCK;
	}
	strcpy(d.device[3].name, "net0");
	strcpy(d.device[3].bridge, "uvbr0");
	d.device[3].type = DEVICE_NETWORK;
	d.devices = 4;
	op.definition = &d;
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&draft, &op, &e), 0);
	assert_true(definition_matches(rows, rows_partition(rows, "new"), &d));
	other = d;
	other.device[1] = d.device[2];
	other.device[2] = d.device[1];
	assert_false(definition_matches(rows, rows_partition(rows, "new"), &other));
	other = d;
	other.device[1].readonly = true;
	assert_false(definition_matches(rows, rows_partition(rows, "new"), &other));
	other = d;
	other.devices--;
	assert_false(definition_matches(rows, rows_partition(rows, "new"), &other));
	/* Defining the same again in the same transaction is no conflict. */
	assert_int_equal(draft_add(&draft, &op, &e), 0);
	assert_int_equal(message_count(&draft.message), 6);
	draft_end(&draft);
	rows_free(rows);
}

static int set_limits(struct draft *draft, const char *limits, struct error *e)
{
	struct operation op = { .kind = OPERATION_MODIFY, .name = "new" };
	int rc;

	op.changes = json_pack("{s:{s:{s:o}}}", "devices", "disk", "limits",
			       json_loads(limits, JSON_DECODE_ANY, NULL));
	rc = draft_add(draft, &op, e);
	json_decref(op.changes);
	return rc;
}

static const struct command_settings *last_settings(struct draft *draft)
{
	const struct command_record *r = NULL, *last = NULL;

	while ((r = reply_next(message_header(&draft->message), r)))
		last = r;
	assert_int_equal(last->type, COMMAND_DEVICE_MODIFY);
	return &((const struct command_device_modify *)last)->settings;
}

static void limits_change_one_by_one(void **state)
{
	struct operation op = { .kind = OPERATION_DEFINE };
	struct rows *rows = world(HOST);
	struct error e = ERROR_NONE;
	struct definition d;
	struct draft draft;
	uint32_t n;

	(void)state;
	definition(&d, "new", "1GiB");
	strcpy(d.device[1].name, "disk");
	strcpy(d.device[1].path, "/disk");
	d.device[1].type = DEVICE_BLOCK;
	d.device[1].settings.queues = 1;
	d.devices = 2;
	op.definition = &d;
	draft_begin(&draft, COMMAND_TRANSACT, request_id, NULL, &policy, ROLE_ADMIN, rows);
	assert_int_equal(draft_add(&draft, &op, &e), 0);
	assert_int_equal(set_limits(&draft, "{ \"iops\": 500 }", &e), 0);
	assert_int_equal(last_settings(&draft)->operations, 500);
	assert_int_equal(last_settings(&draft)->burst_ms, 100);
	assert_int_equal(set_limits(&draft, "{ \"bytes_per_s\": \"2MiB\", \"burst_ms\": 7 }", &e),
			 0);
	assert_int_equal(last_settings(&draft)->operations, 500);
	assert_int_equal(last_settings(&draft)->bytes, 2 << 20);
	assert_int_equal(last_settings(&draft)->burst_ms, 7);
	n = message_count(&draft.message);
	assert_int_equal(set_limits(&draft, "{ \"packets_per_s\": 1 }", &e), -1);
	error_clear(&e);
	assert_int_equal(set_limits(&draft, "{ \"iops\": \"many\" }", &e), -1);
	error_clear(&e);
	assert_int_equal(message_count(&draft.message), n);
	assert_int_equal(set_limits(&draft, "{ \"iops\": null }", &e), 0);
	assert_int_equal(last_settings(&draft)->operations, 0);
	assert_int_equal(last_settings(&draft)->bytes, 2 << 20);
	assert_int_equal(set_limits(&draft, "null", &e), 0);
	assert_int_equal(last_settings(&draft)->bytes, 0);
	assert_int_equal(last_settings(&draft)->burst_ms, 0);
	assert_int_equal(last_settings(&draft)->queues, 1);
	draft_end(&draft);
	rows_free(rows);
}

/* ---- lists in JSON --------------------------------------------------------------- */

static const struct {
	const char *text, *where, *message;
} lists[] = {
	{ "[]", "operations", "has 0 operations" },
	{ "[ 7 ]", "operations[0]", "must be an object" },
	{ "[ {} ]", "operations[0]", "has 0 keys" },
	{ "[ { \"start\": \"a\", \"stop\": \"b\" } ]", "operations[0]", "has 2 keys" },
	{ "[ { \"start\": \"a\" }, { \"reboot\": \"b\" } ]", "operations[1].reboot",
	  "unknown key" },
	{ "[ { \"start\": 7 } ]", "operations[0].start", "must be a string" },
	{ "[ { \"define\": { \"name\": \"a\" } } ]", "operations[0].define: cpus", "missing" },
	{ "[ { \"create-domain\": { \"name\": \"a\" } } ]", "operations[0].cpus", "missing" },
};

static void a_list_of_operations_is_read_or_refused_whole(void **state)
{
	struct operations ops = { 0 };
	struct error e = ERROR_NONE;
	json_t *json;

	(void)state;
	json = json_loads("[ { \"start\": \"a\" }, { \"destroy-domain\": \"b\" } ]", 0, NULL);
	assert_int_equal(operations_parse(&ops, json, &e), 0);
	assert_int_equal(ops.count, 2);
	assert_string_equal(ops.list[1].name, "b");
	operations_free(&ops);
	json_decref(json);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char where[128];

		json = json_loads(lists[i].text, 0, NULL);
		assert_non_null(json);
		snprintf(where, sizeof(where), "request: %s", lists[i].where);
		assert_int_equal(operations_parse(&ops, json, &e), -1);
		if (strcmp(e.where, where) || !strstr(e.message, lists[i].message))
			fail_msg("%s: \"%s: %s\"", lists[i].text, e.where, e.message);
		operations_free(&ops);
		error_clear(&e);
		json_decref(json);
	}
}

static int set_up(void **state)
{
	(void)state;
	policy_defaults(&policy);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operation_becomes_its_records),
		cmocka_unit_test(a_generation_that_was_not_seen_is_a_conflict),
		cmocka_unit_test(domains_are_roots),
		cmocka_unit_test(what_an_operator_may_not_use_is_denied),
		cmocka_unit_test(an_activation_does_not_take_anothers_name_or_uuid),
		cmocka_unit_test(the_same_request_makes_the_same_bytes),
		cmocka_unit_test(one_transaction_frees_and_uses_in_order),
		cmocka_unit_test(what_is_under_way_is_reckoned_with),
		cmocka_unit_test(what_is_so_by_what_is_under_way_rests_on_it),
		cmocka_unit_test(texts_are_zero_to_their_fields_ends),
		cmocka_unit_test(a_definition_matches_what_it_defined),
		cmocka_unit_test(limits_change_one_by_one),
		cmocka_unit_test(a_list_of_operations_is_read_or_refused_whole),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

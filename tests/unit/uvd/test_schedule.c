/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processor time and leases: windows and real-time budgets are admitted before they are committed,
 * changed while a partition runs, and brought in line after a crash; a host that is stopped starts
 * nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uvd/lease.h>
#include <uvd/operation.h>
#include <uvd/reconcile.h>

#include "fake.h"

#define MS 1000000ULL

/* A domain "rt" of CPUs 6 and 7, with frames of 10 ms. */
static void make_domain(struct host *h)
{
	struct command_domain *d;

	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "rt");
	d->cpus[0] = 0xc0;
	d->memory = 512ULL << 20;
	d->frame_ns = 10 * MS;
	d->phase_ns = 3 * MS;
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

static struct command_partition_define *add_guest(struct host *h, const char *name)
{
	struct command_partition_define *p = message_add(h, COMMAND_PARTITION_DEFINE);

	name_uuid(p->partition, name);
	strncpy(p->name, name, sizeof(p->name) - 1);
	strcpy(p->domain, "rt");
	p->vcpus = 1;
	p->mode = MODE_SHARED;
	p->memory = 64ULL << 20;
	strcpy(p->kernel, h->kernel_file);
	return p;
}

static struct command_processor_assign *add_cpu(struct host *h, const char *name, unsigned int cpu)
{
	struct command_processor_assign *c = message_add(h, COMMAND_PROCESSOR_ASSIGN);

	name_uuid(c->partition, name);
	c->mode = MODE_SHARED;
	c->cpus[0] = 1ULL << cpu;
	return c;
}

static void add_memory(struct host *h, const char *name)
{
	struct command_memory_assign *m = message_add(h, COMMAND_MEMORY_ASSIGN);

	name_uuid(m->partition, name);
	m->bytes = 64ULL << 20;
}

/* Defined with a window of this length at this place on CPU 6, and started. */
static const struct command_header *start_window(struct host *h, const char *name,
						 uint64_t start_ns, uint64_t length)
{
	struct command_processor_assign *c;
	struct command_partition_define *p;

	message_begin(h, COMMAND_TRANSACT);
	p = add_guest(h, name);
	p->mode = MODE_WINDOW;
	p->window_ns = length;
	add_memory(h, name);
	c = add_cpu(h, name, 6);
	c->mode = MODE_WINDOW;
	c->window_ns = length;
	c->window_start_ns = start_ns;
	add_verb(h, COMMAND_PARTITION_START, name);
	return message_ask(h);
}

static void must(const struct command_header *r)
{
	if (r->status != COMMAND_OK)
		fail_msg("status %u at record %u: %s", r->status, r->failed, r->text);
}

static void refused(const struct command_header *r, uint32_t status, const char *words)
{
	if (r->status != status || !strstr(r->text, words))
		fail_msg("status %u, \"%s\"; not %u, \"%s\"", r->status, r->text, status, words);
	assert_true(r->fix[0]);
}

static struct fake_object *object(struct host *h, const char *name)
{
	uint8_t uuid[16];
	unsigned int i;

	name_uuid(uuid, name);
	for (i = 0; i < FAKE_OBJECTS; i++)
		if (h->fake->object[i].id && !memcmp(h->fake->object[i].uuid, uuid, 16))
			return &h->fake->object[i];
	fail_msg("the module has no %s", name);
	return NULL;
}

/* As if its guest executed: what runs can be changed. */
static void runs(struct host *h, const char *name)
{
	struct internal_partition {
		struct command_record r;
		uint8_t partition[16];
	} c = { .r = { .type = 0x8001, .length = sizeof(c) } };

	name_uuid(c.partition, name);
	assert_int_equal(transaction_own(&h->uvd, "test", &c, sizeof(c), 1), 0);
	assert_int_equal(state_of(h, name), PARTITION_RUNNING);
}

static void test_a_domains_processors_are_given_with_its_frame(void **state)
{
	struct host *h = *state;
	struct command_domain *d;

	make_domain(h);
	assert_int_equal(h->fake->cpu[6].flags, ULTRAVISOR_PROCESSOR_GIVEN);
	assert_int_equal(h->fake->cpu[7].frame_ns, 10 * MS);
	assert_int_equal(h->fake->cpu[7].phase_ns, 3 * MS);
	assert_int_equal(h->fake->cpu[2].flags, ULTRAVISOR_PROCESSOR_GIVEN);
	assert_int_equal(h->fake->cpu[2].frame_ns, 0);
	assert_int_equal(h->fake->cpu[0].flags, 0);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_DESTROY);
	strcpy(d->name, "rt");
	must(message_ask(h));
	assert_int_equal(h->fake->cpu[6].flags, 0);
	/* A refused one takes back what it was prepared with. */
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "rt");
	d->cpus[0] = 0xc0;
	add_verb(h, COMMAND_PARTITION_START, "nobody");
	refused(message_ask(h), COMMAND_NOT_FOUND, "no partition");
	assert_int_equal(h->fake->cpu[6].flags, 0);
	/* After a restart of the host nothing is given until the rows say so. */
	memset(h->fake->cpu, 0, sizeof(h->fake->cpu));
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	assert_int_equal(h->fake->cpu[2].flags, ULTRAVISOR_PROCESSOR_GIVEN);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "bad");
	d->frame_ns = 10 * MS;
	d->phase_ns = 10 * MS;
	refused(message_ask(h), COMMAND_INVALID, "frame of");
}

static void test_windows_do_not_overlap_and_leave_some(void **state)
{
	struct host *h = *state;

	make_domain(h);
	must(start_window(h, "a", 0, 3 * MS));
	assert_int_equal(object(h, "a")->context[0].mode, ULTRAVISOR_CONTEXT_WINDOW);
	assert_int_equal(object(h, "a")->context[0].window_ns, 3 * MS);
	refused(start_window(h, "b", 2 * MS, 2 * MS), COMMAND_RESOURCES,
		"a has the window from 0 to 3000 us; the longest free time in its frame of"
		" 10000 us is 7000 us");
	refused(start_window(h, "b", 9 * MS, 2 * MS), COMMAND_INVALID, "in a frame of 10000 us");
	must(start_window(h, "b", 3 * MS, 2 * MS));
	refused(start_window(h, "c", 5 * MS, 5 * MS), COMMAND_RESOURCES,
		"50.0 % asked, windows and real-time budgets have 50.0 % of at most 90 %: 40.0 %");
	must(start_window(h, "c", 5 * MS, 4 * MS));
	assert_in_line(h);
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "a");
	must(message_ask(h));
	must(start_window(h, "d", 0, 3 * MS));
}

static void test_the_schema_alone_keeps_windows_apart(void **state)
{
	struct host *h = *state;
	struct db *db = h->uvd.db;
	uint8_t uuid[16];

	make_domain(h);
	must(start_window(h, "a", 1 * MS, 3 * MS));
	message_begin(h, COMMAND_TRANSACT);
	add_guest(h, "b")->vcpus = 4;
	must(message_ask(h));
	name_uuid(uuid, "b");
	assert_int_equal(db_run(db, "INSERT INTO context VALUES (?, 0, 3, 0, 0, 0, 2000000,"
				" 1000000, '6')", "u", uuid), 0);
	assert_int_equal(db_run(db, "INSERT INTO context_cpu VALUES (6, ?, 0, 0)", "u", uuid),
			 -EDEADLK);
	assert_non_null(strstr(db_error(db), "windows overlap"));
	assert_int_equal(db_run(db, "INSERT INTO context VALUES (?, 1, 3, 0, 0, 0, 9000000,"
				" 2000000, '6')", "u", uuid), 0);
	assert_int_equal(db_run(db, "INSERT INTO context_cpu VALUES (6, ?, 1, 0)", "u", uuid),
			 -EDEADLK);
	assert_non_null(strstr(db_error(db), "within its frame"));
	assert_int_equal(db_run(db, "INSERT INTO context VALUES (?, 2, 1, 70000000, 100000000, 1,"
				" 0, 0, '6')", "u", uuid), 0);
	assert_int_equal(db_run(db, "INSERT INTO context_cpu VALUES (6, ?, 2, 0)", "u", uuid),
			 -EDEADLK);
	assert_non_null(strstr(db_error(db), "real-time budgets"));
}

static void test_real_time_budgets_have_one_processor(void **state)
{
	struct host *h = *state;
	struct command_processor_assign *c;
	struct command_partition_define *p;

	make_domain(h);
	message_begin(h, COMMAND_TRANSACT);
	p = add_guest(h, "a");
	p->flags = PROCESSOR_REALTIME;
	refused(message_ask(h), COMMAND_INVALID, "period of 0");
	message_begin(h, COMMAND_TRANSACT);
	p = add_guest(h, "a");
	p->flags = PROCESSOR_REALTIME;
	p->budget_ns = 60 * MS;
	p->period_ns = 100 * MS;
	p = add_guest(h, "b");
	p->flags = PROCESSOR_REALTIME;
	p->budget_ns = 60 * MS;
	p->period_ns = 100 * MS;
	must(message_ask(h));
	message_begin(h, COMMAND_TRANSACT);
	c = add_cpu(h, "a", 6);
	c->flags = PROCESSOR_REALTIME;
	c->budget_ns = 60 * MS;
	c->period_ns = 100 * MS;
	c->cpus[0] = 0xc0;
	refused(message_ask(h), COMMAND_INVALID, "2 processors for context 0");
	c->cpus[0] = 0x40;
	h->fake->calls = 0;
	memset(message_header(h)->request_id, 1, 16);
	must(message_ask(h));
	message_begin(h, COMMAND_TRANSACT);
	c = add_cpu(h, "b", 6);
	c->flags = PROCESSOR_REALTIME;
	c->budget_ns = 60 * MS;
	c->period_ns = 100 * MS;
	refused(message_ask(h), COMMAND_RESOURCES, "60.0 % asked");
}

static void add_modify(struct host *h, const char *name, uint64_t start_ns, uint64_t length)
{
	struct command_partition_modify *m = message_add(h, COMMAND_PARTITION_MODIFY);
	struct command_processor_assign *c;

	name_uuid(m->partition, name);
	m->mode = MODE_WINDOW;
	m->window_ns = length;
	if (!length)
		return;
	c = add_cpu(h, name, 6);
	c->mode = MODE_WINDOW;
	c->window_ns = length;
	c->window_start_ns = start_ns;
}

static void test_a_running_partition_is_changed_at_once(void **state)
{
	struct host *h = *state;
	struct ultravisor_context_set *set;

	make_domain(h);
	must(start_window(h, "a", 0, 2 * MS));
	must(start_window(h, "b", 5 * MS, 2 * MS));
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 1 * MS, 3 * MS);
	refused(message_ask(h), COMMAND_CONFLICT, "starting");
	runs(h, "a");
	set = &object(h, "a")->context[0];
	message_begin(h, COMMAND_PLAN);
	add_modify(h, "a", 1 * MS, 3 * MS);
	must(message_ask(h));
	assert_int_equal(set->window_ns, 2 * MS);
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 1 * MS, 3 * MS);
	must(message_ask(h));
	assert_int_equal(set->window_start_ns, 1 * MS);
	assert_int_equal(set->window_ns, 3 * MS);
	assert_int_equal(sql(h, "SELECT window_ns FROM partition WHERE name = 'a'"), 3 * MS);
	assert_int_equal(sql(h, "SELECT window_start_ns FROM context c JOIN partition p"
			     " ON p.uuid = c.partition WHERE p.name = 'a'"), 1 * MS);
	/* Not into another's window, and the definition alone is not enough while it runs. */
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 3 * MS, 3 * MS);
	refused(message_ask(h), COMMAND_RESOURCES, "b has the window from 5000");
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 0, 0);
	refused(message_ask(h), COMMAND_INVALID, "window of 0 ns");
	assert_int_equal(set->window_ns, 3 * MS);
}

static int settle(struct uvd *uvd, int control, struct ultravisor_context_set *should, void *data)
{
	(void)data;
	return kernel_context_set(uvd->kernel, control, should);
}

static void test_a_change_that_the_module_refuses_did_not_happen(void **state)
{
	struct host *h = *state;
	struct ultravisor_context_set *set;
	unsigned int sets;

	make_domain(h);
	must(start_window(h, "a", 0, 2 * MS));
	runs(h, "a");
	set = &object(h, "a")->context[0];
	h->fake->context_errno = EBUSY;
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 1 * MS, 3 * MS);
	refused(message_ask(h), COMMAND_RESOURCES, "context 0 of a");
	assert_int_equal(set->window_ns, 2 * MS);
	assert_int_equal(sql(h, "SELECT window_ns FROM partition WHERE name = 'a'"), 2 * MS);
	/* The first of two was changed already: it becomes what it was. */
	sets = h->fake->context_sets;
	message_begin(h, COMMAND_TRANSACT);
	add_modify(h, "a", 1 * MS, 3 * MS);
	add_verb(h, COMMAND_PARTITION_START, "nobody");
	refused(message_ask(h), COMMAND_NOT_FOUND, "no partition");
	assert_int_equal(h->fake->context_sets, sets);
	/* Killed behind the change and before the commit: the rows win. */
	set->window_ns = 4 * MS;
	{
		uint8_t uuid[16];
		int fd = kernel_object_open(&h->kernel, object(h, "a")->id,
					    ULTRAVISOR_ROLE_CONTROL, 0);

		name_uuid(uuid, "a");
		assert_int_equal(contexts_differ(&h->uvd, uuid, fd, settle, NULL), 1);
		assert_int_equal(set->window_ns, 2 * MS);
		sets = h->fake->context_sets;
		assert_int_equal(contexts_differ(&h->uvd, uuid, fd, settle, NULL), 1);
		assert_int_equal(h->fake->context_sets, sets);
	}
}

static const struct command_header *renew(struct host *h, const char *const *names)
{
	static struct reply reply;

	message_begin(h, COMMAND_RENEW);
	for (; *names; names++)
		add_verb(h, COMMAND_LEASE_RENEW, *names);
	lease_answer(&h->uvd, message_header(h), message_header(h)->length, &reply);
	return (const struct command_header *)reply.bytes;
}

static void test_a_lease_is_given_at_the_start_and_renewed_without_a_transaction(void **state)
{
	static const char *const one[] = { "a", NULL }, *const two[] = { "b", "a", NULL };
	static const char *const nobody[] = { "nobody", "a", NULL };
	struct host *h = *state;
	const struct command_row_partition *row;
	struct command_partition_define *p;
	int64_t lines;

	make_domain(h);
	message_begin(h, COMMAND_TRANSACT);
	p = add_guest(h, "a");
	p->lease_ns = 500 * MS;
	refused(message_ask(h), COMMAND_INVALID, "a lease of");
	message_begin(h, COMMAND_TRANSACT);
	add_guest(h, "a")->lease_ns = 10000 * MS;
	add_guest(h, "b");
	must(message_ask(h));
	refused(renew(h, one), COMMAND_CONFLICT, "a is off");
	message_begin(h, COMMAND_TRANSACT);
	add_memory(h, "a");
	add_cpu(h, "a", 6);
	add_verb(h, COMMAND_PARTITION_START, "a");
	must(message_ask(h));
	assert_int_equal(object(h, "a")->lease_epoch, h->reply->transaction);
	lines = sql(h, "SELECT count(*) FROM ledger");
	object(h, "a")->lease_deadline = 1;
	must(renew(h, one));
	row = (const struct command_row_partition *)(renew(h, one) + 1);
	assert_int_equal(row->r.type, COMMAND_ROW_PARTITION);
	assert_int_equal(row->lease_epoch, object(h, "a")->lease_epoch);
	assert_in_range(row->lease_left_ns, 9000 * MS, 10000 * MS);
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
	/* One that cannot be renewed does not park the others. */
	h->fake->lease_renewals = 0;
	refused(renew(h, two), COMMAND_CONFLICT, "b runs without a lease");
	refused(renew(h, nobody), COMMAND_NOT_FOUND, "no partition");
	assert_int_equal(h->fake->lease_renewals, 2);
	/* Renewals are no operations. */
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_LEASE_RENEW, "a");
	refused(message_ask(h), COMMAND_INVALID, "type 65");
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "a");
	must(message_ask(h));
	refused(renew(h, one), COMMAND_CONFLICT, "a is off");
}

static void run_host(struct host *h, uint16_t type)
{
	message_begin(h, COMMAND_TRANSACT);
	message_add(h, type);
	must(message_ask(h));
}

static void test_a_stopped_host_starts_nothing_and_releases_all(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	define(h, "web2");
	start(h, "web1");
	run_host(h, COMMAND_HOST_STOP);
	run_host(h, COMMAND_HOST_STOP);
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web2");
	add_verb(h, COMMAND_PARTITION_START, "web2");
	refused(message_ask(h), COMMAND_CONFLICT, "being stopped");
	host_release(&h->uvd);
	assert_in_line(h);
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "web1");
	must(message_ask(h));
	assert_int_equal(fake_objects(h->fake), 1);
	host_release(&h->uvd);
	assert_int_equal(fake_objects(h->fake), 0);
	/* It comes back as it was left; a new load of the module is a start. */
	host_reopen(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	assert_in_line(h);
	assert_int_equal(sql(h, "SELECT stopping FROM host"), 1);
	memset(h->fake->instance, 9, 16);
	host_reopen(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	assert_int_equal(sql(h, "SELECT stopping FROM host"), 0);
	run_host(h, COMMAND_HOST_STOP);
	run_host(h, COMMAND_HOST_START);
	start(h, "web2");
	/* Without a stop the end of uvd changes nothing. */
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, COMMAND_PARTITION_KILL, "web2");
	must(message_ask(h));
	host_release(&h->uvd);
	assert_int_equal(fake_objects(h->fake), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_domains_processors_are_given_with_its_frame),
		TEST(test_windows_do_not_overlap_and_leave_some),
		TEST(test_the_schema_alone_keeps_windows_apart),
		TEST(test_real_time_budgets_have_one_processor),
		TEST(test_a_running_partition_is_changed_at_once),
		TEST(test_a_change_that_the_module_refuses_did_not_happen),
		TEST(test_a_lease_is_given_at_the_start_and_renewed_without_a_transaction),
		TEST(test_a_stopped_host_starts_nothing_and_releases_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes beneath a guest: its domain's resources, the domain that it is of, who serves its
 * device, and what the host holds for that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "expect.h"
#include "fake.h"

#define GIB (1ULL << 30)

static struct command_domain *change(struct host *h, const char *name, uint64_t cpus,
				     uint64_t memory)
{
	struct command_domain *d;

	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_MODIFY);
	strcpy(d->name, name);
	d->cpus[0] = cpus;
	d->memory = memory;
	return d;
}

static void assign(struct host *h, const char *name, const char *domain)
{
	struct command_domain_assign *a;

	message_begin(h, COMMAND_TRANSACT);
	a = message_add(h, COMMAND_DOMAIN_ASSIGN);
	name_uuid(a->partition, name);
	strcpy(a->domain, domain);
}

static void test_a_domain_grows_and_shrinks_around_what_runs(void **state)
{
	struct host *h = *state;
	const struct command_row_domain *d;

	define(h, "web1");
	start(h, "web1");	/* 256 MiB, CPUs 2 and 3 */
	change(h, "default", 0xfc, 2 * GIB);
	accepted(h);
	d = row(h, COMMAND_ROW_DOMAIN);
	assert_int_equal(d->memory, 2 * GIB);
	assert_int_equal(d->cpus[0], 0xfc);
	assert_int_equal(d->r.generation, 2);
	change(h, "default", 0x0c, 256ULL << 20);
	accepted(h);
	assert_in_line(h);

	change(h, "default", 0x08, GIB);
	refused(h, COMMAND_CONFLICT, "processor 2 of domain default: partition web1 may run on it");
	change(h, "default", 0x0c, 128ULL << 20);
	refused(h, COMMAND_RESOURCES, "128MiB asked, its partitions have 256MiB");
	change(h, "default", 0x0c, 3 * GIB);
	refused(h, COMMAND_RESOURCES, "3GiB asked, 2GiB of the pool are in no other domain");
	change(h, "default", 0x0d, GIB);
	refused(h, COMMAND_RESOURCES, "processor 0 is not in the pool");
	change(h, "nowhere", 0x0c, GIB);
	refused(h, COMMAND_NOT_FOUND, "no domain nowhere");
	change(h, "default", 0x0c, GIB)->frame_ns = 5;
	refused(h, COMMAND_INVALID, "a frame of 5 ns");
	change(h, "default", 0x0c, GIB)->r.generation = 1;
	refused(h, COMMAND_CONFLICT, "default");
}

static void test_a_partition_moves_to_another_domain_while_it_is_off(void **state)
{
	struct host *h = *state;
	struct command_domain *d;

	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "batch");
	d->cpus[0] = 0xc0;
	d->memory = GIB;
	accepted(h);
	define(h, "web1");
	assign(h, "web1", "nowhere");
	refused(h, COMMAND_NOT_FOUND, "no domain nowhere");
	assign(h, "web1", "batch");
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE domain = 'batch'"), 1);
	/* Its processors would be of another domain. */
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	refused(h, COMMAND_RESOURCES, "processor 2");
	assign(h, "web1", "default");
	accepted(h);
	start(h, "web1");
	assign(h, "web1", "batch");
	refused(h, COMMAND_CONFLICT, "web1 is starting");
}

static void channel_of(struct host *h, const uint8_t partition[16], const char *device,
		       uint8_t channel[16])
{
	sqlite3_stmt *q;

	q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE partition = ? AND name = ?", "ut",
		     partition, device);
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, channel);
	db_done(q);
}

static struct command_channel *revoke_channel(struct host *h, const char *name, const char *device)
{
	struct command_channel *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_REVOKE);
	name_uuid(c->partition, name);
	strcpy(c->name, device);
	channel_of(h, c->partition, device, c->channel);
	return c;
}

static void test_a_server_is_revoked_and_gets_the_channel_anew(void **state)
{
	struct host *h = *state;
	struct command_channel *c;

	define(h, "web1");
	start(h, "web1");
	revoke_channel(h, "web1", "root");
	accepted(h);
	assert_int_equal(h->fake->revoked, 1);
	revoke_channel(h, "web1", "monitor");
	refused(h, COMMAND_DENIED, "uvd's own");
	c = revoke_channel(h, "web1", "root");
	strcpy(c->name, "net0");
	refused(h, COMMAND_INVALID, "this channel is of device root of web1");
	c = revoke_channel(h, "web1", "root");
	memset(c->channel, 1, sizeof(c->channel));
	refused(h, COMMAND_NOT_FOUND, "no channel");
	assert_int_equal(h->fake->revoked, 1);
}

static struct command_channel_promote *promote(struct host *h, uint32_t slot, uint64_t epoch)
{
	struct command_channel_promote *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_PROMOTE);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "root");
	channel_of(h, c->partition, "root", c->channel);
	c->slot = slot;
	c->epoch = epoch;
	return c;
}

/* The fake's channels are served by slot 0 in epoch 0, and slot 1 stands by. */
static void test_a_standby_is_promoted_for_who_knows_the_epoch(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");
	promote(h, 1, 0);
	accepted(h);
	assert_int_equal(h->fake->promoted, 1);
	promote(h, 1, 7);
	refused(h, COMMAND_CONFLICT, "served otherwise by now");
	promote(h, 0, 0);
	refused(h, COMMAND_CONFLICT, "slot 0 does not stand by");
	promote(h, COMMAND_MAX_SERVERS, 0);
	refused(h, COMMAND_INVALID, "slot 4");
	strcpy(promote(h, 1, 0)->name, "net0");
	refused(h, COMMAND_INVALID, "this channel is of device root of web1");
	assert_int_equal(h->fake->promoted, 1);
}

static struct command_device_modify *set_device(struct host *h, const char *name,
						const char *device)
{
	struct command_device_modify *m;

	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_DEVICE_MODIFY);
	name_uuid(m->partition, name);
	strcpy(m->name, device);
	m->settings.queues = 1;
	return m;
}

static void test_limits_alone_of_a_device_change(void **state)
{
	struct command_device_modify *m;
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");
	m = set_device(h, "web1", "root");
	m->settings.operations = 500;
	m->settings.burst_ms = 100;
	accepted(h);
	m = set_device(h, "web1", "root");
	m->settings.queues = 2;
	refused(h, COMMAND_INVALID, "only its limits");
	m = set_device(h, "web1", "root");
	strcpy(m->settings.serial, "other");
	refused(h, COMMAND_INVALID, "only its limits");
	m = set_device(h, "web1", "root");
	m->settings.bytes = 4096;
	refused(h, COMMAND_INVALID, "contradict");
	m = set_device(h, "web1", "console");
	m->settings.bytes = 4096;
	m->settings.burst_ms = 100;
	refused(h, COMMAND_INVALID, "do not go with its type");
	set_device(h, "web1", "disk");
	refused(h, COMMAND_NOT_FOUND, "no device disk");
	set_device(h, "web1", "root");
	accepted(h);
	assert_in_line(h);
}

static void resize(struct host *h, const char *device)
{
	struct command_device_op *o;

	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, COMMAND_DEVICE_RESIZE);
	name_uuid(o->partition, "web1");
	strcpy(o->name, device);
}

static void test_a_disk_grows_and_never_shrinks(void **state)
{
	struct host *h = *state;
	struct stat st;

	define(h, "web1");
	resize(h, "root");
	refused(h, COMMAND_CONFLICT, "nothing of the host");
	start(h, "web1");
	assert_int_equal(stat(h->image, &st), 0);
	assert_int_equal(truncate(h->image, st.st_size + 4096), 0);
	resize(h, "root");
	accepted(h);
	assert_int_equal(truncate(h->image, st.st_size), 0);
	resize(h, "root");
	refused(h, COMMAND_CONFLICT, "its guest was told of");
	resize(h, "net0");
	refused(h, COMMAND_CONFLICT, "is no disk");
	assert_in_line(h);
}

static void reset(struct host *h, const char *name, const char *device)
{
	struct command_device_op *o;

	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, COMMAND_DEVICE_RESET);
	name_uuid(o->partition, name);
	strcpy(o->name, device);
}

static void test_a_reset_makes_anew_what_the_host_has_lost(void **state)
{
	struct host *h = *state;
	char moved[160];

	define(h, "web1");
	reset(h, "web1", "root");
	refused(h, COMMAND_CONFLICT, "web1 is off");
	start(h, "web1");
	assert_int_equal(fake_taps(h->fake), 1);
	memset(h->fake->tap, 0, sizeof(h->fake->tap));
	reset(h, "web1", "net0");
	accepted(h);
	assert_int_equal(fake_taps(h->fake), 1);
	assert_int_equal(h->fake->revoked, 2);		/* whoever serves, and who stands by */
	reset(h, "web1", "console");
	accepted(h);
	reset(h, "web1", "disk");
	refused(h, COMMAND_NOT_FOUND, "no device disk");
	assert_in_line(h);

	/* The path is another file by now: the guest would lose its disk unnoticed. */
	reset(h, "web1", "root");
	accepted(h);
	snprintf(moved, sizeof(moved), "%s.was", h->image);
	assert_int_equal(rename(h->image, moved), 0);
	assert_int_equal(rename(h->image2, h->image), 0);
	reset(h, "web1", "root");
	refused(h, COMMAND_CONFLICT, "root of web1 has file");
	assert_int_equal(rename(h->image, h->image2), 0);
	assert_int_equal(rename(moved, h->image), 0);
}

/* The module gives up no tap and no channel for a reset that does not happen. */
static void test_a_refused_reset_leaves_no_tap(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	start(h, "web1");
	memset(h->fake->tap, 0, sizeof(h->fake->tap));
	reset(h, "web1", "net0");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_CONFLICT);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(h->fake->revoked, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_domain_grows_and_shrinks_around_what_runs),
		TEST(test_a_partition_moves_to_another_domain_while_it_is_off),
		TEST(test_a_server_is_revoked_and_gets_the_channel_anew),
		TEST(test_a_standby_is_promoted_for_who_knows_the_epoch),
		TEST(test_limits_alone_of_a_device_change),
		TEST(test_a_disk_grows_and_never_shrinks),
		TEST(test_a_reset_makes_anew_what_the_host_has_lost),
		TEST(test_a_refused_reset_leaves_no_tap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

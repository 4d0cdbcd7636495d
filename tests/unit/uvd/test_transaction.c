/* SPDX-License-Identifier: Apache-2.0 */
/* What each operation checks, changes and refuses; that a refused one leaves only its line. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <ultravisor/io.h>
#include <uvd/internal.h>
#include <uvd/query.h>

#include "fake.h"

/* A copy of all rows but the ledger's: a refusal must not change it. */
static char *rows(struct host *h)
{
	static const char *const tables[] = {
		"host", "node", "domain", "processor", "partition", "memory", "context",
		"context_cpu", "device", "claim", "channel", "channel_server", "history",
	};
	char *text = NULL, sql_text[64];
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	sqlite3_stmt *q;
	unsigned int i;
	int k;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(sql_text, sizeof(sql_text), "SELECT * FROM %s", tables[i]);
		assert_int_equal(sqlite3_prepare_v2(db_handle(h->uvd.db), sql_text, -1, &q, NULL),
				 SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW)
			for (k = 0; k < sqlite3_column_count(q); k++)
				fprintf(f, "%s|", (const char *)sqlite3_column_text(q, k));
		sqlite3_finalize(q);
	}
	fclose(f);
	return text;
}

/* Asks, and expects a refusal with these words that changes nothing but adds a line. */
static void refused(struct host *h, uint32_t status, const char *words)
{
	char *before = rows(h), *after;
	int64_t lines = sql(h, "SELECT count(*) FROM ledger");
	unsigned int objects = fake_objects(h->fake), taps = fake_taps(h->fake);
	const struct command_header *r = message_ask(h);

	if (r->status != status || !strstr(r->text, words))
		fail_msg("status %u, \"%s\"; not %u, \"%s\"", r->status, r->text, status, words);
	assert_true(r->fix[0] != '\0');
	assert_int_equal(r->count, 0);
	after = rows(h);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines + 1);
	assert_int_equal(sql(h, "SELECT status FROM ledger ORDER BY \"transaction\" DESC"), status);
	assert_int_equal(sql(h, "SELECT max(\"transaction\") FROM ledger"), r->transaction);
	assert_int_equal(fake_objects(h->fake), objects);
	assert_int_equal(fake_taps(h->fake), taps);
	assert_in_line(h);
}

static void accepted(struct host *h)
{
	const struct command_header *r = message_ask(h);

	if (r->status)
		fail_msg("refused at record %u: %s", r->failed, r->text);
	assert_in_line(h);
}

static void verb(struct host *h, uint16_t type, const char *name)
{
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, type, name);
}

/* The first row of this type in the last reply. */
static const void *row(struct host *h, uint16_t type)
{
	const struct command_record *r = (const void *)(h->reply + 1);
	uint32_t i;

	for (i = 0; i < h->reply->count; i++, r = (const void *)((const char *)r + r->length))
		if (r->type == type)
			return r;
	fail_msg("no row of type %u", type);
	return NULL;
}

static uint64_t generation(struct host *h)
{
	return sql(h, "SELECT generation FROM partition WHERE kind = 1");
}

/* ---- */

static void test_a_life_of_a_partition(void **state)
{
	struct host *h = *state;
	const struct command_row_partition *p;
	unsigned int i;

	define(h, "web1");
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_DEFINED);
	assert_int_equal(p->devices, 3);
	start(h, "web1");
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_STARTING);
	assert_int_equal(p->memory_assigned, 256 << 20);
	assert_int_equal(p->node, 0);
	assert_true(p->module_id != 0);
	assert_int_equal(h->fake->starts, 1);
	/* partition, monitor and three device channels, beside the command channel */
	assert_int_equal(fake_objects(h->fake), 6);
	assert_int_equal(fake_taps(h->fake), 1);
	assert_true(h->fake->own_bridge);
	for (i = 0; i < FAKE_OBJECTS; i++)
		if (h->fake->object[i].id && h->fake->object[i].kind == ULTRAVISOR_KIND_PARTITION) {
			assert_int_equal(h->fake->object[i].memory, 256 << 20);
			assert_int_equal(h->fake->object[i].contexts, 2);
		}
	assert_in_line(h);

	verb(h, COMMAND_PARTITION_STOP, "web1");
	refused(h, COMMAND_CONFLICT, "is starting");
	sql(h, "UPDATE partition SET state = 3 WHERE kind = 1");
	verb(h, COMMAND_PARTITION_PAUSE, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_PAUSED);
	verb(h, COMMAND_PARTITION_STOP, "web1");
	refused(h, COMMAND_CONFLICT, "is paused");
	verb(h, COMMAND_PARTITION_RESUME, "web1");
	accepted(h);
	verb(h, COMMAND_PARTITION_STOP, "web1");
	accepted(h);
	assert_int_equal(h->fake->stops, 1);
	assert_int_equal(state_of(h, "web1"), PARTITION_STOPPING);
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
	assert_int_equal(h->fake->ends, 1);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_false(h->fake->own_bridge);
	assert_int_equal(sql(h, "SELECT count(*) FROM memory"), 0);
	verb(h, COMMAND_PARTITION_UNDEFINE, "web1");
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM device"), 0);
}

static void test_everything_in_one_message(void **state)
{
	struct host *h = *state;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, "br7");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	/* The order of operations is the author's: START may come first. */
	add_verb(h, COMMAND_PARTITION_START, "web1");
	add_resources(h, "web1");
	accepted(h);
	assert_int_equal(state_of(h, "web1"), PARTITION_STARTING);
	/* The host's own bridge is used as found. */
	assert_false(h->fake->own_bridge);
	assert_int_equal(sql(h, "SELECT summary ="
			     " 'start web1: 256MiB on node 0, 2 contexts, 3 devices' FROM ledger"
			     " ORDER BY \"transaction\" DESC"), 1);
}

static void test_a_plan_changes_nothing(void **state)
{
	const struct command_row_partition *p;
	struct host *h = *state;
	char *before, *after;

	define(h, "web1");
	before = rows(h);
	message_begin(h, COMMAND_PLAN);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	p = row(h, COMMAND_ROW_PARTITION);
	assert_int_equal(p->state, PARTITION_STARTING);
	after = rows(h);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(h->fake->starts, 0);
	assert_int_equal(h->reply->transaction, 0);
}

static void test_define_refuses(void **state)
{
	struct host *h = *state;
	struct command_partition_define *d = (void *)(message_header(h) + 1);
	struct command_device_define *device;

	define(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", NULL, NULL);
	refused(h, COMMAND_CONFLICT, "there is a partition web1 already");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", NULL, NULL);
	strcpy(d->domain, "nowhere");
	refused(h, COMMAND_NOT_FOUND, "no domain nowhere");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", NULL, NULL);
	d->vcpus = 0;
	refused(h, COMMAND_INVALID, "0 vCPUs");
	uuid_random(message_header(h)->request_id);
	d->vcpus = 65;
	refused(h, COMMAND_INVALID, "65 vCPUs");
	uuid_random(message_header(h)->request_id);
	d->vcpus = 1;
	d->memory = 0;
	refused(h, COMMAND_INVALID, "0 bytes");
	uuid_random(message_header(h)->request_id);
	d->memory = 3 << 20;
	refused(h, COMMAND_INVALID, "3145728 bytes");
	uuid_random(message_header(h)->request_id);
	d->memory = 4 << 20;
	d->mode = 3;
	refused(h, COMMAND_INVALID, "unknown mode 3");
	uuid_random(message_header(h)->request_id);
	d->mode = MODE_SHARED;
	d->budget_ns = 20000000;
	refused(h, COMMAND_INVALID, "period of 0");
	uuid_random(message_header(h)->request_id);
	d->period_ns = 10000000;
	refused(h, COMMAND_INVALID, "budget of 20000000");
	uuid_random(message_header(h)->request_id);
	d->mode = MODE_DEDICATED;
	d->period_ns = 100000000;
	refused(h, COMMAND_INVALID, "dedicated");
	uuid_random(message_header(h)->request_id);
	d->mode = MODE_SHARED;
	memset(d->partition, 0, 16);
	refused(h, COMMAND_INVALID, "all zero");

	/* Devices go with their definition. */
	message_begin(h, COMMAND_TRANSACT);
	device = message_add(h, COMMAND_DEVICE_DEFINE);
	name_uuid(device->partition, "web1");
	strcpy(device->name, "more");
	device->device = DEVICE_CONSOLE;
	refused(h, COMMAND_CONFLICT, "part of its definition");
}

static void test_device_definitions_refuse(void **state)
{
	static const uint32_t devices[] = {
		DEVICE_BLOCK, DEVICE_BLOCK, DEVICE_BLOCK, DEVICE_NETWORK, DEVICE_NETWORK,
		DEVICE_NETWORK, 4, DEVICE_BLOCK,
	};
	struct host *h = *state;
	struct command_device_define *d;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		message_begin(h, COMMAND_TRANSACT);
		add_define(h, "web1", NULL, NULL);
		d = message_add(h, COMMAND_DEVICE_DEFINE);
		name_uuid(d->partition, "web1");
		strcpy(d->name, i == 7 ? "console" : "extra");
		d->device = devices[i];
		if (i == 1) {
			strcpy(d->path, h->image);
			strcpy(d->bridge, "br7");
		} else if (i == 2) {
			strcpy(d->path, h->image);
			d->flags = 2;
		} else if (i == 3) {
			d->mac[0] = 2;
		} else if (i == 4) {
			strcpy(d->bridge, "br7");
		} else if (i == 5) {
			strcpy(d->bridge, "br7");
			d->mac[0] = 3;
		} else if (i == 7) {
			strcpy(d->path, h->image);
			refused(h, COMMAND_CONFLICT, "has such a device already");
			continue;
		}
		refused(h, COMMAND_INVALID, "extra");
	}
}

static void test_the_same_address_twice_is_refused(void **state)
{
	struct host *h = *state;
	struct command_device_define *d;

	define(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", NULL, NULL);
	d = message_add(h, COMMAND_DEVICE_DEFINE);
	name_uuid(d->partition, "web2");
	strcpy(d->name, "net0");
	d->device = DEVICE_NETWORK;
	strcpy(d->bridge, "br7");
	memcpy(d->mac, "\x52\x54\0\0\0\x31", 6);
	refused(h, COMMAND_CONFLICT, "one of web1");
}

static void test_memory_is_refused_by_who_has_it(void **state)
{
	struct host *h = *state;
	struct command_memory_assign *m;
	struct command_partition_define *d = (void *)(message_header(h) + 1);

	define(h, "web1");
	start(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "big", NULL, NULL);
	d->memory = 1ULL << 30;
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_MEMORY_ASSIGN);
	name_uuid(m->partition, "big");
	m->bytes = 1ULL << 30;
	refused(h, COMMAND_RESOURCES,
		"memory of domain default: 1GiB asked, 768MiB of 1GiB free: web1 has 256MiB");
	uuid_random(message_header(h)->request_id);
	m->bytes = 2ULL << 40;
	refused(h, COMMAND_RESOURCES, "2TiB asked");
	uuid_random(message_header(h)->request_id);
	m->bytes = 768ULL << 20;
	m->node = 7;
	refused(h, COMMAND_NOT_FOUND, "no memory node 7");
	uuid_random(message_header(h)->request_id);
	m->node = 0;
	m->bytes = 1 << 20;
	refused(h, COMMAND_INVALID, "1048576 bytes");
	uuid_random(message_header(h)->request_id);
	m->bytes = 64ULL << 20;
	name_uuid(m->partition, "web1");
	refused(h, COMMAND_CONFLICT, "is starting");
}

static void test_memory_of_a_node_is_refused(void **state)
{
	struct host *h = *state;
	struct command_memory_assign *m;
	struct command_partition_define *d = (void *)(message_header(h) + 1);
	struct command_domain *domain;

	/* The pool's 2 GiB are 1 GiB on each node. */
	message_begin(h, COMMAND_TRANSACT);
	domain = message_add(h, COMMAND_DOMAIN_DESTROY);
	strcpy(domain->name, "default");
	domain = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(domain->name, "default");
	domain->memory = 2ULL << 30;
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "big", NULL, NULL);
	d->memory = 1536ULL << 20;
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_MEMORY_ASSIGN);
	name_uuid(m->partition, "big");
	m->bytes = 1536ULL << 20;
	m->node = 1;
	refused(h, COMMAND_RESOURCES, "memory of node 1: 1536MiB asked, 1GiB of 1GiB free");
}

static void test_processors_are_refused_by_who_has_them(void **state)
{
	struct host *h = *state;
	struct command_partition_define *d = (void *)(message_header(h) + 1);
	struct command_processor_assign *p;

	define(h, "web1");
	start(h, "web1");	/* shares 2 and 3 */
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "fast", NULL, NULL);
	d->mode = MODE_DEDICATED;
	d->vcpus = 1;
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	p = message_add(h, COMMAND_PROCESSOR_ASSIGN);
	name_uuid(p->partition, "fast");
	p->mode = MODE_DEDICATED;
	p->cpus[0] = 4;
	refused(h, COMMAND_RESOURCES, "processor 2 is shared by web1");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 1;
	refused(h, COMMAND_RESOURCES, "processor 0 is of no domain");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 0;
	p->cpus[3] = 1;
	refused(h, COMMAND_NOT_FOUND, "no processor 192");
	uuid_random(message_header(h)->request_id);
	p->cpus[3] = 0;
	refused(h, COMMAND_INVALID, "0 processors");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 0x30;
	refused(h, COMMAND_INVALID, "2 processors");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 0x10;
	p->index = 1;
	refused(h, COMMAND_INVALID, "context 1 of fast, which has 1");
	uuid_random(message_header(h)->request_id);
	p->index = 0;
	p->mode = MODE_SHARED;
	refused(h, COMMAND_INVALID, "not that of fast");
	uuid_random(message_header(h)->request_id);
	p->mode = MODE_DEDICATED;
	accepted(h);
	uuid_random(message_header(h)->request_id);
	refused(h, COMMAND_CONFLICT, "has its processors");

	/* And now nobody can share it. */
	define(h, "web2");
	message_begin(h, COMMAND_TRANSACT);
	p = message_add(h, COMMAND_PROCESSOR_ASSIGN);
	name_uuid(p->partition, "web2");
	p->mode = MODE_SHARED;
	p->cpus[0] = 0x18;
	refused(h, COMMAND_RESOURCES, "processor 4 is dedicated to fast");
	verb(h, COMMAND_PROCESSOR_RELEASE, "fast");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	p = message_add(h, COMMAND_PROCESSOR_ASSIGN);
	name_uuid(p->partition, "web2");
	p->mode = MODE_SHARED;
	p->cpus[0] = 0x18;
	accepted(h);
}

static void claim(struct host *h, const char *name, const char *device)
{
	struct command_device_op *o;

	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, COMMAND_DEVICE_CLAIM);
	name_uuid(o->partition, name);
	strcpy(o->name, device);
}

static void test_an_image_has_one_writer_whatever_its_path(void **state)
{
	struct host *h = *state;
	struct command_device_define *d;
	char path[128];

	define(h, "web1");
	snprintf(path, sizeof(path), "%s/link", h->directory);
	assert_int_equal(link(h->image, path), 0);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", path, NULL);
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "reader", path, NULL);
	d = (void *)((char *)(message_header(h) + 1) + sizeof(struct command_partition_define));
	d->flags = DEVICE_READONLY;
	accepted(h);
	claim(h, "web1", "root");
	accepted(h);
	claim(h, "web1", "root");
	refused(h, COMMAND_CONFLICT, "is claimed");
	claim(h, "web2", "root");
	refused(h, COMMAND_CONFLICT, "in use by partition web1");
	claim(h, "reader", "root");
	refused(h, COMMAND_CONFLICT, "in use by partition web1");
	claim(h, "web1", "nothing");
	refused(h, COMMAND_NOT_FOUND, "no device nothing");
}

static void test_what_is_in_use_or_missing_is_not_claimed(void **state)
{
	struct host *h = *state;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, "eth0");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", "/dev/null", "nobridge");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web3", "/nowhere/image", NULL);
	refused(h, COMMAND_NOT_FOUND, "/nowhere/image: No such file");
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web3", h->image2, NULL);
	accepted(h);
	unlink(h->image2);
	fd = open(h->image, O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	claim(h, "web1", "root");
	refused(h, COMMAND_CONFLICT, "is locked by another program");
	close(fd);
	assert_int_equal(truncate(h->image, 0), 0);
	claim(h, "web1", "root");
	refused(h, COMMAND_INVALID, "is empty");
	claim(h, "web2", "root");
	refused(h, COMMAND_INVALID, "neither a file nor a block device");
	claim(h, "web3", "root");
	refused(h, COMMAND_NOT_FOUND, "image2: No such file");
	claim(h, "web1", "net0");
	refused(h, COMMAND_INVALID, "eth0 is not a bridge");
	claim(h, "web2", "net0");
	refused(h, COMMAND_NOT_FOUND, "no bridge nobridge");
}

static void test_start_needs_all_of_it(void **state)
{
	struct host *h = *state;
	struct command_memory_assign *m;
	struct command_processor_assign *p;
	unsigned int i;

	define(h, "web1");
	verb(h, COMMAND_PARTITION_START, "web1");
	refused(h, COMMAND_CONFLICT, "web1 has 0KiB of its 256MiB");
	message_begin(h, COMMAND_TRANSACT);
	m = message_add(h, COMMAND_MEMORY_ASSIGN);
	name_uuid(m->partition, "web1");
	m->bytes = 256 << 20;
	accepted(h);
	verb(h, COMMAND_PARTITION_START, "web1");
	refused(h, COMMAND_CONFLICT, "0 of its 2 contexts");
	message_begin(h, COMMAND_TRANSACT);
	for (i = 0; i < 2; i++) {
		p = message_add(h, COMMAND_PROCESSOR_ASSIGN);
		name_uuid(p->partition, "web1");
		p->index = i;
		p->mode = MODE_SHARED;
		p->cpus[0] = 4;
	}
	accepted(h);
	verb(h, COMMAND_PARTITION_START, "web1");
	refused(h, COMMAND_CONFLICT, "of web1 is not claimed");
	verb(h, COMMAND_PARTITION_START, "nobody");
	refused(h, COMMAND_NOT_FOUND, "there is no partition");
	unlink(h->kernel_file);
	verb(h, COMMAND_MEMORY_RELEASE, "web1");
	accepted(h);
	verb(h, COMMAND_PROCESSOR_RELEASE, "web1");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	refused(h, COMMAND_NOT_FOUND, "vmlinuz: No such file");
}

static void test_system_partitions_are_nobodys_subject(void **state)
{
	struct host *h = *state;
	struct command_partition *c;

	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_PARTITION_KILL);
	memcpy(c->partition, h->io_a, 16);
	refused(h, COMMAND_DENIED, "io-a is a system partition");
}

static void test_channels_refuse(void **state)
{
	struct host *h = *state;
	struct command_channel *c;
	struct command_channel_connect *k;
	uint8_t uuid[16];
	sqlite3_stmt *q;

	define(h, "web1");
	define(h, "web2");
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_CREATE);
	uuid_random(c->channel);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "root");
	refused(h, COMMAND_CONFLICT, "no claimed device root");
	start(h, "web1");
	q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE name = 'root'", "");
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, uuid);
	db_done(q);

	message_begin(h, COMMAND_TRANSACT);
	k = message_add(h, COMMAND_CHANNEL_CONNECT);
	memcpy(k->channel, uuid, 16);
	refused(h, COMMAND_INVALID, "0 servers");
	uuid_random(message_header(h)->request_id);
	k->servers = 2;
	memcpy(k->server[0], h->io_b, 16);
	memcpy(k->server[1], h->io_b, 16);
	refused(h, COMMAND_INVALID, "server 1 is the same as 0");
	uuid_random(message_header(h)->request_id);
	name_uuid(k->server[1], "web2");
	refused(h, COMMAND_INVALID, "server 1 is not an I/O partition");
	uuid_random(message_header(h)->request_id);
	name_uuid(k->server[1], "nobody");
	refused(h, COMMAND_NOT_FOUND, "there is no partition");
	uuid_random(message_header(h)->request_id);
	memset(k->channel, 9, 16);
	refused(h, COMMAND_NOT_FOUND, "there is no channel");

	/* Of a running partition: the kernel's slots change. */
	uuid_random(message_header(h)->request_id);
	memcpy(k->channel, uuid, 16);
	memcpy(k->server[1], h->io_a, 16);
	accepted(h);
	{
		unsigned int i;

		for (i = 0; i < FAKE_OBJECTS && memcmp(h->fake->object[i].uuid, uuid, 16); i++)
			;
		assert_memory_equal(h->fake->object[i].servers[0], h->io_b, 16);
		assert_memory_equal(h->fake->object[i].servers[1], h->io_a, 16);
	}
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_DESTROY);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "root");
	refused(h, COMMAND_CONFLICT, "is starting");

	q = db_query(h->uvd.db, "SELECT uuid FROM channel WHERE type = 1", "");
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, uuid);
	db_done(q);
	uuid_random(message_header(h)->request_id);
	memcpy(c->channel, uuid, 16);
	refused(h, COMMAND_DENIED, "uvd's own");
}

static void test_devices_and_channels_are_given_back(void **state)
{
	struct host *h = *state;
	struct command_channel *c;
	struct command_device_op *o;
	uint8_t uuid[16];

	define(h, "web1");
	claim(h, "web1", "net0");
	accepted(h);
	assert_int_equal(fake_taps(h->fake), 1);
	uuid_random(uuid);
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_CREATE);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "net0");
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, COMMAND_DEVICE_RELEASE);
	name_uuid(o->partition, "web1");
	strcpy(o->name, "net0");
	refused(h, COMMAND_CONFLICT, "has a channel");
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_CHANNEL_DESTROY);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, "web1");
	strcpy(c->name, "net0");
	o = message_add(h, COMMAND_DEVICE_RELEASE);
	name_uuid(o->partition, "web1");
	strcpy(o->name, "net0");
	accepted(h);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_false(h->fake->own_bridge);
	/* Its last tap goes and a new one comes, in one transaction: the bridge stays. */
	claim(h, "web1", "net0");
	accepted(h);
	define(h, "web2");
	message_begin(h, COMMAND_TRANSACT);
	o = message_add(h, COMMAND_DEVICE_RELEASE);
	name_uuid(o->partition, "web1");
	strcpy(o->name, "net0");
	o = message_add(h, COMMAND_DEVICE_CLAIM);
	name_uuid(o->partition, "web2");
	strcpy(o->name, "net0");
	accepted(h);
	assert_true(h->fake->own_bridge);
	assert_int_equal(fake_taps(h->fake), 1);
	verb(h, COMMAND_PARTITION_UNDEFINE, "web2");
	accepted(h);
	assert_int_equal(fake_taps(h->fake), 0);
}

static void test_domains_and_the_pool_refuse(void **state)
{
	struct host *h = *state;
	struct command_domain *d;
	struct command_host_pool *p;

	define(h, "web1");
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "default");
	refused(h, COMMAND_CONFLICT, "there is a domain default already");
	uuid_random(message_header(h)->request_id);
	memset(d->name, 0, sizeof(d->name));
	strcpy(d->name, "more");
	d->memory = 2ULL << 30;
	refused(h, COMMAND_RESOURCES, "2GiB asked, 1GiB of the pool");
	uuid_random(message_header(h)->request_id);
	d->memory = 1 << 30;
	d->cpus[0] = 4;
	refused(h, COMMAND_RESOURCES, "processor 2 is of domain default");
	uuid_random(message_header(h)->request_id);
	d->cpus[0] = 1;
	refused(h, COMMAND_RESOURCES, "processor 0 is not in the pool");
	uuid_random(message_header(h)->request_id);
	d->cpus[0] = 0xc0;
	accepted(h);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_DESTROY);
	strcpy(d->name, "default");
	refused(h, COMMAND_CONFLICT, "partition web1 is assigned to domain default");

	message_begin(h, COMMAND_TRANSACT);
	p = message_add(h, COMMAND_HOST_POOL);
	p->memory = 8ULL << 30;
	p->cpus[0] = 0xff;
	refused(h, COMMAND_RESOURCES, "the host has 4");
	uuid_random(message_header(h)->request_id);
	p->memory = 1 << 30;
	refused(h, COMMAND_RESOURCES, "its domains have 2GiB");
	uuid_random(message_header(h)->request_id);
	p->memory = 3ULL << 30;
	p->cpus[0] = 0xfb;
	refused(h, COMMAND_RESOURCES, "processor 2 is of domain default");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 0x1ff;
	refused(h, COMMAND_RESOURCES, "no processor 8");
	uuid_random(message_header(h)->request_id);
	p->cpus[0] = 0xff;
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM processor WHERE in_pool = 1"), 8);
	assert_int_equal(sql(h, "SELECT sum(memory_pool) FROM node"), 3ULL << 30);
	assert_int_equal(sql(h, "SELECT pool_is_default FROM host"), 0);
}

static void test_a_generation_that_is_not_the_rows_is_refused(void **state)
{
	struct host *h = *state;
	struct command_partition *c;
	uint64_t seen;

	define(h, "web1");
	seen = generation(h);
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_PARTITION_UNDEFINE);
	name_uuid(c->partition, "web1");
	c->r.generation = seen + 1;
	refused(h, COMMAND_CONFLICT, "partition web1 has changed: generation 1 now, 2 was seen");
	start(h, "web1");
	assert_int_equal(generation(h), seen + 1);	/* once, however many operations */
	message_begin(h, COMMAND_TRANSACT);
	c = message_add(h, COMMAND_PARTITION_KILL);
	name_uuid(c->partition, "web1");
	c->r.generation = seen;
	refused(h, COMMAND_CONFLICT, "generation 2 now, 1 was seen");
	uuid_random(message_header(h)->request_id);
	c->r.generation = seen + 1;
	accepted(h);

	/* All operations of one message saw the same generation. */
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	((struct command_record *)(message_header(h) + 1))->generation = seen + 2;
	c = message_add(h, COMMAND_PARTITION_START);
	name_uuid(c->partition, "web1");
	c->r.generation = seen + 2;
	accepted(h);
}

static void test_a_repeated_request_gets_its_first_answer(void **state)
{
	struct host *h = *state;
	uint8_t first[4096];
	int64_t lines;
	size_t n;

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", h->image, NULL);
	accepted(h);
	n = h->reply->length;
	memcpy(first, h->reply, n < sizeof(first) ? n : sizeof(first));
	lines = sql(h, "SELECT count(*) FROM ledger");
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(h->reply->length, n);
	assert_memory_equal(h->reply, first, n < sizeof(first) ? n : sizeof(first));
	/* Also when uvd has been restarted in between. */
	host_reopen(h);
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_memory_equal(h->reply, first, n < sizeof(first) ? n : sizeof(first));
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 1);

	/* The id is of that request alone. */
	((struct command_partition_define *)(message_header(h) + 1))->vcpus++;
	assert_int_equal(message_ask(h)->status, COMMAND_CONFLICT);
	assert_non_null(strstr(h->reply->text, "used for another request"));
	assert_int_equal(sql(h, "SELECT count(*) FROM ledger"), lines);

	/* A refusal is an answer, too. */
	verb(h, COMMAND_PARTITION_KILL, "web1");
	refused(h, COMMAND_CONFLICT, "is off");
	n = h->reply->transaction;
	assert_int_equal(message_ask(h)->status, COMMAND_CONFLICT);
	assert_int_equal(h->reply->transaction, n);
}

static void count_replies(const void *reply, size_t n, void *data)
{
	unsigned int *statuses = data;

	assert_true(n >= sizeof(struct command_header));
	statuses[statuses[15]++] = ((const struct command_header *)reply)->status;
}

static void test_a_batch_shares_a_commit_and_each_stands_alone(void **state)
{
	struct host *h = *state;
	unsigned int statuses[16] = { 0 };

	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web1", NULL, NULL);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	/* Twice the same, before the first is committed. */
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	uuid_random(message_header(h)->request_id);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, "web2", NULL, NULL);
	assert_false(batch_add(h->batch, message_header(h), message_header(h)->length));
	/* The kernel is touched: the batch ends with it. */
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web2");
	add_verb(h, COMMAND_PARTITION_START, "web2");
	assert_true(batch_add(h->batch, message_header(h), message_header(h)->length));
	assert_int_equal(h->fake->starts, 0);
	batch_commit(h->batch, count_replies, statuses);
	assert_int_equal(statuses[15], 5);
	assert_int_equal(statuses[0], COMMAND_OK);
	assert_int_equal(statuses[1], COMMAND_OK);
	assert_int_equal(statuses[2], COMMAND_CONFLICT);
	assert_int_equal(statuses[3], COMMAND_OK);
	assert_int_equal(statuses[4], COMMAND_OK);
	assert_int_equal(h->fake->starts, 1);
	assert_int_equal(sql(h, "SELECT count(*) FROM partition WHERE kind = 1"), 2);
	assert_in_line(h);
}

static int refuse_commit(void *data)
{
	(void)data;
	return 1;
}

static void test_a_commit_that_fails_undoes_all_of_it(void **state)
{
	struct host *h = *state;
	char *before, *after;
	unsigned int objects;

	define(h, "web1");
	before = rows(h);
	objects = fake_objects(h->fake);
	sqlite3_commit_hook(db_handle(h->uvd.db), refuse_commit, NULL);
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	assert_int_not_equal(message_ask(h)->status, COMMAND_OK);
	sqlite3_commit_hook(db_handle(h->uvd.db), NULL, NULL);
	after = rows(h);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(fake_objects(h->fake), objects);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(h->fake->starts, 0);
	/* The same request, when the database can be written again, is not a repetition. */
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	assert_int_equal(h->fake->starts, 1);
	assert_in_line(h);
}

static void test_a_full_disk_makes_it_read_only_until_there_is_room(void **state)
{
	struct host *h = *state;
	struct reply *reply = malloc(sizeof(*reply));
	struct command_query *q;
	char text[64];

	define(h, "web1");
	snprintf(text, sizeof(text), "PRAGMA max_page_count=%d", (int)sql(h, "PRAGMA page_count"));
	sql(h, text);
	do {
		message_begin(h, COMMAND_TRANSACT);
		add_verb(h, COMMAND_PARTITION_KILL, "web1");
		message_ask(h);
	} while (h->reply->status == COMMAND_CONFLICT);
	assert_int_equal(h->reply->status, COMMAND_READ_ONLY);
	assert_int_equal(h->reply->transaction, 0);
	/* Reads go on. */
	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PARTITION;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_OK);
	assert_int_equal(reply->count, 6);
	sql(h, "PRAGMA max_page_count=1000000");
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, "web1");
	add_verb(h, COMMAND_PARTITION_START, "web1");
	accepted(h);
	assert_false(h->uvd.read_only);
	free(reply);
}

/* Every call of a start that can fail, failing: a refusal, and not a trace of it. */
static void test_every_failing_call_leaves_only_a_line(void **state)
{
	struct host *h = *state;
	unsigned int n;

	define(h, "web1");
	for (n = 1;; n++) {
		message_begin(h, COMMAND_TRANSACT);
		add_resources(h, "web1");
		add_verb(h, COMMAND_PARTITION_START, "web1");
		h->fake->calls = 0;
		h->fake->fail_at = n;
		h->fake->fail_errno = -ENOMEM;
		message_ask(h);
		h->fake->fail_at = 0;
		if (h->reply->status == COMMAND_OK)
			break;
		assert_in_range(h->reply->status, COMMAND_FAILED, COMMAND_RESOURCES);
		assert_int_equal(state_of(h, "web1"), PARTITION_DEFINED);
		assert_int_equal(sql(h, "SELECT count(*) FROM claim"), 0);
		assert_int_equal(h->fake->starts, 0);
		assert_in_line(h);
		assert_true(n < 200);
	}
	/* partition, memory, contexts, four channels with their servers, bridge and tap */
	assert_in_range(n, 18, 60);
}

static void test_the_end_of_a_guest_releases_all(void **state)
{
	struct host *h = *state;
	struct internal_partition_end c = {
		.r = { .type = INTERNAL_PARTITION_END, .length = sizeof(c) },
		.state = PARTITION_FAILED,
		.reason = "triple fault",
	};

	define(h, "web1");
	start(h, "web1");
	name_uuid(c.partition, "web1");
	assert_int_equal(transaction_own(&h->uvd, "triple fault", &c, sizeof(c), 1), 0);
	assert_int_equal(state_of(h, "web1"), PARTITION_FAILED);
	assert_int_equal(fake_objects(h->fake), 1);
	assert_int_equal(fake_taps(h->fake), 0);
	assert_int_equal(sql(h, "SELECT (SELECT count(*) FROM memory) +"
			     " (SELECT count(*) FROM claim) + (SELECT count(*) FROM context_cpu)"),
			 0);
	assert_int_equal(sql(h, "SELECT who = 'uvd' AND summary = 'release web1: triple fault'"
			     " FROM ledger ORDER BY \"transaction\" DESC"), 1);
	assert_in_line(h);
	/* It can be started again. */
	start(h, "web1");
	assert_int_equal(transaction_own(&h->uvd, "", &c, sizeof(c), 1), 0);
	assert_int_equal(transaction_own(&h->uvd, "", &c, sizeof(c), 1), -ECANCELED);
}

static void test_history_has_every_change(void **state)
{
	struct host *h = *state;

	define(h, "web1");
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE noun = 'partition'"
			     " AND change = 'insert' AND row ->> 'name' = 'web1'"
			     " AND \"transaction\" = (SELECT \"transaction\" FROM clock)"), 1);
	start(h, "web1");
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE noun = 'memory'"
			     " AND row ->> 'bytes' = 268435456"), 1);
	verb(h, COMMAND_PARTITION_KILL, "web1");
	accepted(h);
	assert_int_equal(sql(h, "SELECT count(*) FROM history WHERE noun = 'memory'"
			     " AND change = 'delete'"), 1);
}

/* The schema itself refuses what the code would have refused before. */
static void test_constraints_hold_without_the_code(void **state)
{
	static const char *const breaches[] = {
		"INSERT INTO memory SELECT uuid, 0, 2199023255552 FROM partition WHERE kind = 1",
		"INSERT INTO memory VALUES ((SELECT uuid FROM partition WHERE kind = 1), 0, 1000)",
		"INSERT INTO memory VALUES (x'00112233445566778899aabbccddeeff', 0, 2097152)",
		"INSERT INTO context_cpu SELECT 0, partition, 0, 0 FROM context_cpu LIMIT 1",
		"INSERT INTO context_cpu SELECT 2, partition, 1, 1 FROM context_cpu LIMIT 1",
		"UPDATE processor SET in_pool = 0 WHERE cpu = 4",
		"UPDATE processor SET domain = NULL WHERE cpu = 2",
		"UPDATE host SET memory_pool = 0",
		"UPDATE node SET memory_pool = 0 WHERE node = 0",
		"UPDATE partition SET state = 1 WHERE name = 'web1'",
		"UPDATE partition SET domain = 'other' WHERE name = 'web1'",
		"DELETE FROM domain",
		"DELETE FROM partition WHERE name = 'web1'",
		"INSERT INTO claim SELECT partition, 'console', resource, 1, NULL, 1, 1 FROM claim"
		" WHERE name = 'root'",
		"UPDATE memory SET bytes = 2097152",
		"INSERT INTO channel_server SELECT uuid, 3, partition FROM channel WHERE type = 3",
		"INSERT INTO domain VALUES ('x', 2147483648, 1, 1)",
	};
	struct host *h = *state;
	unsigned int i;

	define(h, "web1");
	start(h, "web1");
	for (i = 0; i < sizeof(breaches) / sizeof(*breaches); i++)
		if (sqlite3_exec(db_handle(h->uvd.db), breaches[i], NULL, NULL, NULL) == SQLITE_OK)
			fail_msg("allowed: %s", breaches[i]);
}

static void test_queries_page_through_all_rows(void **state)
{
	struct host *h = *state;
	struct reply *reply = malloc(sizeof(*reply));
	struct command_query *q;
	char name[96] = "", *partition;
	unsigned int i, n = 0;

	for (i = 0; i < 30; i++) {
		char guest[16];

		snprintf(guest, sizeof(guest), "g%02u", i);
		message_begin(h, COMMAND_TRANSACT);
		add_define(h, guest, h->image, NULL);
		accepted(h);
	}
	do {
		message_begin(h, COMMAND_QUERY);
		q = message_add(h, COMMAND_QUERY_ROWS);
		q->row = COMMAND_ROW_DEVICE;
		q->limit = 7;
		strcpy(q->after_name, name);
		query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
		h->reply = (struct command_header *)reply->bytes;
		assert_int_equal(h->reply->status, COMMAND_OK);
		n += h->reply->count;
		if (h->reply->count) {
			const struct command_row_device *d = (const void *)(reply->bytes +
				reply->length - sizeof(*d));

			partition = (char *)d->partition_name;
			snprintf(name, sizeof(name), "%s/%s", partition, d->name);
		}
	} while (h->reply->more);
	assert_int_equal(n, 60);
	message_begin(h, COMMAND_QUERY);
	q = message_add(h, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PROCESSOR;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->count, 8);
	q->after = 5;
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->count, 2);
	q->row = COMMAND_ROW_PARTITION;
	q->after = 0;
	strcpy(q->name, "nobody");
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_NOT_FOUND);
	q->row = 99;
	q->name[0] = '\0';
	memset(q->name, 0, sizeof(q->name));
	query_answer(&h->uvd, message_header(h), message_header(h)->length, reply);
	assert_int_equal(((struct command_header *)reply->bytes)->status, COMMAND_INVALID);
	free(reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_life_of_a_partition),
		TEST(test_everything_in_one_message),
		TEST(test_a_plan_changes_nothing),
		TEST(test_define_refuses),
		TEST(test_device_definitions_refuse),
		TEST(test_the_same_address_twice_is_refused),
		TEST(test_memory_is_refused_by_who_has_it),
		TEST(test_memory_of_a_node_is_refused),
		TEST(test_processors_are_refused_by_who_has_them),
		TEST(test_an_image_has_one_writer_whatever_its_path),
		TEST(test_what_is_in_use_or_missing_is_not_claimed),
		TEST(test_start_needs_all_of_it),
		TEST(test_system_partitions_are_nobodys_subject),
		TEST(test_channels_refuse),
		TEST(test_devices_and_channels_are_given_back),
		TEST(test_domains_and_the_pool_refuse),
		TEST(test_a_generation_that_is_not_the_rows_is_refused),
		TEST(test_a_repeated_request_gets_its_first_answer),
		TEST(test_a_batch_shares_a_commit_and_each_stands_alone),
		TEST(test_a_commit_that_fails_undoes_all_of_it),
		TEST(test_a_full_disk_makes_it_read_only_until_there_is_room),
		TEST(test_every_failing_call_leaves_only_a_line),
		TEST(test_the_end_of_a_guest_releases_all),
		TEST(test_history_has_every_change),
		TEST(test_constraints_hold_without_the_code),
		TEST(test_queries_page_through_all_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

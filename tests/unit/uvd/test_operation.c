/* SPDX-License-Identifier: Apache-2.0 */
/* What each operation checks and refuses; that a refused one leaves only its line. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <ultravisor/io.h>

#include "expect.h"
#include "fake.h"

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
	d->mode = 4;
	refused(h, COMMAND_INVALID, "unknown mode 4");
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
	m->page_size = 1 << 30;
	refused(h, COMMAND_INVALID, "a page size of 1073741824 bytes");
	uuid_random(message_header(h)->request_id);
	m->page_size = 0;
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel, a network and a host for unit tests of uvd. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/cpuset.h>
#include <common/log.h>
#include <common/uuid.h>
#include <uvd/hold.h>
#include <uvd/inventory.h>
#include <uvd/news.h>
#include <uvd/reconcile.h>

#include "fake.h"

/* What a descriptor of this process stands for. */
static uint64_t id_of_fd[1024];
static struct fake *shared;

/* ---- faults */

static int step(struct fake *f)
{
	f->calls++;
	if (f->crash_at && f->calls == f->crash_at)
		_exit(99);
	return f->fail_at && f->calls == f->fail_at ? f->fail_errno : 0;
}

static int on_commit(void *data)
{
	struct fake *f = data;

	if (f->crash_at_commit)
		_exit(99);
	return 0;
}

/* ---- the kernel */

static struct fake_object *find(struct fake *f, uint64_t id)
{
	unsigned int i;

	for (i = 0; id && i < FAKE_OBJECTS; i++)
		if (f->object[i].id == id)
			return &f->object[i];
	return NULL;
}

static int new_fd(uint64_t id)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_in_range(fd, 0, 1023);
	id_of_fd[fd] = id;
	return fd;
}

static struct fake_object *create(struct fake *f, uint32_t kind, const uint8_t uuid[16],
				  uint64_t transaction)
{
	unsigned int i;

	for (i = 0; i < FAKE_OBJECTS && f->object[i].id; i++)
		;
	assert_in_range(i, 0, FAKE_OBJECTS - 1);
	memset(&f->object[i], 0, sizeof(f->object[i]));
	f->object[i].id = ++f->last_id;
	f->object[i].kind = kind;
	f->object[i].transaction = transaction;
	memcpy(f->object[i].uuid, uuid, 16);
	return &f->object[i];
}

static int next_object(struct fake *f, struct ultravisor_object_next *n)
{
	struct fake_object *best = NULL;
	unsigned int i;

	for (i = 0; i < FAKE_OBJECTS; i++)
		if (f->object[i].id > n->id && (!best || f->object[i].id < best->id))
			best = &f->object[i];
	if (!best)
		return -ENOENT;
	n->out_id = best->id;
	n->out_kind = best->kind;
	n->out_published = best->published;
	n->out_transaction = best->transaction;
	memcpy(n->out_uuid, best->uuid, 16);
	return 0;
}

static int call_device(struct fake *f, unsigned long command, void *argument)
{
	struct ultravisor_object *object = argument;
	struct ultravisor_object_open *opened = argument;
	struct ultravisor_partition_create *p = argument;
	struct ultravisor_channel_create *c = argument;
	struct ultravisor_processor_set *cpu = argument;
	struct ultravisor_processor_info *cpu_info = argument;
	struct fake_object *o;

	switch (command) {
	case ULTRAVISOR_INFO:
		memcpy(((struct ultravisor_info *)argument)->out_instance, f->instance, 16);
		return 0;
	case ULTRAVISOR_PARTITION_CREATE:
		o = create(f, ULTRAVISOR_KIND_PARTITION, p->uuid, p->transaction);
		p->out_id = o->id;
		p->out_fd = new_fd(o->id);
		return 0;
	case ULTRAVISOR_CHANNEL_CREATE:
		if (c->client_id && !find(f, c->client_id))
			return -ENOENT;
		o = create(f, ULTRAVISOR_KIND_CHANNEL, c->uuid, c->transaction);
		o->client = c->client_id;
		c->out_id = o->id;
		c->out_fd = new_fd(o->id);
		return 0;
	case ULTRAVISOR_OBJECT_NEXT:
		return next_object(f, argument);
	case ULTRAVISOR_OBJECT_OPEN:
		o = find(f, opened->id);
		if (!o || (!o->published && opened->role != ULTRAVISOR_ROLE_CONTROL))
			return -ENOENT;
		opened->out_fd = new_fd(o->id);
		return 0;
	case ULTRAVISOR_OBJECT_PUBLISH:
		o = find(f, object->id);
		if (!o)
			return -ENOENT;
		o->published = true;
		return 0;
	case ULTRAVISOR_PROCESSOR_SET:
		if (cpu->cpu >= FAKE_CPUS)
			return -ENOENT;
		f->cpu[cpu->cpu] = *cpu;
		return 0;
	case ULTRAVISOR_PROCESSOR_INFO:
		if (cpu_info->cpu >= FAKE_CPUS)
			return -ENOENT;
		cpu_info->out_flags = f->cpu[cpu_info->cpu].flags;
		cpu_info->out_frame_ns = f->cpu[cpu_info->cpu].frame_ns;
		cpu_info->out_phase_ns = f->cpu[cpu_info->cpu].phase_ns;
		return 0;
	case ULTRAVISOR_OBJECT_DESTROY:
		o = find(f, object->id);
		if (!o)
			return -ENOENT;
		o->id = 0;
		return 0;
	}
	return -ENOTTY;
}

static int call_object(struct fake_object *o, unsigned long command, void *argument)
{
	struct ultravisor_partition_info *info = argument;
	struct ultravisor_channel_info *channel = argument;
	struct ultravisor_server_set *server = argument;
	struct ultravisor_context_set *set = argument;
	struct ultravisor_context_info *context = argument;
	struct ultravisor_lease *lease = argument;

	switch (command) {
	case ULTRAVISOR_PARTITION_INFO:
		info->out_state = o->stopped ? ULTRAVISOR_PARTITION_STOPPED :
				  ULTRAVISOR_PARTITION_RUNNING;
		info->out_monitor = o->monitor;
		info->out_memory = o->memory;
		info->out_lease_epoch = o->lease_epoch;
		info->out_lease_deadline = o->lease_deadline;
		return 0;
	case ULTRAVISOR_PARTITION_STOP:
	case ULTRAVISOR_PARTITION_RESUME:
		o->stopped = command == ULTRAVISOR_PARTITION_STOP;
		return 0;
	case ULTRAVISOR_MEMORY_ADD:
		o->memory += ((struct ultravisor_memory_add *)argument)->length;
		o->blocks++;
		return 0;
	case ULTRAVISOR_CONTEXT_CREATE:
		o->contexts++;
		o->context[set->index] = *set;
		return 0;
	case ULTRAVISOR_CONTEXT_SET:
		shared->context_sets++;
		if (shared->context_errno) {
			int rc = -shared->context_errno;

			shared->context_errno = 0;
			return rc;
		}
		o->context[set->index] = *set;
		return 0;
	case ULTRAVISOR_CONTEXT_INFO:
		set = &o->context[context->index];
		context->out_mode = set->mode;
		context->out_flags = set->flags;
		context->out_budget_ns = set->budget_ns;
		context->out_period_ns = set->period_ns;
		context->out_window_start_ns = set->window_start_ns;
		context->out_window_ns = set->window_ns;
		memcpy(context->out_cpus, set->cpus, sizeof(set->cpus));
		return 0;
	case ULTRAVISOR_LEASE_SET:
		o->lease_epoch = lease->epoch;
		o->lease_deadline = lease->deadline;
		return 0;
	case ULTRAVISOR_LEASE_RENEW:
		if (!o->lease_epoch)
			return -ENOENT;
		if (o->lease_epoch != lease->epoch)
			return -ESTALE;
		shared->lease_renewals++;
		o->lease_deadline = lease->deadline;
		return 0;
	case ULTRAVISOR_CHANNEL_INFO:
		memcpy(channel->out_server_uuids, o->servers, sizeof(o->servers));
		/* Slots 0 and 1 are always attached to, and the first serves. */
		channel->out_serving = 0;
		channel->out_slots[0] = ULTRAVISOR_SLOT_SERVING;
		channel->out_slots[1] = ULTRAVISOR_SLOT_STANDBY;
		return 0;
	case ULTRAVISOR_SERVER_SET:
		memcpy(o->servers[server->slot], server->uuid, 16);
		return 0;
	case ULTRAVISOR_CHANNEL_PROMOTE:
		shared->promoted++;
		return 0;
	case ULTRAVISOR_CHANNEL_REVOKE:
		shared->revoked++;
		return 0;
	}
	return -ENOTTY;
}

static int fake_call(struct kernel *k, int fd, unsigned long command, void *argument)
{
	struct fake_object *o;
	int rc = step(shared);

	if (rc < 0)
		return rc;
	if (fd == k->fd)
		return call_device(shared, command, argument);
	o = find(shared, id_of_fd[fd]);
	return o ? call_object(o, command, argument) : -ESHUTDOWN;
}

/* ---- the network */

static int bridge_find(struct network *n, const char *name)
{
	unsigned int i;

	(void)n;
	if (strcmp(name, NETWORK_OWN_BRIDGE) == 0)
		return shared->own_bridge ? 2 : 0;
	if (strcmp(name, "br7") == 0)
		return shared->other_bridge;
	for (i = 0; i < FAKE_TAPS; i++)
		if (strcmp(shared->tap[i], name) == 0)
			return -ENOTSUP;
	return strcmp(name, "eth0") == 0 ? -ENOTSUP : 0;
}

static int bridge_filters(struct network *n, const char *name)
{
	(void)n;
	return strcmp(name, "br7") != 0;
}

static int bridge_create(struct network *n, const char *name)
{
	int rc = step(shared);

	(void)n;
	assert_string_equal(name, NETWORK_OWN_BRIDGE);
	if (rc == 0)
		shared->own_bridge = true;
	return rc;
}

static int bridge_delete(struct network *n, const char *name)
{
	(void)n;
	assert_string_equal(name, NETWORK_OWN_BRIDGE);
	step(shared);
	shared->own_bridge = false;
	return 0;
}

static int tap_create(struct network *n, const struct network_tap *t)
{
	int rc = step(shared);
	unsigned int i;

	assert_true(bridge_find(n, t->bridge) > 0);
	for (i = 0; rc == 0 && i < FAKE_TAPS; i++)
		if (!shared->tap[i][0]) {
			strcpy(shared->tap[i], t->name);
			shared->unguarded[i] = false;
			return 0;
		}
	return rc;
}

static int tap_delete(struct network *n, const char *name)
{
	unsigned int i;

	(void)n;
	step(shared);
	for (i = 0; i < FAKE_TAPS; i++)
		if (strcmp(shared->tap[i], name) == 0)
			shared->tap[i][0] = '\0';
	return 0;
}

static int tap_guard(struct network *n, const struct network_tap *t)
{
	int rc = step(shared);
	unsigned int i;

	(void)n;
	for (i = 0; rc == 0 && i < FAKE_TAPS; i++)
		if (strcmp(shared->tap[i], t->name) == 0)
			shared->unguarded[i] = false;
	return rc;
}

static int zones_set(struct network *n, const struct network_member *m, size_t count)
{
	(void)n;
	(void)m;
	shared->members = count;
	shared->zones_differ = false;
	return step(shared);
}

static int zones_intact(struct network *n)
{
	(void)n;
	return !shared->zones_differ;
}

static int tap_guarded(struct network *n, const char *name)
{
	unsigned int i;

	(void)n;
	for (i = 0; i < FAKE_TAPS; i++)
		if (strcmp(shared->tap[i], name) == 0)
			return !shared->unguarded[i];
	return 0;
}

static int tap_obstacle(struct network *n, const char *name, const char *bridge,
			enum network_obstacle o)
{
	(void)n;
	(void)name;
	(void)bridge;
	return shared->obstacle[o];
}

static int next_tap(struct network *n, const char *prefix, const char *after,
		    char name[NETWORK_NAME])
{
	unsigned int i;

	(void)n;
	(void)prefix;
	*name = '\0';
	for (i = 0; i < FAKE_TAPS; i++)
		if (strcmp(shared->tap[i], after) > 0 &&
		    (!*name || strcmp(shared->tap[i], name) < 0))
			strcpy(name, shared->tap[i]);
	return *name != '\0';
}

static const struct network_ops fake_network = {
	bridge_find, bridge_filters, bridge_create, bridge_delete, tap_create, tap_delete,
	tap_guard, zones_set, zones_intact, tap_guarded, tap_obstacle, next_tap,
};

/* ---- hooks */

static void hook_start(struct uvd *uvd, struct launch *launch)
{
	(void)uvd;
	if (launch)
		shared->starts++;
	launch_destroy(launch);
}

static void hook_stop(struct uvd *uvd, const uint8_t partition[16])
{
	(void)uvd;
	(void)partition;
	shared->stops++;
}

static void hook_end(struct uvd *uvd, const uint8_t partition[16])
{
	(void)uvd;
	(void)partition;
	shared->ends++;
}

static void hook_channels(struct uvd *uvd)
{
	(void)uvd;
	shared->channels++;
}

static bool hook_live(struct uvd *uvd, const uint8_t partition[16], int32_t *pid, uint32_t *reboots)
{
	(void)uvd;
	(void)partition;
	(void)pid;
	(void)reboots;
	return false;
}

static int hook_processes(struct uvd *uvd, uvd_process_found *found, void *data)
{
	unsigned int i;
	int rc = 0;

	(void)uvd;
	for (i = 0; rc == 0 && i < shared->processes; i++)
		rc = found(shared->process[i].scope[0] ? shared->process[i].scope : NULL,
			   shared->process[i].pid, shared->process[i].going, data);
	return rc < 0 ? rc : 1;
}

static bool hook_watches(struct uvd *uvd, const uint8_t partition[16])
{
	(void)uvd;
	(void)partition;
	return !shared->unwatched;
}

static const struct uvd_hooks hooks = {
	.start = hook_start, .stop = hook_stop, .end = hook_end, .channels = hook_channels,
	.live = hook_live, .processes = hook_processes, .watches = hook_watches,
};

/* ---- the host */

static void make_file(char *path, size_t size, const char *directory, const char *name)
{
	int fd;

	snprintf(path, size, "%s/%s", directory, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
}

static void fill_inventory(struct inventory *inv)
{
	unsigned int cpu;

	memset(inv, 0, sizeof(*inv));
	inv->cpus = 8;
	inv->nodes = 2;
	inv->memory = 4ULL << 30;
	inv->available = 4ULL << 30;
	for (cpu = 0; cpu < 8; cpu++) {
		inv->cpu[cpu].online = true;
		inv->cpu[cpu].node = cpu / 4;
		inv->cpu[cpu].core = cpu / 2;
		cpuset_add(&inv->cpu[cpu].siblings, cpu & ~1u);
		cpuset_add(&inv->cpu[cpu].siblings, cpu | 1u);
	}
	inv->node[0].present = inv->node[1].present = true;
	inv->node[0].memory = inv->node[1].memory = 2ULL << 30;
}

static void find_servers(struct host *h)
{
	sqlite3_stmt *q = db_query(h->uvd.db, "SELECT uuid FROM partition WHERE kind = 2"
				   " ORDER BY name", "");

	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, h->io_a);
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, h->io_b);
	db_done(q);
	q = db_query(h->uvd.db, "SELECT uuid FROM partition WHERE kind = 5", "");
	assert_int_equal(db_next(h->uvd.db, q), 1);
	db_uuid(q, 0, h->uvd.ultravisor);
	db_done(q);
}

static void open_database(struct host *h)
{
	struct inventory *inv = malloc(sizeof(*inv));

	assert_int_equal(db_open(&h->uvd.db, h->directory), 0);
	fill_inventory(inv);
	assert_int_equal(db_begin(h->uvd.db), 0);
	assert_int_equal(inventory_store(inv, h->uvd.db), 0);
	assert_int_equal(db_commit(h->uvd.db), 0);
	free(inv);
	sqlite3_commit_hook(db_handle(h->uvd.db), on_commit, h->fake);
	find_servers(h);
	h->batch = batch_create(&h->uvd);
	assert_non_null(h->batch);
	assert_int_equal(kernel_instance(h->uvd.kernel, h->uvd.instance), 0);
}

void host_reopen(struct host *h)
{
	batch_destroy(h->batch);	/* either may have been closed before */
	db_close(h->uvd.db);
	h->batch = NULL;
	h->uvd.db = NULL;
	open_database(h);
}

static void add_domain(struct host *h)
{
	struct command_domain *d;

	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "default");
	d->cpus[0] = 0x3c;
	d->memory = 1ULL << 30;
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
}

int host_setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	log_init("test", false);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	assert_true(shared != MAP_FAILED);
	shared->other_bridge = true;
	memset(shared->instance, 7, sizeof(shared->instance));
	h->fake = shared;
	h->kernel.call = fake_call;
	h->kernel.fd = new_fd(0);
	h->network.ops = &fake_network;
	h->uvd.kernel = &h->kernel;
	h->uvd.network = &h->network;
	h->uvd.hooks = &hooks;
	snprintf(h->directory, sizeof(h->directory), "%s/test-uvd-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(h->directory));
	h->uvd.state = h->directory;
	make_file(h->kernel_file, sizeof(h->kernel_file), h->directory, "vmlinuz");
	make_file(h->image, sizeof(h->image), h->directory, "image");
	make_file(h->image2, sizeof(h->image2), h->directory, "image2");
	open_database(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
	add_domain(h);
	assert_int_equal(news_open(&h->uvd.news), 0);
	*state = h;
	return 0;
}

int host_teardown(void **state)
{
	struct host *h = *state;
	static const char *const names[] = { "uvd.db", "uvd.db-wal", "uvd.db-shm", "uvd.lock",
					     "vmlinuz", "image", "image2", "link" };
	char path[128];
	unsigned int i;

	batch_destroy(h->batch);
	hold_release(&h->uvd);
	db_close(h->uvd.db);
	kernel_close(&h->kernel);
	news_close(h->uvd.news);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", h->directory, names[i]);
		unlink(path);
	}
	rmdir(h->directory);
	munmap(shared, sizeof(*shared));
	free(h);
	return 0;
}

/* ---- messages */

static uint64_t message[COMMAND_MAX_LENGTH / 8 + 1024];

struct command_header *message_header(struct host *h)
{
	(void)h;
	return (struct command_header *)message;
}

void message_begin(struct host *h, uint16_t kind)
{
	struct command_header *m = message_header(h);

	memset(m, 0, sizeof(*m));
	m->magic = COMMAND_MAGIC;
	m->version = COMMAND_VERSION;
	m->kind = kind;
	m->length = sizeof(*m);
	m->uid = 1000;
	uuid_random(m->request_id);
	strcpy(m->who, "tester");
}

void *message_add(struct host *h, uint16_t type)
{
	struct command_header *m = message_header(h);
	struct command_record *r = (struct command_record *)((char *)message + m->length);

	memset(r, 0, command_record_size(type));
	r->type = type;
	r->length = command_record_size(type);
	m->length += r->length;
	m->count++;
	if (type == COMMAND_DEVICE_DEFINE)
		((struct command_device_define *)r)->settings.queues = 1;
	return r;
}

static void take_reply(const void *reply, size_t n, void *data)
{
	struct host *h = data;

	assert_in_range(n, sizeof(struct command_header), COMMAND_MAX_LENGTH);
	memcpy(h->reply_bytes, reply, n);
	h->reply = (struct command_header *)h->reply_bytes;
	assert_int_equal(h->reply->length, n);
	assert_int_equal(h->reply->kind, COMMAND_REPLY);
	h->replies++;
}

const struct command_header *host_ask(struct host *h, const void *bytes, size_t n)
{
	h->reply = NULL;
	batch_add(h->batch, bytes, n);
	batch_commit(h->batch, take_reply, h);
	assert_non_null(h->reply);
	return h->reply;
}

const struct command_header *message_ask(struct host *h)
{
	return host_ask(h, message, message_header(h)->length);
}

void name_uuid(uint8_t uuid[16], const char *name)
{
	memset(uuid, '.', 16);
	memcpy(uuid, name, strnlen(name, 16));
}

void add_define(struct host *h, const char *name, const char *image, const char *bridge)
{
	struct command_partition_define *p = message_add(h, COMMAND_PARTITION_DEFINE);
	struct command_device_define *d;

	name_uuid(p->partition, name);
	strncpy(p->name, name, sizeof(p->name) - 1);
	strcpy(p->domain, "default");
	p->vcpus = 2;
	p->mode = MODE_SHARED;
	p->memory = 256ULL << 20;
	strcpy(p->kernel, h->kernel_file);
	strcpy(p->cmdline, "console=ttyS0");
	if (image) {
		d = message_add(h, COMMAND_DEVICE_DEFINE);
		name_uuid(d->partition, name);
		strcpy(d->name, "root");
		d->device = DEVICE_BLOCK;
		strcpy(d->path, image);
	}
	if (bridge) {
		d = message_add(h, COMMAND_DEVICE_DEFINE);
		name_uuid(d->partition, name);
		strcpy(d->name, "net0");
		d->device = DEVICE_NETWORK;
		strcpy(d->bridge, bridge);
		memcpy(d->mac, "\x52\x54\0\0\0", 5);
		d->mac[5] = name[strlen(name) - 1];
	}
	d = message_add(h, COMMAND_DEVICE_DEFINE);
	name_uuid(d->partition, name);
	strcpy(d->name, "console");
	d->device = DEVICE_CONSOLE;
}

static void add_device(struct host *h, const char *name, const char *device)
{
	struct command_device_op *o = message_add(h, COMMAND_DEVICE_CLAIM);
	struct command_channel *c;
	struct command_channel_connect *k;
	uint8_t uuid[16];

	name_uuid(o->partition, name);
	strcpy(o->name, device);
	uuid_random(uuid);
	c = message_add(h, COMMAND_CHANNEL_CREATE);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, name);
	strcpy(c->name, device);
	k = message_add(h, COMMAND_CHANNEL_CONNECT);
	memcpy(k->channel, uuid, 16);
	k->servers = 2;
	memcpy(k->server[0], h->io_a, 16);
	memcpy(k->server[1], h->io_b, 16);
}

void add_resources(struct host *h, const char *name)
{
	struct command_memory_assign *m = message_add(h, COMMAND_MEMORY_ASSIGN);
	struct command_processor_assign *p;
	sqlite3_stmt *q;
	char device[32];
	uint8_t uuid[16];
	unsigned int i;

	name_uuid(uuid, name);
	memcpy(m->partition, uuid, 16);
	m->bytes = 256ULL << 20;	/* of node 0, which every host that runs this has */
	for (i = 0; i < 2; i++) {
		p = message_add(h, COMMAND_PROCESSOR_ASSIGN);
		memcpy(p->partition, uuid, 16);
		p->index = i;
		p->mode = MODE_SHARED;
		p->cpus[0] = 0x0c;
	}
	q = db_query(h->uvd.db, "SELECT name FROM device WHERE partition = ? ORDER BY rank", "u",
		     uuid);
	while (db_next(h->uvd.db, q) > 0) {
		db_text(q, 0, device, sizeof(device));
		add_device(h, name, device);
	}
}

void add_verb(struct host *h, uint16_t type, const char *name)
{
	struct command_partition *c = message_add(h, type);

	name_uuid(c->partition, name);
}

static void must_be_ok(struct host *h)
{
	const struct command_header *r = message_ask(h);

	if (r->status != COMMAND_OK)
		fail_msg("status %u at record %u: %s", r->status, r->failed, r->text);
}

void define(struct host *h, const char *name)
{
	message_begin(h, COMMAND_TRANSACT);
	add_define(h, name, strcmp(name, "web1") == 0 ? h->image : h->image2, NETWORK_OWN_BRIDGE);
	must_be_ok(h);
}

void start(struct host *h, const char *name)
{
	message_begin(h, COMMAND_TRANSACT);
	add_resources(h, name);
	add_verb(h, COMMAND_PARTITION_START, name);
	must_be_ok(h);
}

int64_t sql(struct host *h, const char *query)
{
	sqlite3_stmt *q;
	int64_t n = -1;

	assert_int_equal(sqlite3_prepare_v2(db_handle(h->uvd.db), query, -1, &q, NULL), SQLITE_OK);
	if (sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

uint32_t state_of(struct host *h, const char *name)
{
	int64_t n = 0;

	assert_int_equal(db_value(h->uvd.db, &n, "SELECT state FROM partition WHERE name = ?", "t",
				  name), 0);
	return n;
}

unsigned int fake_objects(const struct fake *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_OBJECTS; i++)
		n += f->object[i].id != 0;
	return n;
}

unsigned int fake_taps(const struct fake *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_TAPS; i++)
		n += f->tap[i][0] != '\0';
	return n;
}

void assert_in_line(struct host *h)
{
	unsigned int i;
	int64_t one;

	for (i = 0; i < FAKE_OBJECTS; i++) {
		const struct fake_object *o = &h->fake->object[i];

		if (!o->id)
			continue;
		assert_true(o->published);
		assert_int_equal(db_value(h->uvd.db, &one, "SELECT 1 FROM partition"
					  " WHERE module_id = ?1 AND uuid = ?2 UNION"
					  " SELECT 1 FROM channel WHERE module_id = ?1"
					  " AND uuid = ?2", "iu", (int64_t)o->id, o->uuid), 0);
	}
	assert_int_equal(fake_objects(h->fake),
			 sql(h, "SELECT (SELECT count(*) FROM partition WHERE module_id NOT NULL)"
			     " + (SELECT count(*) FROM channel WHERE module_id NOT NULL)"));
	assert_int_equal(fake_taps(h->fake), sql(h, "SELECT count(*) FROM claim"
						 " WHERE tap NOT NULL"));
	for (i = 0; i < FAKE_TAPS; i++)
		if (h->fake->tap[i][0])
			assert_int_equal(db_value(h->uvd.db, &one, "SELECT 1 FROM claim"
						  " WHERE tap = ?", "t", h->fake->tap[i]), 0);
	assert_int_equal(h->fake->own_bridge, sql(h, "SELECT count(*) > 0 FROM claim k"
			 " JOIN device d ON d.partition = k.partition AND d.name = k.name"
			 " WHERE d.bridge = 'uvbr0'"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen clients at once, over few guests, processors, images and little memory: their requests
 * share batches in any order, some are asked again, and uvd ends now and then with a batch not
 * committed, or committed and not answered. Behind that the ledger is read in its order, and each
 * request in it done by a model of the rules: it must give the same answers, and at the end the
 * same rows.
 *
 * SEED and ROUNDS may be set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/uuid.h>
#include <uvd/news.h>
#include <uvd/reconcile.h>

#include "model.h"

#define CLIENTS	16

struct request {
	uint8_t id[16];
	struct command_header *message, *answer;	/* NULL: none yet */
};

static struct {
	struct request *request;
	size_t n, room;
	struct request *waits[CLIENTS];			/* for an answer, its first or again */
	unsigned int random;
	unsigned int repeats, ends, lost, mixed;
	char wrong[768];
} run;

static unsigned int draw(unsigned int below)
{
	run.random = run.random * 1103515245 + 12345;
	return (run.random >> 16) % below;
}

static void name_guest(char name[8])
{
	snprintf(name, 8, "g%u", draw(GUESTS));
}

/* What it looked at before it asked: others may change that until its turn comes. */
static uint64_t look(struct host *h, const char *table, const char *name)
{
	char query[96];
	int64_t n;

	if (draw(2))
		return 0;
	snprintf(query, sizeof(query), "SELECT generation FROM %s WHERE name = '%s'", table, name);
	n = sql(h, query);
	return n > 0 ? n : 0;
}

static void add_definition(struct host *h, const char *name)
{
	struct command_partition_define *p;
	struct command_device_define *d;
	unsigned int disk = draw(3);
	size_t at = message_header(h)->length;

	add_define(h, name, disk == 0 ? NULL : disk == 1 ? h->image : h->image2, NULL);
	p = (struct command_partition_define *)((char *)message_header(h) + at);
	p->vcpus = 1;
	p->mode = draw(2) ? MODE_SHARED : MODE_DEDICATED;
	p->memory = (1 + draw(3)) * 128 * MIB;
	memset(p->domain, 0, sizeof(p->domain));
	strcpy(p->domain, domain_names[draw(4) == 0]);
	d = (struct command_device_define *)(p + 1);
	if (disk && draw(2))
		d->flags = DEVICE_READONLY;
}

static void add_memory(struct host *h, const char *name, uint64_t bytes)
{
	struct command_memory_assign *m = message_add(h, COMMAND_MEMORY_ASSIGN);

	name_uuid(m->partition, name);
	m->bytes = bytes;
	m->node = draw(50) == 0 ? 7 : 0;
	m->r.generation = look(h, "partition", name);
}

static void add_cpus(struct host *h, const char *name, unsigned int mode)
{
	struct command_processor_assign *p = message_add(h, COMMAND_PROCESSOR_ASSIGN);

	name_uuid(p->partition, name);
	p->mode = mode;
	p->cpus[0] = mode == MODE_DEDICATED ? 1 << (2 + draw(6)) : 3 << (2 + draw(5));
	p->r.generation = look(h, "partition", name);
}

static void add_claim(struct host *h, uint16_t type, const char *name, unsigned int device)
{
	struct command_device_op *o = message_add(h, type);

	name_uuid(o->partition, name);
	strcpy(o->name, device_names[device]);
}

static void add_channel(struct host *h, const char *name, unsigned int device)
{
	struct command_channel *c = message_add(h, COMMAND_CHANNEL_CREATE);
	struct command_channel_connect *k;
	uint8_t uuid[16];

	uuid_random(uuid);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, name);
	strcpy(c->name, device_names[device]);
	k = message_add(h, COMMAND_CHANNEL_CONNECT);
	memcpy(k->channel, uuid, 16);
	k->servers = 2;
	memcpy(k->server[0], h->io_a, 16);
	memcpy(k->server[1], h->io_b, 16);
}

/* All that its definition wants, as its author knows it, or all but one thing. */
static void add_start(struct host *h, const char *name)
{
	char query[128];
	int64_t memory, mode, disk;
	unsigned int without = draw(12);

	snprintf(query, sizeof(query), "SELECT memory FROM partition WHERE name = '%s'", name);
	memory = sql(h, query);
	snprintf(query, sizeof(query), "SELECT mode FROM partition WHERE name = '%s'", name);
	mode = sql(h, query);
	snprintf(query, sizeof(query), "SELECT count(*) FROM device d JOIN partition p ON p.uuid ="
		 " d.partition WHERE p.name = '%s' AND d.type = 1", name);
	disk = sql(h, query);
	if (without != 0)
		add_memory(h, name, memory > 0 ? memory : (int64_t)(128 * MIB));
	if (without != 1)
		add_cpus(h, name, mode > 0 ? mode : MODE_SHARED);
	for (unsigned int i = disk > 0 ? DISK : CONSOLE; i < DEVICES; i++) {
		if (without == 2 + i)
			continue;
		add_claim(h, COMMAND_DEVICE_CLAIM, name, i);
		add_channel(h, name, i);
	}
	add_verb(h, COMMAND_PARTITION_START, name);
	if (draw(10) == 0)
		add_verb(h, COMMAND_PARTITION_START, name);
}

static void add_domain_change(struct host *h)
{
	struct command_domain *d = message_add(h, COMMAND_DOMAIN_MODIFY);
	unsigned int which = draw(DOMAINS), split = 3 + draw(5);

	strcpy(d->name, domain_names[which]);
	d->memory = (2 + draw(9)) * 128 * MIB;
	d->cpus[0] = which == DEFAULT ? 0xfc & ((1 << split) - 1) : 0xff & ~((1 << split) - 1);
	d->r.generation = look(h, "domain", domain_names[which]);
}

static void add_operation(struct host *h)
{
	struct command_partition_modify *m;
	struct command_domain_assign *a;
	struct command_partition *c;
	char name[8], query[96];
	unsigned int what = draw(16);

	name_guest(name);
	/* Mostly what may be: what is not there is defined, what is on is killed. */
	snprintf(query, sizeof(query), "SELECT state FROM partition WHERE name = '%s'", name);
	if (draw(3))
		what = sql(h, query) < 0 ? 0 : sql(h, query) != 1 ? 6 : what < 2 ? 2 : what;
	switch (what) {
	case 0: case 1:
		add_definition(h, name);
		return;
	case 2: case 3: case 4: case 5:
		add_start(h, name);
		return;
	case 6: case 7:
		add_verb(h, COMMAND_PARTITION_KILL, name);
		return;
	case 8:
		add_memory(h, name, (1 + draw(3)) * 128 * MIB);
		return;
	case 9:
		add_cpus(h, name, draw(2) ? MODE_SHARED : MODE_DEDICATED);
		return;
	case 10:
		add_claim(h, draw(2) ? COMMAND_DEVICE_CLAIM : COMMAND_DEVICE_RELEASE, name,
			  draw(DEVICES));
		return;
	case 11:
		add_domain_change(h);
		return;
	case 12:
		a = message_add(h, COMMAND_DOMAIN_ASSIGN);
		name_uuid(a->partition, name);
		strcpy(a->domain, domain_names[draw(DOMAINS)]);
		return;
	case 13:
		m = message_add(h, COMMAND_PARTITION_MODIFY);
		name_uuid(m->partition, name);
		m->mode = draw(2) ? MODE_SHARED : MODE_DEDICATED;
		m->r.generation = look(h, "partition", name);
		return;
	}
	c = message_add(h, draw(2) ? COMMAND_PARTITION_UNDEFINE :
			draw(2) ? COMMAND_MEMORY_RELEASE : COMMAND_PROCESSOR_RELEASE);
	name_uuid(c->partition, name);
	c->r.generation = look(h, "partition", name);
}

static struct request *compose(struct host *h, unsigned int client)
{
	unsigned int operations = 1 + draw(3) / 2 + draw(4) / 3;
	struct request *q;

	assert_true(run.n < run.room);
	message_begin(h, COMMAND_TRANSACT);
	message_header(h)->uid = 1000 + client;
	for (unsigned int i = 0; i < operations; i++)
		add_operation(h);
	/* Badly made, in its first record; such a one has its line and its one answer, too. */
	if (draw(20) == 0)
		((struct command_record *)(message_header(h) + 1))->flags = 1;
	q = &run.request[run.n++];
	memcpy(q->id, message_header(h)->request_id, 16);
	q->message = malloc(message_header(h)->length);
	assert_non_null(q->message);
	memcpy(q->message, message_header(h), message_header(h)->length);
	return q;
}

static struct request *request_of(const uint8_t id[16])
{
	for (size_t i = run.n; i-- > 0;)
		if (!memcmp(run.request[i].id, id, 16))
			return &run.request[i];
	return NULL;
}

/*
 * The first answer to a request is the only one, whoever asks again when. In the midst of a commit
 * nothing can be asserted: that would leave it.
 */
static void answered(const void *reply, size_t n, void *data)
{
	const struct command_header *answer = reply;
	struct request *q = request_of(answer->request_id);

	(void)data;
	if (!q) {
		snprintf(run.wrong, sizeof(run.wrong), "an answer that nobody waits for");
		return;
	}
	if (q->answer) {
		run.repeats++;
		if (q->answer->length != n || memcmp(q->answer, answer, n))
			snprintf(run.wrong, sizeof(run.wrong), "transaction %llu,"
				 " status %u (%s), and asked again %llu, status %u (%s)",
				 (unsigned long long)q->answer->transaction, q->answer->status,
				 q->answer->text, (unsigned long long)answer->transaction,
				 answer->status, answer->text);
	} else {
		q->answer = malloc(n);
		if (q->answer)
			memcpy(q->answer, answer, n);
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (run.waits[i] == q)
			run.waits[i] = NULL;
}

static void restart(struct host *h)
{
	host_reopen(h);
	assert_int_equal(reconcile_kernel(&h->uvd), 0);
}

/* Some of the clients ask, in any order; what they asked is committed in batches of any size. */
static void turn(struct host *h, bool all)
{
	unsigned int first = draw(CLIENTS), in_batch = 0;

	for (unsigned int k = 0; k < CLIENTS; k++) {
		struct request *q = run.waits[(first + 5 * k) % CLIENTS];

		if (!q || (!all && draw(3) == 0))
			continue;
		in_batch++;
		if (!batch_add(h->batch, q->message, q->message->length) && draw(6))
			continue;
		if (!all && draw(60) == 0) {
			/* Committed; the answers are lost on the way. */
			batch_commit(h->batch, NULL, NULL);
			restart(h);
			run.lost++;
		} else {
			batch_commit(h->batch, answered, h);
		}
		run.mixed += in_batch > 1;
		in_batch = 0;
	}
	if (!all && draw(40) == 0) {
		restart(h);
		run.ends++;
		return;
	}
	run.mixed += in_batch > 1;
	batch_commit(h->batch, answered, h);
}

/* ---- the ledger's order */

static void replay(struct host *h, struct model *m, uint64_t first, unsigned int count[16])
{
	uint32_t status, failed;
	size_t lines = 0;
	sqlite3_stmt *q;
	char *model;

	q = db_query(h->uvd.db, "SELECT \"transaction\", request_id, status FROM ledger"
		     " WHERE \"transaction\" > ? AND who <> 'uvd' ORDER BY \"transaction\"", "i",
		     (int64_t)first);
	while (db_next(h->uvd.db, q) > 0) {
		struct request *r;
		uint8_t id[16];

		db_uuid(q, 1, id);
		r = request_of(id);
		assert_non_null(r);
		lines++;
		assert_non_null(r->answer);
		status = model_run(h, m, r->message, &failed);
		if (status != db_int(q, 2) || status != r->answer->status ||
		    failed != r->answer->failed) {
			model = said_by_model(m);
			fail_msg("transaction %lld: status %lld, record %u, %s; the model"
				 " has status %u, record %u, for operation %u of:\n%s",
				 (long long)db_int(q, 0), (long long)db_int(q, 2),
				 r->answer->failed, r->answer->text, status, failed,
				 message_record(r->message, r->answer->failed == COMMAND_NONE ? 0 :
						r->answer->failed)->type, model);
		}
		assert_int_equal(r->answer->transaction, db_int(q, 0));
		count[status % 16]++;
	}
	/* A line each, and none besides. */
	assert_int_equal(lines, run.n);
}

static void test_sixteen_clients_are_served_in_the_ledgers_order(void **state)
{
	unsigned int rounds = getenv("ROUNDS") ? strtoul(getenv("ROUNDS"), NULL, 10) : 150;
	unsigned int seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 10) : 1;
	unsigned int count[16] = { 0 };
	struct host *h = *state;
	struct command_domain *d;
	struct model m;
	uint64_t first;
	char *rows, *model;

	run.random = seed;
	run.room = (size_t)rounds * CLIENTS;
	run.request = calloc(run.room, sizeof(*run.request));
	assert_non_null(run.request);
	message_begin(h, COMMAND_TRANSACT);
	d = message_add(h, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "batch");
	d->cpus[0] = 0xc0;
	d->memory = 512 * MIB;
	assert_int_equal(message_ask(h)->status, COMMAND_OK);
	first = h->reply->transaction;
	model_begin(h, &m);

	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int c = 0; c < CLIENTS; c++)
			if (!run.waits[c] && draw(8) == 0 && run.n)
				run.waits[c] = &run.request[draw(run.n)];
			else if (!run.waits[c])
				run.waits[c] = compose(h, c);
		turn(h, false);
		if (run.wrong[0])
			fail_msg("%s", run.wrong);
	}
	turn(h, true);
	if (run.wrong[0])
		fail_msg("%s", run.wrong);
	for (size_t i = 0; i < run.n; i++)
		assert_non_null(run.request[i].answer);

	replay(h, &m, first, count);
	rows = said_by_rows(h);
	model = said_by_model(&m);
	assert_string_equal(rows, model);
	assert_in_line(h);
	printf("seed %u: %zu requests: %u committed, %u conflicts, %u short of resources, %u not"
	       " found; %u asked again, %u batches of several, %u ends of uvd before and %u behind"
	       " a commit\n", seed, run.n, count[COMMAND_OK], count[COMMAND_CONFLICT],
	       count[COMMAND_RESOURCES], count[COMMAND_NOT_FOUND], run.repeats, run.mixed,
	       run.ends, run.lost);
	assert_true(count[COMMAND_OK] && count[COMMAND_CONFLICT] && count[COMMAND_RESOURCES] &&
		    count[COMMAND_NOT_FOUND] && run.repeats && run.mixed);
	free(rows);
	free(model);
	for (size_t i = 0; i < run.n; i++) {
		free(run.request[i].message);
		free(run.request[i].answer);
	}
	free(run.request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_sixteen_clients_are_served_in_the_ledgers_order, host_setup,
			host_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sources: cmdpartd/mirror.c cmdpartd/rows.c cmdpartd/copy.c cmdpartd/message.c */
/* sources: cmdpartd/placement.c cmdpartd/candidate.c cmdpartd/processors.c cmdpartd/realtime.c */
/* sources: cmdpartd/rule.c cmdpartd/policy.c cmdpartd/policy_zone.c cmdpartd/policy_file.c */
/* sources: build/san/common.a */
/*
 * The standing copy of the rows beside a uvd whose partitions change all the time, which answers a
 * few rows at a time and now and then not at all: what it gives is what uvd has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <common/uuid.h>

#include "../../../cmdpartd/message.h"
#include "../../../cmdpartd/mirror.h"
#include "../../../cmdpartd/placement.h"
#include "world.h"

#define GUESTS	60
#define IO	3	/* in front of them: io-a, io-b, io-c */
#define ALL	(IO + GUESTS)
#define STEPS	20000
#define WAITERS	8

/* ---- uvd */

struct asked {
	struct asked *next;
	struct message m;
	uvdlink_done *done;
	void *data;
};

static struct {
	struct rows *rows;
	unsigned int shape[ALL];	/* guest: 0: there is none; I/O partition: it runs */
	uint64_t version[ALL];		/* of its rows: their generation */
	uint64_t changed[ALL];		/* the last transaction that did so */
	uint64_t last, from;		/* transactions; of those before from nothing is known */
	bool fails;			/* the next question finds it dead */
	struct asked *first, **end;
} uvd;

static struct mirror *mirror;

static const char *name_of(unsigned int i)
{
	static char name[16];

	if (i < IO)
		snprintf(name, sizeof(name), "io-%c", 'a' + i);
	else
		snprintf(name, sizeof(name), "p%02u", i - IO);
	return name;
}

/* Drawn anew: rows in order of their names, as uvd has them. */
static void draw(void)
{
	static const char *const shapes[] = {
		"off 1 shared 1GiB console", "off 2 shared:20/100 1GiB disk net",
		"on 1 shared 16MiB 2-5 0 console",
		"on 2 shared:10/100 16MiB 6-9 0 console disk net",
		"on 1 shared 16MiB 2-5 0",
	};
	char text[16384] = "cpu 0-11 node 0 core 0,1,2,3,4,5,6,7,8,9,10,11\nmemory 0 64GiB\n"
			   "domain default 2-9 32GiB\ndomain other 10-11 8GiB\n";
	const struct command_row_device *first;
	unsigned int rank = 0, i;
	size_t n = strlen(text);

	for (i = 0; i < ALL; i++)
		if (i < IO)
			n += snprintf(text + n, sizeof(text) - n, "io %s %s\n", name_of(i),
				      uvd.shape[i] ? "running" : "off");
		else if (uvd.shape[i])
			n += snprintf(text + n, sizeof(text) - n, "partition %s default %s\n",
				      name_of(i), shapes[uvd.shape[i] - 1]);
	rows_free(uvd.rows);
	uvd.rows = world(text);
	for (rows_each(uvd.rows, PARTITION, partition, p))
		for (i = 0; i < ALL; i++)
			if (!strcmp(p->name, name_of(i)))
				p->r.generation = uvd.version[i];
	first = rows_at(uvd.rows, COMMAND_ROW_DEVICE, 0);
	for (rows_each(uvd.rows, DEVICE, device, d)) {
		for (rows_each(uvd.rows, PARTITION, partition, p))
			if (!memcmp(p->partition, d->partition, UUID_LEN))
				strcpy(d->partition_name, p->name);
		rank = d == first || strcmp(d[-1].partition_name, d->partition_name) ? 0 : rank + 1;
		d->rank = rank;
	}
	/* A channel of each device of what runs. */
	for (rows_each(uvd.rows, DEVICE, device, d)) {
		struct command_row_channel c = {
			.r = { .type = COMMAND_ROW_CHANNEL, .length = sizeof(c) },
		};

		memcpy(c.partition, d->partition, UUID_LEN);
		strcpy(c.partition_name, d->partition_name);
		snprintf(c.name, sizeof(c.name), "%s", d->name);
		if (rows_partition(uvd.rows, d->partition_name)->state == PARTITION_RUNNING)
			assert_int_equal(rows_add(uvd.rows, &c.r), 0);
	}
}

static void change(unsigned int i)
{
	uvd.version[i]++;
	if (i < IO) {
		/* It comes and goes without a transaction. */
		uvd.shape[i] = !uvd.shape[i];
	} else {
		uvd.shape[i] = random() % 6;
		uvd.changed[i] = ++uvd.last;
	}
	draw();
}

static bool is_of(const struct command_record *r, const uint8_t uuid[UUID_LEN])
{
	static const size_t at[] = {
		[COMMAND_ROW_PARTITION - COMMAND_ROW_HOST] =
			offsetof(struct command_row_partition, partition),
		[COMMAND_ROW_DEVICE - COMMAND_ROW_HOST] =
			offsetof(struct command_row_device, partition),
		[COMMAND_ROW_CHANNEL - COMMAND_ROW_HOST] =
			offsetof(struct command_row_channel, partition),
		[COMMAND_ROW_CONTEXT - COMMAND_ROW_HOST] =
			offsetof(struct command_row_context, partition),
	};

	return !memcmp((const uint8_t *)r + at[r->type - COMMAND_ROW_HOST], uuid, UUID_LEN);
}

static void *reply_add(struct command_header *h, const void *row, size_t n)
{
	void *to = (uint8_t *)h + h->length;

	memcpy(to, row, n);
	h->length += n;
	h->count++;
	return to;
}

static void tell_changes(struct command_header *h, uint64_t after)
{
	struct command_row_changed c = {
		.r = { .type = COMMAND_ROW_CHANGED, .length = sizeof(c) },
		.transaction = uvd.last, .all = after < uvd.from,
	};

	reply_add(h, &c, sizeof(c));
	for (unsigned int i = 0; !c.all && i < ALL; i++)
		if (uvd.changed[i] > after) {
			struct command_row_changed *r = reply_add(h, &c, sizeof(c));

			world_uuid(r->partition, name_of(i));
		}
}

/* A few at a time; of CPUs two at least, as nothing is behind 0. */
static void tell_rows(struct command_header *h, const struct command_query *q)
{
	const struct row_list *list = &uvd.rows->list[q->row - COMMAND_ROW_HOST];
	unsigned int few = 2 + random() % 40, i = 0;
	char key[COMMAND_NAME_LEN + COMMAND_DEVICE_LEN];
	uint8_t uuid[UUID_LEN];

	if (q->name[0]) {
		assert_int_equal(uuid_read(uuid, q->name), 0);
		for (rows_each(uvd.rows, PARTITION, partition, p))
			i += !memcmp(p->partition, uuid, UUID_LEN);
		if (!i) {
			h->status = COMMAND_NOT_FOUND;
			return;
		}
	}
	for (i = 0; i < list->count; i++) {
		const struct command_record *r = (void *)(list->bytes + i * list->size);
		const struct command_row_device *d = (const void *)r;
		const struct command_row_channel *c = (const void *)r;
		const struct command_row_context *x = (const void *)r;
		const struct command_row_partition *p = (const void *)r;
		const struct command_row_domain *m = (const void *)r;
		const struct command_row_processor *u = (const void *)r;

		if (q->name[0] && !is_of(r, uuid))
			continue;
		key[0] = '\0';
		switch (q->row) {
		case COMMAND_ROW_PARTITION:
			strcpy(key, p->name);
			break;
		case COMMAND_ROW_DOMAIN:
			strcpy(key, m->name);
			break;
		case COMMAND_ROW_DEVICE:
			snprintf(key, sizeof(key), "%s/%s", d->partition_name, d->name);
			break;
		case COMMAND_ROW_CHANNEL:
			snprintf(key, sizeof(key), "%s/%s", c->partition_name, c->name);
			break;
		case COMMAND_ROW_CONTEXT:
			snprintf(key, sizeof(key), "%s/%02u", x->partition_name, x->index);
			break;
		case COMMAND_ROW_PROCESSOR:
			if (q->after && u->cpu <= q->after)
				continue;
			break;
		}
		if (q->after_name[0] && strcmp(key, q->after_name) <= 0)
			continue;
		if (h->count == few) {
			h->more = 1;
			return;
		}
		reply_add(h, r, r->length);
	}
}

static void answer(struct asked *a)
{
	static uint64_t room[COMMAND_MAX_LENGTH / 8];
	struct command_header *h = (struct command_header *)room;
	const struct command_query *q = (const void *)(message_header(&a->m) + 1);
	const char *why;

	*h = *message_header(&a->m);
	h->kind = COMMAND_REPLY;
	h->status = COMMAND_OK;
	h->count = 0;
	h->length = sizeof(*h);
	if (q->row == COMMAND_ROW_CHANGED)
		tell_changes(h, q->after);
	else
		tell_rows(h, q);
	if (!reply_check(h, h->length, &why))
		fail_msg("%s", why);
	a->done(uvd.fails ? EXIT_UNREACHABLE : EXIT_OK, uvd.fails ? NULL : h, a->data);
	uvd.fails = false;
}

int uvdlink_send(struct uvdlink *link, struct message *m, uvdlink_done *done, void *data)
{
	struct asked *a = malloc(sizeof(*a));

	(void)link;
	assert_non_null(a);
	*a = (struct asked){ .m = *m, .done = done, .data = data };
	*uvd.end = a;
	uvd.end = &a->next;
	return 0;
}

/* One question. False: there is none. */
static bool serve(void)
{
	struct asked *a = uvd.first;

	if (!a)
		return false;
	uvd.first = a->next;
	if (!a->next)
		uvd.end = &uvd.first;
	answer(a);
	message_free(&a->m);
	free(a);
	return true;
}

/* ---- who asks for the rows */

struct waiter {
	bool waits;
	uint64_t changes;		/* all that there were when it asked */
	uint64_t version[ALL];
};

static struct waiter waiter[WAITERS];
static unsigned int served, failed, exact;

static uint64_t changes(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < ALL; i++)
		n += uvd.version[i];
	return n;
}

static void same(struct rows *rows)
{
	for (unsigned int i = 0; i < ROW_TYPES; i++) {
		const struct row_list *a = &uvd.rows->list[i], *b = &rows->list[i];

		if (!(PLACEMENT_ROWS & 1u << i))
			continue;
		assert_int_equal(a->count, b->count);
		if (a->count)
			assert_memory_equal(a->bytes, b->bytes, a->count * a->size);
	}
}

static void got(struct rows *rows, const struct error *e, void *data)
{
	struct waiter *w = data;

	assert_true(w->waits);
	w->waits = false;
	if (!rows) {
		assert_int_equal(e->code, EXIT_UNREACHABLE);
		failed++;
		return;
	}
	served++;
	/* No older than when it was asked for. */
	for (unsigned int i = 0; i < ALL; i++) {
		const struct command_row_partition *p = rows_partition(rows, name_of(i));

		if (p)
			assert_in_range(p->r.generation, w->version[i], uvd.version[i]);
		else
			assert_true(!uvd.shape[i] || uvd.version[i] > w->version[i]);
	}
	if (w->changes == changes()) {
		exact++;
		same(rows);
	}
	rows_free(rows);
}

static void want(struct waiter *w)
{
	if (w->waits)
		return;
	w->waits = true;
	w->changes = changes();
	memcpy(w->version, uvd.version, sizeof(w->version));
	assert_int_equal(mirror_get(mirror, got, w), 0);
}

static void a_copy_is_what_uvd_has(void **state)
{
	unsigned int step, some;

	(void)state;
	srandom(2);
	uvd.end = &uvd.first;
	for (some = 0; some < ALL; some++)
		change(some);
	assert_int_equal(mirror_open(&mirror, NULL), 0);
	for (step = 0; step < STEPS; step++) {
		/* Long quiet times, and some in which more changes than is asked for singly. */
		bool quiet = step / 500 % 2;

		switch (random() % 400) {
		case 0:
			uvd.fails = uvd.first;
			break;
		case 1:
			mirror_forget(mirror);
			break;
		case 2:
			uvd.from = uvd.last;
			break;
		case 3:
			for (some = random() % ALL; !quiet && some; some--)
				change(random() % ALL);
			break;
		}
		if (!quiet && random() % 20 == 0)
			change(random() % ALL);
		if (random() % 8 == 0)
			want(&waiter[random() % WAITERS]);
		serve();
	}
	while (serve())
		;
	assert_true(served > STEPS / 50 && failed > 5 && exact > served / 4);
	mirror_close(mirror);
	rows_free(uvd.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_what_uvd_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

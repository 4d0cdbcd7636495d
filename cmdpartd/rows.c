/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering rows: one query a type, all at once; a query whose rows do not fit is continued. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/uuid.h>

#include "rows.h"

#define MAX_ROWS 65536	/* of one type; more than that is not a host's */

struct gathering;

struct query {
	struct gathering *gathering;
	enum command_type type;
};

struct gathering {
	struct uvdlink *link;
	char name[COMMAND_NAME_LEN];
	char noun[16], key[COMMAND_PATH_LEN];	/* history */
	uint64_t at_ns;
	uint32_t limit;
	unsigned int pending;
	struct rows *rows;
	struct error error;
	rows_done *done;
	void *data;
	struct query query[ROW_TYPES];
};

/* Whoever has a list's bytes is counted in front of them. */
struct block {
	size_t owners;
	_Alignas(16) uint8_t bytes[];
};

static struct block *block_of(const struct row_list *list)
{
	return (struct block *)(list->bytes - offsetof(struct block, bytes));
}

static void release(struct row_list *list)
{
	if (list->bytes && !--block_of(list)->owners)
		free(block_of(list));
	list->bytes = NULL;
}

static size_t room_for(size_t count)
{
	size_t room = 16;

	while (room < count)
		room *= 2;
	return room;
}

static int move(struct row_list *list, size_t room, size_t size)
{
	struct block *block = malloc(sizeof(*block) + room * size);

	if (!block)
		return -ENOMEM;
	block->owners = 1;
	if (list->count)
		memcpy(block->bytes, list->bytes, list->count * list->size);
	release(list);
	list->bytes = block->bytes;
	return 0;
}

int rows_own(struct row_list *list)
{
	if (!list->bytes || block_of(list)->owners == 1)
		return 0;
	return move(list, room_for(list->count), list->size);
}

int rows_add(struct rows *rows, const struct command_record *row)
{
	struct row_list *list = &rows->list[row->type - COMMAND_ROW_HOST];
	size_t room = room_for(list->count);
	bool full = !list->bytes || list->count == room;

	if ((full || block_of(list)->owners > 1) &&
	    move(list, full && list->bytes ? 2 * room : room, row->length) < 0)
		return -ENOMEM;
	list->size = row->length;
	memcpy(list->bytes + list->count++ * list->size, row, list->size);
	return 0;
}

struct rows *rows_share(const struct rows *rows)
{
	const unsigned int shared = ROWS_DEVICE | ROWS_CHANNEL | ROWS_CONTEXT;
	struct rows *r = calloc(1, sizeof(*r));

	for (int i = 0; r && i < ROW_TYPES; i++) {
		r->list[i] = rows->list[i];
		if (!r->list[i].bytes)
			continue;
		block_of(&r->list[i])->owners++;
		if (!(shared & 1u << i) && rows_own(&r->list[i]) < 0) {
			rows_free(r);
			return NULL;
		}
	}
	return r;
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	for (int i = 0; i < ROW_TYPES; i++)
		release(&rows->list[i]);
	free(rows);
}

void rows_no_answer(enum exit_code code, struct error *e)
{
	if (code == EXIT_UNREACHABLE) {
		error_set(e, code, "uvd is not there; nothing was done");
		error_fix(e, "see whether it runs (systemctl status uvd), then repeat the command");
	} else {
		error_set(e, EXIT_UNKNOWN, "uvd did not answer in time; the outcome is unknown");
		error_fix(e, "repeat the command with the same --request-id: nothing is done "
			  "twice");
	}
}

/* The key that a continued query goes on behind (command.h, struct command_query). */
static void last_key(const struct rows *rows, enum command_type type, char *name, size_t size,
		     uint64_t *number)
{
	const struct row_list *list = &rows->list[type - COMMAND_ROW_HOST];
	const void *last = list->bytes + (list->count - 1) * list->size;
	const struct command_row_device *d = last;
	const struct command_row_channel *h = last;
	const struct command_row_context *x = last;

	name[0] = '\0';
	*number = 0;
	switch (type) {
	case COMMAND_ROW_PROCESSOR:
		*number = ((const struct command_row_processor *)last)->cpu;
		break;
	case COMMAND_ROW_MEMORY:
		*number = ((const struct command_row_memory *)last)->node;
		break;
	case COMMAND_ROW_LEDGER:
		*number = ((const struct command_row_ledger *)last)->transaction;
		break;
	case COMMAND_ROW_HISTORY:
		*number = ((const struct command_row_history *)last)->id;
		break;
	case COMMAND_ROW_COMPARED:
		*number = ((const struct command_row_compared *)last)->number;
		break;
	case COMMAND_ROW_DIFFERENCE:
		*number = ((const struct command_row_difference *)last)->number;
		break;
	case COMMAND_ROW_DOMAIN:
		snprintf(name, size, "%s", ((const struct command_row_domain *)last)->name);
		break;
	case COMMAND_ROW_PARTITION:
		snprintf(name, size, "%s", ((const struct command_row_partition *)last)->name);
		break;
	case COMMAND_ROW_DEVICE:
		snprintf(name, size, "%s/%s", d->partition_name, d->name);
		break;
	case COMMAND_ROW_CHANNEL:
		snprintf(name, size, "%s/%s", h->partition_name, h->name);
		break;
	case COMMAND_ROW_CONTEXT:
		snprintf(name, size, "%s/%02u", x->partition_name, x->index);
		break;
	default:
		break;
	}
}

static void answered(enum exit_code code, const struct command_header *reply, void *data);

static int ask(struct query *q, const char *after_name, uint64_t after)
{
	struct gathering *g = q->gathering;
	struct command_query *c;
	uint8_t id[UUID_LEN];
	struct message m;
	int rc;

	uuid_random(id);
	message_begin(&m, COMMAND_QUERY, id, NULL);
	c = message_query(&m, q->type, g->name, after_name, after,
			  g->limit ? g->limit - rows_count(g->rows, q->type) : 0);
	c->at_ns = g->at_ns;
	message_text(c->noun, sizeof(c->noun), g->noun);
	message_text(c->key, sizeof(c->key), g->key);
	rc = uvdlink_send(g->link, &m, answered, q);
	if (rc >= 0)
		g->pending++;
	return rc;
}

/* Queries go by name; a definition, and the guest, by the devices' order. */
static int compare_devices(const void *a, const void *b)
{
	const struct command_row_device *x = a, *y = b;
	int rc = strcmp(x->partition_name, y->partition_name);

	return rc ? rc : (x->rank > y->rank) - (x->rank < y->rank);
}

static void end(struct gathering *g)
{
	struct row_list *devices = &g->rows->list[COMMAND_ROW_DEVICE - COMMAND_ROW_HOST];

	if (devices->count)
		qsort(devices->bytes, devices->count, devices->size, compare_devices);
	if (g->error.code != EXIT_OK) {
		rows_free(g->rows);
		g->done(NULL, &g->error, g->data);
	} else {
		g->done(g->rows, NULL, g->data);
	}
	error_clear(&g->error);
	free(g);
}

static int collect(struct gathering *g, enum command_type type, const struct command_header *reply)
{
	const struct command_record *r = NULL;

	while ((r = reply_next(reply, r)))
		if (r->type == type && (rows_count(g->rows, type) == MAX_ROWS ||
					rows_add(g->rows, r) < 0))
			return error_set(&g->error, EXIT_FAILED, "uvd has more rows than fit");
	return 0;
}

static void answered(enum exit_code code, const struct command_header *reply, void *data)
{
	struct query *q = data;
	struct gathering *g = q->gathering;
	char name[COMMAND_NAME_LEN + COMMAND_DEVICE_LEN];
	size_t before = rows_count(g->rows, q->type);
	uint64_t number;

	g->pending--;
	if (code != EXIT_OK) {
		/* A question changes nothing: it may always be repeated. */
		rows_no_answer(EXIT_UNREACHABLE, &g->error);
	} else if (!reply_error(reply, &g->error) && !collect(g, q->type, reply) && reply->more &&
		   rows_count(g->rows, q->type) > before &&
		   (!g->limit || rows_count(g->rows, q->type) < g->limit)) {
		last_key(g->rows, q->type, name, sizeof(name), &number);
		if (ask(q, name, number) < 0)
			error_set(&g->error, EXIT_FAILED, "out of memory");
	}
	if (!g->pending)
		end(g);
}

static struct gathering *begin(struct uvdlink *link, uint32_t limit, rows_done *done, void *data)
{
	struct gathering *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->rows = calloc(1, sizeof(*g->rows));
	g->link = link;
	g->limit = limit;
	g->done = done;
	g->data = data;
	return g;
}

static int ask_all(struct gathering *g, unsigned int mask, uint64_t after)
{
	for (int i = 0; g->rows && i < ROW_TYPES; i++) {
		if (!(mask & (1u << i)))
			continue;
		g->query[i].gathering = g;
		g->query[i].type = COMMAND_ROW_HOST + i;
		if (ask(&g->query[i], NULL, i >= COMMAND_ROW_LEDGER - COMMAND_ROW_HOST ?
			after : 0) < 0)
			error_set(&g->error, EXIT_FAILED, "out of memory");
	}
	if (g->pending)
		return 0;
	rows_free(g->rows);
	error_clear(&g->error);
	free(g);
	return -ENOMEM;
}

int rows_get(struct uvdlink *link, unsigned int mask, const char *name, uint64_t after,
	     uint32_t limit, rows_done *done, void *data)
{
	struct gathering *g = begin(link, limit, done, data);

	if (!g)
		return -ENOMEM;
	snprintf(g->name, sizeof(g->name), "%s", name ? name : "");
	return ask_all(g, mask, after);
}

int rows_get_history(struct uvdlink *link, const char *noun, const char *key, uint64_t at_ns,
		     uint64_t after, uint32_t limit, rows_done *done, void *data)
{
	struct gathering *g = begin(link, limit, done, data);

	if (!g)
		return -ENOMEM;
	snprintf(g->noun, sizeof(g->noun), "%s", noun);
	snprintf(g->key, sizeof(g->key), "%s", key);
	g->at_ns = at_ns;
	return ask_all(g, ROWS_HISTORY, after);
}

struct command_row_partition *rows_partition(const struct rows *rows, const char *name)
{
	uint8_t uuid[UUID_LEN];
	bool by_uuid = !uuid_read(uuid, name);

	for (rows_each(rows, PARTITION, partition, p))
		if (by_uuid ? !memcmp(p->partition, uuid, UUID_LEN) : !strcmp(p->name, name))
			return p;
	return NULL;
}

struct command_row_domain *rows_domain(const struct rows *rows, const char *name)
{
	for (rows_each(rows, DOMAIN, domain, d))
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

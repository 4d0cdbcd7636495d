/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round: which partitions have changed, and what of the host changes without a transaction; then
 * the changed ones' rows, and what depends on all. Whoever comes while a round is under way is
 * served by the next one: this one may have looked before what he knows of.
 */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <common/uuid.h>

#include "copy.h"
#include "mirror.h"
#include "placement.h"

#define FEW 32		/* changed partitions; of more, all rows are read at once */
#define IO 8		/* I/O partitions: whether they run is no transaction */

#define ROWS_OF_PARTITION (ROWS_PARTITION | ROWS_DEVICE | ROWS_CHANNEL | ROWS_CONTEXT)

struct waiter {
	STAILQ_ENTRY(waiter) entry;
	rows_done *done;
	void *data;
};
STAILQ_HEAD(waiters, waiter);

struct part {
	struct mirror *mirror;
	uint8_t uuid[UUID_LEN];
};

struct mirror {
	struct uvdlink *link;
	struct rows *rows;		/* NULL: none yet */
	uint64_t after;			/* the transaction that they are of, or an earlier one */
	bool busy, forget, all;
	bool processors;		/* contexts have come or gone */
	bool ahead;			/* processors may be of another transaction than contexts */
	unsigned int pending;
	struct part part[FEW + IO];
	unsigned int parts;
	struct error error;		/* of the round */
	struct waiters waiting, served;
};

static void begin(struct mirror *m);

static void serve(struct mirror *m)
{
	struct waiters served = STAILQ_HEAD_INITIALIZER(served);
	struct error e = m->error;
	struct waiter *w;

	m->error = (struct error)ERROR_NONE;
	if (e.code != EXIT_OK) {
		/* Some of it is new, some old. */
		rows_free(m->rows);
		m->rows = NULL;
	}
	STAILQ_CONCAT(&served, &m->served);
	/* Whoever is served may ask again at once: that is the next round. */
	while ((w = STAILQ_FIRST(&served))) {
		struct rows *rows = e.code == EXIT_OK ? rows_share(m->rows) : NULL;

		STAILQ_REMOVE_HEAD(&served, entry);
		if (e.code == EXIT_OK && !rows)
			error_set(&e, EXIT_FAILED, "out of memory");
		w->done(rows, rows ? NULL : &e, w->data);
		free(w);
	}
	error_clear(&e);
	if (m->forget) {
		rows_free(m->rows);
		m->rows = NULL;
		m->forget = false;
	}
	m->busy = false;
	if (!STAILQ_EMPTY(&m->waiting))
		begin(m);
}

static void note(struct mirror *m, const struct error *e)
{
	if (m->error.code != EXIT_OK)
		return;
	error_set(&m->error, e->code, "%s", e->message);
	error_fix(&m->error, "%s", e->fix);
}

static void ask(struct mirror *m, unsigned int mask, const uint8_t *uuid, rows_done *done,
		void *data)
{
	const struct error e = { .code = EXIT_FAILED, .message = "out of memory" };
	char text[UUID_TEXT];

	if (rows_get(m->link, mask, uuid ? uuid_format(uuid, text) : NULL, m->after, 0, done,
		     data) == 0)
		m->pending++;
	else
		note(m, &e);
}

/* ---- one partition's rows in the place of those before */

static const struct {
	enum command_type type;
	size_t uuid, name;
} lists[] = {
	{ COMMAND_ROW_PARTITION, offsetof(struct command_row_partition, partition),
	  offsetof(struct command_row_partition, name) },
	{ COMMAND_ROW_DEVICE, offsetof(struct command_row_device, partition),
	  offsetof(struct command_row_device, partition_name) },
	{ COMMAND_ROW_CHANNEL, offsetof(struct command_row_channel, partition),
	  offsetof(struct command_row_channel, partition_name) },
	{ COMMAND_ROW_CONTEXT, offsetof(struct command_row_context, partition),
	  offsetof(struct command_row_context, partition_name) },
};

/* Behind all rows of names that come before, as uvd orders them. 0 or -ENOMEM. */
static int insert(struct rows *rows, enum command_type type, size_t name, const struct rows *from)
{
	struct row_list *list = &rows->list[type - COMMAND_ROW_HOST];
	size_t before = list->count, n = rows_count(from, type), at = 0, i;
	const uint8_t *first = n ? rows_at(from, type, 0) : NULL;
	int rc = 0;

	while (n && at < before &&
	       strcmp((char *)rows_at(rows, type, at) + name, (const char *)first + name) < 0)
		at++;
	for (i = 0; !rc && i < n; i++)
		rc = rows_add(rows, rows_at(from, type, i));
	if (rc || !n || at == before)
		return rc;
	memmove(list->bytes + (at + n) * list->size, list->bytes + at * list->size,
		(before - at) * list->size);
	memcpy(list->bytes + at * list->size, first, n * list->size);
	return 0;
}

/* from NULL: it is there no more. */
static int replace(struct rows *rows, unsigned int mask, const uint8_t uuid[UUID_LEN],
		   const struct rows *from)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (!(mask & ROWS(lists[i].type)))
			continue;
		copy_remove_of(rows, lists[i].type, lists[i].uuid, uuid);
		if (from)
			rc = insert(rows, lists[i].type, lists[i].name, from);
	}
	return rows->failed ? -ENOMEM : rc;
}

static void take(struct mirror *m, enum command_type type, struct rows *from)
{
	struct row_list *to = &m->rows->list[type - COMMAND_ROW_HOST];
	struct row_list *list = &from->list[type - COMMAND_ROW_HOST], before = *to;

	*to = *list;
	*list = before;
}

static void take_partition(struct part *part, unsigned int mask, const struct rows *rows,
			   const struct error *e)
{
	const struct error no_memory = { .code = EXIT_FAILED, .message = "out of memory" };
	struct mirror *m = part->mirror;

	if (!rows && e->code != EXIT_NOT_FOUND)
		note(m, e);
	else if (replace(m->rows, mask, part->uuid, rows) < 0)
		note(m, &no_memory);
}

/* ---- rounds */

static void got_all(struct rows *rows, const struct error *e, void *data)
{
	struct mirror *m = data;

	m->pending--;
	if (rows) {
		rows_free(m->rows);
		m->rows = rows;
		m->ahead = true;
	} else {
		note(m, e);
	}
	serve(m);
}

/* Contexts that came before the processors were read, and go before they are: no other trace. */
static void got_later(struct rows *rows, const struct error *e, void *data)
{
	struct mirror *m = data;

	if (rows)
		m->ahead = rows_count(rows, COMMAND_ROW_CHANGED) > 1;
	else
		note(m, e);
	rows_free(rows);
	m->pending--;
	serve(m);
}

static void got_processors(struct rows *rows, const struct error *e, void *data)
{
	struct mirror *m = data;

	if (rows) {
		take(m, COMMAND_ROW_PROCESSOR, rows);
		rows_free(rows);
		ask(m, ROWS_CHANGED, NULL, got_later, m);
	} else {
		note(m, e);
	}
	if (!--m->pending)
		serve(m);
}

/* What processors have to do is reckoned up for each of them: only if it must be. */
static void end_closer(struct mirror *m)
{
	if (--m->pending)
		return;
	if (m->processors && m->error.code == EXIT_OK)
		ask(m, ROWS_PROCESSOR, NULL, got_processors, m);
	if (!m->pending)
		serve(m);
}

static void got_domains(struct rows *rows, const struct error *e, void *data)
{
	struct mirror *m = data;

	if (rows) {
		take(m, COMMAND_ROW_DOMAIN, rows);
		rows_free(rows);
	} else {
		note(m, e);
	}
	end_closer(m);
}

static void got_changed(struct rows *rows, const struct error *e, void *data)
{
	struct part *part = data;
	struct mirror *m = part->mirror;

	m->processors |= rows && rows_count(rows, COMMAND_ROW_CONTEXT);
	for (rows_each(m->rows, CONTEXT, context, c))
		m->processors |= !memcmp(c->partition, part->uuid, UUID_LEN);
	take_partition(part, ROWS_OF_PARTITION, rows, e);
	rows_free(rows);
	end_closer(m);
}

static void look_closer(struct mirror *m)
{
	if (m->error.code == EXIT_OK && m->all) {
		ask(m, PLACEMENT_ROWS, NULL, got_all, m);
	} else if (m->error.code == EXIT_OK && m->parts) {
		m->processors = m->ahead;
		ask(m, ROWS_DOMAIN, NULL, got_domains, m);
		for (unsigned int i = 0; i < m->parts; i++)
			ask(m, ROWS_OF_PARTITION, m->part[i].uuid, got_changed, &m->part[i]);
	}
	if (!m->pending)
		serve(m);
}

static void add_part(struct mirror *m, const uint8_t uuid[UUID_LEN])
{
	struct part *part = &m->part[m->parts++];

	part->mirror = m;
	memcpy(part->uuid, uuid, UUID_LEN);
}

static void read_changes(struct mirror *m, const struct rows *rows)
{
	m->all = !m->rows;
	for (rows_each(rows, CHANGED, changed, c)) {
		m->after = c->transaction;
		if (c->all || (!uuid_is_zero(c->partition) && m->parts == FEW))
			m->all = true;
		else if (!uuid_is_zero(c->partition))
			add_part(m, c->partition);
	}
}

static void got_changes(struct rows *rows, const struct error *e, void *data)
{
	struct mirror *m = data;

	if (rows) {
		/* Those of I/O partitions have been asked for: the places are free again. */
		m->parts = 0;
		read_changes(m, rows);
		if (m->rows) {
			take(m, COMMAND_ROW_HOST, rows);
			take(m, COMMAND_ROW_MEMORY, rows);
		}
		rows_free(rows);
	} else {
		note(m, e);
	}
	if (!--m->pending)
		look_closer(m);
}

static void got_io(struct rows *rows, const struct error *e, void *data)
{
	struct part *part = data;
	struct mirror *m = part->mirror;

	take_partition(part, ROWS_PARTITION, rows, e);
	rows_free(rows);
	if (!--m->pending)
		look_closer(m);
}

static void begin(struct mirror *m)
{
	unsigned int io = 0;

	m->busy = true;
	m->parts = 0;
	STAILQ_CONCAT(&m->served, &m->waiting);
	ask(m, ROWS_CHANGED | (m->rows ? ROWS_HOST | ROWS_MEMORY : 0), NULL, got_changes, m);
	if (m->rows)
		for (rows_each(m->rows, PARTITION, partition, p))
			if (p->kind == PARTITION_IO && io < IO) {
				struct part *part = &m->part[FEW + io++];

				part->mirror = m;
				memcpy(part->uuid, p->partition, UUID_LEN);
				ask(m, ROWS_PARTITION, part->uuid, got_io, part);
			}
	if (!m->pending)
		serve(m);
}

int mirror_get(struct mirror *m, rows_done *done, void *data)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->done = done;
	w->data = data;
	STAILQ_INSERT_TAIL(&m->waiting, w, entry);
	if (!m->busy)
		begin(m);
	return 0;
}

void mirror_forget(struct mirror *m)
{
	if (m->busy) {
		m->forget = true;
		return;
	}
	rows_free(m->rows);
	m->rows = NULL;
}

int mirror_open(struct mirror **out, struct uvdlink *link)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	/* What rows_share copies is freed soon, and wanted again: its pages stay. */
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	m->link = link;
	STAILQ_INIT(&m->waiting);
	STAILQ_INIT(&m->served);
	*out = m;
	return 0;
}

/* Behind the link: that has answered everything. */
void mirror_close(struct mirror *m)
{
	if (!m)
		return;
	rows_free(m->rows);
	error_clear(&m->error);
	free(m);
}

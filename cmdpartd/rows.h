/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the resource database, gathered from uvd: one set a request, read once and then
 * consistent in itself only as far as generations tell. Whoever decides by them sends the
 * generations along, and uvd refuses what has changed meanwhile.
 */
#ifndef CMDPARTD_ROWS_H
#define CMDPARTD_ROWS_H

#include <stddef.h>

#include <common/error.h>
#include <ultravisor/command.h>

#include "uvdlink.h"

/* For rows_get's mask. */
#define ROWS(type)	(1u << ((type) - COMMAND_ROW_HOST))
#define ROWS_HOST	ROWS(COMMAND_ROW_HOST)
#define ROWS_PROCESSOR	ROWS(COMMAND_ROW_PROCESSOR)
#define ROWS_MEMORY	ROWS(COMMAND_ROW_MEMORY)
#define ROWS_DOMAIN	ROWS(COMMAND_ROW_DOMAIN)
#define ROWS_PARTITION	ROWS(COMMAND_ROW_PARTITION)
#define ROWS_DEVICE	ROWS(COMMAND_ROW_DEVICE)
#define ROWS_CHANNEL	ROWS(COMMAND_ROW_CHANNEL)
#define ROWS_CONTEXT	ROWS(COMMAND_ROW_CONTEXT)
#define ROWS_LEDGER	ROWS(COMMAND_ROW_LEDGER)
#define ROWS_HISTORY	ROWS(COMMAND_ROW_HISTORY)
#define ROWS_COMPARED	ROWS(COMMAND_ROW_COMPARED)
#define ROWS_DIFFERENCE	ROWS(COMMAND_ROW_DIFFERENCE)
#define ROWS_CHANGED	ROWS(COMMAND_ROW_CHANGED)
#define ROW_TYPES	14

struct row_list {
	size_t count, size;	/* rows; bytes of one */
	uint8_t *bytes;		/* behind the number of lists that have them (rows.c) */
};

struct rows {
	struct row_list list[ROW_TYPES];
	bool failed;		/* memory was short: something was not removed */
};

/*
 * Asks uvd for the rows of the types in mask; name: those of this partition (name or UUID text),
 * NULL: all of them. done gets the rows, which are its own from then on (rows_free), or NULL and
 * the error. after is the ledger number to begin behind, limit a limit of ledger rows (0: none).
 */
typedef void rows_done(struct rows *rows, const struct error *e, void *data);
int rows_get(struct uvdlink *link, unsigned int mask, const char *name, uint64_t after,
	     uint32_t limit, rows_done *done, void *data);
void rows_free(struct rows *rows);

/*
 * The same rows again; NULL: out of memory. Devices, channels and contexts are copied when one of
 * both adds or removes some, and may not be written to otherwise.
 */
struct rows *rows_share(const struct rows *rows);

/* Before a list is written to in its place. 0 or -ENOMEM. */
int rows_own(struct row_list *list);

/* What rows said: of this noun ("": any) and key, at this time (0: at all times), as rows_get. */
int rows_get_history(struct uvdlink *link, const char *noun, const char *key, uint64_t at_ns,
		     uint64_t after, uint32_t limit, rows_done *done, void *data);

/* Appends a copy of a row. 0 or -ENOMEM. */
int rows_add(struct rows *rows, const struct command_record *row);

static inline size_t rows_count(const struct rows *rows, enum command_type type)
{
	return rows->list[type - COMMAND_ROW_HOST].count;
}

static inline void *rows_at(const struct rows *rows, enum command_type type, size_t i)
{
	const struct row_list *list = &rows->list[type - COMMAND_ROW_HOST];

	return list->bytes ? list->bytes + i * list->size : NULL;
}

/* Typed loops: for (rows_each(rows, PARTITION, partition, p)) … */
#define rows_each(rows, TYPE, type, p) \
	struct command_row_##type *p = rows_at(rows, COMMAND_ROW_##TYPE, 0); \
	p < (struct command_row_##type *)rows_at(rows, COMMAND_ROW_##TYPE, \
						  rows_count(rows, COMMAND_ROW_##TYPE)); \
	p++

/* By name or by UUID in text; NULL: there is none. */
struct command_row_partition *rows_partition(const struct rows *rows, const char *name);
struct command_row_domain *rows_domain(const struct rows *rows, const char *name);

/* The errors of an answer that did not come (uvdlink_done's code). */
void rows_no_answer(enum exit_code code, struct error *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expect.h"

char *rows(struct host *h)
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

void refused(struct host *h, uint32_t status, const char *words)
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

void accepted(struct host *h)
{
	const struct command_header *r = message_ask(h);

	if (r->status)
		fail_msg("refused at record %u: %s", r->failed, r->text);
	assert_in_line(h);
}

void verb(struct host *h, uint16_t type, const char *name)
{
	message_begin(h, COMMAND_TRANSACT);
	add_verb(h, type, name);
}

const void *row(struct host *h, uint16_t type)
{
	const struct command_record *r = (const void *)(h->reply + 1);
	uint32_t i;

	for (i = 0; i < h->reply->count; i++, r = (const void *)((const char *)r + r->length))
		if (r->type == type)
			return r;
	fail_msg("no row of type %u", type);
	return NULL;
}

uint64_t generation(struct host *h)
{
	return sql(h, "SELECT generation FROM partition WHERE kind = 1");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of transaction numbers, each with one partition of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "internal.h"
#include "query.h"

#define CHANGES	4096u		/* a power of two */
#define TOLD	64		/* more are told as all */

struct changes {
	uint64_t from;		/* everything behind this transaction is there */
	uint64_t n;		/* entries that there ever were */
	struct {
		uint64_t number;
		uint8_t partition[16];
	} entry[CHANGES];
};

int changes_open(struct changes **out, uint64_t number)
{
	struct changes *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->from = number;
	*out = c;
	return 0;
}

void changes_close(struct changes *c)
{
	free(c);
}

static void add(struct changes *c, uint64_t number, const uint8_t partition[16])
{
	unsigned int at = c->n % CHANGES;

	if (c->n++ >= CHANGES)
		c->from = c->entry[at].number;
	c->entry[at].number = number;
	memcpy(c->entry[at].partition, partition, 16);
}

void changes_note(struct changes *c, const struct transaction *t)
{
	const struct command_record *r = message_record(t->request, 0);
	const uint8_t *last = NULL, *p;
	uint8_t uuid[16];
	uint32_t i;

	if (!c)
		return;
	for (i = 0; i < t->request->count; i++) {
		p = query_subject(t->uvd, r, uuid);
		r = (const void *)((const uint8_t *)r + r->length);
		if (!p) {
			/* Of the host or a domain: all that hangs on them. */
			c->from = t->number;
			return;
		}
		if (last && !memcmp(last, p, 16))
			continue;
		add(c, t->number, p);
		last = c->entry[(c->n - 1) % CHANGES].partition;
	}
}

/* Behind what is told: 0 entries and all set, or those of which none is twice. */
static unsigned int collect(const struct changes *c, uint64_t after, const uint8_t *told[TOLD],
			    bool *all)
{
	uint64_t i = c && c->n > CHANGES ? c->n - CHANGES : 0;
	unsigned int n = 0, k;

	*all = !c || after < c->from;
	for (; !*all && i < c->n; i++) {
		if (c->entry[i % CHANGES].number <= after)
			continue;
		for (k = 0; k < n && memcmp(told[k], c->entry[i % CHANGES].partition, 16); k++)
			;
		if (k < n)
			continue;
		if (n == TOLD)
			*all = true;
		else
			told[n++] = c->entry[i % CHANGES].partition;
	}
	return *all ? 0 : n;
}

int changes_rows(struct uvd *uvd, const struct command_query *query, struct reply *reply)
{
	const uint8_t *told[TOLD];
	struct command_row_changed *r;
	unsigned int i, n;
	int64_t last;
	bool all;
	int rc;

	rc = db_value(uvd->db, &last, "SELECT \"transaction\" FROM clock", "");
	if (rc < 0)
		return rc;
	n = collect(uvd->changes, query->after, told, &all);
	/* A book that was put back from a copy has had other transactions of these numbers. */
	all |= query->after > (uint64_t)last;
	r = reply_add(reply, COMMAND_ROW_CHANGED, 0);
	r->transaction = last;
	r->all = all;
	for (i = 0; !all && i < n; i++) {
		r = reply_add(reply, COMMAND_ROW_CHANGED, 0);
		r->transaction = last;
		memcpy(r->partition, told[i], 16);
	}
	return 0;
}

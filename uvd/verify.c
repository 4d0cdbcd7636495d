/* SPDX-License-Identifier: Apache-2.0 */
/* Each question is a walk of its own: nothing is kept between them, and nothing is changed. */
#include <string.h>

#include "difference.h"
#include "verify.h"

struct answer {
	const struct command_query *query;
	struct reply *reply;
	uint64_t number;
	uint32_t room;
	bool more;
};

static void *next_row(struct answer *a)
{
	void *row = NULL;

	if (++a->number <= a->query->after || a->more)
		return NULL;
	if (a->room)
		row = reply_add(a->reply, a->query->row, 0);
	if (!row)
		a->more = true;
	else
		a->room--;
	return row;
}

static int on_difference(struct difference_walk *w, const struct difference *d)
{
	struct command_row_difference *r;
	struct answer *a = w->data;

	if (a->query->row != COMMAND_ROW_DIFFERENCE)
		return 0;
	r = next_row(a);
	if (!r)
		return 0;
	r->number = a->number;
	memcpy(r->what, d->what, sizeof(r->what));
	memcpy(r->where, d->where, sizeof(r->where));
	memcpy(r->missing, d->missing, sizeof(r->missing));
	strncpy(r->fix, difference_fix(d->kind), sizeof(r->fix) - 1);
	return 0;
}

int verify_rows(struct uvd *uvd, const struct command_query *query, uint32_t limit,
		struct reply *reply)
{
	struct answer a = { .query = query, .reply = reply, .room = limit };
	struct difference_walk w = { .uvd = uvd, .each = on_difference, .data = &a };
	struct command_row_compared *r;
	unsigned int i;
	int rc;

	rc = difference_all(&w);
	for (i = 0; rc == 0 && query->row == COMMAND_ROW_COMPARED && i < COMPARED_TYPES; i++) {
		r = next_row(&a);
		if (!r)
			continue;
		r->number = a.number;
		strncpy(r->what, compared_name(i), sizeof(r->what) - 1);
		r->compared = w.compared[i];
		r->differences = w.differences[i];
	}
	return rc < 0 ? rc : a.more;
}

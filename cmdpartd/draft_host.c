/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the host and its domains: the administrators' alone. */
#include <string.h>

#include <common/size.h>
#include <ultravisor/handover.h>

#include "copy.h"
#include "draft.h"

static int only_admin(struct draft *d, const char *what, struct error *e)
{
	if (d->role == ROLE_ADMIN)
		return 0;
	error_set(e, EXIT_DENIED, "%s may not %s", role_name(d->role), what);
	return error_fix(e, "ask root, or a member of the group " GROUP_ADMIN);
}

/* What shows of a domain elsewhere in the rows. */
static void show_processors(struct draft *d, const struct command_row_domain *row)
{
	for (rows_each(d->rows, PROCESSOR, processor, p)) {
		if (cpuset_has((const struct cpuset *)row->cpus, p->cpu)) {
			message_text(p->domain, sizeof(p->domain), row->name);
			p->frame_ns = row->frame_ns;
		} else if (!strcmp(p->domain, row->name)) {
			memset(p->domain, 0, sizeof(p->domain));
		}
	}
}

static void *add_domain(struct draft *d, enum command_type type,
			const struct command_row_domain *row, uint64_t generation)
{
	struct command_domain *r = message_add(&d->message, type, generation);

	message_text(r->name, sizeof(r->name), row->name);
	r->memory = row->memory;
	r->frame_ns = row->frame_ns;
	r->phase_ns = row->phase_ns;
	memcpy(r->cpus, row->cpus, sizeof(r->cpus));
	return r;
}

static int so_already(struct draft *d, const struct command_row_domain *row)
{
	struct command_domain *r = message_add(&d->message, COMMAND_DOMAIN_EXPECT,
					       row->r.generation);

	message_text(r->name, sizeof(r->name), row->name);
	d->expects++;
	return 0;
}

static bool same(const struct command_row_domain *o, const struct policy_domain *d)
{
	return o->memory == d->memory && o->frame_ns == d->frame_ns &&
	       o->phase_ns == d->phase_ns && !memcmp(o->cpus, d->cpus.word, sizeof(o->cpus));
}

static void give(struct command_row_domain *row, const struct policy_domain *d)
{
	row->memory = d->memory;
	row->frame_ns = d->frame_ns;
	row->phase_ns = d->phase_ns;
	memcpy(row->cpus, d->cpus.word, sizeof(row->cpus));
}

static int no_domain(const char *name, struct error *e)
{
	error_set(e, EXIT_NOT_FOUND, "no domain is named %s", name);
	return error_fix(e, "cmdpartctl domain shows those there are");
}

int draft_create_domain(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_domain *o = rows_domain(d->rows, op->name);
	struct command_row_domain row = { .r = { .type = COMMAND_ROW_DOMAIN,
						 .length = sizeof(row) } };

	if (only_admin(d, "change domains", e) < 0)
		return -1;
	if (o && same(o, &op->domain))
		return so_already(d, o);
	if (o) {
		error_set(e, EXIT_CONFLICT, "there is a domain %s already, with other resources",
			  op->name);
		return error_fix(e, "choose another name, or change it: cmdpartctl domain set %s",
				 op->name);
	}
	message_text(row.name, sizeof(row.name), op->name);
	give(&row, &op->domain);
	add_domain(d, COMMAND_DOMAIN_CREATE, &row, 0);
	show_processors(d, &row);
	return rows_add(d->rows, &row.r) < 0 ? error_set(e, EXIT_FAILED, "out of memory") : 0;
}

/* The whole domain as it shall be, from the row and the changes. */
static int changed(const struct command_row_domain *o, const json_t *changes,
		   struct operation *whole, struct error *e)
{
	char cpus[4096], memory[SIZE_TEXT];
	json_t *json;
	int rc;

	cpuset_format((const struct cpuset *)o->cpus, cpus, sizeof(cpus));
	json = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", o->name, "cpus", cpus, "memory",
			 size_format(o->memory, memory), "frame_ms",
			 (json_int_t)(o->frame_ns ? o->frame_ns : POLICY_FRAME_NS) / 1000000,
			 "phase_us", (json_int_t)o->phase_ns / 1000);
	json_object_update(json, (json_t *)changes);
	rc = operation_parse_domain(whole, "", json, e);
	json_decref(json);
	return rc;
}

int draft_modify_domain(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_domain *o = rows_domain(d->rows, op->name);
	struct operation whole = { .kind = OPERATION_MODIFY_DOMAIN };

	if (only_admin(d, "change domains", e) < 0)
		return -1;
	if (!o)
		return no_domain(op->name, e);
	if (changed(o, op->changes, &whole, e) < 0)
		return -1;
	if (same(o, &whole.domain))
		return so_already(d, o);
	give(o, &whole.domain);
	add_domain(d, COMMAND_DOMAIN_MODIFY, o, op->generation ? op->generation :
		   o->r.generation);
	show_processors(d, o);
	return 0;
}

int draft_destroy_domain(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_domain *o = rows_domain(d->rows, op->name);
	struct command_domain *r;

	if (only_admin(d, "change domains", e) < 0)
		return -1;
	if (!o)
		return no_domain(op->name, e);
	r = message_add(&d->message, COMMAND_DOMAIN_DESTROY, op->generation);
	message_text(r->name, sizeof(r->name), op->name);
	for (rows_each(d->rows, PROCESSOR, processor, p))
		if (!strcmp(p->domain, op->name))
			memset(p->domain, 0, sizeof(p->domain));
	copy_remove(d->rows, COMMAND_ROW_DOMAIN,
		   o - (struct command_row_domain *)rows_at(d->rows, COMMAND_ROW_DOMAIN, 0));
	return 0;
}

int draft_host(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_host *h = rows_at(d->rows, COMMAND_ROW_HOST, 0);
	bool stop = op->kind == OPERATION_STOP_HOST;

	if (only_admin(d, "stop or start the host", e) < 0)
		return -1;
	if (!rows_count(d->rows, COMMAND_ROW_HOST) || !h->stopping == !stop)
		return 0;
	message_add(&d->message, stop ? COMMAND_HOST_STOP : COMMAND_HOST_START, op->generation);
	h->stopping = stop;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the host and its domains: the administrators' alone. */
#include <string.h>

#include <ultravisor/handover.h>

#include "copy.h"
#include "operation.h"

static int only_admin(struct draft *d, const char *what, struct error *e)
{
	if (d->role == ROLE_ADMIN)
		return 0;
	error_set(e, EXIT_DENIED, "%s may not %s", role_name(d->role), what);
	return error_fix(e, "ask root, or a member of the group " GROUP_ADMIN);
}

int draft_create_domain(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_domain *o = rows_domain(d->rows, op->name);
	struct command_row_domain row = { .r = { .type = COMMAND_ROW_DOMAIN,
						 .length = sizeof(row) } };
	struct command_domain *r;

	if (only_admin(d, "change domains", e) < 0)
		return -1;
	if (o && o->memory == op->domain.memory && o->frame_ns == op->domain.frame_ns &&
	    o->phase_ns == op->domain.phase_ns &&
	    !memcmp(o->cpus, op->domain.cpus.word, sizeof(o->cpus)))
		return 0;
	if (o) {
		error_set(e, EXIT_CONFLICT, "there is a domain %s already, with other resources",
			  op->name);
		return error_fix(e, "choose another name, or destroy it first: cmdpartctl domain "
				 "destroy %s", op->name);
	}
	r = message_add(&d->message, COMMAND_DOMAIN_CREATE, 0);
	message_text(r->name, sizeof(r->name), op->name);
	r->memory = row.memory = op->domain.memory;
	r->frame_ns = row.frame_ns = op->domain.frame_ns;
	r->phase_ns = row.phase_ns = op->domain.phase_ns;
	memcpy(r->cpus, op->domain.cpus.word, sizeof(r->cpus));
	message_text(row.name, sizeof(row.name), op->name);
	memcpy(row.cpus, op->domain.cpus.word, sizeof(row.cpus));
	for (rows_each(d->rows, PROCESSOR, processor, p))
		if (cpuset_has(&op->domain.cpus, p->cpu)) {
			message_text(p->domain, sizeof(p->domain), op->name);
			p->frame_ns = row.frame_ns;
		}
	return rows_add(d->rows, &row.r) < 0 ? error_set(e, EXIT_FAILED, "out of memory") : 0;
}

int draft_destroy_domain(struct draft *d, const struct operation *op, struct error *e)
{
	struct command_row_domain *o = rows_domain(d->rows, op->name);
	struct command_domain *r;

	if (only_admin(d, "change domains", e) < 0)
		return -1;
	if (!o) {
		error_set(e, EXIT_NOT_FOUND, "no domain is named %s", op->name);
		return error_fix(e, "cmdpartctl domain shows those there are");
	}
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

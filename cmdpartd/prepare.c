/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy says of the host itself, made so whenever uvd appears: the pool that partitions
 * may use, and the domains. Without domains in policy and book, the whole pool becomes the domain
 * "default". What uvd refuses (a pool smaller than what runs) is logged, and the book stands.
 */
#include <string.h>

#include <common/log.h>
#include <common/uuid.h>

#include "message.h"
#include "rows.h"
#include "service.h"

static void done(enum exit_code code, const struct command_header *reply, void *data)
{
	struct service *service = data;
	struct error e = ERROR_NONE;

	if (code != EXIT_OK)
		rows_no_answer(code, &e);
	if (code != EXIT_OK || reply_error(reply, &e) < 0)
		log_error("the policy's pool and domains are not in force: %s%s%s", e.message,
			  e.fix[0] ? "; " : "", e.fix);
	else
		log_notice("the policy's pool and domains are in force, transaction %llu",
			   (unsigned long long)reply->transaction);
	error_clear(&e);
	service->prepared(service->prepared_data);
}

static void add_pool(struct message *m, const struct policy *p, const struct command_row_host *h)
{
	struct command_host_pool *r;

	if (!p->has_host || (h->memory_pool == p->host_memory && !h->pool_is_default &&
			     !memcmp(h->cpus, p->host_cpus.word, sizeof(h->cpus))))
		return;
	r = message_add(m, COMMAND_HOST_POOL, h->r.generation);
	r->memory = p->host_memory;
	memcpy(r->cpus, p->host_cpus.word, sizeof(r->cpus));
}

static void add_domain(struct message *m, enum command_type type, const char *name,
		       const uint64_t *cpus, uint64_t memory)
{
	struct command_domain *r = message_add(m, type, 0);

	strcpy(r->name, name);
	r->memory = memory;
	if (cpus)
		memcpy(r->cpus, cpus, sizeof(r->cpus));
}

/* Domains of the policy that the book has otherwise are made anew: uvd refuses unless empty. */
static void add_domains(struct message *m, const struct policy *p, const struct rows *rows)
{
	for (unsigned int i = 0; i < p->domains; i++) {
		const struct policy_domain *d = &p->domain[i];
		const struct command_row_domain *o = rows_domain(rows, d->name);

		if (o && (o->memory != d->memory ||
			  memcmp(o->cpus, d->cpus.word, sizeof(o->cpus))))
			add_domain(m, COMMAND_DOMAIN_DESTROY, d->name, NULL, 0);
	}
	for (unsigned int i = 0; i < p->domains; i++) {
		const struct policy_domain *d = &p->domain[i];
		const struct command_row_domain *o = rows_domain(rows, d->name);

		if (!o || o->memory != d->memory ||
		    memcmp(o->cpus, d->cpus.word, sizeof(o->cpus)))
			add_domain(m, COMMAND_DOMAIN_CREATE, d->name, d->cpus.word, d->memory);
	}
}

/* The pool as it will be: memory in whole blocks of 2 MiB. */
static void add_default(struct message *m, const struct policy *p, const struct command_row_host *h)
{
	uint64_t memory = p->has_host ? p->host_memory : h->memory_pool;

	add_domain(m, COMMAND_DOMAIN_CREATE, "default", p->has_host ? p->host_cpus.word : h->cpus,
		   memory - memory % DEFINITION_MEMORY_STEP);
}

static void rows_ready(struct rows *rows, const struct error *e, void *data)
{
	const struct command_row_host *h;
	struct service *service = data;
	uint8_t id[UUID_LEN];
	struct message m;

	if (!rows) {
		log_warning("uvd's rows cannot be read: %s", e->message);
		return;
	}
	h = rows_at(rows, COMMAND_ROW_HOST, 0);
	uuid_random(id);
	message_begin(&m, COMMAND_TRANSACT, id, NULL);
	if (rows_count(rows, COMMAND_ROW_HOST) && !m.failed) {
		strcpy(message_header(&m)->text, "policy");
		add_pool(&m, service->policy, h);
		add_domains(&m, service->policy, rows);
		if (!service->policy->has_domains && !rows_count(rows, COMMAND_ROW_DOMAIN))
			add_default(&m, service->policy, h);
	}
	rows_free(rows);
	if (message_count(&m)) {
		if (uvdlink_send(service->link, &m, done, service) < 0)
			log_error("out of memory");
		return;
	}
	message_free(&m);
	service->prepared(service->prepared_data);
}

void service_prepare(struct service *service)
{
	if (rows_get(service->link, ROWS_HOST | ROWS_DOMAIN, NULL, 0, 0, rows_ready, service) < 0)
		log_error("out of memory");
}

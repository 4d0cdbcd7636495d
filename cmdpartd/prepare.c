/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy says of the host itself, made so whenever uvd appears: the pool that partitions
 * may use, and the domains. Without domains in policy and book, the whole pool becomes the domain
 * "default". What uvd refuses (a pool smaller than what runs) is logged, and the book stands.
 */
#include <stdio.h>
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
	service->not_in_force[0] = '\0';
	if (code != EXIT_OK || reply_error(reply, &e) < 0) {
		log_error("the policy's pool and domains are not in force: %s%s%s", e.message,
			  e.fix[0] ? "; " : "", e.fix);
		snprintf(service->not_in_force, sizeof(service->not_in_force),
			 "pool and domains: %s", e.message);
	} else {
		log_notice("the policy's pool and domains are in force, transaction %llu",
			   (unsigned long long)reply->transaction);
	}
	error_clear(&e);
	service->prepared(service->prepared_data);
}

static bool pool_differs(const struct policy *p, const struct command_row_host *h)
{
	return p->has_host && (h->memory_pool != p->host_memory || h->pool_is_default ||
			       memcmp(h->cpus, p->host_cpus.word, sizeof(h->cpus)));
}

static bool domain_differs(const struct command_row_domain *o, const struct policy_domain *d)
{
	return o->memory != d->memory || o->frame_ns != d->frame_ns ||
	       o->phase_ns != d->phase_ns || memcmp(o->cpus, d->cpus.word, sizeof(o->cpus));
}

static void add_domain(struct message *m, enum command_type type, const struct policy_domain *d)
{
	struct command_domain *r = message_add(m, type, 0);

	message_text(r->name, sizeof(r->name), d->name);
	if (type == COMMAND_DOMAIN_DESTROY)
		return;
	r->memory = d->memory;
	r->frame_ns = d->frame_ns;
	r->phase_ns = d->phase_ns;
	memcpy(r->cpus, d->cpus.word, sizeof(r->cpus));
}

/* The one domain that is made unasked: the whole pool, in blocks of 2 MiB. */
static void whole_pool(struct policy_domain *d, const struct policy *p,
		       const struct command_row_host *h)
{
	uint64_t memory = p->has_host ? p->host_memory : h->memory_pool;

	memset(d, 0, sizeof(*d));
	strcpy(d->name, "default");
	d->frame_ns = POLICY_FRAME_NS;
	d->memory = memory - memory % DEFINITION_MEMORY_STEP;
	memcpy(d->cpus.word, p->has_host ? p->host_cpus.word : h->cpus, sizeof(d->cpus.word));
}

/*
 * Domains that shall be otherwise than they are go first, then the pool changes, then they are
 * made anew; uvd refuses the whole if one of them is not empty.
 */
static void add_changes(struct message *m, const struct policy *p, const struct rows *rows)
{
	const struct command_row_host *h = rows_at(rows, COMMAND_ROW_HOST, 0);
	size_t there = rows_count(rows, COMMAND_ROW_DOMAIN);
	const struct policy_domain *wanted = p->domain;
	struct command_host_pool *pool;
	struct policy_domain whole;
	unsigned int n = p->domains;

	/* Without domains in the policy, those made by hand stay; "default" follows the pool. */
	if (!p->has_domains) {
		whole_pool(&whole, p, h);
		wanted = &whole;
		n = !there || (there == 1 && pool_differs(p, h) && rows_domain(rows, "default"));
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct command_row_domain *o = rows_domain(rows, wanted[i].name);

		if (o && domain_differs(o, &wanted[i]))
			add_domain(m, COMMAND_DOMAIN_DESTROY, &wanted[i]);
	}
	if (pool_differs(p, h)) {
		pool = message_add(m, COMMAND_HOST_POOL, h->r.generation);
		pool->memory = p->host_memory;
		memcpy(pool->cpus, p->host_cpus.word, sizeof(pool->cpus));
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct command_row_domain *o = rows_domain(rows, wanted[i].name);

		if (!o || domain_differs(o, &wanted[i]))
			add_domain(m, COMMAND_DOMAIN_CREATE, &wanted[i]);
	}
}

static void rows_ready(struct rows *rows, const struct error *e, void *data)
{
	struct service *service = data;
	uint8_t id[UUID_LEN];
	struct message m;

	if (!rows) {
		log_warning("uvd's rows cannot be read: %s", e->message);
		snprintf(service->not_in_force, sizeof(service->not_in_force),
			 "pool and domains: %s", e->message);
		service_reloaded(service);
		return;
	}
	uuid_random(id);
	message_begin(&m, COMMAND_TRANSACT, id, NULL);
	if (rows_count(rows, COMMAND_ROW_HOST) && !m.failed) {
		strcpy(message_header(&m)->text, "policy");
		add_changes(&m, service->policy, rows);
	}
	rows_free(rows);
	if (message_count(&m)) {
		if (uvdlink_send(service->link, &m, done, service) < 0) {
			log_error("out of memory");
			service_reloaded(service);
		}
		return;
	}
	message_free(&m);
	service->not_in_force[0] = '\0';
	service->prepared(service->prepared_data);
}

void service_prepare(struct service *service)
{
	if (rows_get(service->link, ROWS_HOST | ROWS_DOMAIN, NULL, 0, 0, rows_ready, service) < 0) {
		log_error("out of memory");
		service_reloaded(service);
	}
}

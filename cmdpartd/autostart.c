/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One transaction a partition. Its request id follows from the module's instance and the name: when
 * cmdpartd dies before it has recorded that all is done, uvd knows those that it has done already.
 */
#include <stdio.h>
#include <string.h>

#include <common/json_file.h>
#include <common/log.h>
#include <common/reader.h>
#include <common/uuid.h>

#include "autostart.h"
#include "service.h"

#define MAX_BYTES	4096
#define ATTEMPTS	3	/* the rows may have changed on the way */

int autostart_open(struct autostart *a, const char *directory, struct error *e)
{
	static const char *const keys[] = { "instance", NULL };
	const struct reader r = { a->path, NULL, e };
	json_t *json;
	int rc;

	snprintf(a->path, sizeof(a->path), "%s/autostart.json", directory);
	json = json_file_load(a->path, MAX_BYTES, e);
	if (!json && e->code == EXIT_NOT_FOUND) {
		error_clear(e);
		return 0;
	}
	if (!json)
		return -1;
	rc = reader_object(&r, "", json, keys);
	if (!rc)
		rc = reader_uuid(&r, "", json, "instance", true, a->done);
	json_decref(json);
	return rc < 0 ? -1 : 0;
}

static void get_rows(struct service *service);

static void end(struct autostart *a)
{
	struct error e = ERROR_NONE;
	char id[UUID_TEXT];
	json_t *json;

	a->running = false;
	json = json_pack("{s:s}", "instance", uuid_format(a->instance, id));
	if (json_file_save(a->path, json, &e) < 0)
		log_error("%s: %s", e.where, e.message);
	else
		memcpy(a->done, a->instance, UUID_LEN);
	error_clear(&e);
	json_decref(json);
}

static void go_on(struct service *service)
{
	struct autostart *a = &service->autostart;

	a->next++;
	a->attempt = 0;
	get_rows(service);
}

static void refused(struct service *service, struct error *e)
{
	log_partition(service->policy->autostart[service->autostart.next]);
	log_warning("autostart: %s is not started: %s%s%s",
		    service->policy->autostart[service->autostart.next], e->message,
		    e->fix[0] ? "; " : "", e->fix);
	log_partition(NULL);
	error_clear(e);
	go_on(service);
}

static void done(enum exit_code code, const struct command_header *reply, void *data)
{
	struct service *service = data;
	struct autostart *a = &service->autostart;
	struct error e = ERROR_NONE;

	draft_end(&a->draft);
	/* When uvd is back this begins again, with the same request ids. */
	if (code != EXIT_OK) {
		a->running = false;
		return;
	}
	/* A reload may have made the list shorter. */
	if (a->next >= service->policy->autostarts) {
		end(a);
	} else if (!reply_error(reply, &e)) {
		log_partition(service->policy->autostart[a->next]);
		log_transaction(reply->transaction);
		log_notice("autostart: %s is started, transaction %llu",
			   service->policy->autostart[a->next],
			   (unsigned long long)reply->transaction);
		log_transaction(0);
		log_partition(NULL);
		go_on(service);
	} else if ((e.code == EXIT_CONFLICT || e.code == EXIT_RESOURCES) &&
		   ++a->attempt < ATTEMPTS) {
		error_clear(&e);
		get_rows(service);
	} else {
		refused(service, &e);
	}
}

static void start(struct service *service, struct rows *rows, const char *name)
{
	static const struct author author = { .who = "cmdpartd", .reason = "autostart" };
	struct autostart *a = &service->autostart;
	struct operation op = { .kind = OPERATION_START };
	char label[COMMAND_NAME_LEN + 32];
	const struct command_row_partition *p = rows_partition(rows, name);
	struct error e = ERROR_NONE;
	uint8_t id[UUID_LEN];
	int rc;

	/* While this host was down it may have been started on another one. */
	if (p && p->lease_ns) {
		error_set(&e, EXIT_DENIED, "it has a lease: who renews it knows where it runs");
		refused(service, &e);
		return;
	}
	strcpy(op.name, name);
	snprintf(label, sizeof(label), "autostart %s %u", name, a->attempt);
	derive_uuid(id, a->instance, label);
	draft_begin(&a->draft, COMMAND_TRANSACT, id, &author, service->policy, ROLE_ADMIN, rows);
	rc = draft_add(&a->draft, &op, &e);
	if (rc < 0 || !draft_changes(&a->draft)) {
		draft_end(&a->draft);
		if (rc < 0)
			refused(service, &e);
		else
			go_on(service);
		return;
	}
	if (uvdlink_send(service->link, &a->draft.message, done, service) < 0) {
		log_error("autostart: out of memory");
		draft_end(&a->draft);
		a->running = false;
	}
}

static void rows_ready(struct rows *rows, const struct error *e, void *data)
{
	struct service *service = data;
	struct autostart *a = &service->autostart;
	const struct command_row_host *h;

	if (!rows) {
		log_warning("autostart: %s", e->message);
		a->running = false;
		return;
	}
	h = rows_count(rows, COMMAND_ROW_HOST) ? rows_at(rows, COMMAND_ROW_HOST, 0) : NULL;
	if (!h || uuid_is_zero(h->instance) || !memcmp(h->instance, a->done, UUID_LEN)) {
		a->running = false;
	} else {
		memcpy(a->instance, h->instance, UUID_LEN);
		if (a->next < service->policy->autostarts)
			start(service, rows, service->policy->autostart[a->next]);
		else
			end(a);
	}
	rows_free(rows);
}

static void get_rows(struct service *service)
{
	if (rows_get(service->link, PLACEMENT_ROWS, NULL, 0, 0, rows_ready, service) < 0) {
		log_error("autostart: out of memory");
		service->autostart.running = false;
	}
}

void autostart_run(struct service *service)
{
	struct autostart *a = &service->autostart;

	if (a->running)
		return;
	a->running = true;
	a->next = a->attempt = 0;
	get_rows(service);
}

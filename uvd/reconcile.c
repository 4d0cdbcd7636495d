/* SPDX-License-Identifier: Apache-2.0 */
/* What differs from the rows is made so, or reaped; what has ended is recorded. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/crash.h>
#include <common/log.h>
#include <common/uuid.h>
#include <ultravisor/handover.h>
#include <ultravisor/monitor.h>

#include "batch.h"
#include "difference.h"
#include "hold.h"
#include "internal.h"
#include "operation.h"
#include "process.h"
#include "reconcile.h"
#include "scope.h"
#include "tap.h"
#include "zone.h"

static void fill_end(struct internal_partition_end *c, const struct supervisor_adopted *r,
		     const char *reason)
{
	memset(c, 0, sizeof(*c));
	c->r.type = INTERNAL_PARTITION_END;
	c->r.length = sizeof(*c);
	memcpy(c->partition, r->partition, 16);
	c->state = PARTITION_FAILED;
	strncpy(c->reason, reason, sizeof(c->reason) - 1);
}

/* The host has restarted, or the module was loaded anew: nothing runs, and ids mean nothing. */
static int new_instance(struct uvd *uvd)
{
	struct runnings list = { 0 };
	struct internal_host last = {
		.r = { .type = INTERNAL_HOST_INSTANCE, .length = sizeof(last) },
	};
	struct internal_partition_end c;
	size_t i;
	int rc;

	rc = runnings_load(uvd, &list);
	for (i = 0; rc == 0 && i < list.n; i++) {
		fill_end(&c, &list.r[i], "the host restarted while it ran");
		log_notice("partition %s: %s", list.r[i].name, c.reason);
		rc = transaction_own(uvd, c.reason, &c, sizeof(c), 1);
	}
	free(list.r);
	if (rc < 0)
		return rc;
	memcpy(last.instance, uvd->instance, 16);
	return transaction_own(uvd, "the module was loaded anew", &last, sizeof(last), 1);
}

/* What is wrong with one thing keeps nobody else from being served. */
static int try(int rc, const char *what, const char *done)
{
	if (rc < 0)
		log_errno(LOG_ERR, rc, "%s is not %s", what, done);
	else
		log_notice("%s: %s", what, done);
	return 0;
}

static int act(struct difference_walk *w, const struct difference *d)
{
	const struct passwd *user;
	struct uvd *uvd = w->uvd;
	int rc;

	CRASH_POINT("reconciling");
	switch (d->kind) {
	case OBJECT_STRAY:
		log_notice("%s has no row: destroyed", d->what);
		rc = kernel_object_destroy(uvd->kernel, d->object);
		return rc == -ENOENT ? 0 : rc;
	case OBJECT_UNPUBLISHED:
		log_notice("%s was committed: published", d->what);
		rc = kernel_object_publish(uvd->kernel, d->object);
		return rc == -ENOENT ? 0 : rc;
	case PARTITION_RUN:
		rc = d->state == PARTITION_PAUSED ? kernel_partition_stop(uvd->kernel, d->control) :
		     kernel_partition_resume(uvd->kernel, d->control);
		return try(rc, d->what, "as its row says");
	case CONTEXT_DIFFERS:
		return try(kernel_context_set(uvd->kernel, d->control, d->context), d->what,
			   "as its row says");
	case PROCESSOR_DIFFERS:
		return try(kernel_processor_set(uvd->kernel, d->processor->cpu, d->processor->given,
						d->processor->frame_ns, d->processor->phase_ns),
			   d->what, "as its domain says");
	case SERVER_DIFFERS:
		return kernel_server_set(uvd->kernel, d->control, d->slot, d->server);
	case PROCESS_STRAY:
		user = getpwnam(USER_MONITOR);
		return user ? try(process_kill(d->pid, user->pw_uid), d->what, "killed") : 0;
	case SCOPE_STRAY:
		return try(scope_reap(d->name), d->what, "removed");
	case TAP_STRAY:
		return try(uvd->network->ops->tap_delete(uvd->network, d->name), d->what,
			   "removed");
	case BRIDGE_STRAY:
		return uvd->network->ops->bridge_delete(uvd->network, NETWORK_OWN_BRIDGE);
	case PARTITION_MEMORY:
	case PROCESS_UNSCOPED:
	case TAP_LOST:
	case BRIDGE_LOST:
	case FORWARD_DROPPED:
	case TAP_MANAGED:
	case IMAGE_DIFFERS:
		log_warning("%s: %s, not %s; %s", d->what, d->where, d->missing,
			    difference_fix(d->kind));
		return 0;
	case PARTITION_LOST:
	case CHANNEL_LOST:
	case PROCESS_LOST:
	case DEVICE_UNHELD:
	case TAP_UNGUARDED:
	case ZONES_DIFFER:
		/* Found again where it is adopted, and its end recorded; made anew; held. */
		return 0;
	}
	return 0;
}

static int make_command_channel(struct uvd *uvd)
{
	struct internal_host c = {
		.r = { .type = INTERNAL_COMMAND_CHANNEL, .length = sizeof(c) },
	};
	int64_t id;
	int fd, rc;

	rc = db_value(uvd->db, &id, "SELECT module_id FROM channel WHERE type = 1", "");
	if (rc == 0) {
		fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);
		if (fd >= 0) {
			close(fd);
			return 0;
		}
	} else if (rc != -ENOENT) {
		return rc;
	}
	return transaction_own(uvd, "there is none", &c, sizeof(c), 1);
}

int reconcile_kernel(struct uvd *uvd)
{
	struct difference_walk w = { .uvd = uvd, .each = act };
	uint8_t before[16] = { 0 };
	sqlite3_stmt *q;
	int rc;

	q = db_query(uvd->db, "SELECT instance FROM host", "");
	rc = db_next(uvd->db, q);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	db_uuid(q, 0, before);
	db_done(q);
	rc = memcmp(before, uvd->instance, 16) ? new_instance(uvd) : 0;
	if (rc == 0)
		rc = difference_objects(&w);
	if (rc == 0)
		rc = difference_processors(&w);
	if (rc == 0)
		rc = difference_channels(&w);
	if (rc == 0)
		rc = difference_network(&w);
	/* Every one: what this process did not make it cannot tell from what others changed. */
	if (rc == 0 && (rc = taps_guard(uvd)) >= 0) {
		/* Told if it fails: what runs is not given up for it. */
		zones_guard(uvd);
		rc = 0;
	}
	if (rc == 0)
		hold_sync(uvd);
	CRASH_POINT("in-line");
	if (rc == 0)
		rc = make_command_channel(uvd);
	CRASH_POINT("reconciled");
	return rc;
}

/* Has the guest of a partition ever executed, or tried to? The monitor channel tells. */
static bool never_ran(struct uvd *uvd, const struct supervisor_adopted *r)
{
	struct ultravisor_partition_info info;
	int fd, rc;

	if (r->state != PARTITION_STARTING)
		return false;
	if (process_alive(r->pid, r->start))
		return false;
	fd = kernel_object_open(uvd->kernel, r->id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return true;
	rc = kernel_partition_info(uvd->kernel, fd, &info);
	close(fd);
	return rc == 0 && !info.out_monitor && !info.out_run_ns;
}

/*
 * Committed, but its process never went on: the memory that it was to be given went with the
 * instance before. New objects are made from the rows, behind the destruction of the first ones:
 * they hold the dedicated processors.
 */
static int start_again(struct uvd *uvd, struct supervisor_adopted *r)
{
	struct internal_partition c = {
		.r = { .type = INTERNAL_PARTITION_AGAIN, .length = sizeof(c) },
	};
	struct internal_partition_end end;
	uint64_t id[64];
	unsigned int n = 0;
	sqlite3_stmt *q;
	int rc;

	q = db_query(uvd->db, "SELECT module_id FROM channel WHERE partition = ?"
		     " AND module_id IS NOT NULL LIMIT 64", "u", r->partition);
	while (db_next(uvd->db, q) > 0 && n < 64)
		id[n++] = db_int(q, 0);
	db_done(q);
	while (n)
		kernel_object_destroy(uvd->kernel, id[--n]);
	kernel_object_destroy(uvd->kernel, r->id);
	memcpy(c.partition, r->partition, 16);
	rc = transaction_own(uvd, "uvd ended before it was started", &c, sizeof(c), 1);
	if (rc != -ECANCELED)
		return rc;
	fill_end(&end, r, "it could not be started after uvd's restart");
	return transaction_own(uvd, end.reason, &end, sizeof(end), 1);
}

static int adopt(struct uvd *uvd, struct supervisor *s, struct supervisor_adopted *r)
{
	struct difference_walk w = { .uvd = uvd, .each = act };
	struct ultravisor_partition_info info;
	struct internal_partition_end c;
	int fd, rc;

	if (never_ran(uvd, r))
		return start_again(uvd, r);
	fd = kernel_object_open(uvd->kernel, r->id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0) {
		fill_end(&c, r, "its kernel object is gone");
		return transaction_own(uvd, c.reason, &c, sizeof(c), 1);
	}
	rc = kernel_partition_info(uvd->kernel, fd, &info);
	/* A change may have been prepared and not committed, or committed and not published. */
	if (rc == 0)
		rc = difference_partition(&w, r, fd, &info);
	close(fd);
	if (rc == 0)
		rc = supervisor_adopt(s, r);
	if (rc == 0 && r->state == PARTITION_STOPPING)
		supervisor_stop(s, r->partition);
	return rc;
}

int reconcile_partitions(struct uvd *uvd, struct supervisor *s)
{
	struct difference_walk w = { .uvd = uvd, .each = act };
	struct runnings list = { 0 };
	size_t i;
	int rc;

	rc = runnings_load(uvd, &list);
	/* Before anything is started anew under the name of what is left over. */
	if (rc == 0)
		rc = difference_processes(&w, &list);
	for (i = 0; rc == 0 && i < list.n; i++) {
		log_partition(list.r[i].name);
		rc = adopt(uvd, s, &list.r[i]);
	}
	log_partition(NULL);
	free(list.r);
	return rc;
}

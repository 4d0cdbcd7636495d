/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows are the truth. An object of the kernel belongs to a row or to nobody: rows and ledger
 * were committed together, so an object that no row names was prepared by a transaction that
 * never happened, or is what one that did happen has ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <ultravisor/monitor.h>

#include "hold.h"
#include "internal.h"
#include "operation.h"
#include "process.h"
#include "reconcile.h"
#include "transaction.h"

#define OBJECTS_MAX 1000000	/* of the module; a bound for the loop */
#define TAPS_MAX 65536

struct running {
	struct supervisor_adopted a;
	uint64_t id;			/* 0: the rows say that it has none */
};

struct runnings {
	struct running *r;
	size_t n;
};

/* Every partition that is on. */
static int load_running(struct uvd *uvd, struct runnings *list)
{
	sqlite3_stmt *q;
	int64_t n = 0;
	int rc;

	list->n = 0;
	rc = db_value(uvd->db, &n, "SELECT count(*) FROM partition WHERE state BETWEEN 2 AND 5"
		      " AND kind = 1", "");
	if (rc < 0)
		return rc;
	list->r = calloc(n ? n : 1, sizeof(*list->r));
	if (!list->r)
		return -ENOMEM;
	q = db_query(uvd->db, "SELECT p.uuid, p.name, p.module_id, c.module_id, p.pid, p.pid_start,"
		     " p.state, p.reboots FROM partition p"
		     " LEFT JOIN channel c ON c.partition = p.uuid AND c.type = 2"
		     " WHERE p.state BETWEEN 2 AND 5 AND p.kind = 1", "");
	while (list->n < (size_t)n && (rc = db_next(uvd->db, q)) > 0) {
		struct running *r = &list->r[list->n++];

		db_uuid(q, 0, r->a.partition);
		db_text(q, 1, r->a.name, sizeof(r->a.name));
		r->id = r->a.id = db_int(q, 2);
		r->a.monitor = db_int(q, 3);
		r->a.pid = db_int(q, 4);
		r->a.start = db_int(q, 5);
		r->a.state = db_int(q, 6);
		r->a.reboots = db_int(q, 7);
	}
	db_done(q);
	return rc < 0 ? rc : 0;
}

static void fill_end(struct internal_partition_end *c, const struct running *r, const char *reason)
{
	memset(c, 0, sizeof(*c));
	c->r.type = INTERNAL_PARTITION_END;
	c->r.length = sizeof(*c);
	memcpy(c->partition, r->a.partition, 16);
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

	rc = load_running(uvd, &list);
	for (i = 0; rc == 0 && i < list.n; i++) {
		fill_end(&c, &list.r[i], "the host restarted while it ran");
		log_notice("partition %s: %s", list.r[i].a.name, c.reason);
		rc = transaction_own(uvd, c.reason, &c, sizeof(c), 1);
	}
	free(list.r);
	if (rc < 0)
		return rc;
	memcpy(last.instance, uvd->instance, 16);
	return transaction_own(uvd, "the module was loaded anew", &last, sizeof(last), 1);
}

static bool has_row(struct uvd *uvd, uint64_t id)
{
	int64_t one;

	return db_value(uvd->db, &one, "SELECT 1 FROM partition WHERE module_id = ?1 UNION"
			" SELECT 1 FROM channel WHERE module_id = ?1", "i", (int64_t)id) == 0;
}

static int settle_objects(struct uvd *uvd)
{
	struct ultravisor_object_next next = { 0 };
	unsigned int n;
	int rc;

	for (n = 0; n < OBJECTS_MAX; n++) {
		rc = kernel_object_next(uvd->kernel, &next);
		if (rc == -ENOENT)
			return 0;
		if (rc < 0)
			return rc;
		next.id = next.out_id;
		if (!has_row(uvd, next.out_id)) {
			log_notice("object %llu of transaction %llu has no row: destroyed",
				   (unsigned long long)next.out_id,
				   (unsigned long long)next.out_transaction);
			rc = kernel_object_destroy(uvd->kernel, next.out_id);
		} else if (!next.out_published) {
			log_notice("object %llu of transaction %llu was committed: published",
				   (unsigned long long)next.out_id,
				   (unsigned long long)next.out_transaction);
			rc = kernel_object_publish(uvd->kernel, next.out_id);
		}
		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return -E2BIG;
}

/* Servers of running channels: a connect may have been committed and not published. */
static int settle_servers(struct uvd *uvd)
{
	uint8_t (*uuid)[16] = NULL;
	uint64_t *id = NULL;
	sqlite3_stmt *q;
	int64_t count = 0;
	size_t n = 0, i;
	int fd, rc;

	rc = db_value(uvd->db, &count, "SELECT count(*) FROM channel WHERE module_id IS NOT NULL",
		      "");
	if (rc < 0)
		return rc;
	uuid = calloc(count + 1, sizeof(*uuid));
	id = calloc(count + 1, sizeof(*id));
	if (!uuid || !id)
		rc = -ENOMEM;
	q = rc < 0 ? NULL : db_query(uvd->db, "SELECT uuid, module_id FROM channel"
				     " WHERE module_id IS NOT NULL", "");
	while (q && n < (size_t)count && db_next(uvd->db, q) > 0) {
		db_uuid(q, 0, uuid[n]);
		id[n++] = db_int(q, 1);
	}
	db_done(q);
	for (i = 0; rc == 0 && i < n; i++) {
		fd = kernel_object_open(uvd->kernel, id[i], ULTRAVISOR_ROLE_CONTROL, 0);
		if (fd < 0)
			continue;	/* its partition is lost: found below */
		rc = channel_set_servers(uvd, fd, uuid[i]);
		close(fd);
	}
	free(uuid);
	free(id);
	return rc;
}

static int settle_network(struct uvd *uvd)
{
	struct network *net = uvd->network;
	char name[NETWORK_NAME] = "", after[NETWORK_NAME] = "";
	unsigned int n;
	int64_t one;
	int rc = 0;

	for (n = 0; n < TAPS_MAX; n++) {
		rc = net->ops->next(net, NETWORK_TAP_PREFIX, after, name);
		if (rc <= 0)
			break;
		memcpy(after, name, sizeof(after));
		if (db_value(uvd->db, &one, "SELECT 1 FROM claim WHERE tap = ?", "t", name) !=
		    -ENOENT)
			continue;
		log_notice("%s has no row: removed", name);
		net->ops->tap_delete(net, name);
	}
	if (rc < 0)
		return rc;
	/* Without a tap of ours: its end was committed, or its making was not. */
	rc = db_value(uvd->db, &one, "SELECT 1 FROM claim k JOIN device d"
		      " ON d.partition = k.partition AND d.name = k.name WHERE d.bridge = ?", "t",
		      NETWORK_OWN_BRIDGE);
	return rc == -ENOENT ? net->ops->bridge_delete(net, NETWORK_OWN_BRIDGE) : rc;
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
		rc = settle_objects(uvd);
	if (rc == 0 && processors_sync(uvd, true) < 0)
		log_error("processors are not what their domains say");
	if (rc == 0)
		rc = settle_servers(uvd);
	if (rc == 0)
		rc = settle_network(uvd);
	if (rc == 0)
		hold_sync(uvd);
	if (rc == 0)
		rc = make_command_channel(uvd);
	return rc;
}

/* Has the guest of a partition ever executed, or tried to? The monitor channel tells. */
static bool never_ran(struct uvd *uvd, const struct running *r)
{
	struct ultravisor_partition_info info;
	int fd, rc;

	if (r->a.state != PARTITION_STARTING)
		return false;
	if (process_alive(r->a.pid, r->a.start))
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
static int start_again(struct uvd *uvd, struct running *r)
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
		     " AND module_id IS NOT NULL LIMIT 64", "u", r->a.partition);
	while (db_next(uvd->db, q) > 0 && n < 64)
		id[n++] = db_int(q, 0);
	db_done(q);
	while (n)
		kernel_object_destroy(uvd->kernel, id[--n]);
	kernel_object_destroy(uvd->kernel, r->id);
	memcpy(c.partition, r->a.partition, 16);
	rc = transaction_own(uvd, "uvd ended before it was started", &c, sizeof(c), 1);
	if (rc != -ECANCELED)
		return rc;
	fill_end(&end, r, "it could not be started after uvd's restart");
	return transaction_own(uvd, end.reason, &end, sizeof(end), 1);
}

/* What publishing a pause, a resume or a stop would have done. */
static void repeat_publish(struct uvd *uvd, const struct running *r, int fd,
			   const struct ultravisor_partition_info *info)
{
	if (r->a.state == PARTITION_PAUSED && info->out_state == ULTRAVISOR_PARTITION_RUNNING)
		kernel_partition_stop(uvd->kernel, fd);
	if (r->a.state == PARTITION_RUNNING && info->out_state == ULTRAVISOR_PARTITION_STOPPED)
		kernel_partition_resume(uvd->kernel, fd);
}

static int adopt(struct uvd *uvd, struct supervisor *s, struct running *r)
{
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
	if (rc == 0 && !r->a.pid && info.out_monitor) {
		/* Its record was lost: the module knows who made the VM. */
		r->a.pid = info.out_monitor;
		r->a.start = process_start_time(r->a.pid);
	}
	if (rc == 0)
		repeat_publish(uvd, r, fd, &info);
	/* A change may have been prepared and not committed, or the other way round. */
	if (rc == 0 && processors_settle(uvd, r->a.partition, fd) < 0)
		log_error("contexts of %s are not what their rows say", r->a.name);
	close(fd);
	if (rc == 0)
		rc = supervisor_adopt(s, &r->a);
	if (rc == 0 && r->a.state == PARTITION_STOPPING)
		supervisor_stop(s, r->a.partition);
	return rc;
}

int reconcile_partitions(struct uvd *uvd, struct supervisor *s)
{
	struct runnings list = { 0 };
	size_t i;
	int rc;

	rc = load_running(uvd, &list);
	for (i = 0; rc == 0 && i < list.n; i++)
		rc = adopt(uvd, s, &list.r[i]);
	free(list.r);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease's epoch is the number of the transaction that started the run: a renewal that was
 * meant for another run of the partition is stale in the module.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>

#include "lease.h"
#include "news.h"
#include "operation.h"
#include "query.h"

/* Deadlines count the host's suspended time, too. */
static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t lease_left(const struct ultravisor_partition_info *info)
{
	uint64_t t = now();

	return info->out_lease_deadline > t ? info->out_lease_deadline - t : 0;
}

int lease_prepare(struct transaction *t, const uint8_t partition[16], const char *name,
		  int control)
{
	int64_t lease = 0;
	int rc = db_value(t->uvd->db, &lease, "SELECT lease_ns FROM partition WHERE uuid = ?", "u",
			  partition);

	if (rc < 0)
		return refuse_db(t, rc);
	if (!lease)
		return 0;
	rc = kernel_lease_set(t->uvd->kernel, control, t->number, now() + lease);
	if (rc < 0)
		return refuse(t, COMMAND_FAILED, "see the kernel's log", "the lease of %s: %s",
			      name, strerror(-rc));
	return refuse_db(t, db_run(t->uvd->db, "UPDATE partition SET lease_epoch = ?"
				   " WHERE uuid = ?", "iu", (int64_t)t->number, partition));
}

void lease_event(struct uvd *uvd, uint32_t event, uint64_t id)
{
	char name[COMMAND_NAME_LEN];
	sqlite3_stmt *q;

	q = db_query(uvd->db, "SELECT name FROM partition WHERE module_id = ?", "i", (int64_t)id);
	if (db_next(uvd->db, q) <= 0)
		return;
	db_text(q, 0, name, sizeof(name));
	db_done(q);
	news_tell(uvd->news, event == ULTRAVISOR_EVENT_LEASE_EXPIRED ? COMMAND_EVENT_LEASE_EXPIRED :
		  COMMAND_EVENT_LEASE_RENEWED, name, "%s", "");
	log_partition(name);
	if (event == ULTRAVISOR_EVENT_LEASE_EXPIRED)
		log_warning("the lease of %s has run out: it is held until somebody renews it",
			    name);
	else
		log_notice("the lease of %s was renewed: it goes on", name);
	log_partition(NULL);
}

static int renew(struct uvd *uvd, const struct command_partition *c, struct fault *f)
{
	char name[COMMAND_NAME_LEN], text[UUID_TEXT];
	int64_t lease, epoch, id;
	sqlite3_stmt *q;
	int rc, fd;

	q = db_query(uvd->db, "SELECT name, lease_ns, lease_epoch, module_id FROM partition"
		     " WHERE uuid = ? AND kind = 1", "u", c->partition);
	rc = db_next(uvd->db, q);
	if (rc < 0)
		return fault_set(f, COMMAND_FAILED, "see uvd's log", "the database failed: %s",
				 db_error(uvd->db));
	if (rc == 0)
		return fault_set(f, COMMAND_NOT_FOUND, "look at the list of partitions",
				 "there is no partition %s", uuid_format(c->partition, text));
	db_text(q, 0, name, sizeof(name));
	lease = db_int(q, 1);
	epoch = db_int(q, 2);
	id = db_int(q, 3);
	db_done(q);
	if (!lease)
		return fault_set(f, COMMAND_CONFLICT, "give lease_s in its definition",
				 "partition %s runs without a lease", name);
	if (!id || !epoch)
		return fault_set(f, COMMAND_CONFLICT, "start it", "partition %s is off", name);
	fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : kernel_lease_renew(uvd->kernel, fd, epoch, now() + lease);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return fault_set(f, COMMAND_FAILED, "see uvd's log and the kernel's",
				 "the lease of %s is not renewed: %s", name, strerror(-rc));
	return 0;
}

void lease_answer(struct uvd *uvd, const void *message, size_t n, struct reply *reply)
{
	struct fault first = { .record = COMMAND_NONE }, f;
	const struct command_header *h = message;
	const struct command_partition *c;
	uint32_t i;

	reply_init(reply, message_header_ok(message, n) ? h : NULL);
	if (message_check(message, n, false, &first) == 0) {
		/* Each stands alone: one that is gone must not park the others. */
		for (i = 0; i < h->count; i++) {
			c = (const void *)message_record(h, i);
			if (renew(uvd, c, &f) == 0) {
				query_partition(uvd, c->partition, reply);
			} else if (!first.status) {
				first = f;
				first.record = i;
			}
		}
	}
	reply_finish(reply, &first, 0, false);
}

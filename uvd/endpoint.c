/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoints a system partition is to have, and what they are handed over with. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>

#include "block.h"
#include "endpoint.h"
#include "nbd.h"
#include "settings.h"

#define NO_SLOT 0xffffffffu

static int open_console_log(struct uvd *uvd, const struct endpoint *e)
{
	char path[PATH_MAX], uuid[UUID_TEXT];
	int fd;

	snprintf(path, sizeof(path), "%s/console/%s.log", uvd->state,
		 uuid_format(e->partition, uuid));
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* The directory's group, cmdpartd, may read. */
	if (fd >= 0 && fchmod(fd, 0640) < 0)
		log_errno(LOG_WARNING, -errno, "%s stays unreadable for cmdpartd", path);
	return fd < 0 ? -errno : fd;
}

static int open_backing(struct uvd *uvd, const struct endpoint *e)
{
	switch (e->type) {
	case CHANNEL_BLOCK:
		return block_open(e->path, e->flags & DEVICE_READONLY, e->resource);
	case CHANNEL_NETWORK:
		return network_tap_queue(e->tap);
	}
	return open_console_log(uvd, e);
}

int endpoint_open(struct uvd *uvd, const struct recipient *who, const struct endpoint *e,
		  int fds[1 + IO_MAX_PAIRS])
{
	uint32_t n = 0, backings = e->type == CHANNEL_NETWORK ? e->settings.queues : 1;
	int rc = -EINVAL;

	fds[0] = kernel_object_open(uvd->kernel, e->id, who->command ? ULTRAVISOR_ROLE_CLIENT :
				    ULTRAVISOR_ROLE_SERVER, who->command ? 0 : e->slot);
	if (fds[0] < 0)
		return log_errno(LOG_ERR, fds[0], "endpoint of channel %llu for %s",
				 (unsigned long long)e->id, who->name);
	if (who->command)
		return 1;
	for (; n < backings && backings <= IO_MAX_PAIRS; n++) {
		rc = fds[1 + n] = open_backing(uvd, e);
		if (rc < 0)
			break;
	}
	if (n && n == backings)
		return 1 + n;
	log_errno(LOG_ERR, rc, "backing of %s of %s", e->device, e->partition_name);
	for (n++; n--;)
		close(fds[n]);
	return rc;
}

void endpoint_describe(const struct recipient *who, const struct endpoint *e,
		       struct handover_message *m)
{
	m->channel_id = e->id;
	m->channel_type = e->type;
	m->slot = who->command ? NO_SLOT : e->slot;
	m->device_flags = (e->flags & DEVICE_READONLY ? HANDOVER_DEVICE_READONLY : 0) |
			  (nbd_is_resource(e->resource) ? HANDOVER_DEVICE_NBD : 0);
	memcpy(m->channel_uuid, e->channel, sizeof(m->channel_uuid));
	memcpy(m->partition_uuid, e->partition, sizeof(m->partition_uuid));
	memcpy(m->partition, e->partition_name, sizeof(m->partition));
	memcpy(m->device, e->device, sizeof(m->device));
	memcpy(m->mac, e->mac, sizeof(e->mac));
	m->settings = e->settings;
	m->size = e->size;
}

int endpoint_next(struct uvd *uvd, const struct recipient *who, uint64_t after, struct endpoint *e)
{
	struct db *db = uvd->db;
	sqlite3_stmt *q;
	int rc;

	if (who->command)
		q = db_query(db, "SELECT module_id, type, 0, 0, uuid, NULL, '', '', '', '', '',"
			     " NULL FROM channel WHERE type = 1 AND module_id > ?", "i",
			     (int64_t)after);
	else
		q = db_query(db, "SELECT c.module_id, c.type, s.slot, d.flags, c.uuid, c.partition,"
			     " p.name, d.name, d.path, k.resource, k.tap, d.mac,"
			     " k.size, " SETTINGS_COLUMNS " FROM channel_server s"
			     " JOIN channel c ON c.uuid = s.channel"
			     " JOIN partition p ON p.uuid = c.partition"
			     " JOIN device d ON d.partition = c.partition AND d.name = c.device"
			     " JOIN claim k ON k.partition = c.partition AND k.name = c.device"
			     " WHERE s.server = ? AND c.module_id > ?"
			     " ORDER BY c.module_id", "ui", who->partition, (int64_t)after);
	rc = db_next(db, q);
	if (rc <= 0)
		return rc;
	memset(e, 0, sizeof(*e));
	e->id = db_int(q, 0);
	e->type = db_int(q, 1);
	e->slot = db_int(q, 2);
	e->flags = db_int(q, 3);
	db_uuid(q, 4, e->channel);
	db_uuid(q, 5, e->partition);
	db_text(q, 6, e->partition_name, sizeof(e->partition_name));
	db_text(q, 7, e->device, sizeof(e->device));
	db_text(q, 8, e->path, sizeof(e->path));
	db_text(q, 9, e->resource, sizeof(e->resource));
	db_text(q, 10, e->tap, sizeof(e->tap));
	if (sqlite3_column_bytes(q, 11) == sizeof(e->mac))
		memcpy(e->mac, sqlite3_column_blob(q, 11), sizeof(e->mac));
	if (!who->command) {
		e->size = db_int(q, 12);
		settings_read(q, 13, &e->settings);
	}
	db_done(q);
	return 1;
}

bool endpoint_wanted(struct uvd *uvd, const struct recipient *who, uint64_t id)
{
	struct db *db = uvd->db;
	int64_t one;

	if (who->command)
		return db_value(db, &one, "SELECT 1 FROM channel WHERE module_id = ? AND type = 1",
				"i", (int64_t)id) == 0;
	return db_value(db, &one, "SELECT 1 FROM channel_server s JOIN channel c"
			" ON c.uuid = s.channel WHERE c.module_id = ? AND s.server = ?", "iu",
			(int64_t)id, who->partition) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels of a partition's devices, their servers in order, and cmdpartd's own channel. Device
 * channels have a kernel object only while their partition is on: launch.c makes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <ultravisor/io.h>

#include "internal.h"
#include "operation.h"

int device_channel_create(struct transaction *t, const void *record)
{
	const struct command_channel *c = record;
	struct db *db = t->uvd->db;
	struct partition p;
	int64_t type, one;
	int rc;

	if (partition_find_off(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	if (uuid_is_zero(c->channel))
		return refuse(t, COMMAND_INVALID, "make a random UUID",
			      "the channel's UUID is zero");
	rc = db_value(db, &type, "SELECT d.type FROM device d JOIN claim k"
		      " ON k.partition = d.partition AND k.name = d.name"
		      " WHERE d.partition = ? AND d.name = ?", "ut", p.uuid, c->name);
	if (rc == -ENOENT)
		return refuse(t, COMMAND_CONFLICT, "claim the device first",
			      "%s has no claimed device %s", p.name, c->name);
	if (rc < 0)
		return refuse_db(t, rc);
	rc = db_value(db, &one, "SELECT 1 FROM channel WHERE uuid = ?"
		      " OR (partition = ? AND device = ?)", "uut", c->channel, p.uuid, c->name);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "destroy it first",
			      "device %s of %s has a channel, or its UUID is taken", c->name,
			      p.name);
	rc = db_run(db, "INSERT INTO channel (uuid, type, partition, device, name, generation,"
		    " changed) VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5)", "uiuti", c->channel,
		    (int64_t)(type == DEVICE_BLOCK ? CHANNEL_BLOCK :
			      type == DEVICE_NETWORK ? CHANNEL_NETWORK : CHANNEL_CONSOLE),
		    p.uuid, c->name, (int64_t)t->number);
	if (rc < 0)
		return refuse_db(t, rc);
	return partition_touch(t, p.uuid);
}

struct channel_row {
	uint8_t partition[16];
	uint32_t type;
	uint64_t module_id, generation, changed;
	char name[COMMAND_DEVICE_LEN], partition_name[COMMAND_NAME_LEN];
};

static int channel_find(struct transaction *t, const struct command_record *r,
			const uint8_t uuid[16], struct channel_row *c)
{
	char text[UUID_TEXT];
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT c.partition, c.type, c.module_id, c.generation, c.changed,"
		     " c.name, p.name FROM channel c LEFT JOIN partition p"
		     " ON p.uuid = c.partition WHERE c.uuid = ?", "u", uuid);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at the channels",
			      "there is no channel %s", uuid_format(uuid, text));
	db_uuid(q, 0, c->partition);
	c->type = db_int(q, 1);
	c->module_id = db_int(q, 2);
	c->generation = db_int(q, 3);
	c->changed = db_int(q, 4);
	db_text(q, 5, c->name, sizeof(c->name));
	db_text(q, 6, c->partition_name, sizeof(c->partition_name));
	db_done(q);
	if (c->type == CHANNEL_COMMAND || c->type == CHANNEL_MONITOR)
		return refuse(t, COMMAND_DENIED, "name a device's channel",
			      "the %s channel is uvd's own", c->name);
	return transaction_generation(t, r->generation, c->generation, c->changed, "channel",
				      c->name);
}

static int check_servers(struct transaction *t, const struct command_channel_connect *c)
{
	char text[UUID_TEXT];
	static const uint8_t none[16];
	unsigned int i, j;
	int64_t kind;
	int rc;

	if (c->servers < 1 || c->servers > COMMAND_MAX_SERVERS || c->reserved)
		return refuse(t, COMMAND_INVALID, "name 1 to 4", "%u servers", c->servers);
	for (i = 0; i < COMMAND_MAX_SERVERS; i++) {
		if (i >= c->servers) {
			if (memcmp(c->server[i], none, 16))
				return refuse(t, COMMAND_INVALID, "leave it zero",
					      "a server beyond the last of %u", c->servers);
			continue;
		}
		for (j = 0; j < i; j++)
			if (!memcmp(c->server[i], c->server[j], 16))
				return refuse(t, COMMAND_INVALID, "name each server once",
					      "server %u is the same as %u", i, j);
		rc = db_value(t->uvd->db, &kind, "SELECT kind FROM partition WHERE uuid = ?", "u",
			      c->server[i]);
		if (rc == -ENOENT)
			return refuse(t, COMMAND_NOT_FOUND, "look at the I/O partitions",
				      "there is no partition %s",
				      uuid_format(c->server[i], text));
		if (rc < 0)
			return refuse_db(t, rc);
		if (kind != PARTITION_IO)
			return refuse(t, COMMAND_INVALID, "name I/O partitions",
				      "server %u is not an I/O partition", i);
	}
	return 0;
}

int device_channel_connect(struct transaction *t, const void *record)
{
	const struct command_channel_connect *c = record;
	struct channel_row row;
	unsigned int i;
	int rc;

	if (channel_find(t, &c->r, c->channel, &row) < 0 || check_servers(t, c) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "DELETE FROM channel_server WHERE channel = ?", "u", c->channel);
	for (i = 0; rc == 0 && i < c->servers; i++)
		rc = db_run(t->uvd->db, "INSERT INTO channel_server VALUES (?, ?, ?)", "uiu",
			    c->channel, (int64_t)i, c->server[i]);
	if (rc == 0)
		rc = db_run(t->uvd->db, "UPDATE channel SET generation = generation +"
			    " (changed <> ?1), changed = ?1 WHERE uuid = ?2", "iu",
			    (int64_t)t->number, c->channel);
	if (rc < 0)
		return refuse_db(t, rc);
	t->channels = true;
	return 0;
}

int channel_servers_differ(struct uvd *uvd, int control, const uint8_t channel[16],
			   server_differs *differs, void *data)
{
	uint8_t server[COMMAND_MAX_SERVERS][16] = { 0 };
	struct ultravisor_channel_info info;
	sqlite3_stmt *q;
	unsigned int i;
	int rc;

	q = db_query(uvd->db, "SELECT slot, server FROM channel_server WHERE channel = ?", "u",
		     channel);
	while ((rc = db_next(uvd->db, q)) > 0)
		db_uuid(q, 1, server[db_int(q, 0) % COMMAND_MAX_SERVERS]);
	if (rc == 0)
		rc = kernel_channel_info(uvd->kernel, control, &info);
	for (i = 0; rc == 0 && i < COMMAND_MAX_SERVERS; i++)
		if (memcmp(info.out_server_uuids[i], server[i], 16))
			rc = differs(uvd, control, i, server[i], data);
	return rc < 0 ? rc : COMMAND_MAX_SERVERS;
}

/* Naming another one revokes: only what differs. */
static int set_server(struct uvd *uvd, int control, uint32_t slot, const uint8_t should[16],
		      void *data)
{
	(void)data;
	return kernel_server_set(uvd->kernel, control, slot, should);
}

int channel_set_servers(struct uvd *uvd, int control, const uint8_t channel[16])
{
	int rc = channel_servers_differ(uvd, control, channel, set_server, NULL);

	return rc < 0 ? rc : 0;
}

/* Of a running partition's channel: slots change at once. */
void device_channel_connect_publish(struct transaction *t, const void *record)
{
	const struct command_channel_connect *c = record;
	int64_t id;
	int rc, fd;

	rc = db_value(t->uvd->db, &id, "SELECT module_id FROM channel WHERE uuid = ?", "u",
		      c->channel);
	if (rc < 0)
		return;
	fd = kernel_object_open(t->uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);
	rc = fd < 0 ? fd : channel_set_servers(t->uvd, fd, c->channel);
	if (rc < 0)
		log_errno(LOG_ERR, rc, "the servers of channel %lld cannot be set", (long long)id);
	if (fd >= 0)
		close(fd);
}

int device_channel_destroy(struct transaction *t, const void *record)
{
	const struct command_channel *c = record;
	struct channel_row row;
	struct partition p;
	struct command_record any = c->r;
	int rc;

	any.generation = 0;
	if (channel_find(t, &c->r, c->channel, &row) < 0 ||
	    partition_find_off(t, &any, row.partition, &p) < 0)
		return -ECANCELED;
	if (memcmp(row.partition, c->partition, 16) || strcmp(row.name, c->name) != 0)
		return refuse(t, COMMAND_INVALID, "name what the channel is of",
			      "this channel is of device %s of %s", row.name, p.name);
	rc = db_run(t->uvd->db, "DELETE FROM channel WHERE uuid = ?", "u", c->channel);
	if (rc < 0)
		return refuse_db(t, rc);
	transaction_note(t, p.name, "destroy the channel of %s", c->name);
	return partition_touch(t, p.uuid);
}

int device_channel_revoke(struct transaction *t, const void *record)
{
	const struct command_channel *c = record;
	struct channel_row row;

	if (channel_find(t, &c->r, c->channel, &row) < 0)
		return -ECANCELED;
	if (memcmp(row.partition, c->partition, 16) || strcmp(row.name, c->name) != 0)
		return refuse(t, COMMAND_INVALID, "name what the channel is of",
			      "this channel is of device %s of %s", row.name, row.partition_name);
	if (!row.module_id)
		return refuse(t, COMMAND_CONFLICT, "start it first",
			      "%s is off: nobody serves %s", row.partition_name, row.name);
	transaction_note(t, row.partition_name, "revoke the server of %s", row.name);
	return 0;
}

void channel_revoke(struct uvd *uvd, const uint8_t partition[16], const char *device, bool all)
{
	struct ultravisor_channel_info info;
	int64_t id = 0;
	uint32_t i;
	int rc, fd = -1;

	rc = db_value(uvd->db, &id, "SELECT module_id FROM channel WHERE partition = ?"
		      " AND device = ?", "ut", partition, device);
	if (rc == 0)
		rc = fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (rc >= 0)
		rc = kernel_channel_info(uvd->kernel, fd, &info);
	for (i = 0; rc == 0 && i < COMMAND_MAX_SERVERS; i++)
		if (info.out_slots[i] >= ULTRAVISOR_SLOT_STANDBY && (all || i == info.out_serving))
			rc = kernel_channel_revoke(uvd->kernel, fd, ULTRAVISOR_REVOKE_SLOT, i);
	/* Destroyed by now: there is nothing to revoke. */
	if (rc < 0 && rc != -ENOENT)
		log_errno(LOG_ERR, rc, "channel %lld cannot be revoked", (long long)id);
	if (fd >= 0)
		close(fd);
}

void device_channel_revoke_publish(struct transaction *t, const void *record)
{
	const struct command_channel *c = record;

	channel_revoke(t->uvd, c->partition, c->name, false);
}

/* The channel's control descriptor and what the module says of it, or -errno. */
static int open_channel(struct uvd *uvd, uint64_t id, struct ultravisor_channel_info *info)
{
	int fd = kernel_object_open(uvd->kernel, id, ULTRAVISOR_ROLE_CONTROL, 0), rc;

	rc = fd < 0 ? fd : kernel_channel_info(uvd->kernel, fd, info);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

static bool may_promote(const struct ultravisor_channel_info *info,
			const struct command_channel_promote *c)
{
	return info->out_epoch == c->epoch && info->out_slots[c->slot] == ULTRAVISOR_SLOT_STANDBY;
}

int device_channel_promote(struct transaction *t, const void *record)
{
	const struct command_channel_promote *c = record;
	char server[COMMAND_NAME_LEN] = "";
	struct ultravisor_channel_info info;
	struct channel_row row;
	sqlite3_stmt *q;
	int rc;

	if (channel_find(t, &c->r, c->channel, &row) < 0)
		return -ECANCELED;
	if (memcmp(row.partition, c->partition, 16) || strcmp(row.name, c->name) != 0)
		return refuse(t, COMMAND_INVALID, "name what the channel is of",
			      "this channel is of device %s of %s", row.name, row.partition_name);
	if (c->slot >= COMMAND_MAX_SERVERS || c->reserved)
		return refuse(t, COMMAND_INVALID, "name 0 to 3", "slot %u", c->slot);
	if (!row.module_id)
		return refuse(t, COMMAND_CONFLICT, "start it first",
			      "%s is off: nobody serves %s", row.partition_name, row.name);
	rc = open_channel(t->uvd, row.module_id, &info);
	if (rc < 0)
		return refuse(t, COMMAND_FAILED, "see the kernel's log", "the channel of %s: %s",
			      row.name, strerror(-rc));
	close(rc);
	if (!may_promote(&info, c))
		return refuse(t, COMMAND_CONFLICT, "look who serves it",
			      "%s of %s is served otherwise by now, or slot %u does not stand by",
			      row.name, row.partition_name, c->slot);
	q = db_query(t->uvd->db, "SELECT p.name FROM channel_server s JOIN partition p"
		     " ON p.uuid = s.server WHERE s.channel = ? AND s.slot = ?", "ui", c->channel,
		     (int64_t)c->slot);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc) {
		db_text(q, 0, server, sizeof(server));
		db_done(q);
	}
	transaction_note(t, row.partition_name, "move %s to %s", row.name, server);
	return 0;
}

/* Its standby may be gone by now, or serve: then this has nothing to do. */
void device_channel_promote_publish(struct transaction *t, const void *record)
{
	const struct command_channel_promote *c = record;
	struct ultravisor_channel_info info;
	int64_t id = 0;
	int rc, fd = -1;

	rc = db_value(t->uvd->db, &id, "SELECT module_id FROM channel WHERE uuid = ?", "u",
		      c->channel);
	if (rc == 0)
		rc = fd = open_channel(t->uvd, id, &info);
	if (rc >= 0)
		rc = !may_promote(&info, c) ? 0 :
		     kernel_channel_promote(t->uvd->kernel, fd, c->slot);
	if (rc < 0 && rc != -ENOENT)
		log_errno(LOG_ERR, rc, "slot %u of channel %lld cannot be promoted", c->slot,
			  (long long)id);
	if (fd >= 0)
		close(fd);
}

int channel_command(struct transaction *t, const void *record)
{
	uint8_t uuid[16];
	int64_t old;
	int rc;

	(void)record;
	rc = db_value(t->uvd->db, &old, "SELECT module_id FROM channel WHERE type = 1", "");
	if (rc == 0 && transaction_gone(t, old) < 0)
		return -ECANCELED;
	rc = db_run(t->uvd->db, "DELETE FROM channel WHERE type = 1", "");
	if (rc < 0)
		return refuse_db(t, rc);
	t->channels = true;
	uuid_random(uuid);
	rc = db_run(t->uvd->db, "INSERT INTO channel (uuid, type, name, generation, changed)"
		    " VALUES (?, 1, 'command', 1, ?)", "ui", uuid, (int64_t)t->number);
	if (rc == 0)
		rc = db_run(t->uvd->db, "INSERT INTO channel_server VALUES (?, 0, ?)", "uu", uuid,
			    t->uvd->ultravisor);
	transaction_note(t, "host", "the command channel");
	return refuse_db(t, rc);
}

int channel_command_prepare(struct transaction *t, const void *record)
{
	struct ultravisor_channel_create c = {
		.type = CHANNEL_COMMAND,
		.layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE,
		.server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
		.transaction = t->number,
	};
	sqlite3_stmt *q;
	uint64_t id;
	int fd, rc;

	(void)record;
	q = db_query(t->uvd->db, "SELECT uuid FROM channel WHERE type = 1", "");
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	db_uuid(q, 0, c.uuid);
	db_done(q);
	fd = kernel_channel_create(t->uvd->kernel, &c, &id);
	if (fd < 0)
		return refuse(t, COMMAND_FAILED, "see the kernel's log", "the command channel: %s",
			      strerror(-fd));
	rc = transaction_made(t, id);
	if (rc < 0)
		kernel_object_destroy(t->uvd->kernel, id);
	else if (channel_set_servers(t->uvd, fd, c.uuid) < 0)
		rc = refuse(t, COMMAND_FAILED, "see the kernel's log", "its server cannot be set");
	else
		rc = refuse_db(t, db_run(t->uvd->db, "UPDATE channel SET module_id = ?"
					 " WHERE type = 1", "i", (int64_t)id));
	close(fd);
	return rc;
}

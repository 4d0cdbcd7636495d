/* SPDX-License-Identifier: Apache-2.0 */
/* What of a device's service can be set, and changed while its guest runs. */
#include <errno.h>
#include <string.h>

#include <common/addresses.h>
#include <common/size.h>

#include "block.h"
#include "nbd.h"
#include "operation.h"
#include "settings.h"

void settings_read(sqlite3_stmt *q, int column, struct command_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->queues = db_int(q, column);
	db_text(q, column + 1, s->serial, sizeof(s->serial));
	s->vlan = db_int(q, column + 2);
	db_text(q, column + 3, s->zone, sizeof(s->zone));
	s->operations = db_int(q, column + 4);
	s->bytes = db_int(q, column + 5);
	s->burst_ms = db_int(q, column + 6);
	db_text(q, column + 7, s->addresses, sizeof(s->addresses));
	db_text(q, column + 8, s->talks, sizeof(s->talks));
}

bool settings_same(const struct command_settings *a, const struct command_settings *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Names and commas. */
static bool talks_valid(const char *talks)
{
	unsigned int n = 1;
	size_t length;

	for (; *talks; talks += length + 1, n++) {
		length = strspn(talks, "abcdefghijklmnopqrstuvwxyz0123456789._-");
		if (!length || length >= COMMAND_ZONE_LEN || n > COMMAND_MAX_TALKS)
			return false;
		if (!talks[length])
			return true;
		if (talks[length] != ',')
			return false;
	}
	return n == 1;
}

int settings_check(struct transaction *t, const char *device, uint32_t type,
		   const struct command_settings *s)
{
	const bool limited = s->operations || s->bytes;

	if (!s->queues || s->queues > COMMAND_MAX_QUEUES)
		return refuse(t, COMMAND_INVALID, "use 1 to 8", "device %s: %u queues", device,
			      s->queues);
	if (type == DEVICE_NETWORK && s->queues > COMMAND_MAX_PAIRS)
		return refuse(t, COMMAND_INVALID, "use 1 to 3", "device %s: %u pairs of queues",
			      device, s->queues);
	if (strlen(s->serial) > COMMAND_MAX_SERIAL)
		return refuse(t, COMMAND_INVALID, "use at most 20 bytes",
			      "device %s: serial number \"%s\" is too long", device, s->serial);
	if (s->vlan > COMMAND_MAX_VLAN)
		return refuse(t, COMMAND_INVALID, "use 1 to 4094", "device %s: VLAN %u", device,
			      s->vlan);
	if (s->operations > INT64_MAX || s->bytes > INT64_MAX ||
	    s->burst_ms > COMMAND_MAX_BURST_MS || limited != (s->burst_ms > 0))
		return refuse(t, COMMAND_INVALID, "see docs/command.md",
			      "device %s: its limits contradict each other", device);
	if (!addresses_valid(s->addresses))
		return refuse(t, COMMAND_INVALID, "name at most 4, as 10.0.0.5 or fd00::5",
			      "device %s: addresses \"%s\"", device, s->addresses);
	if (!talks_valid(s->talks))
		return refuse(t, COMMAND_INVALID, "name at most 4 zones", "device %s: zones \"%s\"",
			      device, s->talks);
	if ((type != DEVICE_BLOCK && s->serial[0]) ||
	    (type != DEVICE_NETWORK && (s->vlan || s->zone[0] || s->talks[0] || s->addresses[0])) ||
	    (type == DEVICE_CONSOLE && (s->queues > 1 || limited)))
		return refuse(t, COMMAND_INVALID, "see docs/command.md",
			      "device %s: its settings do not go with its type", device);
	return 0;
}

int settings_write(struct transaction *t, const uint8_t partition[16], const char *device,
		   const struct command_settings *s)
{
	int rc = db_run(t->uvd->db, "UPDATE device SET queues = ?, serial = ?, vlan = ?, zone = ?,"
			" operations = ?, bytes = ?, burst_ms = ?, addresses = ?, talks = ?"
			" WHERE partition = ? AND name = ?", "ititiiittut",
			(int64_t)s->queues, s->serial, (int64_t)s->vlan, s->zone,
			(int64_t)s->operations, (int64_t)s->bytes, (int64_t)s->burst_ms,
			s->addresses, s->talks, partition, device);

	return refuse_db(t, rc);
}

static int no_device(struct transaction *t, const struct partition *p, const char *name)
{
	return refuse(t, COMMAND_NOT_FOUND, "look at its definition",
		      "partition %s has no device %s", p->name, name);
}

int device_modify(struct transaction *t, const void *record)
{
	const struct command_device_modify *c = record;
	struct command_settings now, rest = c->settings;
	struct partition p;
	uint32_t type;
	sqlite3_stmt *q;
	int rc;

	if (partition_find(t, &c->r, c->partition, &p) < 0)
		return -ECANCELED;
	q = db_query(t->uvd->db, "SELECT d.type, " SETTINGS_COLUMNS " FROM device d"
		     " WHERE d.partition = ? AND d.name = ?", "ut", p.uuid, c->name);
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return rc < 0 ? refuse_db(t, rc) : no_device(t, &p, c->name);
	type = db_int(q, 0);
	settings_read(q, 1, &now);
	db_done(q);
	rest.operations = now.operations;
	rest.bytes = now.bytes;
	rest.burst_ms = now.burst_ms;
	/* The policy's; rules that are in force were made from it. */
	if (!p.module_id)
		memcpy(rest.talks, now.talks, sizeof(rest.talks));
	if (!settings_same(&rest, &now))
		return refuse(t, COMMAND_INVALID, "undefine the partition, define it anew",
			      "device %s: only its limits can be changed", c->name);
	if (settings_check(t, c->name, type, &c->settings) < 0 ||
	    settings_write(t, p.uuid, c->name, &c->settings) < 0 || partition_touch(t, p.uuid) < 0)
		return -ECANCELED;
	t->channels = true;
	transaction_note(t, p.name, "modify %s of %s", c->name, p.name);
	return 0;
}

static int refuse_size(struct transaction *t, int rc, const char *path)
{
	return refuse(t, COMMAND_FAILED, "correct it on the host", "%s: %s", path, strerror(-rc));
}

int device_resize(struct transaction *t, const void *record)
{
	const struct command_device_op *c = record;
	char path[COMMAND_PATH_LEN], resource[BLOCK_RESOURCE], was[SIZE_TEXT], is[SIZE_TEXT];
	struct command_record any = c->r;
	uint64_t size, known, generation, changed;
	struct partition p;
	sqlite3_stmt *q;
	int rc;

	any.generation = 0;
	if (partition_find(t, &any, c->partition, &p) < 0)
		return -ECANCELED;
	q = db_query(t->uvd->db, "SELECT d.path, k.resource, k.size, k.generation, k.changed"
		     " FROM device d JOIN claim k ON k.partition = d.partition AND k.name = d.name"
		     " WHERE d.partition = ? AND d.name = ? AND d.type = 1", "ut", p.uuid, c->name);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "name a disk of a partition that is on",
			      "%s of %s is no disk, or has nothing of the host", c->name, p.name);
	db_text(q, 0, path, sizeof(path));
	db_text(q, 1, resource, sizeof(resource));
	known = db_int(q, 2);
	generation = db_int(q, 3);
	changed = db_int(q, 4);
	db_done(q);
	if (transaction_generation(t, c->r.generation, generation, changed, "device", c->name) < 0)
		return -ECANCELED;
	if (nbd_is_resource(resource))
		return refuse(t, COMMAND_CONFLICT, "fail it over: cmdpartctl io failover",
			      "%s of %s is as large as its NBD server says when it is connected",
			      c->name, p.name);
	rc = block_size(path, resource, &size);
	if (rc < 0)
		return refuse_size(t, rc, path);
	if (size < known)
		return refuse(t, COMMAND_CONFLICT, "make it as large again; a disk can only grow",
			      "%s has %s now, its guest was told of %s: what was behind is lost",
			      path, size_format(size, is), size_format(known, was));
	if (size == known)
		transaction_note(t, p.name, "resize %s of %s: it is so", c->name, p.name);
	else
		transaction_note(t, p.name, "resize %s of %s to %s", c->name, p.name,
				 size_format(size, is));
	rc = db_run(t->uvd->db, "UPDATE claim SET size = ?, changed = ?4, generation = generation +"
		    " (changed <> ?4) WHERE partition = ?2 AND name = ?3", "iuti", (int64_t)size,
		    p.uuid, c->name, (int64_t)t->number);
	t->channels = true;
	return refuse_db(t, rc);
}

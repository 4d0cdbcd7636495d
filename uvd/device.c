/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: what a definition names, and claims of it. A claim is of what the path or bridge means
 * now, not of the name: two paths to one image are one resource.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>

#include "block.h"
#include "hold.h"
#include "launch.h"
#include "operation.h"
#include "settings.h"
#include "tap.h"
#include "zone.h"

static int check_definition(struct transaction *t, const struct command_device_define *d)
{
	static const uint8_t none[8];

	switch (d->device) {
	case DEVICE_BLOCK:
		if (!d->path[0] || d->bridge[0] || memcmp(d->mac, none, sizeof(none)) ||
		    d->flags & ~DEVICE_READONLY)
			break;
		return 0;
	case DEVICE_NETWORK:
		/* Unicast, and not all zero. */
		if (d->path[0] || !d->bridge[0] || d->flags || d->mac[0] & 1 ||
		    !memcmp(d->mac, none, 6) || d->mac[6] || d->mac[7])
			break;
		return 0;
	case DEVICE_CONSOLE:
		if (d->path[0] || d->bridge[0] || d->flags || memcmp(d->mac, none, sizeof(none)))
			break;
		return 0;
	default:
		return refuse(t, COMMAND_INVALID, "use block, network or console",
			      "device %s has unknown type %u", d->name, d->device);
	}
	return refuse(t, COMMAND_INVALID, "see docs/command.md",
		      "device %s: path, bridge, mac or flags do not go with its type", d->name);
}

int device_define(struct transaction *t, const void *record)
{
	const struct command_device_define *d = record;
	bool network = d->device == DEVICE_NETWORK;
	struct db *db = t->uvd->db;
	char name[COMMAND_NAME_LEN];
	struct partition p;
	int64_t n = 0, one;
	sqlite3_stmt *q;
	int rc;

	if (partition_find(t, &d->r, d->partition, &p) < 0 || check_definition(t, d) < 0 ||
	    settings_check(t, d->name, d->device, &d->settings) < 0)
		return -ECANCELED;
	if (d->device == DEVICE_BLOCK && access(d->path, F_OK) < 0)
		return refuse(t, COMMAND_NOT_FOUND, "make the image first, or correct its path",
			      "device %s: path %s: %s", d->name, d->path, strerror(errno));
	if (p.changed != t->number || p.generation != 1)
		return refuse(t, COMMAND_CONFLICT, "undefine the partition, define it anew",
			      "%s is defined: devices are part of its definition", p.name);
	rc = db_value(db, &n, "SELECT count(*) FROM device WHERE partition = ?", "u", p.uuid);
	if (rc < 0)
		return refuse_db(t, rc);
	if (n >= LAUNCH_DEVICES)
		return refuse(t, COMMAND_INVALID, "define fewer", "more than %u devices",
			      LAUNCH_DEVICES);
	rc = db_value(db, &one, "SELECT 1 FROM device WHERE partition = ?1 AND"
		      " (name = ?2 OR (type = 3 AND ?3 = 3))", "uti", p.uuid, d->name,
		      (int64_t)d->device);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "names are unique, one console a partition",
			      "%s has such a device already: %s", p.name, d->name);
	if (network) {
		q = db_query(db, "SELECT p.name FROM device d JOIN partition p"
			     " ON p.uuid = d.partition WHERE d.mac = ?", "b", d->mac, (size_t)6);
		rc = db_next(db, q);
		if (rc > 0) {
			db_text(q, 0, name, sizeof(name));
			db_done(q);
			return refuse(t, COMMAND_CONFLICT, "choose another address",
				      "device %s has the address of one of %s", d->name, name);
		}
	}
	rc = db_run(db, "INSERT INTO device (partition, name, type, flags, path, bridge, mac, rank)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "utiittbi", p.uuid,
		    d->name, (int64_t)d->device, (int64_t)d->flags, d->path, d->bridge,
		    network ? d->mac : NULL, (size_t)6, n);
	if (rc < 0)
		return refuse_db(t, rc);
	if (settings_write(t, p.uuid, d->name, &d->settings) < 0)
		return -ECANCELED;
	t->defined++;
	return 0;
}

struct device {
	uint32_t type, flags;
	char path[COMMAND_PATH_LEN], bridge[COMMAND_BRIDGE_LEN];
	char resource[BLOCK_RESOURCE];	/* "": not claimed */
	uint32_t vlan;
	uint64_t generation, changed;
};

static int device_find(struct transaction *t, const struct partition *p, const char *name,
		       struct device *d)
{
	sqlite3_stmt *q;
	int rc;

	memset(d, 0, sizeof(*d));
	q = db_query(t->uvd->db, "SELECT d.type, d.flags, d.path, d.bridge, k.resource,"
		     " k.generation, k.changed, d.vlan FROM device d LEFT JOIN claim k"
		     " ON k.partition = d.partition AND k.name = d.name"
		     " WHERE d.partition = ? AND d.name = ?", "ut", p->uuid, name);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND, "look at its definition",
			      "partition %s has no device %s", p->name, name);
	d->type = db_int(q, 0);
	d->flags = db_int(q, 1);
	db_text(q, 2, d->path, sizeof(d->path));
	db_text(q, 3, d->bridge, sizeof(d->bridge));
	db_text(q, 4, d->resource, sizeof(d->resource));
	d->generation = db_int(q, 5);
	d->changed = db_int(q, 6);
	d->vlan = db_int(q, 7);
	db_done(q);
	return 0;
}

static int refuse_claim(struct transaction *t, int rc, const char *what, const char *why)
{
	switch (rc) {
	case -ENOENT:
	case -ENOTDIR:
		return refuse(t, COMMAND_NOT_FOUND, "make it, or correct the definition",
			      "%s: %s", what, why);
	case -EBUSY:
	case -ETXTBSY:
		return refuse(t, COMMAND_CONFLICT, "unmount or detach it on the host first",
			      "%s %s", what, why);
	case -EINVAL:
	case -EISDIR:
	case -ENOTSUP:
		return refuse(t, COMMAND_INVALID, "correct the definition", "%s %s", what, why);
	}
	return refuse(t, COMMAND_FAILED, "correct it on the host", "%s: %s", what, why);
}

/* Nobody else's: another claim of the same thing if one of the two writes, or the host's. */
static int check_free(struct transaction *t, const struct device *d, const char *resource)
{
	bool readonly = d->flags & DEVICE_READONLY, writes;
	char name[COMMAND_NAME_LEN], why[128];
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT p.name, k.writes FROM claim k JOIN partition p"
		     " ON p.uuid = k.partition WHERE k.resource = ? ORDER BY k.writes DESC", "t",
		     resource);
	rc = db_next(t->uvd->db, q);
	if (rc < 0)
		return refuse_db(t, rc);
	if (rc > 0) {
		db_text(q, 0, name, sizeof(name));
		writes = db_int(q, 1);
		db_done(q);
		/* Readers share; the host was kept out when the first of them came. */
		if (readonly && !writes)
			return 0;
		return refuse(t, COMMAND_CONFLICT, "stop that partition, or use another image",
			      "%s is in use by partition %s", d->path, name);
	}
	/* Held by us: the claim that this transaction has released before. */
	if (hold_has(t->uvd, resource))
		return 0;
	rc = block_check_free(d->path, readonly, why, sizeof(why));
	return rc < 0 ? refuse_claim(t, rc, d->path, why) : 0;
}

/* The lowest number whose name no claim and no interface of the host has. */
#define TAPS 65536	/* names for them */

static int choose_tap(struct transaction *t, char tap[NETWORK_NAME])
{
	struct network *n = t->uvd->network;
	uint8_t taken[TAPS / 8] = { 0 };
	sqlite3_stmt *q;
	unsigned int i;
	int rc;

	q = db_query(t->uvd->db, "SELECT tap FROM claim WHERE tap IS NOT NULL", "");
	while ((rc = db_next(t->uvd->db, q)) > 0) {
		db_text(q, 0, tap, NETWORK_NAME);
		if (sscanf(tap, NETWORK_TAP_PREFIX "%u", &i) == 1 && i < TAPS)
			taken[i / 8] |= 1 << i % 8;
	}
	if (rc < 0)
		return refuse_db(t, rc);
	for (i = 0; i < TAPS; i++) {
		if (taken[i / 8] & 1 << i % 8)
			continue;
		snprintf(tap, NETWORK_NAME, NETWORK_TAP_PREFIX "%u", i);
		if (n->ops->bridge_find(n, tap) == 0)
			return 0;
	}
	return refuse(t, COMMAND_RESOURCES, "remove some", "no name for a tap is free");
}

static int find_bridge(struct transaction *t, const struct device *d)
{
	struct network *n = t->uvd->network;
	int rc = n->ops->bridge_find(n, d->bridge);

	/* Found bridges are their owners': not even this is changed. */
	if (rc > 0 && d->vlan && !n->ops->bridge_filters(n, d->bridge))
		return refuse(t, COMMAND_CONFLICT,
			      "ip link set BRIDGE type bridge vlan_filtering 1, or another bridge",
			      "bridge %s does not keep VLANs apart: VLAN %u would be no VLAN",
			      d->bridge, d->vlan);
	if (rc > 0 || (rc == 0 && strcmp(d->bridge, NETWORK_OWN_BRIDGE) == 0))
		return 0;
	if (rc == 0)
		return refuse(t, COMMAND_NOT_FOUND,
			      "make the bridge on the host, or use " NETWORK_OWN_BRIDGE,
			      "this host has no bridge %s", d->bridge);
	return refuse_claim(t, rc, d->bridge, rc == -ENOTSUP ? "is not a bridge" : strerror(-rc));
}

int device_claim(struct transaction *t, const void *record)
{
	const struct command_device_op *c = record;
	struct command_record any = c->r;
	char resource[BLOCK_RESOURCE], why[128], tap[NETWORK_NAME] = "", uuid[UUID_TEXT];
	struct partition p;
	struct device d;
	uint64_t bytes = 0;
	int rc;

	/* The generation is the device's, not the partition's. */
	any.generation = 0;
	if (partition_find_off(t, &any, c->partition, &p) < 0 ||
	    device_find(t, &p, c->name, &d) < 0)
		return -ECANCELED;
	if (d.resource[0])
		return refuse(t, COMMAND_CONFLICT, "release it first",
			      "device %s of %s is claimed", c->name, p.name);
	if (c->r.generation)
		return refuse(t, COMMAND_CONFLICT, "look at it again",
			      "device %s of %s is not claimed any more", c->name, p.name);
	switch (d.type) {
	case DEVICE_BLOCK:
		rc = block_identify(d.path, d.flags & DEVICE_READONLY, resource, why, sizeof(why));
		if (rc < 0)
			return refuse_claim(t, rc, d.path, why);
		if (check_free(t, &d, resource) < 0)
			return -ECANCELED;
		rc = block_size(d.path, resource, &bytes);
		if (rc < 0)
			return refuse_claim(t, rc, d.path, strerror(-rc));
		t->claims = true;
		break;
	case DEVICE_NETWORK:
		if (find_bridge(t, &d) < 0 || choose_tap(t, tap) < 0)
			return -ECANCELED;
		snprintf(resource, sizeof(resource), "tap %s", tap);
		break;
	default:
		snprintf(resource, sizeof(resource), "console %s", uuid_format(p.uuid, uuid));
	}
	rc = db_run(t->uvd->db, "INSERT INTO claim VALUES (?, ?, ?, ?, nullif(?, ''), 1, ?, ?)",
		    "uttitii", p.uuid, c->name, resource,
		    (int64_t)(d.type == DEVICE_BLOCK && !(d.flags & DEVICE_READONLY)), tap,
		    (int64_t)t->number, (int64_t)bytes);
	if (rc < 0)
		return refuse_db(t, rc);
	t->claimed++;
	return 0;
}

static int prepare_bridge(struct transaction *t)
{
	struct network *n = t->uvd->network;
	int rc;

	/* Its last tap may have been released by this very transaction. */
	t->bridge_gone = false;
	if (n->ops->bridge_find(n, NETWORK_OWN_BRIDGE) != 0)
		return 0;
	rc = n->ops->bridge_create(n, NETWORK_OWN_BRIDGE);
	if (rc < 0)
		return refuse_claim(t, rc, NETWORK_OWN_BRIDGE, strerror(-rc));
	t->bridge_made = true;
	return 0;
}

/* The tap that a claim names; again: if it is gone from the host. */
static int prepare_tap(struct transaction *t, const struct command_device_op *c, bool again)
{
	struct network *n = t->uvd->network;
	struct network_tap tap;
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT " TAP_COLUMNS TAP_FROM " AND k.partition = ?"
		     " AND k.name = ?", "ut", c->partition, c->name);
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return refuse_db(t, rc);
	tap_read(q, &tap);
	db_done(q);
	if (again && n->ops->bridge_find(n, tap.name) != 0)
		return 0;
	if (strcmp(tap.bridge, NETWORK_OWN_BRIDGE) == 0 && prepare_bridge(t) < 0)
		return -ECANCELED;
	/* Before the tap is there: what it carries first is judged already. */
	rc = zones_sync(t->uvd);
	if (rc == 0)
		rc = n->ops->tap_create(n, &tap);
	if (rc == -EPROTONOSUPPORT)
		return refuse(t, COMMAND_FAILED, "modprobe nf_tables, then restart uvd",
			      "%s: this host's kernel has no nf_tables to check its guest's frames",
			      tap.name);
	if (rc < 0)
		return refuse_claim(t, rc, tap.name, strerror(-rc));
	if (n->ops->tap_obstacle(n, tap.name, tap.bridge, OBSTACLE_FORWARD))
		log_warning("%s: bridged frames go through the host's firewall (br_netfilter),"
			    " whose chain FORWARD drops them; cmdpartctl verify has ways out",
			    tap.bridge);
	rc = transaction_tap_made(t, tap.name);
	if (rc < 0)
		n->ops->tap_delete(n, tap.name);
	return rc;
}

int device_claim_prepare(struct transaction *t, const void *record)
{
	return prepare_tap(t, record, false);
}

/* The bridge goes with its last tap, if it is ours. */
static int unclaim_bridge(struct transaction *t)
{
	struct db *db = t->uvd->db;
	int64_t n;
	int rc;

	rc = db_value(db, &n, "SELECT count(*) FROM claim k JOIN device d"
		      " ON d.partition = k.partition AND d.name = k.name WHERE d.bridge = ?", "t",
		      NETWORK_OWN_BRIDGE);
	if (rc == 0 && n == 0)
		t->bridge_gone = true;
	return refuse_db(t, rc);
}

int device_unclaim(struct transaction *t, const uint8_t partition[16], const char *name)
{
	char tap[NETWORK_NAME] = "";
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT tap FROM claim WHERE partition = ? AND name = ?", "ut",
		     partition, name);
	if (db_next(t->uvd->db, q) > 0)
		db_text(q, 0, tap, sizeof(tap));
	db_done(q);
	rc = db_run(t->uvd->db, "DELETE FROM claim WHERE partition = ? AND name = ?", "ut",
		    partition, name);
	if (rc < 0)
		return refuse_db(t, rc);
	t->claims = true;
	if (!tap[0])
		return 0;
	if (transaction_tap_gone(t, tap) < 0)
		return -ECANCELED;
	return unclaim_bridge(t);
}

int device_release(struct transaction *t, const void *record)
{
	const struct command_device_op *c = record;
	struct command_record any = c->r;
	struct partition p;
	struct device d;
	int64_t one;
	int rc;

	any.generation = 0;
	if (partition_find_off(t, &any, c->partition, &p) < 0 ||
	    device_find(t, &p, c->name, &d) < 0)
		return -ECANCELED;
	if (!d.resource[0])
		return refuse(t, COMMAND_CONFLICT, "there is nothing to release",
			      "device %s of %s is not claimed", c->name, p.name);
	if (transaction_generation(t, c->r.generation, d.generation, d.changed, "device", c->name) <
	    0)
		return -ECANCELED;
	rc = db_value(t->uvd->db, &one, "SELECT 1 FROM channel WHERE partition = ? AND device = ?",
		      "ut", p.uuid, c->name);
	if (rc == 0)
		return refuse(t, COMMAND_CONFLICT, "destroy the channel first",
			      "device %s of %s has a channel", c->name, p.name);
	transaction_note(t, p.name, "release %s", c->name);
	return device_unclaim(t, p.uuid, c->name);
}

int device_reset(struct transaction *t, const void *record)
{
	const struct command_device_op *c = record;
	char resource[BLOCK_RESOURCE], why[128];
	struct command_record any = c->r;
	struct partition p;
	struct device d;
	int rc;

	any.generation = 0;
	if (partition_find(t, &any, c->partition, &p) < 0 || device_find(t, &p, c->name, &d) < 0)
		return -ECANCELED;
	if (!p.module_id)
		return refuse(t, COMMAND_CONFLICT, "start it: that makes all anew",
			      "%s is off: %s holds nothing of the host", p.name, c->name);
	if (transaction_generation(t, c->r.generation, d.generation, d.changed, "device", c->name) <
	    0)
		return -ECANCELED;
	if (d.type == DEVICE_BLOCK) {
		rc = block_identify(d.path, d.flags & DEVICE_READONLY, resource, why, sizeof(why));
		if (rc < 0)
			return refuse_claim(t, rc, d.path, why);
		if (strcmp(resource, d.resource))
			return refuse(t, COMMAND_CONFLICT, "put back what it was, or stop it",
				      "%s is %s now, %s of %s has %s", d.path, resource, c->name,
				      p.name, d.resource);
	} else if (d.type == DEVICE_NETWORK && find_bridge(t, &d) < 0) {
		return -ECANCELED;
	}
	transaction_note(t, p.name, "reset %s", c->name);
	return 0;
}

int device_reset_prepare(struct transaction *t, const void *record)
{
	return prepare_tap(t, record, true);
}

void device_reset_publish(struct transaction *t, const void *record)
{
	const struct command_device_op *c = record;

	channel_revoke(t->uvd, c->partition, c->name, true);
}

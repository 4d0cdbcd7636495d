/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows are the truth. An object of the kernel belongs to a row or to nobody: rows and ledger
 * were committed together, so an object that no row names was prepared by a transaction that
 * never happened, or is what one that did happen has ended.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/size.h>

#include "difference.h"
#include "hold.h"
#include "process.h"
#include "zone.h"

#define OBJECTS_MAX 1000000	/* of the module; a bound for the loop */
#define TAPS_MAX 65536

static const char *const names[COMPARED_TYPES] = {
	[COMPARED_OBJECTS] = "kernel objects", [COMPARED_PARTITIONS] = "running partitions",
	[COMPARED_CONTEXTS] = "vCPUs", [COMPARED_PROCESSORS] = "processors",
	[COMPARED_CHANNELS] = "channels", [COMPARED_PROCESSES] = "processes",
	[COMPARED_SCOPES] = "cgroups", [COMPARED_TAPS] = "taps and bridges",
	[COMPARED_RULES] = "network rules", [COMPARED_IMAGES] = "disks",
};

static const struct {
	enum compared of;
	const char *where, *missing, *fix;
} kinds[] = {
	[OBJECT_STRAY] = { COMPARED_OBJECTS, "kernel", "database",
			   "restart uvd: it is destroyed" },
	[OBJECT_UNPUBLISHED] = { COMPARED_OBJECTS, "database", "kernel: not published",
				 "restart uvd: it is published" },
	[PARTITION_LOST] = { COMPARED_PARTITIONS, "database", "kernel",
			     "restart uvd: its end is recorded" },
	[PARTITION_RUN] = { COMPARED_PARTITIONS, NULL, NULL,
			    "restart uvd: it is paused or goes on, as the database says" },
	[PARTITION_MEMORY] = { COMPARED_PARTITIONS, NULL, NULL,
			       "kill it and start it again: its memory is assigned anew" },
	[CONTEXT_DIFFERS] = { COMPARED_CONTEXTS, "database", "kernel: set otherwise",
			      "restart uvd: it is set to what the database says" },
	[PROCESSOR_DIFFERS] = { COMPARED_PROCESSORS, "database", "kernel: set otherwise",
				"restart uvd: it is set to what the database says" },
	[CHANNEL_LOST] = { COMPARED_CHANNELS, "database", "kernel",
			   "kill the partition and start it again" },
	[SERVER_DIFFERS] = { COMPARED_CHANNELS, "database", "kernel: another server",
			     "restart uvd: it is set to what the database says" },
	[PROCESS_LOST] = { COMPARED_PROCESSES, "database", "host",
			   "see uvd's log: its end could not be recorded; restart uvd" },
	[PROCESS_STRAY] = { COMPARED_PROCESSES, "host", "database",
			    "restart uvd: it is killed" },
	[PROCESS_UNSCOPED] = { COMPARED_PROCESSES, "host", "its cgroup",
			       "stop it and start it again: it runs without limits" },
	[SCOPE_STRAY] = { COMPARED_SCOPES, "host", "database",
			  "restart uvd: what is in it is killed, and it is removed" },
	[TAP_STRAY] = { COMPARED_TAPS, "host", "database", "restart uvd: it is removed" },
	[TAP_LOST] = { COMPARED_TAPS, "database", "host",
		       "cmdpartctl io reset makes it anew" },
	[TAP_UNGUARDED] = { COMPARED_RULES, "database", "nftables: no rules of ours, or others",
			    "see uvd's log for why it cannot put them back, then restart uvd" },
	[ZONES_DIFFER] = { COMPARED_RULES, "database", "nftables: no rules of ours, or others",
			   "see uvd's log for why it cannot put them back, then restart uvd" },
	[FORWARD_DROPPED] = { COMPARED_RULES, "bridge", "the host's firewall: chain FORWARD drops",
			      "iptables -I DOCKER-USER -i BRIDGE -o BRIDGE -j ACCEPT, or sysctl"
			      " net.bridge.bridge-nf-call-iptables=0 (and ip6)" },
	[TAP_MANAGED] = { COMPARED_TAPS, "database", "NetworkManager configures it, too",
			  "nmcli device set uvtN managed no; unmanaged-devices of NetworkManager" },
	[BRIDGE_STRAY] = { COMPARED_TAPS, "host", "database", "restart uvd: it is removed" },
	[BRIDGE_LOST] = { COMPARED_TAPS, "database", "host",
			  "stop the partitions that use it, then start them again" },
	[DEVICE_UNHELD] = { COMPARED_IMAGES, "database", "not kept from the host",
			    "see that the host does not use it, then restart uvd" },
	[IMAGE_DIFFERS] = { COMPARED_IMAGES, "database", "not what is at its path now",
			    "put back the file that was claimed, or start the partition again" },
};

const char *compared_name(enum compared c)
{
	return names[c];
}

enum compared difference_of(enum difference_kind kind)
{
	return kinds[kind].of;
}

const char *difference_fix(enum difference_kind kind)
{
	return kinds[kind].fix;
}

static int tell(struct difference_walk *w, struct difference *d, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static int tell(struct difference_walk *w, struct difference *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->what, sizeof(d->what), format, args);
	va_end(args);
	if (!d->where[0])
		snprintf(d->where, sizeof(d->where), "%s", kinds[d->kind].where);
	if (!d->missing[0])
		snprintf(d->missing, sizeof(d->missing), "%s", kinds[d->kind].missing);
	w->differences[kinds[d->kind].of]++;
	return w->each(w, d);
}

/* ---- the module */

static bool has_row(struct uvd *uvd, uint64_t id)
{
	int64_t one;

	return db_value(uvd->db, &one, "SELECT 1 FROM partition WHERE module_id = ?1 UNION"
			" SELECT 1 FROM channel WHERE module_id = ?1", "i", (int64_t)id) == 0;
}

int difference_objects(struct difference_walk *w)
{
	struct ultravisor_object_next next = { 0 };
	unsigned int n;
	int rc;

	for (n = 0; n < OBJECTS_MAX; n++) {
		struct difference d = { 0 };

		rc = kernel_object_next(w->uvd->kernel, &next);
		if (rc == -ENOENT)
			return 0;
		if (rc < 0)
			return rc;
		next.id = d.object = next.out_id;
		w->compared[COMPARED_OBJECTS]++;
		if (has_row(w->uvd, next.out_id) && next.out_published)
			continue;
		d.kind = has_row(w->uvd, next.out_id) ? OBJECT_UNPUBLISHED : OBJECT_STRAY;
		rc = tell(w, &d, "%s %llu of transaction %llu",
			  next.out_kind == ULTRAVISOR_KIND_PARTITION ? "partition object" :
			  "channel object", (unsigned long long)next.out_id,
			  (unsigned long long)next.out_transaction);
		if (rc < 0)
			return rc;
	}
	return -E2BIG;
}

static int on_processor(struct uvd *uvd, const struct processor_should *p, void *data)
{
	struct difference d = { .kind = PROCESSOR_DIFFERS, .processor = p };

	(void)uvd;
	return tell(data, &d, "processor %u", p->cpu);
}

int difference_processors(struct difference_walk *w)
{
	int rc = processors_differ(w->uvd, true, on_processor, w);

	if (rc > 0)
		w->compared[COMPARED_PROCESSORS] += rc;
	return rc < 0 ? rc : 0;
}

struct channel_name {
	struct difference_walk *walk;
	uint8_t uuid[16];
	uint64_t id;
	char name[COMMAND_NAME_LEN + COMMAND_DEVICE_LEN];
};

static int on_server(struct uvd *uvd, int control, uint32_t slot, const uint8_t should[16],
		     void *data)
{
	const struct channel_name *c = data;
	struct difference d = {
		.kind = SERVER_DIFFERS, .control = control, .slot = slot, .server = should,
	};

	(void)uvd;
	return tell(c->walk, &d, "server %u of channel %s", slot, c->name);
}

/* A connect may have been committed and not published. */
static int compare_channel(struct difference_walk *w, struct channel_name *c)
{
	struct difference d = { .kind = CHANNEL_LOST, .object = c->id };
	int fd, rc;

	w->compared[COMPARED_CHANNELS]++;
	c->walk = w;
	fd = kernel_object_open(w->uvd->kernel, c->id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return tell(w, &d, "channel %s", c->name);
	rc = channel_servers_differ(w->uvd, fd, c->uuid, on_server, c);
	close(fd);
	return rc < 0 ? rc : 0;
}

int difference_channels(struct difference_walk *w)
{
	struct db *db = w->uvd->db;
	struct channel_name *c;
	int64_t count = 0;
	size_t n = 0, i;
	sqlite3_stmt *q;
	int rc;

	rc = db_value(db, &count, "SELECT count(*) FROM channel WHERE module_id IS NOT NULL", "");
	if (rc < 0)
		return rc;
	c = calloc(count + 1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	q = db_query(db, "SELECT c.uuid, c.module_id, coalesce(p.name || '/', '') || c.name"
		     " FROM channel c LEFT JOIN partition p ON p.uuid = c.partition"
		     " WHERE c.module_id IS NOT NULL", "");
	for (; n < (size_t)count && (rc = db_next(db, q)) > 0; n++) {
		db_uuid(q, 0, c[n].uuid);
		c[n].id = db_int(q, 1);
		db_text(q, 2, c[n].name, sizeof(c[n].name));
	}
	db_done(q);
	for (i = 0; rc >= 0 && i < n; i++)
		rc = compare_channel(w, &c[i]);
	free(c);
	return rc < 0 ? rc : 0;
}

/* ---- partitions that are on */

/* The record of a process was lost: the module knows who made the VM. */
static void find_process(struct uvd *uvd, struct supervisor_adopted *r)
{
	struct ultravisor_partition_info info;
	int fd = kernel_object_open(uvd->kernel, r->id, ULTRAVISOR_ROLE_CONTROL, 0);

	if (fd < 0)
		return;
	if (kernel_partition_info(uvd->kernel, fd, &info) == 0 && info.out_monitor) {
		r->pid = info.out_monitor;
		r->start = process_start_time(r->pid);
	}
	close(fd);
}

int runnings_load(struct uvd *uvd, struct runnings *list)
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
		struct supervisor_adopted *r = &list->r[list->n++];

		db_uuid(q, 0, r->partition);
		db_text(q, 1, r->name, sizeof(r->name));
		r->id = db_int(q, 2);
		r->monitor = db_int(q, 3);
		r->pid = db_int(q, 4);
		r->start = db_int(q, 5);
		r->state = db_int(q, 6);
		r->reboots = db_int(q, 7);
		if (!r->pid)
			find_process(uvd, r);
	}
	db_done(q);
	return rc < 0 ? rc : 0;
}

struct context_of {
	struct difference_walk *walk;
	const char *name;
};

static int on_context(struct uvd *uvd, int control, struct ultravisor_context_set *should,
		      void *data)
{
	const struct context_of *of = data;
	struct difference d = {
		.kind = CONTEXT_DIFFERS, .control = control, .context = should,
	};

	(void)uvd;
	return tell(of->walk, &d, "vCPU %u of %s", should->index, of->name);
}

/* A pause or a resume may have been committed and not published. */
static int compare_run(struct difference_walk *w, const struct supervisor_adopted *r, int control,
		       const struct ultravisor_partition_info *info)
{
	struct difference d = { .kind = PARTITION_RUN, .control = control, .state = r->state };
	bool stopped = info->out_state == ULTRAVISOR_PARTITION_STOPPED;
	bool runs = info->out_state == ULTRAVISOR_PARTITION_RUNNING;

	if (!(r->state == PARTITION_PAUSED && runs) && !(r->state == PARTITION_RUNNING && stopped))
		return 0;
	snprintf(d.where, sizeof(d.where), "database: %s", partition_state_name(r->state));
	snprintf(d.missing, sizeof(d.missing), "kernel: %s", stopped ? "stopped" : "running");
	return tell(w, &d, "partition %s", r->name);
}

static int compare_memory(struct difference_walk *w, const struct supervisor_adopted *r,
			  const struct ultravisor_partition_info *info)
{
	struct difference d = { .kind = PARTITION_MEMORY };
	char size[SIZE_TEXT];
	int64_t bytes = 0;
	int rc;

	rc = db_value(w->uvd->db, &bytes, "SELECT coalesce(sum(bytes), 0) FROM memory"
		      " WHERE partition = ?", "u", r->partition);
	if (rc < 0 || (uint64_t)bytes == info->out_memory)
		return rc;
	snprintf(d.where, sizeof(d.where), "database: %s", size_format(bytes, size));
	snprintf(d.missing, sizeof(d.missing), "kernel: %s", size_format(info->out_memory, size));
	return tell(w, &d, "memory of %s", r->name);
}

int difference_partition(struct difference_walk *w, const struct supervisor_adopted *r,
			 int control, const struct ultravisor_partition_info *info)
{
	struct context_of of = { w, r->name };
	int rc;

	rc = compare_run(w, r, control, info);
	if (rc == 0)
		rc = compare_memory(w, r, info);
	if (rc < 0)
		return rc;
	rc = contexts_differ(w->uvd, r->partition, control, on_context, &of);
	if (rc > 0)
		w->compared[COMPARED_CONTEXTS] += rc;
	return rc < 0 ? rc : 0;
}

static int compare_running(struct difference_walk *w, const struct supervisor_adopted *r)
{
	struct ultravisor_partition_info info;
	struct difference d = { .kind = PARTITION_LOST };
	int fd, rc;

	w->compared[COMPARED_PARTITIONS]++;
	fd = kernel_object_open(w->uvd->kernel, r->id, ULTRAVISOR_ROLE_CONTROL, 0);
	if (fd < 0)
		return tell(w, &d, "partition %s (%s)", r->name, partition_state_name(r->state));
	rc = kernel_partition_info(w->uvd->kernel, fd, &info);
	if (rc == 0)
		rc = difference_partition(w, r, fd, &info);
	close(fd);
	return rc;
}

/* ---- the network */

static int compare_obstacles(struct difference_walk *w, const char *tap, const char *of,
			     const char *bridge)
{
	struct network *net = w->uvd->network;
	struct difference d = { .kind = FORWARD_DROPPED };
	int rc = 0;

	if (net->ops->tap_obstacle(net, tap, bridge, OBSTACLE_FORWARD))
		rc = tell(w, &d, "tap %s of %s on %s", tap, of, bridge);
	d = (struct difference) { .kind = TAP_MANAGED };
	if (rc == 0 && net->ops->tap_obstacle(net, tap, bridge, OBSTACLE_MANAGED))
		rc = tell(w, &d, "tap %s of %s", tap, of);
	return rc;
}

int difference_network(struct difference_walk *w)
{
	struct network *net = w->uvd->network;
	struct db *db = w->uvd->db;
	char name[NETWORK_NAME] = "", after[NETWORK_NAME] = "";
	struct difference d;
	unsigned int n;
	sqlite3_stmt *q;
	int64_t one;
	int rc = 0, found;

	for (n = 0; n < TAPS_MAX; n++) {
		rc = net->ops->next(net, NETWORK_TAP_PREFIX, after, name);
		if (rc <= 0)
			break;
		memcpy(after, name, sizeof(after));
		w->compared[COMPARED_TAPS]++;
		if (db_value(db, &one, "SELECT 1 FROM claim WHERE tap = ?", "t", name) != -ENOENT)
			continue;
		d = (struct difference) { .kind = TAP_STRAY, .name = name };
		rc = tell(w, &d, "tap %s", name);
		if (rc < 0)
			break;
	}
	q = rc < 0 ? NULL : db_query(db, "SELECT k.tap, p.name, (SELECT bridge"
				     " FROM device WHERE partition = k.partition AND name = k.name)"
				     " FROM claim k JOIN partition p"
				     " ON p.uuid = k.partition WHERE k.tap IS NOT NULL", "");
	while (q && (rc = db_next(db, q)) > 0) {
		char of[COMMAND_NAME_LEN], bridge[NETWORK_NAME];

		db_text(q, 0, name, sizeof(name));
		db_text(q, 2, bridge, sizeof(bridge));
		db_text(q, 1, of, sizeof(of));
		d = (struct difference) { .kind = TAP_LOST };
		if (net->ops->bridge_find(net, name)) {
			w->compared[COMPARED_RULES]++;
			d.kind = TAP_UNGUARDED;
			if (net->ops->tap_guarded(net, name)) {
				rc = compare_obstacles(w, name, of, bridge);
				if (rc < 0)
					break;
				continue;
			}
		}
		rc = tell(w, &d, d.kind == TAP_LOST ? "tap %s of %s" : "rules of tap %s of %s",
			  name, of);
		if (rc < 0)
			break;
	}
	db_done(q);
	if (rc == 0)
		rc = zones_used(w->uvd);
	if (rc < 0)
		return rc;
	w->compared[COMPARED_RULES] += rc;
	d = (struct difference) { .kind = ZONES_DIFFER };
	if (rc && !net->ops->zones_intact(net) && (rc = tell(w, &d, "rules of zones")) < 0)
		return rc;
	/* Without a tap of ours: its end was committed, or its making was not. */
	rc = db_value(db, &one, "SELECT 1 FROM claim k JOIN device d ON d.partition = k.partition"
		      " AND d.name = k.name WHERE d.bridge = ?", "t", NETWORK_OWN_BRIDGE);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	found = net->ops->bridge_find(net, NETWORK_OWN_BRIDGE);
	w->compared[COMPARED_TAPS] += found > 0;
	d = (struct difference) { .kind = rc == 0 ? BRIDGE_LOST : BRIDGE_STRAY };
	if ((rc == 0 && found <= 0) || (rc == -ENOENT && found == 2))
		return tell(w, &d, "bridge " NETWORK_OWN_BRIDGE);
	return 0;
}

/* ---- images and block devices */

int difference_images(struct difference_walk *w)
{
	char path[COMMAND_PATH_LEN], resource[BLOCK_RESOURCE], is[BLOCK_RESOURCE], why[128];
	struct difference d;
	sqlite3_stmt *q;
	int rc;

	q = db_query(w->uvd->db, "SELECT d.path, d.flags, k.resource FROM claim k JOIN device d"
		     " ON d.partition = k.partition AND d.name = k.name WHERE d.type = 1", "");
	while ((rc = db_next(w->uvd->db, q)) > 0) {
		db_text(q, 0, path, sizeof(path));
		db_text(q, 2, resource, sizeof(resource));
		w->compared[COMPARED_IMAGES]++;
		d = (struct difference) { .kind = IMAGE_DIFFERS };
		if (block_identify(path, db_int(q, 1) & DEVICE_READONLY, is, why,
				   sizeof(why)) < 0 || strcmp(is, resource))
			rc = tell(w, &d, "%.127s", path);
		else if (!strncmp(resource, "block ", 6) && !hold_has(w->uvd, resource)) {
			d.kind = DEVICE_UNHELD;
			rc = tell(w, &d, "%.127s", path);
		}
		if (rc < 0)
			break;
	}
	db_done(q);
	return rc < 0 ? rc : 0;
}

/* ---- processes, and the cgroups that they are in */

struct found {
	char scope[COMMAND_NAME_LEN];
	int32_t pid;
	bool going;
};

struct processes {
	struct found *f;
	size_t n, room;
	bool scopes;		/* this host has them */
};

static int gather(const char *scope, int32_t pid, bool going, void *data)
{
	struct processes *list = data;
	struct found *f;

	if (list->n == list->room) {
		f = realloc(list->f, (list->room + 64) * sizeof(*f));
		if (!f)
			return -ENOMEM;
		list->f = f;
		list->room += 64;
	}
	f = &list->f[list->n++];
	snprintf(f->scope, sizeof(f->scope), "%s", scope ? scope : "");
	f->pid = pid;
	f->going = going;
	return 0;
}

static const struct supervisor_adopted *by_pid(const struct runnings *list, int32_t pid)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->r[i].pid == pid)
			return &list->r[i];
	return NULL;
}

static const struct supervisor_adopted *by_name(const struct runnings *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!strcmp(list->r[i].name, name))
			return &list->r[i];
	return NULL;
}

static bool in_scope(const struct processes *p, const struct supervisor_adopted *r)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->f[i].pid == r->pid && !strcmp(p->f[i].scope, r->name))
			return true;
	return false;
}

static int compare_process(struct difference_walk *w, const struct runnings *list,
			   const struct processes *p, const struct found *f)
{
	const struct supervisor_adopted *r = by_pid(list, f->pid);
	struct difference d = { .pid = f->pid };

	if (!r) {
		d.kind = PROCESS_STRAY;
		return tell(w, &d, "process %d of uvmonitor", f->pid);
	}
	if (!p->scopes || in_scope(p, r))
		return 0;
	d.kind = PROCESS_UNSCOPED;
	return tell(w, &d, "process %d of %s", f->pid, r->name);
}

static int compare_scope(struct difference_walk *w, const struct runnings *list, const char *scope)
{
	struct difference d = { .kind = SCOPE_STRAY, .name = scope };

	w->compared[COMPARED_SCOPES]++;
	return by_name(list, scope) ? 0 : tell(w, &d, "cgroup ultravisor-%s.scope", scope);
}

/* Those that should be there, by the rows. */
static int compare_recorded(struct difference_walk *w, const struct supervisor_adopted *r)
{
	struct difference d = { .kind = PROCESS_LOST };

	w->compared[COMPARED_PROCESSES]++;
	if (process_alive(r->pid, r->start) || w->uvd->hooks->watches(w->uvd, r->partition))
		return 0;
	return tell(w, &d, "process %d of %s", r->pid, r->name);
}

int difference_processes(struct difference_walk *w, const struct runnings *list)
{
	const struct uvd_hooks *hooks = w->uvd->hooks;
	struct processes p = { 0 };
	size_t i;
	int rc;

	rc = hooks->processes(w->uvd, gather, &p);
	p.scopes = rc > 0;
	for (i = 0; rc >= 0 && i < p.n; i++) {
		const struct found *f = &p.f[i];

		if (f->going)
			continue;
		/* A scope's entries follow each other. */
		if (f->scope[0] && (i == 0 || strcmp(p.f[i - 1].scope, f->scope)))
			rc = compare_scope(w, list, f->scope);
		else if (!f->scope[0])
			rc = compare_process(w, list, &p, f);
	}
	free(p.f);
	return rc < 0 ? rc : 0;
}

int difference_all(struct difference_walk *w)
{
	struct runnings list = { 0 };
	size_t i;
	int rc;

	rc = runnings_load(w->uvd, &list);
	if (rc == 0)
		rc = difference_objects(w);
	for (i = 0; rc == 0 && i < list.n; i++)
		rc = compare_running(w, &list.r[i]);
	for (i = 0; rc == 0 && i < list.n; i++)
		rc = compare_recorded(w, &list.r[i]);
	if (rc == 0)
		rc = difference_processors(w);
	if (rc == 0)
		rc = difference_channels(w);
	if (rc == 0)
		rc = difference_processes(w, &list);
	if (rc == 0)
		rc = difference_network(w);
	if (rc == 0)
		rc = difference_images(w);
	free(list.r);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's hardware from /sys and /proc. The default pool (when no policy sets one): not the
 * core of CPU 0, no CPU that another process is bound to, half of the memory available at first
 * start.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <common/size.h>
#include <common/uuid.h>
#include <ultravisor/command.h>
#include <ultravisor/handover.h>

#include "inventory.h"
#include "ledger.h"
#include "uvd.h"

#define MEMORY_STEP (2ULL << 20)

static bool read_text(const char *root, const char *path, char *to, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return false;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, to, size - 1);
	close(fd);
	if (n < 0)
		return false;
	to[n] = '\0';
	return true;
}

static long read_number(const char *root, const char *path, long otherwise)
{
	char text[32];

	return read_text(root, path, text, sizeof(text)) ? strtol(text, NULL, 10) : otherwise;
}

static bool read_list(const char *root, const char *path, struct cpuset *set)
{
	char text[4096];

	memset(set, 0, sizeof(*set));
	return read_text(root, path, text, sizeof(text)) && cpuset_parse(set, text) == 0;
}

static void read_cpu(struct inventory *inv, const char *root, unsigned int cpu)
{
	struct inventory_cpu *c = &inv->cpu[cpu];
	char path[128];

	c->online = true;
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/physical_package_id",
		 cpu);
	c->package = read_number(root, path, 0);
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/core_id", cpu);
	c->core = read_number(root, path, cpu);
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 cpu);
	if (!read_list(root, path, &c->siblings))
		cpuset_add(&c->siblings, cpu);
}

/* The value of a line such as "Node 0 MemTotal:  1234 kB" or "MemAvailable: 1234 kB", in bytes. */
static uint64_t meminfo(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

static int read_nodes(struct inventory *inv, const char *root)
{
	char path[128], text[8192];
	struct cpuset nodes, cpus;
	unsigned int node, cpu;

	if (!read_list(root, "/sys/devices/system/node/online", &nodes)) {
		/* A kernel without NUMA: one node. */
		inv->node[0].present = true;
		inv->node[0].memory = inv->memory;
		inv->nodes = 1;
		return 0;
	}
	for (node = cpuset_next(&nodes, 0); node < CPUSET_CPUS;
	     node = cpuset_next(&nodes, node + 1)) {
		if (node >= INVENTORY_NODES)
			return -ERANGE;
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
		if (read_text(root, path, text, sizeof(text)))
			inv->node[node].memory = meminfo(text, "MemTotal:");
		inv->node[node].present = true;
		inv->nodes++;
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
		if (!read_list(root, path, &cpus))
			continue;
		for (cpu = cpuset_next(&cpus, 0); cpu < CPUSET_CPUS;
		     cpu = cpuset_next(&cpus, cpu + 1))
			inv->cpu[cpu].node = node;
	}
	return 0;
}

uint64_t inventory_huge_pages(const char *root, uint32_t node)
{
	char path[128];
	long pages;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%u/hugepages/hugepages-2048kB/nr_hugepages", node);
	pages = read_number(root, path, -1);
	/* A kernel without NUMA: one node. */
	if (pages < 0 && node == 0)
		pages = read_number(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
				    0);
	return pages < 0 ? 0 : pages;
}

/* "Cpus_allowed_list:\t0-3" of a process that is no kernel thread (those have no VmSize). */
static bool allowed_cpus(const char *root, const char *pid, struct cpuset *set)
{
	char path[300], text[8192], *at;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	if (!read_text(root, path, text, sizeof(text)) || !strstr(text, "\nVmSize:"))
		return false;
	at = strstr(text, "\nCpus_allowed_list:");
	if (!at)
		return false;
	at += strlen("\nCpus_allowed_list:");
	at += strspn(at, " \t");
	at[strcspn(at, "\n")] = '\0';
	return cpuset_parse(set, at) == 0;
}

static bool subset(const struct cpuset *a, const struct cpuset *b)
{
	unsigned int i;

	for (i = 0; i < CPUSET_WORDS; i++)
		if (a->word[i] & ~b->word[i])
			return false;
	return true;
}

/* Bound is who may use fewer processors than PID 1: containers and isolcpus= bind PID 1, too. */
void inventory_read_pinned(struct inventory *inv, const char *root)
{
	struct cpuset all, one;
	char path[PATH_MAX];
	struct dirent *e;
	unsigned int i;
	DIR *d;

	if (!allowed_cpus(root, "1", &all))
		return;
	snprintf(path, sizeof(path), "%s/proc", root);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !allowed_cpus(root, e->d_name, &one))
			continue;
		if (!subset(&one, &all) || subset(&all, &one))
			continue;
		for (i = 0; i < CPUSET_WORDS; i++)
			inv->pinned.word[i] |= one.word[i];
	}
	closedir(d);
}

/* Entries of a directory of /sys that have a device behind them. */
static unsigned int count_devices(const char *root, const char *class)
{
	char path[PATH_MAX];
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", root, class);
	d = opendir(path);
	if (!d)
		return 0;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s%s/%s/device", root, class, e->d_name);
		n += access(path, F_OK) == 0;
	}
	closedir(d);
	return n;
}

int inventory_read(struct inventory *inv, const char *root)
{
	struct cpuset online;
	char text[8192];
	unsigned int cpu;
	int rc;

	memset(inv, 0, sizeof(*inv));
	if (!read_list(root, "/sys/devices/system/cpu/online", &online))
		return -ENODEV;
	for (cpu = cpuset_next(&online, 0); cpu < CPUSET_CPUS;
	     cpu = cpuset_next(&online, cpu + 1)) {
		read_cpu(inv, root, cpu);
		inv->cpus++;
	}
	if (!read_text(root, "/proc/meminfo", text, sizeof(text)))
		return -ENODEV;
	inv->memory = meminfo(text, "MemTotal:");
	inv->available = meminfo(text, "MemAvailable:");
	rc = read_nodes(inv, root);
	if (rc < 0)
		return rc;
	inv->devices = count_devices(root, "/sys/block");
	inv->interfaces = count_devices(root, "/sys/class/net");
	return 0;
}

void inventory_default_pool(const struct inventory *inv, struct cpuset *cpus, uint64_t *memory,
			    char *reason, size_t size)
{
	char list[64], half[SIZE_TEXT], available[SIZE_TEXT];
	bool one_core = true;
	unsigned int cpu;

	memset(cpus, 0, sizeof(*cpus));
	for (cpu = 0; cpu < CPUSET_CPUS; cpu++)
		if (inv->cpu[cpu].online && !cpuset_has(&inv->cpu[0].siblings, cpu))
			one_core = false;
	for (cpu = 0; cpu < CPUSET_CPUS; cpu++) {
		if (!inv->cpu[cpu].online || cpuset_has(&inv->pinned, cpu))
			continue;
		if (one_core || !cpuset_has(&inv->cpu[0].siblings, cpu))
			cpuset_add(cpus, cpu);
	}
	*memory = inv->available / 2 / MEMORY_STEP * MEMORY_STEP;
	cpuset_format(&inv->pinned, list, sizeof(list));
	snprintf(reason, size, "default: %s%s%s; %s, half of the %s available at first start",
		 one_core ? "this host has one core, partitions share it with the host" :
		 "not the core of CPU 0", list[0] ? ", nor what processes are bound to: " : "",
		 list, size_human(*memory, half), size_human(inv->available, available));
}

void inventory_shares(const uint64_t *total, unsigned int n, uint64_t bytes, uint64_t *share)
{
	uint64_t all = 0, left = bytes;
	unsigned int i;

	for (i = 0; i < n; i++)
		all += total[i];
	for (i = 0; i < n; i++) {
		/* The last takes what rounding left, up to what it has. */
		share[i] = all ? (uint64_t)((__uint128_t)bytes * total[i] / all) : 0;
		if (i == n - 1)
			share[i] = left;
		if (n > 1)
			share[i] = share[i] / MEMORY_STEP * MEMORY_STEP;
		if (share[i] > total[i])
			share[i] = total[i];
		left -= share[i];
	}
}

int inventory_split_pool(struct db *db, uint64_t bytes)
{
	uint64_t total[INVENTORY_NODES], share[INVENTORY_NODES];
	unsigned int n = 0, i;
	uint32_t node[INVENTORY_NODES];
	sqlite3_stmt *q;
	int rc;

	q = db_query(db, "SELECT node, memory_total FROM node ORDER BY node", "");
	while ((rc = db_next(db, q)) > 0 && n < INVENTORY_NODES) {
		node[n] = db_int(q, 0);
		total[n++] = db_int(q, 1);
	}
	db_done(q);
	inventory_shares(total, n, bytes, share);
	for (i = 0; rc >= 0 && i < n; i++)
		rc = db_run(db, "UPDATE node SET memory_pool = ? WHERE node = ?", "ii",
			    (int64_t)share[i], (int64_t)node[i]);
	return rc < 0 ? rc : 0;
}

static int store_node(struct db *db, unsigned int node, uint64_t memory)
{
	return db_run(db, "INSERT INTO node VALUES (?1, ?2, 0) ON CONFLICT (node) DO UPDATE SET"
		      " memory_total = ?2", "ii", (int64_t)node, (int64_t)memory);
}

static int store_cpu(struct db *db, unsigned int cpu, const struct inventory_cpu *c)
{
	char siblings[4096];

	cpuset_format(&c->siblings, siblings, sizeof(siblings));
	return db_run(db, "INSERT INTO processor VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, NULL)"
		      " ON CONFLICT (cpu) DO UPDATE SET node = ?2, package = ?3, core = ?4,"
		      " siblings = ?5, present = 1", "iiiit", (int64_t)cpu, (int64_t)c->node,
		      (int64_t)c->package, (int64_t)c->core, siblings);
}

static int store_system_partition(struct db *db, const char *name, int kind)
{
	uint8_t uuid[16];

	uuid_random(uuid);
	return db_run(db, "INSERT INTO partition (uuid, name, kind, state, vcpus, mode, budget_ns,"
		      " period_ns, memory, kernel, initrd, cmdline, generation, changed)"
		      " VALUES (?, ?, ?, 1, 0, 0, 0, 0, 0, '', '', '', 1, 0)", "uti", uuid, name,
		      (int64_t)kind);
}

static int store_host(const struct inventory *inv, struct db *db)
{
	static const struct {
		const char *name;
		int kind;
	} system[] = {
		{ "ultravisor", PARTITION_ULTRAVISOR },
		{ "command", PARTITION_COMMAND },
		{ "operations", PARTITION_OPERATIONS },
		{ "io-a", PARTITION_IO },
		{ "io-b", PARTITION_IO },
	};
	uint8_t uuid[16], none[16] = { 0 };
	char name[64] = "", reason[256];
	struct cpuset cpus;
	uint64_t memory;
	unsigned int i;
	int rc;

	inventory_default_pool(inv, &cpus, &memory, reason, sizeof(reason));
	gethostname(name, sizeof(name) - 1);
	uuid_random(uuid);
	rc = db_run(db, "INSERT INTO host VALUES (1, ?, ?, ?, ?, ?, 1, ?, 1, 0, 0)",
			    "utuiit", uuid, name, none, (int64_t)inv->memory, (int64_t)memory,
			    reason);
	for (i = 0; rc == 0 && i < sizeof(system) / sizeof(*system); i++)
		rc = store_system_partition(db, system[i].name, system[i].kind);
	for (i = cpuset_next(&cpus, 0); rc == 0 && i < CPUSET_CPUS; i = cpuset_next(&cpus, i + 1))
		rc = db_run(db, "UPDATE processor SET in_pool = 1 WHERE cpu = ?", "i", (int64_t)i);
	if (rc == 0)
		rc = inventory_split_pool(db, memory);
	if (rc == 0)
		log_notice("first start: %s", reason);
	return rc;
}

/* A processor that went offline keeps its row and its owner; new contexts cannot use it. */
static int store_offline(const struct inventory *inv, struct db *db)
{
	struct cpuset gone = { 0 };
	sqlite3_stmt *q;
	unsigned int cpu;
	int rc;

	q = db_query(db, "SELECT cpu FROM processor WHERE present = 1", "");
	while ((rc = db_next(db, q)) > 0) {
		cpu = db_int(q, 0);
		if (cpu < CPUSET_CPUS && !inv->cpu[cpu].online)
			cpuset_add(&gone, cpu);
	}
	for (cpu = cpuset_next(&gone, 0); rc == 0 && cpu < CPUSET_CPUS;
	     cpu = cpuset_next(&gone, cpu + 1))
		rc = db_run(db, "UPDATE processor SET present = 0 WHERE cpu = ?", "i",
			    (int64_t)cpu);
	return rc;
}

static int store(const struct inventory *inv, struct db *db)
{
	int64_t one;
	unsigned int i;
	int rc = 0;

	for (i = 0; rc == 0 && i < INVENTORY_NODES; i++)
		if (inv->node[i].present)
			rc = store_node(db, i, inv->node[i].memory);
	if (rc == 0)
		rc = store_offline(inv, db);
	for (i = 0; rc == 0 && i < CPUSET_CPUS; i++)
		if (inv->cpu[i].online)
			rc = store_cpu(db, i, &inv->cpu[i]);
	if (rc == 0)
		rc = db_value(db, &one, "SELECT 1 FROM host", "");
	if (rc == -ENOENT)
		return store_host(inv, db);
	if (rc == 0)
		rc = db_run(db, "UPDATE host SET memory_total = ?1 WHERE memory_total <> ?1", "i",
			    (int64_t)inv->memory);
	return rc;
}

/* History takes number and time from a line of the ledger, which stays if there is any. */
int inventory_store(const struct inventory *inv, struct db *db)
{
	int64_t before = 0, after = 0;
	int rc;

	rc = db_value(db, &before, "SELECT max(id) FROM version", "");
	if (rc == 0 || rc == -ENOENT)
		rc = ledger_note(db_handle(db), 0, before ? "the hardware has changed" :
				 "first start");
	if (rc == 0)
		rc = store(inv, db);
	if (rc == 0)
		rc = db_value(db, &after, "SELECT max(id) FROM version", "");
	if (rc == 0 && before == after)
		rc = db_run(db, "DELETE FROM ledger WHERE \"transaction\" ="
			    " (SELECT \"transaction\" FROM clock)", "");
	return rc;
}

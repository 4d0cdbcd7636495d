/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a partition's rows to its kernel objects: partition, memory blocks, contexts, monitor
 * channel, one channel for each device. All are prepared only; the transaction's list publishes
 * or destroys them.
 */
#include <asm-generic/hugetlb_encode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <ultravisor/io.h>
#include <ultravisor/monitor.h>

#include "launch.h"
#include "lease.h"
#include "operation.h"

/* Of the largest channel: three areas and the header. */
#define CHANNEL_BYTES (IO_CONSOLE_CLIENT_SIZE + IO_CONSOLE_SERVER_SIZE + IO_PRIVATE_SIZE + 4096ULL)

#define NODES 1024	/* of the host, at most, for mbind */

static int failed(struct transaction *t, int rc, const char *what, const char *name)
{
	return refuse(t, rc == -ENOSPC || rc == -ENOMEM || rc == -EBUSY ? COMMAND_RESOURCES :
		      COMMAND_FAILED, "see uvd's log and the kernel's", "%s of %s: %s", what, name,
		      strerror(-rc));
}

static int open_boot(struct transaction *t, const char *what, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return refuse(t, errno == ENOENT || errno == ENOTDIR ? COMMAND_NOT_FOUND :
			      COMMAND_FAILED, "correct the definition's boot section",
			      "%s %s: %s", what, path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(t, COMMAND_INVALID, "name a regular file", "%s %s is not a file",
			      what, path);
	}
	return fd;
}

int launch_open_boot(struct transaction *t, const char *kernel, const char *initrd, int fd[2])
{
	fd[0] = open_boot(t, "kernel", kernel);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = -1;
	if (*initrd) {
		fd[1] = open_boot(t, "initrd", initrd);
		if (fd[1] < 0) {
			close(fd[0]);
			return fd[1];
		}
	}
	return 0;
}

int launch_check_boot(struct transaction *t, const char *kernel, const char *initrd)
{
	int fd[2];

	if (launch_open_boot(t, kernel, initrd, fd) < 0)
		return -ECANCELED;
	close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
	return 0;
}

void launch_destroy(struct launch *launch)
{
	unsigned int i;

	if (!launch)
		return;
	for (i = 0; i < launch->blocks; i++)
		close(launch->block[i].fd);
	if (launch->kernel >= 0)
		close(launch->kernel);
	if (launch->initrd >= 0)
		close(launch->initrd);
	free(launch);
}

/*
 * The policy of shared memory belongs to the file: it holds for whoever touches a page first. So
 * does the reservation that a mapping of huge pages makes, or fails to make.
 */
static int bind_to_node(int fd, uint64_t length, uint32_t node)
{
	unsigned long nodes[NODES / (8 * sizeof(long))] = { 0 };
	void *map;
	int rc = 0;

	if (node >= NODES)
		return -EINVAL;
	nodes[node / (8 * sizeof(long))] = 1UL << (node % (8 * sizeof(long)));
	map = mmap(NULL, length, PROT_NONE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (syscall(SYS_mbind, map, length, MPOL_BIND, nodes, (unsigned long)NODES, 0) < 0)
		rc = -errno;
	munmap(map, length);
	/* A kernel without NUMA has one node, and memory comes from it. */
	return rc == -ENOSYS && node == 0 ? 0 : rc;
}

static int make_block(struct kernel *k, int partition, const char *name, uint64_t gpa,
		      uint64_t length, uint32_t node, bool huge)
{
	char label[COMMAND_NAME_LEN + 16];
	int fd, rc;

	snprintf(label, sizeof(label), "ultravisor:%s", name);
	fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING |
			  (huge ? MFD_HUGETLB | HUGETLB_FLAG_ENCODE_2MB : 0));
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, length) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		rc = -errno;
		goto close;
	}
	rc = bind_to_node(fd, length, node);
	if (rc == 0)
		rc = kernel_memory_add(k, partition, fd, gpa, length);
	if (rc == 0)
		return fd;
close:
	close(fd);
	return rc;
}

/* One block for each node's share, split where the hole for PCI and the APICs begins. */
static int make_memory(struct transaction *t, struct launch *launch, int partition)
{
	uint64_t gpa = 0, left, length;
	sqlite3_stmt *q;
	int rc, fd;

	q = db_query(t->uvd->db, "SELECT node, bytes, page_size FROM memory"
		     " WHERE partition = ? ORDER BY node", "u", launch->partition);
	while ((rc = db_next(t->uvd->db, q)) > 0) {
		bool huge = db_int(q, 2) == COMMAND_HUGE_PAGE;
		uint32_t node = db_int(q, 0);

		for (left = db_int(q, 1); left; left -= length) {
			length = left;
			if (gpa < MONITOR_LOW_LIMIT && gpa + left > MONITOR_LOW_LIMIT)
				length = MONITOR_LOW_LIMIT - gpa;
			fd = launch->blocks == ULTRAVISOR_MAX_BLOCKS ? -ENOSPC :
			     make_block(t->uvd->kernel, partition, launch->name, gpa, length, node,
					huge);
			if (fd < 0) {
				db_done(q);
				return failed(t, fd, huge ? "memory in huge pages" : "memory",
					      launch->name);
			}
			launch->block[launch->blocks++] = (struct launch_block){
				.fd = fd,
				.gpa = gpa,
				.length = length,
			};
			launch->memory += length;
			gpa += length;
			if (gpa == MONITOR_LOW_LIMIT)
				gpa = MONITOR_HIGH_BASE;
		}
	}
	return refuse_db(t, rc);
}

static int make_contexts(struct transaction *t, struct launch *launch, int partition)
{
	struct ultravisor_context_set set;
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT idx, mode, realtime, budget_ns, period_ns,"
		     " window_start_ns, window_ns, cpus FROM context"
		     " WHERE partition = ? ORDER BY idx", "u", launch->partition);
	while ((rc = db_next(t->uvd->db, q)) > 0) {
		rc = processor_read_context(q, &set);
		if (rc == 0)
			rc = kernel_context_create(t->uvd->kernel, partition, &set);
		if (rc < 0) {
			db_done(q);
			return failed(t, rc, "a context", launch->name);
		}
		launch->vcpus++;
	}
	return refuse_db(t, rc);
}

/* Creates the object, names its servers by the rows, records its id. */
static int make_channel(struct transaction *t, struct launch *launch, const uint8_t uuid[16],
			struct ultravisor_channel_create *c, uint64_t *id)
{
	int fd, rc;

	memcpy(c->uuid, uuid, 16);
	c->client_id = launch->id;
	c->transaction = t->number;
	fd = kernel_channel_create(t->uvd->kernel, c, id);
	if (fd < 0)
		return failed(t, fd, "a channel", launch->name);
	rc = transaction_made(t, *id);
	if (rc < 0) {
		kernel_object_destroy(t->uvd->kernel, *id);
		goto close;
	}
	rc = channel_set_servers(t->uvd, fd, uuid);
	if (rc < 0) {
		rc = failed(t, rc, "the servers of a channel", launch->name);
		goto close;
	}
	rc = refuse_db(t, db_run(t->uvd->db, "UPDATE channel SET module_id = ? WHERE uuid = ?",
				 "iu", (int64_t)*id, uuid));
close:
	close(fd);
	return rc;
}

static int make_monitor_channel(struct transaction *t, struct launch *launch)
{
	struct ultravisor_channel_create c = {
		.type = CHANNEL_MONITOR,
		.layout_version = MONITOR_LAYOUT_VERSION,
		.client_size = MONITOR_CLIENT_SIZE,
		.server_size = MONITOR_SERVER_SIZE,
		.doorbells = MONITOR_DOORBELLS,
	};
	uint8_t uuid[16];
	int rc;

	uuid_random(uuid);
	rc = db_run(t->uvd->db, "INSERT INTO channel (uuid, type, partition, name, generation,"
		    " changed) VALUES (?, 2, ?, 'monitor', 1, ?)", "uui", uuid, launch->partition,
		    (int64_t)t->number);
	if (rc == 0)
		rc = db_run(t->uvd->db, "INSERT INTO channel_server VALUES (?, 0, ?)", "uu", uuid,
			    t->uvd->ultravisor);
	if (rc < 0)
		return refuse_db(t, rc);
	return make_channel(t, launch, uuid, &c, &launch->monitor);
}

static int make_device_channel(struct transaction *t, struct launch *launch,
			       struct launch_device *d, const uint8_t uuid[16])
{
	struct ultravisor_channel_create c = {
		.type = CHANNEL_CONSOLE,
		.layout_version = IO_LAYOUT_VERSION,
		.client_size = IO_CONSOLE_CLIENT_SIZE,
		.server_size = IO_CONSOLE_SERVER_SIZE,
		.private_size = IO_CONSOLE_PRIVATE_SIZE,
		.doorbells = 1,
		.answer_ns = IO_ANSWER_NS,
	};

	if (d->type != DEVICE_CONSOLE) {
		c.type = d->type == DEVICE_BLOCK ? CHANNEL_BLOCK : CHANNEL_NETWORK;
		c.flags = ULTRAVISOR_CHANNEL_GRANT;
		c.client_size = IO_CLIENT_SIZE;
		c.server_size = IO_SERVER_SIZE;
		c.private_size = IO_PRIVATE_SIZE;
		c.doorbells = IO_DOORBELLS;
	}
	return make_channel(t, launch, uuid, &c, &d->channel);
}

static int make_devices(struct transaction *t, struct launch *launch)
{
	uint8_t uuid[LAUNCH_DEVICES][16];
	struct launch_device *d;
	unsigned int i;
	sqlite3_stmt *q;
	int rc;

	q = db_query(t->uvd->db, "SELECT d.name, d.type, d.mac, c.uuid FROM device d"
		     " JOIN channel c ON c.partition = d.partition AND c.device = d.name"
		     " WHERE d.partition = ? ORDER BY d.rank LIMIT ?", "ui",
		     launch->partition, (int64_t)LAUNCH_DEVICES);
	while ((rc = db_next(t->uvd->db, q)) > 0) {
		d = &launch->device[launch->devices];
		db_text(q, 0, d->name, sizeof(d->name));
		d->type = db_int(q, 1);
		if (sqlite3_column_bytes(q, 2) == sizeof(d->mac))
			memcpy(d->mac, sqlite3_column_blob(q, 2), sizeof(d->mac));
		db_uuid(q, 3, uuid[launch->devices++]);
	}
	if (rc < 0)
		return refuse_db(t, rc);
	for (i = 0; i < launch->devices; i++)
		if (make_device_channel(t, launch, &launch->device[i], uuid[i]) < 0)
			return -ECANCELED;
	return 0;
}

static int load_partition(struct transaction *t, struct launch *launch)
{
	char kernel[COMMAND_PATH_LEN], initrd[COMMAND_PATH_LEN];
	sqlite3_stmt *q;
	int fd[2], rc;

	q = db_query(t->uvd->db, "SELECT name, kernel, initrd, cmdline FROM partition"
		     " WHERE uuid = ?", "u", launch->partition);
	rc = db_next(t->uvd->db, q);
	if (rc <= 0)
		return refuse_db(t, rc < 0 ? rc : -EIO);
	db_text(q, 0, launch->name, sizeof(launch->name));
	db_text(q, 1, kernel, sizeof(kernel));
	db_text(q, 2, initrd, sizeof(initrd));
	db_text(q, 3, launch->cmdline, sizeof(launch->cmdline));
	db_done(q);
	if (launch_open_boot(t, kernel, initrd, fd) < 0)
		return -ECANCELED;
	launch->kernel = fd[0];
	launch->initrd = fd[1];
	return 0;
}

static int charged_partition(struct transaction *t, struct launch *launch,
			     struct ultravisor_partition_create *c)
{
	int cgroup = t->uvd->hooks->charge ? t->uvd->hooks->charge(t->uvd, launch->name) :
		     -EOPNOTSUPP;
	int fd;

	c->flags = cgroup >= 0 ? ULTRAVISOR_PARTITION_CGROUP : 0;
	c->cgroup = cgroup >= 0 ? cgroup : 0;
	fd = kernel_partition_create(t->uvd->kernel, c, &launch->id);
	/* A kernel that accounts no memory charges nobody. */
	if (fd == -EOPNOTSUPP && cgroup >= 0) {
		c->flags = 0;
		c->cgroup = 0;
		fd = kernel_partition_create(t->uvd->kernel, c, &launch->id);
	}
	if (cgroup >= 0)
		close(cgroup);
	return fd;
}

/* With as many channels as it has devices, and its monitor's. */
static int make_partition(struct transaction *t, struct launch *launch)
{
	struct ultravisor_partition_create c = {
		.transaction = t->number,
		.max_channels = LAUNCH_DEVICES + 1,
		.max_channel_bytes = (LAUNCH_DEVICES + 1) * CHANNEL_BYTES,
	};
	int fd;

	memcpy(c.uuid, launch->partition, sizeof(c.uuid));
	memcpy(c.name, launch->name, sizeof(c.name));
	fd = charged_partition(t, launch, &c);
	/* The cgroup was its last scope's, and systemd has just removed that. */
	return fd == -ENOENT ? charged_partition(t, launch, &c) : fd;
}

int launch_prepare(struct transaction *t, const uint8_t partition[16])
{
	struct launch *launch;
	int fd, rc;

	for (size_t i = 0; i < t->n_launches; i++)
		if (!memcmp(t->launches[i]->partition, partition, 16))
			return refuse(t, COMMAND_CONFLICT, "start it once",
				      "partition %s is started twice in one transaction",
				      t->launches[i]->name);
	launch = calloc(1, sizeof(*launch));
	if (!launch)
		return refuse(t, COMMAND_FAILED, "try again later", "uvd is out of memory");
	launch->kernel = launch->initrd = -1;
	memcpy(launch->partition, partition, 16);
	/* From here on the transaction owns it. */
	if (transaction_launch(t, launch) < 0 || load_partition(t, launch) < 0)
		return -ECANCELED;
	fd = make_partition(t, launch);
	if (fd < 0)
		return failed(t, fd, "the kernel object", launch->name);
	rc = transaction_made(t, launch->id);
	if (rc < 0) {
		kernel_object_destroy(t->uvd->kernel, launch->id);
		goto close;
	}
	rc = make_memory(t, launch, fd);
	if (rc == 0)
		rc = make_contexts(t, launch, fd);
	if (rc == 0)
		rc = lease_prepare(t, partition, launch->name, fd);
	if (rc == 0)
		rc = refuse_db(t, db_run(t->uvd->db, "UPDATE partition SET module_id = ?"
					 " WHERE uuid = ?", "iu", (int64_t)launch->id, partition));
	if (rc == 0)
		rc = make_monitor_channel(t, launch);
	if (rc == 0)
		rc = make_devices(t, launch);
	t->channels = true;
close:
	close(fd);
	return rc;
}

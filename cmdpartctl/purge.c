/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host purge: what to do when uvd is dead and cannot be made to live. Without any daemon it kills
 * the guests' monitors, destroys every object of the module, and removes taps, the bridge and the
 * cgroups that the project made. uvd's lock is held meanwhile, so that none can start; the book
 * stays: the next uvd finds that what ran is gone, and records it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/ultravisor.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/output.h>
#include <ultravisor/handover.h>

#include "cmdpartctl.h"

#define DEVICE		"/dev/ultravisor"
#define LOCK		"/var/lib/ultravisor/uvd.lock"
#define SLICE		"/sys/fs/cgroup/ultravisor.slice"
#define TAP_PREFIX	"uvt"		/* uvd's names for taps, and its bridge: uvd/network.h */
#define BRIDGE		"uvbr0"
#define BRIDGE_GROUP	0x7576		/* uvd marks the bridge that it made */
#define DIE_MS		10000
#define OBJECTS_MAX	1000000		/* a bound for the loops */

struct purge {
	const struct options *o;
	int device;
	json_t *done;			/* lines of what was removed */
};

__attribute__((format(printf, 2, 3)))
static void did(struct purge *p, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!p->o->json)
		printf("%s\n", line);
	json_array_append_new(p->done, json_string(line));
}

/* ---- is uvd dead? */

static bool uvd_listens(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HANDOVER_PATH };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool lives = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address));

	if (fd >= 0)
		close(fd);
	return lives;
}

/* Takes uvd's lock: a descriptor (-1: it never ran here), or -2 and *e. */
static int lock_out(struct error *e)
{
	int fd = open(LOCK, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT) {
		error_set(e, EXIT_FAILED, "%s: %s", LOCK, strerror(errno));
		return -2;
	}
	if (!uvd_listens() && (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB)))
		return fd;
	if (fd >= 0)
		close(fd);
	error_set(e, EXIT_CONFLICT, "uvd is alive");
	error_why(e, "what it records would no longer be true");
	error_fix(e, "cmdpartctl host stop does it in order; or first: systemctl stop uvd");
	return -2;
}

/* ---- the module's objects */

static int call_module(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

static int next_object(const struct purge *p, struct ultravisor_object_next *n)
{
	n->size = sizeof(*n);
	n->flags = 0;
	return call_module(p->device, ULTRAVISOR_OBJECT_NEXT, n);
}

static bool wait_for_end(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, DIE_MS) > 0;
}

/* The process that made the partition's VM. */
static void kill_monitor(struct purge *p, uint64_t id)
{
	struct ultravisor_object_open open_it = { .size = sizeof(open_it), .id = id,
						  .role = ULTRAVISOR_ROLE_CONTROL };
	struct ultravisor_partition_info info = { .size = sizeof(info) };
	int pidfd = -1;
	pid_t pid;

	if (call_module(p->device, ULTRAVISOR_OBJECT_OPEN, &open_it) < 0)
		return;
	if (!call_module(open_it.out_fd, ULTRAVISOR_PARTITION_INFO, &info) && info.out_monitor) {
		pid = info.out_monitor;
		pidfd = syscall(SYS_pidfd_open, pid, 0);
		/* Asked again behind the open: the number may have become another process's. */
		if (pidfd >= 0 &&
		    !call_module(open_it.out_fd, ULTRAVISOR_PARTITION_INFO, &info) &&
		    info.out_monitor == pid &&
		    !syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0))
			did(p, "partition %.63s: monitor %d %s", info.out_name, (int)pid,
			    wait_for_end(pidfd) ? "killed" : "does not end");
	}
	if (pidfd >= 0)
		close(pidfd);
	close(open_it.out_fd);
}

static void kill_monitors(struct purge *p)
{
	struct ultravisor_object_next n = { 0 };

	for (int i = 0; i < OBJECTS_MAX && !next_object(p, &n); i++, n.id = n.out_id)
		if (n.out_kind == ULTRAVISOR_KIND_PARTITION)
			kill_monitor(p, n.out_id);
}

/* Channels before the partitions that are their clients. 0, or the last -errno. */
static int destroy_objects(struct purge *p, uint32_t kind)
{
	const char *noun = kind == ULTRAVISOR_KIND_PARTITION ? "partition" : "channel";
	struct ultravisor_object_next n = { 0 };
	int rc = 0, r;

	for (int i = 0; i < OBJECTS_MAX && !next_object(p, &n); i++, n.id = n.out_id) {
		struct ultravisor_object object = { .size = sizeof(object), .id = n.out_id };

		if (n.out_kind != kind)
			continue;
		r = call_module(p->device, ULTRAVISOR_OBJECT_DESTROY, &object);
		if (r < 0 && r != -ENOENT)
			rc = r;
		did(p, "%s %llu: %s", noun, (unsigned long long)n.out_id,
		    r < 0 ? strerror(-r) : "destroyed");
	}
	return rc;
}

/* ---- the host's own things */

static bool read_number(const char *path, long *number)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	*number = n > 0 ? strtol(text, NULL, 0) : 0;
	return n > 0;
}

/* A persistent tap goes when it is no longer persistent and nobody has it open. */
static void remove_tap(struct purge *p, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE |
					      IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), r = -1;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	if (fd >= 0 && !ioctl(fd, TUNSETIFF, &request))
		r = ioctl(fd, TUNSETPERSIST, 0);
	did(p, "tap %s: %s", name, r < 0 ? strerror(errno) : "removed");
	if (fd >= 0)
		close(fd);
}

static void remove_bridge(struct purge *p)
{
	struct ifreq request = { 0 };
	long group;
	int fd;

	if (!read_number("/sys/class/net/" BRIDGE "/netdev_group", &group) ||
	    group != BRIDGE_GROUP)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(request.ifr_name, BRIDGE);
	/* It must be down to go; its flags are zero then. */
	ioctl(fd, SIOCSIFFLAGS, &request);
	did(p, "bridge %s: %s", BRIDGE,
	    ioctl(fd, SIOCBRDELBR, BRIDGE) < 0 ? strerror(errno) : "removed");
	close(fd);
}

static void remove_network(struct purge *p)
{
	DIR *d = opendir("/sys/class/net");
	char path[512];
	struct dirent *e;
	long flags;

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", e->d_name);
		if (!strncmp(e->d_name, TAP_PREFIX, strlen(TAP_PREFIX)) &&
		    read_number(path, &flags))
			remove_tap(p, e->d_name);
	}
	if (d)
		closedir(d);
	remove_bridge(p);
}

/* Under systemd a scope is gone with its last process; else the directory is ours to remove. */
static void remove_scopes(struct purge *p)
{
	DIR *d = opendir(SLICE);
	char path[512];
	struct dirent *e;
	int fd;

	while (d && (e = readdir(d))) {
		const char *end = strstr(e->d_name, ".scope");

		if (strncmp(e->d_name, "ultravisor-", 11) || !end || end[6])
			continue;
		snprintf(path, sizeof(path), SLICE "/%s/cgroup.kill", e->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			if (write(fd, "1", 1) < 0)
				did(p, "cgroup %s: %s", e->d_name, strerror(errno));
			close(fd);
		}
		*strrchr(path, '/') = '\0';
		for (int i = 0; rmdir(path) < 0 && errno == EBUSY && i < 50; i++)
			usleep(20 * 1000);
		did(p, "cgroup %s: %s", e->d_name, access(path, F_OK) < 0 ? "removed" :
		    strerror(EBUSY));
	}
	if (d)
		closedir(d);
}

/* ---- who else holds the module? */

static void find_holder(struct purge *p, const char *pid)
{
	char path[300], link[256], name[64] = "";
	DIR *d;
	struct dirent *e;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, e->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (!strstr(link, "ultravisor-") && strcmp(link, DEVICE))
			continue;
		if (link[0] == '/' && strcmp(link, DEVICE) && strncmp(link, "/ultravisor-", 12))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			n = read(fd, name, sizeof(name) - 1);
			name[n > 0 ? n - 1 : 0] = '\0';
			close(fd);
		}
		did(p, "%s (process %s) still has descriptors of the module: stop it before rmmod",
		    name, pid);
		break;
	}
	if (d)
		closedir(d);
}

static void find_holders(struct purge *p)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && atoi(e->d_name) != getpid())
			find_holder(p, e->d_name);
	if (d)
		closedir(d);
}

static int may_purge(const struct options *o, struct error *e)
{
	if (!o->force) {
		error_set(e, EXIT_INVALID, "this kills every guest and needs --force");
		return error_fix(e, "cmdpartctl host stop ends guests in order, if uvd lives");
	}
	if (geteuid()) {
		error_set(e, EXIT_DENIED, "only root may do this");
		return error_fix(e, "repeat it as root");
	}
	return 0;
}

int purge(const struct options *o)
{
	struct purge p = { .o = o, .done = json_array(), .device = -1 };
	struct error e = ERROR_NONE;
	int lock = -1, rc = may_purge(o, &e), r;

	if (!rc) {
		lock = lock_out(&e);
		rc = lock < -1 ? -1 : 0;
	}
	if (!rc) {
		p.device = open(DEVICE, O_RDWR | O_CLOEXEC);
		if (p.device < 0 && errno != ENOENT)
			rc = error_set(&e, EXIT_FAILED, DEVICE ": %s", strerror(errno));
	}
	if (!rc && p.device >= 0) {
		kill_monitors(&p);
		rc = destroy_objects(&p, ULTRAVISOR_KIND_CHANNEL);
		r = destroy_objects(&p, ULTRAVISOR_KIND_PARTITION);
		rc = rc ? rc : r;
		close(p.device);
		if (rc < 0)
			error_set(&e, EXIT_FAILED, "objects of the module remain: %s",
				  strerror(-rc));
	}
	if (e.code == EXIT_OK || e.code == EXIT_FAILED) {
		remove_scopes(&p);
		remove_network(&p);
		find_holders(&p);
	}
	if (o->json && e.code == EXIT_OK) {
		json_t *all = json_pack("{s:i, s:O}", "schema_version", OUTPUT_SCHEMA_VERSION,
					"done", p.done);

		output_json(stdout, all);
		json_decref(all);
	} else if (e.code == EXIT_OK && !json_array_size(p.done)) {
		printf("there was nothing to remove\n");
	}
	json_decref(p.done);
	if (lock >= 0)
		close(lock);
	if (e.code == EXIT_OK)
		return EXIT_OK;
	error_where(&e, "host purge");
	return give_up(o, &e);
}

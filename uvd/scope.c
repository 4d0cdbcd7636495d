/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes by systemd's private bus (StartTransientUnit), or by mkdir in cgroup2. A host that has
 * neither runs its guests without limits of memory and tasks, and says so once.
 *
 * systemd makes no scope without a process, but takes a directory that is there for its own: so
 * the kernel objects of a guest, which exist before its process, are charged where that will be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>

#include "scope.h"

#define CGROUP		"/sys/fs/cgroup"
#define SLICE		CGROUP "/ultravisor.slice"
#define PRIVATE_BUS	"unix:path=/run/systemd/private"
#define TIMEOUT_US	(5 * 1000000ULL)
#define REAP_TURNS	200	/* of 10 ms, for a killed process to be gone */

struct pending {
	struct pending *next;
	struct scopes *scopes;
	sd_bus_slot *slot;
	scope_done *done;
	void *data;
};

struct scopes {
	sd_event *event;
	sd_bus *bus;			/* while connected to systemd */
	struct pending *pending;
	enum { UNKNOWN, BY_SYSTEMD, BY_CGROUP, BY_NOBODY } by;
};

static int write_file(const char *path, const char *text)
{
	int rc = 0, fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* Controllers that the host does not have, or that are delegated otherwise, are done without. */
static void delegate(const char *directory)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", directory);
	write_file(path, "+memory");
	write_file(path, "+pids");
}

static int open_slice(void)
{
	struct statfs fs;

	if (statfs(CGROUP, &fs) < 0)
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EOPNOTSUPP;
	delegate(CGROUP);
	if (mkdir(SLICE, 0755) < 0 && errno != EEXIST)
		return -errno;
	delegate(SLICE);
	return 0;
}

static int make_directory(const char *name, char directory[PATH_MAX - 32])
{
	snprintf(directory, PATH_MAX - 32, SLICE "/ultravisor-%s.scope", name);
	return mkdir(directory, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int scopes_open(struct scopes **out, sd_event *event)
{
	struct scopes *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->event = sd_event_ref(event);
	*out = s;
	return 0;
}

/* When the first guest is started: before that nothing of the host's is changed. */
static void find_out(struct scopes *s)
{
	int rc;

	if (sd_booted() > 0) {
		s->by = BY_SYSTEMD;
		return;
	}
	rc = open_slice();
	s->by = rc == 0 ? BY_CGROUP : BY_NOBODY;
	if (rc < 0)
		log_errno(LOG_NOTICE, rc, "no cgroup2 here: guests run without limits");
}

static void close_bus(struct scopes *s)
{
	if (!s->bus)
		return;
	sd_bus_detach_event(s->bus);
	sd_bus_close_unref(s->bus);
	s->bus = NULL;
}

void scopes_close(struct scopes *s)
{
	if (!s)
		return;
	while (s->pending)
		scope_cancel(s, s->pending->data);
	close_bus(s);
	sd_event_unref(s->event);
	free(s);
}

static struct pending **find_pending(struct scopes *s, const void *data)
{
	struct pending **p;

	for (p = &s->pending; *p; p = &(*p)->next)
		if ((*p)->data == data)
			return p;
	return NULL;
}

void scope_cancel(struct scopes *s, const void *data)
{
	struct pending **p = find_pending(s, data), *found;

	if (!p)
		return;
	found = *p;
	*p = found->next;
	sd_bus_slot_unref(found->slot);
	free(found);
}

static int on_reply(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	struct pending *p = data;
	scope_done *done = p->done;
	void *done_data = p->data;
	int rc = 0;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		rc = -sd_bus_message_get_errno(reply);
		log_errno(LOG_WARNING, rc, "systemd makes no scope: %s",
			  sd_bus_message_get_error(reply)->message);
	}
	scope_cancel(p->scopes, done_data);
	done(rc, done_data);
	return 0;
}

/* systemd's own socket, for root: there may be no message bus. */
static int open_bus(struct scopes *s)
{
	int rc;

	if (s->bus && sd_bus_is_open(s->bus) > 0)
		return 0;
	close_bus(s);
	rc = sd_bus_new(&s->bus);
	if (rc < 0)
		return rc;
	rc = sd_bus_set_address(s->bus, PRIVATE_BUS);
	if (rc >= 0)
		rc = sd_bus_start(s->bus);
	if (rc >= 0)
		rc = sd_bus_attach_event(s->bus, s->event, SD_EVENT_PRIORITY_NORMAL);
	if (rc < 0)
		close_bus(s);
	return rc;
}

static int ask_systemd(struct scopes *s, const char *name, pid_t pid, uint64_t memory,
		       unsigned int tasks, struct pending *p)
{
	sd_bus_message *m = NULL;
	char unit[128];
	int rc;

	snprintf(unit, sizeof(unit), "ultravisor-%s.scope", name);
	rc = open_bus(s);
	if (rc >= 0)
		rc = sd_bus_message_new_method_call(s->bus, &m, "org.freedesktop.systemd1",
						    "/org/freedesktop/systemd1",
						    "org.freedesktop.systemd1.Manager",
						    "StartTransientUnit");
	if (rc >= 0)
		rc = sd_bus_message_append(m, "ss", unit, "replace");
	if (rc >= 0)
		rc = sd_bus_message_append(m, "a(sv)", 7,
					   "Description", "s", "Ultravisor guest",
					   "Slice", "s", "ultravisor.slice",
					   "PIDs", "au", 1, (uint32_t)pid,
					   "CollectMode", "s", "inactive-or-failed",
					   /* At shutdown it is stopped behind that unit. */
					   "Before", "as", 1, "ultravisor-guests.service",
					   "MemoryMax", "t", memory,
					   "TasksMax", "t", (uint64_t)tasks);
	if (rc >= 0)
		rc = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (rc >= 0)
		rc = sd_bus_call_async(s->bus, &p->slot, m, on_reply, p, TIMEOUT_US);
	sd_bus_message_unref(m);
	return rc < 0 ? rc : 0;
}

static int make_cgroup(const char *name, pid_t pid, uint64_t memory, unsigned int tasks)
{
	char directory[PATH_MAX - 32], path[PATH_MAX], text[32];
	int rc;

	rc = make_directory(name, directory);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/memory.max", directory);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)memory);
	write_file(path, text);
	snprintf(path, sizeof(path), "%s/pids.max", directory);
	snprintf(text, sizeof(text), "%u", tasks);
	write_file(path, text);
	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	snprintf(text, sizeof(text), "%d", (int)pid);
	return write_file(path, text);
}

void scope_create(struct scopes *s, const char *name, pid_t pid, uint64_t memory,
		  unsigned int tasks, scope_done *done, void *data)
{
	struct pending *p;
	int rc = 0;

	if (s->by == UNKNOWN)
		find_out(s);
	if (s->by == BY_SYSTEMD) {
		p = calloc(1, sizeof(*p));
		if (p) {
			p->scopes = s;
			p->done = done;
			p->data = data;
			p->next = s->pending;
			s->pending = p;
			rc = ask_systemd(s, name, pid, memory, tasks, p);
			if (rc == 0)
				return;
			scope_cancel(s, data);
		} else {
			rc = -ENOMEM;
		}
	} else if (s->by == BY_CGROUP) {
		rc = make_cgroup(name, pid, memory, tasks);
	}
	if (rc < 0)
		log_errno(LOG_WARNING, rc, "no scope for %s: it runs without limits", name);
	done(rc, data);
}

int scope_charge(struct scopes *s, const char *name)
{
	char directory[PATH_MAX - 32];
	int fd, rc;

	if (s->by == UNKNOWN)
		find_out(s);
	if (s->by == BY_NOBODY)
		return -EOPNOTSUPP;
	/* systemd has the slice's controllers on for scopes that it knows of. */
	if (s->by == BY_SYSTEMD)
		delegate(SLICE);
	rc = make_directory(name, directory);
	if (rc < 0) {
		log_errno(LOG_WARNING, rc, "what the kernel holds for %s is charged to all guests' "
			  "slice: no %s", name, directory);
		strcpy(directory, SLICE);
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void scope_remove(struct scopes *s, const char *name)
{
	char directory[PATH_MAX];

	if (s->by == BY_NOBODY)
		return;
	/* Also one that an instance before us made, or that systemd is about to remove. */
	snprintf(directory, sizeof(directory), SLICE "/ultravisor-%s.scope", name);
	if (rmdir(directory) < 0 && errno != ENOENT)
		log_errno(LOG_DEBUG, -errno, "%s", directory);
}

/* "ultravisor-web1.scope" → "web1" */
static bool scope_name(const char *file, char *name, size_t size)
{
	static const char prefix[] = "ultravisor-", suffix[] = ".scope";
	size_t n = strlen(file), p = strlen(prefix), s = strlen(suffix);

	if (n <= p + s || n - p - s >= size || strncmp(file, prefix, p) ||
	    strcmp(file + n - s, suffix))
		return false;
	snprintf(name, size, "%.*s", (int)(n - p - s), file + p);
	return true;
}

static int each_process(const char *name, scope_fn *fn, void *data)
{
	char path[PATH_MAX];
	bool any = false;
	int pid, rc = 0;
	FILE *f;

	snprintf(path, sizeof(path), SLICE "/ultravisor-%s.scope/cgroup.procs", name);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && fscanf(f, "%d", &pid) == 1) {
		any = true;
		rc = fn(name, pid, data);
	}
	fclose(f);
	return rc || any ? rc : fn(name, 0, data);
}

int scope_each(scope_fn *fn, void *data)
{
	DIR *d = opendir(SLICE);
	char name[128];
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (e = readdir(d)))
		if (scope_name(e->d_name, name, sizeof(name)))
			rc = each_process(name, fn, data);
	closedir(d);
	return rc ? rc : 1;
}

int scope_reap(const char *name)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000000 };
	char path[PATH_MAX];
	unsigned int i;
	int rc = 0;

	snprintf(path, sizeof(path), SLICE "/ultravisor-%s.scope/cgroup.kill", name);
	write_file(path, "1");
	*strrchr(path, '/') = '\0';
	for (i = 0; i < REAP_TURNS; i++) {
		rc = rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
		if (rc != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return rc;
}

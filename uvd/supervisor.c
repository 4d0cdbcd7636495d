/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One struct guest for each process. A guest is *over* when its process is gone; it has *ended*
 * when its rows are released, by the record of that or because somebody killed it: whichever comes
 * first leads to the other.
 *
 * A process is forked, then recorded, then put into its scope, and only then told to go on: what
 * runs is always on record, and a child whose uvd dies before that exits by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <libchannel/channel.h>
#include <ultravisor/handover.h>
#include <ultravisor/io.h>
#include <ultravisor/monitor.h>

#include "batch.h"
#include "internal.h"
#include "process.h"
#include "scope.h"
#include "spawn.h"
#include "supervisor.h"

#define RETRY_US	(1000 * 1000ULL)	/* when an end cannot be recorded now */
#define PRESS_US	(5 * 1000 * 1000ULL)	/* a guest that boots still felt no press */
#define LINGER_US	(5 * 1000 * 1000ULL)	/* from "powered off" to the process's end */
#define OVERHEAD	(64ULL << 20)		/* of a process beside its guest's memory, bytes */
#define TASKS		32			/* beside its vCPUs */

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct guest {
	TAILQ_ENTRY(guest) entry;
	struct supervisor *supervisor;
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	uint64_t id, monitor_id;	/* the module's: the partition, its monitor channel */
	pid_t pid;
	int pidfd;
	int go;				/* write end of the child's pipe, -1: it went */
	bool child, over, ended, starting;
	uint32_t reboots;
	char failure[SPAWN_FAILURE];	/* why it could not be started */
	struct channel *monitor;
	sd_event_source *exit, *doorbell, *timer, *defer, *press;
};

TAILQ_HEAD(guests, guest);

struct supervisor {
	struct uvd *uvd;
	sd_event *event;
	const char *program;
	struct scopes *scopes;
	struct guests guests;
};

static int on_exit_of(sd_event_source *source, int fd, uint32_t events, void *data);
static void record_end(struct guest *g);

/* A line about a guest, in the partition's story. */
#define GUEST_LOG(g, call) \
	do { \
		const char *before_ = log_partition((g)->name); \
		call; \
		log_partition(before_); \
	} while (0)

static void kill_process(const struct guest *g)
{
	if (g->pidfd >= 0 && !g->over)
		syscall(SYS_pidfd_send_signal, g->pidfd, SIGKILL, NULL, 0);
}

/* ---- guests */

static struct guest *guest_create(struct supervisor *s, const uint8_t partition[16],
				  const char *name, uint64_t id)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->supervisor = s;
	memcpy(g->partition, partition, 16);
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->id = id;
	g->pidfd = g->go = -1;
	TAILQ_INSERT_TAIL(&s->guests, g, entry);
	return g;
}

static void drop_channel(struct guest *g)
{
	g->doorbell = sd_event_source_disable_unref(g->doorbell);
	g->press = sd_event_source_disable_unref(g->press);
	channel_close(g->monitor);
	g->monitor = NULL;
}

static void guest_destroy(struct guest *g)
{
	TAILQ_REMOVE(&g->supervisor->guests, g, entry);
	scope_cancel(g->supervisor->scopes, g);
	drop_channel(g);
	g->exit = sd_event_source_disable_unref(g->exit);
	g->timer = sd_event_source_disable_unref(g->timer);
	g->defer = sd_event_source_disable_unref(g->defer);
	if (g->pidfd >= 0)
		close(g->pidfd);
	if (g->go >= 0)
		close(g->go);
	free(g);
}

static struct guest *guest_find(struct supervisor *s, const uint8_t partition[16])
{
	struct guest *g;

	TAILQ_FOREACH(g, &s->guests, entry)
		if (!g->ended && !memcmp(g->partition, partition, 16))
			return g;
	return NULL;
}

/* When both are true nothing is left to do. From a handler of its own, never from a caller's. */
static int on_defer(sd_event_source *source, void *data)
{
	struct guest *g = data;

	(void)source;
	g->defer = sd_event_source_disable_unref(g->defer);
	if (g->over && g->ended) {
		scope_remove(g->supervisor->scopes, g->name);
		guest_destroy(g);
	} else if (g->over) {
		record_end(g);
	}
	return 0;
}

static void look_again(struct guest *g)
{
	if (!g->defer && sd_event_add_defer(g->supervisor->event, &g->defer, on_defer, g) < 0)
		log_error("out of memory: the end of %s is noticed late", g->name);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct guest *g = data;

	(void)source;
	(void)usec;
	g->timer = sd_event_source_disable_unref(g->timer);
	if (!g->over) {
		GUEST_LOG(g, log_warning("%s is off, its process %d stays: killed", g->name,
					 (int)g->pid));
		kill_process(g);
	} else {
		look_again(g);
	}
	return 0;
}

static void set_timer(struct guest *g, uint64_t usec)
{
	if (!g->timer)
		sd_event_add_time_relative(g->supervisor->event, &g->timer, CLOCK_MONOTONIC, usec,
					   0, on_timer, g);
}

/* ---- the monitor channel: not a byte of it is trusted */

struct status {
	uint32_t state, reboots;
	char reason[MONITOR_REASON_LEN];
};

static int read_status(struct guest *g, struct status *to)
{
	const struct monitor_status *shared;
	char *p;
	int rc;

	memset(to, 0, sizeof(*to));
	if (!g->monitor)
		return -ENOENT;
	shared = channel_peer(g->monitor);
	/* state is stored last by the monitor: what is read after it belongs to it. */
	rc = channel_load_u32(g->monitor, &shared->state, &to->state);
	if (rc == 0)
		rc = channel_load_u32(g->monitor, &shared->reboots, &to->reboots);
	if (rc == 0)
		rc = channel_copy_in(g->monitor, to->reason, shared->reason, sizeof(to->reason));
	to->reason[sizeof(to->reason) - 1] = '\0';
	for (p = to->reason; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return rc;
}

static void record_runs(struct guest *g)
{
	struct internal_partition c = {
		.r = { .type = INTERNAL_PARTITION_RUNS, .length = sizeof(c) },
	};

	memcpy(c.partition, g->partition, 16);
	g->starting = false;
	transaction_own(g->supervisor->uvd, "its guest executes", &c, sizeof(c), 1);
}

static void look_at_status(struct guest *g)
{
	struct status status;

	if (read_status(g, &status) < 0)
		return;
	g->reboots = status.reboots;
	if (status.state == MONITOR_RUNNING && g->starting)
		record_runs(g);
	else if (status.state == MONITOR_POWERED_OFF || status.state == MONITOR_FAILED)
		set_timer(g, LINGER_US);
}

static int on_doorbell(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct guest *g = data;
	uint64_t count;

	(void)source;
	(void)events;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_errno(LOG_ERR, -errno, "the doorbell of %s", g->name);
	if (!g->over && !g->ended)
		look_at_status(g);
	return 0;
}

static int open_channel(struct guest *g, uint64_t monitor)
{
	static const struct channel_geometry expected = {
		.type = CHANNEL_MONITOR,
		.layout_version = MONITOR_LAYOUT_VERSION,
		.client_size = MONITOR_CLIENT_SIZE,
		.server_size = MONITOR_SERVER_SIZE,
		.doorbells = MONITOR_DOORBELLS,
	};
	struct supervisor *s = g->supervisor;
	struct channel_status status;
	int fd, rc;

	g->monitor_id = monitor;
	fd = kernel_object_open(s->uvd->kernel, monitor, ULTRAVISOR_ROLE_SERVER, 0);
	if (fd < 0)
		return fd;
	rc = channel_open(&g->monitor, fd, &expected);
	if (rc < 0) {
		g->monitor = NULL;
		close(fd);
		return rc;
	}
	/* Past the partition's lease nobody serves, and what is touched then is lost. */
	rc = channel_status(g->monitor, &status);
	if (rc == 0 && !status.serving)
		rc = -ETIME;
	if (rc == 0)
		rc = channel_doorbell_fd(g->monitor, MONITOR_DOORBELL_STATUS);
	if (rc >= 0)
		rc = sd_event_add_io(s->event, &g->doorbell, rc, EPOLLIN, on_doorbell, g);
	if (rc < 0)
		drop_channel(g);
	return rc < 0 ? rc : 0;
}

/* ---- its end */

static void describe_end(struct guest *g, struct internal_partition_end *c)
{
	siginfo_t info = { 0 };
	struct status status;

	c->state = PARTITION_FAILED;
	/* Only a child has a status to collect; an adopted one is init's. */
	if (g->child && g->pidfd >= 0)
		waitid(P_PIDFD, g->pidfd, &info, WEXITED | WNOHANG);
	if (g->failure[0]) {
		snprintf(c->reason, sizeof(c->reason), "it could not be started: %.200s",
			 g->failure);
	} else if (read_status(g, &status) < 0) {
		snprintf(c->reason, sizeof(c->reason), "its process ended, nobody knows why");
	} else if (status.state == MONITOR_POWERED_OFF) {
		c->state = PARTITION_DEFINED;
		snprintf(c->reason, sizeof(c->reason), "the guest powered off");
	} else if (status.state == MONITOR_FAILED) {
		snprintf(c->reason, sizeof(c->reason), "%.250s",
			 status.reason[0] ? status.reason : "its monitor failed without a reason");
	} else if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) {
		snprintf(c->reason, sizeof(c->reason), "its process was killed by signal %d",
			 info.si_status);
	} else if (info.si_code == CLD_EXITED) {
		snprintf(c->reason, sizeof(c->reason), "its process exited with status %d",
			 info.si_status);
	} else {
		snprintf(c->reason, sizeof(c->reason), "its process ended without a word");
	}
	c->reboots = g->monitor ? g->reboots : 0;
}

/* All that the guest held is released; when the database cannot be written, later. */
static void record_end(struct guest *g)
{
	struct internal_partition_end c = {
		.r = { .type = INTERNAL_PARTITION_END, .length = sizeof(c) },
	};
	int rc;

	look_at_status(g);
	g->timer = sd_event_source_disable_unref(g->timer);
	memcpy(c.partition, g->partition, 16);
	describe_end(g, &c);
	GUEST_LOG(g, log_notice("partition %s: %s", g->name, c.reason));
	rc = transaction_own(g->supervisor->uvd, c.reason, &c, sizeof(c), 1);
	/* The hook has marked it ended. Refused means that its rows say it is off already. */
	if (rc == -ECANCELED) {
		g->ended = true;
		look_again(g);
	} else if (rc < 0) {
		set_timer(g, RETRY_US);
	}
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct guest *g = data;
	siginfo_t info;

	(void)source;
	(void)fd;
	(void)events;
	g->exit = sd_event_source_disable_unref(g->exit);
	g->press = sd_event_source_disable_unref(g->press);
	g->over = true;
	if (g->ended) {
		if (g->child)
			waitid(P_PIDFD, g->pidfd, &info, WEXITED | WNOHANG);
		look_again(g);
		return 0;
	}
	record_end(g);
	return 0;
}

void supervisor_end(struct supervisor *s, const uint8_t partition[16])
{
	struct guest *g = guest_find(s, partition);

	if (!g)
		return;
	g->ended = true;
	kill_process(g);
	/* A child that never went on ends by its pipe. */
	if (g->go >= 0)
		close(g->go);
	g->go = -1;
	/* Its objects go now; an end of it is not to be looked for there. */
	drop_channel(g);
	if (g->over)
		look_again(g);
}

/* ---- its power button */

static int press(struct guest *g)
{
	int rc = g->monitor ? channel_ring(g->monitor, MONITOR_DOORBELL_POWER) : -ENOENT;

	if (rc < 0)
		GUEST_LOG(g, log_errno(LOG_WARNING, rc, "the power button of %s", g->name));
	return rc;
}

static int on_press(sd_event_source *source, uint64_t usec, void *data)
{
	(void)usec;
	if (press(data) < 0 || sd_event_source_set_time_relative(source, PRESS_US) < 0)
		return 0;
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

void supervisor_stop(struct supervisor *s, const uint8_t partition[16])
{
	struct guest *g = guest_find(s, partition);

	if (!g || g->over)
		return;
	g->press = sd_event_source_disable_unref(g->press);
	if (press(g) < 0)
		return;
	if (sd_event_add_time_relative(s->event, &g->press, CLOCK_MONOTONIC, PRESS_US, 0,
				       on_press, g) < 0)
		log_error("out of memory: the power button of %s is pressed once only", g->name);
}

int supervisor_charge(struct supervisor *s, const char *name)
{
	return scope_charge(s->scopes, name);
}

void supervisor_discharge(struct supervisor *s, const char *name)
{
	scope_remove(s->scopes, name);
}

bool supervisor_live(struct supervisor *s, const uint8_t partition[16], int32_t *pid,
		     uint32_t *reboots)
{
	struct guest *g = guest_find(s, partition);
	struct status status;

	if (!g)
		return false;
	*pid = g->pid;
	if (read_status(g, &status) == 0)
		*reboots = status.reboots;
	return true;
}

bool supervisor_watches(struct supervisor *s, const uint8_t partition[16])
{
	const struct guest *g = guest_find(s, partition);

	return g && (!g->over || g->defer);
}

struct look {
	struct supervisor *supervisor;
	uvd_process_found *found;
	void *data;
};

static int on_found(const char *scope, pid_t pid, void *data)
{
	const struct look *l = data;
	const struct guest *g;

	TAILQ_FOREACH(g, &l->supervisor->guests, entry)
		if ((scope ? !strcmp(g->name, scope) : g->pid == pid) &&
		    (g->go >= 0 || g->ended || g->over))
			break;
	return l->found(scope, pid, g, l->data);
}

int supervisor_processes(struct supervisor *s, uvd_process_found *found, void *data)
{
	const struct passwd *user = getpwnam(USER_MONITOR);
	struct look l = { s, found, data };
	int scopes = scope_each(on_found, &l);
	int rc = scopes;

	/* Where that user is missing uvmonitor runs as root: only by its scope is it known. */
	if (rc >= 0 && user)
		rc = process_each(user->pw_uid, on_found, &l);
	return rc < 0 ? rc : scopes;
}

void supervisor_lease(struct supervisor *s, uint64_t id)
{
	struct channel_status status;
	struct guest *g;
	bool pressed;
	int rc;

	TAILQ_FOREACH(g, &s->guests, entry) {
		if (g->over || g->ended || (id && g->id != id) ||
		    (!id && g->monitor && channel_status(g->monitor, &status) == 0))
			continue;
		pressed = g->press;
		drop_channel(g);
		rc = open_channel(g, g->monitor_id);
		if (rc < 0)
			GUEST_LOG(g, log_errno(LOG_ERR, rc, "the monitor channel of %s", g->name));
		else if (pressed)
			supervisor_stop(s, g->partition);
	}
}

void supervisor_look(struct supervisor *s)
{
	struct guest *g;

	TAILQ_FOREACH(g, &s->guests, entry)
		if (!g->over && !g->ended)
			look_at_status(g);
}

/* ---- starting */

static void on_scope(int rc, void *data)
{
	struct guest *g = data;

	(void)rc;	/* logged; a guest without limits is better than none */
	if (g->go < 0)
		return;
	if (write(g->go, "g", 1) < 0)
		log_errno(LOG_ERR, -errno, "%s cannot be told to go on", g->name);
	close(g->go);
	g->go = -1;
}

static int begin_process(struct guest *g, struct launch *l)
{
	struct supervisor *s = g->supervisor;
	struct spawned p;
	int rc = spawn(s->uvd->kernel, s->program, l, &p, g->failure);

	g->pid = p.pid;
	g->pidfd = p.pidfd;
	g->go = p.go;
	g->child = p.pid > 0;
	if (rc < 0)
		return rc;
	rc = sd_event_add_io(s->event, &g->exit, g->pidfd, EPOLLIN, on_exit_of, g);
	if (rc < 0)
		return rc;
	/* If this cannot be written the module still knows the VM's maker. */
	rc = db_run(s->uvd->db, "UPDATE partition SET pid = ?, pid_start = ? WHERE uuid = ?",
		    "iiu", (int64_t)g->pid, (int64_t)process_start_time(g->pid), g->partition);
	if (rc < 0)
		log_errno(LOG_WARNING, rc, "process %d of %s is not on record", (int)g->pid,
			  g->name);
	scope_create(s->scopes, g->name, g->pid, l->memory + l->memory / 64 + OVERHEAD,
		     l->vcpus + TASKS, on_scope, g);
	return 0;
}

void supervisor_start(struct supervisor *s, struct launch *l)
{
	struct guest *g = guest_create(s, l->partition, l->name, l->id);
	int rc;

	if (!g) {
		log_error("out of memory: %s is not started", l->name);
		launch_destroy(l);
		return;
	}
	g->starting = true;
	rc = open_channel(g, l->monitor);
	if (rc == 0)
		rc = begin_process(g, l);
	launch_destroy(l);
	if (rc == 0)
		return;
	if (!g->failure[0])
		snprintf(g->failure, sizeof(g->failure), "%s", strerror(-rc));
	GUEST_LOG(g, log_errno(LOG_ERR, rc, "%s cannot be started", g->name));
	/* The child, if there is one, ends by its pipe; its exit is not waited for. */
	g->exit = sd_event_source_disable_unref(g->exit);
	g->over = true;
	look_again(g);
}

int supervisor_adopt(struct supervisor *s, const struct supervisor_adopted *a)
{
	struct guest *g = guest_create(s, a->partition, a->name, a->id);
	int rc;

	if (!g)
		return -ENOMEM;
	g->pid = a->pid;
	g->reboots = a->reboots;
	g->starting = a->state == PARTITION_STARTING;
	rc = open_channel(g, a->monitor);
	if (rc < 0)
		GUEST_LOG(g, log_errno(LOG_ERR, rc, "the monitor channel of %s", g->name));
	g->pidfd = a->pid > 0 ? process_open(a->pid) : -ESRCH;
	/* Looked at behind the open: a process of another start has taken the number. */
	if (g->pidfd >= 0 && process_alive(a->pid, a->start)) {
		rc = sd_event_add_io(s->event, &g->exit, g->pidfd, EPOLLIN, on_exit_of, g);
		if (rc < 0)
			return rc;
		GUEST_LOG(g, log_notice("partition %s goes on, process %d", g->name, (int)g->pid));
		look_at_status(g);
		return 0;
	}
	g->over = true;
	look_again(g);
	return 0;
}

int supervisor_open(struct supervisor **out, struct uvd *uvd, sd_event *event, const char *program)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->uvd = uvd;
	s->event = sd_event_ref(event);
	s->program = program;
	TAILQ_INIT(&s->guests);
	rc = scopes_open(&s->scopes, event);
	if (rc < 0) {
		sd_event_unref(s->event);
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void supervisor_close(struct supervisor *s)
{
	if (!s)
		return;
	/* Processes go on without us. */
	while (!TAILQ_EMPTY(&s->guests))
		guest_destroy(TAILQ_FIRST(&s->guests));
	scopes_close(s->scopes);
	sd_event_unref(s->event);
	free(s);
}

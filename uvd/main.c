/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvd, the ultravisor partition: the resource database of a host, and the only holder of
 * /dev/ultravisor. It decides nothing: cmdpartd does, over the command channel.
 *
 * Start: open everything → bring the kernel to what the rows say → drop privileges → serve.
 * Killed at any instant it comes back to the same rows; guests do not notice.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/handover.h>

#include "book.h"
#include "changes.h"
#include "command.h"
#include "confine.h"
#include "events.h"
#include "guard_watch.h"
#include "handover.h"
#include "hold.h"
#include "inventory.h"
#include "lease.h"
#include "news.h"
#include "operation.h"
#include "options.h"
#include "preview.h"
#include "reconcile.h"
#include "supervisor.h"
#include "tap.h"
#include "uvd.h"
#include "zone.h"

struct program {
	struct options options;
	struct uvd uvd;
	struct kernel kernel;
	sd_event *event;
	struct supervisor *supervisor;
	struct handover *handover;
	struct command *command;
	struct events *events;
	struct guard_watch *guard_watch;
};

/* Hooks get a struct uvd: it is the program's member. */
static struct program *program(struct uvd *uvd)
{
	return (struct program *)((char *)uvd - offsetof(struct program, uvd));
}

/* ---- what committed transactions set off */

static void hook_start(struct uvd *uvd, struct launch *launch)
{
	supervisor_start(program(uvd)->supervisor, launch);
}

static void hook_stop(struct uvd *uvd, const uint8_t partition[16])
{
	supervisor_stop(program(uvd)->supervisor, partition);
}

static void hook_end(struct uvd *uvd, const uint8_t partition[16])
{
	supervisor_end(program(uvd)->supervisor, partition);
}

static void hook_channels(struct uvd *uvd)
{
	/* Before the socket is there, nobody is connected. */
	if (program(uvd)->handover)
		handover_sync(program(uvd)->handover);
}

static bool hook_live(struct uvd *uvd, const uint8_t partition[16], int32_t *pid,
		      uint32_t *reboots)
{
	struct program *p = program(uvd);

	if (!memcmp(partition, uvd->ultravisor, 16)) {
		*pid = getpid();
		return true;
	}
	return supervisor_live(p->supervisor, partition, pid, reboots) ||
	       (p->handover && handover_live(p->handover, partition, pid));
}

static int hook_processes(struct uvd *uvd, uvd_process_found *found, void *data)
{
	return supervisor_processes(program(uvd)->supervisor, found, data);
}

static bool hook_watches(struct uvd *uvd, const uint8_t partition[16])
{
	return supervisor_watches(program(uvd)->supervisor, partition);
}

static int hook_charge(struct uvd *uvd, const char *name)
{
	return supervisor_charge(program(uvd)->supervisor, name);
}

static void hook_discharge(struct uvd *uvd, const char *name)
{
	supervisor_discharge(program(uvd)->supervisor, name);
}

static const struct uvd_hooks hooks = {
	.start = hook_start,
	.stop = hook_stop,
	.end = hook_end,
	.channels = hook_channels,
	.charge = hook_charge,
	.discharge = hook_discharge,
	.live = hook_live,
	.processes = hook_processes,
	.watches = hook_watches,
};

/* ---- events */

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	(void)data;
	log_notice("signal %u: guests go on without me", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void on_module_event(uint32_t event, uint64_t id, uint32_t slot, uint64_t epoch, void *data)
{
	static const char *const names[] = {
		[ULTRAVISOR_EVENT_PARTITION_GONE] = "its VM is gone",
		[ULTRAVISOR_EVENT_SERVER_ATTACHED] = "a server has attached",
		[ULTRAVISOR_EVENT_SERVER_GONE] = "a server is gone",
		[ULTRAVISOR_EVENT_PROMOTED] = "a server was promoted",
		[ULTRAVISOR_EVENT_UNSERVED] = "nobody serves it",
		[ULTRAVISOR_EVENT_CLIENT_ATTACHED] = "its client has attached",
		[ULTRAVISOR_EVENT_CLIENT_GONE] = "its client is gone",
		[ULTRAVISOR_EVENT_REVOKED] = "it was revoked",
		[ULTRAVISOR_EVENT_HUNG] = "its server is hung",
	};
	static const enum command_event kinds[] = {
		[ULTRAVISOR_EVENT_SERVER_GONE] = COMMAND_EVENT_LOST,
		[ULTRAVISOR_EVENT_PROMOTED] = COMMAND_EVENT_PROMOTED,
		[ULTRAVISOR_EVENT_UNSERVED] = COMMAND_EVENT_UNSERVED,
		[ULTRAVISOR_EVENT_HUNG] = COMMAND_EVENT_HUNG,
	};
	struct program *p = data;

	if (event < sizeof(names) / sizeof(*names) && names[event])
		log_debug("object %llu: %s (slot %d, epoch %llu)", (unsigned long long)id,
			  names[event], (int)slot, (unsigned long long)epoch);
	if (event < sizeof(kinds) / sizeof(*kinds) && kinds[event])
		news_channel(&p->uvd, kinds[event], id, slot);
	if (!event)
		news_tell(p->uvd.news, COMMAND_EVENT_GAP, "",
			  "of servers and leases the module told more than was read");
	if (event == ULTRAVISOR_EVENT_LEASE_EXPIRED || event == ULTRAVISOR_EVENT_LEASE_RENEWED)
		lease_event(&p->uvd, event, id);
	if (!event || event == ULTRAVISOR_EVENT_LEASE_RENEWED)
		supervisor_lease(p->supervisor, id);
	if (event == ULTRAVISOR_EVENT_HUNG && p->handover)
		handover_hung(p->handover, id, slot, epoch);
	if (!event || event == ULTRAVISOR_EVENT_PARTITION_GONE)
		supervisor_look(p->supervisor);
	/* Standbys may have waited for this. */
	if ((!event || event == ULTRAVISOR_EVENT_PROMOTED) && p->handover)
		handover_sync(p->handover);
}

static void on_rules_changed(const char *who, void *data)
{
	struct program *p = data;
	int n = taps_guard(&p->uvd);

	if (n > 0)
		log_warning("the network rules of %d tap%s were removed or changed by %s: they are"
			    " back", n, n == 1 ? "" : "s", who);
	if (zones_guard(&p->uvd) > 0)
		log_warning("the network rules between zones were removed or changed by %s: they"
			    " are back", who);
}

/* ---- the start, in order */

static int make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return log_errno(LOG_ERR, -errno, "%s cannot be made", path);
	/* Not what the umask made of it; an existing one keeps what its owner set. */
	return 0;
}

/*
 * cmdpartd shows what a guest printed also when no I/O partition serves the console any more: it
 * may read the logs, by its group, which new files take from the directory.
 */
static void share_console(const char *path)
{
	const struct passwd *command = getpwnam(USER_COMMAND);
	struct stat st;

	if (!command || (!stat(path, &st) && st.st_gid == command->pw_gid &&
			 (st.st_mode & 07777) == 02750))
		return;
	if (chown(path, 0, command->pw_gid) < 0 || chmod(path, 02750) < 0)
		log_errno(LOG_WARNING, -errno, "%s is not shared with cmdpartd", path);
}

static int make_directories(const struct options *o)
{
	char console[PATH_MAX];
	int rc;

	snprintf(console, sizeof(console), "%s/console", o->state);
	umask(022);
	rc = make_directory(o->state, 0755);
	if (rc == 0)
		rc = make_directory(o->run, 0755);
	if (rc == 0)
		rc = make_directory(console, 0700);
	if (rc == 0)
		share_console(console);
	umask(077);
	return rc;
}

/* A few descriptors for each guest and each server: as many as the host allows us. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int take_inventory(struct uvd *uvd)
{
	struct inventory *inv = malloc(sizeof(*inv));
	sqlite3_stmt *q;
	int64_t one;
	int rc;

	if (!inv)
		return -ENOMEM;
	rc = inventory_read(inv, "");
	if (rc < 0) {
		log_errno(LOG_ERR, rc, "the host's processors and memory cannot be read");
		goto out;
	}
	if (db_value(uvd->db, &one, "SELECT 1 FROM host", "") == -ENOENT)
		inventory_read_pinned(inv, "");
	rc = db_begin(uvd->db);
	if (rc == 0)
		rc = inventory_store(inv, uvd->db);
	if (rc == 0)
		rc = db_commit(uvd->db);
	if (rc < 0) {
		log_errno(LOG_ERR, rc, "the inventory cannot be recorded: %s", db_error(uvd->db));
		db_rollback(uvd->db);
		/* What the book says of the host from before is good enough to go on with. */
		if (!db_unwritable(rc) || db_value(uvd->db, &one, "SELECT 1 FROM host", "") < 0)
			goto out;
		uvd->read_only = true;
	}
	log_info("%u processors, %u memory nodes, %llu MiB, %llu block devices, %llu network cards",
		 inv->cpus, inv->nodes, (unsigned long long)(inv->memory >> 20),
		 (unsigned long long)inv->devices, (unsigned long long)inv->interfaces);
	q = db_query(uvd->db, "SELECT uuid FROM partition WHERE kind = 5", "");
	rc = db_next(uvd->db, q);
	if (rc > 0)
		db_uuid(q, 0, uvd->ultravisor);
	db_done(q);
	rc = rc < 0 ? rc : rc == 0 ? -ENOENT : 0;
out:
	free(inv);
	return rc;
}

static int open_kernel(struct program *p)
{
	int rc = kernel_open(&p->kernel, p->options.device);

	if (rc < 0)
		return log_errno(LOG_ERR, rc, "%s%s", p->options.device, rc == -ENOENT ?
				 " (is the module loaded? modprobe ultravisor)" :
				 rc == -EPROTO ? " speaks another ABI version" : "");
	p->uvd.kernel = &p->kernel;
	return kernel_instance(&p->kernel, p->uvd.instance);
}

static int open_database(struct program *p)
{
	int rc = db_open(&p->uvd.db, p->options.state);

	if (rc < 0)
		return log_errno(LOG_ERR, rc, "%s/uvd.db%s", p->options.state,
				 rc == -EBUSY ? " (another uvd is running)" :
				 rc == -EPROTO ? " is of another version of uvd" : "");
	return 0;
}

static int open_loop(struct program *p)
{
	sigset_t signals;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = sd_event_default(&p->event);
	if (rc >= 0)
		rc = sd_event_add_signal(p->event, NULL, SIGTERM, on_terminate, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(p->event, NULL, SIGINT, on_terminate, NULL);
	if (rc >= 0)
		rc = sd_event_set_watchdog(p->event, true);
	return rc < 0 ? log_errno(LOG_ERR, rc, "the event loop") : 0;
}

static int open_command(struct program *p)
{
	struct channel *channel;
	int rc = command_open_channel(&p->uvd, &channel);

	if (rc == 0)
		rc = command_open(&p->command, &p->uvd, p->event, channel);
	return rc < 0 ? log_errno(LOG_ERR, rc, "the command channel") : 0;
}

static int start(struct program *p)
{
	struct uvd *uvd = &p->uvd;
	int64_t last;
	int rc;

	raise_descriptors();
	/* The lock in the state directory first: one uvd at a time touches anything else. */
	rc = make_directories(&p->options);
	if (rc == 0)
		rc = open_database(p);
	if (rc == 0)
		rc = open_kernel(p);
	if (rc == 0)
		rc = open_loop(p);
	if (rc == 0)
		rc = news_open(&uvd->news);
	if (rc < 0)
		return rc;
	rc = network_open(&uvd->network);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "rtnetlink");
	rc = take_inventory(uvd);
	if (rc == 0)
		rc = db_value(uvd->db, &last, "SELECT \"transaction\" FROM clock", "");
	if (rc == 0)
		rc = changes_open(&uvd->changes, last);
	if (rc < 0)
		return rc;
	rc = supervisor_open(&p->supervisor, uvd, p->event, p->options.monitor);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "the supervisor");
	/* Events from here on are not missed by what is read next. */
	rc = events_open(&p->events, p->event, on_module_event, p);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "the module's events");
	/* Without nf_tables no guest has a network card. */
	rc = guard_watch_open(&p->guard_watch, p->event, on_rules_changed, p);
	if (rc < 0 && rc != -EPROTONOSUPPORT)
		return log_errno(LOG_ERR, rc, "nftables' events");
	rc = confine();
	if (rc < 0)
		return rc;
	rc = reconcile_kernel(uvd);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "the kernel's objects cannot be brought in line");
	rc = reconcile_partitions(uvd, p->supervisor);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "running partitions cannot be adopted");
	rc = open_command(p);
	if (rc < 0)
		return rc;
	rc = handover_open(&p->handover, uvd, p->event, p->options.run);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "%s/uvd.sock", p->options.run);
	return 0;
}

/* released: it was asked to end, and its rows are what the kernel has. */
static void stop(struct program *p, bool released)
{
	handover_close(p->handover);
	command_close(p->command);
	guard_watch_close(p->guard_watch);
	events_close(p->events);
	news_close(p->uvd.news);
	changes_close(p->uvd.changes);
	p->uvd.news = NULL;
	supervisor_close(p->supervisor);
	if (released)
		host_release(&p->uvd);
	hold_release(&p->uvd);
	network_close(p->uvd.network);
	kernel_close(&p->kernel);
	db_close(p->uvd.db);
	sd_event_unref(p->event);
}

static int preview(const struct options *o)
{
	char book[PATH_MAX];
	int rc = preview_print(stdout, "");

	if (rc < 0) {
		log_errno(LOG_ERR, rc, "the host's processors and memory cannot be read");
		return 1;
	}
	snprintf(book, sizeof(book), "%s/uvd.db", o->state);
	if (access(book, F_OK) == 0)
		printf("\nThis host has had its first start (%s): what holds is in"
		       " `cmdpartctl host`.\n", book);
	return 0;
}

/* 0, or what is wrong was told. */
static int keep_book(const struct options *o)
{
	char book[PATH_MAX];

	umask(077);
	if (o->restore)
		return book_restore(stdout, o->state, o->restore);
	snprintf(book, sizeof(book), "%s/uvd.db", o->state);
	return book_check(stdout, book);
}

int main(int argc, char **argv)
{
	static struct program p = { .kernel.fd = -1 };
	int rc;

	rc = options_parse(&p.options, argc, argv);
	if (rc)
		return rc < 0 ? 2 : 0;
	log_init("uvd", p.options.debug);
	if (p.options.inventory)
		return preview(&p.options);
	if (p.options.check || p.options.restore)
		return keep_book(&p.options) ? 1 : 0;
	p.uvd.hooks = &hooks;
	p.uvd.state = p.options.state;
	rc = start(&p);
	if (rc == 0) {
		sd_notify(0, "READY=1");
		log_info("ready");
		rc = sd_event_loop(p.event);
		sd_notify(0, "STOPPING=1");
	}
	stop(&p, rc == 0);
	return rc ? 1 : 0;
}

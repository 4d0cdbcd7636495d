/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opsd, the operations partition: which partitions shall exist, and where. This file is its start,
 * a list of steps in the order of the rights that they need, and its loop.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <common/access.h>
#include <common/http_server.h>
#include <common/log.h>
#include <common/output.h>
#include <common/reader.h>
#include <ultravisor/handover.h>

#include "confine.h"
#include "ops.h"
#include "service.h"

struct options {
	const char *state, *run;
	char *host[OPS_MAX_HOSTS];
	size_t hosts;
	bool debug;
};

struct user {
	bool change;			/* opsd was started by root */
	char name[64];
	uid_t uid;
	gid_t gid;
	struct access access;		/* who may ask */
};

static const char usage[] =
	"usage: opsd [--state DIR] [--run DIR] [--host NAME=SOCKET]… [--debug]\n"
	"\n"
	"The operations partition: activates partitions on hosts. See opsd(8).\n"
	"  --state DIR         keeps its store in DIR/ops (/var/lib/ultravisor)\n"
	"  --run DIR           listens at DIR/opsd.sock (/run/ultravisor)\n"
	"  --host NAME=SOCKET  a host and the socket of its resource service; default: what the\n"
	"                      store has; at first start this machine, at DIR/cmdpartd.sock\n"
	"  --debug             log more\n";

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "host", required_argument, NULL, 'H' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(EXIT_OK);
		}
		if (c == 's') {
			o->state = optarg;
		} else if (c == 'r') {
			o->run = optarg;
		} else if (c == 'd') {
			o->debug = true;
		} else if (c == 'H' && o->hosts < OPS_MAX_HOSTS) {
			o->host[o->hosts++] = optarg;
		} else {
			if (c == 'H')
				fprintf(stderr, "opsd: more than %d hosts\n", OPS_MAX_HOSTS);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "opsd: unexpected argument %s\n", argv[optind]);
		return -1;
	}
	return 0;
}

static int find_user(struct user *u, struct error *e)
{
	struct passwd *user;
	struct group *group = getgrnam(GROUP_OPERATOR);

	access_open(&u->access);
	if (geteuid() != 0)
		return 0;
	user = getpwnam(USER_OPERATIONS);
	if (!user || !group) {
		error_set(e, EXIT_FAILED, "there is no %s %s", user ? "group" : "user",
			  user ? GROUP_OPERATOR : USER_OPERATIONS);
		return error_fix(e, "make it: systemd-sysusers");
	}
	u->change = true;
	snprintf(u->name, sizeof(u->name), "%s", user->pw_name);
	u->uid = user->pw_uid;
	u->gid = user->pw_gid;
	return 0;
}

/* STATE/ops, private to the user that opsd becomes. */
static int make_directory(const struct options *o, const struct user *u, char path[PATH_MAX],
			  struct error *e)
{
	int fd;

	if (snprintf(path, PATH_MAX, "%s/ops", o->state) >= PATH_MAX)
		return error_set(e, EXIT_INVALID, "the path of --state is too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		error_set(e, EXIT_FAILED, "%s cannot be made: %m", path);
		return error_fix(e, "make %s first, or name another directory with --state",
				 o->state);
	}
	/* O_PATH: it may be that user's already, and root may lack the right to look inside. */
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (u->change && fchownat(fd, "", u->uid, u->gid, AT_EMPTY_PATH) < 0)) {
		error_set(e, EXIT_FAILED, "%s cannot be used: %m", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	(void)data;
	log_info("ends on signal %u", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int open_loop(sd_event **event, struct error *e)
{
	sigset_t mask;
	int rc;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a store that may not grow is an error like any other */
	rc = sd_event_new(event);
	if (rc >= 0)
		rc = sd_event_add_signal(*event, NULL, SIGTERM, on_signal, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(*event, NULL, SIGINT, on_signal, NULL);
	if (rc >= 0)
		rc = sd_event_set_watchdog(*event, 1);
	return rc < 0 ? error_set(e, EXIT_FAILED, "no event loop: %s", strerror(-rc)) : 0;
}

/* This machine's name in the form that names have here. */
static void name_of_this_host(char name[COMMAND_NAME_LEN])
{
	size_t i;

	if (gethostname(name, COMMAND_NAME_LEN) < 0)
		name[0] = '\0';
	name[COMMAND_NAME_LEN - 1] = '\0';
	for (i = 0; name[i]; i++)
		name[i] = tolower((unsigned char)name[i]);
	name[strcspn(name, ".")] = '\0';
	if (!reader_name_ok(name, COMMAND_NAME_LEN))
		strcpy(name, "local");
}

/* What the options say; else what the store has, where a lone host is this machine's. */
static int configure_hosts(struct ops *ops, const struct options *o, struct error *e)
{
	struct host *only = TAILQ_FIRST(&ops->hosts);
	char name[COMMAND_NAME_LEN], *text;
	int rc;

	if (o->hosts)
		return ops_configure_hosts(ops, o->host, o->hosts, e);
	if (only && TAILQ_NEXT(only, link))
		return 0;
	if (only)
		memcpy(name, only->row.name, sizeof(name));
	else
		name_of_this_host(name);
	if (asprintf(&text, "%s=%s/cmdpartd.sock", name, o->run) < 0)
		return error_set(e, EXIT_FAILED, "out of memory");
	rc = ops_configure_hosts(ops, &text, 1, e);
	free(text);
	return rc;
}

static void on_step(const char *name, void *data)
{
	(void)data;
	log_debug("activation: %s", name);
}

static int start(struct ops *ops, const struct options *o, struct error *e)
{
	struct user user = { 0 };
	char directory[PATH_MAX], path[PATH_MAX];
	int fd, rc;

	/* 1. As root, if started so: what needs the system's directories. */
	if (find_user(&user, e) || make_directory(o, &user, directory, e))
		return -1;
	snprintf(path, sizeof(path), "%s/opsd.sock", o->run);
	fd = http_listen(path, e);
	if (fd < 0)
		return -1;
	/* 2. Nothing below needs root; the store's files belong to the user. */
	if (user.change && confine_user(user.name, user.uid, user.gid, e))
		goto fail;
	ops->store = store_sqlite_open(directory, e);
	if (!ops->store || open_loop(&ops->event, e) || ops_open(ops, e))
		goto fail;
	/* 3. Nothing below needs a system call outside the list: from here on peers are heard. */
	if (confine_calls(e) || configure_hosts(ops, o, e))
		goto fail;
	rc = service_open(ops, fd, &user.access);
	if (rc)
		return error_set(e, EXIT_FAILED, "no service: %s", strerror(-rc));
	return ops_resume(ops, e);
fail:
	close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	struct options o = { .state = "/var/lib/ultravisor", .run = "/run/ultravisor" };
	struct ops ops = { .step = on_step };
	struct error e = ERROR_NONE;
	int rc;

	if (parse_options(argc, argv, &o)) {
		fputs(usage, stderr);
		return EXIT_INVALID;
	}
	log_init("opsd", o.debug);
	umask(0077);
	if (start(&ops, &o, &e)) {
		output_error("opsd", &e, false);
		sd_notifyf(0, "STATUS=%s", e.message);
		return e.code;
	}
	sd_notifyf(0, "READY=1\nSTATUS=epoch %llu", (unsigned long long)ops.epoch);
	rc = sd_event_loop(ops.event);
	sd_notify(0, "STOPPING=1");
	service_close(&ops);
	ops_close(&ops);
	sd_event_unref(ops.event);
	return rc < 0 ? EXIT_FAILED : EXIT_OK;
}

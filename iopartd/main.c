/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iopartd: an I/O partition. Serves the disks, network cards and consoles of guests that uvd hands
 * to it, over memory channels; stands by for those that another instance serves.
 *
 * The start is a fixed list: what needs root, then no root, then no system calls, then guests.
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <common/log.h>
#include <ultravisor/handover.h>

#include "consolesock.h"
#include "handover.h"
#include "iopart.h"
#include "sandbox.h"

struct options {
	const char *instance, *run, *user;
	bool debug;
};

static void usage(FILE *to)
{
	fputs("usage: iopartd --instance LETTER [--run DIR] [--user NAME] [--debug]\n"
	      "\n"
	      "Serve guests' disks, network cards and consoles: one instance of an I/O partition.\n"
	      "  --instance LETTER  which one: a, b, ...\n"
	      "  --run DIR          where uvd.sock and io-LETTER.sock are (/run/ultravisor)\n"
	      "  --user NAME        run as NAME (ultravisor-io-LETTER)\n"
	      "  --debug            log more\n", to);
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "run", required_argument, NULL, 'r' },
		{ "user", required_argument, NULL, 'u' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'i':
			o->instance = optarg;
			break;
		case 'r':
			o->run = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			return -EINVAL;
		}
	}
	if (optind != argc || !o->instance || strlen(o->instance) != 1 ||
	    o->instance[0] < 'a' || o->instance[0] > 'z') {
		fputs("iopartd: --instance wants one letter, a to z\n", stderr);
		usage(stderr);
		return -EINVAL;
	}
	return 0;
}

/* A device takes about eight descriptors. */
static void raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* The console socket: inherited from the service manager, or bound here. */
static int listen_for_consoles(const struct options *o)
{
	char path[108];
	int fd;

	if (sd_listen_fds(1) == 1)
		return SD_LISTEN_FDS_START;
	snprintf(path, sizeof(path), "%s/io-%s.sock", o->run, o->instance);
	fd = consolesock_listen(path);
	if (fd < 0)
		log_errno(LOG_ERR, fd, "cannot listen at %s (start it as root, or pass it the "
			  "socket)", path);
	return fd;
}

static int serve(struct iopart *io, sd_event *event, const struct options *o, int console_fd,
		 uid_t command)
{
	struct consolesock *consoles = NULL;
	struct handover *handover = NULL;
	char path[108];
	int rc;

	rc = iopart_attach(io, event);
	if (rc < 0)
		return log_errno(LOG_ERR, rc, "event loop");
	rc = consolesock_start(&consoles, io, console_fd, command);
	if (rc)
		return log_errno(LOG_ERR, rc, "console socket");
	snprintf(path, sizeof(path), "%s/uvd.sock", o->run);
	rc = handover_start(&handover, io, path);
	if (rc) {
		log_errno(LOG_ERR, rc, "hand-over");
		goto out;
	}
	log_info("instance %s is ready", o->instance);
	sd_notify(0, "READY=1");
	rc = sd_event_loop(event);
	sd_notify(0, "STOPPING=1");
	log_info("instance %s ends", o->instance);
out:
	handover_stop(handover);
	iopart_uninit(io);
	consolesock_stop(consoles);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .run = "/run/ultravisor" };
	const struct passwd *p;
	sd_event *event = NULL;
	uid_t command = 0;
	struct iopart io;
	char user[64];
	sigset_t ends;
	int fd, rc;

	if (parse(&o, argc, argv))
		return 2;
	log_init("iopartd", o.debug);
	if (!o.user) {
		snprintf(user, sizeof(user), "%s%s", USER_IO_PREFIX, o.instance);
		o.user = user;
	}
	/* SIGTERM and SIGINT end the loop; whatever is under way is the next server's to replay. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);

	/* With root's rights, if there are any. */
	raise_limits();
	rc = iopart_init(&io, IOPART_POOL_BYTES);
	if (rc) {
		log_errno(LOG_ERR, rc, "io_uring, or memory for its buffers");
		return 1;
	}
	fd = listen_for_consoles(&o);
	if (fd < 0)
		return 1;
	p = getpwnam(USER_COMMAND);
	if (p)
		command = p->pw_uid;

	/* Without. */
	rc = sandbox_become(o.user);
	if (rc) {
		log_errno(LOG_ERR, rc, "cannot become %s", o.user);
		return 1;
	}
	rc = sd_event_default(&event);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_set_watchdog(event, true);
	if (rc < 0) {
		log_errno(LOG_ERR, rc, "event loop");
		return 1;
	}
	rc = sandbox_close();
	if (rc) {
		log_errno(LOG_ERR, rc, "system call filter");
		return 1;
	}
	rc = serve(&io, event, &o, fd, command);
	sd_event_unref(event);
	return rc < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmdpartd, the command partition: decides what the host's partitions get, by policy, and has it
 * done by uvd, one transaction a request. It touches no hardware and keeps no state of its own but
 * the epoch of the leading opsd: killed at any instant, it loses nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <common/json_file.h>
#include <common/log.h>
#include <common/output.h>
#include <ultravisor/handover.h>

#include "console.h"
#include "sandbox.h"
#include "service.h"

#define READY_MS 3000	/* ready without uvd after this: requests are then answered so */

struct options {
	const char *run, *state, *config;
	bool check_config, json, debug;
};

static const char usage[] =
	"usage: cmdpartd [OPTION]…\n"
	"\n"
	"The command partition: decides what partitions get of this host.\n"
	"\n"
	"  --config FILE    policy (/etc/ultravisor/policy.json; defaults where it is missing);\n"
	"                   files in policy.d beside it add to it\n"
	"  --check-config   read the policy, print it with all defaults, and exit\n"
	"  --run DIR        sockets (/run/ultravisor)\n"
	"  --state DIR      state (/var/lib/ultravisor)\n"
	"  --json           errors of --check-config as JSON\n"
	"  --debug          log more\n"
	"  --help\n";

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "run", required_argument, NULL, 'r' },
		{ "state", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "json", no_argument, NULL, 'j' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'r': o->run = optarg; break;
		case 's': o->state = optarg; break;
		case 'c': o->config = optarg; break;
		case 'C': o->check_config = true; break;
		case 'j': o->json = true; break;
		case 'd': o->debug = true; break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_OK);
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "cmdpartd: %s: not an option\n%s", argv[optind], usage);
	return -1;
}

static int check_config(const struct options *o, const struct policy *policy, bool found)
{
	json_t *json = policy_to_json(policy);

	output_json(stdout, json);
	json_decref(json);
	fprintf(stderr, found ? "cmdpartd: %s: good\n" :
		"cmdpartd: %s does not exist: these are the defaults\n", o->config);
	return EXIT_OK;
}

/* ---- the loop's handlers --------------------------------------------------------- */

struct program {
	struct service service;
	struct http_server *http;
	sd_event_source *ready;
	bool announced;
};

static void announce(struct program *p)
{
	if (p->announced)
		return;
	p->announced = true;
	sd_notify(0, "READY=1\nSTATUS=Serving");
}

static void on_uvd(void *data)
{
	struct program *p = data;

	mirror_forget(p->service.mirror);
	service_prepare(&p->service);
}

static int on_ready_timeout(sd_event_source *source, uint64_t usec, void *data)
{
	struct program *p = data;

	(void)source, (void)usec;
	if (!p->announced && !uvdlink_up(p->service.link))
		log_warning("uvd is not there yet; requests are refused until it is");
	announce(p);
	return 0;
}

static void on_prepared(void *data)
{
	struct program *p = data;

	announce(p);
	service_reloaded(&p->service);
	autostart_run(&p->service);
	failback_run(&p->service);
}

/* What is wrong with the new policy is in the log; the old one stays. */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct program *p = data;
	struct error e = ERROR_NONE;

	(void)source, (void)info;
	service_reload(&p->service, &e);
	error_clear(&e);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	(void)data;
	log_notice("ending on signal %u", info->ssi_signo);
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(source), EXIT_OK);
}

/* ---- start ----------------------------------------------------------------------- */

/* STATE/command, the user's own: made here when nobody else did. */
static int make_state(const struct options *o, char *to, size_t size, struct error *e)
{
	struct passwd *p = getpwnam(USER_COMMAND);
	int n = snprintf(to, size, "%s/command", o->state);

	if (n >= (int)size || (mkdir(o->state, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(to, 0700) < 0 && errno != EEXIST) ||
	    (geteuid() == 0 && p && chown(to, p->pw_uid, p->pw_gid) < 0)) {
		error_set(e, EXIT_FAILED, "cannot make the directory: %s", strerror(errno));
		return error_where(e, "%s", to);
	}
	return 0;
}

static int open_service(struct program *p, sd_event *event, int listen_fd, struct error *e)
{
	static char uvd[108];
	const struct http_server_config config = {
		.routes = service_routes,
		.admit = service_admit,
		.data = &p->service,
	};
	int rc;

	if (snprintf(uvd, sizeof(uvd), "%s/uvd.sock", p->service.run) >= (int)sizeof(uvd)) {
		error_set(e, EXIT_INVALID, "the path of uvd's socket is too long");
		return error_where(e, "%s", p->service.run);
	}
	rc = uvdlink_open(&p->service.link, event, uvd, on_uvd, p);
	if (rc >= 0)
		rc = mirror_open(&p->service.mirror, p->service.link);
	if (rc >= 0)
		rc = http_server_open(&p->http, event, listen_fd, &config);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &p->ready, CLOCK_MONOTONIC,
						READY_MS * 1000ull, 0, on_ready_timeout, p);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGTERM, on_signal, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGINT, on_signal, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGHUP, on_hangup, p);
	if (rc >= 0)
		rc = sd_event_set_watchdog(event, true);
	if (rc < 0)
		return error_set(e, EXIT_FAILED, "cannot set up the service: %s", strerror(-rc));
	return 0;
}

/*
 * Open what needs root, become nobody special, then read what others may have written, then
 * restrict system calls, then listen.
 */
static int start(struct program *p, const struct options *o, sd_event *event, struct error *e)
{
	struct passwd *operations = getpwnam(USER_OPERATIONS);
	char socket[256], state[PATH_MAX - 64];
	int fd;

	snprintf(socket, sizeof(socket), "%s/cmdpartd.sock", o->run);
	p->service.operations = operations ? operations->pw_uid : (uid_t)-1;
	access_open(&p->service.access);
	if (make_state(o, state, sizeof(state), e) < 0)
		return -1;
	fd = http_listen(socket, e);
	if (fd < 0)
		return -1;
	if (sandbox_drop(USER_COMMAND, GROUP_OPERATOR, e) < 0 ||
	    epoch_open(&p->service.epoch, state, e) < 0 ||
	    autostart_open(&p->service.autostart, state, e) < 0 ||
	    open_service(p, event, fd, e) < 0 || sandbox_filter(e) < 0)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .run = "/run/ultravisor", .state = "/var/lib/ultravisor",
			     .config = "/etc/ultravisor/policy.json" };
	static struct program program;
	static struct policy policy;
	struct error e = ERROR_NONE;
	sd_event *event = NULL;
	sigset_t signals;
	bool found;
	int rc;

	setlocale(LC_ALL, "");
	if (parse_options(argc, argv, &o) < 0)
		return EXIT_INVALID;
	log_init("cmdpartd", o.debug);
	signal(SIGPIPE, SIG_IGN);
	/* Before the loop reads them: sd-event wants them blocked. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (policy_load(&policy, o.config, &found, &e) < 0) {
		output_error("cmdpartd", &e, o.json);
		return EXIT_INVALID;
	}
	if (o.check_config)
		return check_config(&o, &policy, found);
	LIST_INIT(&program.service.flying);
	LIST_INIT(&program.service.reservations);
	program.service.policy = &policy;
	program.service.policy_path = o.config;
	program.service.policy_found = found;
	program.service.run = o.run;
	program.service.state = o.state;
	program.service.prepared = on_prepared;
	program.service.prepared_data = &program;
	rc = sd_event_default(&event);
	program.service.event = event;
	if (rc < 0 || start(&program, &o, event, &e) < 0) {
		output_error("cmdpartd", &e, o.json);
		return e.code ? e.code : EXIT_FAILED;
	}
	log_notice("serving; policy: %s", found ? o.config : "defaults");
	rc = sd_event_loop(event);
	/* Answers first: what waits for uvd is told so, while its connection is still there. */
	uvdlink_close(program.service.link);
	mirror_close(program.service.mirror);
	console_close_all();
	failback_close(&program.service.failback);
	http_server_close(program.http);
	sd_event_source_disable_unref(program.ready);
	sd_event_unref(event);
	return rc < 0 ? EXIT_FAILED : rc;
}

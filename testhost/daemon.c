// SPDX-License-Identifier: Apache-2.0
/*
 * daemon: start, watch and restart the system partitions.
 *
 * This stands in for systemd where systemd would take a minute to boot; the units in systemd/
 * say the same for a real host. A restart is quick on purpose: guests wait for it.
 */
#include "daemon.h"

#include "clock.h"
#include "report.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTIFY_SOCKET	"/run/notify"

enum {
	RESTART_MS = 100,
	/* One that dies at once gets a longer pause, so that its log stays readable. */
	RESTART_SOON_MS = 400,
	SOON_MS = 1000,
};

static struct daemon {
	const char *name;	/* also of its log */
	const char *argv[5];
	char path[4096];	/* empty: not built */
	pid_t pid;		/* 0: not running */
	bool ready;
	bool wanted;
	long started_ms;
	long restart_ms;	/* when to start it again; 0: no plan */
} daemons[] = {
	{ .name = "uvd",	.argv = { "uvd" } },
	{ .name = "cmdpartd",	.argv = { "cmdpartd" } },
	{ .name = "iopartd-a",	.argv = { "iopartd", "--instance", "a" } },
	{ .name = "iopartd-b",	.argv = { "iopartd", "--instance", "b" } },
	{ .name = "opsd",	.argv = { "opsd" } },
};

static int notify_fd = -1;

int daemon_count(void)
{
	return sizeof(daemons) / sizeof(daemons[0]);
}

const char *daemon_name(int which)
{
	return daemons[which].name;
}

int daemon_notify_fd(void)
{
	return notify_fd;
}

void daemon_init(const struct config *config)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = NOTIFY_SOCKET };
	int i, one = 1;

	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify_fd < 0 ||
	    setsockopt(notify_fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
	    bind(notify_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("notify socket");
	/* A daemon that has dropped its privileges still has to report. */
	chmod(NOTIFY_SOCKET, 0666);

	for (i = 0; i < daemon_count(); i++) {
		struct daemon *d = &daemons[i];

		snprintf(d->path, sizeof(d->path), "%s/build/bin/%s", config->repo, d->argv[0]);
		if (access(d->path, X_OK) < 0) {
			say("%s: not built, skipped", d->name);
			d->path[0] = '\0';
		}
	}
}

static void exec_daemon(const struct daemon *d)
{
	char log[256];
	int null, out;

	child_begin();
	snprintf(log, sizeof(log), DAEMON_LOGS "/%s.log", d->name);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (out < 0 || null < 0)
		_exit(126);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	setenv("NOTIFY_SOCKET", NOTIFY_SOCKET, 1);
	if (chdir("/") == 0)
		execv(d->path, (char *const *)d->argv);
	fprintf(stderr, "%s: %s\n", d->path, strerror(errno));
	_exit(126);
}

bool daemon_start(int which)
{
	struct daemon *d = &daemons[which];

	if (!d->path[0])
		return false;
	d->wanted = true;
	d->ready = false;
	d->restart_ms = 0;
	d->started_ms = clock_ms();
	d->pid = fork();
	if (d->pid == 0)
		exec_daemon(d);
	if (d->pid < 0) {
		d->pid = 0;
		d->restart_ms = d->started_ms + RESTART_SOON_MS;
	}
	return true;
}

bool daemon_is_ready(int which)
{
	return daemons[which].ready;
}

bool daemon_is_running(int which)
{
	return daemons[which].pid != 0;
}

void daemon_stop(int which, int sig)
{
	struct daemon *d = &daemons[which];

	d->wanted = false;
	d->restart_ms = 0;
	if (d->pid)
		kill(d->pid, sig);
}

static struct daemon *find(pid_t pid)
{
	int i;

	for (i = 0; i < daemon_count(); i++)
		if (daemons[i].pid == pid)
			return &daemons[i];
	return NULL;
}

static bool says_ready(const char *message)
{
	const char *line;

	for (line = message; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "READY=1", 7) && (line[7] == '\n' || line[7] == '\0'))
			return true;
	}
	return false;
}

/*
 * Only the daemon's main process counts: the sender's pid is the kernel's word, not its own.
 * There is room for the credentials alone, so the kernel closes any descriptor that was passed:
 * the test host keeps none for daemons (FDSTORE=1), as the units do not.
 */
void daemon_notified(void)
{
	for (;;) {
		char message[4096];
		union {
			struct cmsghdr header;
			char space[CMSG_SPACE(sizeof(struct ucred))];
		} control;
		struct iovec iov = { .iov_base = message, .iov_len = sizeof(message) - 1 };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
				      .msg_control = &control, .msg_controllen = sizeof(control) };
		ssize_t len = recvmsg(notify_fd, &msg, MSG_CMSG_CLOEXEC);
		struct cmsghdr *c = len < 0 ? NULL : CMSG_FIRSTHDR(&msg);
		struct daemon *d;
		struct ucred who;

		if (len < 0)
			return;
		if (!c || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		message[len] = '\0';
		memcpy(&who, CMSG_DATA(c), sizeof(who));
		d = find(who.pid);
		if (d && !d->ready && says_ready(message)) {
			d->ready = true;
			step("%s: ready after %ld ms", d->name, clock_ms() - d->started_ms);
		}
	}
}

void daemon_exited(pid_t pid, int status)
{
	struct daemon *d = find(pid);
	long now = clock_ms();
	bool soon;

	if (!d)
		return;
	d->pid = 0;
	d->ready = false;
	if (WIFSIGNALED(status))
		step("%s: killed by signal %d", d->name, WTERMSIG(status));
	else
		step("%s: exited with status %d", d->name, WEXITSTATUS(status));
	soon = now - d->started_ms < SOON_MS;
	if (d->wanted)
		d->restart_ms = now + (soon ? RESTART_SOON_MS : RESTART_MS);
}

void daemon_restart_due(long now_ms)
{
	int i;

	for (i = 0; i < daemon_count(); i++)
		if (daemons[i].restart_ms && daemons[i].restart_ms <= now_ms)
			daemon_start(i);
}

long daemon_deadline_ms(void)
{
	long next = -1;
	int i;

	for (i = 0; i < daemon_count(); i++)
		if (daemons[i].restart_ms && (next < 0 || daemons[i].restart_ms < next))
			next = daemons[i].restart_ms;
	return next;
}

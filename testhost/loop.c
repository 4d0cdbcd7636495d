// SPDX-License-Identifier: Apache-2.0
/*
 * loop: PID 1 waits in one place.
 *
 * Children are reaped by waitpid(-1): every orphan of the test host ends up here, and those
 * that are neither the command nor a daemon are of no interest.
 */
#include "loop.h"

#include "clock.h"
#include "command.h"
#include "daemon.h"
#include "report.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_fd = -1;

void loop_init(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child_fd < 0)
		die("signalfd");
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		command_exited(pid, status);
		daemon_exited(pid, status);
	}
}

void loop_once(long deadline_ms)
{
	struct pollfd fds[] = {
		{ .fd = child_fd, .events = POLLIN },
		{ .fd = daemon_notify_fd(), .events = POLLIN },
	};
	long now = clock_ms(), restart = daemon_deadline_ms();
	struct signalfd_siginfo info;

	if (restart >= 0 && restart < deadline_ms)
		deadline_ms = restart;
	if (poll(fds, 2, deadline_ms > now ? (int)(deadline_ms - now) : 0) < 0)
		return;
	/* A child's last message is read before the child is forgotten. */
	if (fds[1].revents)
		daemon_notified();
	if (fds[0].revents && read(child_fd, &info, sizeof(info)) > 0)
		reap();
	daemon_restart_due(clock_ms());
}

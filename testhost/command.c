// SPDX-License-Identifier: Apache-2.0
/*
 * command: the one command that a run of the test host is for.
 *
 * Its output goes to files of the run's share, where a write has arrived on the build machine
 * when it returns, so nothing is lost however the test host ends. With a terminal it gets
 * hvc0, a paravirtual console, for all three streams.
 */
#include "command.h"

#include "clock.h"
#include "loop.h"
#include "relay.h"
#include "report.h"
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	STOP_MS = 5000,
	STATUS_TIMEOUT = 124,
};

static int console = -1, share_out = -1, share_err = -1;

static pid_t command_pid;
static bool ended;
static int ended_status;
static struct relay output, error, input;
static bool has_output, has_error;

/* The virtio port that scripts/appliance named @name, or -1. */
static int open_port(const char *name)
{
	static const char class[] = "/sys/class/virtio-ports";
	DIR *dir = opendir(class);
	struct dirent *entry;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		char path[512], have[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s/name", class, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(have, sizeof(have), file)) {
			have[strcspn(have, "\n")] = '\0';
			if (!strcmp(have, name)) {
				snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
				fd = open(path, O_RDONLY | O_CLOEXEC);
			}
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int open_share(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), ROOT_RUN "/%s", name);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	return fd;
}

void command_streams(const struct config *config)
{
	if (config->tty) {
		console = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (console < 0)
			die("open /dev/hvc0");
		report_to(console);
		return;
	}
	share_out = open_share("stdout");
	share_err = config->merge ? share_out : open_share("stderr");
	report_to(share_err);
}

static void exec_command(const struct config *config, int in, int out, int err)
{
	child_begin();
	if (config->tty)
		ioctl(in, TIOCSCTTY, 0);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	environ = config->environ;
	if (chdir(config->cwd) < 0) {
		fprintf(stderr, "appliance: %s: %s\n", config->cwd, strerror(errno));
		_exit(126);
	}
	execvp(config->command[0], config->command);
	fprintf(stderr, "appliance: %s: %s\n", config->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void start_on_terminal(const struct config *config)
{
	struct winsize size = { .ws_row = (unsigned short)config->rows,
				.ws_col = (unsigned short)config->columns };

	ioctl(console, TIOCSWINSZ, &size);
	command_pid = fork();
	if (command_pid == 0)
		exec_command(config, console, console, console);
}

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
}

/* Fork first: the child of a process with threads may do little. */
static void start_on_pipes(const struct config *config)
{
	int in[2] = { -1, -1 }, out[2], err[2] = { -1, -1 }, port = -1;

	make_pipe(out);
	if (!config->merge)
		make_pipe(err);
	if (config->input)
		port = open_port("input");
	if (port >= 0)
		make_pipe(in);
	else
		in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);

	command_pid = fork();
	if (command_pid == 0)
		exec_command(config, in[0], out[1], config->merge ? out[1] : err[1]);
	close(in[0]);
	close(out[1]);
	/* Copies: what PID 1 says goes there as well, to the end. */
	has_output = relay_start(&output, out[0], fcntl(share_out, F_DUPFD_CLOEXEC, 0)) == 0;
	if (!config->merge) {
		close(err[1]);
		has_error = relay_start(&error, err[0], fcntl(share_err, F_DUPFD_CLOEXEC, 0)) == 0;
	}
	if (port >= 0)
		relay_start(&input, port, in[1]);
}

void command_start(const struct config *config)
{
	int up = open(ROOT_RUN "/up", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	/* From here on scripts/appliance may not start the test host a second time. */
	if (up < 0)
		die("write up");
	close(up);
	if (config->tty)
		start_on_terminal(config);
	else
		start_on_pipes(config);
	if (command_pid < 0)
		die("fork");
}

void command_exited(pid_t pid, int status)
{
	if (pid != command_pid)
		return;
	ended = true;
	ended_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_wait(const struct config *config)
{
	long deadline = clock_ms() + config->timeout_s * 1000L;

	while (!ended && clock_ms() < deadline)
		loop_once(deadline);
	if (ended)
		return ended_status;

	say("the command ran longer than %u s", config->timeout_s);
	kill(-command_pid, SIGTERM);
	deadline = clock_ms() + STOP_MS;
	while (!ended && clock_ms() < deadline)
		loop_once(deadline);
	return STATUS_TIMEOUT;
}

void command_kill(void)
{
	kill(-command_pid, SIGKILL);
}

void command_finish(void)
{
	if (has_output)
		relay_finish(&output);
	if (has_error)
		relay_finish(&error);
	if (console >= 0)
		tcdrain(console);
}

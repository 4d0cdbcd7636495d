// SPDX-License-Identifier: Apache-2.0
/*
 * systemd: the test host with systemd as PID 1.
 *
 * The project is there as a package would have installed it: scripts/appliance made the tree
 * and root_switch() laid it over this machine's files. Only the units of ultravisor.target and
 * what they depend on are started; this machine's own services stay off.
 */
#include "systemd.h"

#include "command.h"
#include "loop.h"
#include "report.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SELF	"/run/testhost-init"
#define UNITS	"/run/systemd/system"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("write %s", path);
	close(fd);
}

/* The program is in the initrd, which nobody can reach any more; the kernel still can. */
static void copy_self(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(SELF, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0 ||
	    sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size)
		die("copy to " SELF);
	close(from);
	close(to);
}

static void write_units(const struct config *config)
{
	char command[1024];

	make_directories(UNITS);
	snprintf(command, sizeof(command),
		 "[Unit]\n"
		 "Description=The command that this run of the test host is for\n"
		 "%s"
		 "[Service]\n"
		 "Type=exec\n"
		 "ExecStart=" SELF " command\n"
		 "TimeoutStopSec=5\n",
		 config->daemons ? "Wants=ultravisor.target\nAfter=ultravisor.target\n" : "");
	write_file(UNITS "/appliance-command.service", command);
	write_file(UNITS "/appliance.target",
		   "[Unit]\n"
		   "Description=The test host\n"
		   "Requires=basic.target\n"
		   "After=basic.target\n"
		   "Wants=appliance-command.service\n"
		   "AllowIsolate=yes\n");
}

/* modprobe finds ultravisor.ko as if it were installed; scripts/appliance made the index. */
static void install_module(void)
{
	char to[256];
	struct utsname name;

	if (access(ROOT_RUN "/modules", F_OK) < 0)
		return;
	uname(&name);
	snprintf(to, sizeof(to), "/lib/modules/%s", name.release);
	if (RUN("cp", "-r", ROOT_RUN "/modules/.", to))
		say("ultravisor.ko: not installed");
}

void systemd_exec(const struct config *config)
{
	char *const argv[] = { (char *)"/sbin/init", NULL };
	char *const environment[] = { (char *)"TERM=linux", NULL };

	/* This machine may be a container; the test host is none, whatever the files say. */
	unlink("/.dockerenv");
	copy_self();
	write_units(config);
	install_module();
	child_begin();
	execve("/lib/systemd/systemd", argv, environment);
	die("start systemd");
}

int systemd_command(void)
{
	static struct config config;
	int rc, status;

	loop_init();
	rc = config_read(&config, ROOT_RUN);
	if (rc) {
		fprintf(stderr, "configuration: %s\n", strerror(-rc));
		return 1;
	}
	command_streams(&config);
	environ = config.environ;
	command_start(&config);
	status = command_wait(&config);
	command_kill();
	command_finish();
	RUN("sh", "-c", "exec journalctl -b --no-pager >" ROOT_RUN "/log/journal.log");
	write_status(status);
	return RUN("systemctl", "--no-block", "poweroff");
}

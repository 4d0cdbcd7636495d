// SPDX-License-Identifier: Apache-2.0
/*
 * report: what PID 1 itself has to say.
 *
 * Lines go through /dev/kmsg as well: the kernel log is the one place that survives whatever
 * happens to this process, and the two tell one story there.
 */
#include "report.h"

#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <syslog.h>
#include <unistd.h>

static int user_fd = -1;

void report_to(int fd)
{
	user_fd = fd;
}

static void user(const char *line)
{
	if (user_fd >= 0)
		dprintf(user_fd, "testhost: %s\n", line);
}

static void kmsg(int level, const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char record[640];
	int len = snprintf(record, sizeof(record), "<%d>testhost: %s\n", level, line);

	/*
	 * One write(2) is one record, which nobody can read before its line has ended. Not
	 * dprintf(): it seeks first, which kmsg refuses.
	 */
	if (fd < 0 || write(fd, record, (size_t)len) < 0)
		user("cannot write to the kernel log");
	if (fd >= 0)
		close(fd);
}

void step(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	kmsg(LOG_NOTICE, line);
}

void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	kmsg(LOG_NOTICE, line);
	user(line);
}

void write_status(int status)
{
	int fd = open(ROOT_RUN "/status", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%d\n", status) < 0)
		die("write the status");
	close(fd);
}

void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	/* Without ACPI there is no power to switch off; the machine ends on a reset as well. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

void die(const char *fmt, ...)
{
	char line[512], with_error[600];
	int error = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(with_error, sizeof(with_error), "%s: %s", line, strerror(error));
	kmsg(LOG_ERR, with_error);
	user(with_error);
	power_off();
}

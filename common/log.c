/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines to the journal or to stderr. The journal's native protocol is spoken here and not
 * through libsystemd, because a guest's monitor logs too and must stay small. On stderr the
 * fields follow the text in brackets.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/log.h>

#define LINE_MAX_BYTES 1024

static const char *program_name = "ultravisor";
static bool debug_on;
static int journal = -1;

static __thread const char *partition_field;
static __thread uint64_t transaction_field;
static __thread const char *request_field;

/* The native protocol (systemd's JOURNAL_NATIVE_PROTOCOL): KEY=VALUE lines in one datagram. */
static int journal_open(void)
{
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket",
	};
	int fd;

	if (!getenv("JOURNAL_STREAM"))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void log_init(const char *program, bool debug)
{
	program_name = program;
	debug_on = debug;
	if (journal < 0)
		journal = journal_open();
}

const char *log_partition(const char *name)
{
	const char *before = partition_field;

	partition_field = name;
	return before;
}

void log_transaction(uint64_t number)
{
	transaction_field = number;
}

void log_request(const char *id)
{
	request_field = id;
}

static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static void emit(int level, char *text)
{
	char record[LINE_MAX_BYTES + 512];
	int n;

	/* Text may quote a peer; a newline in it must not become a second field or line. */
	one_line(text);
	if (journal >= 0) {
		n = snprintf(record, sizeof(record),
			     "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", level,
			     program_name, text);
		if (partition_field)
			n += snprintf(record + n, sizeof(record) - n,
				      "ULTRAVISOR_PARTITION=%.64s\n", partition_field);
		if (transaction_field)
			n += snprintf(record + n, sizeof(record) - n,
				      "ULTRAVISOR_TRANSACTION=%llu\n",
				      (unsigned long long)transaction_field);
		if (request_field)
			n += snprintf(record + n, sizeof(record) - n, "ULTRAVISOR_REQUEST=%.64s\n",
				      request_field);
		if (send(journal, record, n, MSG_NOSIGNAL) == n)
			return;
	}
	n = snprintf(record, sizeof(record), "%s: %s", program_name, text);
	if (partition_field)
		n += snprintf(record + n, sizeof(record) - n, " [partition %.64s]",
			      partition_field);
	if (transaction_field)
		n += snprintf(record + n, sizeof(record) - n, " [transaction %llu]",
			      (unsigned long long)transaction_field);
	if (request_field)
		n += snprintf(record + n, sizeof(record) - n, " [request %.64s]", request_field);
	record[n++] = '\n';
	/* A log that cannot be written must not stop a daemon. */
	if (write(STDERR_FILENO, record, n) < 0)
		return;
}

void log_line(int level, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;

	if (level == LOG_DEBUG && !debug_on)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	emit(level, text);
	errno = saved;
}

int log_errno(int level, int rc, const char *format, ...)
{
	char text[LINE_MAX_BYTES], why[64];
	int saved = errno, n;
	va_list args;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text) - sizeof(why) - 2, format, args);
	va_end(args);
	if (n > (int)(sizeof(text) - sizeof(why) - 3))
		n = sizeof(text) - sizeof(why) - 3;
	snprintf(text + n, sizeof(text) - n, ": %s", strerror_r(-rc, why, sizeof(why)));
	if (level != LOG_DEBUG || debug_on)
		emit(level, text);
	errno = saved;
	return rc;
}

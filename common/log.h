/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines of all daemons: to the journal with structured fields where there is one, else to
 * stderr. Fields name what a line is about, so that one journalctl filter tells a partition's
 * whole story: ULTRAVISOR_PARTITION, ULTRAVISOR_TRANSACTION, ULTRAVISOR_REQUEST.
 *
 * log_init decides once: the journal is used when stderr is connected to it (JOURNAL_STREAM).
 * The context strings are the caller's and must live until they are replaced; NULL: none. They
 * are per thread.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

void log_init(const char *program, bool debug);
const char *log_partition(const char *name);	/* the one before, to be set again */
void log_transaction(uint64_t number);
void log_request(const char *id);

/* level is LOG_ERR … LOG_DEBUG; LOG_DEBUG lines appear only with debug. errno is kept. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

/* The same with ": strerror(-rc)" appended; returns rc, so that a branch can return it. */
int log_errno(int level, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what PID 1 itself has to say, to the user's terminal and to the kernel log.
 */
#ifndef TESTHOST_REPORT_H
#define TESTHOST_REPORT_H

/* The descriptor that say() writes to; until it is set, say() goes to the kernel log alone. */
void report_to(int fd);

/* One line, without its newline, for the user. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Note a step in the kernel log: it tells where a boot stopped, and when. */
void step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The test host cannot go on: say so and power off without a status, which is a failure. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The run's status. Without it the run has failed, whatever else was said. */
void write_status(int status);

void power_off(void) __attribute__((noreturn));

#endif

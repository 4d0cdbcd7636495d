/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: milliseconds since the test host's boot; all deadlines of PID 1 are in them.
 */
#ifndef TESTHOST_CLOCK_H
#define TESTHOST_CLOCK_H

#include <time.h>

static inline long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif

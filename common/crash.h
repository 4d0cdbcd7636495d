/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named instants at which a test kills a daemon. They exist only in the sanitized objects that unit
 * tests link, and in builds for tests with CRASH_POINTS; in the program they are nothing.
 */
#ifndef COMMON_CRASH_H
#define COMMON_CRASH_H

#if defined(__SANITIZE_ADDRESS__) || defined(CRASH_POINTS)
void crash_point(const char *name);	/* the test's */
#pragma weak crash_point
#define CRASH_POINT(name)			\
	do {					\
		if (crash_point)		\
			crash_point(name);	\
	} while (0)
#else
#define CRASH_POINT(name) do { } while (0)
#endif

#endif

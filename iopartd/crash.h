/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named instants at which a unit test kills the server. They exist only in the sanitized objects
 * that unit tests link; in the program they are nothing.
 */
#ifndef IOPARTD_CRASH_H
#define IOPARTD_CRASH_H

#ifdef __SANITIZE_ADDRESS__
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

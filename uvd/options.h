/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of uvd. */
#ifndef UVD_OPTIONS_H
#define UVD_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

struct options {
	const char *state, *run, *device;
	char monitor[PATH_MAX];
	bool debug;
	bool check;			/* tell whether the database is sound, and exit */
	const char *restore;		/* put this backup in its place, and exit; or NULL */
	bool inventory;			/* print what a first start would take, and exit */
};

/* 0; 1: --help or --version was answered; -EINVAL: said on stderr. */
int options_parse(struct options *o, int argc, char **argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: its table makes the usage text and reads the options. */
#ifndef CMDPARTCTL_USAGE_H
#define CMDPARTCTL_USAGE_H

#include <stdio.h>

#include "cmdpartctl.h"

/* The whole program's usage, or one command's (NULL: all). */
void usage_print(FILE *to, const struct command *command);

const struct command *usage_find(const char *name);

/*
 * Reads argv from its first word on: options anywhere, the command, its arguments. 0; 1: help was
 * printed; -1 and *e.
 */
int usage_parse(int argc, char **argv, struct options *o, const struct command **command,
		int *arguments, char ***values, struct error *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: what scripts/appliance wants from this boot. It is written, before QEMU starts, into
 * the folder that this run shares with the test host:
 *
 *	config		KEY=VALUE, each ended by a NUL
 *	command		the command's words, each ended by a NUL
 *	environ		its environment, likewise
 */
#ifndef TESTHOST_CONFIG_H
#define TESTHOST_CONFIG_H

#include <stdbool.h>

struct config {
	const char *repo;	/* absolute path of the repository */
	const char *cwd;	/* the caller's working directory */
	const char *out;	/* the folder shared back */
	const char *kernel;	/* "6.1": which of build/kernels this is, */
	const char *kernel_dir;	/* and where that is */
	bool daemons;		/* start the system partitions */
	bool tty;		/* the command gets a terminal, hvc0 */
	bool input;		/* the command's standard input is a port of the host's */
	bool merge;		/* standard error goes where standard output goes */
	bool systemd;		/* hand over to systemd as PID 1 */
	unsigned int timeout_s;	/* for the command */
	unsigned int rows, columns;
	char **command;
	char **environ;
};

/* Read the three files in @dir. Returns 0 or -errno; what was read is never freed. */
int config_read(struct config *config, const char *dir);

#endif

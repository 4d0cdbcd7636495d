/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, as include/ultravisor/monitor.h lays it down. */
#ifndef MONITOR_OPTIONS_H
#define MONITOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define OPTIONS_MAX_DEVICES 30		/* PCI slots but the host bridge's, and one to spare */

struct options_device {
	uint32_t type;			/* CHANNEL_BLOCK or CHANNEL_NETWORK */
	char name[ULTRAVISOR_NAME_LEN];
	int channel;
	bool has_mac;
	uint8_t mac[6];
};

struct options {
	const char *name, *uuid, *cmdline;
	int partition, channel, kernel, initrd, console;	/* -1: not given */
	unsigned int vcpus;
	struct memory memory;
	unsigned int devices;
	struct options_device device[OPTIONS_MAX_DEVICES];
	bool to_stdout;			/* the guest's console, for trying things by hand */
	bool debug;
};

/* 0, or -EINVAL with the reason in error. Text points into argv. */
int options_parse(struct options *o, int argc, char **argv, char *error, unsigned int size);

/*
 * Takes the descriptors over: each must be open; they are close-on-exec from now on, and every
 * other descriptor but the standard three is closed.
 */
int options_adopt(const struct options *o, char *error, unsigned int size);

#endif

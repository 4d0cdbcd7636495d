/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that the policy starts, in its order, once each time that the module was loaded (which
 * is a boot of the host). What an operator ends afterwards stays off, whatever daemon restarts.
 */
#ifndef CMDPARTD_AUTOSTART_H
#define CMDPARTD_AUTOSTART_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/error.h>

#include "operation.h"

struct service;

struct autostart {
	char path[PATH_MAX];
	uint8_t done[16];	/* the module's instance that it was done for; zero: none */
	uint8_t instance[16];	/* that it is being done for */
	bool running;
	unsigned int next, attempt;	/* of the policy's list */
	struct draft draft;
};

/* Reads directory/autostart.json; none yet is none. */
int autostart_open(struct autostart *a, const char *directory, struct error *e);

/* Begins, if it has not been done: whenever uvd is there and the host is as the policy says. */
void autostart_run(struct service *service);

#endif

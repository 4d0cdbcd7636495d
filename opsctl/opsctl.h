/* SPDX-License-Identifier: Apache-2.0 */
/* opsctl: its commands, and how each speaks to opsd. */
#ifndef OPSCTL_OPSCTL_H
#define OPSCTL_OPSCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/error.h>

struct opsctl {
	const char *socket;
	bool json, verbose, follow;
	const char *request_id;		/* NULL: one is made up */
	unsigned int timeout_s;		/* for the guest to run or to be off, */
	unsigned int patience_s;	/* and beyond that, for hosts and opsd to come back */
	unsigned int limit;		/* of events */
	uint64_t seen;			/* the newest event printed */
};

#define OPSCTL_TIMEOUT_S	60
#define OPSCTL_PATIENCE_S	15

/*
 * Each returns an exit code; on anything but EXIT_OK, *e says why. operand is the command's one
 * operand, NULL if it has none and none was given.
 */
typedef enum exit_code opsctl_command(struct opsctl *c, const char *operand, struct error *e);

opsctl_command opsctl_activate, opsctl_deactivate, opsctl_define, opsctl_undefine, opsctl_list,
	opsctl_show, opsctl_events, opsctl_host_list, opsctl_domain_list;

/* One request to opsd; body is stolen. The reply is the caller's if EXIT_OK, else NULL. */
enum exit_code opsctl_call(struct opsctl *c, const char *method, const char *path, json_t *body,
			   json_t **reply, struct error *e);

/* Whether an operand is a definition's file: "-", with a slash, or ending in .json. */
bool opsctl_is_file(const char *operand);

/* The line that tells of an event to who watches an activation; false: not without -v. */
bool opsctl_step(char *to, size_t size, const json_t *event, bool verbose);

#endif

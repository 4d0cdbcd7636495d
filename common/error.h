/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error as users meet it: what went wrong, where (file, key, object), why, and the way out.
 * The same five members are an error object in JSON, on stderr and in HTTP replies.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <jansson.h>
#include <stdbool.h>

#include <common/exit_code.h>

struct error {
	enum exit_code code;
	char message[256];	/* a sentence without its period: "no partition is named web1" */
	char where[320];	/* "web1.json: cpus.count", "partition web1"; "": nowhere special */
	char why[1024];		/* limit, asked, in use …; "" */
	char fix[320];		/* what to do about it; "" */
	json_t *details;	/* owned; more for programs, such as a plan's rules; NULL: none */
};

#define ERROR_NONE { .code = EXIT_OK }

/* Sets code and message, empties the rest; returns -1 always, for `return error_set(…)`. */
int error_set(struct error *e, enum exit_code code, const char *message, ...)
	__attribute__((format(printf, 3, 4)));
/* Each of these replaces one member; they return -1 as well. */
int error_where(struct error *e, const char *where, ...) __attribute__((format(printf, 2, 3)));
int error_why(struct error *e, const char *why, ...) __attribute__((format(printf, 2, 3)));
int error_fix(struct error *e, const char *fix, ...) __attribute__((format(printf, 2, 3)));

/* Empties it and drops its details. */
void error_clear(struct error *e);

/* { "schema_version", "code", "message", "where", "why", "fix" [, "details"] }; a new reference. */
json_t *error_to_json(const struct error *e);

/* Reads such an object, which may come from a peer; -1 if it is none (e is then empty). */
int error_from_json(struct error *e, const json_t *object);

#endif

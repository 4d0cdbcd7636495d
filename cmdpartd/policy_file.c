/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy's files: one, and drop-ins beside it (policy.d/NAME.json for policy.json) in the order
 * of their names. Members of objects are added or replaced, everything else is replaced as a whole.
 * All is parsed again with each file, so that a fault is told of the file that brings it in.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/json_file.h>

#include "policy.h"

static void merge(json_t *into, json_t *from)
{
	json_t *value, *there;
	const char *key;

	json_object_foreach(from, key, value) {
		there = json_object_get(into, key);
		if (json_is_object(there) && json_is_object(value))
			merge(there, value);
		else
			json_object_set(into, key, value);
	}
}

/* Reads one more file on top. 0; 1: there is none; -1 and *e. */
static int add_file(json_t *all, struct policy *p, const char *path, struct error *e)
{
	json_t *json = json_file_load(path, POLICY_MAX_BYTES, e);
	int rc;

	if (!json && e->code == EXIT_NOT_FOUND) {
		error_clear(e);
		return 1;
	}
	if (!json)
		return -1;
	if (json_is_object(json)) {
		merge(all, json);
		rc = policy_parse(p, all, path, e);
	} else {
		rc = policy_parse(p, json, path, e);
	}
	json_decref(json);
	return rc;
}

static int add_drop_ins(json_t *all, struct policy *p, const char *path, bool *found,
			struct error *e)
{
	const char *dot = strrchr(path, '.');
	size_t stem = dot && !strchr(dot, '/') ? (size_t)(dot - path) : strlen(path);
	char pattern[PATH_MAX];
	glob_t names;
	int rc = 0;

	if (snprintf(pattern, sizeof(pattern), "%.*s.d/*.json", (int)stem, path) >=
	    (int)sizeof(pattern))
		return error_set(e, EXIT_INVALID, "the path of the policy is too long");
	/* Sorted by name; a directory that may not be read is a fault, an absent one is none. */
	errno = 0;
	switch (glob(pattern, GLOB_ERR, NULL, &names)) {
	case 0:
		for (size_t i = 0; i < names.gl_pathc && rc >= 0; i++) {
			rc = add_file(all, p, names.gl_pathv[i], e);
			*found |= !rc;
		}
		globfree(&names);
		return rc < 0 ? -1 : 0;
	case GLOB_NOMATCH:
		return 0;
	default:
		if (errno == ENOENT)
			return 0;
		error_set(e, EXIT_FAILED, "cannot be read: %s", strerror(errno));
		return error_where(e, "%s", pattern);
	}
}

int policy_load(struct policy *p, const char *path, bool *found, struct error *e)
{
	json_t *all = json_object();
	int rc;

	policy_defaults(p);
	rc = add_file(all, p, path, e);
	*found = !rc;
	if (rc >= 0)
		rc = add_drop_ins(all, p, path, found, e);
	json_decref(all);
	return rc < 0 ? -1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a role may use the paths and bridges that a definition names. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy.h"

static bool below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return !strcmp(directory, "/") || (!strncmp(path, directory, n) && path[n] == '/');
}

static void list_paths(const struct policy_role *role, char *to, size_t size)
{
	to[0] = '\0';
	for (unsigned int i = 0; i < role->paths; i++)
		snprintf(to + strlen(to), size - strlen(to), "%s%s", i ? ", " : "", role->path[i]);
}

/* The directories from the allowed one (itself included) down to the file's. */
static int check_directories(const char *path, const char *allowed, struct error *e)
{
	char part[PATH_MAX];
	size_t n = strcmp(allowed, "/") ? strlen(allowed) : 0;
	struct stat st;

	for (;;) {
		snprintf(part, sizeof(part), "%.*s", n ? (int)n : 1, path);
		if (stat(part, &st) < 0)
			return error_set(e, EXIT_DENIED, "%s cannot be looked at: %s", part,
					 strerror(errno));
		if (st.st_uid != 0 || (st.st_mode & 022 && !(st.st_mode & S_ISVTX))) {
			error_set(e, EXIT_DENIED, "others than root may change %s", part);
			error_why(e, "what is opened later could be another file than was checked");
			return error_fix(e, "chown root %s; chmod go-w %s", part, part);
		}
		path[n] ? (n += 1 + strcspn(path + n + 1, "/")) : 0;
		if (!path[n])
			return 0;
	}
}

static int check_path(const struct policy *p, enum role role, const char *key,
		      char path[COMMAND_PATH_LEN], struct error *e)
{
	const struct policy_role *r = &p->role[role];
	char real[PATH_MAX], list[256];

	if (r->any_path || !path[0])
		return 0;
	if (!realpath(path, real)) {
		error_set(e, errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND : EXIT_DENIED,
			  "%s: %s", path, strerror(errno));
		return error_where(e, "%s", key);
	}
	for (unsigned int i = 0; i < r->paths; i++) {
		if (!below(real, r->path[i]))
			continue;
		if (check_directories(real, r->path[i], e) < 0)
			return error_where(e, "%s", key);
		if (strlen(real) >= COMMAND_PATH_LEN)
			return error_set(e, EXIT_INVALID, "%s is too long", real);
		strcpy(path, real);
		return 0;
	}
	list_paths(r, list, sizeof(list));
	error_set(e, EXIT_DENIED, "%s may not use %s", role_name(role), real);
	error_where(e, "%s", key);
	error_why(e, "this role may use files below %s", list[0] ? list : "no directory");
	return error_fix(e, "move the file there, or add its directory to roles.%s.paths of the "
			 "policy", role_name(role));
}

int policy_check_definition(const struct policy *p, enum role role, struct definition *d,
			    struct error *e)
{
	const struct policy_role *r = &p->role[role];
	char key[64];

	if (check_path(p, role, "boot.kernel", d->kernel, e) < 0 ||
	    check_path(p, role, "boot.initrd", d->initrd, e) < 0)
		return -1;
	for (unsigned int i = 0; i < d->devices; i++) {
		struct definition_device *v = &d->device[i];
		unsigned int b = 0;

		snprintf(key, sizeof(key), "devices[%u].path", i);
		if (check_path(p, role, key, v->path, e) < 0)
			return -1;
		if (v->type != DEVICE_NETWORK)
			continue;
		if (!policy_has_zone(p, v->settings.zone)) {
			error_set(e, EXIT_DENIED, "the policy has no zone %s", v->settings.zone);
			error_where(e, "devices[%u].zone", i);
			return error_fix(e, "use one of its zones, or add this one there");
		}
		policy_zone_talks(p, v->settings.zone, v->settings.talks);
		if (r->any_bridge)
			continue;
		while (b < r->bridges && strcmp(r->bridge[b], v->bridge))
			b++;
		if (b < r->bridges)
			continue;
		error_set(e, EXIT_DENIED, "%s may not use the bridge %s", role_name(role),
			  v->bridge);
		error_where(e, "devices[%u].bridge", i);
		return error_fix(e, "use one of roles.%s.bridges of the policy, or add it there",
				 role_name(role));
	}
	return 0;
}

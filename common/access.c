/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of access to a service on a unix socket. */
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include <common/access.h>
#include <ultravisor/handover.h>

static gid_t group_id(const char *name)
{
	const struct group *g = getgrnam(name);

	return g ? g->gr_gid : (gid_t)-1;
}

void access_open(struct access *a)
{
	a->observer = group_id(GROUP_OBSERVER);
	a->operator = group_id(GROUP_OPERATOR);
	a->admin = group_id(GROUP_ADMIN);
}

static bool in_group(const struct http_request *r, gid_t group)
{
	return group != (gid_t)-1 && http_request_in_group(r, group);
}

enum access_level access_of(const struct access *a, const struct http_request *r)
{
	uid_t uid = http_request_peer(r)->uid;

	if (uid == 0 || uid == geteuid() || in_group(r, a->admin))
		return ACCESS_ADMIN;
	if (in_group(r, a->operator))
		return ACCESS_OPERATOR;
	return in_group(r, a->observer) ? ACCESS_OBSERVER : ACCESS_NONE;
}

int access_check(const struct access *a, const struct http_request *r, struct error *e)
{
	enum access_level level = access_of(a, r);
	bool reads = !strcmp(http_request_method(r), "GET");

	if (level >= ACCESS_OPERATOR || (level == ACCESS_OBSERVER && reads))
		return 0;
	if (level == ACCESS_OBSERVER) {
		error_set(e, EXIT_DENIED, "observers may only read");
		error_why(e, "user %u is in the group " GROUP_OBSERVER " alone",
			  http_request_peer(r)->uid);
		return error_fix(e, "ask root for the group " GROUP_OPERATOR);
	}
	error_set(e, EXIT_DENIED, "you may not use this service");
	error_why(e, "user %u is not root, and in none of its groups", http_request_peer(r)->uid);
	return error_fix(e, "ask root for one of the groups " GROUP_OBSERVER " (reads), "
			 GROUP_OPERATOR " and " GROUP_ADMIN);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy in force: shown, and read anew. A new one is checked as a whole first; if it is bad
 * the old one stays. It then judges what is asked from now on: what runs is left as it is, and of
 * pool and domains uvd refuses what is in use.
 */
#include <string.h>

#include <common/log.h>

#include "call.h"
#include "render.h"
#include "service.h"

int service_reload(struct service *service, struct error *e)
{
	static struct policy fresh;
	bool found;

	if (policy_load(&fresh, service->policy_path, &found, e) < 0) {
		log_error("the policy stays as it was: %s: %s", e->where, e->message);
		return -1;
	}
	*service->policy = fresh;
	service->policy_found = found;
	log_notice("policy read anew: %s", found ? service->policy_path : "defaults");
	service_prepare(service);
	return 0;
}

static void reply_policy(struct call *call)
{
	const struct service *service = call->service;

	call_reply(call, json_pack("{s:o, s:o, s:o}", "file", service->policy_found ?
		   json_string(service->policy_path) : json_null(), "not_in_force",
		   service->not_in_force[0] ? json_string(service->not_in_force) : json_null(),
		   "policy", policy_to_json(service->policy)));
}

void service_get_policy(struct http_request *http, void *data)
{
	struct call *call = call_new(data, http);

	if (call)
		reply_policy(call);
}

void service_reloaded(struct service *service)
{
	struct call *call = service->reloading;

	service->reloading = NULL;
	if (call)
		reply_policy(call);
}

void service_post_reload(struct http_request *http, void *data)
{
	struct service *service = data;
	struct call *call = call_new(service, http);
	struct error e = ERROR_NONE;

	if (!call || call_body(call, NULL) < 0)
		return;
	if (call->role != ROLE_ADMIN) {
		error_set(&e, EXIT_DENIED, "%s may not reload the policy", role_name(call->role));
		error_fix(&e, "ask root to do it");
		call_error(call, &e);
	} else if (service->reloading) {
		error_set(&e, EXIT_CONFLICT, "the policy is being reloaded");
		error_fix(&e, "try again");
		call_error(call, &e);
	} else {
		service->reloading = call;
		if (service_reload(service, &e) < 0) {
			service->reloading = NULL;
			call_error(call, &e);
		}
	}
}

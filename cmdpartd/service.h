/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource service: HTTP routes onto rows, drafts and transactions (docs/resource-service.md).
 */
#ifndef CMDPARTD_SERVICE_H
#define CMDPARTD_SERVICE_H

#include <systemd/sd-event.h>

#include <common/access.h>
#include <common/http_server.h>

#include "autostart.h"
#include "call.h"
#include "epoch.h"
#include "failback.h"
#include "mirror.h"
#include "policy.h"
#include "reservation.h"
#include "uvdlink.h"

struct service {
	sd_event *event;
	struct uvdlink *link;
	struct mirror *mirror;		/* of uvd's rows */
	struct policy *policy;
	const char *policy_path;
	bool policy_found;		/* a file; else the defaults stand */
	char not_in_force[512];		/* of the policy's pool and domains, and why; "": all is */
	struct call *reloading;		/* answered when the new policy is in force */
	const char *run;		/* directory of the I/O partitions' sockets */
	const char *state;		/* directory; uvd keeps the consoles' logs below it */
	struct access access;		/* who may ask */
	uid_t operations;		/* opsd's user; (uid_t)-1: there is none */
	struct epoch epoch;
	struct autostart autostart;
	struct failback failback;
	struct calls flying;		/* that have sent a transaction */
	struct reservations reservations;
	void (*prepared)(void *data);	/* the host is as the policy says, or cannot be made so */
	void *prepared_data;
};

extern const struct http_route service_routes[];
http_admit service_admit;

/* Reads the policy anew and makes it so; a bad one changes nothing. 0, or -1 and *e. */
int service_reload(struct service *service, struct error *e);
void service_reloaded(struct service *service);

void service_get_policy(struct http_request *http, void *data);
void service_post_reload(struct http_request *http, void *data);

/* Once uvd is there: the host's pool, and the first domain. May be called again. */
void service_prepare(struct service *service);

#endif

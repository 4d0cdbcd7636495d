/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource service: HTTP routes onto rows, drafts and transactions (docs/resource-service.md).
 */
#ifndef CMDPARTD_SERVICE_H
#define CMDPARTD_SERVICE_H

#include <systemd/sd-event.h>

#include <common/http_server.h>

#include "call.h"
#include "epoch.h"
#include "policy.h"
#include "uvdlink.h"

struct service {
	sd_event *event;
	struct uvdlink *link;
	const struct policy *policy;
	const char *policy_file;	/* NULL: there was none */
	const char *run;		/* directory of the I/O partitions' sockets */
	const char *state;		/* directory; uvd keeps the consoles' logs below it */
	uid_t operations;		/* opsd's user; (uid_t)-1: there is none */
	struct epoch epoch;
	struct calls flying;		/* that have sent a transaction */
	void (*prepared)(void *data);	/* the host is as the policy says, or cannot be made so */
	void *prepared_data;
};

extern const struct http_route service_routes[];

/* Once uvd is there: the host's pool, and the first domain. May be called again. */
void service_prepare(struct service *service);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Leases, renewed for one partition or for many at once, without a transaction. */
#ifndef CMDPARTD_LEASE_H
#define CMDPARTD_LEASE_H

#include <common/http_server.h>

void lease_post(struct http_request *http, void *data);
void lease_post_many(struct http_request *http, void *data);

#endif

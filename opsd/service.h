/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opsd's own HTTP interface on its unix socket, for opsctl: docs/operations.md. Requests that
 * change something answer at once with an activation's id; its events are waited for by long
 * polling.
 */
#ifndef OPSD_SERVICE_H
#define OPSD_SERVICE_H

#include <common/access.h>

#include "ops.h"

/* listen_fd is the service's from then on. */
int service_open(struct ops *ops, int listen_fd, const struct access *access);

/* Before ops_close. Who waits is answered. */
void service_close(struct ops *ops);

#endif

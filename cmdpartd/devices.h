/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's devices do: rows say which there are and who serves each, the I/O partitions say
 * what they have counted (docs/io.md, STATISTICS). Each is believed for the devices alone that it
 * serves by uvd's rows, and for two seconds: of who does not answer there is nothing.
 */
#ifndef CMDPARTD_DEVICES_H
#define CMDPARTD_DEVICES_H

#include <common/http_server.h>
#include <ultravisor/io.h>

#include "rows.h"

struct call;
struct devices;

/* GET /v1/devices, and GET /metrics (metrics.c). */
http_handler devices_get, metrics_get;

/* Gathers for a new call, then: the call has its rows. d is gone when it returns. */
typedef void devices_ready(struct call *call, const struct devices *d);
void devices_gather(struct http_request *http, void *data, devices_ready *ready);

/* The name of a channel's server, NULL: nobody serves it. */
const char *devices_server(const struct command_row_channel *c);
/* What that server says, NULL: nothing; sound, with a device's name that ends. */
const struct io_report *devices_report(const struct devices *d,
				       const struct command_row_channel *c);
/* Does an I/O partition serve it, or would one? */
bool devices_is_device(const struct command_row_channel *c);
/* "read", "receive", "input", …; NULL: such a device has no such operation. */
const char *devices_operation(uint32_t type, unsigned int operation);

#endif

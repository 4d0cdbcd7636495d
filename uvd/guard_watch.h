/* SPDX-License-Identifier: Apache-2.0 */
/* Tells when anybody but this process has changed the project's nftables table. */
#ifndef UVD_GUARD_WATCH_H
#define UVD_GUARD_WATCH_H

#include <systemd/sd-event.h>

struct guard_watch;

/* who: the process, for people; valid during the call. */
typedef void guard_watch_fn(const char *who, void *data);

int guard_watch_open(struct guard_watch **out, sd_event *loop, guard_watch_fn *fn, void *data);
void guard_watch_close(struct guard_watch *w);

#endif

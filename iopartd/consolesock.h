/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN/io-INSTANCE.sock: the consoles that this instance serves, and what its devices have done, for
 * the command partition. A stream socket; one request a connection, docs/io.md has the words:
 *
 *   CONSOLE <partition uuid> log|attach|attach-ro|attach-rw\n     →  OK\n and bytes, or ERR …\n
 *   STATISTICS\n           →  OK\n and a struct io_report for each device that is served here
 *
 * Only root and the command partition's user may ask. Nobody waits for a reader: each has a
 * position in the log and no buffer; one whose position is cut off is told so and dropped.
 */
#ifndef IOPARTD_CONSOLESOCK_H
#define IOPARTD_CONSOLESOCK_H

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "device.h"

struct consolesock;

/* Binds and listens at path, replacing what a dead instance left there. fd or -errno. */
int consolesock_listen(const char *path);

/* Serves connections of a listening fd, which it owns. allowed: who may ask beside root. */
int consolesock_start(struct consolesock **out, struct iopart *io, int fd, uid_t allowed);
void consolesock_stop(struct consolesock *s);

/* The console has new output, or room for input. */
void consolesock_changed(struct device *d);
/* It is served here no longer: its readers must ask the other instance. */
void consolesock_lost(struct device *d);

#endif

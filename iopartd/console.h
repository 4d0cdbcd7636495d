/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's console: its serial port's bytes go to a bounded log file and from there to whoever is
 * attached (consolesock.h); what they type goes to the serial port.
 *
 * Positions count the log's bytes since this server serves the console; the ones before `begin`
 * were cut off.
 */
#ifndef IOPARTD_CONSOLE_H
#define IOPARTD_CONSOLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "device.h"

#define CONSOLE_LOG_LIMIT	(256u * 1024u)	/* then it is cut … */
#define CONSOLE_LOG_KEEP	(128u * 1024u)	/* … to this; at most half the limit */

/* The console device of a partition that this instance serves now; NULL: it serves none. */
struct device *console_find(struct iopart *io, const uint8_t partition_uuid[16]);

/* What the log holds now. */
uint64_t console_begin(const struct device *d);
uint64_t console_end(const struct device *d);

/* Reads from the log at a position in [begin, end]: bytes read, 0 at its end, or -errno. */
ssize_t console_read(const struct device *d, uint64_t position, void *to, size_t n);

/* Types n bytes at the guest's serial port: how many had room; 0: wait for console_changed. */
size_t console_room(struct device *d);
size_t console_type(struct device *d, const void *from, size_t n);

#endif

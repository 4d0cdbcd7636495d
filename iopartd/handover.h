/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of uvd's hand-over socket (include/ultravisor/handover.h): where devices come from.
 *
 * uvd may be dead for as long as it likes: what it has handed over goes on being served, and the
 * connection is tried again for ever.
 */
#ifndef IOPARTD_HANDOVER_H
#define IOPARTD_HANDOVER_H

#include "iopart.h"

struct handover;

/*
 * Sets io->handover. Tries to connect once before it returns. 0 or -errno; that uvd does not answer
 * is no error.
 */
int handover_start(struct handover **out, struct iopart *io, const char *path);
void handover_stop(struct handover *h);

/*
 * A device was lost that uvd has not withdrawn: soon, unless it does, everything is asked for
 * again. h may be NULL.
 */
void handover_ask_again(struct handover *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One queue of a multi-queue tap, handed over detached, with IFF_VNET_HDR. 0 or -errno. */
#ifndef IOPARTD_TAP_H
#define IOPARTD_TAP_H

#include <stdbool.h>
#include <stdint.h>

/* Attached it gets its share of what the tap has for the guest. */
int tap_attach(int fd, bool attach);
/* Headers as virtio's, of this size; and the offloads that these features allow. */
int tap_configure(int fd, int header, uint64_t features);

#endif

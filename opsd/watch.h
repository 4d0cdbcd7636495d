/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch over a settled activation: until its host says that the partition runs, or is off, or
 * until patience ends. A guest that does not power off is never killed.
 */
#ifndef OPSD_WATCH_H
#define OPSD_WATCH_H

struct activation;

void watch_begin(struct activation *a);

#endif

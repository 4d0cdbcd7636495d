/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice of an activation's host: all are surveyed, ranked, and the best that has not refused
 * is claimed. When none is left, the activation fails with each one's reason.
 */
#ifndef OPSD_CHOICE_H
#define OPSD_CHOICE_H

struct activation;

void choice_begin(struct activation *a);

#endif

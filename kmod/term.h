/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The term of a lease: until when, in which epoch, whether it is over, and when a timer has to
 * look. Times are nanoseconds of one clock. No call of these reads a clock.
 */
#ifndef _UVR_TERM_H
#define _UVR_TERM_H

#include "pure.h"

struct uvr_term {
	u64 epoch;		/* 0: there is no lease */
	u64 deadline;		/* 0 likewise */
	u64 alarm;		/* the timer is set for then; 0: it is not set */
	bool over;		/* the deadline has passed, and no renewal was seen since */
};

/*
 * A first deadline, or another one, with the epoch of the first. EINVAL: one of them is 0.
 * ENOENT (renew): there is no first one. ESTALE: another epoch. What is over stays over until
 * uvr_term_revive.
 */
int uvr_term_set(struct uvr_term *term, u64 epoch, u64 deadline);
int uvr_term_renew(struct uvr_term *term, u64 epoch, u64 deadline);

/* True if it is over from this call on. */
bool uvr_term_expire(struct uvr_term *term, u64 now);

/* True if it was over, and is so no more: the deadline has been moved beyond now. */
bool uvr_term_revive(struct uvr_term *term, u64 now);

/*
 * What to set the timer to, 0 if it may stay as it is: a timer that goes off early is set anew
 * then, so that most renewals need not touch it.
 */
u64 uvr_term_alarm(struct uvr_term *term);

/* The timer has gone off: it is not set any more. */
void uvr_term_alarmed(struct uvr_term *term);

#endif /* _UVR_TERM_H */

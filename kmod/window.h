/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of windows: a processor's time is a row of frames, frames begin at
 * phase + n * frame on one monotonic clock, and a window is the same stretch of each of them.
 * Times are nanoseconds.
 */
#ifndef _UVR_WINDOW_H
#define _UVR_WINDOW_H

#include "pure.h"

/* phase < frame; start + length <= frame. */
struct uvr_window {
	u64 frame;
	u64 phase;
	u64 start;		/* after the beginning of a frame */
	u64 length;		/* 0: there is no window */
};

/* How long the window that is open at now stays open; 0: none is. */
u64 uvr_window_left(const struct uvr_window *w, u64 now);

/* When the next one opens, after now. */
u64 uvr_window_next(const struct uvr_window *w, u64 now);

/* Two stretches of one frame share some of it. */
bool uvr_window_overlaps(const struct uvr_window *a, const struct uvr_window *b);

/* The window ends within its frame; whatever the numbers are. */
bool uvr_window_fits(const struct uvr_window *w);

/* What part is of whole (not 0; both up to some seconds), in millionths, rounded up. */
u32 uvr_share_ppm(u64 part, u64 whole);

#endif /* _UVR_WINDOW_H */

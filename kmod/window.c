// SPDX-License-Identifier: GPL-2.0
/*
 * Window arithmetic, free of kernel state: frames are not counted but computed from the clock, so
 * that no number of missed ones makes a window drift.
 */
#include "window.h"

/* Time since the latest opening; before the first frame the row goes on backwards. */
static u64 since_opening(const struct uvr_window *w, u64 now)
{
	u64 first = (w->phase + w->start) % w->frame;

	return (now % w->frame + w->frame - first) % w->frame;
}

u64 uvr_window_left(const struct uvr_window *w, u64 now)
{
	u64 since = since_opening(w, now);

	return since < w->length ? w->length - since : 0;
}

u64 uvr_window_next(const struct uvr_window *w, u64 now)
{
	return now + (w->frame - since_opening(w, now));
}

bool uvr_window_overlaps(const struct uvr_window *a, const struct uvr_window *b)
{
	return a->start < b->start + b->length && b->start < a->start + a->length;
}

bool uvr_window_fits(const struct uvr_window *w)
{
	return w->length <= w->frame && w->start <= w->frame - w->length;
}

u32 uvr_share_ppm(u64 part, u64 whole)
{
	return (part * 1000000 + whole - 1) / whole;
}

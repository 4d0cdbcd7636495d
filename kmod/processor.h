/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Admission of contexts to processors. A processor has at most one dedicated context, and then
 * no other one; its windows do not overlap; and windows and real-time budgets together leave a
 * tenth of it to everybody else, without which the kernel would stall real-time threads itself.
 */
#ifndef _UVR_PROCESSOR_H
#define _UVR_PROCESSOR_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/ultravisor.h>

#include "window.h"

struct uvr_call;

/* When and where a context may run: struct ultravisor_context_set, checked. */
struct uvr_allotment {
	u32 mode;			/* enum ultravisor_context_mode; 0: none */
	bool realtime;			/* the budget is a promise */
	u64 budget_ns;
	u64 period_ns;
	struct uvr_window window;	/* frame and phase: its processor's, once admitted */
	u64 cpus[ULTRAVISOR_CPU_WORDS];
};

/* A context's entry in the book. All zero: none. The lock of the book guards it. */
struct uvr_claim {
	struct hlist_node node;		/* among the windows of its processor */
	struct uvr_allotment allotment;
};

/* 0, or why the allotment makes no sense on this machine. */
int uvr_allotment_parse(struct uvr_allotment *allotment, const struct ultravisor_context_set *arg);

/*
 * Replaces a claim; what is new in allotment, which is admitted, is filled in. EBUSY: it clashes
 * with others. ENXIO: it needs a processor that was given. EINVAL: its window does not end within
 * the frame. The old claim stays then.
 */
int uvr_processors_move(struct uvr_claim *claim, struct uvr_allotment *allotment);
/* Gives the claim up. */
void uvr_processors_leave(struct uvr_claim *claim);

long uvr_processor_set(struct uvr_call *call);
long uvr_processor_info(struct uvr_call *call);

#endif /* _UVR_PROCESSOR_H */

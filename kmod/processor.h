/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Admission of contexts to processors: a processor has at most one dedicated context, and then
 * no shared one.
 */
#ifndef _UVR_PROCESSOR_H
#define _UVR_PROCESSOR_H

#include <linux/types.h>
#include <linux/ultravisor.h>

/* When and where a context may run: struct ultravisor_context_set, checked. */
struct uvr_allotment {
	u32 mode;			/* enum ultravisor_context_mode; 0: none */
	u64 budget_ns;
	u64 period_ns;
	u64 cpus[ULTRAVISOR_CPU_WORDS];
};

/* 0, or why the allotment makes no sense on this machine. */
int uvr_allotment_parse(struct uvr_allotment *allotment, const struct ultravisor_context_set *arg);

/*
 * Replaces the claim of old (mode 0: none) by the one of new (likewise). EBUSY: new clashes with
 * other contexts, and old stays. Giving up cannot fail.
 */
int uvr_processors_move(const struct uvr_allotment *old, const struct uvr_allotment *new);

#endif /* _UVR_PROCESSOR_H */

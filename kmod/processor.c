// SPDX-License-Identifier: GPL-2.0
/*
 * The book of processors. Contexts are created and changed rarely, so it is one array under one
 * mutex.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "processor.h"

#define NR_PROCESSORS (ULTRAVISOR_CPU_WORDS * 64)
#define MIN_PERIOD_NS (1000ULL * 1000)
#define MAX_PERIOD_NS (1000ULL * 1000 * 1000)
#define MIN_BUDGET_NS (100ULL * 1000)

static DEFINE_MUTEX(processors_lock);
static struct {
	bool dedicated;
	u32 shared;		/* contexts that may run here */
} processors[NR_PROCESSORS];	/* processors_lock */

/* The ABI counts bits in 64-bit words; so does bitmap_*() on the one architecture of KVM here. */
static const unsigned long *bits(const struct uvr_allotment *allotment)
{
	BUILD_BUG_ON(sizeof(unsigned long) != sizeof(allotment->cpus[0]));
	return (const unsigned long *)allotment->cpus;
}

static int check_budget(u64 budget, u64 period)
{
	if (!budget && !period)
		return 0;
	if (period < MIN_PERIOD_NS || period > MAX_PERIOD_NS)
		return -EINVAL;
	if (budget < MIN_BUDGET_NS || budget > period)
		return -EINVAL;
	return 0;
}

int uvr_allotment_parse(struct uvr_allotment *allotment, const struct ultravisor_context_set *arg)
{
	unsigned int count, last;

	if (arg->mode != ULTRAVISOR_CONTEXT_DEDICATED && arg->mode != ULTRAVISOR_CONTEXT_SHARED)
		return -EOPNOTSUPP;
	allotment->mode = arg->mode;
	allotment->budget_ns = arg->budget_ns;
	allotment->period_ns = arg->period_ns;
	memcpy(allotment->cpus, arg->cpus, sizeof(allotment->cpus));

	count = bitmap_weight(bits(allotment), NR_PROCESSORS);
	if (!count || (arg->mode == ULTRAVISOR_CONTEXT_DEDICATED && count != 1))
		return -EINVAL;
	last = find_last_bit(bits(allotment), NR_PROCESSORS);
	if (last >= nr_cpu_ids ||
	    !bitmap_subset(bits(allotment), cpumask_bits(cpu_possible_mask),
			   min_t(unsigned int, nr_cpu_ids, NR_PROCESSORS)))
		return -EINVAL;
	if (arg->mode == ULTRAVISOR_CONTEXT_DEDICATED && arg->budget_ns)
		return -EINVAL;
	return check_budget(arg->budget_ns, arg->period_ns);
}

static bool fits(const struct uvr_allotment *allotment)
{
	unsigned int cpu;

	lockdep_assert_held(&processors_lock);
	if (!allotment->mode)
		return true;
	for_each_set_bit(cpu, bits(allotment), NR_PROCESSORS) {
		if (processors[cpu].dedicated)
			return false;
		if (allotment->mode == ULTRAVISOR_CONTEXT_DEDICATED && processors[cpu].shared)
			return false;
	}
	return true;
}

static void enter(const struct uvr_allotment *allotment, bool in)
{
	unsigned int cpu;

	lockdep_assert_held(&processors_lock);
	if (!allotment->mode)
		return;
	for_each_set_bit(cpu, bits(allotment), NR_PROCESSORS) {
		if (allotment->mode == ULTRAVISOR_CONTEXT_DEDICATED)
			processors[cpu].dedicated = in;
		else
			processors[cpu].shared += in ? 1 : -1;
	}
}

int uvr_processors_move(const struct uvr_allotment *old, const struct uvr_allotment *new)
{
	bool ok;

	mutex_lock(&processors_lock);
	enter(old, false);
	ok = fits(new);
	enter(ok ? new : old, true);
	mutex_unlock(&processors_lock);
	return ok ? 0 : -EBUSY;
}

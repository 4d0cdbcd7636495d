// SPDX-License-Identifier: GPL-2.0
/*
 * The book of processors. Contexts are created and changed rarely, so it is one array under one
 * mutex.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "ioctl.h"
#include "processor.h"

#define NR_PROCESSORS (ULTRAVISOR_CPU_WORDS * 64)
#define MIN_PERIOD_NS (1000ULL * 1000)
#define MAX_PERIOD_NS (1000ULL * 1000 * 1000)
#define MIN_BUDGET_NS (100ULL * 1000)
#define MAX_REALTIME_PPM 900000

struct processor {
	bool given;
	bool dedicated;
	u64 frame_ns;			/* 0: no windows */
	u64 phase_ns;
	u32 contexts;			/* that may run here */
	u32 realtime_ppm;		/* of windows and real-time budgets */
	struct hlist_head windows;	/* uvr_claim.node */
};

static DEFINE_MUTEX(processors_lock);
static struct processor processors[NR_PROCESSORS];	/* processors_lock */

/* The ABI counts bits in 64-bit words; so does bitmap_*() on the one architecture of KVM here. */
static const unsigned long *bits(const struct uvr_allotment *allotment)
{
	BUILD_BUG_ON(sizeof(unsigned long) != sizeof(allotment->cpus[0]));
	return (const unsigned long *)allotment->cpus;
}

static int check_time(u64 part, u64 whole)
{
	if (whole < MIN_PERIOD_NS || whole > MAX_PERIOD_NS)
		return -EINVAL;
	return part < MIN_BUDGET_NS || part > whole ? -EINVAL : 0;
}

static int check_times(const struct uvr_allotment *allotment)
{
	const struct uvr_window *window = &allotment->window;
	bool windowed = allotment->mode == ULTRAVISOR_CONTEXT_WINDOW;

	if (allotment->mode != ULTRAVISOR_CONTEXT_SHARED &&
	    (allotment->budget_ns || allotment->realtime))
		return -EINVAL;
	/* How long a window may be depends on its processor, see admit_window. */
	if (windowed ? window->length < MIN_BUDGET_NS : window->start || window->length)
		return -EINVAL;
	if (!allotment->budget_ns && !allotment->period_ns)
		return allotment->realtime ? -EINVAL : 0;
	return check_time(allotment->budget_ns, allotment->period_ns);
}

int uvr_allotment_parse(struct uvr_allotment *allotment, const struct ultravisor_context_set *arg)
{
	unsigned int count, last;
	bool one;

	*allotment = (struct uvr_allotment){
		.mode = arg->mode,
		.realtime = arg->flags & ULTRAVISOR_CONTEXT_REALTIME,
		.budget_ns = arg->budget_ns,
		.period_ns = arg->period_ns,
		.window = { .start = arg->window_start_ns, .length = arg->window_ns },
	};
	memcpy(allotment->cpus, arg->cpus, sizeof(allotment->cpus));
	switch (arg->mode) {
	case ULTRAVISOR_CONTEXT_DEDICATED:
	case ULTRAVISOR_CONTEXT_WINDOW:
		one = true;
		break;
	case ULTRAVISOR_CONTEXT_SHARED:
		one = allotment->realtime;
		break;
	default:
		return -EOPNOTSUPP;
	}

	count = bitmap_weight(bits(allotment), NR_PROCESSORS);
	if (!count || (one && count != 1))
		return -EINVAL;
	last = find_last_bit(bits(allotment), NR_PROCESSORS);
	if (last >= nr_cpu_ids ||
	    !bitmap_subset(bits(allotment), cpumask_bits(cpu_possible_mask),
			   min_t(unsigned int, nr_cpu_ids, NR_PROCESSORS)))
		return -EINVAL;
	return check_times(allotment);
}

/* The one processor on which it has real-time priority, or NULL. */
static struct processor *promised(const struct uvr_allotment *allotment)
{
	if (allotment->mode != ULTRAVISOR_CONTEXT_WINDOW && !allotment->realtime)
		return NULL;
	return &processors[find_first_bit(bits(allotment), NR_PROCESSORS)];
}

static u32 promised_ppm(const struct uvr_allotment *allotment)
{
	return allotment->realtime ? uvr_share_ppm(allotment->budget_ns, allotment->period_ns)
				   : uvr_share_ppm(allotment->window.length,
						   allotment->window.frame);
}

static int admit_window(struct processor *processor, struct uvr_window *window)
{
	struct uvr_claim *other;

	lockdep_assert_held(&processors_lock);
	if (!processor->frame_ns)
		return -ENXIO;
	window->frame = processor->frame_ns;
	window->phase = processor->phase_ns;
	if (!uvr_window_fits(window))
		return -EINVAL;
	hlist_for_each_entry(other, &processor->windows, node)
		if (uvr_window_overlaps(window, &other->allotment.window))
			return -EBUSY;
	return 0;
}

static int admit(struct uvr_allotment *allotment)
{
	struct processor *processor = promised(allotment);
	unsigned int cpu;
	int rc = 0;

	lockdep_assert_held(&processors_lock);
	if (processor && !processor->given)
		return -ENXIO;
	if (allotment->mode == ULTRAVISOR_CONTEXT_WINDOW)
		rc = admit_window(processor, &allotment->window);
	if (rc)
		return rc;
	for_each_set_bit(cpu, bits(allotment), NR_PROCESSORS) {
		if (processors[cpu].dedicated)
			return -EBUSY;
		if (allotment->mode == ULTRAVISOR_CONTEXT_DEDICATED && processors[cpu].contexts)
			return -EBUSY;
	}
	if (processor && processor->realtime_ppm + promised_ppm(allotment) > MAX_REALTIME_PPM)
		return -EBUSY;
	return 0;
}

static void enter(struct uvr_claim *claim)
{
	const struct uvr_allotment *allotment = &claim->allotment;
	struct processor *processor = promised(allotment);
	unsigned int cpu;

	lockdep_assert_held(&processors_lock);
	for_each_set_bit(cpu, bits(allotment), NR_PROCESSORS) {
		processors[cpu].contexts++;
		if (allotment->mode == ULTRAVISOR_CONTEXT_DEDICATED)
			processors[cpu].dedicated = true;
	}
	if (processor)
		processor->realtime_ppm += promised_ppm(allotment);
	if (allotment->mode == ULTRAVISOR_CONTEXT_WINDOW)
		hlist_add_head(&claim->node, &processor->windows);
}

static void leave(struct uvr_claim *claim)
{
	const struct uvr_allotment *allotment = &claim->allotment;
	struct processor *processor = promised(allotment);
	unsigned int cpu;

	lockdep_assert_held(&processors_lock);
	for_each_set_bit(cpu, bits(allotment), NR_PROCESSORS) {
		processors[cpu].contexts--;
		processors[cpu].dedicated = false;
	}
	if (processor)
		processor->realtime_ppm -= promised_ppm(allotment);
	if (allotment->mode == ULTRAVISOR_CONTEXT_WINDOW)
		hlist_del_init(&claim->node);
}

int uvr_processors_move(struct uvr_claim *claim, struct uvr_allotment *allotment)
{
	int rc;

	mutex_lock(&processors_lock);
	leave(claim);
	rc = admit(allotment);
	if (!rc)
		claim->allotment = *allotment;
	enter(claim);
	mutex_unlock(&processors_lock);
	return rc;
}

void uvr_processors_leave(struct uvr_claim *claim)
{
	mutex_lock(&processors_lock);
	leave(claim);
	claim->allotment = (struct uvr_allotment){};
	mutex_unlock(&processors_lock);
}

static struct processor *find_processor(u32 cpu)
{
	if (cpu >= min_t(u32, nr_cpu_ids, NR_PROCESSORS) || !cpu_possible(cpu))
		return NULL;
	return &processors[array_index_nospec(cpu, NR_PROCESSORS)];
}

static int check_set(const struct ultravisor_processor_set *arg)
{
	if (arg->reserved)
		return -EOPNOTSUPP;
	if (!arg->frame_ns)
		return arg->phase_ns ? -EINVAL : 0;
	if (!(arg->flags & ULTRAVISOR_PROCESSOR_GIVEN) || arg->phase_ns >= arg->frame_ns)
		return -EINVAL;
	return arg->frame_ns < MIN_PERIOD_NS || arg->frame_ns > MAX_PERIOD_NS ? -EINVAL : 0;
}

/* Contexts know their frame from their admission: it stays while any is there. */
long uvr_processor_set(struct uvr_call *call)
{
	struct ultravisor_processor_set *arg = call->arg;
	bool given = arg->flags & ULTRAVISOR_PROCESSOR_GIVEN;
	struct processor *processor;
	int rc;

	rc = check_set(arg);
	if (rc)
		return rc;
	processor = find_processor(arg->cpu);
	if (!processor)
		return -ENOENT;
	mutex_lock(&processors_lock);
	if (processor->realtime_ppm && (!given || arg->frame_ns != processor->frame_ns ||
					arg->phase_ns != processor->phase_ns)) {
		rc = -EBUSY;
	} else {
		processor->given = given;
		processor->frame_ns = arg->frame_ns;
		processor->phase_ns = arg->phase_ns;
	}
	mutex_unlock(&processors_lock);
	return rc;
}

long uvr_processor_info(struct uvr_call *call)
{
	struct ultravisor_processor_info *arg = call->arg;
	struct processor *processor = find_processor(arg->cpu);
	struct uvr_claim *claim;

	if (!processor)
		return -ENOENT;
	mutex_lock(&processors_lock);
	arg->out_flags = processor->given ? ULTRAVISOR_PROCESSOR_GIVEN : 0;
	arg->out_frame_ns = processor->frame_ns;
	arg->out_phase_ns = processor->phase_ns;
	arg->out_dedicated = processor->dedicated;
	arg->out_contexts = processor->contexts;
	arg->out_windows = 0;
	hlist_for_each_entry(claim, &processor->windows, node)
		arg->out_windows++;
	arg->out_realtime_ppm = processor->realtime_ppm;
	mutex_unlock(&processors_lock);
	return 0;
}

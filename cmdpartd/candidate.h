/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules of a placement share: the CPUs that come into question for a partition, and how
 * a rule's judgement is written down.
 */
#ifndef CMDPARTD_CANDIDATE_H
#define CMDPARTD_CANDIDATE_H

#include "placement.h"

#define FULL	1000000u	/* one vCPU that may use a CPU all the time */
#define LIST	80		/* of CPUs, in a reason */

struct candidate {
	const struct command_row_processor *row;
	uint64_t load;		/* of shared contexts and windows, in parts of FULL */
	uint64_t realtime;	/* of windows and real-time budgets, likewise */
	bool chosen;
};

struct candidates {
	unsigned int count;
	struct candidate cpu[CPUSET_CPUS];
	char excluded[160];	/* why the others of the domain are none */
};

static inline const struct cpuset *set(const uint64_t words[COMMAND_CPU_WORDS])
{
	_Static_assert(COMMAND_CPU_WORDS == CPUSET_WORDS, "the same words");
	return (const struct cpuset *)words;
}

/* The next judgement; quantities and the way out are the caller's to fill in. */
struct placement_rule *rule_add(struct placement *p, const char *name, bool fits,
				const char *reason, ...) __attribute__((format(printf, 4, 5)));

/* Places contexts with windows or real-time budgets: one CPU for each (realtime.c). */
void realtime_rule(const struct rows *rows, const struct placement_ask *ask,
		   struct candidates *c, struct placement *out);

#endif

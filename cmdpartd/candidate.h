/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUs that come into question for a partition, and the rules that choose among them. */
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

void candidates_find(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, struct candidates *c);
unsigned int candidates_on_node(const struct candidates *c, uint32_t node);

/* Drops those of other nodes: the policy is strict about that. */
void candidates_only_node(struct candidates *c, uint32_t node);

/* Chooses up to n of them, the best first; their indices. */
unsigned int candidates_choose(const struct policy *policy, struct candidates *c,
			       const struct placement_ask *ask, uint32_t node, unsigned int n,
			       unsigned int *chosen);

/* How much of a CPU a shared vCPU counts for, in parts of FULL. */
uint32_t candidate_weight(uint32_t mode, uint64_t budget, uint64_t period);

/* What may be on one CPU of the domain, in parts of FULL. */
uint64_t candidate_limit(const struct policy *policy, const struct placement_ask *ask);

/* The rules "node", and "processors" with "overcommit" (processors.c). */
bool node_rule(const struct policy *policy, const struct rows *rows,
	       const struct placement_ask *ask, const struct candidates *c,
	       struct placement *out);
void processors_rule(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, struct candidates *c,
		     struct placement *out);

/* On the very CPUs that it has: judged, not chosen. False: they are no candidates any more. */
bool processors_stay(const struct policy *policy, const struct rows *rows,
		     const struct placement_ask *ask, const struct candidates *c,
		     struct placement *out);

/* Places contexts with windows or real-time budgets: one CPU for each (realtime.c). */
void realtime_rule(const struct rows *rows, const struct placement_ask *ask,
		   struct candidates *c, struct placement *out);

#endif

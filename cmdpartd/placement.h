/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a partition gets of its host: a pure function of the policy, the rows and what is asked.
 * Every rule that had a say leaves its judgement, so that a plan can print why, and a refusal says
 * for each rule the limit, what was asked, what is in use and by whom, and what is free.
 */
#ifndef CMDPARTD_PLACEMENT_H
#define CMDPARTD_PLACEMENT_H

#include <jansson.h>
#include <stdbool.h>

#include <common/cpuset.h>
#include <common/definition.h>
#include <common/error.h>

#include "ask.h"
#include "policy.h"
#include "rows.h"
#include "rule.h"

#define PLACEMENT_RULES 16

struct placement_servers {
	uint32_t count;
	uint8_t uuid[COMMAND_MAX_SERVERS][16];
	char name[COMMAND_MAX_SERVERS][COMMAND_NAME_LEN];
};

struct placement {
	bool fits;
	uint32_t node;
	bool huge_pages;		/* the memory is of the node's reserved ones */
	struct cpuset cpus[DEFINITION_MAX_VCPUS];	/* of context i */
	uint64_t window_start_ns[DEFINITION_MAX_VCPUS];
	struct placement_servers servers[DEFINITION_MAX_DEVICES];
	unsigned int rules;
	struct placement_rule rule[PLACEMENT_RULES];
};

/* What of a CPU a context has for certain: millionths, 0 for ordinary shared ones. */
uint64_t placement_ppm(uint32_t mode, uint32_t flags, uint64_t budget_ns, uint64_t period_ns,
		       uint64_t window_ns, uint64_t frame_ns);

/* Rows needed: all types but the ledger. */
#define PLACEMENT_ROWS (ROWS_HOST | ROWS_PROCESSOR | ROWS_MEMORY | ROWS_DOMAIN | \
			ROWS_PARTITION | ROWS_DEVICE | ROWS_CHANNEL | ROWS_CONTEXT)

void placement_decide(const struct policy *policy, const struct rows *rows,
		      const struct placement_ask *ask, struct placement *out);

/* The processors' rules alone, for a partition that runs, and has no contexts in the rows. */
void placement_decide_contexts(const struct policy *policy, const struct rows *rows,
			       const struct placement_ask *ask, struct placement *out);
int placement_apply_contexts(struct rows *rows, const struct placement_ask *ask,
			     const struct placement *placement);

/* The quotas alone: what may be defined, whatever is free. */
void placement_check_quotas(const struct policy *policy, const struct rows *rows,
			    const struct placement_ask *ask, struct placement *out);

/* Changes the rows as if the placement were done; for the next one in the same transaction. */
int placement_apply(struct rows *rows, const struct placement_ask *ask,
		    const struct placement *placement);

/* The refusal: the first rule that does not fit; details are all rules. */
int placement_error(const struct placement *placement, const struct placement_ask *ask,
		    struct error *e);

/* The "placement" and "rules" of a plan. New references. */
json_t *placement_to_json(const struct placement *placement, const struct placement_ask *ask);
json_t *placement_rules_to_json(const struct placement *placement);

#endif

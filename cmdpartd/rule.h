/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule's judgement, collected while it is made: a refusal, a plan and "why" print the same.
 */
#ifndef CMDPARTD_RULE_H
#define CMDPARTD_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <common/exit_code.h>

#include "rows.h"

struct placement;

struct placement_rule {
	const char *rule;
	bool fits;
	enum exit_code code;		/* of the refusal */
	char limit[48], asked[48], in_use[48], free[48];	/* for people; "": no quantity */
	char by[160];			/* who uses what is in use */
	char reason[256];
	char fix[160];			/* of a refusal */
};

/* The next judgement; quantities and the way out are the caller's to fill in. */
struct placement_rule *rule_add(struct placement *p, const char *name, bool fits,
				const char *reason, ...) __attribute__((format(printf, 4, 5)));

/* The judgement of a rule that was written down before it was known. */
void rule_judge(struct placement *p, struct placement_rule *rule, bool fits);

void rule_bytes(struct placement_rule *rule, uint64_t limit, uint64_t asked, uint64_t in_use);
void rule_counts(struct placement_rule *rule, uint64_t limit, uint64_t asked, uint64_t in_use);

/* Whether asked fits beside what is in use. */
bool rule_room(uint64_t limit, uint64_t in_use, uint64_t asked);

/* "web2 (512 MiB), db (256 MiB), 3 more": who has memory, of a domain (NULL: of any). */
void rule_memory_users(const struct rows *rows, const char *domain, char *to, size_t size);

/*
 * Of a rule on memory that refuses: what would make it fit. "ask for 1 GiB at the most, or stop
 * web2", the smallest partition that would be enough; or else do what is said.
 */
void rule_memory_fix(struct placement_rule *rule, const struct rows *rows, const char *domain,
		     int64_t node, uint64_t free, uint64_t asked, const char *otherwise);

#endif

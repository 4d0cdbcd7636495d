/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's judgement and its quantities, written for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <common/definition.h>
#include <common/size.h>

#include "placement.h"
#include "rule.h"

void rule_judge(struct placement *p, struct placement_rule *rule, bool fits)
{
	rule->fits = fits;
	rule->code = fits ? EXIT_OK : EXIT_RESOURCES;
	if (!fits)
		p->fits = false;
}

struct placement_rule *rule_add(struct placement *p, const char *name, bool fits,
				const char *reason, ...)
{
	struct placement_rule *rule = &p->rule[p->rules];
	va_list args;

	if (p->rules < PLACEMENT_RULES - 1)
		p->rules++;
	memset(rule, 0, sizeof(*rule));
	rule->rule = name;
	rule_judge(p, rule, fits);
	va_start(args, reason);
	vsnprintf(rule->reason, sizeof(rule->reason), reason, args);
	va_end(args);
	return rule;
}

static void set_bytes(char to[48], uint64_t bytes)
{
	char text[SIZE_TEXT];

	snprintf(to, 48, "%s", size_human(bytes, text));
}

void rule_bytes(struct placement_rule *rule, uint64_t limit, uint64_t asked, uint64_t in_use)
{
	set_bytes(rule->limit, limit);
	set_bytes(rule->asked, asked);
	set_bytes(rule->in_use, in_use);
	set_bytes(rule->free, limit > in_use ? limit - in_use : 0);
}

void rule_counts(struct placement_rule *rule, uint64_t limit, uint64_t asked, uint64_t in_use)
{
	snprintf(rule->limit, sizeof(rule->limit), "%llu", (unsigned long long)limit);
	snprintf(rule->asked, sizeof(rule->asked), "%llu", (unsigned long long)asked);
	snprintf(rule->in_use, sizeof(rule->in_use), "%llu", (unsigned long long)in_use);
	snprintf(rule->free, sizeof(rule->free), "%llu",
		 (unsigned long long)(limit > in_use ? limit - in_use : 0));
}

bool rule_room(uint64_t limit, uint64_t in_use, uint64_t asked)
{
	return in_use <= limit && asked <= limit - in_use;
}

/* "web2 (512 MiB), db (256 MiB), 3 more": who has memory, of a domain (NULL: of any). */
void rule_memory_users(const struct rows *rows, const char *domain, char *to, size_t size)
{
	uint64_t below = UINT64_MAX;
	unsigned int named = 0, more = 0;
	char text[SIZE_TEXT];
	size_t n = 0;

	to[0] = '\0';
	for (;;) {
		uint64_t best = 0;

		for (rows_each(rows, PARTITION, partition, p))
			if (p->memory_assigned < below && p->memory_assigned > best &&
			    (!domain || !strcmp(p->domain, domain)))
				best = p->memory_assigned;
		if (!best)
			break;
		below = best;
		for (rows_each(rows, PARTITION, partition, p)) {
			if (p->memory_assigned != best || (domain && strcmp(p->domain, domain)))
				continue;
			if (named == 3) {
				more++;
				continue;
			}
			n += snprintf(to + n, size - n, "%s%.30s (%s)", named++ ? ", " : "",
				      p->name, size_human(best, text));
		}
	}
	if (more)
		snprintf(to + n, size - n, ", %u more", more);
}

void rule_memory_fix(struct placement_rule *rule, const struct rows *rows, const char *domain,
		     int64_t node, uint64_t free, uint64_t asked, const char *otherwise)
{
	const struct command_row_partition *best = NULL;
	uint64_t step = DEFINITION_MEMORY_STEP, missing = asked > free ? asked - free : 0;
	char text[SIZE_TEXT];
	size_t n = 0;

	for (rows_each(rows, PARTITION, partition, p))
		if (p->kind == PARTITION_GUEST && p->memory_assigned >= missing &&
		    (!domain || !strcmp(p->domain, domain)) && (node < 0 || p->node == node) &&
		    (!best || p->memory_assigned < best->memory_assigned))
			best = p;
	if (free >= step)
		n = snprintf(rule->fix, sizeof(rule->fix), "ask for %s at the most, or ",
			     size_format(free - free % step, text));
	if (best)
		n += snprintf(rule->fix + n, sizeof(rule->fix) - n, "stop %.60s, or ", best->name);
	snprintf(rule->fix + n, sizeof(rule->fix) - n, "%s", otherwise);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Zones: which network cards may talk to which. Two do if either is said to talk to the other. */
#include <stdio.h>
#include <string.h>

#include <common/reader.h>

#include "policy.h"

#define DEFAULT_ZONE "default"

static const char *name_of(const char *zone)
{
	return *zone ? zone : DEFAULT_ZONE;
}

bool policy_has_zone(const struct policy *p, const char *zone)
{
	for (unsigned int i = 0; i < p->zones; i++)
		if (!strcmp(p->zone[i].name, name_of(zone)))
			return true;
	return !strcmp(name_of(zone), DEFAULT_ZONE);
}

static bool says(const struct policy_zone *z, const char *to)
{
	for (unsigned int i = 0; i < z->talks; i++)
		if (!strcmp(z->talk[i], to))
			return true;
	return false;
}

static bool talk(const struct policy *p, const char *a, const char *b)
{
	for (unsigned int i = 0; i < p->zones; i++)
		if ((!strcmp(p->zone[i].name, a) && says(&p->zone[i], b)) ||
		    (!strcmp(p->zone[i].name, b) && says(&p->zone[i], a)))
			return true;
	return false;
}

/* How many others it talks to; those that fit are added. */
static unsigned int list(const struct policy *p, const char *zone, char talks[COMMAND_TALKS_LEN])
{
	unsigned int count = 0;
	size_t n = 0;
	bool named = false;

	memset(talks, 0, COMMAND_TALKS_LEN);
	for (unsigned int i = 0; i <= p->zones; i++) {
		const char *other = i < p->zones ? p->zone[i].name : DEFAULT_ZONE;

		named |= i < p->zones && !strcmp(other, DEFAULT_ZONE);
		if (!strcmp(other, zone) || (i == p->zones && named) || !talk(p, zone, other))
			continue;
		if (count++ < COMMAND_MAX_TALKS)
			n += snprintf(talks + n, COMMAND_TALKS_LEN - n, "%s%s", n ? "," : "",
				      other);
	}
	return count;
}

void policy_zone_talks(const struct policy *p, const char *zone, char talks[COMMAND_TALKS_LEN])
{
	list(p, name_of(zone), talks);
}

static int read_zone(const struct reader *r, const char *name, const json_t *json,
		     struct policy_zone *z)
{
	char key[READER_KEY];

	reader_join(key, "zones", name);
	if (!reader_name_ok(name, sizeof(z->name))) {
		reader_fault(r, key, "\"%.64s\" is not the name of a zone", name);
		return error_fix(r->e, "use at most 31 of a-z, 0-9, '.', '_' and '-'");
	}
	strcpy(z->name, name);
	if (!json_is_array(json) || json_array_size(json) > COMMAND_MAX_TALKS) {
		reader_fault(r, key, "is no list of at most %u zones", COMMAND_MAX_TALKS);
		return error_fix(r->e, "for example { \"web\": [ \"db\" ], \"db\": [] }");
	}
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *to = json_string_value(json_array_get(json, i));

		if (!to || !reader_name_ok(to, sizeof(z->name)))
			return reader_fault(r, key, "[%zu] is not the name of a zone", i);
		strcpy(z->talk[z->talks++], to);
	}
	return 0;
}

int policy_read_zones(const struct reader *r, const json_t *zones, struct policy *p)
{
	char talks[COMMAND_TALKS_LEN], key[READER_KEY];
	const char *name;
	json_t *value;

	if (json_object_size(zones) > POLICY_MAX_ZONES)
		return reader_fault(r, "zones", "has more than %u zones", POLICY_MAX_ZONES);
	json_object_foreach((json_t *)zones, name, value)
		if (read_zone(r, name, value, &p->zone[p->zones++]) < 0)
			return -1;
	for (unsigned int i = 0; i < p->zones; i++) {
		reader_join(key, "zones", p->zone[i].name);
		for (unsigned int j = 0; j < p->zone[i].talks; j++) {
			if (policy_has_zone(p, p->zone[i].talk[j]))
				continue;
			reader_fault(r, key, "\"%s\" is not a zone", p->zone[i].talk[j]);
			return error_fix(r->e, "add it to zones: \"%s\": []", p->zone[i].talk[j]);
		}
		if (list(p, p->zone[i].name, talks) <= COMMAND_MAX_TALKS)
			continue;
		reader_fault(r, key, "it and others say that it talks to more than %u zones",
			     COMMAND_MAX_TALKS);
		return error_fix(r->e, "put zones that talk to the same ones together");
	}
	if (list(p, DEFAULT_ZONE, talks) > COMMAND_MAX_TALKS)
		return reader_fault(r, "zones", "more than %u zones talk to \"" DEFAULT_ZONE "\"",
				    COMMAND_MAX_TALKS);
	return 0;
}

json_t *policy_zones_to_json(const struct policy *p)
{
	json_t *o = json_object(), *talks;

	for (unsigned int i = 0; i < p->zones; i++) {
		talks = json_array();
		for (unsigned int j = 0; j < p->zone[i].talks; j++)
			json_array_append_new(talks, json_string(p->zone[i].talk[j]));
		json_object_set_new(o, p->zone[i].name, talks);
	}
	return o;
}

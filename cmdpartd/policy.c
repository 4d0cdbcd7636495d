/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, printing and applying the policy. What each key means: docs/policy.md. */
#include <stdio.h>
#include <string.h>

#include <common/reader.h>
#include <common/size.h>

#include "policy.h"

#define IMAGES	"/var/lib/ultravisor/images"
#define MIB	(1ull << 20)
#define SMALL_PAGE	4096u

static const char *const role_names[ROLES] = {
	[ROLE_ADMIN] = "admin",
	[ROLE_OPERATIONS] = "operations",
	[ROLE_OPERATOR] = "operator",
};

const char *role_name(enum role role)
{
	return role_names[role];
}

void policy_defaults(struct policy *p)
{
	memset(p, 0, sizeof(*p));
	p->role[ROLE_ADMIN].any_path = true;
	p->role[ROLE_ADMIN].any_bridge = true;
	for (int i = ROLE_OPERATIONS; i < ROLES; i++) {
		strcpy(p->role[i].path[0], IMAGES);
		p->role[i].paths = 1;
		strcpy(p->role[i].bridge[0], "uvbr0");
		p->role[i].bridges = 1;
	}
	p->partitions = 256;
	p->partition_vcpus = DEFINITION_MAX_VCPUS;
	p->partition_memory = 1ull << 40;
	p->partition_devices = DEFINITION_MAX_DEVICES;
	p->vcpus_per_cpu = 8;
	p->page_size = SMALL_PAGE;
	p->io_partitions = 2;
	p->fail_back_s = 10;
	p->whole_cores = true;
}

/* ---- reading --------------------------------------------------------------------- */

static int read_cpus(const struct reader *r, const char *prefix, const json_t *object,
		     const char *name, bool required, struct cpuset *out)
{
	char text[1024], key[READER_KEY];
	int rc = reader_text(r, prefix, object, name, "\"2-7\"", required, text, sizeof(text));

	if (rc <= 0)
		return rc;
	if (cpuset_parse(out, text) < 0 || !cpuset_count(out)) {
		reader_fault(r, reader_join(key, prefix, name), "\"%.64s\" is not a list of CPUs",
			     text);
		return error_fix(r->e, "write it as \"2-7\" or \"2,4,6\", CPUs below %d",
				 CPUSET_CPUS);
	}
	return 1;
}

static int read_host(const struct reader *r, const json_t *host, struct policy *p)
{
	static const char *const keys[] = { "cpus", "memory", "headroom", NULL };

	if (reader_object(r, "host", host, keys) < 0 ||
	    read_cpus(r, "host", host, "cpus", true, &p->host_cpus) < 0 ||
	    reader_size(r, "host", host, "memory", true, 2 * MIB, &p->host_memory) < 0 ||
	    reader_size(r, "host", host, "headroom", false, MIB, &p->headroom) < 0)
		return -1;
	p->has_host = true;
	return 0;
}

static bool overlap(const struct cpuset *a, const struct cpuset *b)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->word[i] & b->word[i])
			return true;
	return false;
}

static bool within(const struct cpuset *a, const struct cpuset *b)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->word[i] & ~b->word[i])
			return false;
	return true;
}

int policy_read_frame(const struct reader *r, const char *prefix, const json_t *json,
		      struct policy_domain *d)
{
	uint64_t frame_ms = POLICY_FRAME_NS / 1000000, phase_us = 0;
	char key[READER_KEY];

	if (reader_number(r, prefix, json, "frame_ms", false, 1, 1000, &frame_ms) < 0 ||
	    reader_number(r, prefix, json, "phase_us", false, 0, 999999, &phase_us) < 0)
		return -1;
	d->frame_ns = frame_ms * 1000000;
	d->phase_ns = phase_us * 1000;
	if (d->phase_ns < d->frame_ns)
		return 0;
	reader_fault(r, reader_join(key, prefix, "phase_us"), "the phase is not within the frame");
	return error_fix(r->e, "use less than %llu", (unsigned long long)frame_ms * 1000);
}

static int read_page_size(const struct reader *r, const char *prefix, const json_t *json,
			  uint64_t *out)
{
	char key[READER_KEY];
	int rc = reader_size(r, prefix, json, "page_size", false, SMALL_PAGE, out);

	if (rc <= 0)
		return rc;
	if (*out == SMALL_PAGE || *out == COMMAND_HUGE_PAGE)
		return 0;
	reader_fault(r, reader_join(key, prefix, "page_size"), "guests have no pages of this size");
	return error_fix(r->e, "use \"4KiB\" or \"2MiB\"");
}

static int read_domain(const struct reader *r, const json_t *json, struct policy *p)
{
	static const char *const keys[] = { "name", "cpus", "memory", "frame_ms", "phase_us",
					    "partitions", "vcpus_per_cpu", "page_size", NULL };
	struct policy_domain *d = &p->domain[p->domains];
	char prefix[32], key[READER_KEY];

	snprintf(prefix, sizeof(prefix), "domains[%u]", p->domains);
	if (reader_object(r, prefix, json, keys) < 0 ||
	    reader_name(r, prefix, json, "name", true, d->name, sizeof(d->name)) < 0 ||
	    read_cpus(r, prefix, json, "cpus", true, &d->cpus) < 0 ||
	    reader_size(r, prefix, json, "memory", true, 2 * MIB, &d->memory) < 0 ||
	    policy_read_frame(r, prefix, json, d) < 0 ||
	    reader_number(r, prefix, json, "partitions", false, 1, 65536, &d->partitions) < 0 ||
	    reader_number(r, prefix, json, "vcpus_per_cpu", false, 1, 1024,
			  &d->vcpus_per_cpu) < 0 ||
	    read_page_size(r, prefix, json, &d->page_size) < 0)
		return -1;
	for (unsigned int i = 0; i < p->domains; i++) {
		if (!strcmp(p->domain[i].name, d->name))
			return reader_fault(r, reader_join(key, prefix, "name"),
					    "domains[%u] has the name \"%s\" too", i, d->name);
		if (overlap(&p->domain[i].cpus, &d->cpus)) {
			reader_fault(r, reader_join(key, prefix, "cpus"),
				     "domains[%u] has some of these CPUs", i);
			return error_fix(r->e, "a CPU belongs to one domain");
		}
	}
	if (p->has_host && !within(&d->cpus, &p->host_cpus)) {
		reader_fault(r, reader_join(key, prefix, "cpus"), "is not within host.cpus");
		return error_fix(r->e, "add the CPUs to host.cpus, or leave them out here");
	}
	p->domains++;
	return 0;
}

static int read_domains(const struct reader *r, const json_t *json, struct policy *p)
{
	static const char example[] =
		"[ { \"name\": \"default\", \"cpus\": \"2-7\", \"memory\": \"8GiB\" } ]";
	uint64_t sum = 0;
	json_t *list;
	int rc = reader_get(r, "", json, "domains", JSON_ARRAY, example, false, &list);

	if (rc <= 0)
		return rc;
	if (!json_array_size(list) || json_array_size(list) > POLICY_MAX_DOMAINS) {
		reader_fault(r, "domains", "has %zu domains", json_array_size(list));
		return error_fix(r->e, "name 1 to %u, or leave the key out", POLICY_MAX_DOMAINS);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (read_domain(r, json_array_get(list, i), p) < 0)
			return -1;
		sum += p->domain[i].memory;
	}
	if (p->has_host && sum > p->host_memory) {
		reader_fault(r, "domains", "together they have more memory than host.memory");
		return error_fix(r->e, "give the domains less, or the host more");
	}
	p->has_domains = true;
	return 0;
}

static int read_paths(const struct reader *r, const char *prefix, const json_t *json,
		      struct policy_role *role)
{
	char key[READER_KEY];
	json_t *list, *item;
	size_t i;
	int rc;

	rc = reader_get(r, prefix, json, "paths", JSON_ARRAY, "[ \"" IMAGES "\" ]", false, &list);
	if (rc <= 0)
		return rc;
	reader_join(key, prefix, "paths");
	if (json_array_size(list) > POLICY_MAX_PATHS)
		return reader_fault(r, key, "has more than %u directories", POLICY_MAX_PATHS);
	role->paths = 0;
	json_array_foreach(list, i, item) {
		const char *text = json_string_value(item);
		size_t n = text ? strlen(text) : 0;

		while (n > 1 && text[n - 1] == '/')
			n--;
		if (!n || text[0] != '/' || n >= COMMAND_PATH_LEN || strstr(text, "/..")) {
			reader_fault(r, key, "[%zu] is not the absolute path of a directory", i);
			return error_fix(r->e, "for example \"" IMAGES "\"");
		}
		memcpy(role->path[role->paths], text, n);
		role->path[role->paths++][n] = '\0';
	}
	return 1;
}

static int read_bridges(const struct reader *r, const char *prefix, const json_t *json,
			struct policy_role *role)
{
	char key[READER_KEY];
	json_t *list, *item;
	size_t i;
	int rc;

	rc = reader_get(r, prefix, json, "bridges", JSON_ARRAY, "[ \"uvbr0\" ]", false, &list);
	if (rc <= 0)
		return rc;
	reader_join(key, prefix, "bridges");
	if (json_array_size(list) > POLICY_MAX_BRIDGES)
		return reader_fault(r, key, "has more than %u bridges", POLICY_MAX_BRIDGES);
	role->bridges = 0;
	json_array_foreach(list, i, item) {
		const char *text = json_string_value(item);

		if (!text || !text[0] || strlen(text) >= COMMAND_BRIDGE_LEN) {
			reader_fault(r, key, "[%zu] is not the name of a bridge", i);
			return error_fix(r->e, "for example \"uvbr0\"");
		}
		strcpy(role->bridge[role->bridges++], text);
	}
	return 1;
}

static int read_roles(const struct reader *r, const json_t *roles, struct policy *p)
{
	static const char *const names[] = { "operations", "operator", NULL };
	static const char *const keys[] = { "paths", "bridges", NULL };
	char prefix[32];

	if (reader_object(r, "roles", roles, names) < 0)
		return -1;
	for (int i = ROLE_OPERATIONS; i < ROLES; i++) {
		const json_t *role = json_object_get(roles, role_names[i]);

		if (!role)
			continue;
		snprintf(prefix, sizeof(prefix), "roles.%s", role_names[i]);
		if (reader_object(r, prefix, role, keys) < 0 ||
		    read_paths(r, prefix, role, &p->role[i]) < 0 ||
		    read_bridges(r, prefix, role, &p->role[i]) < 0)
			return -1;
	}
	return 0;
}

static int read_quotas(const struct reader *r, const json_t *quotas, struct policy *p)
{
	static const char *const keys[] = { "partitions", "vcpus", "memory", "devices", NULL };

	if (reader_object(r, "quotas", quotas, keys) < 0 ||
	    reader_number(r, "quotas", quotas, "partitions", false, 0, 65536,
			  &p->partitions) < 0 ||
	    reader_number(r, "quotas", quotas, "vcpus", false, 1, DEFINITION_MAX_VCPUS,
			  &p->partition_vcpus) < 0 ||
	    reader_size(r, "quotas", quotas, "memory", false, 2 * MIB, &p->partition_memory) < 0 ||
	    reader_number(r, "quotas", quotas, "devices", false, 0, DEFINITION_MAX_DEVICES,
			  &p->partition_devices) < 0)
		return -1;
	return 0;
}

/* One of two words. */
static int read_choice(const struct reader *r, const json_t *placement, const char *name,
		       const char *no, const char *yes, bool *out)
{
	char word[16], key[READER_KEY], example[24];
	int rc;

	snprintf(example, sizeof(example), "\"%s\"", no);
	rc = reader_text(r, "placement", placement, name, example, false, word, sizeof(word));
	if (rc <= 0)
		return rc;
	*out = !strcmp(word, yes);
	if (*out || !strcmp(word, no))
		return 1;
	reader_fault(r, reader_join(key, "placement", name), "\"%s\" is not understood", word);
	return error_fix(r->e, "use \"%s\" or \"%s\"", no, yes);
}

static int read_placement(const struct reader *r, const json_t *placement, struct policy *p)
{
	static const char *const keys[] = { "vcpus_per_cpu", "whole_cores", "domains_share_cores",
					    "order", "numa", "dedicated", "page_size",
					    "io_partitions", NULL };
	int rc;

	if (reader_object(r, "placement", placement, keys) < 0 ||
	    reader_number(r, "placement", placement, "vcpus_per_cpu", false, 1, 1024,
			  &p->vcpus_per_cpu) < 0 ||
	    reader_bool(r, "placement", placement, "whole_cores", &p->whole_cores) < 0 ||
	    reader_bool(r, "placement", placement, "domains_share_cores",
			&p->domains_share_cores) < 0 ||
	    read_choice(r, placement, "order", "spread", "pack", &p->pack) < 0 ||
	    read_choice(r, placement, "numa", "prefer", "strict", &p->numa_strict) < 0 ||
	    read_page_size(r, "placement", placement, &p->page_size) < 0 ||
	    reader_number(r, "placement", placement, "io_partitions", false, 1, 2,
			  &p->io_partitions) < 0)
		return -1;
	rc = read_cpus(r, "placement", placement, "dedicated", false, &p->dedicated);
	if (rc > 0)
		p->has_dedicated = true;
	return rc < 0 ? rc : 0;
}

static int read_io(const struct reader *r, const json_t *io, struct policy *p)
{
	static const char *const keys[] = { "fail_back_s", NULL };

	if (reader_object(r, "io", io, keys) < 0 ||
	    reader_number(r, "io", io, "fail_back_s", false, 0, 3600, &p->fail_back_s) < 0)
		return -1;
	return 0;
}

static int read_autostart(const struct reader *r, const json_t *json, struct policy *p)
{
	json_t *list, *item;
	size_t i;
	int rc;

	rc = reader_get(r, "", json, "autostart", JSON_ARRAY, "[ \"db\", \"web1\" ]", false, &list);
	if (rc <= 0)
		return rc;
	if (json_array_size(list) > POLICY_MAX_AUTOSTART)
		return reader_fault(r, "autostart", "has more than %u names",
				    POLICY_MAX_AUTOSTART);
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(item);

		if (!name || !reader_name_ok(name, COMMAND_NAME_LEN))
			return reader_fault(r, "autostart", "[%zu] is not a partition's name", i);
		strcpy(p->autostart[p->autostarts++], name);
	}
	return 1;
}

int policy_parse(struct policy *p, const json_t *json, const char *source, struct error *e)
{
	static const char *const keys[] = { "version", "host", "domains", "roles", "quotas",
					    "placement", "io", "zones", "autostart",
					    NULL };
	static const struct {
		const char *key, *example;
		int (*read)(const struct reader *r, const json_t *section, struct policy *p);
	} sections[] = {
		{ "host", "{ \"cpus\": \"2-7\", \"memory\": \"8GiB\" }", read_host },
		{ "roles", "{ \"operator\": { \"paths\": [ \"" IMAGES "\" ] } }", read_roles },
		{ "quotas", "{ \"partitions\": 64 }", read_quotas },
		{ "placement", "{ \"vcpus_per_cpu\": 4 }", read_placement },
		{ "io", "{ \"fail_back_s\": 10 }", read_io },
		{ "zones", "{ \"web\": [ \"db\" ], \"db\": [] }", policy_read_zones },
	};
	const struct reader r = { source, NULL, e };
	uint64_t version = 1;
	json_t *section;

	policy_defaults(p);
	if (reader_object(&r, "", json, keys) < 0 ||
	    reader_number(&r, "", json, "version", false, 1, 1, &version) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		int rc = reader_get(&r, "", json, sections[i].key, JSON_OBJECT,
				    sections[i].example, false, &section);

		if (rc < 0 || (rc > 0 && sections[i].read(&r, section, p) < 0))
			return -1;
	}
	return read_domains(&r, json, p) < 0 || read_autostart(&r, json, p) < 0 ? -1 : 0;
}

const struct policy_domain *policy_domain(const struct policy *p, const char *name)
{
	for (unsigned int i = 0; i < p->domains; i++)
		if (!strcmp(p->domain[i].name, name))
			return &p->domain[i];
	return NULL;
}

bool policy_huge_pages(const struct policy *p, const char *domain)
{
	const struct policy_domain *d = policy_domain(p, domain);

	return (d && d->page_size ? d->page_size : p->page_size) == COMMAND_HUGE_PAGE;
}

/* ---- printing -------------------------------------------------------------------- */

static json_t *cpus_to_json(const struct cpuset *cpus)
{
	char text[4096];

	cpuset_format(cpus, text, sizeof(text));
	return json_string(text);
}

static json_t *size_to_json(uint64_t bytes)
{
	char text[SIZE_TEXT];

	return json_string(size_format(bytes, text));
}

static json_t *role_to_json(const struct policy_role *role)
{
	json_t *paths = json_array(), *bridges = json_array();

	for (unsigned int i = 0; i < role->paths; i++)
		json_array_append_new(paths, json_string(role->path[i]));
	for (unsigned int i = 0; i < role->bridges; i++)
		json_array_append_new(bridges, json_string(role->bridge[i]));
	return json_pack("{s:o, s:o}", "paths", paths, "bridges", bridges);
}

static json_t *domain_to_json(const struct policy_domain *d)
{
	json_t *o = json_pack("{s:s, s:o, s:o, s:I, s:I}", "name", d->name, "cpus",
			      cpus_to_json(&d->cpus), "memory", size_to_json(d->memory),
			      "frame_ms", (json_int_t)d->frame_ns / 1000000, "phase_us",
			      (json_int_t)d->phase_ns / 1000);

	if (d->partitions)
		json_object_set_new(o, "partitions", json_integer(d->partitions));
	if (d->vcpus_per_cpu)
		json_object_set_new(o, "vcpus_per_cpu", json_integer(d->vcpus_per_cpu));
	if (d->page_size)
		json_object_set_new(o, "page_size", size_to_json(d->page_size));
	return o;
}

json_t *policy_to_json(const struct policy *p)
{
	json_t *o = json_pack("{s:i}", "version", 1), *placement, *domains, *list;

	if (p->has_host)
		json_object_set_new(o, "host", json_pack("{s:o, s:o}", "cpus",
				    cpus_to_json(&p->host_cpus), "memory",
				    size_to_json(p->host_memory)));
	if (p->headroom)
		json_object_set_new(json_object_get(o, "host"), "headroom",
				    size_to_json(p->headroom));
	if (p->has_domains) {
		domains = json_array();
		for (unsigned int i = 0; i < p->domains; i++)
			json_array_append_new(domains, domain_to_json(&p->domain[i]));
		json_object_set_new(o, "domains", domains);
	}
	json_object_set_new(o, "roles", json_pack("{s:o, s:o}", "operations",
			    role_to_json(&p->role[ROLE_OPERATIONS]), "operator",
			    role_to_json(&p->role[ROLE_OPERATOR])));
	json_object_set_new(o, "quotas", json_pack("{s:I, s:I, s:o, s:I}", "partitions",
			    (json_int_t)p->partitions, "vcpus", (json_int_t)p->partition_vcpus,
			    "memory", size_to_json(p->partition_memory), "devices",
			    (json_int_t)p->partition_devices));
	placement = json_pack("{s:I, s:b, s:b, s:s, s:s, s:o, s:I}", "vcpus_per_cpu",
			      (json_int_t)p->vcpus_per_cpu, "whole_cores", p->whole_cores,
			      "domains_share_cores", p->domains_share_cores, "order",
			      p->pack ? "pack" : "spread", "numa",
			      p->numa_strict ? "strict" : "prefer", "page_size",
			      size_to_json(p->page_size), "io_partitions",
			      (json_int_t)p->io_partitions);
	if (p->has_dedicated)
		json_object_set_new(placement, "dedicated", cpus_to_json(&p->dedicated));
	json_object_set_new(o, "placement", placement);
	json_object_set_new(o, "io", json_pack("{s:I}", "fail_back_s",
					       (json_int_t)p->fail_back_s));
	if (p->zones)
		json_object_set_new(o, "zones", policy_zones_to_json(p));
	list = json_array();
	for (unsigned int i = 0; i < p->autostarts; i++)
		json_array_append_new(list, json_string(p->autostart[i]));
	json_object_set_new(o, "autostart", list);
	return o;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's allocation policy: /etc/ultravisor/policy.json, or documented defaults where it is
 * silent (docs/policy.md). Each key is enforced by a rule of the placement, by a check of the
 * service, or by a transaction at start; an unknown one is refused by name.
 */
#ifndef CMDPARTD_POLICY_H
#define CMDPARTD_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/cpuset.h>
#include <common/definition.h>
#include <common/error.h>

#define POLICY_MAX_BYTES	(256u * 1024u)
#define POLICY_FRAME_NS		10000000ull	/* of a domain for which nothing is said */
#define POLICY_MAX_DOMAINS	64u
#define POLICY_MAX_PATHS	16u
#define POLICY_MAX_AUTOSTART	256u
#define POLICY_MAX_BRIDGES	16u
#define POLICY_MAX_ZONES	64u

enum role { ROLE_ADMIN, ROLE_OPERATIONS, ROLE_OPERATOR, ROLES };

struct policy_role {
	bool any_path, any_bridge;	/* root */
	unsigned int paths, bridges;
	char path[POLICY_MAX_PATHS][COMMAND_PATH_LEN];	/* absolute, no trailing slash */
	char bridge[POLICY_MAX_BRIDGES][COMMAND_BRIDGE_LEN];
};

struct policy_domain {
	char name[COMMAND_NAME_LEN];
	struct cpuset cpus;
	uint64_t memory;
	uint64_t frame_ns, phase_ns;	/* cyclic frame of its CPUs, for windows */
	uint64_t partitions;		/* guests that are on in it; 0: any number */
	uint64_t vcpus_per_cpu;		/* 0: as placement.vcpus_per_cpu */
	uint64_t page_size;		/* 0: as placement.page_size */
};

struct policy_zone {
	char name[COMMAND_ZONE_LEN];
	unsigned int talks;		/* to these; as far as that, both ways */
	char talk[COMMAND_MAX_TALKS][COMMAND_ZONE_LEN];
};

struct policy {
	bool has_host;			/* else uvd's default pool stands */
	struct cpuset host_cpus;
	uint64_t host_memory;
	uint64_t headroom;		/* bytes of the host that no pool may take */
	bool has_domains;		/* else "default" with the whole pool, at first start */
	unsigned int domains;
	struct policy_domain domain[POLICY_MAX_DOMAINS];
	struct policy_role role[ROLES];
	unsigned int zones;
	struct policy_zone zone[POLICY_MAX_ZONES];
	unsigned int autostarts;
	char autostart[POLICY_MAX_AUTOSTART][COMMAND_NAME_LEN];	/* in this order */
	/* quotas */
	uint64_t partitions;		/* of the host */
	uint64_t partition_vcpus, partition_memory, partition_devices;
	/* placement */
	uint64_t vcpus_per_cpu;		/* of shared contexts, a budget counting as its fraction */
	bool whole_cores;		/* a dedicated CPU's SMT siblings go to nobody else */
	bool domains_share_cores;	/* else SMT siblings serve one domain */
	bool pack;			/* fill before spreading */
	bool numa_strict;		/* only CPUs of the node that has the memory */
	uint64_t page_size;		/* bytes, of guests' memory: 4 KiB, or COMMAND_HUGE_PAGE */
	uint64_t io_partitions;		/* that a device must have: 2, or 1 */
	/* io */
	uint64_t fail_back_s;		/* a first server stands by, then serves; 0: never */
	bool has_dedicated;
	struct cpuset dedicated;	/* no shared context is placed here */
};

const char *role_name(enum role role);

void policy_defaults(struct policy *p);

/* Reads the file; defaults if it does not exist (*found tells). 0, or -1 and *e. */
int policy_load(struct policy *p, const char *path, bool *found, struct error *e);
int policy_parse(struct policy *p, const json_t *json, const char *source, struct error *e);

/* frame_ms and phase_us of a domain. 0, or -1: r's error is set. */
struct reader;
int policy_read_frame(const struct reader *r, const char *prefix, const json_t *json,
		      struct policy_domain *d);

/* What the policy says of a domain; NULL: nothing. */
const struct policy_domain *policy_domain(const struct policy *p, const char *name);

/* Whether guests of a domain get their memory in huge pages. */
bool policy_huge_pages(const struct policy *p, const char *domain);

/* The zones, other than its own, that cards of this one talk to: "db,cache". */
void policy_zone_talks(const struct policy *p, const char *zone, char talks[COMMAND_TALKS_LEN]);
/* Is there such a zone? "": "default", which needs no mention. */
bool policy_has_zone(const struct policy *p, const char *zone);
/* The section "zones". 0, or -1: r's error is set. And back. */
int policy_read_zones(const struct reader *r, const json_t *zones, struct policy *p);
json_t *policy_zones_to_json(const struct policy *p);

/* The policy as a file would say it, defaults spelled out. A new reference. */
json_t *policy_to_json(const struct policy *p);

/*
 * Whether the role may use what the definition names: paths and bridges. A path is resolved
 * through symbolic links first and replaced by what it resolves to, and no directory between the
 * allowed one and the file may be writable by others than root, so that it cannot change
 * between this look and uvd's. 0, or -1 and *e (EXIT_DENIED, EXIT_NOT_FOUND).
 */
int policy_check_definition(const struct policy *p, enum role role, struct definition *d,
			    struct error *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition's definition: the JSON that a person writes (docs/definition.md), checked and as a
 * struct. A definition is refused whole at its first fault; the error names file, key, reason and
 * way out. A key or value whose effect is not built is refused by name like an unknown one.
 */
#ifndef COMMON_DEFINITION_H
#define COMMON_DEFINITION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/definition_device.h>
#include <common/error.h>
#include <ultravisor/command.h>

#define DEFINITION_VERSION	1
#define DEFINITION_MAX_BYTES	(64u * 1024u)	/* of the file */
#define DEFINITION_MAX_DEVICES	16u
#define DEFINITION_MAX_VCPUS	64u
#define DEFINITION_MEMORY_STEP	(2ull << 20)	/* memory is a multiple of this */

struct definition {
	char name[COMMAND_NAME_LEN];
	char domain[COMMAND_NAME_LEN];	/* "default" if absent */
	uint32_t vcpus;
	enum command_mode mode;		/* shared if absent */
	uint64_t budget_ns, period_ns;	/* 0: no budget */
	bool realtime;			/* shared, with a budget: it is a promise */
	uint64_t window_ns;		/* of each frame; mode window */
	uint64_t lease_ns;		/* 0: none */
	uint64_t memory;
	char kernel[COMMAND_PATH_LEN];	/* absolute */
	char initrd[COMMAND_PATH_LEN];	/* absolute, or "" */
	char cmdline[COMMAND_CMDLINE_LEN];
	uint32_t devices;
	struct definition_device device[DEFINITION_MAX_DEVICES];
};

/*
 * Reads a definition. source names it in errors ("web1.json", "request body"). base is the
 * absolute directory that relative paths are made absolute against; NULL: they are refused.
 * 0, or -1 and *e.
 */
int definition_parse(struct definition *d, const json_t *json, const char *source,
		     const char *base, struct error *e);

/*
 * The same from a file, or from standard input if path is "-"; relative paths count from the
 * file's directory (from the working directory for "-" and for a pipe).
 */
int definition_load(struct definition *d, const char *path, struct error *e);

/* The section "cpus" alone, into d; and back, a new reference. */
int definition_parse_cpus(struct definition *d, const json_t *cpus, const char *source,
			  struct error *e);
json_t *definition_cpus_to_json(const struct definition *d);

/* The canonical JSON of a definition, defaults spelled out; a new reference. */
json_t *definition_to_json(const struct definition *d);

#endif

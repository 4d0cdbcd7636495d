/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a partition's definition, and what of it can be changed later. */
#ifndef COMMON_DEFINITION_DEVICE_H
#define COMMON_DEFINITION_DEVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/reader.h>
#include <ultravisor/command.h>

struct definition_device {
	char name[COMMAND_DEVICE_LEN];
	enum command_device type;
	bool readonly;			/* block */
	char path[COMMAND_PATH_LEN];	/* block; absolute */
	char bridge[COMMAND_BRIDGE_LEN];/* network */
	uint8_t mac[6];			/* network */
	bool has_mac;			/* false: derived from the partition's UUID and the name */
	struct command_settings settings;
};

int definition_parse_device(const struct reader *r, const char *prefix, const json_t *json,
		 struct definition_device *v);
/* Whether two devices of one partition stand in each other's way; o is the index-th. 0 or -1. */
int definition_check_pair(const struct reader *r, const char *prefix, unsigned int index,
		      const struct definition_device *o, const struct definition_device *v);
/* Has a device of this type this key? */
bool definition_device_has(enum command_device type, const char *key);
json_t *definition_device_to_json(const struct definition_device *v);

/* The object "limits" of a disk or card, into the three last members of s; and back. */
int definition_parse_limits(const struct reader *r, const char *prefix, const json_t *json,
			enum command_device type, struct command_settings *s);
/* The list "addresses". */
json_t *definition_addresses_to_json(const struct command_settings *s);
json_t *definition_limits_to_json(enum command_device type, const struct command_settings *s);

/* The address of a network device that names none: locally administered, unicast. */
void definition_derive_mac(uint8_t mac[6], const uint8_t uuid[16], const char *device);

/* "52:54:00:12:34:56"; -1: not an address. */
int definition_parse_mac(uint8_t mac[6], const char *text);

#endif

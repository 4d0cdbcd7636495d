/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a definition, each one's keys by its type; and how they are served. */
#include <stdio.h>
#include <string.h>

#include <common/addresses.h>
#include <common/definition.h>
#include <common/size.h>

#define MAX_RATE	1000000000u	/* operations a second */
#define BURST_MS	100u		/* unless it is said */

/* What each type understands. A key is in here once its effect is built. */
static const char *const block_keys[] = {
	"type", "name", "path", "readonly", "queues", "serial", "limits", NULL
};
static const char *const network_keys[] = {
	"type", "name", "bridge", "mac", "addresses", "queues", "limits", "vlan",
	"zone", NULL
};
static const char *const console_keys[] = { "type", "name", NULL };
static const char *const *const keys[] = {
	[DEVICE_BLOCK] = block_keys, [DEVICE_NETWORK] = network_keys,
	[DEVICE_CONSOLE] = console_keys,
};

/* Of "limits"; the first is how many operations. */
static const char *const block_limits[] = { "iops", "bytes_per_s", "burst_ms", NULL };
static const char *const network_limits[] = { "packets_per_s", "bytes_per_s", "burst_ms", NULL };
static const char *const *const limits[] = {
	[DEVICE_BLOCK] = block_limits, [DEVICE_NETWORK] = network_limits,
};

bool definition_device_has(enum command_device type, const char *key)
{
	for (const char *const *k = keys[type]; *k; k++)
		if (!strcmp(*k, key))
			return true;
	return false;
}

int definition_parse_mac(uint8_t mac[6], const char *text)
{
	unsigned int byte[6];
	int end = 0;

	if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &end) != 6 || end != 17)
		return -1;
	for (int i = 0; i < 6; i++)
		mac[i] = byte[i];
	return 0;
}

/* FNV-1a over both. The first byte, as QEMU's and libvirt's, has the local and no group bit. */
void definition_derive_mac(uint8_t mac[6], const uint8_t uuid[16], const char *device)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (int i = 0; i < 16; i++)
		hash = (hash ^ uuid[i]) * 0x100000001b3ull;
	for (; *device; device++)
		hash = (hash ^ (unsigned char)*device) * 0x100000001b3ull;
	hash ^= hash >> 32;
	mac[0] = 0x52;
	for (int i = 1; i < 6; i++)
		mac[i] = hash >> (8 * (i - 1));
}

static int parse_mac(const struct reader *r, const char *prefix, const json_t *json,
		     struct definition_device *v)
{
	char text[32], key[READER_KEY];
	int rc = reader_text(r, prefix, json, "mac", "\"52:54:00:12:34:56\"", false, text,
			     sizeof(text));

	if (rc <= 0)
		return rc;
	reader_join(key, prefix, "mac");
	if (definition_parse_mac(v->mac, text) < 0) {
		reader_fault(r, key, "\"%s\" is not an address", text);
		return error_fix(r->e, "write it as \"52:54:00:12:34:56\", or leave it out");
	}
	if (v->mac[0] & 1 || !memcmp(v->mac, "\0\0\0\0\0\0", 6)) {
		reader_fault(r, key, "\"%s\" is not the address of one card", text);
		return error_fix(r->e, "make the first byte even and the address not zero");
	}
	v->has_mac = true;
	return 0;
}

static int parse_bridge(const struct reader *r, const char *prefix, const json_t *json,
			struct definition_device *v)
{
	char key[READER_KEY];

	if (reader_text(r, prefix, json, "bridge", "\"uvbr0\"", true, v->bridge,
			sizeof(v->bridge)) < 0)
		return -1;
	/* The kernel's rule for interface names (dev_valid_name). */
	if (v->bridge[0] && strcmp(v->bridge, ".") && strcmp(v->bridge, "..") &&
	    !strpbrk(v->bridge, "/: \t"))
		return 0;
	reader_fault(r, reader_join(key, prefix, "bridge"), "\"%s\" is not the name of a bridge",
		     v->bridge);
	return error_fix(r->e, "name one, or \"uvbr0\", which is made on demand");
}

static int parse_type(const struct reader *r, const char *prefix, const json_t *json,
			     struct definition_device *v)
{
	char key[READER_KEY], type[32];

	if (!json_is_object(json))
		return reader_object(r, prefix, json, keys[DEVICE_BLOCK]);
	if (reader_text(r, prefix, json, "type", "\"block\"", true, type, sizeof(type)) < 0)
		return -1;
	if (!strcmp(type, "block")) {
		v->type = DEVICE_BLOCK;
		if (reader_object(r, prefix, json, keys[DEVICE_BLOCK]) < 0 ||
		    reader_path(r, prefix, json, "path", "\"disk.raw\"", true, v->path,
				sizeof(v->path)) < 0 ||
		    reader_bool(r, prefix, json, "readonly", &v->readonly) < 0)
			return -1;
		return 0;
	}
	if (!strcmp(type, "network")) {
		v->type = DEVICE_NETWORK;
		if (reader_object(r, prefix, json, keys[DEVICE_NETWORK]) < 0 ||
		    parse_bridge(r, prefix, json, v) < 0 || parse_mac(r, prefix, json, v) < 0)
			return -1;
		return 0;
	}
	if (!strcmp(type, "console")) {
		v->type = DEVICE_CONSOLE;
		return reader_object(r, prefix, json, keys[DEVICE_CONSOLE]);
	}
	reader_fault(r, reader_join(key, prefix, "type"), "\"%s\" is not a type of device", type);
	return error_fix(r->e, "use \"block\", \"network\" or \"console\"");
}

int definition_parse_limits(const struct reader *r, const char *prefix, const json_t *json,
			enum command_device type, struct command_settings *s)
{
	char key[READER_KEY];

	s->operations = s->bytes = s->burst_ms = 0;
	if (reader_object(r, prefix, json, limits[type]) < 0 ||
	    reader_number(r, prefix, json, limits[type][0], false, 1, MAX_RATE,
			  &s->operations) < 0 ||
	    reader_size(r, prefix, json, "bytes_per_s", false, 1024, &s->bytes) < 0 ||
	    reader_number(r, prefix, json, "burst_ms", false, 1, COMMAND_MAX_BURST_MS,
			  &s->burst_ms) < 0)
		return -1;
	if (s->operations || s->bytes) {
		if (!s->burst_ms)
			s->burst_ms = BURST_MS;
		return 0;
	}
	if (!s->burst_ms)
		return 0;
	reader_fault(r, reader_join(key, prefix, "burst_ms"), "there is no limit to exceed");
	return error_fix(r->e, "name %s or bytes_per_s too", limits[type][0]);
}

json_t *definition_limits_to_json(enum command_device type, const struct command_settings *s)
{
	json_t *o = json_object();
	char size[SIZE_TEXT];

	if (s->operations)
		json_object_set_new(o, limits[type][0], json_integer(s->operations));
	if (s->bytes)
		json_object_set_new(o, "bytes_per_s", json_string(size_format(s->bytes, size)));
	if (s->burst_ms)
		json_object_set_new(o, "burst_ms", json_integer(s->burst_ms));
	return o;
}

static int parse_addresses(const struct reader *r, const char *prefix, const json_t *json,
			   struct command_settings *s)
{
	char key[READER_KEY], name[32];
	const char *text, *at;
	struct address a;
	json_t *list;
	size_t i, n = 0;
	int rc = reader_get(r, prefix, json, "addresses", JSON_ARRAY, "[ \"10.0.0.5\" ]", false,
			    &list);

	if (rc <= 0)
		return rc;
	reader_join(key, prefix, "addresses");
	if (!json_array_size(list) || json_array_size(list) > ADDRESSES_MAX) {
		reader_fault(r, key, "has %zu addresses", json_array_size(list));
		return error_fix(r->e, "name 1 to %d, or leave it out: any", ADDRESSES_MAX);
	}
	for (i = 0; i < json_array_size(list); i++) {
		text = at = json_string_value(json_array_get(list, i));
		if (!text || strchr(text, ',') || addresses_next(&at, &a) <= 0) {
			snprintf(name, sizeof(name), "addresses[%zu]", i);
			reader_fault(r, reader_join(key, prefix, name),
				     "\"%.64s\" is not the address of one host", text ? text : "");
			return error_fix(r->e, "write it as \"10.0.0.5\" or \"fd00::5\"");
		}
		n += snprintf(s->addresses + n, sizeof(s->addresses) - n, "%s%s", n ? "," : "",
			      a.text);
	}
	return 0;
}

json_t *definition_addresses_to_json(const struct command_settings *s)
{
	const char *at = s->addresses;
	json_t *list = json_array();
	struct address a;

	while (addresses_next(&at, &a) > 0)
		json_array_append_new(list, json_string(a.text));
	return list;
}

static int parse_settings(const struct reader *r, const char *prefix, const json_t *json,
			  struct definition_device *v)
{
	struct command_settings *s = &v->settings;
	uint64_t queues = 1, vlan = 0;
	char key[READER_KEY];
	json_t *limit;
	int rc;

	if (reader_number(r, prefix, json, "queues", false, 1,
			  v->type == DEVICE_NETWORK ? COMMAND_MAX_PAIRS : COMMAND_MAX_QUEUES,
			  &queues) < 0 ||
	    reader_number(r, prefix, json, "vlan", false, 1, COMMAND_MAX_VLAN, &vlan) < 0 ||
	    reader_text(r, prefix, json, "serial", "\"disk1\"", false, s->serial,
			COMMAND_MAX_SERIAL + 1) < 0 ||
	    reader_name(r, prefix, json, "zone", false, s->zone, sizeof(s->zone)) < 0 ||
	    parse_addresses(r, prefix, json, s) < 0)
		return -1;
	s->queues = queues;
	s->vlan = vlan;
	rc = reader_get(r, prefix, json, "limits", JSON_OBJECT, "{ \"bytes_per_s\": \"100MiB\" }",
			false, &limit);
	if (rc <= 0)
		return rc;
	return definition_parse_limits(r, reader_join(key, prefix, "limits"), limit, v->type, s);
}

static void settings_to_json(json_t *o, const struct definition_device *v)
{
	const struct command_settings *s = &v->settings;

	if (s->queues > 1)
		json_object_set_new(o, "queues", json_integer(s->queues));
	if (s->vlan)
		json_object_set_new(o, "vlan", json_integer(s->vlan));
	if (s->serial[0])
		json_object_set_new(o, "serial", json_string(s->serial));
	if (s->zone[0])
		json_object_set_new(o, "zone", json_string(s->zone));
	if (s->addresses[0])
		json_object_set_new(o, "addresses", definition_addresses_to_json(s));
	if (s->operations || s->bytes)
		json_object_set_new(o, "limits", definition_limits_to_json(v->type, s));
}

int definition_parse_device(const struct reader *r, const char *prefix, const json_t *json,
		 struct definition_device *v)
{
	return parse_type(r, prefix, json, v) < 0 || parse_settings(r, prefix, json, v) < 0 ||
	       reader_name(r, prefix, json, "name", true, v->name, sizeof(v->name)) < 0 ? -1 : 0;
}

int definition_check_pair(const struct reader *r, const char *prefix, unsigned int index,
		      const struct definition_device *o, const struct definition_device *v)
{
	char key[READER_KEY];

	if (!strcmp(o->name, v->name)) {
		reader_fault(r, reader_join(key, prefix, "name"),
			     "devices[%u] has the name \"%s\" too", index, v->name);
		return error_fix(r->e, "names are unique within a partition");
	}
	if (o->type != v->type)
		return 0;
	if (v->type == DEVICE_CONSOLE) {
		reader_fault(r, reader_join(key, prefix, "type"),
			     "devices[%u] is a console already", index);
		return error_why(r->e, "a guest has one serial port");
	}
	if (v->type == DEVICE_BLOCK && !strcmp(o->path, v->path) &&
	    !(o->readonly && v->readonly)) {
		reader_fault(r, reader_join(key, prefix, "path"), "devices[%u] is the same file",
			     index);
		return error_why(r->e, "an image that is written is open once a host");
	}
	if (v->type == DEVICE_NETWORK && o->has_mac && v->has_mac && !memcmp(o->mac, v->mac, 6)) {
		reader_fault(r, reader_join(key, prefix, "mac"),
			     "devices[%u] has the same address", index);
		return error_fix(r->e, "leave one of them out: it is derived");
	}
	return 0;
}

json_t *definition_device_to_json(const struct definition_device *v)
{
	char mac[18];
	json_t *o = NULL;

	switch (v->type) {
	case DEVICE_BLOCK:
		o = json_pack("{s:s, s:s, s:s, s:b}", "type", "block", "name", v->name,
				 "path", v->path, "readonly", v->readonly);
		break;
	case DEVICE_NETWORK:
		o = json_pack("{s:s, s:s, s:s}", "type", "network", "name", v->name, "bridge",
			      v->bridge);
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1],
			 v->mac[2], v->mac[3], v->mac[4], v->mac[5]);
		if (v->has_mac)
			json_object_set_new(o, "mac", json_string(mac));
		break;
	case DEVICE_CONSOLE:
		o = json_pack("{s:s, s:s}", "type", "console", "name", v->name);
	}
	settings_to_json(o, v);
	return o;
}

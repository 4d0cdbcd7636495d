/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking the form of messages by tables: sizes by command_record_size(), strings by the field
 * list below. Nothing here reads the database.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <common/uuid.h>

#include "internal.h"
#include "message.h"

enum rule {
	RULE_TEXT,		/* printable, may be empty */
	RULE_NAME,
	RULE_NAME_OR_NONE,
	RULE_PATH,		/* absolute */
	RULE_PATH_OR_NONE,
	RULE_INTERFACE_OR_NONE,
};

struct field {
	uint16_t type;
	enum rule rule;
	uint16_t offset, size;
	const char *name;
};

#define FIELD(type, rule, of, member) \
	{ type, rule, offsetof(struct of, member), sizeof(((struct of *)0)->member), #member }

static const struct field fields[] = {
	FIELD(COMMAND_PARTITION_DEFINE, RULE_NAME, command_partition_define, name),
	FIELD(COMMAND_PARTITION_DEFINE, RULE_NAME, command_partition_define, domain),
	FIELD(COMMAND_PARTITION_DEFINE, RULE_PATH, command_partition_define, kernel),
	FIELD(COMMAND_PARTITION_DEFINE, RULE_PATH_OR_NONE, command_partition_define, initrd),
	FIELD(COMMAND_PARTITION_DEFINE, RULE_TEXT, command_partition_define, cmdline),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_NAME, command_device_define, name),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_PATH_OR_NONE, command_device_define, path),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_INTERFACE_OR_NONE, command_device_define, bridge),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_TEXT, command_device_define, settings.serial),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_NAME_OR_NONE, command_device_define, settings.zone),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_TEXT, command_device_define, settings.addresses),
	FIELD(COMMAND_DEVICE_DEFINE, RULE_TEXT, command_device_define, settings.talks),
	FIELD(COMMAND_DEVICE_MODIFY, RULE_NAME, command_device_modify, name),
	FIELD(COMMAND_DEVICE_MODIFY, RULE_TEXT, command_device_modify, settings.serial),
	FIELD(COMMAND_DEVICE_MODIFY, RULE_NAME_OR_NONE, command_device_modify, settings.zone),
	FIELD(COMMAND_DEVICE_MODIFY, RULE_TEXT, command_device_modify, settings.addresses),
	FIELD(COMMAND_DEVICE_MODIFY, RULE_TEXT, command_device_modify, settings.talks),
	FIELD(COMMAND_DEVICE_RESIZE, RULE_NAME, command_device_op, name),
	FIELD(COMMAND_DEVICE_CLAIM, RULE_NAME, command_device_op, name),
	FIELD(COMMAND_DEVICE_RELEASE, RULE_NAME, command_device_op, name),
	FIELD(COMMAND_CHANNEL_CREATE, RULE_NAME, command_channel, name),
	FIELD(COMMAND_CHANNEL_DESTROY, RULE_NAME, command_channel, name),
	FIELD(COMMAND_DOMAIN_CREATE, RULE_NAME, command_domain, name),
	FIELD(COMMAND_DOMAIN_DESTROY, RULE_NAME, command_domain, name),
	FIELD(COMMAND_DOMAIN_MODIFY, RULE_NAME, command_domain, name),
	FIELD(COMMAND_DOMAIN_EXPECT, RULE_NAME, command_domain, name),
	FIELD(COMMAND_DOMAIN_ASSIGN, RULE_NAME, command_domain_assign, domain),
	FIELD(COMMAND_CHANNEL_REVOKE, RULE_NAME, command_channel, name),
	FIELD(COMMAND_CHANNEL_PROMOTE, RULE_NAME, command_channel_promote, name),
	FIELD(COMMAND_DEVICE_RESET, RULE_NAME, command_device_op, name),
	FIELD(COMMAND_QUERY_ROWS, RULE_TEXT, command_query, after_name),
	FIELD(COMMAND_QUERY_ROWS, RULE_TEXT, command_query, name),
	FIELD(COMMAND_QUERY_ROWS, RULE_TEXT, command_query, noun),
	FIELD(COMMAND_QUERY_ROWS, RULE_TEXT, command_query, key),
	FIELD(INTERNAL_PARTITION_END, RULE_TEXT, internal_partition_end, reason),
};

#undef FIELD

int fault_set(struct fault *f, uint32_t status, const char *fix, const char *format, ...)
{
	va_list args;

	memset(f, 0, sizeof(*f));
	f->status = status;
	f->record = COMMAND_NONE;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	snprintf(f->fix, sizeof(f->fix), "%s", fix);
	return -ECANCELED;
}

/* Terminated, printable, and zero behind its end: nothing hides there. */
static bool text_ok(const char *s, size_t size)
{
	size_t i, n = strnlen(s, size);

	if (n == size)
		return false;
	for (i = 0; i < n; i++)
		if (iscntrl((unsigned char)s[i]))
			return false;
	for (; i < size; i++)
		if (s[i])
			return false;
	return true;
}

/* RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF. */
static bool utf8_ok(const char *s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	unsigned int more, i;
	uint32_t c;

	while (*p) {
		more = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : 4;
		if (more == 4)
			return false;
		c = more ? *p & (0x3f >> more) : *p;
		for (p++, i = 0; i < more; i++, p++) {
			if (*p >> 6 != 2)
				return false;
			c = c << 6 | (*p & 0x3f);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

bool message_name_ok(const char *text, size_t size)
{
	const char *p = text;

	if (!text_ok(text, size) || !(islower((unsigned char)*p) || isdigit((unsigned char)*p)))
		return false;
	for (; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) &&
		    !strchr("._-", *p))
			return false;
	return true;
}

/* The kernel's rule for the names of network interfaces (dev_valid_name). */
static bool interface_ok(const char *s)
{
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return false;
	return true;
}

static int check_field(const struct field *field, const char *text, struct fault *f)
{
	if (!text_ok(text, field->size))
		return fault_set(f, COMMAND_INVALID, "end it with a zero byte, and zeros behind it",
				 "%s is not a terminated, printable text of at most %u bytes",
				 field->name, field->size - 1);
	switch (field->rule) {
	case RULE_TEXT:
		return 0;
	case RULE_NAME_OR_NONE:
		if (!*text)
			return 0;
		/* fall through */
	case RULE_NAME:
		if (message_name_ok(text, field->size))
			return 0;
		return fault_set(f, COMMAND_INVALID,
				 "use a-z, 0-9 and . _ -, a letter or digit first",
				 "%s \"%s\" is not a name", field->name, text);
	case RULE_PATH_OR_NONE:
		if (!*text)
			return 0;
		/* fall through */
	case RULE_PATH:
		if (*text == '/')
			return 0;
		return fault_set(f, COMMAND_INVALID, "give it from the root: /…",
				 "%s \"%s\" is not an absolute path", field->name, text);
	case RULE_INTERFACE_OR_NONE:
		if (interface_ok(text))
			return 0;
		return fault_set(f, COMMAND_INVALID, "name a network bridge of the host",
				 "%s \"%s\" cannot be an interface's name", field->name, text);
	}
	return 0;
}

bool message_header_ok(const void *message, size_t n)
{
	const struct command_header *h = message;

	return n >= sizeof(*h) && n <= COMMAND_MAX_LENGTH && h->magic == COMMAND_MAGIC &&
	       h->version == COMMAND_VERSION && h->length == n &&
	       (h->kind == COMMAND_TRANSACT || h->kind == COMMAND_PLAN ||
		h->kind == COMMAND_QUERY || h->kind == COMMAND_RENEW) &&
	       text_ok(h->who, sizeof(h->who)) && text_ok(h->text, sizeof(h->text)) &&
	       text_ok(h->fix, sizeof(h->fix)) && utf8_ok(h->who) && utf8_ok(h->text) &&
	       !h->reserved;
}

static int check_header(const void *message, size_t n, struct fault *f)
{
	const struct command_header *h = message;

	if (n < sizeof(*h))
		return fault_set(f, COMMAND_INVALID, "send whole messages",
				 "%zu bytes are not even a header of %zu", n, sizeof(*h));
	if (h->magic != COMMAND_MAGIC || h->version != COMMAND_VERSION)
		return fault_set(f, COMMAND_INVALID,
				 "speak this uvd's version: install cmdpartd and uvd together",
				 "magic %08x version %u", h->magic, h->version);
	if (h->length != n || n > COMMAND_MAX_LENGTH)
		return fault_set(f, COMMAND_INVALID, "send one whole message as one packet",
				 "the header says %u bytes, %zu came", h->length, n);
	if (!message_header_ok(message, n))
		return fault_set(f, COMMAND_INVALID, "see docs/command.md",
				 "unknown kind %u, or who, text or fix is not terminated UTF-8",
				 h->kind);
	if (h->kind == COMMAND_TRANSACT && uuid_is_zero(h->request_id))
		return fault_set(f, COMMAND_INVALID, "make a random request id",
				 "the request id is all zero");
	if (h->count == 0 || h->count > COMMAND_MAX_RECORDS)
		return fault_set(f, COMMAND_INVALID, "send 1 to 1024 records",
				 "%u records", h->count);
	if (h->kind == COMMAND_QUERY && h->count != 1)
		return fault_set(f, COMMAND_INVALID, "send one query in a message",
				 "%u records in a query", h->count);
	return 0;
}

static bool type_ok(uint16_t kind, uint16_t type, bool internal)
{
	if (kind == COMMAND_QUERY)
		return type == COMMAND_QUERY_ROWS || type == COMMAND_QUERY_EVENTS;
	if (kind == COMMAND_RENEW)
		return type == COMMAND_LEASE_RENEW;
	return type < COMMAND_QUERY_ROWS || (internal && type >= INTERNAL_FIRST);
}

static int check_record(const struct command_header *h, const struct command_record *r,
			size_t left, bool internal, struct fault *f)
{
	uint32_t size = left >= sizeof(*r) ? internal_record_size(r->type) : 0;
	unsigned int i;

	if (left < sizeof(*r))
		return fault_set(f, COMMAND_INVALID, "send whole records",
				 "%zu bytes are left for the record", left);
	if (!size || !type_ok(h->kind, r->type, internal))
		return fault_set(f, COMMAND_INVALID, "see docs/command.md",
				 "type %u is not known in a message of kind %u", r->type, h->kind);
	if (r->length != size || size > left)
		return fault_set(f, COMMAND_INVALID, "records have one exact size for each type",
				 "type %u has %u bytes, the record says %u, %zu are left", r->type,
				 size, r->length, left);
	if (r->flags)
		return fault_set(f, COMMAND_INVALID, "set flags to 0", "flags %#x", r->flags);
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (fields[i].type == r->type &&
		    check_field(&fields[i], (const char *)r + fields[i].offset, f) < 0)
			return -ECANCELED;
	return 0;
}

int message_check(const void *message, size_t n, bool internal, struct fault *f)
{
	const struct command_header *h = message;
	size_t at = sizeof(*h);
	uint32_t i;

	if (check_header(message, n, f) < 0)
		return -ECANCELED;
	for (i = 0; i < h->count; i++) {
		const struct command_record *r =
			(const void *)((const uint8_t *)message + at);

		if (check_record(h, r, n - at, internal, f) < 0) {
			f->record = i;
			return -ECANCELED;
		}
		at += r->length;
	}
	if (at != n)
		return fault_set(f, COMMAND_INVALID, "set count to the number of records",
				 "%zu bytes follow the last record", n - at);
	return 0;
}

const struct command_record *message_record(const void *message, uint32_t i)
{
	const uint8_t *at = (const uint8_t *)message + sizeof(struct command_header);

	while (i--)
		at += ((const struct command_record *)at)->length;
	return (const struct command_record *)at;
}

static uint64_t fnv(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

uint64_t message_digest(const void *message)
{
	const struct command_header *h = message;
	uint64_t hash = 0xcbf29ce484222325ULL;

	hash = fnv(hash, &h->kind, sizeof(h->kind));
	hash = fnv(hash, &h->uid, sizeof(h->uid));
	return fnv(hash, h + 1, h->length - sizeof(*h));
}

void reply_init(struct reply *r, const struct command_header *request)
{
	struct command_header *h = (struct command_header *)r->bytes;

	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = COMMAND_REPLY;
	h->failed = COMMAND_NONE;
	if (request) {
		memcpy(h->request_id, request->request_id, sizeof(h->request_id));
		h->uid = request->uid;
	}
	r->length = sizeof(*h);
	r->count = 0;
	r->full = false;
}

void *reply_add(struct reply *r, uint16_t type, uint64_t generation)
{
	uint32_t size = command_record_size(type);
	struct command_record *record = (struct command_record *)(r->bytes + r->length);

	if (r->length + size > sizeof(r->bytes) || r->count == COMMAND_MAX_RECORDS) {
		r->full = true;
		return NULL;
	}
	memset(record, 0, size);
	record->type = type;
	record->length = size;
	record->generation = generation;
	r->length += size;
	r->count++;
	return record;
}

void reply_finish(struct reply *r, const struct fault *f, uint64_t transaction, bool more)
{
	struct command_header *h = (struct command_header *)r->bytes;

	if (f->status != COMMAND_OK) {
		r->length = sizeof(*h);
		r->count = 0;
	}
	h->status = f->status;
	h->failed = f->status == COMMAND_OK ? COMMAND_NONE : f->record;
	memcpy(h->text, f->text, sizeof(h->text));
	memcpy(h->fix, f->fix, sizeof(h->fix));
	h->transaction = transaction;
	h->more = more;
	h->length = r->length;
	h->count = r->count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Building requests and checking replies of the command channel (include/ultravisor/command.h). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define GROW 16384

static void fail(struct message *m)
{
	m->failed = true;
}

static bool reserve(struct message *m, size_t more)
{
	size_t old = (m->length + GROW - 1) / GROW, need = (m->length + more + GROW - 1) / GROW;
	uint8_t *larger;

	if (m->failed || m->length + more > COMMAND_MAX_LENGTH)
		return false;
	if (need == old)
		return true;
	larger = realloc(m->bytes, need * GROW);
	if (!larger)
		return false;
	m->bytes = larger;
	return true;
}

void message_begin(struct message *m, enum command_kind kind, const uint8_t request_id[16],
		   const struct author *author)
{
	struct command_header *h;

	memset(m, 0, sizeof(*m));
	if (!reserve(m, sizeof(*h))) {
		fail(m);
		return;
	}
	m->length = sizeof(*h);
	h = message_header(m);
	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = kind;
	h->length = m->length;
	h->failed = COMMAND_NONE;
	memcpy(h->request_id, request_id, sizeof(h->request_id));
	if (author) {
		h->uid = author->uid;
		h->pid = author->pid;
		h->epoch = author->epoch;
		message_text(h->who, sizeof(h->who), author->who);
		message_text(h->text, sizeof(h->text), author->reason);
	} else {
		strcpy(h->who, "cmdpartd");
	}
}

void message_free(struct message *m)
{
	free(m->bytes);
	memset(m, 0, sizeof(*m));
}

void *message_add(struct message *m, enum command_type type, uint64_t generation)
{
	static union {
		struct command_record r;
		uint8_t room[sizeof(struct command_row_partition) * 2];
	} scratch;
	uint32_t size = command_record_size(type);
	struct command_record *r = &scratch.r;

	if (m->failed || message_header(m)->count == COMMAND_MAX_RECORDS || !reserve(m, size)) {
		fail(m);
	} else {
		r = (struct command_record *)(m->bytes + m->length);
		m->length += size;
		message_header(m)->length = m->length;
		message_header(m)->count++;
	}
	memset(r, 0, size);
	r->type = type;
	r->length = size;
	r->generation = generation;
	return r;
}

void message_append(struct message *m, const struct message *from)
{
	const struct command_header *h = message_header(from);
	size_t n = from->length - sizeof(*h);

	if (m->failed || from->failed || !reserve(m, n) ||
	    message_header(m)->count + h->count > COMMAND_MAX_RECORDS) {
		fail(m);
		return;
	}
	memcpy(m->bytes + m->length, from->bytes + sizeof(*h), n);
	m->length += n;
	message_header(m)->length = m->length;
	message_header(m)->count += h->count;
}

void message_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

uint32_t message_count(const struct message *m)
{
	return m->failed ? 0 : message_header(m)->count;
}

struct command_query *message_query(struct message *m, enum command_type row, const char *name,
		   const char *after_name, uint64_t after, uint32_t limit)
{
	struct command_query *q = message_add(m, COMMAND_QUERY_ROWS, 0);

	q->row = row;
	q->limit = limit;
	q->after = after;
	snprintf(q->name, sizeof(q->name), "%s", name);
	if (after_name)
		snprintf(q->after_name, sizeof(q->after_name), "%s", after_name);
	return q;
}

/* ---- replies --------------------------------------------------------------------- */

struct string_field {
	uint16_t type, offset, size;
};

#define FIELD(t, s, f) { t, offsetof(struct s, f), sizeof(((struct s *)0)->f) }
static const struct string_field fields[] = {
	FIELD(COMMAND_ROW_HOST, command_row_host, name),
	FIELD(COMMAND_ROW_HOST, command_row_host, pool_reason),
	FIELD(COMMAND_ROW_PROCESSOR, command_row_processor, domain),
	FIELD(COMMAND_ROW_PROCESSOR, command_row_processor, owner_name),
	FIELD(COMMAND_ROW_DOMAIN, command_row_domain, name),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, name),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, domain),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, changed_by),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, kernel),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, initrd),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, cmdline),
	FIELD(COMMAND_ROW_PARTITION, command_row_partition, reason),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, partition_name),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, name),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, path),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, bridge),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, tap),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, settings.serial),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, settings.zone),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, settings.addresses),
	FIELD(COMMAND_ROW_DEVICE, command_row_device, settings.talks),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, partition_name),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, name),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, server_name[0]),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, server_name[1]),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, server_name[2]),
	FIELD(COMMAND_ROW_CHANNEL, command_row_channel, server_name[3]),
	FIELD(COMMAND_ROW_CONTEXT, command_row_context, partition_name),
	FIELD(COMMAND_ROW_LEDGER, command_row_ledger, who),
	FIELD(COMMAND_ROW_LEDGER, command_row_ledger, subject),
	FIELD(COMMAND_ROW_LEDGER, command_row_ledger, summary),
	FIELD(COMMAND_ROW_LEDGER, command_row_ledger, reason),
	FIELD(COMMAND_ROW_LEDGER, command_row_ledger, text),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, noun),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, key),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, part),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, owner),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, who),
	FIELD(COMMAND_ROW_HISTORY, command_row_history, row),
	FIELD(COMMAND_ROW_COMPARED, command_row_compared, what),
	FIELD(COMMAND_ROW_DIFFERENCE, command_row_difference, what),
	FIELD(COMMAND_ROW_DIFFERENCE, command_row_difference, where),
	FIELD(COMMAND_ROW_DIFFERENCE, command_row_difference, missing),
	FIELD(COMMAND_ROW_DIFFERENCE, command_row_difference, fix),
	FIELD(COMMAND_ROW_EVENT, command_row_event, partition),
	FIELD(COMMAND_ROW_EVENT, command_row_event, text),
};
#undef FIELD

static void end_text(char *text, size_t size)
{
	bool ascii = true;
	json_t *utf8;

	text[size - 1] = '\0';
	for (const char *c = text; *c; c++)
		ascii = ascii && (unsigned char)*c < 0x80;
	if (ascii)
		return;
	utf8 = json_string(text);
	for (char *c = text; !utf8 && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json_decref(utf8);
}

static void end_strings(struct command_record *r)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].type == r->type)
			end_text((char *)r + fields[i].offset, fields[i].size);
}

/* Tables are indexed by its type. */
static bool device_ok(const struct command_row_device *d)
{
	const struct command_settings *s = &d->settings;

	return d->device == DEVICE_BLOCK || d->device == DEVICE_NETWORK ||
	       (d->device == DEVICE_CONSOLE && !s->operations && !s->bytes && !s->burst_ms);
}

bool reply_check(void *reply, size_t n, const char **why)
{
	struct command_header *h = reply;
	size_t at = sizeof(*h);

	*why = "it is no message of this protocol";
	if (n < sizeof(*h) || h->magic != COMMAND_MAGIC || h->version != COMMAND_VERSION ||
	    h->kind != COMMAND_REPLY)
		return false;
	*why = "its length is wrong";
	if (h->length != n || h->count > COMMAND_MAX_RECORDS)
		return false;
	for (uint32_t i = 0; i < h->count; i++) {
		struct command_record *r = (struct command_record *)((uint8_t *)reply + at);

		*why = "a record does not fit";
		if (n - at < sizeof(*r) || r->length > n - at)
			return false;
		*why = "a record is of an unknown type or of another size than its type's";
		if (r->type < COMMAND_ROW_HOST || r->length != command_record_size(r->type))
			return false;
		*why = "a device is of an unknown type, or has limits that its type has not";
		if (r->type == COMMAND_ROW_DEVICE &&
		    !device_ok((const struct command_row_device *)r))
			return false;
		end_strings(r);
		at += r->length;
	}
	*why = "something follows the records";
	if (at != n)
		return false;
	end_text(h->who, sizeof(h->who));
	end_text(h->text, sizeof(h->text));
	end_text(h->fix, sizeof(h->fix));
	return true;
}

const struct command_record *reply_next(const struct command_header *reply,
					const struct command_record *r)
{
	const uint8_t *next = r ? (const uint8_t *)r + r->length : (const uint8_t *)(reply + 1);

	return next < (const uint8_t *)reply + reply->length ?
	       (const struct command_record *)next : NULL;
}

const void *reply_find(const struct command_header *reply, enum command_type type)
{
	const struct command_record *r = NULL;

	while ((r = reply_next(reply, r)))
		if (r->type == type)
			return r;
	return NULL;
}

int reply_error(const struct command_header *reply, struct error *e)
{
	static const enum exit_code code[] = {
		[COMMAND_OK] = EXIT_OK,
		[COMMAND_FAILED] = EXIT_FAILED,
		[COMMAND_INVALID] = EXIT_INVALID,
		[COMMAND_NOT_FOUND] = EXIT_NOT_FOUND,
		[COMMAND_CONFLICT] = EXIT_CONFLICT,
		[COMMAND_RESOURCES] = EXIT_RESOURCES,
		[COMMAND_DENIED] = EXIT_DENIED,
		[COMMAND_READ_ONLY] = EXIT_FAILED,
		[COMMAND_UNKNOWN] = EXIT_UNKNOWN,
	};

	if (reply->status == COMMAND_OK)
		return 0;
	error_set(e, reply->status < sizeof(code) / sizeof(code[0]) ? code[reply->status] :
		  EXIT_FAILED, "%s", reply->text[0] ? reply->text : "uvd refused it");
	if (reply->status == COMMAND_READ_ONLY && !reply->text[0])
		error_set(e, EXIT_FAILED, "the resource database cannot be written now");
	error_fix(e, "%s", reply->fix);
	return -1;
}

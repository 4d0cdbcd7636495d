/* SPDX-License-Identifier: Apache-2.0 */
/* The error that users meet, and its JSON form. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <common/error.h>

#define SCHEMA_VERSION 1

/*
 * What is quoted in an error may come from anywhere: control characters must not reach a
 * terminal, and a cut in the middle of a UTF-8 sequence would make the text no JSON string.
 */
static void fill(char *to, size_t size, const char *format, va_list args)
{
	unsigned char *end;

	if (vsnprintf(to, size, format, args) < 0)
		to[0] = '\0';
	for (unsigned char *c = (unsigned char *)to; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	end = (unsigned char *)to + strlen(to);
	for (int i = 1; i <= 3 && end - i >= (unsigned char *)to; i++) {
		int need = end[-i] >= 0xf0 ? 4 : end[-i] >= 0xe0 ? 3 : end[-i] >= 0xc0 ? 2 : 0;

		if (need > i)
			end[-i] = '\0';
		if (need || end[-i] < 0x80)
			break;
	}
}

int error_set(struct error *e, enum exit_code code, const char *message, ...)
{
	va_list args;

	error_clear(e);
	e->code = code;
	va_start(args, message);
	fill(e->message, sizeof(e->message), message, args);
	va_end(args);
	return -1;
}

#define SETTER(member) \
int error_##member(struct error *e, const char *member, ...) \
{ \
	va_list args; \
\
	va_start(args, member); \
	fill(e->member, sizeof(e->member), member, args); \
	va_end(args); \
	return -1; \
}

SETTER(where)
SETTER(why)
SETTER(fix)

void error_clear(struct error *e)
{
	json_decref(e->details);
	memset(e, 0, sizeof(*e));
}

/* A path need not be UTF-8; what is not is shown as '?' rather than lost. */
static json_t *text(const char *s)
{
	json_t *value = json_string(s);
	char copy[sizeof(((struct error *)0)->why)];

	if (value)
		return value;
	snprintf(copy, sizeof(copy), "%s", s);
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(copy);
}

json_t *error_to_json(const struct error *e)
{
	json_t *o = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "schema_version", SCHEMA_VERSION,
			      "code", exit_code_word(e->code), "message", text(e->message),
			      "where", text(e->where), "why", text(e->why), "fix", text(e->fix));

	if (o && e->details)
		json_object_set(o, "details", e->details);
	return o;
}

static void copy_text(char *to, size_t size, const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	if (s) {
		size_t n = strnlen(s, size - 1);

		memcpy(to, s, n);
		to[n] = '\0';
	}
}

int error_from_json(struct error *e, const json_t *object)
{
	const char *word = json_string_value(json_object_get(object, "code"));
	int code = word ? exit_code_parse(word) : -1;

	error_clear(e);
	if (code <= EXIT_OK || !json_is_string(json_object_get(object, "message")))
		return -1;
	e->code = code;
	copy_text(e->message, sizeof(e->message), object, "message");
	copy_text(e->where, sizeof(e->where), object, "where");
	copy_text(e->why, sizeof(e->why), object, "why");
	copy_text(e->fix, sizeof(e->fix), object, "fix");
	e->details = json_incref(json_object_get(object, "details"));
	return 0;
}

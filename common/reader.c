/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON key by key. Each reader names the key in full ("devices[2].path"), so that an error
 * points at one place of one file.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <common/json_file.h>
#include <common/reader.h>
#include <common/size.h>
#include <common/uuid.h>

const char *reader_join(char to[READER_KEY], const char *prefix, const char *name)
{
	snprintf(to, READER_KEY, "%.64s%s%.60s", prefix, prefix[0] ? "." : "", name);
	return to;
}

int reader_fault(const struct reader *r, const char *key, const char *message, ...)
{
	char text[sizeof(r->e->message)];
	va_list args;

	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	error_set(r->e, EXIT_INVALID, "%s", text);
	return error_where(r->e, "%s%s%s", r->source, key[0] ? ": " : "", key);
}

int reader_object(const struct reader *r, const char *prefix, const json_t *object,
		  const char *const *keys)
{
	char key[READER_KEY], list[256] = "";
	const char *unknown, *nearest;

	if (!json_is_object(object)) {
		reader_fault(r, prefix, "must be an object, not %s", json_file_type(object));
		return error_fix(r->e, "write it as { \"%s\": … }", keys[0]);
	}
	unknown = json_file_unknown(object, keys);
	if (!unknown)
		return 0;
	for (int i = 0; keys[i]; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
			 keys[i]);
	reader_fault(r, reader_join(key, prefix, unknown), "unknown key \"%.64s\"", unknown);
	error_why(r->e, "known here: %s", list);
	nearest = json_file_nearest(unknown, keys);
	return nearest ? error_fix(r->e, "did you mean \"%s\"?", nearest) :
			 error_fix(r->e, "leave it out");
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_STRING:	return "a string";
	case JSON_INTEGER:	return "a whole number";
	case JSON_ARRAY:	return "an array";
	case JSON_OBJECT:	return "an object";
	default:		return "true or false";
	}
}

int reader_get(const struct reader *r, const char *prefix, const json_t *object, const char *name,
	       json_type type, const char *example, bool required, json_t **out)
{
	json_t *value = json_object_get(object, name);
	char key[READER_KEY];

	*out = value;
	if (!value && !required)
		return 0;
	reader_join(key, prefix, name);
	if (!value) {
		reader_fault(r, key, "the key \"%s\" is missing", name);
		return error_fix(r->e, "add \"%s\": %s", name, example);
	}
	if (json_typeof(value) == type || (type == JSON_TRUE && json_is_false(value)))
		return 1;
	reader_fault(r, key, "must be %s, not %s", type_name(type), json_file_type(value));
	return error_fix(r->e, "for example \"%s\": %s", name, example);
}

int reader_number(const struct reader *r, const char *prefix, const json_t *object,
		  const char *name, bool required, uint64_t low, uint64_t high, uint64_t *out)
{
	char key[READER_KEY], example[32];
	json_t *value;
	json_int_t n;
	int rc;

	snprintf(example, sizeof(example), "%llu", (unsigned long long)low);
	rc = reader_get(r, prefix, object, name, JSON_INTEGER, example, required, &value);
	if (rc <= 0)
		return rc;
	n = json_integer_value(value);
	if (n < 0 || (uint64_t)n < low || (uint64_t)n > high) {
		reader_fault(r, reader_join(key, prefix, name), "%lld is out of range",
			     (long long)n);
		return error_fix(r->e, "use a number from %llu to %llu", (unsigned long long)low,
				 (unsigned long long)high);
	}
	*out = n;
	return 1;
}

int reader_bool(const struct reader *r, const char *prefix, const json_t *object,
		const char *name, bool *out)
{
	json_t *value;
	int rc = reader_get(r, prefix, object, name, JSON_TRUE, "true", false, &value);

	if (rc > 0)
		*out = json_is_true(value);
	return rc;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

int reader_text(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		const char *example, bool required, char *to, size_t size)
{
	char key[READER_KEY];
	json_t *value;
	size_t n;
	int rc;

	rc = reader_get(r, prefix, object, name, JSON_STRING, example, required, &value);
	if (rc <= 0)
		return rc;
	reader_join(key, prefix, name);
	n = json_string_length(value);
	if (n >= size) {
		reader_fault(r, key, "is too long: %zu bytes", n);
		return error_fix(r->e, "use at most %zu bytes", size - 1);
	}
	if (has_control(json_string_value(value))) {
		reader_fault(r, key, "contains a control character");
		return error_fix(r->e, "remove line breaks, tabs and the like");
	}
	/* Zero to the end: structs of these fields are compared and sent as bytes. */
	memset(to, 0, size);
	memcpy(to, json_string_value(value), n);
	return 1;
}

bool reader_name_ok(const char *text, size_t size)
{
	size_t n = strnlen(text, size);
	uint8_t uuid[UUID_LEN];

	if (!n || n >= size || strchr("._-", *text))
		return false;
	for (const char *c = text; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && !strchr("._-", *c))
			return false;
	/* A UUID in text stands for itself wherever a name may. */
	return uuid_read(uuid, text) < 0;
}

int reader_name(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, char *to, size_t size)
{
	int rc = reader_text(r, prefix, object, name, "\"web1\"", required, to, size);
	char key[READER_KEY];
	uint8_t uuid[UUID_LEN];

	if (rc <= 0 || reader_name_ok(to, size))
		return rc;
	reader_join(key, prefix, name);
	if (!to[0])
		reader_fault(r, key, "is empty");
	else if (!uuid_read(uuid, to))
		reader_fault(r, key, "\"%s\" has the form of a UUID", to);
	else
		reader_fault(r, key, "\"%s\" is not a name", to);
	return error_fix(r->e, "use a-z, 0-9, '.', '_' and '-', and begin with a letter or digit");
}

int reader_path(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		const char *example, bool required, char *to, size_t size)
{
	const char *base = r->base, *given;
	char key[READER_KEY];
	size_t n;
	int rc;

	rc = reader_text(r, prefix, object, name, example, required, to, size);
	if (rc <= 0)
		return rc;
	reader_join(key, prefix, name);
	if (!to[0]) {
		reader_fault(r, key, "is empty");
		return error_fix(r->e, required ? "name a file" : "name a file, or leave it out");
	}
	if (to[0] == '/')
		return 1;
	if (!base) {
		reader_fault(r, key, "the path \"%.128s\" is not absolute", to);
		return error_fix(r->e, "begin it with /; cmdpartctl and opsctl do so for you");
	}
	given = json_string_value(json_object_get(object, name));
	n = snprintf(to, size, "%s%s%s", base, strcmp(base, "/") ? "/" : "", given);
	if (n >= size) {
		reader_fault(r, key, "is too long with its directory: %zu bytes", n);
		return error_fix(r->e, "use at most %zu bytes", size - 1);
	}
	return 1;
}

int reader_size(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, uint64_t step, uint64_t *out)
{
	char key[READER_KEY], text[SIZE_TEXT];
	const char *given;
	json_t *value;
	int rc;

	rc = reader_get(r, prefix, object, name, JSON_STRING, "\"128MiB\"", required, &value);
	if (rc <= 0)
		return rc;
	reader_join(key, prefix, name);
	given = json_string_value(value);
	rc = size_parse(given, out);
	if (rc == -ERANGE)
		return reader_fault(r, key, "\"%.64s\" is beyond any memory", given);
	if (rc < 0) {
		reader_fault(r, key, "\"%.64s\" is not a size", given);
		return error_fix(r->e, "write a whole number and KiB, MiB, GiB or TiB: \"128MiB\"");
	}
	if (!*out) {
		reader_fault(r, key, "must not be 0");
		return error_fix(r->e, "for example \"%s\": \"128MiB\"", name);
	}
	if (*out % step) {
		reader_fault(r, key, "\"%.64s\" is not a multiple of %s", given,
			     size_format(step, text));
		return error_fix(r->e, "write \"%s\"",
				 size_format((*out / step + 1) * step, text));
	}
	return 1;
}

int reader_uuid(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, uint8_t to[16])
{
	static const char example[] = "\"6f3c1f0e-6a53-4d3f-9d3c-0d9c1f6f5a11\"";
	char text[64], key[READER_KEY];
	int rc = reader_text(r, prefix, object, name, example, required, text, sizeof(text));

	if (rc <= 0 || !uuid_read(to, text))
		return rc;
	reader_fault(r, reader_join(key, prefix, name), "\"%s\" is not a UUID", text);
	return error_fix(r->e, "for example \"%s\": %s", name, example);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON that people or peers wrote, one key at a time, with errors that point at one place:
 * where is "source: devices[2].path", message says what is wrong there, fix shows an example.
 * Every reader returns 1 (present and good, *out set), 0 (absent and not required, *out kept) or
 * -1 (the error is set).
 */
#ifndef COMMON_READER_H
#define COMMON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/error.h>

struct reader {
	const char *source;	/* file, or "request" */
	const char *base;	/* relative paths count from here; NULL: they are refused */
	struct error *e;
};

#define READER_KEY 128

/* "cpus" + "count" -> "cpus.count"; "" + "name" -> "name". Returns to. */
const char *reader_join(char to[READER_KEY], const char *prefix, const char *name);

/* Sets an EXIT_INVALID error at key ("": the whole source); returns -1. */
int reader_fault(const struct reader *r, const char *key, const char *message, ...)
	__attribute__((format(printf, 3, 4)));

/* Refuses what is no object, or has a key that is not among keys (NULL-terminated). 0 or -1. */
int reader_object(const struct reader *r, const char *prefix, const json_t *object,
		  const char *const *keys);

/* A member of this type (JSON_TRUE: either boolean); example is for the error's fix. */
int reader_get(const struct reader *r, const char *prefix, const json_t *object, const char *name,
	       json_type type, const char *example, bool required, json_t **out);

int reader_number(const struct reader *r, const char *prefix, const json_t *object,
		  const char *name, bool required, uint64_t low, uint64_t high, uint64_t *out);
int reader_bool(const struct reader *r, const char *prefix, const json_t *object,
		const char *name, bool *out);

/* At most size - 1 bytes, no control characters. */
int reader_text(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		const char *example, bool required, char *to, size_t size);

/* A name: [a-z0-9][a-z0-9._-]*, not in the form of a UUID. */
int reader_name(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, char *to, size_t size);
bool reader_name_ok(const char *text, size_t size);

/* A path, made absolute against base. */
int reader_path(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		const char *example, bool required, char *to, size_t size);

/* A size with its unit, "128MiB", not 0, a multiple of step (a whole number of MiB). */
int reader_size(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, uint64_t step, uint64_t *out);

/* A UUID in text. */
int reader_uuid(const struct reader *r, const char *prefix, const json_t *object, const char *name,
		bool required, uint8_t to[16]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that people write: a whole file of limited size, and reading an object key by key. */
#ifndef COMMON_JSON_FILE_H
#define COMMON_JSON_FILE_H

#include <jansson.h>
#include <stddef.h>

#include <common/error.h>

/*
 * Reads path ("-": standard input) if it holds one JSON value of at most limit bytes. A larger
 * file, one that cannot be opened, and bad JSON (duplicate keys too; line and column are named)
 * are errors. Returns a new reference, or NULL and *e.
 */
json_t *json_file_load(const char *path, size_t limit, struct error *e);

/* Replaces path with the JSON's text, durably: after a crash the file is the old or the new one. */
int json_file_save(const char *path, const json_t *json, struct error *e);

/* As people call a JSON type: "a string", "a whole number", "an object", …, "nothing". */
const char *json_file_type(const json_t *value);

/*
 * The first key of object that is not among keys (NULL-terminated), or NULL. For "unknown key"
 * errors; json_file_nearest is the known key that it was probably meant to be, or NULL.
 */
const char *json_file_unknown(const json_t *object, const char *const *keys);
const char *json_file_nearest(const char *word, const char *const *keys);

#endif

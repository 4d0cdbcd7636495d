/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command prints: tables for people (libsmartcols), the daemon's JSON for programs, errors
 * in either form on stderr. Text that comes from elsewhere is made safe for a terminal.
 */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <common/error.h>

#define OUTPUT_SCHEMA_VERSION 1

/*
 * A column or line: the member of each row's object by a dotted path ("cpus.count"), printed as
 * it is (strings, numbers, yes/no, arrays joined by ", ", "-" for null or absent), or by format,
 * which writes the cell's text from the member (NULL if absent) and the whole row.
 */
struct output_field {
	const char *title;	/* "MEMORY", "memory"; NULL ends the table */
	const char *key;
	void (*format)(char *to, size_t size, const json_t *value, const json_t *row);
	bool right;		/* aligned */
};

/* A table of an array of objects, with titles; the text `none` (may be NULL) when it is empty. */
void output_table(FILE *to, const struct output_field *fields, const json_t *rows,
		  const char *none);

/* A row by itself, for a table that is never known to its end. */
void output_line(FILE *to, const struct output_field *fields, const json_t *row);

/* One object as "title: value" lines, values aligned; absent members' lines are left out. */
void output_object(FILE *to, const struct output_field *fields, const json_t *object);

/* The JSON with sorted, indented members and a newline. */
void output_json(FILE *to, const json_t *json);

/* On stderr: "program: where: message", why and fix on lines of their own; or the error object. */
void output_error(const char *program, const struct error *e, bool json);

/* Formats for output_field. Values: bytes; nanoseconds since 1970 (started), 0: "-". */
void output_bytes(char *to, size_t size, const json_t *value, const json_t *row);
void output_since(char *to, size_t size, const json_t *value, const json_t *row);
void output_time(char *to, size_t size, const json_t *value, const json_t *row);

#endif

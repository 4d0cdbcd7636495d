/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of memory as people write them: "128MiB", "1.5GiB" is not one; units KiB to TiB. */
#ifndef COMMON_SIZE_H
#define COMMON_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define SIZE_TEXT 24

/* A whole number and a unit, nothing else. -EINVAL: not such a text; -ERANGE: beyond 2^63 - 1. */
int size_parse(const char *text, uint64_t *bytes);

/* The largest unit that divides bytes: "128MiB", "0KiB"; "4097B" where none does. Returns to. */
char *size_format(uint64_t bytes, char to[SIZE_TEXT]);

/* For people: three digits at most and the unit, rounded: "1.95 GiB". Returns to. */
char *size_human(uint64_t bytes, char to[SIZE_TEXT]);

#endif

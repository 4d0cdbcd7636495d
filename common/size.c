/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of memory: reading and writing "128MiB". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/size.h>

static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
#define UNITS (sizeof(units) / sizeof(units[0]))

int size_parse(const char *text, uint64_t *bytes)
{
	unsigned long long value;
	unsigned int i, shift;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	for (i = 0; i < UNITS && strcmp(end, units[i]) != 0; i++)
		;
	if (i == UNITS)
		return -EINVAL;
	shift = 10 * (i + 1);
	if (errno || value > ((uint64_t)INT64_MAX >> shift))
		return -ERANGE;
	*bytes = (uint64_t)value << shift;
	return 0;
}

char *size_format(uint64_t bytes, char to[SIZE_TEXT])
{
	unsigned int i = 0;

	if (bytes % 1024) {
		snprintf(to, SIZE_TEXT, "%lluB", (unsigned long long)bytes);
		return to;
	}
	for (bytes /= 1024; i + 1 < UNITS && bytes && bytes % 1024 == 0; i++)
		bytes /= 1024;
	snprintf(to, SIZE_TEXT, "%llu%s", (unsigned long long)bytes, units[i]);
	return to;
}

char *size_human(uint64_t bytes, char to[SIZE_TEXT])
{
	double value = bytes / 1024.0;
	unsigned int i = 0;

	for (; i + 1 < UNITS && value >= 999.5; i++)
		value /= 1024;
	snprintf(to, SIZE_TEXT, "%.*f %s",
		 value == (uint64_t)value || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value,
		 units[i]);
	return to;
}

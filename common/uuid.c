/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: random ones from the kernel, and their text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <common/uuid.h>

void uuid_random(uint8_t uuid[UUID_LEN])
{
	/* 16 bytes are never cut short, and after boot getrandom does not block. */
	if (getrandom(uuid, UUID_LEN, 0) != UUID_LEN)
		abort();
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

char *uuid_format(const uint8_t uuid[UUID_LEN], char to[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	char *c = to;

	for (int i = 0; i < UUID_LEN; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*c++ = '-';
		*c++ = digits[uuid[i] >> 4];
		*c++ = digits[uuid[i] & 15];
	}
	*c = '\0';
	return to;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int uuid_read(uint8_t uuid[UUID_LEN], const char *text)
{
	uint8_t value[UUID_LEN];

	if (strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
		return -1;
	for (int i = 0; i < UUID_LEN; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -1;
		high = digit(*text++);
		low = digit(*text++);
		if (high < 0 || low < 0)
			return -1;
		value[i] = high << 4 | low;
	}
	memcpy(uuid, value, UUID_LEN);
	return 0;
}

bool uuid_is_zero(const uint8_t uuid[UUID_LEN])
{
	static const uint8_t zero[UUID_LEN];

	return !memcmp(uuid, zero, UUID_LEN);
}

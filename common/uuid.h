/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs (RFC 4122): 16 bytes in its order, and their text. */
#ifndef COMMON_UUID_H
#define COMMON_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_LEN	16
#define UUID_TEXT	37	/* with its terminating zero */

void uuid_random(uint8_t uuid[UUID_LEN]);	/* version 4 */
char *uuid_format(const uint8_t uuid[UUID_LEN], char to[UUID_TEXT]);	/* returns to */
int uuid_read(uint8_t uuid[UUID_LEN], const char *text);	/* 0, or -1: not a UUID's text */
bool uuid_is_zero(const uint8_t uuid[UUID_LEN]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of uvd expect of the message that they have built, and of what it leaves behind. */
#ifndef TEST_UVD_EXPECT_H
#define TEST_UVD_EXPECT_H

#include "fake.h"

/* A copy of all rows but the ledger's: a refusal must not change it. The caller frees it. */
char *rows(struct host *h);

/* Asks, and expects a refusal with these words that changes nothing but adds a line. */
void refused(struct host *h, uint32_t status, const char *words);
void accepted(struct host *h);

/* Begins a message of this one operation on a partition. */
void verb(struct host *h, uint16_t type, const char *name);

/* The first row of this type in the last reply. */
const void *row(struct host *h, uint16_t type);

/* The only guest's. */
uint64_t generation(struct host *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Taps as the rows say they should be. */
#ifndef UVD_TAP_H
#define UVD_TAP_H

#include "uvd.h"

/* Of a claim k and its device d, for tap_read(). */
#define TAP_COLUMNS "k.tap, d.bridge, d.mac, d.addresses, d.vlan"
#define TAP_FROM " FROM claim k JOIN device d ON d.partition = k.partition AND d.name = k.name" \
	" WHERE k.tap IS NOT NULL"

/* From the row's first columns. */
void tap_read(sqlite3_stmt *q, struct network_tap *t);

/* Makes the rules anew of each tap that has others. How many, or -errno. */
int taps_guard(struct uvd *uvd);

#endif

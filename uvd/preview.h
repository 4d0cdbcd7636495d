/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a first start would take of this host, before it does: the default pool in the words of
 * `cmdpartctl host`. Reads, and changes nothing; needs neither module nor root.
 */
#ifndef UVD_PREVIEW_H
#define UVD_PREVIEW_H

#include <stdio.h>

/* root: as for inventory_read. */
int preview_print(FILE *to, const char *root);

#endif

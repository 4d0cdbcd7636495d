/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's own way to files, but that a commit is written to its log by one call. */
#ifndef UVD_GATHER_H
#define UVD_GATHER_H

/* The name of that way, for sqlite3_open_v2; NULL: the usual one, for want of memory. */
const char *gather_vfs(void);

#endif

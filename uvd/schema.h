/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of the resource database: made in a new file, brought up to date in an old one. The
 * statements are in schema.sql, triggers.sql and a migration for each version, embedded by the
 * build.
 */
#ifndef UVD_SCHEMA_H
#define UVD_SCHEMA_H

#include <sqlite3.h>
#include <stdint.h>

#define SCHEMA_VERSION	5

/*
 * Makes or migrates, in one transaction: the file is of this version afterwards, or as it was.
 * 0 or -errno: -EPROTO, it is another program's, or of a newer version; -EUCLEAN: the rows of an
 * old one break a rule.
 */
int schema_prepare(sqlite3 *db);

/* The version of a file: 0, an empty one; -EPROTO, another program's. */
int schema_version(sqlite3 *db);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A migration is a step from one version to the next. Steps change tables; triggers are dropped
 * before the first and made anew behind the last, so that no step's own changes set any off.
 */
#include <errno.h>

#include <common/log.h>

#include "db.h"
#include "schema.h"

#define APPLICATION_ID	0x55564431	/* "UVD1" */
#define OLDEST		2		/* version that can be migrated */

static const char tables[] =
#include <uvd/schema.sql.h>
	;

static const char triggers[] =
#include <uvd/triggers.sql.h>
	;

/* [n]: from version OLDEST + n to the next. */
static const char *const steps[] = {
#include <uvd/migrate_3.sql.h>
	,
#include <uvd/migrate_4.sql.h>
	,
#include <uvd/migrate_5.sql.h>
	,
};
_Static_assert(OLDEST + sizeof(steps) / sizeof(*steps) == SCHEMA_VERSION,
	       "a step for each version");

static int exec(sqlite3 *db, const char *sql)
{
	return db_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *q;
	int r = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	*out = 0;
	if (r != SQLITE_OK)
		return db_errno(r);
	r = sqlite3_step(q);
	if (r == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return db_errno(r);
}

int schema_version(sqlite3 *db)
{
	int64_t version, id;
	int rc;

	rc = number(db, "PRAGMA user_version", &version);
	if (rc == 0)
		rc = number(db, "PRAGMA application_id", &id);
	if (rc < 0)
		return rc;
	if (version == 0 && id == 0)
		return 0;
	return id == APPLICATION_ID && version > 0 && version < INT32_MAX ? (int)version : -EPROTO;
}

static int mark(sqlite3 *db)
{
	char *sql = sqlite3_mprintf("PRAGMA application_id=%d; PRAGMA user_version=%d",
				    APPLICATION_ID, SCHEMA_VERSION);
	int rc = sql ? exec(db, sql) : -ENOMEM;

	sqlite3_free(sql);
	return rc;
}

static int create(sqlite3 *db)
{
	int rc = exec(db, tables);

	return rc < 0 ? rc : exec(db, triggers);
}

/* The views, too: they are the triggers'. */
static int drop_triggers(sqlite3 *db)
{
	sqlite3_stmt *q;
	char *sql = NULL;
	int rc, r;

	do {
		rc = db_errno(sqlite3_prepare_v2(db, "SELECT type || ' \"' || name || '\"' FROM"
						 " sqlite_schema WHERE type IN ('trigger', 'view')"
						 " ORDER BY type LIMIT 1", -1, &q, NULL));
		if (rc < 0)
			return rc;
		r = sqlite3_step(q);
		if (r == SQLITE_ROW)
			sql = sqlite3_mprintf("DROP %s", sqlite3_column_text(q, 0));
		sqlite3_finalize(q);
		if (r == SQLITE_ROW) {
			rc = sql ? exec(db, sql) : -ENOMEM;
			sqlite3_free(sql);
		}
	} while (r == SQLITE_ROW && rc == 0);
	return rc < 0 ? rc : db_errno(r);
}

static int migrate(sqlite3 *db, int from)
{
	int64_t breaches;
	int rc = drop_triggers(db), version;

	for (version = from; rc == 0 && version < SCHEMA_VERSION; version++)
		rc = exec(db, steps[version - OLDEST]);
	if (rc == 0)
		rc = exec(db, triggers);
	if (rc == 0)
		rc = number(db, "SELECT count(*) FROM pragma_foreign_key_check", &breaches);
	if (rc == 0 && breaches)
		rc = -EUCLEAN;
	if (rc < 0)
		log_error("the database cannot be migrated from version %d: %s", from,
			  breaches ? "rows refer to others that are not there" :
			  sqlite3_errmsg(db));
	return rc;
}

int schema_prepare(sqlite3 *db)
{
	int version = schema_version(db), rc;

	if (version < 0 || version == SCHEMA_VERSION)
		return version < 0 ? version : 0;
	if (version > SCHEMA_VERSION || (version && version < OLDEST))
		return -EPROTO;
	/* A step may make a table anew that others refer to; checked at the end. */
	rc = exec(db, "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE");
	if (rc == 0)
		rc = version ? migrate(db, version) : create(db);
	if (rc == 0)
		rc = mark(db);
	if (rc == 0)
		rc = exec(db, "COMMIT");
	if (rc < 0 && !sqlite3_get_autocommit(db))
		exec(db, "ROLLBACK");
	exec(db, "PRAGMA foreign_keys=ON");
	if (rc == 0 && version)
		log_notice("the database was migrated from version %d to %d", version,
			   SCHEMA_VERSION);
	return rc;
}

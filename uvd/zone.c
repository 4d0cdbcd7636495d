/* SPDX-License-Identifier: Apache-2.0 */
/* While no card has a zone there are no rules between taps, and nothing here costs anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <common/log.h>

#include "tap.h"
#include "zone.h"

int zones_used(struct uvd *uvd)
{
	int64_t one;
	int rc = db_value(uvd->db, &one, "SELECT 1 FROM device d CROSS JOIN claim k"
			  " ON k.partition = d.partition AND k.name = d.name"
			  " WHERE d.zone <> '' AND k.tap IS NOT NULL LIMIT 1", "");

	return rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

int zones_sync(struct uvd *uvd)
{
	struct network *n = uvd->network;
	struct network_member *m;
	int64_t count = 0;
	sqlite3_stmt *q;
	size_t i = 0;
	int rc = zones_used(uvd);

	if (rc <= 0)
		return rc < 0 ? rc : n->ops->zones_set(n, NULL, 0);
	rc = db_value(uvd->db, &count, "SELECT count(*)" TAP_FROM, "");
	if (rc < 0)
		return rc;
	m = calloc(count + 1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	q = db_query(uvd->db, "SELECT k.tap, coalesce(nullif(d.zone, ''), 'default'), d.talks"
		     TAP_FROM, "");
	for (; i < (size_t)count && (rc = db_next(uvd->db, q)) > 0; i++) {
		db_text(q, 0, m[i].tap, sizeof(m[i].tap));
		db_text(q, 1, m[i].zone, sizeof(m[i].zone));
		db_text(q, 2, m[i].talks, sizeof(m[i].talks));
	}
	db_done(q);
	if (rc >= 0)
		rc = n->ops->zones_set(n, m, i);
	free(m);
	return rc;
}

int zones_guard(struct uvd *uvd)
{
	int rc;

	if (uvd->network->ops->zones_intact(uvd->network))
		return 0;
	rc = zones_sync(uvd);
	if (rc < 0)
		return log_errno(LOG_ERR, rc,
				 "zones have no rules: all guests of a bridge can talk");
	return 1;
}

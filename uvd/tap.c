/* SPDX-License-Identifier: Apache-2.0 */
/* Between rows and taps. */
#include <string.h>

#include <common/log.h>

#include "tap.h"

void tap_read(sqlite3_stmt *q, struct network_tap *t)
{
	memset(t, 0, sizeof(*t));
	db_text(q, 0, t->name, sizeof(t->name));
	db_text(q, 1, t->bridge, sizeof(t->bridge));
	if (sqlite3_column_bytes(q, 2) == sizeof(t->mac))
		memcpy(t->mac, sqlite3_column_blob(q, 2), sizeof(t->mac));
	db_text(q, 3, t->addresses, sizeof(t->addresses));
	t->vlan = db_int(q, 4);
}

int taps_guard(struct uvd *uvd)
{
	struct network *n = uvd->network;
	struct network_tap t;
	int rc, r, count = 0;
	sqlite3_stmt *q;

	q = db_query(uvd->db, "SELECT " TAP_COLUMNS TAP_FROM, "");
	while ((rc = db_next(uvd->db, q)) > 0) {
		tap_read(q, &t);
		/* One that is gone from the host has none to make. */
		if (!n->ops->bridge_find(n, t.name) || n->ops->tap_guarded(n, t.name))
			continue;
		r = n->ops->tap_guard(n, &t);
		/* What is wrong with one keeps no other from being guarded. */
		if (r < 0)
			log_errno(LOG_ERR, r, "%s has no rules: its guest can send anything",
				  t.name);
		else
			count++;
	}
	return rc < 0 ? rc : count;
}

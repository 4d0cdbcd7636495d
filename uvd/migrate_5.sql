-- SPDX-License-Identifier: Apache-2.0
-- Version 4 to 5. How a device is served, and how large a disk its guest knows of (0: not known).
-- And a commit writes fewer pages: history is a list of versions that is only added to, in which a
-- version's end is the beginning of the next, or of one that says that the row is no more; and the
-- clock is the ledger's last line.

ALTER TABLE device ADD COLUMN queues INTEGER NOT NULL DEFAULT 1 CHECK (queues BETWEEN 1 AND 8);
ALTER TABLE device ADD COLUMN serial TEXT NOT NULL DEFAULT '' CHECK (serial = '' OR type = 1);
ALTER TABLE device ADD COLUMN vlan INTEGER NOT NULL DEFAULT 0
	CHECK (vlan = 0 OR (type = 2 AND vlan BETWEEN 1 AND 4094));
ALTER TABLE device ADD COLUMN zone TEXT NOT NULL DEFAULT '' CHECK (zone = '' OR type = 2);
ALTER TABLE device ADD COLUMN operations INTEGER NOT NULL DEFAULT 0 CHECK (operations >= 0);
ALTER TABLE device ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0);
ALTER TABLE device ADD COLUMN burst_ms INTEGER NOT NULL DEFAULT 0
	CHECK ((burst_ms > 0) = (operations > 0 OR bytes > 0));
ALTER TABLE device ADD COLUMN addresses TEXT NOT NULL DEFAULT '' CHECK (addresses = '' OR type = 2);
ALTER TABLE device ADD COLUMN talks TEXT NOT NULL DEFAULT '' CHECK (talks = '' OR type = 2);
CREATE INDEX device_zone ON device (zone) WHERE zone <> '';
ALTER TABLE claim ADD COLUMN size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0);

CREATE TABLE version (
	id INTEGER PRIMARY KEY,
	noun TEXT NOT NULL,
	ident TEXT NOT NULL,
	key TEXT NOT NULL,
	part TEXT NOT NULL,
	owner TEXT NOT NULL,
	row TEXT,
	since_ns INTEGER NOT NULL,
	"transaction" INTEGER AS (id >> 20)
) STRICT;
CREATE UNIQUE INDEX version_of ON version (owner, noun, ident, "transaction");
CREATE INDEX version_key ON version (noun, key) WHERE key <> owner;

-- Of those that starts of uvd wrote under one number the last.
INSERT OR REPLACE INTO version (id, noun, ident, key, part, owner, row, since_ns)
SELECT ("transaction" << 20) + row_number() OVER (PARTITION BY "transaction" ORDER BY id), noun,
	ident, key, part, owner, row, since_ns
FROM (SELECT id, noun, ident, key, part, owner, row, "transaction", since_ns FROM history
	UNION ALL SELECT id, noun, ident, owner, '', owner, NULL, ended, until_ns FROM history h
	WHERE ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM history n WHERE n.noun = h.noun
		AND n.ident = h.ident AND n.owner = h.owner AND n."transaction" = h.ended))
ORDER BY "transaction", id;
DROP TABLE history;

-- A number whose line could not be written, or none yet.
INSERT INTO ledger ("transaction", time_ns, request_id, digest, status, operations, uid, who,
	subject, summary, text)
SELECT "transaction", time_ns, randomblob(16), 0, 0, 0, 0, 'uvd', '', 'migrate the book', ''
FROM clock WHERE "transaction" > coalesce((SELECT max("transaction") FROM ledger), -1);
DROP TABLE clock;

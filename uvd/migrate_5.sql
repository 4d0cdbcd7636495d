-- SPDX-License-Identifier: Apache-2.0
-- Version 4 to 5: how a device is served, and how large a disk its guest knows of (0: not known).

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
ALTER TABLE claim ADD COLUMN size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0);

-- SPDX-License-Identifier: Apache-2.0
-- Version 3 to 4: memory says what pages it is made of. Until then all of it was of small ones.

CREATE TABLE memory_4 (
	partition BLOB NOT NULL REFERENCES partition (uuid) ON DELETE CASCADE,
	node INTEGER NOT NULL REFERENCES node (node),
	bytes INTEGER NOT NULL CHECK (bytes > 0 AND bytes % 2097152 = 0),
	page_size INTEGER NOT NULL CHECK (page_size IN (4096, 2097152)),
	PRIMARY KEY (partition, node)
) STRICT, WITHOUT ROWID;
INSERT INTO memory_4 SELECT partition, node, bytes, 4096 FROM memory;
DROP TABLE memory;
ALTER TABLE memory_4 RENAME TO memory;
CREATE INDEX memory_node ON memory (node);

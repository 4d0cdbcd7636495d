-- SPDX-License-Identifier: Apache-2.0
-- Version 2 to 3: who asked and why have columns of their own in the ledger; history was a list of
-- changes, and is one of versions with a beginning and an end. Never changed again: it must go on
-- to make version 3, whatever schema.sql says by then.

ALTER TABLE clock ADD COLUMN time_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN reason TEXT NOT NULL DEFAULT '';
UPDATE ledger SET reason = text, text = '' WHERE status = 0;
UPDATE clock SET time_ns = coalesce((SELECT time_ns FROM ledger ORDER BY "transaction" DESC LIMIT 1), 0);

DROP INDEX history_transaction;
ALTER TABLE history RENAME TO change;

-- A version of a row: what it said from one transaction until another. noun and ident name the row for
-- us; key, part and owner are for people: processor 3, context 0 of web1.
CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	noun TEXT NOT NULL,
	ident TEXT NOT NULL,
	key TEXT NOT NULL,
	part TEXT NOT NULL,
	owner TEXT NOT NULL,			-- partition's name at that time; '': none has it
	row TEXT NOT NULL,			-- JSON
	"transaction" INTEGER NOT NULL,
	since_ns INTEGER NOT NULL,
	ended INTEGER,				-- transaction that changed or deleted it; NULL: it is so now
	until_ns INTEGER
) STRICT;
CREATE UNIQUE INDEX history_now ON history (noun, ident) WHERE ended IS NULL;
CREATE INDEX history_key ON history (noun, key);
CREATE INDEX history_owner ON history (owner) WHERE owner <> '';
CREATE INDEX history_ended ON history (ended) WHERE ended IS NOT NULL;

CREATE TEMP TABLE name AS
SELECT lower(hex(uuid)) AS uuid, name FROM partition
UNION SELECT row ->> 'uuid', row ->> 'name' FROM change WHERE noun = 'partition';

CREATE TEMP TABLE channel_key AS
SELECT DISTINCT row ->> 'uuid' AS uuid, coalesce(n.name || '/', '') || (row ->> 'name') AS key
FROM change LEFT JOIN temp.name n ON n.uuid = row ->> 'partition'
WHERE noun = 'channel' AND change = 'insert';

CREATE TEMP TABLE step AS
SELECT id, noun, change, row, "transaction", CASE noun
	WHEN 'host' THEN 'host'
	WHEN 'processor' THEN 'cpu ' || (row ->> 'cpu')
	WHEN 'domain' THEN row ->> 'name'
	WHEN 'memory' THEN (row ->> 'partition') || '/' || (row ->> 'node')
	WHEN 'context' THEN (row ->> 'partition') || '/' || (row ->> 'index')
	WHEN 'claim' THEN (row ->> 'partition') || '/' || (row ->> 'name')
	WHEN 'server' THEN (row ->> 'channel') || '/' || (row ->> 'slot')
	ELSE row ->> 'uuid' END AS ident
FROM change;

INSERT INTO history (noun, ident, key, part, owner, row, "transaction", since_ns, ended, until_ns)
SELECT CASE s.noun WHEN 'context' THEN 'processor' WHEN 'claim' THEN 'device' ELSE s.noun END, ident,
	coalesce(CASE s.noun
		WHEN 'host' THEN 'host'
		WHEN 'processor' THEN row ->> 'cpu'
		WHEN 'memory' THEN row ->> 'node'
		WHEN 'context' THEN row ->> 'cpus'
		WHEN 'claim' THEN coalesce((SELECT nullif(path, '') FROM device d
			WHERE lower(hex(d.partition)) = row ->> 'partition'
			AND d.name = row ->> 'name'), row ->> 'resource')
		WHEN 'channel' THEN (SELECT key FROM temp.channel_key WHERE uuid = ident)
		WHEN 'server' THEN (SELECT key FROM temp.channel_key WHERE uuid = row ->> 'channel')
		ELSE row ->> 'name' END, ''),
	coalesce(CASE s.noun WHEN 'context' THEN row ->> 'index' WHEN 'claim' THEN row ->> 'name'
		WHEN 'channel' THEN row ->> 'name' WHEN 'server' THEN row ->> 'slot' END, ''),
	coalesce((SELECT name FROM temp.name WHERE uuid = row ->> CASE s.noun
		WHEN 'partition' THEN 'uuid' WHEN 'server' THEN 'server' ELSE 'partition' END), ''),
	row, s."transaction", coalesce(a.time_ns, 0), next, CASE WHEN next IS NULL THEN NULL
	ELSE coalesce(b.time_ns, 0) END
FROM (SELECT *, lead("transaction") OVER (PARTITION BY noun, ident ORDER BY id) AS next
	FROM temp.step) s
LEFT JOIN ledger a ON a."transaction" = s."transaction"
LEFT JOIN ledger b ON b."transaction" = s.next
WHERE change <> 'delete' AND next IS NOT s."transaction" ORDER BY s.id;

-- Of these, version 2 recorded changes only, not what they were at first.
INSERT INTO history (noun, ident, key, part, owner, row, "transaction", since_ns)
SELECT 'processor', 'cpu ' || cpu, cpu, '', '', json_object('present', present, 'in_pool', in_pool,
	'domain', domain), 0, 0
FROM processor WHERE 'cpu ' || cpu NOT IN (SELECT ident FROM history WHERE noun = 'processor');
INSERT INTO history (noun, ident, key, part, owner, row, "transaction", since_ns)
SELECT 'host', 'host', 'host', '', '', json_object('name', name, 'instance', lower(hex(instance)),
	'memory_pool', memory_pool, 'pool_is_default', pool_is_default, 'stopping', stopping,
	'generation', generation), 0, 0
FROM host WHERE NOT EXISTS (SELECT 1 FROM history WHERE noun = 'host');

DROP TABLE temp.name;
DROP TABLE temp.channel_key;
DROP TABLE temp.step;
DROP TABLE change;

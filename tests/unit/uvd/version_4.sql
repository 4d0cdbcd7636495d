-- SPDX-License-Identifier: Apache-2.0
-- A book of version 4, as uvd made one: that of version_2.sql, migrated. Behind it uvd was started twice, a
-- processor gone and back, and number 6 was given, but its line could not be written. Of the triggers
-- those that must not see the next migration are here.

PRAGMA application_id=0x55564431;
PRAGMA user_version=4;
PRAGMA foreign_keys=OFF;

CREATE TABLE clock (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	"transaction" INTEGER NOT NULL		-- the last number given; history rows take it from here
, time_ns INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO clock VALUES (1, 6, 8000);

CREATE TABLE host (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	uuid BLOB NOT NULL CHECK (length(uuid) = 16),
	name TEXT NOT NULL,
	instance BLOB NOT NULL CHECK (length(instance) = 16),
	memory_total INTEGER NOT NULL CHECK (memory_total >= 0),
	memory_pool INTEGER NOT NULL CHECK (memory_pool >= 0),
	pool_is_default INTEGER NOT NULL CHECK (pool_is_default IN (0, 1)),
	pool_reason TEXT NOT NULL,
	generation INTEGER NOT NULL,
	changed INTEGER NOT NULL,		-- the transaction that last raised the generation
	stopping INTEGER NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1))	-- nothing is started
) STRICT;
INSERT INTO host VALUES (1, x'00000000000000000000000000000001', 'h', x'00000000000000000000000000000002', 8589934592, 4294967296, 1, 'half', 1, 0, 0);

CREATE TABLE node (
	node INTEGER PRIMARY KEY CHECK (node >= 0),
	memory_total INTEGER NOT NULL CHECK (memory_total >= 0),
	memory_pool INTEGER NOT NULL CHECK (memory_pool >= 0)
) STRICT;
INSERT INTO node VALUES (0, 8589934592, 4294967296);

CREATE TABLE domain (
	name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
	memory INTEGER NOT NULL CHECK (memory >= 0),
	frame_ns INTEGER NOT NULL,		-- cyclic frame of its processors; 0: no windows
	phase_ns INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	CHECK (frame_ns = 0 AND phase_ns = 0 OR frame_ns BETWEEN 1000000 AND 1000000000
		AND phase_ns >= 0 AND phase_ns < frame_ns)
) STRICT, WITHOUT ROWID;
INSERT INTO domain VALUES ('default', 1073741824, 0, 0, 1, 1);

CREATE TABLE processor (
	cpu INTEGER PRIMARY KEY CHECK (cpu BETWEEN 0 AND 1023),
	node INTEGER NOT NULL REFERENCES node (node),
	package INTEGER NOT NULL,
	core INTEGER NOT NULL,
	siblings TEXT NOT NULL,			-- a list as in /sys, itself included
	present INTEGER NOT NULL CHECK (present IN (0, 1)),
	in_pool INTEGER NOT NULL CHECK (in_pool IN (0, 1)),
	domain TEXT REFERENCES domain (name),
	CHECK (domain IS NULL OR in_pool = 1)	-- a domain is made of the pool's processors
) STRICT;
CREATE INDEX processor_domain ON processor (domain);
INSERT INTO processor VALUES (0, 0, 0, 0, '0', 1, 0, NULL);
INSERT INTO processor VALUES (1, 0, 0, 1, '1', 1, 0, NULL);
INSERT INTO processor VALUES (2, 0, 0, 2, '2', 1, 1, 'default');
INSERT INTO processor VALUES (3, 0, 0, 3, '3', 1, 1, 'default');

CREATE TABLE partition (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),
	domain TEXT REFERENCES domain (name),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
	vcpus INTEGER NOT NULL,
	mode INTEGER NOT NULL,
	budget_ns INTEGER NOT NULL,
	period_ns INTEGER NOT NULL,
	realtime INTEGER NOT NULL DEFAULT 0 CHECK (realtime IN (0, 1)),
	window_ns INTEGER NOT NULL DEFAULT 0,
	lease_ns INTEGER NOT NULL DEFAULT 0 CHECK (lease_ns >= 0),
	lease_epoch INTEGER NOT NULL DEFAULT 0,	-- of this run; 0: none
	memory INTEGER NOT NULL,
	kernel TEXT NOT NULL,
	initrd TEXT NOT NULL,
	cmdline TEXT NOT NULL,
	module_id INTEGER UNIQUE,
	pid INTEGER NOT NULL DEFAULT 0,
	pid_start INTEGER NOT NULL DEFAULT 0,	-- start time of that process: pids are used again
	started_ns INTEGER NOT NULL DEFAULT 0,
	reboots INTEGER NOT NULL DEFAULT 0,
	reason TEXT NOT NULL DEFAULT '',
	generation INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	CHECK ((kind = 1) = (domain IS NOT NULL)),
	CHECK (kind <> 1 OR state IN (2, 3, 4, 5) OR module_id IS NULL),	-- off: no kernel object
	CHECK (kind <> 1 OR (vcpus BETWEEN 1 AND 64 AND mode IN (1, 2, 3) AND memory > 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX partition_domain ON partition (domain);
INSERT INTO partition VALUES (x'000000000000000000000000000000a0', 'ultravisor', 5, NULL, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', NULL, 0, 0, 0, 0, '', 1, 0);
INSERT INTO partition VALUES (x'000000000000000000000000000000a1', 'io-a', 2, NULL, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', NULL, 0, 0, 0, 0, '', 1, 0);
INSERT INTO partition VALUES (x'000000000000000000000000000000b1', 'web1', 1, 'default', 1, 1, 1, 0, 0, 0, 0, 0, 0, 268435456, '/k', '', 'quiet', NULL, 0, 0, 0, 0, 'killed', 2, 2);

CREATE TABLE memory (
	partition BLOB NOT NULL REFERENCES partition (uuid) ON DELETE CASCADE,
	node INTEGER NOT NULL REFERENCES node (node),
	bytes INTEGER NOT NULL CHECK (bytes > 0 AND bytes % 2097152 = 0),
	page_size INTEGER NOT NULL CHECK (page_size IN (4096, 2097152)),
	PRIMARY KEY (partition, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX memory_node ON memory (node);
INSERT INTO memory VALUES (x'000000000000000000000000000000b1', 0, 134217728, 4096);

CREATE TABLE context (
	partition BLOB NOT NULL REFERENCES partition (uuid) ON DELETE CASCADE,
	idx INTEGER NOT NULL CHECK (idx BETWEEN 0 AND 63),
	mode INTEGER NOT NULL CHECK (mode IN (1, 2, 3)),
	budget_ns INTEGER NOT NULL,
	period_ns INTEGER NOT NULL,
	realtime INTEGER NOT NULL CHECK (realtime IN (0, 1)),
	window_start_ns INTEGER NOT NULL CHECK (window_start_ns >= 0),
	window_ns INTEGER NOT NULL,
	cpus TEXT NOT NULL,			-- a list as in /sys
	PRIMARY KEY (partition, idx),
	CHECK ((mode = 3) = (window_ns > 0)),
	CHECK (realtime = 0 OR mode = 1 AND budget_ns > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE context_cpu (
	cpu INTEGER NOT NULL REFERENCES processor (cpu),
	partition BLOB NOT NULL,
	idx INTEGER NOT NULL,
	dedicated INTEGER NOT NULL CHECK (dedicated IN (0, 1)),
	PRIMARY KEY (cpu, partition, idx),
	FOREIGN KEY (partition, idx) REFERENCES context (partition, idx) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX context_cpu_context ON context_cpu (partition, idx);
CREATE UNIQUE INDEX processor_owner ON context_cpu (cpu) WHERE dedicated = 1;

CREATE TABLE device (
	partition BLOB NOT NULL REFERENCES partition (uuid) ON DELETE CASCADE,
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 31),
	type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
	flags INTEGER NOT NULL CHECK (flags IN (0, 1)),
	path TEXT NOT NULL,
	bridge TEXT NOT NULL,
	mac BLOB CHECK (mac IS NULL OR length(mac) = 6),
	rank INTEGER NOT NULL,			-- order in the definition, and in the guest
	PRIMARY KEY (partition, name),
	CHECK ((type = 1) = (path <> '')),
	CHECK ((type = 2) = (bridge <> '')),
	CHECK ((type = 2) = (mac IS NOT NULL)),
	CHECK (flags = 0 OR type = 1)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_mac ON device (mac) WHERE mac IS NOT NULL;
INSERT INTO device VALUES (x'000000000000000000000000000000b1', 'root', 1, 0, '/srv/web1.raw', '', NULL, 0);

CREATE TABLE claim (
	partition BLOB NOT NULL,
	name TEXT NOT NULL,
	resource TEXT NOT NULL,
	writes INTEGER NOT NULL CHECK (writes IN (0, 1)),
	tap TEXT UNIQUE,
	generation INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	PRIMARY KEY (partition, name),
	FOREIGN KEY (partition, name) REFERENCES device (partition, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_resource ON claim (resource);

CREATE TABLE channel (
	uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),
	type INTEGER NOT NULL CHECK (type BETWEEN 1 AND 5),
	partition BLOB REFERENCES partition (uuid),	-- the client; NULL: cmdpartd
	device TEXT,
	name TEXT NOT NULL,
	module_id INTEGER UNIQUE,
	generation INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	FOREIGN KEY (partition, device) REFERENCES claim (partition, name),
	UNIQUE (partition, name),
	CHECK ((type = 1) = (partition IS NULL)),
	CHECK ((type IN (3, 4, 5)) = (device IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_server (
	channel BLOB NOT NULL REFERENCES channel (uuid) ON DELETE CASCADE,
	slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 3),
	server BLOB NOT NULL REFERENCES partition (uuid),
	PRIMARY KEY (channel, slot),
	UNIQUE (channel, server)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_server_server ON channel_server (server);

CREATE TABLE ledger (
	"transaction" INTEGER PRIMARY KEY,
	time_ns INTEGER NOT NULL,
	request_id BLOB NOT NULL UNIQUE CHECK (length(request_id) = 16),
	digest INTEGER NOT NULL,		-- of the request: an id belongs to one request
	status INTEGER NOT NULL,
	operations INTEGER NOT NULL,
	uid INTEGER NOT NULL,
	who TEXT NOT NULL,
	subject TEXT NOT NULL,
	summary TEXT NOT NULL,
	text TEXT NOT NULL,
	reply BLOB				-- as sent; NULL: uvd's own transactions
, pid INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO ledger VALUES (1, 1000, x'00000000000000000000000000000f01', 1, 0, 1, 0, 'cmdpartd', 'default', 'create domain default', '', NULL, 0, 0, 'policy');
INSERT INTO ledger VALUES (2, 2000, x'00000000000000000000000000000f02', 2, 0, 9, 1000, 'user 1000', 'web1', 'start web1', '', NULL, 0, 0, 'kernel update');
INSERT INTO ledger VALUES (3, 3000, x'00000000000000000000000000000f03', 3, 4, 1, 1000, 'user 1000', 'web1', '', 'web1 is starting', NULL, 0, 0, '');
INSERT INTO ledger VALUES (4, 4000, x'00000000000000000000000000000f04', 4, 0, 1, 0, 'root', 'web1', 'kill web1', '', NULL, 0, 0, '');
INSERT INTO ledger VALUES (5, 5000, x'00000000000000000000000000000f05', 5, 0, 1, 0, 'root', 'web1', 'assign 128MiB', '', NULL, 0, 0, '');

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
INSERT INTO history VALUES (1, 'partition', '000000000000000000000000000000a0', 'ultravisor', '', 'ultravisor', '{"uuid":"000000000000000000000000000000a0","name":"ultravisor","kind":5,"domain":null,"state":3,"vcpus":0,"mode":0,"budget_ns":0,"period_ns":0,"realtime":0,"window_ns":0,"lease_ns":0,"memory":0,"kernel":"","initrd":"","cmdline":"","generation":1}', 0, 0, NULL, NULL);
INSERT INTO history VALUES (2, 'partition', '000000000000000000000000000000a1', 'io-a', '', 'io-a', '{"uuid":"000000000000000000000000000000a1","name":"io-a","kind":2,"domain":null,"state":3,"vcpus":0,"mode":0,"budget_ns":0,"period_ns":0,"realtime":0,"window_ns":0,"lease_ns":0,"memory":0,"kernel":"","initrd":"","cmdline":"","generation":1}', 0, 0, NULL, NULL);
INSERT INTO history VALUES (3, 'processor', 'cpu 2', '2', '', '', '{"cpu":2,"present":1,"in_pool":1,"domain":null}', 0, 0, 1, 1000);
INSERT INTO history VALUES (4, 'processor', 'cpu 3', '3', '', '', '{"cpu":3,"present":1,"in_pool":1,"domain":null}', 0, 0, 1, 1000);
INSERT INTO history VALUES (5, 'domain', 'default', 'default', '', '', '{"name":"default","memory":1073741824,"frame_ns":0,"phase_ns":0,"generation":1}', 1, 1000, NULL, NULL);
INSERT INTO history VALUES (6, 'processor', 'cpu 2', '2', '', '', '{"cpu":2,"present":1,"in_pool":1,"domain":"default"}', 1, 1000, NULL, NULL);
INSERT INTO history VALUES (7, 'processor', 'cpu 3', '3', '', '', '{"cpu":3,"present":1,"in_pool":1,"domain":"default"}', 1, 1000, 5, 6000);
INSERT INTO history VALUES (8, 'memory', '000000000000000000000000000000b1/0', '0', '', 'web1', '{"partition":"000000000000000000000000000000b1","node":0,"bytes":268435456}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (9, 'processor', '000000000000000000000000000000b1/0', '2-3', '0', 'web1', '{"partition":"000000000000000000000000000000b1","index":0,"mode":1,"budget_ns":0,"period_ns":0,"realtime":0,"window_start_ns":0,"window_ns":0,"cpus":"2-3"}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (10, 'device', '000000000000000000000000000000b1/root', '/srv/web1.raw', 'root', 'web1', '{"partition":"000000000000000000000000000000b1","name":"root","resource":"file 8:1:42","writes":1}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (11, 'channel', '000000000000000000000000000000c1', 'web1/root', 'root', 'web1', '{"uuid":"000000000000000000000000000000c1","type":3,"partition":"000000000000000000000000000000b1","name":"root"}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (12, 'server', '000000000000000000000000000000c1/0', 'web1/root', '0', 'io-a', '{"channel":"000000000000000000000000000000c1","slot":0,"server":"000000000000000000000000000000a1"}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (13, 'partition', '000000000000000000000000000000b1', 'web1', '', 'web1', '{"uuid":"000000000000000000000000000000b1","name":"web1","state":2,"mode":1,"budget_ns":0,"period_ns":0,"realtime":0,"window_ns":0,"lease_epoch":0,"module_id":7,"pid":0,"reason":"","generation":2}', 2, 2000, 4, 4000);
INSERT INTO history VALUES (14, 'partition', '000000000000000000000000000000b1', 'web1', '', 'web1', '{"uuid":"000000000000000000000000000000b1","name":"web1","state":1,"mode":1,"budget_ns":0,"period_ns":0,"realtime":0,"window_ns":0,"lease_epoch":0,"module_id":null,"pid":0,"reason":"killed","generation":2}', 4, 4000, NULL, NULL);
INSERT INTO history VALUES (15, 'memory', '000000000000000000000000000000b1/0', '0', '', 'web1', '{"partition":"000000000000000000000000000000b1","node":0,"bytes":134217728}', 5, 5000, NULL, NULL);
INSERT INTO history VALUES (16, 'processor', 'cpu 0', '0', '', '', '{"present":1,"in_pool":0,"domain":null}', 0, 0, NULL, NULL);
INSERT INTO history VALUES (17, 'processor', 'cpu 1', '1', '', '', '{"present":1,"in_pool":0,"domain":null}', 0, 0, NULL, NULL);
INSERT INTO history VALUES (18, 'host', 'host', 'host', '', '', '{"name":"h","instance":"00000000000000000000000000000002","memory_pool":4294967296,"pool_is_default":1,"stopping":0,"generation":1}', 0, 0, NULL, NULL);
INSERT INTO history VALUES (19, 'processor', 'cpu 3', '3', '', '', '{"present":0,"in_pool":1,"domain":"default"}', 5, 6000, 5, 7000);
INSERT INTO history VALUES (20, 'processor', 'cpu 3', '3', '', '', '{"present":1,"in_pool":1,"domain":"default"}', 5, 7000, NULL, NULL);

CREATE VIEW version AS SELECT noun, ident, key, part, owner, row FROM history WHERE ended IS NULL;
CREATE TRIGGER version_begins INSTEAD OF INSERT ON version BEGIN
	DELETE FROM history WHERE noun = NEW.noun AND ident = NEW.ident AND ended IS NULL
		AND "transaction" = (SELECT "transaction" FROM clock)
		AND since_ns = (SELECT time_ns FROM clock);
	UPDATE history SET ended = (SELECT "transaction" FROM clock),
		until_ns = (SELECT time_ns FROM clock)
	WHERE noun = NEW.noun AND ident = NEW.ident AND ended IS NULL;
	INSERT INTO history (noun, ident, key, part, owner, row, "transaction", since_ns)
	SELECT NEW.noun, NEW.ident, NEW.key, NEW.part, NEW.owner, NEW.row, "transaction", time_ns
	FROM clock WHERE NEW.row IS NOT NULL;
END;
CREATE TRIGGER memory_delete_history AFTER DELETE ON memory BEGIN
	INSERT INTO version VALUES ('memory', lower(hex(OLD.partition)) || '/' || OLD.node,
		'', '', '', NULL);
END;

-- SPDX-License-Identifier: Apache-2.0
-- A database of version 2, as its uvd made it: its schema, and the life of a partition.
-- The resource database, version 2. docs/database.md tells what each table means.
--
-- Every processor, byte of memory, device and channel has one owner row. What must hold at
-- each commit is said here, by keys, checks and triggers, not only in the code: a message of
-- RAISE begins with the command status that a breach of it is answered with.

CREATE TABLE clock (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	"transaction" INTEGER NOT NULL		-- the last number given; history rows take it from here
) STRICT;

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

CREATE TABLE node (
	node INTEGER PRIMARY KEY CHECK (node >= 0),
	memory_total INTEGER NOT NULL CHECK (memory_total >= 0),
	memory_pool INTEGER NOT NULL CHECK (memory_pool >= 0)
) STRICT;

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

CREATE TABLE memory (
	partition BLOB NOT NULL REFERENCES partition (uuid) ON DELETE CASCADE,
	node INTEGER NOT NULL REFERENCES node (node),
	bytes INTEGER NOT NULL CHECK (bytes > 0 AND bytes % 2097152 = 0),
	PRIMARY KEY (partition, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX memory_node ON memory (node);

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

-- Which contexts may run on which processor; derived from context.cpus, for the rules below.
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

-- A device that a partition has now. resource says what of the host it is, whatever its path:
-- "file 254:1:4711", "block 8:16", "tap uvt0", "console …".
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
) STRICT;

CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	"transaction" INTEGER NOT NULL,
	noun TEXT NOT NULL,
	change TEXT NOT NULL CHECK (change IN ('insert', 'update', 'delete')),
	row TEXT NOT NULL			-- JSON: after an insert or update, before a delete
) STRICT;
CREATE INDEX history_transaction ON history ("transaction");

-- ---- what fits: one owner, sums within the node, the pool and the domain

CREATE TRIGGER memory_fits AFTER INSERT ON memory BEGIN
	SELECT RAISE(ABORT, 'resources: node memory')
	WHERE (SELECT sum(bytes) FROM memory WHERE node = NEW.node) >
		(SELECT memory_pool FROM node WHERE node = NEW.node);
	SELECT RAISE(ABORT, 'resources: host memory')
	WHERE (SELECT sum(bytes) FROM memory) > (SELECT memory_pool FROM host);
	SELECT RAISE(ABORT, 'resources: domain memory')
	WHERE (SELECT sum(m.bytes) FROM memory m JOIN partition p ON p.uuid = m.partition
		WHERE p.domain = (SELECT domain FROM partition WHERE uuid = NEW.partition)) >
		(SELECT d.memory FROM partition p JOIN domain d ON d.name = p.domain
		WHERE p.uuid = NEW.partition);
	SELECT RAISE(ABORT, 'invalid: more memory than the definition says')
	WHERE (SELECT sum(bytes) FROM memory WHERE partition = NEW.partition) >
		(SELECT memory FROM partition WHERE uuid = NEW.partition);
END;

CREATE TRIGGER memory_moves BEFORE UPDATE ON memory BEGIN
	SELECT RAISE(ABORT, 'invalid: memory is assigned and released, not changed');
END;

CREATE TRIGGER domain_fits AFTER INSERT ON domain BEGIN
	SELECT RAISE(ABORT, 'resources: host memory')
	WHERE (SELECT sum(memory) FROM domain) > (SELECT memory_pool FROM host);
END;

CREATE TRIGGER pool_shrinks AFTER UPDATE OF memory_pool ON host BEGIN
	SELECT RAISE(ABORT, 'resources: domains have more memory')
	WHERE (SELECT coalesce(sum(memory), 0) FROM domain) > NEW.memory_pool;
END;

CREATE TRIGGER node_shrinks AFTER UPDATE OF memory_pool ON node BEGIN
	SELECT RAISE(ABORT, 'resources: partitions have more memory of this node')
	WHERE (SELECT coalesce(sum(bytes), 0) FROM memory WHERE node = NEW.node) > NEW.memory_pool;
END;

CREATE TRIGGER processor_is_shared BEFORE INSERT ON context_cpu WHEN NEW.dedicated = 0 BEGIN
	SELECT RAISE(ABORT, 'resources: processor is dedicated')
	WHERE EXISTS (SELECT 1 FROM context_cpu WHERE cpu = NEW.cpu AND dedicated = 1);
END;

CREATE TRIGGER processor_is_free BEFORE INSERT ON context_cpu WHEN NEW.dedicated = 1 BEGIN
	SELECT RAISE(ABORT, 'resources: processor is in use')
	WHERE EXISTS (SELECT 1 FROM context_cpu WHERE cpu = NEW.cpu);
END;

CREATE TRIGGER processor_is_the_domains BEFORE INSERT ON context_cpu BEGIN
	SELECT RAISE(ABORT, 'invalid: processor is not of the partition''s domain')
	WHERE (SELECT domain FROM partition WHERE uuid = NEW.partition) IS NOT
		(SELECT domain FROM processor WHERE cpu = NEW.cpu);
END;

-- The context that NEW is of, beside the others of its processor.
CREATE TRIGGER windows_do_not_overlap AFTER INSERT ON context_cpu BEGIN
	SELECT RAISE(ABORT, 'resources: windows overlap') FROM context a, context_cpu c, context b
	WHERE a.partition = NEW.partition AND a.idx = NEW.idx AND a.mode = 3
		AND c.cpu = NEW.cpu AND b.partition = c.partition AND b.idx = c.idx AND b.mode = 3
		AND NOT (a.partition = b.partition AND a.idx = b.idx)
		AND a.window_start_ns < b.window_start_ns + b.window_ns
		AND b.window_start_ns < a.window_start_ns + a.window_ns;
	SELECT RAISE(ABORT, 'invalid: a window ends within its frame') FROM context a
	WHERE a.partition = NEW.partition AND a.idx = NEW.idx AND a.mode = 3
		AND a.window_start_ns + a.window_ns > coalesce((SELECT d.frame_ns FROM processor p
		JOIN domain d ON d.name = p.domain WHERE p.cpu = NEW.cpu), 0);
END;

CREATE TRIGGER realtime_leaves_some AFTER INSERT ON context_cpu BEGIN
	SELECT RAISE(ABORT, 'resources: windows and real-time budgets')
	WHERE (SELECT coalesce(sum(CASE b.mode WHEN 3 THEN (b.window_ns * 1000000 + d.frame_ns - 1)
			/ d.frame_ns ELSE (b.budget_ns * 1000000 + b.period_ns - 1)
			/ b.period_ns END), 0)
		FROM context_cpu c JOIN context b ON b.partition = c.partition AND b.idx = c.idx
		JOIN processor p ON p.cpu = c.cpu JOIN domain d ON d.name = p.domain
		WHERE c.cpu = NEW.cpu AND (b.mode = 3 OR b.realtime = 1)) > 900000;
END;

CREATE TRIGGER processor_leaves BEFORE UPDATE OF domain ON processor
WHEN OLD.domain IS NOT NULL AND NEW.domain IS NOT OLD.domain BEGIN
	SELECT RAISE(ABORT, 'conflict: contexts may run on this processor')
	WHERE EXISTS (SELECT 1 FROM context_cpu WHERE cpu = OLD.cpu);
	SELECT RAISE(ABORT, 'conflict: processor is of another domain')
	WHERE NEW.domain IS NOT NULL;
END;

CREATE TRIGGER device_is_written_once BEFORE INSERT ON claim BEGIN
	SELECT RAISE(ABORT, 'conflict: device is in use')
	WHERE EXISTS (SELECT 1 FROM claim WHERE resource = NEW.resource
		AND (writes = 1 OR NEW.writes = 1));
END;

CREATE TRIGGER server_is_an_io_partition BEFORE INSERT ON channel_server BEGIN
	SELECT RAISE(ABORT, 'invalid: this partition serves no such channel')
	WHERE (SELECT kind FROM partition WHERE uuid = NEW.server) <>
		(SELECT CASE WHEN type IN (1, 2) THEN 5 ELSE 2 END FROM channel
		WHERE uuid = NEW.channel);
END;

-- ---- history

CREATE TRIGGER host_history AFTER UPDATE ON host BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'host', 'update', json_object('name', NEW.name,
		'instance', hex(NEW.instance), 'memory_pool', NEW.memory_pool,
		'pool_is_default', NEW.pool_is_default, 'stopping', NEW.stopping,
		'generation', NEW.generation) FROM clock;
END;

CREATE TRIGGER processor_history AFTER UPDATE OF in_pool, domain, present ON processor
WHEN OLD.in_pool <> NEW.in_pool OR OLD.domain IS NOT NEW.domain OR OLD.present <> NEW.present
BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'processor', 'update', json_object('cpu', NEW.cpu,
		'present', NEW.present, 'in_pool', NEW.in_pool, 'domain', NEW.domain) FROM clock;
END;

CREATE TRIGGER domain_insert_history AFTER INSERT ON domain BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'domain', 'insert', json_object('name', NEW.name,
		'memory', NEW.memory, 'frame_ns', NEW.frame_ns, 'phase_ns', NEW.phase_ns,
		'generation', NEW.generation) FROM clock;
END;
CREATE TRIGGER domain_delete_history AFTER DELETE ON domain BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'domain', 'delete', json_object('name', OLD.name,
		'memory', OLD.memory, 'generation', OLD.generation) FROM clock;
END;

CREATE TRIGGER partition_insert_history AFTER INSERT ON partition BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'partition', 'insert', json_object('uuid', lower(hex(NEW.uuid)),
		'name', NEW.name, 'kind', NEW.kind, 'domain', NEW.domain, 'state', NEW.state,
		'vcpus', NEW.vcpus, 'mode', NEW.mode, 'budget_ns', NEW.budget_ns,
		'period_ns', NEW.period_ns, 'realtime', NEW.realtime, 'window_ns', NEW.window_ns,
		'lease_ns', NEW.lease_ns, 'memory', NEW.memory, 'kernel', NEW.kernel,
		'initrd', NEW.initrd, 'cmdline', NEW.cmdline, 'generation', NEW.generation)
	FROM clock;
END;
CREATE TRIGGER partition_update_history AFTER UPDATE ON partition BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'partition', 'update', json_object('uuid', lower(hex(NEW.uuid)),
		'name', NEW.name, 'state', NEW.state, 'mode', NEW.mode, 'budget_ns', NEW.budget_ns,
		'period_ns', NEW.period_ns, 'realtime', NEW.realtime, 'window_ns', NEW.window_ns,
		'lease_epoch', NEW.lease_epoch, 'module_id', NEW.module_id, 'pid', NEW.pid,
		'reason', NEW.reason, 'generation', NEW.generation) FROM clock;
END;
CREATE TRIGGER partition_delete_history AFTER DELETE ON partition BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'partition', 'delete', json_object('uuid', lower(hex(OLD.uuid)),
		'name', OLD.name, 'generation', OLD.generation) FROM clock;
END;

CREATE TRIGGER memory_insert_history AFTER INSERT ON memory BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'memory', 'insert', json_object('partition',
		lower(hex(NEW.partition)), 'node', NEW.node, 'bytes', NEW.bytes) FROM clock;
END;
CREATE TRIGGER memory_delete_history AFTER DELETE ON memory BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'memory', 'delete', json_object('partition',
		lower(hex(OLD.partition)), 'node', OLD.node, 'bytes', OLD.bytes) FROM clock;
END;

CREATE TRIGGER context_insert_history AFTER INSERT ON context BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'context', 'insert', json_object('partition',
		lower(hex(NEW.partition)), 'index', NEW.idx, 'mode', NEW.mode,
		'budget_ns', NEW.budget_ns, 'period_ns', NEW.period_ns, 'realtime', NEW.realtime,
		'window_start_ns', NEW.window_start_ns, 'window_ns', NEW.window_ns,
		'cpus', NEW.cpus)
	FROM clock;
END;
CREATE TRIGGER context_delete_history AFTER DELETE ON context BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'context', 'delete', json_object('partition',
		lower(hex(OLD.partition)), 'index', OLD.idx) FROM clock;
END;

CREATE TRIGGER claim_insert_history AFTER INSERT ON claim BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'claim', 'insert', json_object('partition',
		lower(hex(NEW.partition)), 'name', NEW.name, 'resource', NEW.resource,
		'writes', NEW.writes) FROM clock;
END;
CREATE TRIGGER claim_delete_history AFTER DELETE ON claim BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'claim', 'delete', json_object('partition',
		lower(hex(OLD.partition)), 'name', OLD.name, 'resource', OLD.resource) FROM clock;
END;

CREATE TRIGGER channel_insert_history AFTER INSERT ON channel BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'channel', 'insert', json_object('uuid', lower(hex(NEW.uuid)),
		'type', NEW.type, 'partition', lower(hex(NEW.partition)), 'name', NEW.name)
	FROM clock;
END;
CREATE TRIGGER channel_delete_history AFTER DELETE ON channel BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'channel', 'delete', json_object('uuid', lower(hex(OLD.uuid)),
		'name', OLD.name, 'module_id', OLD.module_id) FROM clock;
END;

CREATE TRIGGER server_insert_history AFTER INSERT ON channel_server BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'server', 'insert', json_object('channel',
		lower(hex(NEW.channel)), 'slot', NEW.slot, 'server', lower(hex(NEW.server)))
	FROM clock;
END;
CREATE TRIGGER server_delete_history AFTER DELETE ON channel_server BEGIN
	INSERT INTO history ("transaction", noun, change, row)
	SELECT "transaction", 'server', 'delete', json_object('channel',
		lower(hex(OLD.channel)), 'slot', OLD.slot) FROM clock;
END;

PRAGMA application_id=1431716913;
PRAGMA user_version=2;
PRAGMA foreign_keys=ON;

-- first start
INSERT INTO clock VALUES (1, 0);
INSERT INTO host VALUES (1, x'00000000000000000000000000000001', 'h', x'00000000000000000000000000000002', 8589934592, 4294967296, 1, 'half', 1, 0, 0);
INSERT INTO node VALUES (0, 8589934592, 4294967296);
INSERT INTO processor VALUES (0, 0, 0, 0, '0', 1, 0, NULL), (1, 0, 0, 1, '1', 1, 0, NULL),
	(2, 0, 0, 2, '2', 1, 0, NULL), (3, 0, 0, 3, '3', 1, 0, NULL);
INSERT INTO partition (uuid, name, kind, state, vcpus, mode, budget_ns, period_ns, memory, kernel, initrd,
	cmdline, generation, changed) VALUES
	(x'000000000000000000000000000000a0', 'ultravisor', 5, 3, 0, 0, 0, 0, 0, '', '', '', 1, 0),
	(x'000000000000000000000000000000a1', 'io-a', 2, 3, 0, 0, 0, 0, 0, '', '', '', 1, 0);
UPDATE processor SET in_pool = 1 WHERE cpu >= 2;
-- 1: the domain
UPDATE clock SET "transaction" = 1;
INSERT INTO domain VALUES ('default', 1073741824, 0, 0, 1, 1);
UPDATE processor SET domain = 'default' WHERE cpu >= 2;
INSERT INTO ledger VALUES (1, 1000, x'00000000000000000000000000000f01', 1, 0, 1, 0, 'cmdpartd', 'default', 'create domain default', 'policy', NULL);
-- 2: define, assign, claim, channel, start
UPDATE clock SET "transaction" = 2;
INSERT INTO partition (uuid, name, kind, domain, state, vcpus, mode, budget_ns, period_ns, memory, kernel, initrd,
	cmdline, generation, changed) VALUES
	(x'000000000000000000000000000000b1', 'web1', 1, 'default', 1, 1, 1, 0, 0, 268435456, '/k', '', 'quiet', 1, 2);
INSERT INTO device VALUES (x'000000000000000000000000000000b1', 'root', 1, 0, '/srv/web1.raw', '', NULL, 0);
INSERT INTO memory VALUES (x'000000000000000000000000000000b1', 0, 268435456);
INSERT INTO context VALUES (x'000000000000000000000000000000b1', 0, 1, 0, 0, 0, 0, 0, '2-3');
INSERT INTO context_cpu VALUES (2, x'000000000000000000000000000000b1', 0, 0), (3, x'000000000000000000000000000000b1', 0, 0);
INSERT INTO claim VALUES (x'000000000000000000000000000000b1', 'root', 'file 8:1:42', 1, NULL, 1, 2);
INSERT INTO channel VALUES (x'000000000000000000000000000000c1', 3, x'000000000000000000000000000000b1', 'root', 'root', NULL, 1, 2);
INSERT INTO channel_server VALUES (x'000000000000000000000000000000c1', 0, x'000000000000000000000000000000a1');
UPDATE partition SET state = 2, generation = 2 WHERE name = 'web1';
UPDATE partition SET module_id = 7 WHERE name = 'web1';
INSERT INTO ledger VALUES (2, 2000, x'00000000000000000000000000000f02', 2, 0, 9, 1000, 'user 1000', 'web1', 'start web1', 'kernel update', NULL);
-- 3: a refusal
UPDATE clock SET "transaction" = 3;
INSERT INTO ledger VALUES (3, 3000, x'00000000000000000000000000000f03', 3, 4, 1, 1000, 'user 1000', 'web1', '', 'web1 is starting', NULL);
-- 4: it was killed, and started again with less
UPDATE clock SET "transaction" = 4;
DELETE FROM channel;
DELETE FROM claim;
DELETE FROM memory;
DELETE FROM context;
UPDATE partition SET state = 1, module_id = NULL, reason = 'killed' WHERE name = 'web1';
INSERT INTO ledger VALUES (4, 4000, x'00000000000000000000000000000f04', 4, 0, 1, 0, 'root', 'web1', 'kill web1', '', NULL);
UPDATE clock SET "transaction" = 5;
INSERT INTO memory VALUES (x'000000000000000000000000000000b1', 0, 134217728);
INSERT INTO ledger VALUES (5, 5000, x'00000000000000000000000000000f05', 5, 0, 1, 0, 'root', 'web1', 'assign 128MiB', '', NULL);

-- SPDX-License-Identifier: Apache-2.0
-- The tables of the resource database, version 5. docs/database.md tells what each means. Who changes
-- one raises SCHEMA_VERSION (schema.c) and adds a migration.
--
-- Every processor, byte of memory, device and channel has one owner row. What must hold at
-- each commit is said here and in triggers.sql, by keys, checks and triggers, not only in the code.

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
	page_size INTEGER NOT NULL CHECK (page_size IN (4096, 2097152)),
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
	queues INTEGER NOT NULL DEFAULT 1 CHECK (queues BETWEEN 1 AND 8),
	serial TEXT NOT NULL DEFAULT '' CHECK (serial = '' OR type = 1),
	vlan INTEGER NOT NULL DEFAULT 0
		CHECK (vlan = 0 OR (type = 2 AND vlan BETWEEN 1 AND 4094)),
	zone TEXT NOT NULL DEFAULT '' CHECK (zone = '' OR type = 2),
	operations INTEGER NOT NULL DEFAULT 0 CHECK (operations >= 0),	-- a second; 0: no limit
	bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),		-- likewise
	burst_ms INTEGER NOT NULL DEFAULT 0
		CHECK ((burst_ms > 0) = (operations > 0 OR bytes > 0)),
	addresses TEXT NOT NULL DEFAULT '' CHECK (addresses = '' OR type = 2),
	talks TEXT NOT NULL DEFAULT '' CHECK (talks = '' OR type = 2),	-- to zones, besides its own
	PRIMARY KEY (partition, name),
	CHECK ((type = 1) = (path <> '')),
	CHECK ((type = 2) = (bridge <> '')),
	CHECK ((type = 2) = (mac IS NOT NULL)),
	CHECK (flags = 0 OR type = 1)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_mac ON device (mac) WHERE mac IS NOT NULL;
CREATE INDEX device_zone ON device (zone) WHERE zone <> '';

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
	size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),	-- of a disk, as its guest was told
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

-- The last line's number is the last that was given.
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
	reply BLOB,				-- as sent; NULL: uvd's own transactions
	pid INTEGER NOT NULL DEFAULT 0,		-- of the process that asked cmdpartd; 0: a daemon
	epoch INTEGER NOT NULL DEFAULT 0,	-- of the leading opsd that asked; 0: another did
	reason TEXT NOT NULL DEFAULT ''		-- as the author gave it; text: why it was refused
) STRICT;

-- What a row said from one transaction on, until that of its next version. noun and ident name the
-- row for us; key, part and owner are for people: processor 3, context 0 of web1. Lines are only
-- added, at the end: history is the view that also tells when versions ended.
CREATE TABLE version (
	id INTEGER PRIMARY KEY,			-- in order: its transaction, and which of its versions
	noun TEXT NOT NULL,
	ident TEXT NOT NULL,
	key TEXT NOT NULL,
	part TEXT NOT NULL,
	owner TEXT NOT NULL,			-- partition's name at that time; '': none has it
	row TEXT,				-- JSON; NULL: there is no row any more
	since_ns INTEGER NOT NULL,
	"transaction" INTEGER AS (id >> 20)
) STRICT;
CREATE UNIQUE INDEX version_of ON version (owner, noun, ident, "transaction");
CREATE INDEX version_key ON version (noun, key) WHERE key <> owner;

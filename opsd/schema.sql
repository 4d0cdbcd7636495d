-- SPDX-License-Identifier: Apache-2.0
-- opsd's store, version 1. What each table means is in docs/operations.md.

CREATE TABLE epoch (
	one		INTEGER PRIMARY KEY CHECK (one = 1),
	epoch		INTEGER NOT NULL
) STRICT;
INSERT INTO epoch VALUES (1, 0);

CREATE TABLE hosts (
	name		TEXT PRIMARY KEY,
	socket		TEXT NOT NULL,
	uuid		TEXT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('unknown', 'up', 'down')),
	why		TEXT NOT NULL,
	cpus		INTEGER NOT NULL,
	memory		INTEGER NOT NULL,
	memory_assigned	INTEGER NOT NULL,
	added_ns	INTEGER NOT NULL,
	seen_ns		INTEGER NOT NULL
) STRICT;

CREATE TABLE domains (
	host		TEXT NOT NULL REFERENCES hosts (name) ON DELETE CASCADE,
	name		TEXT NOT NULL,
	cpus		TEXT NOT NULL,
	cpus_free	INTEGER NOT NULL,
	memory		INTEGER NOT NULL,
	memory_assigned	INTEGER NOT NULL,
	partitions	INTEGER NOT NULL,
	PRIMARY KEY (host, name)
) STRICT;

CREATE TABLE definitions (
	name		TEXT PRIMARY KEY,
	json		TEXT NOT NULL,
	generation	INTEGER NOT NULL,
	changed_ns	INTEGER NOT NULL
) STRICT;

CREATE TABLE partitions (
	name		TEXT PRIMARY KEY REFERENCES definitions (name) ON DELETE CASCADE,
	desired		TEXT NOT NULL CHECK (desired IN ('active', 'inactive')),
	host		TEXT REFERENCES hosts (name),
	domain		TEXT NOT NULL,
	uuid		TEXT NOT NULL,
	seen		TEXT NOT NULL,
	reason		TEXT NOT NULL,
	seen_ns		INTEGER NOT NULL,
	CHECK (desired = 'inactive' OR host IS NOT NULL)
) STRICT;

CREATE TABLE activations (
	id		TEXT PRIMARY KEY,
	verb		TEXT NOT NULL CHECK (verb IN ('activate', 'deactivate')),
	partition	TEXT NOT NULL,
	uuid		TEXT NOT NULL,
	definition	TEXT,
	who		TEXT NOT NULL,
	uid		INTEGER NOT NULL,
	timeout_s	INTEGER NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed')),
	error		TEXT,
	opened_ns	INTEGER NOT NULL,
	closed_ns	INTEGER NOT NULL,
	CHECK ((state = 'failed') = (error IS NOT NULL)),
	CHECK (verb = 'deactivate' OR definition IS NOT NULL)
) STRICT;
-- Nobody starts a partition that is being started or stopped.
CREATE UNIQUE INDEX one_open ON activations (partition) WHERE state = 'open';
CREATE INDEX activations_opened ON activations (opened_ns);

CREATE TABLE claims (
	request_id	TEXT PRIMARY KEY,
	activation	TEXT NOT NULL REFERENCES activations (id) ON DELETE CASCADE,
	partition	TEXT NOT NULL,
	host		TEXT NOT NULL,
	epoch		INTEGER NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('claimed', 'done', 'refused', 'unreachable')),
	number		INTEGER NOT NULL,
	error		TEXT,
	claimed_ns	INTEGER NOT NULL,
	settled_ns	INTEGER NOT NULL
) STRICT;
-- No second host is asked before the first has said no.
CREATE UNIQUE INDEX one_claim ON claims (partition) WHERE state = 'claimed';
CREATE INDEX claims_activation ON claims (activation);

CREATE TABLE events (
	number		INTEGER PRIMARY KEY AUTOINCREMENT,
	time_ns		INTEGER NOT NULL,
	kind		TEXT NOT NULL,
	partition	TEXT NOT NULL,
	host		TEXT NOT NULL,
	activation	TEXT NOT NULL,
	text		TEXT NOT NULL
) STRICT;
CREATE INDEX events_activation ON events (activation, number);

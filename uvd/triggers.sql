-- SPDX-License-Identifier: Apache-2.0
-- What must hold at each commit beyond keys and checks, and the history: triggers hold no data, and
-- a migration makes all of them anew. A message of RAISE begins with the command status that a
-- breach of it is answered with.

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

CREATE TRIGGER domain_changes AFTER UPDATE OF memory ON domain BEGIN
	SELECT RAISE(ABORT, 'resources: host memory')
	WHERE (SELECT sum(memory) FROM domain) > (SELECT memory_pool FROM host);
	SELECT RAISE(ABORT, 'resources: partitions have more memory of this domain')
	WHERE (SELECT coalesce(sum(m.bytes), 0) FROM memory m
		JOIN partition p ON p.uuid = m.partition WHERE p.domain = NEW.name) > NEW.memory;
END;

CREATE TRIGGER frame_changes BEFORE UPDATE OF frame_ns, phase_ns ON domain
WHEN OLD.frame_ns <> NEW.frame_ns OR OLD.phase_ns <> NEW.phase_ns BEGIN
	SELECT RAISE(ABORT, 'conflict: windows and real-time budgets are in its frame')
	WHERE EXISTS (SELECT 1 FROM context c JOIN partition p ON p.uuid = c.partition
		WHERE p.domain = NEW.name AND (c.mode = 3 OR c.realtime = 1));
END;

CREATE TRIGGER partition_changes_domain BEFORE UPDATE OF domain ON partition
WHEN OLD.domain IS NOT NEW.domain BEGIN
	SELECT RAISE(ABORT, 'conflict: it has memory or processors of its domain')
	WHERE EXISTS (SELECT 1 FROM memory WHERE partition = NEW.uuid
		UNION SELECT 1 FROM context WHERE partition = NEW.uuid);
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

-- ---- the ledger's last line is the clock: its number and time are those of what is written now

CREATE VIEW clock AS SELECT "transaction", time_ns FROM ledger
WHERE "transaction" = (SELECT max("transaction") FROM ledger);

-- ---- history: each change of a row ends one version of it and begins another

-- A version ends where the next of its row begins.
CREATE VIEW history AS SELECT v.id, v.noun, v.ident, v.key, v.part, v.owner, v.row, v."transaction",
	v.since_ns, n."transaction" AS ended, n.since_ns AS until_ns
FROM version v LEFT JOIN version n ON n.id = (SELECT id FROM version x WHERE x.owner = v.owner
	AND x.noun = v.noun AND x.ident = v.ident AND x."transaction" > v."transaction"
	ORDER BY x."transaction" LIMIT 1)
WHERE v.row IS NOT NULL;

-- What one transaction changes several times has one version.
CREATE TRIGGER version_begins INSTEAD OF INSERT ON history WHEN NEW.row IS NOT NULL BEGIN
	INSERT OR REPLACE INTO version (id, noun, ident, key, part, owner, row, since_ns)
	SELECT max(("transaction" << 20) + 1, (SELECT coalesce(max(id), 0) FROM version) + 1),
		NEW.noun, NEW.ident, NEW.key, NEW.part, NEW.owner, NEW.row, time_ns FROM clock;
END;

-- row NULL: the version ends, and none follows.
CREATE TRIGGER version_ends INSTEAD OF INSERT ON history WHEN NEW.row IS NULL BEGIN
	DELETE FROM version WHERE owner = NEW.owner AND noun = NEW.noun AND ident = NEW.ident
		AND "transaction" = (SELECT "transaction" FROM clock);
	INSERT INTO version (id, noun, ident, key, part, owner, row, since_ns)
	SELECT max(("transaction" << 20) + 1, (SELECT coalesce(max(id), 0) FROM version) + 1),
		NEW.noun, NEW.ident, NEW.owner, '', NEW.owner, NULL, time_ns FROM clock
	WHERE (SELECT row FROM version WHERE owner = NEW.owner AND noun = NEW.noun
		AND ident = NEW.ident ORDER BY "transaction" DESC LIMIT 1) IS NOT NULL;
END;

CREATE TRIGGER host_insert_history AFTER INSERT ON host BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('host', 'host',
		'host', '',
		'',
		json_object('name', NEW.name, 'instance', lower(hex(NEW.instance)),
		'memory_pool', NEW.memory_pool, 'pool_is_default', NEW.pool_is_default,
		'stopping', NEW.stopping, 'generation', NEW.generation));
END;
CREATE TRIGGER host_update_history AFTER UPDATE ON host BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('host', 'host',
		'host', '',
		'',
		json_object('name', NEW.name, 'instance', lower(hex(NEW.instance)),
		'memory_pool', NEW.memory_pool, 'pool_is_default', NEW.pool_is_default,
		'stopping', NEW.stopping, 'generation', NEW.generation));
END;

CREATE TRIGGER processor_insert_history AFTER INSERT ON processor BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('processor', 'cpu ' || NEW.cpu,
		NEW.cpu, '',
		'',
		json_object('present', NEW.present, 'in_pool', NEW.in_pool, 'domain', NEW.domain));
END;
CREATE TRIGGER processor_update_history AFTER UPDATE OF in_pool, domain, present ON processor
WHEN OLD.in_pool <> NEW.in_pool OR OLD.domain IS NOT NEW.domain OR OLD.present <> NEW.present
BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('processor', 'cpu ' || NEW.cpu,
		NEW.cpu, '',
		'',
		json_object('present', NEW.present, 'in_pool', NEW.in_pool, 'domain', NEW.domain));
END;

CREATE TRIGGER domain_insert_history AFTER INSERT ON domain BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('domain', NEW.name,
		NEW.name, '',
		'',
		json_object('memory', NEW.memory, 'frame_ns', NEW.frame_ns,
		'phase_ns', NEW.phase_ns, 'generation', NEW.generation));
END;
CREATE TRIGGER domain_delete_history AFTER DELETE ON domain BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('domain', OLD.name, '', '', '', NULL);
END;

CREATE TRIGGER partition_insert_history AFTER INSERT ON partition BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('partition', lower(hex(NEW.uuid)),
		NEW.name, '',
		NEW.name,
		json_object('kind', NEW.kind, 'domain', NEW.domain, 'state', NEW.state,
		'vcpus', NEW.vcpus, 'mode', NEW.mode, 'budget_ns', NEW.budget_ns,
		'period_ns', NEW.period_ns, 'realtime', NEW.realtime, 'window_ns', NEW.window_ns,
		'lease_ns', NEW.lease_ns, 'memory', NEW.memory, 'kernel', NEW.kernel,
		'initrd', NEW.initrd, 'cmdline', NEW.cmdline, 'generation', NEW.generation));
END;
CREATE TRIGGER partition_update_history AFTER UPDATE ON partition BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('partition', lower(hex(NEW.uuid)),
		NEW.name, '',
		NEW.name,
		json_object('state', NEW.state, 'mode', NEW.mode, 'budget_ns', NEW.budget_ns,
		'period_ns', NEW.period_ns, 'realtime', NEW.realtime, 'window_ns', NEW.window_ns,
		'lease_epoch', NEW.lease_epoch, 'module_id', NEW.module_id, 'pid', NEW.pid,
		'reason', NEW.reason, 'generation', NEW.generation));
END;
-- What it still has ends while its name is known.
CREATE TRIGGER partition_releases BEFORE DELETE ON partition BEGIN
	DELETE FROM context WHERE partition = OLD.uuid;
	DELETE FROM memory WHERE partition = OLD.uuid;
END;
CREATE TRIGGER partition_delete_history AFTER DELETE ON partition BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('partition', lower(hex(OLD.uuid)), '', '', OLD.name, NULL);
END;

CREATE TRIGGER memory_insert_history AFTER INSERT ON memory BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('memory', lower(hex(NEW.partition)) || '/' || NEW.node,
		NEW.node, '',
		(SELECT name FROM partition WHERE uuid = NEW.partition),
		json_object('bytes', NEW.bytes, 'page_size', NEW.page_size));
END;
CREATE TRIGGER memory_delete_history AFTER DELETE ON memory BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('memory', lower(hex(OLD.partition)) || '/' || OLD.node,
		'', '', (SELECT name FROM partition WHERE uuid = OLD.partition), NULL);
END;

CREATE TRIGGER context_insert_history AFTER INSERT ON context BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('processor', lower(hex(NEW.partition)) || '/' || NEW.idx,
		NEW.cpus, NEW.idx,
		(SELECT name FROM partition WHERE uuid = NEW.partition),
		json_object('mode', NEW.mode, 'budget_ns', NEW.budget_ns,
		'period_ns', NEW.period_ns, 'realtime', NEW.realtime,
		'window_start_ns', NEW.window_start_ns, 'window_ns', NEW.window_ns));
END;
CREATE TRIGGER context_delete_history AFTER DELETE ON context BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('processor', lower(hex(OLD.partition)) || '/' || OLD.idx,
		'', '', (SELECT name FROM partition WHERE uuid = OLD.partition), NULL);
END;

CREATE TRIGGER claim_insert_history AFTER INSERT ON claim BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('device', lower(hex(NEW.partition)) || '/' || NEW.name,
		coalesce(NEW.tap, (SELECT nullif(path, '') FROM device
		WHERE partition = NEW.partition AND name = NEW.name), NEW.resource), NEW.name,
		(SELECT name FROM partition WHERE uuid = NEW.partition),
		(SELECT json_object('resource', NEW.resource, 'writes', NEW.writes, 'size', NEW.size,
		'queues', queues, 'serial', serial, 'vlan', vlan, 'zone', zone,
		'operations', operations, 'bytes', bytes, 'burst_ms', burst_ms,
		'addresses', addresses) FROM device
		WHERE partition = NEW.partition AND name = NEW.name));
END;
CREATE TRIGGER claim_update_history AFTER UPDATE OF size ON claim WHEN OLD.size <> NEW.size BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('device', lower(hex(NEW.partition)) || '/' || NEW.name,
		coalesce(NEW.tap, (SELECT nullif(path, '') FROM device
		WHERE partition = NEW.partition AND name = NEW.name), NEW.resource), NEW.name,
		(SELECT name FROM partition WHERE uuid = NEW.partition),
		(SELECT json_object('resource', NEW.resource, 'writes', NEW.writes, 'size', NEW.size,
		'queues', queues, 'serial', serial, 'vlan', vlan, 'zone', zone,
		'operations', operations, 'bytes', bytes, 'burst_ms', burst_ms,
		'addresses', addresses) FROM device
		WHERE partition = NEW.partition AND name = NEW.name));
END;
CREATE TRIGGER device_update_history AFTER UPDATE OF operations, bytes, burst_ms ON device
WHEN EXISTS (SELECT 1 FROM claim WHERE partition = NEW.partition AND name = NEW.name) AND
	(OLD.operations <> NEW.operations OR OLD.bytes <> NEW.bytes OR OLD.burst_ms <> NEW.burst_ms)
BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	SELECT 'device', lower(hex(partition)) || '/' || name,
		coalesce(tap, nullif(NEW.path, ''), resource), name,
		(SELECT name FROM partition WHERE uuid = NEW.partition),
		json_object('resource', resource, 'writes', writes, 'size', size,
		'queues', NEW.queues, 'serial', NEW.serial, 'vlan', NEW.vlan, 'zone', NEW.zone,
		'operations', NEW.operations, 'bytes', NEW.bytes, 'burst_ms', NEW.burst_ms,
		'addresses', NEW.addresses)
	FROM claim WHERE partition = NEW.partition AND name = NEW.name;
END;
CREATE TRIGGER claim_delete_history AFTER DELETE ON claim BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('device', lower(hex(OLD.partition)) || '/' || OLD.name,
		'', '', (SELECT name FROM partition WHERE uuid = OLD.partition), NULL);
END;

CREATE TRIGGER channel_insert_history AFTER INSERT ON channel BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('channel', lower(hex(NEW.uuid)),
		coalesce((SELECT name FROM partition WHERE uuid = NEW.partition) || '/', '')
		|| NEW.name, NEW.name,
		coalesce((SELECT name FROM partition WHERE uuid = NEW.partition), ''),
		json_object('uuid', lower(hex(NEW.uuid)), 'type', NEW.type));
END;
CREATE TRIGGER channel_delete_history AFTER DELETE ON channel BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('channel', lower(hex(OLD.uuid)), '', '',
		coalesce((SELECT name FROM partition WHERE uuid = OLD.partition), ''), NULL);
END;

CREATE TRIGGER server_insert_history AFTER INSERT ON channel_server BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('server', lower(hex(NEW.channel)) || '/' || NEW.slot,
		(SELECT coalesce(p.name || '/', '') || c.name FROM channel c
		LEFT JOIN partition p ON p.uuid = c.partition WHERE c.uuid = NEW.channel), NEW.slot,
		(SELECT name FROM partition WHERE uuid = NEW.server),
		json_object('channel', lower(hex(NEW.channel))));
END;
CREATE TRIGGER server_delete_history AFTER DELETE ON channel_server BEGIN
	INSERT INTO history (noun, ident, key, part, owner, row)
	VALUES ('server', lower(hex(OLD.channel)) || '/' || OLD.slot,
		'', '', (SELECT name FROM partition WHERE uuid = OLD.server), NULL);
END;

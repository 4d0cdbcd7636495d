/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in SQLite: write-ahead log, every commit flushed (synchronous=FULL), STRICT tables.
 * The directory is locked, not the file, so that sqlite3 can look at a running opsd's store.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store.h"

#define STORE_VERSION		1
#define STORE_APPLICATION	0x55564f50	/* "UVOP" */
#define PRUNE_EVERY		256		/* events */

static const char schema[] =
#include <opsd/schema.sql.h>
	;

enum statement {
	BEGIN, COMMIT, ROLLBACK,
	EPOCH_RAISE,
	PUT_HOST, DELETE_HOST, PUT_DOMAIN, DELETE_DOMAINS, PUT_DEFINITION, DELETE_DEFINITION,
	PUT_PARTITION, PUT_ACTIVATION, PUT_CLAIM, ADD_EVENT, PRUNE_EVENTS, PRUNE_ACTIVATIONS,
	HOSTS, DOMAINS, DEFINITIONS, PARTITIONS, OPEN_ACTIVATIONS, ONE_ACTIVATION, HISTORY,
	CLAIMS, EVENTS, NEWEST_EVENTS,
	STATEMENTS,
};

#define ACTIVATION_COLUMNS "SELECT id, verb, partition, uuid, definition, who, uid, timeout_s, " \
	"state, error, opened_ns, closed_ns FROM activations "
#define EVENT_COLUMNS "SELECT number, time_ns, kind, partition, host, activation, text FROM events "

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[EPOCH_RAISE] = "UPDATE epoch SET epoch = max(epoch + 1, unixepoch()) RETURNING epoch",
	/* Upserts, never REPLACE: that would delete first and cascade. */
	[PUT_HOST] = "INSERT INTO hosts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT (name) DO UPDATE SET socket = ?2, uuid = ?3, state = ?4, why = ?5, "
		"cpus = ?6, memory = ?7, memory_assigned = ?8, added_ns = ?9, seen_ns = ?10",
	[DELETE_HOST] = "DELETE FROM hosts WHERE name = ?1",
	[PUT_DOMAIN] = "INSERT INTO domains VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
		"ON CONFLICT (host, name) DO UPDATE SET cpus = ?3, cpus_free = ?4, memory = ?5, "
		"memory_assigned = ?6, partitions = ?7",
	[DELETE_DOMAINS] = "DELETE FROM domains WHERE host = ?1",
	[PUT_DEFINITION] = "INSERT INTO definitions VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (name) DO UPDATE SET json = ?2, generation = ?3, changed_ns = ?4",
	[DELETE_DEFINITION] = "DELETE FROM definitions WHERE name = ?1",
	[PUT_PARTITION] = "INSERT INTO partitions "
		"VALUES (?1, ?2, nullif(?3, ''), ?4, ?5, ?6, ?7, ?8) "
		"ON CONFLICT (name) DO UPDATE SET desired = ?2, host = nullif(?3, ''), "
		"domain = ?4, uuid = ?5, seen = ?6, reason = ?7, seen_ns = ?8",
	[PUT_ACTIVATION] = "INSERT INTO activations "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
		"ON CONFLICT (id) DO UPDATE SET state = ?9, error = ?10, closed_ns = ?12",
	[PUT_CLAIM] = "INSERT INTO claims VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT (request_id) DO UPDATE SET state = ?6, number = ?7, error = ?8, "
		"settled_ns = ?10",
	[ADD_EVENT] = "INSERT INTO events (time_ns, kind, partition, host, activation, text) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[PRUNE_EVENTS] = "DELETE FROM events WHERE number <= ?1",
	[PRUNE_ACTIVATIONS] = "DELETE FROM activations WHERE state != 'open' AND opened_ns < "
		"(SELECT opened_ns FROM activations ORDER BY opened_ns DESC LIMIT 1 OFFSET ?1)",
	[HOSTS] = "SELECT name, socket, uuid, state, why, cpus, memory, memory_assigned, added_ns, "
		"seen_ns FROM hosts ORDER BY name",
	[DOMAINS] = "SELECT host, name, cpus, cpus_free, memory, memory_assigned, partitions "
		"FROM domains ORDER BY host, name",
	[DEFINITIONS] = "SELECT name, json, generation, changed_ns FROM definitions ORDER BY name",
	[PARTITIONS] = "SELECT name, desired, coalesce(host, ''), domain, uuid, seen, reason, "
		"seen_ns FROM partitions ORDER BY name",
	[OPEN_ACTIVATIONS] = ACTIVATION_COLUMNS "WHERE state = 'open' ORDER BY opened_ns",
	[ONE_ACTIVATION] = ACTIVATION_COLUMNS "WHERE id = ?1",
	[HISTORY] = ACTIVATION_COLUMNS "ORDER BY opened_ns DESC LIMIT ?1",
	[CLAIMS] = "SELECT request_id, activation, partition, host, epoch, state, number, error, "
		"claimed_ns, settled_ns FROM claims WHERE activation = ?1 ORDER BY claimed_ns",
	[EVENTS] = EVENT_COLUMNS "WHERE number > ?1 AND (?3 IS NULL OR partition = ?3) "
		"AND (?4 IS NULL OR activation = ?4) ORDER BY number LIMIT ?2",
	[NEWEST_EVENTS] = "SELECT * FROM (" EVENT_COLUMNS "WHERE number > ?1 "
		"AND (?3 IS NULL OR partition = ?3) AND (?4 IS NULL OR activation = ?4) "
		"ORDER BY number DESC LIMIT ?2) ORDER BY number",
};

static const char *const host_states[] = { "unknown", "up", "down" };
static const char *const verbs[] = { "activate", "deactivate" };
static const char *const activation_states[] = { "open", "done", "failed" };
static const char *const claim_states[] = { "claimed", "done", "refused", "unreachable" };

struct store_sqlite {
	struct store store;
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	int lock;			/* the directory, under flock */
	uint64_t pruned;		/* event number at the last pruning */
};

static struct store_sqlite *sqlite_of(struct store *store)
{
	return (struct store_sqlite *)store;	/* its first member */
}

static int to_errno(int r)
{
	switch (r & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:	return 0;
	case SQLITE_CONSTRAINT:	return -EEXIST;
	case SQLITE_FULL:	return -ENOSPC;
	case SQLITE_NOMEM:	return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:	return -EBUSY;
	case SQLITE_READONLY:	return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:	return -EUCLEAN;
	}
	return -EIO;
}

/* One letter an argument: s text or NULL, i int64_t. */
static sqlite3_stmt *bound(struct store_sqlite *s, enum statement which, const char *types, ...)
{
	sqlite3_stmt *st = s->statement[which];
	va_list args;
	int i;

	sqlite3_reset(st);
	va_start(args, types);
	for (i = 1; types[i - 1]; i++) {
		if (types[i - 1] == 's')
			sqlite3_bind_text(st, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_int64(st, i, va_arg(args, int64_t));
	}
	va_end(args);
	return st;
}

static int run(sqlite3_stmt *st)
{
	int r = sqlite3_step(st);

	sqlite3_reset(st);
	return to_errno(r);
}

#define I(value) ((int64_t)(value))

static int apply(struct store_sqlite *s, const struct store_change *c)
{
	const struct store_host *h = c->host;
	const struct store_domain *d = c->domain;
	const struct store_definition *f = c->definition;
	const struct store_partition *p = c->partition;
	const struct store_activation *a = c->activation;
	const struct store_claim *m = c->claim;
	const struct store_event *e = c->event;

	switch (c->type) {
	case STORE_PUT_HOST:
		return run(bound(s, PUT_HOST, "sssssiiiii", h->name, h->socket, h->uuid,
				 host_states[h->state], h->why, I(h->cpus), I(h->memory),
				 I(h->memory_assigned), h->added_ns, h->seen_ns));
	case STORE_DELETE_HOST:
		return run(bound(s, DELETE_HOST, "s", c->key));
	case STORE_PUT_DOMAIN:
		return run(bound(s, PUT_DOMAIN, "sssiiii", d->host, d->name, d->cpus,
				 I(d->cpus_free), I(d->memory), I(d->memory_assigned),
				 I(d->partitions)));
	case STORE_DELETE_DOMAINS:
		return run(bound(s, DELETE_DOMAINS, "s", c->key));
	case STORE_PUT_DEFINITION:
		return run(bound(s, PUT_DEFINITION, "ssii", f->name, f->json, I(f->generation),
				 f->changed_ns));
	case STORE_DELETE_DEFINITION:
		return run(bound(s, DELETE_DEFINITION, "s", c->key));
	case STORE_PUT_PARTITION:
		return run(bound(s, PUT_PARTITION, "sssssssi", p->name,
				 p->active ? "active" : "inactive", p->host, p->domain, p->uuid,
				 p->seen, p->reason, p->seen_ns));
	case STORE_PUT_ACTIVATION:
		return run(bound(s, PUT_ACTIVATION, "ssssssiissii", a->id, verbs[a->verb],
				 a->partition, a->uuid, a->definition, a->who, I(a->uid),
				 I(a->timeout_s), activation_states[a->state], a->error,
				 a->opened_ns, a->closed_ns));
	case STORE_PUT_CLAIM:
		return run(bound(s, PUT_CLAIM, "ssssisisii", m->request_id, m->activation,
				 m->partition, m->host, I(m->epoch), claim_states[m->state],
				 I(m->transaction), m->error, m->claimed_ns, m->settled_ns));
	case STORE_ADD_EVENT:
		return run(bound(s, ADD_EVENT, "isssss", e->time_ns, e->kind, e->partition,
				 e->host, e->activation, e->text));
	}
	return -EINVAL;
}

static int prune(struct store_sqlite *s, uint64_t newest)
{
	int rc = 0;

	if (newest < s->pruned + PRUNE_EVERY)
		return 0;
	s->pruned = newest;
	if (newest > STORE_KEEP_EVENTS)
		rc = run(bound(s, PRUNE_EVENTS, "i", I(newest - STORE_KEEP_EVENTS)));
	if (!rc)
		rc = run(bound(s, PRUNE_ACTIVATIONS, "i", I(STORE_KEEP_ACTIVATIONS)));
	return rc;
}

static int sqlite_commit(struct store *store, const struct store_change *changes, size_t n)
{
	struct store_sqlite *s = sqlite_of(store);
	uint64_t newest = 0;
	size_t i;
	int rc;

	rc = run(s->statement[BEGIN]);
	if (rc)
		return rc;
	for (i = 0; !rc && i < n; i++) {
		rc = apply(s, &changes[i]);
		if (!rc && changes[i].type == STORE_ADD_EVENT)
			newest = changes[i].event->number = sqlite3_last_insert_rowid(s->db);
	}
	if (!rc && newest)
		rc = prune(s, newest);
	if (!rc)
		rc = run(s->statement[COMMIT]);
	if (rc && !sqlite3_get_autocommit(s->db))
		run(s->statement[ROLLBACK]);
	return rc;
}

static int sqlite_epoch_raise(struct store *store, uint64_t *epoch)
{
	struct store_sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = s->statement[EPOCH_RAISE];
	int r;

	sqlite3_reset(st);
	r = sqlite3_step(st);
	if (r == SQLITE_ROW) {
		*epoch = sqlite3_column_int64(st, 0);
		r = sqlite3_step(st);	/* only its end commits it */
	}
	sqlite3_reset(st);
	return to_errno(r);
}

/* ---- reading */

static const char *text(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

static void copy(char *to, size_t size, sqlite3_stmt *st, int column)
{
	const char *from = text(st, column);

	snprintf(to, size, "%s", from ? from : "");
}

#define COPY(field, column) copy(field, sizeof(field), st, column)

static int word(sqlite3_stmt *st, int column, const char *const *words, int n)
{
	const char *from = text(st, column);
	int i;

	for (i = n - 1; i > 0; i--)
		if (from && !strcmp(from, words[i]))
			break;
	return i;
}

#define WORD(column, words) word(st, column, words, sizeof(words) / sizeof((words)[0]))

/* Calls row for each that st yields. */
static int each(sqlite3_stmt *st, void (*row)(sqlite3_stmt *st, const struct store_visitor *v),
		const struct store_visitor *v)
{
	int r;

	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		row(st, v);
	sqlite3_reset(st);
	return to_errno(r);
}

static void host_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_host h = {
		.state = WORD(3, host_states),
		.cpus = sqlite3_column_int64(st, 5),
		.memory = sqlite3_column_int64(st, 6),
		.memory_assigned = sqlite3_column_int64(st, 7),
		.added_ns = sqlite3_column_int64(st, 8),
		.seen_ns = sqlite3_column_int64(st, 9),
	};

	COPY(h.name, 0);
	COPY(h.socket, 1);
	COPY(h.uuid, 2);
	COPY(h.why, 4);
	v->host(&h, v->data);
}

static void domain_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_domain d = {
		.cpus_free = sqlite3_column_int64(st, 3),
		.memory = sqlite3_column_int64(st, 4),
		.memory_assigned = sqlite3_column_int64(st, 5),
		.partitions = sqlite3_column_int64(st, 6),
	};

	COPY(d.host, 0);
	COPY(d.name, 1);
	COPY(d.cpus, 2);
	v->domain(&d, v->data);
}

static void definition_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_definition d = {
		.json = text(st, 1),
		.generation = sqlite3_column_int64(st, 2),
		.changed_ns = sqlite3_column_int64(st, 3),
	};

	COPY(d.name, 0);
	v->definition(&d, v->data);
}

static void partition_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_partition p = {
		.active = !strcmp(text(st, 1), "active"),
		.seen_ns = sqlite3_column_int64(st, 7),
	};

	COPY(p.name, 0);
	COPY(p.host, 2);
	COPY(p.domain, 3);
	COPY(p.uuid, 4);
	COPY(p.seen, 5);
	COPY(p.reason, 6);
	v->partition(&p, v->data);
}

static void claim_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_claim c = {
		.epoch = sqlite3_column_int64(st, 4),
		.state = WORD(5, claim_states),
		.transaction = sqlite3_column_int64(st, 6),
		.error = text(st, 7),
		.claimed_ns = sqlite3_column_int64(st, 8),
		.settled_ns = sqlite3_column_int64(st, 9),
	};

	COPY(c.request_id, 0);
	COPY(c.activation, 1);
	COPY(c.partition, 2);
	COPY(c.host, 3);
	v->claim(&c, v->data);
}

/* Each activation that st yields, with its claims behind it if the visitor wants them. */
static int each_activation(struct store_sqlite *s, sqlite3_stmt *st, const struct store_visitor *v,
			   size_t *n)
{
	int r, rc = 0;

	while (!rc && (r = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_activation a = {
			.verb = WORD(1, verbs),
			.definition = text(st, 4),
			.uid = sqlite3_column_int64(st, 6),
			.timeout_s = sqlite3_column_int64(st, 7),
			.state = WORD(8, activation_states),
			.error = text(st, 9),
			.opened_ns = sqlite3_column_int64(st, 10),
			.closed_ns = sqlite3_column_int64(st, 11),
		};

		COPY(a.id, 0);
		COPY(a.partition, 2);
		COPY(a.uuid, 3);
		COPY(a.who, 5);
		v->activation(&a, v->data);
		if (v->claim)
			rc = each(bound(s, CLAIMS, "s", a.id), claim_row, v);
		(*n)++;
	}
	sqlite3_reset(st);
	return rc ? rc : to_errno(r);
}

static int sqlite_load(struct store *store, const struct store_visitor *v)
{
	struct store_sqlite *s = sqlite_of(store);
	size_t n = 0;
	int rc;

	rc = each(bound(s, HOSTS, ""), host_row, v);
	if (!rc)
		rc = each(bound(s, DOMAINS, ""), domain_row, v);
	if (!rc)
		rc = each(bound(s, DEFINITIONS, ""), definition_row, v);
	if (!rc)
		rc = each(bound(s, PARTITIONS, ""), partition_row, v);
	if (!rc)
		rc = each_activation(s, bound(s, OPEN_ACTIVATIONS, ""), v, &n);
	return rc;
}

static int sqlite_activation(struct store *store, const char *id, const struct store_visitor *v)
{
	struct store_sqlite *s = sqlite_of(store);
	size_t n = 0;
	int rc;

	rc = each_activation(s, bound(s, ONE_ACTIVATION, "s", id), v, &n);
	return rc ? rc : n ? 0 : -ENOENT;
}

static int sqlite_history(struct store *store, uint32_t limit, const struct store_visitor *v)
{
	struct store_sqlite *s = sqlite_of(store);
	size_t n = 0;

	return each_activation(s, bound(s, HISTORY, "i", I(limit)), v, &n);
}

static void event_row(sqlite3_stmt *st, const struct store_visitor *v)
{
	struct store_event e = {
		.number = sqlite3_column_int64(st, 0),
		.time_ns = sqlite3_column_int64(st, 1),
		.kind = text(st, 2),
		.partition = text(st, 3),
		.host = text(st, 4),
		.activation = text(st, 5),
		.text = text(st, 6),
	};

	v->event(&e, v->data);
}

static int sqlite_events(struct store *store, const struct store_event_filter *f,
			 const struct store_visitor *v)
{
	return each(bound(sqlite_of(store), f->newest ? NEWEST_EVENTS : EVENTS, "iiss",
			  I(f->after), I(f->limit), f->partition, f->activation), event_row, v);
}

static const char *sqlite_why(struct store *store)
{
	return sqlite3_errmsg(sqlite_of(store)->db);
}

/* ---- opening */

static void sqlite_close(struct store *store)
{
	struct store_sqlite *s = sqlite_of(store);
	int i;

	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statement[i]);
	sqlite3_close(s->db);
	/* Last: whoever takes the lock must find the database closed. */
	close(s->lock);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.close = sqlite_close,
	.epoch_raise = sqlite_epoch_raise,
	.commit = sqlite_commit,
	.load = sqlite_load,
	.activation = sqlite_activation,
	.history = sqlite_history,
	.events = sqlite_events,
	.why = sqlite_why,
};

static int number(sqlite3 *db, const char *query, int64_t *out)
{
	sqlite3_stmt *st;
	int r;

	r = sqlite3_prepare_v2(db, query, -1, &st, NULL);
	if (r == SQLITE_OK) {
		r = sqlite3_step(st);
		if (r == SQLITE_ROW)
			*out = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return to_errno(r);
}

static int prepare_database(struct store_sqlite *s, const char *path, struct error *e)
{
	static const char setup[] =
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		"PRAGMA trusted_schema = OFF;";
	char create[sizeof(schema) + 256];
	int64_t version = 0, application = 0, tables = 0, newest = 0;
	int rc, i;

	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
		goto fail;
	sqlite3_busy_timeout(s->db, 2000);	/* somebody may be looking with sqlite3 */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK)
		goto fail;
	rc = number(s->db, "PRAGMA user_version", &version);
	if (!rc)
		rc = number(s->db, "PRAGMA application_id", &application);
	if (!rc)
		rc = number(s->db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc)
		goto fail;
	if (!tables && !version) {
		snprintf(create, sizeof(create),
			 "BEGIN IMMEDIATE;%s;PRAGMA user_version = %d;PRAGMA application_id = %d;"
			 "COMMIT;", schema, STORE_VERSION, STORE_APPLICATION);
		if (sqlite3_exec(s->db, create, NULL, NULL, NULL) != SQLITE_OK)
			goto fail;
	} else if (application != STORE_APPLICATION) {
		error_set(e, EXIT_CONFLICT, "%s is not a store of opsd", path);
		return error_fix(e, "move it away, or name another directory with --state");
	} else if (version != STORE_VERSION) {
		error_set(e, EXIT_CONFLICT, "the store is of version %lld", (long long)version);
		error_where(e, "%s", path);
		error_why(e, "this opsd reads version %d only", STORE_VERSION);
		return error_fix(e, "run the opsd that wrote it");
	}
	for (i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->statement[i], NULL) != SQLITE_OK)
			goto fail;
	if (number(s->db, "SELECT coalesce(max(number), 0) FROM events", &newest))
		goto fail;
	s->pruned = newest;
	return 0;
fail:
	error_set(e, EXIT_FAILED, "the store cannot be opened");
	error_where(e, "%s", path);
	error_why(e, "%s", sqlite3_errmsg(s->db));
	return error_fix(e, "look at the file's owner, and at the space of its file system");
}

struct store *store_sqlite_open(const char *directory, struct error *e)
{
	char path[PATH_MAX];
	struct store_sqlite *s;

	s = calloc(1, sizeof(*s));
	if (!s) {
		error_set(e, EXIT_FAILED, "out of memory");
		return NULL;
	}
	s->store.ops = &sqlite_ops;
	s->lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock < 0) {
		error_set(e, EXIT_FAILED, "the store's directory cannot be opened: %m");
		error_where(e, "%s", directory);
		error_fix(e, "make it, owned by the user that opsd runs as");
		goto fail;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		error_set(e, EXIT_CONFLICT, "another opsd uses this store");
		error_where(e, "%s", directory);
		error_fix(e, "stop it first, or name another directory with --state");
		goto fail;
	}
	snprintf(path, sizeof(path), "%s/ops.db", directory);
	if (prepare_database(s, path, e))
		goto fail;
	return &s->store;
fail:
	if (s->lock >= 0)
		sqlite_close(&s->store);
	else
		free(s);
	return NULL;
}

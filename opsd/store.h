/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What opsd remembers: hosts, definitions, where each partition shall be and was seen, claims and
 * events. One small table of functions, so that several machines may one day share a store; the
 * one there is keeps it in SQLite (store_sqlite.c). Tables: docs/operations.md.
 *
 * A commit is a list of changes: all of them become durable, or none. Everything else that opsd
 * knows is derived from here at its start, so a SIGKILL between two commits loses nothing.
 */
#ifndef OPSD_STORE_H
#define OPSD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <common/error.h>
#include <ultravisor/command.h>

#define STORE_UUID_LEN		37	/* in text, with its NUL */
#define STORE_SOCKET_LEN	108
#define STORE_WHO_LEN		64
#define STORE_KEEP_EVENTS	10000	/* newest; and as many closed activations as 1,000 */
#define STORE_KEEP_ACTIVATIONS	1000

enum store_host_state { HOST_UNKNOWN, HOST_UP, HOST_DOWN };

struct store_host {
	char name[COMMAND_NAME_LEN];
	char socket[STORE_SOCKET_LEN];	/* its resource service */
	char uuid[STORE_UUID_LEN];	/* "" until it answered once */
	enum store_host_state state;
	char why[256];			/* down: since it did not answer, and how */
	uint32_t cpus;			/* of its pool */
	uint64_t memory, memory_assigned; /* bytes of its pool */
	int64_t added_ns, seen_ns;	/* CLOCK_REALTIME */
};

struct store_domain {
	char host[COMMAND_NAME_LEN];
	char name[COMMAND_NAME_LEN];
	char cpus[256];			/* "2-5" */
	uint32_t cpus_free;		/* not dedicated to anybody */
	uint64_t memory, memory_assigned;
	uint32_t partitions;
};

struct store_definition {
	char name[COMMAND_NAME_LEN];
	const char *json;		/* canonical text, see common/definition.h */
	uint64_t generation;
	int64_t changed_ns;
};

struct store_partition {
	char name[COMMAND_NAME_LEN];
	bool active;			/* desired */
	char host[COMMAND_NAME_LEN];	/* where it was last placed; "": nowhere yet */
	char domain[COMMAND_NAME_LEN];
	char uuid[STORE_UUID_LEN];	/* opsd's choice, for all hosts */
	char seen[16];			/* its host's word for its state; "": never seen */
	char reason[256];		/* its host's, of a failed run */
	int64_t seen_ns;
};

enum store_verb { VERB_ACTIVATE, VERB_DEACTIVATE };
enum store_activation_state { ACTIVATION_OPEN, ACTIVATION_DONE, ACTIVATION_FAILED };

struct store_activation {
	char id[STORE_UUID_LEN];	/* the request id of who asked */
	enum store_verb verb;
	char partition[COMMAND_NAME_LEN];
	char uuid[STORE_UUID_LEN];	/* of the partition */
	const char *definition;		/* canonical text; NULL when deactivating */
	char who[STORE_WHO_LEN];
	uid_t uid;
	uint32_t timeout_s;		/* until it must be seen to run, or to be off */
	enum store_activation_state state;
	const char *error;		/* JSON of a struct error; only if failed */
	int64_t opened_ns, closed_ns;
};

enum store_claim_state { CLAIM_CLAIMED, CLAIM_DONE, CLAIM_REFUSED, CLAIM_UNREACHABLE };

/* One host asked on behalf of an activation, under a request id of its own. */
struct store_claim {
	char request_id[STORE_UUID_LEN];
	char activation[STORE_UUID_LEN];
	char partition[COMMAND_NAME_LEN];
	char host[COMMAND_NAME_LEN];
	uint64_t epoch;			/* of the opsd that made the claim */
	enum store_claim_state state;
	uint64_t transaction;		/* the host's number; 0: none */
	const char *error;		/* JSON of a struct error, or NULL */
	int64_t claimed_ns, settled_ns;
};

struct store_event {
	uint64_t number;		/* filled in by the commit */
	int64_t time_ns;
	const char *kind;		/* "claimed"; the list is in docs/operations.md */
	const char *partition, *host, *activation;	/* or "" */
	const char *text;
};

enum store_change_type {
	STORE_PUT_HOST = 1, STORE_DELETE_HOST,
	STORE_PUT_DOMAIN, STORE_DELETE_DOMAINS,		/* all of host's */
	STORE_PUT_DEFINITION, STORE_DELETE_DEFINITION,	/* the latter with its partition */
	STORE_PUT_PARTITION,
	STORE_PUT_ACTIVATION,
	STORE_PUT_CLAIM,
	STORE_ADD_EVENT,
};

/* A put inserts or replaces by key; deletes need the key only. Pointers are borrowed. */
struct store_change {
	enum store_change_type type;
	union {
		const struct store_host *host;
		const struct store_domain *domain;
		const struct store_definition *definition;
		const struct store_partition *partition;
		const struct store_activation *activation;
		const struct store_claim *claim;
		struct store_event *event;
		const char *key;
	};
};

/* Which events: newer than after, at most limit, of a partition or activation unless NULL. */
struct store_event_filter {
	uint64_t after;
	uint32_t limit;
	bool newest;			/* the last limit ones instead, still in order */
	const char *partition;
	const char *activation;
};

/* Called for each row, in key order; what it is given is valid during the call. */
struct store_visitor {
	void (*host)(const struct store_host *row, void *data);
	void (*domain)(const struct store_domain *row, void *data);
	void (*definition)(const struct store_definition *row, void *data);
	void (*partition)(const struct store_partition *row, void *data);
	void (*activation)(const struct store_activation *row, void *data);
	void (*claim)(const struct store_claim *row, void *data);
	void (*event)(const struct store_event *row, void *data);
	void *data;
};

struct store;
struct store_ops {
	void (*close)(struct store *store);
	int (*epoch_raise)(struct store *store, uint64_t *epoch);
	int (*commit)(struct store *store, const struct store_change *changes, size_t n);
	int (*load)(struct store *store, const struct store_visitor *visitor);
	int (*activation)(struct store *store, const char *id, const struct store_visitor *visitor);
	int (*history)(struct store *store, uint32_t limit, const struct store_visitor *visitor);
	int (*events)(struct store *store, const struct store_event_filter *filter,
		      const struct store_visitor *visitor);
	const char *(*why)(struct store *store);
};

struct store {
	const struct store_ops *ops;
};

/*
 * Opens, or makes, the store in a directory that exists; one opsd at a time. NULL and *e
 * if it cannot be trusted: locked by another opsd, of a newer version, or damaged.
 */
struct store *store_sqlite_open(const char *directory, struct error *e);

/* Every function below: 0, or -errno. After a failed commit nothing of it is there. */

static inline void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

/*
 * This opsd's epoch, durably higher than that of any opsd before it. A new store begins at the
 * time of day in seconds, so that hosts which knew another store do not take it for an old one.
 */
static inline int store_epoch_raise(struct store *s, uint64_t *epoch)
{
	return s->ops->epoch_raise(s, epoch);
}

/* -EEXIST: a constraint (one open activation and one claim per partition) forbids it. */
static inline int store_commit(struct store *s, const struct store_change *changes, size_t n)
{
	return s->ops->commit(s, changes, n);
}

/* Hosts, domains, definitions, partitions, then open activations and all of their claims. */
static inline int store_load(struct store *s, const struct store_visitor *v)
{
	return s->ops->load(s, v);
}

/* One activation, open or closed, then its claims. -ENOENT. */
static inline int store_activation(struct store *s, const char *id, const struct store_visitor *v)
{
	return s->ops->activation(s, id, v);
}

/* The newest activations, newest first. */
static inline int store_history(struct store *s, uint32_t limit, const struct store_visitor *v)
{
	return s->ops->history(s, limit, v);
}

static inline int store_events(struct store *s, const struct store_event_filter *f,
			       const struct store_visitor *v)
{
	return s->ops->events(s, f, v);
}

/* The backend's own words for the last failure. */
static inline const char *store_why(struct store *s)
{
	return s->ops->why(s);
}

#endif

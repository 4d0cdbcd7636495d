/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world to test opsd in: hosts whose resource service is a real HTTP server on a unix socket in a
 * process of its own, and opsd itself in another, asked over its own socket. A host's book is in
 * shared memory: it outlives its service, as uvd's outlives cmdpartd, and tests look into it.
 */
#ifndef TESTS_OPSD_WORLD_H
#define TESTS_OPSD_WORLD_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <common/error.h>

#define WORLD_HOSTS	3
#define WORLD_MEMORY	(8ull << 30)

struct world_partition {
	char name[64], uuid[37], state[16], reason[64];
	uint64_t memory;
	unsigned int starts;		/* how often a transaction started it */
};

struct world_answer {
	char request_id[37];
	uint64_t transaction;
};

struct world_host {
	char name[8], socket[100];
	pid_t pid;			/* of its service; 0: none */
	/* What it shall do; the tests write these. */
	_Atomic int refuse;		/* an exit code: what it answers activations with */
	_Atomic bool die_before;	/* its service dies instead of committing, */
	_Atomic bool die_after;		/* or instead of answering; each once */
	_Atomic unsigned int delay_before_ms, delay_after_ms;
	_Atomic bool stuck;		/* guests ignore the power button */
	_Atomic bool dies;		/* guests fail at once */
	_Atomic bool nonsense;		/* it answers surveys with what opsd cannot read */
	_Atomic bool no_domain;
	/* Its book. */
	_Atomic uint64_t transactions;
	_Atomic unsigned int asked;	/* activations heard, repeats included */
	_Atomic uint64_t epoch;
	unsigned int dedicated;
	struct world_partition partition[16];
	size_t partitions;
	struct world_answer answer[64];
	size_t answers;
};

struct world {
	char directory[64], state[80], run[80], socket[100];
	struct world_host *host;	/* WORLD_HOSTS, shared */
	size_t hosts;
	pid_t ops;
	/* Where opsd is to die: at the n-th time that it reaches the step; NULL: nowhere. */
	const char *kill_at;
	unsigned int kill_nth;
};

/* cmocka fixtures: a world with one host, or three; nothing of opsd runs yet. */
int world_setup(void **state);
int world_setup_three(void **state);
int world_teardown(void **state);

void world_start_host(struct world_host *h);
void world_kill_host(struct world_host *h);

/* Starts opsd and waits until it answers, or has died where it was to. */
void world_start_ops(struct world *w);
/* Ends it: by SIGKILL, by SIGTERM (its exit status must be 0), or when it dies itself. */
void world_kill_ops(struct world *w);
void world_stop_ops(struct world *w);
void world_await_death(struct world *w);
bool world_ops_died(struct world *w);

/* One call to opsd; reply is the caller's, NULL unless EXIT_OK. */
enum exit_code world_call(struct world *w, const char *method, const char *path, json_t *body,
			  json_t **reply, struct error *e);

/* { "name": name, "memory": …, "cpus": … } with paths that need not exist. */
json_t *world_definition(const char *name, const char *memory);

/* Begins (definition may be NULL; stolen) and returns the id; "" if that was refused. */
const char *world_begin(struct world *w, const char *verb, const char *name, json_t *definition);
extern int world_timeout_s;		/* that it asks for */

/* Waits until the activation is closed; its object, the caller's. NULL after 15 s. */
json_t *world_await(struct world *w, const char *id);

/* The texts of its events of a kind, or of all (NULL), joined by newlines; free it. */
char *world_events(struct world *w, const char *activation, const char *kind);

/* How many copies of a partition hold resources, on all hosts, and its row on one. */
unsigned int world_copies(struct world *w, const char *name);
struct world_partition *world_partition(struct world_host *h, const char *name);

/* opsd's own word: "desired", "host", "state", … of a partition; free it. */
char *world_word(struct world *w, const char *name, const char *key);

/* Waits until a condition holds, 10 s at most. */
#define world_until(condition) do { \
	bool holds_ = false; \
	int tries_; \
	for (tries_ = 0; !holds_ && tries_ < 1000; tries_++) { \
		holds_ = (condition); \
		if (!holds_) \
			usleep(10000); \
	} \
	if (!holds_) \
		fail_msg("not within 10 s: %s", #condition); \
} while (0)

#endif

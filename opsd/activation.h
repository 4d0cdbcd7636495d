/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activations: making a partition run on a host, or making it stop, so that a SIGKILL of opsd at
 * any step leaves one running copy or none.
 *
 *	survey   the hosts are asked what they have; nothing is recorded yet
 *	         "surveyed"
 *	claim    activation, verdicts and claim (host, epoch, request id) are committed
 *	         "claimed"
 *	call     the host's resource service is asked, "calling"; it has the last word, "answered"
 *	settle   its answer is committed, "settled"; refused: the next host is claimed
 *	watch    until the host says that the partition runs, or is off
 *	close    the outcome is committed, "closed"
 *
 * choice.c surveys and claims, claim.c calls and settles, watch.c watches, activation.c closes.
 * Words in quotes are the steps at which ops.step is called. An answer that never came leaves the
 * claim open: the request is repeated with the same id, by this opsd or the next, until the host
 * has spoken. Only a host that was certainly not reached, or said no, is given up for another.
 */
#ifndef OPSD_ACTIVATION_H
#define OPSD_ACTIVATION_H

#include <jansson.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include <common/definition.h>
#include <common/error.h>

#include "host.h"
#include "store.h"

#define ACTIVATION_MAX			256	/* under way at once */
#define ACTIVATION_TIMEOUT_S		60	/* if the request names none */
#define ACTIVATION_MAX_TIMEOUT_S	3600

struct ops;

/* The host asked last, or being asked. */
struct activation_claim {
	struct store_claim row;
	bool open;			/* row.state is CLAIM_CLAIMED in the store */
	bool doubtful;			/* an earlier try may have been heard */
	unsigned int tries;
};

/* A host that will not be asked again, and why. */
struct activation_refusal {
	char host[COMMAND_NAME_LEN];
	enum exit_code code;
	char why[384];
	char fix[320];
};

struct activation {
	TAILQ_ENTRY(activation) link;
	struct ops *ops;
	struct store_activation row;
	bool durable;			/* in the store */
	struct definition definition;	/* when activating */
	json_t *json;			/* the same, canonical */
	char *text;			/* the same: row.definition */
	struct activation_claim claim;
	struct activation_refusal refusal[OPS_MAX_HOSTS];
	size_t refusals;
	struct error error;		/* of an outcome that is not stored yet */
	const char *end;		/* the kind of the last event, */
	char end_text[512];		/* and its text */
	sd_event_source *timer;
	uint64_t deadline;		/* of the watch, CLOCK_MONOTONIC µs */
	uint64_t pause;			/* until the next look, µs */
};
TAILQ_HEAD(activations, activation);

struct activation_request {
	char id[STORE_UUID_LEN];
	enum store_verb verb;
	char name[COMMAND_NAME_LEN];
	const struct definition *definition;	/* NULL: the stored one */
	char who[STORE_WHO_LEN];
	uid_t uid;
	uint32_t timeout_s;			/* 0: ACTIVATION_TIMEOUT_S */
};

/*
 * Begins, and returns the activation's id in id: the request's own, or that of one under way
 * that does the same. A known id is not begun again. 0, or -1 and *e.
 */
int activation_begin(struct ops *ops, const struct activation_request *request,
		     char id[STORE_UUID_LEN], struct error *e);

/* Takes up an activation that the store has as open, then its claims. 0 or -1 and *e. */
int activation_restore(struct ops *ops, const struct store_activation *row, struct error *e);
void activation_restore_claim(struct ops *ops, const struct store_claim *row);
void activations_resume(struct ops *ops);

struct activation *activation_find(struct ops *ops, const char *id);

/* The one under way for a partition, or NULL; and what it does, "activate" or "deactivate". */
struct activation *activation_of(struct ops *ops, const char *partition);
const char *activation_verb(const struct activation *a);

/* ---- for the parts of its course: choice.c, claim.c, watch.c */

#define ACTIVATION_STORE_USEC	1000000ull	/* between tries to store what must be stored */
#define ACTIVATION_WORDS	1300		/* of an error in one line */

/* Names a step to whoever follows them. */
void activation_step(struct activation *a, const char *name);

/* Calls back once, usec from now, replacing what was to come. */
void activation_later(struct activation *a, uint64_t usec, void (*next)(struct activation *a));

/* A host will not be asked again. */
void activation_refuse(struct activation *a, const char *host, enum exit_code code,
		       const char *why, const char *fix);

/* Message and why of an error in one line. */
void activation_words(const struct error *e, char to[ACTIVATION_WORDS]);

/* The end, well or because of a->error. The activation may be gone when they return. */
void activation_done(struct activation *a, const char *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void activation_failed(struct activation *a);

/* Drops them from memory; open ones stay open in the store. */
void activations_free(struct ops *ops);

#endif

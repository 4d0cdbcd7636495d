/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that runs transactions; what each operation means is in the files of its noun.
 *
 * Order, and what a crash leaves:
 *   apply, check   in the open SQLite transaction           nothing
 *   prepare        objects with this transaction's number   objects without rows: destroyed
 *   commit         rows, history, ledger, reply             all of them; publish is repeated
 *   publish        objects usable, processes started        repeated
 *   reply          the author asks again by request id      the stored reply
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/crash.h>
#include <common/log.h>
#include <common/uuid.h>

#include "hold.h"
#include "launch.h"
#include "ledger.h"
#include "transaction.h"
#include "zone.h"

uint64_t uvd_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int refuse(struct transaction *t, uint32_t status, const char *fix, const char *format, ...)
{
	va_list args;
	char text[sizeof(t->fault.text)];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fault_set(&t->fault, status, fix, "%s", text);
	t->fault.record = t->record;
	return -ECANCELED;
}

/* A breach of a constraint says by its first word what kind of refusal it is. */
static uint32_t constraint_status(const char *text)
{
	if (strncmp(text, "resources:", 10) == 0)
		return COMMAND_RESOURCES;
	if (strncmp(text, "invalid:", 8) == 0)
		return COMMAND_INVALID;
	return COMMAND_CONFLICT;
}

int refuse_db(struct transaction *t, int rc)
{
	const char *text = db_error(t->uvd->db);

	if (rc >= 0)
		return 0;
	if (rc == -EDEADLK)
		return refuse(t, constraint_status(text), "look at the rows with cmdpartctl list",
			      "the database refuses it: %s", text);
	if (db_unwritable(rc)) {
		t->uvd->read_only = true;
		return refuse(t, COMMAND_READ_ONLY, db_remedy(rc),
			      "the database cannot be written: %s", text);
	}
	return refuse(t, COMMAND_FAILED, "see uvd's log", "the database failed: %s", text);
}

void transaction_note(struct transaction *t, const char *subject, const char *format, ...)
{
	size_t n = strlen(t->summary);
	va_list args;

	if (subject && !t->subject[0])
		snprintf(t->subject, sizeof(t->subject), "%s", subject);
	if (n)
		n += snprintf(t->summary + n, sizeof(t->summary) - n, ", ");
	if (n >= sizeof(t->summary))
		return;
	va_start(args, format);
	vsnprintf(t->summary + n, sizeof(t->summary) - n, format, args);
	va_end(args);
}

/* What the partition gets, behind what happens to it. */
void transaction_summarize(struct transaction *t)
{
	/* Of a partition that is defined and started at once, those that it has. */
	unsigned int devices = t->claimed ? t->claimed : t->defined;
	char parts[160] = "";
	size_t n = 0;

	if (t->memory[0])
		n += snprintf(parts, sizeof(parts), ", %s", t->memory);
	if (t->contexts)
		n += snprintf(parts + n, sizeof(parts) - n, ", %u context%s", t->contexts,
			      t->contexts == 1 ? "" : "s");
	if (devices)
		snprintf(parts + n, sizeof(parts) - n, ", %u device%s", devices,
			 devices == 1 ? "" : "s");
	if (!parts[0])
		return;
	n = strlen(t->summary);
	if (n)
		snprintf(t->summary + n, sizeof(t->summary) - n, ": %s", parts + 2);
	else
		snprintf(t->summary, sizeof(t->summary), "assign %s", parts + 2);
}

int transaction_generation(struct transaction *t, uint64_t seen, uint64_t generation,
			   uint64_t changed, const char *what, const char *name)
{
	uint64_t before = changed == t->number ? generation - 1 : generation;
	char by[160];

	if (!seen || seen == before)
		return 0;
	/* Changed in this very transaction, too: the row does not tell who did so before. */
	ledger_author(t->uvd->db, changed == t->number ? 0 : changed, by, sizeof(by));
	return refuse(t, COMMAND_CONFLICT, "look at it again, then decide anew",
		      "%s %s has changed: generation %llu now, %llu was seen%s", what, name,
		      (unsigned long long)before, (unsigned long long)seen, by);
}

/* Room for one element more in an array of n; -ENOMEM leaves it as it is. */
static int grow(void *array, size_t n, size_t element)
{
	void *bigger, *old;

	memcpy(&old, array, sizeof(old));
	/* Powers of two: room ends exactly when n is one. */
	if (n && (n & (n - 1)))
		return 0;
	bigger = reallocarray(old, n ? n * 2 : 1, element);
	if (!bigger)
		return -ENOMEM;
	memcpy(array, &bigger, sizeof(bigger));
	return 0;
}

static int no_memory(struct transaction *t)
{
	return refuse(t, COMMAND_FAILED, "try again when the host has memory",
		      "uvd is out of memory");
}

static int list_add(struct transaction *t, struct object_list *list, uint64_t id)
{
	if (grow(&list->id, list->n, sizeof(*list->id)) < 0)
		return no_memory(t);
	list->id[list->n++] = id;
	return 0;
}

int transaction_made(struct transaction *t, uint64_t object)
{
	t->kernel = true;
	return list_add(t, &t->made, object);
}

int transaction_gone(struct transaction *t, uint64_t object)
{
	t->kernel = true;
	return list_add(t, &t->gone, object);
}

int transaction_tap_made(struct transaction *t, const char *name)
{
	t->kernel = true;
	if (grow(&t->taps_made, t->n_taps_made, sizeof(*t->taps_made)) < 0)
		return no_memory(t);
	snprintf(t->taps_made[t->n_taps_made++], NETWORK_NAME, "%s", name);
	return 0;
}

int transaction_tap_gone(struct transaction *t, const char *name)
{
	t->kernel = true;
	if (grow(&t->taps_gone, t->n_taps_gone, sizeof(*t->taps_gone)) < 0)
		return no_memory(t);
	snprintf(t->taps_gone[t->n_taps_gone++], NETWORK_NAME, "%s", name);
	return 0;
}

int transaction_launch(struct transaction *t, struct launch *launch)
{
	t->kernel = true;
	if (grow(&t->launches, t->n_launches, sizeof(*t->launches)) < 0) {
		launch_destroy(launch);
		return no_memory(t);
	}
	t->launches[t->n_launches++] = launch;
	return 0;
}

int transaction_context_was(struct transaction *t, const struct context_change *was)
{
	t->kernel = true;
	if (grow(&t->contexts_were, t->n_contexts_were, sizeof(*t->contexts_were)) < 0)
		return no_memory(t);
	t->contexts_were[t->n_contexts_were++] = *was;
	return 0;
}

int transaction_ended(struct transaction *t, const uint8_t partition[16])
{
	t->kernel = true;
	if (grow(&t->ended, t->n_ended, sizeof(*t->ended)) < 0)
		return no_memory(t);
	memcpy(t->ended[t->n_ended++], partition, 16);
	return 0;
}

int transaction_state(struct transaction *t, const char *partition, uint32_t state)
{
	if (grow(&t->states, t->n_states, sizeof(*t->states)) < 0)
		return no_memory(t);
	snprintf(t->states[t->n_states].partition, COMMAND_NAME_LEN, "%s", partition);
	t->states[t->n_states++].state = state;
	return 0;
}

void transaction_free(struct transaction *t)
{
	size_t i;

	for (i = 0; i < t->n_launches; i++)
		launch_destroy(t->launches[i]);
	free(t->launches);
	free(t->made.id);
	free(t->gone.id);
	free(t->taps_made);
	free(t->taps_gone);
	free(t->ended);
	free(t->states);
	t->states = NULL;
	t->n_states = 0;
	free(t->contexts_were);
	t->contexts_were = NULL;
	t->n_contexts_were = 0;
	t->launches = NULL;
	t->made.id = t->gone.id = NULL;
	t->taps_made = t->taps_gone = NULL;
	t->ended = NULL;
	t->n_launches = t->made.n = t->gone.n = t->n_taps_made = t->n_taps_gone = t->n_ended = 0;
}

static void restore_contexts(struct transaction *t)
{
	struct kernel *k = t->uvd->kernel;
	size_t i;
	int rc, fd;

	for (i = t->n_contexts_were; i-- > 0;) {
		struct context_change *was = &t->contexts_were[i];

		fd = kernel_object_open(k, was->partition, ULTRAVISOR_ROLE_CONTROL, 0);
		rc = fd < 0 ? fd : kernel_context_set(k, fd, &was->set);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "context %u of object %llu is not what it was",
				  was->set.index, (unsigned long long)was->partition);
		if (fd >= 0)
			close(fd);
	}
}

/* The transaction does not happen: what it prepared goes. Last made, first destroyed. */
void transaction_drop(struct transaction *t)
{
	struct uvd *uvd = t->uvd;
	size_t i;
	int rc;

	for (i = t->made.n; i-- > 0;) {
		rc = kernel_object_destroy(uvd->kernel, t->made.id[i]);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "object %llu, prepared in vain, stays",
				  (unsigned long long)t->made.id[i]);
	}
	for (i = 0; i < t->n_launches; i++)
		if (uvd->hooks->discharge && t->launches[i]->name[0])
			uvd->hooks->discharge(uvd, t->launches[i]->name);
	for (i = 0; i < t->n_taps_made; i++)
		uvd->network->ops->tap_delete(uvd->network, t->taps_made[i]);
	if (t->bridge_made)
		uvd->network->ops->bridge_delete(uvd->network, NETWORK_OWN_BRIDGE);
	restore_contexts(t);
	transaction_free(t);
}

static void publish_objects(struct transaction *t)
{
	struct uvd *uvd = t->uvd;
	size_t i;
	int rc;

	for (i = 0; i < t->made.n; i++) {
		rc = kernel_object_publish(uvd->kernel, t->made.id[i]);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "object %llu cannot be published",
				  (unsigned long long)t->made.id[i]);
		CRASH_POINT("object-published");
	}
	/* The process first: it must not see its objects vanish and call that a failure. */
	for (i = 0; i < t->n_ended; i++)
		uvd->hooks->end(uvd, t->ended[i]);
	for (i = 0; i < t->gone.n; i++) {
		rc = kernel_object_destroy(uvd->kernel, t->gone.id[i]);
		if (rc < 0 && rc != -ENOENT)
			log_errno(LOG_ERR, rc, "object %llu cannot be destroyed",
				  (unsigned long long)t->gone.id[i]);
		CRASH_POINT("object-destroyed");
	}
	for (i = 0; i < t->n_taps_gone; i++) {
		rc = uvd->network->ops->tap_delete(uvd->network, t->taps_gone[i]);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "%s cannot be removed", t->taps_gone[i]);
		CRASH_POINT("tap-removed");
	}
	/* What is left between taps that are gone forwards nothing. */
	if (t->n_taps_gone && zones_sync(uvd) < 0)
		log_warning("rules of zones that are no more stay in nftables");
	if (t->bridge_gone) {
		rc = uvd->network->ops->bridge_delete(uvd->network, NETWORK_OWN_BRIDGE);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "%s cannot be removed", NETWORK_OWN_BRIDGE);
	}
}

/* Cannot fail; what goes wrong is logged, and found again at the next start. */
void transaction_publish(struct transaction *t)
{
	struct uvd *uvd = t->uvd;
	uint32_t i;

	publish_objects(t);
	for (i = 0; i < t->request->count; i++) {
		const struct command_record *r = message_record(t->request, i);
		const struct operation *op = operation_find(r->type);

		if (op->publish)
			op->publish(t, r);
		CRASH_POINT("operation-published");
	}
	if (t->claims)
		hold_sync(uvd);
	if (t->channels)
		uvd->hooks->channels(uvd);
	for (i = 0; i < t->n_launches; i++) {
		struct launch *launch = t->launches[i];

		t->launches[i] = NULL;
		uvd->hooks->start(uvd, launch);
	}
	CRASH_POINT("published");
}

int transaction_apply(struct transaction *t)
{
	const struct command_record *r;
	const struct operation *op;

	for (t->record = 0; t->record < t->request->count; t->record++) {
		r = message_record(t->request, t->record);
		op = operation_find(r->type);
		if (!op)
			return refuse(t, COMMAND_INVALID, "see docs/command.md",
				      "there is no operation %u", r->type);
		if (op->apply(t, r) < 0)
			return -ECANCELED;
		CRASH_POINT("operation-applied");
	}
	for (t->record = 0; t->record < t->request->count; t->record++) {
		r = message_record(t->request, t->record);
		op = operation_find(r->type);
		if (op->check && op->check(t, r) < 0)
			return -ECANCELED;
	}
	return 0;
}

int transaction_prepare(struct transaction *t)
{
	for (t->record = 0; t->record < t->request->count; t->record++) {
		const struct command_record *r = message_record(t->request, t->record);
		const struct operation *op = operation_find(r->type);

		if (op->publish)
			t->kernel = true;
		if (op->prepare && op->prepare(t, r) < 0)
			return -ECANCELED;
		CRASH_POINT("operation-prepared");
	}
	t->record = COMMAND_NONE;
	return 0;
}

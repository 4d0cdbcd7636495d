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

#include <common/log.h>
#include <common/uuid.h>

#include "hold.h"
#include "internal.h"
#include "launch.h"
#include "operation.h"
#include "ledger.h"
#include "news.h"
#include "query.h"
#include "transaction.h"

struct request {
	struct transaction t;
	uint8_t *message;
	size_t length;
	struct reply *reply;		/* NULL: stored is the reply */
	uint8_t *stored;
	size_t n_stored;
};

struct batch {
	struct uvd *uvd;
	bool begun, internal;
	struct request *request[BATCH_MAX];
	unsigned int n;
};

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
static void summarize(struct transaction *t)
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

static void lists_free(struct transaction *t)
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
static void drop(struct transaction *t)
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
	lists_free(t);
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
	}
	/* The process first: it must not see its objects vanish and call that a failure. */
	for (i = 0; i < t->n_ended; i++)
		uvd->hooks->end(uvd, t->ended[i]);
	for (i = 0; i < t->gone.n; i++) {
		rc = kernel_object_destroy(uvd->kernel, t->gone.id[i]);
		if (rc < 0 && rc != -ENOENT)
			log_errno(LOG_ERR, rc, "object %llu cannot be destroyed",
				  (unsigned long long)t->gone.id[i]);
	}
	for (i = 0; i < t->n_taps_gone; i++) {
		rc = uvd->network->ops->tap_delete(uvd->network, t->taps_gone[i]);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "%s cannot be removed", t->taps_gone[i]);
	}
	if (t->bridge_gone) {
		rc = uvd->network->ops->bridge_delete(uvd->network, NETWORK_OWN_BRIDGE);
		if (rc < 0)
			log_errno(LOG_ERR, rc, "%s cannot be removed", NETWORK_OWN_BRIDGE);
	}
}

/* Cannot fail; what goes wrong is logged, and found again at the next start. */
static void publish(struct transaction *t)
{
	struct uvd *uvd = t->uvd;
	uint32_t i;

	publish_objects(t);
	for (i = 0; i < t->request->count; i++) {
		const struct command_record *r = message_record(t->request, i);
		const struct operation *op = operation_find(r->type);

		if (op->publish)
			op->publish(t, r);
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
}

static int apply_all(struct transaction *t)
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
	}
	for (t->record = 0; t->record < t->request->count; t->record++) {
		r = message_record(t->request, t->record);
		op = operation_find(r->type);
		if (op->check && op->check(t, r) < 0)
			return -ECANCELED;
	}
	return 0;
}

static int prepare_all(struct transaction *t)
{
	for (t->record = 0; t->record < t->request->count; t->record++) {
		const struct command_record *r = message_record(t->request, t->record);
		const struct operation *op = operation_find(r->type);

		if (op->publish)
			t->kernel = true;
		if (op->prepare && op->prepare(t, r) < 0)
			return -ECANCELED;
	}
	t->record = COMMAND_NONE;
	return 0;
}

/* The partition that it is about first; NULL: it is about none. */
static const char *partition_of(const struct transaction *t)
{
	uint16_t type = t->request->count ? message_record(t->request, 0)->type : 0;

	if (!type || !t->subject[0] || type == INTERNAL_HOST_INSTANCE ||
	    type == INTERNAL_COMMAND_CHANNEL ||
	    (type >= COMMAND_DOMAIN_CREATE && type <= COMMAND_HOST_START))
		return NULL;
	return t->subject;
}

/*
 * With the fields of the transaction set; also for what publishing logs. What changes no state is
 * in the ledger, and logged for debugging alone: there may be thousands a second.
 */
static void trace(const struct transaction *t)
{
	const struct command_header *h = t->request;
	bool refused = t->fault.status != COMMAND_OK;
	size_t i;

	log_line(t->n_states || refused ? LOG_INFO : LOG_DEBUG, "%s by %s%s: %s%s%s",
		 refused ? "refused" : "committed", t->internal ? "uvd" : h->who,
		 t->internal ? "" : " over the command channel", t->summary,
		 refused && t->summary[0] ? ": " : "", t->fault.text);
	for (i = 0; !refused && i < t->n_states; i++) {
		const char *before = log_partition(t->states[i].partition);

		log_info("%s is %s", t->states[i].partition,
			 partition_state_name(t->states[i].state));
		log_partition(before);
	}
}

static void write_ledger(struct request *q, bool internal)
{
	struct transaction *t = &q->t;
	struct command_header *h = (struct command_header *)q->message;
	struct ledger_line line = {
		.transaction = t->number,
		.request_id = h->request_id,
		.digest = message_digest(h),
		.status = t->fault.status,
		.operations = h->count,
		.uid = h->uid,
		.pid = h->pid,
		.epoch = h->epoch,
		.who = h->who,
		.subject = t->subject,
		.summary = t->summary,
		.reason = h->text,
		.text = t->fault.text,
		.reply = internal ? NULL : q->reply->bytes,
		.n_reply = q->reply->length,
	};
	int rc = ledger_add(t->uvd->db, &line);

	/* With a transaction that cannot be in the ledger the commit will fail as well, or must. */
	if (rc < 0 && t->fault.status == COMMAND_OK)
		refuse_db(t, rc);
}

/* A request that was answered before gets that answer. True: it was. */
static bool replay(struct batch *b, struct request *q)
{
	struct command_header *h = (struct command_header *)q->message;
	uint64_t digest;
	int rc;

	if (!message_header_ok(q->message, q->length) || h->kind != COMMAND_TRANSACT)
		return false;
	rc = ledger_find(b->uvd->db, h->request_id, &digest, &q->stored, &q->n_stored);
	if (rc <= 0)
		return false;
	if (digest == message_digest(h) && q->stored) {
		log_debug("a repeated request gets its first answer");
		return true;
	}
	free(q->stored);
	q->stored = NULL;
	fault_set(&q->t.fault, COMMAND_CONFLICT, "make a new request id for a new request",
		  "this request id was used for another request");
	reply_init(q->reply, h);
	reply_finish(q->reply, &q->t.fault, 0, false);
	return true;
}

static void run_plan(struct request *q)
{
	struct transaction *t = &q->t;

	if (apply_all(t) == 0)
		query_subjects(t->uvd, t->request, q->reply);
	db_undo(t->uvd->db);
	reply_finish(q->reply, &t->fault, 0, false);
	lists_free(t);
}

/* Everything up to the commit; rows of a refused one are undone. */
static void run_transaction(struct batch *b, struct request *q)
{
	struct transaction *t = &q->t;

	bool ok = apply_all(t) == 0;

	summarize(t);
	if (ok && prepare_all(t) == 0) {
		query_subjects(t->uvd, t->request, q->reply);
		reply_finish(q->reply, &t->fault, t->number, false);
		write_ledger(q, b->internal);
	}
	if (t->fault.status == COMMAND_OK && refuse_db(t, db_release(t->uvd->db)) == 0)
		return;
	drop(t);
	t->kernel = false;
	db_undo(t->uvd->db);
	if (t->processors)
		processors_sync(t->uvd, true);
	reply_finish(q->reply, &t->fault, t->number, false);
	if (t->fault.status != COMMAND_READ_ONLY && db_in_transaction(t->uvd->db))
		write_ledger(q, b->internal);
}

static int begin(struct batch *b)
{
	int rc;

	/* SQLite may have rolled back for want of space: nothing of this batch can be kept then. */
	if (b->begun)
		return db_in_transaction(b->uvd->db) ? 0 : -ENOSPC;
	rc = db_begin(b->uvd->db);
	b->begun = rc == 0;
	return rc;
}

static void run(struct batch *b, struct request *q)
{
	struct transaction *t = &q->t;
	struct db *db = b->uvd->db;
	struct command_header *h = (struct command_header *)q->message;
	int rc;

	reply_init(q->reply, message_header_ok(q->message, q->length) ? h : NULL);
	if (!message_header_ok(q->message, q->length)) {
		/* Whose it was cannot be believed: there is nothing to write into the ledger. */
		message_check(q->message, q->length, b->internal, &t->fault);
		reply_finish(q->reply, &t->fault, 0, false);
		return;
	}
	t->plan = h->kind == COMMAND_PLAN;
	t->request = h;
	rc = begin(b);
	if (rc == 0 && !t->plan)
		rc = ledger_number(db, &t->number);
	else if (rc == 0)
		t->number = UINT32_MAX;	/* no row was changed by it yet */
	if (rc == 0)
		rc = db_savepoint(db);
	if (rc < 0) {
		refuse_db(t, rc);
		reply_finish(q->reply, &t->fault, 0, false);
		return;
	}
	if (message_check(q->message, q->length, b->internal, &t->fault) < 0) {
		db_undo(db);
		/* No record of it is to be looked at again. */
		h->count = 0;
		h->length = sizeof(*h);
		reply_finish(q->reply, &t->fault, t->number, false);
		if (!t->plan)
			write_ledger(q, b->internal);
		return;
	}
	if (t->plan)
		run_plan(q);
	else
		run_transaction(b, q);
}

static void request_free(struct request *q)
{
	if (!q)
		return;
	lists_free(&q->t);
	free(q->message);
	free(q->reply);
	free(q->stored);
	free(q);
}

struct batch *batch_create(struct uvd *uvd)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b)
		b->uvd = uvd;
	return b;
}

void batch_destroy(struct batch *b)
{
	unsigned int i;

	if (!b)
		return;
	if (b->begun)
		db_rollback(b->uvd->db);
	for (i = 0; i < b->n; i++) {
		drop(&b->request[i]->t);
		request_free(b->request[i]);
	}
	free(b);
}

bool batch_empty(const struct batch *b)
{
	return b->n == 0;
}

bool batch_add(struct batch *b, const void *message, size_t n)
{
	struct request *q = calloc(1, sizeof(*q));

	if (q) {
		/* calloc: an empty packet has a message, too. */
		q->message = calloc(1, n + sizeof(struct command_header));
		q->reply = malloc(sizeof(*q->reply));
	}
	if (!q || !q->message || !q->reply) {
		/* No answer: the author asks again. */
		log_error("out of memory for a request of %zu bytes", n);
		request_free(q);
		return true;
	}
	memcpy(q->message, message, n);
	q->length = n;
	q->t.uvd = b->uvd;
	q->t.internal = b->internal;
	q->t.record = COMMAND_NONE;
	b->request[b->n++] = q;
	if (!replay(b, q))
		run(b, q);
	return q->t.kernel || b->n == BATCH_MAX;
}

/* Nothing of the batch happened. */
static void fail_all(struct batch *b, int rc)
{
	/* Without room there was none for the end, either; else that may be in the file. */
	uint32_t status = rc == -ENOSPC || rc == -EROFS ? COMMAND_READ_ONLY :
			  db_unwritable(rc) ? COMMAND_UNKNOWN : COMMAND_FAILED;
	char text[128];
	unsigned int i;

	snprintf(text, sizeof(text), "%s", db_error(b->uvd->db));
	log_errno(LOG_ERR, rc, "%u transactions cannot be committed (%s)", b->n, text);
	db_rollback(b->uvd->db);
	b->uvd->read_only = db_unwritable(rc);
	for (i = 0; i < b->n; i++) {
		struct request *q = b->request[i];

		/* A stored reply may be that of a request in this very batch. */
		free(q->stored);
		if (q->stored)
			reply_init(q->reply, (const struct command_header *)q->message);
		else if (!q->t.number || q->t.plan)
			continue;
		q->stored = NULL;
		drop(&q->t);
		fault_set(&q->t.fault, status, db_remedy(rc), "the database cannot be written: %s",
			  text);
		reply_finish(q->reply, &q->t.fault, 0, false);
		q->t.number = 0;
	}
}

/* Each number that was given has its line in the ledger, unless that could not be written. */
static bool wrote(const struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		const struct transaction *t = &b->request[i]->t;

		if (b->begun && t->number && !t->plan && t->fault.status != COMMAND_READ_ONLY)
			return true;
	}
	return false;
}

static void set_fields(const struct transaction *t, char id[UUID_TEXT])
{
	log_partition(partition_of(t));
	log_transaction(t->number);
	log_request(uuid_format(t->request->request_id, id));
}

static void clear_fields(void)
{
	log_partition(NULL);
	log_transaction(0);
	log_request(NULL);
}

void batch_commit(struct batch *b, reply_fn *reply, void *data)
{
	char id[UUID_TEXT];
	unsigned int i;
	int rc = 0;

	if (b->begun)
		rc = db_in_transaction(b->uvd->db) ? db_commit(b->uvd->db) : -ENOSPC;
	if (rc < 0)
		fail_all(b, rc);
	else if (wrote(b))
		b->uvd->read_only = false;
	b->begun = false;
	for (i = 0; i < b->n; i++) {
		struct request *q = b->request[i];

		if (q->t.number && !q->t.plan) {
			set_fields(&q->t, id);
			trace(&q->t);
			news_transaction(b->uvd->news, &q->t);
			if (q->t.fault.status == COMMAND_OK)
				publish(&q->t);
			clear_fields();
		}
		if (reply && q->stored)
			reply(q->stored, q->n_stored, data);
		else if (reply)
			reply(q->reply->bytes, q->reply->length, data);
		request_free(q);
		b->request[i] = NULL;
	}
	b->n = 0;
}

int transaction_own(struct uvd *uvd, const char *why, const void *records, size_t n, uint32_t count)
{
	struct command_header *h;
	struct batch *b;
	uint32_t status;
	uint8_t *message = calloc(1, sizeof(*h) + n);
	struct request *q;

	b = batch_create(uvd);
	if (!b || !message) {
		free(message);
		batch_destroy(b);
		return -ENOMEM;
	}
	h = (struct command_header *)message;
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = COMMAND_TRANSACT;
	h->length = sizeof(*h) + n;
	h->count = count;
	uuid_random(h->request_id);
	strcpy(h->who, "uvd");
	snprintf(h->text, sizeof(h->text), "%s", why);
	memcpy(message + sizeof(*h), records, n);

	b->internal = true;
	batch_add(b, message, h->length);
	free(message);
	q = b->n ? b->request[0] : NULL;
	if (q && q->t.fault.status)
		log_warning("uvd's own transaction is refused: %s", q->t.fault.text);
	status = q ? q->t.fault.status : COMMAND_FAILED;
	batch_commit(b, NULL, NULL);
	if (status == COMMAND_OK && uvd->read_only)
		status = COMMAND_READ_ONLY;
	batch_destroy(b);
	if (status == COMMAND_OK)
		return 0;
	return status == COMMAND_READ_ONLY ? -EROFS : -ECANCELED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that waited together: one SQLite transaction, one savepoint each, one flush for all. A
 * request that was answered before gets that answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/crash.h>
#include <common/log.h>
#include <common/uuid.h>

#include "batch.h"
#include "changes.h"
#include "internal.h"
#include "ledger.h"
#include "news.h"
#include "operation.h"
#include "query.h"

#define BATCH_MAX 64

struct request {
	struct transaction t;
	struct ledger_line line;
	uint8_t *message;
	size_t length, room;
	struct reply *reply;		/* NULL: stored is the reply */
	uint8_t *stored;
	size_t n_stored;
};

struct batch {
	struct uvd *uvd;
	bool begun, internal;
	/* Those behind the first n wait to be used again: a reply is large. */
	struct request *request[BATCH_MAX];
	unsigned int n;
};

/* The partition that it is about first; NULL: it is about none. */
static const char *partition_of(const struct transaction *t)
{
	uint16_t type = t->request->count ? message_record(t->request, 0)->type : 0;

	if (!type || !t->subject[0] || type == INTERNAL_HOST_INSTANCE ||
	    type == INTERNAL_COMMAND_CHANNEL ||
	    type == COMMAND_DOMAIN_MODIFY ||
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

/* Its line in the ledger, and by that its number. */
static int begin_line(struct batch *b, struct request *q)
{
	int rc = db_savepoint(b->uvd->db);

	if (rc == 0)
		rc = ledger_begin(b->uvd->db, &q->line);
	q->t.number = rc == 0 ? q->line.transaction : 0;
	return rc;
}

static void end_line(struct batch *b, struct request *q)
{
	struct transaction *t = &q->t;
	int rc;

	q->line.status = t->fault.status;
	q->line.subject = t->subject;
	q->line.summary = t->summary;
	q->line.text = t->fault.text;
	q->line.reply = b->internal ? NULL : q->reply->bytes;
	q->line.n_reply = q->reply->length;
	rc = ledger_end(b->uvd->db, &q->line);

	/* With a transaction that cannot be in the ledger the commit will fail as well, or must. */
	if (rc < 0 && t->fault.status == COMMAND_OK)
		refuse_db(t, rc);
}

/* What it did is undone, and its line says that it was refused, and why. */
static void refuse_line(struct batch *b, struct request *q)
{
	struct transaction *t = &q->t;
	struct db *db = b->uvd->db;
	bool line;

	db_undo(db);
	line = t->fault.status != COMMAND_READ_ONLY && db_in_transaction(db);
	if (line && begin_line(b, q) < 0) {
		db_undo(db);
		line = false;
	}
	reply_finish(q->reply, &t->fault, t->number, false);
	if (line) {
		end_line(b, q);
		db_release(db);
	}
}

/* A request that was answered before gets that answer. True: it was. */
static bool replay(struct batch *b, struct request *q)
{
	struct command_header *h = (struct command_header *)q->message;
	uint64_t digest;
	int rc;

	if (h->kind != COMMAND_TRANSACT)
		return false;
	rc = ledger_find(b->uvd->db, h->request_id, &digest, &q->stored, &q->n_stored);
	if (rc <= 0)
		return false;
	if (digest == q->line.digest && q->stored) {
		log_debug("a repeated request gets its first answer");
		q->t.fault.status = COMMAND_OK;
		return true;
	}
	free(q->stored);
	q->stored = NULL;
	fault_set(&q->t.fault, COMMAND_CONFLICT, "make a new request id for a new request",
		  "this request id was used for another request");
	reply_finish(q->reply, &q->t.fault, 0, false);
	return true;
}

static void run_plan(struct request *q)
{
	struct transaction *t = &q->t;

	if (transaction_apply(t) == 0)
		query_subjects(t->uvd, t->request, q->reply);
	db_undo(t->uvd->db);
	reply_finish(q->reply, &t->fault, 0, false);
	transaction_free(t);
}

/* Everything up to the commit; rows of a refused one are undone. */
static void run_transaction(struct batch *b, struct request *q)
{
	struct transaction *t = &q->t;

	bool ok = transaction_apply(t) == 0;

	CRASH_POINT("applied");
	transaction_summarize(t);
	if (ok && transaction_prepare(t) == 0) {
		CRASH_POINT("prepared");
		query_subjects(t->uvd, t->request, q->reply);
		reply_finish(q->reply, &t->fault, t->number, false);
		end_line(b, q);
		CRASH_POINT("in-ledger");
	}
	if (t->fault.status == COMMAND_OK && refuse_db(t, db_release(t->uvd->db)) == 0)
		return;
	transaction_drop(t);
	t->kernel = false;
	refuse_line(b, q);
	if (t->processors)
		processors_sync(t->uvd, true);
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
	struct command_header *h = (struct command_header *)q->message;
	uint8_t own[16];
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
	q->line = (struct ledger_line){
		.request_id = h->request_id,
		.digest = message_digest(h),
		.operations = h->count,
		.uid = h->uid,
		.pid = h->pid,
		.epoch = h->epoch,
		.who = h->who,
		.reason = h->text,
	};
	/* A plan's line is taken back with all that it tries. */
	if (t->plan) {
		uuid_random(own);
		q->line.request_id = own;
	}
	rc = begin(b);
	if (rc == 0)
		rc = begin_line(b, q);
	if (rc < 0) {
		refuse_db(t, rc);
		db_undo(b->uvd->db);
		if (!replay(b, q))
			reply_finish(q->reply, &t->fault, 0, false);
		return;
	}
	CRASH_POINT("received");
	if (message_check(q->message, q->length, b->internal, &t->fault) == 0) {
		if (t->plan)
			run_plan(q);
		else
			run_transaction(b, q);
		return;
	}
	/* No record of it is to be looked at again. */
	h->count = 0;
	h->length = sizeof(*h);
	q->line.operations = 0;
	if (!t->plan) {
		refuse_line(b, q);
		return;
	}
	db_undo(b->uvd->db);
	reply_finish(q->reply, &t->fault, 0, false);
}

static void request_free(struct request *q)
{
	if (!q)
		return;
	transaction_free(&q->t);
	free(q->message);
	free(q->reply);
	free(q->stored);
	free(q);
}

/* A message's room is kept as well, unless it is one of the rare long ones. */
#define KEPT 16384

static void request_clear(struct request *q)
{
	transaction_free(&q->t);
	memset(&q->t, 0, sizeof(q->t));
	free(q->stored);
	q->stored = NULL;
	q->n_stored = 0;
	if (q->room > KEPT) {
		free(q->message);
		q->message = NULL;
		q->room = 0;
	}
}

static bool request_set(struct request *q, const void *message, size_t n)
{
	/* An empty packet has a message, too. */
	size_t room = n + sizeof(struct command_header);

	if (!q->reply)
		q->reply = malloc(sizeof(*q->reply));
	if (room > q->room) {
		free(q->message);
		q->message = malloc(room);
		q->room = q->message ? room : 0;
	}
	if (!q->reply || !q->message)
		return false;
	memcpy(q->message, message, n);
	memset(q->message + n, 0, sizeof(struct command_header));
	q->length = n;
	return true;
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
	for (i = 0; i < BATCH_MAX; i++) {
		if (i < b->n)
			transaction_drop(&b->request[i]->t);
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
	struct request *q = b->request[b->n];

	if (!q)
		q = b->request[b->n] = calloc(1, sizeof(*q));
	if (!q || !request_set(q, message, n)) {
		/* No answer: the author asks again. */
		log_error("out of memory for a request of %zu bytes", n);
		return true;
	}
	q->t.uvd = b->uvd;
	q->t.internal = b->internal;
	q->t.record = COMMAND_NONE;
	b->n++;
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
		transaction_drop(&q->t);
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
	uint64_t numbers[BATCH_MAX];
	char id[UUID_TEXT];
	unsigned int i, n = b->n;
	int rc = 0;

	CRASH_POINT("committing");
	/* Of plans nothing stays, but SQLite would write the pages that they have touched. */
	if (b->begun && !wrote(b) && db_in_transaction(b->uvd->db))
		db_rollback(b->uvd->db);
	else if (b->begun)
		rc = db_in_transaction(b->uvd->db) ? db_commit(b->uvd->db) : -ENOSPC;
	CRASH_POINT("committed");
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
			if (q->t.fault.status == COMMAND_OK) {
				changes_note(b->uvd->changes, &q->t);
				transaction_publish(&q->t);
			}
			clear_fields();
		}
		CRASH_POINT("replying");
		if (reply && q->stored)
			reply(q->stored, q->n_stored, data);
		else if (reply)
			reply(q->reply->bytes, q->reply->length, data);
		CRASH_POINT("replied");
		numbers[i] = q->t.plan ? 0 : q->t.number;
		request_clear(q);
	}
	b->n = 0;
	for (i = 0; i < n; i++)
		ledger_forget(b->uvd->db, numbers[i]);
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

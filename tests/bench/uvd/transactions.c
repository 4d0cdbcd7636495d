/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable transactions a second, through the command channel and back, beside 10,000 partitions: a
 * change of a partition that is off, which writes its row, a version of it into the history, and a
 * line with the answer into the ledger. Beside them, in turns, on the same file system: SQLite's
 * commits of one row each, bare; etcd; libvirt.
 *   transactions
 *   transactions DIRECTORY SOCKET	of the uvd there, with 1,000 partitions; files in DIRECTORY
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "peers.h"

#define PARTITIONS	10000
#define PARTITIONS_THERE 1000
#define CLIENTS		16
#define ROUNDS		SERIES_ROUNDS
#define ROUND_S		0.4

static struct book book;
static uint64_t generation[PARTITIONS];
static unsigned int partitions = PARTITIONS;
/* ---- ours */

struct client {
	struct book_message m;
	unsigned int partition;
	double since;
};

static void change(struct client *c)
{
	struct command_partition_modify *r;
	struct command_header *h;
	int rc;

	h = book_begin(&c->m, COMMAND_TRANSACT);
	strcpy(h->text, "more at night");
	r = book_add(&c->m, COMMAND_PARTITION_MODIFY);
	book_uuid(r->partition, c->partition);
	r->r.generation = generation[c->partition];
	r->mode = MODE_SHARED;
	r->period_ns = 100000000;
	r->budget_ns = 1000000 * (1 + random() % 99);
	c->since = seconds();
	rc = packet_send_wait(book.ring, h, h->length, 5000);
	if (rc < 0)
		die("send: %s", strerror(-rc));
}

/* Each client waits for its answer, then asks again: as cmdpartd's do, all on one channel. */
static void ours(struct series *s, unsigned int clients, unsigned int round)
{
	static struct client client[CLIENTS];
	const struct command_header *reply = (const void *)book.reply;
	double begin = seconds();
	unsigned int i, waiting = 0, done = 0;

	for (i = 0; i < clients; i++, waiting++) {
		/* No two of them change the same one. */
		client[i].partition = random() % (partitions / CLIENTS) * CLIENTS + i;
		change(&client[i]);
	}
	while (waiting) {
		ssize_t n = packet_receive_wait(book.ring, book.reply, sizeof(book.reply), 5000);
		const struct command_row_partition *p = (const void *)(reply + 1);

		if (n < 0)
			die("receive: %s", strerror(-n));
		if (reply->status != COMMAND_OK || !reply->count)
			die("refused: %s", reply->text);
		for (i = 0; i < clients; i++)
			if (!memcmp(((struct command_header *)client[i].m.bytes)->request_id,
				    reply->request_id, 16))
				break;
		series_took(s, client[i].since);
		generation[client[i].partition] = p->r.generation;
		done++;
		if (seconds() - begin > ROUND_S) {
			waiting--;
			continue;
		}
		client[i].partition = random() % (partitions / CLIENTS) * CLIENTS + i;
		change(&client[i]);
	}
	s->rate[round] = done / (seconds() - begin);
}

/* ---- SQLite alone */

static sqlite3 *bare;
static sqlite3_stmt *update;

static void must(int r)
{
	if (r != SQLITE_OK && r != SQLITE_DONE)
		die("SQLite: %s", sqlite3_errmsg(bare));
}

static void bare_open(const char *path)
{
	must(sqlite3_open(path, &bare));
	must(sqlite3_exec(bare, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			  "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB NOT NULL);"
			  "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
			  " WHERE i < 9999) INSERT INTO t SELECT i, randomblob(200) FROM n",
			  NULL, NULL, NULL));
	must(sqlite3_prepare_v2(bare, "UPDATE t SET v = ? WHERE id = ?", -1, &update, NULL));
}

static void bare_run(struct series *s, unsigned int round)
{
	double begin = seconds(), since = begin;
	unsigned int done = 0;
	uint32_t row[50];

	while (since - begin < ROUND_S) {
		for (unsigned int i = 0; i < 50; i++)
			row[i] = random();
		must(sqlite3_bind_blob(update, 1, row, sizeof(row), SQLITE_STATIC));
		must(sqlite3_bind_int(update, 2, random() % PARTITIONS));
		must(sqlite3_step(update));
		must(sqlite3_reset(update));
		series_took(s, since);
		since = seconds();
		done++;
	}
	s->rate[round] = done / (since - begin);
}

/* ---- all of it */

static void print(struct series *s, const struct series *peer, const char *than, double aim)
{
	double ratio[ROUNDS], rate[ROUNDS], m;

	memcpy(rate, s->rate, sizeof(rate));
	printf("  %-34s %7.0f /s   p50 %7.0f us   p99 %7.0f us", s->name, median(rate, ROUNDS),
	       quantile(s->took, s->n, 0.5) * 1e6, quantile(s->took, s->n, 0.99) * 1e6);
	for (unsigned int i = 0; peer && i < ROUNDS; i++)
		ratio[i] = s->rate[i] / peer->rate[i];
	m = peer ? median(ratio, ROUNDS) : 0;
	if (peer)
		printf("   %5.2f of %s", m, than);
	if (aim > 0)
		printf("  aim: at least %.1f%s", aim, m >= aim ? "" : "  AIM MISSED");
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct series one = { .name = "uvd, 1 client" }, many = { .name = "uvd, 16 clients" };
	struct series sqlite = { .name = "SQLite alone, one row a commit" };
	struct series put = { .name = "etcd put, 1 client" };
	struct series puts = { .name = "etcd put, 16 clients" };
	struct series domain = { .name = "libvirt define and undefine" };
	char own[] = "build/bench/book.XXXXXX", path[128];
	const char *directory = argc == 3 ? argv[1] : own;
	bool etcd = false, libvirt = false;

	if (argc == 3) {
		book_connect(&book, directory, argv[2]);
		partitions = PARTITIONS_THERE;
	} else {
		if (!mkdtemp(own))
			die("%s: %s", own, strerror(errno));
		etcd = etcd_open();
		libvirt = libvirt_open();
		book_open(&book, directory, NULL);
	}
	book_domain(&book);
	book_fill(&book, 0, partitions);
	snprintf(path, sizeof(path), "%s/bare.db", directory);
	bare_open(path);
	for (unsigned int i = 0; i < partitions; i++)
		generation[i] = 1;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		ours(&one, 1, i);
		bare_run(&sqlite, i);
		ours(&many, CLIENTS, i);
		if (etcd) {
			etcd_run(&put, 1, i, ROUND_S);
			etcd_run(&puts, CLIENTS, i, ROUND_S);
		}
		if (libvirt)
			libvirt_run(&domain, i, ROUND_S);
	}
	book_close(&book);
	printf("  %u partitions, each with a disk, a network card and a console; medians of %u"
	       " rounds\n", partitions, ROUNDS);
	print(&sqlite, NULL, NULL, 0);
	/* Emulated processors have other ratios than real ones. */
	print(&one, &sqlite, "SQLite alone", argc == 3 ? 0 : 0.6);
	print(&many, &one, "1 client", argc == 3 ? 0 : 2.5);
	if (etcd) {
		print(&put, &sqlite, "SQLite alone", 0);
		print(&puts, &put, "1 client", 0);
		etcd_close();
	}
	if (libvirt) {
		print(&domain, &sqlite, "SQLite alone", 0);
		libvirt_close();
	}
	sqlite3_finalize(update);
	sqlite3_close(bare);
	unlink(path);
	book_remove(directory);
	return 0;
}

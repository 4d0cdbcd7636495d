/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the size of the book costs: a commit, all that is shown of one partition, uvd's start until
 * its first answer, and memory, with 100, 1,000 and 10,000 partitions; the three take turns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"

#define SIZES	3
#define ROUNDS	15
#define EACH	100		/* of one kind, in a round */

static struct size {
	unsigned int partitions;
	char directory[40];
	struct book book;
	double commit[ROUNDS], show[ROUNDS], restart[ROUNDS];
	uint64_t memory, file;
} size[SIZES] = { { .partitions = 100 }, { .partitions = 1000 }, { .partitions = 10000 } };

static void commit(struct book *b, unsigned int i)
{
	static struct book_message m;
	struct command_partition_modify *r;

	book_begin(&m, COMMAND_TRANSACT);
	r = book_add(&m, COMMAND_PARTITION_MODIFY);
	book_uuid(r->partition, i);
	r->mode = MODE_SHARED;
	r->period_ns = 100000000;
	r->budget_ns = 1000000 * (1 + random() % 99);
	book_ask(b, &m);
}

/* As cmdpartd asks for `cmdpartctl show NAME`. */
static void show(struct book *b, unsigned int i)
{
	static const uint16_t types[] = { COMMAND_ROW_PARTITION, COMMAND_ROW_DEVICE,
					  COMMAND_ROW_CHANNEL, COMMAND_ROW_CONTEXT };
	static struct book_message m;
	struct command_query *q;

	for (unsigned int t = 0; t < sizeof(types) / sizeof(*types); t++) {
		book_begin(&m, COMMAND_QUERY);
		q = book_add(&m, COMMAND_QUERY_ROWS);
		q->row = types[t];
		book_name(q->name, i);
		if (!book_ask(b, &m)->count && t < 2)
			die("partition %u is not there", i);
	}
}

static double each(struct size *s, void (*what)(struct book *b, unsigned int i))
{
	double took[EACH], since;

	for (unsigned int i = 0; i < EACH; i++) {
		since = seconds();
		what(&s->book, random() % s->partitions);
		took[i] = seconds() - since;
	}
	return median(took, EACH);
}

/* Killed, as always: what was in its log is read, too. */
static double restart(struct size *s)
{
	double since;

	book_close(&s->book);
	since = seconds();
	book_open(&s->book, s->directory, NULL);
	show(&s->book, 0);
	return seconds() - since;
}

static void print(const char *what, size_t member, double aim)
{
	double m[SIZES], ratio[ROUNDS];

	for (unsigned int i = 0; i < SIZES; i++) {
		const double *list = (const double *)((const char *)&size[i] + member);
		double copy[ROUNDS];

		memcpy(copy, list, sizeof(copy));
		m[i] = median(copy, ROUNDS);
		for (unsigned int k = 0; i == SIZES - 1 && k < ROUNDS; k++)
			ratio[k] = list[k] / ((const double *)((const char *)&size[0] +
							       member))[k];
	}
	printf("  %-34s %8.0f us %8.0f us %8.0f us   %5.2f of the first", what, m[0] * 1e6,
	       m[1] * 1e6, m[2] * 1e6, median(ratio, ROUNDS));
	if (aim > 1)
		printf("  aim: at most %.1f%s\n", aim, median(ratio, ROUNDS) <= aim ? "" :
		       "  AIM MISSED");
	else
		printf("  aim: the last at most 1 s%s\n", m[SIZES - 1] <= aim ? "" :
		       "  AIM MISSED");
}

int main(void)
{
	const struct size *small = &size[0], *large = &size[SIZES - 1];
	unsigned int more = large->partitions - small->partitions;

	for (unsigned int i = 0; i < SIZES; i++) {
		strcpy(size[i].directory, "build/bench/book.XXXXXX");
		if (!mkdtemp(size[i].directory))
			die("%s: %s", size[i].directory, strerror(errno));
		book_open(&size[i].book, size[i].directory, NULL);
		book_domain(&size[i].book);
		book_fill(&size[i].book, 0, size[i].partitions);
	}
	for (unsigned int k = 0; k < ROUNDS; k++)
		for (unsigned int i = 0; i < SIZES; i++) {
			size[i].commit[k] = each(&size[i], commit);
			size[i].show[k] = each(&size[i], show);
			size[i].restart[k] = restart(&size[i]);
		}
	for (unsigned int i = 0; i < SIZES; i++) {
		/* All of it has been looked at. */
		for (unsigned int k = 0; k < size[i].partitions; k++)
			show(&size[i].book, k);
		size[i].memory = book_resident(&size[i].book);
		size[i].file = book_file(&size[i].book);
		book_close(&size[i].book);
		book_remove(size[i].directory);
	}
	printf("  %-34s %11u %11u %11u\n", "partitions", size[0].partitions, size[1].partitions,
	       size[2].partitions);
	print("commit of one partition", offsetof(struct size, commit), 1.5);
	print("show of one partition", offsetof(struct size, show), 1.5);
	print("start to the first answer", offsetof(struct size, restart), 1);
	printf("  %-34s %7.1f KiB in memory, %.1f KiB in the file\n", "each partition more",
	       (large->memory - (double)small->memory) / more / 1024,
	       (large->file - (double)small->file) / more / 1024);
	return 0;
}

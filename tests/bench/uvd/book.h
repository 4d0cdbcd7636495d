/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvd's own code, all of it but main(), as a process of its own behind a command channel of
 * anonymous memory; and the client's side of that channel. The module is not there: what partitions
 * that are off need of it is nothing, and the others get numbers for objects.
 */
#ifndef BENCH_UVD_BOOK_H
#define BENCH_UVD_BOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <libchannel/packet.h>
#include <ultravisor/command.h>
#include <uvd/inventory.h>

struct book {
	const char *directory;
	pid_t pid;
	struct channel *client;
	struct packet_ring *ring;
	bool mixed;		/* a fifth of them have a budget, a tenth a window, some a CPU */
	uint64_t reply[COMMAND_MAX_LENGTH / 8];
};

/* Starts uvd on the book in directory, which is made if need be. shape NULL: this host's. */
void book_open(struct book *b, const char *directory, const struct inventory *shape);
/* The same, and the client's end is the caller's to hand on. */
pid_t book_serve(const char *directory, const struct inventory *shape, struct channel **client);
/* A running uvd's, with the module, as cmdpartd reaches it; this process becomes its user. */
void book_connect(struct book *b, const char *directory, const char *socket);
void book_close(struct book *b);

/* Sends, and waits for the answer to it; it ends the program if it was refused. */
const struct command_header *book_ask(struct book *b, const void *message);

/* Messages: begun with this id or a random one, records behind each other. */
struct book_message {
	uint64_t bytes[COMMAND_MAX_LENGTH / 8];
};
struct command_header *book_begin(struct book_message *m, uint16_t kind);
void *book_add(struct book_message *m, uint16_t type);

/* The domain "default", of the whole pool; then partitions "flat00000" and on, all off. */
void book_domain(struct book *b);
void book_fill(struct book *b, unsigned int first, unsigned int count);
void book_uuid(uint8_t to[16], unsigned int i);
void book_name(char to[COMMAND_NAME_LEN], unsigned int i);

double seconds(void);
uint64_t book_resident(const struct book *b);	/* bytes that uvd alone has in memory */
uint64_t book_file(const struct book *b);	/* bytes of uvd.db */
void book_remove(const char *directory);

/* What took how long, in rounds. */
#define SERIES_ROUNDS	15
#define SERIES_MOST	100000
struct series {
	const char *name;
	double rate[SERIES_ROUNDS];	/* a second */
	double *took;			/* seconds, each; allocated by the first */
	unsigned int n;
};
void series_took(struct series *s, double since);

/* Of a list, which is sorted by it. */
double median(double *list, unsigned int n);
double quantile(double *list, unsigned int n, double q);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

#endif

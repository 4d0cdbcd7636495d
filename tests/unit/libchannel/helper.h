/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of libchannel share: pairs of ends, patterns, seeded numbers, bounded waits. */
#ifndef TEST_LIBCHANNEL_HELPER_H
#define TEST_LIBCHANNEL_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <libchannel/packet.h>
#include <stdbool.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct ends {
	struct channel *client, *server;
	struct packet_ring *to_server, *to_client;	/* the client's, the server's */
};

/* Both areas of size bytes, one doorbell; fails the test when it cannot. */
void ends_open(struct ends *e, size_t size);
void ends_close(struct ends *e);

/* The same without packet rings: for ends that other processes use. */
void ends_open_bare(struct ends *e, size_t size);

/* The memfd of an area of the youngest pair, by its name: "channel-client". */
int area_fd(const char *name);

/* A generator of its own per test, so that a failure comes again. */
struct seed { uint64_t state; };
uint64_t seed_next(struct seed *s);
uint64_t seed_below(struct seed *s, uint64_t limit);

/* A packet that carries its number and length, and proves that all of it arrived. */
size_t pattern_make(uint8_t *to, uint64_t number, size_t length);	/* length >= 8 */
bool pattern_check(const uint8_t *from, size_t length, uint64_t *number);

/* Forks; the child runs body(argument) and exits with its result, or dies after 60 s. */
pid_t child_start(int (*body)(void *), void *argument);
int child_end(pid_t pid);	/* its exit status; 128 + signal */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kinds of random steps share: what all processes know, the stream that this process draws
 * from, and what it holds. A step is a function without arguments that may do anything but end
 * its process.
 */
#ifndef TESTS_HOST_KMOD_RANDOM_RANDOM_H
#define TESTS_HOST_KMOD_RANDOM_RANDOM_H

#include <stdatomic.h>

#include "../common.h"

#define MS 1000000ull
#define MAX_PROCESSES 16
#define MAX_IDS 12		/* of each kind, known to all */
#define MAX_FDS 40		/* of each process */
#define MAX_MAPPINGS 12

enum kind {
	NOTHING, DEVICE, PARTITION, MONITOR, CONTEXT, CHANNEL, CLIENT, SERVER, EVENT, MEMORY, PIPE,
	NR_KINDS
};

enum { NR_COMMANDS = 0x60 };

/* Shared by all, without a lock: who reads something half written has a garbage argument. */
extern struct shared {
	atomic_ulong steps;
	atomic_ulong calls[NR_COMMANDS], good[NR_COMMANDS];
	atomic_ulong forks, kills, passed, touched, faulted, executed, stuck;
	_Atomic uint64_t partitions[MAX_IDS], channels[MAX_IDS];
	struct worker {
		_Atomic pid_t pid;
		_Atomic uint64_t asleep_since;	/* in CONTEXT_RUN, which may sleep for ever */
		uint64_t random;		/* the stream's state */
	} workers[MAX_PROCESSES];
} *shared;

extern unsigned long steps;
extern unsigned int processes;
extern int mail[MAX_PROCESSES][2];	/* on which each is sent descriptors */

/* ---- of this process ---- */

extern struct worker *me;
extern int fds[MAX_FDS];
extern enum kind kinds[MAX_FDS];

uint64_t draw(void);
uint64_t below(uint64_t n);
bool one_in(uint64_t n);

/* Takes a descriptor over, in the place of a random other one. */
void keep(int fd, enum kind kind);
/* One of that kind if there is any; now and then, any or none. */
int pick(enum kind kind);
uint64_t some_id(void);

/* An ioctl that is counted. */
long call(int fd, unsigned long cmd, void *arg);
/* Sizes that are right, or nearly, or not at all. */
uint32_t size_or_worse(uint32_t size);
uint32_t flags_or_worse(uint32_t flags);

#define ARGUMENT(type, ...) { .size = size_or_worse(sizeof(struct type)), __VA_ARGS__ }

/* ---- steps, by what they are about ---- */

/* object.c */
void create_partition(void);
void create_channel(void);
void open_object(void);
void next_object(void);
void destroy_or_publish(void);
void get_infos(void);

/* partition.c */
void use_processor(void);
void add_memory(void);
void set_context(void);
void use_lease(void);
void stop_or_resume(void);

/* channel.c */
void use_channel(void);
void use_endpoint(void);

/* guest.c */
void use_kvm(void);
void build_guest(void);
void open_context(void);
void run_some_context(void);
void run_context(int context);

/* nonsense.c */
void call_nonsense(void);

/* mapping.c */
void map(void);
void use_mapping(void);
void build_ends(void);
/* Of SIGBUS and SIGSEGV, which touching a mapping may bring. */
void on_fault(int signo);

/* descriptor.c */
void make_descriptor(void);
void drop_descriptor(void);
void use_eventfd(void);
void pass_descriptor(void);
void take_descriptor(void);

#endif /* TESTS_HOST_KMOD_RANDOM_RANDOM_H */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for unit tests of uvd: a kernel and a network in shared memory, so that what they hold
 * outlives a forked uvd that dies at a chosen call; a database in a directory of its own; a message
 * builder. Nothing of it is in the programs.
 */
#ifndef TEST_UVD_FAKE_H
#define TEST_UVD_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <ultravisor/command.h>
#include <uvd/batch.h>
#include <uvd/launch.h>
#include <uvd/uvd.h>

#define FAKE_OBJECTS	512
#define FAKE_TAPS	64
#define FAKE_CONTEXTS	4
#define FAKE_CPUS	8
#define FAKE_PROCESSES	8

struct fake_object {
	uint64_t id;			/* 0: free */
	uint32_t kind;
	bool published, stopped;
	uint64_t transaction, client;
	uint8_t uuid[16];
	uint8_t servers[4][16];
	uint64_t memory;
	uint32_t blocks, contexts;
	int32_t monitor;
	struct ultravisor_context_set context[FAKE_CONTEXTS];
	uint64_t lease_epoch, lease_deadline;
};

/* Shared between a test and the uvd that it forks. */
struct fake {
	struct fake_object object[FAKE_OBJECTS];
	uint64_t last_id;
	struct ultravisor_processor_set cpu[FAKE_CPUS];	/* as given */
	unsigned int context_sets, lease_renewals;
	int context_errno;		/* of the next CONTEXT_SET */
	uint8_t instance[16];
	char tap[FAKE_TAPS][NETWORK_NAME];
	bool unguarded[FAKE_TAPS];
	size_t members;			/* of zones */
	bool zones_differ, obstacle[OBSTACLES];
	bool own_bridge, other_bridge;	/* uvbr0; br7, the host's own */
	unsigned int calls;		/* of kernel and network, counted */
	unsigned int fail_at, crash_at;	/* the nth call; 0: none */
	int fail_errno;
	bool crash_at_commit;
	unsigned int starts, stops, ends, channels;	/* hooks called */
	unsigned int revoked;		/* slots */
	unsigned int promoted;
	bool unwatched;			/* ends of processes are not noticed */
	struct {
		char scope[COMMAND_NAME_LEN];	/* "": a process outside of all */
		int32_t pid;
		bool going;
	} process[FAKE_PROCESSES];
	unsigned int processes;
};

/* What setup makes: struct uvd over all of this, with the given processors and memory. */
struct host {
	struct uvd uvd;
	struct kernel kernel;
	struct network network;
	struct fake *fake;
	char directory[64];
	char kernel_file[128], image[128], image2[128];
	struct batch *batch;
	/* The last reply. */
	const struct command_header *reply;
	uint64_t reply_bytes[COMMAND_MAX_LENGTH / 8];
	unsigned int replies;
	uint8_t io_a[16], io_b[16];
};

/* 8 CPUs (pool 2-7) on 2 nodes, 4 GiB of memory (2 in the pool); domain "default": 2-5, 1 GiB. */
int host_setup(void **state);
int host_teardown(void **state);

/* Closes and opens the database, as a restarted uvd does; kernel and network stay. */
void host_reopen(struct host *h);

/* Building a message, and asking. */
void message_begin(struct host *h, uint16_t kind);
void *message_add(struct host *h, uint16_t type);
struct command_header *message_header(struct host *h);
const struct command_header *message_ask(struct host *h);
/* Any bytes. */
const struct command_header *host_ask(struct host *h, const void *message, size_t n);

/* Operations of the usual guest "web1": 2 shared vCPUs, 256 MiB, block, network and console. */
void name_uuid(uint8_t uuid[16], const char *name);
void add_define(struct host *h, const char *name, const char *image, const char *bridge);
void add_resources(struct host *h, const char *name);
void add_verb(struct host *h, uint16_t type, const char *name);
/* Both in messages of their own; fail the test if refused. */
void define(struct host *h, const char *name);
void start(struct host *h, const char *name);

int64_t sql(struct host *h, const char *query);
uint32_t state_of(struct host *h, const char *name);
unsigned int fake_objects(const struct fake *f);
unsigned int fake_taps(const struct fake *f);
/* Kernel and network hold what the rows say, no more and no less, all of it published. */
void assert_in_line(struct host *h);

#endif

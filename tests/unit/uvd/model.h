/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the rules that transactions go by: few guests, two domains, one node. It is told
 * each request of the ledger in its order and says what must be answered, and what the rows must
 * then be.
 */
#ifndef TESTS_UVD_MODEL_H
#define TESTS_UVD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <ultravisor/command.h>

#include "fake.h"

#define GUESTS	8
#define MIB	(1ULL << 20)

enum { DISK, CONSOLE, DEVICES };
extern const char *const device_names[DEVICES];
enum { DEFAULT, BATCH, DOMAINS };
extern const char *const domain_names[DOMAINS];

struct guest {
	bool defined, on, has_disk, readonly;
	unsigned int image, domain, mode;
	uint64_t memory, assigned;
	unsigned int cpus, context_mode;	/* of its only context; 0: it has none */
	bool claimed[DEVICES], channel[DEVICES];
	uint64_t generation;
	bool touched;				/* by the transaction that is done now */
};

struct model {
	struct guest guest[GUESTS];
	struct {
		uint64_t memory, generation;
		unsigned int cpus;
		bool touched;
	} domain[DOMAINS];
	uint64_t pool, node;			/* memory of them */
	unsigned int pool_cpus;
};

/* As the host is with domain batch made beside the first, and no guest. */
void model_begin(struct host *h, struct model *m);

/* All of the request, or nothing: the status, and *failed, the record at fault or COMMAND_NONE. */
uint32_t model_run(struct host *h, struct model *m, const struct command_header *request,
		   uint32_t *failed);

/* The same words for the same state, by the model and by the rows; the caller's to free. */
char *said_by_model(const struct model *m);
char *said_by_rows(struct host *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of drafts share; operation.h is what they are for. */
#ifndef CMDPARTD_DRAFT_H
#define CMDPARTD_DRAFT_H

#include "operation.h"

/* The guest of this name or UUID, the draft's subject from then on; NULL and *e. */
struct command_row_partition *draft_guest(struct draft *d, const char *name, struct error *e);
/* The caller's generation is compared here too: an operation that is so already sends nothing. */
int draft_check_generation(const struct operation *op, const struct command_row_partition *p,
			   struct error *e);
bool draft_is_on(const struct command_row_partition *p);
/* "partition web1 is off", and fix, a format with its name: -1. */
int draft_state_conflict(const struct command_row_partition *p, const char *fix, struct error *e);
/* Is so already: true of the whole transaction if it is still so when that is committed. 0. */
int draft_so_already(struct draft *d, const struct command_row_partition *p);
void draft_add_device_op(struct draft *d, enum command_type type, const uint8_t uuid[16],
			 const char *name);

/* draft_device.c */
int draft_failover(struct draft *d, const struct operation *op, struct error *e);
int draft_reset_device(struct draft *d, const struct operation *op, struct error *e);
int draft_resize_device(struct draft *d, const struct operation *op, struct error *e);
/* { "root": { "limits": { "iops": 500, "bytes_per_s": null } } } */
int draft_change_devices(struct draft *d, struct command_row_partition *p, const json_t *changes,
			 struct error *e);

/* Before a start: the zones that the policy lets its cards talk to now. */
void draft_set_talks(struct draft *d, const struct command_row_partition *p);

/* draft_host.c */
int draft_create_domain(struct draft *d, const struct operation *op, struct error *e);
int draft_modify_domain(struct draft *d, const struct operation *op, struct error *e);
int draft_destroy_domain(struct draft *d, const struct operation *op, struct error *e);
int draft_host(struct draft *d, const struct operation *op, struct error *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A draft's working copy of the rows: each operation is done to it as uvd will do it, so that the
 * next one is judged beside it. Its own; uvd's rows are the truth.
 */
#ifndef CMDPARTD_COPY_H
#define CMDPARTD_COPY_H

#include <common/definition.h>

#include "rows.h"

void copy_remove(struct rows *rows, enum command_type type, size_t i);

/* Drops all rows of this type whose UUID at offset is this one. */
void copy_remove_of(struct rows *rows, enum command_type type, size_t offset,
		    const uint8_t uuid[16]);

/* What a run holds, given back: its contexts alone, or everything. */
void copy_release_contexts(struct rows *rows, struct command_row_partition *p);
void copy_release(struct rows *rows, struct command_row_partition *p);

/* A definition's rows; *p: that of the partition. 0 or -ENOMEM. */
int copy_define(struct rows *rows, const struct definition *def, const uint8_t uuid[16],
		struct command_row_partition *p);

/* The device's address: named, or derived; untouched, if it is no network. */
void copy_device_mac(uint8_t *to, const struct definition_device *v, const uint8_t uuid[16]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The differences between rows and host, as rows for whoever asks. */
#ifndef UVD_VERIFY_H
#define UVD_VERIFY_H

#include "message.h"
#include "uvd.h"

/*
 * COMMAND_ROW_COMPARED or COMMAND_ROW_DIFFERENCE, numbered from 1, behind number after, at most
 * limit. 1: there are more; 0 or -errno.
 */
int verify_rows(struct uvd *uvd, const struct command_query *query, uint32_t limit,
		struct reply *reply);

#endif

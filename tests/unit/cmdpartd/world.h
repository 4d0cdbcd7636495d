/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts for the tests of placement and drafts, drawn as text:
 *
 *   cpu 0-7 node 0 core 0,0,1,1,2,2,3,3    CPUs of a node, and the core of each
 *   memory 0 8GiB [1GiB]                   a node's pool; and free huge pages
 *   domain default 2-7 8GiB
 *   io io-a running
 *   partition NAME DOMAIN off|on VCPUS shared|dedicated[:BUDGET/PERIOD] MEMORY [CPUS NODE] [DEV…]
 */
#ifndef TESTS_CMDPARTD_WORLD_H
#define TESTS_CMDPARTD_WORLD_H

#include "../../../cmdpartd/rows.h"

struct rows *world(const char *text);

/* The UUID of what the drawing names so. */
void world_uuid(uint8_t to[16], const char *name);

#endif

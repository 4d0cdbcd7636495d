/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a host, who owns what, drawn for a terminal: processors by node, domain and core,
 * each with the letter of the partition that has it, and each node's memory as a bar.
 */
#ifndef COMMON_HOST_MAP_H
#define COMMON_HOST_MAP_H

#include <jansson.h>
#include <stdio.h>

/*
 * map: the answer of GET /v1/map (docs/resource-service.md): "processors", "nodes", "partitions",
 * "contexts", "devices", "channels". What is missing or of another type is left out.
 */
void host_map_draw(FILE *to, const json_t *map);

/* The processors and memory alone, without the list of partitions below. */
void host_map_draw_resources(FILE *to, const json_t *map);

#endif

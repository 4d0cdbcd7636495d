/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of `cmdpartctl top` share: rows of vCPUs (top.c) and of devices. */
#ifndef CMDPARTCTL_TOP_H
#define CMDPARTCTL_TOP_H

#include <jansson.h>

json_int_t top_number(const json_t *object, const char *key);
/* Less than before means that it was started anew in between: then all of it is this interval's. */
json_int_t top_difference(const json_t *now, const json_t *before, const char *key);

/* What devices did between two answers of /v1/devices, the busiest first. A new array. */
json_t *top_devices(const json_t *reply, const json_t *before);
/* Nothing is printed where there are none. */
void top_print_devices(const json_t *rows);

#endif

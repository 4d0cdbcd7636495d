/* SPDX-License-Identifier: Apache-2.0 */
/* The main thread's event loop: descriptors, each with one named handler. */
#ifndef MONITOR_LOOP_H
#define MONITOR_LOOP_H

#include <stdbool.h>

struct loop {
	int epoll;
	bool stop;
};

struct loop_source {
	int fd;
	void (*ready)(void *opaque);
	void *opaque;
};

int loop_init(struct loop *l);

/* The source must live as long as the loop. */
int loop_add(struct loop *l, struct loop_source *source);
void loop_remove(struct loop *l, const struct loop_source *source);

/* Runs handlers until one sets stop. */
int loop_run(struct loop *l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, level-triggered. */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "loop.h"

#define BATCH 16

int loop_init(struct loop *l)
{
	l->stop = false;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct loop_source *source)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, source->fd, &e) < 0 ? -errno : 0;
}

void loop_remove(struct loop *l, const struct loop_source *source)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

int loop_run(struct loop *l)
{
	struct epoll_event events[BATCH];
	int n, i;

	while (!l->stop) {
		n = epoll_wait(l->epoll, events, BATCH, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n && !l->stop; i++) {
			const struct loop_source *source = events[i].data.ptr;

			source->ready(source->opaque);
		}
	}
	return 0;
}

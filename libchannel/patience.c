// SPDX-License-Identifier: Apache-2.0
/*
 * Between processors, to look without end answers soonest. When both sides share one, each says so
 * by the processor's number in its area, and gives the other its turn instead: that takes one
 * system call each way, where a sleep takes a doorbell more. The number is a hint and may lie.
 */
#include "patience.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

/* As long as two waits usually take, within these; what takes longer is waited for asleep. */
#define SPIN_LEAST_NS	40000
#define SPIN_MOST_NS	400000
#define SPIN_RARELY	1024u

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

void patience_open(struct patience *t, struct channel *c, int wait_fd)
{
	*t = (struct patience){
		.channel = c, .wait_fd = wait_fd, .sleep_fd = -1,
		.own = channel_own(c), .peer = channel_peer(c),
	};
}

void patience_close(struct patience *t)
{
	if (t->sleep_fd >= 0)
		close(t->sleep_fd);
}

static int64_t spin_ns(const struct patience *t)
{
	const int64_t two = 2 * t->usual;

	return two < SPIN_LEAST_NS || two > 2 * SPIN_MOST_NS ? SPIN_LEAST_NS :
	       two > SPIN_MOST_NS ? SPIN_MOST_NS : two;
}

/*
 * Spinning is for a peer that answers soon. Whenever it came to nothing, twice as many waits as
 * before go without.
 */
void patience_start(struct patience *t, int timeout_ms)
{
	const uint64_t here = (uint64_t)sched_getcpu() + 1;
	const int64_t now = now_ns();

	t->deadline = timeout_ms < 0 ? -1 : now + timeout_ms * INT64_C(1000000);
	t->spin_until = 0;
	t->turns = 0;
	t->began = now;
	if (atomic_load_explicit(&t->own->processor, memory_order_relaxed) != here)
		atomic_store_explicit(&t->own->processor, here, memory_order_relaxed);
	if (t->spin_after) {
		t->spin_after--;
		return;
	}
	t->together = atomic_load_explicit(&t->peer->processor, memory_order_relaxed) == here;
	t->spin_until = now + spin_ns(t);
}

bool patience_spin(struct patience *t)
{
	if (!t->spin_until)
		return false;
	if (t->together) {
		sched_yield();
	} else {
		relax();
		if (++t->turns % 32)	/* for the clock costs more than a look */
			return true;
	}
	if (now_ns() < t->spin_until)
		return true;
	t->spin_until = 0;
	t->fruitless = t->fruitless ? t->fruitless * 2 : 1;
	if (t->fruitless > SPIN_RARELY)
		t->fruitless = SPIN_RARELY;
	t->spin_after = t->fruitless;
	return false;
}

void patience_end(struct patience *t)
{
	int64_t took;

	if (t->spin_until)
		t->fruitless = 0;
	if (!t->began)
		return;
	/* Of a long one no more is known than that: it must not hide what comes after it. */
	took = now_ns() - t->began;
	t->usual += ((took < 4 * SPIN_MOST_NS ? took : 4 * SPIN_MOST_NS) - t->usual) / 8;
	t->began = 0;
}

/*
 * Where the waiting calls sleep. It tells each ring of the doorbell once: nobody has to clear the
 * doorbell first, and to sleep is one system call.
 */
static int open_sleep(struct patience *t)
{
	const int fd[] = { t->wait_fd, channel_status_fd(t->channel) };
	unsigned int i;
	int rc;

	t->sleep_fd = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; t->sleep_fd >= 0 && i < 2; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd[i] };

		if (!epoll_ctl(t->sleep_fd, EPOLL_CTL_ADD, fd[i], &event))
			continue;
		rc = -errno;
		close(t->sleep_fd);
		t->sleep_fd = -1;
		return rc;
	}
	return t->sleep_fd < 0 ? -errno : 0;
}

int patience_sleep(struct patience *t)
{
	struct timespec rest, *limit = NULL;
	struct channel_status status;
	struct epoll_event event[2];
	int64_t left;
	int r, rc;

	rc = t->sleep_fd < 0 ? open_sleep(t) : 0;
	if (rc)
		return rc;
	if (t->deadline >= 0) {
		left = t->deadline - now_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		rest = (struct timespec){ left / 1000000000, left % 1000000000 };
		limit = &rest;
	}
	r = epoll_pwait2(t->sleep_fd, event, 2, limit, NULL);
	if (r < 0 && errno != EINTR)
		return -errno;
	while (r-- > 0 && !rc) {
		const bool ended = event[r].events & (EPOLLHUP | EPOLLERR);

		if (event[r].data.fd == t->wait_fd)
			rc = ended ? -EIO : 0;
		else	/* A server that lost its role is told so here, and only here. */
			rc = ended ? -ECONNRESET : channel_status(t->channel, &status);
	}
	return rc;
}

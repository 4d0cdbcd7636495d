// SPDX-License-Identifier: Apache-2.0
/*
 * No wake-up is lost between two processes. A stream over a ring so small that both sleep all the
 * time; and single packets to and fro, each of which is the last thing the other will do, so that a
 * wake-up lost is never made good by the next packet. Whoever sleeps five seconds was forgotten.
 * With membarrier on both sides, on neither, and on one.
 */
#include "helper.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define MESSAGES	100000u
#define FORGOTTEN_MS	5000

enum { WRONG = 10, FORGOTTEN, LOST, NO_FILTER, NEVER_SLEPT };

struct task {
	struct channel *c;
	bool refuse_membarrier;
	uint64_t seed;
};

static int refuse_membarrier(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int sleep_on(struct packet_ring *p)
{
	struct pollfd fd = { .fd = packet_wait_fd(p), .events = POLLIN };

	if (poll(&fd, 1, FORGOTTEN_MS) != 1)
		return FORGOTTEN;
	packet_clear_wait(p);
	return 0;
}

/* A little time, so that the two meet in every order. */
static void dawdle(struct seed *s)
{
	volatile uint64_t i;

	for (i = seed_below(s, 8) ? 0 : seed_below(s, 3000); i; i--)
		;
}

static int slept(struct packet_ring *p)
{
	struct packet_counters k;

	packet_counters(p, &k);
	return k.sleeps > 100 ? 0 : NEVER_SLEPT;
}

static int producer(void *argument)
{
	const struct task *t = argument;
	struct seed s = { t->seed };
	struct packet_ring *p;
	uint8_t data[400];
	uint64_t i;
	size_t n;
	int rc;

	if (t->refuse_membarrier && refuse_membarrier())
		return NO_FILTER;
	if (packet_open(&p, t->c))
		return LOST;
	for (i = 0; i < MESSAGES; i++) {
		n = pattern_make(data, i, 8 + seed_below(&s, sizeof(data) - 8));
		while ((rc = packet_send(p, data, n)) == -EAGAIN) {
			if (sleep_on(p))
				return FORGOTTEN;
		}
		if (rc)
			return LOST;
		dawdle(&s);
	}
	return slept(p);
}

static int consumer(void *argument)
{
	const struct task *t = argument;
	struct seed s = { ~t->seed };
	struct packet_ring *p;
	uint64_t i = 0, number;
	uint8_t data[400];
	ssize_t n;

	if (t->refuse_membarrier && refuse_membarrier())
		return NO_FILTER;
	if (packet_open(&p, t->c))
		return LOST;
	while (i < MESSAGES) {
		n = packet_receive(p, data, sizeof(data));
		if (n == -EAGAIN) {
			if (!packet_prepare_wait(p) && sleep_on(p))
				return FORGOTTEN;
			continue;
		}
		if (n < 0)
			return LOST;
		if (!pattern_check(data, n, &number) || number != i)
			return WRONG;
		i++;
		dawdle(&s);
	}
	return slept(p);
}

static int to_and_fro(void *argument)
{
	const struct task *t = argument;
	const bool first = channel_side(t->c) == CHANNEL_CLIENT;
	struct seed s = { first ? t->seed : ~t->seed };
	uint64_t i, number;
	struct packet_ring *p;
	bool slept_before = false;
	uint64_t turn;
	ssize_t n;

	if (t->refuse_membarrier && refuse_membarrier())
		return NO_FILTER;
	if (packet_open(&p, t->c))
		return LOST;
	/* The client's packet i, then the server's packet i. */
	if (first && packet_send(p, &(uint64_t){ 0 }, sizeof(uint64_t)))
		return LOST;
	for (i = 0; i < MESSAGES; i++) {
		/*
		 * Patience for about as long as the other needs while it is awake, so that its
		 * answer meets us as we go to sleep; and after a sleep for long, so that it is.
		 * Now and then many times without a sleep, so that it pays for both barriers again.
		 */
		turn = slept_before || i % 48 < 36 ? 20000 : seed_below(&s, 60);
		slept_before = false;
		while ((n = packet_receive(p, &number, sizeof(number))) == -EAGAIN) {
			if (turn) {
				/* The other one may need this processor. */
				if (--turn % 1000 == 999)
					sched_yield();
			} else if (!packet_prepare_wait(p)) {
				if (sleep_on(p))
					return FORGOTTEN;
				slept_before = true;
			}
		}
		if (n < 0)
			return LOST;
		if (n != sizeof(number) || number != i)
			return WRONG;
		number = first ? i + 1 : i;
		if (number < MESSAGES && packet_send(p, &number, sizeof(number)))
			return LOST;
	}
	return slept(p);
}

static void stress(bool producer_refuses, bool consumer_refuses, uint64_t seed)
{
	struct task send = { .refuse_membarrier = producer_refuses, .seed = seed };
	struct task receive = { .refuse_membarrier = consumer_refuses, .seed = seed };
	pid_t sender, receiver;
	struct ends e;

	ends_open_bare(&e, 4096);
	send.c = e.client;
	receive.c = e.server;
	receiver = child_start(consumer, &receive);
	sender = child_start(producer, &send);
	assert_int_equal(child_end(sender), 0);
	assert_int_equal(child_end(receiver), 0);
	ends_close(&e);

	ends_open_bare(&e, 4096);
	send.c = e.client;
	receive.c = e.server;
	receiver = child_start(to_and_fro, &receive);
	sender = child_start(to_and_fro, &send);
	assert_int_equal(child_end(sender), 0);
	assert_int_equal(child_end(receiver), 0);
	ends_close(&e);
}

static void no_wake_is_lost_with_membarrier(void **state)
{
	(void)state;
	stress(false, false, 11);
}

static void no_wake_is_lost_with_fences(void **state)
{
	(void)state;
	stress(true, true, 12);
}

static void no_wake_is_lost_with_membarrier_on_one_side(void **state)
{
	(void)state;
	stress(true, false, 13);
	stress(false, true, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wake_is_lost_with_membarrier),
		cmocka_unit_test(no_wake_is_lost_with_fences),
		cmocka_unit_test(no_wake_is_lost_with_membarrier_on_one_side),
	};

	return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server is killed at every named instant of a request's life, again and again, and another takes
 * over: each request completes exactly once, none runs after its completion was published, every
 * completed write is in the file, every completed read is right.
 *
 * The guest is this process; each server is a fork, killed with SIGKILL from within.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include <common/crash.h>

#include "guest.h"
#include "rig.h"

#define SLOTS	24u		/* requests kept in flight; each owns one place of the disk */
#define BLOCK	8192u
#define DISK	((uint64_t)SLOTS * BLOCK)

/* In the server: which instant kills it, at which time it is passed. */
static const char *fatal;
static unsigned int passes;

void crash_point(const char *name)
{
	if (fatal && !strcmp(name, fatal) && --passes == 0)
		raise(SIGKILL);
}

struct slot {
	uint64_t header, data, status;
	uint32_t version;	/* last written */
	bool busy, write;
	uint16_t head;
};

struct state {
	struct guest g;
	char path[64];
	int file;
	unsigned int queues;
	struct slot slot[SLOTS];
	unsigned int completed, servers;
};

static void pattern(unsigned char *to, unsigned int slot, uint32_t version)
{
	uint32_t words[BLOCK / 4];
	unsigned int i;

	for (i = 0; i < BLOCK / 4; i++)
		words[i] = version ? version * 2654435761u + slot * 97 + i : 0;
	memcpy(to, words, BLOCK);
}

static void submit(struct state *s, unsigned int i, bool write)
{
	struct slot *k = &s->slot[i];
	struct virtio_blk_outhdr h = {
		.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
		.sector = (uint64_t)i * BLOCK / 512,
	};
	struct buffer b[] = {
		{ k->header, sizeof(h), false }, { k->data + 5, 5000, !write },
		{ k->data + 5005, BLOCK - 5000, !write }, { k->status, 1, true },
	};

	memcpy(guest_at(&s->g, k->header), &h, sizeof(h));
	*(uint8_t *)guest_at(&s->g, k->status) = 0xee;
	if (write)
		pattern(guest_at(&s->g, k->data + 5), i, ++k->version);
	else
		memset(guest_at(&s->g, k->data + 5), 0x77, BLOCK);
	k->busy = true;
	k->write = write;
	k->head = guest_submit(&s->g, i % s->queues, b, 4, i / 8 % 2);
}

static void check(struct state *s, unsigned int i)
{
	struct slot *k = &s->slot[i];
	unsigned char expect[BLOCK], file[BLOCK];

	assert_int_equal(*(uint8_t *)guest_at(&s->g, k->status), VIRTIO_BLK_S_OK);
	pattern(expect, i, k->version);
	if (k->write) {
		assert_int_equal(pread(s->file, file, BLOCK, (off_t)i * BLOCK), BLOCK);
		assert_memory_equal(file, expect, BLOCK);
	} else {
		assert_memory_equal(guest_at(&s->g, k->data + 5), expect, BLOCK);
	}
}

/* Takes every used element there is; each must belong to a request that is in flight. */
static unsigned int reap(struct state *s)
{
	unsigned int i, n = 0, q = 0;
	uint32_t head, length;

	while (q < s->queues) {
		if (!guest_used(&s->g, q, &head, &length)) {
			q++;
			continue;
		}
		for (i = q; i < SLOTS && !(s->slot[i].busy && s->slot[i].head == head);
		     i += s->queues)
			;
		assert_true(i < SLOTS);
		assert_int_equal(length, s->slot[i].write ? 1 : BLOCK + 1);
		check(s, i);
		s->slot[i].busy = false;
		n++;
	}
	s->completed += n;
	return n;
}

static void serve(struct state *s, const char *point, unsigned int pass)
{
	const struct command_settings settings = { .queues = s->queues };
	struct rig r;

	rig_forked = true;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(30);
	rig_init(&r);
	rig_serve_as(&r, &s->g, rig_open(s->path, false), false, &settings);
	fatal = point;
	passes = pass;
	for (;;)
		if (sd_event_run(r.event, UINT64_MAX) < 0)
			_exit(1);
}

static pid_t start_server(struct state *s, const char *point, unsigned int pass)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve(s, point, pass);
	s->servers++;
	return pid;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Keeps every slot busy until the server dies of its own or `enough` requests are over. */
static bool drive(struct state *s, pid_t pid, unsigned int enough)
{
	double end = now() + 20;
	unsigned int i, target = s->completed + enough;
	int status;

	while (s->completed < target) {
		assert_true(now() < end);
		reap(s);
		for (i = 0; i < SLOTS; i++)
			if (!s->slot[i].busy)
				submit(s, i, (s->completed + i) % 3 != 0);
		for (i = 0; i < s->queues; i++)
			guest_kick(&s->g, i);
		if (waitpid(pid, &status, WNOHANG) == pid) {
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			return false;
		}
		poll(NULL, 0, 1);
	}
	return true;
}

static void kill_server(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void init(struct state *s, bool direct, unsigned int queues)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	s->queues = queues;
	guest_init(&s->g, CHANNEL_BLOCK);
	s->file = rig_file(s->path, DISK, direct);
	for (i = 0; i < SLOTS; i++) {
		s->slot[i].header = guest_alloc(&s->g, 16);
		s->slot[i].data = guest_alloc(&s->g, BLOCK + 16);
		s->slot[i].status = guest_alloc(&s->g, 1);
	}
	/* Indirect tables are made anew for each request; start over before they run out. */
	guest_up(&s->g, GUEST_FEATURES | 1ULL << VIRTIO_BLK_F_FLUSH, queues, 128);
}

static void uninit(struct state *s)
{
	guest_uninit(&s->g);
	close(s->file);
	unlink(s->path);
}

/* All servers have counted in one place, each request once; a killed one may have missed one. */
static void check_statistics(const struct state *s)
{
	const struct io_statistics *t = (void *)((char *)channel_private(s->g.server) +
						 IO_PRIVATE_SIZE - IO_STATISTICS_SIZE);
	uint64_t requests = 0, bytes = 0, times = 0;
	unsigned int i, k;

	for (i = 0; i < IO_OPERATIONS; i++) {
		requests += t->operation[i].requests;
		bytes += t->operation[i].bytes;
		assert_int_equal(t->operation[i].errors, 0);
		for (k = 0; k < IO_LATENCY_BUCKETS; k++)
			times += t->operation[i].latency[k];
	}
	assert_in_range(requests, s->completed - s->servers, s->completed);
	assert_in_range(times, requests, requests + 1);
	assert_in_range(bytes, requests * BLOCK, (requests + 1) * BLOCK);
	assert_in_range(t->takeovers, 1, s->servers - 1);
	assert_true(t->stall_max_ns >= t->stall_ns);
	assert_true(t->stall_max_ns < 60000000000ull);
	/* It may be that nothing was left for the last one. */
	assert_int_equal(t->waits_ns, 0);
}

static void finish(struct state *s)
{
	pid_t pid = start_server(s, NULL, 0);
	double end = now() + 20;
	unsigned int i, busy;
	uint32_t head, length;

	do {
		assert_true(now() < end);
		reap(s);
		for (i = busy = 0; i < SLOTS; i++)
			busy += s->slot[i].busy;
		poll(NULL, 0, 1);
	} while (busy);
	/* And nothing after the last one, neither in the ring nor in the file. */
	poll(NULL, 0, 20);
	for (i = 0; i < s->queues; i++)
		assert_false(guest_used(&s->g, i, &head, &length));
	kill_server(pid);
	check_statistics(s);
	for (i = 0; i < SLOTS; i++) {
		s->slot[i].write = true;
		check(s, i);
	}
}

static const char *const points[] = {
	"table-cleared", "before-acknowledge", "submitted", "recorded", "started", "operation-over",
	"copied", "before-done", "done", "element", "published", "used", "free",
};

static void walk(bool direct)
{
	struct state s;
	unsigned int i, pass;
	pid_t pid;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		init(&s, direct, 1);
		for (pass = 1; pass < 60; pass = pass < 4 ? pass + 1 : pass * 2) {
			pid = start_server(&s, points[i], pass);
			if (drive(&s, pid, 120))
				kill_server(pid);	/* passed less often; then here */
		}
		finish(&s);
		print_message("    %-20s %u servers, %u requests\n", points[i], s.servers,
			      s.completed);
		uninit(&s);
	}
}

static void at_every_instant_on_the_page_cache(void **p)
{
	(void)p;
	walk(false);
}

static void at_every_instant_with_direct_io(void **p)
{
	(void)p;
	walk(true);
}

static void at_random(unsigned int queues)
{
	struct state s;
	unsigned int i;
	pid_t pid;

	srandom(1);
	init(&s, true, queues);
	for (i = 0; i < 40; i++) {
		pid = start_server(&s, NULL, 0);
		drive(&s, pid, random() % 30);
		poll(NULL, 0, random() % 4);
		kill_server(pid);
	}
	finish(&s);
	uninit(&s);
}

static void at_any_time(void **p)
{
	(void)p;
	at_random(1);
}

static void at_any_time_with_several_queues(void **p)
{
	(void)p;
	at_random(4);
}

/* The old server is killed while it takes over itself. */
static void during_recovery(void **p)
{
	static const char *const early[] = { "published", "used", "free", "started", "copied" };
	struct state s;
	unsigned int i, pass;
	pid_t pid;

	(void)p;
	init(&s, true, 2);
	for (i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		for (pass = 1; pass < 4; pass++) {
			pid = start_server(&s, "element", 7);
			if (drive(&s, pid, 10))
				kill_server(pid);
			pid = start_server(&s, early[i], pass);
			if (drive(&s, pid, 40))
				kill_server(pid);
		}
	}
	finish(&s);
	uninit(&s);
}

static bool broken(void *argument)
{
	struct guest *g = argument;

	return guest_broken(g) == guest_generation(g);
}

/* A table that no server can have written ends in a reset, not in a guess. */
static void a_table_that_contradicts_itself_breaks_the_device(void **p)
{
	unsigned int round;

	(void)p;
	for (round = 0; round < 3; round++) {
		struct io_inflight_queue *t;
		struct state s;
		struct rig r;
		pid_t pid;

		init(&s, false, 1);
		pid = start_server(&s, NULL, 0);
		drive(&s, pid, 30);
		kill_server(pid);
		t = IO_INFLIGHT_QUEUE(channel_private(s.g.server), 0);
		switch (round) {
		case 0:
			t->entry[3].position = t->used + 9;
			t->entry[3].state = IO_DONE;
			break;
		case 1:
			t->entry[200].state = IO_SUBMITTED;
			break;
		default:
			t->entry[3].state = 77;
		}
		rig_init(&r);
		rig_serve(&r, &s.g, rig_open(s.path, false), false);
		rig_until(&r, broken, &s.g);
		guest_down(&s.g);
		rig_settle(&r, &s.g);
		rig_uninit(&r);
		s.g.server = NULL;
		uninit(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_instant_on_the_page_cache),
		cmocka_unit_test(at_every_instant_with_direct_io),
		cmocka_unit_test(at_any_time),
		cmocka_unit_test(at_any_time_with_several_queues),
		cmocka_unit_test(during_recovery),
		cmocka_unit_test(a_table_that_contradicts_itself_breaks_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

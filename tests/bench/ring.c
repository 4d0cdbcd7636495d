// SPDX-License-Identifier: Apache-2.0
/*
 * The packet ring beside its limit and a peer, polled, between two processes on two processors:
 *
 *   limit   a sequence number in each slot's own cache line, and nothing else: no lengths, no
 *           checks of the other side, no guard against lost memory, no wake-ups
 *   packet  libchannel's packet_send and packet_receive
 *   ck      Concurrency Kit's single producer, single consumer ring, if its header was there
 *
 * Hypervisors move processors about, so only ratios within a round count: the limit is measured
 * before and after the others, and a round whose two limits differ by a quarter is thrown away.
 * Usage: ring [ROUNDS [CPU CPU]]; medians of at least 9 rounds.
 */
#include <errno.h>
#include <libchannel/packet.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<ck_ring.h>)
#include <ck_ring.h>
#define HAVE_CK 1
#else
#define HAVE_CK 0
#endif

#define SMALL		56u		/* what one line carries beside its sequence */
#define LARGE		4096u
#define SLOTS		4096u		/* of the limit and of ck; of the packet ring nearly */
#define AREA		(SLOTS * 64u)
#define SECONDS_MAX	60

enum kind { LIMIT, PACKET, CK, KINDS };
enum measure { ROUND_TRIP, ONE_WAY, BULK, MEASURES };

static const char *const kind_name[] = { "limit", "packet", "ck" };
static const unsigned int repetitions[] = { 100000, 1000000, 30000 };

struct line {
	_Atomic uint64_t sequence;
	uint8_t data[SMALL];
};

struct bare {				/* one direction of the limit */
	struct line line[SLOTS];
	_Alignas(64) _Atomic uint64_t consumed;
};

#if HAVE_CK
struct small { uint8_t data[SMALL]; };
struct large { uint8_t data[LARGE]; };
CK_RING_PROTOTYPE(small, small)
CK_RING_PROTOTYPE(large, large)

struct ck_way {
	_Alignas(64) ck_ring_t ring;
	_Alignas(64) struct small small[SLOTS];
	struct large large[SLOTS / 64];
};
#endif

struct shared {
	_Atomic int ready;
	struct bare way[2];
#if HAVE_CK
	struct ck_way ck[2];
#endif
};

/* One end of whatever is measured. */
struct end {
	enum kind kind;
	size_t size;
	struct bare *bare_out, *bare_in;
	uint64_t sent, received, room;
	struct packet_ring *packet;
#if HAVE_CK
	struct ck_way *ck_out, *ck_in;
#endif
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* ---- the limit: what the cache lines themselves cost */

static void bare_send(struct end *e, const uint8_t *data)
{
	const uint64_t lines = e->size == SMALL ? 1 : (e->size + SMALL - 1) / SMALL;
	struct line *first = &e->bare_out->line[e->sent % SLOTS], *l = first;
	uint64_t i;

	/* Acquire, with bare_receive's release: the lines were read. */
	while (e->room < lines)
		e->room = SLOTS - (e->sent - atomic_load_explicit(&e->bare_out->consumed,
								  memory_order_acquire));
	memcpy(first->data, data, SMALL);
	for (i = 1; i < lines; i++) {
		l = &e->bare_out->line[(e->sent + i) % SLOTS];
		memcpy(l->data, data + i * SMALL, i + 1 < lines ? SMALL : e->size - i * SMALL);
	}
	/* Release, with bare_receive's acquire: the bytes come first. */
	atomic_store_explicit(&first->sequence, e->sent + 1, memory_order_release);
	e->sent += lines;
	e->room -= lines;
}

static void bare_receive(struct end *e, uint8_t *data)
{
	const uint64_t lines = e->size == SMALL ? 1 : (e->size + SMALL - 1) / SMALL;
	struct line *l = &e->bare_in->line[e->received % SLOTS];
	uint64_t i;

	while (atomic_load_explicit(&l->sequence, memory_order_acquire) != e->received + 1)
		relax();
	memcpy(data, l->data, SMALL);
	for (i = 1; i < lines; i++) {
		l = &e->bare_in->line[(e->received + i) % SLOTS];
		memcpy(data + i * SMALL, l->data, i + 1 < lines ? SMALL : e->size - i * SMALL);
	}
	if ((e->received + lines) / (SLOTS / 4) != e->received / (SLOTS / 4))
		atomic_store_explicit(&e->bare_in->consumed, e->received + lines,
				      memory_order_release);
	e->received += lines;
}

/* ---- all three */

static void put(struct end *e, const uint8_t *data)
{
	int rc;

	switch (e->kind) {
	case LIMIT:
		bare_send(e, data);
		break;
	case PACKET:
		while ((rc = packet_send(e->packet, data, e->size)) == -EAGAIN)
			relax();
		if (rc)
			exit(2);
		break;
	default:
#if HAVE_CK
		if (e->size == SMALL) {
			while (!CK_RING_ENQUEUE_SPSC(small, &e->ck_out->ring, e->ck_out->small,
						     (struct small *)data))
				relax();
		} else {
			while (!CK_RING_ENQUEUE_SPSC(large, &e->ck_out->ring, e->ck_out->large,
						     (struct large *)data))
				relax();
		}
#endif
		break;
	}
}

static void get(struct end *e, uint8_t *data)
{
	ssize_t n;

	switch (e->kind) {
	case LIMIT:
		bare_receive(e, data);
		break;
	case PACKET:
		while ((n = packet_receive(e->packet, data, e->size)) == -EAGAIN)
			relax();
		if (n != (ssize_t)e->size)
			exit(2);
		break;
	default:
#if HAVE_CK
		if (e->size == SMALL) {
			while (!CK_RING_DEQUEUE_SPSC(small, &e->ck_in->ring, e->ck_in->small,
						     (struct small *)data))
				relax();
		} else {
			while (!CK_RING_DEQUEUE_SPSC(large, &e->ck_in->ring, e->ck_in->large,
						     (struct large *)data))
				relax();
		}
#endif
		break;
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void end_open(struct end *e, struct shared *s, struct channel *c, bool second)
{
	e->bare_out = &s->way[second];
	e->bare_in = &s->way[!second];
	e->room = SLOTS;
#if HAVE_CK
	e->ck_out = &s->ck[second];
	e->ck_in = &s->ck[!second];
#endif
	if (e->kind == PACKET && packet_open(&e->packet, c))
		die("packet_open");
}

/* The second process: echo, or take everything and say when it was all there. */
static void second(struct end *e, enum measure m, struct shared *s)
{
	static uint8_t data[LARGE];
	unsigned int i;

	s->ready = 1;
	for (i = 0; i < repetitions[m]; i++) {
		get(e, data);
		if (m == ROUND_TRIP)
			put(e, data);
	}
	if (m != ROUND_TRIP)
		put(e, data);
}

/* Nanoseconds a repetition. */
static double measure(enum kind kind, enum measure m, const int cpu[2])
{
	const struct channel_geometry g = {
		.client_size = AREA, .server_size = AREA, .doorbells = 1,
	};
	struct end e = { .kind = kind, .size = m == BULK ? LARGE : SMALL };
	static uint8_t data[LARGE];
	struct channel *client, *server;
	struct shared *s;
	unsigned int i;
	int64_t begin, end;
	int status;
	pid_t pid;

	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s == MAP_FAILED)
		die("mmap");
#if HAVE_CK
	for (i = 0; i < 2; i++)
		ck_ring_init(&s->ck[i].ring, m == BULK ? SLOTS / 64 : SLOTS);
#endif
	errno = -channel_open_pair(&client, &server, &g);
	if (errno)
		die("channel_open_pair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		alarm(SECONDS_MAX);
		pin(cpu[1]);
		end_open(&e, s, server, true);
		second(&e, m, s);
		_exit(0);
	}
	pin(cpu[0]);
	end_open(&e, s, client, false);
	while (!s->ready)
		relax();
	begin = now_ns();
	for (i = 0; i < repetitions[m]; i++) {
		put(&e, data);
		if (m == ROUND_TRIP)
			get(&e, data);
	}
	if (m != ROUND_TRIP)
		get(&e, data);
	end = now_ns();
	if (waitpid(pid, &status, 0) != pid || status)
		die("the second process failed");
	packet_close(e.packet);
	channel_close(client);
	channel_close(server);
	munmap(s, sizeof(*s));
	return (double)(end - begin) / repetitions[m];
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void print(enum measure m, enum kind kind, double ns, double ratio)
{
	switch (m) {
	case ROUND_TRIP:
		printf("  round trip, %u bytes  %-7s %8.1f ns   ", SMALL, kind_name[kind], ns);
		break;
	case ONE_WAY:
		printf("  one way, %u bytes     %-7s %8.2f M/s  ", SMALL, kind_name[kind],
		       1e3 / ns);
		break;
	default:
		printf("  one way, %u bytes   %-7s %8.2f GB/s ", LARGE, kind_name[kind],
		       LARGE / ns);
	}
	printf("%.2f of the limit's speed\n", ratio);
}

static void compare(enum measure m, unsigned int rounds, const int cpu[2])
{
	double *ns[KINDS], *ratio[KINDS], before, after;
	unsigned int kept = 0, tries;
	enum kind k;

	for (k = 0; k < KINDS; k++) {
		ns[k] = calloc(rounds, sizeof(double));
		ratio[k] = calloc(rounds, sizeof(double));
		if (!ns[k] || !ratio[k])
			die("calloc");
	}
	for (tries = 0; kept < rounds && tries < 10 * rounds; tries++) {
		before = measure(LIMIT, m, cpu);
		for (k = PACKET; k < KINDS; k++)
			ns[k][kept] = k == CK && !HAVE_CK ? 0 : measure(k, m, cpu);
		after = measure(LIMIT, m, cpu);
		if (before > 1.25 * after || after > 1.25 * before)
			continue;
		ns[LIMIT][kept] = (before + after) / 2;
		for (k = 0; k < KINDS; k++)
			ratio[k][kept] = ns[k][kept] ? ns[LIMIT][kept] / ns[k][kept] : 0;
		kept++;
	}
	if (!kept) {
		printf("  no round of %u was steady enough to count\n", tries);
		return;
	}
	for (k = 0; k < (HAVE_CK ? KINDS : CK); k++)
		print(m, k, median(ns[k], kept), median(ratio[k], kept));
	printf("    medians of %u rounds, %u thrown away\n", kept, tries - kept);
	for (k = 0; k < KINDS; k++) {
		free(ns[k]);
		free(ratio[k]);
	}
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : 9;
	int cpu[2], found = 0, i;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	for (i = 0; i < CPU_SETSIZE && found < 2; i++) {
		if (CPU_ISSET(i, &set))
			cpu[found++] = i;
	}
	if (argc > 3) {
		cpu[0] = atoi(argv[2]);
		cpu[1] = atoi(argv[3]);
	} else if (found < 2) {
		fprintf(stderr, "ring: needs two processors\n");
		return 1;
	}
	if (rounds < 9)
		rounds = 9;
	printf("packet ring, polled, processors %d and %d%s\n", cpu[0], cpu[1],
	       HAVE_CK ? "" : "; Concurrency Kit (libck-dev) was not there at build time");
	compare(ROUND_TRIP, rounds, cpu);
	compare(ONE_WAY, rounds, cpu);
	compare(BULK, rounds, cpu);
	return 0;
}

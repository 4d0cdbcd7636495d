// SPDX-License-Identifier: Apache-2.0
/*
 * The packet ring beside its limit and its peers (ring_peers.h), between two processes: polled, the
 * round trip of one line and the rates of lines and of 4 KiB; and blocking, with calls that wait
 * and (the packet ring "in a loop") with an event loop's, which sleeps whenever there is nothing.
 *
 * Hypervisors move processors about, so a bare line's round trip is timed before and after each
 * round: it says how near the two processors are to each other, and a round in which that changed
 * is thrown away. Only ratios within a round count. Where the machine allows it all of it runs at
 * real-time priority, in short bursts: two processes that poll say nothing when one of them waits.
 * Usage: ring [ROUNDS]; medians of ROUNDS (9) of each pair of processors.
 */
#include <errno.h>
#include <libchannel/packet.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ring_peers.h"

#define AREA		(SLOTS * 64u)
#define SECONDS_MAX	20
#define NEAR_NS		350	/* a line's round trip between processors that share a cache */
#define STEADY		1.25
#define WARM_UP		SLOTS		/* repetitions before the clock runs: pages appear */

enum kind { LIMIT, PACKET, LOOP, CK, RTE, EVENTFD, PIPE, UNIX, KINDS };
enum measure { ROUND_TRIP, ONE_WAY, BULK, BLOCKING, MEASURES };
enum class { NEAR, FAR, SAME, CLASSES };

static const char *const kind_name[] = {
	"limit", "packet", "in a loop", "ck_ring", "rte_ring", "eventfd ring", "pipe", "AF_UNIX",
};
static const char *const class_name[] = {
	"near (processors that share a cache)", "far (processors that share none)",
	"one processor for both",
};
static const unsigned int repetitions[] = { 20000, 300000, 10000, 3000 };

struct shared {
	_Atomic int ready;
	struct bare way[2];
#if HAVE_CK
	struct ck_way ck[2];
#endif
#if HAVE_RTE
	struct rte_way rte[2];
#endif
};

/* One end of whatever is measured. */
struct end {
	enum kind kind;
	size_t size;
	bool blocks;
	struct bare_end bare;
	struct packet_ring *packet;
	int in, out;			/* eventfds, pipes, socket */
	struct shared *shared;
	bool second;
};

static bool has(enum kind k, enum measure m)
{
	switch (k) {
	case LIMIT:	return m != BLOCKING;
	case PACKET:	return true;
	case CK:	return HAVE_CK && m != BLOCKING;
	case RTE:	return HAVE_RTE && m != BLOCKING;
	case LOOP:
	case EVENTFD:	return m == BLOCKING;
	default:	return m != ROUND_TRIP;
	}
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const uint8_t *data, size_t size)
{
	ssize_t n;

	for (; size; data += n, size -= n) {
		n = write(fd, data, size);
		if (n <= 0)
			die("write");
	}
}

static void read_all(int fd, uint8_t *data, size_t size)
{
	ssize_t n;

	for (; size; data += n, size -= n) {
		n = read(fd, data, size);
		if (n <= 0)
			die("read");
	}
}

static void put(struct end *e, const uint8_t *data)
{
	const uint64_t one = 1;
	int rc;

	switch (e->kind) {
	case LIMIT:
		bare_send(&e->bare, data);
		break;
	case EVENTFD:
		bare_send(&e->bare, data);
		write_all(e->out, (const uint8_t *)&one, sizeof(one));
		break;
	case PACKET:
		if (e->blocks)
			rc = packet_send_wait(e->packet, data, e->size, -1);
		else
			while ((rc = packet_send(e->packet, data, e->size)) == -EAGAIN)
				relax();
		if (rc)
			exit(2);
		break;
	case LOOP:
		if (packet_send(e->packet, data, e->size))
			exit(2);
		break;
#if HAVE_CK
	case CK:
		while (!ck_put(&e->shared->ck[e->second], data, e->size))
			relax();
		break;
#endif
#if HAVE_RTE
	case RTE:
		while (!rte_put(&e->shared->rte[e->second], data, e->size))
			relax();
		break;
#endif
	default:
		write_all(e->out, data, e->size);
	}
}

/* As an event loop does it, which sleeps whenever there is nothing. */
static void loop_get(struct end *e, uint8_t *data)
{
	struct pollfd fd = { .fd = packet_wait_fd(e->packet), .events = POLLIN };
	ssize_t n;

	while ((n = packet_receive(e->packet, data, e->size)) == -EAGAIN) {
		if (packet_prepare_wait(e->packet))
			continue;
		if (poll(&fd, 1, -1) != 1)
			die("poll");
		packet_clear_wait(e->packet);
	}
	if (n != (ssize_t)e->size)
		exit(2);
}

static void get(struct end *e, uint8_t *data)
{
	uint64_t count;
	ssize_t n;

	switch (e->kind) {
	case LIMIT:
		bare_receive(&e->bare, data);
		break;
	case EVENTFD:
		read_all(e->in, (uint8_t *)&count, sizeof(count));
		bare_receive(&e->bare, data);
		break;
	case PACKET:
		if (e->blocks)
			n = packet_receive_wait(e->packet, data, e->size, -1);
		else
			while ((n = packet_receive(e->packet, data, e->size)) == -EAGAIN)
				relax();
		if (n != (ssize_t)e->size)
			exit(2);
		break;
	case LOOP:
		loop_get(e, data);
		break;
#if HAVE_CK
	case CK:
		while (!ck_get(&e->shared->ck[!e->second], data, e->size))
			relax();
		break;
#endif
#if HAVE_RTE
	case RTE:
		while (!rte_get(&e->shared->rte[!e->second], data, e->size))
			relax();
		break;
#endif
	default:
		read_all(e->in, data, e->size);
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

/* fd[i]: what end i reads; what the other writes. */
struct pipes {
	int in[2], out[2];
};

static void pipes_open(struct pipes *p, enum kind kind)
{
	int a[2], b[2];

	*p = (struct pipes){ { -1, -1 }, { -1, -1 } };
	if (kind == EVENTFD) {
		p->in[0] = p->out[1] = eventfd(0, 0);
		p->in[1] = p->out[0] = eventfd(0, 0);
	} else if (kind == PIPE) {
		if (pipe(a) || pipe(b))
			die("pipe");
		*p = (struct pipes){ { a[0], b[0] }, { b[1], a[1] } };
	} else if (kind == UNIX) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, a))
			die("socketpair");
		*p = (struct pipes){ { a[0], a[1] }, { a[0], a[1] } };
	}
}

static void pipes_close(const struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close(p->in[i]);
		if (p->out[i] != p->in[0] && p->out[i] != p->in[1])
			close(p->out[i]);
	}
}

static void end_open(struct end *e, struct channel *c)
{
	e->bare = (struct bare_end){
		.out = &e->shared->way[e->second], .in = &e->shared->way[!e->second],
		.size = e->size, .room = SLOTS,
	};
	if ((e->kind == PACKET || e->kind == LOOP) && packet_open(&e->packet, c))
		die("packet_open");
}

/* The second process: echo, or take everything and say when it was all there. */
static void second(struct end *e, enum measure m)
{
	const bool echoes = m == ROUND_TRIP || m == BLOCKING;
	static uint8_t data[LARGE];
	unsigned int i;

	e->shared->ready = 1;
	for (i = 0; i < WARM_UP + repetitions[m]; i++) {
		get(e, data);
		if (echoes)
			put(e, data);
	}
	if (!echoes)
		put(e, data);
}

static double first(struct end *e, enum measure m)
{
	const bool echoes = m == ROUND_TRIP || m == BLOCKING;
	static uint8_t data[LARGE];
	int64_t begin = 0;
	unsigned int i;

	while (!e->shared->ready)
		sched_yield();
	for (i = 0; i < WARM_UP + repetitions[m]; i++) {
		if (i == WARM_UP)
			begin = now_ns();
		put(e, data);
		if (echoes)
			get(e, data);
	}
	if (!echoes)
		get(e, data);
	return (double)(now_ns() - begin) / repetitions[m];
}

static struct shared *shared_open(size_t size)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (s == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < 2; i++) {
#if HAVE_CK
		ck_way_init(&s->ck[i], size);
#endif
#if HAVE_RTE
		rte_way_init(&s->rte[i], size);
#endif
	}
	(void)size;
	return s;
}

/* Nanoseconds a repetition. */
static double measure(enum kind kind, enum measure m, const int cpu[2])
{
	const struct channel_geometry g = {
		.client_size = AREA, .server_size = AREA, .doorbells = 1,
	};
	struct end e = { .kind = kind, .size = m == BULK ? LARGE : SMALL, .blocks = m == BLOCKING };
	struct channel *client, *server;
	struct pipes pipes;
	double ns;
	int status;
	pid_t pid;

	e.shared = shared_open(e.size);
	pipes_open(&pipes, kind);
	errno = -channel_open_pair(&client, &server, &g);
	if (errno)
		die("channel_open_pair");
	pid = fork();
	if (pid < 0)
		die("fork");
	e.second = !pid;
	e.in = pipes.in[e.second];
	e.out = pipes.out[e.second];
	alarm(SECONDS_MAX);
	pin(cpu[e.second]);
	end_open(&e, e.second ? server : client);
	if (!pid) {
		second(&e, m);
		_exit(0);
	}
	ns = first(&e, m);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the second process failed");
	alarm(0);
	packet_close(e.packet);
	channel_close(client);
	channel_close(server);
	pipes_close(&pipes);
	munmap(e.shared, sizeof(*e.shared));
	return ns;
}

/* ---- rounds */

struct figures {
	double ns[KINDS][MEASURES][256], ratio[KINDS][MEASURES][256];
	unsigned int kept[MEASURES];
};

static struct figures figures[CLASSES];

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

/* Of a round before it is kept; the ratios are of time, to the limit or the eventfd ring. */
static bool play(enum measure m, const int cpu[2], double ns[KINDS], enum class *class)
{
	const bool same = cpu[0] == cpu[1];
	const enum kind base = m == BLOCKING ? EVENTFD : LIMIT;
	double before, after;
	enum kind k;

	before = same ? 0 : measure(LIMIT, ROUND_TRIP, cpu);
	for (k = 0; k < KINDS; k++)
		ns[k] = has(k, m) ? measure(k, m, cpu) : 0;
	/* What everything is compared with is measured on both sides of it. */
	ns[base] = (ns[base] + measure(base, m, cpu)) / 2;
	after = same ? 0 : measure(LIMIT, ROUND_TRIP, cpu);
	*class = same ? SAME : before < NEAR_NS ? NEAR : FAR;
	return before <= STEADY * after && after <= STEADY * before;
}

static void round_of(enum measure m, const int cpu[2])
{
	const enum kind base = m == BLOCKING ? EVENTFD : LIMIT;
	struct figures *f;
	enum class class;
	double ns[KINDS];
	unsigned int n;

	if (!play(m, cpu, ns, &class))
		return;
	f = &figures[class];
	n = f->kept[m];
	if (n == 256)
		return;
	for (enum kind k = 0; k < KINDS; k++) {
		f->ns[k][m][n] = ns[k];
		f->ratio[k][m][n] = ns[k] / ns[base];
	}
	f->kept[m]++;
}

static void print(enum measure m, enum kind k, double ns, double ratio)
{
	const char *base = m == BLOCKING ? "the eventfd ring's time" : "the limit's time";
	const double bar = k != PACKET ? 0 : m == ROUND_TRIP ? 1.3 : m == BLOCKING ? 1 : 0;

	printf("    %-13s", kind_name[k]);
	if (m == ONE_WAY)
		printf("%9.2f M/s ", 1e3 / ns);
	else if (m == BULK)
		printf("%9.2f GB/s", LARGE / ns);
	else
		printf("%9.0f ns  ", ns);
	printf("  %6.2f of %s", ratio, base);
	if (bar > 0)
		printf("  aim: at most %.1f%s", bar, ratio <= bar ? "" : "   AIM MISSED");
	putchar('\n');
}

static void print_class(enum class class)
{
	static const char *const title[] = {
		"round trip of a line (56 bytes and their sequence), polled",
		"one way, a line each",
		"one way, 4096 bytes each",
		"round trip of a line, blocking",
	};
	struct figures *f = &figures[class];

	for (enum measure m = 0; m < MEASURES; m++) {
		if (!f->kept[m])
			continue;
		printf("  %s; %s; medians of %u rounds\n", class_name[class], title[m], f->kept[m]);
		for (enum kind k = 0; k < KINDS; k++)
			if (has(k, m))
				print(m, k, median(f->ns[k][m], f->kept[m]),
				      median(f->ratio[k][m], f->kept[m]));
	}
}

int main(int argc, char **argv)
{
	const int rounds = argc > 1 ? atoi(argv[1]) : 9;
	const struct sched_param lowest = { .sched_priority = 1 };
	int cpus[CPU_SETSIZE], found = 0, played = 0, kept = 0;
	const bool urgent = !sched_setscheduler(0, SCHED_FIFO, &lowest);
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpus[found++] = i;
	if (found < 2) {
		fprintf(stderr, "ring: needs two processors\n");
		return 1;
	}
	if (!HAVE_CK)
		printf("  ck_ring is absent: no ck_ring.h; scripts/deps --bench installs it\n");
	if (!HAVE_RTE)
		printf("  rte_ring is absent: no rte_ring.h; scripts/deps --bench fetches it\n");
	if (!urgent)
		printf("  at ordinary priority: other work on this machine shows in the figures\n");
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < rounds; i++) {
		for (enum measure m = 0; m < MEASURES; m++) {
			for (int other = m == BLOCKING ? 0 : 1; other < (found < 3 ? found : 3);
			     other++, played++)
				round_of(m, (int[2]){ cpus[0], cpus[other] });
		}
	}
	for (enum class class = 0; class < CLASSES; class++) {
		print_class(class);
		for (enum measure m = 0; m < MEASURES; m++)
			kept += figures[class].kept[m];
	}
	printf("  %d of %d rounds thrown away: the processors' distance changed meanwhile\n",
	       played - kept, played);
	return kept ? 0 : 1;
}

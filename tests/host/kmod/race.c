// SPDX-License-Identifier: Apache-2.0
/*
 * Ends of things against uses of them, as fast as they go: what survives is checked, and the
 * kernel's log is the judge of the rest.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define RW (PROT_READ | PROT_WRITE)
#define AREA 0x10000u
#define PAGES 16

static uint64_t until;		/* of the test that runs */

static bool time_is_left(void)
{
	return clock_ns() < until;
}

static void begin(unsigned int seconds)
{
	until = clock_ns() + seconds * 1000 * MS;
	srandom(getpid());
}

struct fixture {
	struct object partition, channel;
	int memfd;
	int client, server[2];
};

static struct fixture make(void)
{
	struct ultravisor_channel_create create = {
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_size = AREA, .server_size = AREA,
		.private_size = AREA, .doorbells = 2,
	};
	struct fixture f = { .partition = make_partition("race") };

	f.memfd = make_memfd(GUEST_SIZE);
	ok(memory_add(f.partition.fd, 0, GUEST_SIZE, f.memfd));
	create.client_id = f.partition.id;
	f.channel = make_channel(&create);
	f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
	for (int i = 0; i < 2; i++) {
		ok(server_set(f.channel.fd, i, 0xa0 + i));
		f.server[i] = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_SERVER, i));
	}
	return f;
}

static sigjmp_buf bus_jump;

static void on_bus(int signo)
{
	(void)signo;
	siglongjmp(bus_jump, 1);
}

static void catch_bus(void)
{
	struct sigaction action = { .sa_handler = on_bus };

	ok(sigaction(SIGBUS, &action, NULL));
}

/* ---- an old server writes nothing after its successor serves ---- */

struct scribbler {
	struct fixture *f;
	int slot;
};

/* Writes its mark wherever it may, and comes back as a standby whenever it has lost. */
static void scribble(int socket, void *arg)
{
	struct scribbler *me = arg;
	int server = me->f->server[me->slot];
	volatile uint64_t *memory;
	static uint64_t n;

	catch_bus();
	ok(attach(server));
	memory = map_area(server, ULTRAVISOR_AREA_MEMORY(0), PAGES * 4096, RW);
	check(memory != MAP_FAILED);
	say(socket, 'a');
	n = me->slot;
	if (sigsetjmp(bus_jump, 1) && attach(server))
		check(errno == EBUSY);
	for (;; n += 2)
		for (int page = 0; page < PAGES; page++)
			memory[page * 512] = n;
}

static void an_old_server_writes_nothing_after_the_change(void)
{
	struct fixture f = make();
	struct scribbler s[2] = { { &f, 0 }, { &f, 1 } };
	unsigned int changes[2] = { 0 }, seen = 0;
	volatile uint64_t *owner;
	struct peer peer[2];

	begin(4);
	owner = mmap(NULL, GUEST_SIZE, PROT_READ, MAP_SHARED, f.memfd, 0);
	check(owner != MAP_FAILED);
	seal_for_grants(f.memfd);
	for (int i = 0; i < 2; i++) {
		peer[i] = fork_peer(scribble, &s[i]);
		hear(peer[i].socket, 'a');
	}
	for (unsigned int next = 1; time_is_left(); ) {
		uint64_t before[PAGES], end;
		bool writes = false;

		if (promote(f.channel.fd, next, NULL)) {
			check(errno == ENOTCONN);
			continue;
		}
		for (int page = 0; page < PAGES; page++)
			before[page] = owner[page * 512];
		/* On a busy machine the new one may wait for a processor before it writes. */
		for (end = clock_ns() + 20 * MS; clock_ns() < end; ) {
			for (int page = 0; page < PAGES; page++) {
				uint64_t now = owner[page * 512];

				if (now == before[page])
					continue;
				seen++;
				if (!writes)
					end = clock_ns() + MS * 3 / 10;
				writes = true;
				if ((now & 1) != next)
					fail("slot %u wrote after slot %u served", !next, next);
			}
		}
		changes[next]++;
		next = !next;
	}
	printf("       %u and %u changes, %u writes seen\n", changes[0], changes[1], seen);
	check(changes[0] > 20 && changes[1] > 20 && seen > 100);
	for (int i = 0; i < 2; i++)
		kill_peer(&peer[i]);
}

/* ---- everything at once on one channel ---- */

static void use_at_random(int socket, void *arg)
{
	struct fixture *f = arg;
	int fds[3] = { f->client, f->server[0], f->server[1] };
	volatile char *mapped[5] = { NULL };
	const uint64_t areas[5] = { 0, 1, 2, 3, 16 };
	int e = ok(eventfd(0, EFD_NONBLOCK));
	uint64_t one = 1;

	srandom(getpid());
	catch_bus();
	say(socket, 'a');
	if (sigsetjmp(bus_jump, 1))
		(void)one;
	for (;;) {
		int fd = fds[random() % 3], i = random() % 5;

		switch (random() % 8) {
		case 0:
			attach(fd);
			break;
		case 1:
			detach(fd);
			break;
		case 2:
			if (mapped[i])
				munmap((void *)(uintptr_t)mapped[i], i ? AREA : 4096);
			mapped[i] = map_area(fd, areas[i], i ? AREA : 4096, i ? RW : PROT_READ);
			if (mapped[i] == MAP_FAILED)
				mapped[i] = map_area(fd, areas[i], i ? AREA : 4096, PROT_READ);
			if (mapped[i] == MAP_FAILED)
				mapped[i] = NULL;
			break;
		case 3:
			ring(fd, random() % 2);
			break;
		case 4:
			bind_doorbell(fd, random() % 2, 1 + random() % 2, random() % 4 ? e : -1);
			break;
		case 5:
			check(write(e, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN);
			break;
		default:
			for (i = 0; i < 5; i++)
				if (mapped[i])
					(void)mapped[i][random() % PAGES * (i ? 4096 : 0)];
		}
	}
}

static void a_channel_survives_whatever_its_ends_do(void)
{
	unsigned int rounds = 0;

	begin(4);
	while (time_is_left()) {
		struct fixture f = make();
		struct peer peers[4];
		unsigned int i;

		seal_for_grants(f.memfd);
		for (i = 0; i < 4; i++) {
			peers[i] = fork_peer(use_at_random, &f);
			hear(peers[i].socket, 'a');
		}
		for (int step = 0; step < 60; step++) {
			i = random() % 4;
			switch (random() % 6) {
			case 0:
				kill_peer(&peers[i]);
				peers[i] = fork_peer(use_at_random, &f);
				hear(peers[i].socket, 'a');
				break;
			case 1:
				promote(f.channel.fd, random() % 2, NULL);
				break;
			case 2:
				ok(channel_revoke(f.channel.fd, 2 + random() % 2, 0));
				f.client = ok(object_open(f.channel.id, ULTRAVISOR_ROLE_CLIENT, 0));
				break;
			case 3:
				ok(server_set(f.channel.fd, 1, random()));
				break;
			default:
				sleep_ms(random() % 3);
			}
		}
		/* Ended from either side, with everybody still at it. */
		if (random() % 2)
			ok(object_destroy(f.partition.id));
		ok(object_destroy(f.channel.id));
		check(channel_info(f.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
		for (i = 0; i < 4; i++)
			kill_peer(&peers[i]);
		object_destroy(f.partition.id);
		rounds++;
	}
	printf("       %u channels\n", rounds);
}

/* ---- partitions that end while they run ---- */

static struct guest guest;

static void *run_forever(void *arg)
{
	(void)arg;
	while (!context_run(guest.context) || errno == EINTR)
		;
	return NULL;
}

static void monitor(int socket, void *arg)
{
	pthread_t thread;

	(void)arg;
	/* Its partition may end under it: then this is the end of it, too. */
	ok(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO));
	say(socket, 'a');
	guest_build(&guest, counting, sizeof(counting), random() % 2);
	check(!pthread_create(&thread, NULL, run_forever, NULL));
	say(socket, 'r');
	pthread_join(thread, NULL);
	pause();
}

/* Every moment of a monitor's life is hit, the making of the VM included. */
static void a_partition_ends_at_any_moment(void)
{
	unsigned int rounds = 0;

	begin(5);
	while (time_is_left()) {
		bool kill_first = random() % 2, wait_for_run = random() % 3;
		uint64_t budget = random() % 2 ? 2 * MS : 0;
		struct peer peer;

		guest_define(&guest, "ends", budget, budget * 5);
		peer = fork_peer(monitor, NULL);
		hear(peer.socket, 'a');
		if (wait_for_run)
			hear(peer.socket, 'r');
		usleep(random() % 60000);
		if (random() % 2)
			ok(partition_stop(guest.partition.fd));
		if (kill_first)
			kill_peer(&peer);
		ok(object_destroy(guest.partition.id));
		if (!kill_first)
			kill_peer(&peer);
		close(guest.partition.fd);
		close(guest.monitor);
		close(guest.memfd);
		rounds++;
	}
	printf("       %u partitions\n", rounds);
}

static void *change_at_random(void *arg)
{
	(void)arg;
	while (time_is_left()) {
		switch (random() % 5) {
		case 0:
			ok(partition_stop(guest.partition.fd));
			break;
		case 1:
			ok(partition_resume(guest.partition.fd));
			break;
		case 2:
			ok(context_set(guest.partition.fd, ULTRAVISOR_CONTEXT_SET, 0,
				       ULTRAVISOR_CONTEXT_SHARED, 1 + random() % 3, 0, 0));
			break;
		case 3:
			ok(context_set(guest.partition.fd, ULTRAVISOR_CONTEXT_SET, 0,
				       ULTRAVISOR_CONTEXT_SHARED, 3, (1 + random() % 5) * MS,
				       (5 + random() % 10) * MS));
			break;
		default:
			context_info(guest.partition.fd, 0);
			usleep(random() % 2000);
		}
	}
	/* A stopped run sleeps through signals. */
	ok(partition_resume(guest.partition.fd));
	return NULL;
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void a_context_obeys_many_masters(void)
{
	struct itimerval storm = { { 0, 700 }, { 0, 700 } };
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int interrupted = 0;
	pthread_t masters[3];
	uint32_t before;

	begin(4);
	guest_init(&guest, "obedient", counting, sizeof(counting));
	for (int i = 0; i < 3; i++)
		check(!pthread_create(&masters[i], NULL, change_at_random, NULL));
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &storm, NULL);
	while (time_is_left() && partition_info(guest.partition.fd).out_exits < 100000) {
		if (partition_info(guest.partition.fd).out_state == ULTRAVISOR_PARTITION_STOPPED)
			ok(partition_resume(guest.partition.fd));
		fails(EINTR, context_run(guest.context));
		interrupted++;
	}
	memset(&storm, 0, sizeof(storm));
	setitimer(ITIMER_REAL, &storm, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(masters[i], NULL);
	/* And it still runs. */
	ok(partition_resume(guest.partition.fd));
	before = *(volatile uint32_t *)(guest.memory + 0x3000);
	guest.run->immediate_exit = 0;
	/* A signal may come before the run, or before the guest has got far. */
	storm.it_value.tv_usec = storm.it_interval.tv_usec = 100000;
	setitimer(ITIMER_REAL, &storm, NULL);
	for (int i = 0; i < 100 && *(volatile uint32_t *)(guest.memory + 0x3000) == before; i++)
		fails(EINTR, context_run(guest.context));
	check(*(volatile uint32_t *)(guest.memory + 0x3000) != before);
	printf("       interrupted %u times\n", interrupted);
	check(interrupted > 10);
}

/* ---- attachments under a storm of signals ---- */

static void attaching_is_not_interrupted_by_signals(void)
{
	struct itimerval storm = { { 0, 150 }, { 0, 150 } };
	struct sigaction action = { .sa_handler = on_alarm };
	struct fixture f = make();
	unsigned int rounds = 0;

	begin(3);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &storm, NULL);
	while (time_is_left()) {
		ok(attach(f.client));
		ok(detach(f.client));
		rounds++;
	}
	printf("       %u attachments\n", rounds);
	check(rounds > 100);
}

/* ---- sources that go while they ring ---- */

static int source_fd;

static void *write_forever(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	while (time_is_left())
		if (write(source_fd, &one, sizeof(one)) != sizeof(one))
			check(errno == EAGAIN);
	return NULL;
}

static void a_source_goes_while_it_rings(void)
{
	unsigned int rounds = 0;
	pthread_t writers[2];

	begin(3);
	source_fd = ok(eventfd(0, EFD_NONBLOCK));
	for (int i = 0; i < 2; i++)
		check(!pthread_create(&writers[i], NULL, write_forever, NULL));
	while (time_is_left()) {
		struct fixture f = make();
		int sink = ok(eventfd(0, EFD_NONBLOCK));
		uint64_t count;

		ok(attach(f.server[0]));
		ok(bind_doorbell(f.server[0], 0, ULTRAVISOR_DOORBELL_SINK, sink));
		ok(attach(f.client));
		for (int i = 0; i < 10; i++) {
			ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SOURCE, source_fd));
			/* Drained, and rung again: it is connected. */
			for (int n = 0; n < 3; n++)
				while (read(sink, &count, sizeof(count)) < 0)
					if (!time_is_left())
						break;
			if (i % 3 == 0)
				ok(bind_doorbell(f.client, 0, ULTRAVISOR_DOORBELL_SOURCE, -1));
			if (i % 3 == 1) {
				ok(detach(f.client));
				ok(attach(f.client));
			}
		}
		ok(object_destroy(f.channel.id));
		ok(object_destroy(f.partition.id));
		close(f.channel.fd);
		close(f.client);
		close(f.server[0]);
		close(f.server[1]);
		close(f.partition.fd);
		close(f.memfd);
		close(sink);
		rounds++;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(writers[i], NULL);
	printf("       %u channels\n", rounds);
	check(rounds);
}

/* ---- nothing is left ---- */

/* What is available, with the free pages that processors keep for themselves: tens of MiB. */
static long available_kib(void)
{
	long kib = -1, pages;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	check(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	fclose(f);
	f = fopen("/proc/zoneinfo", "r");
	check(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &pages) == 1)
			kib += pages * 4;
	fclose(f);
	return kib;
}

static void drop_caches(void)
{
	int fd = ok(open("/proc/sys/vm/drop_caches", O_WRONLY));

	check(write(fd, "3", 1) == 1);
	close(fd);
}

static void use_much(void)
{
	struct ultravisor_channel_create largest = {
		.client_size = ULTRAVISOR_MAX_AREA, .server_size = ULTRAVISOR_MAX_AREA,
		.private_size = ULTRAVISOR_MAX_AREA, .doorbells = ULTRAVISOR_MAX_DOORBELLS,
	};

	/* 192 MiB each. */
	for (int i = 0; i < 4; i++) {
		struct object c = make_channel(&largest);
		int client = ok(object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));

		ok(attach(client));
		ok(object_destroy(c.id));
		close(client);
		close(c.fd);
	}
	for (int i = 0; i < 40; i++) {
		struct peer peer;

		guest_define(&guest, "leaves", 0, 0);
		peer = fork_peer(monitor, NULL);
		hear(peer.socket, 'a');
		hear(peer.socket, 'r');
		ok(object_destroy(guest.partition.id));
		kill_peer(&peer);
		close(guest.partition.fd);
		close(guest.monitor);
		close(guest.memfd);
	}
}

/* 40 guests that stayed would be 80 MiB, one channel 192. */
#define MOST_KEPT_KIB (16 << 10)

static void memory_comes_back(void)
{
	long before, after;

	use_much();	/* the kernel's own caches grow to their size */
	drop_caches();
	before = available_kib();
	use_much();
	for (int tries = 0; tries < 20; tries++) {
		drop_caches();
		after = available_kib();
		if (before - after < MOST_KEPT_KIB)
			break;
		sleep_ms(100);
	}
	printf("       %ld KiB less available\n", before - after);
	check(before - after < MOST_KEPT_KIB);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "an old server writes nothing after the change",
		  an_old_server_writes_nothing_after_the_change },
		{ "a channel survives whatever its ends do",
		  a_channel_survives_whatever_its_ends_do },
		{ "a partition ends at any moment", a_partition_ends_at_any_moment },
		{ "a context obeys many masters", a_context_obeys_many_masters },
		{ "attaching is not interrupted by signals",
		  attaching_is_not_interrupted_by_signals },
		{ "a source goes while it rings", a_source_goes_while_it_rings },
		{ "memory comes back", memory_comes_back },
	};

	return RUN_TESTS(tests);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * libchannel over the module's endpoints. This process plays uvd: it makes channels, names
 * servers, revokes and promotes; clients and servers are children with an endpoint each. Every
 * test runs in a child of its own, and what it leaves in the module is destroyed after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libchannel/packet.h>
#include <linux/ultravisor.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AREA		(128u * 4096)
#define PATIENCE_MS	20000
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define check(x) do { \
	if (!(x)) { \
		fprintf(stderr, "%s:%d: not so: %s (errno: %s)\n", __FILE__, __LINE__, #x, \
			strerror(errno)); \
		exit(1); \
	} \
} while (0)

static int device;

/* What children report, shared by all of a test. */
static struct shared {
	_Atomic uint64_t sent, received, twice;
	_Atomic uint32_t stage;
	_Atomic bool enough;
} *shared;

/* ---- uvd's part --------------------------------------------------------------------------- */

struct made {
	uint64_t id;
	int control;
};

static struct made make_channel(const struct ultravisor_channel_create *wish)
{
	struct ultravisor_channel_create create = *wish;
	struct ultravisor_object object = { .size = sizeof(object) };
	struct ultravisor_server_set set = { .size = sizeof(set) };

	create.size = sizeof(create);
	create.type = 1;
	create.layout_version = 1;
	create.client_size = create.server_size = AREA;
	create.private_size = 4096;
	create.doorbells = 2;
	memset(create.uuid, 0x22, sizeof(create.uuid));
	check(!ioctl(device, ULTRAVISOR_CHANNEL_CREATE, &create));
	object.id = create.out_id;
	check(!ioctl(device, ULTRAVISOR_OBJECT_PUBLISH, &object));
	for (set.slot = 0; set.slot < 2; set.slot++) {
		memset(set.uuid, 0x30 + (int)set.slot, sizeof(set.uuid));
		check(!ioctl(create.out_fd, ULTRAVISOR_SERVER_SET, &set));
	}
	return (struct made){ create.out_id, create.out_fd };
}

static int open_end(const struct made *made, uint32_t role, uint32_t slot)
{
	struct ultravisor_object_open open = {
		.size = sizeof(open), .id = made->id, .role = role, .slot = slot,
	};

	check(!ioctl(device, ULTRAVISOR_OBJECT_OPEN, &open));
	return open.out_fd;
}

static int open_client(const struct made *made)
{
	return open_end(made, ULTRAVISOR_ROLE_CLIENT, 0);
}

static int open_server(const struct made *made, uint32_t slot)
{
	return open_end(made, ULTRAVISOR_ROLE_SERVER, slot);
}

static void take_away(const struct made *made, uint32_t what, uint32_t slot)
{
	struct ultravisor_channel_revoke arg = { .size = sizeof(arg), .what = what, .slot = slot };

	check(!ioctl(made->control, ULTRAVISOR_CHANNEL_REVOKE, &arg));
}

static void promote(const struct made *made, uint32_t slot)
{
	struct ultravisor_channel_promote arg = { .size = sizeof(arg), .slot = slot };

	check(!ioctl(made->control, ULTRAVISOR_CHANNEL_PROMOTE, &arg));
}

static void destroy_all(void)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	struct ultravisor_object object = { .size = sizeof(object) };

	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		object.id = next.id = next.out_id;
		ioctl(device, ULTRAVISOR_OBJECT_DESTROY, &object);
	}
}

/* ---- children ----------------------------------------------------------------------------- */

static pid_t start(void (*body)(int fd), int fd)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(120);
		body(fd);
		exit(0);
	}
	close(fd);
	return pid;
}

static int end(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void kill_hard(pid_t pid)
{
	kill(pid, SIGKILL);
	check(end(pid) == 128 + SIGKILL);
}

static void wait_for(const _Atomic uint64_t *counter, uint64_t least)
{
	int tries;

	for (tries = 0; *counter < least && tries < PATIENCE_MS; tries++)
		usleep(1000);
	check(*counter >= least);
}

static void wait_stage(uint32_t stage)
{
	int tries;

	for (tries = 0; shared->stage < stage && tries < PATIENCE_MS; tries++)
		usleep(1000);
	check(shared->stage >= stage);
}

static struct channel *open_channel(int fd)
{
	struct channel *c;
	int rc = channel_open(&c, fd, NULL);

	errno = -rc;
	check(!rc);
	return c;
}

static struct packet_ring *open_ring(struct channel *c)
{
	struct packet_ring *p;
	int rc = packet_open(&p, c);

	errno = -rc;
	check(!rc);
	return p;
}

/* Until this end serves; false: it never will. */
static bool wait_until_serving(struct channel *c)
{
	struct pollfd fd = { .fd = channel_status_fd(c), .events = POLLIN };
	struct channel_status status;

	for (;;) {
		if (channel_status(c, &status))
			return false;
		if (status.serving)
			return true;
		check(poll(&fd, 1, PATIENCE_MS) == 1);
	}
}

static size_t length_of(uint64_t number)
{
	return number % 50 ? 8 + number * 37 % 3000 : 8 + number * 101 % (PACKET_MAX - 8);
}

static uint8_t out[PACKET_MAX], in[PACKET_MAX];

static size_t fill(uint64_t number)
{
	const size_t n = length_of(number);

	memset(out, (int)number, n);
	memcpy(out, &number, sizeof(number));
	return n;
}

static uint64_t verify(ssize_t n)
{
	uint64_t number;
	size_t i;

	errno = n < 0 ? (int)-n : 0;
	check(n >= (ssize_t)sizeof(number));
	memcpy(&number, in, sizeof(number));
	check((size_t)n == length_of(number));
	for (i = sizeof(number); i < (size_t)n; i++)
		check(in[i] == (uint8_t)number);
	return number;
}

/* Answers each packet with itself, for ever; ends when it loses its role. */
static void serve(int fd)
{
	struct channel *c = open_channel(fd);
	struct packet_ring *p;
	ssize_t n;
	int rc;

	shared->stage++;
	if (!wait_until_serving(c))
		exit(3);
	p = open_ring(c);
	for (;;) {
		n = packet_receive_wait(p, in, sizeof(in), -1);
		if (n == -ECONNRESET)
			break;
		verify(n);
		rc = packet_send_wait(p, in, n, -1);
		if (rc == -ECONNRESET)
			break;
		check(!rc);
	}
	packet_close(p);
	channel_close(c);
	exit(3);
}

/* Asks `shared->sent` upwards and waits for each answer; the answer before may come twice. */
static void ask(int fd, uint64_t count)
{
	struct channel *c = open_channel(fd);
	struct packet_ring *p = open_ring(c);
	uint64_t number, last;
	size_t n;
	int rc;

	for (last = shared->sent + count; shared->sent < last; shared->sent++) {
		n = fill(shared->sent);
		rc = packet_send_wait(p, out, n, PATIENCE_MS);
		errno = -rc;
		check(!rc);
		while ((number = verify(packet_receive_wait(p, in, sizeof(in), PATIENCE_MS))) !=
		       shared->sent) {
			check(number + 1 == shared->sent);
			shared->twice++;
		}
		shared->received++;
	}
	packet_close(p);
	channel_close(c);
}

static void ask_500(int fd)
{
	ask(fd, 500);
}

static void ask_3000(int fd)
{
	ask(fd, 3000);
}

static void ask_until_told(int fd)
{
	while (!shared->enough)
		ask(dup(fd), 50);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void packets_of_all_sizes_make_the_round_trip(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	pid_t server = start(serve, open_server(&m, 0));

	check(!end(start(ask_500, open_client(&m))));
	check(shared->received == 500 && !shared->twice);
	kill_hard(server);
}

static void a_killed_server_is_replaced_and_nothing_is_lost(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	pid_t server[2], client;
	uint32_t i, rounds = 0;
	uint64_t before;

	for (i = 0; i < 2; i++)
		server[i] = start(serve, open_server(&m, i));
	wait_stage(2);
	client = start(ask_until_told, open_client(&m));
	for (i = 0; rounds < 30; i = !i) {
		/* The one that serves; it is started again when the other has taken over. */
		usleep(5000 + rounds * 3777 % 20000);
		kill_hard(server[i]);
		before = shared->received;
		server[i] = start(serve, open_server(&m, i));
		wait_stage(3 + rounds++);
		wait_for(&shared->received, before + 2);
	}
	shared->enough = true;
	check(!end(client));
	check(shared->received == shared->sent && shared->twice <= rounds);
	kill_hard(server[0]);
	kill_hard(server[1]);
}

static void a_killed_client_leaves_its_place_to_the_next(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	pid_t server = start(serve, open_server(&m, 0)), client;
	struct packet_ring *p;
	struct channel *c;
	uint64_t number, next = 0;
	ssize_t n;
	int round;

	for (round = 0; round < 10; round++) {
		client = start(ask_3000, open_client(&m));
		wait_for(&shared->received, shared->received + 5);
		kill_hard(client);
		/* Answers to the dead one come first; then the numbers go on. */
		c = open_channel(open_client(&m));
		p = open_ring(c);
		while ((n = packet_receive_wait(p, in, sizeof(in), 200)) != -ETIMEDOUT) {
			number = verify(n);
			check(number + 1 >= shared->sent && number <= shared->sent);
			next = number + 1;
		}
		packet_close(p);
		channel_close(c);
		shared->sent = next > shared->sent ? next : shared->sent;
	}
	kill_hard(server);
}

static void copy_for_ever(int fd)
{
	struct channel *c = open_channel(fd);
	struct pollfd hup = { .fd = channel_status_fd(c) };
	struct channel_status status;
	static uint8_t bytes[AREA];

	shared->stage++;
	while (!channel_copy_out(c, channel_own(c), bytes, sizeof(bytes)) &&
	       !channel_copy_in(c, bytes, channel_peer(c), sizeof(bytes)))
		shared->sent++;
	check(channel_lost(c));
	check(channel_status(c, &status) == -ECONNRESET);
	check(poll(&hup, 1, 0) == 1 && hup.revents & POLLHUP);
	check(channel_ring(c, 0) == -ECONNRESET);
	channel_close(c);
}

static void revocation_in_the_middle_of_a_copy_loses_the_channel_only(void)
{
	struct made m;
	pid_t client;
	int round;

	for (round = 0; round < 10; round++) {
		m = make_channel(&(struct ultravisor_channel_create){ 0 });
		shared->sent = 0;
		client = start(copy_for_ever, open_client(&m));
		wait_for(&shared->sent, 20);
		take_away(&m, round % 2 ? ULTRAVISOR_REVOKE_ALL : ULTRAVISOR_REVOKE_CLIENT, 0);
		check(!end(client));
	}
}

static void send_for_ever(int fd)
{
	struct channel *c = open_channel(fd);
	struct packet_ring *p = open_ring(c);
	int rc;

	do {
		rc = packet_send_wait(p, out, 10000, -1);
		shared->sent++;
	} while (!rc);
	check(rc == -ECONNRESET);
	check(packet_receive(p, in, sizeof(in)) == -ECONNRESET);
	check(channel_lost(c));
	check(packet_prepare_wait(p));
	packet_close(p);
	channel_close(c);
}

static void swallow(int fd)
{
	struct channel *c = open_channel(fd);
	struct packet_ring *p = open_ring(c);
	ssize_t n;

	shared->stage++;
	do
		n = packet_receive_wait(p, in, sizeof(in), -1);
	while (n >= 0);
	check(n == -ECONNRESET);
	packet_close(p);
	channel_close(c);
}

static void revocation_ends_both_ends_of_a_busy_ring(void)
{
	struct made m;
	pid_t client, server;
	int round;

	for (round = 0; round < 10; round++) {
		m = make_channel(&(struct ultravisor_channel_create){ 0 });
		shared->sent = 0;
		server = start(swallow, open_server(&m, 0));
		wait_stage((uint32_t)round + 1);
		client = start(send_for_ever, open_client(&m));
		wait_for(&shared->sent, 20);
		take_away(&m, ULTRAVISOR_REVOKE_ALL, 0);
		check(!end(client));
		check(!end(server));
	}
}

/* A server asleep in its ring is told, too. */
static void revocation_wakes_who_waits(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	pid_t server = start(swallow, open_server(&m, 0));

	wait_stage(1);
	usleep(200000);
	take_away(&m, ULTRAVISOR_REVOKE_SLOT, 0);
	check(!end(server));
}

static void a_server_that_is_replaced_alive_ends_by_itself(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	pid_t old, new, client;

	old = start(serve, open_server(&m, 0));
	wait_stage(1);
	new = start(serve, open_server(&m, 1));
	wait_stage(2);
	client = start(ask_500, open_client(&m));
	wait_for(&shared->received, 20);
	promote(&m, 1);
	check(end(old) == 3);
	check(!end(client));
	check(shared->received == 500 && shared->twice <= 1);
	kill_hard(new);
}

static void a_standby_touches_nothing_until_it_serves(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	struct channel *serving = open_channel(open_server(&m, 0));
	struct channel *standby = open_channel(open_server(&m, 1));
	struct channel_status status;
	struct packet_ring *p;
	uint64_t word;

	check(!channel_status(serving, &status) && status.serving && status.epoch == 1);
	check(!channel_status(standby, &status) && !status.serving);
	check(channel_load_u64(standby, channel_peer(standby), &word) == -ECONNRESET);
	check(channel_lost(standby));
	channel_close(standby);

	standby = open_channel(open_server(&m, 1));
	check(packet_open(&p, standby) == -ECONNRESET);
	check(channel_lost(standby));
	channel_close(standby);

	standby = open_channel(open_server(&m, 1));
	channel_close(serving);
	check(wait_until_serving(standby));
	check(!channel_status(standby, &status) && status.epoch == 2);
	p = open_ring(standby);
	packet_close(p);
	channel_close(standby);
}

static void sleepers_are_woken(void)
{
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	struct packet_counters k;
	struct packet_ring *p;
	struct channel *c;
	pid_t server = start(serve, open_server(&m, 0));
	uint64_t i;

	c = open_channel(open_client(&m));
	p = open_ring(c);
	for (i = 1; i <= 20; i++) {
		usleep(20000);		/* the server sleeps by now */
		check(!packet_send(p, out, fill(i)));
		check(verify(packet_receive_wait(p, in, sizeof(in), PATIENCE_MS)) == i);
	}
	packet_counters(p, &k);
	check(k.wakeups >= 15);
	packet_close(p);
	channel_close(c);
	kill_hard(server);
}

static void open_second(int fd)
{
	struct channel *c;

	check(channel_open(&c, fd, NULL) == -EBUSY);
}

static void wrong_geometry_and_a_second_process_are_refused(void)
{
	const struct channel_geometry right = {
		.type = 1, .layout_version = 1, .client_size = AREA, .server_size = AREA,
		.private_size = 4096, .doorbells = 2,
	};
	struct channel_geometry wrong[6];
	struct made m = make_channel(&(struct ultravisor_channel_create){ 0 });
	int fd = open_client(&m);
	struct channel *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		wrong[i] = right;
	wrong[0].type++;
	wrong[1].layout_version++;
	wrong[2].client_size += 4096;
	wrong[3].server_size -= 4096;
	wrong[4].private_size += 4096;
	wrong[5].doorbells--;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		check(channel_open(&c, fd, &wrong[i]) == -EPROTO);
	check(!channel_open(&c, fd, &right));
	check(!end(start(open_second, open_client(&m))));
	check(!end(start(open_second, dup(fd))));
	channel_close(c);
}

static void granted_memory_is_reached_until_it_is_revoked(void)
{
	struct ultravisor_partition_create partition = { .size = sizeof(partition), .name = "g" };
	struct ultravisor_object object = { .size = sizeof(object) };
	struct ultravisor_memory_add add = { .size = sizeof(add), .length = 2 << 20 };
	const struct channel_region *region;
	struct channel *c;
	struct made m;
	size_t count;
	char *memory;
	char word[8];

	add.fd = memfd_create("guest", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	check(!ftruncate(add.fd, 2 << 20));
	check(!fcntl(add.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	memset(partition.uuid, 0x11, sizeof(partition.uuid));
	check(!ioctl(device, ULTRAVISOR_PARTITION_CREATE, &partition));
	object.id = partition.out_id;
	check(!ioctl(device, ULTRAVISOR_OBJECT_PUBLISH, &object));
	check(!ioctl(partition.out_fd, ULTRAVISOR_MEMORY_ADD, &add));
	memory = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, add.fd, 0);
	check(memory != MAP_FAILED);
	check(!fcntl(add.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
	strcpy(memory + 4096, "guest");

	m = make_channel(&(struct ultravisor_channel_create){
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_id = partition.out_id,
	});
	c = open_channel(open_server(&m, 0));
	check(!channel_memory(c, &region, &count) && count == 1 && region->length == 2 << 20);
	check(!channel_copy_in(c, word, (char *)region->base + 4096, 6) && !strcmp(word, "guest"));
	check(!channel_copy_out(c, (char *)region->base + 8192, "server", 7));
	check(!strcmp(memory + 8192, "server"));
	take_away(&m, ULTRAVISOR_REVOKE_SLOT, 0);
	check(channel_copy_in(c, word, (char *)region->base + 4096, 6) == -ECONNRESET);
	check(channel_lost(c));
	channel_close(c);
}

#define TEST(f) { #f, f }
static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	TEST(packets_of_all_sizes_make_the_round_trip),
	TEST(a_killed_server_is_replaced_and_nothing_is_lost),
	TEST(a_killed_client_leaves_its_place_to_the_next),
	TEST(revocation_in_the_middle_of_a_copy_loses_the_channel_only),
	TEST(revocation_ends_both_ends_of_a_busy_ring),
	TEST(revocation_wakes_who_waits),
	TEST(a_server_that_is_replaced_alive_ends_by_itself),
	TEST(a_standby_touches_nothing_until_it_serves),
	TEST(sleepers_are_woken),
	TEST(wrong_geometry_and_a_second_process_are_refused),
	TEST(granted_memory_is_reached_until_it_is_revoked),
};

int main(int argc, char **argv)
{
	int failed = 0, status;
	struct timespec begin, now;
	size_t i;
	pid_t pid;

	device = open("/dev/ultravisor", O_RDWR | O_CLOEXEC);
	check(device >= 0);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED);
	destroy_all();
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (argc > 1 && !strstr(tests[i].name, argv[1]))
			continue;
		memset(shared, 0, sizeof(*shared));
		clock_gettime(CLOCK_MONOTONIC, &begin);
		fflush(NULL);
		pid = fork();
		check(pid >= 0);
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			alarm(120);
			tests[i].run();
			exit(0);
		}
		status = end(pid);
		destroy_all();
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%s %s (%ld ms)\n", status ? "FAILED" : "ok    ", tests[i].name,
		       (now.tv_sec - begin.tv_sec) * 1000 +
		       (now.tv_nsec - begin.tv_nsec) / 1000000);
		if (status)
			printf("       status %d\n", status);
		fflush(stdout);
		failed += status != 0;
	}
	return failed ? 1 : 0;
}

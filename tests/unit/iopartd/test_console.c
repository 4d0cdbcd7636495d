/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: every byte of the guest is in the log exactly once and in order, whoever is killed
 * when; the log stays bounded; what is typed reaches the serial port; one writer, many readers.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <common/uuid.h>
#include <iopartd/console.h>
#include <iopartd/consolesock.h>
#include <common/crash.h>

#include "guest.h"
#include "rig.h"

static const char *fatal;
static unsigned int passes;

void crash_point(const char *name)
{
	if (fatal && !strcmp(name, fatal) && --passes == 0)
		raise(SIGKILL);
}

struct state {
	struct guest g;
	struct rig r;
	struct consolesock *sock;
	char path[64], directory[64], socket[108];
	int file;
	bool served;
};

static char byte_of(uint64_t n)
{
	return (char)((n * 2654435761u) >> 13) ^ (char)n;
}

static struct io_console_client *client(struct guest *g)
{
	return channel_own(g->client);
}

static const struct io_console_server *server(struct guest *g)
{
	return channel_peer(g->client);
}

/* Puts up to n bytes into the ring, as many as have room. */
static size_t put(struct guest *g, size_t n)
{
	struct io_console_client *c = client(g);
	uint64_t head = atomic_load(&c->tx_head);
	size_t room = IO_CONSOLE_TX_SIZE - (head - atomic_load(&server(g)->tx_tail)), i;

	if (n > room)
		n = room;
	for (i = 0; i < n; i++)
		c->tx[(head + i) % IO_CONSOLE_TX_SIZE] = byte_of(head + i);
	atomic_store(&c->tx_head, head + n);
	/* As uvmonitor does: a server that had not caught up looks once more by itself. */
	if (n && atomic_load(&server(g)->tx_tail) >= head)
		assert_int_equal(channel_ring(g->client, 0), 0);
	return n;
}

static bool empty(void *argument)
{
	struct guest *g = argument;

	return atomic_load(&server(g)->tx_tail) == atomic_load(&client(g)->tx_head);
}

/* The log is the end of everything that was written so far, and as long as it may be. */
static void check_log(struct state *s)
{
	static char log[CONSOLE_LOG_LIMIT + IO_CONSOLE_TX_SIZE];
	uint64_t total = atomic_load(&client(&s->g)->tx_head);
	ssize_t n = pread(s->file, log, sizeof(log), 0), i;

	assert_true(n < (ssize_t)CONSOLE_LOG_LIMIT);
	if (total < CONSOLE_LOG_LIMIT)
		assert_int_equal(n, total);
	else
		assert_true(n >= (ssize_t)CONSOLE_LOG_KEEP);
	for (i = 0; i < n; i++)
		if (log[i] != byte_of(total - n + i))
			fail_msg("byte %zd of %zd is wrong, %llu were written", i, n,
				 (unsigned long long)total);
}

static int setup_bare(void **p)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	guest_init(&s->g, CHANNEL_CONSOLE);
	s->file = rig_file(s->path, 0, false);
	*p = s;
	return 0;
}

static int open_log(struct state *s)
{
	int fd = open(s->path, O_RDWR | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **p)
{
	struct state *s;
	int fd;

	setup_bare(p);
	s = *p;
	rig_init(&s->r);
	strcpy(s->directory, "/tmp/iopartd-test-XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	snprintf(s->socket, sizeof(s->socket), "%s/io-a.sock", s->directory);
	fd = consolesock_listen(s->socket);
	assert_true(fd >= 0);
	assert_int_equal(consolesock_start(&s->sock, &s->r.io, fd, getuid()), 0);
	rig_serve(&s->r, &s->g, open_log(s), false);
	s->served = true;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;

	if (s->served) {
		consolesock_stop(s->sock);
		rig_uninit(&s->r);
		s->g.server = NULL;
		unlink(s->socket);
		rmdir(s->directory);
	}
	guest_uninit(&s->g);
	close(s->file);
	unlink(s->path);
	free(s);
	return 0;
}

static void what_the_guest_says_is_in_the_log(void **p)
{
	struct state *s = *p;

	assert_int_equal(server(&s->g)->state, IO_SERVER_READY);
	put(&s->g, 1);
	rig_until(&s->r, empty, &s->g);
	check_log(s);
	put(&s->g, 1000);
	put(&s->g, IO_CONSOLE_TX_SIZE);
	rig_until(&s->r, empty, &s->g);
	check_log(s);
}

static void the_log_is_cut_to_its_end(void **p)
{
	struct state *s = *p;
	int i;

	for (i = 0; i < 40; i++) {
		put(&s->g, 30011);
		rig_until(&s->r, empty, &s->g);
		check_log(s);
	}
}

static void a_log_of_former_days_is_continued(void **p)
{
	struct state *s = *p;
	char text[32] = { 0 };

	assert_int_equal(pwrite(s->file, "before\n", 7, 0), 7);
	rig_init(&s->r);
	rig_serve(&s->r, &s->g, open_log(s), false);
	put(&s->g, 3);
	rig_until(&s->r, empty, &s->g);
	assert_int_equal(pread(s->file, text, sizeof(text), 0), 10);
	assert_memory_equal(text, "before\n", 7);
	assert_int_equal(text[7], byte_of(0));
	assert_int_equal(text[9], byte_of(2));
	rig_uninit(&s->r);
	s->g.server = NULL;
}

static void a_client_that_counts_wrong_loses_its_console(void **p)
{
	struct state *s = *p;

	atomic_store(&client(&s->g)->tx_head, IO_CONSOLE_TX_SIZE + 1);
	assert_int_equal(channel_ring(s->g.client, 0), 0);
	rig_run(&s->r, 20);
	assert_int_equal(s->r.device->state, DEVICE_CLOSED);
}

/* ---- taken over at every instant */

static void serve(struct state *s, const char *point, unsigned int pass)
{
	struct rig r;

	rig_forked = true;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(30);
	rig_init(&r);
	rig_serve(&r, &s->g, open_log(s), false);
	fatal = point;
	passes = pass;
	/* The first look at the ring may have been before it was fatal to look. */
	while (sd_event_run(r.event, UINT64_MAX) >= 0)
		;
	_exit(1);
}

/* Writes until the server dies of its own, or total bytes are out and taken. */
static bool drive(struct state *s, pid_t pid, size_t total)
{
	int status, i;

	for (i = 0; i < 20000; i++) {
		total -= put(&s->g, total < 7001 ? total : 7001);
		if (waitpid(pid, &status, WNOHANG) == pid) {
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			return false;
		}
		if (!total && empty(&s->g))
			return true;
		poll(NULL, 0, 1);
	}
	fail_msg("the server does not take the bytes");
	return false;
}

static pid_t start(struct state *s, const char *point, unsigned int pass)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve(s, point, pass);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void every_byte_once_whoever_is_killed_when(void **p)
{
	static const char *const points[] = {
		"logged", "tail-moved", "rotating", "tail-part", "tail-copied", "base-moved",
		"truncated",
	};
	struct state *s = *p;
	unsigned int i, pass, killed = 0;
	pid_t pid;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (pass = 1; pass <= 9; pass++) {
			pid = start(s, points[i], pass);
			if (drive(s, pid, CONSOLE_LOG_LIMIT))
				end(pid);
			else
				killed++;
			/* The next one finishes what is left, alone. */
			pid = start(s, NULL, 0);
			assert_true(drive(s, pid, 100));
			poll(NULL, 0, 5);
			end(pid);
			check_log(s);
		}
	}
	assert_true(killed > 30);
}

/* ---- the socket */

static int dial(struct state *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, s->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static int ask(struct state *s, const char *what)
{
	char uuid[UUID_TEXT], line[128];
	int fd = dial(s), n;

	n = snprintf(line, sizeof(line), "CONSOLE %s %s\n", uuid_format(rig_partition, uuid), what);
	assert_int_equal(send(fd, line, n, 0), n);
	rig_run(&s->r, 5);
	return fd;
}

/* All that comes until the other side closes or has nothing to say: its length. */
static size_t take(struct state *s, int fd, char *to, size_t size, bool *closed)
{
	size_t n = 0;
	ssize_t r;
	int idle = 0;

	*closed = false;
	while (n < size && idle < 5) {
		r = recv(fd, to + n, size - n, 0);
		if (r == 0) {
			*closed = true;
			break;
		}
		if (r > 0)
			n += r;
		else
			idle++;
		rig_run(&s->r, 1);
	}
	return n;
}

static void expect(struct state *s, int fd, const char *text, bool ends)
{
	char got[300] = { 0 };
	bool closed;

	take(s, fd, got, sizeof(got) - 1, &closed);
	if (strncmp(got, text, strlen(text)))
		fail_msg("got \"%s\", expected \"%s\"", got, text);
	assert_int_equal(closed, ends);
}

static void the_log_is_all_so_far(void **p)
{
	struct state *s = *p;
	static char got[CONSOLE_LOG_LIMIT];
	size_t n, i;
	bool closed;
	int fd;

	put(&s->g, 50000);
	rig_until(&s->r, empty, &s->g);
	fd = ask(s, "log");
	n = take(s, fd, got, sizeof(got), &closed);
	assert_true(closed);
	assert_int_equal(n, 3 + 50000);
	assert_memory_equal(got, "OK\n", 3);
	for (i = 0; i < 50000; i++)
		assert_int_equal(got[3 + i], byte_of(i));
	close(fd);
}

static void readers_see_what_comes_and_one_types(void **p)
{
	struct state *s = *p;
	struct io_console_client *c = client(&s->g);
	int writer = ask(s, "attach-rw"), reader = ask(s, "attach-ro"), second = ask(s, "attach");
	static char big[IO_CONSOLE_RX_SIZE + 1000];
	char got[16];
	bool closed;
	unsigned int i;

	expect(s, writer, "OK\n", false);
	expect(s, reader, "OK\n", false);
	expect(s, second, "ERR busy ", true);
	close(second);
	put(&s->g, 5);
	rig_until(&s->r, empty, &s->g);
	assert_int_equal(take(s, writer, got, sizeof(got), &closed), 5);
	assert_int_equal(got[4], byte_of(4));
	assert_int_equal(take(s, reader, got, sizeof(got), &closed), 5);

	assert_int_equal(send(writer, "ls\n", 3, 0), 3);
	assert_int_equal(send(reader, "rm\n", 3, 0), 3);
	rig_run(&s->r, 5);
	assert_int_equal(server(&s->g)->rx_head, 3);
	assert_memory_equal(server(&s->g)->rx, "ls\n", 3);

	/* More than has room waits, and is not lost. */
	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)i;
	assert_int_equal(send(writer, big, sizeof(big), 0), sizeof(big));
	rig_run(&s->r, 10);
	assert_int_equal(server(&s->g)->rx_head, IO_CONSOLE_RX_SIZE);
	atomic_store(&c->rx_tail, 3003);
	assert_int_equal(channel_ring(s->g.client, 0), 0);
	rig_run(&s->r, 10);
	assert_int_equal(server(&s->g)->rx_head, 3 + sizeof(big));
	for (i = sizeof(big) - 2000; i < sizeof(big); i++)
		assert_int_equal(server(&s->g)->rx[(3 + i) % IO_CONSOLE_RX_SIZE], (uint8_t)i);

	close(writer);
	rig_run(&s->r, 5);
	second = ask(s, "attach");
	expect(s, second, "OK\n", false);
	close(second);
	close(reader);
}

static void requests_that_make_no_sense_are_answered(void **p)
{
	static const struct {
		const char *line, *answer;
	} wrong[] = {
		{ "\n", "ERR bad-request" },
		{ "HELLO\n", "ERR bad-request" },
		{ "CONSOLE\n", "ERR bad-request" },
		{ "CONSOLE 1234 log\n", "ERR bad-request" },
		{ "CONSOLE 11111111-2222-4333-8444-555555555555\n", "ERR bad-request" },
		{ "CONSOLE 11111111-2222-4333-8444-555555555555 read\n", "ERR bad-request" },
		{ "CONSOLE 11111111-2222-4333-8444-555555555555 log x\n", "ERR bad-request" },
		{ "CONSOLE 11111111-2222-4333-8444-555555555556 log\n", "ERR not-serving" },
	};
	struct state *s = *p;
	char line[300];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fd = dial(s);
		assert_int_equal(send(fd, wrong[i].line, strlen(wrong[i].line), 0),
				 strlen(wrong[i].line));
		expect(s, fd, wrong[i].answer, true);
		close(fd);
	}
	memset(line, 'x', sizeof(line));
	fd = dial(s);
	assert_int_equal(send(fd, line, sizeof(line), 0), sizeof(line));
	expect(s, fd, "ERR bad-request", true);
	close(fd);
}

static void its_statistics_are_told(void **p)
{
	struct { char ok[3]; struct io_report report; char more; } __attribute__((packed)) got;
	struct state *s = *p;
	struct io_report r;
	bool closed;
	int fd;

	put(&s->g, 1000);
	rig_until(&s->r, empty, &s->g);
	assert_int_equal(console_type(s->r.device, "abc", 3), 3);
	fd = dial(s);
	assert_int_equal(send(fd, "STATISTICS\n", 11, 0), 11);
	assert_int_equal(take(s, fd, (char *)&got, sizeof(got), &closed), sizeof(got) - 1);
	assert_true(closed);
	close(fd);
	assert_memory_equal(got.ok, "OK\n", 3);
	r = got.report;
	assert_int_equal(r.length, sizeof(r));
	assert_int_equal(r.type, CHANNEL_CONSOLE);
	assert_memory_equal(r.partition, rig_partition, sizeof(rig_partition));
	assert_string_equal(r.device, s->r.device->id.name);
	assert_int_equal(r.statistics.operation[IO_WRITE].bytes, 1000);
	assert_int_equal(r.statistics.operation[IO_READ].bytes, 3);
	assert_int_equal(r.statistics.takeovers, 0);

	fd = dial(s);
	assert_int_equal(send(fd, "STATISTICS now\n", 15, 0), 15);
	rig_run(&s->r, 5);
	expect(s, fd, "ERR bad-request ", true);
	close(fd);
}

/* Who does not take what was asked for holds one of four places, for five seconds. */
static void a_report_that_nobody_reads_is_given_up(void **p)
{
	struct state *s = *p;
	struct device *d = s->r.device, *last = NULL;
	static struct device many[2000];
	int fd[5], i;

	/* More than a socket holds: the same device over and over. */
	for (i = 0; i < 2000; i++) {
		many[i] = *d;
		many[i].next = last;
		last = &many[i];
	}
	s->r.io.devices = last;
	for (i = 0; i < 5; i++) {
		fd[i] = dial(s);
		assert_int_equal(send(fd[i], "STATISTICS\n", 11, 0), 11);
		rig_run(&s->r, 5);
	}
	s->r.io.devices = d;
	expect(s, fd[4], "ERR busy ", true);
	close(fd[0]);
	rig_run(&s->r, 5);
	close(fd[4]);
	fd[4] = dial(s);
	assert_int_equal(send(fd[4], "STATISTICS\n", 11, 0), 11);
	rig_run(&s->r, 5200);
	expect(s, fd[4], "OK\n", false);
	fd[0] = ask(s, "log");
	expect(s, fd[0], "OK\n", true);
	for (i = 0; i < 5; i++)
		close(fd[i]);
}

/* By who asks alone: the socket is everybody's. */
static void nobody_but_root_and_one_user_may_ask(void **p)
{
	struct state *s = *p;
	int fd;

	consolesock_stop(s->sock);
	fd = consolesock_listen(s->socket);
	assert_true(fd >= 0);
	assert_int_equal(consolesock_start(&s->sock, &s->r.io, fd, getuid() + 1), 0);
	if (geteuid() == 0) {
		fd = ask(s, "log");
		expect(s, fd, "OK\n", true);
		close(fd);
		assert_int_equal(chmod(s->directory, 0711), 0);
		assert_int_equal(seteuid(getuid() + 2), 0);
	}
	fd = ask(s, "log");
	assert_int_equal(seteuid(getuid()), 0);
	expect(s, fd, "ERR denied ", true);
	close(fd);
}

static void a_client_that_says_nothing_delays_nobody(void **p)
{
	struct state *s = *p;
	int silent[80], i, fd;

	for (i = 0; i < 60; i++)
		silent[i] = dial(s);
	rig_run(&s->r, 10);
	fd = ask(s, "log");
	expect(s, fd, "OK\n", true);
	close(fd);
	for (; i < 80; i++)
		silent[i] = dial(s);
	rig_run(&s->r, 5600);
	/* All of them were dropped in time, also those that had to wait for a place. */
	fd = ask(s, "log");
	expect(s, fd, "OK\n", true);
	close(fd);
	expect(s, silent[0], "ERR bad-request no request", true);
	for (i = 0; i < 80; i++)
		close(silent[i]);
}

static void a_slow_reader_is_told_and_dropped(void **p)
{
	struct state *s = *p;
	static char got[4 << 20];
	int fd = ask(s, "attach-ro"), i;
	size_t n;
	bool closed;

	for (i = 0; i < 60; i++) {
		put(&s->g, 30000);
		rig_until(&s->r, empty, &s->g);
		rig_run(&s->r, 1);
	}
	check_log(s);
	n = take(s, fd, got, sizeof(got), &closed);
	assert_true(closed);
	assert_true(n < 60 * 30000);
	got[n < sizeof(got) ? n : sizeof(got) - 1] = 0;
	for (i = 0; i < (int)n - 200; i++)
		assert_int_equal(got[3 + i], byte_of(i));
	close(fd);
}

static void readers_are_let_go_when_another_server_has_the_console(void **p)
{
	struct state *s = *p;
	int fd = ask(s, "attach");

	expect(s, fd, "OK\n", false);
	device_withdraw(s->r.device);
	expect(s, fd, "", true);
	close(fd);
	fd = ask(s, "log");
	expect(s, fd, "ERR not-serving", true);
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, setup_bare, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_the_guest_says_is_in_the_log),
		TEST(the_log_is_cut_to_its_end),
		BARE(a_log_of_former_days_is_continued),
		TEST(a_client_that_counts_wrong_loses_its_console),
		BARE(every_byte_once_whoever_is_killed_when),
		TEST(the_log_is_all_so_far),
		TEST(readers_see_what_comes_and_one_types),
		TEST(requests_that_make_no_sense_are_answered),
		TEST(its_statistics_are_told),
		TEST(a_report_that_nobody_reads_is_given_up),
		TEST(nobody_but_root_and_one_user_may_ask),
		TEST(a_client_that_says_nothing_delays_nobody),
		TEST(a_slow_reader_is_told_and_dropped),
		TEST(readers_are_let_go_when_another_server_has_the_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

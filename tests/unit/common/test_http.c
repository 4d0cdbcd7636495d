/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server and its client, over a real socket: what is answered, and that clients which say
 * nothing, half of something or far too much are refused or cut off while others are served.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <common/http_client.h>
#include <common/http_server.h>

#define SILENT 40	/* connections that say nothing; the limit for a user is 16 */

static char path[64];
static pthread_t thread;
static int stop_fd[2];
static struct http_request *waiting;
static sd_event *loop;

/* ---- a server in a thread of its own --------------------------------------------- */

static void on_echo(struct http_request *r, void *data)
{
	json_t *body = http_request_body(r);

	(void)data;
	http_reply(r, 200, json_pack("{s:s, s:s, s:O?, s:s?}", "method", http_request_method(r),
				     "segment", http_request_segment(r, 0), "body", body, "query",
				     http_request_query(r, "q")));
}

static void on_refuse(struct http_request *r, void *data)
{
	struct error e = ERROR_NONE;

	(void)data;
	error_set(&e, EXIT_RESOURCES, "no room");
	error_why(&e, "limit 1, asked 2");
	error_fix(&e, "ask for less");
	e.details = json_pack("{s:i}", "n", 7);
	http_reply_error(r, &e);
	error_clear(&e);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec, (void)data;
	http_reply(waiting, 200, json_pack("{s:b}", "late", 1));
	return 0;
}

static void on_later(struct http_request *r, void *data)
{
	(void)data;
	waiting = r;
	sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, 200000, 0, on_time, NULL);
}

static void on_never(struct http_request *r, void *data)
{
	(void)r, (void)data;
}

static void on_socket(struct http_socket *socket, int fd, const char *extra, size_t n, void *data)
{
	(void)data;
	if (!socket)
		return;
	if (write(fd, extra, n) < 0 || write(fd, "bye", 3) < 0)
		perror("upgrade");
	http_socket_close(socket);
}

static void on_upgrade(struct http_request *r, void *data)
{
	http_upgrade(r, "test", on_socket, data);
}

static int admit(const struct http_request *r, void *data, struct error *e)
{
	(void)data;
	if (strcmp(http_request_path(r), "/v1/things/private"))
		return 0;
	error_set(e, EXIT_DENIED, "you may not");
	return error_fix(e, "ask somebody else");
}

static const struct http_route routes[] = {
	{ "GET", "/v1/things/{}", on_echo },
	{ "POST", "/v1/things/{}", on_echo },
	{ "POST", "/v1/things/{}/refuse", on_refuse },
	{ "GET", "/v1/later", on_later },
	{ "POST", "/v1/never", on_never },
	{ "GET", "/v1/upgrade", on_upgrade },
	{ NULL, NULL, NULL }
};

static int on_stop(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)fd, (void)events, (void)data;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *data)
{
	const struct http_server_config config = {
		.routes = routes, .admit = admit, .max_body = 64 << 10, .max_connections = 64,
		.receive_seconds = 2, .send_seconds = 2,
	};
	struct http_server *server;
	struct error e = ERROR_NONE;
	int fd;

	sd_event_new(&loop);
	fd = http_listen(path, &e);
	if (fd < 0 || http_server_open(&server, loop, fd, &config) < 0)
		abort();
	sd_event_add_io(loop, NULL, stop_fd[0], POLLIN, on_stop, NULL);
	if (write(*(int *)data, "", 1) != 1)
		abort();
	sd_event_loop(loop);
	http_server_close(server);
	sd_event_unref(loop);
	return NULL;
}

static int start(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_http.%d.sock", getpid());
	if (pipe(ready) < 0 || pipe(stop_fd) < 0 ||
	    pthread_create(&thread, NULL, serve, &ready[1]) || read(ready[0], &byte, 1) != 1)
		return -1;
	close(ready[0]);
	close(ready[1]);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	close(stop_fd[1]);
	pthread_join(thread, NULL);
	close(stop_fd[0]);
	unlink(path);
	return 0;
}

/* ---- clients --------------------------------------------------------------------- */

static enum exit_code ask(const char *method, const char *where, const json_t *body,
			  unsigned int timeout_ms, json_t **reply, struct error *e)
{
	const struct http_call call = { .socket = path, .daemon = "testd", .method = method,
					.path = where, .body = body, .timeout_ms = timeout_ms };

	memset(e, 0, sizeof(*e));
	return http_client_call(&call, reply, e);
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Until the other side closes; how long it took. */
static double read_to_end(int fd, char *to, size_t size)
{
	double begin = now();
	size_t n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char spill[4096];
		ssize_t r;

		if (poll(&p, 1, 10000) != 1)
			fail_msg("nothing for 10 s");
		r = n < size - 1 ? read(fd, to + n, size - 1 - n) : read(fd, spill, sizeof(spill));
		if (r <= 0)
			break;
		if (n < size - 1)
			n += r;
	}
	to[n] = '\0';
	close(fd);
	return now() - begin;
}

static void works(void)
{
	double begin = now();
	struct error e;
	json_t *reply;

	assert_int_equal(ask("GET", "/v1/things/a", NULL, 5000, &reply, &e), EXIT_OK);
	json_decref(reply);
	if (now() - begin > 1)
		fail_msg("an honest client waited %.1f s", now() - begin);
}

/* ---- tests ----------------------------------------------------------------------- */

static void a_request_and_its_answer_are_json(void **state)
{
	json_t *body = json_pack("{s:i}", "x", 1), *reply, *expected;
	struct error e;

	(void)state;
	assert_int_equal(ask("POST", "/v1/things/a%20b?q=7", body, 0, &reply, &e), EXIT_OK);
	expected = json_pack("{s:s, s:s, s:{s:i}, s:s}", "method", "POST", "segment", "a b", "body",
			     "x", 1, "query", "7");
	assert_true(json_equal(reply, expected));
	json_decref(reply);
	json_decref(expected);
	json_decref(body);
}

static void an_answer_may_come_later(void **state)
{
	struct error e;
	json_t *reply;

	(void)state;
	assert_int_equal(ask("GET", "/v1/later", NULL, 0, &reply, &e), EXIT_OK);
	json_decref(reply);
}

static void an_error_arrives_whole(void **state)
{
	struct error e;
	json_t *reply;

	(void)state;
	assert_int_equal(ask("POST", "/v1/things/a/refuse", NULL, 0, &reply, &e), EXIT_RESOURCES);
	assert_null(reply);
	assert_string_equal(e.message, "no room");
	assert_string_equal(e.why, "limit 1, asked 2");
	assert_string_equal(e.fix, "ask for less");
	assert_int_equal(json_integer_value(json_object_get(e.details, "n")), 7);
	error_clear(&e);
}

static void what_is_not_there_is_said(void **state)
{
	struct error e;
	json_t *reply;

	(void)state;
	assert_int_equal(ask("GET", "/v1/thing", NULL, 0, &reply, &e), EXIT_NOT_FOUND);
	error_clear(&e);
	assert_int_equal(ask("GET", "/v1/things/a/b", NULL, 0, &reply, &e), EXIT_NOT_FOUND);
	error_clear(&e);
	assert_int_equal(ask("GET", "/v1/things/", NULL, 0, &reply, &e), EXIT_NOT_FOUND);
	error_clear(&e);
	assert_int_equal(ask("DELETE", "/v1/things/a", NULL, 0, &reply, &e), EXIT_INVALID);
	error_clear(&e);
}

static void no_daemon_means_nothing_was_done(void **state)
{
	const struct http_call call = { .socket = "/tmp/no-such-socket", .daemon = "testd",
					.method = "POST", .path = "/v1/things/a" };
	struct error e = ERROR_NONE;
	json_t *reply;

	(void)state;
	assert_int_equal(http_client_call(&call, &reply, &e), EXIT_UNREACHABLE);
	assert_string_equal(e.where, "/tmp/no-such-socket");
	error_clear(&e);
}

static void no_answer_to_a_change_means_unknown(void **state)
{
	json_t *body = json_object(), *reply;
	struct error e;

	(void)state;
	assert_int_equal(ask("POST", "/v1/never", body, 300, &reply, &e), EXIT_UNKNOWN);
	assert_non_null(strstr(e.fix, "--request-id"));
	error_clear(&e);
	json_decref(body);
}

static void a_body_beyond_the_limit_is_refused_at_its_announcement(void **state)
{
	static const char head[] = "POST /v1/things/a HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 104857600\r\n\r\n";
	char answer[4096];
	double took;
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, head, sizeof(head) - 1), sizeof(head) - 1);
	took = read_to_end(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, " 413 "));
	assert_non_null(strstr(answer, "larger than the limit of 64KiB"));
	assert_true(took < 1);
}

static void who_is_not_admitted_is_answered_before_the_body(void **state)
{
	static const char head[] = "POST /v1/things/private HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 1000\r\n\r\n";
	char answer[4096];
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, head, sizeof(head) - 1), sizeof(head) - 1);
	assert_true(read_to_end(fd, answer, sizeof(answer)) < 1);
	assert_non_null(strstr(answer, " 403 "));
	assert_non_null(strstr(answer, "ask somebody else"));
}

static void a_chunked_body_beyond_the_limit_is_refused_too(void **state)
{
	static const char head[] = "POST /v1/things/a HTTP/1.1\r\nHost: x\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	char chunk[4096 + 16], answer[4096];
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, head, sizeof(head) - 1), sizeof(head) - 1);
	memset(chunk, ' ', sizeof(chunk));
	memcpy(chunk, "1000\r\n", 6);
	memcpy(chunk + 6 + 4096, "\r\n", 2);
	for (int i = 0; i < 64; i++)
		assert_int_equal(write(fd, chunk, 6 + 4096 + 2), 6 + 4096 + 2);
	assert_int_equal(write(fd, "0\r\n\r\n", 5), 5);
	shutdown(fd, SHUT_WR);
	read_to_end(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, " 413 "));
}

static void a_body_that_is_no_json_is_refused_with_its_place(void **state)
{
	static const char request[] = "POST /v1/things/a HTTP/1.1\r\nHost: x\r\n"
				      "Connection: close\r\nContent-Length: 9\r\n\r\n{\n\"a\": ]}";
	char answer[4096];
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	read_to_end(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, " 400 "));
	assert_non_null(strstr(answer, "line 2, column"));
}

static void noise_is_refused(void **state)
{
	char noise[4096], answer[4096];
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (i * 7919 + 13) & 0xff;
	assert_true(write(fd, noise, sizeof(noise)) > 0);
	shutdown(fd, SHUT_WR);
	assert_true(read_to_end(fd, answer, sizeof(answer)) < 5);
	works();
}

static void half_a_request_is_cut_off_and_delays_nobody(void **state)
{
	static const char half[] = "POST /v1/things/a HTTP/1.1\r\n"
				   "Content-Length: 1000\r\n\r\n{\"na";
	char answer[4096];
	double took;
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, half, sizeof(half) - 1), sizeof(half) - 1);
	works();
	took = read_to_end(fd, answer, sizeof(answer));
	if (took < 1 || took > 6)
		fail_msg("cut off after %.1f s", took);
}

/* One byte a while keeps a naive idle timer from ever running out. */
static void a_request_that_drips_is_cut_off(void **state)
{
	double begin = now();
	int fd = dial(), on = 1;
	struct timespec pause = { .tv_nsec = 200000000 };

	(void)state;
	while (on && now() - begin < 8) {
		on = send(fd, "G", 1, MSG_NOSIGNAL) == 1;
		nanosleep(&pause, NULL);
	}
	close(fd);
	assert_false(on);
}

static void silent_clients_make_room(void **state)
{
	char answer[64];
	int fd[SILENT], closed = 0;

	(void)state;
	for (int i = 0; i < SILENT; i++)
		fd[i] = dial();
	for (int i = 0; i < 5; i++)
		works();
	/* The oldest had to go; the newest are within the limit. */
	for (int i = 0; i < SILENT; i++) {
		struct pollfd p = { .fd = fd[i], .events = POLLIN };

		closed += poll(&p, 1, 0) == 1;
	}
	assert_true(closed >= SILENT - 16);
	for (int i = 0; i < SILENT; i++)
		read_to_end(fd[i], answer, sizeof(answer));
}

static void a_connection_becomes_another_protocol(void **state)
{
	static const char request[] = "GET /v1/upgrade HTTP/1.1\r\nHost: x\r\n"
				      "Connection: Upgrade\r\nUpgrade: test\r\n\r\nearly";
	char answer[4096];
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	read_to_end(fd, answer, sizeof(answer));
	assert_non_null(strstr(answer, " 101 "));
	assert_non_null(strstr(answer, "\r\n\r\nearlybye"));
}

static void an_upgrade_must_be_asked_for(void **state)
{
	struct error e;
	json_t *reply;

	(void)state;
	assert_int_equal(ask("GET", "/v1/upgrade", NULL, 0, &reply, &e), EXIT_INVALID);
	assert_non_null(strstr(e.fix, "Upgrade: test"));
	error_clear(&e);
}

static void a_socket_in_use_is_not_taken_over(void **state)
{
	struct error e = ERROR_NONE;

	(void)state;
	assert_int_equal(http_listen(path, &e), -1);
	assert_int_equal(e.code, EXIT_CONFLICT);
	error_clear(&e);
	works();
}

static void a_socket_file_left_behind_is_replaced(void **state)
{
	struct error e = ERROR_NONE;
	char left[80];
	struct stat st;
	int fd;

	(void)state;
	snprintf(left, sizeof(left), "%s.left", path);
	for (int i = 0; i < 2; i++) {
		fd = http_listen(left, &e);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(stat(left, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	unlink(left);
}

/* ---- calls in a loop ------------------------------------------------------------- */

static int answers;

static void on_done(enum exit_code code, json_t *reply, const struct error *e, void *data)
{
	(void)e;
	assert_int_equal(code, EXIT_OK);
	assert_non_null(reply);
	if (++answers == 9)
		sd_event_exit(data, 0);
}

static void calls_run_side_by_side(void **state)
{
	struct http_call call = { .socket = path, .daemon = "testd", .method = "GET",
				  .path = "/v1/things/a" };
	struct http_client *client;
	sd_event *event;

	(void)state;
	answers = 0;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(http_client_open(&client, event), 0);
	/* The first is answered last. */
	call.path = "/v1/later";
	assert_int_equal(http_client_start(client, &call, on_done, event), 0);
	call.path = "/v1/things/a";
	for (int i = 0; i < 8; i++)
		assert_int_equal(http_client_start(client, &call, on_done, event), 0);
	assert_int_equal(answers, 0);
	assert_int_equal(sd_event_loop(event), 0);
	assert_int_equal(answers, 9);
	/* One that is never answered is ended with the client. */
	call.method = "POST";
	call.path = "/v1/never";
	assert_int_equal(http_client_start(client, &call, on_done, event), 0);
	http_client_close(client);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_and_its_answer_are_json),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(an_error_arrives_whole),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(no_daemon_means_nothing_was_done),
		cmocka_unit_test(no_answer_to_a_change_means_unknown),
		cmocka_unit_test(a_body_beyond_the_limit_is_refused_at_its_announcement),
		cmocka_unit_test(who_is_not_admitted_is_answered_before_the_body),
		cmocka_unit_test(a_chunked_body_beyond_the_limit_is_refused_too),
		cmocka_unit_test(a_body_that_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(noise_is_refused),
		cmocka_unit_test(half_a_request_is_cut_off_and_delays_nobody),
		cmocka_unit_test(a_request_that_drips_is_cut_off),
		cmocka_unit_test(silent_clients_make_room),
		cmocka_unit_test(a_connection_becomes_another_protocol),
		cmocka_unit_test(an_upgrade_must_be_asked_for),
		cmocka_unit_test(a_socket_in_use_is_not_taken_over),
		cmocka_unit_test(a_socket_file_left_behind_is_replaced),
		cmocka_unit_test(calls_run_side_by_side),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* opsd's service against bad input: an error names the place, nothing changes, nobody waits. */
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

static const char *at(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void assert_refused(struct world *w, const char *method, const char *path, json_t *body,
			   enum exit_code code, const char *where, const char *message)
{
	struct error e = ERROR_NONE;
	json_t *reply;

	assert_int_equal(world_call(w, method, path, body, &reply, &e), code);
	if (!strstr(e.message, message) || !strstr(e.where, where))
		fail_msg("not \"%s: %s\" but \"%s: %s\"", where, message, e.where, e.message);
	error_clear(&e);
}

/* Nothing has been recorded but what the hosts said. */
static void assert_untouched(struct world *w)
{
	char *events = world_events(w, NULL, NULL);
	struct error e = ERROR_NONE;
	json_t *reply;

	assert_null(strstr(events, "web1"));
	free(events);
	assert_int_equal(world_call(w, "GET", "/v1/partitions", NULL, &reply, &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "partitions")), 0);
	json_decref(reply);
	assert_int_equal(world_call(w, "GET", "/v1/activations", NULL, &reply, &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "activations")), 0);
	json_decref(reply);
	assert_int_equal(w->host[0].asked, 0);
}

static json_t *with(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
	return object;
}

static void a_bad_request_names_its_key_and_changes_nothing(void **state)
{
	struct world *w = *state;
	char longname[200];

	memset(longname, 'a', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	world_start_ops(w);
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:s, s:i}", "name", "web1", "nmae",
							       1), EXIT_INVALID, "nmae", "");
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:i}", "name", 1), EXIT_INVALID,
		       "name", "");
	assert_refused(w, "POST", "/v1/activations", json_object(), EXIT_INVALID, "name", "");
	assert_refused(w, "POST", "/v1/activations", json_array(), EXIT_INVALID, "", "");
	assert_refused(w, "POST", "/v1/activations", NULL, EXIT_INVALID, "", "");
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:s}", "name", longname),
		       EXIT_INVALID, "name", "");
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:s}", "name", "../../etc"),
		       EXIT_INVALID, "name", "");
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:s}", "name", "web1"),
		       EXIT_NOT_FOUND, "", "no partition is named web1");
	assert_refused(w, "POST", "/v1/activations",
		       json_pack("{s:s, s:s}", "name", "web1", "request_id", "one"), EXIT_INVALID,
		       "request_id", "");
	assert_refused(w, "POST", "/v1/activations",
		       json_pack("{s:s, s:i}", "name", "web1", "timeout_s", 0), EXIT_INVALID,
		       "timeout_s", "");
	assert_refused(w, "POST", "/v1/activations",
		       json_pack("{s:s, s:i}", "name", "web1", "timeout_s", 1000000), EXIT_INVALID,
		       "timeout_s", "");
	assert_refused(w, "POST", "/v1/deactivations", json_pack("{s:s}", "name", "web1"),
		       EXIT_NOT_FOUND, "", "no partition is named web1");
	assert_refused(w, "DELETE", "/v1/partitions/web1", NULL, EXIT_NOT_FOUND, "", "");
	assert_refused(w, "GET", "/v1/activations/nothing", NULL, EXIT_NOT_FOUND, "", "");
	assert_refused(w, "GET", "/v1/nothing", NULL, EXIT_NOT_FOUND, "", "");
	assert_refused(w, "GET", "/v1/events?after=-1", NULL, EXIT_INVALID, "after", "");
	assert_refused(w, "GET", "/v1/events?limit=1001", NULL, EXIT_INVALID, "limit", "");
	assert_refused(w, "GET", "/v1/events?wait_ms=soon", NULL, EXIT_INVALID, "wait_ms", "");
	assert_untouched(w);
	world_stop_ops(w);
}

static void a_bad_definition_names_its_key_and_changes_nothing(void **state)
{
	static const char *const paths[] = { "/v1/activations", "/v1/partitions" };
	struct world *w = *state;
	size_t i;

	world_start_ops(w);
	for (i = 0; i < 2; i++) {
		assert_refused(w, "POST", paths[i], json_pack("{s:o}", "definition", with(
			world_definition("web1", "128MiB"), "colour", json_string("red"))),
			EXIT_INVALID, "colour", "");
		assert_refused(w, "POST", paths[i], json_pack("{s:o}", "definition",
			world_definition("web1", "0MiB")), EXIT_INVALID, "memory", "");
		assert_refused(w, "POST", paths[i], json_pack("{s:o}", "definition",
			world_definition("Web 1", "128MiB")), EXIT_INVALID, "name", "");
		assert_refused(w, "POST", paths[i], json_pack("{s:o}", "definition", with(
			world_definition("web1", "128MiB"), "boot",
			json_pack("{s:s}", "kernel", "vmlinuz"))), EXIT_INVALID, "boot.kernel", "");
		assert_refused(w, "POST", paths[i], json_pack("{s:s}", "definition", "web1"),
			EXIT_INVALID, "definition", "");
	}
	assert_refused(w, "POST", "/v1/activations", json_pack("{s:s, s:o}", "name", "web2",
		"definition", world_definition("web1", "128MiB")), EXIT_INVALID, "name",
		"different");
	assert_untouched(w);
	world_stop_ops(w);
}

static int connect_to(struct world *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", w->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* What comes back until the connection ends, at most a few KiB. */
static void read_all(int fd, char *to, size_t size)
{
	struct timeval limit = { .tv_sec = 20 };
	ssize_t n;
	size_t at_byte = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (at_byte < size - 1 && (n = read(fd, to + at_byte, size - 1 - at_byte)) > 0)
		at_byte += n;
	to[at_byte] = '\0';
}

static void a_definition_of_100_MiB_is_refused_when_it_is_announced(void **state)
{
	static const char head[] =
		"POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n";
	struct world *w = *state;
	char reply[4096], *chunk = malloc(1 << 20);
	size_t sent = 0;
	ssize_t n;
	int fd;

	world_start_ops(w);
	fd = connect_to(w);
	assert_int_equal(write(fd, head, strlen(head)), strlen(head));
	memset(chunk, ' ', 1 << 20);
	/* A client that sends it all the same is cut off long before its end. */
	while (sent < 100 << 20 && (n = send(fd, chunk, 1 << 20, MSG_NOSIGNAL)) > 0)
		sent += n;
	assert_true(sent < 100 << 20);
	read_all(fd, reply, sizeof(reply));
	assert_non_null(strstr(reply, " 413 "));
	close(fd);
	free(chunk);
	/* A body under a false flag: too long for a definition, short enough to be read. */
	assert_refused(w, "POST", "/v1/partitions", json_pack("{s:o}", "definition", with(
		world_definition("web1", "128MiB"), "colour",
		json_sprintf("%0100000d", 0))), EXIT_INVALID, "", "");
	assert_untouched(w);
	world_stop_ops(w);
}

static void half_a_request_and_nonsense_end_their_connection_alone(void **state)
{
	static const char *const texts[] = {
		"POST /v1/activations HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{\"name\":",
		"\x00\x01\x02\x03 not HTTP at all\r\n\r\n",
		"GET /v1/hosts HTTP/1.1\r\nHo",
	};
	struct world *w = *state;
	size_t i;
	int fd;

	world_start_ops(w);
	for (i = 0; i < 3; i++) {
		fd = connect_to(w);
		assert_true(write(fd, texts[i], i == 1 ? 24 : strlen(texts[i])) > 0);
		close(fd);
	}
	assert_untouched(w);
	world_stop_ops(w);
}

static void silent_clients_delay_nobody(void **state)
{
	struct world *w = *state;
	int fd[100], i;
	double start;
	char id[37];
	json_t *a;

	world_start_ops(w);
	for (i = 0; i < 100; i++)
		fd[i] = connect_to(w);
	start = now();
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	a = world_await(w, id);
	assert_non_null(a);
	assert_string_equal(at(a, "state"), "done");
	json_decref(a);
	assert_true(now() - start < 3);
	for (i = 0; i < 100; i++)
		close(fd[i]);
	world_stop_ops(w);
}

static void events_are_waited_for(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_NONE;
	json_t *reply;
	double start;
	char id[37], path[128];

	world_start_ops(w);
	w->host[0].delay_after_ms = 400;
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	usleep(200000);
	/* Two have come; the third comes with the host's answer. */
	snprintf(path, sizeof(path), "/v1/events?activation=%s&after=0&wait_ms=10000", id);
	assert_int_equal(world_call(w, "GET", path, NULL, &reply, &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "events")), 2);
	snprintf(path, sizeof(path), "/v1/events?activation=%s&after=%lld&wait_ms=10000", id,
		 (long long)json_integer_value(json_object_get(json_array_get(
			json_object_get(reply, "events"), 1), "number")));
	json_decref(reply);
	start = now();
	assert_int_equal(world_call(w, "GET", path, NULL, &reply, &e), EXIT_OK);
	assert_true(now() - start < 2);
	assert_string_equal(at(json_array_get(json_object_get(reply, "events"), 0), "kind"),
			    "started");
	json_decref(reply);
	json_decref(world_await(w, id));
	/* Nothing comes: an answer all the same, when the time is over. */
	start = now();
	assert_int_equal(world_call(w, "GET", "/v1/events?after=100000&wait_ms=300", NULL, &reply,
				    &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "events")), 0);
	assert_true(now() - start >= 0.25 && now() - start < 2);
	json_decref(reply);
	world_stop_ops(w);
}

static void a_stranger_is_denied(void **state)
{
	struct world *w = *state;
	pid_t pid;
	int status;

	if (geteuid() != 0)
		skip();
	world_start_ops(w);
	assert_int_equal(chmod(w->directory, 0755), 0);
	assert_int_equal(chmod(w->run, 0755), 0);
	/* The socket's mode is the first gate; this shows the second. */
	assert_int_equal(chmod(w->socket, 0666), 0);
	pid = fork();
	if (!pid) {
		struct error e = ERROR_NONE;
		json_t *reply;

		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			_exit(9);
		_exit(world_call(w, "GET", "/v1/hosts", NULL, &reply, &e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EXIT_DENIED);
	world_stop_ops(w);
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_one(a_bad_request_names_its_key_and_changes_nothing),
		with_one(a_bad_definition_names_its_key_and_changes_nothing),
		with_one(a_definition_of_100_MiB_is_refused_when_it_is_announced),
		with_one(half_a_request_and_nonsense_end_their_connection_alone),
		with_one(silent_clients_delay_nobody),
		with_one(events_are_waited_for),
		with_one(a_stranger_is_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

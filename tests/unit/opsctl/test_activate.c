/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opsctl activate against an opsd that does what a daemon under SIGKILL may do. The opsd here is a
 * real HTTP server in a process of its own, with a script in shared memory.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/http_client.h>
#include <common/http_server.h>
#include <opsctl/opsctl.h>

/* What the opsd knows and does. */
static struct script {
	char id[40];			/* of the activation that it has; "": none */
	unsigned int posts;		/* requests heard */
	bool forget;			/* next request: dies, having recorded nothing */
	bool swallow;			/* next request: records it, dies without an answer */
	unsigned int opens;		/* how often it is still open when asked */
	const char *state;		/* then: "done", "failed" */
} *script;

static char directory[40], path[64];
static pid_t server;

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void reply_activation(struct http_request *r)
{
	const char *state = script->opens ? "open" : script->state;
	json_t *failure = json_null();

	if (!strcmp(state, "failed"))
		failure = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "schema_version", 1, "code",
				    "resources", "message", "no host takes web1", "where", "",
				    "why", "node1: full", "fix", "");
	http_reply(r, 200, json_pack("{s:i, s:{s:s, s:s, s:o}}", "schema_version", 1, "activation",
				     "id", script->id, "state", state, "error", failure));
}

static void on_post(struct http_request *r, void *data)
{
	(void)data;
	script->posts++;
	if (script->forget) {
		script->forget = false;
		raise(SIGKILL);
	}
	snprintf(script->id, sizeof(script->id), "%s",
		 text(http_request_body(r), "request_id"));
	if (script->swallow) {
		script->swallow = false;
		raise(SIGKILL);
	}
	reply_activation(r);
}

static void on_get(struct http_request *r, void *data)
{
	struct error e = ERROR_NONE;

	(void)data;
	if (strcmp(http_request_segment(r, 0), script->id)) {
		error_set(&e, EXIT_NOT_FOUND, "no activation has that id");
		http_reply_error(r, &e);
		return;
	}
	reply_activation(r);
	if (script->opens)
		script->opens--;
}

static void on_events(struct http_request *r, void *data)
{
	int after = atoi(http_request_query(r, "after"));

	(void)data;
	http_reply(r, 200, after ? json_pack("{s:[]}", "events") : json_pack(
		"{s:[{s:i, s:s, s:s, s:s}]}", "events", "number", 5, "kind", "claimed", "host",
		"node1", "text", "claimed node1, request 7"));
}

static const struct http_route routes[] = {
	{ "POST", "/v1/activations", on_post },
	{ "GET", "/v1/activations/{}", on_get },
	{ "GET", "/v1/events", on_events },
	{ 0 },
};

static void serve_once(void)
{
	struct http_server_config config = { .routes = routes };
	struct error e = ERROR_NONE;
	struct http_server *http;
	sd_event *event;
	int fd;

	fd = http_listen(path, &e);
	if (fd < 0 || sd_event_new(&event) < 0 || http_server_open(&http, event, fd, &config))
		_exit(1);
	sd_event_loop(event);
	_exit(0);
}

/* A service manager: an opsd that dies comes back, a little later. */
static void start_server(void)
{
	fflush(NULL);
	server = fork();
	if (server)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_once();
		}
		waitpid(pid, NULL, 0);
		usleep(100000);
	}
}

static int setup(void **state)
{
	static struct opsctl c;
	int i;

	strcpy(directory, "/tmp/opsctl-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/opsd.sock", directory);
	script = mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	script->state = "done";
	c = (struct opsctl){ .socket = path, .timeout_s = 2, .patience_s = 5, .limit = 10 };
	*state = &c;
	start_server();
	for (i = 0; i < 500 && access(path, F_OK); i++)
		usleep(10000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	munmap(script, sizeof(*script));
	unlink(path);
	return rmdir(directory);
}

/* Runs it with standard output in *out (free it). */
static enum exit_code activate(struct opsctl *c, char **out, struct error *e)
{
	char name[] = "/tmp/opsctl-out-XXXXXX";
	int to = mkstemp(name), saved;
	enum exit_code code;
	ssize_t n;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(to, STDOUT_FILENO);
	code = opsctl_activate(c, "web1", e);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	*out = calloc(1, 4096);
	n = pread(to, *out, 4095, 0);
	assert_true(n >= 0);
	close(to);
	unlink(name);
	return code;
}

static void steps_are_printed_as_they_come(void **state)
{
	struct error e = ERROR_NONE;
	char *out;

	script->opens = 2;
	assert_int_equal(activate(*state, &out, &e), EXIT_OK);
	assert_string_equal(out, "opsd claimed node1 and asks its resource service\n");
	assert_int_equal(script->posts, 1);
	free(out);
}

static void a_failure_is_the_error_that_opsd_tells(void **state)
{
	struct error e = ERROR_NONE;
	char *out;

	script->state = "failed";
	assert_int_equal(activate(*state, &out, &e), EXIT_RESOURCES);
	assert_string_equal(e.message, "no host takes web1");
	assert_string_equal(e.why, "node1: full");
	error_clear(&e);
	free(out);
}

/* opsd dies before it has recorded anything: the request is made again, under the same id. */
static void a_forgotten_request_is_made_again(void **state)
{
	struct error e = ERROR_NONE;
	char *out;

	script->forget = true;
	assert_int_equal(activate(*state, &out, &e), EXIT_OK);
	assert_int_equal(script->posts, 2);
	error_clear(&e);
	free(out);
}

static void a_lost_answer_is_asked_for_under_the_same_id(void **state)
{
	struct opsctl *c = *state;
	struct error e = ERROR_NONE;
	char *out;

	c->request_id = "11111111-0000-4000-8000-000000000001";
	script->swallow = true;
	assert_int_equal(activate(c, &out, &e), EXIT_OK);
	assert_string_equal(script->id, c->request_id);
	assert_in_range(script->posts, 1, 2);
	error_clear(&e);
	free(out);
}

static void what_does_not_end_in_time_is_unknown(void **state)
{
	struct opsctl *c = *state;
	struct error e = ERROR_NONE;
	char *out;

	c->timeout_s = 1;
	c->patience_s = 1;
	script->opens = 1000000;
	assert_int_equal(activate(c, &out, &e), EXIT_UNKNOWN);
	assert_non_null(strstr(e.fix, script->id));
	error_clear(&e);
	free(out);
}

static void without_opsd_nothing_was_done(void **state)
{
	struct opsctl *c = *state;
	struct error e = ERROR_NONE;
	char *out;

	c->socket = "/tmp/opsctl-test-nobody.sock";
	assert_int_equal(activate(c, &out, &e), EXIT_UNREACHABLE);
	assert_int_equal(script->posts, 0);
	error_clear(&e);
	free(out);
}

static void a_bad_file_is_refused_before_opsd_is_asked(void **state)
{
	struct opsctl *c = *state;
	struct error e = ERROR_NONE;
	char name[64];
	int fd;

	assert_int_equal(opsctl_activate(c, "/nowhere/web1.json", &e), EXIT_NOT_FOUND);
	error_clear(&e);
	snprintf(name, sizeof(name), "%s/web1.json", directory);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "{ \"name\": \"web1\", \"memroy\": 1 }", 31), 31);
	close(fd);
	assert_int_equal(opsctl_activate(c, name, &e), EXIT_INVALID);
	assert_non_null(strstr(e.where, "memroy"));
	error_clear(&e);
	unlink(name);
	assert_int_equal(script->posts, 0);
}

static void files_and_names_are_told_apart(void **state)
{
	(void)state;
	assert_true(opsctl_is_file("-"));
	assert_true(opsctl_is_file("./web1"));
	assert_true(opsctl_is_file("web1.json"));
	assert_false(opsctl_is_file("web1"));
	assert_false(opsctl_is_file("web1.example"));
	assert_false(opsctl_is_file(".json"));
}

static void scores_are_for_who_asks_for_more(void **state)
{
	json_t *event = json_pack("{s:s, s:s, s:s}", "kind", "fits", "host", "node1", "text",
				  "node1 fits, score 98");
	char line[100];

	(void)state;
	assert_false(opsctl_step(line, sizeof(line), event, false));
	assert_true(opsctl_step(line, sizeof(line), event, true));
	assert_string_equal(line, "node1 fits, score 98");
	json_decref(event);
}

#define each(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(steps_are_printed_as_they_come),
		each(a_failure_is_the_error_that_opsd_tells),
		each(a_forgotten_request_is_made_again),
		each(a_lost_answer_is_asked_for_under_the_same_id),
		each(what_does_not_end_in_time_is_unknown),
		each(without_opsd_nothing_was_done),
		each(a_bad_file_is_refused_before_opsd_is_asked),
		cmocka_unit_test(files_and_names_are_told_apart),
		cmocka_unit_test(scores_are_for_who_asks_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

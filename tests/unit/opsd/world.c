/* SPDX-License-Identifier: Apache-2.0 */
/* The world: hosts, their services, and opsd, each a process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include <common/http_client.h>
#include <common/http_server.h>
#include <common/log.h>
#include <common/reader.h>
#include <common/size.h>

#include <opsd/ops.h>
#include <opsd/placement.h>
#include <opsd/service.h>
#include "world.h"

/* ---- a host's resource service */

static sd_event *event;		/* of this process */

struct world_partition *world_partition(struct world_host *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->partitions; i++)
		if (!strcmp(h->partition[i].name, name) || !strcmp(h->partition[i].uuid, name))
			return &h->partition[i];
	return NULL;
}

static uint64_t assigned(const struct world_host *h)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->partitions; i++)
		if (placement_is_on(h->partition[i].state))
			sum += h->partition[i].memory;
	return sum;
}

static void on_host(struct http_request *r, void *data)
{
	struct world_host *h = data;

	if (h->nonsense)
		http_reply(r, 200, json_pack("{s:{s:i}}", "host", "uuid", 7));
	else
		http_reply(r, 200, json_pack(
			"{s:i, s:{s:s, s:s, s:{s:i, s:i, s:s}, s:{s:I, s:I, s:I}}}",
			"schema_version", 1, "host", "name", h->name, "uuid",
			"6f1c1b3e-0000-4000-8000-000000000001", "cpus", "total", 4, "pool", 3,
			"list", "1-3", "memory", "total", (json_int_t)WORLD_MEMORY * 2, "pool",
			(json_int_t)WORLD_MEMORY, "assigned", (json_int_t)assigned(h)));
}

static void on_domains(struct http_request *r, void *data)
{
	struct world_host *h = data;
	json_t *list = json_array();

	if (!h->no_domain)
		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:i, s:i, s:I, s:I, s:i}", "name", "default", "cpus", "1-3",
			"cpu_count", 3, "cpus_dedicated", h->dedicated, "memory",
			(json_int_t)WORLD_MEMORY, "memory_assigned", (json_int_t)assigned(h),
			"partitions", (int)h->partitions));
	http_reply(r, 200, json_pack("{s:i, s:o}", "schema_version", 1, "domains", list));
}

static void on_partitions(struct http_request *r, void *data)
{
	struct world_host *h = data;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < h->partitions; i++) {
		struct world_partition *p = &h->partition[i];

		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "name", p->name, "uuid", p->uuid,
			"domain", "default", "kind", "guest", "state", p->state, "reason",
			p->reason, "pid", 100 + (int)i));
		/* A little time passes. */
		if (!strcmp(p->state, "starting")) {
			strcpy(p->state, h->dies ? "failed" : "running");
			strcpy(p->reason, h->dies ? "triple fault" : "");
		} else if (!strcmp(p->state, "stopping") && !h->stuck) {
			strcpy(p->state, "defined");
			strcpy(p->reason, "powered off");
		}
	}
	/* System partitions have rows too, and no domain worth speaking of. */
	json_array_append_new(list, json_pack("{s:s, s:s}", "name", "io-a", "kind", "io"));
	http_reply(r, 200, json_pack("{s:i, s:o}", "schema_version", 1, "partitions", list));
}

static void refuse(struct http_request *r, enum exit_code code, const char *message)
{
	struct error e = ERROR_NONE;

	error_set(&e, code, "%s", message);
	error_why(&e, "the host has the last word");
	http_reply_error(r, &e);
	error_clear(&e);
}

static void reply(struct http_request *r, uint64_t transaction)
{
	http_reply(r, 200, json_pack("{s:i, s:I, s:b}", "schema_version", 1, "transaction",
				     (json_int_t)transaction, "already", !transaction));
}

/* A request on its way through the service. */
struct work {
	struct world_host *host;
	struct http_request *request;
	json_t *body;
	char path_name[64];
	bool stop;
	uint64_t transaction;
};

static const char *text(const json_t *body, const char *key)
{
	const char *value = json_string_value(json_object_get(body, key));

	return value ? value : "";
}

static int start(struct work *w)
{
	const json_t *definition = json_object_get(w->body, "definition");
	const char *name = text(definition, "name"), *uuid = text(w->body, "uuid");
	struct world_host *h = w->host;
	struct world_partition *p = world_partition(h, name);
	uint64_t memory = 0;

	size_parse(text(definition, "memory"), &memory);
	if (h->refuse) {
		refuse(w->request, h->refuse, "this host will not have it");
		return -1;
	}
	if (p && strcmp(p->uuid, uuid)) {
		refuse(w->request, EXIT_CONFLICT, "that name belongs to another partition");
		return -1;
	}
	if (p && placement_is_on(p->state))
		return 0;
	if (assigned(h) + memory > WORLD_MEMORY) {
		refuse(w->request, EXIT_RESOURCES, "not enough memory");
		return -1;
	}
	if (!p)
		p = &h->partition[h->partitions++];
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->uuid, sizeof(p->uuid), "%s", uuid);
	strcpy(p->state, "starting");
	p->reason[0] = '\0';
	p->memory = memory;
	p->starts++;
	return 1;
}

static int stop(struct work *w)
{
	struct world_partition *p = world_partition(w->host, w->path_name);

	if (!p) {
		refuse(w->request, EXIT_NOT_FOUND, "no such partition");
		return -1;
	}
	if (!placement_is_on(p->state))
		return 0;
	strcpy(p->state, "stopping");
	return 1;
}

static int on_answer(sd_event_source *source, uint64_t usec, void *data)
{
	struct work *w = data;

	(void)usec;
	sd_event_source_unref(source);
	reply(w->request, w->transaction);
	json_decref(w->body);
	free(w);
	return 0;
}

static int on_commit(sd_event_source *source, uint64_t usec, void *data)
{
	struct work *w = data;
	struct world_host *h = w->host;
	const char *id = text(w->body, "request_id");
	sd_event_source *later;
	size_t i;
	int rc;

	(void)usec;
	sd_event_source_unref(source);
	if (h->die_before) {
		h->die_before = false;
		raise(SIGKILL);
	}
	for (i = 0; i < h->answers; i++)
		if (!strcmp(h->answer[i].request_id, id))
			break;
	if (i < h->answers) {
		w->transaction = h->answer[i].transaction;
	} else {
		rc = w->stop ? stop(w) : start(w);
		if (rc < 0) {
			json_decref(w->body);
			free(w);
			return 0;
		}
		w->transaction = rc ? ++h->transactions : 0;
		strcpy(h->answer[h->answers].request_id, id);
		h->answer[h->answers++].transaction = w->transaction;
	}
	if (h->die_after) {
		h->die_after = false;
		raise(SIGKILL);
	}
	sd_event_add_time_relative(event, &later, CLOCK_MONOTONIC, h->delay_after_ms * 1000ull, 1,
				   on_answer, w);
	return 0;
}

static void take(struct world_host *h, struct http_request *r, bool is_stop)
{
	json_t *body = http_request_body(r);
	uint64_t epoch = json_integer_value(json_object_get(body, "epoch"));
	sd_event_source *later;
	struct work *w;

	if (!is_stop)
		h->asked++;
	if (epoch < h->epoch) {
		refuse(r, EXIT_CONFLICT, "an opsd with a higher epoch leads");
		return;
	}
	h->epoch = epoch;
	w = calloc(1, sizeof(*w));
	*w = (struct work){ .host = h, .request = r, .body = json_incref(body), .stop = is_stop };
	if (is_stop)
		snprintf(w->path_name, sizeof(w->path_name), "%s", http_request_segment(r, 0));
	sd_event_add_time_relative(event, &later, CLOCK_MONOTONIC, h->delay_before_ms * 1000ull, 1,
				   on_commit, w);
}

static void on_activate(struct http_request *r, void *data)
{
	take(data, r, false);
}

static void on_stop(struct http_request *r, void *data)
{
	take(data, r, true);
}

static void on_delete(struct http_request *r, void *data)
{
	struct world_host *h = data;
	struct world_partition *p = world_partition(h, http_request_segment(r, 0));

	if (!p) {
		refuse(r, EXIT_NOT_FOUND, "no such partition");
		return;
	}
	*p = h->partition[--h->partitions];
	reply(r, ++h->transactions);
}

static const struct http_route routes[] = {
	{ "GET", "/v1/host", on_host },
	{ "GET", "/v1/domains", on_domains },
	{ "GET", "/v1/partitions", on_partitions },
	{ "POST", "/v1/activations", on_activate },
	{ "POST", "/v1/partitions/{}/stop", on_stop },
	{ "DELETE", "/v1/partitions/{}", on_delete },
	{ 0 },
};

static void serve(struct world_host *h)
{
	struct http_server_config config = { .routes = routes, .data = h };
	struct error e = ERROR_NONE;
	struct http_server *server;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = http_listen(h->socket, &e);
	if (fd < 0 || sd_event_new(&event) < 0 ||
	    http_server_open(&server, event, fd, &config)) {
		fprintf(stderr, "host %s: %s\n", h->name, e.message);
		_exit(1);
	}
	sd_event_loop(event);
	_exit(0);
}

static bool answers(const char *socket, const char *path)
{
	struct http_call call = {
		.socket = socket, .daemon = "it", .method = "GET", .path = path, .timeout_ms = 2000,
	};
	struct error e = ERROR_NONE;
	json_t *object;
	enum exit_code code;

	code = http_client_call(&call, &object, &e);
	json_decref(object);
	error_clear(&e);
	return code == EXIT_OK;
}

void world_start_host(struct world_host *h)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		serve(h);
	assert_true(pid > 0);
	h->pid = pid;
	world_until(answers(h->socket, "/v1/domains"));
}

void world_kill_host(struct world_host *h)
{
	if (!h->pid)
		return;
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
}

/* ---- opsd */

static void on_step(const char *name, void *data)
{
	struct world *w = data;

	if (w->kill_at && !strcmp(name, w->kill_at) && !--w->kill_nth)
		raise(SIGKILL);
}

static int on_term(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	(void)info, (void)data;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int run_ops(struct world *w)
{
	struct ops ops = { .step = on_step, .step_data = w };
	struct access access;
	struct error e = ERROR_NONE;
	char directory[100], *list[WORLD_HOSTS];
	sigset_t mask;
	size_t i;
	int fd, rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_init("opsd", false);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sd_event_new(&ops.event);
	sd_event_add_signal(ops.event, NULL, SIGTERM, on_term, NULL);
	snprintf(directory, sizeof(directory), "%s/ops", w->state);
	mkdir(directory, 0700);
	access_open(&access);
	for (i = 0; i < w->hosts; i++)
		if (asprintf(&list[i], "%s=%s", w->host[i].name, w->host[i].socket) < 0)
			return 2;
	fd = http_listen(w->socket, &e);
	ops.store = fd < 0 ? NULL : store_sqlite_open(directory, &e);
	if (!ops.store || ops_open(&ops, &e) || ops_configure_hosts(&ops, list, w->hosts, &e) ||
	    service_open(&ops, fd, &access) || ops_resume(&ops, &e)) {
		fprintf(stderr, "opsd: %s\n", e.message);
		return 3;
	}
	rc = sd_event_loop(ops.event);
	service_close(&ops);
	ops_close(&ops);
	sd_event_unref(ops.event);
	for (i = 0; i < w->hosts; i++)
		free(list[i]);
	return rc ? 4 : 0;
}

bool world_ops_died(struct world *w)
{
	int status;

	if (w->ops && waitpid(w->ops, &status, WNOHANG) == w->ops) {
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		w->ops = 0;
	}
	return !w->ops;
}

void world_start_ops(struct world *w)
{
	assert_int_equal(w->ops, 0);
	fflush(NULL);
	w->ops = fork();
	if (!w->ops) {
		/* What opsd leaks counts; what a failed test left lying does not. */
		__lsan_enable();
		exit(run_ops(w));
	}
	assert_true(w->ops > 0);
	world_until(world_ops_died(w) || answers(w->socket, "/v1/hosts"));
}

void world_kill_ops(struct world *w)
{
	if (!w->ops)
		return;
	kill(w->ops, SIGKILL);
	waitpid(w->ops, NULL, 0);
	w->ops = 0;
}

void world_stop_ops(struct world *w)
{
	int status;

	if (!w->ops)
		return;
	kill(w->ops, SIGTERM);
	assert_int_equal(waitpid(w->ops, &status, 0), w->ops);
	w->ops = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void world_await_death(struct world *w)
{
	world_until(world_ops_died(w));
}

enum exit_code world_call(struct world *w, const char *method, const char *path, json_t *body,
			  json_t **object, struct error *e)
{
	struct http_call call = {
		.socket = w->socket, .daemon = "opsd", .method = method, .path = path,
		.body = body, .timeout_ms = 20000,
	};
	enum exit_code code = http_client_call(&call, object, e);

	json_decref(body);
	return code;
}

json_t *world_definition(const char *name, const char *memory)
{
	return json_pack("{s:s, s:{s:i}, s:s, s:{s:s, s:s}}", "name", name, "cpus", "count", 1,
			 "memory", memory, "boot", "kernel", "/images/vmlinuz", "cmdline",
			 "console=ttyS0");
}

int world_timeout_s = 5;

const char *world_begin(struct world *w, const char *verb, const char *name, json_t *definition)
{
	static char id[37];
	struct error e = ERROR_NONE;
	json_t *body = json_pack("{s:s, s:i}", "name", name, "timeout_s",
				 world_timeout_s), *object;
	char path[32];

	if (definition)
		json_object_set_new(body, "definition", definition);
	snprintf(path, sizeof(path), "/v1/%ss", verb);
	id[0] = '\0';
	if (world_call(w, "POST", path, body, &object, &e) == EXIT_OK)
		snprintf(id, sizeof(id), "%s", text(json_object_get(object, "activation"), "id"));
	else
		print_message("%s: %s: %s\n", name, e.message, e.why);
	json_decref(object);
	error_clear(&e);
	return id;
}

json_t *world_await(struct world *w, const char *id)
{
	struct error e = ERROR_NONE;
	json_t *object, *activation;
	char path[80];
	int i;

	snprintf(path, sizeof(path), "/v1/activations/%s", id);
	for (i = 0; i < 1500; i++) {
		if (world_call(w, "GET", path, NULL, &object, &e) == EXIT_OK) {
			activation = json_object_get(object, "activation");
			if (strcmp(text(activation, "state"), "open")) {
				json_incref(activation);
				json_decref(object);
				return activation;
			}
		}
		json_decref(object);
		error_clear(&e);
		usleep(10000);
	}
	return NULL;
}

char *world_events(struct world *w, const char *activation, const char *kind)
{
	struct error e = ERROR_NONE;
	json_t *object, *value;
	char path[128], *all = calloc(1, 1);
	size_t i;

	snprintf(path, sizeof(path), "/v1/events?after=0&limit=1000%s%s",
		 activation ? "&activation=" : "", activation ? activation : "");
	assert_int_equal(world_call(w, "GET", path, NULL, &object, &e), EXIT_OK);
	json_array_foreach(json_object_get(object, "events"), i, value) {
		char *longer;

		if (kind && strcmp(text(value, "kind"), kind))
			continue;
		assert_true(asprintf(&longer, "%s%s\n", all, text(value, "text")) >= 0);
		free(all);
		all = longer;
	}
	json_decref(object);
	return all;
}

unsigned int world_copies(struct world *w, const char *name)
{
	struct world_partition *p;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < w->hosts; i++) {
		p = world_partition(&w->host[i], name);
		n += p && placement_is_on(p->state);
	}
	return n;
}

char *world_word(struct world *w, const char *name, const char *key)
{
	struct error e = ERROR_NONE;
	json_t *object, *value;
	char path[100], *word;

	snprintf(path, sizeof(path), "/v1/partitions/%s", name);
	if (world_call(w, "GET", path, NULL, &object, &e) != EXIT_OK)
		return strdup("unknown");
	value = json_object_get(json_object_get(object, "partition"), key);
	word = strdup(json_is_string(value) ? json_string_value(value) : "null");
	json_decref(object);
	return word;
}

/* ---- fixtures */

static int setup(void **state, size_t hosts)
{
	static bool leaks_ignored;
	struct world *w;
	size_t i;

	if (!leaks_ignored)
		__lsan_disable();
	leaks_ignored = true;
	w = calloc(1, sizeof(*w));
	strcpy(w->directory, "/tmp/opsd-test-XXXXXX");
	assert_non_null(mkdtemp(w->directory));
	snprintf(w->state, sizeof(w->state), "%s/state", w->directory);
	snprintf(w->run, sizeof(w->run), "%s/run", w->directory);
	snprintf(w->socket, sizeof(w->socket), "%s/opsd.sock", w->run);
	mkdir(w->state, 0700);
	mkdir(w->run, 0700);
	w->host = mmap(NULL, WORLD_HOSTS * sizeof(*w->host), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(w->host, MAP_FAILED);
	w->hosts = hosts;
	for (i = 0; i < hosts; i++) {
		snprintf(w->host[i].name, sizeof(w->host[i].name), "node%u", (unsigned int)i + 1);
		snprintf(w->host[i].socket, sizeof(w->host[i].socket), "%s/%s.sock", w->run,
			 w->host[i].name);
		world_start_host(&w->host[i]);
	}
	*state = w;
	return 0;
}

int world_setup(void **state)
{
	return setup(state, 1);
}

int world_setup_three(void **state)
{
	return setup(state, WORLD_HOSTS);
}

static void empty(const char *directory)
{
	struct dirent *entry;
	DIR *d = opendir(directory);

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(d), entry->d_name, 0) < 0)
			unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
	rmdir(directory);
}

int world_teardown(void **state)
{
	struct world *w = *state;
	char ops[100];
	size_t i;

	world_kill_ops(w);
	for (i = 0; i < w->hosts; i++)
		world_kill_host(&w->host[i]);
	snprintf(ops, sizeof(ops), "%s/ops", w->state);
	empty(ops);
	empty(w->state);
	empty(w->run);
	empty(w->directory);
	munmap(w->host, WORLD_HOSTS * sizeof(*w->host));
	free(w);
	return 0;
}
